//! Files that somebody made to break a reader: no panic, and an account that adds up.

use super::*;
use crate::formats::checks::adds_up;
use proptest::prelude::*;

fn outcome(text: &str) -> Result<Imported, String> {
    let source = Memory::of([("export.json", text)]);
    let _ = recognises(&source);
    import(&source, &ImportOptions::default()).map_err(|error| error.to_string())
}

#[test]
fn a_file_that_is_no_export_is_an_error() {
    for (text, message) in [
        (
            "[{\"id\": 1,\n \"annotations\": [",
            "export.json:2:17: the file is cut off inside of a list",
        ),
        (
            "7",
            "not a Label Studio export: it is neither a list nor an object; ",
        ),
        (
            "[7]",
            "not a Label Studio export: its first element is a number; ",
        ),
        (
            "[{\"image_id\": 1}]",
            "not a Label Studio export: its objects are not tasks; ",
        ),
    ] {
        let error = outcome(text).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(outcome("\u{feff}[]\r\n").unwrap().inputs.is_empty());
}

#[test]
fn one_wrong_task_or_file_does_not_cost_the_others() {
    let good = json!({"id": 1, "data": {"image": "a.jpg"}, "annotations": work(&json!([]))});
    for wrong in [
        "7",
        "{\"data\": 7}",
        "{\"data\": {}, \"annotations\": {}}",
        "{\"data\": {\"n\": 1e999}}",
    ] {
        let imported = outcome(&format!("[{good}, {wrong}]")).unwrap();
        assert_eq!(codes(&imported), [("wrong_type", 1)], "{wrong}");
        assert_eq!(imported.inputs.len(), 1);
    }
    let files = Memory::of([("a.json", format!("[{good}]").as_str()), ("b.json", "[{")]);
    let imported = import(&files, &ImportOptions::default()).unwrap();
    assert_eq!(codes(&imported), [("unreadable_file", 1)]);
    assert!(imported.skipped[0].detail.starts_with("b.json:1:"));
}

#[test]
fn other_formats_are_not_recognised() {
    for text in [
        r#"{"images": [], "annotations": [], "categories": []}"#,
        r#"{"version": "5.0", "flags": {}, "shapes": [], "imagePath": "a.jpg"}"#,
        r#"{"id": "a", "annotations": []}"#,
        r#"[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]"#,
        "",
    ] {
        assert!(!recognises(&Memory::of([("a.json", text)])), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 1e300, -1e300, 0.5, 100.0, 1e-320])
            .prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "1",
            "NaN",
            "../../x.jpg",
            "a\u{0}b",
            "\u{202e}",
            "data:,",
            "rle"
        ])
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 30, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(
                prop::sample::select(vec![
                    "x", "y", "width", "height", "points", "rle", "start", "end", "sequence",
                    "frame", "labels", "choices", "rotation", "radiusX", "radiusY", "text",
                    "email"
                ]),
                inner,
                0..7
            )
            .prop_map(|map| map
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// A task whose values are mostly sound, with one at some path replaced.
fn broken() -> impl Strategy<Value = Value> {
    let sound = json!([{"id": 1, "data": {"image": "a.jpg", "text": "a text"}, "predictions": [], "annotations": [
    {"id": 1, "completed_by": 1, "was_cancelled": false, "result": [
        result("rectanglelabels", json!({"x": 1, "y": 1, "width": 5, "height": 5, "rotation": 3, "rectanglelabels": ["a"]})),
        {"id": "s", "type": "labels", "value": {"start": 0, "end": 1, "text": "a", "labels": ["b"]}},
        {"id": "v", "type": "videorectangle", "value": {"labels": ["b"], "sequence": [{"frame": 1, "enabled": true}]}},
        {"id": "b", "type": "brushlabels", "original_width": 3, "original_height": 2, "value": {"format": "rle", "rle": [0, 0, 0, 24, 57]}},
    ]}]}]);
    (prop::collection::vec(0_usize..8, 1..8), value()).prop_map(move |(path, value)| {
        let mut whole = sound.clone();
        let mut at = &mut whole;
        for step in path {
            let count = match &*at {
                Value::Array(list) => list.len(),
                Value::Object(fields) => fields.len(),
                _ => 0,
            };
            if count == 0 {
                break;
            }
            at = match at {
                Value::Array(list) => &mut list[step % count],
                Value::Object(fields) => fields.values_mut().nth(step % count).unwrap(),
                _ => unreachable!(),
            };
        }
        *at = value;
        whole
    })
}

proptest! {
    #[test]
    fn any_values_are_accounted_for(file in broken()) {
        if let Ok(imported) = outcome(&file.to_string()) {
            prop_assert!(adds_up(&imported));
        }
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let source = Memory::new([("a.json".to_owned(), bytes)].into());
        let _ = recognises(&source);
        if let Ok(imported) = import(&source, &ImportOptions::default()) {
            prop_assert!(adds_up(&imported));
        }
    }
}
