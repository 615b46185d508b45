//! Annotations in the manifest's notation, shortened for reading.
//!
//! Long text is cut and gets a digest of the whole, so that different texts never look the same. Cut text does not read
//! back, so manifests are not written by this module.

use crate::model::{
    BoundingBox, Concepts, Content, Frame, Geometry, Json, Keypoint, Keypoints, Mask, Point,
    Polygon, Visibility, float, hex, thousands,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A polygon with more points is cut to its first three.
const POINTS: usize = 6;
/// A line of more characters is cut.
const WIDTH: usize = 160;
/// Hex digits of a mask's hash that are shown; enough to be unique.
const HASH: usize = 12;
/// From this many concepts on, a difference has a line for each.
const LIST: usize = 7;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The field it belongs to, if a line above names it.
    pub(super) field: Option<&'static str>,
    pub(super) text: String,
}

/// Whether concepts are written on one line, or on one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Compact,
    Tall,
}

impl Layout {
    /// The layout for both sides of a difference. With different layouts, no line would be equal.
    pub(super) fn of(sides: &[&Content]) -> Self {
        let long = |content: &&Content| content.concepts.as_ref().is_some_and(|c| c.len() >= LIST);
        if sides.iter().any(long) {
            Self::Tall
        } else {
            Self::Compact
        }
    }
}

/// The fields as lines for a difference.
pub(super) fn lines(content: &Content, layout: Layout) -> Vec<Line> {
    let mut lines = Vec::new();
    let top = |name: &str, flow: &str| Line {
        field: None,
        text: cut(&format!("{name}: {flow}")),
    };
    if let Some(flow) = frame(content) {
        lines.push(top("frame", &flow));
    }
    if let Some((name, flow)) = geometry(content.geometry.as_ref()) {
        lines.push(top(name, &flow));
    }
    if let Some(concepts) = &content.concepts {
        if layout == Layout::Tall {
            let each = concepts
                .iter()
                .map(|c| format!("{}: {}", plain(c.id.as_str()), value_of(c.value)));
            push_block(&mut lines, "concepts", each);
        } else {
            lines.push(top("concepts", &list(concepts)));
        }
    }
    for (name, flow) in extras(content) {
        lines.push(top(name, &flow));
    }
    if let Some(status) = content.status {
        lines.push(top("status", &plain(&status.to_string())));
    }
    if let Some(user) = &content.user {
        lines.push(top("user", &plain(user.as_str())));
    }
    for (name, json) in [("metadata", &content.metadata), ("info", &content.info)] {
        match json.as_ref().map(Json::to_value) {
            None => {}
            Some(Value::Object(map)) if !map.is_empty() => {
                let mut fields: Vec<_> = map.iter().collect();
                fields.sort_by(|a, b| a.0.cmp(b.0));
                let each = fields
                    .into_iter()
                    .map(|(key, value)| format!("{}: {}", plain(key), flow(value)));
                push_block(&mut lines, name, each);
            }
            Some(value) => lines.push(top(name, &flow(&value))),
        }
    }
    lines
}

fn push_block(lines: &mut Vec<Line>, name: &'static str, each: impl Iterator<Item = String>) {
    lines.push(Line {
        field: None,
        text: format!("{name}:"),
    });
    lines.extend(each.map(|text| Line {
        field: Some(name),
        text: cut(&format!("  {text}")),
    }));
}

/// The fields on one line, as a YAML flow map.
pub(super) fn one_line(content: &Content) -> String {
    let mut fields: Vec<String> = Vec::new();
    fields.extend(frame(content).map(|flow| format!("frame: {flow}")));
    fields.extend(
        geometry(content.geometry.as_ref()).map(|(name, flow)| cut(&format!("{name}: {flow}"))),
    );
    fields.extend(
        content
            .concepts
            .as_ref()
            .map(|c| cut(&format!("concepts: {}", list(c)))),
    );
    fields.extend(
        extras(content)
            .into_iter()
            .map(|(name, flow)| cut(&format!("{name}: {flow}"))),
    );
    fields.extend(
        content
            .status
            .map(|s| format!("status: {}", plain(&s.to_string()))),
    );
    fields.extend(
        content
            .user
            .as_ref()
            .map(|u| format!("user: {}", plain(u.as_str()))),
    );
    for (name, json) in [("metadata", &content.metadata), ("info", &content.info)] {
        fields.extend(
            json.as_ref()
                .map(|json| cut(&format!("{name}: {}", flow(&json.to_value())))),
        );
    }
    format!("{{{}}}", fields.join(", "))
}

/// Concepts that a name has.
pub(super) const BRIEF: usize = 3;

/// The first concepts, for a name: `car`, `car, truck, bus, 4 more`.
pub(super) fn brief(concepts: &Concepts) -> String {
    let mut words: Vec<String> = concepts
        .iter()
        .take(BRIEF)
        .map(|c| match value_of(c.value).as_str() {
            "true" => c.id.to_string(),
            value => format!("{}: {value}", c.id),
        })
        .collect();
    if concepts.len() > BRIEF {
        words.push(format!("{} more", concepts.len() - BRIEF));
    }
    words.join(", ")
}

fn extras(content: &Content) -> Vec<(&'static str, String)> {
    let text = |name, text: Option<&str>| text.map(|text| (name, plain(text)));
    [
        text("track", content.track()),
        text("text", content.text()),
        content
            .region_value()
            .map(|value| ("region_value", float::shortest(value).to_string())),
        text("embed_model_version", content.embed_model_version()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn frame(content: &Content) -> Option<String> {
    let Frame { time_ms, number } = content.frame?;
    Some(format!("{{time_ms: {time_ms}, number: {number}}}"))
}

fn geometry(geometry: Option<&Geometry>) -> Option<(&'static str, String)> {
    match geometry? {
        Geometry::Box(edges) => Some(("box", box_flow(edges))),
        Geometry::Polygon(polygon) => Some(("polygon", polygon_flow(polygon))),
        Geometry::Point(point) => Some(("point", point_flow(*point))),
        Geometry::Keypoints(points) => Some(("keypoints", keypoints_flow(points))),
        Geometry::Mask(mask) => Some(("mask", mask_flow(mask))),
        Geometry::Span(span) => Some(("span", in_order(&json!(span)))),
        Geometry::Segment(segment) => Some(("segment", in_order(&json!(segment)))),
        Geometry::Region(id) => Some(("region", plain(id.as_str()))),
        Geometry::Whole | Geometry::RegionOf(_) | Geometry::Unmodelled => None,
    }
}

fn box_flow(edges: &BoundingBox) -> String {
    let [top, left, bottom, right] = edges.edges().map(float::shortest);
    format!("{{top: {top}, left: {left}, bottom: {bottom}, right: {right}}}")
}

fn point_flow(point: Point) -> String {
    let [row, col] = [point.row, point.col].map(|c| float::shortest(c.get()));
    format!("[{row}, {col}]")
}

fn polygon_flow(polygon: &Polygon) -> String {
    let points: Vec<String> = polygon.points().iter().copied().map(point_flow).collect();
    points_flow(&points)
}

fn keypoints_flow(points: &Keypoints) -> String {
    let flow = |Keypoint { point, visibility }: &Keypoint| {
        let place = point_flow(*point);
        match visibility {
            Visibility::NotSet => place,
            seen => {
                let (_, name) = Visibility::ALL[*seen as usize];
                format!("{}, {name}]", place.trim_end_matches(']'))
            }
        }
    };
    let points: Vec<String> = points.points().iter().map(flow).collect();
    points_flow(&points)
}

/// Size, hash and URL, as far as known.
fn mask_flow(mask: &Mask) -> String {
    let mut fields = Vec::new();
    if let Some((width, height)) = mask.size() {
        fields.push(format!("size: {width} x {height}"));
    }
    if let Some(hash) = mask.sha256() {
        fields.push(format!("sha256: {}…", &hash[..HASH]));
    }
    if let Some(url) = mask.url() {
        fields.push(format!("url: {}", plain(url)));
    }
    format!("{{{}}}", fields.join(", "))
}

/// A map with its fields in the given order.
fn in_order(value: &Value) -> String {
    let fields: Vec<String> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}: {}", flow(value)))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

fn points_flow(points: &[String]) -> String {
    if points.len() <= POINTS {
        return format!("[{}]", points.join(", "));
    }
    format!(
        "[{}, … {} more, digest {}]",
        points[..3].join(", "),
        points.len() - 3,
        digest(&points.join(" "), SHORT)
    )
}

/// A list if all values are 1, else a map.
fn list(concepts: &Concepts) -> String {
    let all_true = concepts.iter().all(|c| float::same(c.value, 1.0));
    let each: Vec<String> = concepts
        .iter()
        .map(|c| {
            let id = plain(c.id.as_str());
            if all_true {
                id
            } else {
                format!("{id}: {}", value_of(c.value))
            }
        })
        .collect();
    let each = each.join(", ");
    if all_true {
        format!("[{each}]")
    } else {
        format!("{{{each}}}")
    }
}

pub(super) fn value_of(value: f32) -> String {
    if float::same(value, 1.0) {
        "true".to_owned()
    } else if float::same(value, 0.0) {
        "false".to_owned()
    } else {
        float::shortest(value).to_string()
    }
}

/// JSON in YAML flow style, with sorted keys.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match number.as_f64() {
            // 1 and 1.0 are the same number. Beyond 2^53 a float would lose digits.
            Some(float) if number.is_f64() && float.abs() < 9_007_199_254_740_992.0 => {
                float.to_string()
            }
            _ => number.to_string(),
        },
        Value::String(text) => plain(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(b.0));
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{}: {}", plain(key), flow(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// A text as a YAML scalar, quoted unless every YAML parser reads it as a string.
pub(super) fn plain(text: &str) -> String {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let is_plain = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !text.ends_with(' ')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' '))
        && !WORDS.contains(&text.to_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

/// Bytes of the digest of a cut line.
const SHORT: usize = 4;

/// The first bytes of a text's SHA-256, in hex.
pub(super) fn digest(text: &str, bytes: usize) -> String {
    hex(&Sha256::digest(text.as_bytes())[..bytes])
}

/// Cuts a line to the usual width.
pub(super) fn cut(line: &str) -> String {
    cut_to(line, WIDTH)
}

/// Cuts a line to `width` characters, which is at least 40, and appends a digest.
pub(super) fn cut_to(line: &str, width: usize) -> String {
    const REST: usize = 40;
    let length = line.chars().count();
    if length <= width {
        return line.to_owned();
    }
    let start: String = line.chars().take(width - REST).collect();
    let more = thousands((length - (width - REST)) as u64);
    format!(
        "{start}… {more} more characters, digest {}",
        digest(line, SHORT)
    )
}

#[cfg(test)]
mod tests;
