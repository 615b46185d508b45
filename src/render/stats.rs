//! Statistics as text and Markdown. Zeros are left out.

use super::markdown::span::code;
use crate::model::{counted, escape, thousands};
use crate::stats::{ConceptStats, LabelCount, Spread, Stats};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// A table whose first columns are names, and the others numbers.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: Vec<&'static str>,
    /// How many columns are names from outside.
    pub(super) names: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) note: Option<String>,
}

impl Table {
    /// Without columns that have no values.
    fn without_empty_columns(mut self) -> Self {
        for at in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[at].is_empty()) {
                self.columns.remove(at);
                for row in &mut self.rows {
                    row.remove(at);
                }
            }
        }
        self
    }
}

/// The statistics as text.
pub fn stats_text(stats: &Stats) -> String {
    let mut text = first_line(stats);
    for table in tables(stats) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}:", table.title);
        let header: Vec<String> = table.columns.iter().map(ToString::to_string).collect();
        let mut lines = vec![header];
        lines.extend(table.rows.iter().map(|row| {
            let cells = row.iter().enumerate();
            let shown = |(at, cell): (usize, &String)| {
                if at < table.names {
                    escape(cell).into_owned()
                } else {
                    cell.clone()
                }
            };
            cells.map(shown).collect()
        }));
        let widths: Vec<usize> = (0..table.columns.len())
            .map(|at| lines.iter().map(|line| line[at].width()).max().unwrap_or(0))
            .collect();
        for line in lines {
            let mut row = String::new();
            for (at, cell) in line.iter().enumerate() {
                let padding = " ".repeat(widths[at] - cell.width());
                let [left, right] = if at < table.names {
                    [cell.as_str(), &padding]
                } else {
                    [padding.as_str(), cell]
                };
                row.extend(["  ", left, right]);
            }
            let _ = writeln!(text, "{}", row.trim_end());
        }
        if let Some(note) = table.note {
            let _ = writeln!(text, "  {note}");
        }
    }
    text
}

/// The statistics as Markdown.
pub fn stats_markdown(stats: &Stats) -> String {
    let mut text = first_line(stats);
    for table in tables(stats) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n### {}\n", table.title);
        let _ = writeln!(text, "| {} |", table.columns.join(" | "));
        let align = |at: usize| if at < table.names { "---" } else { "---:" };
        let aligned: Vec<&str> = (0..table.columns.len()).map(align).collect();
        let _ = writeln!(text, "| {} |", aligned.join(" | "));
        for row in &table.rows {
            let cells = row.iter().enumerate();
            let shown = |(at, cell): (usize, &String)| {
                if at < table.names {
                    code(cell)
                } else {
                    cell.clone()
                }
            };
            let cells: Vec<String> = cells.map(shown).collect();
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        if let Some(note) = table.note {
            let _ = writeln!(text, "\n{note}");
        }
    }
    text
}

pub(super) fn first_line(stats: &Stats) -> String {
    let mut line = format!(
        "{}, {}",
        counted(stats.inputs, "input"),
        counted(stats.annotations, "annotation")
    );
    if let Some(labels) = stats.labels {
        let _ = write!(
            line,
            "; {} to {} an input, median {}",
            labels.min, labels.max, labels.median
        );
    }
    line.push_str(".\n");
    line
}

pub(super) fn tables(stats: &Stats) -> Vec<Table> {
    let mut tables = vec![Table {
        title: "Concepts",
        columns: vec![
            "concept",
            "annotations",
            "inputs",
            "value 1",
            "value 0",
            "other values",
            "area: min",
            "median",
            "max",
            "square pixels: min",
            "median",
            "max",
        ],
        names: 1,
        rows: stats.concepts.iter().map(concept).collect(),
        note: None,
    }];
    for (title, column, counts) in [
        ("Kinds", "kind", &stats.kinds),
        ("Users", "user", &stats.users),
        ("Statuses", "status", &stats.statuses),
    ] {
        let rows = counts
            .iter()
            .map(|count| vec![count.name.clone(), thousands(count.annotations)]);
        tables.push(Table {
            title,
            columns: vec![column, "annotations"],
            names: 1,
            rows: rows.collect(),
            note: None,
        });
    }
    let ranges = stats.inputs_by_labels.iter();
    tables.push(Table {
        title: "Annotations of an input",
        columns: vec!["annotations", "inputs"],
        names: 0,
        rows: ranges
            .map(|range| vec![words(range), thousands(range.inputs)])
            .collect(),
        note: None,
    });
    let pairs = stats.pairs.iter().map(|pair| {
        let [one, other] = pair.concepts.clone();
        vec![one, other, thousands(pair.inputs)]
    });
    let mut notes = Vec::new();
    if stats.more_pairs > 0 {
        notes.push(format!("{}.", counted(stats.more_pairs, "more pair")));
    }
    if stats.inputs_without_pairs > 0 {
        notes.push(format!(
            "{} with more than 200 concepts not counted.",
            counted(stats.inputs_without_pairs, "input")
        ));
    }
    tables.push(Table {
        title: "Concepts on the same inputs",
        columns: vec!["concept", "and", "inputs"],
        names: 2,
        rows: pairs.collect(),
        note: (!notes.is_empty()).then(|| notes.join(" ")),
    });
    tables
        .into_iter()
        .filter(|table| !table.rows.is_empty() || table.note.is_some())
        .map(Table::without_empty_columns)
        .collect()
}

fn concept(concept: &ConceptStats) -> Vec<String> {
    let count = |count: u64| match count {
        0 => String::new(),
        count => thousands(count),
    };
    let spread = |spread: Option<Spread>, show: fn(f64) -> String| match spread {
        Some(Spread {
            min, median, max, ..
        }) => [min, median, max].map(show),
        None => [const { String::new() }; 3],
    };
    let mut row = vec![
        concept.concept.clone(),
        count(concept.annotations),
        count(concept.inputs),
        count(concept.present),
        count(concept.absent),
        count(concept.between),
    ];
    row.extend(spread(concept.area, share));
    row.extend(spread(concept.area_pixels, |pixels| {
        thousands(pixels as u64)
    }));
    row
}

/// A share of the image in percent.
fn share(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

fn words(range: &LabelCount) -> String {
    match range.to {
        Some(to) if to == range.from => thousands(to),
        Some(to) => format!("{} to {}", thousands(range.from), thousands(to)),
        None => format!("{} or more", thousands(range.from)),
    }
}
