//! A saved outcome of an apply, as text and as Markdown.

use super::filter::{Filter, Kind};
use super::markdown::{self, MarkdownOptions};
use super::options::TextOptions;
use super::outcome;
use super::page::{Ink, Page};
use super::warnings;
use crate::model::counted;
use crate::plan::{Ending, Outcome, OutcomeDocument, Purpose};

/// An outcome as text: its title, the guards that were let pass, what was stale or failed, and the counts in one line.
pub fn outcome_document_text(saved: &OutcomeDocument, options: &TextOptions) -> String {
    let mut page = Page::new(options.color).within(options.width);
    page.line(Ink::Plain, &title(saved));
    for passed in warnings::passed(&saved.passed_guards) {
        page.put(Ink::Warning, &format!("{}: ", passed.kind.word()))
            .put(Ink::Plain, &passed.phrase.text())
            .end();
    }
    page.gap();
    let mut shown = filtered(&saved.outcome, &options.filter);
    let hidden = items(&saved.outcome) - items(&shown);
    let left_out = cut(&mut shown, options.detail.limit());
    outcome::write_items(&mut page, &shown, options.detail);
    if left_out > 0 {
        let more = counted(left_out, "more result");
        page.line(
            Ink::Plain,
            &format!("{more} not shown. See all with --all."),
        );
    }
    if let Some(words) = options.filter.words() {
        let hidden = counted(hidden as u64, "other result");
        page.line(Ink::Warning, &format!("Only {words}: {hidden} not shown."));
    }
    page.line(Ink::Plain, &outcome::counts_line(&saved.outcome));
    page.finish()
}

/// An outcome as a pull request comment of at most [`MARKDOWN_LIMIT`](super::MARKDOWN_LIMIT) bytes.
pub fn outcome_document_markdown(saved: &OutcomeDocument, options: &MarkdownOptions) -> String {
    let text = outcome_document_text(
        saved,
        &TextOptions {
            detail: options.detail,
            filter: options.filter.clone(),
            ..TextOptions::default()
        },
    );
    let ending = format!("annosync apply: {}", ending(saved.ending));
    markdown::of_text(&ending, &text)
}

/// How many items of each list a notice has.
const NOTICED: usize = 20;

/// An outcome for a webhook.
#[derive(serde::Serialize)]
pub(super) struct Notice {
    /// For a chat, whose webhooks show this field.
    text: String,
    #[serde(flatten)]
    saved: OutcomeDocument,
    left_out: u64,
}

impl Notice {
    pub(super) fn of(saved: &OutcomeDocument) -> Self {
        let counts = outcome::counts_line(&saved.outcome);
        let text = format!("annosync: {} {counts}", title(saved));
        let mut saved = saved.clone();
        let left_out = cut(&mut saved.outcome, NOTICED);
        Self {
            text,
            saved,
            left_out,
        }
    }
}

/// Cuts the lists of an outcome, and returns how many items are left out.
fn cut(outcome: &mut Outcome, most: usize) -> u64 {
    let before = items(outcome);
    outcome.stale.truncate(most);
    outcome.failed.truncate(most);
    outcome.stale_purges.truncate(most);
    outcome.failed_purges.truncate(most);
    outcome.failed_inputs.truncate(most);
    outcome.stale_inputs.truncate(most);
    (before - items(outcome)) as u64
}

fn title(saved: &OutcomeDocument) -> String {
    let run = match saved.purpose {
        Purpose::Manifest => "An apply",
        Purpose::Undo => "An undo",
    };
    let target = &saved.target;
    let shard = saved
        .shard
        .map_or_else(String::new, |shard| format!(" shard {shard} of"));
    format!(
        "{run} of{shard} label set {} to app {} of {} at {}: {}.",
        saved.set,
        target.app_id,
        target.user_id,
        target.endpoint,
        ending(saved.ending)
    )
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::NothingToDo => "nothing to do",
        Ending::Applied => "applied",
        Ending::Stale => "applied, except for stale changes",
        Ending::Partial => "applied in part",
        Ending::Failed => "failed",
    }
}

fn items(outcome: &Outcome) -> usize {
    outcome.stale.len()
        + outcome.failed.len()
        + outcome.stale_purges.len()
        + outcome.failed_purges.len()
        + outcome.failed_inputs.len()
        + outcome.stale_inputs.len()
}

/// The results that pass a filter. Concepts of failed operations are not recorded, so a filter of concepts keeps all of
/// them.
fn filtered(outcome: &Outcome, filter: &Filter) -> Outcome {
    let mut shown = outcome.clone();
    shown.stale.retain(|item| {
        let contents = item.now.iter().chain(&item.wanted);
        filter.shows_result(Kind::of(item.action), &item.input_id, contents)
    });
    shown.stale_purges.retain(|item| {
        let contents = item.unplanned.iter().map(|it| &it.now);
        filter.shows_result(Kind::Deletes, &item.input_id, contents)
    });
    shown
        .failed
        .retain(|item| filter.shows_failure(Kind::of(item.action), &item.input_id));
    shown
        .failed_purges
        .retain(|item| filter.shows_failure(Kind::Deletes, &item.input_id));
    shown
        .failed_inputs
        .retain(|item| filter.shows_failure(Kind::Posts, &item.input_id));
    shown
        .stale_inputs
        .retain(|item| filter.shows_failure(Kind::Deletes, &item.input_id));
    shown
}
