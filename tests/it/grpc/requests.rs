//! What gRPC requests mean, and how faulty ones are refused.

use super::{Server, config, framed};
use annosync::emulator::{Config, Endpoint, Fault};
use reqwest::Method;
use serde_json::{Value, json};

fn concept(value: Option<f64>) -> Value {
    let mut concept = json!({"id": "car"});
    if let Some(value) = value {
        concept["value"] = Value::from(value);
    }
    json!({"annotations": [{"id": "a", "input_id": "i", "data": {"concepts": [concept]}}]})
}

#[tokio::test]
async fn a_missing_value_is_0_in_protobuf_and_1_in_json() {
    for (value, over_grpc, in_json) in [
        (None, 0.0, 1.0),
        (Some(0.0), 0.0, 0.0),
        (Some(0.5), 0.5, 0.5),
    ] {
        let value_of =
            |body: &Value| body["annotations"][0]["data"]["concepts"][0]["value"].clone();
        let server = Server::start(config()).await;
        server.call("PostAnnotations", &concept(value)).await;
        let (_, listed) = server
            .rest(Method::GET, "/annotations?ids=a&input_ids=i", &Value::Null)
            .await;
        assert_eq!(value_of(&listed), json!(over_grpc), "{value:?}");
        let server = Server::start(config()).await;
        let (_, posted) = server
            .rest(Method::POST, "/annotations", &concept(value))
            .await;
        assert_eq!(value_of(&posted), json!(in_json), "{value:?}");
    }
}

#[tokio::test]
async fn a_missing_coordinate_is_0_in_a_merge_and_a_missing_list_changes_nothing() {
    let server = Server::start(config()).await;
    let annotation = |edges: Value| {
        json!({"action": "merge", "annotations": [{"id": "a", "input_id": "i", "data": {"regions": [
            {"id": "r", "region_info": {"bounding_box": edges}}
        ]}}]})
    };
    let first = json!({"top_row": 0.2, "left_col": 0.3, "bottom_row": 0.4, "right_col": 0.5});
    let mut posted = annotation(first);
    posted.as_object_mut().unwrap().remove("action");
    posted["annotations"][0]["data"]["concepts"] = json!([{"id": "car", "value": 1}]);
    server.call("PostAnnotations", &posted).await;
    let second = json!({"bottom_row": 0.4, "right_col": 0.5});
    server.call("PatchAnnotations", &annotation(second)).await;
    let (_, stored) = server
        .rest(Method::GET, "/inputs/i/annotations/a", &Value::Null)
        .await;
    let data = &stored["annotation"]["data"];
    assert_eq!(
        data["regions"][0]["region_info"]["bounding_box"],
        json!({"top_row": 0.0, "left_col": 0.0, "bottom_row": 0.4, "right_col": 0.5})
    );
    assert_eq!(data["concepts"][0]["id"], "car");
}

#[tokio::test]
async fn unknown_fields_are_refused_if_the_emulator_is_strict() {
    let post = json!({"annotations": [{"id": "a", "input_id": "i", "data": {"colour": "red"}}]});
    for strict in [false, true] {
        let config = Config { strict, ..config() };
        let server = Server::start(config).await;
        // A field 99 with the number 1, after a valid request.
        let mut message = server.request("GetInputCount", &json!({}));
        message.extend([0x98, 0x06, 1]);
        let answer = server
            .send("GetInputCount", framed(&message))
            .await
            .unwrap();
        assert_eq!(answer.grpc.as_deref(), Some("0"));
        let text = String::from_utf8_lossy(&answer.message).into_owned();
        assert_eq!(text.contains("unknown field 99"), strict, "{text}");

        let (http, body) = server.rest(Method::POST, "/annotations", &post).await;
        if strict {
            assert_eq!((http, &body["status"]["code"]), (400, &json!(11100)));
            let details = "unknown field `annotations[0].data.colour`";
            assert_eq!(body["status"]["details"], details);
        } else {
            assert_eq!(body["annotations"][0]["data"]["colour"], "red");
        }
        let wrong = "/annotations?user_app_id.user_id=owner&input_id=i";
        let (http, body) = server.rest(Method::GET, wrong, &Value::Null).await;
        assert_eq!(http, if strict { 400 } else { 200 });
        assert_eq!(
            body.to_string().contains("unknown field `input_id`"),
            strict
        );
    }
}

#[tokio::test]
async fn errors_of_the_api_are_in_the_message() {
    let server = Server::start(config()).await;
    let code = async |name: &str, request: Value| {
        server.call(name, &request).await["status"]["code"].clone()
    };
    let app = json!({"user_app_id": {"user_id": "owner", "app_id": "none"}});
    assert_eq!(code("ListAnnotations", app).await, 11101);
    assert_eq!(code("PostAnnotations", json!({})).await, 11102);
    let fault = Fault::Throttle { retry_after: None };
    server.emulator.faults().next(Endpoint::GetUser, fault);
    assert_eq!(code("GetUser", json!({})).await, 11005);
    let url = format!("{}/clarifai.api.V2/GetUser", server.emulator.url());
    let request = server
        .grpc
        .post(url)
        .header("content-type", "application/grpc");
    let body = request
        .body(framed(&[]))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert!(
        String::from_utf8_lossy(&body).contains("Invalid API key"),
        "no key"
    );
}

#[tokio::test]
async fn faults_of_the_connection_are_those_of_a_server_behind_a_proxy() {
    let server = Server::start(config()).await;
    let faults = server.emulator.faults();
    faults.next(Endpoint::GetUser, Fault::Unavailable(503));
    let answer = server.send("GetUser", framed(&[])).await.unwrap();
    assert_eq!((answer.http, answer.grpc), (503, None));
    faults.next(Endpoint::GetUser, Fault::DropAfter);
    assert!(server.send("GetUser", framed(&[])).await.is_err());
    let calls = server.emulator.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(calls[1].path, "/clarifai.api.V2/GetUser");
}

#[tokio::test]
async fn what_is_no_message_is_refused_by_grpc() {
    let server = Server::start(config()).await;
    let mut compressed = framed(&[]);
    compressed[0] = 1;
    let mut short = framed(&[]);
    short[4] = 9;
    for (name, body, status) in [
        ("GetUser", vec![], "3"),
        ("GetUser", short, "3"),
        ("GetUser", framed(&[0xff]), "3"),
        ("GetUser", compressed, "12"),
        ("ListModels", framed(&[]), "12"),
        ("GetUser", framed(&vec![0; 9 << 20]), "8"),
    ] {
        let answer = server.send(name, body).await.unwrap();
        assert_eq!((answer.http, answer.grpc.as_deref()), (200, Some(status)));
    }
}
