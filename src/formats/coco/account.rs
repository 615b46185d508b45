//! What an import comes to: the inputs, and an account of everything that is not in them as the file has it.

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
    /// Why an annotation or an image was left out.
    SkipCode {
        /// The image has no usable file name (or id) to call the input after.
        ImageWithoutName = "image_without_name",
        /// What the input would be called after is no valid id.
        InvalidInputId = "invalid_input_id",
        /// A field, or the whole entry, is of another type than COCO's.
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
        /// A box without width or height, or a ring without area.
        NoArea = "no_area",
        /// It reaches out of the image, or lies wholly outside.
        OutsideImage = "outside_image",
    }
}

codes! {
    /// What was taken over in another form than the file has it.
    Note {
        /// An annotation of several rings became the box around them.
        MultiRingAsBox = "multi_ring_as_box",
        /// An annotation with a run-length mask became its box.
        RleAsBox = "rle_as_box",
        /// An annotation with a ring of fewer than three points became its box.
        ShortRingAsBox = "short_ring_as_box",
        /// An annotation was clipped to the image.
        Clipped = "clipped",
        /// An annotation lay outside by no more than rounding, and was set to the edge.
        SetToEdge = "set_to_edge",
        /// A category's name had white space at an end.
        CategoryNameTrimmed = "category_name_trimmed",
        /// A category became the same concept as an earlier one.
        CategoriesShareConcept = "categories_share_concept",
        /// An annotation's keypoints were left out; its box or ring was taken over.
        KeypointsLeftOut = "keypoints_left_out",
        /// An annotation's `attributes` were left out; everything else was taken over.
        AttributesLeftOut = "attributes_left_out",
    }
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Why.
    pub code: SkipCode,
    /// The annotation's id, or `annotations[7]` where it has none; nothing where a whole image was left out.
    pub annotation: Option<String>,
    /// The image's file name; else its id, or `images[7]`; nothing where it is not known. Text from the file: it may
    /// hold control characters.
    pub image: Option<String>,
    /// The numbers or names at fault. Safe to print.
    pub detail: String,
}

/// What the file says about the picture itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageInfo {
    /// Where it is: [`CocoOptions::images`](super::CocoOptions::images) and the file name. Text from the file: it may hold control characters.
    pub path: Option<String>,
    /// Width and height in pixels.
    pub size: Option<(u32, u32)>,
}

/// One image of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedInput {
    /// The input with its annotations, in the order of the file.
    pub input: DesiredInput,
    /// What the file says about the picture itself.
    pub image: ImageInfo,
}

/// An imported file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// One input for each image, also for one without annotations; sorted by id.
    pub inputs: Vec<ImportedInput>,
    /// What was left out: images, then annotations, in the order of the file.
    pub skipped: Vec<Skipped>,
    /// What was taken over in another form, counted.
    pub notes: BTreeMap<Note, u64>,
    /// The concepts of all categories with a usable name, used or not.
    pub concepts: BTreeSet<ConceptId>,
    /// How many categories the file has.
    pub categories: usize,
    /// How many images the file has.
    pub images: usize,
    /// How many annotations the file has.
    pub annotations: usize,
}

impl Imported {
    /// How many annotations were taken over.
    pub fn taken_over(&self) -> usize {
        self.inputs
            .iter()
            .map(|each| each.input.annotations.len())
            .sum()
    }

    /// What was left out, counted.
    pub fn skipped_by_code(&self) -> BTreeMap<SkipCode, u64> {
        let mut counts = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.code).or_default() += 1;
        }
        counts
    }

    pub(super) fn note(&mut self, note: Note) {
        *self.notes.entry(note).or_default() += 1;
    }
}
