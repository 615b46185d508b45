//! The difference between a declared and an observed annotation. The only place that defines when they are equal.

use super::annotation::{Content, Extras, RareFields};
use super::concepts::Concept;
use super::float;
use super::geometry::Geometry;
use super::ids::ConceptId;
use super::json::Json;
use super::shapes::Fraction;
use super::state::ObservedAnnotation;
use serde_json::{Map, Value, json};

/// The fields that have to change. Undeclared fields never differ.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag a field, each independent of the others"
)]
pub struct Difference {
    pub geometry: bool,
    pub frame: bool,
    /// Concepts to add, and those with a changed value.
    pub added: Vec<Concept>,
    pub removed: Vec<ConceptId>,
    pub status: bool,
    pub user: bool,
    pub track: bool,
    pub text: bool,
    pub region_value: bool,
    pub embed_model_version: bool,
    pub metadata: JsonDifference,
    pub info: JsonDifference,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The difference of a JSON object that is managed key by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum JsonDifference {
    #[default]
    None,
    /// Merging this object is enough.
    Merge(Value),
    /// The whole object has to be written, because a merge only appends to lists and cannot change their elements.
    Replace,
}

/// The changes that make `observed` equal to `declared`.
pub fn difference(declared: &Content, observed: &ObservedAnnotation) -> Difference {
    let mut difference = Difference {
        geometry: declared
            .geometry
            .as_ref()
            .is_some_and(|geometry| !lies_at(geometry, observed)),
        frame: declared.frame.is_some() && declared.frame != observed.frame,
        status: declared
            .status
            .is_some_and(|status| status != observed.status),
        user: declared.user.is_some() && declared.user != observed.user,
        track: texts_differ(declared.track(), observed.track()),
        text: texts_differ(declared.text(), observed.text()),
        region_value: declared
            .region_value()
            .is_some_and(|value| !float::same(value, observed.region_value())),
        embed_model_version: texts_differ(
            declared.embed_model_version(),
            observed.embed_model_version(),
        ),
        ..Difference::default()
    };
    if let Some(concepts) = &declared.concepts {
        let differs = |c: &&Concept| {
            !observed
                .concepts
                .get(&c.id)
                .is_some_and(|value| float::same(value, c.value))
        };
        difference.added = concepts.iter().filter(differs).cloned().collect();
        let gone = observed
            .concepts
            .iter()
            .filter(|c| concepts.get(&c.id).is_none());
        difference.removed = gone.map(|c| c.id.clone()).collect();
    }
    if let Some(metadata) = &declared.metadata {
        difference.metadata = json_difference(
            &metadata.to_value(),
            &observed.metadata().unwrap_or(Value::Null),
        );
    }
    if let Some(info) = &declared.info {
        let have = observed.info.as_ref().map_or(Value::Null, Json::to_value);
        difference.info = json_difference(&info.to_value(), &have);
    }
    difference
}

/// Whether an annotation has all fields of `whole` with equal values, and no others. A geometry that is not modelled
/// is not compared.
pub fn is_exactly(whole: &Content, observed: &ObservedAnnotation) -> bool {
    let geometry = match (&whole.geometry, &observed.geometry) {
        (None, Geometry::Unmodelled) => None,
        (geometry, _) => Some(geometry.clone().unwrap_or(Geometry::Whole)),
    };
    let text = |text: Option<&str>| Some(Box::from(text.unwrap_or_default()));
    let complete = Content {
        geometry,
        concepts: Some(whole.concepts.clone().unwrap_or_default()),
        rare: RareFields {
            extras: Extras {
                track: text(whole.track()),
                text: text(whole.text()),
                region_value: Fraction::new(f64::from(whole.region_value().unwrap_or(0.0))).ok(),
                embed_model_version: text(whole.embed_model_version()),
            },
            status: whole.status,
            user: whole.user.clone(),
            // Compared below: `difference` compares only the declared keys of these.
            metadata: None,
            info: None,
        }
        .into(),
        frame: whole.frame,
    };
    let free = |json: Option<Value>| json.filter(|json| !json.is_null() && *json != json!({}));
    let same = |whole: &Option<Json>, observed: Option<Value>| {
        let whole = free(whole.as_ref().map(Json::to_value));
        json_equal(
            &whole.unwrap_or_default(),
            &free(observed).unwrap_or_default(),
        )
    };
    difference(&complete, observed).is_empty()
        && whole.frame == observed.frame
        && whole.status == Some(observed.status)
        && whole.user == observed.user
        && same(&whole.metadata, observed.metadata())
        && same(&whole.info, observed.info.as_ref().map(Json::to_value))
}

/// The service omits empty texts: absent and empty are equal.
fn texts_differ(declared: Option<&str>, observed: Option<&str>) -> bool {
    declared.is_some_and(|text| text != observed.unwrap_or_default())
}

/// An existing region is compared by its id, because the service may fill in a geometry.
fn lies_at(geometry: &Geometry, observed: &ObservedAnnotation) -> bool {
    match geometry {
        Geometry::Region(id) => observed.region().as_ref() == Some(id),
        geometry => geometry.same(&observed.geometry),
    }
}

/// The object to merge into `have` so that every key of `want` has the wanted value. Other keys stay unchanged.
fn json_difference(want: &Value, have: &Value) -> JsonDifference {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            let mut merge = Map::new();
            for (key, want) in want {
                match have.get(key) {
                    None => {
                        merge.insert(key.clone(), want.clone());
                    }
                    Some(have) => match json_difference(want, have) {
                        JsonDifference::None => {}
                        JsonDifference::Merge(part) => {
                            merge.insert(key.clone(), part);
                        }
                        JsonDifference::Replace => return JsonDifference::Replace,
                    },
                }
            }
            if merge.is_empty() {
                JsonDifference::None
            } else {
                JsonDifference::Merge(Value::Object(merge))
            }
        }
        _ if json_equal(want, have) => JsonDifference::None,
        // An object without keys declares nothing.
        (Value::Object(want), Value::Null) if want.is_empty() => JsonDifference::None,
        (Value::Array(want), Value::Array(have)) if !want.is_empty() && !have.is_empty() => {
            JsonDifference::Replace
        }
        // The API does not document what a merge does to a value of another type.
        (Value::Object(_) | Value::Array(_), have) if !have.is_null() && !have.is_array() => {
            JsonDifference::Replace
        }
        (want, Value::Object(_) | Value::Array(_)) if !want.is_array() => JsonDifference::Replace,
        _ => JsonDifference::Merge(want.clone()),
    }
}

/// Whether two JSON values are equal. Numbers are compared by value (1 equals 1.0), objects in any key order.
pub fn json_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| json_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The part of `have` with the keys of `want`, at every depth: the managed part.
pub fn select_keys(want: &Value, have: &Value) -> Value {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => want
            .iter()
            .filter_map(|(key, want)| Some((key.clone(), select_keys(want, have.get(key)?))))
            .collect::<Map<String, Value>>()
            .into(),
        (_, have) => have.clone(),
    }
}

/// `have` with the values of `want` for all keys of `want`, at every depth: the value that an overwrite sends.
pub fn merge_json(want: &Value, have: Option<&Value>) -> Value {
    match (want, have) {
        (Value::Object(want), Some(Value::Object(have))) => {
            let mut all = have.clone();
            for (key, want) in want {
                let value = merge_json(want, have.get(key));
                all.insert(key.clone(), value);
            }
            Value::Object(all)
        }
        (want, _) => want.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, ObservedExtras};
    use std::sync::Arc;

    fn content(text: &str) -> Content {
        serde_json::from_str(text).unwrap()
    }

    /// The observed annotation with this content.
    fn observed(text: &str) -> ObservedAnnotation {
        let content = content(text);
        let rare = RareFields::from(content.rare);
        ObservedAnnotation {
            id: AnnotationId::new("a").unwrap(),
            geometry: content.geometry.unwrap_or(Geometry::Whole),
            frame: content.frame,
            concepts: content.concepts.unwrap_or_default(),
            created_at: None,
            data: rare
                .metadata
                .map(|m| Json::from_value(&json!({"metadata": m.to_value()})).into()),
            provenance: Arc::default(),
            extras: ObservedExtras {
                managed: rare.extras,
                ..ObservedExtras::default()
            }
            .boxed(),
        }
    }

    #[test]
    fn every_kind_of_geometry_equals_only_itself() {
        let places = [
            r#"{"box": {"top": 0.1, "left": 0, "bottom": 0.5, "right": 1}}"#,
            r#"{"polygon": [[0, 0], [0, 1], [1, 1]]}"#,
            r#"{"point": [0.5, 0.25]}"#,
            r#"{"point": [0.5, 0.26]}"#,
            r#"{"keypoints": [[0.5, 0.25]]}"#,
            r#"{"keypoints": [[0.5, 0.25, "visible"]]}"#,
            r#"{"mask": {"url": "https://example.com/m"}}"#,
            r#"{"mask": {"url": "https://example.com/n"}}"#,
            r#"{"span": {"start": 0, "end": 3, "text": "car"}}"#,
            r#"{"span": {"start": 0, "end": 3, "text": "bus"}}"#,
            r#"{"segment": {"begin": 0, "end": 3}}"#,
            r#"{"segment": {"begin": 0, "end": 3.5}}"#,
            r#"{"region": "r1"}"#,
            r#"{"region": "r2"}"#,
        ];
        for one in places {
            for other in places {
                let difference = difference(&content(one), &observed(other));
                assert_eq!(difference.geometry, one != other, "{one} {other}");
                assert_eq!(difference.is_empty(), one == other, "{one} {other}");
            }
        }
    }

    #[test]
    fn an_omitted_field_equals_its_default() {
        for default in [
            r#"{"text": ""}"#,
            r#"{"track": ""}"#,
            r#"{"region_value": 0}"#,
            r#"{"embed_model_version": ""}"#,
        ] {
            assert!(difference(&content(default), &observed("{}")).is_empty());
        }
        let stored = observed(
            r#"{"text": "t", "track": "t", "region_value": 0.5, "embed_model_version": "e"}"#,
        );
        assert!(difference(&content("{}"), &stored).is_empty());
        let changed = difference(
            &content(r#"{"text": "", "track": "", "region_value": 0, "embed_model_version": ""}"#),
            &stored,
        );
        assert!(changed.text && changed.track && changed.region_value);
        assert!(changed.embed_model_version);
        let close = content(r#"{"text": "t", "region_value": 0.5000001}"#);
        assert!(difference(&close, &stored).is_empty());
        assert!(difference(&content(r#"{"region_value": 0.51}"#), &stored).region_value);
    }

    #[test]
    fn is_exactly_compares_every_field() {
        let base = r#"{"box": {"top": 0, "left": 0, "bottom": 1, "right": 1}, "concepts": {"a": 1}, "status": "success", "#;
        let of = |fields: &str| {
            let text = format!("{base}{fields}}}");
            let text = text.replace(", }", "}");
            (content(&text), observed(&text))
        };
        let plain = of("");
        assert!(is_exactly(&plain.0, &plain.1));
        for more in [
            r#""frame": {"time_ms": 1}"#,
            r#""track": "t""#,
            r#""text": "t""#,
            r#""region_value": 0.5"#,
            r#""embed_model_version": "e""#,
            r#""metadata": {"a": 0}"#,
        ] {
            let (whole, stored) = of(more);
            assert!(is_exactly(&whole, &stored), "{more}");
            assert!(!is_exactly(&whole, &plain.1), "{more} is missing");
            assert!(!is_exactly(&plain.0, &stored), "{more} is extra");
        }
        let mut whole = plain.0.clone();
        whole.concepts = None;
        assert!(!is_exactly(&whole, &plain.1), "an extra concept");
        whole = plain.0.clone();
        whole.rare.change(|rare| rare.status = None);
        assert!(!is_exactly(&whole, &plain.1), "no status");
        whole = plain.0.clone();
        whole.geometry = None;
        assert!(!is_exactly(&whole, &plain.1), "an extra geometry");
        let mut stored = plain.1.clone();
        stored.user = Some(crate::model::UserId::new("ann").unwrap());
        assert!(!is_exactly(&plain.0, &stored), "an extra user");
        stored = plain.1.clone();
        stored.info = Some(Json::from_value(&json!({"a": 1})));
        assert!(!is_exactly(&plain.0, &stored), "extra info");
        stored.info = Some(Json::from_value(&json!({})));
        assert!(is_exactly(&plain.0, &stored), "empty info");
        stored.geometry = Geometry::Unmodelled;
        assert!(is_exactly(&whole, &stored), "an unmodelled geometry");
    }

    #[test]
    fn metadata_is_managed_key_by_key() {
        let have = json!({"weather": "rain", "n": 1, "tags": ["a"], "deep": {"x": 1, "y": 2}});
        for (want, expected) in [
            (json!({"weather": "rain"}), JsonDifference::None),
            (json!({}), JsonDifference::None),
            (
                json!({"n": 1.0, "deep": {"y": 2}, "tags": ["a"]}),
                JsonDifference::None,
            ),
            (
                json!({"weather": "sun"}),
                JsonDifference::Merge(json!({"weather": "sun"})),
            ),
            (
                json!({"deep": {"y": 3, "x": 1}}),
                JsonDifference::Merge(json!({"deep": {"y": 3}})),
            ),
            (
                json!({"new": {}}),
                JsonDifference::Merge(json!({"new": {}})),
            ),
            (
                json!({"tags": []}),
                JsonDifference::Merge(json!({"tags": []})),
            ),
            (json!({"tags": ["b"]}), JsonDifference::Replace),
            (json!({"tags": "b"}), JsonDifference::Replace),
            (json!({"weather": {"sky": "blue"}}), JsonDifference::Replace),
        ] {
            assert_eq!(json_difference(&want, &have), expected, "{want}");
        }
        assert_eq!(
            json_difference(&json!({"a": 1}), &Value::Null),
            JsonDifference::Merge(json!({"a": 1}))
        );
        assert_eq!(
            json_difference(&json!({}), &Value::Null),
            JsonDifference::None
        );
    }

    #[test]
    fn merged_json_has_no_difference() {
        let have = json!({"tags": ["a"], "deep": {"x": 1}, "n": 1});
        for want in [
            json!({"tags": ["b"]}),
            json!({"deep": {"y": [1]}}),
            json!({"n": {"m": {}}}),
            json!({"tags": {}}),
        ] {
            assert_eq!(
                json_difference(&want, &merge_json(&want, Some(&have))),
                JsonDifference::None,
                "{want}"
            );
        }
    }
}
