//! Why a COCO file cannot be imported, and what to do about it.

use crate::formats::input_id::{Collision, InputIdFrom, describe};
use crate::model::JsonFault;

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum CocoError {
    /// The file is not valid JSON.
    #[error(transparent)]
    Syntax(JsonFault),
    /// The file is not UTF-8.
    #[error("not UTF-8 text: byte {offset} does not begin a character")]
    TextError {
        /// From 0.
        offset: usize,
    },
    /// The JSON is not a COCO file.
    #[error("not a COCO file: {0}")]
    NotCoco(String),
    /// Several images have the same input id.
    #[error("{}", describe(.collisions))]
    SameInput {
        collisions: Vec<Collision>,
        /// The choices of --input-id without collisions.
        choices: Vec<InputIdFrom>,
    },
    /// Two images have the same id, so references are ambiguous.
    #[error("two images have the id {id:?}: {first:?} and {second:?}")]
    SameImageId {
        id: String,
        /// File name of the first image.
        first: String,
        /// File name of the second image.
        second: String,
    },
    /// Two categories have the same id and different names, so references are ambiguous.
    #[error("two categories have the id {id:?}: {first:?} and {second:?}")]
    SameCategoryId {
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
                "every choice of --input-id gives some images the same id: give each its own name or id"
                    .to_owned()
            } else {
                let names: Vec<&str> = choices.iter().map(|choice| choice.as_str()).collect();
                format!("make the ids unique with --input-id {}", names.join(" or "))
            }),
            Self::SameImageId { .. } | Self::SameCategoryId { .. } => {
                Some("give each its own id, and update what refers to it".to_owned())
            }
        }
    }
}
