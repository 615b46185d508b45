//! Properties of all declarable contents and all stored annotations.

use super::world::{
    Additions, JsonStyle, additions, declarable, held, lies_in_a_region, spelled, style,
};
use super::{by_id, by_key, declared};
use crate::support::{ME, Remote, bodies, observed, plan};
use annosync::model::{
    Content, Extras, Fraction, Geometry, ObservedAnnotation, ObservedState, RareFields, difference,
    fingerprint,
};
use annosync::plan::Action;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The body of the post for declared content.
fn post(content: &Content) -> Value {
    let plan = plan(&declared(by_key(), content.clone()), &observed(&[]));
    assert_eq!(plan.operations[0].action(), Action::Post);
    bodies(&plan, &observed(&[])).remove(0).unwrap()
}

/// The stored annotation after a post, with the id `1`.
pub(super) fn stored(content: &Content, additions: &Additions, style: &JsonStyle) -> Value {
    let mut annotation = post(content);
    let data = held(annotation["data"].take(), additions);
    annotation["data"] = spelled(&data, style);
    annotation["id"] = json!("1");
    for (field, value) in [("user_id", json!(ME)), ("status", json!({"code": 24150}))] {
        if annotation.get(field).is_none() {
            annotation[field] = value;
        }
    }
    annotation
}

pub(super) fn only(state: &ObservedState) -> &ObservedAnnotation {
    let mut all = state.inputs.values().flatten();
    let only = all.next().unwrap();
    assert!(all.next().is_none());
    only
}

/// The fields of an annotation that the declared one does not have.
fn left_alone(before: &ObservedAnnotation, declared: &Content) -> Content {
    let all = before.content();
    let is_segment = |geometry: Option<&Geometry>| matches!(geometry, Some(Geometry::Segment(_)));
    // A segment has no frame and no region; another kind of geometry removes the frame or region.
    let loses_frame = is_segment(declared.geometry.as_ref());
    let loses_place = declared.frame.is_some() && is_segment(all.geometry.as_ref());
    let keeps_region = lies_in_a_region(all.geometry.as_ref())
        && (declared.geometry.is_none() || lies_in_a_region(declared.geometry.as_ref()));
    let text = |declared: Option<&str>, observed: Option<&str>| match declared {
        None => Some(observed.unwrap_or_default().into()),
        Some(_) => None,
    };
    let rare = RareFields::from(all.rare);
    Content {
        frame: all
            .frame
            .filter(|_| declared.frame.is_none() && !loses_frame),
        geometry: all
            .geometry
            .filter(|_| declared.geometry.is_none() && !loses_place),
        concepts: all.concepts.filter(|_| declared.concepts.is_none()),
        rare: RareFields {
            status: rare.status.filter(|_| declared.status.is_none()),
            user: rare.user.filter(|_| declared.user.is_none()),
            metadata: rare.metadata.filter(|_| declared.metadata.is_none()),
            info: rare.info.filter(|_| declared.info.is_none()),
            extras: Extras {
                track: text(declared.track(), before.track()).filter(|_| keeps_region),
                text: text(declared.text(), before.text()),
                region_value: Fraction::new(f64::from(before.region_value()))
                    .ok()
                    .filter(|_| keeps_region && declared.region_value().is_none()),
                embed_model_version: text(
                    declared.embed_model_version(),
                    before.embed_model_version(),
                ),
            },
        }
        .into(),
    }
}

/// Whether every sent concept has a value.
fn all_values_are_written(body: &Value) -> bool {
    match body {
        Value::Object(fields) => fields.iter().all(|(name, value)| match value {
            Value::Array(concepts) if name == "concepts" => {
                concepts.iter().all(|c| !c["value"].is_null())
            }
            value => name == "metadata" || all_values_are_written(value),
        }),
        Value::Array(items) => items.iter().all(all_values_are_written),
        _ => true,
    }
}

proptest! {
    #[test]
    fn posts_read_back_as_declared(
        content in declarable(), additions in additions(), style in style(),
    ) {
        let annotation = stored(&content, &additions, &style);
        let state = observed(std::slice::from_ref(&annotation));
        let differs = difference(&content, only(&state));
        prop_assert!(differs.is_empty(), "{differs:?}\n{annotation}");
        prop_assert_ne!(&only(&state).geometry, &Geometry::Unmodelled);
        prop_assert!(plan(&declared(by_id("1"), content), &state).is_empty());
    }

    #[test]
    fn the_plan_for_the_read_content_is_empty(
        content in declarable(), additions in additions(), style in style(),
    ) {
        let state = observed(&[stored(&content, &additions, &style)]);
        let same = only(&state).content();
        prop_assert!(plan(&declared(by_id("1"), same), &state).is_empty());
    }

    #[test]
    fn one_write_changes_anything_and_keeps_undeclared_fields(
        is in declarable(), wanted in declarable(), additions in additions(), style in style(),
    ) {
        let mut remote = Remote::new(vec![stored(&is, &additions, &style)]);
        let before = remote.observed();
        let state = declared(by_id("1"), wanted.clone());
        let first = plan(&state, &before);
        remote.apply(&first);
        let after = remote.observed();
        let after = only(&after);
        let differs = difference(&wanted, after);
        prop_assert!(differs.is_empty(), "{differs:?}\n{first:#?}\n{remote:#?}");
        prop_assert!(plan(&state, &remote.observed()).is_empty());
        prop_assert_ne!(&after.geometry, &Geometry::Unmodelled, "{:#?}", remote);
        let left = left_alone(only(&before), &wanted);
        let differs = difference(&left, after);
        prop_assert!(differs.is_empty(), "{differs:?}\n{first:#?}\n{remote:#?}");
        prop_assert_eq!(
            &remote.annotations[0]["data"]["unmodelled"],
            &before_of(only(&before))["unmodelled"]
        );
        for (operation, body) in first.operations.iter().zip(bodies(&first, &before)) {
            let body = body.unwrap();
            prop_assert!(operation.action() == Action::Remove || all_values_are_written(&body), "{body}");
        }
    }

    #[test]
    fn fingerprints_depend_on_content_but_not_on_encoding(
        one in declarable(), other in declarable(), additions in additions(), styles in (style(), style()),
    ) {
        let of = |content: &Content, style: &JsonStyle| {
            let state = observed(&[stored(content, &additions, style)]);
            (fingerprint(only(&state)), only(&state).clone())
        };
        let (spelt_so, first) = of(&one, &styles.0);
        let (spelt_otherwise, second) = of(&one, &styles.1);
        prop_assert_eq!(spelt_so, spelt_otherwise, "{:#?}\n{:#?}", first, second);
        let (another, third) = of(&other, &styles.0);
        let is_same = difference(&third.content(), &first).is_empty()
            && difference(&first.content(), &third).is_empty();
        prop_assert!(is_same || spelt_so != another, "{:#?}\n{:#?}", first, third);
    }
}

fn before_of(annotation: &ObservedAnnotation) -> Value {
    annotation
        .data
        .as_ref()
        .map_or(Value::Null, annosync::model::PackedJson::to_value)
}
