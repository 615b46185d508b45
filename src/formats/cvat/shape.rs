//! The shapes of CVAT: `box`, `polygon`, `points`, `ellipse`, `mask`, `skeleton`.

use super::meta::Meta;
use crate::formats::account::{Note, SkipCode};
use crate::formats::bitmap::Bitmap;
use crate::formats::options::Overhang;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::turned::{ellipse, turned_box};
use crate::formats::xml::{self, Element};
use crate::model::Visibility;
use smallvec::{SmallVec, smallvec};

/// A skeleton has no more points than this: a name of its own for each point of each skeleton would fill the memory.
const MAX_POINTS: usize = 10_000;
const MAX_PIXELS: u64 = 100_000_000;

/// A shape of points, which can be interpolated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Box,
    Polygon,
    Points,
    Ellipse,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outline {
    kind: Kind,
    /// Box: two corners. Ellipse: centre and radii. Polygon and points: the points.
    points: SmallVec<[Xy; 2]>,
    /// In degrees, clockwise about the centre.
    rotation: f64,
}

impl Outline {
    pub(super) fn read(element: Element<'_>) -> Result<Self, NotPlaced> {
        let rotation = element.attribute("rotation").map_or(Ok(0.0), |text| {
            xml::number(text).ok_or_else(|| wrong("rotation", text))
        })?;
        let number = |name: &str| number(element, name);
        let (kind, points) = match element.name() {
            "box" => {
                let corners = smallvec![
                    [number("xtl")?, number("ytl")?],
                    [number("xbr")?, number("ybr")?],
                ];
                (Kind::Box, corners)
            }
            "ellipse" => {
                let [rx, ry] = [number("rx")?, number("ry")?];
                if rx <= 0.0 || ry <= 0.0 {
                    let detail = format!("an ellipse with the radii {rx} and {ry}");
                    return Err(skip(SkipCode::NoArea, detail));
                }
                (
                    Kind::Ellipse,
                    smallvec![[number("cx")?, number("cy")?], [rx, ry]],
                )
            }
            "polygon" => (Kind::Polygon, points(element)?),
            "points" => (Kind::Points, points(element)?),
            "polyline" => return Err(skip(SkipCode::OtherShape, "a polyline")),
            "cuboid" => return Err(skip(SkipCode::OtherShape, "a cuboid")),
            other => {
                let detail = format!("the shape {other:?}");
                return Err(skip(SkipCode::OtherShape, detail));
            }
        };
        if let (Kind::Box, &[[left, top], [right, bottom]]) = (kind, &points[..])
            && (left >= right || top >= bottom)
        {
            let detail = format!("width {}, height {}", right - left, bottom - top);
            return Err(skip(SkipCode::NoArea, detail));
        }
        Ok(Self {
            kind,
            points,
            rotation,
        })
    }

    pub(super) fn shape(&self, notes: &mut Vec<Note>) -> Shape {
        match (self.kind, &self.points[..]) {
            (Kind::Box, &[first, second]) if self.rotation % 360.0 == 0.0 => {
                Shape::Box([first, second])
            }
            (Kind::Box, &[first, second]) => {
                notes.push(Note::RotatedBox);
                Shape::Rings(vec![turned_box([first, second], self.rotation)], None)
            }
            (Kind::Ellipse, &[centre, radii]) => {
                notes.push(Note::Ellipse);
                Shape::Rings(vec![ellipse(centre, radii, self.rotation)], None)
            }
            (Kind::Points, &[point]) => Shape::Point(point),
            (Kind::Points, points) => {
                let points = points.iter().map(|point| (*point, Visibility::NotSet));
                Shape::Keypoints(points.collect())
            }
            (_, points) => Shape::Rings(vec![points.to_vec()], None),
        }
    }

    /// The outline between two, at a share of the way from 0 to 1; `None` if they do not match point by point.
    pub(super) fn between(&self, to: &Self, share: f64) -> Option<Self> {
        if self.kind != to.kind || self.points.len() != to.points.len() {
            return None;
        }
        let middle = |from: f64, to: f64| from + (to - from) * share;
        let points = self.points.iter().zip(&to.points);
        // The shorter way round.
        let turn = (to.rotation - self.rotation + 180.0).rem_euclid(360.0) - 180.0;
        Some(Self {
            kind: self.kind,
            points: points
                .map(|(from, to)| [middle(from[0], to[0]), middle(from[1], to[1])])
                .collect(),
            rotation: self.rotation + turn * share,
        })
    }
}

fn number(element: Element<'_>, name: &str) -> Result<f64, NotPlaced> {
    let Some(text) = element.attribute(name) else {
        let detail = format!("it has no `{name}`");
        return Err(skip(SkipCode::WrongType, detail));
    };
    xml::number(text).ok_or_else(|| wrong(name, text))
}

fn wrong(name: &str, text: &str) -> NotPlaced {
    let detail = format!("`{name}` is {text:?}, not a number");
    skip(SkipCode::WrongType, detail)
}

/// `x,y;x,y`.
fn points(element: Element<'_>) -> Result<SmallVec<[Xy; 2]>, NotPlaced> {
    let text = element.attribute("points").unwrap_or_default().trim();
    if text.is_empty() {
        return Err(skip(SkipCode::NoGeometry, "it has no points"));
    }
    text.trim_end_matches(';')
        .split(';')
        .map(|pair| {
            let (x, y) = pair.split_once(',')?;
            Some([xml::number(x)?, xml::number(y)?])
        })
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let detail = "`points` must be pairs of numbers: \"1,2;3,4\"";
            skip(SkipCode::WrongType, detail)
        })
}

/// A skeleton's points in the order of its label. Those that are missing before the last one are not present.
pub(super) fn skeleton(
    element: Element<'_>,
    label: &str,
    meta: &mut Meta,
    notes: &mut Vec<Note>,
) -> Result<Shape, NotPlaced> {
    let names = meta.points(label);
    if names.is_empty() {
        // The file does not list them: reported where the first one is found.
        notes.push(Note::KeypointNamesLeftOut);
    }
    let mut found: Vec<Option<(Xy, Visibility)>> = vec![None; names.len()];
    for part in element.children().filter(|part| part.name() != "attribute") {
        let name = super::fields::label(part)?;
        let at = if part.name() == "points" {
            points(part)?
        } else {
            let detail = format!("a skeleton with the shape {:?}", part.name());
            return Err(skip(SkipCode::OtherShape, detail));
        };
        let [point] = at[..] else {
            let detail = "a skeleton with several points of one name";
            return Err(skip(SkipCode::OtherShape, detail));
        };
        let is_set = |name: &str| part.attribute(name) == Some("1");
        let visibility = if is_set("outside") {
            Visibility::NotPresent
        } else if is_set("occluded") {
            Visibility::NotVisible
        } else {
            Visibility::Visible
        };
        let index = match names.iter().position(|known| known == name) {
            Some(index) => index,
            None if names.len() == MAX_POINTS => {
                let detail = format!("a skeleton of more than {MAX_POINTS} points");
                return Err(skip(SkipCode::OtherShape, detail));
            }
            None => {
                names.push(name.to_owned());
                names.len() - 1
            }
        };
        if found.len() <= index {
            found.resize(index + 1, None);
        }
        if found[index].replace((point, visibility)).is_some() {
            let detail = format!("a skeleton with two points {name:?}");
            return Err(skip(SkipCode::OtherShape, detail));
        }
        if part.child("attribute").is_some() && !notes.contains(&Note::AttributesLeftOut) {
            notes.push(Note::AttributesLeftOut);
        }
    }
    while found.last().is_some_and(Option::is_none) {
        found.pop();
    }
    if found.is_empty() {
        return Err(skip(SkipCode::NoGeometry, "a skeleton without points"));
    }
    let absent = ([0.0, 0.0], Visibility::NotPresent);
    let points = found.into_iter().map(|point| point.unwrap_or(absent));
    Ok(Shape::Keypoints(points.collect()))
}

/// Runs of pixels, row by row within a box, background first.
pub(super) fn mask(
    element: Element<'_>,
    size: Option<(u32, u32)>,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Shape, NotPlaced> {
    let (image_width, image_height) = size.ok_or_else(|| {
        let detail = "its image has no width and height in whole pixels";
        skip(SkipCode::ImageWithoutSize, detail)
    })?;
    let whole = |name: &str| {
        let number = number(element, name)?;
        // Far beyond any image, and far from overflowing.
        if number.fract() == 0.0 && number.abs() <= 1e9 {
            Ok(number as i64)
        } else {
            let detail = format!("`{name}` is {number}, not a whole number of pixels");
            Err(skip(SkipCode::WrongType, detail))
        }
    };
    let [left, top] = [whole("left")?, whole("top")?];
    let [width, height] = [
        whole("width")?.max(0) as u64,
        whole("height")?.max(0) as u64,
    ];
    let pixels = width.saturating_mul(height);
    let wrong = |detail: String| skip(SkipCode::WrongMask, detail);
    if pixels > MAX_PIXELS {
        return Err(wrong(format!(
            "a mask of {width} x {height} pixels is too large"
        )));
    }
    let runs: Vec<u64> = element
        .attribute("rle")
        .unwrap_or_default()
        .split(',')
        .map(|run| run.trim().parse().ok())
        .collect::<Option<_>>()
        .ok_or_else(|| wrong("`rle` must be whole numbers: \"5,3,12\"".to_owned()))?;
    let total = runs
        .iter()
        .try_fold(0_u64, |sum, run| sum.checked_add(*run));
    if total != Some(pixels) {
        return Err(wrong(format!(
            "the mask's runs come to {} pixels, and its box has {pixels}",
            total.map_or_else(|| "too many".to_owned(), |total| total.to_string())
        )));
    }
    let mut bitmap = Bitmap::new(image_width, image_height).ok_or_else(|| {
        wrong(format!(
            "an image of {image_width} x {image_height} pixels is too large"
        ))
    })?;
    let (mut at, mut outside) = (0, 0_u64);
    for (index, run) in runs.iter().enumerate() {
        if index % 2 == 1 {
            for pixel in at..at + run {
                let x = left + (pixel % width).cast_signed();
                let y = top + (pixel / width).cast_signed();
                match (u32::try_from(x), u32::try_from(y)) {
                    (Ok(x), Ok(y)) if x < image_width && y < image_height => bitmap.set(x, y),
                    _ => outside += 1,
                }
            }
        }
        at += run;
    }
    if outside > 0 {
        if overhang == Overhang::LeaveOut || bitmap.area() == 0 {
            let detail = format!(
                "{outside} pixels of the mask are outside the image ({image_width} x {image_height} px)"
            );
            return Err(skip(SkipCode::OutsideImage, detail));
        }
        notes.push(Note::Clipped);
    }
    if bitmap.area() == 0 {
        return Err(skip(SkipCode::NoArea, "a mask without pixels"));
    }
    let mask = bitmap.mask().map_err(|error| wrong(error.to_string()))?;
    Ok(Shape::Mask(Box::new(mask)))
}
