//! The options of a COCO import.

use crate::formats::input_id::InputIdFrom;

/// How a category's name becomes a concept's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConceptNames {
    /// Unchanged, except white space at its ends.
    #[default]
    AsNamed,
    /// In lower case, with a dash for each run of other characters than letters and digits.
    Slug,
}

/// What happens to shapes that extend outside the image by more than [`EDGE_TOLERANCE`].
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
pub const EDGE_TOLERANCE: f64 = 1e-6;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CocoOptions {
    pub input_id: InputIdFrom,
    pub concepts: ConceptNames,
    pub overhang: Overhang,
    pub multi_ring: MultiRing,
    pub scores: Scores,
    /// The folder of the images as named in the manifest; prepended to each file name.
    pub images: Option<String>,
}
