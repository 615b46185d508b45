//! Chooses the write for a difference: the least destructive one that the API has.

use super::operation::{Action, Change, Edit};
use crate::model::{
    Content, Difference, Geometry, InputId, Json, JsonDifference, ObservedAnnotation, merge_json,
};
use crate::wire::encode;

/// A write of an existing annotation.
pub(super) struct Write {
    pub(super) kind: Kind,
    pub(super) body: Json,
}

/// The kinds of writes of an existing annotation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Merge,
    Remove,
    Overwrite,
    Replace,
}

impl Kind {
    pub(super) fn action(self) -> Action {
        match self {
            Self::Merge => Action::Merge,
            Self::Remove => Action::Remove,
            Self::Overwrite => Action::Overwrite,
            Self::Replace => Action::Replace,
        }
    }

    pub(super) fn of(self, edit: Edit) -> Change {
        let edit = Box::new(edit);
        match self {
            Self::Merge => Change::Merge(edit),
            Self::Remove => Change::Remove(edit),
            Self::Overwrite => Change::Overwrite(edit),
            Self::Replace => Change::Replace(edit),
        }
    }
}

/// The write that removes the difference; `None` if nothing differs.
pub(super) fn write(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Option<Write> {
    let kind = choose(observed, content, difference)?;
    let body = match kind {
        Kind::Replace => encode::replacement(input, observed, content, difference),
        Kind::Overwrite => encode::overwrite(input, observed, content, difference),
        Kind::Remove => encode::remove(input, observed, difference),
        Kind::Merge => encode::merge(input, observed, content, difference),
    };
    Some(Write { kind, body })
}

/// From the most to the least destructive.
fn choose(
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Option<Kind> {
    if difference.is_empty() {
        return None;
    }
    if difference.user || difference.embed_model_version {
        return Some(Kind::Replace);
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
        () if needs_whole => Kind::Overwrite,
        () if !difference.removed.is_empty() => Kind::Remove,
        () => Kind::Merge,
    })
}

/// Whether a nested patch cannot make these changes, or would leave data that contradicts them.
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
    // Protobuf cannot tell a default value from an absent one: a merge of it may do nothing.
    let says_default = (difference.text && content.text() == Some(""))
        || (difference.track && content.track() == Some(""))
        || (difference.region_value && content.region_value() == Some(0.0));
    let route = encode::Route::of(observed);
    says_default
        // A nested patch names the region and its frame or segment by id; without an id it would add a second one.
        || !route.is_addressable()
        || (of_region && !route.has_region())
        || (difference.text && route.has_more_than_words())
}

/// The declared fields before and after a change. Free JSON is shown whole, as it will be stored.
pub(super) fn sides(declared: &Content, observed: &ObservedAnnotation) -> (Content, Content) {
    let mut before = observed.content();
    let mut after = declared.clone();
    if let Some(Geometry::Region(_)) = &declared.geometry {
        before.geometry = observed.region().map(Geometry::Region).or(before.geometry);
    }
    let whole = |want: &Option<Json>, have: &Option<Json>| {
        let have = have.as_ref().map(Json::to_value);
        want.as_ref()
            .map(|want| Json::from_value(&merge_json(&want.to_value(), have.as_ref())))
    };
    after.rare.change(|after| {
        after.metadata = whole(&after.metadata, &before.metadata);
        after.info = whole(&after.info, &before.info);
    });
    before.frame = before.frame.filter(|_| declared.frame.is_some());
    before.geometry = before.geometry.filter(|_| declared.geometry.is_some());
    before.concepts = before.concepts.filter(|_| declared.concepts.is_some());
    let extras = before.extras_named_by(declared);
    before.rare.change(|before| {
        before.status.take_if(|_| declared.status.is_none());
        before.user.take_if(|_| declared.user.is_none());
        before.metadata.take_if(|_| declared.metadata.is_none());
        before.info.take_if(|_| declared.info.is_none());
        before.extras = extras;
    });
    (before, after)
}
