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
    let patch = json!({"action": "merge", "datasets": [
        {"id": "d", "notes": "n", "metadata": {"a": 1}, "user_id": "another", "created_at": "2000-01-01T00:00:00Z"},
    ]});
    let patched = server.send(Method::PATCH, "/datasets", patch).await["datasets"][0].clone();
    assert_eq!(
        (&patched["description"], &patched["notes"]),
        (&json!("all"), &json!("n"))
    );
    assert_eq!(patched["user_id"], "owner");
    assert!(
        patched["modified_at"].as_str() > patched["created_at"].as_str(),
        "{patched}"
    );
    let (_, got) = server.get(OWNER, "/datasets/d").await;
    assert_eq!(got["dataset"], patched);
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

#[tokio::test]
async fn a_dataset_takes_the_inputs_of_another_one() {
    let server = Server::start().await;
    let datasets = json!({"datasets": [{"id": "from"}, {"id": "to"}]});
    server.send(Method::POST, "/datasets", datasets).await;
    let inputs = json!({"inputs": [
        {"id": "a", "dataset_ids": ["from"]}, {"id": "b", "dataset_ids": ["from", "to"]}, {"id": "c"},
    ]});
    server.send(Method::POST, "/inputs", inputs).await;
    let merge = |input: Value| json!({"search": {"query": {"filters": [{"input": input}]}}});
    let path = "/datasets/to/inputs";
    for unknown in [
        json!({"id": "c"}),
        json!({"dataset_ids": ["from"], "id": "a"}),
        json!({"dataset_ids": []}),
    ] {
        let refused = server.send(Method::POST, path, merge(unknown)).await;
        assert_eq!(code(&refused), 11102, "{refused}");
    }
    server
        .send(Method::POST, path, merge(json!({"dataset_ids": ["from"]})))
        .await;
    let (_, listed) = server.get(OWNER, path).await;
    let listed = listed["dataset_inputs"].as_array().unwrap().iter();
    let listed: Vec<&Value> = listed.map(|it| &it["input"]["id"]).collect();
    assert_eq!(listed, ["b", "a"]);
}

#[tokio::test]
async fn only_their_owner_changes_and_deletes_apps() {
    let server = Server::with(Config {
        control: true,
        ..config()
    })
    .await;
    server
        .send(Method::POST, "/inputs", json!({"inputs": [{"id": "a"}]}))
        .await;
    let call = async |key, method, path: &str, body: Value| {
        let (_, body) = server.try_call(key, method, path, body).await.unwrap();
        body
    };
    let apps = "/v2/users/owner/apps";
    let second = "/v2/users/owner/apps/second";
    let posted = json!({"apps": [{"id": "second", "description": "d", "notes": "n"}]});
    call(OWNER, Method::POST, apps, posted.clone()).await;
    let inputs = json!({"inputs": [{"id": "b", "data": {"concepts": [{"id": "car"}]}}]});
    call(OWNER, Method::POST, &format!("{second}/inputs"), inputs).await;

    let patch = json!({"action": "overwrite", "app": {"id": "second", "description": "e"}});
    let of_all = json!({"action": "merge", "apps": [{"id": "second", "metadata": {"a": 1}}]});
    for (method, path, body) in [
        (Method::PATCH, second, &patch),
        (Method::PATCH, apps, &of_all),
        (Method::DELETE, second, &Value::Null),
    ] {
        let refused = call(HELPER, method, path, body.clone()).await;
        assert_eq!(code(&refused), 11102, "{refused}");
    }
    let patched = call(OWNER, Method::PATCH, second, patch).await["app"].clone();
    assert_eq!(
        (&patched["description"], &patched["notes"]),
        (&json!("e"), &json!("n"))
    );
    let patched = call(OWNER, Method::PATCH, apps, of_all).await["apps"][0].clone();
    assert_eq!(
        (&patched["description"], &patched["metadata"]),
        (&json!("e"), &json!({"a": 1}))
    );
    let missing = json!({"action": "merge", "apps": [{"id": "none"}]});
    assert_eq!(
        code(&call(OWNER, Method::PATCH, apps, missing).await),
        11101
    );

    assert_eq!(
        code(&call(OWNER, Method::DELETE, second, Value::Null).await),
        10000
    );
    assert_eq!(
        code(&call(OWNER, Method::DELETE, second, Value::Null).await),
        11101
    );
    let (_, left) = server.get(OWNER, "/inputs").await;
    assert_eq!(ids(&left["inputs"]), ["a"], "inputs of other apps stay");
    // An app of the same name is a new one.
    call(OWNER, Method::POST, apps, posted).await;
    for part in ["inputs", "concepts"] {
        let listed = call(OWNER, Method::GET, &format!("{second}/{part}"), Value::Null).await;
        assert_eq!(listed[part], json!([]));
    }
    // The emulator's own app comes back with a reset.
    assert_eq!(
        code(
            &call(
                OWNER,
                Method::DELETE,
                "/v2/users/owner/apps/app",
                Value::Null
            )
            .await
        ),
        10000
    );
    assert_eq!(
        code(&call(OWNER, Method::GET, "/_annosync/dump", Value::Null).await),
        11101
    );
    assert_eq!(
        code(&call(OWNER, Method::POST, "/_annosync/reset", Value::Null).await),
        10000
    );
    let listed = call(OWNER, Method::GET, apps, Value::Null).await;
    assert_eq!(ids(&listed["apps"]), ["app"]);
    let (_, left) = server.get(OWNER, "/inputs").await;
    assert_eq!(left["inputs"], json!([]));
}
