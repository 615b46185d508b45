//! A plan as a pull request comment of limited size. The most important parts come first; counts are always complete.
//!
//! In order: the marker, the headline, what stops the plan, the counts, warnings, the report, deletes, changes that revert the
//! app's, other changes made in the app, and the changes by input with the most destructive first. Each part has a limit in
//! bytes. The changes by input get the rest of the comment, and are cut at the end.

mod blocks;
mod pictures;
pub(super) mod span;

use self::blocks::{Align, Form, Table, details};
use self::span::{code, comment, fence_lines, fenced, phrase_in, prose};
use super::filter::Filter;
use super::naming::ShortIds;
use super::notation::digest;
use super::options::Detail;
use super::phrase::Phrase;
use super::selection::{Selection, by_action};
use super::sheet_list::SheetList;
use super::warnings::{self, Warning};
use super::{closing, drift, inputs, purge, report};
use crate::model::{counted, plural, thousands};
use crate::plan::{AppChange, Operation, Plan, Purpose};
use std::fmt::Write as _;
use url::Url;

/// The maximal size of a comment in bytes. Below GitHub's limit of 65,536, in whichever unit that is counted: a text has at
/// least as many bytes as characters or UTF-16 units.
pub const MARKDOWN_LIMIT: usize = 65_000;

/// Limits of the parts, in bytes.
const WARNED: usize = 6_000;
const DESTRUCTIVE: usize = 9_000;
const DRIFT_TABLE: usize = 5_000;
const DRIFT_DETAILS: usize = 7_000;
const KEPT: usize = 5_000;
const SECTION: usize = 3_000;
/// A sentence with names in it.
const SENTENCE: usize = 2_000;
/// Kept free for the sentence about what is left out.
const FOOT: usize = 3_000;
/// Rows of a section.
const ROWS: usize = 30;
/// Rows of deletes and of reverting changes; more would not fit.
const MANY_ROWS: usize = 200;

/// How a plan is shown as Markdown.
#[derive(Debug, Clone, Default)]
pub struct MarkdownOptions {
    /// How much of each change. The size limits how many are shown.
    pub detail: Detail,
    /// Which changes.
    pub filter: Filter,
    /// Where the complete plan is: a URL, or words (`the artifact plan.json of this run`).
    pub full_plan: Option<String>,
    /// The contact sheets that go with the comment.
    pub sheets: Option<SheetList>,
}

/// The first line of the comment, an HTML comment by which a bot finds the comment to update. It names the label set and the
/// app.
pub fn marker(plan: &Plan) -> String {
    // Names that are longer than any real one are replaced by a hash.
    const LONGEST: usize = 200;
    const WHOLE: usize = 32;
    let name = |text: &str| {
        let name = comment(text);
        if name.len() <= LONGEST {
            return name;
        }
        format!("sha256%{}", digest(text, WHOLE))
    };
    format!(
        "<!-- annosync:plan {} {}/{} -->",
        name(plan.set.as_str()),
        name(&plan.target.user_id),
        name(&plan.target.app_id),
    )
}

/// A plan as Markdown of at most [`MARKDOWN_LIMIT`] bytes.
pub fn markdown(plan: &Plan, options: &MarkdownOptions) -> String {
    let selection = Selection::of(plan, &options.filter);
    let mut builder = CommentBuilder::new(format!("{}\n", marker(plan)));
    let warnings = warnings::all(plan);
    let mut stopped = warned(&warnings, warnings::Kind::Stopped);
    stopped.push_str(&to_pass(plan));
    let passed = warned(&warnings, warnings::Kind::Passed);
    let warned = [warnings::Kind::Note, warnings::Kind::Warning]
        .map(|kind| warned(&warnings, kind))
        .concat();
    if plan.is_empty() {
        let about = phrase_in(&closing::about(plan), SENTENCE);
        builder.push(&format!("{}\n\n{about}.\n\n", closing::line(plan)));
    } else {
        builder.push(&headline(plan));
    }
    builder.push(&stopped);
    builder.push(&passed);
    if !plan.is_empty() {
        builder.push(&counts(plan));
    }
    builder.push(&warned);
    if let Some(none) = drift::none(plan) {
        builder.push(&format!("{}\n\n", phrase_in(&none, SENTENCE)));
    }
    if let Some(words) = selection.filter_note(&options.filter) {
        let words = phrase_in(&words, SENTENCE);
        builder.push(&format!("**Filtered.** {words}\n\n"));
    }
    let sections = match options.detail {
        Detail::Summary => report::overview(&plan.summary, ROWS),
        _ => report::sections(&plan.summary, ROWS),
    };
    for section in sections {
        builder.push(&blocks::section(&section, SECTION));
    }
    let drawn = options.sheets.as_ref().map(pictures::section);
    if options.detail == Detail::Summary {
        builder.push(&drawn.unwrap_or_default());
        return builder.finish(&[], options);
    }
    let form = Form {
        ids: match options.detail {
            Detail::Full => ShortIds::whole(),
            _ => ShortIds::of_plan(plan),
        },
        detail: options.detail,
        target: &plan.target,
    };
    builder.push(&inputs_of(plan));
    builder.push(&destructive(&selection, &form));
    builder.push(&drawn.unwrap_or_default());
    let (part, mut left_out) = reverting(plan, &selection, &form);
    builder.push(&part);
    builder.push(&left_alone(plan, &selection, &form));
    if !selection.ordinary.is_empty() {
        let details = details(&selection.ordinary, &form, builder.remaining());
        if !details.text.is_empty() {
            builder.push("### Changes by input\n\n");
            builder.push(&details.text);
        }
        left_out.extend(details.left_out);
    }
    builder.finish(&left_out, options)
}

/// A heading and a text as a code block, of at most [`MARKDOWN_LIMIT`] bytes.
pub(super) fn of_text(heading: &str, text: &str) -> String {
    let lines = fence_lines(text, MARKDOWN_LIMIT - FOOT);
    format!("## {heading}\n\n{}", fenced("text", &lines))
}

/// A heading, names, counts, sections, contact sheets, and a difference as a code block, of at most [`MARKDOWN_LIMIT`] bytes.
pub(super) fn markdown_of(
    heading: &str,
    names: &[(&str, &str)],
    numbers: &[(&str, u64)],
    sections: &[report::Section],
    sheets: Option<&SheetList>,
    difference: &str,
) -> String {
    let mut builder = CommentBuilder::new(format!("## {heading}\n\n"));
    let names: Vec<String> = names
        .iter()
        .map(|(word, name)| format!("{word}: {}", code(name)))
        .collect();
    builder.push(&format!("{}\n\n", names.join(", ")));
    let (titles, counts): (Vec<&str>, Vec<String>) = numbers
        .iter()
        .map(|(title, count)| (*title, thousands(*count)))
        .unzip();
    if !titles.is_empty() {
        let table = Table {
            titles: &titles,
            align: vec![Align::Right; titles.len()],
            rows: vec![counts],
            more: 0,
            row_noun: "",
        };
        builder.push(&format!("{}\n", table.write(SECTION)));
    }
    for section in sections {
        builder.push(&blocks::section(section, SECTION));
    }
    if let Some(sheets) = sheets {
        builder.push(&pictures::section(sheets));
    }
    if !difference.is_empty() {
        let left = builder.remaining().saturating_sub(FOOT);
        builder.push(&fenced("diff", &fence_lines(difference, left)));
    }
    format!("{}\n", builder.text.trim_end())
}

/// The comment so far. [`FOOT`] bytes stay free.
struct CommentBuilder {
    text: String,
    skipped: u64,
}

impl CommentBuilder {
    fn new(text: String) -> Self {
        Self { text, skipped: 0 }
    }

    /// Bytes for details under a heading of their own.
    fn remaining(&self) -> usize {
        const HEADING: usize = 100;
        MARKDOWN_LIMIT.saturating_sub(self.text.len() + FOOT + HEADING)
    }

    /// Adds a part, or counts it as skipped if it is too long. The limits of the parts make that rare.
    fn push(&mut self, part: &str) {
        if self.text.len() + part.len() + FOOT > MARKDOWN_LIMIT {
            self.skipped += 1;
        } else {
            self.text.push_str(part);
        }
    }

    /// Adds a sentence about what is left out, and where to find it.
    fn finish(self, left_out: &[&Operation], options: &MarkdownOptions) -> String {
        let Self { mut text, skipped } = self;
        let place = options.full_plan.as_deref().map(place);
        let mut missing = Vec::new();
        if !left_out.is_empty() {
            missing.push(format!(
                "{} ({})",
                counted(left_out.len() as u64, "change"),
                by_action(left_out.iter().copied())
            ));
        }
        if skipped > 0 {
            missing.push(counted(skipped, "part"));
        }
        if !missing.is_empty() {
            let place = place.unwrap_or_else(|| {
                "the plan file and `annosync plan --all` have everything".to_owned()
            });
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "**Left out because of the size limit: {}.** The counts above include them; {place}.",
                missing.join(", "),
            );
        } else if let Some(place) = place {
            let _ = writeln!(text, "For the complete plan, {place}.");
        }
        format!("{}\n", text.trim_end())
    }
}

fn headline(plan: &Plan) -> String {
    let actions = closing::actions(&plan.summary);
    let what = match plan.purpose {
        Purpose::Manifest => "annosync plan",
        Purpose::Undo => "annosync undo",
    };
    format!(
        "## {what}: {}\n\n{}. {}.\n\n",
        actions.join(", "),
        phrase_in(&closing::about(plan), SENTENCE),
        closing::forecast(&plan.summary),
    )
}

/// The counts of the summary that are not 0.
fn counts(plan: &Plan) -> String {
    let summary = &plan.summary;
    let held = summary.held_back;
    let counts = [
        ("post", summary.actions.post),
        ("merge", summary.actions.merge),
        ("overwrite", summary.actions.overwrite),
        ("remove", summary.actions.remove),
        ("replace", summary.actions.replace),
        ("delete", summary.actions.delete),
        ("unchanged", summary.unchanged),
        ("unmanaged", summary.unmanaged),
        ("inputs posted", summary.posted_inputs),
        ("inputs awaited", summary.awaited_inputs),
        ("inputs deleted", summary.deleted_inputs),
        ("new concepts", summary.new_concepts.len() as u64),
        ("inputs purged", summary.purge),
        ("annotations purged", summary.purged),
        ("of other sets", summary.other_sets),
        ("ambiguous", summary.ambiguous),
        ("changed in the app", summary.drift.unwrap_or_default()),
        ("reverted", summary.reverted),
        ("conflicts", summary.conflicts.unwrap_or_default()),
        ("changes held back", held.updates),
        ("deletes held back", held.deletes),
        ("left alone", held.drift),
        ("unreadable", summary.unreadable),
        ("uncertain, held back", held.unreadable),
    ];
    let (titles, counts): (Vec<&str>, Vec<String>) = counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(title, count)| (title, thousands(count)))
        .unzip();
    let table = Table {
        titles: &titles,
        align: vec![Align::Right; titles.len()],
        rows: vec![counts],
        more: 0,
        row_noun: "",
    };
    format!("{}\n", table.write(SECTION))
}

/// The warnings of one kind, each a paragraph of a block quote.
fn warned(warnings: &[Warning], kind: warnings::Kind) -> String {
    let mut text = String::new();
    let mut more = 0;
    for warning in warnings.iter().filter(|it| it.kind == kind) {
        let words = phrase_in(&warning.phrase, SENTENCE);
        let mut line = format!("> **{}:** {words}\n", kind.word());
        if !warning.lines.is_empty() {
            let lines = fence_lines(&warning.lines.join("\n"), SENTENCE);
            for line_of_fence in fenced("yaml", &lines).lines() {
                let _ = writeln!(line, "> {line_of_fence}");
            }
        }
        if !text.is_empty() && text.len() + line.len() > WARNED {
            more += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(">\n");
        }
        text.push_str(&line);
    }
    if more > 0 {
        let _ = writeln!(text, ">\n> {} more.", thousands(more));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// The labels that let a stopped plan pass in a pipeline.
fn to_pass(plan: &Plan) -> String {
    let labels: Vec<String> = warnings::labels(plan).into_iter().map(code).collect();
    if labels.is_empty() {
        return String::new();
    }
    format!(
        "If this is intended, set the {} {} on this pull request or merge request, and run its pipeline again.\n\n",
        plural(labels.len() as u64, "label", "labels"),
        labels.join(" and ")
    )
}

fn inputs_of(plan: &Plan) -> String {
    const TITLES: [&str; 2] = ["input", "change"];
    let lines = inputs::lines(plan);
    let rows: Vec<_> = lines
        .iter()
        .take(MANY_ROWS)
        .map(|line| vec![code(line.input.as_str()), phrase_in(&line.action, SENTENCE)])
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let table = Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (lines.len() - rows.len()) as u64,
        rows,
        row_noun: "input",
    };
    format!("### Inputs\n\n{}\n", table.write(SECTION))
}

/// Purges, deletes and replacements.
fn destructive(selection: &Selection<'_>, form: &Form<'_>) -> String {
    const TITLES: [&str; 4] = ["input", "change", "user", "reason"];
    let deletes = blocks::destructive(&selection.ordinary);
    let all = selection.purges.len() + deletes.len();
    if all == 0 {
        return String::new();
    }
    let purges = selection.purges.iter().map(|purge| {
        vec![
            code(purge.input_id.as_str()),
            format!("purge: {}", purge::extent(purge)),
            phrase_in(&purge::makers(purge), SENTENCE),
            "`purge: true`".to_owned(),
        ]
    });
    let deletes = deletes
        .into_iter()
        .map(|operation| blocks::row_of_delete(operation, form));
    let rows: Vec<_> = purges.chain(deletes).take(MANY_ROWS).collect();
    let table = Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (all - rows.len()) as u64,
        rows,
        row_noun: "change",
    };
    format!("### Deletes\n\n{}\n", table.write(DESTRUCTIVE))
}

/// The changes that revert something, and those of them that do not fit.
fn reverting<'a>(
    plan: &Plan,
    selection: &Selection<'a>,
    form: &Form<'_>,
) -> (String, Vec<&'a Operation>) {
    let Some(count) = selection.reverting_words(plan) else {
        return (String::new(), Vec::new());
    };
    let heading = format!(
        "### {}\n\n{count}.\n\n",
        phrase_in(&drift::heading(plan), SENTENCE)
    );
    if selection.reverting.is_empty() {
        return (heading, Vec::new());
    }
    let table = drift_table(&selection.reverting, form);
    let details = details(&selection.reverting, form, DRIFT_DETAILS);
    let text = format!("{heading}{}\n{}", table.write(DRIFT_TABLE), details.text);
    (text, details.left_out)
}

/// Changes made in the app: conflicts without a decision, and changes that are left alone.
fn left_alone(plan: &Plan, selection: &Selection<'_>, form: &Form<'_>) -> String {
    let part = |heading: &Phrase, words: &Phrase, changes: &[&AppChange], limit| {
        format!(
            "### {}\n\n{}\n\n{}\n",
            phrase_in(heading, SENTENCE),
            phrase_in(words, SENTENCE),
            app_changes(changes, form).write(limit),
        )
    };
    let mut text = String::new();
    let undecided = plan.summary.undecided;
    if undecided > 0 {
        let (heading, words) = (drift::undecided_heading(plan), drift::undecided_words(plan));
        text.push_str(&part(&heading, &words, &selection.undecided, DRIFT_TABLE));
    }
    if plan.summary.held_back.drift > undecided {
        let (heading, words) = (drift::kept_heading(plan), drift::kept_words(plan));
        text.push_str(&part(&heading, &words, &selection.kept, KEPT));
    }
    text
}

fn app_changes(changes: &[&AppChange], form: &Form<'_>) -> Table<'static> {
    const TITLES: [&str; 4] = ["input", "change in the app", "user, last write", "details"];
    let rows: Vec<_> = changes
        .iter()
        .take(MANY_ROWS)
        .map(|change| blocks::row_of_app_change(change, form))
        .collect();
    Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (changes.len() - rows.len()) as u64,
        rows,
        row_noun: "annotation",
    }
}

fn drift_table(operations: &[&Operation], form: &Form<'_>) -> Table<'static> {
    const TITLES: [&str; 3] = ["input", "change", "user, last write"];
    let rows: Vec<_> = operations
        .iter()
        .take(MANY_ROWS)
        .map(|operation| blocks::row_of_drift(operation, form))
        .collect();
    Table {
        titles: &TITLES,
        align: vec![Align::Left; TITLES.len()],
        more: (operations.len() - rows.len()) as u64,
        rows,
        row_noun: "change",
    }
}

/// A link if it is a URL, else the words.
fn place(full_plan: &str) -> String {
    /// Longer URLs are not made links.
    const LONGEST: usize = 1_500;
    let url = Url::parse(full_plan).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    match url.map(String::from) {
        // Nothing else ends a link in angle brackets.
        Some(url) if url.len() <= LONGEST && !url.contains(['<', '>', '\\']) => {
            format!("see [the complete plan](<{url}>)")
        }
        _ => format!("see {}", prose(full_plan)),
    }
}

#[cfg(test)]
pub(super) mod hostile;
#[cfg(test)]
mod tests;
