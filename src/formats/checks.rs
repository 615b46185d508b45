//! What the tests of every reader ask of an import.

use super::account::Imported;
use crate::model::Json;

/// Whether every object was either taken over or left out.
pub(super) fn adds_up(imported: &Imported) -> bool {
    let skipped = imported.skipped.iter().filter(|it| it.annotation.is_some());
    imported.taken_over + skipped.count() == imported.annotations
}

/// The codes of what was left out and changed, with their counts.
pub(super) fn codes(imported: &Imported) -> Vec<(&'static str, u64)> {
    let skipped = imported.skipped_by_code().into_iter();
    let skipped = skipped.map(|(code, count)| (code.as_str(), count));
    skipped.chain(notes(imported)).collect()
}

/// The codes of what was changed, with their counts.
pub(super) fn notes(imported: &Imported) -> Vec<(&'static str, u64)> {
    let notes = imported.notes_by_code().into_iter();
    notes.map(|(note, count)| (note.as_str(), count)).collect()
}

/// What was left out: code and detail.
pub(super) fn skips(imported: &Imported) -> Vec<String> {
    let skipped = imported.skipped.iter();
    skipped
        .map(|it| format!("{}: {}", it.code, it.detail))
        .collect()
}

/// The annotations as a manifest has them.
pub(super) fn written(imported: &Imported) -> Vec<String> {
    let annotations = imported.inputs.iter().flat_map(|it| &it.input.annotations);
    annotations
        .map(|it| serde_json::to_string(&it.content).unwrap())
        .collect()
}

/// The place and the metadata of each annotation.
pub(super) fn pieces(imported: &Imported) -> Vec<String> {
    let annotations = imported.inputs.iter().flat_map(|it| &it.input.annotations);
    annotations
        .map(|annotation| {
            let content = &annotation.content;
            let metadata = content.metadata.as_ref().map_or("", Json::as_str);
            let place = serde_json::to_string(&content.geometry).unwrap();
            format!("{place} {metadata}").trim_end().to_owned()
        })
        .collect()
}
