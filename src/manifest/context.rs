//! What the readers of inputs and annotations share: an input's image and text, and the names of a file.

use crate::model::{ConceptId, Interner};
use std::collections::HashSet;

/// The image of an input. Coordinates are fractions with or without it. If the app lacks the input and `create_inputs`
/// is set, the image is posted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// As written.
    pub path: Option<Box<str>>,
    /// Where the service fetches it; not together with a path.
    pub url: Option<Box<str>>,
    /// In pixels, at least 1.
    pub width: Option<u32>,
    /// In pixels, at least 1.
    pub height: Option<u32>,
}

/// The text of a text input. Spans are checked against it, and get their texts from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputText {
    /// A file, as written.
    Path(Box<str>),
    /// The text itself.
    Raw(Box<str>),
    /// Where the service fetches it. Spans are not checked then.
    Url(Box<str>),
}

/// The video of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputVideo {
    /// A file, as written.
    Path(Box<str>),
    /// Where the service fetches it.
    Url(Box<str>),
}

/// What is shared while the inputs of a file are read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) interner: Interner,
    /// Every concept that the file's annotations name.
    pub(super) concepts: HashSet<ConceptId>,
}

impl Shared {
    pub(super) fn add_concept(&mut self, concept: &ConceptId) {
        if !self.concepts.contains(concept) {
            self.concepts.insert(concept.clone());
        }
    }
}
