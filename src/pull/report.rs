//! What a pull writes, and what it says about it.

use std::fmt;
use std::path::PathBuf;

/// What a pull comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The files to write, in the order in which they are to be written: what a file names stands before it.
    pub files: Vec<FileChange>,
    /// The counts.
    pub account: Account,
    /// What could not be written in full, sorted by input.
    pub losses: Vec<Loss>,
    /// SHA-256 of the manifest's files once they are written, as a plan names it.
    pub manifest_hash: String,
}

/// An annotation of which a pull leaves something out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Its input, as the service writes it.
    pub input: Box<str>,
    /// Its id, as the service writes it.
    pub id: Box<str>,
    /// What is left out.
    pub kind: LossKind,
}

/// Why a pull does not write an annotation in full, but its id alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// It cannot be read: not even its id is written.
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

    /// Its code, which stays the same from version to version.
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
    /// Where.
    pub path: PathBuf,
    /// All of it.
    pub content: Vec<u8>,
    /// What it is.
    pub change: Change,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A new header.
    Header,
    /// A new mask.
    Mask,
    /// A new file of inputs, with this many annotations.
    New(u64),
    /// A file that is there already.
    Changed {
        /// Annotations that it did not declare.
        added: u64,
        /// Annotations that it declared otherwise.
        changed: u64,
        /// Annotations that it declared and that the app does not have.
        dropped: u64,
        /// What became of its text.
        layout: Layout,
    },
}

/// What becomes of the text of a file around what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// It stays.
    Kept,
    /// The file's inputs are written anew, for they could not be changed in place.
    Rewritten,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// Inputs that are declared and were pulled.
    pub inputs: u64,
    /// Annotations that are declared on them.
    pub annotations: u64,
    /// Annotations of other label sets: no manifest but theirs can claim them.
    pub other_sets: u64,
    /// Annotations that models made and that were left out.
    pub model_made: u64,
    /// Annotations that the filters left out.
    pub left_out: u64,
    /// Annotations that were declared and that the app does not have, or not for this manifest.
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
            Change::New(1) => write!(f, "+ {path} (1 annotation)"),
            Change::New(count) => write!(f, "+ {path} ({count} annotations)"),
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
                    .map(|(count, word)| format!("{count} {word}"))
                    .collect();
                // An input that lost nothing but its `purge`, or came without annotations.
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
