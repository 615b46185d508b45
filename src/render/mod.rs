//! Plans, outcomes, listings, pulls, diffs, findings and statistics as text, Markdown, HTML and JSON.
//!
//! Pure and deterministic: the same plan gives the same bytes on every machine. Decides nothing about a plan and prints
//! nothing. Text from outside (ids, concepts, metadata, a server's messages) always goes through [`escape`], so that it
//! cannot move the cursor or colour the screen. Uses `manifest`, `plan`, `pull`, `stats` and `model`.

mod calls;
mod change;
mod closing;
mod diff;
mod difference;
mod drift;
mod filter;
mod findings;
mod html;
mod inputs;
mod link;
mod listing;
mod log;
mod log_file;
mod markdown;
mod naming;
mod notation;
mod options;
mod outcome;
mod outcome_document;
mod page;
mod phrase;
mod place;
mod pulled;
mod purge;
mod report;
mod review;
mod rights;
#[cfg(test)]
mod sample;
mod selection;
mod sheet_list;
mod sheets;
mod stats;
mod tables;
mod text;
mod unified;
mod warnings;

use crate::model::escape_json;
pub use crate::model::{counted, escape, escape_lines, thousands};
use crate::plan::{Diff, OutcomeDocument, Plan};
use crate::stats::Stats;
pub use calls::calls;
pub use diff::{DiffOptions, diff_markdown, diff_text};
pub use drift::conflict_list;
pub use filter::{Filter, Kind};
pub use findings::{Unlisted, findings_github, findings_json, findings_sarif};
pub use html::{HtmlOptions, diff_html, html, stats_html, text_html};
pub use listing::Table;
pub use log::{LOG_LINE_START, Logged, log_line};
pub use log_file::{LogFile, log_markdown, log_text};
pub use markdown::{MARKDOWN_LIMIT, MarkdownOptions, markdown, marker};
pub use options::{Detail, SHOWN, TextOptions};
pub use outcome::outcome_text;
pub use outcome_document::{outcome_document_markdown, outcome_document_text};
pub use page::Color;
pub use pulled::{Losses, pull_notes};
pub use review::{ShownInput, Surroundings, shown_of_diff, shown_of_plan};
pub use rights::denied_words;
pub use sheet_list::SheetList;
pub use sheets::{SheetFile, Sheets, diff_sheets, plan_sheets};
pub use stats::{stats_markdown, stats_text};
use std::borrow::Cow;
pub use text::text;
pub use unified::unified;

/// The plan file: pretty JSON that ends with a newline. Control characters are escaped, so that a terminal can show it.
pub fn json(plan: &Plan) -> String {
    document(plan)
}

/// Statistics, in the form of [`json`].
pub fn stats_json(stats: &Stats) -> String {
    document(stats)
}

/// The outcome of an apply, in the form of [`json`].
pub fn outcome_json(saved: &OutcomeDocument) -> String {
    document(saved)
}

/// The outcome of an apply for a webhook, in the form of [`json`]: with a line for people in `text`, and with the first
/// items of each list only; `left_out` counts the others.
pub fn notice_json(saved: &OutcomeDocument) -> String {
    document(&outcome_document::Notice::of(saved))
}

/// A diff, in the form of [`json`].
pub fn diff_json(diff: &Diff) -> String {
    document(diff)
}

/// Any document, in the form of [`json`].
pub fn document(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("names, finite numbers and checked JSON can be written");
    text.push('\n');
    match escape_json(&text) {
        Cow::Owned(safe) => safe,
        Cow::Borrowed(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FailedItem, Outcome};

    #[test]
    fn the_json_of_an_outcome_is_deterministic_and_escaped() {
        let plan = sample::plan(vec![sample::relabelled()]);
        let outcome = Outcome {
            failed: vec![FailedItem::new(
                0,
                &plan.operations[0],
                "no\u{1b}[2J\u{202e}\u{9b}",
            )],
            ..Outcome::default()
        };
        let saved = OutcomeDocument::new(&plan, outcome);
        let text = outcome_json(&saved);
        assert_eq!(text, outcome_json(&saved.clone()));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["failed"][0]["reason"], "no\u{1b}[2J\u{202e}\u{9b}");
        assert_eq!(read["ending"], "failed");
    }

    #[test]
    fn a_plan_file_is_written_alike_every_time_and_reads_back() {
        let plan = sample::plan(vec![sample::relabelled(), sample::deleted("a")]);
        let file = json(&plan);
        assert!(file.ends_with("}\n"));
        assert_eq!(file, json(&plan.clone()));
        let read: Plan = serde_json::from_str(&file).unwrap();
        assert_eq!(read, plan);
        assert_eq!(json(&read), file);
    }
}
