//! A plan as a pull request comment of limited size. The most important parts come first; counts are always complete.
//!
//! In order: the marker, the headline, what stops the plan, the counts, warnings, the report, deletes, changes that revert the
//! app's, other changes made in the app, and the changes by input with the most destructive first. Each part has a limit in
//! bytes. The changes by input get the rest of the comment, and are cut at the end.

mod blocks;
mod front;
mod lists;
mod pictures;
pub(super) mod span;

use self::blocks::{Align, Form, SECTION, SENTENCE, Table, details};
use self::front::{counts, headline, to_pass, warned};
use self::lists::{destructive, inputs_of, left_alone, reverting};
use self::span::{code, comment, fence_lines, fenced, phrase_in, prose};
use super::filter::Filter;
use super::naming::ShortIds;
use super::notation::digest;
use super::options::Detail;
use super::selection::{Selection, by_action};
use super::sheet_list::SheetList;
use super::{closing, drift, report, warnings};
use crate::model::{counted, thousands};
use crate::plan::{Operation, Plan};
use std::fmt::Write as _;
use url::Url;

/// The maximal size of a comment in bytes. Below GitHub's limit of 65,536, in whichever unit that is counted: a text has at
/// least as many bytes as characters or UTF-16 units.
pub const MARKDOWN_LIMIT: usize = 65_000;

/// Kept free for the sentence about what is left out.
const FOOT: usize = 3_000;
/// Rows of a section.
const ROWS: usize = 30;

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
    let passed = [warnings::Kind::Undecided, warnings::Kind::Passed]
        .map(|kind| warned(&warnings, kind))
        .concat();
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
