//! Servers of the same API write their answers in different styles. Plans must not depend on the style.

use super::{World, header};
use crate::support::{boxed, png, whole, with};
use annosync::emulator::{
    Authors, Clock, Codes, Config, FloatEcho, ListingOrder, RegionPlaces, ResponseStyle,
    WideNumbers, Zeros,
};
use serde_json::{Value, json};
use std::fs;

/// Each style alone, and all together.
fn all_response_styles() -> Vec<ResponseStyle> {
    let plain = ResponseStyle::default();
    let all = ResponseStyle {
        floats: FloatEcho::Widened,
        zeros: Zeros::Omitted,
        codes: Codes::Names,
        wide_numbers: WideNumbers::Numbers,
        authors: Authors::Worker,
        regions: RegionPlaces::FilledIn,
        listings: ListingOrder::NewestFirst,
    };
    vec![
        plain,
        ResponseStyle {
            listings: all.listings,
            ..plain
        },
        ResponseStyle {
            listings: ListingOrder::ModifiedFirst,
            ..plain
        },
        ResponseStyle {
            floats: all.floats,
            ..plain
        },
        ResponseStyle {
            zeros: all.zeros,
            ..plain
        },
        ResponseStyle {
            codes: all.codes,
            ..plain
        },
        ResponseStyle {
            wide_numbers: all.wide_numbers,
            ..plain
        },
        ResponseStyle {
            authors: Authors::Plain,
            ..plain
        },
        ResponseStyle {
            authors: all.authors,
            ..plain
        },
        ResponseStyle {
            regions: all.regions,
            ..plain
        },
        all,
    ]
}

/// Inputs with every field that servers write in different styles.
const EVERYTHING: &str = "  - id: in-1
    annotations:
      - concepts: { tree: true, water: false, fog: 0.1 }
      - { key: zero, box: { top: 0, left: 0, bottom: 0.3, right: 1 }, concepts: { car: 0.3 }, status: pending }
      - { polygon: [[0, 0], [0.1, 0.7], [0.123456789, 0]], concepts: [tree], info: { n: 0.1, zero: 0 } }
      - { box: { top: 0.1, left: 0.1, bottom: 0.9, right: 0.9 }, user: bea, metadata: { list: [1, 2.5], no: false } }
      - { region: some-region, concepts: [person] }
  - id: in-2
    annotations:
      - { frame: { time_ms: 0, number: 0 }, box: { top: 0, left: 0, bottom: 1, right: 1 }, concepts: [car] }
      - { frame: { time_ms: 5000000000, number: 45 }, concepts: { water: 0 } }
      - { status: awaiting_review, concepts: [] }
  - id: in-4
    annotations:
      - { point: [0, 0.1], concepts: [nose] }
      - { keypoints: [[0, 0, visible], [0.1, 0.7, not_visible], [0.5, 0]], concepts: [face] }
      - { mask: { path: road.png }, concepts: [road] }
      - { span: { start: 0, end: 3, text: car }, concepts: { car: 0.1 } }
      - { segment: { begin: 0, end: 3600.1 }, concepts: [rain] }
      - { text: a red car }
      - { key: plate, frame: { time_ms: 1500 }, track: t7, region_value: 0.1, text: GE 1, box: { top: 0, left: 0, bottom: 0.1, right: 1 }, concepts: [plate] }
      - { region: region-found, concepts: [worker] }
      - { key: emb, concepts: [embedded], embed_model_version: e1 }
";

/// The same with a change of every kind.
fn changed() -> String {
    EVERYTHING
        .replace("left: 0, bottom: 0.3", "left: 0.01, bottom: 0.3")
        .replace("tree: true, ", "")
        .replace("zero: 0 }", "zero: 1 }")
        .replace("user: bea", "user: carl")
        .replace("awaiting_review", "review_denied")
        .replace("      - { region: some-region, concepts: [person] }\n", "")
        .replace("number: 45", "number: 46")
        .replace("point: [0, 0.1]", "point: [0.01, 0.1]")
        .replace("not_visible", "not_present")
        .replace("end: 3, text: car", "end: 4, text: cars")
        .replace("begin: 0, end", "begin: 100, end")
        .replace("a red car", "a red cart")
        .replace(
            "region_value: 0.1, text: GE 1",
            "region_value: 0, text: GE 2",
        )
        .replace("[worker]", "[worker, welder]")
        .replace("e1 }", "e2 }")
}

fn world(response_style: ResponseStyle, page_cap: Option<u32>) -> World {
    let world = World::with(Config {
        response_style,
        page_cap,
        clock: Clock::Ticking(0),
        ..Config::default()
    });
    let model = |id: &str| {
        with(
            whole("in-1", id, &[("car", 0.0)]),
            "model_version_id",
            json!("m-1"),
        )
    };
    world.seed(vec![
        model("detected"),
        with(
            boxed("in-4", "found", [0.1, 0.1, 0.5, 0.5], &["person"]),
            "model_version_id",
            json!("m-1"),
        ),
        with(
            boxed("in-3", "theirs", [0.0, 0.0, 0.5, 0.5], &["car"]),
            "user_id",
            json!("bea"),
        ),
    ]);
    fs::write(world.path().join("road.png"), png(2, &[0, 255, 255, 0])).unwrap();
    world.write(
        "m.yaml",
        &format!("{}owners: [me, bea, carl]\ninputs:\n{EVERYTHING}", header()),
    );
    world
}

/// A plan's JSON without the port that the system gave the emulator.
fn plan(world: &World) -> String {
    let plan = world.plan(&["--format", "json"]).exits(0);
    plan.stdout
        .replace(&world.emulator.url(), "http://emulator")
}

#[test]
fn an_apply_converges_for_all_response_styles_and_page_sizes() {
    let mut plans = Vec::new();
    for (at, response_style) in all_response_styles().into_iter().enumerate() {
        // Each style with one page size, and the default and the combined style with all.
        let every = [None, Some(1), Some(3), Some(7)];
        let caps = match at {
            0 | 8 => &every[..],
            _ => &every[at % 4..=at % 4],
        };
        for page_cap in caps {
            let world = world(response_style, *page_cap);
            let run = world.apply(&[]).exits(0);
            assert!(
                run.last_line().starts_with("Applied 17 (17 posted)"),
                "{response_style:?} {}",
                run.stdout
            );
            world.write(
                "m.yaml",
                &world.read("m.yaml").replace(EVERYTHING, &changed()),
            );
            plans.push((response_style, *page_cap, plan(&world)));
            let run = world.apply(&[]);
            assert_eq!(run.code, 0, "{response_style:?} {}", run.stdout);
        }
    }
    let (_, _, first) = &plans[0];
    let parsed: Value = serde_json::from_str(first).unwrap();
    for action in ["merge", "overwrite", "remove", "replace", "delete"] {
        assert_ne!(parsed["summary"][action], 0, "{action}");
    }
    for (response_style, page_cap, plan) in &plans {
        // Calls contain stored data in the server's style; everything except their size is the same for every server.
        assert_eq!(
            without_sizes(plan),
            without_sizes(first),
            "{response_style:?} {page_cap:?}"
        );
        let (_, _, alike) = plans
            .iter()
            .find(|(other, ..)| other == response_style)
            .unwrap();
        assert!(
            plan == alike,
            "{response_style:?} {page_cap:?}\n{alike}\n{plan}"
        );
    }
}

fn without_sizes(plan: &str) -> Value {
    let mut plan: Value = serde_json::from_str(plan).unwrap();
    for operation in plan["operations"].as_array_mut().unwrap() {
        let operation = operation.as_object_mut().unwrap();
        operation.remove("bytes");
        // A server that fills in a region's place stores more than one that does not.
        if operation
            .get("before")
            .is_some_and(|before| before.get("region").is_some())
        {
            operation.remove("fingerprint");
        }
    }
    plan
}

#[test]
fn undeclared_data_survives_every_write_with_all_response_styles() {
    for response_style in all_response_styles() {
        let world = World::with(Config {
            response_style,
            ..Config::default()
        });
        let data = |edges: [f64; 2], concepts: Value| {
            let [top, bottom] = edges;
            let place =
                json!({"top_row": top, "left_col": 0, "bottom_row": bottom, "right_col": 0.3});
            json!({
                "regions": [{"id": "r", "region_info": {"bounding_box": place}, "data": {"concepts": concepts}}],
                "geo": {"geo_point": {"longitude": 0.1, "latitude": 0}},
                "metadata": {"zero": 0, "text": "", "no": false},
            })
        };
        let concepts = json!([{"id": "absent", "value": 0}, {"id": "third", "value": 0.3}]);
        let before = data([0.0, 0.5], concepts.clone());
        let frame = json!({"frames": [{"id": "f", "frame_info": {"time": 0, "number": 0}, "data": before}]});
        let stored = |id: &str, data: &Value| json!({"id": id, "input_id": "in-1", "status": {"code": 24150}, "data": data, "annotation_info": {"n": 0}});
        world.seed(vec![
            stored("moved", &before),
            stored("relabelled", &before),
            stored("given", &before),
            stored("framed", &frame),
        ]);
        world.declare(
            "  - id: in-1\n    annotations:\n      \
             - { id: moved, box: { top: 0, left: 0, bottom: 0.6, right: 0.3 } }\n      \
             - { id: relabelled, concepts: { absent: false, other: true } }\n      \
             - { id: given, user: bea }\n      \
             - { id: framed, box: { top: 0, left: 0, bottom: 0.6, right: 0.3 } }\n",
        );
        let run = world.apply(&[]).exits(0);
        assert!(
            run.last_line()
                .starts_with("Applied 4 (3 overwritten, 1 replaced)"),
            "{}",
            run.stdout
        );
        let moved = data([0.0, 0.6], concepts.clone());
        let relabelled = json!([{"id": "absent", "value": 0}, {"id": "other", "value": 1}]);
        let framed =
            json!({"frames": [{"id": "f", "frame_info": {"time": 0, "number": 0}, "data": moved}]});
        for (id, expected) in [
            ("moved", &moved),
            ("relabelled", &data([0.0, 0.5], relabelled)),
            ("given", &before),
            ("framed", &framed),
        ] {
            let now = world.annotation(id).unwrap();
            assert_eq!(
                plain(&now["data"]),
                plain(expected),
                "{id} {response_style:?}"
            );
            assert_eq!(
                plain(&now["annotation_info"]),
                plain(&json!({"n": 0})),
                "{id} {response_style:?}"
            );
        }
    }
}

/// JSON without empty values and with floats rounded to 32 bits, so it is the same for all styles.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "name")
            .map(|(name, value)| (name.clone(), plain(value)))
            .filter(|(_, value)| !matches!(value, Value::Null))
            .collect(),
        Value::Array(elements) => elements.iter().map(plain).collect(),
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::Null,
        Value::Number(number) => json!((number.as_f64().unwrap() as f32).to_string()),
        Value::String(text) if text.is_empty() || text == "0" => Value::Null,
        Value::Bool(false) => Value::Null,
        other => other.clone(),
    }
}

#[test]
fn ten_runs_give_the_same_bytes() {
    let world = world(ResponseStyle::default(), Some(3));
    world.apply(&[]).exits(0);
    world.write(
        "m.yaml",
        &world.read("m.yaml").replace(EVERYTHING, &changed()),
    );
    let text = world.plan(&[]).exits(0).stdout;
    let json = plan(&world);
    for _ in 0..10 {
        assert!(plan(&world) == json);
        assert_eq!(world.plan(&["--concurrency", "1"]).exits(0).stdout, text);
    }
}

#[test]
fn the_order_of_a_saved_listing_does_not_matter() {
    let world = world(ResponseStyle::default(), None);
    world.apply(&[]).exits(0);
    world.write(
        "m.yaml",
        &world.read("m.yaml").replace(EVERYTHING, &changed()),
    );
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    let mut saved: Value = serde_json::from_str(&listing.stdout).unwrap();
    let mut offline = |change: fn(&mut Vec<Value>)| {
        change(saved["annotations"].as_array_mut().unwrap());
        world.write("listing.json", &saved.to_string());
        let arguments = ["--format", "json", "--observed", "listing.json"];
        world.plan(&arguments).exits(0).stdout
    };
    let first = offline(|_| {});
    assert!(offline(|annotations| annotations.reverse()) == first);
    assert!(offline(|annotations| annotations.rotate_left(3)) == first);
}
