//! The result of a diff: what differs, with counts.

use crate::matching::Matched;
use crate::model::{AnnotationId, Content, InputId, Key};
use crate::plan::classes::{ClassCount, Relabelled};
use crate::plan::moves::{Moves, Turned};
use crate::plan::operation::{Change, Operation};
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the format of a diff.
pub const DIFF_VERSION: &str = "1.0";

/// The differences of two label sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diff {
    /// The version of this format: 1.0.
    pub format_version: String,
    /// The old side.
    pub old: DiffSide,
    /// The new side.
    pub new: DiffSide,
    /// The counts.
    pub summary: DiffSummary,
    /// The inputs that only the new side has, sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added_inputs: Vec<InputLabels>,
    /// The inputs that only the old side has, sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_inputs: Vec<InputLabels>,
    /// The annotations that differ, sorted by input, then by kind.
    pub changes: Vec<DiffChange>,
    /// The equal annotations of inputs with changes, as on the new side. Not part of the document.
    #[serde(skip)]
    pub unchanged: BTreeMap<InputId, Vec<Content>>,
}

impl Diff {
    /// Whether no difference was found.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.added_inputs.is_empty() && self.removed_inputs.is_empty()
    }
}

/// One side of a diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffSide {
    /// Its name on the command line.
    pub name: String,
    /// `manifest`, `listing`, or the name of a format.
    pub kind: &'static str,
    /// The number of its inputs.
    pub inputs: u64,
    /// The number of its annotations.
    pub annotations: u64,
}

/// The number of labels of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InputLabels {
    /// The input.
    pub input_id: InputId,
    /// The number of its annotations.
    pub annotations: u64,
}

/// The numbers of a diff. Every annotation is counted once; a pair counts as one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffSummary {
    /// Annotations that only the new side has.
    pub added: u64,
    /// Annotations that only the old side has.
    pub removed: u64,
    /// Annotations with other concepts in the same place.
    pub relabelled: u64,
    /// Annotations in another place.
    pub moved: u64,
    /// Annotations with other concepts in another place.
    pub moved_and_relabelled: u64,
    /// Annotations of pictures that were turned or mirrored.
    pub turned: u64,
    /// Annotations that differ in attributes only: status, user, metadata and others.
    pub attributes: u64,
    /// Annotations that are equal.
    pub unchanged: u64,
    /// Annotations of one side that have no counterpart, where the other side does not show everything.
    pub unknown: u64,
    /// Matches with a runner-up within 0.02.
    pub ambiguous: u64,
    /// The concepts that more or fewer annotations bear on the new side, sorted.
    pub classes: Vec<ClassCount>,
    /// The relabelled annotations, moved ones too, by what changes: most frequent first, then sorted.
    pub relabellings: Vec<Relabelled>,
    /// The moves, except turned annotations. An annotation without an id is named `number-3`, by its position in its input
    /// on the old side.
    pub moves: Moves,
    /// The turned annotations, by turn.
    pub turns: Vec<Turned>,
}

impl DiffSummary {
    /// Every kind of change with its count.
    pub fn each(&self) -> [(DiffKind, u64); 7] {
        [
            (DiffKind::Added, self.added),
            (DiffKind::Removed, self.removed),
            (DiffKind::Relabelled, self.relabelled),
            (DiffKind::Moved, self.moved),
            (DiffKind::MovedAndRelabelled, self.moved_and_relabelled),
            (DiffKind::Turned, self.turned),
            (DiffKind::Attributes, self.attributes),
        ]
    }

    pub(super) fn count(&mut self, kind: DiffKind) {
        *match kind {
            DiffKind::Added => &mut self.added,
            DiffKind::Removed => &mut self.removed,
            DiffKind::Relabelled => &mut self.relabelled,
            DiffKind::Moved => &mut self.moved,
            DiffKind::MovedAndRelabelled => &mut self.moved_and_relabelled,
            DiffKind::Turned => &mut self.turned,
            DiffKind::Attributes => &mut self.attributes,
        } += 1;
    }
}

/// A kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// Only the old side has it.
    Removed,
    /// The same place, other concepts.
    Relabelled,
    /// Another place.
    Moved,
    /// Another place and other concepts.
    MovedAndRelabelled,
    /// The picture was turned or mirrored.
    Turned,
    /// Only attributes differ: status, user, metadata and others.
    Attributes,
    /// Only the new side has it.
    Added,
}

/// An annotation that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiffChange {
    /// The kind of the difference.
    pub kind: DiffKind,
    /// The input of the annotation.
    pub input_id: InputId,
    /// The id of the annotation, if a side gives it: the old one, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AnnotationId>,
    /// The key that a manifest gives the annotation: the new one, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why the two annotations are taken for the same one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
    /// The annotation on the old side, in the manifest's notation. Between sides of different kinds, only the fields that
    /// both have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Content>,
    /// The annotation on the new side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Content>,
}

impl DiffChange {
    pub(super) fn of(kind: DiffKind, operation: Operation, id: Option<AnnotationId>) -> Self {
        let Operation {
            input_id,
            key,
            change,
            ..
        } = operation;
        let (before, after, matched) = match change {
            Change::Post { after, .. } => (None, Some(after), None),
            Change::Delete { observed, .. } => (Some(observed.content), None, None),
            Change::Overwrite(edit) => (
                Some(edit.observed.content),
                Some(edit.after),
                Some(edit.matched),
            ),
            _ => unreachable!("a diff makes no other changes"),
        };
        Self {
            kind,
            input_id,
            id,
            key,
            matched,
            before,
            after,
        }
    }
}
