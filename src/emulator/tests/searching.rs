//! POST of searches of annotations.

use super::{HELPER, OWNER, Server, boxed, code, tagged};
use reqwest::Method;
use serde_json::{Value, json};

async fn filled() -> Server {
    let server = Server::start().await;
    let mut assigned = tagged("b", "i", "van");
    assigned["status"] = json!({"code": 24151});
    assigned["task_id"] = json!("t");
    let absent =
        json!({"id": "c", "input_id": "j", "data": {"concepts": [{"id": "car", "value": 0.25}]}});
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(HELPER, assigned).await;
    server.make(OWNER, absent).await;
    server.make(OWNER, boxed("d", "j", 0.1)).await;
    let models = json!({"id": "m", "input_id": "j", "model_version_id": "m1",
        "data": {"concepts": [{"id": "c-1", "name": "car", "value": 0.5}]}});
    server.emulator.seed(vec![models]).await.unwrap();
    server
}

async fn search(server: &Server, body: Value) -> (u16, Value) {
    let path = "/annotations/searches";
    server.call(OWNER, Method::POST, path, body).await
}

fn by(filters: &[Value]) -> Value {
    let filters: Vec<Value> = filters
        .iter()
        .map(|annotation| json!({"annotation": annotation}))
        .collect();
    json!({"searches": [{"query": {"filters": filters}}]})
}

/// The ids of the hits; for input-level annotations, the ids of their inputs.
fn hits(body: &Value) -> String {
    let hits = body["hits"].as_array().unwrap().iter();
    let ids = hits.map(|hit| {
        let annotation = &hit["annotation"];
        assert_eq!(
            (&hit["score"], &hit["input"]["id"]),
            (&json!(1.0), &annotation["input_id"])
        );
        let field = if annotation["input_level"] == true {
            "input_id"
        } else {
            "id"
        };
        annotation[field].as_str().unwrap()
    });
    ids.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_supported_filter_selects_hits() {
    let server = filled().await;
    let concept = |concept: Value| json!({"data": {"concepts": [concept]}});
    for (filters, expected) in [
        (vec![], "i a b j c d m"),
        (vec![json!({})], "i a b j c d m"),
        (vec![concept(json!({"id": "car"}))], "a d"),
        (vec![concept(json!({"id": "car", "value": 1}))], "a d"),
        (vec![concept(json!({"id": "car", "value": 0}))], "c"),
        (vec![concept(json!({"name": "car", "value": 1}))], "m"),
        (vec![json!({"user_id": "helper"})], "b"),
        (vec![json!({"worker": {"user": {"id": "helper"}}})], "b"),
        (vec![json!({"status": {"code": 24151}})], "b"),
        (vec![json!({"status": {"code": "ANNOTATION_PENDING"}})], "b"),
        (vec![json!({"input_id": "j"})], "j c d m"),
        (vec![json!({"id": "d"})], "d"),
        (vec![json!({"task_id": "t"})], "b"),
        (vec![json!({"input_level": true})], "i j"),
        (vec![json!({"model_version_id": "m1"})], "m"),
        (
            vec![json!({"worker": {"model": {"model_version": {"id": "m1"}}}})],
            "m",
        ),
        (
            vec![json!({"input_id": "j"}), concept(json!({"id": "car"}))],
            "d",
        ),
        (
            vec![json!({"input_id": "j", "user_id": "owner", "input_level": false})],
            "j c d",
        ),
        (vec![json!({"input_id": "i"}), json!({"input_id": "j"})], ""),
    ] {
        let body = by(&filters);
        let (http, answer) = search(&server, body.clone()).await;
        assert_eq!((http, code(&answer)), (200, 10000), "{answer}");
        assert_eq!(hits(&answer), expected, "{body}");
    }
}

#[tokio::test]
async fn hits_are_paged() {
    let server = filled().await;
    for (pagination, expected) in [
        (json!({"page": 1, "per_page": 3}), "i a b"),
        (json!({"page": "3", "per_page": "3"}), "m"),
        (json!({"page": 4, "per_page": 3}), ""),
        (json!({}), "i a b j c d m"),
    ] {
        let mut body = by(&[]);
        body["pagination"] = pagination;
        let (_, answer) = search(&server, body.clone()).await;
        assert_eq!(hits(&answer), expected, "{body}");
    }
    let mut body = by(&[]);
    body["pagination"] = json!({"per_page": -1});
    let (http, _) = search(&server, body).await;
    assert_eq!(http, 400);
}

#[tokio::test]
async fn unsupported_fields_are_rejected_by_name() {
    let server = filled().await;
    let search_of = |search: Value| json!({"searches": [search]});
    for (body, name) in [
        (by(&[json!({"trusted": true})]), "annotation.trusted"),
        (
            by(&[json!({"data": {"metadata": {"a": 1}}})]),
            "annotation.data.metadata.a",
        ),
        (by(&[json!({"data": {}})]), "annotation.data"),
        (
            by(&[json!({"data": {"regions": [{"region_info": {"mask": {}}}]}})]),
            "annotation.data.regions",
        ),
        (
            by(&[json!({"data": {"concepts": [{"id": "a"}, {"id": "b"}]}})]),
            "annotation.data.concepts",
        ),
        (
            by(&[json!({"data": {"concepts": [{"id": "a", "language": "en"}]}})]),
            "language",
        ),
        (
            search_of(json!({"query": {"ranks": [{"annotation": {}}]}})),
            "ranks",
        ),
        (
            search_of(json!({"query": {"filters": [{"negate": true, "annotation": {"id": "a"}}]}})),
            "negate",
        ),
        (
            search_of(json!({"query": {"filters": [{"input": {"data": {"image": {}}}}]}})),
            "input",
        ),
        (search_of(json!({"save": true})), "save"),
        (json!({"searches": []}), "searches"),
        (json!({"searches": [{}, {}]}), "searches"),
        (by(&[json!({"status": {"code": "DONE"}})]), "status.code"),
    ] {
        let (http, answer) = search(&server, body.clone()).await;
        assert_eq!((http, code(&answer)), (400, 11102), "{body}");
        let details = answer["status"]["details"].as_str().unwrap();
        assert!(details.contains(&format!("`{name}`")), "{details}");
    }
}
