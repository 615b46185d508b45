//! The options of an import.

use super::input_id::InputIdFrom;

/// How a class name becomes a concept's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConceptNames {
    /// Unchanged, except white space at its ends.
    #[default]
    AsNamed,
    /// In lower case, with a dash for each run of other characters than letters and digits.
    Slug,
}

/// What happens to shapes that extend outside the image by more than a millionth of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overhang {
    /// They are left out.
    #[default]
    LeaveOut,
    /// They are clipped to the image; those completely outside are left out.
    Clip,
}

/// How an object with several rings is imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MultiRing {
    /// One polygon per ring, linked by `metadata.part_of`.
    #[default]
    Split,
    /// Only the ring with the largest area.
    Largest,
    /// The box around them.
    Box,
}

/// How `score` is imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scores {
    /// It is left out, and the value is 1.
    #[default]
    LeaveOut,
    /// It is the concept's value.
    Values,
}

/// Tolerance for rounding errors: coordinates outside the image by at most this fraction of it count as on its edge.
pub(super) const EDGE_TOLERANCE: f64 = 1e-6;

/// Which pixel a box of Pascal VOC begins at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Corners {
    /// The first pixel is 0, and `xmax` is the right edge: what most tools write.
    #[default]
    FromZero,
    /// The first pixel is 1, and `xmax` is the last pixel inside: the original data.
    FromOne,
}

/// Which frames of a track are imported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Frames {
    /// Those that the file lists.
    #[default]
    Listed,
    /// Also those between two listed frames, with a linear position.
    Interpolated,
}

/// Options of every import. Those that a format has no use for are ignored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportOptions {
    pub input_id: InputIdFrom,
    pub concepts: ConceptNames,
    pub overhang: Overhang,
    pub multi_ring: MultiRing,
    pub scores: Scores,
    pub corners: Corners,
    pub frames: Frames,
    /// Frames per second of videos whose files have only frame numbers.
    pub frame_rate: Option<f64>,
    /// Take only the work of this annotator, where a file has several: an id or an email address.
    pub annotator: Option<String>,
    /// The folder of the images as named in the manifest; prepended to each file name.
    pub images: Option<String>,
}
