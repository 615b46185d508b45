//! The last line of a plan: the counts, or `No changes.` What a plan is about.

use super::phrase::Phrase;
use crate::model::{counted, plural, thousands};
use crate::plan::{Plan, Purpose, Summary};

/// `Label set street on acme/street at https://api.clarifai.com, policy sync`
pub(super) fn about(plan: &Plan) -> Phrase {
    let target = &plan.target;
    let mut phrase = Phrase::from(match plan.purpose {
        Purpose::Manifest => "Label set ",
        Purpose::Undo => "Undo of label set ",
    })
    .name(plan.set.as_str());
    // An offline plan may have no target.
    if !target.app_id.is_empty() {
        let app = format!("{}/{}", target.user_id, target.app_id);
        phrase = phrase.words(" on ").name(&app);
    }
    if !target.endpoint.is_empty() {
        phrase = phrase.words(" at ").name(&target.endpoint);
    }
    phrase = phrase.words(", policy ").name(&plan.policy.to_string());
    match plan.shard {
        Some(shard) => phrase.words(", shard ").name(&shard.to_string()),
        None => phrase,
    }
}

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
    let verb = plural(unchanged, "matches", "match");
    let unchanged = counted(unchanged, "annotation");
    let kept = match summary.left_alone() {
        0 => String::new(),
        kept => format!("; {} changed in the app and left alone", thousands(kept)),
    };
    format!("No changes. {unchanged} {verb}{kept}.")
}

/// What the plan does, without zeros: `1 input to post`, `8 to merge`.
pub(super) fn actions(summary: &Summary) -> Vec<String> {
    let inputs = [
        (summary.posted_inputs, "post"),
        (summary.awaited_inputs, "wait for"),
        (summary.deleted_inputs, "delete"),
    ];
    let inputs = inputs
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} to {word}", counted(count, "input")));
    let purged = (summary.purge > 0).then(|| {
        format!(
            "{} to purge ({})",
            counted(summary.purge, "input"),
            counted(summary.purged, "annotation")
        )
    });
    let annotations = counts([
        (summary.actions.post, "to post"),
        (summary.actions.merge, "to merge"),
        (summary.actions.overwrite, "to overwrite"),
        (summary.actions.remove, "to remove"),
        (summary.actions.replace, "to replace"),
        (summary.actions.delete, "to delete"),
    ]);
    inputs.chain(purged).chain(annotations).collect()
}

/// `8 to merge`, without zeros.
fn counts<const N: usize>(counts: [(u64, &str); N]) -> impl Iterator<Item = String> {
    counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(count)))
}

/// Number and duration of the calls: `5 calls (lower bound 5), about 0.4 s at 15 calls/s`.
pub(super) fn forecast(summary: &Summary) -> String {
    let tenths = summary.tenths_of_seconds();
    let share = match summary.rate_shares {
        0 | 1 => String::new(),
        shares => format!("1/{} of ", thousands(shares)),
    };
    format!(
        "{} (lower bound {}), about {}.{} s at {share}{}/s",
        counted(summary.calls, "call"),
        thousands(summary.lower_bound),
        thousands(tenths / 10),
        tenths % 10,
        counted(u64::from(summary.rate_limit), "call"),
    )
}

fn summary(summary: &Summary) -> String {
    let rest: Vec<String> = counts([
        (summary.unchanged, "unchanged"),
        (summary.unmanaged, "unmanaged"),
        (summary.other_sets, "of other sets"),
        (summary.unreadable, "unreadable"),
    ])
    .collect();
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!("; {}", rest.join(", "))
    };
    format!(
        "Plan: {}{rest}. {}.",
        actions(summary).join(", "),
        forecast(summary),
    )
}
