//! The results of one annotator -> objects.
//!
//! Results with the same id are one region: a shape with labels, and what else was said of it. Results without a shape
//! are about the whole input. Coordinates are percent of the image.

use super::medium::Medium;
use super::task::{CONTROLS, Item, Work};
use super::{brush, video};
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::{Found, Object, Units, number_name};
use crate::formats::json::{kind, number, point};
use crate::formats::options::ImportOptions;
use crate::formats::outline::{ellipse, turned_box};
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::model::{Geometry, Span};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What the value of a result holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Box,
    Polygon,
    Point,
    Ellipse,
    Brush,
    KeyFrames,
    Span,
    /// A shape that cannot be imported.
    Other,
    /// No shape.
    Words,
}

pub(super) struct Regions<'t> {
    work: &'t Work,
    medium: &'t Medium,
    pub(super) options: &'t ImportOptions,
    /// Of the image that the current region was drawn on, in pixels.
    size: Option<(u32, u32)>,
}

impl<'t> Regions<'t> {
    pub(super) fn new(work: &'t Work, medium: &'t Medium, options: &'t ImportOptions) -> Self {
        Self {
            work,
            medium,
            options,
            size: None,
        }
    }

    pub(super) fn objects(&mut self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut regions: Vec<(String, Vec<&'t Item>)> = Vec::new();
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (index, result) in self.work.results.iter().enumerate() {
            match result {
                Err(detail) => found.push(Found::LeftOut(
                    number_name(index),
                    skip(SkipCode::WrongType, detail.clone()),
                )),
                Ok(item) => {
                    let known = (item.id.as_deref())
                        .map(|id| *by_id.entry(id).or_insert(regions.len()))
                        .filter(|at| *at < regions.len());
                    match known {
                        Some(at) => regions[at].1.push(item),
                        None => {
                            let name = item.id.clone().unwrap_or_else(|| number_name(index));
                            regions.push((name, vec![item]));
                        }
                    }
                }
            }
        }
        for (name, items) in regions {
            match self.region(&name, &items) {
                Ok(all) => found.extend(all),
                Err(why) => found.push(Found::LeftOut(name, why)),
            }
        }
        found
    }

    fn region(&mut self, name: &str, items: &[&Item]) -> Result<Vec<Found>, NotPlaced> {
        let mut object = Object {
            name: name.to_owned(),
            units: Units::Fractions,
            ..Object::default()
        };
        let mut placed: Option<(&Item, Holds)> = None;
        for item in items {
            object.concepts.extend(labels(&item.value)?);
            object.score = object.score.or(item.score);
            if let Some(meta) = &item.meta {
                object.metadata.insert("meta".to_owned(), meta.clone());
            }
            let holds = holds(item);
            if holds != Holds::Words && placed.is_none() {
                placed = Some((item, holds));
            }
            if holds == Holds::Words || CONTROLS.contains(&item.kind.as_str()) {
                said(item, &mut object.metadata);
            }
        }
        let Some((item, holds)) = placed else {
            if object.concepts.is_empty() && object.metadata.is_empty() {
                return Err(skip(SkipCode::NoGeometry, "neither a shape nor a label"));
            }
            object.shapes.push(Shape::Whole);
            return Ok(vec![Found::Object(Box::new(object))]);
        };
        if item.image_rotation.rem_euclid(360.0) != 0.0 && !self.medium.is_text() {
            let detail = format!("the picture was turned by {} degrees", item.image_rotation);
            return Err(skip(SkipCode::OtherShape, detail));
        }
        self.size = item.size.or(self.medium.size);
        if holds == Holds::KeyFrames {
            return Ok(video::objects(&item.value, &object, self));
        }
        let shape = self.shape(item, holds, &mut object.notes)?;
        object.shapes.push(shape);
        Ok(vec![Found::Object(Box::new(object))])
    }

    fn shape(&self, item: &Item, holds: Holds, notes: &mut Vec<Note>) -> Result<Shape, NotPlaced> {
        let value = &item.value;
        match holds {
            Holds::Box => self.turned_box(value, notes),
            Holds::Polygon => {
                let points = match value.get("points") {
                    Some(Value::Array(points)) => points.iter().map(point).collect(),
                    _ => None,
                };
                let points: Vec<Xy> = points
                    .ok_or_else(|| skip(SkipCode::WrongType, "`points` is not a list of points"))?;
                if points.len() < 3 {
                    let detail = format!("a polygon of {} points", points.len());
                    return Err(skip(SkipCode::NoGeometry, detail));
                }
                let ring = points.into_iter().map(of_percent).collect();
                Ok(Shape::Rings(vec![ring], None))
            }
            Holds::Point => {
                let [x, y] = numbers(value, ["x", "y"])?;
                Ok(Shape::Point(of_percent([x, y])))
            }
            Holds::Ellipse => {
                let [x, y, across, down] = numbers(value, ["x", "y", "radiusX", "radiusY"])?;
                let degrees = rotation(value)?;
                let [width, height] = self.scale(degrees)?;
                let ring = ellipse(
                    [x * width, y * height],
                    [across * width, down * height],
                    degrees,
                );
                notes.push(Note::Ellipse);
                let ring = ring
                    .into_iter()
                    .map(|[x, y]| of_percent([x / width, y / height]));
                Ok(Shape::Rings(vec![ring.collect()], None))
            }
            Holds::Brush => {
                if let Some(format) = value.get("format")
                    && format != "rle"
                {
                    let detail = format!("a mask in the format {format}");
                    return Err(skip(SkipCode::WrongMask, detail));
                }
                let rle = (value.get("rle"))
                    .ok_or_else(|| skip(SkipCode::WrongMask, "there is no `rle`"))?;
                let size = self.size.ok_or_else(without_size)?;
                match brush::mask(rle, size) {
                    Ok(Some(mask)) => Ok(Shape::Mask(Box::new(mask))),
                    Ok(None) => Err(skip(SkipCode::NoArea, "a mask without a set pixel")),
                    Err(detail) => Err(skip(SkipCode::WrongMask, detail)),
                }
            }
            Holds::Span => self.span(value),
            Holds::KeyFrames | Holds::Other | Holds::Words => {
                let what = if item.kind.is_empty() {
                    "a shape"
                } else {
                    &item.kind
                };
                Err(skip(
                    SkipCode::OtherShape,
                    format!("{what} cannot be imported"),
                ))
            }
        }
    }

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
        let ring = turned_box([pixels(from), pixels(to)], pixels(from), degrees);
        notes.push(Note::RotatedBox);
        let ring = (ring.into_iter()).map(|[x, y]| of_percent([x / scale[0], y / scale[1]]));
        Ok(Shape::Rings(vec![ring.collect()], None))
    }

    /// Pixels for each percent. Without a turn, any scale gives the same shape.
    fn scale(&self, degrees: f64) -> Result<Xy, NotPlaced> {
        match self.size {
            Some((width, height)) => Ok([f64::from(width) / 100.0, f64::from(height) / 100.0]),
            None if degrees == 0.0 => Ok([1.0, 1.0]),
            None => Err(without_size()),
        }
    }

    /// A range of characters. The text that the result repeats decides whether code points or UTF-16 units are counted.
    fn span(&self, value: &Map<String, Value>) -> Result<Shape, NotPlaced> {
        if !self.medium.is_text() {
            return Err(skip(
                SkipCode::OtherShape,
                "a range of time, or of a text in another file",
            ));
        }
        let range = numbers(value, ["start", "end"])?;
        let is_whole = |it: &f64| it.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(it);
        if !range.iter().all(is_whole) {
            let detail = format!("from {} to {}", range[0], range[1]);
            return Err(skip(SkipCode::OutsideText, detail));
        }
        let range = range.map(|it| it as usize);
        let written = value.get("text").and_then(Value::as_str);
        let fits = |[start, end]: [usize; 2]| {
            let slice = self.medium.slice(start, end)?;
            let is_same = written.is_none_or(|written| is_same_text(slice, written));
            (is_same && start < end).then_some(([start, end], slice))
        };
        let found = fits(range).or_else(|| fits(self.medium.code_points(range)?));
        let Some(([start, end], slice)) = found else {
            let there = self.medium.slice(range[0], range[1]);
            return Err(skip(
                SkipCode::OutsideText,
                match (there, written) {
                    (Some(there), Some(written)) if there != written => {
                        format!("its text is {written:?}, and {there:?} is there")
                    }
                    _ => format!("from {} to {}", range[0], range[1]),
                },
            ));
        };
        let span = Span::new(start as u32, end as u32, Some(slice.into()))
            .map_err(|error| skip(SkipCode::OutsideText, error.to_string()))?;
        Ok(Shape::Done(Geometry::Span(Box::new(span))))
    }
}

/// Whether a repeated text is the same, except white space, which Label Studio changes and writes as `\n`.
fn is_same_text(slice: &str, written: &str) -> bool {
    let bare = |text: &str| -> String {
        let text = text.replace("\\n", "");
        text.chars().filter(|c| !c.is_whitespace()).collect()
    };
    slice == written || bare(slice) == bare(written)
}

fn without_size() -> NotPlaced {
    let detail = "the size of its image is not known";
    skip(SkipCode::ImageWithoutSize, detail)
}

fn of_percent(point: Xy) -> Xy {
    point.map(|it| it / 100.0)
}

/// The turn in degrees, from 0 to 360.
fn rotation(value: &Map<String, Value>) -> Result<f64, NotPlaced> {
    match value.get("rotation") {
        None | Some(Value::Null) => Ok(0.0),
        Some(rotation) => number(rotation)
            .map(|it| it.rem_euclid(360.0))
            .ok_or_else(|| skip(SkipCode::WrongType, "`rotation` is not a number")),
    }
}

fn numbers<const N: usize>(
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

/// The labels and choices of a result.
fn labels(value: &Map<String, Value>) -> Result<Vec<(String, f64)>, NotPlaced> {
    let mut names = Vec::new();
    for (key, value) in value {
        if !key.ends_with("labels") && key != "choices" {
            continue;
        }
        let wrong = |value: &Value| {
            let detail = format!("`{key}` holds {}", kind(value));
            skip(SkipCode::WrongType, detail)
        };
        match value {
            Value::Null => {}
            Value::String(name) => names.push((name.clone(), 1.0)),
            Value::Array(list) => {
                for name in list {
                    let name = name.as_str().ok_or_else(|| wrong(name))?;
                    names.push((name.to_owned(), 1.0));
                }
            }
            value => return Err(wrong(value)),
        }
    }
    Ok(names)
}

/// What is said in other ways than by labels and choices becomes metadata, by the name of the tag.
fn said(item: &Item, metadata: &mut Map<String, Value>) {
    let key = match item.kind.as_str() {
        "textarea" => "text",
        "choices" => return,
        kind => kind,
    };
    let Some(value) = item.value.get(key).filter(|_| !key.ends_with("labels")) else {
        return;
    };
    let value = match value {
        Value::Array(list) if list.len() == 1 && item.kind == "textarea" => &list[0],
        value => value,
    };
    let name = item.from.as_deref().unwrap_or(&item.kind);
    metadata.insert(name.to_owned(), value.clone());
}

fn holds(item: &Item) -> Holds {
    let has = |key| item.value.contains_key(key);
    if has("sequence") {
        return Holds::KeyFrames;
    }
    let is_control = CONTROLS.contains(&item.kind.as_str());
    match item.kind.strip_suffix("labels").unwrap_or(&item.kind) {
        "rectangle" => Holds::Box,
        "polygon" => Holds::Polygon,
        "keypoint" => Holds::Point,
        "ellipse" => Holds::Ellipse,
        "brush" => Holds::Brush,
        "videorectangle" => Holds::KeyFrames,
        kind if kind.is_empty() || is_control => {
            if has("rle") {
                Holds::Brush
            } else if has("points") {
                Holds::Polygon
            } else if has("radiusX") {
                Holds::Ellipse
            } else if has("x") && has("y") {
                if has("height") {
                    Holds::Box
                } else {
                    Holds::Point
                }
            } else if has("start") && has("end") {
                Holds::Span
            } else {
                Holds::Words
            }
        }
        _ => {
            let places = [
                "x",
                "points",
                "start",
                "ranges",
                "rle",
                "imageDataURL",
                "vertices",
            ];
            if places.into_iter().any(has) {
                Holds::Other
            } else {
                Holds::Words
            }
        }
    }
}
