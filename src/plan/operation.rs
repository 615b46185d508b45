//! One write to one annotation.

use crate::matching::Matched;
use crate::model::{
    AnnotationId, Content, Fingerprint, InputId, Json, Key, ObservedAnnotation, UserId, fingerprint,
};
use std::fmt;

/// One write to one annotation. `record` defines its form in a plan file.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    pub input_id: InputId,
    /// The observed id, or the one that a post will give the annotation.
    pub id: AnnotationId,
    /// The name that the manifest gives the annotation.
    pub key: Option<Key>,
    /// `None` unless the plan was made against a base.
    pub cause: Option<Cause>,
    /// The user who must apply the operation with their token, unless it is the app's owner. `None` if any token that may
    /// write to the app will do.
    pub needs: Option<UserId>,
    /// The size in a call when the operation was planned; calls are packed by it. 0 for a delete, unless it shares a call
    /// with removals.
    pub bytes: u32,
    pub change: Change,
}

/// The change that an operation makes, and what the plan knows of the annotation. All except posts are boxed, so that a plan of
/// many posts takes less memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Create an annotation.
    Post {
        after: Content,
        /// An annotation of another user or set that the post would double.
        double: Option<Box<DoubledAnnotation>>,
    },
    /// Patch just the difference.
    Merge(Box<Edit>),
    /// Patch by naming the concepts to remove.
    Remove(Box<Edit>),
    /// Patch with everything that is to stay.
    Overwrite(Box<Edit>),
    /// Delete and post again, for what a patch cannot change. A stand-in holds the annotation meanwhile.
    Replace(Box<Edit>),
    /// Finish a replacement that an earlier run began: the original is deleted already.
    Finish {
        /// The annotation as its stand-in holds it, with the stand-in's fingerprint.
        observed: Box<Observed>,
        after: Content,
        /// `None` if the manifest does not declare the annotation any more.
        matched: Option<Matched>,
    },
    Delete {
        observed: Box<Observed>,
        reason: DeleteReason,
    },
    /// Undo what an apply did to the annotation.
    Undo(UndoChange),
}

/// A change of an existing annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The managed fields.
    pub observed: Observed,
    /// The managed fields.
    pub after: Content,
    pub matched: Matched,
}

/// An annotation as the plan saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    pub content: Content,
    pub seen: Seen,
    /// An annotation with another fingerprint is stale.
    pub fingerprint: Fingerprint,
}

impl Observed {
    /// All fields of an annotation.
    pub(super) fn of(annotation: &ObservedAnnotation) -> Self {
        Self::with_content(annotation, annotation.content())
    }

    /// An annotation of which only these fields are shown.
    pub(super) fn with_content(annotation: &ObservedAnnotation, content: Content) -> Self {
        Self {
            content,
            seen: Seen::of(annotation),
            fingerprint: fingerprint(annotation),
        }
    }
}

/// The change of an operation of an undo. Its contents are whole annotations: a field that is not there, the annotation does
/// not have.
#[derive(Debug, Clone, PartialEq)]
pub enum UndoChange {
    Post { after: Content, body: Json },
    Overwrite(Box<Restoration>),
    Replace(Box<Restoration>),
    Delete(Box<Written>),
}

/// An annotation that an undo changes back.
#[derive(Debug, Clone, PartialEq)]
pub struct Restoration {
    pub written: Written,
    pub after: Content,
    /// The annotation as it is sent.
    pub body: Json,
}

/// An annotation as an apply leaves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub content: Content,
    /// `None` until the apply has written the annotation; `content` identifies it until then.
    pub fingerprint: Option<Fingerprint>,
}

/// Why an annotation is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    NotDeclared,
    InputNotDeclared,
    LeftBehind,
}

impl Operation {
    /// An operation without a key and without a size.
    pub(super) fn new(input_id: InputId, id: AnnotationId, change: Change) -> Self {
        Self {
            input_id,
            id,
            key: None,
            cause: None,
            needs: None,
            bytes: 0,
            change,
        }
    }

    pub fn action(&self) -> Action {
        match &self.change {
            Change::Post { .. } | Change::Undo(UndoChange::Post { .. }) => Action::Post,
            Change::Merge(_) => Action::Merge,
            Change::Remove(_) => Action::Remove,
            Change::Overwrite(_) | Change::Undo(UndoChange::Overwrite(_)) => Action::Overwrite,
            Change::Replace(_) | Change::Finish { .. } | Change::Undo(UndoChange::Replace(_)) => {
                Action::Replace
            }
            Change::Delete { .. } | Change::Undo(UndoChange::Delete(_)) => Action::Delete,
        }
    }

    pub fn reason(&self) -> Reason {
        match &self.change {
            Change::Post { .. } => Reason::NotOnRemote,
            Change::Merge(_) | Change::Remove(_) | Change::Overwrite(_) | Change::Replace(_) => {
                Reason::Differs
            }
            Change::Finish { .. } => Reason::Unfinished,
            Change::Delete { reason, .. } => match reason {
                DeleteReason::NotDeclared => Reason::NotDeclared,
                DeleteReason::InputNotDeclared => Reason::InputNotDeclared,
                DeleteReason::LeftBehind => Reason::LeftBehind,
            },
            Change::Undo(_) => Reason::Undone,
        }
    }

    /// The annotation as the plan saw it, unless it is posted or the operation is one of an undo.
    fn observed(&self) -> Option<&Observed> {
        match &self.change {
            Change::Merge(edit)
            | Change::Remove(edit)
            | Change::Overwrite(edit)
            | Change::Replace(edit) => Some(&edit.observed),
            Change::Finish { observed, .. } | Change::Delete { observed, .. } => Some(observed),
            Change::Post { .. } | Change::Undo(_) => None,
        }
    }

    fn written(&self) -> Option<&Written> {
        match &self.change {
            Change::Undo(UndoChange::Overwrite(it) | UndoChange::Replace(it)) => Some(&it.written),
            Change::Undo(UndoChange::Delete(written)) => Some(written),
            _ => None,
        }
    }

    /// The content before the write: the managed fields, or all of an annotation that is deleted; `None` for a post.
    pub fn before(&self) -> Option<&Content> {
        let written = self.written().map(|it| &it.content);
        self.observed().map(|it| &it.content).or(written)
    }

    /// The content after the write, the managed fields; `None` for a delete.
    pub fn after(&self) -> Option<&Content> {
        match &self.change {
            Change::Post { after, .. }
            | Change::Finish { after, .. }
            | Change::Undo(UndoChange::Post { after, .. }) => Some(after),
            Change::Merge(edit)
            | Change::Remove(edit)
            | Change::Overwrite(edit)
            | Change::Replace(edit) => Some(&edit.after),
            Change::Undo(UndoChange::Overwrite(it) | UndoChange::Replace(it)) => Some(&it.after),
            Change::Delete { .. } | Change::Undo(UndoChange::Delete(_)) => None,
        }
    }

    pub(super) fn after_mut(&mut self) -> Option<&mut Content> {
        match &mut self.change {
            Change::Post { after, .. }
            | Change::Finish { after, .. }
            | Change::Undo(UndoChange::Post { after, .. }) => Some(after),
            Change::Merge(edit)
            | Change::Remove(edit)
            | Change::Overwrite(edit)
            | Change::Replace(edit) => Some(&mut edit.after),
            Change::Undo(UndoChange::Overwrite(it) | UndoChange::Replace(it)) => {
                Some(&mut it.after)
            }
            Change::Delete { .. } | Change::Undo(UndoChange::Delete(_)) => None,
        }
    }

    /// The user and the time of the last write; `None` for a post, and in an undo.
    pub fn seen(&self) -> Option<&Seen> {
        self.observed().map(|it| &it.seen)
    }

    /// The fingerprint that the annotation must have when the operation is carried out; of [`Change::Finish`], the
    /// stand-in's. `None` for a post, and in an undo while it is not known.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let written = self.written().and_then(|it| it.fingerprint);
        self.observed().map(|it| it.fingerprint).or(written)
    }

    /// Why the declared annotation was matched with this one.
    pub fn matched(&self) -> Option<Matched> {
        match &self.change {
            Change::Merge(edit)
            | Change::Remove(edit)
            | Change::Overwrite(edit)
            | Change::Replace(edit) => Some(edit.matched),
            Change::Finish { matched, .. } => *matched,
            Change::Post { .. } | Change::Delete { .. } | Change::Undo(_) => None,
        }
    }

    /// An annotation of another user or set that the post would double.
    pub fn double(&self) -> Option<&DoubledAnnotation> {
        match &self.change {
            Change::Post { double, .. } => double.as_deref(),
            _ => None,
        }
    }

    /// The annotation as an undo sends it. The body of any other operation is made from what the service stores.
    pub fn body(&self) -> Option<&Json> {
        match &self.change {
            Change::Undo(UndoChange::Post { body, .. }) => Some(body),
            Change::Undo(UndoChange::Overwrite(it) | UndoChange::Replace(it)) => Some(&it.body),
            _ => None,
        }
    }

    /// Whether this is an operation of an undo.
    pub fn is_undo(&self) -> bool {
        matches!(self.change, Change::Undo(_))
    }

    /// Whether it finishes a replacement that an earlier run began.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.change, Change::Finish { .. })
    }

    /// Whether it deletes a stand-in that an earlier run left behind, which is not a label of a user.
    pub(super) fn is_clean_up(&self) -> bool {
        let reason = DeleteReason::LeftBehind;
        matches!(&self.change, Change::Delete { reason: it, .. } if *it == reason)
    }

    /// Whether it finishes or cleans up what an earlier run began.
    pub fn is_repair(&self) -> bool {
        self.is_unfinished() || self.is_clean_up()
    }

    /// Whether it reverts a change that was made in the app.
    pub(super) fn reverts(&self) -> bool {
        self.cause.is_some_and(Cause::reverts)
    }

    /// The annotation that it writes.
    pub(super) fn name(&self) -> (&InputId, &AnnotationId) {
        (&self.input_id, &self.id)
    }
}

/// `delete a1 of input street-1`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input_id, id, .. } = self;
        write!(f, "{} {id} of input {input_id}", self.action())
    }
}

/// The kind of a write.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Delete the annotation.
    Delete,
    /// Delete it and post it again, for what a patch cannot change. A stand-in holds it meanwhile.
    Replace,
    /// Patch with everything that is to stay.
    Overwrite,
    /// Patch by naming the concepts to remove.
    Remove,
    /// Patch just the difference.
    Merge,
    /// Create the annotation.
    Post,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Overwrite => "overwrite",
            Self::Remove => "remove",
            Self::Merge => "merge",
            Self::Post => "post",
        })
    }
}

/// Why an operation is in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Declared, and not in the app.
    NotOnRemote,
    /// Declared, and different in the app.
    Differs,
    /// In the app, and not declared although its input is.
    NotDeclared,
    /// In the app, made by this set, and its input is not declared any more.
    InputNotDeclared,
    /// A stand-in that an earlier run left behind; its original exists.
    LeftBehind,
    /// An earlier run deleted the annotation to replace it and stopped there; its stand-in exists.
    Unfinished,
    /// The operation undoes what an apply did. Its `before` and `after` are whole annotations: a field that is not there, the
    /// annotation does not have.
    Undone,
}

/// The origin of a write, in a plan against a base (the last applied manifest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The manifest changed since the base, and the app did not.
    Intended,
    /// The app changed since the base, and the manifest did not: the write reverts that (`--on-drift apply`).
    Drift,
    /// Both changed the same field: the write replaces the app's change by the manifest's (`--conflicts manifest`).
    Conflict,
}

impl Cause {
    /// Whether the write reverts a change that was made in the app.
    pub fn reverts(self) -> bool {
        match self {
            Self::Intended => false,
            Self::Drift | Self::Conflict => true,
        }
    }
}

/// Who owns an annotation, and when it was last written.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// The owner; absent if the service reports no user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The time of the last write: RFC 3339, as the service wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Box<str>>,
}

impl Seen {
    pub(super) fn of(annotation: &ObservedAnnotation) -> Self {
        Self {
            user: annotation.user.clone(),
            modified_at: annotation.modified_at().map(Box::from),
        }
    }
}

/// An annotation of another user or set that a post would double.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DoubledAnnotation {
    pub id: AnnotationId,
    /// The user who made it; absent if the service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    pub closeness: Likeness,
}

impl DoubledAnnotation {
    pub(super) fn new(annotation: &ObservedAnnotation, is_equal: bool) -> Self {
        Self {
            id: annotation.id.clone(),
            user: annotation.user.clone(),
            closeness: if is_equal {
                Likeness::Equal
            } else {
                Likeness::Near
            },
        }
    }
}

/// How alike a post and another annotation are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Likeness {
    /// Place and concepts are equal.
    Equal,
    /// The concepts are equal, and the places overlap by an IoU of at least 0.9.
    Near,
}

/// Whether serde leaves a field out.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
