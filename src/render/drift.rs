//! What was done on the remote since the base: what would be reverted, whose it is, and what is left alone.

use super::page::{counted, thousands};
use super::phrase::Phrase;
use crate::plan::{Action, Base, Cause, Operation, Plan};

/// Digits of a commit that are shown.
const COMMIT: usize = 7;

/// What stands above the changes that would revert something.
pub(super) fn heading(plan: &Plan) -> Phrase {
    let since = since(plan.base.as_ref());
    Phrase::from("Would revert work done on the remote").then(since)
}

/// How many would, and how many of those are conflicts.
pub(super) fn count(plan: &Plan) -> String {
    let drift = plan.summary.drift.unwrap_or_default();
    let mut words = counted(drift, "change");
    match plan.summary.conflicts.unwrap_or_default() {
        0 => {}
        1 => words.push_str(", of which 1 is a conflict"),
        conflicts => words.push_str(&format!(
            ", of which {} are conflicts",
            thousands(conflicts)
        )),
    }
    words
}

/// What stands above the other changes, where some would revert something.
pub(super) const OTHERS: &str = "Other changes";

/// What stands above what is left alone.
pub(super) fn kept_heading(plan: &Plan) -> Phrase {
    let since = since(plan.base.as_ref());
    Phrase::from("Left alone: changed on the remote").then(since)
}

/// How much is left alone, and what to do about it.
pub(super) fn kept_words(plan: &Plan) -> String {
    let count = plan.summary.held_back.drift;
    format!(
        "{} not made. `annosync pull` takes what is on the remote into the manifest.",
        counted(count, "change")
    )
}

/// That nothing would be reverted, where the plan has a base that says so.
pub(super) fn none(plan: &Plan) -> Option<Phrase> {
    let base = plan.base.as_ref()?;
    let is_none = plan.summary.drift == Some(0) && plan.summary.held_back.drift == 0;
    is_none.then(|| {
        Phrase::from("No work done on the remote")
            .then(since(Some(base)))
            .words(" would be reverted.")
    })
}

fn since(base: Option<&Base>) -> Phrase {
    let Some(base) = base else {
        return Phrase::new();
    };
    let commit: String = base.commit.chars().take(COMMIT).collect();
    let phrase = Phrase::from(" since ").name(&base.revision);
    if base.commit == base.revision || commit.is_empty() {
        return phrase;
    }
    phrase.words(" (").name(&commit).words(")")
}

/// Whose annotation this is, when it was last written, and whether the manifest changed it too.
pub(super) fn provenance(operation: &Operation) -> Phrase {
    let phrase = Phrase::joined([whose(operation), when(operation)], ", ");
    match operation.cause {
        Some(Cause::Conflict) => phrase.words("; the manifest changed it too"),
        Some(Cause::Intended | Cause::Drift) | None => phrase,
    }
}

/// Whether it is gone from the remote, so that the write would bring it back.
fn is_gone(operation: &Operation) -> bool {
    operation.action == Action::Post && operation.seen.is_none()
}

fn whose(operation: &Operation) -> Phrase {
    let user = operation.seen.as_ref().and_then(|seen| seen.user.as_ref());
    match user {
        Some(user) => Phrase::from("of ").name(user.as_str()),
        None if is_gone(operation) => "deleted on the remote".into(),
        None => "of nobody named".into(),
    }
}

fn when(operation: &Operation) -> Phrase {
    let seen = operation.seen.as_ref();
    match seen.and_then(|seen| seen.modified_at.as_deref()) {
        Some(at) => Phrase::from("last written ").name(at),
        None if is_gone(operation) => "the service does not say by whom or when".into(),
        None => "the service does not say when it was last written".into(),
    }
}
