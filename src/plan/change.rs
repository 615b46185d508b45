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
    let action = choose(observed, difference)?;
    let body = match action {
        Action::Replace => body::replacement(input, observed, content),
        Action::Overwrite => body::overwrite(input, observed, content),
        Action::Remove => body::remove(input, observed, difference),
        Action::Merge => body::merge(input, observed, content, difference),
        Action::Post | Action::Delete => {
            unreachable!("an existing annotation that is declared is changed")
        }
    };
    Some(Write { action, body })
}

/// The rows of design's decision list, from the most to the least destructive.
fn choose(observed: &ObservedAnnotation, difference: &Difference) -> Option<Action> {
    if difference.is_empty() {
        return None;
    }
    if difference.user {
        return Some(Action::Replace);
    }
    let concepts_change = !difference.added.is_empty() || !difference.removed.is_empty();
    let besides_concepts = difference.status
        || difference.metadata != JsonDifference::None
        || difference.info != JsonDifference::None;
    let needs_whole = difference.geometry
        || difference.frame
        || difference.metadata == JsonDifference::Whole
        || difference.info == JsonDifference::Whole
        || (!difference.added.is_empty() && !difference.removed.is_empty())
        || (!difference.removed.is_empty() && besides_concepts)
        // A nested patch names the region and the frame by id; without one it would add a second.
        || (concepts_change && !body::is_addressable(observed));
    Some(match () {
        () if needs_whole => Action::Overwrite,
        () if !difference.removed.is_empty() => Action::Remove,
        () => Action::Merge,
    })
}
