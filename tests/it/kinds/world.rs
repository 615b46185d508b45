//! Generators of annotations of every kind: contents of manifests, and stored forms of the service.

use super::{content, mask};
use crate::support::ME;
use crate::support::{base64, png};
use annosync::model::{Content, Extras, Fraction, Geometry};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// A few coordinates, some of which are not exact with 32 bits.
fn coordinate() -> impl Strategy<Value = f64> {
    select(vec![0.0, 0.1, 0.25, 1.0 / 3.0, 0.7, 1.0])
}

fn pair() -> impl Strategy<Value = Value> {
    (coordinate(), coordinate()).prop_map(|(row, col)| json!([row, col]))
}

fn keypoint() -> impl Strategy<Value = Value> {
    let visibility = select(vec![
        None,
        Some("visible"),
        Some("not_visible"),
        Some("not_present"),
    ]);
    (coordinate(), coordinate(), visibility).prop_map(|(row, col, visibility)| match visibility {
        None => json!([row, col]),
        Some(visibility) => json!([row, col, visibility]),
    })
}

fn in_order(one: f64, other: f64) -> (f64, f64) {
    (one.min(other), one.max(other))
}

/// A geometry in the manifest's notation, except masks with files.
fn notation() -> impl Strategy<Value = Value> {
    let edges = (coordinate(), coordinate(), coordinate(), coordinate());
    prop_oneof![
        edges.prop_map(|(a, b, c, d)| {
            let ((top, bottom), (left, right)) = (in_order(a, b), in_order(c, d));
            json!({"box": {"top": top, "left": left, "bottom": bottom, "right": right}})
        }),
        proptest::collection::vec(pair(), 3..5).prop_map(|points| json!({ "polygon": points })),
        pair().prop_map(|point| json!({ "point": point })),
        proptest::collection::vec(keypoint(), 1..4)
            .prop_map(|points| json!({ "keypoints": points })),
        select(vec!["x", "y"])
            .prop_map(|name| json!({"mask": {"url": format!("https://example.com/{name}")}})),
        (
            0..4_u32,
            0..4_u32,
            select(vec![None, Some("car"), Some("größe")])
        )
            .prop_map(|(start, length, text)| {
                let mut span = json!({"span": {"start": start, "end": start + length}});
                if let Some(text) = text {
                    span["span"]["text"] = json!(text);
                }
                span
            }),
        (
            select(vec![0.0, 0.1, 2.5, 3_600.1]),
            select(vec![0.0, 0.1, 2.5, 3_600.1])
        )
            .prop_map(|(a, b)| {
                let (begin, end) = in_order(a, b);
                json!({"segment": {"begin": begin, "end": end}})
            }),
        select(vec!["region-1", "region-2"]).prop_map(|id| json!({ "region": id })),
    ]
}

fn geometry() -> impl Strategy<Value = Geometry> {
    let of_file = (1..3_u32, 1..3_usize).prop_flat_map(|(width, rows)| {
        let pixels = proptest::collection::vec(select(vec![0_u8, 255]), width as usize * rows);
        pixels.prop_map(move |pixels| mask(width, &pixels))
    });
    prop_oneof![
        1 => Just(Geometry::Whole),
        2 => of_file,
        9 => notation().prop_map(|notation| content(&notation).geometry.unwrap()),
    ]
}

fn few_words() -> impl Strategy<Value = Option<Box<str>>> {
    let words = [None, Some(""), Some("red"), Some("zwei\nZeilen")];
    select(words.map(|text| text.map(Box::from)).to_vec())
}

/// Whether the geometry belongs to a region.
pub(super) fn lies_in_a_region(geometry: Option<&Geometry>) -> bool {
    !matches!(
        geometry,
        None | Some(Geometry::Whole | Geometry::Segment(_))
    )
}

/// Declarable contents: tracks and values only with regions, frames not with segments.
pub(super) fn declarable() -> impl Strategy<Value = Content> {
    let concepts = select(vec![
        Value::Null,
        json!({}),
        json!({"car": 1}),
        json!({"car": 0, "bus": 1}),
        json!({"bus": 0.1}),
    ]);
    let rest = (
        select(vec![Value::Null, json!("pending"), json!("success")]),
        select(vec![Value::Null, json!(ME), json!("labeler-1")]),
        select(vec![
            Value::Null,
            json!({"a": 1}),
            json!({"tags": ["x"], "b": {"c": 2}}),
        ]),
        select(vec![Value::Null, json!({"n": 1.5}), json!({})]),
    );
    let frame = select(vec![
        Value::Null,
        json!({}),
        json!({"time_ms": 5_000_000_000_u64, "number": 2}),
    ]);
    let extras = (
        select(vec![None, Some("t1"), Some("t2")]),
        few_words(),
        select(vec![None, Some(0.0), Some(0.1), Some(1.0)]),
        select(vec![None, None, None, Some("e1"), Some("e2")]),
    );
    (
        proptest::option::of(geometry()),
        frame,
        concepts,
        rest,
        extras,
    )
        .prop_map(
            |(
                geometry,
                frame,
                concepts,
                (status, user, metadata, info),
                (track, text, value, model),
            )| {
                let fields = [
                    ("frame", frame),
                    ("concepts", concepts),
                    ("status", status),
                    ("user", user),
                    ("metadata", metadata),
                    ("info", info),
                ];
                let given = fields.into_iter().filter(|(_, value)| !value.is_null());
                let given = given
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                let mut all = content(&Value::Object(given));
                let is_segment = matches!(geometry, Some(Geometry::Segment(_)));
                let has_region = lies_in_a_region(geometry.as_ref());
                if is_segment {
                    all.frame = None;
                }
                all.geometry = geometry;
                let extras = Extras {
                    track: track.map(Box::from).filter(|_| has_region),
                    text,
                    region_value: value
                        .map(|value| Fraction::new(value).unwrap())
                        .filter(|_| has_region),
                    embed_model_version: model.map(Box::from),
                };
                all.rare.change(|rare| rare.extras = extras);
                all
            },
        )
        .prop_filter("nothing that could be posted", |content| {
            content.geometry.is_some()
                || content.concepts.as_ref().is_some_and(|it| !it.is_empty())
                || content.text().is_some()
                || content.metadata.is_some()
                || content.info.is_some()
        })
}

/// The form in which a service stores and sends an annotation.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags")]
pub(super) struct JsonStyle {
    zeros: bool,
    short_floats: bool,
    numbers_in_text: bool,
    names: bool,
    broken_lines: bool,
}

pub(super) fn style() -> impl Strategy<Value = JsonStyle> {
    any::<[bool; 5]>().prop_map(
        |[zeros, short_floats, numbers_in_text, names, broken_lines]| JsonStyle {
            zeros,
            short_floats,
            numbers_in_text,
            names,
            broken_lines,
        },
    )
}

const NUMBERS: [&str; 15] = [
    "value",
    "top_row",
    "left_col",
    "bottom_row",
    "right_col",
    "row",
    "col",
    "z",
    "char_start",
    "char_end",
    "begin_time",
    "end_time",
    "num_frames",
    "time",
    "number",
];

/// The `data` in this form.
pub(super) fn spelled(data: &Value, style: &JsonStyle) -> Value {
    match data {
        Value::Object(fields) => {
            let mut spelt = Map::new();
            for (name, value) in fields {
                let value = match value {
                    value if name == "metadata" => value.clone(),
                    value if name == "visibility" && style.names => {
                        let names = ["NOT_SET", "VISIBLE", "NOT_VISIBLE", "NOT_PRESENT"];
                        json!(names[value.as_u64().unwrap() as usize])
                    }
                    Value::String(text) if name == "base64" && style.broken_lines => {
                        let (start, end) = text.split_at(10);
                        json!(format!("{start}\n{end}\r\n"))
                    }
                    value if NUMBERS.contains(&name.as_str()) => number(value, style),
                    value => spelled(value, style),
                };
                let is_zero = value == "" || value.as_f64() == Some(0.0);
                if !is_zero || style.zeros || name == "raw" {
                    spelt.insert(name.clone(), value);
                }
            }
            Value::Object(spelt)
        }
        Value::Array(items) => items.iter().map(|item| spelled(item, style)).collect(),
        other => other.clone(),
    }
}

fn number(value: &Value, style: &JsonStyle) -> Value {
    let number = match value {
        Value::Number(number) if number.is_f64() && !style.short_floats => {
            json!(f64::from(number.as_f64().unwrap() as f32))
        }
        number => number.clone(),
    };
    if style.numbers_in_text && number.as_f64() != Some(0.0) {
        json!(number.to_string())
    } else {
        number
    }
}

/// Additions of a service: ids of parts, and unmodelled fields.
#[derive(Debug, Clone)]
pub(super) struct Additions {
    names: bool,
    unmodelled: bool,
    both_images: bool,
}

pub(super) fn additions() -> impl Strategy<Value = Additions> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(names, unmodelled, both_images)| {
        Additions {
            names,
            unmodelled,
            both_images,
        }
    })
}

/// The `data` of a post as a service stores it.
pub(super) fn held(mut data: Value, additions: &Additions) -> Value {
    add(&mut data, "", additions);
    if additions.unmodelled {
        data["unmodelled"] = json!({"left": [1, 2]});
    }
    data
}

fn add(value: &mut Value, list: &str, additions: &Additions) {
    if let Value::Array(items) = value {
        for item in items {
            add(item, list, additions);
        }
        return;
    }
    let Value::Object(fields) = value else { return };
    for (name, field) in fields.iter_mut() {
        if name != "metadata" {
            add(field, name, additions);
        }
    }
    let mut given = |name: &str, value: Value| {
        fields.entry(name).or_insert(value);
    };
    match list {
        "regions" | "frames" | "time_segments" if additions.names => {
            given("id", json!(format!("{list}-id")));
        }
        "point" | "points" | "keypoint_locations" if additions.unmodelled => given("z", json!(0.5)),
        "concepts" if additions.unmodelled => given("app_id", json!("street")),
        "text" if additions.unmodelled => given("url", json!("https://example.com/text")),
        "image" if additions.both_images => {
            given("base64", json!(base64(&png(1, &[7]))));
            given("url", json!("https://example.com/image"));
        }
        _ => {}
    }
}
