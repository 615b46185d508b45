//! Every kind of annotation over HTTP: post, get, list, patch.

use super::{OWNER, Server, code, codes, config};
use crate::emulator::{Codes, Config, RegionPlaces, ResponseStyle, Zeros};
use serde_json::{Value, json};

/// The name and the stored `data` of each kind.
fn kinds() -> Vec<(&'static str, Value)> {
    let region = |place: Value| {
        json!({"regions": [{
            "id": "r", "region_info": place, "data": {"concepts": [{"id": "car", "value": 0.25}]},
        }]})
    };
    let rich = json!({
        "id": "r", "region_info": {"point": {"row": 0.5, "col": 0.0}},
        "data": {"concepts": [{"id": "car", "value": 1.0}], "text": {"raw": "a plate"}},
        "value": 0.9, "track_id": "t7",
    });
    vec![
        (
            "point",
            region(json!({"point": {"row": 0.1, "col": 0.2, "z": 0.3}})),
        ),
        (
            "keypoints",
            region(json!({"keypoint_locations": [
                {"row": 0.1, "col": 0.2, "visibility": 1}, {"row": 0.3, "col": 0.4, "visibility": 0}, {"row": 0.0, "col": 0.0},
            ]})),
        ),
        (
            "mask",
            region(json!({"mask": {"image": {"base64": "iVBORw0KGgo="}}})),
        ),
        (
            "mask by url",
            region(json!({"mask": {"image": {"url": "https://example.com/m.png"}}})),
        ),
        (
            "span",
            region(json!({"span": {"char_start": 3, "char_end": 9, "raw_text": "lorem "}})),
        ),
        (
            "value, track and text of a region",
            json!({"regions": [rich.clone()]}),
        ),
        (
            "segments",
            json!({"time_segments": [
                {"id": "s1", "time_info": {"begin_time": 0.0, "end_time": 1.5}, "data": {"concepts": [{"id": "goal", "value": 1.0}]}},
                {"id": "s2", "time_info": {"num_frames": 12, "begin_time": 2.0, "end_time": 2.5}, "data": {"text": {"raw": "t"}}},
            ]}),
        ),
        (
            "tracks",
            json!({"tracks": [{"id": "t", "quality": 0.5, "time_info": {"begin_time": 1.0}, "data": {"frames": []}}]}),
        ),
        (
            "frame",
            json!({"frames": [{"id": "f", "frame_info": {"time": "1500", "number": 45}, "data": {"regions": [rich]}}]}),
        ),
        ("text", json!({"text": {"raw": "über — \"all\"\n"}})),
        (
            "concepts",
            json!({"concepts": [{"id": "a", "value": 1.0}, {"id": "b", "value": 0.0}, {"id": "c", "value": 0.33}]}),
        ),
    ]
}

#[tokio::test]
async fn every_kind_is_stored_listed_and_patched() {
    let server = Server::start().await;
    for (name, data) in kinds() {
        let posted =
            json!({"id": name, "input_id": "i", "data": data, "embed_model_version_id": "e1"});
        let stored = server.make(OWNER, posted).await;
        assert_eq!(stored["data"], data, "{name}");
        assert_eq!(stored["embed_model_version_id"], "e1", "{name}");
        let (_, listed) = server
            .call(
                OWNER,
                reqwest::Method::GET,
                &format!("/annotations?input_ids=i&ids={}", name.replace(' ', "%20")),
                Value::Null,
            )
            .await;
        assert_eq!(listed["annotations"], json!([stored]), "{name}");
        let mut moved = data.clone();
        moved["concepts"] = json!([{"id": "new", "value": 0.5}]);
        let patch = json!([{"id": name, "input_id": "i", "data": moved}]);
        let (http, body) = server.patch(OWNER, "overwrite", patch).await;
        assert_eq!(
            (http, &body["annotations"][0]["data"]),
            (200, &moved),
            "{name}"
        );
        assert_eq!(
            body["annotations"][0]["embed_model_version_id"], "e1",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_visibility_is_a_number_or_a_name() {
    let points = |seen: [Value; 3]| {
        let points =
            seen.map(|visibility| json!({"row": 0.5, "col": 0.5, "visibility": visibility}));
        json!({"input_id": "i", "data": {"regions": [{"region_info": {"keypoint_locations": points}}]}})
    };
    let shown = |stored: &Value| -> Vec<Value> {
        let place = &stored["data"]["regions"][0]["region_info"];
        let points = place["keypoint_locations"].as_array().unwrap().iter();
        points.map(|point| point["visibility"].clone()).collect()
    };
    let sent = points([json!("VISIBLE"), json!(3), json!("NOT_SET")]);
    for (response_style, expected) in [
        (ResponseStyle::default(), [json!(1), json!(3), json!(0)]),
        (
            ResponseStyle {
                codes: Codes::Names,
                ..ResponseStyle::default()
            },
            [json!("VISIBLE"), json!("NOT_PRESENT"), json!("NOT_SET")],
        ),
        (
            ResponseStyle {
                zeros: Zeros::Omitted,
                ..ResponseStyle::default()
            },
            [json!(1), json!(3), Value::Null],
        ),
    ] {
        let server = Server::with(Config {
            response_style,
            ..config()
        })
        .await;
        assert_eq!(shown(&server.make(OWNER, sent.clone()).await), expected);
    }
}

#[tokio::test]
async fn invalid_annotations_are_rejected_one_by_one() {
    let server = Server::start().await;
    let place =
        |place: Value| json!({"input_id": "i", "data": {"regions": [{"region_info": place}]}});
    let batch = json!([
        place(json!({"span": {"char_start": 9, "char_end": 3}})),
        place(json!({"mask": {"image": {"base64": "not base64"}}})),
        place(json!({"point": {"row": 1.5}})),
        place(json!({"keypoint_locations": [{"row": 0.5}, {"col": -0.5}]})),
        {"input_id": "i", "data": {"time_segments": [{"data": {"concepts": [{"id": "a", "value": 3}]}}]}},
        place(json!({"span": {"char_start": 3, "char_end": 3}})),
    ]);
    let (http, body) = server.post(OWNER, batch).await;
    assert_eq!((http, code(&body)), (200, 10010));
    assert_eq!(codes(&body), [24155, 24155, 24155, 24155, 24155, 24150]);
    // What the parser of protobuf would reject fails the whole call.
    let bad = place(json!({"keypoint_locations": [{"visibility": "HIDDEN"}]}));
    let (http, body) = server.post(OWNER, json!([bad])).await;
    assert_eq!((http, code(&body)), (400, 11100));
}

#[tokio::test]
async fn an_existing_region_is_referenced_by_id_and_may_be_filled_in() {
    let place = json!({"bounding_box": {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.5, "right_col": 0.6}});
    for (regions, expected) in [
        (RegionPlaces::AsSent, Value::Null),
        (RegionPlaces::FilledIn, place.clone()),
    ] {
        let response_style = ResponseStyle {
            regions,
            ..ResponseStyle::default()
        };
        let server = Server::with(Config {
            response_style,
            ..config()
        })
        .await;
        let found = json!({"id": "m", "input_id": "i", "model_version_id": "m1",
            "data": {"regions": [{"id": "found", "region_info": place}]}});
        server.emulator.seed(vec![found]).await.unwrap();
        let labelled = |concept: &str| {
            json!({"id": "a", "input_id": "i", "data": {"regions": [
                {"id": "found", "data": {"concepts": [{"id": concept, "value": 1.0}]}}]}})
        };
        let mut stored = server.make(OWNER, labelled("car")).await;
        for _ in 0..2 {
            let region = &stored["data"]["regions"][0];
            assert_eq!(
                (&region["id"], &region["region_info"]),
                (&json!("found"), &expected)
            );
            let patch = json!([labelled("van")]);
            let (_, body) = server.patch(OWNER, "overwrite", patch).await;
            stored = body["annotations"][0].clone();
        }
        let mut elsewhere = labelled("car");
        elsewhere["input_id"] = json!("j");
        let stored = server.make(OWNER, elsewhere).await;
        assert_eq!(stored["data"]["regions"][0].get("region_info"), None);
    }
}
