//! The beginning of a comment: the headline, what stops the plan, the counts, and warnings.

use super::blocks::{Align, SECTION, SENTENCE, Table};
use super::span::{code, fence_lines, fenced, phrase_in};
use crate::model::{plural, thousands};
use crate::plan::{Plan, Purpose};
use crate::render::closing;
use crate::render::warnings::{self, Warning};
use std::fmt::Write as _;

/// Bytes for the warnings of one kind.
const WARNED: usize = 6_000;

pub(super) fn headline(plan: &Plan) -> String {
    let actions = closing::actions(&plan.summary);
    let what = match plan.purpose {
        Purpose::Manifest => "annosync plan",
        Purpose::Undo => "annosync undo",
    };
    format!(
        "## {what}: {}\n\n{}. {}.\n\n",
        actions.join(", "),
        phrase_in(&closing::about(plan), SENTENCE),
        closing::forecast(&plan.summary),
    )
}

/// The counts of the summary that are not 0.
pub(super) fn counts(plan: &Plan) -> String {
    let summary = &plan.summary;
    let held = summary.held_back;
    let counts = [
        ("post", summary.actions.post),
        ("merge", summary.actions.merge),
        ("overwrite", summary.actions.overwrite),
        ("remove", summary.actions.remove),
        ("replace", summary.actions.replace),
        ("delete", summary.actions.delete),
        ("unchanged", summary.unchanged),
        ("unmanaged", summary.unmanaged),
        ("inputs posted", summary.posted_inputs),
        ("inputs awaited", summary.awaited_inputs),
        ("inputs deleted", summary.deleted_inputs),
        ("new concepts", summary.new_concepts.len() as u64),
        ("inputs purged", summary.purge),
        ("annotations purged", summary.purged),
        ("of other sets", summary.other_sets),
        ("ambiguous", summary.ambiguous),
        ("changed in the app", summary.drift.unwrap_or_default()),
        ("reverted", summary.reverted),
        ("conflicts", summary.conflicts.unwrap_or_default()),
        ("changes held back", held.updates),
        ("deletes held back", held.deletes),
        ("left alone", summary.left_alone()),
        ("unreadable", summary.unreadable),
        ("uncertain, held back", held.unreadable),
    ];
    let (titles, counts): (Vec<&str>, Vec<String>) = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(title, count)| (title, thousands(count)))
        .unzip();
    let table = Table {
        titles: &titles,
        align: vec![Align::Right; titles.len()],
        rows: vec![counts],
        more: 0,
        row_noun: "",
    };
    format!("{}\n", table.write(SECTION))
}

/// The warnings of one kind, each a paragraph of a block quote.
pub(super) fn warned(warnings: &[Warning], kind: warnings::Kind) -> String {
    let mut text = String::new();
    let mut more = 0;
    for warning in warnings.iter().filter(|it| it.kind == kind) {
        let words = phrase_in(&warning.phrase, SENTENCE);
        let mut line = format!("> **{}:** {words}\n", kind.word());
        if !warning.lines.is_empty() {
            let lines = fence_lines(&warning.lines.join("\n"), SENTENCE);
            for line_of_fence in fenced("yaml", &lines).lines() {
                let _ = writeln!(line, "> {line_of_fence}");
            }
        }
        if !text.is_empty() && text.len() + line.len() > WARNED {
            more += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(">\n");
        }
        text.push_str(&line);
    }
    if more > 0 {
        let _ = writeln!(text, ">\n> {} more.", thousands(more));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The labels that let a stopped plan pass in a pipeline.
pub(super) fn to_pass(plan: &Plan) -> String {
    let labels: Vec<String> = warnings::labels(plan).into_iter().map(code).collect();
    if labels.is_empty() {
        return String::new();
    }
    format!(
        "If this is intended, set the {} {} on this pull request or merge request, and run its pipeline again.\n\n",
        plural(labels.len() as u64, "label", "labels"),
        labels.join(" and ")
    )
}
