//! What a review lacks of pictures and texts, in sentences.

use crate::model::InputId;
use crate::render::counted;

/// How many inputs a note names.
const NAMED: usize = 3;
/// How many pictures that cannot be read have a note of their own.
const EXPLAINED: usize = 5;

/// What is missing, and why.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) missing: Vec<InputId>,
    pub(super) not_fetched: Vec<InputId>,
    pub(super) unreadable: Vec<(InputId, String)>,
    pub(super) texts: Vec<(InputId, String)>,
    pub(super) long_texts: Vec<InputId>,
    /// The labels declare a size of another ratio.
    pub(super) other_proportions: Vec<InputId>,
    pub(super) many_crops: Vec<InputId>,
    /// The pictures that are not shown because of the limits of their number and of their bytes.
    pub(super) beyond_count: Vec<InputId>,
    pub(super) beyond_bytes: Vec<InputId>,
    pub(super) limits: (usize, u64),
}

impl Notes {
    /// What each input lacks, for its part of a page.
    pub(super) fn of_inputs(&self) -> Vec<(InputId, String)> {
        let mut notes: Vec<(InputId, String)> = Vec::new();
        for (note, ids) in [
            ("no picture was found", &self.missing),
            ("only the URL of its picture is known", &self.not_fetched),
            (
                "its picture was not read: --max-pictures",
                &self.beyond_count,
            ),
            (
                "its picture is not shown: --max-picture-bytes",
                &self.beyond_bytes,
            ),
            ("not every small change is enlarged", &self.many_crops),
            (
                "the picture has different proportions than the labels say, and may be the wrong one",
                &self.other_proportions,
            ),
            ("its text is too long to be shown", &self.long_texts),
        ] {
            notes.extend(ids.iter().map(|id| (id.clone(), note.to_owned())));
        }
        for (what, problems) in [("picture", &self.unreadable), ("text", &self.texts)] {
            let all = problems.iter();
            notes.extend(
                all.map(|(id, why)| (id.clone(), format!("its {what} is not shown: {why}"))),
            );
        }
        notes
    }

    pub(super) fn sentences(self) -> Vec<String> {
        let mut sentences = Vec::new();
        let pictures = |count: usize| counted(count as u64, "picture");
        let (most_pictures, most_bytes) = self.limits;
        if !self.beyond_count.is_empty() {
            let count = pictures(self.beyond_count.len());
            sentences.push(format!(
                "{count} not read: the limit is {most_pictures} (--max-pictures)"
            ));
        }
        if !self.beyond_bytes.is_empty() {
            let count = pictures(self.beyond_bytes.len());
            sentences.push(format!(
                "{count} not shown: the limit is {most_bytes} bytes (--max-picture-bytes)"
            ));
        }
        for (what, ids, rest) in [
            (
                "no picture was found for",
                &self.missing,
                "; --pictures DIR names a folder of pictures",
            ),
            (
                "only URLs are known for the pictures of",
                &self.not_fetched,
                "; --fetch-images fetches them",
            ),
            (
                "not every small change is enlarged in",
                &self.many_crops,
                "",
            ),
            (
                "the picture has different proportions than the labels say, and may be the wrong one, in",
                &self.other_proportions,
                "",
            ),
            ("the text is too long to be shown in", &self.long_texts, ""),
        ] {
            if !ids.is_empty() {
                sentences.push(format!("{what} {}{rest}", named(ids)));
            }
        }
        for (what, problems) in [("picture", self.unreadable), ("text", self.texts)] {
            let all = problems.len();
            let explained = problems.into_iter().take(EXPLAINED);
            sentences.extend(
                explained
                    .map(|(id, why)| format!("the {what} of input `{id}` is not shown: {why}")),
            );
            if all > EXPLAINED {
                let more = counted((all - EXPLAINED) as u64, &format!("more {what}"));
                sentences.push(format!("{more} not shown, for such reasons"));
            }
        }
        sentences
    }
}

/// `2 inputs (a, b)`
fn named(ids: &[InputId]) -> String {
    let names: Vec<&str> = ids.iter().take(NAMED).map(InputId::as_str).collect();
    let more = if ids.len() > NAMED { ", …" } else { "" };
    let count = counted(ids.len() as u64, "input");
    format!("{count} ({}{more})", names.join(", "))
}
