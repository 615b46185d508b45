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
    let changes = counted(drift, "change");
    match plan.summary.conflicts.unwrap_or_default() {
        0 => changes,
        1 => format!("{changes}, of which 1 is a conflict"),
        conflicts => format!("{changes}, of which {} are conflicts", thousands(conflicts)),
    }
}

/// What to do about work that would be reverted, said again where a long plan ends.
pub(super) fn warning(plan: &Plan) -> Option<Phrase> {
    let drift = plan.summary.drift.filter(|count| *count > 0)?;
    let words = Phrase::from(format!(
        "{} would revert work done on the remote",
        counted(drift, "change")
    ));
    Some(words.then(since(plan.base.as_ref())).words(
        ". `annosync pull` takes that work into the manifest; --on-drift keep leaves it alone.",
    ))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{
        against_main, caused, deleted, moved, plan, posted, purge, relabelled,
    };
    use crate::render::{Detail, TextOptions, text};

    fn shown(plan: &Plan) -> String {
        text(plan, &TextOptions::default())
    }

    #[test]
    fn what_would_revert_work_stands_apart_with_whose_it_is_and_when() {
        let mut plan = plan(vec![
            caused(moved(), Cause::Conflict, Some("bea")),
            caused(posted("street-1", 7), Cause::Drift, None),
            caused(deleted("street-3"), Cause::Drift, None),
            caused(relabelled(), Cause::Intended, Some("bea")),
        ]);
        plan.purges = vec![purge("z", &["ann"])];
        insta::assert_snapshot!(shown(&against_main(plan)), @"
        ! purge z: its 1 annotation goes, whoever made it (1 of ann)

        Would revert work done on the remote since main (1a2b3c4): 3 changes, of which 1 is a conflict

        street-3
          - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b (not declared)
              of nobody named, last written 2026-05-02T10:11:12Z
              {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [car], status: success, user: me, metadata: {weather: rain}}

        street-1
          ~ overwrite red-car (matched: key)
              of bea, last written 2026-05-02T10:11:12Z; the manifest changed it too
              - box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
              + box: {top: 0.1, left: 0.2, bottom: 0.75, right: 0.6}
                concepts: [car]
          + post box [person] as-…-00000007… (not on the remote)
              deleted on the remote, the service does not say by whom or when
              {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [person]}

        Other changes:

        street-2
          ~ merge box [car] as-…-99887766… (matched: same place, other concepts)
                box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
              - concepts: [car]
              + concepts: [car, taxi]

        Warning: 3 changes would revert work done on the remote since main (1a2b3c4). `annosync pull` takes that work into the manifest; --on-drift keep leaves it alone.
        Warning: apply carries out a purge only with --allow-purge.

        Plan: 1 to post, 1 to merge, 1 to overwrite, 0 to remove, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
        ");
    }

    #[test]
    fn what_is_left_alone_is_shown_and_never_called_equal() {
        let mut plan = plan(Vec::new());
        plan.kept = vec![
            caused(moved(), Cause::Drift, Some("bea")),
            caused(posted("street-2", 7), Cause::Drift, None),
        ];
        insta::assert_snapshot!(shown(&against_main(plan)), @"
        Left alone: changed on the remote since main (1a2b3c4): 2 changes not made. `annosync pull` takes what is on the remote into the manifest.

        street-1
          ~ overwrite red-car (matched: key)
              of bea, last written 2026-05-02T10:11:12Z
              - box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}
              + box: {top: 0.1, left: 0.2, bottom: 0.75, right: 0.6}
                concepts: [car]

        street-2
          + post box [person] as-…-00000007… (not on the remote)
              deleted on the remote, the service does not say by whom or when
              {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [person]}

        No changes. 1,815 annotations match; 2 that changed on the remote are left alone.
        ");
    }

    #[test]
    fn that_nothing_would_be_reverted_is_said() {
        let mut plan = against_main(plan(vec![caused(relabelled(), Cause::Intended, None)]));
        plan.base.as_mut().unwrap().revision = "1a2b3c4d5e6f".to_owned();
        let text = shown(&plan);
        let said = "\nNo work done on the remote since 1a2b3c4d5e6f would be reverted.\n";
        assert!(text.contains(said), "{text}");
        plan.base = None;
        plan.summary.drift = None;
        assert!(!shown(&plan).contains("remote since"));
    }

    #[test]
    fn no_size_of_a_plan_hides_what_would_revert_work() {
        let mut operations: Vec<Operation> = (0..300)
            .map(|n| caused(posted("a", n), Cause::Drift, None))
            .collect();
        operations.extend((300..600).map(|n| caused(posted("b", n), Cause::Intended, None)));
        let mut plan = plan(operations);
        plan.kept = (0..300)
            .map(|n| caused(posted("c", n), Cause::Drift, None))
            .collect();
        let plan = against_main(plan);
        let count = |text: &str| text.matches("+ post").count();
        let short = shown(&plan);
        assert_eq!(count(&short), 300 + 200 + 200);
        assert_eq!(
            short
                .matches("100 more changes not shown: 100 to post.")
                .count(),
            2
        );
        let options = TextOptions {
            detail: Detail::Full,
            ..TextOptions::default()
        };
        assert_eq!(count(&text(&plan, &options)), 900);
    }

    #[test]
    fn what_the_service_does_not_say_is_said() {
        let mut unknown = caused(moved(), Cause::Drift, None);
        unknown.seen = None;
        assert_eq!(
            provenance(&unknown).text(),
            "of nobody named, the service does not say when it was last written"
        );
    }
}
