//! Tests of the emulator over HTTP, one file for each part of the API.

mod access;
mod calls;
mod deleting;
mod faults;
mod inputs;
mod kinds;
mod listing;
mod patching;
mod persistence;
mod posting;
mod searching;
mod seeding;
mod tasks;
mod uploads;

use super::{Clock, Collaborator, Config, Emulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const OWNER: &str = "owner-key";
const HELPER: &str = "helper-key";

/// An emulator with an owner and the collaborator `helper`, and a client for it.
struct Server {
    emulator: Emulator,
    client: Client,
}

fn config() -> Config {
    Config {
        clock: Clock::Ticking(1_700_000_000_000),
        collaborators: vec![Collaborator {
            user: "helper".to_owned(),
            key: HELPER.to_owned(),
        }],
        ..Config::default()
    }
}

fn client() -> Client {
    // A second installation fails without effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

impl Server {
    async fn start() -> Self {
        Self::with(config()).await
    }

    async fn with(config: Config) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        Self {
            emulator: Emulator::start(config, listen).await.unwrap(),
            client: client(),
        }
    }

    /// A call below the long path of the app. Returns the HTTP status and the body.
    async fn call(&self, key: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let path = format!("/v2/users/owner/apps/app{path}");
        self.try_call(key, method, &path, body).await.unwrap()
    }

    /// A call to any path.
    async fn try_call(
        &self,
        key: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> reqwest::Result<(u16, Value)> {
        let url = format!("{}{path}", self.emulator.url());
        let mut request = self.client.request(method, url);
        request = request.header("Authorization", format!("Key {key}"));
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    async fn post(&self, key: &str, annotations: Value) -> (u16, Value) {
        let body = json!({"annotations": annotations});
        self.call(key, Method::POST, "/annotations", body).await
    }

    async fn patch(&self, key: &str, action: &str, annotations: Value) -> (u16, Value) {
        let body = json!({"action": action, "annotations": annotations});
        self.call(key, Method::PATCH, "/annotations", body).await
    }

    async fn delete(&self, key: &str, body: Value) -> (u16, Value) {
        self.call(key, Method::DELETE, "/annotations", body).await
    }

    async fn get(&self, key: &str, path: &str) -> (u16, Value) {
        self.call(key, Method::GET, path, Value::Null).await
    }

    /// Posts one annotation, which must be accepted. Returns the stored annotation.
    async fn make(&self, key: &str, annotation: Value) -> Value {
        let (http, body) = self.post(key, json!([annotation])).await;
        assert_eq!(http, 200, "{body}");
        body["annotations"][0].clone()
    }

    /// The ids in a listing, without input-level annotations.
    async fn ids(&self, query: &str) -> Vec<String> {
        let (http, body) = self.get(OWNER, &format!("/annotations?{query}")).await;
        assert_eq!(http, 200, "{body}");
        ids_of(&body)
    }
}

/// The ids in an answer, without input-level annotations.
fn ids_of(body: &Value) -> Vec<String> {
    let annotations = body["annotations"].as_array().unwrap().iter();
    annotations
        .filter(|annotation| annotation["input_level"] != true)
        .map(|annotation| annotation["id"].as_str().unwrap().to_owned())
        .collect()
}

/// An annotation of the whole input.
fn tagged(id: &str, input_id: &str, concept: &str) -> Value {
    json!({"id": id, "input_id": input_id, "data": {"concepts": [{"id": concept, "value": 1}]}})
}

fn boxed(id: &str, input_id: &str, top: f64) -> Value {
    json!({"id": id, "input_id": input_id, "data": {"regions": [{
        "region_info": {"bounding_box": {"top_row": top, "left_col": 0.2, "bottom_row": 0.9, "right_col": 0.8}},
        "data": {"concepts": [{"id": "car", "value": 1}]},
    }]}})
}

/// The status codes of the annotations in an answer.
fn codes(body: &Value) -> Vec<u64> {
    let annotations = body["annotations"].as_array().unwrap().iter();
    annotations
        .map(|annotation| annotation["status"]["code"].as_u64().unwrap())
        .collect()
}

fn code(body: &Value) -> u64 {
    body["status"]["code"].as_u64().unwrap()
}
