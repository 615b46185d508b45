//! POST of annotations and inputs.

use super::{HELPER, OWNER, Server, boxed, code, codes, config, tagged};
use crate::emulator::{Authors, Codes, Config, FloatEcho, ResponseStyle, WideNumbers, Zeros};
use crate::wire::{self, Code};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_answer_has_the_posted_annotation_with_additions_of_the_server() {
    let server = Server::start().await;
    let posted = json!({
        "input_id": "i",
        "data": {
            "regions": [{"region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0, "bottom_row": 0.5, "right_col": 1}},
                         "data": {"concepts": [{"id": "tree"}]}}],
            "metadata": {"weather": "rain"},
            "unknown": {"field": "kept"},
        },
        "annotation_info": {"tool": 0.333_333_333_333},
        "embed_model_version_id": "e",
    });
    let (http, body) = server.post(OWNER, json!([posted])).await;
    assert_eq!((http, code(&body)), (200, 10000));
    let stored = &body["annotations"][0];
    let is_hex = |id: &Value| {
        let id = id.as_str().unwrap();
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
    };
    assert!(is_hex(&stored["id"]) && is_hex(&stored["data"]["regions"][0]["id"]));
    let mut expected = posted["data"].clone();
    expected["regions"][0]["id"] = stored["data"]["regions"][0]["id"].clone();
    expected["regions"][0]["data"]["concepts"][0]["value"] = json!(1.0);
    let edges = &mut expected["regions"][0]["region_info"]["bounding_box"];
    *edges = json!({"top_row": 0.1, "left_col": 0.0, "bottom_row": 0.5, "right_col": 1.0});
    assert_eq!(stored["data"], expected);
    assert_eq!(stored["annotation_info"], posted["annotation_info"]);
    assert_eq!(stored["embed_model_version_id"], "e");
    assert_eq!(stored["user_id"], "owner");
    assert_eq!(stored["worker"], json!({"user": {"id": "owner"}}));
    assert_eq!(stored["status"]["code"], 24150);
    assert_eq!(stored["created_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(stored["modified_at"], stored["created_at"]);
    let id = stored["id"].as_str().unwrap();
    let (http, body) = server
        .get(OWNER, &format!("/inputs/i/annotations/{id}"))
        .await;
    assert_eq!((http, &body["annotation"]), (200, stored));
}

#[tokio::test]
async fn a_batch_holds_1_to_128_annotations() {
    let server = Server::start().await;
    for (count, http) in [(0, 400), (1, 200), (128, 200), (129, 400)] {
        let batch: Vec<Value> = (0..count)
            .map(|n| tagged(&format!("{count}-{n}"), "i", "a"))
            .collect();
        let (answered, body) = server.post(OWNER, json!(batch)).await;
        assert_eq!(answered, http, "{count}");
        assert_eq!(
            code(&body),
            if http == 200 { 10000 } else { 11102 },
            "{count}"
        );
    }
    assert_eq!(server.ids("per_page=1000").await.len(), 129);
}

#[tokio::test]
async fn a_failed_item_does_not_affect_the_others() {
    let server = Server::start().await;
    let batch = json!([
        tagged("a", "i", "car"),
        boxed("b", "i", 0.95),
        tagged("a", "i", "car"),
        {"id": "c", "input_id": "i", "status": {"code": "DONE"}},
        {"id": "d"},
        tagged("a", "j", "car"),
    ]);
    let (http, body) = server.post(OWNER, batch).await;
    assert_eq!((http, code(&body)), (200, 10010));
    assert_eq!(codes(&body), [24150, 24155, 24155, 24155, 24155, 24150]);
    let duplicate = &body["annotations"][2];
    assert_eq!(
        (&duplicate["id"], &duplicate["input_id"]),
        (&json!("a"), &json!("i"))
    );
    assert!(
        duplicate["status"]["description"]
            .as_str()
            .unwrap()
            .contains("duplicate")
    );
    assert_eq!(server.ids("").await, ["a", "a"]);
    let (http, body) = server.post(OWNER, json!([tagged("a", "i", "car")])).await;
    assert_eq!((http, code(&body)), (400, 10020));
}

#[tokio::test]
async fn the_given_id_of_a_region_is_kept() {
    let server = Server::start().await;
    let annotation = json!({"input_id": "i", "data": {"regions": [{"id": "found", "data": {"concepts": [{"id": "a", "value": 0}]}}]}});
    let stored = server.make(OWNER, annotation).await;
    assert_eq!(stored["data"]["regions"][0]["id"], "found");
    assert_eq!(
        stored["data"]["regions"][0]["data"]["concepts"][0]["value"],
        0.0
    );
}

#[tokio::test]
async fn only_the_owner_posts_as_another_user() {
    let server = Server::start().await;
    let assigned = json!([{"id": "a", "input_id": "i", "user_id": "labeler-1", "status": {"code": "ANNOTATION_PENDING"}}]);
    let (http, body) = server.post(HELPER, assigned.clone()).await;
    assert_eq!((http, codes(&body)), (400, vec![24156]));
    let (_, body) = server.post(OWNER, assigned).await;
    assert_eq!(codes(&body), [24151]);
    assert_eq!(body["annotations"][0]["user_id"], "labeler-1");
    let worker = json!({"id": "b", "input_id": "i", "worker": {"user": {"id": "labeler-2"}}});
    assert_eq!(server.make(OWNER, worker).await["user_id"], "labeler-2");
    let own = json!({"id": "c", "input_id": "i", "user_id": "helper"});
    assert_eq!(server.make(HELPER, own).await["user_id"], "helper");
}

#[tokio::test]
async fn fields_of_the_server_are_ignored() {
    let server = Server::start().await;
    let annotation = json!({"id": "a", "input_id": "i", "input_level": true, "model_version_id": "m", "created_at": "2000-01-01T00:00:00Z"});
    let stored = server.make(OWNER, annotation).await;
    assert_eq!(stored.get("input_level"), None);
    assert_eq!(stored.get("model_version_id"), None);
    assert_eq!(stored["created_at"], "2023-11-14T22:13:20.000Z");
}

#[tokio::test]
async fn an_unknown_input_is_created_or_rejected() {
    let server = Server::start().await;
    server.make(OWNER, tagged("a", "i", "car")).await;
    server.make(OWNER, tagged("b", "i", "car")).await;
    let all = server.emulator.annotations().await.unwrap();
    let levels: Vec<bool> = all.iter().map(|a| a["input_level"] == true).collect();
    assert_eq!(
        levels,
        [true, false, false],
        "one is created with the input"
    );
    let strict = Server::with(Config {
        require_inputs: true,
        ..config()
    })
    .await;
    let (http, body) = strict.post(OWNER, json!([tagged("a", "i", "car")])).await;
    assert_eq!((http, codes(&body)), (400, vec![11101]));
    let inputs = json!({"inputs": [{"id": "i"}]});
    strict.call(OWNER, Method::POST, "/inputs", inputs).await;
    strict.make(OWNER, tagged("a", "i", "car")).await;
}

#[tokio::test]
async fn a_failed_post_creates_no_input() {
    let server = Server::start().await;
    server.post(OWNER, json!([boxed("a", "i", 0.95)])).await;
    assert!(server.emulator.annotations().await.unwrap().is_empty());
}

#[tokio::test]
async fn inputs_are_created_with_an_input_level_annotation() {
    let server = Server::start().await;
    let inputs = json!({"inputs": [
        {"id": "i", "data": {"image": {"url": "https://example.com/a.jpg"}, "concepts": [{"id": "car"}], "metadata": {"a": 1}}},
        {"data": {}},
        {"id": "i"},
    ]});
    let (http, body) = server.call(OWNER, Method::POST, "/inputs", inputs).await;
    assert_eq!((http, code(&body)), (200, 10010));
    assert_eq!(body["inputs"][0]["status"]["code"], 30000);
    assert_eq!(body["inputs"][1]["id"].as_str().unwrap().len(), 32);
    let failure = &body["inputs"][2]["status"];
    assert_eq!(
        (&failure["code"], &failure["details"]),
        (&json!(30100), &json!("Input has a duplicate ID."))
    );
    let (_, listed) = server.get(OWNER, "/annotations").await;
    let own = &listed["annotations"][0];
    assert_eq!(
        (&own["input_level"], &own["input_id"]),
        (&json!(true), &json!("i"))
    );
    assert_eq!(
        own["data"]["concepts"],
        json!([{"id": "car", "value": 1.0}])
    );
    let (_, page) = server.get(OWNER, "/inputs?page=2&per_page=1").await;
    assert_eq!(page["inputs"][0]["id"], body["inputs"][1]["id"]);
    let (_, page) = server.get(OWNER, "/inputs?page=3&per_page=1").await;
    assert_eq!(page["inputs"], json!([]));
}

#[tokio::test]
async fn response_styles_change_the_form_of_answers() {
    let server = Server::with(Config {
        response_style: ResponseStyle {
            floats: FloatEcho::Widened,
            zeros: Zeros::Omitted,
            codes: Codes::Names,
            wide_numbers: WideNumbers::Numbers,
            authors: Authors::Worker,
            ..ResponseStyle::default()
        },
        ..config()
    })
    .await;
    let annotation = json!({"id": "a", "input_id": "i", "data": {"frames": [{"id": "f", "frame_info": {"time": "1500", "number": 0},
        "data": {"regions": [{"id": "r", "region_info": {"bounding_box": {"top_row": 0, "left_col": 0.1, "bottom_row": 1, "right_col": 0.5}},
                              "data": {"concepts": [{"id": "car", "value": 0}]}}]}}]}});
    let (_, body) = server.post(OWNER, json!([annotation])).await;
    assert_eq!(body["status"]["code"], "SUCCESS");
    let stored = &body["annotations"][0];
    assert_eq!(stored["status"]["code"], "ANNOTATION_SUCCESS");
    assert_eq!(stored.get("user_id"), None);
    assert_eq!(stored["worker"]["user"]["id"], "owner");
    let frame = &stored["data"]["frames"][0];
    assert_eq!(frame["frame_info"], json!({"time": 1500}));
    assert_eq!(
        frame["data"]["regions"][0],
        json!({"id": "r", "region_info": {"bounding_box": {"left_col": 0.100_000_001_490_116_12, "bottom_row": 1.0, "right_col": 0.5}},
               "data": {"concepts": [{"id": "car"}]}})
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let server = Server::start().await;
        let (_, body) = server
            .post(OWNER, json!([boxed("", "i", 0.1), boxed("", "j", 0.1)]))
            .await;
        answers.push(body);
    }
    assert_eq!(answers[0], answers[1]);
    let other = Server::with(Config {
        seed: 1,
        ..config()
    })
    .await;
    let (_, body) = other.post(OWNER, json!([boxed("", "i", 0.1)])).await;
    assert_ne!(
        body["annotations"][0]["id"],
        answers[0]["annotations"][0]["id"]
    );
}

#[tokio::test]
async fn the_client_reads_answers_in_every_response_style() {
    for response_style in [
        ResponseStyle::default(),
        ResponseStyle {
            floats: FloatEcho::Widened,
            zeros: Zeros::Omitted,
            codes: Codes::Names,
            wide_numbers: WideNumbers::Numbers,
            authors: Authors::Worker,
            ..ResponseStyle::default()
        },
        ResponseStyle {
            authors: Authors::Plain,
            ..ResponseStyle::default()
        },
    ] {
        let server = Server::with(Config {
            response_style,
            ..config()
        })
        .await;
        let model = json!({"id": "m", "input_id": "i", "worker": {"model": {"model_version": {"id": "m1"}}}});
        server.emulator.seed(vec![model]).await.unwrap();
        server.make(HELPER, boxed("a", "i", 0.0)).await;
        let (_, body) = server
            .get(OWNER, "/annotations?list_all_annotations=true")
            .await;
        let read: wire::Annotations = serde_json::from_str(&body.to_string()).unwrap();
        assert_eq!(read.status.code, Code::SUCCESS);
        let [level, model, own] = &read.annotations[..] else {
            panic!("{body}")
        };
        assert!(level.input_level && !own.input_level);
        assert!(model.is_model_made() && !own.is_model_made());
        assert_eq!((own.user(), own.id.as_str()), ("helper", "a"));
        assert_eq!(own.status.as_ref().unwrap().code, Code::ANNOTATION_SUCCESS);
        let data: wire::Data = serde_json::from_str(own.data.as_ref().unwrap().get()).unwrap();
        let edges = data.regions[0].region_info.bounding_box.as_ref().unwrap();
        assert_eq!((edges.top_row as f32, edges.left_col as f32), (0.0, 0.2));
    }
}
