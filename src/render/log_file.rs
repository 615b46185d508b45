//! A saved log of an apply, as text and as Markdown.

use super::filter::Kind;
use super::log::LOG_LINE_START;
use super::markdown::{self, MarkdownOptions};
use super::naming::name_alone;
use super::options::TextOptions;
use super::page::{Ink, Page};
use crate::model::{AnnotationId, InputId, JsonFault, Key, counted, thousands};
use crate::plan::{Action, Touched};
use std::collections::BTreeMap;

/// A log of `apply --log`.
#[derive(Debug, Clone)]
pub struct LogFile {
    lines: Vec<Line>,
    /// Lines that were cut off when a run was killed.
    incomplete: u64,
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Line {
    ended: Ended,
    reason: Option<String>,
    touched: Option<Touched>,
    action: LoggedAction,
    input_id: InputId,
    id: Option<AnnotationId>,
    key: Option<Key>,
    annotations: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Applied,
    #[serde(rename = "already_so")]
    AlreadyUpToDate,
    Stale,
    Failed,
    NotAttempted,
}

impl Ended {
    fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadyUpToDate => "already up to date",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::NotAttempted => "not attempted",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Applied | Self::AlreadyUpToDate => Ink::Plain,
            Self::Stale | Self::NotAttempted => Ink::Changed,
            Self::Failed => Ink::Removed,
        }
    }
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoggedAction {
    Purge,
    PostInput,
    WaitForInput,
    DeleteInput,
    #[serde(untagged)]
    Action(Action),
}

impl LogFile {
    /// Reads a log. Incomplete lines are counted and left out; any other line that cannot be read is an error.
    pub fn read(text: &str) -> Result<Self, JsonFault> {
        let mut log = Self {
            lines: Vec::new(),
            incomplete: 0,
        };
        for (at, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(line) => log.lines.push(line),
                // A killed run may leave half a line; the next run starts a new one.
                Err(error)
                    if error.is_eof()
                        && (line.starts_with(LOG_LINE_START)
                            || (!line.is_empty() && LOG_LINE_START.starts_with(line))) =>
                {
                    log.incomplete += 1;
                }
                Err(error) => {
                    return Err(JsonFault {
                        line: at + 1,
                        ..error.into()
                    });
                }
            }
        }
        Ok(log)
    }
}

/// A log as text: a line for each change in the order of the log, and the counts of each result.
pub fn log_text(log: &LogFile, options: &TextOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    let is_shown = |line: &&Line| {
        let kind = match line.action {
            LoggedAction::Purge | LoggedAction::DeleteInput => Kind::Deletes,
            LoggedAction::PostInput | LoggedAction::WaitForInput => Kind::Posts,
            LoggedAction::Action(action) => Kind::of(action),
        };
        options.filter.shows_failure(kind, &line.input_id)
    };
    let shown: Vec<&Line> = log.lines.iter().filter(is_shown).collect();
    let limit = options.detail.limit();
    for line in shown.iter().take(limit) {
        page.line(line.ended.ink(), &words(line));
    }
    if shown.len() > limit {
        let more = counted((shown.len() - limit) as u64, "more change");
        page.line(
            Ink::Plain,
            &format!("{more} not shown. See all with --all."),
        );
    }
    page.gap();
    if let Some(words) = options.filter.words() {
        let (some, all) = (thousands(shown.len() as u64), log.lines.len() as u64);
        let line = format!("Only {words}: {some} of {} shown.", counted(all, "change"));
        page.line(Ink::Warning, &line);
    }
    if log.incomplete > 0 {
        let line = format!(
            "Warning: {} not shown: the run was killed, or the file is truncated.",
            counted(log.incomplete, "incomplete line")
        );
        page.line(Ink::Warning, &line);
    }
    let mut counts: BTreeMap<Ended, u64> = BTreeMap::new();
    for line in &log.lines {
        *counts.entry(line.ended).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(ended, count)| format!("{} {}", thousands(count), ended.words()))
        .collect();
    let all = counted(log.lines.len() as u64, "change");
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(": {}", counts.join(", "))
    };
    page.line(Ink::Plain, &format!("{all}{counts}."));
    page.finish()
}

/// A log as Markdown of at most [`MARKDOWN_LIMIT`](super::MARKDOWN_LIMIT) bytes.
pub fn log_markdown(log: &LogFile, options: &MarkdownOptions) -> String {
    let text = log_text(
        log,
        &TextOptions {
            detail: options.detail,
            filter: options.filter.clone(),
            ..TextOptions::default()
        },
    );
    markdown::of_text("annosync apply: log", &text)
}

fn words(line: &Line) -> String {
    let what = match (line.action, &line.id) {
        (LoggedAction::PostInput, _) => "post".to_owned(),
        (LoggedAction::WaitForInput, _) => "processing".to_owned(),
        (LoggedAction::DeleteInput, _) => "delete".to_owned(),
        (LoggedAction::Purge, _) | (_, None) => "purge".to_owned(),
        (LoggedAction::Action(action), Some(id)) => {
            format!("{action} {}", name_alone(line.key.as_ref(), id))
        }
    };
    let purged = line.annotations.map_or_else(String::new, |count| {
        format!(" ({})", counted(count, "annotation"))
    });
    let reason = line
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    let doubt = match line.touched {
        Some(Touched::Unknown) => "; it may have been written",
        _ => "",
    };
    format!(
        "{}: {what} of input {}{purged}{reason}{doubt}",
        line.ended.words(),
        line.input_id
    )
}
