//! The write that each difference leads to, and its body, for every kind of annotation.

use super::{by_id, content, declared, mask, stored};
use crate::support::{base64, bodies, observed, plan, png, try_plan, with};
use annosync::model::{Content, Identity};
use annosync::plan::Action;
use serde_json::{Value, json};

/// The single write from the stored to the declared annotation.
fn write_of(remote: Value, content: Content) -> (Action, Value) {
    let observed = observed(&[remote]);
    let plan = plan(&declared(by_id("1"), content), &observed);
    let [operation] = &plan.operations[..] else {
        panic!("expected one operation: {:#?}", plan.operations);
    };
    let body = bodies(&plan, &observed).remove(0);
    (operation.action(), body.unwrap_or_default())
}

/// Each row: name, stored data, declared content, write, sent data.
fn check(rows: impl IntoIterator<Item = (&'static str, Value, Value, Action, Value)>) {
    for (name, data, notation, action, expected) in rows {
        let (made, body) = write_of(stored(&data), content(&notation));
        assert_eq!(made, action, "{name}");
        assert_eq!(body["data"], expected, "{name}");
    }
}

/// A region `r` with a label in it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller makes the JSON for it"
)]
fn region(info: Value) -> Value {
    json!({"regions": [{"id": "r", "region_info": info, "data": label()}]})
}

fn label() -> Value {
    json!({"concepts": [{"id": "car", "value": 1.0}]})
}

#[test]
fn a_changed_geometry_is_an_overwrite_that_keeps_unmodelled_fields() {
    let hidden = |row: f64| json!({"row": row, "col": 0.5, "z": 0.5, "visibility": "NOT_VISIBLE"});
    check([
        (
            "a moved point keeps its depth, and its region what else it says of its place",
            region(json!({"point": {"row": 0.1, "z": 0.5}, "feedback": "accurate"})),
            json!({"point": [0.1, 0.3]}),
            Action::Overwrite,
            region(json!({"point": {"row": 0.1, "z": 0.5, "col": 0.3}, "feedback": "accurate"})),
        ),
        (
            "keypoints keep theirs one by one",
            region(json!({"keypoint_locations": [hidden(0.1), hidden(0.2), {"row": 0.3}]})),
            json!({"keypoints": [[0.1, 0.5, "visible"], [0.25, 0.5], [0.3, 0, "not_present"]]}),
            Action::Overwrite,
            region(json!({"keypoint_locations": [
                {"row": 0.1, "col": 0.5, "z": 0.5, "visibility": 1},
                {"row": 0.25, "col": 0.5, "z": 0.5},
                {"row": 0.3, "col": 0.0, "visibility": 3},
            ]})),
        ),
        (
            "with another number of keypoints, none can be paired",
            region(json!({"keypoint_locations": [hidden(0.1), hidden(0.2)]})),
            json!({"keypoints": [[0.1, 0.5, "not_visible"]]}),
            Action::Overwrite,
            region(json!({"keypoint_locations": [{"row": 0.1, "col": 0.5, "visibility": 2}]})),
        ),
        (
            "points of a ring that stay where they are keep theirs",
            region(
                json!({"polygon": {"points": [{"z": 0.5}, {"col": 1, "z": 0.5}, {"row": 1, "z": 0.5}]}}),
            ),
            json!({"polygon": [[0, 0], [0, 0.5], [1, 0]]}),
            Action::Overwrite,
            region(json!({"polygon": {"points": [
                {"z": 0.5, "row": 0.0, "col": 0.0}, {"row": 0.0, "col": 0.5, "z": 0.5}, {"row": 1.0, "z": 0.5, "col": 0.0}]}})),
        ),
        (
            "a moved span does not keep the words of other characters",
            region(json!({"span": {"char_end": 3, "raw_text": "car"}})),
            json!({"span": {"start": 4, "end": 7}}),
            Action::Overwrite,
            region(json!({"span": {"char_end": 7, "char_start": 4}})),
        ),
        (
            "a span of other words",
            region(json!({"span": {"char_end": 3, "raw_text": "car"}})),
            json!({"span": {"start": 0, "end": 3, "text": "bus"}}),
            Action::Overwrite,
            region(json!({"span": {"char_start": 0, "char_end": 3, "raw_text": "bus"}})),
        ),
        (
            "a segment keeps its number of frames",
            json!({"time_segments": [{"id": "s", "time_info": {"num_frames": 3, "end_time": 2}, "data": label()}]}),
            json!({"segment": {"begin": 0, "end": 2.5}}),
            Action::Overwrite,
            json!({"time_segments": [{"id": "s",
                "time_info": {"num_frames": 3, "begin_time": 0.0, "end_time": 2.5}, "data": label()}]}),
        ),
        (
            "the old name of a frame's number does not contradict the new number",
            json!({"frames": [{"id": "f", "frame_info": {"index": 45}, "data": label()}]}),
            json!({"frame": {"time_ms": 40, "number": 0}}),
            Action::Overwrite,
            json!({"frames": [{"id": "f", "frame_info": {"time": 40, "number": 0}, "data": label()}]}),
        ),
        (
            "another region's id takes the place of the geometry that was filled in for the first one",
            region(json!({"point": {}})),
            json!({"region": "other"}),
            Action::Overwrite,
            json!({"regions": [{"id": "other", "data": label()}]}),
        ),
    ]);
}

#[test]
fn an_overwrite_of_other_fields_keeps_the_stored_geometry() {
    let info = json!({"bounding_box": {"bottom_row": 1, "right_col": 1}});
    for mut notation in [
        json!({"region": "r"}),
        json!({"box": {"top": 0, "left": 0, "bottom": 1, "right": 1}}),
        json!({}),
    ] {
        notation["concepts"] = json!({"bus": 1});
        let mut expected = region(info.clone());
        expected["regions"][0]["data"]["concepts"] = json!([{"id": "bus", "value": 1.0}]);
        check([(
            "nothing moved",
            region(info.clone()),
            notation,
            Action::Overwrite,
            expected,
        )]);
    }
}

#[test]
fn a_changed_mask_replaces_the_whole_image() {
    let image = |image: Value| region(json!({ "mask": { "image": image } }));
    let (black, white) = (base64(&png(1, &[0])), base64(&png(1, &[255])));
    let of = |geometry| Content {
        geometry: Some(geometry),
        ..Content::default()
    };
    let both = image(json!({"base64": black, "url": "https://example.com/black"}));
    let (action, body) = write_of(stored(&both), of(mask(1, &[255])));
    assert_eq!(action, Action::Overwrite);
    assert_eq!(body["data"], image(json!({ "base64": white })));
    let elsewhere = content(&json!({"mask": {"url": "https://example.com/white"}}));
    let (action, body) = write_of(stored(&both), elsewhere);
    assert_eq!(action, Action::Overwrite);
    assert_eq!(
        body["data"],
        image(json!({"url": "https://example.com/white"}))
    );
    // Masks with equal pixels are equal, whatever their compression and URL.
    let same = plan(
        &declared(by_id("1"), of(mask(1, &[0]))),
        &observed(&[stored(&both)]),
    );
    assert!(same.is_empty());
}

#[test]
fn a_change_of_kind_keeps_concepts_and_text() {
    let text = json!({"raw": "red", "url": "u"});
    let inside = || json!({"concepts": [{"id": "car", "value": 1.0}], "text": text, "more": 1});
    let top = |mut data: Value, more: &Value| {
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        data
    };
    let geo = json!({"geo": {"x": 1}});
    let segment = |data: Value| json!({"time_segments": [{"time_info": {"begin_time": 1.0, "end_time": 2.0}, "data": data}]});
    let times = json!({"segment": {"begin": 1, "end": 2}});
    let only_text = json!({"concepts": [{"id": "car", "value": 1.0}], "text": text});
    check([
        (
            "a point becomes a span",
            region(json!({"point": {"row": 0.1, "z": 0.5}, "feedback": "x"})),
            json!({"span": {"start": 0, "end": 3}}),
            Action::Overwrite,
            region(json!({"span": {"char_start": 0, "char_end": 3}})),
        ),
        (
            "a region becomes a segment",
            top(
                json!({"regions": [{"id": "r", "region_info": {"point": {}}, "data": inside()}]}),
                &geo,
            ),
            times.clone(),
            Action::Overwrite,
            top(segment(inside()), &geo),
        ),
        (
            "a region in a frame becomes a segment",
            json!({"frames": [{"id": "f", "data": {"regions": [{"id": "r", "data": inside()}], "kept": 2}}]}),
            times.clone(),
            Action::Overwrite,
            segment(top(inside(), &json!({"kept": 2}))),
        ),
        (
            "a label on the whole input becomes one on a segment",
            top(only_text.clone(), &geo),
            times,
            Action::Overwrite,
            top(segment(only_text.clone()), &geo),
        ),
        (
            "a segment becomes a point",
            top(
                json!({"time_segments": [{"id": "s", "data": inside()}]}),
                &geo,
            ),
            json!({"point": [0, 1]}),
            Action::Overwrite,
            top(
                json!({"regions": [{"region_info": {"point": {"row": 0.0, "col": 1.0}}, "data": inside()}]}),
                &geo,
            ),
        ),
        (
            "a segment becomes a frame",
            json!({"time_segments": [{"id": "s", "data": inside()}]}),
            json!({"frame": {"time_ms": 40, "number": 1}}),
            Action::Overwrite,
            json!({"frames": [{"frame_info": {"time": 40, "number": 1}, "data": inside()}]}),
        ),
        (
            "a region that somebody else found stays where it is",
            json!({"regions": [{"id": "found", "data": label()}]}),
            json!({"point": [0, 0]}),
            Action::Overwrite,
            json!({"regions": [{"region_info": {"point": {"row": 0.0, "col": 0.0}}, "data": label()}]}),
        ),
        (
            "an unmodelled geometry becomes a point",
            region(json!({"token": {"x": 1}})),
            json!({"point": [0, 0]}),
            Action::Overwrite,
            region(json!({"point": {"row": 0.0, "col": 0.0}})),
        ),
    ]);
}

#[test]
fn track_value_and_text_are_merges_of_only_that() {
    let r = |region: Value| json!({ "regions": [region] });
    let boxed = region(json!({"bounding_box": {}}));
    let in_frame = json!({"frames": [{"id": "f", "data": boxed}]});
    let in_segment = json!({"time_segments": [{"id": "s", "data": label()}]});
    let red = json!({"text": {"raw": "red"}});
    check([
        (
            "a track",
            boxed.clone(),
            json!({"track": "t7"}),
            Action::Merge,
            r(json!({"id": "r", "track_id": "t7"})),
        ),
        (
            "a value",
            boxed.clone(),
            json!({"region_value": 0.75}),
            Action::Merge,
            r(json!({"id": "r", "value": 0.75})),
        ),
        (
            "all of a region in a frame",
            in_frame,
            json!({"region_value": 0.75, "track": "t7", "text": "red", "concepts": {"car": 1, "bus": 0}}),
            Action::Merge,
            json!({"frames": [{"id": "f", "data": {"regions": [{"id": "r", "value": 0.75, "track_id": "t7",
                "data": {"concepts": [{"id": "bus", "value": 0.0}], "text": {"raw": "red"}}}]}}]}),
        ),
        (
            "a text on the whole input",
            top_text("blue"),
            json!({"text": "red", "metadata": {"a": 1}}),
            Action::Merge,
            json!({"text": {"raw": "red"}, "metadata": {"a": 1}}),
        ),
        (
            "a text in a segment",
            in_segment.clone(),
            json!({"text": "red"}),
            Action::Merge,
            json!({"time_segments": [{"id": "s", "data": red}]}),
        ),
        (
            "a concept in a segment",
            in_segment,
            json!({"concepts": {"car": 0.5}}),
            Action::Merge,
            json!({"time_segments": [{"id": "s", "data": {"concepts": [{"id": "car", "value": 0.5}]}}]}),
        ),
    ]);
}

pub(super) fn top_text(raw: &str) -> Value {
    json!({"text": {"raw": raw}})
}

#[test]
fn a_concept_of_a_segment_is_removed_by_its_id() {
    let data = json!({"time_segments": [{"id": "s", "data":
        {"concepts": [{"id": "car", "value": 1}, {"id": "bus"}]}}]});
    check([(
        "removed",
        data,
        json!({"segment": {"begin": 0, "end": 0}, "concepts": {"car": 1}}),
        Action::Remove,
        json!({"time_segments": [{"id": "s", "data": {"concepts": [{"id": "bus"}]}}]}),
    )]);
}

#[test]
fn changes_that_a_merge_cannot_express_are_overwrites() {
    let nameless = json!({"regions": [{"region_info": {"point": {}}, "data": label()}]});
    let mut tracked = nameless.clone();
    tracked["regions"][0]["track_id"] = json!("t7");
    let mut worded = region(json!({"point": {}}));
    worded["regions"][0]["data"]["text"] = json!({"raw": "red"});
    let valued = json!({"regions": [{"id": "r", "value": 0.75, "region_info": {"point": {}}}]});
    check([
        (
            "a region without an id",
            nameless,
            json!({"track": "t7"}),
            Action::Overwrite,
            tracked,
        ),
        (
            "a segment without an id",
            json!({"time_segments": [{}]}),
            json!({"text": "red"}),
            Action::Overwrite,
            json!({"time_segments": [{"data": top_text("red")}]}),
        ),
        (
            "a text and fewer concepts",
            json!({"concepts": [{"id": "car", "value": 1}, {"id": "bus"}]}),
            json!({"text": "red", "concepts": {"car": 1}}),
            Action::Overwrite,
            json!({"concepts": [{"id": "car", "value": 1}], "text": {"raw": "red"}}),
        ),
        (
            "a text that says where other words were found",
            json!({"text": {"raw": "blue", "url": "https://example.com/blue"}}),
            json!({"text": "red"}),
            Action::Overwrite,
            top_text("red"),
        ),
        (
            "an empty text",
            top_text("blue"),
            json!({"text": ""}),
            Action::Overwrite,
            top_text(""),
        ),
        (
            "a value of 0",
            valued,
            json!({"region_value": 0}),
            Action::Overwrite,
            json!({"regions": [{"id": "r", "value": 0.0, "region_info": {"point": {}}, "data": {}}]}),
        ),
        (
            "a text that stays keeps where it was found",
            json!({"text": {"raw": "red", "url": "u"}, "concepts": [{"id": "car", "value": 1}]}),
            json!({"text": "red", "concepts": {"bus": 1}}),
            Action::Overwrite,
            json!({"concepts": [{"id": "bus", "value": 1.0}], "text": {"raw": "red", "url": "u"}}),
        ),
    ]);
}

#[test]
fn omitted_zeros_stay_zeros_at_every_level() {
    let zero = |value: Option<f64>| match value {
        None => json!([{"id": "a"}, {"id": "b", "value": null}]),
        Some(value) => json!([{"id": "a", "value": value}, {"id": "b", "value": value}]),
    };
    let data = |value| {
        json!({
            "concepts": zero(value),
            "metadata": {"concepts": [{"id": "free"}]},
            "frames": [{"id": "f", "frame_info": {"time": 40, "number": 1}, "data": {
                "concepts": zero(value),
                "regions": [{"id": "r", "region_info": {"point": {"row": 0.0, "col": 0.0}}, "data": {
                    "regions": [{"data": {"concepts": zero(value)}}],
                    "concepts": zero(value),
                }}],
            }}],
        })
    };
    let mut expected = data(Some(0.0));
    expected["frames"][0]["frame_info"]["time"] = json!(80);
    check([(
        "zeros",
        data(None),
        json!({"frame": {"time_ms": 80, "number": 1}}),
        Action::Overwrite,
        expected,
    )]);
}

#[test]
fn a_changed_embedding_model_is_a_replace_that_keeps_everything_else() {
    let mut remote = stored(&region(json!({"point": {"z": 0.5}})));
    remote["embed_model_version_id"] = json!("e1");
    remote["annotation_info"] = json!({"by": "x"});
    let (action, body) = write_of(remote, content(&json!({"embed_model_version": "e2"})));
    assert_eq!(action, Action::Replace);
    assert_eq!(
        body,
        json!({"id": "1", "input_id": "a", "data": region(json!({"point": {"z": 0.5}})),
            "status": {"code": 24150}, "user_id": "me-1", "annotation_info": {"by": "x"},
            "embed_model_version_id": "e2"})
    );
}

#[test]
fn the_input_level_annotation_is_patched_but_never_replaced() {
    let level = with(
        stored(&json!({"concepts": [{"id": "car", "value": 1}], "text": {"raw": "blue"}})),
        "input_level",
        json!(true),
    );
    let changed = |notation: Value| {
        let state = declared(Identity::InputLevel, content(&notation));
        try_plan(&state, &observed(std::slice::from_ref(&level)))
    };
    for (notation, action) in [
        (json!({"text": "red"}), Action::Merge),
        (json!({"concepts": {}}), Action::Remove),
        (json!({"concepts": {"bus": 1}}), Action::Overwrite),
    ] {
        let plan = changed(notation).unwrap();
        assert_eq!(plan.operations[0].action(), action);
    }
    let errors = changed(json!({"embed_model_version": "e2"})).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0]
            .to_string()
            .contains("is the input-level annotation of input `a`")
    );
}
