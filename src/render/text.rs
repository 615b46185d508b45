//! A plan as text. First what matters: set and app, what is done, guards and warnings, the report. Then the changes: inputs,
//! purges, changes that revert the app's, the other changes by input with destructive ones first, and changes made in the app
//! that are left alone. A terminal shows the end, so the guards that stop the plan and the conflicts without a decision are
//! repeated there, before the counts.

use super::change::{ShownChange, Sign};
use super::naming::ShortIds;
use super::options::{Detail, TextOptions};
use super::page::{Ink, Page};
use super::phrase::Phrase;
use super::selection::{Selection, by_action, destructiveness, groups};
use super::warnings::{Kind, Warning};
use super::{closing, difference, drift, inputs, link, notation, purge, tables, warnings};
use crate::model::{counted, thousands};
use crate::plan::{AppChange, AppChangeKind, Operation, Plan, Reason};

const INDENT: &str = "  ";
/// Of the lines below a change.
const INNER: &str = "      ";

/// The text of a plan. The last line is the summary, or `No changes.`
pub fn text(plan: &Plan, options: &TextOptions) -> String {
    let detail = options.detail;
    let selection = Selection::of(plan, &options.filter);
    let warnings = warnings::all(plan);
    let mut page = Page::new(options.color).within(options.width);
    write_head(&mut page, plan);
    page.gap();
    for kind in [
        Kind::Stopped,
        Kind::Undecided,
        Kind::Passed,
        Kind::Warning,
        Kind::Note,
    ] {
        write_warnings(&mut page, &warnings, kind);
    }
    if let Some(words) = drift::none(plan) {
        page.line(Ink::Plain, &words.text());
    }
    if let Some(words) = drift::kept_words(plan) {
        page.put(
            Ink::Warning,
            &format!("{}: ", drift::kept_heading(plan).text()),
        )
        .put(Ink::Plain, &words.text())
        .end();
    }
    tables::write(&mut page, &plan.summary, detail);
    if let Some(words) = selection.filter_note(&options.filter) {
        page.gap();
        page.line(Ink::Warning, &words.text());
    }
    if detail != Detail::Summary {
        let start = page.len();
        write_changes(&mut page, plan, &selection, detail);
        if page.len() > start {
            page.gap();
            write_warnings(&mut page, &warnings, Kind::Stopped);
            write_warnings(&mut page, &warnings, Kind::Undecided);
        }
    }
    page.gap();
    page.line(Ink::Plain, &closing::line(plan));
    page.finish()
}

/// Set, app and policy, what the plan does, and the app's page.
fn write_head(page: &mut Page, plan: &Plan) {
    let about = closing::about(plan).text();
    let actions = closing::actions(&plan.summary);
    if plan.is_empty() {
        page.line(Ink::Plain, &format!("{about}."));
    } else {
        page.put(Ink::Plain, &format!("{about}: "))
            .put(Ink::Heading, &actions.join(", "))
            .put(Ink::Plain, ".")
            .end();
    }
    if let Some(address) = link::of_app(&plan.target) {
        page.line(Ink::Faint, &format!("App: {address}"));
    }
}

fn write_warnings(page: &mut Page, warnings: &[Warning], kind: Kind) {
    let ink = match kind {
        Kind::Note => Ink::Faint,
        Kind::Warning | Kind::Undecided | Kind::Passed => Ink::Warning,
        Kind::Stopped => Ink::Removed,
    };
    for warning in warnings.iter().filter(|warning| warning.kind == kind) {
        page.put(ink, &format!("{}: ", kind.word()))
            .put(Ink::Plain, &warning.phrase.text())
            .end();
        for line in &warning.lines {
            page.line(Ink::Plain, &format!("    {line}"));
        }
    }
}

fn write_changes(page: &mut Page, plan: &Plan, selection: &Selection<'_>, detail: Detail) {
    let ids = match detail {
        Detail::Full => ShortIds::whole(),
        _ => ShortIds::of_plan(plan),
    };
    inputs::write(page, plan, detail);
    if !selection.purges.is_empty() {
        page.gap();
    }
    purge::write(page, &selection.purges, detail);
    write_reverting(page, plan, selection, (&ids, detail));
    write_ordinary(page, &selection.ordinary, (&ids, detail));
    write_drift(page, plan, selection, detail);
}

/// Always all of them: a person must see what would be reverted before applying it.
fn write_reverting(
    page: &mut Page,
    plan: &Plan,
    selection: &Selection<'_>,
    form: (&ShortIds, Detail),
) {
    let Some(count) = selection.reverting_words(plan) else {
        return;
    };
    page.gap();
    let heading = format!("{}: {count}", drift::heading(plan).text());
    page.line(Ink::Warning, &heading);
    for (input_id, operations) in groups(&selection.reverting) {
        page.gap();
        page.line(Ink::Heading, input_id.as_str());
        for operation in operations {
            write_change(page, operation, form, Some(&drift::provenance(operation)));
        }
    }
    if !selection.ordinary.is_empty() {
        page.gap();
        page.line(Ink::Heading, &format!("{}:", drift::OTHERS));
    }
}

/// Changes made in the app: conflicts without a decision, and changes that are left alone.
fn write_drift(page: &mut Page, plan: &Plan, selection: &Selection<'_>, detail: Detail) {
    if plan.summary.undecided > 0 {
        let heading = (drift::undecided_heading(plan), drift::undecided_words(plan));
        write_app_changes(page, heading, &selection.undecided, Detail::Full);
    }
    if !selection.kept.is_empty() {
        // How many there are, and what to do about them, stands before the changes.
        let heading = (drift::kept_heading(plan), Phrase::new());
        write_app_changes(page, heading, &selection.kept, detail);
    }
}

fn write_app_changes(
    page: &mut Page,
    (heading, words): (Phrase, Phrase),
    changes: &[&AppChange],
    detail: Detail,
) {
    page.gap();
    page.put(Ink::Warning, &format!("{}:", heading.text()));
    match words.text() {
        words if words.is_empty() => page.end(),
        words => page.put(Ink::Plain, &format!(" {words}")).end(),
    }
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
            let title = drift::title(change).text();
            let provenance = drift::change_provenance(change).text();
            page.put(Ink::Plain, INDENT).put(ink, sign);
            if detail == Detail::Full {
                page.put(Ink::Plain, &format!(" {title}")).end();
                page.line(Ink::Warning, &format!("{INNER}{provenance}"));
                for line in drift::details(change) {
                    page.line(Ink::Plain, &format!("{INNER}{}", line.text()));
                }
                continue;
            }
            let facts = drift::facts(change);
            let facts = if facts.is_empty() {
                String::new()
            } else {
                format!(": {}", Phrase::joined(facts, "; ").text())
            };
            page.put(Ink::Plain, &format!(" {title}{facts}"))
                .put(Ink::Faint, &format!(" ({provenance})"))
                .end();
        }
    }
    let more = (changes.len() - shown.len()) as u64;
    if more > 0 {
        page.gap();
        let line = format!(
            "{} not shown. See all with --all.",
            counted(more, "more annotation")
        );
        page.line(Ink::Warning, &line);
    }
}

fn write_ordinary(page: &mut Page, operations: &[&Operation], form: (&ShortIds, Detail)) {
    let detail = form.1;
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
        for operation in shown {
            write_change(page, operation, form, None);
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
        "{} not shown: {}. See all with --all.",
        counted(left_out.len() as u64, "more change"),
        by_action(left_out.iter().copied()),
    );
    page.line(Ink::Warning, &line);
}

fn write_change(
    page: &mut Page,
    operation: &Operation,
    (ids, detail): (&ShortIds, Detail),
    provenance: Option<&Phrase>,
) {
    let change = ShownChange::of_operation(operation, ids);
    write_line(page, INDENT, &change);
    if let Some(provenance) = provenance {
        page.line(Ink::Warning, &format!("{INNER}{}", provenance.text()));
    }
    if detail == Detail::Full {
        write_content(page, INNER, ink(change.sign), operation);
    }
}

/// Sign and words of a change.
pub(super) fn write_line(page: &mut Page, indent: &str, change: &ShownChange<'_>) {
    page.put(Ink::Plain, indent)
        .put(
            ink(change.sign),
            &format!("{} {}", change.sign.symbol(), change.action),
        )
        .put(Ink::Plain, &format!(" {}", change.words()));
    if let Some(why) = change.news() {
        page.put(Ink::Faint, &format!(" ({why})"));
    }
    page.end();
}

pub(super) fn ink(sign: Sign) -> Ink {
    match sign {
        Sign::Add => Ink::Added,
        Sign::Change => Ink::Changed,
        Sign::Remove | Sign::Replace => Ink::Removed,
        Sign::Keep => Ink::Warning,
    }
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
