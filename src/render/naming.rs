//! The name of a change, and the reason for it.

use super::notation;
use super::selection::destructiveness;
use crate::model::{AnnotationId, Content, Geometry, Key, is_key_id, is_set_id};
use crate::plan::{Action, AppChange, DiffChange, Likeness, MatchedBy, Operation, Plan, Reason};
use std::collections::{BTreeMap, BTreeSet};

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

/// The key, if the id is derived from it; else the id, and the key before it if there is one. Ids of deletes are written in
/// full, because people look them up; other ids as short as is unique.
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

fn bracketed_concepts(content: Option<&Content>) -> String {
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

/// Ids, as short as is unique among those that are shown together.
pub(super) struct ShortIds(BTreeMap<AnnotationId, usize>);

impl ShortIds {
    /// Of all changes of a plan.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        Self::of_ids(plan.operations.iter().map(|operation| &operation.id))
    }

    pub(super) fn of_differences(changes: &[&DiffChange]) -> Self {
        Self::of_ids(changes.iter().filter_map(|change| change.id.as_ref()))
    }

    /// Ids that are not shortened.
    pub(super) fn whole() -> Self {
        Self(BTreeMap::new())
    }

    fn of_ids<'a>(ids: impl Iterator<Item = &'a AnnotationId>) -> Self {
        /// Characters that an id keeps at least.
        const SHORTEST: usize = 8;
        // Inputs may have equal ids.
        let ids: BTreeSet<&AnnotationId> = ids.collect();
        let mut ids: Vec<(&str, &AnnotationId)> = ids
            .into_iter()
            .map(|id| (Self::unique_part(id), id))
            .collect();
        ids.sort_unstable();
        let shared =
            |a: &str, b: &str| a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
        let lengths = ids.iter().enumerate().map(|(at, (part, id))| {
            let before = at.checked_sub(1).map_or(0, |at| shared(part, ids[at].0));
            let after = ids.get(at + 1).map_or(0, |(next, _)| shared(part, next));
            ((*id).clone(), (before.max(after) + 1).max(SHORTEST))
        });
        Self(lengths.collect())
    }

    pub(super) fn get(&self, id: &AnnotationId) -> String {
        /// Fewer characters are not worth the ellipsis.
        const SPARED: usize = 4;
        let part = Self::unique_part(id);
        let length = self.0.get(id).copied().unwrap_or(usize::MAX);
        if part.chars().count() <= length.saturating_add(SPARED) {
            return id.to_string();
        }
        let start: String = part.chars().take(length).collect();
        if is_set_id(id) {
            format!("as-…-{start}…")
        } else {
            format!("{start}…")
        }
    }

    /// All ids of a set begin alike; they differ after the second dash.
    fn unique_part(id: &AnnotationId) -> &str {
        let text = id.as_str();
        if is_set_id(id) { &text[12..] } else { text }
    }
}
