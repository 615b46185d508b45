//! Labelling tasks: their annotations, and PATCH of those annotations' status.

use super::{HELPER, OWNER, Server, code};
use reqwest::Method;
use serde_json::{Value, json};

/// Annotations of two tasks by two users, and one of a model.
async fn filled() -> Server {
    let server = Server::start().await;
    let of = |id: &str, task: &str, status: u32| json!({"id": id, "input_id": "i", "task_id": task, "status": {"code": status}});
    server.make(OWNER, of("a", "t", 24151)).await;
    server.make(OWNER, of("b", "t", 24157)).await;
    server.make(HELPER, of("c", "t", 24151)).await;
    server.make(OWNER, of("d", "other", 24151)).await;
    let mut model = of("m", "t", 24151);
    model["model_version_id"] = json!("m1");
    server.emulator.seed(vec![model]).await.unwrap();
    server
}

async fn set(server: &Server, key: &str, body: Value) -> (u16, Value) {
    let path = "/task/t/annotations/status";
    server.call(key, Method::PATCH, path, body).await
}

#[tokio::test]
async fn a_task_is_set_by_post_and_patch_and_filtered_by() {
    let server = filled().await;
    assert_eq!(server.ids("task_id=t").await, ["a", "b", "c"]);
    let patch = json!([{"id": "d", "input_id": "i", "task_id": "t"}]);
    let (_, body) = server.patch(OWNER, "merge", patch).await;
    assert_eq!(body["annotations"][0]["task_id"], "t");
    assert_eq!(server.ids("task_id=t").await, ["a", "b", "c", "d"]);
    assert_eq!(
        server
            .ids("task_id=t&list_all_annotations=true")
            .await
            .len(),
        5
    );
    assert!(server.ids("task_id=other").await.is_empty());
}

#[tokio::test]
async fn the_status_of_a_tasks_annotations_is_set_at_once() {
    let all = json!({"action": "overwrite", "status_code": "ANNOTATION_SUCCESS"});
    let with = |field: &str, value: Value| {
        let mut body = all.clone();
        body[field] = value;
        body
    };
    for (key, body, expected, users) in [
        (OWNER, all.clone(), "a b c", json!(["helper", "owner"])),
        (HELPER, all.clone(), "c", json!(["helper"])),
        (
            OWNER,
            with("user_ids", json!(["owner"])),
            "a b",
            json!(["owner"]),
        ),
        (
            OWNER,
            with("status_codes", json!([24151])),
            "a c",
            json!(["helper", "owner"]),
        ),
        (
            OWNER,
            with("status_codes", json!(["ANNOTATION_AWAITING_REVIEW", 24158])),
            "b",
            json!(["owner"]),
        ),
        (HELPER, with("user_ids", json!(["owner"])), "", json!([])),
        (OWNER, with("user_ids", json!(["nobody"])), "", json!([])),
    ] {
        let server = filled().await;
        let (http, answer) = set(&server, key, body.clone()).await;
        assert_eq!((http, code(&answer)), (200, 10000), "{body}");
        assert_eq!(answer["user_ids"], users, "{body}");
        let changed = server.ids("statuses=24150").await;
        assert_eq!(changed.join(" "), expected, "{body}");
        assert_eq!(answer["updated_count"], changed.len(), "{body}");
    }
}

#[tokio::test]
async fn the_short_path_is_equivalent() {
    let server = filled().await;
    let body = json!({
        "user_app_id": {"user_id": "owner", "app_id": "app"}, "action": "overwrite", "status_code": 24158,
    });
    let path = "/v2/task/t/annotations/status";
    let (http, answer) = server
        .try_call(OWNER, Method::PATCH, path, body)
        .await
        .unwrap();
    assert_eq!((http, &answer["updated_count"]), (200, &json!(3)));
    assert_eq!(server.ids("statuses=24158").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn invalid_changes_of_status_are_rejected() {
    let server = filled().await;
    for body in [
        json!({"status_code": 24150}),
        json!({"action": "merge", "status_code": 24150}),
        json!({"action": "overwrite"}),
        json!({"action": "overwrite", "status_code": 10000}),
        json!({"action": "overwrite", "status_code": "DONE"}),
        json!({"action": "overwrite", "status_code": 24150, "status_codes": ["DONE"]}),
    ] {
        let (http, answer) = set(&server, OWNER, body.clone()).await;
        assert_eq!((http, code(&answer)), (400, 11102), "{body}");
    }
    assert!(server.ids("statuses=24150").await.is_empty());
}
