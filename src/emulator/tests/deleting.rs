//! DELETE of annotations: one, by pairs, by input.

use super::{HELPER, OWNER, Server, code, config, tagged};
use crate::emulator::{Config, MissingDelete};
use reqwest::Method;
use serde_json::{Value, json};

async fn filled() -> Server {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(HELPER, tagged("b", "i", "car")).await;
    server.make(OWNER, tagged("a", "j", "car")).await;
    server
}

#[tokio::test]
async fn only_the_given_pairs_are_deleted() {
    let server = filled().await;
    let pairs = json!({"input_ids": ["i", "j"], "ids": ["b", "a"]});
    let (http, body) = server
        .call(OWNER, Method::DELETE, "/inputs/annotations", pairs)
        .await;
    assert_eq!((http, code(&body)), (200, 10000));
    let (_, left) = server.get(OWNER, "/annotations").await;
    let left: Vec<(&Value, &Value)> = left["annotations"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|a| a["input_level"] != true)
        .map(|a| (&a["input_id"], &a["id"]))
        .collect();
    assert_eq!(left, [(&json!("i"), &json!("a"))]);
}

#[tokio::test]
async fn one_is_deleted_by_its_path() {
    let server = filled().await;
    let (http, _) = server
        .call(
            OWNER,
            Method::DELETE,
            "/inputs/i/annotations/a",
            Value::Null,
        )
        .await;
    assert_eq!(http, 200);
    assert_eq!(server.ids("").await, ["b", "a"]);
    let (http, body) = server
        .call(
            OWNER,
            Method::DELETE,
            "/inputs/i/annotations/a",
            Value::Null,
        )
        .await;
    assert_eq!((http, code(&body)), (404, 11101));
}

#[tokio::test]
async fn missing_annotations_are_reported_or_ignored_and_the_others_deleted() {
    let pairs = json!({"input_ids": ["i", "i"], "ids": ["gone", "a"]});
    let server = filled().await;
    let (http, body) = server.delete(OWNER, pairs.clone()).await;
    assert_eq!((http, code(&body)), (200, 10010));
    let details = body["status"]["details"].as_str().unwrap();
    assert!(
        details.contains("i/gone") && details.contains("11101"),
        "{details}"
    );
    assert_eq!(server.ids("").await, ["b", "a"]);
    let (http, body) = server.delete(OWNER, pairs.clone()).await;
    assert_eq!((http, code(&body)), (404, 11101));
    let lenient = Server::with(Config {
        missing_delete: MissingDelete::Succeeds,
        ..config()
    })
    .await;
    let (http, body) = lenient.delete(OWNER, pairs).await;
    assert_eq!((http, code(&body)), (200, 10000));
}

#[tokio::test]
async fn a_collaborator_deletes_only_their_own() {
    let server = filled().await;
    let (http, body) = server
        .delete(HELPER, json!({"input_ids": ["i", "i"], "ids": ["a", "b"]}))
        .await;
    assert_eq!((http, code(&body)), (200, 10010));
    assert_eq!(server.ids("").await, ["a", "a"]);
    let (http, body) = server.delete(HELPER, json!({"input_ids": ["i"]})).await;
    assert_eq!((http, code(&body)), (403, 24156));
    assert_eq!(server.ids("").await, ["a", "a"]);
}

#[tokio::test]
async fn a_delete_by_input_keeps_the_input_level_annotation() {
    let server = filled().await;
    let (http, _) = server
        .delete(OWNER, json!({"input_ids": ["i"], "ids": []}))
        .await;
    assert_eq!(http, 200, "an empty list counts as absent");
    let left = server.emulator.annotations().await.unwrap();
    let left: Vec<(&Value, bool)> = left
        .iter()
        .map(|a| (&a["input_id"], a["input_level"] == true))
        .collect();
    assert_eq!(
        left,
        [
            (&json!("i"), true),
            (&json!("j"), true),
            (&json!("j"), false)
        ]
    );
}

#[tokio::test]
async fn an_input_level_annotation_cannot_be_deleted() {
    let server = filled().await;
    let all = server.emulator.annotations().await.unwrap();
    let (http, body) = server
        .delete(OWNER, json!({"input_ids": ["i"], "ids": [all[0]["id"]]}))
        .await;
    assert_eq!((http, code(&body)), (403, 24156));
    assert_eq!(
        server.emulator.annotations().await.unwrap().len(),
        all.len()
    );
}

#[tokio::test]
async fn lists_that_do_not_form_pairs_are_rejected() {
    let server = filled().await;
    let many = vec!["i"; 129];
    for (bad, expected) in [
        (json!({"input_ids": []}), 11102),
        (json!({"ids": ["a"]}), 11102),
        (json!({"input_ids": ["i"], "ids": ["a", "b"]}), 11102),
        (json!({"input_ids": many, "ids": many}), 11102),
        (json!({"input_ids": ["i"], "annotation_ids": ["a"]}), 11100),
        (json!({"input_ids": "i"}), 11100),
        (json!({"input_ids": [1]}), 11100),
    ] {
        let (http, body) = server.delete(OWNER, bad.clone()).await;
        assert_eq!((http, code(&body)), (400, expected), "{bad}");
    }
    assert_eq!(server.ids("").await.len(), 3);
}
