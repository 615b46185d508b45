//! An observed annotation as manifest content.
//!
//! Built on [`ObservedAnnotation::content`], so that new fields of the model are pulled without a change here.

use super::mask_file::MaskFile;
use crate::manifest::write::{WritableAnnotation, annotation_fields, declarable};
use crate::model::{
    Content, Difference, Extras, Geometry, Identity, Json, JsonDifference, Maker,
    ObservedAnnotation, Status, UserId, select_keys,
};

/// All that a manifest can declare of an annotation, except defaults: the status `success`, and the app's owner as user.
pub(super) fn content(observed: &ObservedAnnotation, app_owner: &UserId) -> Content {
    let mut content = observed.content();
    content.status = content.status.filter(|status| *status != Status::SUCCESS);
    content.user = content.user.filter(|user| user != app_owner);
    content.metadata = object(content.metadata.as_ref());
    content.info = object(content.info.as_ref());
    content.extras = content.extras.and_then(|extras| {
        Extras {
            region_value: extras.region_value.filter(|value| value.get() != 0.0),
            ..*extras
        }
        .boxed()
    });
    if observed.geometry == Geometry::Unmodelled {
        // The concepts and text that were read may be incomplete.
        content = Content {
            status: content.status,
            user: content.user,
            metadata: content.metadata,
            info: content.info,
            ..Content::default()
        };
    }
    if observed.maker == Maker::Input {
        content = Content {
            concepts: content.concepts.filter(|concepts| !concepts.is_empty()),
            status: content.status,
            metadata: content.metadata,
            info: content.info,
            extras: Extras {
                text: content.extras.and_then(|extras| extras.text),
                ..Extras::default()
            }
            .boxed(),
            ..Content::default()
        };
    }
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
    if difference.status {
        content.status = stored.status;
    }
    if difference.user {
        content.user = stored.user;
    }
    if difference.metadata != JsonDifference::None {
        content.metadata = declared_keys(declared.metadata.as_ref(), stored.metadata.as_ref());
    }
    if difference.info != JsonDifference::None {
        content.info = declared_keys(declared.info.as_ref(), stored.info.as_ref());
    }
    let declared = declared.extras.as_deref().cloned().unwrap_or_default();
    let stored = stored.extras.as_deref().cloned().unwrap_or_default();
    content.extras = Extras {
        track: if difference.track {
            stored.track
        } else {
            declared.track
        },
        text: if difference.text {
            stored.text
        } else {
            declared.text
        },
        region_value: if difference.region_value {
            stored.region_value
        } else {
            declared.region_value
        },
        embed_model_version: if difference.embed_model_version {
            stored.embed_model_version
        } else {
            declared.embed_model_version
        },
    }
    .boxed();
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
    content.metadata = content.metadata.filter(|_| is_written("metadata"));
    content.info = content.info.filter(|_| is_written("info"));
    if let Some(mut extras) = content.extras.take() {
        extras.track = extras.track.filter(|_| is_written("track"));
        extras.region_value = extras.region_value.filter(|_| is_written("region_value"));
        extras.text = extras.text.filter(|_| is_written("text"));
        extras.embed_model_version = extras
            .embed_model_version
            .filter(|_| is_written("embed_model_version"));
        content.extras = extras.boxed();
    }
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
