//! The name of a change, and the reason for it.

use super::notation;
use super::selection::destructiveness;
use crate::model::{AnnotationId, Content, Geometry, Key, is_key_id, is_set_id};
use crate::plan::{Action, AppChange, Likeness, MatchedBy, Operation, Reason};
use std::collections::BTreeMap;

/// Why a change is in the plan: how the declared annotation was matched, or another reason.
pub(super) fn why(operation: &Operation) -> String {
    let why = match operation.matched() {
        Some(matched) if operation.reason() != Reason::Unfinished => matched.to_string(),
        _ => reason(operation.reason()).to_owned(),
    };
    match operation.double() {
        None => why,
        Some(double) => {
            let relation = match double.closeness {
                Likeness::Equal => "equals",
                Likeness::Near => "is close to",
            };
            let owner = double
                .user
                .as_ref()
                .map_or_else(String::new, |user| format!(" of {user}"));
            format!("{why}; {relation} {}{owner}", double.id)
        }
    }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::NotOnRemote => "not on the remote",
        Reason::Differs => "differs",
        Reason::NotDeclared => "not declared",
        Reason::InputNotDeclared => "its input is no longer declared",
        Reason::Undone => "undoes an apply",
        Reason::LeftBehind => "a stand-in that an earlier run left behind",
        Reason::Unfinished => "an earlier run did not finish it",
    }
}

/// The key, if the id is derived from it; else key or content, and the id. Ids of deletes are written in full, because
/// people look them up; other ids as short as is unique within the input.
pub(super) fn name(operation: &Operation, ids: &ShortIds) -> String {
    let bare = bare_name(operation, ids);
    if operation.key.is_some() {
        return bare;
    }
    let content = operation.before().or(operation.after());
    let kind = operation_kind(operation);
    format!("{kind} {}{bare}", bracketed_concepts(content))
}

/// The key, if the id is derived from it; else the id, and the key before it if there is one.
pub(super) fn bare_name(operation: &Operation, ids: &ShortIds) -> String {
    let id = if destructiveness(operation.action()) == 0 {
        operation.id.to_string()
    } else {
        ids.get(&operation.id)
    };
    match &operation.key {
        Some(key) if is_key_id(&operation.id, &operation.input_id, key) => key.to_string(),
        // The id does not prove the key: a plan file could contain any key.
        Some(key) => format!("{key} {id}"),
        None => id,
    }
}

/// `box`, `polygon`, …
pub(super) fn operation_kind(operation: &Operation) -> &'static str {
    let content = operation.before().or(operation.after());
    kind_of(content).unwrap_or_else(|| kind_without_content(operation))
}

/// The name of an annotation that was changed in the app.
pub(super) fn change_name(change: &AppChange) -> String {
    if let Some(key) = &change.key {
        return key.to_string();
    }
    let content = Some(&change.content);
    let kind = kind_of(content).unwrap_or("annotation");
    format!("{kind} {}{}", bracketed_concepts(content), change.id)
}

pub(super) fn bracketed_concepts(content: Option<&Content>) -> String {
    let concepts = content.and_then(|content| content.concepts.as_ref());
    concepts.map_or_else(String::new, |concepts| {
        format!("[{}] ", notation::brief(concepts))
    })
}

pub(super) fn kind_of(content: Option<&Content>) -> Option<&'static str> {
    Some(
        match content.and_then(|content| content.geometry.as_ref()) {
            Some(Geometry::Box(_)) => "box",
            Some(Geometry::Polygon(_)) => "polygon",
            Some(Geometry::Point(_)) => "point",
            Some(Geometry::Keypoints(_)) => "keypoints",
            Some(Geometry::Mask(_)) => "mask",
            Some(Geometry::Span(_)) => "span",
            Some(Geometry::Segment(_)) => "segment",
            Some(Geometry::Region(_) | Geometry::RegionOf(_)) => "region",
            Some(Geometry::Whole) => "whole input",
            Some(Geometry::Unmodelled) => "annotation",
            None if content.is_some_and(|content| content.frame.is_some()) => "frame",
            None if content.is_some_and(|content| content.text().is_some()) => "text",
            None => return None,
        },
    )
}

/// Without a geometry, an annotation covers the whole input, or its place is not managed or not modelled.
fn kind_without_content(operation: &Operation) -> &'static str {
    match (
        operation.action(),
        operation.matched().map(|matched| matched.by),
    ) {
        (Action::Post, _)
        | (
            _,
            Some(
                MatchedBy::Exact
                | MatchedBy::Relabelled
                | MatchedBy::Moved
                | MatchedBy::MovedAndRelabelled
                | MatchedBy::Turned,
            ),
        ) => "whole input",
        (_, Some(MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel) | None) => "annotation",
    }
}

/// The name of an operation of which only key and id are known.
pub(super) fn name_alone(key: Option<&Key>, id: &AnnotationId) -> String {
    match key {
        Some(key) => key.to_string(),
        None => format!("annotation {id}"),
    }
}

/// The ids of one input's changes, shortened where that stays unique.
pub(super) struct ShortIds(BTreeMap<String, u32>);

impl ShortIds {
    pub(super) fn of(operations: &[&Operation]) -> Self {
        let mut counts = BTreeMap::new();
        for operation in operations {
            *counts.entry(Self::short(&operation.id)).or_default() += 1;
        }
        Self(counts)
    }

    fn get(&self, id: &AnnotationId) -> String {
        let short = Self::short(id);
        if self.0.get(&short) == Some(&1) {
            short
        } else {
            id.to_string()
        }
    }

    fn short(id: &AnnotationId) -> String {
        const LENGTH: usize = 8;
        let text = id.as_str();
        // All ids of a set have the same prefix; the unique part comes after the second dash.
        let unique = if is_set_id(id) { &text[12..] } else { text };
        if unique.chars().count() <= LENGTH + 4 {
            return text.to_owned();
        }
        let start: String = unique.chars().take(LENGTH).collect();
        if is_set_id(id) {
            format!("as-…-{start}…")
        } else {
            format!("{start}…")
        }
    }
}
