//! The log of an apply that was kept, read back and shown.

use super::filter::Kind;
use super::log::LOG_LINE_START;
use super::markdown::{self, MarkdownOptions};
use super::naming::name_alone;
use super::page::{Ink, Page, counted, thousands};
use super::text::{Detail, SHOWN, TextOptions};
use crate::model::{AnnotationId, InputId, JsonFault, Key};
use crate::plan::{Action, Touched};
use std::collections::BTreeMap;

/// What `apply --log` wrote.
#[derive(Debug, Clone)]
pub struct LogFile {
    lines: Vec<Line>,
    /// Lines that break off: the run died while it wrote them.
    breaks_off: u64,
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Line {
    ended: Ended,
    reason: Option<String>,
    touched: Option<Touched>,
    action: What,
    input_id: InputId,
    id: Option<AnnotationId>,
    key: Option<Key>,
    annotations: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Applied,
    AlreadySo,
    Stale,
    Failed,
    NotAttempted,
}

impl Ended {
    fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadySo => "already so",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::NotAttempted => "not attempted",
        }
    }

    fn ink(self) -> Ink {
        match self {
            Self::Applied | Self::AlreadySo => Ink::Plain,
            Self::Stale | Self::NotAttempted => Ink::Changed,
            Self::Failed => Ink::Removed,
        }
    }
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Purge,
    PostInput,
    WaitForInput,
    DeleteInput,
    #[serde(untagged)]
    Action(Action),
}

impl LogFile {
    /// Reads a log. A line that breaks off is left out; any other line that cannot be read is an error.
    pub fn read(text: &str) -> Result<Self, JsonFault> {
        let mut log = Self {
            lines: Vec::new(),
            breaks_off: 0,
        };
        for (at, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(line) => log.lines.push(line),
                // A run that dies may leave half a line; the next run begins another one.
                Err(error)
                    if error.is_eof()
                        && (line.starts_with(LOG_LINE_START)
                            || (!line.is_empty() && LOG_LINE_START.starts_with(line))) =>
                {
                    log.breaks_off += 1;
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

/// A log as text: a line for each change, in the order in which they ended, and how many ended how.
pub fn log_text(log: &LogFile, options: &TextOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    let is_shown = |line: &&Line| {
        let kind = match line.action {
            What::Purge | What::DeleteInput => Kind::Deletes,
            What::PostInput | What::WaitForInput => Kind::Posts,
            What::Action(action) => Kind::of(action),
        };
        options.filter.shows_failure(kind, &line.input_id)
    };
    let shown: Vec<&Line> = log.lines.iter().filter(is_shown).collect();
    let most = match options.detail {
        Detail::First200 => SHOWN,
        Detail::Full => usize::MAX,
    };
    for line in shown.iter().take(most) {
        page.line(line.ended.ink(), &words(line));
    }
    if shown.len() > most {
        let more = counted((shown.len() - most) as u64, "more change");
        page.line(Ink::Plain, &format!("and {more}; --full shows them"));
    }
    page.gap();
    if let Some(words) = options.filter.words() {
        let (some, all) = (thousands(shown.len() as u64), log.lines.len() as u64);
        let line = format!("Only {words}: {some} of {} shown.", counted(all, "change"));
        page.line(Ink::Warning, &line);
    }
    if log.breaks_off > 0 {
        let lines = counted(log.breaks_off, "line");
        let (is, it) = if log.breaks_off == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        let line = format!(
            "Warning: {lines} {is} cut off and not shown: the run ended while it wrote {it}, or the file is not whole."
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

/// A log as Markdown, of [`MARKDOWN_LIMIT`](super::MARKDOWN_LIMIT) at most.
pub fn log_markdown(log: &LogFile, options: &MarkdownOptions) -> String {
    let text = log_text(
        log,
        &TextOptions {
            filter: options.filter.clone(),
            ..TextOptions::default()
        },
    );
    markdown::of_text("annosync apply: log", &text)
}

fn words(line: &Line) -> String {
    let what = match (line.action, &line.id) {
        (What::PostInput, _) => "post".to_owned(),
        (What::WaitForInput, _) => "processing".to_owned(),
        (What::DeleteInput, _) => "delete".to_owned(),
        (What::Purge, _) | (_, None) => "purge".to_owned(),
        (What::Action(action), Some(id)) => {
            format!("{action} {}", name_alone(line.key.as_ref(), id))
        }
    };
    let gone = line.annotations.map_or_else(String::new, |count| {
        format!(" ({})", counted(count, "annotation"))
    });
    let reason = line
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    let doubt = match line.touched {
        Some(Touched::Perhaps) => "; it may have been written",
        _ => "",
    };
    format!(
        "{}: {what} of input {}{gone}{reason}{doubt}",
        line.ended.words(),
        line.input_id
    )
}
