//! Converts shapes from pixels to fractions of the image.
//!
//! A ring that extends outside the image is clipped edge by edge (Sutherland and Hodgman): moving its outer points to
//! the edge would change the part inside. Where a ring leaves the image and returns, the clipped ring follows the edge
//! in between, so it remains one ring with the right area.

use super::options::{CocoOptions, EDGE_TOLERANCE, MultiRing, Overhang};
use super::raw::Annotation;
use super::rle;
use super::values::{Numbers, Scalar, Segmentation};
use crate::formats::account::{Note, SkipCode};
use crate::model::{
    BoundingBox, Geometry, Keypoint, Keypoints, Point, Polygon, Visibility, encloses_area,
};

/// The size of an image in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    width: u32,
    height: u32,
}

impl Size {
    pub(super) fn new(width: &Scalar, height: &Scalar) -> Option<Self> {
        let whole = |scalar: &Scalar| {
            scalar
                .number()
                .filter(|n| n.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(n))
                .map(|n| n as u32)
        };
        Some(Self {
            width: whole(width)?,
            height: whole(height)?,
        })
    }

    pub(super) fn pixels(self) -> (u32, u32) {
        (self.width, self.height)
    }
}

pub(super) struct Placed {
    /// At least one.
    pub(super) shapes: Vec<Geometry>,
    pub(super) notes: Vec<Note>,
}

pub(super) struct NotPlaced {
    pub(super) code: SkipCode,
    pub(super) detail: String,
}

fn skip(code: SkipCode, detail: impl Into<String>) -> NotPlaced {
    NotPlaced {
        code,
        detail: detail.into(),
    }
}

/// x from the left, y from the top, in pixels or in fractions.
type Xy = [f64; 2];

/// Converts the shapes of an annotation: its rings, its mask or its box, and its keypoints.
pub(super) fn place(
    annotation: &Annotation,
    size: Size,
    options: &CocoOptions,
) -> Result<Placed, NotPlaced> {
    let mut notes = Vec::new();
    let overhang = options.overhang;
    let keypoints = keypoints(&annotation.keypoints, size, overhang, &mut notes)?;
    let mut shapes = match &annotation.segmentation {
        Segmentation::Wrong(found) => {
            return Err(skip(
                SkipCode::WrongType,
                format!("segmentation is {found}"),
            ));
        }
        Segmentation::Missing => Vec::new(),
        Segmentation::Mask(mask) => match rle::mask(mask, size.pixels()) {
            Ok(Some(mask)) => vec![Geometry::Mask(Box::new(mask))],
            Ok(None) => return Err(skip(SkipCode::NoArea, "a mask without pixels")),
            Err(detail) => return Err(skip(SkipCode::WrongMask, detail)),
        },
        Segmentation::Rings(rings) => {
            let rings = points(rings)?;
            shapes_of_rings(&rings, annotation, size, options, &mut notes)?
        }
    };
    let has_box = !matches!(&annotation.bbox, Numbers::Missing)
        && !matches!(&annotation.bbox, Numbers::List(list) if list.is_empty());
    if shapes.is_empty() && (has_box || keypoints.is_none()) {
        shapes.push(bbox(annotation, size, overhang, &mut notes)?);
    }
    if let Some(keypoints) = keypoints {
        if !shapes.is_empty() {
            notes.push(Note::SplitKeypoints);
        }
        shapes.push(Geometry::Keypoints(keypoints));
    }
    Ok(Placed { shapes, notes })
}

/// Converts rings; the result is empty if there are none.
fn shapes_of_rings(
    rings: &[Vec<Xy>],
    annotation: &Annotation,
    size: Size,
    options: &CocoOptions,
    notes: &mut Vec<Note>,
) -> Result<Vec<Geometry>, NotPlaced> {
    let overhang = options.overhang;
    match rings {
        [] => return Ok(Vec::new()),
        [one] if one.len() >= 3 => return Ok(vec![polygon(one, size, overhang, notes)?]),
        [_] => {
            notes.push(Note::ShortRingAsBox);
            return Ok(vec![bbox(annotation, size, overhang, notes)?]);
        }
        _ => {}
    }
    let mut whole: Vec<&Vec<Xy>> = rings.iter().filter(|ring| encloses_area(ring)).collect();
    if whole.is_empty() {
        return Err(skip(SkipCode::NoArea, "no ring has an area"));
    }
    if whole.len() < rings.len() {
        notes.push(Note::EmptyRingLeftOut);
    }
    if let [one] = whole[..] {
        return Ok(vec![polygon(one, size, overhang, notes)?]);
    }
    match options.multi_ring {
        MultiRing::Box => {
            notes.push(Note::MultiRingAsBox);
            let [left, top, right, bottom] = bounds(whole.into_iter().flatten());
            let corners = [[left, top], [right, bottom]];
            return Ok(vec![box_between(corners, size, overhang, notes)?]);
        }
        MultiRing::Largest => {
            notes.push(Note::SmallerRingsLeftOut);
            let area = |ring: &Vec<Xy>| doubled_area(ring).abs();
            // The first, if areas are equal.
            let largest = whole
                .iter()
                .copied()
                .reduce(|best, ring| if area(ring) > area(best) { ring } else { best });
            whole = largest.into_iter().collect();
        }
        MultiRing::Split => notes.push(Note::SplitRings),
    }
    let shapes: Vec<Geometry> = whole
        .into_iter()
        .map(|ring| polygon(ring, size, overhang, notes))
        .collect::<Result<_, _>>()?;
    notes.dedup();
    Ok(shapes)
}

fn doubled_area(ring: &[Xy]) -> f64 {
    let next = ring.iter().skip(1).chain(ring.first());
    ring.iter()
        .zip(next)
        .map(|([x1, y1], [x2, y2])| x1 * y2 - x2 * y1)
        .sum()
}

/// The keypoints; `None` if there are none, or if all are unlabelled.
fn keypoints(
    numbers: &Numbers,
    size: Size,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Option<Keypoints>, NotPlaced> {
    let numbers = match numbers {
        Numbers::Missing => return Ok(None),
        Numbers::Wrong(found) => {
            return Err(skip(SkipCode::WrongType, format!("keypoints {found}")));
        }
        Numbers::List(numbers) => numbers,
    };
    if !numbers.len().is_multiple_of(3) {
        let detail = format!("keypoints of {} numbers: x, y, v", numbers.len());
        return Err(skip(SkipCode::WrongType, detail));
    }
    if numbers.chunks(3).all(|point| point[2] == 0.0) {
        return Ok(None);
    }
    let mut points = Vec::with_capacity(numbers.len() / 3);
    for point in numbers.chunks(3) {
        let visibility = match point[2] {
            0.0 => Visibility::NotPresent,
            1.0 => Visibility::NotVisible,
            2.0 => Visibility::Visible,
            other => {
                let detail = format!("a keypoint with v {other}, which must be 0, 1 or 2");
                return Err(skip(SkipCode::WrongType, detail));
            }
        };
        let inside = [fraction([point[0], point[1]], size)];
        let [[x, y]] = match fit(&inside) {
            Fit::Inside => inside,
            // An absent point has no position.
            _ if visibility == Visibility::NotPresent => [[0.0, 0.0]],
            Fit::Outside if overhang == Overhang::LeaveOut => return Err(outside(&inside, size)),
            fit => {
                if !notes.contains(&fit.note()) {
                    notes.push(fit.note());
                }
                inside.map(|point| point.map(|c| c.clamp(0.0, 1.0)))
            }
        };
        points.push(Keypoint {
            point: Point::new(y, x).map_err(|_| outside(&inside, size))?,
            visibility,
        });
    }
    Ok(Keypoints::new(points).ok())
}

/// The rings that are not empty.
fn points(rings: &[Numbers]) -> Result<Vec<Vec<Xy>>, NotPlaced> {
    let mut all = Vec::with_capacity(rings.len());
    for ring in rings {
        match ring {
            Numbers::List(numbers) if numbers.len() % 2 == 1 => {
                let detail = format!("a ring of {} numbers: x and y are pairs", numbers.len());
                return Err(skip(SkipCode::WrongType, detail));
            }
            Numbers::List(numbers) if numbers.is_empty() => {}
            Numbers::List(numbers) => {
                all.push(numbers.chunks(2).map(|pair| [pair[0], pair[1]]).collect());
            }
            Numbers::Wrong(found) => {
                let detail = format!("a ring of the segmentation {found}");
                return Err(skip(SkipCode::WrongType, detail));
            }
            Numbers::Missing => {
                let detail = "a ring of the segmentation is null";
                return Err(skip(SkipCode::WrongType, detail));
            }
        }
    }
    Ok(all)
}

fn bbox(
    annotation: &Annotation,
    size: Size,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Geometry, NotPlaced> {
    match &annotation.bbox {
        Numbers::Missing => Err(skip(
            SkipCode::NoGeometry,
            "neither a ring of three points nor a bbox",
        )),
        Numbers::Wrong(found) => Err(skip(SkipCode::WrongType, format!("bbox {found}"))),
        Numbers::List(numbers) => match numbers[..] {
            [] => Err(skip(
                SkipCode::NoGeometry,
                "neither a ring of three points nor a bbox",
            )),
            [x, y, width, height] => {
                if width <= 0.0 || height <= 0.0 {
                    let detail = format!("width {width}, height {height}");
                    return Err(skip(SkipCode::NoArea, detail));
                }
                box_between([[x, y], [x + width, y + height]], size, overhang, notes)
            }
            _ => Err(skip(
                SkipCode::WrongType,
                format!("bbox has {} numbers, not 4", numbers.len()),
            )),
        },
    }
}

fn box_between(
    corners: [Xy; 2],
    size: Size,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Geometry, NotPlaced> {
    if (0..2).any(|axis| corners[0][axis] >= corners[1][axis]) {
        return Err(skip(SkipCode::NoArea, "all points on one line"));
    }
    let corners = corners.map(|corner| fraction(corner, size));
    let [[left, top], [right, bottom]] = match fit(&corners) {
        Fit::Inside => corners,
        Fit::Outside if overhang == Overhang::LeaveOut => return Err(outside(&corners, size)),
        fit => {
            notes.push(fit.note());
            corners.map(|corner| corner.map(|c| c.clamp(0.0, 1.0)))
        }
    };
    // This also catches numbers that overflow.
    if !(left < right && top < bottom) {
        return Err(outside(&corners, size));
    }
    let edges = BoundingBox::new(top, left, bottom, right).map_err(|_| outside(&corners, size))?;
    if !edges.has_area() {
        let detail = "a box without area as 32-bit numbers";
        return Err(skip(SkipCode::NoArea, detail));
    }
    Ok(Geometry::Box(edges))
}

fn polygon(
    ring: &[Xy],
    size: Size,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Geometry, NotPlaced> {
    if !encloses_area(ring) {
        let detail = format!("a ring of {} points without area", ring.len());
        return Err(skip(SkipCode::NoArea, detail));
    }
    let inside: Vec<Xy> = ring.iter().map(|&point| fraction(point, size)).collect();
    let ring = match fit(&inside) {
        Fit::Inside => inside.clone(),
        Fit::Outside if overhang == Overhang::LeaveOut => return Err(outside(&inside, size)),
        fit => {
            notes.push(fit.note());
            let ring = match fit {
                Fit::Outside => clip(inside.clone()),
                _ => inside.clone(),
            };
            let ring: Vec<Xy> = ring
                .into_iter()
                .map(|point| point.map(|c| c.clamp(0.0, 1.0)))
                .collect();
            if !encloses_area(&ring) {
                return Err(outside(&inside, size));
            }
            ring
        }
    };
    ring.iter()
        .map(|&[x, y]| Point::new(y, x))
        .collect::<Result<Vec<_>, _>>()
        .and_then(Polygon::new)
        .map_err(|_| outside(&inside, size))
        .and_then(|polygon| {
            let detail = "a ring without area as 32-bit numbers";
            let has_area = polygon.has_area();
            has_area
                .then_some(Geometry::Polygon(polygon))
                .ok_or_else(|| skip(SkipCode::NoArea, detail))
        })
}

fn fraction([x, y]: Xy, size: Size) -> Xy {
    [x / f64::from(size.width), y / f64::from(size.height)]
}

#[derive(Clone, Copy, PartialEq)]
enum Fit {
    Inside,
    /// Outside by a rounding error.
    Edge,
    Outside,
}

impl Fit {
    fn note(self) -> Note {
        match self {
            Self::Outside => Note::Clipped,
            Self::Inside | Self::Edge => Note::SetToEdge,
        }
    }
}

/// How far a coordinate is outside 0..1.
fn excess(coordinate: f64) -> f64 {
    (coordinate - 1.0).max(-coordinate).max(0.0)
}

fn fit(points: &[Xy]) -> Fit {
    let worst = points
        .iter()
        .flatten()
        .copied()
        .map(excess)
        .fold(0.0, f64::max);
    if worst == 0.0 {
        Fit::Inside
    } else if worst <= EDGE_TOLERANCE {
        Fit::Edge
    } else {
        Fit::Outside
    }
}

/// The error for points outside the image, with the sides that they cross.
fn outside(points: &[Xy], size: Size) -> NotPlaced {
    let [left, top, right, bottom] = bounds(points);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let sides = [
        ("left", -left * width),
        ("top", -top * height),
        ("right", (right - 1.0) * width),
        ("bottom", (bottom - 1.0) * height),
    ];
    let sides: Vec<String> = sides
        .iter()
        .filter(|(_, pixels)| *pixels > 0.0)
        .map(|(side, pixels)| format!("{pixels:.2} px {side}"))
        .collect();
    let detail = format!(
        "out of the image of {} x {} px by {}",
        size.width,
        size.height,
        sides.join(", ")
    );
    skip(SkipCode::OutsideImage, detail)
}

/// The minimum x, minimum y, maximum x and maximum y.
fn bounds<'a>(points: impl IntoIterator<Item = &'a Xy>) -> [f64; 4] {
    let start = [
        f64::INFINITY,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    ];
    points
        .into_iter()
        .fold(start, |[left, top, right, bottom], &[x, y]| {
            [left.min(x), top.min(y), right.max(x), bottom.max(y)]
        })
}

/// The part of a ring within 0..1, as one ring; empty if there is none.
fn clip(mut ring: Vec<Xy>) -> Vec<Xy> {
    for (axis, limit, side) in [(0, 0.0, 1.0), (0, 1.0, -1.0), (1, 0.0, 1.0), (1, 1.0, -1.0)] {
        // Not negative on the inner side of this edge.
        let depth = |point: Xy| side * (point[axis] - limit);
        let mut clipped: Vec<Xy> = Vec::with_capacity(ring.len() + 4);
        let mut push = |point: Xy| {
            if clipped.last() != Some(&point) {
                clipped.push(point);
            }
        };
        let previous = ring.iter().cycle().skip(ring.len().saturating_sub(1));
        for (&from, &to) in previous.zip(&ring) {
            let (before, after) = (depth(from), depth(to));
            if (before >= 0.0) != (after >= 0.0) {
                let share = before / (before - after);
                let mut crossing = [
                    from[0] + share * (to[0] - from[0]),
                    from[1] + share * (to[1] - from[1]),
                ];
                crossing[axis] = limit;
                push(crossing);
            }
            if after >= 0.0 {
                push(to);
            }
        }
        if clipped.len() > 1 && clipped.first() == clipped.last() {
            clipped.pop();
        }
        ring = clipped;
    }
    ring
}
