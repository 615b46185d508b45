//! Changes made in the app since the base: those that the plan reverts, those that it leaves alone, and conflicts.

use super::naming::change_name;
use super::notation::{flow, one_line};
use super::phrase::Phrase;
use super::place;
use crate::model::{counted, escape, plural};
use crate::plan::{
    Action, AppChange, AppChangeKind, Base, Cause, FieldChange, Operation, Plan, Seen,
};
use serde_json::Value;
use std::fmt::Write as _;

/// Digits of a commit that are shown.
const COMMIT_DIGITS: usize = 7;

/// The heading of changes that revert something.
pub(super) fn heading(plan: &Plan) -> Phrase {
    Phrase::from("Reverts changes made in the app").then(since(plan.base.as_ref()))
}

/// What to do about changes that would be reverted; `None` if there are none.
pub(super) fn reverts(plan: &Plan) -> Option<Phrase> {
    let count = plan.summary.reverted;
    let words = format!(
        "{} {} changes made in the app",
        counted(count, "change"),
        plural(count, "reverts", "revert")
    );
    (count > 0).then(|| {
        Phrase::from(words)
            .then(since(plan.base.as_ref()))
            .words(". ")
            .then(pull(plan))
            .words(" takes them into the manifest; --on-drift keep leaves them alone.")
    })
}

/// What to do about conflicts without a decision; `None` if there are none.
pub(super) fn undecided(plan: &Plan) -> Option<Phrase> {
    let count = plan.summary.undecided;
    let words = format!(
        "{}: changed in the manifest and in the app",
        counted(count, "conflict")
    );
    (count > 0).then(|| {
        Phrase::from(words)
            .then(since(plan.base.as_ref()))
            .words(
                "; neither change is written. Decide with --conflicts manifest or --conflicts app, or take the app's \
                 values into the manifest: ",
            )
            .then(pull_conflicts(plan))
            .words(".")
    })
}

/// The heading of all other changes, if some revert something.
pub(super) const OTHERS: &str = "Other changes";

/// The heading of conflicts without a decision.
pub(super) fn undecided_heading(plan: &Plan) -> Phrase {
    Phrase::from("Conflicts: changed in the manifest and in the app")
        .then(since(plan.base.as_ref()))
}

/// How many conflicts have no decision.
pub(super) fn undecided_words(plan: &Plan) -> Phrase {
    let count = counted(plan.summary.undecided, "annotation");
    format!("{count}. Neither change is written.").into()
}

/// The heading of changes that are left alone.
pub(super) fn kept_heading(plan: &Plan) -> Phrase {
    Phrase::from("Changed in the app").then(since(plan.base.as_ref()))
}

/// How many changes are left alone, and how to take them over; `None` if there are none.
pub(super) fn kept_words(plan: &Plan) -> Option<Phrase> {
    let kept = plan.summary.left_alone();
    (kept > 0).then(|| {
        Phrase::from(format!("{} left alone. ", counted(kept, "annotation")))
            .then(pull(plan))
            .words(" takes them into the manifest.")
    })
}

/// The sentence that nothing was changed in the app; `None` without a base, if something was, or if the plan does not
/// cover everything.
pub(super) fn none(plan: &Plan) -> Option<Phrase> {
    let base = plan.base.as_ref()?;
    (plan.summary.drift == Some(0) && plan.blind_spots.is_empty()).then(|| {
        Phrase::from("Nothing was changed in the app")
            .then(since(Some(base)))
            .words(".")
    })
}

/// The command that takes the app's changes into the manifest. If the manifest changed since the base, the command keeps
/// those changes.
fn pull(plan: &Plan) -> Phrase {
    Phrase::new().whole(&command(plan))
}

fn pull_conflicts(plan: &Plan) -> Phrase {
    Phrase::new().whole(&format!("{} --conflicts app", with_base(plan)))
}

fn command(plan: &Plan) -> String {
    let is_changed = |base: &Base| base.manifest_hash != plan.manifest_hash;
    if plan.base.as_ref().is_some_and(is_changed) {
        with_base(plan)
    } else {
        "annosync pull".to_owned()
    }
}

fn with_base(plan: &Plan) -> String {
    let revision = plan.base.as_ref().map_or("REV", |base| &base.revision);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/~^@-".contains(c);
    if revision.chars().all(is_plain) {
        format!("annosync pull --base {revision}")
    } else {
        format!("annosync pull --base '{}'", revision.replace('\'', "'\\''"))
    }
}

fn since(base: Option<&Base>) -> Phrase {
    let Some(base) = base else {
        return Phrase::new();
    };
    let commit: String = base.commit.chars().take(COMMIT_DIGITS).collect();
    let phrase = Phrase::from(" since ").name(&base.revision);
    if base.commit == base.revision || commit.is_empty() {
        return phrase;
    }
    phrase.words(" (").name(&commit).words(")")
}

/// The user of the annotation that is written, its last write, and whether the manifest changed it too.
pub(super) fn provenance(operation: &Operation) -> Phrase {
    let is_gone = operation.action() == Action::Post && operation.seen().is_none();
    let phrase = user_and_time(operation.seen(), is_gone);
    match operation.cause {
        Some(Cause::Conflict) => phrase.words("; the manifest changed it too"),
        Some(Cause::Intended | Cause::Drift) | None => phrase,
    }
}

fn user_and_time(seen: Option<&Seen>, is_gone: bool) -> Phrase {
    if is_gone {
        return "deleted in the app, user and time unknown".into();
    }
    let user = match seen.and_then(|seen| seen.user.as_ref()) {
        Some(user) => Phrase::from("user ").name(user.as_str()),
        None => "user unknown".into(),
    };
    let when = match seen.and_then(|seen| seen.modified_at.as_deref()) {
        Some(at) => Phrase::from("last written ").name(at),
        None => "time of the last write unknown".into(),
    };
    Phrase::joined([user, when], ", ")
}

/// Kind of change and annotation: `changed red-car`.
pub(super) fn title(change: &AppChange) -> Phrase {
    Phrase::from(match change.kind {
        AppChangeKind::Added => "added ",
        AppChangeKind::Changed => "changed ",
        AppChangeKind::Deleted => "deleted ",
    })
    .whole(&change_name(change))
}

/// The user of the annotation that was changed in the app, and its last write.
pub(super) fn change_provenance(change: &AppChange) -> Phrase {
    let is_gone = change.kind == AppChangeKind::Deleted;
    let phrase = user_and_time(change.seen.as_ref(), is_gone);
    if is_gone && change.conflict {
        return phrase.words("; the manifest changed it too");
    }
    let is_dropped = |field: &FieldChange| field.conflict && field.manifest.is_none();
    if !change.fields.is_empty() && change.fields.iter().all(is_dropped) {
        return phrase.words("; the manifest no longer declares it");
    }
    phrase
}

/// The fields that differ, one line each; the whole content of what was added or deleted.
pub(super) fn details(change: &AppChange) -> Vec<Phrase> {
    if change.fields.is_empty() {
        return vec![Phrase::new().whole(&one_line(&change.content))];
    }
    change.fields.iter().map(field).collect()
}

/// What differs, in words: the place of what was added or deleted, and the fields that changed, without coordinates.
pub(super) fn facts(change: &AppChange) -> Vec<Phrase> {
    let shape = |field: &&FieldChange| field.field == "geometry" && !field.conflict;
    if change.fields.is_empty() {
        let place = place::words(&change.content);
        return place
            .map(|place| Phrase::new().whole(&place))
            .into_iter()
            .collect();
    }
    let moved = change.fields.iter().any(|it| shape(&it));
    let others = change.fields.iter().filter(|it| !shape(it)).map(field);
    moved
        .then(|| Phrase::from("geometry"))
        .into_iter()
        .chain(others)
        .collect()
}

/// The conflicts among these changes, as a pull shows them.
pub fn conflict_list(changes: &[AppChange]) -> String {
    let mut text = String::new();
    for change in changes.iter().filter(|change| change.conflict) {
        let input = escape(change.input_id.as_str());
        let title = escape(&title(change).text()).into_owned();
        let provenance = escape(&change_provenance(change).text()).into_owned();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "conflict: input {input}: {title}, {provenance}");
        for line in details(change) {
            let _ = writeln!(text, "  {}", escape(&line.text()));
        }
    }
    text
}

fn field(field: &FieldChange) -> Phrase {
    let value = |value: &Option<Value>| match value {
        Some(value) => Phrase::new().name(&flow(value)),
        None => "(not set)".into(),
    };
    let phrase = Phrase::new().name(&field.field).words(": ");
    if field.conflict {
        let sides = [
            Phrase::from("base ").then(value(&field.base)),
            Phrase::from("manifest ").then(value(&field.manifest)),
            Phrase::from("app ").then(value(&field.app)),
        ];
        return phrase.then(Phrase::joined(sides, ", "));
    }
    phrase
        .then(value(&field.base))
        .words(" -> ")
        .then(value(&field.app))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{
        against_main, app_change, caused, deleted, field, moved, observed_of, plan, posted, purge,
        relabelled,
    };
    use crate::render::{Detail, TextOptions, text};

    fn shown(plan: &Plan) -> String {
        text(plan, &TextOptions::default())
    }

    #[test]
    fn reverting_changes_are_listed_apart_with_user_and_time() {
        let mut plan = plan(vec![
            caused(moved(), Cause::Conflict, Some("bea")),
            caused(posted("street-1", 7), Cause::Drift, None),
            caused(deleted("street-3"), Cause::Drift, None),
            caused(relabelled(), Cause::Intended, Some("bea")),
        ]);
        plan.purges = vec![purge("z", &["ann"])];
        insta::assert_snapshot!(shown(&against_main(plan)), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync: 1 to post, 1 to merge, 1 to overwrite, 1 to delete.
        App: https://clarifai.com/acme/street

        Warning: 3 changes revert changes made in the app since main (1a2b3c4). annosync pull --base main takes them into the manifest; --on-drift keep leaves them alone.
        Warning: apply purges only with --allow-purge.

        ! purge z: deletes its 1 annotation, whoever made it (1 by ann)

        Reverts changes made in the app since main (1a2b3c4): 3 changes

        street-3
          - delete box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image; by me (not declared)
              user unknown, last written 2026-05-02T10:11:12Z

        street-1
          ~ overwrite box [car] red-car: centre, 26 % of the image; IoU 0.61 (matched: key)
              user bea, last written 2026-05-02T10:11:12Z; the manifest changed it too
          + post box [person] as-…-00000007…: top, 16 % of the image
              deleted in the app, user and time unknown

        Other changes:

        street-2
          ~ merge box [car -> car, taxi] as-…-99887766…: top, 16 % of the image (matched: same place, other concepts)

        Plan: 1 to post, 1 to merge, 1 to overwrite, 1 to delete; 1,815 unchanged, 7 unmanaged. 5 calls (lower bound 5), about 0.4 s at 15 calls/s.
        ");
    }

    #[test]
    fn app_changes_and_conflicts_are_shown() {
        let mut plan = plan(Vec::new());
        let place = [r#"{"box": [0]}"#, r#"{"box": [0]}"#, r#"{"box": [1]}"#];
        plan.drift = vec![
            app_change(
                &moved(),
                AppChangeKind::Changed,
                Some("bea"),
                vec![
                    field("geometry", place, false),
                    field("concepts.car", ["1", "", "0.5"], true),
                ],
            ),
            app_change(
                &moved(),
                AppChangeKind::Changed,
                Some("bea"),
                vec![field("geometry", place, false)],
            ),
            app_change(&deleted("street-1"), AppChangeKind::Added, None, Vec::new()),
            app_change(
                &posted("street-2", 7),
                AppChangeKind::Deleted,
                None,
                Vec::new(),
            ),
        ];
        insta::assert_snapshot!(shown(&against_main(plan)), @r"
        Label set street on acme/street at https://api.clarifai.com, policy sync.
        App: https://clarifai.com/acme/street

        Warning: 1 conflict: changed in the manifest and in the app since main (1a2b3c4); neither change is written. Decide with --conflicts manifest or --conflicts app, or take the app's values into the manifest: annosync pull --base main --conflicts app.
        Changed in the app since main (1a2b3c4): 3 annotations left alone. annosync pull --base main takes them into the manifest.

        Conflicts: changed in the manifest and in the app since main (1a2b3c4): 1 annotation. Neither change is written.

        street-1
          ~ changed red-car
              user bea, last written 2026-05-02T10:11:12Z
              geometry: {box: [0]} -> {box: [1]}
              concepts.car: base 1, manifest (not set), app 0.5

        Changed in the app since main (1a2b3c4):

        street-1
          ~ changed red-car: geometry (user bea, last written 2026-05-02T10:11:12Z)
          + added box [car] 300b8e39a65e4f33ae4e15e86eaf4a3b: top, 16 % of the image (user unknown, last written 2026-05-02T10:11:12Z)

        street-2
          - deleted box [person] as-0a1b2c3d-00000007000000000000: top, 16 % of the image (deleted in the app, user and time unknown)

        Warning: 1 conflict: changed in the manifest and in the app since main (1a2b3c4); neither change is written. Decide with --conflicts manifest or --conflicts app, or take the app's values into the manifest: annosync pull --base main --conflicts app.

        No changes. 1,815 annotations match; 3 changed in the app and left alone.
        ");
    }

    #[test]
    fn the_pull_command_keeps_the_changes_of_a_branch() {
        let mut plan = against_main(plan(Vec::new()));
        assert_eq!(pull(&plan).text(), "annosync pull --base main");
        plan.base.as_mut().unwrap().revision = "it's; rm".to_owned();
        assert_eq!(pull(&plan).text(), r"annosync pull --base 'it'\''s; rm'");
        plan.manifest_hash = plan.base.as_ref().unwrap().manifest_hash.clone();
        assert_eq!(pull(&plan).text(), "annosync pull");
    }

    #[test]
    fn a_plan_without_app_changes_says_so() {
        let mut plan = against_main(plan(vec![caused(relabelled(), Cause::Intended, None)]));
        plan.base.as_mut().unwrap().revision = "1a2b3c4d5e6f".to_owned();
        let text = shown(&plan);
        let sentence = "\nNothing was changed in the app since 1a2b3c4d5e6f.\n";
        assert!(text.contains(sentence), "{text}");
        plan.base = None;
        plan.summary.drift = None;
        assert!(!shown(&plan).contains("changed in the app"));
    }

    #[test]
    fn reverting_changes_are_never_left_out() {
        let mut operations: Vec<Operation> = (0..300)
            .map(|n| caused(posted("a", n), Cause::Drift, None))
            .collect();
        operations.extend((300..600).map(|n| caused(posted("b", n), Cause::Intended, None)));
        let mut plan = plan(operations);
        plan.drift = (0..300)
            .map(|n| app_change(&posted("c", n), AppChangeKind::Deleted, None, Vec::new()))
            .collect();
        let plan = against_main(plan);
        let count = |text: &str, what: &str| text.matches(what).count();
        let short = shown(&plan);
        assert_eq!(count(&short, "+ post"), 300 + 200);
        assert_eq!(count(&short, "- deleted"), 200);
        assert_eq!(count(&short, "100 more changes not shown: 100 to post."), 1);
        assert_eq!(count(&short, "100 more annotations not shown."), 1);
        let options = TextOptions {
            detail: Detail::Full,
            ..TextOptions::default()
        };
        let full = text(&plan, &options);
        assert_eq!(
            (count(&full, "+ post"), count(&full, "- deleted")),
            (600, 300)
        );
    }

    #[test]
    fn unknown_users_and_times_are_named_as_such() {
        let mut unknown = caused(moved(), Cause::Drift, None);
        observed_of(&mut unknown).seen = Seen::default();
        assert_eq!(
            provenance(&unknown).text(),
            "user unknown, time of the last write unknown"
        );
    }
}
