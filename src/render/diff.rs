//! The difference of two label sets as text and Markdown.

use super::change::difference_words;
use super::difference;
use super::filter::{Filter, Kind};
use super::markdown::markdown_of;
use super::naming::{bracketed_concepts, kind_of};
use super::notation;
use super::options::Detail;
use super::page::{Color, Ink, Page};
use super::report::{Section, sections};
use super::sheet_list::SheetList;
use super::tables;
use crate::model::{counted, thousands};
use crate::plan::{Diff, DiffChange, DiffKind, DiffSummary, InputLabels, Summary};
use std::collections::BTreeSet;

/// Inputs of one side that are named.
const INPUTS: usize = 10;
/// Rows of a section in Markdown.
const ROWS: usize = 30;

/// How a diff is shown.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    pub detail: Detail,
    /// Kinds of differences; none means all.
    pub only: BTreeSet<DiffKind>,
    /// Inputs and concepts.
    pub filter: Filter,
    pub color: Color,
    /// Columns of the terminal; `None` if lines are not wrapped.
    pub width: Option<usize>,
    /// The contact sheets that go with the Markdown.
    pub sheets: Option<SheetList>,
}

impl DiffOptions {
    fn shows(&self, change: &DiffChange) -> bool {
        let contents = change.before.iter().chain(&change.after);
        (self.only.is_empty() || self.only.contains(&change.kind))
            && self
                .filter
                .shows_result(Kind::Patches, &change.input_id, contents)
    }

    fn is_everything(&self) -> bool {
        self.only.is_empty() && self.filter.is_everything()
    }
}

/// The text of a diff. The last line has the counts.
pub fn diff_text(diff: &Diff, options: &DiffOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    write_changes(&mut page, "  ", diff, options);
    for (title, inputs) in [
        ("Added inputs", &diff.added_inputs),
        ("Removed inputs", &diff.removed_inputs),
    ] {
        if !inputs.is_empty() {
            page.gap();
            page.put(Ink::Heading, &format!("{title} ({})", inputs.len()))
                .put(Ink::Plain, &format!(": {}", named(inputs, options.detail)))
                .end();
        }
    }
    tables::write(&mut page, &report_of(&diff.summary), options.detail);
    page.gap();
    page.line(Ink::Plain, &closing(diff));
    page.finish()
}

/// A diff as Markdown of limited size.
pub fn diff_markdown(diff: &Diff, options: &DiffOptions) -> String {
    let plain = DiffOptions {
        color: Color::Never,
        width: None,
        ..options.clone()
    };
    let mut page = Page::new(Color::Never);
    write_changes(&mut page, "", diff, &plain);
    let counts: Vec<(&str, u64)> = diff
        .summary
        .each()
        .map(|(kind, count)| (difference_words(kind), count))
        .into_iter()
        .chain([
            ("unchanged", diff.summary.unchanged),
            ("unknown", diff.summary.unknown),
            ("inputs added", diff.added_inputs.len() as u64),
            ("inputs removed", diff.removed_inputs.len() as u64),
        ])
        .filter(|(_, count)| *count > 0)
        .collect();
    let rows: Vec<Section> = sections(&report_of(&diff.summary), ROWS);
    markdown_of(
        &format!("annosync diff: {}", closing(diff).trim_end_matches('.')),
        &[("old", &diff.old.name), ("new", &diff.new.name)],
        &counts,
        &rows,
        options.sheets.as_ref(),
        &page.finish(),
    )
}

/// The changes that are shown.
pub(super) fn chosen<'a>(diff: &'a Diff, options: &DiffOptions) -> Vec<&'a DiffChange> {
    let changes = diff.changes.iter();
    changes.filter(|change| options.shows(change)).collect()
}

fn write_changes(page: &mut Page, indent: &str, diff: &Diff, options: &DiffOptions) {
    let chosen = chosen(diff, options);
    let shown = &chosen[..chosen.len().min(options.detail.limit())];
    for changes in shown.chunk_by(|a, b| a.input_id == b.input_id) {
        page.gap();
        page.line(Ink::Heading, changes[0].input_id.as_str());
        for change in changes {
            write_change(page, indent, change);
        }
    }
    let more = chosen.len() - shown.len();
    if more > 0 {
        page.gap();
        let line = format!(
            "{} not shown. See all with --full.",
            counted(more as u64, "more difference")
        );
        page.line(Ink::Warning, &line);
    }
    if !options.is_everything() {
        page.gap();
        let line = format!(
            "{} of {} shown.",
            thousands(chosen.len() as u64),
            counted(diff.changes.len() as u64, "difference")
        );
        page.line(Ink::Warning, &line);
    }
}

fn write_change(page: &mut Page, indent: &str, change: &DiffChange) {
    let inner = format!("{indent}    ");
    let (sign, ink) = match change.kind {
        DiffKind::Added => ("+", Ink::Added),
        DiffKind::Removed => ("-", Ink::Removed),
        _ => ("~", Ink::Changed),
    };
    page.put(Ink::Plain, indent)
        .put(ink, &format!("{sign} {}", difference_words(change.kind)))
        .put(Ink::Plain, &format!(" {}", name(change)));
    if let Some(matched) = &change.matched {
        page.put(Ink::Faint, &format!(" ({matched})"));
    }
    page.end();
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => difference::write_whole(page, &inner, before, after),
        (None, None) => {}
        (one, other) => {
            let content = one.as_ref().or(other.as_ref());
            let line = content.map(notation::one_line).unwrap_or_default();
            page.line(ink, &format!("{inner}{line}"));
        }
    }
}

fn name(change: &DiffChange) -> String {
    let content = change.before.as_ref().or(change.after.as_ref());
    let kind = kind_of(content).unwrap_or("whole input");
    let labels = bracketed_concepts(content);
    let id = match (&change.key, &change.id) {
        (Some(key), _) => return key.to_string(),
        (None, Some(id)) => id.as_str(),
        (None, None) => "",
    };
    format!("{kind} {labels}{id}").trim_end().to_owned()
}

/// `a (3 labels), b (1 label), 2 more inputs`.
fn named(inputs: &[InputLabels], detail: Detail) -> String {
    let most = match detail {
        Detail::First200 => INPUTS,
        Detail::Full => usize::MAX,
    };
    let one = |it: &InputLabels| format!("{} ({})", it.input_id, counted(it.annotations, "label"));
    let mut parts: Vec<String> = inputs.iter().take(most).map(one).collect();
    let more = inputs.len().saturating_sub(most);
    if more > 0 {
        parts.push(counted(more as u64, "more input"));
    }
    parts.join(", ")
}

/// The sections that a diff shares with a plan.
fn report_of(summary: &DiffSummary) -> Summary {
    Summary {
        classes: summary.classes.clone(),
        relabelled: summary.relabellings.clone(),
        moved: summary.moves.clone(),
        turned: summary.turns.clone(),
        ..Summary::default()
    }
}

/// The counts without zeros: `3 added, 1 moved; 12 unchanged.`
fn closing(diff: &Diff) -> String {
    let mut counts: Vec<String> = diff
        .summary
        .each()
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| format!("{} {}", thousands(count), difference_words(kind)))
        .collect();
    for (inputs, word) in [
        (&diff.added_inputs, "added"),
        (&diff.removed_inputs, "removed"),
    ] {
        if !inputs.is_empty() {
            counts.push(format!("{} {word}", counted(inputs.len() as u64, "input")));
        }
    }
    let found = if counts.is_empty() {
        "No differences".to_owned()
    } else {
        counts.join(", ")
    };
    let rest: Vec<String> = [
        (diff.summary.unchanged, "unchanged"),
        (diff.summary.unknown, "unknown"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", thousands(count)))
    .collect();
    if rest.is_empty() {
        format!("{found}.")
    } else {
        format!("{found}; {}.", rest.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_names_only_what_there_is() {
        let mut diff = crate::plan::diff(
            &crate::plan::LabelSet::default(),
            &crate::plan::LabelSet::default(),
        );
        assert_eq!(closing(&diff), "No differences.");
        diff.summary.unchanged = 1_815;
        assert_eq!(closing(&diff), "No differences; 1,815 unchanged.");
        diff.summary.added = 3;
        diff.summary.moved = 1;
        diff.summary.unknown = 2;
        diff.removed_inputs = vec![InputLabels {
            input_id: crate::model::InputId::new("a").unwrap(),
            annotations: 1,
        }];
        assert_eq!(
            closing(&diff),
            "3 added, 1 moved, 1 input removed; 1,815 unchanged, 2 unknown."
        );
        assert_eq!(named(&diff.removed_inputs, Detail::First200), "a (1 label)");
    }
}
