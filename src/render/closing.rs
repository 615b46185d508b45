//! The last line of a plan: what it comes to, or that there is nothing to do.

use super::page::{counted, thousands};
use crate::plan::{Plan, Purpose, Summary};

/// The line.
pub(super) fn line(plan: &Plan) -> String {
    if !plan.is_empty() {
        summary(&plan.summary)
    } else if plan.purpose == Purpose::Undo {
        "No changes. There is nothing to undo.".to_owned()
    } else {
        no_changes(&plan.summary)
    }
}

fn no_changes(summary: &Summary) -> String {
    let unchanged = summary.unchanged;
    let match_ = if unchanged == 1 { "matches" } else { "match" };
    let unchanged = counted(unchanged, "annotation");
    let kept = match summary.held_back.drift {
        0 => String::new(),
        1 => "; 1 that was changed in the app is left alone".to_owned(),
        kept => format!(
            "; {} that were changed in the app are left alone",
            thousands(kept)
        ),
    };
    format!("No changes. {unchanged} {match_}{kept}.")
}

/// What is done, by kind: those that every plan counts, and those that there are.
pub(super) fn actions(summary: &Summary) -> Vec<(u64, String)> {
    let to = |count: u64, word: &str| (count, format!("{} to {word}", thousands(count)));
    let mut actions = Vec::new();
    for (count, word) in [
        (summary.posted_inputs, "post"),
        (summary.awaited_inputs, "wait for"),
        (summary.deleted_inputs, "delete"),
    ] {
        if count > 0 {
            actions.push((count, format!("{} to {word}", counted(count, "input"))));
        }
    }
    if summary.purge > 0 {
        let purge = format!(
            "{} to purge ({})",
            counted(summary.purge, "input"),
            counted(summary.purged, "annotation")
        );
        actions.push((summary.purge, purge));
    }
    actions.extend([
        to(summary.post, "post"),
        to(summary.merge, "merge"),
        to(summary.overwrite, "overwrite"),
        to(summary.remove, "remove"),
    ]);
    if summary.replace > 0 {
        actions.push(to(summary.replace, "replace"));
    }
    actions.push(to(summary.delete, "delete"));
    actions
}

/// What the calls come to: `5 calls (lower bound 5), about 0.4 s at 15 calls/s`.
pub(super) fn forecast(summary: &Summary) -> String {
    let tenths = summary.tenths_of_seconds();
    format!(
        "{} (lower bound {}), about {}.{} s at {}/s",
        counted(summary.calls, "call"),
        thousands(summary.lower_bound),
        thousands(tenths / 10),
        tenths % 10,
        counted(u64::from(summary.rate_limit), "call"),
    )
}

fn summary(summary: &Summary) -> String {
    let actions: Vec<String> = actions(summary)
        .into_iter()
        .map(|(_, words)| words)
        .collect();
    let mut rest = vec![
        format!("{} unchanged", thousands(summary.unchanged)),
        format!("{} unmanaged", thousands(summary.unmanaged)),
    ];
    if summary.other_sets > 0 {
        rest.push(format!("{} of other sets", thousands(summary.other_sets)));
    }
    if summary.unreadable > 0 {
        rest.push(format!("{} unreadable", thousands(summary.unreadable)));
    }
    format!(
        "Plan: {}; {}. {}.",
        actions.join(", "),
        rest.join(", "),
        forecast(summary),
    )
}
