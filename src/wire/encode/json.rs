//! JSON objects and numbers as they are sent.

use crate::model::float;
use serde_json::{Map, Value, json};

pub(super) type Object = Map<String, Value>;

/// A number as it is sent: the shortest digits of the 32-bit float.
pub(super) fn number(value: f32) -> Value {
    json!(float::shortest(value))
}

/// The value as an object; any other value is replaced by an empty object.
pub(super) fn object(value: &mut Value) -> &mut Object {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object just now"),
    }
}
