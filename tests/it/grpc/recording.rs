//! Calls over gRPC are recorded as the calls over REST that they correspond to, and replayed over both.

use super::{Server, config, framed, to_json};
use annosync::emulator::{Config, Recording};
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;

fn post() -> Value {
    let data = json!({"concepts": [{"id": "car", "value": 0.1}]});
    let app = json!({"user_id": "owner", "app_id": "app"});
    json!({"user_app_id": app, "annotations": [{"id": "a", "input_id": "i", "data": data}]})
}

fn get() -> Value {
    let app = json!({"user_id": "owner", "app_id": "app"});
    json!({"user_app_id": app, "input_id": "i", "annotation_id": "a"})
}

/// Two calls over gRPC: a post and a read.
async fn calls(server: &Server) -> [Value; 2] {
    [
        server.call("PostAnnotations", &post()).await,
        server.call("GetAnnotation", &get()).await,
    ]
}

fn record(file: &Path, forward: Option<&str>) -> Config {
    let forward = forward.map(|url| url.parse().unwrap());
    let file = file.to_owned();
    Config {
        recording: Recording::Record { file, forward },
        ..config()
    }
}

async fn check_replay(file: &Path, recorded: &[Value; 2]) {
    let text = std::fs::read_to_string(file).unwrap();
    let paths: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| {
            format!("{} {}", line["request"]["method"], line["request"]["path"]).replace('"', "")
        })
        .collect();
    let app = "/v2/users/owner/apps/app";
    let expected = [
        format!("POST {app}/annotations"),
        format!("GET {app}/inputs/i/annotations/a"),
    ];
    assert_eq!(paths, expected);
    let replay = Config {
        recording: Recording::Replay(file.to_owned()),
        ..config()
    };
    let server = Server::start(replay).await;
    assert_eq!(&calls(&server).await, recorded);
    let path = "/inputs/i/annotations/a";
    let (http, answer) = server.rest(Method::GET, path, &Value::Null).await;
    assert_eq!(http, 200);
    assert_eq!(to_json(&server.read("GetAnnotation", &answer)), recorded[1]);
    // In JSON, as scripts write it; 0.1 is the same number in 32 bits.
    let body = json!({"annotations": post()["annotations"]});
    let (http, _) = server.rest(Method::POST, "/annotations", &body).await;
    assert_eq!(http, 200);

    let missing = server
        .call(
            "GetAnnotation",
            &json!({"input_id": "i", "annotation_id": "b"}),
        )
        .await;
    let description = missing["status"]["description"].as_str().unwrap();
    assert_eq!(missing["status"]["code"], 11102);
    let named = "`GET /v2/inputs/i/annotations/b`; the nearest request is in line 3";
    assert!(description.contains(named), "{description}");
}

#[tokio::test]
async fn calls_are_replayed_over_grpc_and_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let server = Server::start(record(&file, None)).await;
    let recorded = calls(&server).await;
    assert_eq!(recorded[0]["status"]["code"], 10000);
    server.emulator.stop().await.unwrap();
    check_replay(&file, &recorded).await;
}

#[tokio::test]
async fn calls_are_forwarded_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let real = Server::start(config()).await;
    let server = Server::start(record(&file, Some(&real.emulator.url()))).await;
    let recorded = calls(&server).await;
    assert_eq!(
        recorded[1]["annotation"]["data"]["concepts"][0]["id"],
        "car"
    );
    assert_eq!(real.emulator.annotations().await.unwrap().len(), 2);
    assert_eq!(
        server.emulator.annotations().await.unwrap(),
        [] as [Value; 0]
    );
    // Without its id, the path would be that of another call.
    let call = server.call("DeleteInput", &json!({"input_id": ""})).await;
    assert_eq!(call["status"]["code"], 11102, "{call}");
    let methods: Vec<_> = real
        .emulator
        .calls()
        .into_iter()
        .map(|it| it.method)
        .collect();
    assert_eq!(methods, ["POST", "GET"]);
    server.emulator.stop().await.unwrap();
    check_replay(&file, &recorded).await;
}

#[tokio::test]
async fn unreadable_messages_are_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.jsonl");
    let server = Server::start(record(&file, None)).await;
    let answer = server
        .send("PostAnnotations", framed(b"\xff"))
        .await
        .unwrap();
    assert_eq!(answer.grpc.as_deref(), Some("3"));
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 1);
}
