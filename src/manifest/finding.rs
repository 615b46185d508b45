//! Problems of a file while it is read: each a path through the file's tree, and a message.
//!
//! [`super::locate`] turns the paths into lines and columns, and only if there are any.

use crate::model::Rule;
use std::sync::Arc;

/// One step down the tree of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The child at this index: an element of a list, or an entry of a map.
    Nth(u32),
    /// The first entry of a map with this key.
    Name(&'static str),
}

/// A place in the tree, kept on the stack. It becomes a [`Pointer`] if a problem is reported there.
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
            // Elements beyond four billion share the last index.
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
            part: Part::Key,
        }
    }

    /// The value at this place.
    pub(super) fn value(&self) -> Pointer {
        Pointer {
            path: self.path(),
            part: Part::Value,
        }
    }
}

/// Which part of a place a pointer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
    /// The entry with this key, or the element with this text, of the map or list at the place.
    Item(Arc<str>),
}

/// A place, stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) path: Vec<Step>,
    pub(super) part: Part,
}

/// Another place that a finding names.
#[derive(Debug, Clone)]
pub(super) struct Related {
    /// The index of the file; `None` if it is the finding's own.
    pub(super) file: Option<usize>,
    pub(super) at: Pointer,
    /// For example "the first is at".
    pub(super) label: &'static str,
}

/// Marks both ends of a value that a message or hint shows as written in the file: `1.10` is not the same id as `1.1`.
/// Texts of users never hold it unescaped.
const WRITTEN: char = '\0';

/// Marks a value of a message or hint to be shown as written in the file. If the file cannot be read again, `value` is
/// shown.
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

/// A problem in a file.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) at: Pointer,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) related: Option<Related>,
    /// The rule of the linter that it breaks.
    pub(super) rule: Option<Rule>,
}

impl Finding {
    pub(super) fn rule(&mut self, rule: Rule) -> &mut Self {
        self.rule = Some(rule);
        self
    }

    /// Sets what is allowed, or what to do.
    pub(super) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names another place in the same file.
    pub(super) fn related(&mut self, label: &'static str, at: Pointer) -> &mut Self {
        self.related = Some(Related {
            file: None,
            at,
            label,
        });
        self
    }
}

/// The problems of one file.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, at: Pointer, message: impl Into<String>) -> &mut Finding {
        self.0.push(Finding {
            at,
            message: message.into(),
            hint: None,
            related: None,
            rule: None,
        });
        self.0.last_mut().expect("one was just pushed")
    }
}
