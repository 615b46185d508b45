//! The fields of one annotation: where, when, which concepts, which state.
//!
//! Reads them from a [`Node`] into the model's types and reports every value that cannot be one. What needs the
//! header (the vocabulary, renamed concepts) is checked later, over all files.

use super::fields::{
    as_number, fields, list, map, name, text, text_keys, whole_number, wrong_type,
};
use super::finding::{Findings, Place};
use super::input::Image;
use super::node::{Node, number};
use super::words::{list as word_list, nearest, quote};
use crate::model::{
    BoundingBox, Frame, Geometry, GeometryError, Interner, Json, Point, Polygon, RegionId, Status,
    UserId,
};

const BOX: [&str; 4] = ["top", "left", "bottom", "right"];
const FRAME: [&str; 2] = ["time_ms", "number"];

/// Which way a coordinate runs, and so what a count of pixels has to be divided by.
#[derive(Debug, Clone, Copy)]
enum Axis {
    Row,
    Col,
}

/// What to write instead of a coordinate that is no fraction.
fn fraction_hint(value: f64, axis: Axis, image: Option<&Image>) -> String {
    let size = image.and_then(|image| match axis {
        Axis::Row => image.height,
        Axis::Col => image.width,
    });
    if let Some(size) = size
        && value > 1.0
        && value <= f64::from(size)
    {
        // Four digits tell pixels apart up to 10,000 of them, and it is a hint.
        let fraction = (value / f64::from(size) * 1e4).round() / 1e4;
        return format!(
            "coordinates are fractions of the image: {} / {size} = {fraction}",
            number(value)
        );
    }
    "coordinates are fractions of the image, 0 to 1, from its top left".to_owned()
}

/// Reads `box`.
pub(super) fn bounding_box(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Geometry> {
    let edges = fields(node, "`box`", &BOX, place, findings)?;
    let mut values = [None; 4];
    for (value, key) in values.iter_mut().zip(BOX) {
        let Some(edge) = edges.require(
            key,
            "a `box`",
            "a box has top, left, bottom and right, each a fraction of the image",
            place,
            findings,
        ) else {
            continue;
        };
        let at = place.name(key);
        let Some(number) = as_number(edge) else {
            wrong_type(edge, &quote(key), "a number from 0 to 1", &at, findings);
            continue;
        };
        if (0.0..=1.0).contains(&number) {
            *value = Some(number);
            continue;
        }
        let axis = if matches!(key, "top" | "bottom") {
            Axis::Row
        } else {
            Axis::Col
        };
        findings
            .add(
                at.value(),
                format!(
                    "`{key}` must be a number from 0 to 1, found {}",
                    edge.describe()
                ),
            )
            .hint(fraction_hint(number, axis, image));
    }
    // The two directions are independent: a missing `right` does not hide that `top` lies below `bottom`.
    let [top, left, bottom, right] = values;
    let checked = BoundingBox::new(
        top.filter(|_| bottom.is_some()).unwrap_or(0.0),
        left.filter(|_| right.is_some()).unwrap_or(0.0),
        bottom.unwrap_or(1.0),
        right.unwrap_or(1.0),
    );
    match checked {
        Ok(checked) if values.iter().all(Option::is_some) => Some(Geometry::Box(checked)),
        Ok(_) => None,
        Err(error) => {
            out_of_order(&error, place, findings);
            // Only the first of the two directions is in the error.
            if matches!(
                error,
                GeometryError::OutOfOrder {
                    low_name: "top",
                    ..
                }
            ) && let Err(error) = BoundingBox::new(
                0.0,
                left.filter(|_| right.is_some()).unwrap_or(0.0),
                1.0,
                right.unwrap_or(1.0),
            ) {
                out_of_order(&error, place, findings);
            }
            None
        }
    }
}

fn out_of_order(error: &GeometryError, place: &Place<'_>, findings: &mut Findings) {
    let GeometryError::OutOfOrder {
        low_name,
        high_name,
        ..
    } = error
    else {
        return;
    };
    findings
        .add(place.name(low_name).value(), error.to_string())
        .hint(format!(
            "`{low_name}` is the edge nearer to the image's top left; swap it with `{high_name}`"
        ));
}

/// Reads `polygon`. Of its coordinates outside the image the first is reported, with how many there are: a polygon in
/// pixels is one mistake, not a thousand.
pub(super) fn polygon(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Geometry> {
    let expected = "a list of [row, col] pairs";
    if *node == Node::Null {
        wrong_type(node, "`polygon`", expected, place, findings);
        return None;
    }
    let elements = list(node, "`polygon`", expected, place, findings)?;
    let mut points = Vec::with_capacity(elements.len());
    let mut outside: Option<(super::finding::Pointer, f64, Axis)> = None;
    let mut outside_count = 0_usize;
    for (index, element) in elements.iter().enumerate() {
        let at = place.nth(index);
        let Node::List(pair) = element else {
            wrong_type(element, "a point", "a [row, col] pair", &at, findings);
            continue;
        };
        let [row, col] = &pair[..] else {
            let count = pair.len();
            findings
                .add(
                    at.value(),
                    format!("a point must be a [row, col] pair, found a list of {count}"),
                )
                .hint("write one row and one column: [0.1, 0.2]");
            continue;
        };
        let mut coordinates = [None; 2];
        for (which, (coordinate, axis)) in [(row, Axis::Row), (col, Axis::Col)].iter().enumerate() {
            let at = at.nth(which);
            match as_number(coordinate) {
                None => {
                    wrong_type(
                        coordinate,
                        "a coordinate",
                        "a number from 0 to 1",
                        &at,
                        findings,
                    );
                }
                Some(number) if (0.0..=1.0).contains(&number) => coordinates[which] = Some(number),
                Some(number) => {
                    outside_count += 1;
                    outside.get_or_insert_with(|| (at.value(), number, *axis));
                }
            }
        }
        if let [Some(row), Some(col)] = coordinates
            && let Ok(point) = Point::new(row, col)
        {
            points.push(point);
        }
    }
    if let Some((at, value, axis)) = outside {
        let more = match outside_count - 1 {
            0 => String::new(),
            more => format!(" (and {more} more of this polygon)"),
        };
        findings
            .add(
                at,
                format!(
                    "a coordinate must be a number from 0 to 1, found {}{more}",
                    number(value)
                ),
            )
            .hint(fraction_hint(value, axis, image));
    }
    if elements.len() < 3 {
        findings
            .add(
                place.value(),
                format!(
                    "a polygon needs at least 3 points, this one has {}",
                    elements.len()
                ),
            )
            .hint("it is one ring of [row, col] pairs; the last point joins the first");
        return None;
    }
    if points.len() < elements.len() {
        return None;
    }
    Polygon::new(points).ok().map(Geometry::Polygon)
}

/// Reads `region`.
pub(super) fn region(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Geometry> {
    name(node, "`region`", place, findings, |id| RegionId::new(id)).map(Geometry::Region)
}

/// Reads `frame`.
pub(super) fn frame(node: &Node<'_>, place: &Place<'_>, findings: &mut Findings) -> Option<Frame> {
    let parts = fields(node, "`frame`", &FRAME, place, findings)?;
    let mut read = |key: &'static str, high: u64| {
        parts.get(key).map(|node| {
            whole_number(node, &quote(key), 0, high, &place.name(key), findings).unwrap_or(0)
        })
    };
    let (time_ms, number) = (
        read("time_ms", u64::MAX),
        read("number", u64::from(u32::MAX)),
    );
    if time_ms.is_none() && number.is_none() {
        findings
            .add(place.value(), "a `frame` without `time_ms` or `number`")
            .hint("write the frame's time in milliseconds, its number, or both");
        return None;
    }
    Some(Frame {
        time_ms: time_ms.unwrap_or(0),
        number: u32::try_from(number.unwrap_or(0)).unwrap_or(u32::MAX),
    })
}

/// Reads `status`.
pub(super) fn status(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Status> {
    let text = match node {
        Node::Int(code) => code.to_string(),
        Node::Text(text) => text.to_string(),
        _ => {
            wrong_type(node, "`status`", "a name or a number", place, findings);
            return None;
        }
    };
    Status::parse(&text)
        .map_err(|_| {
            let near = nearest(&text, Status::names())
                .map(|near| format!("did you mean {}? ", quote(near)))
                .unwrap_or_default();
            findings
                .add(place.value(), format!("unknown status {}", quote(&text)))
                .hint(format!(
                    "{near}allowed: {}, or their numbers, 24000 to 24999",
                    word_list(Status::names())
                ));
        })
        .ok()
}

/// Reads `user`.
pub(super) fn user(
    node: &Node<'_>,
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<UserId> {
    name(node, "`user`", place, findings, |id| {
        UserId::new(interner.intern(id))
    })
}

/// Reads `metadata` or `info`: any JSON object.
pub(super) fn object(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Json> {
    map(node, noun, "a map", place, findings)?;
    json(node, noun, place, findings).map(|value| Json::from_value(&value))
}

fn json(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<serde_json::Value> {
    use serde_json::Value;
    let unfit = |findings: &mut Findings, message: String, hint: &str| {
        findings.add(place.value(), message).hint(hint);
        None
    };
    match node {
        Node::Null => unfit(
            findings,
            format!("null in {noun}"),
            "the service ignores null, so it can never be set; leave the key out",
        ),
        Node::Bool(value) => Some(Value::Bool(*value)),
        Node::Text(text) => Some(Value::String(text.to_string())),
        Node::Int(value) => {
            let number = i64::try_from(*value)
                .map(serde_json::Number::from)
                .or_else(|_| u64::try_from(*value).map(serde_json::Number::from));
            match number {
                Ok(number) => Some(Value::Number(number)),
                Err(_) => unfit(
                    findings,
                    format!("the number {value} in {noun} does not fit into 64 bits"),
                    "put it in quotes",
                ),
            }
        }
        Node::Float(value) => match serde_json::Number::from_f64(*value) {
            Some(number) => Some(Value::Number(number)),
            None => unfit(
                findings,
                format!("{} in {noun} is not a finite number", number(*value)),
                "JSON has no such number; leave the key out, or put it in quotes",
            ),
        },
        Node::List(elements) => {
            let mut whole = true;
            let mut values = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                match json(element, noun, &place.nth(index), findings) {
                    Some(value) => values.push(value),
                    None => whole = false,
                }
            }
            whole.then_some(Value::Array(values))
        }
        Node::Map(entries) => {
            let keys = text_keys(entries, place, findings);
            let mut whole = keys.len() == entries.len();
            let mut values = serde_json::Map::with_capacity(keys.len());
            for (index, key) in keys {
                match json(&entries[index].1, noun, &place.nth(index), findings) {
                    Some(value) => {
                        values.insert(key.to_owned(), value);
                    }
                    None => whole = false,
                }
            }
            whole.then_some(Value::Object(values))
        }
        Node::Tagged(_) => unfit(
            findings,
            format!("{} in {noun} is no JSON", node.describe()),
            "leave the tag out",
        ),
    }
}

/// Reads `image.path`: text, kept as it is.
pub(super) fn path(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Box<str>> {
    text(node, "`path`", place, findings).map(Box::from)
}
