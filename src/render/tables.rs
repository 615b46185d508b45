//! The sections of a report as text: a short one on one line, a longer one as a table.

use super::page::{Ink, Page, counted, thousands};
use super::report::{Cell, Layout, Section, sections, signed};
use super::text::Detail;
use crate::model::escape;
use crate::plan::Summary;
use unicode_width::UnicodeWidthStr;

/// How many rows a section has, unless everything is shown.
const ROWS: usize = 12;
/// Up to so many rows stand on one line.
const SHORT: usize = 3;
/// Cells are not padded beyond this many columns.
const WIDE: usize = 40;

/// Writes each section, those of one line close together.
pub(super) fn write(page: &mut Page, summary: &Summary, detail: Detail) {
    let limit = match detail {
        Detail::First200 => ROWS,
        Detail::Full => usize::MAX,
    };
    let mut after_line = false;
    for section in sections(summary, limit) {
        let is_line = section.layout == Layout::List || section.rows.len() <= SHORT;
        if !(after_line && is_line) {
            page.gap();
        }
        after_line = is_line;
        page.put(Ink::Heading, &section.title.text());
        if is_line {
            write_line(page, &section);
        } else {
            write_table(page, &section);
        }
    }
}

fn write_line(page: &mut Page, section: &Section) {
    let mut parts: Vec<String> = section
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(section.columns);
            cells
                .map(|(cell, column)| format!("{}{}{}", column.before, text(cell), column.after))
                .collect()
        })
        .collect();
    parts.extend(more(section));
    let between = match section.columns {
        [_] => ", ",
        _ => "; ",
    };
    let line = match (parts.join(between), &section.note) {
        (rows, None) => rows,
        (rows, Some(note)) if rows.is_empty() => note.clone(),
        (rows, Some(note)) => format!("{rows}; {note}"),
    };
    page.put(Ink::Plain, &format!(": {line}")).end();
}

fn write_table(page: &mut Page, section: &Section) {
    page.put(Ink::Plain, ":").end();
    let cells: Vec<Vec<String>> = section
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    let widths: Vec<usize> = (0..section.columns.len())
        .map(|at| {
            let widths = cells.iter().map(|row| width(&row[at]));
            widths.filter(|width| *width <= WIDE).max().unwrap_or(0)
        })
        .collect();
    for (row, texts) in section.rows.iter().zip(&cells) {
        let mut line = " ".to_owned();
        for (at, (cell, text)) in row.iter().zip(texts).enumerate() {
            let column = &section.columns[at];
            let room = " ".repeat(widths[at].saturating_sub(width(text)));
            let (before, after) = match cell {
                Cell::Phrase(_) | Cell::Bar(_) => ("", &*room),
                Cell::Count(_) | Cell::Change(_) => (&*room, ""),
            };
            // The first column is set apart; what stands between the others is words.
            let glue = if at == 0 { " " } else { column.before };
            line.push_str(&[glue, before, text, after, column.after].concat());
        }
        page.line(Ink::Plain, line.trim_end());
    }
    for line in more(section).iter().chain(&section.note) {
        page.line(Ink::Faint, &format!("  {line}"));
    }
}

fn more(section: &Section) -> Option<String> {
    let thing = format!("more {}", section.thing);
    (section.more > 0).then(|| counted(section.more, &thing))
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Phrase(phrase) => phrase.text(),
        Cell::Count(count) => thousands(*count),
        Cell::Change(change) => format!("({})", signed(*change)),
        Cell::Bar(length) => "#".repeat(*length as usize),
    }
}

/// Columns that a text takes once it is escaped.
fn width(text: &str) -> usize {
    escape(text).width()
}
