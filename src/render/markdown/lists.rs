//! The tables of a comment: inputs, deletes, changes that revert the app's, and other changes made in the app.

use super::blocks::{self, Align, Form, SECTION, SENTENCE, Table, details};
use super::span::{code, phrase_in};
use crate::plan::{AppChange, Operation, Plan};
use crate::render::phrase::Phrase;
use crate::render::selection::Selection;
use crate::render::{drift, inputs, purge};

/// Limits of the parts, in bytes.
const DESTRUCTIVE: usize = 9_000;
const DRIFT_TABLE: usize = 5_000;
const DRIFT_DETAILS: usize = 7_000;
const KEPT: usize = 5_000;
/// Rows of deletes and of reverting changes; more would not fit.
const MANY_ROWS: usize = 200;

pub(super) fn inputs_of(plan: &Plan) -> String {
    const TITLES: [&str; 2] = ["input", "change"];
    let lines = inputs::lines(plan);
    let rows: Vec<_> = lines
        .iter()
        .take(MANY_ROWS)
        .map(|line| vec![code(line.input.as_str()), phrase_in(&line.action, SENTENCE)])
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let table = Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (lines.len() - rows.len()) as u64,
        rows,
        row_noun: "input",
    };
    format!("### Inputs\n\n{}\n", table.write(SECTION))
}

/// Purges, deletes and replacements.
pub(super) fn destructive(selection: &Selection<'_>, form: &Form<'_>) -> String {
    const TITLES: [&str; 4] = ["input", "change", "user", "reason"];
    let deletes = blocks::destructive(&selection.ordinary);
    let all = selection.purges.len() + deletes.len();
    if all == 0 {
        return String::new();
    }
    let purges = selection.purges.iter().map(|purge| {
        vec![
            code(purge.input_id.as_str()),
            format!("purge: {}", purge::extent(purge)),
            phrase_in(&purge::makers(purge), SENTENCE),
            "`purge: true`".to_owned(),
        ]
    });
    let deletes = deletes
        .into_iter()
        .map(|operation| blocks::row_of_delete(operation, form));
    let rows: Vec<_> = purges.chain(deletes).take(MANY_ROWS).collect();
    let table = Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (all - rows.len()) as u64,
        rows,
        row_noun: "change",
    };
    format!("### Deletes\n\n{}\n", table.write(DESTRUCTIVE))
}

/// The changes that revert something, and those of them that do not fit.
pub(super) fn reverting<'a>(
    plan: &Plan,
    selection: &Selection<'a>,
    form: &Form<'_>,
) -> (String, Vec<&'a Operation>) {
    let Some(count) = selection.reverting_words(plan) else {
        return (String::new(), Vec::new());
    };
    let heading = format!(
        "### {}\n\n{count}.\n\n",
        phrase_in(&drift::heading(plan), SENTENCE)
    );
    if selection.reverting.is_empty() {
        return (heading, Vec::new());
    }
    let table = drift_table(&selection.reverting, form);
    let details = details(&selection.reverting, form, DRIFT_DETAILS);
    let text = format!("{heading}{}\n{}", table.write(DRIFT_TABLE), details.text);
    (text, details.left_out)
}

/// Changes made in the app: conflicts without a decision, and changes that are left alone.
pub(super) fn left_alone(plan: &Plan, selection: &Selection<'_>, form: &Form<'_>) -> String {
    let part = |heading: &Phrase, words: &Phrase, changes: &[&AppChange], limit| {
        format!(
            "### {}\n\n{}\n\n{}\n",
            phrase_in(heading, SENTENCE),
            phrase_in(words, SENTENCE),
            app_changes(changes, form).write(limit),
        )
    };
    let mut text = String::new();
    let undecided = plan.summary.undecided;
    if undecided > 0 {
        let (heading, words) = (drift::undecided_heading(plan), drift::undecided_words(plan));
        text.push_str(&part(&heading, &words, &selection.undecided, DRIFT_TABLE));
    }
    if let Some(words) = drift::kept_words(plan) {
        let heading = drift::kept_heading(plan);
        text.push_str(&part(&heading, &words, &selection.kept, KEPT));
    }
    text
}

fn app_changes(changes: &[&AppChange], form: &Form<'_>) -> Table<'static> {
    const TITLES: [&str; 4] = ["input", "change in the app", "user, last write", "details"];
    let rows: Vec<_> = changes
        .iter()
        .take(MANY_ROWS)
        .map(|change| blocks::row_of_app_change(change, form))
        .collect();
    Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (changes.len() - rows.len()) as u64,
        rows,
        row_noun: "annotation",
    }
}

fn drift_table(operations: &[&Operation], form: &Form<'_>) -> Table<'static> {
    const TITLES: [&str; 3] = ["input", "change", "user, last write"];
    let rows: Vec<_> = operations
        .iter()
        .take(MANY_ROWS)
        .map(|operation| blocks::row_of_drift(operation, form))
        .collect();
    Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (operations.len() - rows.len()) as u64,
        rows,
        row_noun: "change",
    }
}
