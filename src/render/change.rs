//! One change of a plan or a diff, as every format shows it.

mod concepts;

use super::naming::{ShortIds, bare_name, kind_of, operation_kind, why};
use super::{difference, drift, notation, place};
use crate::model::{
    AnnotationId, Content, Distance, Geometry, InputId, Json, Key, Measure, UserId, overlap,
};
use crate::plan::{
    Action, AppChange, AppChangeKind, Cause, Decision, DiffChange, DiffKind, Matched, MatchedBy,
    Operation, Purge, PurgedAnnotation, Reason,
};

/// What a change does to the annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Add,
    Change,
    Remove,
    /// Deleted and posted again.
    Replace,
    /// Changed in the app, and left alone.
    Keep,
}

impl Sign {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Remove => "-",
            Self::Replace => "±",
            Self::Keep => "=",
        }
    }
}

/// What was changed in the app since the base.
#[derive(Debug, Clone)]
pub(super) struct InApp {
    /// What the plan does about it: `reverted`
    pub(super) decision: &'static str,
    /// The last write and, of a change that is left alone, the fields.
    pub(super) lines: Vec<String>,
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
    /// Whether the reason says more than the sign does.
    is_why_news: bool,
    /// Whether a field that `after` lacks is removed. Otherwise it is not managed, and stays.
    pub(super) is_after_whole: bool,
    /// The user whose annotation it is, if the service reports one.
    pub(super) user: Option<&'a UserId>,
    /// `None` if nothing was changed in the app, as far as is known.
    pub(super) in_app: Option<InApp>,
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
            is_why_news: operation.reason() != Reason::NotOnRemote || operation.double().is_some(),
            is_after_whole: operation.reason() == Reason::Undone,
            user: operation.seen().and_then(|seen| seen.user.as_ref()),
            in_app: (operation.cause.filter(|cause| cause.reverts())).map(|cause| InApp {
                decision: match cause {
                    Cause::Conflict => "conflict, reverted",
                    Cause::Drift | Cause::Intended => "reverted",
                },
                lines: vec![format!(
                    "reverts a change made in the app: {}",
                    drift::provenance(operation).text()
                )],
            }),
        }
    }

    /// A change made in the app that is left alone, or a conflict without a decision.
    pub(super) fn of_app_change(change: &'a AppChange, ids: &ShortIds) -> Self {
        let content = Some(&change.content);
        let is_gone = change.kind == AppChangeKind::Deleted;
        let is_undecided = change.decision == Decision::Undecided;
        let provenance = drift::change_provenance(change).text();
        let details = drift::details(change).into_iter();
        Self {
            input_id: &change.input_id,
            id: Some(&change.id),
            key: change.key.as_ref(),
            sign: Sign::Keep,
            action: if is_undecided {
                "conflict"
            } else {
                "left alone"
            },
            kind: kind_of(content).unwrap_or("annotation"),
            name: match &change.key {
                Some(key) => key.to_string(),
                None => ids.get(&change.id),
            },
            before: content.filter(|_| is_gone),
            after: content.filter(|_| !is_gone),
            matched: None,
            why: match change.kind {
                AppChangeKind::Added => "added in the app",
                AppChangeKind::Changed => "changed in the app",
                AppChangeKind::Deleted => "deleted in the app",
            }
            .to_owned(),
            is_why_news: true,
            is_after_whole: false,
            user: change.seen.as_ref().and_then(|seen| seen.user.as_ref()),
            in_app: Some(InApp {
                decision: if is_undecided {
                    "conflict, undecided"
                } else {
                    "left alone"
                },
                lines: std::iter::once(provenance)
                    .chain(details.map(|line| line.text()))
                    .collect(),
            }),
        }
    }

    /// A stored annotation, and what is wanted instead of it. Without action, name and reason.
    pub(super) fn of_contents(
        input_id: &'a InputId,
        now: &'a Content,
        wanted: Option<&'a Content>,
    ) -> Self {
        Self {
            input_id,
            id: None,
            key: None,
            sign: Sign::Change,
            action: "",
            kind: kind_of(Some(now)).unwrap_or("annotation"),
            name: String::new(),
            before: Some(now),
            after: wanted,
            matched: None,
            why: String::new(),
            is_why_news: false,
            is_after_whole: false,
            user: None,
            in_app: None,
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
            is_why_news: false,
            is_after_whole: false,
            user: annotation.user.as_ref(),
            in_app: None,
        }
    }

    pub(super) fn of_difference(change: &'a DiffChange, ids: &ShortIds) -> Self {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let name = match (&change.key, &change.id) {
            (Some(key), _) => key.to_string(),
            (None, Some(id)) if change.kind == DiffKind::Removed => id.to_string(),
            (None, Some(id)) => ids.get(id),
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
            action: match change.kind {
                DiffKind::Attributes => "changed",
                kind => difference_words(kind),
            },
            kind: kind_of(before.or(after)).unwrap_or("whole input"),
            name,
            before,
            after,
            matched: change.matched,
            why: change
                .matched
                .map_or_else(String::new, |matched| matched.to_string()),
            is_why_news: true,
            is_after_whole: true,
            user: None,
            in_app: None,
        }
    }

    /// The change on one line, without its sign: action, kind, concepts and name, then its facts, and the reason. Every
    /// format uses these words. Not escaped.
    pub(super) fn line(&self) -> String {
        let line = format!("{} {}", self.action, self.words());
        match self.news() {
            Some(why) => format!("{line} ({why})"),
            None => line,
        }
    }

    /// The line without action and reason: `box [car] red-car: top left, 4.0 % of the image; IoU 0.72`.
    pub(super) fn words(&self) -> String {
        let subject = self.subject();
        match self.facts() {
            facts if facts.is_empty() => subject,
            facts => format!("{subject}: {}", facts.join("; ")),
        }
    }

    /// Kind, concepts and name: `box [car -> truck] red-car`.
    pub(super) fn subject(&self) -> String {
        let concepts = match self.concepts() {
            concepts if concepts.is_empty() => concepts,
            concepts => format!("[{concepts}]"),
        };
        let parts = [self.kind, &concepts, &self.name];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }

    /// Place, distance, other fields, and whose annotation is deleted: `top left, 4.0 % of the image`, `IoU 0.72`.
    pub(super) fn facts(&self) -> Vec<String> {
        let mut facts: Vec<String> = self.place().into_iter().chain(self.movement()).collect();
        facts.extend(self.other_fields());
        let gone = self.before.filter(|_| self.sign == Sign::Remove);
        let user = self.user.or(gone.and_then(|content| content.user.as_ref()));
        if let Some(user) = user.filter(|_| gone.is_some()) {
            facts.push(format!("by {user}"));
        }
        facts
    }

    /// The reason, if it says more than the action.
    pub(super) fn news(&self) -> Option<&str> {
        (self.is_why_news && !self.why.is_empty()).then_some(self.why.as_str())
    }

    /// The concepts: `car`, and `car -> truck` if they change. Of many concepts, those that change: `car, +taxi, -van`.
    pub(super) fn concepts(&self) -> String {
        let [before, after] =
            [self.before, self.after].map(|it| it.and_then(|it| it.concepts.as_ref()));
        let is_whole = self.is_after_whole && self.before.is_some() && self.after.is_some();
        concepts::words(before, after, is_whole)
    }

    /// The place after the change, or before it if it is deleted, in words.
    pub(super) fn place(&self) -> Option<String> {
        let after = self.after.and_then(place::words);
        after.or_else(|| self.before.and_then(place::words))
    }

    /// How far the annotation moves, unless the reason says it: `IoU 0.72`, `polygon -> box`.
    pub(super) fn movement(&self) -> Option<String> {
        let geometry = |content: Option<&'a Content>| content.and_then(|it| it.geometry.as_ref());
        let (before, after) = (geometry(self.before)?, geometry(self.after)?);
        let is_shown = self.matched.is_some_and(|matched| {
            matches!(
                matched.by,
                MatchedBy::Moved | MatchedBy::MovedAndRelabelled | MatchedBy::Turned
            )
        });
        if is_shown || Geometry::same(before, after) {
            return None;
        }
        let kinds = (kind_of(self.before)?, kind_of(self.after)?);
        if kinds.0 != kinds.1 {
            return Some(format!("{} -> {}", kinds.0, kinds.1));
        }
        if let Some(distance) = Distance::of(before, after) {
            return Some(format!("distance {distance}"));
        }
        let is_measured = !matches!(before, Geometry::Mask(_) | Geometry::Keypoints(_));
        let far = overlap(before, after).filter(|_| is_measured);
        Some(match far {
            Some(far) => Measure::of(before).describe(far),
            None => "other geometry".to_owned(),
        })
    }

    /// The fields that change besides place and concepts: `status pending -> success`, `metadata`. The text of an
    /// annotation that is added or removed.
    pub(super) fn other_fields(&self) -> Vec<String> {
        let (Some(before), Some(after)) = (self.before, self.after) else {
            let content = self.before.or(self.after);
            let text = content.and_then(Content::text);
            return text
                .map(|text| format!("text {}", quoted(text)))
                .into_iter()
                .collect();
        };
        let sides = if self.is_after_whole {
            difference::whole_sides(before, after)
        } else {
            difference::managed_sides(before, after)
        };
        let mut fields = Vec::new();
        let mut text = |name: &str, of: &dyn Fn(&Content) -> Option<String>| {
            let (before, after) = (of(&sides.0), of(&sides.1));
            if before != after {
                let none = || "none".to_owned();
                let [before, after] = [before, after].map(|it| it.unwrap_or_else(none));
                fields.push(format!("{name} {before} -> {after}"));
            }
        };
        text("status", &|it| it.status.map(|status| status.to_string()));
        text("user", &|it| it.user.as_ref().map(ToString::to_string));
        text("track", &|it| it.track().map(notation::cut));
        text("embed_model_version", &|it| {
            it.embed_model_version().map(notation::cut)
        });
        text("text", &|it| it.text().map(quoted));
        let json = |it: &Option<Json>| it.as_ref().map(|json| notation::flow(&json.to_value()));
        for (name, differs) in [
            ("frame", sides.0.frame != sides.1.frame),
            (
                "region_value",
                sides.0.region_value() != sides.1.region_value(),
            ),
            (
                "metadata",
                json(&sides.0.metadata) != json(&sides.1.metadata),
            ),
            ("info", json(&sides.0.info) != json(&sides.1.info)),
        ] {
            if differs {
                fields.push(name.to_owned());
            }
        }
        fields
    }
}

/// A text in quotes, cut if it is long.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    format!("\"{}\"", notation::cut_to(text, LONGEST))
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

#[cfg(test)]
mod tests;
