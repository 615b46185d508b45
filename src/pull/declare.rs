//! An observed annotation as manifest content.
//!
//! Built on [`ObservedAnnotation::content`], so that new fields of the model are pulled without a change here.

use super::mask_file::MaskFile;
use crate::manifest::write::{WritableAnnotation, annotation_fields, declarable};
use crate::model::{
    Content, Difference, Extras, Geometry, Identity, Json, JsonDifference, Maker,
    ObservedAnnotation, RareFields, Status, UserId, select_keys,
};

/// All that a manifest can declare of an annotation, except defaults: the status `success`, and the app's owner as user.
pub(super) fn content(observed: &ObservedAnnotation, app_owner: &UserId) -> Content {
    let mut content = observed.content();
    let mut rare = RareFields::from(std::mem::take(&mut content.rare));
    rare.status = rare.status.filter(|status| *status != Status::SUCCESS);
    rare.user = rare.user.filter(|user| user != app_owner);
    rare.metadata = object(rare.metadata.as_ref());
    rare.info = object(rare.info.as_ref());
    let value = rare.extras.region_value;
    rare.extras.region_value = value.filter(|value| value.get() != 0.0);
    if observed.geometry == Geometry::Unmodelled {
        // The concepts and text that were read may be incomplete.
        content = Content::default();
        rare.extras = Extras::default();
    }
    if observed.maker == Maker::Input {
        content = Content {
            concepts: content.concepts.filter(|concepts| !concepts.is_empty()),
            ..Content::default()
        };
        rare.user = None;
        rare.extras = Extras {
            text: rare.extras.text,
            ..Extras::default()
        };
    }
    content.rare = rare.into();
    content
}

/// The part of an object that a manifest can declare; `None` if that is empty.
fn object(json: Option<&Json>) -> Option<Json> {
    declarable(json?)
        .filter(|value| value.as_object().is_some_and(|entries| !entries.is_empty()))
        .map(|value| Json::from_value(&value))
}

/// The declared content with the values of the app in fields that differ. Undeclared fields stay undeclared.
pub(super) fn updated(
    declared: &Content,
    observed: &ObservedAnnotation,
    difference: &Difference,
) -> Content {
    let stored = observed.content();
    let mut content = declared.clone();
    if difference.geometry {
        content.geometry = match (&declared.geometry, observed.region()) {
            (Some(Geometry::Region(_)), Some(region)) => Some(Geometry::Region(region)),
            _ => stored.geometry,
        };
    }
    if difference.frame {
        content.frame = stored.frame;
    }
    if !difference.added.is_empty() || !difference.removed.is_empty() {
        content.concepts = stored
            .concepts
            .filter(|_| observed.geometry != Geometry::Unmodelled);
    }
    let stored = RareFields::from(stored.rare);
    content.rare.change(|rare| {
        if difference.status {
            rare.status = stored.status;
        }
        if difference.user {
            rare.user = stored.user;
        }
        if difference.metadata != JsonDifference::None {
            rare.metadata = declared_keys(rare.metadata.as_ref(), stored.metadata.as_ref());
        }
        if difference.info != JsonDifference::None {
            rare.info = declared_keys(rare.info.as_ref(), stored.info.as_ref());
        }
        let (extras, stored) = (&mut rare.extras, stored.extras);
        if difference.track {
            extras.track = stored.track;
        }
        if difference.text {
            extras.text = stored.text;
        }
        if difference.region_value {
            extras.region_value = stored.region_value;
        }
        if difference.embed_model_version {
            extras.embed_model_version = stored.embed_model_version;
        }
    });
    content
}

/// The stored object with only the declared keys, at every level.
fn declared_keys(declared: Option<&Json>, stored: Option<&Json>) -> Option<Json> {
    let stored = object(stored)?.to_value();
    let kept = select_keys(&declared?.to_value(), &stored);
    object(Some(&Json::from_value(&kept)))
}

/// The part of a content that the writer of manifests writes for an annotation.
pub(super) fn writable_part(
    identity: &Identity,
    content: Content,
    mask: Option<&MaskFile>,
) -> Content {
    let writable = WritableAnnotation {
        identity: identity.clone(),
        content,
        mask_path: mask.map(|mask| mask.relative_path().into_boxed_str()),
        ignores: Vec::new(),
    };
    let fields = annotation_fields(&writable);
    let mut content = writable.content;
    let is_written = |key: &str| fields.contains_key(key);
    let geometry = content.geometry.as_ref().and_then(key_of);
    content.geometry = content
        .geometry
        .take()
        .filter(|_| geometry.is_some_and(is_written));
    content.frame = content.frame.filter(|_| is_written("frame"));
    content.rare.change(|rare| {
        rare.metadata.take_if(|_| !is_written("metadata"));
        rare.info.take_if(|_| !is_written("info"));
        let extras = &mut rare.extras;
        extras.track.take_if(|_| !is_written("track"));
        extras.region_value.take_if(|_| !is_written("region_value"));
        extras.text.take_if(|_| !is_written("text"));
        let model = &mut extras.embed_model_version;
        model.take_if(|_| !is_written("embed_model_version"));
    });
    content
}

/// The key of a geometry in a manifest.
fn key_of(geometry: &Geometry) -> Option<&'static str> {
    Some(match geometry {
        Geometry::Box(_) => "box",
        Geometry::Polygon(_) => "polygon",
        Geometry::Point(_) => "point",
        Geometry::Keypoints(_) => "keypoints",
        Geometry::Mask(_) => "mask",
        Geometry::Span(_) => "span",
        Geometry::Segment(_) => "segment",
        Geometry::Region(_) | Geometry::RegionOf(_) => "region",
        Geometry::Whole | Geometry::Unmodelled => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn only_declared_keys_of_metadata_are_taken_over() {
        let json = |value: Value| Json::from_value(&value);
        let stored = json(json!({"a": 1, "b": {"c": 2, "d": [3]}, "e": "x"}));
        let declared = json(json!({"b": {"c": 0, "gone": 1}, "gone": true, "e": {"was": "map"}}));
        assert_eq!(
            declared_keys(Some(&declared), Some(&stored))
                .unwrap()
                .as_str(),
            r#"{"b":{"c":2},"e":"x"}"#
        );
        assert_eq!(
            declared_keys(Some(&json(json!({"z": 1}))), Some(&stored)),
            None
        );
        assert_eq!(declared_keys(Some(&declared), None), None);
    }
}
