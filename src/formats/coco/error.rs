//! Why a COCO file cannot be imported, and what to do about it.

use crate::formats::input_id::{Collision, InputIdFrom, describe};
use crate::model::JsonFault;

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum CocoError {
    /// It is not the JSON that it should be.
    #[error(transparent)]
    Syntax(JsonFault),
    /// It is not UTF-8.
    #[error("not UTF-8 text: byte {offset} does not begin a character")]
    TextError {
        /// From 0.
        offset: usize,
    },
    /// It is JSON of another form.
    #[error("not a COCO file: {0}")]
    NotCoco(String),
    /// Images that would become the same input.
    #[error("{}", describe(.collisions))]
    SameInput {
        /// The images.
        collisions: Vec<Collision>,
        /// What the inputs of this file can be named after instead.
        choices: Vec<InputIdFrom>,
    },
    /// Two images with one id: what refers to it could mean either.
    #[error("two images have the id {id:?}: {first:?} and {second:?}")]
    SameImageId {
        /// The id.
        id: String,
        /// File name of the first image.
        first: String,
        /// File name of the second image.
        second: String,
    },
    /// Two categories with one id and different names: what refers to it could mean either.
    #[error("two categories have the id {id:?}: {first:?} and {second:?}")]
    SameCategoryId {
        /// The id.
        id: String,
        /// Name of the first category.
        first: String,
        /// Name of the second category.
        second: String,
    },
}

impl CocoError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax(_) | Self::TextError { .. } | Self::NotCoco(_) => None,
            Self::SameInput { choices, .. } => Some(if choices.is_empty() {
                "no choice of --input-id tells all images apart: give each its own name or id"
                    .to_owned()
            } else {
                let names: Vec<&str> = choices.iter().map(|choice| choice.as_str()).collect();
                format!("tell them apart with --input-id {}", names.join(" or "))
            }),
            Self::SameImageId { .. } | Self::SameCategoryId { .. } => {
                Some("give each its own id, and update what refers to it".to_owned())
            }
        }
    }
}
