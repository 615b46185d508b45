//! The difference of two label sets as text and Markdown.

use super::change::{ShownChange, difference_words};
use super::difference;
use super::filter::{Filter, Kind};
use super::markdown::markdown_of;
use super::naming::ShortIds;
use super::notation;
use super::options::Detail;
use super::page::{Color, Ink, Page};
use super::report::{Section, overview, sections};
use super::sheet_list::SheetList;
use super::tables;
use super::text::{ink, write_line};
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
    pub(super) fn shows(&self, change: &DiffChange) -> bool {
        let contents = change.before.iter().chain(&change.after);
        (self.only.is_empty() || self.only.contains(&change.kind))
            && self
                .filter
                .shows_result(Kind::Patches, &change.input_id, contents)
    }

    pub(super) fn is_everything(&self) -> bool {
        self.only.is_empty() && self.filter.is_everything()
    }
}

/// The text of a diff: the counts, the report, and the differences. The last line has the counts again. Sides without a name
/// have no first line: what calls annosync names them.
pub fn diff_text(diff: &Diff, options: &DiffOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    let names = [&diff.old.name, &diff.new.name];
    if !diff.is_empty() && names.iter().all(|name| !name.is_empty()) {
        let [old, new] = names;
        page.put(Ink::Plain, &format!("From {old} to {new}: "))
            .put(Ink::Heading, &found(diff))
            .put(Ink::Plain, ".")
            .end();
    }
    tables::write(&mut page, &report_of(&diff.summary), options.detail);
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
    if options.detail != Detail::Summary {
        write_changes(&mut page, "  ", diff, options);
    }
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
    if options.detail != Detail::Summary {
        write_changes(&mut page, "", diff, &plain);
    }
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
    let report = report_of(&diff.summary);
    let rows: Vec<Section> = match options.detail {
        Detail::Summary => overview(&report, ROWS),
        _ => sections(&report, ROWS),
    };
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
    let ids = match options.detail {
        Detail::Full => ShortIds::whole(),
        _ => ShortIds::of_differences(&diff.changes.iter().collect::<Vec<_>>()),
    };
    for changes in shown.chunk_by(|a, b| a.input_id == b.input_id) {
        page.gap();
        page.line(Ink::Heading, changes[0].input_id.as_str());
        for change in changes {
            write_change(page, indent, change, (&ids, options.detail));
        }
    }
    let more = chosen.len() - shown.len();
    if more > 0 {
        page.gap();
        let line = format!(
            "{} not shown. See all with --all.",
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

fn write_change(
    page: &mut Page,
    indent: &str,
    change: &DiffChange,
    (ids, detail): (&ShortIds, Detail),
) {
    let shown = ShownChange::of_difference(change, ids);
    write_line(page, indent, &shown);
    if detail != Detail::Full {
        return;
    }
    let inner = format!("{indent}    ");
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => difference::write_whole(page, &inner, before, after),
        (None, None) => {}
        (one, other) => {
            let content = one.as_ref().or(other.as_ref());
            let line = content.map(notation::one_line).unwrap_or_default();
            page.line(ink(shown.sign), &format!("{inner}{line}"));
        }
    }
}

/// `a (3 labels), b (1 label), 2 more inputs`.
fn named(inputs: &[InputLabels], detail: Detail) -> String {
    let most = match detail {
        Detail::Summary | Detail::First200 => INPUTS,
        Detail::All | Detail::Full => usize::MAX,
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
pub(super) fn report_of(summary: &DiffSummary) -> Summary {
    Summary {
        classes: summary.classes.clone(),
        relabelled: summary.relabellings.clone(),
        moved: summary.moves.clone(),
        turned: summary.turns.clone(),
        ..Summary::default()
    }
}

/// What was found, without zeros: `3 added, 1 moved`.
fn found(diff: &Diff) -> String {
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
    if counts.is_empty() {
        "No differences".to_owned()
    } else {
        counts.join(", ")
    }
}

/// The counts without zeros: `3 added, 1 moved; 12 unchanged.`
pub(super) fn closing(diff: &Diff) -> String {
    let found = found(diff);
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
