//! Whether an annotation is stored as it was sent.
//!
//! The service adds ids to parts that were sent without one, and names to concepts. Such additions are allowed;
//! everything that was sent must be stored, and nothing else that matters.

use super::canonical::{free, is_default, message};
use crate::model::json::Json;
use crate::model::packed_json::PackedJson;
use crate::model::state::ObservedAnnotation;
use serde_json::{Map, Value};

/// Whether `stored` is the result of a post of `body`: the same data, apart from scalars that the service adds, and
/// the same user, status, info and embedding model.
pub fn is_stored_as_sent(stored: &ObservedAnnotation, body: &Json) -> bool {
    let body = body.to_value();
    let text = |field: &str| body[field].as_str().unwrap_or_default();
    let info = |info: Option<&Value>| {
        let info = info.cloned().map(free);
        info.filter(|info| !is_default(info))
    };
    let data = |data: Option<Value>| match data.map(message) {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let stored_info = stored.info.as_ref().map(Json::to_value);
    let stored_data = stored.data.as_ref().map(PackedJson::to_value);
    let same_user = body.get("user_id").is_none()
        || stored.user.as_ref().map(super::super::ids::UserId::as_str) == Some(text("user_id"));
    let same_status = body
        .pointer("/status/code")
        .is_none_or(|code| code.as_u64() == Some(u64::from(stored.status.code())));
    same_user
        && same_status
        && text("embed_model_version_id") == stored.embed_model_version().unwrap_or_default()
        && info(body.get("annotation_info")) == info(stored_info.as_ref())
        && same_message(&data(body.get("data").cloned()), &data(stored_data))
}

/// Scalars of a geometry, which the service never adds.
const GEOMETRY_SCALARS: [&str; 2] = ["z", "visibility"];

fn same_message(sent: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    let is_kept = |(name, sent): (&String, &Value)| match stored.get(name) {
        Some(stored) if name == "metadata" => sent == stored,
        Some(stored) => same(sent, stored),
        None => false,
    };
    let is_added = |(name, stored): (&String, &Value)| {
        let is_scalar = !(stored.is_object() || stored.is_array());
        sent.contains_key(name) || (is_scalar && !GEOMETRY_SCALARS.contains(&name.as_str()))
    };
    sent.iter().all(is_kept) && stored.iter().all(is_added)
}

fn same(sent: &Value, stored: &Value) -> bool {
    match (sent, stored) {
        (Value::Object(sent), Value::Object(stored)) => same_message(sent, stored),
        (Value::Array(sent), Value::Array(stored)) => {
            sent.len() == stored.len() && sent.iter().zip(stored).all(|(a, b)| same(a, b))
        }
        (sent, stored) => sent == stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, Concepts, Geometry, Maker, Status, UserId};
    use serde_json::json;

    fn body() -> Value {
        json!({
            "id": "a", "input_id": "in", "user_id": "bea", "status": {"code": 24150},
            "annotation_info": {"n": 1},
            "data": {
                "concepts": [{"id": "car", "value": 1}],
                "regions": [{"region_info": {"point": {"row": 0.1, "col": 0.2}}}],
                "metadata": {"weather": "rain"},
            },
        })
    }

    fn stored(body: &Value) -> ObservedAnnotation {
        let user = body["user_id"]
            .as_str()
            .map(|user| UserId::new(user).unwrap());
        ObservedAnnotation {
            id: AnnotationId::new("a").unwrap(),
            geometry: Geometry::Whole,
            frame: None,
            concepts: Concepts::default(),
            status: Status::from_code(body["status"]["code"].as_u64().unwrap() as u32),
            user,
            maker: Maker::User,
            created_at: None,
            data: Some(Json::from_value(&body["data"]).into()),
            info: Some(Json::from_value(&body["annotation_info"])),
            extras: None,
        }
    }

    #[track_caller]
    fn check(path: &str, value: Value, expected: bool) {
        let mut changed = body();
        let (parent, name) = path.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name] = value;
        let result = is_stored_as_sent(&stored(&changed), &Json::from_value(&body()));
        assert_eq!(result, expected, "{path}");
    }

    #[test]
    fn additions_of_the_service_are_allowed() {
        assert!(is_stored_as_sent(
            &stored(&body()),
            &Json::from_value(&body())
        ));
        check("/data/regions/0/id", json!("made"), true);
        check("/data/concepts/0/name", json!("Car"), true);
        check("/data/regions/0/value", json!(0), true);
        check("/data/text", json!({}), true);
    }

    #[test]
    fn other_changes_are_detected() {
        check("/data/concepts/0/value", json!(0), false);
        let more = json!([{"id": "car", "value": 1}, {"id": "red", "value": 1}]);
        check("/data/concepts", more, false);
        check("/data/text", json!({"raw": "late"}), false);
        check("/data/regions/0/region_info/point/z", json!(0.5), false);
        check("/data/metadata/weather", json!("sun"), false);
        check("/data/metadata/more", json!(1), false);
        check("/data/regions", json!([]), false);
        check("/annotation_info/n", json!(2), false);
        check("/annotation_info/m", json!(2), false);
        check("/user_id", json!("ann"), false);
        check("/status/code", json!(24151), false);
    }
}
