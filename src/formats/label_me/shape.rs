//! A shape of a LabelMe file -> an object.

use crate::formats::account::{Note, SkipCode};
use crate::formats::bitmap::Bitmap;
use crate::formats::builder::{Object, ObjectName};
use crate::formats::json::{kind, number, point};
use crate::formats::options::Overhang;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::turned::ellipse;
use base64::Engine as _;
use serde_json::{Map, Value};

/// Fields with a meaning of their own; all others become metadata.
pub(super) const OWN: [&str; 5] = ["label", "points", "shape_type", "mask", "score"];

pub(super) fn object(
    name: &ObjectName,
    value: Value,
    size: Option<(u32, u32)>,
    overhang: Overhang,
) -> Result<Object, NotPlaced> {
    let Value::Object(mut fields) = value else {
        return Err(wrong(format!("a shape is {}", kind(&value))));
    };
    let mut object = Object {
        name: name.clone(),
        ..Object::default()
    };
    match fields.get("label") {
        None | Some(Value::Null) => {}
        Some(Value::String(label)) => object.concepts.push((label.clone().into(), 1.0)),
        Some(Value::Number(label)) => object.concepts.push((label.to_string().into(), 1.0)),
        Some(other) => return Err(wrong(format!("`label` is {}", kind(other)))),
    }
    object.score = fields.get("score").and_then(number);
    object.shapes = shapes(&fields, size, overhang, &mut object.notes)?.into();
    fields.retain(|name, value| {
        let is_empty = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        !is_empty && !OWN.contains(&name.as_str())
    });
    object.metadata = fields;
    Ok(object)
}

fn shapes(
    fields: &Map<String, Value>,
    size: Option<(u32, u32)>,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Vec<Shape>, NotPlaced> {
    let what = match fields.get("shape_type") {
        None | Some(Value::Null) => "polygon",
        Some(Value::String(what)) => what,
        Some(other) => return Err(wrong(format!("`shape_type` is {}", kind(other)))),
    };
    if matches!(what, "line" | "linestrip") {
        return Err(skip(SkipCode::OtherShape, format!("a {what}")));
    }
    let points: Option<Vec<Xy>> = match fields.get("points") {
        Some(Value::Array(points)) => points.iter().map(point).collect(),
        _ => None,
    };
    let points = points.ok_or_else(|| wrong("`points` is not a list of points".to_owned()))?;
    let ring = |points: Vec<Xy>| {
        if points.len() < 3 {
            let detail = format!("a {what} of {} points", points.len());
            return Err(skip(SkipCode::NoGeometry, detail));
        }
        Ok(vec![Shape::Rings(vec![points], None)])
    };
    match (what, &points[..]) {
        ("polygon", _) => ring(points),
        ("rectangle", [a, b]) => Ok(vec![Shape::Box(corners([*a, *b]))]),
        // Newer files of relatives of LabelMe have all four corners.
        ("rectangle", [a, _, c, _]) if is_upright(&points) => {
            Ok(vec![Shape::Box(corners([*a, *c]))])
        }
        ("rectangle" | "oriented_rectangle" | "rotation", [_, _, _, _]) => {
            notes.push(Note::RotatedBox);
            ring(points)
        }
        ("circle", [centre, edge]) => {
            notes.push(Note::Ellipse);
            let radius = (edge[0] - centre[0]).hypot(edge[1] - centre[1]);
            ring(ellipse(*centre, [radius, radius], 0.0))
        }
        ("point", [point]) => Ok(vec![Shape::Point(*point)]),
        ("points", [_, ..]) => Ok(points.into_iter().map(Shape::Point).collect()),
        ("mask", [a, b]) => {
            let size = size.ok_or_else(|| {
                let detail = "its image has no width and height in whole pixels";
                skip(SkipCode::ImageWithoutSize, detail)
            })?;
            mask(
                fields.get("mask"),
                corners([*a, *b])[0],
                size,
                overhang,
                notes,
            )
        }
        (
            "rectangle" | "oriented_rectangle" | "rotation" | "circle" | "point" | "points"
            | "mask",
            _,
        ) => {
            let detail = format!("a {what} of {} points", points.len());
            Err(skip(SkipCode::NoGeometry, detail))
        }
        _ => Err(skip(
            SkipCode::OtherShape,
            format!("`shape_type` is {what:?}"),
        )),
    }
}

/// The top left and the bottom right corner, of any two opposite ones.
fn corners([a, b]: [Xy; 2]) -> [Xy; 2] {
    [
        [a[0].min(b[0]), a[1].min(b[1])],
        [a[0].max(b[0]), a[1].max(b[1])],
    ]
}

/// Whether four points are the corners of a box that is not turned.
fn is_upright(points: &[Xy]) -> bool {
    let next = points.iter().cycle().skip(1);
    let mut sides = points
        .iter()
        .zip(next)
        .map(|(from, to)| [0, 1].map(|axis| from[axis].to_bits() == to[axis].to_bits()));
    let first = sides.next();
    let is_turned = |at: usize, side: [bool; 2]| match first {
        Some([true, false]) => side != [at.is_multiple_of(2), !at.is_multiple_of(2)],
        Some([false, true]) => side != [!at.is_multiple_of(2), at.is_multiple_of(2)],
        _ => true,
    };
    !sides.enumerate().any(|(at, side)| is_turned(at + 1, side))
}

/// A PNG file whose top left pixel is at the corner.
fn mask(
    png: Option<&Value>,
    corner: Xy,
    (width, height): (u32, u32),
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Vec<Shape>, NotPlaced> {
    let wrong = |detail: String| skip(SkipCode::WrongMask, detail);
    let text = match png {
        Some(Value::String(text)) => text,
        Some(other) => return Err(wrong(format!("`mask` is {}", kind(other)))),
        None => return Err(wrong("there is no `mask`".to_owned())),
    };
    let png = base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map_err(|error| wrong(format!("`mask` is not base64: {error}")))?;
    let mut bitmap = Bitmap::new(width, height)
        .ok_or_else(|| wrong(format!("a mask of {width} x {height} pixels is too large")))?;
    let [column, row] = corner.map(f64::round);
    if !(0.0..f64::from(width)).contains(&column) || !(0.0..f64::from(height)).contains(&row) {
        let detail = format!("a mask at {column}, {row} of an image of {width} x {height} px");
        return Err(skip(SkipCode::OutsideImage, detail));
    }
    let missed = bitmap
        .draw(&png, column as u32, row as u32)
        .map_err(wrong)?;
    if missed > 0 {
        if overhang == Overhang::LeaveOut {
            let detail = format!("{missed} pixels of the mask are outside the image");
            return Err(skip(SkipCode::OutsideImage, detail));
        }
        notes.push(Note::Clipped);
    }
    if bitmap.area() == 0 {
        return Err(skip(SkipCode::NoArea, "a mask without a set pixel"));
    }
    let mask = (bitmap.mask()).map_err(|error| skip(SkipCode::WrongMask, error.to_string()))?;
    Ok(vec![Shape::Mask(Box::new(mask))])
}

fn wrong(detail: String) -> NotPlaced {
    skip(SkipCode::WrongType, detail)
}
