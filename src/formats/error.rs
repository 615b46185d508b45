//! Why a file cannot be imported, and what to do about it.

use super::format::Format;
use super::input_id::{Collision, InputIdFrom, describe};
use crate::model::{JsonFault, TextFault};

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is not valid JSON.
    #[error("{}:{}:{}: {}", .file, .fault.line, .fault.column, .fault.message)]
    Json {
        /// Path in the source.
        file: String,
        fault: JsonFault,
    },
    /// A file is not text.
    #[error("{file}:{line}:{column}: {fault}")]
    Text {
        /// Path in the source.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        fault: TextFault,
    },
    /// A file of a text format is wrong as a whole.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// Path in the source.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        message: String,
    },
    /// A file cannot be read.
    #[error("{file}: {message}")]
    Unreadable { file: String, message: String },
    /// A folder without files.
    #[error("no file to import")]
    NoFile,
    /// No annotation was made by an annotator of this name.
    #[error("annotator {annotator:?} made no annotations; {}", annotators(.known))]
    NoSuchAnnotator {
        annotator: String,
        /// Those that the files name.
        known: Vec<String>,
    },
    /// The files are not of the format.
    #[error("not {}: {}", .format.title(), .why)]
    OtherFormat { format: Format, why: String },
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

impl ImportError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFile
            | Self::NoSuchAnnotator { .. }
            | Self::Json { .. }
            | Self::Syntax { .. }
            | Self::Unreadable { .. }
            | Self::OtherFormat { .. } => None,
            Self::Text { fault, .. } => Some(fault.hint().to_owned()),
            Self::SameInput { collisions, .. }
                if collisions.iter().all(Collision::is_same_image) =>
            {
                Some("several files list the same images: import one of them".to_owned())
            }
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

/// How many annotators an error lists.
const MAX_ANNOTATORS: usize = 10;

fn annotators(known: &[String]) -> String {
    if known.is_empty() {
        return "the files name no annotator".to_owned();
    }
    let first = known[..known.len().min(MAX_ANNOTATORS)].join(", ");
    match known.len().saturating_sub(MAX_ANNOTATORS) {
        0 => format!("the files name {first}"),
        more => format!("the files name {first} and {more} more"),
    }
}
