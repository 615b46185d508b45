//! Inputs and concepts.

use super::{HELPER, OWNER, Server, boxed, code, config, tagged};
use crate::emulator::Config;
use reqwest::Method;
use serde_json::{Value, json};

impl Server {
    async fn post_inputs(&self, inputs: Value) -> (u16, Value) {
        let body = json!({ "inputs": inputs });
        self.call(OWNER, Method::POST, "/inputs", body).await
    }

    async fn input_ids(&self, path: &str) -> Vec<String> {
        let (http, body) = self.get(OWNER, path).await;
        assert_eq!(http, 200, "{body}");
        let ids = body["inputs"].as_array().unwrap().iter();
        ids.map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

async fn strict(processing_polls: u32) -> Server {
    Server::with(Config {
        require_inputs: true,
        processing_polls,
        ..config()
    })
    .await
}

fn states(body: &Value) -> Vec<u64> {
    let inputs = body["inputs"].as_array().unwrap().iter();
    inputs
        .map(|it| it["status"]["code"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn inputs_are_posted_as_file_url_or_text() {
    let server = strict(0).await;
    let url = |url: &str| json!({"image": {"url": url}});
    let (_, body) = server
        .post_inputs(json!([
            {"id": "file", "data": {"image": {"base64": "iVBORw0KGgo="}}},
            {"id": "url", "data": url("https://example.com/a.jpg")},
            {"id": "text", "data": {"text": {"raw": "hello"}}},
            {"id": "no base64", "data": {"video": {"base64": "***"}}},
            {"id": "no bytes", "data": {"video": {"base64": ""}}},
            {"id": "no url", "data": url("s3://b/a.jpg")},
            {"id": "twice", "data": url("https://example.com/a.jpg")},
            {"id": "allowed", "data": {"image": {"url": "https://example.com/a.jpg", "allow_duplicate_url": true}}},
            {"id": "file", "data": url("https://example.com/b.jpg")},
            {"id": "gone", "data": url("https://gone.invalid/a.jpg")},
        ]))
        .await;
    assert_eq!(code(&body), 10010);
    assert_eq!(
        states(&body),
        [
            30000, 30000, 30000, 30104, 30101, 30106, 30100, 30000, 30100, 30002
        ]
    );
    assert_eq!(
        body["inputs"][8]["status"]["details"],
        "Input has a duplicate ID."
    );
    let (_, listed) = server.get(OWNER, "/annotations").await;
    assert!(!listed.to_string().contains("iVBOR"), "{listed}");
    let (http, _) = server.get(OWNER, "/inputs/no%20url").await;
    assert_eq!(http, 404);
    let (_, refused) = server.post(OWNER, json!([tagged("a", "gone", "x")])).await;
    assert_eq!(code(&refused), 10020);
}

#[tokio::test]
async fn an_input_cannot_be_annotated_until_it_is_processed() {
    let server = strict(2).await;
    let (_, posted) = server.post_inputs(json!([{"id": "a"}, {"id": "b"}])).await;
    assert_eq!(states(&posted), [30001, 30001]);
    let (_, counts) = server.get(OWNER, "/inputs/status").await;
    assert_eq!(counts["counts"]["to_process"], 2);
    let (_, refused) = server.post(OWNER, json!([tagged("x", "a", "car")])).await;
    assert_eq!(code(&refused), 10020);
    for expected in [30001, 30001, 30000] {
        let (_, body) = server.get(OWNER, "/inputs?ids=a").await;
        assert_eq!(states(&body), [expected]);
    }
    server.make(OWNER, tagged("x", "a", "car")).await;
    let (_, counts) = server.get(OWNER, "/inputs/status").await;
    assert_eq!(
        (
            &counts["counts"]["processed"],
            &counts["counts"]["to_process"]
        ),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn inputs_are_listed_by_id_and_by_cursor() {
    let server = strict(0).await;
    let posted = json!([{"id": "c"}, {"id": "a"}, {"id": "b"}]);
    server.post_inputs(posted).await;
    assert_eq!(
        server.input_ids("/inputs?ids=b&ids=none&ids=c").await,
        ["b", "c"]
    );
    let stream = "/inputs/stream?per_page=2";
    assert_eq!(server.input_ids(stream).await, ["c", "a"]);
    assert_eq!(
        server.input_ids(&format!("{stream}&last_id=a")).await,
        ["b"]
    );
    let by_id = format!("{stream}&order_by_id=true");
    assert_eq!(server.input_ids(&by_id).await, ["a", "b"]);
    let rest = format!("{by_id}&last_id=a2");
    assert_eq!(server.input_ids(&rest).await, ["b", "c"]);
    let down = format!("{by_id}&descending=true&last_id=b");
    assert_eq!(server.input_ids(&down).await, ["a"]);
    let lenient = Server::start().await;
    assert_eq!(lenient.input_ids("/inputs?ids=x").await, ["x"]);
    assert!(lenient.input_ids("/inputs/stream").await.is_empty());
}

#[tokio::test]
async fn an_input_is_deleted_with_its_annotations() {
    let server = strict(0).await;
    let posted = json!([{"id": "a"}, {"id": "b"}, {"id": "c"}]);
    server.post_inputs(posted).await;
    server.make(OWNER, tagged("x", "a", "car")).await;
    let gone = json!({"ids": ["a", "none"]});
    let (_, body) = server.call(OWNER, Method::DELETE, "/inputs", gone).await;
    assert_eq!(code(&body), 10010);
    let one = server.call(OWNER, Method::DELETE, "/inputs/b", Value::Null);
    assert_eq!(one.await.0, 200);
    assert_eq!(server.input_ids("/inputs?per_page=9").await, ["c"]);
    let left = server.emulator.annotations().await.unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn a_label_creates_its_concepts_which_are_never_deleted() {
    let server = Server::start().await;
    server.make(OWNER, boxed("a", "i", 0.1)).await;
    server.make(HELPER, tagged("b", "i", "tree")).await;
    let patch =
        json!([{"id": "a", "input_id": "i", "data": {"concepts": [{"id": "new", "name": "New"}]}}]);
    server.patch(OWNER, "merge", patch).await;
    let (_, made) = server
        .call(
            OWNER,
            Method::POST,
            "/concepts",
            json!({"concepts": [{"id": "by-hand"}]}),
        )
        .await;
    assert_eq!(made["concepts"][0]["name"], "by-hand");
    let again = json!({"concepts": [{"id": "tree"}]});
    let (http, twice) = server.call(OWNER, Method::POST, "/concepts", again).await;
    assert_eq!((http, code(&twice)), (400, 40003));
    let details = twice["status"]["details"].as_str().unwrap();
    assert!(details.contains("duplicate"), "{details}");
    server.delete(OWNER, json!({"input_ids": ["i"]})).await;
    let (_, listed) = server.get(OWNER, "/concepts?per_page=100").await;
    let names: Vec<(&str, &str)> = listed["concepts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["id"].as_str().unwrap(), it["name"].as_str().unwrap()))
        .collect();
    assert_eq!(
        names,
        [
            ("car", "car"),
            ("tree", "tree"),
            ("new", "New"),
            ("by-hand", "by-hand")
        ]
    );
    let (_, one) = server.get(OWNER, "/concepts/tree").await;
    assert_eq!(one["concept"]["id"], "tree");
    assert_eq!(server.get(OWNER, "/concepts/none").await.0, 404);
}
