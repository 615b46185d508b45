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
    // No data, and data that holds nothing, are the same message.
    let data = observed
        .data
        .as_ref()
        .map(|data| message(data.to_value()))
        .filter(|data| !is_default(data));
    let info = observed
        .info
        .as_ref()
        .map(|info| free(info.to_value()))
        .filter(|info| !is_default(info));
    let user = observed.user.as_ref().map(super::ids::UserId::as_str);
    let whole = serde_json::json!([
        data,
        info,
        user,
        observed.status.code(),
        observed.embed_model_version()
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
                let value = match (key.as_str(), value) {
                    ("metadata", value) => free(value),
                    // A frame's time has 64 bits, which come as text or as a number.
                    ("time", Value::String(text)) => match text.parse::<u64>() {
                        Ok(number) => message(Value::from(number)),
                        Err(_) => Value::String(text),
                    },
                    (_, value) => message(value),
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
    use serde_json::json;

    fn of(data: Option<Value>) -> Fingerprint {
        fingerprint(&ObservedAnnotation {
            id: AnnotationId::new("a").unwrap(),
            geometry: Geometry::Whole,
            frame: None,
            concepts: Concepts::default(),
            status: Status::SUCCESS,
            user: None,
            maker: Maker::User,
            created_at: None,
            data: data.map(|data| Json::from_value(&data)),
            info: None,
            extras: None,
        })
    }

    #[test]
    fn one_annotation_has_one_fingerprint_however_it_is_spelt() {
        for (one, other) in [
            (
                json!({"a": {"value": 0.1}}),
                json!({"a": {"value": 0.100_000_001_490_116_12}}),
            ),
            (
                json!({"a": {"value": 0, "text": "", "list": []}}),
                json!({}),
            ),
            (
                json!({"concepts": [{"id": "a"}, {"id": "b"}]}),
                json!({"concepts": [{"id": "b"}, {"id": "a"}]}),
            ),
            (
                json!({"frame_info": {"time": "5000000000", "number": 1}}),
                json!({"frame_info": {"number": 1.0, "time": 5_000_000_000_u64}}),
            ),
            (
                json!({"frame_info": {"time": "0", "number": 1}}),
                json!({"frame_info": {"number": 1}}),
            ),
            (
                json!({"metadata": {"a": 1, "b": 2}}),
                json!({"metadata": {"b": 2.0, "a": 1}}),
            ),
        ] {
            assert_eq!(
                of(Some(one.clone())),
                of(Some(other.clone())),
                "{one} {other}"
            );
        }
        assert_eq!(of(Some(json!({}))), of(None));
    }

    #[test]
    fn what_means_something_else_has_another_fingerprint() {
        for (one, other) in [
            (json!({"a": {"value": 0.1}}), json!({"a": {"value": 0.2}})),
            (
                json!({"points": [{"row": 0.1}, {"row": 0.2}]}),
                json!({"points": [{"row": 0.2}, {"row": 0.1}]}),
            ),
            (
                json!({"frame_info": {"time": "5000000000"}}),
                json!({"frame_info": {"time": "5000000001"}}),
            ),
            (json!({"metadata": {"a": 0}}), json!({"metadata": {}})),
            (json!({"text": {"raw": "0"}}), json!({"text": {}})),
            (
                json!({"metadata": {"n": 16_777_216}}),
                json!({"metadata": {"n": 16_777_217}}),
            ),
            (
                json!({"concepts": [{"id": "a", "name": "A"}]}),
                json!({"concepts": [{"id": "a"}]}),
            ),
        ] {
            assert_ne!(
                of(Some(one.clone())),
                of(Some(other.clone())),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn it_reads_back() {
        let one = of(None);
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), one);
        for bad in ["\"\"", "\"zz\"", "\"ää\"", "7"] {
            assert!(serde_json::from_str::<Fingerprint>(bad).is_err(), "{bad}");
        }
    }
}
