//! The results of one annotator -> objects.
//!
//! Results with the same id and the same place are one region: a shape with labels, and all other results about it. Results
//! without a shape are about the whole input. Coordinates are percent of the image.

use super::medium::Medium;
use super::percent::{Canvas, numbers, of_percent, rotation, without_size};
use super::task::{CONTROLS, Item, Work};
use super::{brush, video};
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::{Found, Object, ObjectName, Units, number_name};
use crate::formats::json::{kind, number, point};
use crate::formats::options::ImportOptions;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::turned::ellipse;
use crate::model::{Geometry, Span};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt::Write as _;

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
    options: &'t ImportOptions,
}

impl<'t> Regions<'t> {
    pub(super) fn new(work: &'t Work, medium: &'t Medium, options: &'t ImportOptions) -> Self {
        Self {
            work,
            medium,
            options,
        }
    }

    pub(super) fn objects(&self) -> Vec<Found> {
        let mut found = Vec::new();
        let mut regions: Vec<(String, Vec<&'t Item>)> = Vec::new();
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        for (index, result) in self.work.results.iter().enumerate() {
            match result {
                Err(why) => found.push(Found::LeftOut(ObjectName::Number(index), why.clone())),
                Ok(item) => {
                    let known = (item.id.as_deref())
                        .map(|id| *by_id.entry(id).or_insert(regions.len()))
                        .filter(|at| *at < regions.len());
                    if let Some(at) = known {
                        regions[at].1.push(item);
                    } else {
                        let name = item.id.clone().unwrap_or_else(|| number_name(index));
                        regions.push((name, vec![item]));
                    }
                }
            }
        }
        for (id, items) in regions {
            let others = (2..).map(|number: u64| format!("{id}-{number}"));
            let mut others = others.filter(|name| !by_id.contains_key(name.as_str()));
            for (at, items) in by_place(items).into_iter().enumerate() {
                let name = match at {
                    0 => id.clone(),
                    _ => others.next().expect("there is a number after each"),
                };
                match self.region(&name, &items) {
                    Ok(all) => found.extend(all),
                    Err(why) => found.push(Found::LeftOut(name.into(), why)),
                }
            }
        }
        found
    }

    fn region(&self, name: &str, items: &[&Item]) -> Result<Vec<Found>, NotPlaced> {
        let mut object = Object {
            name: name.to_owned().into(),
            units: Units::Fractions,
            ..Object::default()
        };
        let mut placed: Option<(&Item, Holds)> = None;
        for item in items {
            let classes = labels(&item.value)?.into_iter();
            object
                .concepts
                .extend(classes.map(|(name, value)| (name.into(), value)));
            object.score = object.score.or(item.score);
            if let Some(meta) = &item.meta {
                object.metadata.insert("meta".to_owned(), meta.clone());
            }
            let holds = holds(item);
            if holds != Holds::Words && placed.is_none() {
                placed = Some((item, holds));
            }
            if holds == Holds::Words || CONTROLS.contains(&item.kind.as_str()) {
                add_metadata(item, &mut object.metadata);
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
        let canvas = Canvas {
            size: item.size.or(self.medium.size),
        };
        if holds == Holds::KeyFrames {
            return Ok(video::objects(&item.value, &object, canvas, self.options));
        }
        let shape = self.shape(item, holds, canvas, &mut object.notes)?;
        object.shapes.push(shape);
        Ok(vec![Found::Object(Box::new(object))])
    }

    fn shape(
        &self,
        item: &Item,
        holds: Holds,
        canvas: Canvas,
        notes: &mut Vec<Note>,
    ) -> Result<Shape, NotPlaced> {
        let value = &item.value;
        match holds {
            Holds::Box => canvas.turned_box(value, notes),
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
                let [width, height] = canvas.scale(degrees)?;
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
                let size = canvas.size.ok_or_else(without_size)?;
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

/// The keys of a value that say where a result is.
const PLACES: [&str; 17] = [
    "x",
    "y",
    "width",
    "height",
    "rotation",
    "radiusX",
    "radiusY",
    "points",
    "rle",
    "start",
    "end",
    "startOffset",
    "endOffset",
    "sequence",
    "ranges",
    "vertices",
    "imageDataURL",
];

/// Divides results with one id by their places. Those without a place go with the first.
fn by_place(items: Vec<&Item>) -> Vec<Vec<&Item>> {
    if items.len() < 2 {
        return vec![items];
    }
    let mut groups: Vec<Vec<&Item>> = vec![Vec::new()];
    let mut by_place: HashMap<String, usize> = HashMap::new();
    for item in items {
        let next = by_place.len();
        let at = place_of(&item.value).map(|place| *by_place.entry(place).or_insert(next));
        match groups.get_mut(at.unwrap_or(0)) {
            Some(group) => group.push(item),
            None => groups.push(vec![item]),
        }
    }
    groups
}

/// The place of a result as a text; `None` if it has none.
fn place_of(value: &Map<String, Value>) -> Option<String> {
    let mut place = String::new();
    for key in PLACES {
        // Writing to a string cannot fail.
        match value.get(key) {
            None | Some(Value::Null) => {}
            Some(field) => match number(field) {
                Some(0.0) if key == "rotation" => {}
                Some(number) => _ = write!(place, "{key} {number}, "),
                None => _ = write!(place, "{key} {field}, "),
            },
        }
    }
    (!place.is_empty()).then_some(place)
}

/// Whether a repeated text is the same, except white space, which Label Studio changes and writes as `\n`.
fn is_same_text(slice: &str, written: &str) -> bool {
    let bare = |text: &str| -> String {
        let text = text.replace("\\n", "");
        text.chars().filter(|c| !c.is_whitespace()).collect()
    };
    slice == written || bare(slice) == bare(written)
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

/// Values of tags other than labels and choices become metadata, under the name of the tag.
fn add_metadata(item: &Item, metadata: &mut Map<String, Value>) {
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
