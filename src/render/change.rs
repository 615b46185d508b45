//! One change of a plan or a diff, as every format shows it.

use super::naming::{ShortIds, bare_name, kind_of, operation_kind, why};
use super::{notation, place};
use crate::model::{AnnotationId, Content, InputId, Key, UserId};
use crate::plan::{Action, DiffChange, DiffKind, Matched, Operation, Purge, PurgedAnnotation};

/// What a change does to the annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Add,
    Change,
    Remove,
    /// Deleted and posted again.
    Replace,
}

impl Sign {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
            Self::Replace => "±",
        }
    }
}

/// A change, ready to be shown.
#[derive(Debug, Clone)]
pub(super) struct ShownChange<'a> {
    pub(super) input_id: &'a InputId,
    pub(super) id: Option<&'a AnnotationId>,
    pub(super) key: Option<&'a Key>,
    pub(super) sign: Sign,
    /// `overwrite`, `moved`
    pub(super) action: &'static str,
    /// `box`
    pub(super) kind: &'static str,
    /// The key, or the id as short as is unique within its input; empty if it has neither.
    pub(super) name: String,
    pub(super) before: Option<&'a Content>,
    pub(super) after: Option<&'a Content>,
    pub(super) matched: Option<Matched>,
    /// `matched: key`, `not declared`
    pub(super) why: String,
    /// The user whose annotation it is, if the service reports one.
    pub(super) user: Option<&'a UserId>,
}

impl<'a> ShownChange<'a> {
    pub(super) fn of_operation(operation: &'a Operation, ids: &ShortIds) -> Self {
        let (sign, action) = match operation.action() {
            Action::Post => (Sign::Add, "post"),
            Action::Merge => (Sign::Change, "merge"),
            Action::Overwrite => (Sign::Change, "overwrite"),
            Action::Remove => (Sign::Change, "remove"),
            Action::Delete => (Sign::Remove, "delete"),
            Action::Replace => (Sign::Replace, "replace"),
        };
        Self {
            input_id: &operation.input_id,
            id: Some(&operation.id),
            key: operation.key.as_ref(),
            sign,
            action,
            kind: operation_kind(operation),
            name: bare_name(operation, ids),
            before: operation.before(),
            after: operation.after(),
            matched: operation.matched(),
            why: why(operation),
            user: operation.seen().and_then(|seen| seen.user.as_ref()),
        }
    }

    pub(super) fn of_purged(purge: &'a Purge, annotation: &'a PurgedAnnotation) -> Self {
        let before = Some(&annotation.before);
        Self {
            input_id: &purge.input_id,
            id: Some(&annotation.id),
            key: None,
            sign: Sign::Remove,
            action: "purge",
            kind: kind_of(before).unwrap_or("annotation"),
            name: annotation.id.to_string(),
            before,
            after: None,
            matched: None,
            why: "purge".to_owned(),
            user: annotation.user.as_ref(),
        }
    }

    pub(super) fn of_difference(change: &'a DiffChange) -> Self {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let name = match (&change.key, &change.id) {
            (Some(key), _) => key.to_string(),
            (None, Some(id)) => id.to_string(),
            (None, None) => String::new(),
        };
        Self {
            input_id: &change.input_id,
            id: change.id.as_ref(),
            key: change.key.as_ref(),
            sign: match change.kind {
                DiffKind::Added => Sign::Add,
                DiffKind::Removed => Sign::Remove,
                _ => Sign::Change,
            },
            action: difference_words(change.kind),
            kind: kind_of(before.or(after)).unwrap_or("whole input"),
            name,
            before,
            after,
            matched: change.matched,
            why: change
                .matched
                .map_or_else(String::new, |matched| matched.to_string()),
            user: None,
        }
    }

    /// The concepts: `car`, and `car -> truck` if they change.
    pub(super) fn concepts(&self) -> String {
        let of = |content: Option<&Content>| {
            let concepts = content.and_then(|it| it.concepts.as_ref());
            concepts.map(notation::brief)
        };
        let none = |text: String| {
            if text.is_empty() {
                "none".to_owned()
            } else {
                text
            }
        };
        match (of(self.before), of(self.after)) {
            (Some(before), Some(after)) if before != after => {
                format!("{} -> {}", none(before), none(after))
            }
            (one, other) => one.or(other).unwrap_or_default(),
        }
    }

    /// The place after the change, or before it if it is deleted, in words.
    pub(super) fn place(&self) -> Option<String> {
        let after = self.after.and_then(place::words);
        after.or_else(|| self.before.and_then(place::words))
    }

    /// The fields that change besides place and concepts: `status pending -> success`, `metadata`.
    pub(super) fn other_fields(&self) -> Vec<String> {
        let (Some(before), Some(after)) = (self.before, self.after) else {
            return Vec::new();
        };
        let mut fields = Vec::new();
        let mut text = |name: &str, before: Option<String>, after: Option<String>| {
            if let Some(after) = after.filter(|after| before.as_ref() != Some(after)) {
                let before = before.unwrap_or_else(|| "none".to_owned());
                fields.push(format!("{name} {before} -> {after}"));
            }
        };
        let status = |content: &Content| content.status.map(|it| it.to_string());
        text("status", status(before), status(after));
        let user = |content: &Content| content.user.as_ref().map(ToString::to_string);
        text("user", user(before), user(after));
        let track = |content: &Content| content.track().map(str::to_owned);
        text("track", track(before), track(after));
        let model = |content: &Content| content.embed_model_version().map(str::to_owned);
        text("embed_model_version", model(before), model(after));
        for (name, differs) in [
            (
                "frame",
                after.frame.is_some() && before.frame != after.frame,
            ),
            (
                "text",
                after.text().is_some() && before.text() != after.text(),
            ),
            (
                "region_value",
                after.region_value().is_some() && before.region_value() != after.region_value(),
            ),
            (
                "metadata",
                after.metadata.is_some() && before.metadata != after.metadata,
            ),
            ("info", after.info.is_some() && before.info != after.info),
        ] {
            if differs {
                fields.push(name.to_owned());
            }
        }
        fields
    }
}

/// What a difference is called.
pub(super) fn difference_words(kind: DiffKind) -> &'static str {
    match kind {
        DiffKind::Added => "added",
        DiffKind::Removed => "removed",
        DiffKind::Relabelled => "relabelled",
        DiffKind::Moved => "moved",
        DiffKind::MovedAndRelabelled => "moved and relabelled",
        DiffKind::Turned => "turned",
        DiffKind::Attributes => "with other attributes",
    }
}
