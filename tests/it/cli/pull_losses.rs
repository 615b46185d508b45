//! `pull` of annotations that a manifest cannot declare in full.

use super::{World, settled};
use crate::support::{ME, base64, boxed, png, whole, with};
use serde_json::{Value, json};

#[test]
fn incompletely_written_annotations_are_listed_and_change_the_exit_code() {
    let world = World::new();
    let at = |id: &str, info: Value| {
        let mut annotation = boxed("in-1", id, [0.0, 0.0, 0.0, 0.0], &["car"]);
        annotation["data"]["regions"][0]["region_info"] = info;
        annotation
    };
    world.seed(vec![
        at("token", json!({"token": {"char_start": 1, "char_end": 2}})),
        at("url", json!({"mask": {"image": {"url": "s3://b/x.png"}}})),
        at(
            "black",
            json!({"mask": {"image": {"base64": base64(&png(2, &[0, 0]))}}}),
        ),
        at(
            "no-letter",
            json!({"span": {"char_start": 3, "char_end": 3}}),
        ),
        boxed("in-1", "flat", [0.1, 0.2, 0.1, 0.6], &["car"]),
        boxed("in-1", "above", [-0.01, 0.2, 0.5, 0.6], &["car"]),
        with(
            whole("in-1", "null", &[("car", 1.0)]),
            "annotation_info",
            json!({"reviewed": null}),
        ),
        boxed("in-1", "whole", [0.1, 0.2, 0.5, 0.6], &["car"]),
    ]);
    let run = world
        .on_app(&["pull", "out"])
        .exits(5)
        .says("`token` of input `in-1`")
        .says("`url` of input `in-1`")
        .says("`above` of input `in-1`")
        .says("`null` of input `in-1`")
        .says("`black` of input `in-1`")
        .says("`no-letter` of input `in-1`")
        .says("`flat` of input `in-1`")
        .says("warning[place-not-declarable]: 4 annotations declared by id only")
        .says("warning[null-values]: 1 annotation declared by id only")
        .says("warning[mask-not-declarable]: 2 annotations declared by id only");
    assert!(!run.stderr.contains("`whole`"), "{}", run.stderr);
    assert!(!world.path().join("out/labels/masks").exists());
    let before = world.annotations();
    world
        .on_app(&["apply", "out", "--auto-approve"])
        .exits(0)
        .says("No changes.");
    assert_eq!(world.annotations(), before);

    // In another app, they cannot be posted; a part of them must not be.
    let other = World::new();
    other.seed(vec![boxed("in-1", "else", [0.1, 0.2, 0.5, 0.6], &["car"])]);
    for name in ["annosync.yaml", "labels/pulled.yaml"] {
        other.write(name, &world.read(&format!("out/{name}")));
    }
    let before = other.annotations();
    let run = other.on_app(&["apply", ".", "--auto-approve"]).exits(1);
    run.says("annotation `above` of input `in-1` is not in the app")
        .says("the manifest asks for 7 changes that cannot be made; nothing was sent");
    assert_eq!(other.annotations(), before);
}

#[test]
fn annotations_with_undeclarable_fields_are_listed() {
    let world = World::new();
    let region = |id: &str, region: Value| json!({"id": id, "input_id": "in-1", "user_id": ME, "status": {"code": 24150}, "data": {"regions": [region]}});
    let place = json!({"bounding_box": {"top_row": 0.1, "left_col": 0.2, "bottom_row": 0.5, "right_col": 0.6}});
    let car = json!({"id": "car", "name": "Car", "app_id": "app", "language": "en", "value": 1});
    let with_data = |id: &str, name: &str, value: Value| {
        let mut annotation = region(
            id,
            json!({"region_info": place, "data": {"concepts": [car]}}),
        );
        annotation["data"][name] = value;
        annotation
    };
    let corner = |row: f64, col: f64, z: f64| json!({"row": row, "col": col, "z": z});
    let polygon = |z: f64| json!({"polygon": {"points": [corner(0.1, 0.1, z), corner(0.5, 0.1, 0.0), corner(0.5, 0.5, 0.0)]}});
    world.seed(vec![
        region("plain", json!({"id": "r", "region_info": place, "data": {"concepts": [car]}})),
        region("flat", json!({"region_info": polygon(0.0), "data": {"concepts": [car]}})),
        region("lost-depth", json!({"region_info": polygon(0.5), "data": {"concepts": [car]}})),
        with_data("lost-day", "concepts", json!([{"id": "day", "value": 1}])),
        with_data("lost-geo", "geo", json!({"geo_point": {"longitude": 1.5, "latitude": 2.5}})),
        with_data("lost-color", "colors", json!([{"raw_hex": "#102030", "value": 1}])),
        with_data("lost-text", "text", json!({"url": "https://example.org/t.txt"})),
        region(
            "lost-inner",
            json!({"region_info": place, "data": {"concepts": [car], "regions": [{"region_info": place}]}}),
        ),
        whole("in-1", "lost-value", &[("car", 1.5)]),
        whole("in-1", "lost-twice", &[("car", 1.0), ("car", 0.2)]),
    ]);
    let run = world.on_app(&["pull", "out"]).exits(5);
    let stored: Vec<String> = world
        .annotations()
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(stored.len(), 10);
    let text = world.read("out/labels/pulled.yaml");
    for id in &stored {
        let named = run.stderr.contains(&format!("`{id}` of input `in-1`"));
        assert_eq!(named, id.starts_with("lost-"), "{id}: {}", run.stderr);
        if named {
            assert!(text.contains(&format!("- id: {id}\n")), "{id}: {text}");
        }
    }
    run.says("fields-not-declarable");
    settled(&world.run(&["plan", "out", "--detailed-exitcode"]));
}
