//! Inputs and annotations to be written.

use crate::manifest::context::{Image, InputText, InputVideo};
use crate::model::{Content, DesiredInput, Identity, Ignore, InputId, Undeclared};

#[derive(Debug, Clone, PartialEq)]
pub struct WritableInput {
    pub id: InputId,
    pub image: Option<Image>,
    pub video: Option<InputVideo>,
    pub text: Option<InputText>,
    pub annotations: Vec<WritableAnnotation>,
    /// The annotations of a purged input are not written.
    pub undeclared: Undeclared,
    /// Exceptions from rules of the linter.
    pub ignores: Vec<Ignore>,
}

/// An annotation to be written. Left out is what a manifest cannot declare: [`Geometry::Whole`] and
/// [`Geometry::Unmodelled`], a mask with neither a path nor a URL that begins with `http`, an empty text, fields of a
/// region without one, and keys of `metadata` or `info` whose values contain null.
///
/// [`Geometry::Whole`]: crate::model::Geometry::Whole
/// [`Geometry::Unmodelled`]: crate::model::Geometry::Unmodelled
#[derive(Debug, Clone, PartialEq)]
pub struct WritableAnnotation {
    pub identity: Identity,
    pub content: Content,
    /// For a mask with known pixels: the path of their file, relative to the file to be written.
    pub mask_path: Option<Box<str>>,
    /// Exceptions from rules of the linter.
    pub ignores: Vec<Ignore>,
}

impl From<&DesiredInput> for WritableInput {
    fn from(input: &DesiredInput) -> Self {
        Self {
            id: input.id.clone(),
            image: None,
            video: None,
            text: None,
            annotations: input
                .annotations
                .iter()
                .map(|annotation| WritableAnnotation {
                    identity: annotation.identity.clone(),
                    content: annotation.content.clone(),
                    mask_path: None,
                    ignores: Vec::new(),
                })
                .collect(),
            undeclared: input.undeclared,
            ignores: Vec::new(),
        }
    }
}
