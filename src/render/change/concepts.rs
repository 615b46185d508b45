//! The concepts of a change in words.

use crate::model::{Concept, Concepts, float, thousands};
use crate::render::notation;

/// The concepts, and those before and after if they change. With `is_whole`, a side without concepts has none; otherwise it
/// does not say which there are.
pub(super) fn words(before: Option<&Concepts>, after: Option<&Concepts>, is_whole: bool) -> String {
    let none = |text: String| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text
        }
    };
    match (before, after) {
        (Some(before), Some(after)) if !Concepts::same(before, after) => {
            if before.len().max(after.len()) <= notation::BRIEF {
                let [before, after] = [before, after].map(notation::brief).map(none);
                format!("{before} -> {after}")
            } else {
                changes(before, after)
            }
        }
        (Some(before), None) if is_whole => format!("{} -> none", none(notation::brief(before))),
        (None, Some(after)) if is_whole => format!("none -> {}", none(notation::brief(after))),
        (one, other) => one.or(other).map(notation::brief).unwrap_or_default(),
    }
}

/// The first concepts that stay, and those that are added, removed or get another value.
fn changes(before: &Concepts, after: &Concepts) -> String {
    let with_value = |concept: &Concept| match notation::value_of(concept.value).as_str() {
        "true" => concept.id.to_string(),
        value => format!("{}: {value}", concept.id),
    };
    let is_kept = |concept: &&Concept| {
        let now = after.get(&concept.id);
        now.is_some_and(|now| float::same(now, concept.value))
    };
    let is_new = |concept: &&Concept| {
        let was = before.get(&concept.id);
        !was.is_some_and(|was| float::same(was, concept.value))
    };
    let kept = before.iter().filter(is_kept).count();
    let mut words: Vec<String> = Vec::new();
    let mut left_out: u64 = 0;
    let added = after
        .iter()
        .filter(is_new)
        .map(|it| format!("+{}", with_value(it)));
    let removed = before.iter().filter(|it| after.get(&it.id).is_none());
    for word in added.chain(removed.map(|it| format!("-{}", with_value(it)))) {
        if words.len() < notation::BRIEF {
            words.push(word);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        words.push(format!("{} more changed", thousands(left_out)));
    }
    if kept > 0 {
        words.push(format!("{} unchanged", thousands(kept as u64)));
    }
    words.join(", ")
}
