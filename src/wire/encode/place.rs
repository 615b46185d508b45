//! Writes geometries, frames and segments as the API's JSON.
//!
//! Written over stored JSON of the same kind, fields that annosync does not model stay: the depth of a point, the
//! number of frames of a segment. A geometry of another kind replaces everything.

use super::json::{Object, number, object};
use crate::model::{
    BoundingBox, Frame, Geometry, Keypoint, Mask, Point, Segment, Span, Visibility,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The field of every kind of `region_info`.
const KINDS: [&str; 7] = [
    "bounding_box",
    "polygon",
    "point",
    "keypoint_locations",
    "mask",
    "span",
    "token",
];

/// The first element of a list of parts, which is created if missing.
pub(super) fn first<'a>(data: &'a mut Object, list: &str) -> &'a mut Object {
    if data.get(list).and_then(|parts| parts.get(0)).is_none() {
        data.insert(list.to_owned(), json!([{}]));
    }
    object(&mut data[list][0])
}

/// The `data` of a region, a frame or a segment.
pub(super) fn inside(part: &mut Object) -> &mut Object {
    member(part, "data")
}

/// An object inside another one, which is created if missing.
fn member<'a>(of: &'a mut Object, name: &str) -> &'a mut Object {
    object(of.entry(name).or_insert(Value::Null))
}

pub(super) fn write_frame(part: &mut Object, frame: Frame) {
    let info = member(part, "frame_info");
    info.insert("time".into(), frame.time_ms.into());
    info.insert("number".into(), frame.number.into());
    // The deprecated name of the number would contradict the new one.
    info.remove("index");
}

pub(super) fn write_segment(part: &mut Object, segment: Segment) {
    let info = member(part, "time_info");
    info.insert("begin_time".into(), number(segment.begin()));
    info.insert("end_time".into(), number(segment.end()));
}

/// Writes the `region_info` of a region, or its id.
pub(super) fn write_region(region: &mut Object, geometry: &Geometry) {
    match geometry {
        Geometry::Region(id) => {
            region.insert("id".into(), id.as_str().into());
            region.remove("region_info");
        }
        Geometry::Box(edges) => write_box(kind(region, "bounding_box"), edges),
        Geometry::Polygon(ring) => {
            let points = kind(region, "polygon").entry("points").or_insert(json!([]));
            let stored = in_order(points, ring.points());
            write_points(points, stored, ring.points(), |stored, point| {
                write_point(stored, *point);
            });
        }
        Geometry::Point(point) => write_point(kind(region, "point"), *point),
        Geometry::Keypoints(points) => {
            let slot = slot(region, "keypoint_locations");
            let stored = slot.as_array().cloned().unwrap_or_default();
            write_points(slot, stored, points.points(), write_keypoint);
        }
        Geometry::Mask(mask) => write_mask(kind(region, "mask"), mask),
        Geometry::Span(span) => write_span(kind(region, "span"), span),
        Geometry::Whole | Geometry::Segment(_) => unreachable!("they are not regions"),
        Geometry::RegionOf(_) | Geometry::Unmodelled => {
            unreachable!("a plan resolves regions to ids, and cannot declare unmodelled geometry")
        }
    }
}

pub(super) fn write_region_fields(region: &mut Object, track: Option<&str>, value: Option<f32>) {
    if let Some(value) = value {
        region.insert("value".into(), number(value));
    }
    if let Some(track) = track {
        region.insert("track_id".into(), track.into());
    }
}

/// The field of one kind in the region's `region_info`. If it holds another kind, everything in it is removed.
fn slot<'a>(region: &'a mut Object, name: &str) -> &'a mut Value {
    let is_there = |info: &Object, kind: &str| match info.get(kind) {
        None | Some(Value::Null) => false,
        Some(Value::Array(points)) => !points.is_empty(),
        Some(_) => true,
    };
    let info = member(region, "region_info");
    if KINDS
        .into_iter()
        .any(|kind| kind != name && is_there(info, kind))
    {
        *info = Map::new();
    }
    info.entry(name).or_insert(Value::Null)
}

fn kind<'a>(region: &'a mut Object, name: &str) -> &'a mut Object {
    object(slot(region, name))
}

fn write_box(stored: &mut Object, edges: &BoundingBox) {
    let names = ["top_row", "left_col", "bottom_row", "right_col"];
    for (name, edge) in names.into_iter().zip(edges.edges()) {
        stored.insert(name.into(), number(edge));
    }
}

fn write_point(stored: &mut Object, point: Point) {
    stored.insert("row".into(), number(point.row.get()));
    stored.insert("col".into(), number(point.col.get()));
}

fn write_keypoint(stored: &mut Object, keypoint: &Keypoint) {
    write_point(stored, keypoint.point);
    match keypoint.visibility {
        Visibility::NotSet => stored.remove("visibility"),
        // The variants are in the order of the API's numbers.
        visibility => stored.insert("visibility".into(), (visibility as u8).into()),
    };
}

/// Writes points over stored ones, one by one; if their number changed, they cannot be paired.
fn write_points<P>(
    slot: &mut Value,
    stored: Vec<Value>,
    points: &[P],
    write: impl Fn(&mut Object, &P),
) {
    let mut stored = if stored.len() == points.len() {
        stored
    } else {
        vec![json!({}); points.len()]
    };
    for (stored, point) in stored.iter_mut().zip(points) {
        write(object(stored), point);
    }
    *slot = stored.into();
}

/// The stored points of a ring in the order of the new ones, so that fields of a vertex that annosync does not model
/// (depth, visibility) stay with it. A ring may start anywhere and run either way. Three orders are compared: the
/// stored one, and both directions from the stored point nearest to the first new one; the order in which the points
/// move least is taken. Empty if the number of points changed.
fn in_order(stored: &Value, points: &[Point]) -> Vec<Value> {
    let stored = stored.as_array().map_or(&[][..], Vec::as_slice);
    let count = points.len();
    if stored.len() != count || count == 0 {
        return Vec::new();
    }
    let at: Vec<[f64; 2]> = stored
        .iter()
        .map(|point| ["row", "col"].map(|name| point[name].as_f64().unwrap_or(0.0)))
        .collect();
    let distance = |from: usize, to: usize| {
        let (row, col) = (points[to].row.get(), points[to].col.get());
        (at[from][0] - f64::from(row)).powi(2) + (at[from][1] - f64::from(col)).powi(2)
    };
    let nearest = (0..count)
        .min_by(|a, b| distance(*a, 0).total_cmp(&distance(*b, 0)))
        .unwrap_or(0);
    let orders: [Box<dyn Fn(usize) -> usize>; 3] = [
        Box::new(|to| to),
        Box::new(|to| (nearest + to) % count),
        Box::new(|to| (nearest + count - to) % count),
    ];
    let moved = |order: &dyn Fn(usize) -> usize| -> f64 {
        (0..count).map(|to| distance(order(to), to)).sum()
    };
    let best = orders
        .iter()
        .min_by(|a, b| moved(a).total_cmp(&moved(b)))
        .expect("there are three orders");
    (0..count).map(|to| stored[best(to)].clone()).collect()
}

/// Replaces the whole image: a URL beside other pixels, or pixels beside another URL, would contradict each other.
fn write_mask(stored: &mut Object, mask: &Mask) {
    let image = match (mask.png(), mask.url()) {
        (Some(png), _) => json!({"base64": STANDARD.encode(png)}),
        (None, Some(url)) => json!({ "url": url }),
        // A mask without file and URL stays as it is stored.
        (None, None) => return,
    };
    stored.insert("image".into(), image);
}

/// The stored text belongs to other characters.
fn write_span(stored: &mut Object, span: &Span) {
    stored.insert("char_start".into(), span.start().into());
    stored.insert("char_end".into(), span.end().into());
    match span.text() {
        Some(text) => stored.insert("raw_text".into(), text.into()),
        None => stored.remove("raw_text"),
    };
}
