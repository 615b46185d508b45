//! The result of reading a file of another tool: inputs with annotations, and a report of everything that was left out
//! or changed.
//!
//! Every object of a file is either imported or in [`Imported::skipped`]. Changes are in [`Imported::notes`]. Codes are
//! stable, since scripts use them. A reader adds the codes that its format needs.

use crate::model::{ConceptId, DesiredInput};
use std::collections::BTreeSet;
use std::fmt;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The stable code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

codes! {
    /// Why an object or an image was left out.
    SkipCode {
        /// The image has no usable file name (or id) to name the input after.
        ImageWithoutName = "image_without_name",
        /// The image has no usable id, so that its objects cannot be found.
        ImageWithoutId = "image_without_id",
        /// The text that would name the input is not a valid id.
        InvalidInputId = "invalid_input_id",
        /// A file of the set that cannot be read.
        UnreadableFile = "unreadable_file",
        /// A field, or the whole entry, has a type or a value that the format does not allow.
        WrongType = "wrong_type",
        /// The object names no image, or one that is not in the file.
        UnknownImage = "unknown_image",
        /// The image of the object was left out.
        ImageLeftOut = "image_left_out",
        /// The image has no size, so pixels cannot be converted to fractions, or fractions to pixels.
        ImageWithoutSize = "image_without_size",
        /// The object names no category, or one that is not in the file.
        UnknownCategory = "unknown_category",
        /// The category has no name that is valid as a concept's id.
        CategoryWithoutName = "category_without_name",
        /// The object has neither a segmentation nor a box.
        NoGeometry = "no_geometry",
        /// The object has a shape that neither a manifest nor the other format can hold.
        OtherShape = "other_shape",
        /// A box without width or height, or a ring or mask without area.
        NoArea = "no_area",
        /// The shape extends outside the image.
        OutsideImage = "outside_image",
        /// A span that is not in the text.
        OutsideText = "outside_text",
        /// The object is a group of objects (`iscrowd: 1`).
        Crowd = "crowd",
        /// The object is marked `ignore: 1`.
        Ignored = "ignored",
        /// A mask that cannot be decoded.
        WrongMask = "wrong_mask",
        /// A score that is not a number from 0 to 1.
        WrongScore = "wrong_score",
        /// The work of an annotator other than the requested one.
        OtherAnnotator = "other_annotator",
        /// A task that its annotator skipped.
        SkippedTask = "skipped_task",
        /// The annotation has no concept, and the format needs one.
        NoConcept = "no_concept",
        /// A concept of a value that the format cannot hold, such as an absent one.
        OtherValue = "other_value",
        /// A frame, a segment or a track, which the format cannot hold.
        OtherTime = "other_time",
        /// The labels would be in the file of another image.
        SharedFile = "shared_file",
    }
}

macro_rules! notes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $loses:ident $noun:literal $words:literal,)+) => {
        codes! {
            /// How something was changed by an import or an export.
            Note { $($(#[$doc])* $variant = $code,)+ }
        }

        impl Note {
            /// Whether the change loses data.
            pub fn is_loss(self) -> bool {
                match self { $(Self::$variant => notes!($loses),)+ }
            }

            /// The kind of thing that was changed.
            pub fn noun(self) -> &'static str {
                match self { $(Self::$variant => $noun,)+ }
            }

            /// What happened.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
    (loses) => { true };
    (keeps) => { false };
}

notes! {
    SplitRings = "split_rings" keeps "object" "several rings became a polygon each, linked by `part_of`",
    SmallerRingsLeftOut = "smaller_rings_left_out" loses "object" "only the largest ring was imported",
    MultiRingAsBox = "multi_ring_as_box" loses "object" "several rings became the box around them",
    ShortRingAsBox = "short_ring_as_box" loses "object" "a ring of fewer than three points, so the box was imported",
    EmptyRingLeftOut = "empty_ring_left_out" keeps "object" "rings without area were left out",
    SplitShapes = "split_keypoints" keeps "object" "shape and keypoints are separate annotations, linked by `part_of`",
    Clipped = "clipped" keeps "object" "clipped to the image",
    SetToEdge = "set_to_edge" keeps "object" "outside the image by no more than rounding, set to its edge",
    RotatedBox = "rotated_box" keeps "object" "a rotated box became a polygon",
    Ellipse = "ellipse" loses "object" "an ellipse became a polygon of 64 points",
    CategoryNameTrimmed = "category_name_trimmed" keeps "category" "white space around the name was removed",
    CategoriesShareConcept = "categories_share_concept" keeps "category" "the same concept as an earlier category",
    ScoreLeftOut = "score_left_out" loses "object" "the score was left out (--scores imports it)",
    AttributesLeftOut = "attributes_left_out" loses "object" "`attributes` that a manifest cannot hold were left out",
    FieldsLeftOut = "fields_left_out" loses "object" "fields that a manifest cannot hold were left out",
    KeypointNamesLeftOut = "keypoint_names_left_out" loses "category" "the names or the skeleton of the keypoints were left out",
    ImageCategoriesLeftOut = "image_categories_left_out" loses "image" "`neg_category_ids` and `not_exhaustive_category_ids` were left out",
    /// An image without annotations by anyone is not declared: an empty declaration would delete its labels.
    NotAnnotated = "not_annotated" keeps "image" "not annotated yet, so not declared",
    NoLabelFile = "no_label_file" keeps "image" "no label file, so not declared",
    MissingFiles = "missing_files" loses "path" "named by the set, and not in the folder",
    Hidden = "hidden" keeps "path" "hidden (a name that begins with a dot), so not read",
    NotAFile = "not_a_file" keeps "path" "a pipe, a socket or a device, so not read",
    UnknownEntity = "unknown_entity" loses "reference" "a reference such as `&x;` to an unknown entity was read as it is written",
    UnlistedFile = "unlisted_file" loses "file" "labels that no list or folder of the set names were not read",
    AmbiguousRows = "ambiguous_rows" keeps "set" "rows that can be read in two ways",
    UnnamedClasses = "unnamed_classes" keeps "set" "classes without a name in the files are named by their number or their id",
    PredictionsLeftOut = "predictions_left_out" loses "image" "predictions of a model were left out",
    DraftsLeftOut = "drafts_left_out" loses "image" "unfinished drafts were left out",
    RelationsLeftOut = "relations_left_out" loses "image" "relations between objects were left out",
    PartsLeftOut = "parts_left_out" loses "object" "`part` entries within the object were left out",
    SeveralAnnotators = "several_annotators" keeps "image" "several annotations of it were imported (--annotator takes those of one annotator)",
    JoinedText = "joined_text" keeps "text" "the text was made by joining tokens with one space",
    GuessedTime = "guessed_time" loses "video" "the file has only frame numbers: times are set to 0 (--frame-rate gives them)",
    NotInterpolated = "not_interpolated" loses "track" "frames between outlines of different kinds or numbers of points were left out",
    CornersFromZero = "corners_from_zero" keeps "set" "read with 0 as the first pixel (--one-based reads the original data)",
    NamedAfterFile = "named_after_file" keeps "image" "named after its label file, which does not say its name",
    GapsLeftOut = "gaps_left_out" loses "track" "the object leaves and comes back, and the frames without it are not marked (--interpolate declares every frame with it)",
    GapsFilled = "gaps_filled" loses "track" "the object is shown in its gaps, too (metadata `enabled: false` on the last frame before a gap prevents it)",
    InterpolatedFrames = "interpolated_frames" keeps "track" "positions between key frames were computed",
    MetadataLeftOut = "metadata_left_out" loses "annotation" "metadata that the format cannot hold was left out",
    StateLeftOut = "state_left_out" loses "annotation" "id, key, status, user or text was left out",
    BoxAroundShape = "box_around_shape" loses "annotation" "only the box around the shape was written",
    Rounded = "rounded" loses "annotation" "coordinates were rounded",
    VisibilityAssumed = "visibility_assumed" loses "annotation" "keypoints without a visibility were written as visible",
    JoinedConcepts = "joined_concepts" loses "annotation" "concepts of the whole input were written together",
    SplitConcepts = "split_concepts" loses "annotation" "several concepts became an object each",
    BoxAsPolygon = "box_as_polygon" loses "annotation" "a box beside polygons was written as a polygon",
    TextChanged = "text_changed" loses "text" "spaces were changed, since the file has only words",
    EmptyLeftOut = "empty_left_out" loses "input" "without annotations or words, the input is not in the files",
    NothingWritten = "nothing_written" loses "input" "all of its annotations were left out: a training run takes its image for one without objects",
    OtherInputId = "other_input_id" keeps "input" "an import would name the input after its file",
}

/// An object or an image that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub code: SkipCode,
    /// The object's id, or `number 8` if it has none; `None` if a whole image was left out. Text from the file, which
    /// may hold control characters.
    pub annotation: Option<String>,
    /// The image's file name, else its id, else `number 8`; `None` if it is not known. Text from the file, which may
    /// hold control characters.
    pub image: Option<String>,
    /// The invalid numbers or names. Safe to print.
    pub detail: String,
}

/// Something that was changed by the import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionNote {
    pub code: Note,
    /// The object and its image. Text from the file, which may hold control characters.
    pub place: String,
}

/// Data of the image itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Its path as the manifest names it. Text from the file, which may hold control characters.
    pub path: Option<String>,
    /// Its URL; `None` if there is a path.
    pub url: Option<String>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
}

/// What an input is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Media {
    #[default]
    Image,
    Video,
    /// A text that the file holds itself.
    Text(String),
}

/// One image, video or text of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedInput {
    /// The input with its annotations, in the order of the file.
    pub input: DesiredInput,
    pub media: Media,
    /// Data of the image or the video itself.
    pub image: ImageInfo,
    /// How many of its objects were left out. If any was, the input is not complete: declared under `policy: sync`, it
    /// would delete what was left out.
    pub left_out: u64,
    /// Why each of them was left out: code and detail, in the order of the file.
    pub left_out_as: Vec<String>,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// One input for each image, also for one without objects; sorted by id.
    pub inputs: Vec<ImportedInput>,
    /// What was left out: images, then objects, in the order of the file.
    pub skipped: Vec<Skipped>,
    /// What was changed, in the order of the file.
    pub notes: Vec<ConversionNote>,
    /// The concepts of all categories with a usable name, used or not.
    pub concepts: BTreeSet<ConceptId>,
    /// How many categories the file has.
    pub categories: usize,
    /// How many images the file has.
    pub images: usize,
    /// How many objects the file has.
    pub annotations: usize,
    /// How many objects were imported; one may become several annotations.
    pub taken_over: usize,
    /// How many left-out objects have no known image, plus how many images have no id. Such an object may belong to any
    /// image, so no input counts as complete.
    pub unassigned: u64,
}

impl Imported {
    /// Removes and returns the inputs with objects that were, or may have been, left out.
    pub fn take_incomplete(&mut self) -> Vec<ImportedInput> {
        let is_complete = |input: &ImportedInput| self.unassigned == 0 && input.left_out == 0;
        let (complete, incomplete) = std::mem::take(&mut self.inputs)
            .into_iter()
            .partition(is_complete);
        self.inputs = complete;
        incomplete
    }

    /// Whether any data of the file is lost.
    pub fn has_losses(&self) -> bool {
        !self.skipped.is_empty() || self.notes.iter().any(|noted| noted.code.is_loss())
    }

    pub(super) fn note(&mut self, code: Note, place: impl Into<String>) {
        self.notes.push(ConversionNote {
            code,
            place: place.into(),
        });
    }
}

#[cfg(test)]
impl Imported {
    /// Counts what was left out.
    pub(super) fn skipped_by_code(&self) -> std::collections::BTreeMap<SkipCode, u64> {
        let mut counts = std::collections::BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.code).or_default() += 1;
        }
        counts
    }

    /// Counts what was changed.
    pub(super) fn notes_by_code(&self) -> std::collections::BTreeMap<Note, u64> {
        let mut counts = std::collections::BTreeMap::new();
        for noted in &self.notes {
            *counts.entry(noted.code).or_default() += 1;
        }
        counts
    }
}
