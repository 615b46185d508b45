//! What is wrong with a file, before anybody knows in which line: a path through its tree, and a message.
//!
//! Reading collects findings and goes on; [`super::locate`] turns their paths into lines and columns, and only when
//! there are any. Holds no knowledge of what is right or wrong.

use std::sync::Arc;

/// One step down the tree of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The child at this index: an element of a list, or an entry of a map.
    Nth(u32),
    /// The first entry of a map with this key.
    Name(&'static str),
}

/// A place in the tree, on the stack: it becomes a [`Pointer`] when there is something to say about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step,
}

impl<'p> Place<'p> {
    /// The top of the file.
    pub(super) const ROOT: Place<'static> = Place {
        parent: None,
        step: Step::Nth(0),
    };

    /// The child at this index.
    pub(super) fn nth(&'p self, index: usize) -> Place<'p> {
        Place {
            parent: Some(self),
            // A file of four billion elements has no index beyond this; the place is then the last one.
            step: Step::Nth(u32::try_from(index).unwrap_or(u32::MAX)),
        }
    }

    /// The entry with this key.
    pub(super) fn name(&'p self, key: &'static str) -> Place<'p> {
        Place {
            parent: Some(self),
            step: Step::Name(key),
        }
    }

    fn path(&self) -> Vec<Step> {
        let mut path = Vec::new();
        let mut at = self;
        while let Some(parent) = at.parent {
            path.push(at.step);
            at = parent;
        }
        path.reverse();
        path
    }

    /// The key of the entry at this place.
    pub(super) fn key(&self) -> Pointer {
        Pointer {
            path: self.path(),
            aim: Aim::Key,
        }
    }

    /// The value at this place.
    pub(super) fn value(&self) -> Pointer {
        Pointer {
            path: self.path(),
            aim: Aim::Value,
        }
    }
}

/// Which part of a place is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aim {
    /// The key.
    Key,
    /// The value.
    Value,
    /// The entry with this key, or the element with this text, of the map or list that stands there.
    Item(Arc<str>),
}

/// A place that outlives the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) path: Vec<Step>,
    pub(super) aim: Aim,
}

/// Another place that a finding speaks of.
#[derive(Debug, Clone)]
pub(super) struct Other {
    /// In which file; nothing where it is the finding's own.
    pub(super) file: Option<usize>,
    pub(super) at: Pointer,
    /// What stands there: "the first one is at".
    pub(super) label: &'static str,
}

/// Stands on both sides of a value in a message or hint that is to be shown as the file spells it: `1.10` is another id
/// than `1.1`. No text of a user holds it unescaped.
const WRITTEN: char = '\0';

/// A value in a message or hint, to be shown as the file spells it; this text is shown if the file cannot be read again.
pub(super) fn as_written(value: &str) -> String {
    format!("{WRITTEN}{value}{WRITTEN}")
}

/// A message or hint with the source text in place of each value that [`as_written`] marked.
pub(super) fn spelled(text: &str, source: Option<&str>) -> String {
    text.split(WRITTEN)
        .enumerate()
        .map(|(at, part)| match source {
            Some(source) if at % 2 == 1 => source,
            _ => part,
        })
        .collect()
}

/// Something wrong.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) at: Pointer,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) other: Option<Other>,
}

impl Finding {
    /// Says what is allowed, or what to do.
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Points to another place in the same file.
    pub(super) fn other(&mut self, label: &'static str, at: Pointer) -> &mut Self {
        self.other = Some(Other {
            file: None,
            at,
            label,
        });
        self
    }
}

/// Everything wrong with one file.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// Adds one; what is returned takes a hint.
    pub(super) fn add(&mut self, at: Pointer, message: impl Into<String>) -> &mut Finding {
        self.0.push(Finding {
            at,
            message: message.into(),
            hint: None,
            other: None,
        });
        self.0.last_mut().expect("one was just pushed")
    }
}
