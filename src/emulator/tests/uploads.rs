//! What the official clients' uploads call besides annotations: files, jobs, patches of inputs and concepts, datasets, apps.

use super::{HELPER, OWNER, Server, code, config, tagged};
use crate::emulator::{Config, ListingOrder};
use reqwest::Method;
use serde_json::{Value, json};

const PNG: &str = "iVBORw0KGgo=";

impl Server {
    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let (_, body) = self.call(OWNER, method, path, body).await;
        body
    }

    async fn post_files(&self, ids: &[&str]) -> Value {
        let inputs: Vec<Value> = ids
            .iter()
            .map(|id| json!({"id": id, "data": {"image": {"base64": PNG}}}))
            .collect();
        let body = json!({"inputs": inputs, "inputs_add_job_id": "job"});
        self.send(Method::POST, "/inputs", body).await
    }
}

fn ids(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_uploaded_file_is_served_until_its_input_is_deleted() {
    let server = Server::start().await;
    let posted = server.post_files(&["a", "b"]).await;
    assert!(!posted.to_string().contains(PNG), "{posted}");
    let url = posted["inputs"][0]["data"]["image"]["url"]
        .as_str()
        .unwrap();
    assert!(url.starts_with(&server.emulator.url()), "{url}");
    let (_, listed) = server.get(OWNER, "/inputs").await;
    assert_eq!(listed["inputs"][1]["data"]["image"]["url"], url);
    for (input, served) in [("a", true), ("b", true), ("", false)] {
        let response = server.client.get(url).send().await.unwrap();
        assert_eq!(response.status() == 200, served, "{input}");
        if served {
            assert_eq!(response.headers()["content-type"], "image/png");
            let bytes = response.bytes().await.unwrap();
            assert_eq!(&bytes[..], b"\x89PNG\r\n\x1a\n");
            let path = format!("/inputs/{input}");
            server.send(Method::DELETE, &path, Value::Null).await;
        }
    }
}

#[tokio::test]
async fn a_job_counts_its_inputs_by_state() {
    let server = Server::with(Config {
        processing_polls: 1,
        ..config()
    })
    .await;
    server.post_files(&["a", "b", "a"]).await;
    let path = "/inputs/jobs/add/job";
    let mut progress = Vec::new();
    for _ in 0..2 {
        let answer = server.send(Method::GET, path, Value::Null).await;
        progress.push(answer["inputs_add_job"]["progress"].clone());
    }
    let expected = |pending: &str, success: &str| json!({"pending_count": pending, "in_progress_count": "0", "success_count": success, "failed_count": "1"});
    assert_eq!(progress, [expected("2", "0"), expected("0", "2")]);
    let missing = server.send(Method::GET, "/inputs/jobs/add/none", Value::Null);
    assert_eq!(code(&missing.await), 11101);

    let server = Server::with(Config {
        processing_polls: 9,
        ..config()
    })
    .await;
    server.post_files(&["a"]).await;
    let canceled = server.send(Method::PATCH, path, json!({})).await;
    assert_eq!(canceled["inputs_add_job"]["progress"]["failed_count"], "1");
    let listed = server.send(
        Method::GET,
        "/inputs?status=INPUT_DOWNLOAD_FAILED",
        Value::Null,
    );
    assert_eq!(ids(&listed.await["inputs"]), ["a"]);
}

#[tokio::test]
async fn inputs_are_listed_by_status_and_in_either_order() {
    for (order, expected) in [
        (ListingOrder::OldestFirst, ["a", "b"]),
        (ListingOrder::NewestFirst, ["b", "a"]),
    ] {
        let mut config = config();
        config.response_style.listings = order;
        let server = Server::with(config).await;
        let gone = json!({"id": "gone", "data": {"image": {"url": "https://gone.invalid/a.jpg"}}});
        let inputs = json!({"inputs": [{"id": "a"}, gone, {"id": "b"}]});
        server.send(Method::POST, "/inputs", inputs).await;
        for (query, count) in [("?status=30000", 2), ("?status.code=30000&per_page=1", 1)] {
            let path = format!("/inputs{query}");
            let listed = server.send(Method::GET, &path, Value::Null).await;
            assert_eq!(ids(&listed["inputs"]), expected[..count], "{query}");
        }
        let by_id = "/inputs?ids=gone&ids=a&status=30002";
        let listed = server.send(Method::GET, by_id, Value::Null).await;
        assert_eq!(ids(&listed["inputs"]), ["gone"]);
    }
}

#[tokio::test]
async fn a_patch_of_an_input_changes_its_input_level_annotation_too() {
    let server = Server::start().await;
    server.post_files(&["a"]).await;
    let patch = |action: &str, data: Value| json!({"action": action, "inputs": [{"id": "a", "data": data}, {"id": "none"}]});
    for (action, data, concepts, metadata) in [
        (
            "merge",
            json!({"concepts": [{"id": "day"}], "metadata": {"x": 1}}),
            json!(["day"]),
            json!({"x": 1}),
        ),
        (
            "merge",
            json!({"concepts": [{"id": "rain"}], "metadata": {"y": 2}}),
            json!(["day", "rain"]),
            json!({"x": 1, "y": 2}),
        ),
        (
            "remove",
            json!({"concepts": [{"id": "day"}]}),
            json!(["rain"]),
            json!({"x": 1, "y": 2}),
        ),
        (
            "overwrite",
            json!({"concepts": [{"id": "dry"}], "image": {"url": "https://example.com"}}),
            json!(["dry"]),
            Value::Null,
        ),
    ] {
        let patched = server
            .send(Method::PATCH, "/inputs", patch(action, data))
            .await;
        assert_eq!(code(&patched), 10010);
        assert_eq!(patched["inputs"][1]["status"]["code"], 30102);
        let (_, listed) = server.get(OWNER, "/annotations?input_ids=a").await;
        let input = &patched["inputs"][0]["data"];
        for data in [input, &listed["annotations"][0]["data"]] {
            assert_eq!(json!(ids(&data["concepts"])), concepts, "{action}");
            assert_eq!(data["metadata"], metadata, "{action}");
        }
        let url = input["image"]["url"].as_str().unwrap();
        assert!(
            url.starts_with(&server.emulator.url()),
            "the file stays: {url}"
        );
    }
}

#[tokio::test]
async fn concepts_are_made_by_labels_and_renamed_by_a_patch() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    let named =
        |name: &str| json!({"action": "overwrite", "concepts": [{"id": "car", "name": name}]});
    for (name, expected) in [("", "car"), ("Car", "Car")] {
        let patched = server.send(Method::PATCH, "/concepts", named(name)).await;
        assert_eq!(patched["concepts"][0]["name"], expected);
        let (_, found) = server.get(OWNER, "/concepts/car").await;
        assert_eq!(found["concept"]["name"], expected);
    }
    let missing = json!({"action": "overwrite", "concepts": [{"id": "none", "name": "x"}]});
    assert_eq!(
        code(&server.send(Method::PATCH, "/concepts", missing).await),
        11101
    );
}

#[tokio::test]
async fn datasets_hold_inputs_of_their_app() {
    let server = Server::start().await;
    let datasets = json!({"datasets": [{"id": "d", "description": "all"}]});
    server
        .send(Method::POST, "/datasets", datasets.clone())
        .await;
    let twice = server.send(Method::POST, "/datasets", datasets).await;
    assert_eq!(twice["status"]["details"], "dataset `d` is a duplicate");
    let inputs = json!({"inputs": [{"id": "a", "dataset_ids": ["d"]}, {"id": "b"}, {"id": "c", "dataset_ids": ["none"]}]});
    let posted = server.send(Method::POST, "/inputs", inputs).await;
    assert_eq!(posted["inputs"][0]["dataset_ids"], json!(["d"]));
    assert_eq!(posted["inputs"][2]["status"]["code"], 30104);
    let add = json!({"dataset_inputs": [{"input": {"id": "b"}}]});
    server.send(Method::POST, "/datasets/d/inputs", add).await;
    let listed = async || {
        let listed = server
            .send(Method::GET, "/datasets/d/inputs", Value::Null)
            .await;
        let inputs = listed["dataset_inputs"].as_array().unwrap().iter();
        inputs
            .map(|it| it["input"]["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ["a", "b"]);
    let remove = json!({"input_ids": ["a"]});
    server
        .send(Method::DELETE, "/datasets/d/inputs", remove)
        .await;
    assert_eq!(listed().await, ["b"]);
    server.send(Method::DELETE, "/inputs/b", Value::Null).await;
    assert_eq!(listed().await, Vec::<Value>::new());
    let gone = json!({"dataset_ids": ["d"]});
    server.send(Method::DELETE, "/datasets", gone.clone()).await;
    assert_eq!(
        code(&server.send(Method::DELETE, "/datasets", gone).await),
        11101
    );
    let (_, left) = server.get(OWNER, "/inputs").await;
    assert_eq!(
        ids(&left["inputs"]),
        ["a"],
        "a dataset does not own its inputs"
    );
}

#[tokio::test]
async fn users_create_their_own_apps() {
    let server = Server::start().await;
    let apps = json!({"apps": [{"id": "second", "description": "d"}]});
    let post = |key: &'static str, path: &'static str| {
        server.try_call(key, Method::POST, path, apps.clone())
    };
    for (key, path, expected) in [
        (HELPER, "/v2/users/owner/apps", 11102),
        (HELPER, "/v2/users/me/apps", 10000),
        (OWNER, "/v2/users/owner/apps", 10000),
        (OWNER, "/v2/users/owner/apps", 11102),
    ] {
        let (_, body) = post(key, path).await.unwrap();
        assert_eq!(code(&body), expected, "{key} {path} {body}");
    }
    let get = async |path: &str| {
        let (_, body) = server
            .try_call(OWNER, Method::GET, path, Value::Null)
            .await
            .unwrap();
        body
    };
    assert_eq!(
        ids(&get("/v2/users/me/apps").await["apps"]),
        ["app", "second"]
    );
    let app = get("/v2/users/owner/apps/second").await["app"].clone();
    assert_eq!(
        (&app["description"], &app["name"]),
        (&json!("d"), &json!("second"))
    );
    assert_eq!(code(&get("/v2/users/owner/apps/none").await), 11101);
}
