//! Keys, paths, rate limit and requests.

use super::{HELPER, OWNER, Server, client, code, config, ids_of, tagged};
use crate::emulator::{Config, Endpoint};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_without_a_valid_key_is_rejected() {
    let server = Server::start().await;
    let (http, body) = server.get("wrong", "/annotations").await;
    assert_eq!((http, code(&body)), (401, 11008));
    let url = format!("{}/v2/annotations", server.emulator.url());
    let response = client().get(url).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let body: Value = response.json().await.unwrap();
    assert_eq!(code(&body), 11008);
    let words = "Invalid API key or Invalid API key/application pair";
    assert_eq!(body["status"]["description"], words);
}

#[tokio::test]
async fn short_and_long_paths_are_equivalent() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i/1 2", "car")).await;
    let app = json!({"user_id": "owner", "app_id": "app"});
    let body = json!({"user_app_id": app, "annotations": [tagged("b", "i/1 2", "car")]});
    let sent = server
        .try_call(HELPER, Method::POST, "/v2/annotations", body)
        .await
        .unwrap();
    assert_eq!(sent.0, 200);
    for path in [
        "/v2/annotations?user_app_id.user_id=owner&user_app_id.app_id=app",
        "/v2/annotations?user_app_id.user_id=me&user_app_id.app_id=app",
        "/v2/annotations",
        "/v2/users/owner/apps/app/annotations",
        "/v2/users/me/apps/app/annotations",
    ] {
        let (_, body) = server
            .try_call(OWNER, Method::GET, path, Value::Null)
            .await
            .unwrap();
        assert_eq!(ids_of(&body), ["a", "b"], "{path}");
    }
    let (http, _) = server.get(OWNER, "/inputs/i%2F1%202/annotations/a").await;
    assert_eq!(http, 200);
}

#[tokio::test]
async fn an_unknown_app_is_not_found() {
    let server = Server::start().await;
    for path in [
        "/v2/users/owner/apps/other/annotations",
        "/v2/users/nobody/apps/app/annotations",
        "/v2/annotations?user_app_id.app_id=other",
    ] {
        let (http, body) = server
            .try_call(OWNER, Method::GET, path, Value::Null)
            .await
            .unwrap();
        assert_eq!((http, code(&body)), (404, 11101), "{path}");
    }
    let (http, _) = server
        .try_call(
            HELPER,
            Method::GET,
            "/v2/users/me/apps/app/annotations",
            Value::Null,
        )
        .await
        .unwrap();
    assert_eq!(http, 404, "the app belongs to the owner, not to the caller");
}

#[tokio::test]
async fn unknown_paths_and_methods_have_their_codes() {
    let server = Server::start().await;
    for (method, path, expected) in [
        (Method::GET, "/", (404, 11101)),
        (Method::GET, "/v2/models", (404, 11101)),
        (Method::PUT, "/v2/annotations", (405, 11103)),
    ] {
        let (http, body) = server
            .try_call(OWNER, method, path, Value::Null)
            .await
            .unwrap();
        assert_eq!((http, code(&body)), expected, "{path}");
    }
}

#[tokio::test]
async fn users_are_found_by_id_and_by_me() {
    let server = Server::start().await;
    for (key, path, expected) in [
        (OWNER, "/v2/users/me", "owner"),
        (HELPER, "/v2/users/me", "helper"),
        (HELPER, "/v2/users/owner", "owner"),
    ] {
        let (http, body) = server
            .try_call(key, Method::GET, path, Value::Null)
            .await
            .unwrap();
        assert_eq!(
            (http, &body["user"]),
            (200, &json!({"id": expected})),
            "{path}"
        );
    }
    let (http, _) = server
        .try_call(OWNER, Method::GET, "/v2/users/nobody", Value::Null)
        .await
        .unwrap();
    assert_eq!(http, 404);
}

#[tokio::test]
async fn invalid_requests_are_rejected() {
    let server = Server::start().await;
    let url = format!("{}/v2/annotations", server.emulator.url());
    let post = async |body: String| {
        let request = client().post(&url).header("Authorization", "Key owner-key");
        let response = request.body(body).send().await.unwrap();
        (
            response.status().as_u16(),
            code(&response.json().await.unwrap()),
        )
    };
    assert_eq!(post("{\"annotations\": [".to_owned()).await, (400, 11100));
    assert_eq!(post("[]".to_owned()).await, (400, 11100));
    assert_eq!(post("{\"annotations\": {}}".to_owned()).await, (400, 11100));
    assert_eq!(
        post("{\"annotations\": [7]}".to_owned()).await,
        (400, 11100)
    );
    assert_eq!(post(String::new()).await, (400, 11102));
    assert_eq!(post(" ".repeat((8 << 20) + 1)).await, (413, 11100));
    assert!(server.emulator.annotations().await.unwrap().is_empty());
}

#[tokio::test]
async fn calls_above_the_rate_limit_are_throttled() {
    let server = Server::with(Config {
        rate_limit: Some(1),
        retry_after: Some(1),
        ..config()
    })
    .await;
    let url = format!("{}/v2/users/me", server.emulator.url());
    let mut throttled = None;
    // Two calls within a second are enough; a slow machine may need more.
    for _ in 0..50 {
        let request = server
            .client
            .get(&url)
            .header("Authorization", "Key owner-key");
        let response = request.send().await.unwrap();
        if response.status() == 429 {
            throttled = Some(response);
            break;
        }
    }
    let response = throttled.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    let body: Value = response.json().await.unwrap();
    assert_eq!(code(&body), 11005);
    assert_eq!(
        body["status"]["details"],
        "exceeded limit of 1 requests per second"
    );
    assert_eq!(body["status"]["description"], "Making too many requests");
}

#[tokio::test]
async fn calls_are_recorded() {
    let server = Server::start().await;
    server
        .post(
            OWNER,
            json!([tagged("a", "i", "car"), tagged("b", "i", "car")]),
        )
        .await;
    server.get(OWNER, "/annotations?per_page=7").await;
    server
        .delete(OWNER, json!({"input_ids": ["i"], "ids": ["a"]}))
        .await;
    let calls = server.emulator.calls();
    let seen: Vec<_> = calls
        .iter()
        .map(|c| (c.endpoint, c.method.as_str(), c.items, c.status))
        .collect();
    assert_eq!(
        seen,
        [
            (Endpoint::PostAnnotations, "POST", 2, Some(200)),
            (Endpoint::ListAnnotations, "GET", 0, Some(200)),
            (Endpoint::DeleteAnnotations, "DELETE", 1, Some(200)),
        ]
    );
    assert_eq!(calls[1].query, "per_page=7");
    assert_eq!(calls[1].path, "/v2/users/owner/apps/app/annotations");
    server.emulator.forget_calls();
    assert!(server.emulator.calls().is_empty());
}

#[tokio::test]
async fn too_many_headers_do_not_affect_later_calls() {
    let server = Server::start().await;
    let url = format!("{}/v2/annotations", server.emulator.url());
    for count in [50, 5_000] {
        let mut request = client().get(&url);
        for at in 0..count {
            request = request.header(format!("x-{at}"), "y".repeat(100));
        }
        // Rejected for the missing key, or for the number of headers.
        let answer = request.send().await;
        let http = answer.map(|answer| answer.status().as_u16());
        assert!(!matches!(http, Ok(200..300)), "{http:?}");
    }
    assert_eq!(server.get(OWNER, "/annotations").await.0, 200);
}
