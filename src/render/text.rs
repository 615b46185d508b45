//! A plan as text: inputs, purges, changes that revert the app's, the other changes by input with destructive ones first,
//! other changes made in the app, the report, warnings, and the counts.

use super::naming::{ShortIds, name, why};
use super::options::{Detail, TextOptions};
use super::page::{Ink, Page};
use super::phrase::Phrase;
use super::selection::{Selection, by_action, destructiveness, groups};
use super::{closing, difference, drift, inputs, notation, purge, tables, warnings};
use crate::model::{counted, thousands};
use crate::plan::{Action, AppChange, AppChangeKind, Operation, Plan, Reason};

/// The text of a plan. The last line is the summary, or `No changes.`
pub fn text(plan: &Plan, options: &TextOptions) -> String {
    let detail = options.detail;
    let selection = Selection::of(plan, &options.filter);
    let mut page = Page::new(options.color).within(options.width);
    inputs::write(&mut page, plan, detail);
    purge::write(&mut page, &selection.purges, detail);
    write_reverting(&mut page, plan, &selection);
    write_changes(&mut page, &selection.ordinary, detail);
    write_drift(&mut page, plan, &selection, detail);
    if let Some(words) = selection.filter_note(&options.filter) {
        page.gap();
        page.line(Ink::Warning, &words.text());
    }
    tables::write(&mut page, &plan.summary, detail);
    page.gap();
    if let Some(words) = drift::none(plan) {
        page.line(Ink::Plain, &words.text());
    }
    for warning in warnings::all(plan) {
        let ink = match warning.kind {
            warnings::Kind::Note => Ink::Faint,
            warnings::Kind::Warning | warnings::Kind::Passed => Ink::Warning,
            warnings::Kind::Stopped => Ink::Removed,
        };
        page.put(ink, &format!("{}: ", warning.kind.word()))
            .put(Ink::Plain, &warning.phrase.text())
            .end();
        for line in &warning.lines {
            page.line(Ink::Plain, &format!("    {line}"));
        }
    }
    page.gap();
    page.line(Ink::Plain, &closing::line(plan));
    page.finish()
}

/// Always all of them: a person must see what would be reverted before applying it.
fn write_reverting(page: &mut Page, plan: &Plan, selection: &Selection<'_>) {
    let Some(count) = selection.reverting_words(plan) else {
        return;
    };
    page.gap();
    let heading = format!("{}: {count}", drift::heading(plan).text());
    page.line(Ink::Warning, &heading);
    for (input_id, operations) in groups(&selection.reverting) {
        page.gap();
        page.line(Ink::Heading, input_id.as_str());
        let ids = ShortIds::of(&operations);
        for operation in operations {
            write_change(page, operation, &ids, Some(&drift::provenance(operation)));
        }
    }
    if !selection.ordinary.is_empty() {
        page.gap();
        page.line(Ink::Heading, &format!("{}:", drift::OTHERS));
    }
}

/// Changes made in the app: conflicts without a decision, and changes that are left alone.
fn write_drift(page: &mut Page, plan: &Plan, selection: &Selection<'_>, detail: Detail) {
    let undecided = plan.summary.undecided;
    if undecided > 0 {
        let heading = (drift::undecided_heading(plan), drift::undecided_words(plan));
        write_app_changes(page, heading, &selection.undecided, Detail::Full);
    }
    if plan.summary.held_back.drift > undecided {
        let heading = (drift::kept_heading(plan), drift::kept_words(plan));
        write_app_changes(page, heading, &selection.kept, detail);
    }
}

fn write_app_changes(
    page: &mut Page,
    (heading, words): (Phrase, Phrase),
    changes: &[&AppChange],
    detail: Detail,
) {
    const INDENT: &str = "      ";
    page.gap();
    page.put(Ink::Warning, &format!("{}: ", heading.text()))
        .put(Ink::Plain, &words.text())
        .end();
    let shown = &changes[..changes.len().min(detail.limit())];
    for changes in shown.chunk_by(|a, b| a.input_id == b.input_id) {
        page.gap();
        page.line(Ink::Heading, changes[0].input_id.as_str());
        for change in changes {
            let (sign, ink) = match change.kind {
                AppChangeKind::Added => ("+", Ink::Added),
                AppChangeKind::Changed => ("~", Ink::Changed),
                AppChangeKind::Deleted => ("-", Ink::Removed),
            };
            page.put(Ink::Plain, "  ")
                .put(ink, sign)
                .put(Ink::Plain, &format!(" {}", drift::title(change).text()))
                .end();
            let provenance = drift::change_provenance(change).text();
            page.line(Ink::Warning, &format!("{INDENT}{provenance}"));
            for line in drift::details(change) {
                page.line(Ink::Plain, &format!("{INDENT}{}", line.text()));
            }
        }
    }
    let more = (changes.len() - shown.len()) as u64;
    if more > 0 {
        page.gap();
        let line = format!(
            "{} not shown. See all with --full.",
            counted(more, "more annotation")
        );
        page.line(Ink::Warning, &line);
    }
}

fn write_changes(page: &mut Page, operations: &[&Operation], detail: Detail) {
    // Deletes are always shown, and do not count.
    let mut remaining = if operations.len() > detail.limit() {
        detail.limit()
    } else {
        usize::MAX
    };
    let mut left_out = Vec::new();
    for (input_id, operations) in groups(operations) {
        let mut shown = Vec::with_capacity(operations.len());
        for &operation in &operations {
            if destructiveness(operation.action()) == 0 {
                shown.push(operation);
            } else if remaining > 0 {
                remaining -= 1;
                shown.push(operation);
            } else {
                left_out.push(operation);
            }
        }
        if shown.is_empty() {
            continue;
        }
        page.gap();
        page.put(Ink::Heading, input_id.as_str());
        if shown.len() < operations.len() {
            let (some, all) = (shown.len() as u64, operations.len() as u64);
            let part = format!(" ({} of {} shown)", thousands(some), counted(all, "change"));
            page.put(Ink::Faint, &part);
        }
        page.end();
        let ids = ShortIds::of(&operations);
        for operation in shown {
            write_change(page, operation, &ids, None);
        }
    }
    write_left_out(page, &left_out);
}

fn write_left_out(page: &mut Page, left_out: &[&Operation]) {
    if left_out.is_empty() {
        return;
    }
    page.gap();
    let line = format!(
        "{} not shown: {}. See all with --full.",
        counted(left_out.len() as u64, "more change"),
        by_action(left_out.iter().copied()),
    );
    page.line(Ink::Warning, &line);
}

fn write_change(
    page: &mut Page,
    operation: &Operation,
    ids: &ShortIds,
    provenance: Option<&Phrase>,
) {
    const INDENT: &str = "      ";
    let (sign, ink) = match operation.action() {
        Action::Post => ("+", Ink::Added),
        Action::Merge | Action::Overwrite | Action::Remove => ("~", Ink::Changed),
        Action::Delete => ("-", Ink::Removed),
        Action::Replace => ("±", Ink::Removed),
    };
    page.put(Ink::Plain, "  ")
        .put(ink, &format!("{sign} {}", operation.action()))
        .put(Ink::Plain, &format!(" {}", name(operation, ids)))
        .put(Ink::Faint, &format!(" ({})", why(operation)))
        .end();
    if let Some(provenance) = provenance {
        page.line(Ink::Warning, &format!("{INDENT}{}", provenance.text()));
    }
    write_content(page, INDENT, ink, operation);
}

/// The difference; for a post or a delete, the content on one line.
pub(super) fn write_content(page: &mut Page, indent: &str, ink: Ink, operation: &Operation) {
    match (operation.before(), operation.after()) {
        (Some(before), Some(after)) if operation.reason() == Reason::Undone => {
            difference::write_whole(page, indent, before, after);
        }
        (Some(before), Some(after)) => difference::write(page, indent, before, after),
        (None, None) => {}
        (one, other) => {
            let content = one.or(other);
            let line = content.map(notation::one_line).unwrap_or_default();
            page.line(ink, &format!("{indent}{line}"));
        }
    }
}

#[cfg(test)]
mod tests;
