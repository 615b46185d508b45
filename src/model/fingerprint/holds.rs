//! Whether an annotation is stored as it was sent.
//!
//! A service gives ids to parts that were sent without one, and names to concepts: such are no difference. Everything
//! that was sent has to be there, and nothing of substance beside it.

use super::spelling::{free, is_default, message};
use crate::model::json::Json;
use crate::model::state::ObservedAnnotation;
use serde_json::{Map, Value};

/// Whether `stored` is what a post of `body` makes: the same data, but for single values that a service adds to it, and
/// the same user, status, info and embedding model.
pub fn holds(stored: &ObservedAnnotation, body: &Json) -> bool {
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
    let stored_data = stored.data.as_ref().map(Json::to_value);
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

/// Values of a place, which no service adds to it.
const OF_PLACES: [&str; 2] = ["z", "visibility"];

fn same_message(sent: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    let is_kept = |(name, sent): (&String, &Value)| match stored.get(name) {
        Some(stored) if name == "metadata" => sent == stored,
        Some(stored) => same(sent, stored),
        None => false,
    };
    let is_added = |(name, stored): (&String, &Value)| {
        let is_single = !(stored.is_object() || stored.is_array());
        sent.contains_key(name) || (is_single && !OF_PLACES.contains(&name.as_str()))
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
            data: Some(Json::from_value(&body["data"])),
            info: Some(Json::from_value(&body["annotation_info"])),
            extras: None,
        }
    }

    #[track_caller]
    fn is_held(path: &str, value: Value, expected: bool) {
        let mut changed = body();
        let (parent, name) = path.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name] = value;
        let held = holds(&stored(&changed), &Json::from_value(&body()));
        assert_eq!(held, expected, "{path}");
    }

    #[test]
    fn what_a_service_adds_by_itself_is_no_difference() {
        assert!(holds(&stored(&body()), &Json::from_value(&body())));
        is_held("/data/regions/0/id", json!("made"), true);
        is_held("/data/concepts/0/name", json!("Car"), true);
        is_held("/data/regions/0/value", json!(0), true);
        is_held("/data/text", json!({}), true);
    }

    #[test]
    fn what_somebody_changes_is_a_difference() {
        is_held("/data/concepts/0/value", json!(0), false);
        let more = json!([{"id": "car", "value": 1}, {"id": "red", "value": 1}]);
        is_held("/data/concepts", more, false);
        is_held("/data/text", json!({"raw": "late"}), false);
        is_held("/data/regions/0/region_info/point/z", json!(0.5), false);
        is_held("/data/metadata/weather", json!("sun"), false);
        is_held("/data/metadata/more", json!(1), false);
        is_held("/data/regions", json!([]), false);
        is_held("/annotation_info/n", json!(2), false);
        is_held("/annotation_info/m", json!(2), false);
        is_held("/user_id", json!("ann"), false);
        is_held("/status/code", json!(24151), false);
    }
}
