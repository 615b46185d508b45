//! Many annotations of one input that all changed: how many times as long a plan takes as one of the same annotations of which
//! none did. The floor is measured in the same run, so that the ratio says the same on every machine.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// One kind of crowd: its name, how many there are, and each of them, as stored or as declared.
type Crowd = (&'static str, usize, fn(usize, bool) -> Value);

/// The first four are the worst that was found on real and made-up data.
const CROWDS: [Crowd; 9] = [
    ("equal boxes, relabelled", 5_000, |_, is_changed| {
        of(
            "box",
            edges([0.1, 0.1, 0.5, 0.5], 0.0),
            if is_changed { "bus" } else { "car" },
        )
    }),
    ("nearly equal boxes, moved", 4_000, |at, is_changed| {
        let mut dice = super::Dice(at as u64 + 1);
        let around = [0.3, 0.3, 0.6, 0.6].map(|edge| edge + dice.roll() * 0.01);
        of("box", edges(around, moved(is_changed, 0.002)), "car")
    }),
    ("polygons of 10,000 points, moved", 50, |at, is_changed| {
        of("polygon", ring(at, 10_000, moved(is_changed, 0.004)), "car")
    }),
    ("polygons of 40 points, moved", 1_000, |at, is_changed| {
        of("polygon", ring(at, 40, moved(is_changed, 0.004)), "car")
    }),
    (
        "texts of 20,000 characters, edited",
        300,
        |at, is_changed| of("text", text(at, 20_000, is_changed), "car"),
    ),
    ("more such texts, edited", 501, |at, is_changed| {
        of("text", text(at, 20_000, is_changed), "car")
    }),
    ("equal texts, edited", 2_000, |_, is_changed| {
        of("text", text(0, 2_000, is_changed), "car")
    }),
    (
        "equal boxes with other metadata, changed",
        2_000,
        |at, is_changed| {
            let mut value = of("box", edges([0.1, 0.1, 0.5, 0.5], 0.0), "car");
            value["metadata"] = json!({ "n": at, "checked": is_changed });
            value
        },
    ),
    ("keypoints of 10,000 points, moved", 50, |at, is_changed| {
        let points = ring(at, 10_000, moved(is_changed, 0.004));
        of("keypoints", points, "car")
    }),
];

/// Prints a line for each size of crowd, and for half of each size.
#[expect(clippy::print_stdout, reason = "it is what the benchmark is run for")]
pub(super) fn print() {
    println!(
        "\nplans of one input on which all changed, and how many times as long as if nothing did"
    );
    for (name, count, each) in CROWDS {
        let mut line = format!("{name:42}");
        for count in [count / 2, count] {
            let stored: Vec<Value> = (0..count).map(|at| each(at, false)).collect();
            let changed: Vec<Value> = (0..count).map(|at| each(at, true)).collect();
            let (floor, time) = (time_of(&stored, &stored), time_of(&changed, &stored));
            let ratio = time.as_secs_f64() / floor.as_secs_f64();
            let _ = write!(
                line,
                " {count:>6}: {:7.3} s, x {ratio:5.1}",
                time.as_secs_f64()
            );
        }
        println!("{line}");
    }
}

/// The shortest of three times that a plan takes.
fn time_of(declared: &[Value], stored: &[Value]) -> Duration {
    let line = json!({"id": "input", "annotations": declared});
    let desired = super::desired_from_lines(line.to_string());
    let stored: Vec<Value> = stored.iter().enumerate().map(wire).collect();
    let listing = json!({
        "format_version": "1.0", "caller": "ann", "app_owner": "ann", "scope": "whole_app",
        "annotations": stored,
    });
    let observed = super::observed_from(&listing.to_string());
    let once = || {
        let start = Instant::now();
        let plan = annosync::plan::plan(&desired, &observed, &super::context())
            .expect("the owner may do everything");
        let time = start.elapsed();
        assert_eq!(plan.summary.actions.post, 0, "everybody has a partner");
        time
    };
    (0..3).map(|_| once()).min().expect("it ran three times")
}

/// An annotation as the service stores it.
fn wire((at, declared): (usize, &Value)) -> Value {
    let concepts: Vec<Value> = (declared["concepts"].as_array().into_iter().flatten())
        .map(|id| json!({"id": id, "name": id, "value": 1}))
        .collect();
    let point = |point: &Value| json!({"row": point[0], "col": point[1]});
    let info = if let Some(points) = declared["polygon"].as_array() {
        json!({"polygon": {"points": points.iter().map(point).collect::<Vec<_>>()}})
    } else if let Some(points) = declared["keypoints"].as_array() {
        json!({"keypoint_locations": points.iter().map(point).collect::<Vec<_>>()})
    } else {
        let it = &declared["box"];
        json!({"bounding_box": {
            "top_row": it["top"], "left_col": it["left"], "bottom_row": it["bottom"], "right_col": it["right"],
        }})
    };
    let mut data = match &declared["text"] {
        Value::Null => json!({"regions": [
            {"id": format!("{at:031x}r"), "region_info": info, "data": {"concepts": concepts}},
        ]}),
        text => json!({"text": {"raw": text}, "concepts": concepts}),
    };
    if !declared["metadata"].is_null() {
        data["metadata"] = declared["metadata"].clone();
    }
    json!({
        "id": format!("{at:032x}"), "input_id": "input", "user_id": "ann", "status": {"code": 24150},
        "created_at": "2026-01-01T00:00:00Z", "data": data,
    })
}

fn of(kind: &str, place: Value, concept: &str) -> Value {
    let mut value = json!({ "concepts": [concept] });
    value[kind] = place;
    value
}

fn moved(is_changed: bool, by: f64) -> f64 {
    if is_changed { by } else { 0.0 }
}

/// Six digits, as most tools write them.
fn short(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn edges(edges: [f64; 4], by: f64) -> Value {
    let [top, left, bottom, right] = edges.map(|edge| short(edge + by));
    json!({"top": top, "left": left, "bottom": bottom, "right": right})
}

/// A rough ring in the middle of the image.
fn ring(at: usize, points: usize, by: f64) -> Value {
    let mut dice = super::Dice(at as u64 + 1);
    let [row, col] = [0, 1].map(|_| 0.45 + dice.roll() * 0.1 + by);
    let point = |n: usize| {
        let (sin, cos) = (std::f64::consts::TAU * n as f64 / points as f64).sin_cos();
        let radius = 0.3 + dice.roll() * 0.03;
        json!([short(row + radius * sin), short(col + radius * cos)])
    };
    (0..points).map(point).collect::<Vec<_>>().into()
}

/// Words of a small language.
fn text(at: usize, length: usize, is_changed: bool) -> Value {
    let mut dice = super::Dice(at as u64 + 1);
    let mut text = String::new();
    while text.len() < length {
        let word = (dice.roll() * 3_000.0) as u64;
        let mut letters = super::Dice(word + 1);
        for _ in 0..3 + word % 7 {
            text.push((b'a' + (letters.roll() * 26.0) as u8) as char);
        }
        text.push(' ');
    }
    if is_changed {
        for part in 1..4 {
            text.insert_str(part * length / 4, "edited");
        }
    }
    text.into()
}
