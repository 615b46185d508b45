//! Plans, outcomes, listings and pulls -> text and JSON.
//!
//! Pure and deterministic: the same plan gives the same bytes, on every machine. Decides nothing about a plan and
//! prints nothing. Text that came from outside (ids, concepts, metadata, a server's messages) goes through
//! [`escape`] alone, so that it cannot move the cursor or colour the screen. Uses `plan`, `pull` and `model`.

mod account;
mod calls;
mod closing;
mod difference;
mod drift;
mod filter;
mod inputs;
mod listing;
mod log;
mod log_file;
mod markdown;
mod naming;
mod notation;
mod outcome;
mod page;
mod phrase;
mod pulled;
mod purge;
mod report;
mod rights;
#[cfg(test)]
mod sample;
mod selection;
mod tables;
mod text;
mod unified;
mod warnings;

use crate::model::escape_json;
pub use crate::model::{escape, escape_lines};
use crate::plan::{Account, Plan};
pub use account::{account_markdown, account_text};
pub use calls::calls;
pub use drift::conflict_list;
pub use filter::{Filter, Kind};
pub use listing::Table;
pub use log::{LOG_LINE_START, Logged, log_line};
pub use log_file::{LogFile, log_markdown, log_text};
pub use markdown::{MARKDOWN_LIMIT, MarkdownOptions, markdown, marker};
pub use outcome::outcome_text;
pub use page::{Color, counted, thousands};
pub use pulled::{Losses, pull_notes};
pub use rights::denied_words;
use std::borrow::Cow;
pub use text::{Detail, SHOWN, TextOptions, text};
pub use unified::unified;

/// The plan file: pretty JSON with a newline at its end, the same bytes for the same plan. A terminal may show it: what
/// one would obey is escaped.
pub fn json(plan: &Plan) -> String {
    document(plan)
}

/// The account of an apply, written as [`json`] writes a plan.
pub fn outcome_json(account: &Account) -> String {
    document(account)
}

fn document(of: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(of)
        .expect("it holds names, finite numbers and JSON that was checked");
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
    fn an_account_is_the_same_bytes_every_time_and_harmless() {
        let plan = sample::plan(vec![sample::relabelled()]);
        let outcome = Outcome {
            failed: vec![FailedItem::new(
                0,
                &plan.operations[0],
                "no\u{1b}[2J\u{202e}\u{9b}",
            )],
            ..Outcome::default()
        };
        let account = Account::new(&plan, outcome);
        let text = outcome_json(&account);
        assert_eq!(text, outcome_json(&account.clone()));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["failed"][0]["reason"], "no\u{1b}[2J\u{202e}\u{9b}");
        assert_eq!(read["ending"], "failed");
    }

    #[test]
    fn the_plan_file_is_the_same_bytes_every_time_and_reads_back() {
        let plan = sample::plan(vec![sample::relabelled(), sample::deleted("a")]);
        let file = json(&plan);
        assert!(file.ends_with("}\n"));
        assert_eq!(file, json(&plan.clone()));
        let read: Plan = serde_json::from_str(&file).unwrap();
        assert_eq!(read, plan);
        assert_eq!(json(&read), file);
    }
}
