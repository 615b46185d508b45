//! The sections of a report as text: short ones on one line, longer ones as a table.

use super::options::Detail;
use super::page::{Ink, Page};
use super::report::{Cell, Column, Layout, Section, overview, sections, signed};
use crate::model::{counted, escape, thousands};
use crate::plan::Summary;
use unicode_width::UnicodeWidthStr;

/// Rows of a section, unless everything is shown.
const ROWS: usize = 12;
/// Up to this many rows are written on one line.
const INLINE_ROWS: usize = 3;
/// Wider cells do not widen their column.
const MAX_PADDED: usize = 40;

/// Writes each section. One-line sections follow each other without an empty line.
pub(super) fn write(page: &mut Page, summary: &Summary, detail: Detail) {
    let sections = match detail {
        Detail::Summary => overview(summary, ROWS),
        Detail::First200 => sections(summary, ROWS),
        Detail::All | Detail::Full => sections(summary, usize::MAX),
    };
    let mut follows_line = false;
    for section in sections {
        let is_line = section.layout == Layout::List || section.rows.len() <= INLINE_ROWS;
        if !(follows_line && is_line) {
            page.gap();
        }
        follows_line = is_line;
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
        .map(|row| sentence(row, section.columns))
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

/// A row with the words of its columns, without zeros that are left out.
fn sentence(row: &[Cell], columns: &[Column]) -> String {
    let mut sentence = String::new();
    let mut before = None;
    for (cell, column) in row.iter().zip(columns) {
        // The next cell is written instead of what is left out.
        let start = *before.get_or_insert(column.before);
        if *cell == Cell::LeftOut {
            continue;
        }
        sentence.push_str(start);
        sentence.push_str(&text(cell));
        sentence.push_str(column.after);
        before = None;
    }
    sentence
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
            widths
                .filter(|width| *width <= MAX_PADDED)
                .max()
                .unwrap_or(0)
        })
        .collect();
    for (row, texts) in section.rows.iter().zip(&cells) {
        let mut line = " ".to_owned();
        let mut is_after_blank = false;
        for (at, (cell, text)) in row.iter().zip(texts).enumerate() {
            let column = &section.columns[at];
            let padding = " ".repeat(widths[at].saturating_sub(width(text)));
            // The first column is indented; the others are separated by words.
            let before = if at == 0 { " " } else { column.before };
            if *cell == Cell::LeftOut {
                let width = width(before) + widths[at] + width(column.after);
                line.push_str(&" ".repeat(width));
                is_after_blank = true;
                continue;
            }
            // Nothing stands before it that a comma would separate.
            let blank = " ".repeat(width(before));
            let before = if is_after_blank { &blank } else { before };
            is_after_blank = false;
            let parts = match cell {
                Cell::Phrase(_) | Cell::Bar(_) | Cell::LeftOut => {
                    [before, text, &padding, column.after]
                }
                Cell::Count(_) | Cell::Change(_) if before.ends_with('(') => {
                    [&padding, before, text, column.after]
                }
                Cell::Count(_) | Cell::Change(_) => [before, &padding, text, column.after],
            };
            line.push_str(&parts.concat());
        }
        page.line(Ink::Plain, line.trim_end());
    }
    for line in more(section).iter().chain(&section.note) {
        page.line(Ink::Faint, &format!("  {line}"));
    }
}

fn more(section: &Section) -> Option<String> {
    let noun = format!("more {}", section.row_noun);
    (section.more > 0).then(|| counted(section.more, &noun))
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Phrase(phrase) => phrase.text(),
        Cell::Count(count) => thousands(*count),
        Cell::Change(change) => format!("({})", signed(*change)),
        Cell::Bar(length) => "#".repeat(*length as usize),
        Cell::LeftOut => String::new(),
    }
}

/// Columns of a text after escaping.
fn width(text: &str) -> usize {
    escape(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Color;
    use crate::render::sample::{class, eventful, moves, pair, work};

    fn shown(summary: &Summary, detail: Detail) -> String {
        let mut page = Page::new(Color::Never);
        write(&mut page, summary, detail);
        page.finish()
    }

    #[test]
    fn sections_of_many_rows_are_tables() {
        insta::assert_snapshot!(shown(&eventful(), Detail::First200), @"
        Other people's work:
          bea            1,200 changed, 8 deleted
          ann                           1 deleted
          cleo               2 changed
          (user unknown)     2 changed

        Left without labels (12 inputs): in-10, in-11, in-12, in-13, in-14, in-15, in-16, in-17, in-18, in-19, 2 more inputs

        Classes:
          car    2,000 ->   796 (-1,204)
          taxi       3 -> 1,207 (+1,204)
          tree       9 ->     0     (-9)
          person     0 ->     5     (+5)

        Relabelled:
          car        -> taxi                  (1,203)
          car        -> a, b, c, d, e, 2 more     (1)
          lorry, van -> truck                     (1)
          x          -> y                         (1)

        Moved (14 annotations):
          IoU 0.3 to 0.4: 1 #####
          IoU 0.5 to 0.6: 2 ##########
          IoU 0.6 to 0.7: 1 #####
          IoU 0.7 to 0.8: 6 ##############################
          IoU 0.9 to 1.0: 2 ##########
          2 moves cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.

        Largest moves:
          in-0 id-0    IoU 0.31
          in-1 red-car IoU 0.52
          in-2 id-2    distance 0.0180
          in-3 id-3    IoU 0.61
          in-4 id-4    IoU 0.72
          in-5 id-5    IoU 0.73
          in-6 id-6    IoU 0.74
          in-7 id-7    IoU 0.75
          in-8 id-8    IoU 0.76
          in-9 id-9    IoU 0.77
        ");
    }

    #[test]
    fn sections_of_few_rows_are_one_line() {
        let summary = Summary {
            others: vec![work(None, 1, 0), work(Some("bea"), 0, 1_000)],
            classes: vec![class("car", 5, 4), class("taxi", 0, 1)],
            relabelled: vec![pair(&["car"], &["taxi"], 1)],
            moved: moves(&[61, 73], 1),
            ..Summary::default()
        };
        insta::assert_snapshot!(shown(&summary, Detail::First200), @"
        Other people's work: bea 1,000 deleted; (user unknown) 1 changed
        Classes: car 5 -> 4 (-1); taxi 0 -> 1 (+1)
        Relabelled: car -> taxi (1)
        Moved (3 annotations): in-0 id-0 IoU 0.61; in-1 red-car IoU 0.73; 1 move cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.
        ");
    }

    #[test]
    fn points_have_distances_and_relabellings_name_what_is_missing() {
        let mut moved = moves(&[61], 0);
        moved.largest.clear();
        moved.distances = [4, 0, 0, 1, 0, 2];
        let summary = Summary {
            relabelled: vec![
                pair(&[], &["wet"], 3),
                pair(&["car"], &[], 2),
                pair(&[], &[], 2),
                pair(&["a"], &["b"], 1),
            ],
            moved,
            ..Summary::default()
        };
        insta::assert_snapshot!(shown(&summary, Detail::First200), @"
        Relabelled:
          (none)          -> wet            (3)
          car             -> (none)         (2)
          (same concepts) -> (other values) (2)
          a               -> b              (1)

        Moved (8 annotations):
          IoU 0.6 to 0.7       : 1 ########
          distance below 0.01  : 4 ##############################
          distance 0.04 to 0.08: 1 ########
          distance 0.16 or more: 2 ###############
        ");
    }

    #[test]
    fn empty_sections_are_left_out() {
        assert_eq!(shown(&Summary::default(), Detail::Full), "");
    }

    #[test]
    fn moves_that_cannot_be_measured_are_counted() {
        let summary = Summary {
            moved: moves(&[], 2),
            ..Summary::default()
        };
        insta::assert_snapshot!(shown(&summary, Detail::First200), @"Moved (2 annotations): 2 moves cannot be measured: the kind of shape or the number of keypoints changed, or a mask is matched by id or key.");
    }

    #[test]
    fn long_tables_are_cut_unless_full_detail_is_requested() {
        let summary = Summary {
            classes: (0..40).map(|n| class(&format!("c{n:02}"), n, 0)).collect(),
            ..Summary::default()
        };
        let short = shown(&summary, Detail::First200);
        assert_eq!(short.lines().count(), 1 + ROWS + 1);
        assert!(
            short.starts_with("Classes:\n  c39 39 -> 0 (-39)\n"),
            "{short}"
        );
        assert!(short.ends_with("\n  28 more concepts\n"), "{short}");
        assert_eq!(shown(&summary, Detail::Full).lines().count(), 41);
    }

    #[test]
    fn long_and_harmful_names_keep_the_table_aligned() {
        let mut summary = Summary {
            classes: (0..4).map(|n| class(&format!("c{n}"), n, 9)).collect(),
            ..Summary::default()
        };
        summary.classes[0].concept = crate::model::ConceptId::new("x".repeat(70_000)).unwrap();
        summary.classes[1].concept = crate::model::ConceptId::new("a\u{200b}b").unwrap();
        insta::assert_snapshot!(shown(&summary, Detail::First200), @r"
        Classes:
          xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… 69,880 more characters, digest bca09f4a 0 -> 9 (+9)
          a\u200bb 1 -> 9 (+8)
          c2       2 -> 9 (+7)
          c3       3 -> 9 (+6)
        ");
    }
}
