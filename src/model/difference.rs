//! What differs between what is declared and what is observed. The one place that knows when they are equal.

use super::annotation::{Content, Extras};
use super::concepts::Concept;
use super::float;
use super::geometry::Geometry;
use super::ids::ConceptId;
use super::json::Json;
use super::shapes::Fraction;
use super::state::ObservedAnnotation;
use serde_json::{Map, Value, json};

/// What has to change. Fields that are not declared never differ.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag a field, each independent of the others"
)]
pub struct Difference {
    /// It lies somewhere else.
    pub geometry: bool,
    /// It lies at another moment of the video.
    pub frame: bool,
    /// Concepts to add, or to give another value.
    pub added: Vec<Concept>,
    /// Concepts to take away.
    pub removed: Vec<ConceptId>,
    /// The state of the labelling work is another.
    pub status: bool,
    /// It is somebody else's.
    pub user: bool,
    /// Its region belongs to another track.
    pub track: bool,
    /// Its text is another.
    pub text: bool,
    /// Its region's own value is another.
    pub region_value: bool,
    /// It is tied to another embedding model.
    pub embed_model_version: bool,
    /// `data.metadata`.
    pub metadata: JsonDifference,
    /// `annotation_info`.
    pub info: JsonDifference,
}

impl Difference {
    /// Whether both are equal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What has to change in an object of free JSON that is managed key by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum JsonDifference {
    /// Nothing.
    #[default]
    None,
    /// Merging this object in is enough.
    Merge(Value),
    /// A list would have to lose or change elements: a merge appends to lists, so the whole has to be written.
    Whole,
}

/// What has to change so that `observed` becomes what `declared` says.
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

/// Whether an annotation is this, all of it and nothing more: a field that `whole` does not have, the annotation does not
/// have either. Only of a place that is not modelled nothing is known.
pub fn is_all_of(whole: &Content, observed: &ObservedAnnotation) -> bool {
    let geometry = match (&whole.geometry, &observed.geometry) {
        (None, Geometry::Unmodelled) => None,
        (geometry, _) => Some(geometry.clone().unwrap_or(Geometry::Whole)),
    };
    let text = |text: Option<&str>| Some(Box::from(text.unwrap_or_default()));
    let complete = Content {
        geometry,
        concepts: Some(whole.concepts.clone().unwrap_or_default()),
        extras: Extras {
            track: text(whole.track()),
            text: text(whole.text()),
            region_value: Fraction::new(f64::from(whole.region_value().unwrap_or(0.0))).ok(),
            embed_model_version: text(whole.embed_model_version()),
        }
        .boxed(),
        // Compared below: what a manifest says of these is not all that may be there.
        metadata: None,
        info: None,
        ..whole.clone()
    };
    let free = |json: Option<Value>| json.filter(|json| !json.is_null() && *json != json!({}));
    let same = |whole: &Option<Json>, observed: Option<Value>| {
        let whole = free(whole.as_ref().map(Json::to_value));
        json_same(
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

/// A service leaves an empty text out, so that one that is not there is the empty one.
fn texts_differ(declared: Option<&str>, observed: Option<&str>) -> bool {
    declared.is_some_and(|text| text != observed.unwrap_or_default())
}

/// An existing region is compared by its id, whatever geometry the service fills in for it.
fn lies_at(geometry: &Geometry, observed: &ObservedAnnotation) -> bool {
    match geometry {
        Geometry::Region(id) => observed.region().as_ref() == Some(id),
        geometry => geometry.same(&observed.geometry),
    }
}

/// What has to be merged into `have` so that every key of `want` is as `want` says; keys that `want` does not name
/// are left alone.
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
                        JsonDifference::Whole => return JsonDifference::Whole,
                    },
                }
            }
            if merge.is_empty() {
                JsonDifference::None
            } else {
                JsonDifference::Merge(Value::Object(merge))
            }
        }
        _ if json_same(want, have) => JsonDifference::None,
        // An object that declares no key manages nothing, and is there as soon as anything is.
        (Value::Object(want), Value::Null) if want.is_empty() => JsonDifference::None,
        (Value::Array(want), Value::Array(have)) if !want.is_empty() && !have.is_empty() => {
            JsonDifference::Whole
        }
        // What a merge does to a value of another type is not documented: the whole is written.
        (Value::Object(_) | Value::Array(_), have) if !have.is_null() && !have.is_array() => {
            JsonDifference::Whole
        }
        (want, Value::Object(_) | Value::Array(_)) if !want.is_array() => JsonDifference::Whole,
        _ => JsonDifference::Merge(want.clone()),
    }
}

/// Equal JSON: numbers by value, so that 1 and 1.0 are the same; objects in any order.
pub fn json_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64().is_some_and(|a| Some(a) == b.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| json_same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Of `have` the keys that `want` has too, at every depth: what of free JSON is managed.
pub fn named(want: &Value, have: &Value) -> Value {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => want
            .iter()
            .filter_map(|(key, want)| Some((key.clone(), named(want, have.get(key)?))))
            .collect::<Map<String, Value>>()
            .into(),
        (_, have) => have.clone(),
    }
}

/// `have` with every key of `want` as `want` says: what an overwrite writes.
pub fn merged(want: &Value, have: Option<&Value>) -> Value {
    match (want, have) {
        (Value::Object(want), Some(Value::Object(have))) => {
            let mut all = have.clone();
            for (key, want) in want {
                let value = merged(want, have.get(key));
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
    use crate::model::{AnnotationId, Maker, ObservedExtras, Status};

    fn content(text: &str) -> Content {
        serde_json::from_str(text).unwrap()
    }

    /// An annotation that is what a manifest would say of it.
    fn observed(text: &str) -> ObservedAnnotation {
        let content = content(text);
        ObservedAnnotation {
            id: AnnotationId::new("a").unwrap(),
            geometry: content.geometry.unwrap_or(Geometry::Whole),
            frame: content.frame,
            concepts: content.concepts.unwrap_or_default(),
            status: Status::SUCCESS,
            user: None,
            maker: Maker::User,
            created_at: None,
            data: content
                .metadata
                .map(|m| Json::from_value(&json!({"metadata": m.to_value()}))),
            info: None,
            extras: ObservedExtras {
                managed: content
                    .extras
                    .map_or_else(Extras::default, |extras| *extras),
                ..ObservedExtras::default()
            }
            .boxed(),
        }
    }

    #[test]
    fn every_kind_of_place_differs_from_another_one_and_not_from_itself() {
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
    fn a_field_that_the_service_leaves_out_is_its_default() {
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
    fn an_annotation_is_all_of_what_has_each_of_its_fields_and_no_other() {
        let base = r#"{"box": {"top": 0, "left": 0, "bottom": 1, "right": 1}, "concepts": {"a": 1}, "status": "success", "#;
        let of = |fields: &str| {
            let text = format!("{base}{fields}}}");
            let text = text.replace(", }", "}");
            (content(&text), observed(&text))
        };
        let plain = of("");
        assert!(is_all_of(&plain.0, &plain.1));
        for more in [
            r#""frame": {"time_ms": 1}"#,
            r#""track": "t""#,
            r#""text": "t""#,
            r#""region_value": 0.5"#,
            r#""embed_model_version": "e""#,
            r#""metadata": {"a": 0}"#,
        ] {
            let (whole, stored) = of(more);
            assert!(is_all_of(&whole, &stored), "{more}");
            assert!(!is_all_of(&whole, &plain.1), "{more} is not there");
            assert!(!is_all_of(&plain.0, &stored), "{more} is there too");
        }
        let mut whole = plain.0.clone();
        whole.concepts = None;
        assert!(!is_all_of(&whole, &plain.1), "it has a concept");
        whole = plain.0.clone();
        whole.status = None;
        assert!(!is_all_of(&whole, &plain.1), "its status is not said");
        whole = plain.0.clone();
        whole.geometry = None;
        assert!(!is_all_of(&whole, &plain.1), "it lies somewhere");
        let mut stored = plain.1.clone();
        stored.user = Some(crate::model::UserId::new("ann").unwrap());
        assert!(!is_all_of(&plain.0, &stored), "it is somebody's");
        stored = plain.1.clone();
        stored.info = Some(Json::from_value(&json!({"a": 1})));
        assert!(!is_all_of(&plain.0, &stored), "it has info");
        stored.info = Some(Json::from_value(&json!({})));
        assert!(is_all_of(&plain.0, &stored), "it says nothing");
        stored.geometry = Geometry::Unmodelled;
        assert!(is_all_of(&whole, &stored), "of its place nothing is known");
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
            (json!({"tags": ["b"]}), JsonDifference::Whole),
            (json!({"tags": "b"}), JsonDifference::Whole),
            (json!({"weather": {"sky": "blue"}}), JsonDifference::Whole),
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
    fn what_is_merged_differs_no_more() {
        let have = json!({"tags": ["a"], "deep": {"x": 1}, "n": 1});
        for want in [
            json!({"tags": ["b"]}),
            json!({"deep": {"y": [1]}}),
            json!({"n": {"m": {}}}),
            json!({"tags": {}}),
        ] {
            assert_eq!(
                json_difference(&want, &merged(&want, Some(&have))),
                JsonDifference::None,
                "{want}"
            );
        }
    }
}
