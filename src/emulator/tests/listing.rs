//! GET of annotations: filters, order, pages.

use super::{HELPER, OWNER, Server, code, config, tagged};
use crate::emulator::Config;
use serde_json::json;

async fn filled() -> Server {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(HELPER, tagged("b", "j", "car")).await;
    let pending = json!({"id": "c", "input_id": "i", "status": {"code": 24151}, "task_id": "t"});
    server.make(OWNER, pending).await;
    server.emulator.seed(vec![
        json!({"id": "m", "input_id": "i", "model_version_id": "m1", "data": {"concepts": [{"id": "car"}]}}),
        json!({"id": "n", "input_id": "j", "worker": {"model": {"model_version": {"id": "m2"}}}}),
        json!({"id": "w", "input_id": "j", "workflow_version_id": "w1"}),
    ]).await.unwrap();
    server
}

#[tokio::test]
async fn every_filter_narrows_the_listing() {
    let server = filled().await;
    for (query, expected) in [
        ("", "a b c"),
        ("list_all_annotations=true", "a b c m n w"),
        ("list_all_annotations=true&input_ids=j", "b n w"),
        ("input_ids=i", "a c"),
        ("input_ids=i&input_ids=j", "a b c"),
        ("input_ids=nowhere", ""),
        ("ids=c&ids=m&input_ids=i&input_ids=i", "c m"),
        ("ids=a&input_ids=j", ""),
        ("user_ids=helper", "b"),
        ("user_ids=helper&model_version_ids=m1", "b m"),
        ("model_version_ids=m1&model_version_ids=m2", "m n"),
        ("model_version_ids=m1&workflow_version_ids=w1", "m w"),
        ("model_version_ids=m2&input_ids=i", ""),
        ("statuses=24151", "c"),
        ("statuses=ANNOTATION_PENDING&statuses=24150", "a b c"),
        ("statuses=ANNOTATION_SUCCESS&user_ids=owner", "a"),
        ("task_id=t", "c"),
        ("return_model_output=true&input_ids=i", "a c"),
    ] {
        assert_eq!(server.ids(query).await.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn input_level_annotations_are_listed() {
    let server = filled().await;
    let (_, body) = server.get(OWNER, "/annotations?input_ids=i").await;
    assert_eq!(body["annotations"][0]["input_level"], true);
}

#[tokio::test]
async fn pages_of_any_size_list_everything_once_and_in_order() {
    let server = filled().await;
    let whole = server.ids("list_all_annotations=true&per_page=1000").await;
    for size in 1..=9 {
        let mut read = Vec::new();
        for page in 1..=9 {
            let query = format!("list_all_annotations=true&per_page={size}&page={page}");
            read.extend(server.ids(&query).await);
        }
        assert_eq!(read, whole, "{size}");
        let query = format!("list_all_annotations=true&per_page={size}&page=2");
        let again = server.ids(&query).await;
        assert_eq!(server.ids(&query).await, again, "in any order of pages");
    }
}

#[tokio::test]
async fn a_delete_between_two_pages_shifts_the_second() {
    let server = Server::start().await;
    let batch: Vec<_> = (0..6)
        .map(|n| tagged(&format!("a{n}"), "i", "car"))
        .collect();
    server.post(OWNER, json!(batch)).await;
    assert_eq!(server.ids("per_page=3&page=1").await, ["a0", "a1"]);
    server
        .delete(OWNER, json!({"input_ids": ["i"], "ids": ["a0"]}))
        .await;
    assert_eq!(
        server.ids("per_page=3&page=2").await,
        ["a3", "a4", "a5"],
        "a2 is missed"
    );
}

#[tokio::test]
async fn the_page_size_is_20_by_default_and_1000_at_most() {
    let server = Server::start().await;
    let many = (0..1005)
        .map(|n| tagged(&format!("a{n}"), "i", "car"))
        .collect();
    server.emulator.seed(many).await.unwrap();
    let length = async |query: &str| {
        let (_, body) = server.get(OWNER, &format!("/annotations?{query}")).await;
        body["annotations"].as_array().unwrap().len()
    };
    assert_eq!(length("").await, 20);
    assert_eq!(length("per_page=1000").await, 1000);
    assert_eq!(length("per_page=5000").await, 1000);
    assert_eq!(length("per_page=5000&page=2").await, 6);
    assert_eq!(length("per_page=1000&page=18446744073709551615").await, 0);
}

#[tokio::test]
async fn the_page_size_can_be_capped() {
    let server = Server::with(Config {
        page_cap: Some(2),
        ..config()
    })
    .await;
    let batch: Vec<_> = (0..4)
        .map(|n| tagged(&format!("a{n}"), "i", "car"))
        .collect();
    server.post(OWNER, json!(batch)).await;
    assert_eq!(server.ids("per_page=1000&page=1").await, ["a0"]);
    assert_eq!(server.ids("per_page=1000&page=2").await, ["a1", "a2"]);
    assert_eq!(server.ids("per_page=1000&page=3").await, ["a3"]);
}

#[tokio::test]
async fn invalid_fields_are_rejected() {
    let server = Server::start().await;
    for query in [
        "per_page=0",
        "per_page=x",
        "page=0",
        "ids=a",
        "statuses=DONE",
        "list_all_annotations=7",
    ] {
        let (http, body) = server.get(OWNER, &format!("/annotations?{query}")).await;
        assert_eq!((http, code(&body)), (400, 11102), "{query}");
    }
}
