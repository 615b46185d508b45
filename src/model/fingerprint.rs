//! Fingerprints: whether an annotation is still as a plan saw it.
//!
//! Two listings of the same annotation may spell it differently: 0.1 or 0.10000000149011612, zeros written or left
//! out, keys and concepts in another order. The fingerprint is taken over one canonical spelling.

use super::state::ObservedAnnotation;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// What an annotation was when it was observed: 32 hex digits of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let invalid = || serde::de::Error::custom("a fingerprint is 32 hex digits");
        if text.len() != 32 || !text.is_ascii() {
            return Err(invalid());
        }
        let mut bytes = [0; 16];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| invalid())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

/// The fingerprint of an observed annotation: of its data, user, status, info and embedding model.
pub fn fingerprint(observed: &ObservedAnnotation) -> Fingerprint {
    let data = observed
        .data
        .as_ref()
        .map_or(Value::Null, |data| message(data.to_value()));
    let info = observed
        .info
        .as_ref()
        .map_or(Value::Null, |info| free(info.to_value()));
    let user = observed.user.as_ref().map(super::ids::UserId::as_str);
    let whole = serde_json::json!([
        data,
        info,
        user,
        observed.status.code(),
        observed.embed_model_version
    ]);
    let hash = Sha256::digest(whole.to_string().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Fingerprint(bytes)
}

/// The canonical spelling of a protobuf message: keys sorted, defaults left out, floats short, elements with an id
/// sorted by it. `metadata` is free JSON inside.
fn message(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.into_iter().map(|(key, value)| {
                let value = if key == "metadata" {
                    free(value)
                } else {
                    message(value)
                };
                (key, value)
            });
            sorted(fields.filter(|(_, value)| !is_default(value)).collect())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(message).collect();
            if items
                .iter()
                .all(|item| item.get("id").is_some_and(Value::is_string))
            {
                items.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
            }
            Value::Array(items)
        }
        // Integers beyond 2^24 are no 32-bit floats: counters and times in milliseconds stay exact.
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.abs() < 16_777_216.0 => {
                let short = super::float::shortest(float as f32);
                if short.fract() == 0.0 {
                    Value::from(short as i64)
                } else {
                    Value::from(short)
                }
            }
            _ => Value::Number(number),
        },
        other => other,
    }
}

/// The canonical spelling of free JSON: keys sorted, numbers as 64-bit floats where they have a fraction.
fn free(value: Value) -> Value {
    match value {
        Value::Object(map) => sorted(
            map.into_iter()
                .map(|(key, value)| (key, free(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(free).collect()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        other => other,
    }
}

fn sorted(mut fields: Vec<(String, Value)>) -> Value {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    Value::Object(Map::from_iter(fields))
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, Concepts, Geometry, Json, Maker, Status};

    fn of(data: &str) -> Fingerprint {
        fingerprint(&ObservedAnnotation {
            id: AnnotationId::new("1").unwrap(),
            geometry: Geometry::Whole,
            region: None,
            frame: None,
            concepts: Concepts::default(),
            status: Status::SUCCESS,
            user: None,
            maker: Maker::User,
            created_at: None,
            data: Some(Json::new(data).unwrap()),
            info: None,
            embed_model_version: None,
        })
    }

    #[test]
    fn another_spelling_is_the_same_annotation() {
        let one = of(
            r#"{"concepts":[{"id":"a","value":0.1},{"id":"b","value":0}],"regions":[],"metadata":{"n":1}}"#,
        );
        let other = of(
            r#"{"metadata":{"n":1.0},"concepts":[{"id":"b","name":""},{"value":0.10000000149011612,"id":"a"}]}"#,
        );
        assert_eq!(one, other);
    }

    #[test]
    fn any_change_shows() {
        let texts = [
            r#"{"concepts":[{"id":"a","value":0.1}]}"#,
            r#"{"concepts":[{"id":"a","value":0.2}]}"#,
            r#"{"concepts":[{"id":"a","value":0.1,"name":"A"}]}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"metadata":{}}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"metadata":{"n":0}}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"metadata":{"n":16777217}}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"metadata":{"n":16777216}}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"frames":[{"frame_info":{"time":16777217}}]}"#,
            r#"{"concepts":[{"id":"a","value":0.1}],"frames":[{"frame_info":{"time":16777216}}]}"#,
            r#"{"polygon":[{"row":0},{"row":0.5}]}"#,
            r#"{"polygon":[{"row":0.5},{"row":0}]}"#,
        ];
        let mut all: Vec<String> = texts.iter().map(|text| of(text).to_string()).collect();
        all.sort();
        all.dedup();
        // An empty object says as much as none; every other pair differs.
        assert_eq!(all.len(), texts.len() - 1);
    }

    #[test]
    fn it_reads_back() {
        let one = of("{}");
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), one);
        for bad in ["\"\"", "\"zz\"", "\"ää\"", "7"] {
            assert!(serde_json::from_str::<Fingerprint>(bad).is_err(), "{bad}");
        }
    }
}
