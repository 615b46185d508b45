//! The result of reading a file of another tool: inputs with annotations, and a report of everything that was left out
//! or changed.
//!
//! Every object of a file is either imported or in [`Imported::skipped`]. Changes are in [`Imported::notes`]. Codes are
//! stable, since scripts use them. A reader adds the codes that its format needs.

use crate::model::{ConceptId, DesiredInput};
use std::collections::{BTreeMap, BTreeSet};
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
        /// A field, or the whole entry, has a type that the format does not allow.
        WrongType = "wrong_type",
        /// The object names no image, or one that is not in the file.
        UnknownImage = "unknown_image",
        /// The image of the object was left out.
        ImageLeftOut = "image_left_out",
        /// The image has no size, so pixels cannot be converted to fractions.
        ImageWithoutSize = "image_without_size",
        /// The object names no category, or one that is not in the file.
        UnknownCategory = "unknown_category",
        /// The category has no name that is valid as a concept's id.
        CategoryWithoutName = "category_without_name",
        /// The object has neither a segmentation nor a box.
        NoGeometry = "no_geometry",
        /// A box without width or height, or a ring or mask without area.
        NoArea = "no_area",
        /// The shape extends outside the image.
        OutsideImage = "outside_image",
        /// The object is a group of objects (`iscrowd: 1`).
        Crowd = "crowd",
        /// The object is marked `ignore: 1`.
        Ignored = "ignored",
        /// A run-length mask that cannot be decoded.
        WrongMask = "wrong_mask",
        /// A score that is not a number from 0 to 1.
        WrongScore = "wrong_score",
    }
}

codes! {
    /// How an object was changed by the import.
    Note {
        /// An object of several rings became one polygon for each.
        SplitRings = "split_rings",
        /// Only the largest of several rings was imported.
        SmallerRingsLeftOut = "smaller_rings_left_out",
        /// An object of several rings became the box around them.
        MultiRingAsBox = "multi_ring_as_box",
        /// An object with a ring of fewer than three points became its box.
        ShortRingAsBox = "short_ring_as_box",
        /// A ring without area beside rings that have one was left out.
        EmptyRingLeftOut = "empty_ring_left_out",
        /// An object with keypoints became two annotations: its shape, and its keypoints.
        SplitKeypoints = "split_keypoints",
        /// The shape was clipped to the image.
        Clipped = "clipped",
        /// The shape was outside the image by a rounding error, and was moved to its edge.
        SetToEdge = "set_to_edge",
        /// A category's name had white space at an end.
        CategoryNameTrimmed = "category_name_trimmed",
        /// A category became the same concept as an earlier one.
        CategoriesShareConcept = "categories_share_concept",
        /// A score was left out.
        ScoreLeftOut = "score_left_out",
        /// Attributes that a manifest cannot hold were left out.
        AttributesLeftOut = "attributes_left_out",
        /// Fields that the format does not define were left out: lists, objects, and what a manifest cannot hold.
        FieldsLeftOut = "fields_left_out",
        /// The names of a category's keypoints, or which of them are connected, were left out.
        KeypointNamesLeftOut = "keypoint_names_left_out",
        /// Lists of categories that are absent from an image, or not fully annotated in it, were left out.
        ImageCategoriesLeftOut = "image_categories_left_out",
    }
}

impl Note {
    /// Whether the change loses data of the object.
    pub fn is_loss(self) -> bool {
        match self {
            Self::SmallerRingsLeftOut
            | Self::MultiRingAsBox
            | Self::ShortRingAsBox
            | Self::ScoreLeftOut
            | Self::AttributesLeftOut
            | Self::FieldsLeftOut
            | Self::KeypointNamesLeftOut
            | Self::ImageCategoriesLeftOut => true,
            Self::SplitRings
            | Self::EmptyRingLeftOut
            | Self::SplitKeypoints
            | Self::Clipped
            | Self::SetToEdge
            | Self::CategoryNameTrimmed
            | Self::CategoriesShareConcept => false,
        }
    }

    /// The kind of thing that was changed.
    pub fn noun(self) -> &'static str {
        match self {
            Self::CategoryNameTrimmed
            | Self::CategoriesShareConcept
            | Self::KeypointNamesLeftOut => "category",
            Self::ImageCategoriesLeftOut => "image",
            _ => "object",
        }
    }

    /// What happened, worded for this many things.
    pub fn words(self, count: u64) -> &'static str {
        match self {
            Self::SplitRings => "several rings became a polygon each, linked by `part_of`",
            Self::SmallerRingsLeftOut => "only the largest ring was imported",
            Self::MultiRingAsBox => "several rings became the box around them",
            Self::ShortRingAsBox => "a ring of fewer than three points, so the box was imported",
            Self::EmptyRingLeftOut => "rings without area were left out",
            Self::SplitKeypoints if count == 1 => {
                "its keypoints are a separate annotation, linked by `part_of`"
            }
            Self::SplitKeypoints => "their keypoints are separate annotations, linked by `part_of`",
            Self::Clipped => "clipped to the image",
            Self::SetToEdge => "outside the image by no more than rounding, set to its edge",
            Self::CategoryNameTrimmed => "white space around the name was removed",
            Self::CategoriesShareConcept => "the same concept as an earlier category",
            Self::ScoreLeftOut => "`score` was left out (--scores takes it over)",
            Self::AttributesLeftOut => "`attributes` that a manifest cannot hold were left out",
            Self::FieldsLeftOut => "fields that a manifest cannot hold were left out",
            Self::KeypointNamesLeftOut => {
                "the names or the skeleton of the keypoints were left out"
            }
            Self::ImageCategoriesLeftOut => {
                "`neg_category_ids` and `not_exhaustive_category_ids` were left out"
            }
        }
    }
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
pub struct ImportNote {
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

/// One image of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedInput {
    /// The input with its annotations, in the order of the file.
    pub input: DesiredInput,
    /// Data of the image itself.
    pub image: ImageInfo,
    /// How many of its objects were left out. If any was, the input is not complete: declared under `policy: sync`, it
    /// would delete what was left out.
    pub left_out: u64,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// One input for each image, also for one without objects; sorted by id.
    pub inputs: Vec<ImportedInput>,
    /// What was left out: images, then objects, in the order of the file.
    pub skipped: Vec<Skipped>,
    /// What was changed, in the order of the file.
    pub notes: Vec<ImportNote>,
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
    /// Counts what was left out.
    pub fn skipped_by_code(&self) -> BTreeMap<SkipCode, u64> {
        let mut counts = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.code).or_default() += 1;
        }
        counts
    }

    /// Counts what was changed.
    pub fn notes_by_code(&self) -> BTreeMap<Note, u64> {
        let mut counts = BTreeMap::new();
        for noted in &self.notes {
            *counts.entry(noted.code).or_default() += 1;
        }
        counts
    }

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
        self.notes.push(ImportNote {
            code,
            place: place.into(),
        });
    }
}
