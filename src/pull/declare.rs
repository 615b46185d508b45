//! What a manifest says of an observed annotation.
//!
//! Built on [`ObservedAnnotation::content`], so that what the model learns to say is pulled without a word here. Knows
//! nothing of files, and not which annotation is which.

use crate::manifest::write::declarable;
use crate::model::{
    Content, Difference, Extras, Geometry, Json, JsonDifference, Maker, ObservedAnnotation, Status,
    UserId, select_keys,
};

/// Everything of an annotation that a manifest has words for, but for what it need not say: the status of accepted
/// work, and the calling user.
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
        // What there is of concepts and texts may be a part of what the service holds.
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

/// An object as a manifest can declare it; nothing where nothing is left of it.
fn object(json: Option<&Json>) -> Option<Json> {
    declarable(json?)
        .filter(|value| value.as_object().is_some_and(|entries| !entries.is_empty()))
        .map(|value| Json::from_value(&value))
}

/// The declared content with the fields that differ as the remote has them. What is not declared stays so.
pub(super) fn updated(
    declared: &Content,
    observed: &ObservedAnnotation,
    difference: &Difference,
) -> Content {
    let have = observed.content();
    let mut content = declared.clone();
    if difference.geometry {
        content.geometry = match (&declared.geometry, observed.region()) {
            (Some(Geometry::Region(_)), Some(region)) => Some(Geometry::Region(region)),
            _ => have.geometry,
        };
    }
    if difference.frame {
        content.frame = have.frame;
    }
    if !difference.added.is_empty() || !difference.removed.is_empty() {
        content.concepts = have
            .concepts
            .filter(|_| observed.geometry != Geometry::Unmodelled);
    }
    if difference.status {
        content.status = have.status;
    }
    if difference.user {
        content.user = have.user;
    }
    if difference.metadata != JsonDifference::None {
        content.metadata = part(declared.metadata.as_ref(), have.metadata.as_ref());
    }
    if difference.info != JsonDifference::None {
        content.info = part(declared.info.as_ref(), have.info.as_ref());
    }
    let declared = declared.extras.as_deref().cloned().unwrap_or_default();
    let have = have.extras.as_deref().cloned().unwrap_or_default();
    content.extras = Extras {
        track: if difference.track {
            have.track
        } else {
            declared.track
        },
        text: if difference.text {
            have.text
        } else {
            declared.text
        },
        region_value: if difference.region_value {
            have.region_value
        } else {
            declared.region_value
        },
        embed_model_version: if difference.embed_model_version {
            have.embed_model_version
        } else {
            declared.embed_model_version
        },
    }
    .boxed();
    content
}

/// Of the remote's object the keys that are declared, level by level.
fn part(declared: Option<&Json>, have: Option<&Json>) -> Option<Json> {
    let have = object(have)?.to_value();
    let part = select_keys(&declared?.to_value(), &have);
    object(Some(&Json::from_value(&part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn of_free_json_the_declared_keys_are_taken_over() {
        let json = |value: Value| Json::from_value(&value);
        let have = json(json!({"a": 1, "b": {"c": 2, "d": [3]}, "e": "x"}));
        let declared = json(json!({"b": {"c": 0, "gone": 1}, "gone": true, "e": {"was": "map"}}));
        assert_eq!(
            part(Some(&declared), Some(&have)).unwrap().as_str(),
            r#"{"b":{"c":2},"e":"x"}"#
        );
        assert_eq!(part(Some(&json(json!({"z": 1}))), Some(&have)), None);
        assert_eq!(part(Some(&declared), None), None);
    }
}
