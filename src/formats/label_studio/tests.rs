mod hostile;
mod parts;
mod real;
mod write;

use super::*;
use crate::formats::account::Media;
use crate::formats::checks::{adds_up, codes, written};
use crate::formats::options::Frames;
use crate::formats::source::Memory;
use crate::model::{DesiredAnnotation, Geometry};
use serde_json::json;

/// A task with the picture `a.jpg` of 200 x 100 px, and annotations of it.
fn task(annotations: &Value) -> String {
    json!([{"id": 7, "data": {"photo": "/data/local-files/?d=x/a.jpg"}, "annotations": annotations}])
        .to_string()
}

/// The work of annotator 1 with these results.
fn work(results: &Value) -> Value {
    json!([{"id": 1, "completed_by": 1, "was_cancelled": false, "result": results}])
}

#[expect(clippy::needless_pass_by_value, reason = "tests write a literal")]
fn result(kind: &str, value: Value) -> Value {
    json!({"id": "r1", "from_name": "tag", "to_name": "img", "type": kind, "original_width": 200,
        "original_height": 100, "image_rotation": 0, "value": value})
}

fn read(text: &str, options: &ImportOptions) -> Imported {
    let source = Memory::of([("export.json", text)]);
    assert!(recognises(&source), "{text}");
    let imported = import(&source, options).unwrap();
    assert!(adds_up(&imported));
    imported
}

fn of_results(results: &Value) -> Imported {
    read(&task(&work(results)), &ImportOptions::default())
}

fn annotations(imported: &Imported) -> Vec<&DesiredAnnotation> {
    let inputs = imported.inputs.iter();
    inputs.flat_map(|input| &input.input.annotations).collect()
}

#[test]
fn each_shape_becomes_an_annotation() {
    let imported = of_results(&json!([
        {"id": "a", "type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["car"]}},
        {"id": "b", "type": "polygonlabels", "value": {"points": [[0, 0], [50, 0], [50, 50]], "closed": true, "polygonlabels": ["road"]}},
        {"id": "c", "type": "keypointlabels", "value": {"x": 25, "y": 75, "width": 0.5, "keypointlabels": ["nose"]}},
        {"id": "d", "type": "rectangle", "value": {"x": 1, "y": 1, "width": 1, "height": 1}},
    ]));
    assert_eq!(codes(&imported), []);
    assert_eq!(
        written(&imported),
        [
            r#"{"box":{"top":0.2,"left":0.1,"bottom":0.6,"right":0.4},"concepts":{"car":1}}"#,
            r#"{"polygon":[[0,0],[0,0.5],[0.5,0.5]],"concepts":{"road":1}}"#,
            r#"{"point":[0.75,0.25],"concepts":{"nose":1}}"#,
            r#"{"box":{"top":0.01,"left":0.01,"bottom":0.02,"right":0.02}}"#,
        ]
    );
    let input = &imported.inputs[0];
    assert_eq!(input.input.id.as_str(), "x-a");
    assert_eq!(input.image.path.as_deref(), Some("x/a.jpg"));
}

#[test]
fn a_rotated_box_turns_about_its_top_left_corner_in_pixels() {
    let value = json!({"x": 50, "y": 20, "width": 20, "height": 10, "rotation": 90, "rectanglelabels": ["car"]});
    let imported = of_results(&json!([result("rectanglelabels", value.clone())]));
    assert_eq!(codes(&imported), [("rotated_box", 1)]);
    let Some(Geometry::Polygon(polygon)) = &annotations(&imported)[0].content.geometry else {
        panic!("a polygon");
    };
    // 100, 20 in pixels; 40 wide becomes 40 high, 10 high becomes 10 to the left.
    let expected = [[0.2, 0.5], [0.6, 0.5], [0.6, 0.45], [0.2, 0.45]];
    for (point, [row, col]) in polygon.points().iter().zip(expected) {
        let point = serde_json::to_value(point).unwrap();
        assert!((point[0].as_f64().unwrap() - row).abs() < 1e-6, "{point}");
        assert!((point[1].as_f64().unwrap() - col).abs() < 1e-6, "{point}");
    }
    let mut without_size = result("rectanglelabels", value);
    without_size
        .as_object_mut()
        .unwrap()
        .remove("original_width");
    let imported = of_results(&json!([without_size]));
    assert_eq!(codes(&imported), [("image_without_size", 1)]);
}

#[test]
fn shapes_that_cannot_be_read_are_left_out() {
    let boxed = |fields: Value| {
        let mut value = json!({"x": 10, "y": 20, "width": 30, "height": 40});
        value
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        result("rectanglelabels", value)
    };
    let mut turned = boxed(json!({}));
    turned["image_rotation"] = 90.into();
    for (wrong, code) in [
        (turned, "other_shape"),
        (boxed(json!({"width": "NaN"})), "wrong_type"),
        (boxed(json!({"x": null})), "wrong_type"),
        (boxed(json!({"width": 0})), "no_area"),
        (boxed(json!({"width": 91})), "outside_image"),
        (boxed(json!({"rectanglelabels": [7]})), "wrong_type"),
        (boxed(json!({"rotation": "left"})), "wrong_type"),
        (boxed(json!({"x": 1e300, "rotation": 5})), "no_area"),
        (
            result("polygonlabels", json!({"points": [[0, 0], [1, 1]]})),
            "no_geometry",
        ),
        (
            result("polygonlabels", json!({"points": [[0, 0, 1]]})),
            "wrong_type",
        ),
        (
            result("brushlabels", json!({"format": "png", "rle": []})),
            "wrong_mask",
        ),
        (
            result("brushlabels", json!({"format": "rle", "rle": [1]})),
            "wrong_mask",
        ),
        (result("cubelabels", json!({"x": 1, "y": 1})), "other_shape"),
        (result("choices", json!({"choices": []})), "no_geometry"),
        (json!({"id": "r", "type": "choices"}), "wrong_type"),
        (json!(["r"]), "wrong_type"),
    ] {
        let good = json!({"id": "ok", "type": "choices", "value": {"choices": ["ok"]}});
        let imported = of_results(&json!([wrong, good]));
        assert_eq!(codes(&imported), [(code, 1)], "{wrong}");
        assert_eq!((imported.taken_over, imported.inputs[0].left_out), (1, 1));
    }
}

#[test]
fn results_of_one_region_are_one_annotation() {
    let value = json!({"x": 0, "y": 0, "width": 50, "height": 50});
    let with = |kind: &str, key: &str, more: Value| {
        let mut value = value.clone();
        value[key] = more;
        result(kind, value)
    };
    let mut noted = with("rectangle", "rotation", 0.into());
    noted["meta"] = json!({"text": ["seen"]});
    let imported = of_results(&json!([
        with("choices", "choices", json!(["red"])),
        noted,
        with("labels", "labels", json!(["car"])),
        with("textarea", "text", json!(["AB 12"])),
        {"id": "w", "from_name": "quality", "type": "choices", "value": {"choices": ["sharp"]}},
        {"id": "v", "from_name": "stars", "type": "rating", "value": {"rating": 4}},
        {"from_id": "r1", "to_id": "w", "type": "relation", "direction": "right"},
    ]));
    assert_eq!(codes(&imported), [("relations_left_out", 1)]);
    assert_eq!(
        written(&imported),
        [
            r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5},"concepts":{"car":1,"red":1},"metadata":{"meta":{"text":["seen"]},"tag":"AB 12"}}"#,
            r#"{"concepts":{"sharp":1}}"#,
            r#"{"metadata":{"stars":4}}"#,
        ]
    );
}

#[test]
fn tasks_that_are_skipped_unlabelled_or_empty_are_told_apart() {
    let boxed = json!([result(
        "rectanglelabels",
        json!({"x": 0, "y": 0, "width": 5, "height": 5})
    )]);
    let skipped = json!([{"id": 1, "completed_by": 1, "was_cancelled": true, "result": boxed}]);
    for (annotations, inputs, expected) in [
        (work(&json!([])), 1, vec![]),
        (json!([]), 0, vec![("not_annotated", 1)]),
        (skipped.clone(), 0, vec![("skipped_task", 2)]),
    ] {
        let imported = read(&task(&annotations), &ImportOptions::default());
        assert_eq!(imported.inputs.len(), inputs, "{annotations}");
        assert_eq!(imported.images, 1);
        assert_eq!(imported.unassigned, 0);
        assert_eq!(codes(&imported), expected, "{annotations}");
    }
    // One annotator skipped it, another did not.
    let mut both = work(&boxed);
    both.as_array_mut().unwrap().push(skipped[0].clone());
    let imported = read(&task(&both), &ImportOptions::default());
    assert_eq!(codes(&imported), [("skipped_task", 1)]);
    assert_eq!((imported.inputs.len(), imported.inputs[0].left_out), (1, 0));
}

#[test]
fn one_annotator_can_be_chosen() {
    let boxed = |x: u32| {
        json!([result(
            "rectanglelabels",
            json!({"x": x, "y": 0, "width": 5, "height": 5})
        )])
    };
    let text = task(&json!([
        {"completed_by": 1, "result": boxed(1)},
        {"completed_by": {"id": 2, "email": "ada@example.com"}, "result": boxed(2)},
    ]));
    let by = |annotator: Option<&str>| {
        let options = ImportOptions {
            annotator: annotator.map(str::to_owned),
            ..ImportOptions::default()
        };
        read(&text, &options)
    };
    let all = by(None);
    assert_eq!(codes(&all), [("several_annotators", 1)]);
    assert_eq!(all.taken_over, 2);
    for (annotator, left) in [("1", "0.01"), ("2", "0.02"), ("ada@example.com", "0.02")] {
        let mut one = by(Some(annotator));
        assert_eq!(codes(&one), [("other_annotator", 1)], "{annotator}");
        assert!(written(&one)[0].contains(&format!("\"left\":{left},")));
        assert_eq!(one.take_incomplete(), []);
    }
    let options = ImportOptions {
        annotator: Some("3".to_owned()),
        ..ImportOptions::default()
    };
    let error = import(&Memory::of([("export.json", text.as_str())]), &options).unwrap_err();
    let message = "annotator \"3\" made no annotations; the files name 1, ada@example.com";
    assert_eq!(error.to_string(), message);
}

#[test]
fn spans_are_in_the_text_of_the_task() {
    let text = "Zu\u{308}rich 👩‍🚀\r\nand Rome";
    let read_span = |value: Value| {
        let task = json!([{"id": 3, "data": {"about": "x", "body": text}, "annotations":
            work(&json!([{"id": "s", "type": "labels", "value": value}]))}]);
        read(&task.to_string(), &ImportOptions::default())
    };
    for (value, start) in [
        (
            json!({"start": 17, "end": 21, "text": "Rome", "labels": ["LOC"]}),
            17,
        ),
        // Counted in UTF-16 units.
        (
            json!({"start": 19, "end": 23, "text": "Rome", "labels": ["LOC"]}),
            17,
        ),
        (
            json!({"start": 8, "end": 16, "text": "👩‍🚀\\n\\nand", "labels": ["LOC"]}),
            8,
        ),
    ] {
        let imported = read_span(value);
        assert_eq!(codes(&imported), []);
        let input = &imported.inputs[0];
        assert_eq!(input.media, Media::Text(text.to_owned()));
        assert_eq!(input.input.id.as_str(), "task-3");
        let Some(Geometry::Span(span)) = &input.input.annotations[0].content.geometry else {
            panic!("a span");
        };
        assert_eq!(span.start(), start);
    }
    for value in [
        json!({"start": 0, "end": 4, "text": "Rome", "labels": []}),
        json!({"start": 5, "end": 5, "text": "", "labels": []}),
        json!({"start": 17, "end": 99_999_999_999_u64, "text": "Rome", "labels": []}),
        json!({"start": -1, "end": 4, "text": "Rome", "labels": []}),
        json!({"start": 6, "end": 4, "text": "Rome", "labels": []}),
    ] {
        assert_eq!(codes(&read_span(value)), [("outside_text", 1)]);
    }
}

#[test]
fn boxes_of_a_video_become_a_track() {
    let key = |frame: u32, x: f64, enabled: bool| {
        json!({"frame": frame, "enabled": enabled, "rotation": 0, "x": x, "y": 10, "width": 20, "height": 20,
            "time": f64::from(frame) / 25.0})
    };
    let sequence = json!([
        key(1, 10.0, true),
        key(3, 20.0, false),
        key(9, 50.0, true),
        key(11, 60.0, true)
    ]);
    let text = |value: Value| {
        json!([{"id": 1, "data": {"clip": "street.mp4"}, "annotations":
            work(&json!([{"id": "t", "type": "videorectangle", "value": value}]))}])
        .to_string()
    };
    let value =
        json!({"framesCount": 100, "duration": 4.0, "labels": ["car"], "sequence": sequence});
    let frames = |imported: &Imported| -> Vec<(u32, u64, String)> {
        annotations(imported)
            .iter()
            .map(|it| {
                let frame = it.content.frame.unwrap();
                assert_eq!(it.content.track(), Some("t"));
                let place = serde_json::to_value(&it.content.geometry).unwrap();
                (
                    frame.number,
                    frame.time_ms,
                    place["box"]["left"].to_string(),
                )
            })
            .collect()
    };
    let keys = read(&text(value.clone()), &ImportOptions::default());
    assert_eq!(codes(&keys), []);
    assert_eq!(keys.inputs[0].media, Media::Video);
    let place = |number, time, left: &str| (number, time, left.to_owned());
    let listed = [
        place(0, 0, "0.1"),
        place(2, 80, "0.2"),
        place(8, 320, "0.5"),
        place(10, 400, "0.6"),
    ];
    assert_eq!(frames(&keys), listed);
    assert!(written(&keys)[1].ends_with(r#""metadata":{"enabled":false},"track":"t"}"#));
    let options = ImportOptions {
        frames: Frames::Interpolated,
        ..ImportOptions::default()
    };
    let all = read(&text(value), &options);
    assert_eq!(codes(&all), [("interpolated_frames", 1)]);
    let numbers: Vec<u32> = frames(&all).into_iter().map(|it| it.0).collect();
    assert_eq!(numbers, [0, 1, 2, 8, 9, 10]);
    assert_eq!(frames(&all)[1], place(1, 40, "0.15"));
    // Without a rate, times are not known; a hostile gap is not filled.
    let huge = json!({"labels": ["car"], "sequence": [
        {"frame": 1, "x": 1, "y": 1, "width": 1, "height": 1}, {"frame": u32::MAX, "x": 1, "y": 1, "width": 1, "height": 1}]});
    let gap = read(&text(huge), &options);
    assert_eq!(codes(&gap), [("other_time", 1), ("guessed_time", 1)]);
}

#[test]
fn rows_of_json_min_with_one_task_are_one_input() {
    let row = |annotator: u32, tags: Value| {
        let mut row = json!({"image": "a.jpg", "note": "box", "id": 5});
        row.as_object_mut()
            .unwrap()
            .extend(tags.as_object().unwrap().clone());
        row["annotator"] = annotator.into();
        row["annotation_id"] = annotator.into();
        row
    };
    let boxed = json!({"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["car"], "original_width": 9, "original_height": 9});
    let rows = json!([
        row(1, json!({"box": [boxed], "quality": "sharp", "more": {"choices": ["a", "b"]}})),
        row(2, json!({"stars": [{"rating": 4}]})),
        {"image": "b.jpg", "id": 6, "annotator": null, "annotation_id": null},
        {"image": "c.jpg", "id": 7, "annotator": 1, "annotation_id": 9},
    ]);
    let imported = read(&rows.to_string(), &ImportOptions::default());
    assert_eq!(
        codes(&imported),
        [("not_annotated", 1), ("several_annotators", 1)]
    );
    assert_eq!(
        written(&imported),
        [
            r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5},"concepts":{"car":1}}"#,
            r#"{"concepts":{"sharp":1}}"#,
            r#"{"concepts":{"a":1,"b":1}}"#,
            r#"{"metadata":{"stars":4}}"#,
        ]
    );
    let ids: Vec<&str> = imported
        .inputs
        .iter()
        .map(|it| it.input.id.as_str())
        .collect();
    assert_eq!(ids, ["a", "c"]);
}
