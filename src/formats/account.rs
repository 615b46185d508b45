//! What reading another tool's file comes to, whatever the format: inputs with annotations, and an account of everything
//! that is not in them as the file has it.
//!
//! Every object of a file is either taken over or in [`Imported::skipped`]. What was taken over in another form is in
//! [`Imported::notes`]. Codes are stable: scripts go by them. A reader adds the codes that its format needs.

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
        /// It names an image that is not in the file, or none.
        UnknownImage = "unknown_image",
        /// Its image was left out.
        ImageLeftOut = "image_left_out",
        /// Its image has no size, so that pixels cannot become fractions.
        ImageWithoutSize = "image_without_size",
        /// It names a category that is not in the file, or none.
        UnknownCategory = "unknown_category",
        /// Its category has no name that could be a concept's id.
        CategoryWithoutName = "category_without_name",
        /// It has neither a segmentation nor a box.
        NoGeometry = "no_geometry",
        /// A box without width or height, or a ring or mask without area.
        NoArea = "no_area",
        /// It reaches out of the image, or lies outside.
        OutsideImage = "outside_image",
        /// It stands for a group of objects, not for one (`iscrowd: 1`).
        Crowd = "crowd",
        /// The file says to ignore it (`ignore: 1`).
        Ignored = "ignored",
        /// A run-length mask that cannot be decoded.
        WrongMask = "wrong_mask",
        /// A score that is not a number from 0 to 1.
        WrongScore = "wrong_score",
    }
}

codes! {
    /// What was taken over in another form.
    Note {
        /// An object of several rings became one polygon for each.
        SplitRings = "split_rings",
        /// Of an object of several rings only the largest one was taken over.
        SmallerRingsLeftOut = "smaller_rings_left_out",
        /// An object of several rings became the box around them.
        MultiRingAsBox = "multi_ring_as_box",
        /// An object with a ring of fewer than three points became its box.
        ShortRingAsBox = "short_ring_as_box",
        /// A ring without area beside rings that have one was left out.
        EmptyRingLeftOut = "empty_ring_left_out",
        /// An object with keypoints became two annotations: its shape, and its keypoints.
        SplitKeypoints = "split_keypoints",
        /// It was clipped to the image.
        Clipped = "clipped",
        /// It lay outside by no more than rounding, and was set to the edge.
        SetToEdge = "set_to_edge",
        /// A category's name had white space at an end.
        CategoryNameTrimmed = "category_name_trimmed",
        /// A category became the same concept as an earlier one.
        CategoriesShareConcept = "categories_share_concept",
        /// A score was not taken over.
        ScoreLeftOut = "score_left_out",
        /// Attributes that a manifest cannot hold were left out.
        AttributesLeftOut = "attributes_left_out",
        /// Fields that the format does not define were left out: lists, objects, and what a manifest cannot hold.
        FieldsLeftOut = "fields_left_out",
        /// The names of a category's keypoints, or which of them are connected, were left out.
        KeypointNamesLeftOut = "keypoint_names_left_out",
        /// What an image says of whole categories was left out: that they are absent, or not annotated in full.
        ImageCategoriesLeftOut = "image_categories_left_out",
    }
}

impl Note {
    /// Whether something of the object is lost.
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

    /// What it is said of.
    pub fn noun(self) -> &'static str {
        match self {
            Self::CategoryNameTrimmed
            | Self::CategoriesShareConcept
            | Self::KeypointNamesLeftOut => "category",
            Self::ImageCategoriesLeftOut => "image",
            _ => "object",
        }
    }

    /// What happened, in words, to this many.
    pub fn words(self, count: u64) -> &'static str {
        match self {
            Self::SplitRings => "several rings became a polygon each, linked by `part_of`",
            Self::SmallerRingsLeftOut => "only the largest ring was taken over",
            Self::MultiRingAsBox => "several rings became the box around them",
            Self::ShortRingAsBox => "a ring of fewer than three points, so the box was taken over",
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

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub code: SkipCode,
    /// The object's id, or `number 8` where it has none; `None` where a whole image was left out. Text from the file: it
    /// may hold control characters.
    pub annotation: Option<String>,
    /// The image's file name; else its id, or `number 8`; `None` where it is not known. Text from the file: it may hold
    /// control characters.
    pub image: Option<String>,
    /// The numbers or names at fault. Safe to print.
    pub detail: String,
}

/// Something that was taken over in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// How.
    pub code: Note,
    /// What and where. Text from the file: it may hold control characters.
    pub place: String,
}

/// What the file says about the image itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Its path as the manifest names it. Text from the file: it may hold control characters.
    pub path: Option<String>,
    /// Where it can be fetched; not beside a path.
    pub url: Option<String>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
}

/// One image of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedInput {
    /// The input with its annotations, in the order of the file.
    pub input: DesiredInput,
    /// What the file says about the image itself.
    pub image: ImageInfo,
    /// How many of its objects were left out. An input of which something was left out is not complete: declared under
    /// `policy: sync`, it would delete what was left out.
    pub left_out: u64,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// One input for each image, also for one without objects; sorted by id.
    pub inputs: Vec<ImportedInput>,
    /// What was left out: images, then objects, in the order of the file.
    pub skipped: Vec<Skipped>,
    /// What was taken over in another form, in the order of the file.
    pub notes: Vec<Noted>,
    /// The concepts of all categories with a usable name, used or not.
    pub concepts: BTreeSet<ConceptId>,
    /// How many categories the file has.
    pub categories: usize,
    /// How many images the file has.
    pub images: usize,
    /// How many objects the file has.
    pub annotations: usize,
    /// How many objects were taken over; one may be several annotations.
    pub taken_over: usize,
    /// How many objects were left out without a known image, and how many images without an id that objects could name.
    /// Such an object may be any image's, so that no input is complete.
    pub unassigned: u64,
}

impl Imported {
    /// What was left out, counted.
    pub fn skipped_by_code(&self) -> BTreeMap<SkipCode, u64> {
        let mut counts = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.code).or_default() += 1;
        }
        counts
    }

    /// What was taken over in another form, counted.
    pub fn notes_by_code(&self) -> BTreeMap<Note, u64> {
        let mut counts = BTreeMap::new();
        for noted in &self.notes {
            *counts.entry(noted.code).or_default() += 1;
        }
        counts
    }

    /// Takes out the inputs of which something was, or may have been, left out.
    pub fn take_incomplete(&mut self) -> Vec<ImportedInput> {
        let is_complete = |input: &ImportedInput| self.unassigned == 0 && input.left_out == 0;
        let (complete, incomplete) = std::mem::take(&mut self.inputs)
            .into_iter()
            .partition(is_complete);
        self.inputs = complete;
        incomplete
    }

    /// Whether anything of the file is lost.
    pub fn has_losses(&self) -> bool {
        !self.skipped.is_empty() || self.notes.iter().any(|noted| noted.code.is_loss())
    }

    pub(super) fn note(&mut self, code: Note, place: impl Into<String>) {
        self.notes.push(Noted {
            code,
            place: place.into(),
        });
    }
}
