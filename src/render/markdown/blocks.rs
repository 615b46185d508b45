//! Parts of a comment that are cut to a limit in bytes: tables, and the changes by input. What is left out is counted.

use super::span::{code, fence_lines, fenced, html_code, phrase, phrase_in};
use crate::model::{InputId, counted, thousands};
use crate::plan::{AppChange, Decision, Operation, Target};
use crate::render::change::{ShownChange, Sign};
use crate::render::drift;
use crate::render::link;
use crate::render::naming::{ShortIds, why};
use crate::render::options::Detail;
use crate::render::page::{Color, Ink, Page};
use crate::render::phrase::Phrase;
use crate::render::report::{Cell, Layout, Section, signed};
use crate::render::selection::{by_action, destructiveness, groups};
use crate::render::text::write_content;
use std::fmt::Write as _;

/// Bytes for a section of the report.
pub(super) const SECTION: usize = 3_000;
/// Bytes for a sentence with names in it.
pub(super) const SENTENCE: usize = 2_000;
/// Bytes for the changes of one input, at least.
const BLOCK: usize = 9_000;
/// Bytes for one change.
const CHANGE: usize = 4_000;
/// Bytes for the difference of one annotation.
const DETAILS: usize = 2_000;
/// Up to this many changes, the details are open.
const OPEN: usize = 5;
/// Up to this many changes that have one line each, the details are open.
const OPEN_LINES: usize = 30;

/// How changes are written.
pub(super) struct Form<'a> {
    pub(super) ids: ShortIds,
    pub(super) detail: Detail,
    /// The app of the inputs, for links.
    pub(super) target: &'a Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table that is cut to a limit.
pub(super) struct Table<'a> {
    pub(super) titles: &'a [&'a str],
    pub(super) align: Vec<Align>,
    pub(super) rows: Vec<Vec<String>>,
    /// Rows that are left out already.
    pub(super) more: u64,
    /// What a row is, in the singular.
    pub(super) row_noun: &'a str,
}

impl Table<'_> {
    /// The table in at most `limit` bytes, with the number of rows that do not fit. Empty if there are no rows at all.
    pub(super) fn write(&self, limit: usize) -> String {
        /// Kept free for the number of rows that do not fit.
        const REST: usize = 100;
        let mut text = row(self.titles.iter().copied());
        text.push_str(&row(self.align.iter().map(|align| match align {
            Align::Left => "---",
            Align::Right => "---:",
        })));
        let mut shown = 0;
        for cells in &self.rows {
            let line = row(cells.iter().map(String::as_str));
            if text.len() + line.len() + REST <= limit {
                text.push_str(&line);
                shown += 1;
            }
        }
        if shown == 0 {
            text.clear();
        }
        let more = self.more + (self.rows.len() - shown) as u64;
        if more > 0 {
            let noun = format!("more {}", self.row_noun);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{}.", counted(more, &noun));
        }
        text
    }
}

fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<&str> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A section of the report, in about `limit` bytes.
pub(super) fn section(section: &Section, limit: usize) -> String {
    let mut text = format!("### {}\n\n", phrase(&section.title));
    match section.layout {
        Layout::List => {
            let mut more = section.more;
            let mut parts: Vec<String> = Vec::new();
            let mut length = 0;
            for name in section.rows.iter().flatten().map(cell) {
                length += name.len();
                if length > limit {
                    more += 1;
                } else {
                    parts.push(name);
                }
            }
            if more > 0 {
                let noun = format!("more {}", section.row_noun);
                parts.push(counted(more, &noun));
            }
            text.push_str(&parts.join(", "));
            text.push('\n');
        }
        Layout::Table => {
            let titles: Vec<&str> = section.columns.iter().map(|column| column.title).collect();
            let align = section.rows.iter().take(1).flatten();
            let align = align.map(|cell| match cell {
                Cell::Phrase(_) | Cell::Bar(_) => Align::Left,
                Cell::Count(_) | Cell::Change(_) | Cell::LeftOut => Align::Right,
            });
            let table = Table {
                titles: &titles,
                align: align.collect(),
                rows: section
                    .rows
                    .iter()
                    .map(|row| row.iter().map(cell).collect())
                    .collect(),
                more: section.more,
                row_noun: section.row_noun,
            };
            if !section.rows.is_empty() {
                text.push_str(&table.write(limit));
            }
        }
    }
    if let Some(note) = &section.note {
        let _ = writeln!(text, "\n{note}");
    }
    text.push('\n');
    text
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Phrase(words) => phrase(words),
        Cell::Count(count) => thousands(*count),
        Cell::Change(change) => signed(*change),
        Cell::Bar(length) => "█".repeat(*length as usize),
        Cell::LeftOut => String::new(),
    }
}

/// Changes by input as text.
pub(super) struct Details<'a> {
    pub(super) text: String,
    /// The changes that did not fit.
    pub(super) left_out: Vec<&'a Operation>,
}

/// The changes of each input, the most destructive first, in at most `limit` bytes.
pub(super) fn details<'a>(
    operations: &[&'a Operation],
    form: &Form<'_>,
    limit: usize,
) -> Details<'a> {
    let open = match form.detail {
        Detail::Full => OPEN,
        _ => OPEN_LINES,
    };
    let mut text = String::new();
    let mut left_out = Vec::new();
    let mut is_full = false;
    let groups = groups(operations);
    // With few inputs, each may use half of its share, which leaves bytes for the words around the changes.
    let share = BLOCK.max(limit / (2 * groups.len().max(1)));
    for (input, changes) in groups {
        if is_full {
            left_out.extend(changes);
            continue;
        }
        let is_open = operations.len() <= open;
        let (block, rest) = block((input, &changes), form, is_open, share.min(limit));
        if text.len() + block.len() > limit {
            is_full = true;
            left_out.extend(changes);
        } else {
            text.push_str(&block);
            left_out.extend(rest);
        }
    }
    Details { text, left_out }
}

/// The changes of one input, and those that do not fit.
fn block<'a, 'b>(
    (input, changes): (&InputId, &'b [&'a Operation]),
    form: &Form<'_>,
    is_open: bool,
    limit: usize,
) -> (String, &'b [&'a Operation]) {
    let mut lines = String::new();
    let mut shown = 0;
    for operation in changes {
        let change = change(operation, form);
        if lines.len() + change.len() > limit && shown > 0 {
            break;
        }
        lines.push_str(&change);
        shown += 1;
    }
    let rest = &changes[shown..];
    let open = if is_open { " open" } else { "" };
    let name = html_code(input.as_str());
    let name = match link::of_input(form.target, input) {
        // Percent-encoded, so that it cannot end the attribute.
        Some(address) => format!("<a href=\"{address}\">{name}</a>"),
        None => name,
    };
    let mut text = format!(
        "<details{open}><summary>{name}: {}</summary>\n\n{}\n",
        by_action(changes.iter().copied()),
        fenced("diff", &lines),
    );
    if !rest.is_empty() {
        let _ = write!(
            text,
            "{} on this input not shown: {}.\n\n",
            counted(rest.len() as u64, "more change"),
            by_action(rest.iter().copied()),
        );
    }
    text.push_str("</details>\n\n");
    (text, rest)
}

/// A change as lines of a diff. The sign comes first in each line, so that hosts colour it.
fn change(operation: &Operation, form: &Form<'_>) -> String {
    let shown = ShownChange::of_operation(operation, &form.ids);
    let mut page = Page::new(Color::Never);
    let sign = sign(shown.sign);
    page.line(Ink::Plain, &format!("{sign} {}", shown.line()));
    if form.detail != Detail::Full {
        return fence_lines(&page.finish(), CHANGE);
    }
    let mut content = Page::new(Color::Never);
    write_content(&mut content, "", Ink::Plain, operation);
    let is_difference = operation.before().is_some() && operation.after().is_some();
    for line in content.finish().lines() {
        // Lines of a difference have their own sign; a whole content has the sign of its change.
        let mut chars = line.chars();
        let (sign, rest) = match chars.next() {
            Some(own) if is_difference => (own, chars.as_str()),
            _ => (sign, line),
        };
        page.line(Ink::Plain, &format!("{sign}    {rest}"));
    }
    fence_lines(&page.finish(), CHANGE)
}

/// The sign that hosts colour in a diff.
fn sign(sign: Sign) -> char {
    match sign {
        Sign::Add => '+',
        Sign::Change | Sign::Replace | Sign::Keep => '!',
        Sign::Remove => '-',
    }
}

/// Action and name of a change.
fn title(operation: &Operation, form: &Form<'_>) -> String {
    let change = ShownChange::of_operation(operation, &form.ids);
    format!("{} {}", change.action, code(&change.subject()))
}

/// Deletes and replacements, by input.
pub(super) fn destructive<'a>(operations: &[&'a Operation]) -> Vec<&'a Operation> {
    let ordered = groups(operations)
        .into_iter()
        .flat_map(|(_, operations)| operations);
    ordered
        .filter(|operation| destructiveness(operation.action()) == 0)
        .collect()
}

/// Input, change, user and reason of a delete.
pub(super) fn row_of_delete(operation: &Operation, form: &Form<'_>) -> Vec<String> {
    let seen = operation.seen().and_then(|seen| seen.user.as_ref());
    let content = operation.before();
    let user = seen.or_else(|| content.and_then(|content| content.user.as_ref()));
    vec![
        code(operation.input_id.as_str()),
        title(operation, form),
        user.map_or_else(String::new, |user| code(user.as_str())),
        why(operation),
    ]
}

/// Input, change, user with time, and details of a change in the app.
pub(super) fn row_of_app_change(change: &AppChange, form: &Form<'_>) -> Vec<String> {
    // A conflict cannot be decided without the values.
    let details = if form.detail == Detail::Full || change.decision == Decision::Undecided {
        drift::details(change)
    } else {
        drift::facts(change)
    };
    let details = Phrase::joined(details, "; ");
    vec![
        code(change.input_id.as_str()),
        phrase(&drift::title(change)),
        phrase(&drift::change_provenance(change)),
        phrase_in(&details, DETAILS),
    ]
}

/// Input, change and user with time of a change that reverts something.
pub(super) fn row_of_drift(operation: &Operation, form: &Form<'_>) -> Vec<String> {
    vec![
        code(operation.input_id.as_str()),
        title(operation, form),
        phrase(&drift::provenance(operation)),
    ]
}
