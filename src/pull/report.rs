//! The result of a pull.

use crate::model::{counted, thousands};
use std::fmt;
use std::path::PathBuf;

/// The result of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The files to write, in this order: a file comes after those that it names.
    pub files: Vec<FileChange>,
    pub account: Account,
    /// Annotations that are not written in full, sorted by input.
    pub losses: Vec<Loss>,
    /// The manifest hash of a plan after the files are written.
    pub manifest_hash: String,
}

/// An annotation that is not written in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its input, as the service writes it.
    pub input: Box<str>,
    /// Its id, as the service writes it.
    pub id: Box<str>,
    /// Why.
    pub kind: LossKind,
}

/// Why an annotation is not written in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// It cannot be read. Not even its id is written.
    Unreadable,
    /// No manifest can declare its place.
    Place,
    /// Its mask sets no pixel, or is found at a URL that no manifest can declare.
    Mask,
    /// Its metadata or info holds a null, which no manifest can declare.
    Null,
    /// It holds something else that no manifest can declare.
    Other,
}

impl LossKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Unreadable,
        Self::Place,
        Self::Mask,
        Self::Null,
        Self::Other,
    ];

    /// A code that is stable across versions.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Place => "place-not-declarable",
            Self::Mask => "mask-not-declarable",
            Self::Null => "null-values",
            Self::Other => "fields-not-declarable",
        }
    }
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    pub path: PathBuf,
    pub content: Vec<u8>,
    pub change: Change,
}

/// Kind of a written file, with counts of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new header.
    Header,
    /// A new mask.
    Mask,
    /// A new file of inputs, with this many annotations.
    New(u64),
    /// An existing file.
    Changed {
        /// Annotations that it did not declare before.
        added: u64,
        /// Annotations with a changed declaration.
        changed: u64,
        /// Annotations that are no longer declared.
        dropped: u64,
        /// What happens to the rest of its text.
        layout: Layout,
    },
}

/// What happens to the unchanged text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// It is kept.
    Kept,
    /// All inputs of the file are rewritten, because its layout does not allow changes in place.
    Rewritten,
}

/// The counts of a pull.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Pulled inputs that are declared.
    pub inputs: u64,
    /// Their declared annotations.
    pub annotations: u64,
    /// Annotations of other label sets, which are left out.
    pub other_sets: u64,
    /// Annotations made by models that are left out.
    pub model_made: u64,
    /// Annotations that the filters leave out.
    pub left_out: u64,
    /// Declared annotations that are removed, because the app does not have them or they belong to another set.
    pub dropped: u64,
}

impl Account {
    pub(super) fn add(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.annotations += other.annotations;
        self.other_sets += other.other_sets;
        self.model_made += other.model_made;
        self.left_out += other.left_out;
        self.dropped += other.dropped;
    }
}

impl fmt::Display for FileChange {
    /// One line: `+ labels/x.yaml (12 annotations)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.strip_prefix(".").unwrap_or(&self.path).display();
        match self.change {
            Change::Header => write!(f, "+ {path} (header)"),
            Change::Mask => write!(f, "+ {path} (mask)"),
            Change::New(count) => write!(f, "+ {path} ({})", counted(count, "annotation")),
            Change::Changed {
                added,
                changed,
                dropped,
                ..
            } => {
                let counts = [(added, "added"), (changed, "changed"), (dropped, "dropped")];
                let words: Vec<String> = counts
                    .iter()
                    .filter(|(count, _)| *count > 0)
                    .map(|(count, word)| format!("{} {word}", thousands(*count)))
                    .collect();
                // No annotation changed: an input lost its `purge`, or is new and empty.
                let words = if words.is_empty() {
                    "inputs".to_owned()
                } else {
                    words.join(", ")
                };
                write!(f, "~ {path} ({words})")
            }
        }
    }
}
