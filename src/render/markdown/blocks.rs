//! The parts of a comment that may be longer than there is room for: tables that lose their last rows, and the details
//! of the inputs, of which the last ones go. What is left out is counted.

use super::span::{code, fence_lines, fenced, html_code, phrase, phrase_in};
use crate::model::InputId;
use crate::plan::{Action, AppChange, Operation};
use crate::render::drift;
use crate::render::naming::{ShortIds, name, why};
use crate::render::page::{Color, Ink, Page, counted, thousands};
use crate::render::phrase::Phrase;
use crate::render::report::{Cell, Layout, Section, signed};
use crate::render::selection::{by_action, destructiveness, groups};
use crate::render::text::write_content;
use std::fmt::Write as _;

/// Room for the details of one input, in bytes.
const BLOCK: usize = 9_000;
/// Room for one change, in bytes.
const CHANGE: usize = 4_000;
/// Room for what differs in one annotation, in bytes.
const DETAILS: usize = 2_000;
/// Up to so many changes, the details are open.
const OPEN: usize = 5;

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows under a heading, as many as there is room for.
pub(super) struct Table<'a> {
    pub(super) titles: &'a [&'a str],
    pub(super) align: Vec<Align>,
    pub(super) rows: Vec<Vec<String>>,
    /// How many rows there are besides.
    pub(super) more: u64,
    /// What one of those is.
    pub(super) thing: &'a str,
}

impl Table<'_> {
    /// The table in at most so many bytes, or what has no room in words; empty when there is nothing.
    pub(super) fn write(&self, room: usize) -> String {
        /// For the words about what is left out.
        const REST: usize = 100;
        let mut text = row(self.titles.iter().copied());
        text.push_str(&row(self.align.iter().map(|align| match align {
            Align::Left => "---",
            Align::Right => "---:",
        })));
        let mut shown = 0;
        for cells in &self.rows {
            let line = row(cells.iter().map(String::as_str));
            if text.len() + line.len() + REST <= room {
                text.push_str(&line);
                shown += 1;
            }
        }
        if shown == 0 {
            text.clear();
        }
        let more = self.more + (self.rows.len() - shown) as u64;
        if more > 0 {
            let thing = format!("more {}", self.thing);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{}.", counted(more, &thing));
        }
        text
    }
}

fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<&str> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A part of the report, under its heading.
pub(super) fn section(section: &Section, room: usize) -> String {
    let mut text = format!("### {}\n\n", phrase(&section.title));
    match section.layout {
        Layout::List => {
            let mut more = section.more;
            let mut parts: Vec<String> = Vec::new();
            let mut length = 0;
            for name in section.rows.iter().flatten().map(cell) {
                length += name.len();
                if length > room {
                    more += 1;
                } else {
                    parts.push(name);
                }
            }
            if more > 0 {
                let thing = format!("more {}", section.thing);
                parts.push(counted(more, &thing));
            }
            text.push_str(&parts.join(", "));
            text.push('\n');
        }
        Layout::Table => {
            let titles: Vec<&str> = section.columns.iter().map(|column| column.title).collect();
            let align = section.rows.iter().take(1).flatten();
            let align = align.map(|cell| match cell {
                Cell::Phrase(_) | Cell::Bar(_) => Align::Left,
                Cell::Count(_) | Cell::Change(_) => Align::Right,
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
                thing: section.thing,
            };
            if !section.rows.is_empty() {
                text.push_str(&table.write(room));
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
    }
}

/// What became of the details.
pub(super) struct Details<'a> {
    pub(super) text: String,
    /// The changes that are not in it.
    pub(super) left_out: Vec<&'a Operation>,
}

/// The changes of each input, the most destructive first, in at most so many bytes.
pub(super) fn details<'a>(operations: &[&'a Operation], room: usize) -> Details<'a> {
    let mut text = String::new();
    let mut left_out = Vec::new();
    let mut is_full = false;
    let groups = groups(operations);
    // Half of what is there for one of few, so that the words around its changes have room as well.
    let share = BLOCK.max(room / (2 * groups.len().max(1)));
    for (input, changes) in groups {
        if is_full {
            left_out.extend(changes);
            continue;
        }
        let is_open = operations.len() <= OPEN;
        let (block, rest) = block(input, &changes, is_open, share.min(room));
        if text.len() + block.len() > room {
            is_full = true;
            left_out.extend(changes);
        } else {
            text.push_str(&block);
            left_out.extend(rest);
        }
    }
    Details { text, left_out }
}

/// The changes of one input, and those that have no room.
fn block<'a, 'b>(
    input: &InputId,
    changes: &'b [&'a Operation],
    is_open: bool,
    room: usize,
) -> (String, &'b [&'a Operation]) {
    let ids = ShortIds::of(changes);
    let mut lines = String::new();
    let mut shown = 0;
    for operation in changes {
        let change = change(operation, &ids);
        if lines.len() + change.len() > room && shown > 0 {
            break;
        }
        lines.push_str(&change);
        shown += 1;
    }
    let rest = &changes[shown..];
    let open = if is_open { " open" } else { "" };
    let mut text = format!(
        "<details{open}><summary>{}: {}</summary>\n\n{}\n",
        html_code(input.as_str()),
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

/// One change as lines of a diff: its sign first on each, where hosts colour it.
fn change(operation: &Operation, ids: &ShortIds) -> String {
    let sign = match operation.action() {
        Action::Post => '+',
        Action::Merge | Action::Overwrite | Action::Remove | Action::Replace => '!',
        Action::Delete => '-',
    };
    let mut page = Page::new(Color::Never);
    let heading = format!(
        "{sign} {} {} ({})",
        operation.action(),
        name(operation, ids),
        why(operation)
    );
    page.line(Ink::Plain, &heading);
    let mut content = Page::new(Color::Never);
    write_content(&mut content, "", Ink::Plain, operation);
    let is_difference = operation.before().is_some() && operation.after().is_some();
    for line in content.finish().lines() {
        // Of a difference, the sign of each line stands first; what comes or goes whole has that of its change.
        let mut chars = line.chars();
        let (sign, rest) = match chars.next() {
            Some(own) if is_difference => (own, chars.as_str()),
            _ => (sign, line),
        };
        page.line(Ink::Plain, &format!("{sign}    {rest}"));
    }
    fence_lines(&page.finish(), CHANGE)
}

/// What a change is called in a sentence.
fn called(operation: &Operation) -> String {
    let ids = ShortIds::of(&[operation]);
    format!("{} {}", operation.action(), code(&name(operation, &ids)))
}

/// Rows of what goes.
pub(super) fn destructive<'a>(operations: &[&'a Operation]) -> Vec<&'a Operation> {
    let ordered = groups(operations)
        .into_iter()
        .flat_map(|(_, operations)| operations);
    ordered
        .filter(|operation| destructiveness(operation.action()) == 0)
        .collect()
}

/// A row for what goes: where, what, whose it is, why.
pub(super) fn row_of_delete(operation: &Operation) -> Vec<String> {
    let seen = operation.seen().and_then(|seen| seen.user.as_ref());
    let content = operation.before();
    let user = seen.or_else(|| content.and_then(|content| content.user.as_ref()));
    vec![
        code(operation.input_id.as_str()),
        called(operation),
        user.map_or_else(String::new, |user| code(user.as_str())),
        why(operation),
    ]
}

/// A row for what was changed in the app: where, what, of whom and when, and what differs.
pub(super) fn row_of_app_change(change: &AppChange) -> Vec<String> {
    let details = Phrase::joined(drift::details(change), "; ");
    vec![
        code(change.input_id.as_str()),
        phrase(&drift::title(change)),
        phrase(&drift::change_provenance(change)),
        phrase_in(&details, DETAILS),
    ]
}

/// A row for what reverts a change: where, what, and of whom and when.
pub(super) fn row_of_drift(operation: &Operation) -> Vec<String> {
    vec![
        code(operation.input_id.as_str()),
        called(operation),
        phrase(&drift::provenance(operation)),
    ]
}
