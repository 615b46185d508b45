//! Coordinates in percent of an image -> shapes in fractions of it.

use crate::formats::account::{Note, SkipCode};
use crate::formats::json::{kind, number};
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::turned::turned;
use serde_json::{Map, Value};

/// The image that something was drawn on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    /// In pixels.
    pub(super) size: Option<(u32, u32)>,
}

impl Canvas {
    /// A box, which `rotation` turns clockwise about its top left corner, in pixels.
    pub(super) fn turned_box(
        &self,
        value: &Map<String, Value>,
        notes: &mut Vec<Note>,
    ) -> Result<Shape, NotPlaced> {
        let [x, y, width, height] = numbers(value, ["x", "y", "width", "height"])?;
        let (from, to) = ([x, y], [x + width, y + height]);
        let degrees = rotation(value)?;
        if degrees == 0.0 {
            return Ok(Shape::Box([of_percent(from), of_percent(to)]));
        }
        if width <= 0.0 || height <= 0.0 {
            return Err(skip(SkipCode::NoArea, "all points on one line"));
        }
        let scale = self.scale(degrees)?;
        let pixels = |[x, y]: Xy| [x * scale[0], y * scale[1]];
        let corners = [from, [to[0], from[1]], to, [from[0], to[1]]];
        let ring = corners.map(|corner| turned(pixels(corner), pixels(from), degrees));
        notes.push(Note::RotatedBox);
        let ring = ring.map(|[x, y]| of_percent([x / scale[0], y / scale[1]]));
        Ok(Shape::Rings(vec![ring.to_vec()], None))
    }

    /// Pixels for each percent. Without a turn, any scale gives the same shape.
    pub(super) fn scale(&self, degrees: f64) -> Result<Xy, NotPlaced> {
        match self.size {
            Some((width, height)) => Ok([f64::from(width) / 100.0, f64::from(height) / 100.0]),
            None if degrees == 0.0 => Ok([1.0, 1.0]),
            None => Err(without_size()),
        }
    }
}

pub(super) fn without_size() -> NotPlaced {
    let detail = "the size of its image is not known";
    skip(SkipCode::ImageWithoutSize, detail)
}

pub(super) fn of_percent(point: Xy) -> Xy {
    point.map(|it| it / 100.0)
}

/// The turn in degrees, from 0 to 360.
pub(super) fn rotation(value: &Map<String, Value>) -> Result<f64, NotPlaced> {
    match value.get("rotation") {
        None | Some(Value::Null) => Ok(0.0),
        Some(rotation) => number(rotation)
            .map(|it| it.rem_euclid(360.0))
            .ok_or_else(|| skip(SkipCode::WrongType, "`rotation` is not a number")),
    }
}

pub(super) fn numbers<const N: usize>(
    value: &Map<String, Value>,
    names: [&str; N],
) -> Result<[f64; N], NotPlaced> {
    let mut numbers = [0.0; N];
    for (at, name) in names.into_iter().enumerate() {
        numbers[at] = value.get(name).and_then(number).ok_or_else(|| {
            let found = value.get(name).map_or("missing", kind);
            skip(SkipCode::WrongType, format!("`{name}` is {found}"))
        })?;
    }
    Ok(numbers)
}
