//! From a difference to the one write that makes it go away: the least destructive that the API has.

use super::body;
use super::types::Action;
use crate::model::{Content, Difference, InputId, Json, JsonDifference, ObservedAnnotation};

/// A write of an existing annotation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Write {
    pub(super) action: Action,
    pub(super) body: Json,
}

/// Chooses the write; nothing when nothing differs.
pub(super) fn write(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Option<Write> {
    let action = choose(observed, content, difference)?;
    let body = match action {
        Action::Replace => body::replacement(input, observed, content, difference),
        Action::Overwrite => body::overwrite(input, observed, content, difference),
        Action::Remove => body::remove(input, observed, difference),
        Action::Merge => body::merge(input, observed, content, difference),
        Action::Post | Action::Delete => {
            unreachable!("an existing annotation that is declared is changed")
        }
    };
    Some(Write { action, body })
}

/// The rows of design's decision list, from the most to the least destructive.
fn choose(
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Option<Action> {
    if difference.is_empty() {
        return None;
    }
    if difference.user || difference.embed_model_version {
        return Some(Action::Replace);
    }
    let besides_concepts = difference.status
        || difference.track
        || difference.text
        || difference.region_value
        || difference.metadata != JsonDifference::None
        || difference.info != JsonDifference::None;
    let needs_whole = difference.geometry
        || difference.frame
        || difference.metadata == JsonDifference::Replace
        || difference.info == JsonDifference::Replace
        || (!difference.added.is_empty() && !difference.removed.is_empty())
        || (!difference.removed.is_empty() && besides_concepts)
        || is_beyond_a_merge(observed, content, difference);
    Some(match () {
        () if needs_whole => Action::Overwrite,
        () if !difference.removed.is_empty() => Action::Remove,
        () => Action::Merge,
    })
}

/// Whether a nested patch cannot make these changes, or would leave something beside them that contradicts them.
fn is_beyond_a_merge(
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> bool {
    let of_region = difference.track || difference.region_value;
    let is_nested = of_region
        || difference.text
        || !difference.added.is_empty()
        || !difference.removed.is_empty();
    if !is_nested {
        return false;
    }
    // Protobuf does not tell a default that is sent from one that is not: a merge of it may do nothing.
    let says_default = (difference.text && content.text() == Some(""))
        || (difference.track && content.track() == Some(""))
        || (difference.region_value && content.region_value() == Some(0.0));
    let route = body::Route::of(observed);
    says_default
        // A nested patch names the region and what is around it by id; without one it would add a second.
        || !route.is_addressable()
        || (of_region && !route.has_region())
        || (difference.text && route.has_more_than_words())
}
