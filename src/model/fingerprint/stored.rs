//! Whether an annotation is stored as it was sent.
//!
//! The service adds ids to parts that were sent without one, and names to concepts. Such additions are allowed;
//! everything that was sent must be stored, and nothing else that matters.

use super::canonical::{free, is_default, message};
use super::tree::{Field, Tree, find};
use crate::model::ids::UserId;
use crate::model::json::Json;
use crate::model::packed_json::PackedJson;
use crate::model::state::ObservedAnnotation;

/// Whether `stored` is the result of a post of `body`: the same data, apart from scalars that the service adds, and
/// the same user, status, info and embedding model.
pub fn is_stored_as_sent(stored: &ObservedAnnotation, body: &Json) -> bool {
    let body = Tree::of(body.as_str());
    let text = |field: &str| body.get(field).and_then(Tree::as_str).unwrap_or_default();
    let stored_info = stored.info.as_ref().map(|info| Tree::of(info.as_str()));
    let same_user = body.get("user_id").is_none()
        || stored.user.as_ref().map(UserId::as_str) == Some(text("user_id"));
    let status = body.get("status").and_then(|status| status.get("code"));
    let same_status =
        status.is_none_or(|code| code.as_u64() == Some(u64::from(stored.status.code())));
    let stored_data = stored.data.as_ref().map(PackedJson::text);
    same_user
        && same_status
        && text("embed_model_version_id") == stored.embed_model_version().unwrap_or_default()
        && free_info(body.get("annotation_info").cloned()) == free_info(stored_info)
        && same_message(
            &fields(body.get("data").cloned()),
            &fields(stored_data.as_deref().map(Tree::of)),
        )
}

/// An `annotation_info` in its canonical form; a missing one equals an empty one.
fn free_info(info: Option<Tree<'_>>) -> Option<Tree<'_>> {
    info.map(free).filter(|info| !is_default(info))
}

/// The fields of a message in its canonical form.
fn fields(data: Option<Tree<'_>>) -> Vec<Field<'_>> {
    match data.map(message) {
        Some(Tree::Map(fields)) => fields,
        _ => Vec::new(),
    }
}

/// Scalars of a geometry, which the service never adds.
const GEOMETRY_SCALARS: [&str; 2] = ["z", "visibility"];

fn same_message(sent: &[Field<'_>], stored: &[Field<'_>]) -> bool {
    let is_kept = |(name, sent): &Field<'_>| match find(stored, name) {
        Some(stored) if name == "metadata" => sent == stored,
        Some(stored) => same(sent, stored),
        None => false,
    };
    let is_added = |(name, stored): &Field<'_>| {
        let is_scalar = !matches!(stored, Tree::Map(_) | Tree::List(_));
        find(sent, name).is_some() || (is_scalar && !GEOMETRY_SCALARS.contains(&name.as_ref()))
    };
    sent.iter().all(is_kept) && stored.iter().all(is_added)
}

fn same(sent: &Tree<'_>, stored: &Tree<'_>) -> bool {
    match (sent, stored) {
        (Tree::Map(sent), Tree::Map(stored)) => same_message(sent, stored),
        (Tree::List(sent), Tree::List(stored)) => {
            sent.len() == stored.len() && sent.iter().zip(stored).all(|(a, b)| same(a, b))
        }
        (sent, stored) => sent == stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, Concepts, Geometry, Provenance, Status};
    use serde_json::{Value, json};

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
            created_at: None,
            data: Some(Json::from_value(&body["data"]).into()),
            provenance: Provenance {
                status: Status::from_code(body["status"]["code"].as_u64().unwrap() as u32),
                user,
                info: Some(Json::from_value(&body["annotation_info"])),
                ..Provenance::default()
            }
            .into(),
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
