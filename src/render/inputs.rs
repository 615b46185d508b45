//! The inputs that a plan posts, waits for, or deletes.

use super::options::Detail;
use super::page::{Ink, Page};
use super::phrase::Phrase;
use crate::model::{InputId, counted, thousands};
use crate::plan::{Medium, MediumSource, Plan};

/// What is done to one input.
pub(super) struct Line<'a> {
    pub(super) input: &'a InputId,
    pub(super) action: Phrase,
    ink: Ink,
    sign: char,
}

/// Every input of a plan.
pub(super) fn lines(plan: &Plan) -> Vec<Line<'_>> {
    let planned = plan.inputs.iter().map(|input| Line {
        input: &input.input_id,
        action: if input.is_posted() {
            input.media.iter().fold(Phrase::from("post "), medium)
        } else {
            "wait for its processing".into()
        },
        ink: Ink::Added,
        sign: if input.is_posted() { '+' } else { '.' },
    });
    let deleted = plan.deleted_inputs.iter().map(|input| Line {
        input,
        action: "delete with everything on it".into(),
        ink: Ink::Removed,
        sign: '-',
    });
    planned.chain(deleted).collect()
}

fn medium(phrase: Phrase, medium: &Medium) -> Phrase {
    let phrase = phrase.words(format!("{} ", medium.kind.word()));
    match &medium.source {
        MediumSource::File { path, bytes, .. } => phrase
            .name(path)
            .words(format!(" ({})", counted(*bytes, "byte"))),
        MediumSource::Url { url } => phrase.name(url),
        MediumSource::Raw { raw } => phrase.words(format!(
            "({})",
            counted(raw.chars().count() as u64, "character")
        )),
    }
}

/// Writes the section as text.
pub(super) fn write(page: &mut Page, plan: &Plan, detail: Detail) {
    let lines = lines(plan);
    if lines.is_empty() {
        return;
    }
    page.gap();
    page.line(Ink::Heading, "Inputs");
    let limit = detail.limit();
    for line in lines.iter().take(limit) {
        page.put(Ink::Plain, "  ")
            .put(line.ink, &format!("{} {}", line.sign, line.input))
            .put(Ink::Faint, &format!(" {}", line.action.text()))
            .end();
    }
    if lines.len() > limit {
        let more = thousands((lines.len() - limit) as u64);
        page.line(
            Ink::Warning,
            &format!("  and {more} more. See all with --all."),
        );
    }
}
