//! Numbers as tables, bars and matrices.

use super::markup::Markup;
use crate::model::{counted, thousands};
use crate::render::report::{Cell, Layout, Section, signed};
use std::fmt::Write as _;

/// Rows and columns of a matrix.
const SIDE: usize = 15;
/// Fewer pairs are a list.
const FEW_PAIRS: usize = 3;
/// The shades of a matrix.
const SHADES: [&str; 5] = ["shade1", "shade2", "shade3", "shade4", "shade5"];

/// Writes a section of a report: relabellings as a matrix, classes and histograms with bars.
pub(super) fn section(m: &mut Markup, section: &Section) {
    m.raw("<section class=\"report\">\n<h2>")
        .phrase(&section.title)
        .raw("</h2>\n");
    if section.layout == Layout::List {
        m.raw("<p>");
        for (at, row) in section.rows.iter().enumerate() {
            m.raw(if at > 0 { ", " } else { "" });
            for (cell, column) in row.iter().zip(section.columns) {
                m.raw(column.before);
                write_cell(m, cell);
                m.raw(column.after);
            }
        }
        m.raw("</p>\n");
    } else if section.row_noun == "pair" && section.rows.len() >= FEW_PAIRS {
        relabellings(m, section);
    } else if !section.rows.is_empty() {
        table(m, section, &section.rows.iter().collect::<Vec<_>>());
    }
    if section.more > 0 {
        let noun = format!("more {}", section.row_noun);
        m.raw("<p class=\"more\">")
            .text(&counted(section.more, &noun))
            .raw(".</p>\n");
    }
    if let Some(note) = &section.note {
        m.raw("<p class=\"more\">").text(note).raw("</p>\n");
    }
    m.raw("</section>\n");
}

fn table(m: &mut Markup, section: &Section, rows: &[&Vec<Cell>]) {
    let most = rows.iter().filter_map(|row| sides(row)).flatten().max();
    m.raw("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for column in section.columns {
        m.raw("<th scope=\"col\">").text(column.title).raw("</th>");
    }
    if most.is_some() {
        m.raw("<th scope=\"col\">before (outlined) and after (filled)</th>");
    }
    m.raw("</tr></thead>\n<tbody>\n");
    for row in rows {
        m.raw("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let is_number = matches!(cell, Cell::Count(_) | Cell::Change(_) | Cell::LeftOut);
            m.raw(match (at, is_number) {
                (0, _) => "<th scope=\"row\">",
                (_, true) => "<td class=\"n\">",
                (_, false) => "<td>",
            });
            write_cell(m, cell);
            m.raw(if at == 0 { "</th>" } else { "</td>" });
        }
        if let (Some(most), Some(pair)) = (most, sides(row)) {
            m.raw("<td>");
            before_and_after(m, pair, most);
            m.raw("</td>");
        }
        m.raw("</tr>\n");
    }
    m.raw("</tbody></table></div>\n");
}

/// The counts before and after in the row of a class.
fn sides(row: &[Cell]) -> Option<[u64; 2]> {
    match row {
        [_, Cell::Count(before), Cell::Count(after), Cell::Change(_)] => Some([*before, *after]),
        _ => None,
    }
}

fn write_cell(m: &mut Markup, cell: &Cell) {
    match cell {
        Cell::Phrase(phrase) => m.phrase(phrase),
        Cell::Count(count) => m.count(*count),
        Cell::Change(change) => m.text(&signed(*change)),
        Cell::Bar(length) => bar(m, *length, crate::render::report::BAR),
        Cell::LeftOut => m,
    };
}

/// A bar of this length; `most` fills it. The caller writes the number beside it.
pub(super) fn bar(m: &mut Markup, length: u64, most: u64) -> &mut Markup {
    let width = length as f64 * 100.0 / most.max(1) as f64;
    m.raw("<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">")
        .drawing(|out| {
            let _ = write!(out, "<rect width=\"{width:.1}\" height=\"8\"/>");
        })
        .raw("</svg>")
}

fn before_and_after(m: &mut Markup, [before, after]: [u64; 2], most: u64) {
    let width = |count: u64| count as f64 * 100.0 / most.max(1) as f64;
    m.raw("<svg class=\"bar pair\" viewBox=\"0 0 100 14\" preserveAspectRatio=\"none\" aria-hidden=\"true\">")
        .drawing(|out| {
            let _ = write!(
                out,
                "<rect class=\"was\" y=\"1\" width=\"{:.1}\" height=\"5\"/>\
                 <rect y=\"8\" width=\"{:.1}\" height=\"5\"/>",
                width(before),
                width(after)
            );
        })
        .raw("</svg>");
}

/// Relabellings as a matrix of the most frequent ones, and the others as a list.
fn relabellings(m: &mut Markup, section: &Section) {
    let mut matrix = Matrix::default();
    let mut others = Vec::new();
    for row in &section.rows {
        match &row[..] {
            [Cell::Phrase(from), Cell::Phrase(to), Cell::Count(count)]
                if matrix.add(from.text(), to.text(), *count) => {}
            _ => others.push(row),
        }
    }
    matrix.write(m, "from \\ to");
    if !others.is_empty() {
        m.raw("<p class=\"more\">The matrix holds the most frequent ones. Others:</p>\n");
        table(m, section, &others);
    }
}

/// Counts by two names.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    rows: Vec<String>,
    columns: Vec<String>,
    counts: Vec<(usize, usize, u64)>,
}

impl Matrix {
    /// Adds a count; `false` if there is no space for its row or column.
    pub(super) fn add(&mut self, row: String, column: String, count: u64) -> bool {
        let at = |names: &[String], name: &String| names.iter().position(|it| it == name);
        let fits = |names: &[String], at: Option<usize>| at.is_some() || names.len() < SIDE;
        let (row_at, column_at) = (at(&self.rows, &row), at(&self.columns, &column));
        if !fits(&self.rows, row_at) || !fits(&self.columns, column_at) {
            return false;
        }
        let row = row_at.unwrap_or_else(|| {
            self.rows.push(row);
            self.rows.len() - 1
        });
        let column = column_at.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        });
        self.counts.push((row, column, count));
        true
    }

    pub(super) fn write(&self, m: &mut Markup, corner: &str) {
        let most = self.counts.iter().map(|(.., count)| *count).max();
        m.raw("<div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\">\n<thead><tr><th>")
            .text(corner)
            .raw("</th>");
        for column in &self.columns {
            m.raw("<th scope=\"col\">").name(column).raw("</th>");
        }
        m.raw("</tr></thead>\n<tbody>\n");
        for (at, row) in self.rows.iter().enumerate() {
            m.raw("<tr><th scope=\"row\">").name(row).raw("</th>");
            for column in 0..self.columns.len() {
                let found = self.counts.iter().find(|it| (it.0, it.1) == (at, column));
                match found {
                    Some((.., count)) => {
                        let shade = shade(*count, most.unwrap_or_default());
                        m.raw("<td")
                            .attribute("class", shade)
                            .raw(">")
                            .text(&thousands(*count))
                            .raw("</td>");
                    }
                    None => {
                        m.raw("<td></td>");
                    }
                }
            }
            m.raw("</tr>\n");
        }
        m.raw("</tbody></table></div>\n");
    }
}

/// The shade of a count, on a logarithmic scale.
fn shade(count: u64, most: u64) -> &'static str {
    let scale = ((count + 1) as f64).ln() / ((most + 1) as f64).ln().max(1.0);
    SHADES[((scale * SHADES.len() as f64) as usize).min(SHADES.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Summary;
    use crate::render::report::sections;
    use crate::render::sample::{class, eventful, pair};

    fn shown(summary: &Summary) -> String {
        let mut m = Markup::default();
        for it in sections(summary, 30) {
            section(&mut m, &it);
        }
        m.as_str().to_owned()
    }

    #[test]
    fn classes_have_bars_and_relabellings_are_a_matrix() {
        let html = shown(&eventful());
        let car = "<th scope=\"row\"><bdi>car</bdi></th><td class=\"n\">2,000</td><td class=\"n\">796</td>\
                   <td class=\"n\">-1,204</td><td><svg class=\"bar pair\"";
        assert!(html.contains(car), "{html}");
        assert!(html.contains("width=\"100.0\" height=\"5\"/><rect y=\"8\" width=\"39.8\""));
        let row = "<tr><th scope=\"row\"><bdi>car</bdi></th><td class=\"shade5\">1,203</td>";
        assert!(html.contains(row), "{html}");
    }

    #[test]
    fn a_matrix_is_limited_and_says_so() {
        let summary = Summary {
            relabelled: (0..20)
                .map(|n| pair(&[&format!("a{n}")], &["b"], 1))
                .collect(),
            classes: vec![class("car", 0, 0)],
            ..Summary::default()
        };
        let html = shown(&summary);
        assert!(html.contains("The matrix holds the most frequent ones. Others:"));
        assert_eq!(html.matches("<bdi>a").count(), 20);
    }
}
