//! The bodies of posts of every kind of annotation.

use super::changes::top_text;
use super::{by_key, content, declared, mask};
use crate::support::{base64, bodies, observed, plan, png};
use annosync::model::Content;
use annosync::plan::Action;
use serde_json::{Value, json};

/// The body of the post for declared content.
fn post_of(content: Content) -> Value {
    let plan = plan(&declared(by_key(), content), &observed(&[]));
    assert_eq!(plan.operations[0].action(), Action::Post);
    bodies(&plan, &observed(&[])).remove(0).unwrap()
}

#[test]
fn every_kind_of_geometry_is_posted_with_zeros() {
    let info = |info: Value| json!({"regions": [{"region_info": info, "data": {}}]});
    for (notation, expected) in [
        (
            json!({"point": [0, 0.5]}),
            info(json!({"point": {"row": 0.0, "col": 0.5}})),
        ),
        (
            json!({"keypoints": [[0, 0], [1, 0.5, "not_visible"]]}),
            info(json!({"keypoint_locations": [
                {"row": 0.0, "col": 0.0}, {"row": 1.0, "col": 0.5, "visibility": 2}]})),
        ),
        (
            json!({"mask": {"url": "https://example.com/m"}}),
            info(json!({"mask": {"image": {"url": "https://example.com/m"}}})),
        ),
        (
            json!({"span": {"start": 0, "end": 3, "text": "car"}}),
            info(json!({"span": {"char_start": 0, "char_end": 3, "raw_text": "car"}})),
        ),
        (
            json!({"span": {"start": 0, "end": 0}}),
            info(json!({"span": {"char_start": 0, "char_end": 0}})),
        ),
        (
            json!({"segment": {"begin": 0, "end": 0.1}, "text": "red", "concepts": {"car": 0}}),
            json!({"time_segments": [{"time_info": {"begin_time": 0.0, "end_time": 0.1},
                "data": {"concepts": [{"id": "car", "value": 0.0}], "text": {"raw": "red"}}}]}),
        ),
        (
            json!({"region": "found"}),
            json!({"regions": [{"id": "found", "data": {}}]}),
        ),
        (json!({"text": "red"}), top_text("red")),
        (
            json!({"frame": {"number": 3}, "text": "red"}),
            json!({"frames": [{"frame_info": {"time": 0, "number": 3}, "data": {"text": {"raw": "red"}}}]}),
        ),
        (
            json!({"frame": {}, "point": [0, 0], "track": "t7", "region_value": 0, "text": "red"}),
            json!({"frames": [{"frame_info": {"time": 0, "number": 0}, "data": {"regions": [{
                "region_info": {"point": {"row": 0.0, "col": 0.0}}, "value": 0.0, "track_id": "t7",
                "data": {"text": {"raw": "red"}}}]}}]}),
        ),
    ] {
        assert_eq!(post_of(content(&notation))["data"], expected, "{notation}");
    }
}

#[test]
fn a_mask_is_posted_as_its_file_and_an_embedding_model_outside_of_data() {
    let file = png(2, &[0, 255]);
    let body = post_of(Content {
        geometry: Some(mask(2, &[0, 255])),
        ..content(&json!({"embed_model_version": "e1"}))
    });
    assert_eq!(body["embed_model_version_id"], "e1");
    assert_eq!(
        body["data"],
        json!({"regions": [{"region_info": {"mask": {"image": {"base64": base64(&file)}}}, "data": {}}]})
    );
}
