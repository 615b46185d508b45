use super::*;
use crate::formats::checks::{adds_up, codes, written};
use crate::formats::options::Overhang;
use crate::formats::source::Memory;
use base64::Engine as _;
use proptest::prelude::*;
use serde_json::json;

/// A file of a picture of 100 x 50 px with these shapes.
fn with(shapes: &Value) -> Value {
    json!({"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": "a.jpg", "imageData": "AAAA",
        "imageHeight": 50, "imageWidth": 100})
}

#[expect(clippy::needless_pass_by_value, reason = "tests write a literal")]
fn shape(kind: Option<&str>, points: Value) -> Value {
    let mut shape =
        json!({"label": "cat", "points": points, "group_id": null, "description": "", "flags": {}});
    if let Some(kind) = kind {
        shape["shape_type"] = kind.into();
    }
    shape
}

fn read(files: &[(&str, String)], options: &ImportOptions) -> Imported {
    let source = Memory::of(files.iter().map(|(path, text)| (*path, text.as_str())));
    assert!(recognises(&source), "{files:?}");
    let imported = import(&source, options).unwrap();
    assert!(adds_up(&imported));
    imported
}

fn of_shapes(shapes: &Value) -> Imported {
    read(
        &[("a.json", with(shapes).to_string())],
        &ImportOptions::default(),
    )
}

#[test]
fn each_shape_becomes_an_annotation() {
    let cat = r#","concepts":{"cat":1}}"#;
    let square = json!([[10, 10], [20, 10], [20, 20], [10, 20]]);
    for (kind, points, place, notes) in [
        (
            None,
            json!([[0, 0], [100, 0], [50, 50]]),
            r#"{"polygon":[[0,0],[0,1],[1,0.5]]"#,
            vec![],
        ),
        (
            Some("rectangle"),
            json!([[60, 40], [10, 10]]),
            r#"{"box":{"top":0.2,"left":0.1,"bottom":0.8,"right":0.6}"#,
            vec![],
        ),
        (
            Some("rectangle"),
            square,
            r#"{"box":{"top":0.2,"left":0.1,"bottom":0.4,"right":0.2}"#,
            vec![],
        ),
        (
            Some("oriented_rectangle"),
            json!([[50, 0], [100, 25], [50, 50], [0, 25]]),
            r#"{"polygon":[[0,0.5],[0.5,1],[1,0.5],[0.5,0]]"#,
            vec![("rotated_box", 1)],
        ),
        (
            Some("point"),
            json!([[25, 25]]),
            r#"{"point":[0.5,0.25]"#,
            vec![],
        ),
    ] {
        let imported = of_shapes(&json!([shape(kind, points)]));
        assert_eq!(written(&imported), [format!("{place}{cat}")]);
        assert_eq!(codes(&imported), notes);
    }
    let circle = of_shapes(&json!([shape(Some("circle"), json!([[50, 25], [50, 5]]))]));
    assert_eq!(codes(&circle), [("ellipse", 1)]);
    let bounds = circle.inputs[0].input.annotations[0]
        .geometry()
        .bounds()
        .unwrap();
    for (bound, expected) in bounds.into_iter().zip([0.1, 0.3, 0.9, 0.7]) {
        assert!((bound - expected).abs() < 1e-6, "{bounds:?}");
    }
    let points = of_shapes(&json!([shape(Some("points"), json!([[1, 1], [2, 2]]))]));
    assert_eq!((points.taken_over, written(&points).len()), (1, 2));
    assert!(written(&points)[1].contains("part_of"));
}

#[test]
fn shapes_that_cannot_be_held_or_read_are_left_out() {
    for (wrong, code) in [
        (shape(Some("line"), json!([[1, 1], [2, 2]])), "other_shape"),
        (
            shape(Some("linestrip"), json!([[1, 1], [2, 2], [3, 1]])),
            "other_shape",
        ),
        (shape(Some("cuboid"), json!([[1, 1]])), "other_shape"),
        (shape(None, json!([[1, 1], [2, 2]])), "no_geometry"),
        (shape(Some("circle"), json!([[1, 1]])), "no_geometry"),
        (shape(Some("rectangle"), json!([[1, 1], [1, 9]])), "no_area"),
        (
            shape(Some("rectangle"), json!([[1, 1], [101, 9]])),
            "outside_image",
        ),
        (shape(Some("point"), json!([["NaN", 1]])), "wrong_type"),
        (shape(Some("point"), json!({"x": 1})), "wrong_type"),
        (shape(Some("mask"), json!([[1, 1], [2, 2]])), "wrong_mask"),
        (
            json!({"label": ["cat"], "points": [[1, 1]], "shape_type": "point"}),
            "wrong_type",
        ),
        (json!(7), "wrong_type"),
    ] {
        let imported = of_shapes(&json!([wrong, shape(Some("point"), json!([[1, 1]]))]));
        assert_eq!(codes(&imported), [(code, 1)], "{wrong}");
        assert_eq!((imported.taken_over, imported.inputs[0].left_out), (1, 1));
    }
}

#[test]
fn a_mask_is_placed_at_its_offset() {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 3, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    // Python writes a mask of true and false as 1 and 0.
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0, 1, 0, 0, 1, 1]).unwrap();
    writer.finish().unwrap();
    let mask = |x: i32, y: i32, overhang| {
        let mut shape = shape(Some("mask"), json!([[x, y], [x + 2, y + 1]]));
        shape["mask"] = base64::engine::general_purpose::STANDARD
            .encode(&png)
            .into();
        let options = ImportOptions {
            overhang,
            ..ImportOptions::default()
        };
        read(&[("a.json", with(&json!([shape])).to_string())], &options)
    };
    let imported = mask(10, 20, Overhang::LeaveOut);
    assert_eq!(codes(&imported), []);
    let bounds = imported.inputs[0].input.annotations[0].geometry().bounds();
    assert_eq!(bounds, Some([0.4, 0.11, 0.44, 0.13]));
    assert_eq!(codes(&mask(97, 0, Overhang::LeaveOut)), []);
    assert_eq!(
        codes(&mask(98, 49, Overhang::LeaveOut)),
        [("outside_image", 1)]
    );
    assert_eq!(codes(&mask(98, 49, Overhang::Clip)), [("clipped", 1)]);
    assert_eq!(codes(&mask(-1, 0, Overhang::Clip)), [("outside_image", 1)]);
}

#[test]
fn flags_of_the_picture_are_concepts_and_fields_of_shapes_are_metadata() {
    let mut file = with(&json!([
        {"label": "cat", "points": [[1, 1]], "shape_type": "point", "group_id": 3, "description": "asleep",
         "flags": {"blurred": true}, "score": 0.5, "difficult": false, "attributes": {}}
    ]));
    file["flags"] = json!({"indoor": true, "night": false});
    let imported = read(&[("a.json", file.to_string())], &ImportOptions::default());
    assert_eq!(codes(&imported), [("score_left_out", 1)]);
    assert_eq!(
        written(&imported),
        [
            r#"{"concepts":{"indoor":1,"night":0}}"#,
            r#"{"point":[0.02,0.01],"concepts":{"cat":1},"metadata":{"group_id":3,"description":"asleep","flags":{"blurred":true},"difficult":false}}"#,
        ]
    );
    file["flags"] = json!({"indoor": "yes"});
    let imported = read(&[("a.json", file.to_string())], &ImportOptions::default());
    assert_eq!(codes(&imported), [("wrong_type", 1), ("score_left_out", 1)]);
}

#[test]
fn pictures_are_named_by_their_paths() {
    let file = |path: Value| {
        let mut file = with(&json!([]));
        file["imagePath"] = path;
        file.to_string()
    };
    let imported = read(
        &[
            ("labels/1.json", file(r"..\images\1.jpg".into())),
            ("labels/2.json", file(Value::Null)),
            ("3.json", file("../../outside/3.jpg".into())),
            ("4.json", file(7.into())),
            (
                "\u{fc}/5.json",
                format!("\u{feff}{}", file("5.jpg".into()).replace(',', ",\r\n")),
            ),
        ],
        &ImportOptions::default(),
    );
    let ids: Vec<&str> = imported
        .inputs
        .iter()
        .map(|it| it.input.id.as_str())
        .collect();
    assert_eq!(ids, ["4", "images-1", "labels-2", "outside-3", "ü-5"]);
    assert_eq!(
        imported.inputs[1].image.path.as_deref(),
        Some("images/1.jpg")
    );
    assert_eq!(codes(&imported), []);
}

#[test]
fn one_wrong_file_does_not_cost_the_others() {
    let good = with(&json!([])).to_string();
    let wrong = [
        ("b.json", "{\"shapes\": [".to_owned()),
        ("c.json", "{\"imageData\": \"\"}".to_owned()),
        ("d.json", "{\"shapes\": {}, \"imageData\": 1}".to_owned()),
    ];
    for (path, text) in &wrong {
        let error = import(
            &Memory::of([(*path, text.as_str())]),
            &ImportOptions::default(),
        );
        assert!(error.is_err(), "{path}");
        let source = Memory::of([("a.json", good.as_str()), (*path, text.as_str())]);
        let imported = import(&source, &ImportOptions::default()).unwrap();
        assert_eq!(codes(&imported), [("unreadable_file", 1)]);
        assert!(imported.skipped[0].detail.contains(path));
        assert_eq!(imported.inputs.len(), 1);
    }
    let nan = good.replace("\"AAAA\"", "NaN");
    assert_eq!(
        codes(&read(&[("a.json", nan)], &ImportOptions::default())),
        []
    );
}

#[test]
fn other_formats_are_not_recognised() {
    for text in [
        r#"{"images": [], "annotations": [], "categories": []}"#,
        r#"[{"id": 1, "annotations": [{"result": []}], "data": {}}]"#,
        r#"{"id": "a", "annotations": []}"#,
    ] {
        assert!(!recognises(&Memory::of([("a.json", text)])), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 1e300, -1e300, 0.5, 1e-320]).prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "../x",
            "mask",
            "circle",
            "points",
            "iVBORw0KGgo=",
            "a\u{0}"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop::collection::vec(inner, 0..5).prop_map(Value::from)
    })
}

proptest! {
    #[test]
    fn any_values_are_accounted_for(
        fields in prop::collection::btree_map(
            prop::sample::select(vec!["label", "points", "shape_type", "mask", "flags", "group_id", "score"]), value(), 0..4),
        tops in prop::collection::btree_map(
            prop::sample::select(vec!["imagePath", "imageWidth", "flags", "imageData"]), value(), 0..2),
    ) {
        let mut whole = with(&json!([shape(Some("rectangle"), json!([[1, 1], [9, 9]]))]));
        for (name, value) in fields {
            whole["shapes"][0][name] = value;
        }
        for (name, value) in tops {
            whole[name] = value;
        }
        let text = whole.to_string();
        let imported = import(&Memory::of([("a.json", text.as_str())]), &ImportOptions::default());
        prop_assert!(imported.is_ok_and(|it| adds_up(&it)));
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

#[test]
fn an_export_stays_in_its_folder_and_comes_back() {
    use crate::formats::writer::{ExportAnnotation, ExportInput};
    let shapes = json!([
        {"label": "cat", "points": [[1, 1], [9, 9]], "shape_type": "rectangle", "group_id": 3, "difficult": 1},
        shape(Some("points"), json!([[1, 1], [2, 2]])),
    ]);
    let mut file = with(&shapes);
    file["flags"] = json!({"indoor": true, "night": false});
    let first = read(&[("a.json", file.to_string())], &ImportOptions::default());
    let one = &first.inputs[0];
    let input = |path: &str| ExportInput {
        id: crate::model::InputId::new("x").unwrap(),
        media: Media::Image,
        image: crate::formats::ImageInfo {
            path: Some(path.to_owned()),
            ..one.image.clone()
        },
        annotations: (one.input.annotations.iter())
            .map(|it| ExportAnnotation {
                identity: crate::model::Identity::Content,
                name: "it".to_owned(),
                content: it.content.clone(),
            })
            .collect(),
        split: None,
    };
    let exported = export(
        &[
            "s/a.jpg",
            "s/a.png",
            "../../b.jpg",
            "https://host.example/c.jpg",
            r"C:\d.jpg",
            "/e.jpg",
        ]
        .map(input),
        &[],
    );
    assert_eq!(exported.skipped, []);
    let names: Vec<&str> = exported.files.iter().map(|it| it.0.as_str()).collect();
    let expected = [
        "s/a.json",
        "s/a-2.json",
        "b.json",
        "c.json",
        "C__d.json",
        "e.json",
    ];
    assert_eq!(names, expected);
    // Two points of one shape are linked by a number, since `part_of` is not a field of LabelMe.
    let text = String::from_utf8(exported.files[0].1.clone()).unwrap();
    assert_eq!(text.matches("\"group_id\": 1").count(), 2, "{text}");
    let mut files = exported.files;
    files.remove(1);
    let back = import(
        &Memory::new(files.into_iter().collect()),
        &ImportOptions::default(),
    )
    .unwrap();
    let ids: Vec<&str> = back.inputs.iter().map(|it| it.input.id.as_str()).collect();
    assert_eq!(ids, ["b", "c", "d", "e", "s-a"]);
    let contents = |at: usize| written(&back)[at * 4..][..2].to_vec();
    assert_eq!(contents(4), written(&first)[..2]);
    assert_eq!(contents(0), contents(4));
}
