//! Converts shapes from pixels, or fractions, to geometries in fractions of the image.
//!
//! A ring that extends outside the image is clipped edge by edge (Sutherland and Hodgman): moving its outer points to
//! the edge would change the part inside. Where a ring leaves the image and returns, the clipped ring follows the edge
//! in between, so it remains one ring with the right area.

use super::account::{Note, SkipCode};
use super::options::{EDGE_TOLERANCE, ImportOptions, MultiRing, Overhang};
use crate::model::{
    BoundingBox, Geometry, Keypoint, Keypoints, Mask, Point, Polygon, Visibility, encloses_area,
};
use smallvec::SmallVec;

/// What coordinates are measured in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// In pixels of an image of this width and height.
    Pixels(u32, u32),
    /// In fractions of the image.
    Fractions,
}

impl Extent {
    fn size(self) -> Xy {
        match self {
            Self::Pixels(width, height) => [width.into(), height.into()],
            Self::Fractions => [1.0, 1.0],
        }
    }
}

/// A place in the terms of a file.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Whole,
    /// Two opposite corners; the first is the top left one.
    Box([Xy; 2]),
    /// The rings of one object, none of them empty. The corners are its box, for an object whose only ring has fewer
    /// than three points.
    Rings(Vec<Vec<Xy>>, Option<[Xy; 2]>),
    Point(Xy),
    Keypoints(Vec<(Xy, Visibility)>),
    Mask(Box<Mask>),
    /// A geometry that needs no conversion, such as a span.
    Done(Geometry),
}

/// Why something is left out, and the invalid numbers or names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NotPlaced {
    pub(super) code: SkipCode,
    pub(super) detail: String,
}

pub(super) fn skip(code: SkipCode, detail: impl Into<String>) -> NotPlaced {
    NotPlaced {
        code,
        detail: detail.into(),
    }
}

/// x from the left, y from the top, in pixels or in fractions.
pub(super) type Xy = [f64; 2];

/// Converts a shape to geometries: several rings can become several, and all others become one.
pub(super) fn place(
    shape: Shape,
    extent: Extent,
    options: &ImportOptions,
    geometries: &mut SmallVec<[Geometry; 1]>,
    notes: &mut Vec<Note>,
) -> Result<(), NotPlaced> {
    let overhang = options.overhang;
    geometries.push(match shape {
        Shape::Whole => Geometry::Whole,
        Shape::Box(corners) => box_between(corners, extent, overhang, notes)?,
        Shape::Rings(rings, corners) => {
            geometries.extend(shapes_of_rings(&rings, corners, extent, options, notes)?);
            return Ok(());
        }
        Shape::Point(point) => {
            let [x, y] = inside(point, extent, overhang, notes)?;
            let point = Point::new(y, x).map_err(|_| outside(&[[x, y]], extent))?;
            Geometry::Point(point)
        }
        Shape::Keypoints(points) => {
            Geometry::Keypoints(keypoints(&points, extent, overhang, notes)?)
        }
        Shape::Mask(mask) => Geometry::Mask(mask),
        Shape::Done(geometry) => geometry,
    });
    Ok(())
}

/// A point in fractions within the image.
fn inside(
    point: Xy,
    extent: Extent,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Xy, NotPlaced> {
    let point = fraction(point, extent);
    match fit(&[point]) {
        Fit::Inside => Ok(point),
        Fit::Outside if overhang == Overhang::LeaveOut => Err(outside(&[point], extent)),
        fit => {
            if !notes.contains(&fit.note()) {
                notes.push(fit.note());
            }
            Ok(point.map(|c| c.clamp(0.0, 1.0)))
        }
    }
}

fn shapes_of_rings(
    rings: &[Vec<Xy>],
    corners: Option<[Xy; 2]>,
    size: Extent,
    options: &ImportOptions,
    notes: &mut Vec<Note>,
) -> Result<Vec<Geometry>, NotPlaced> {
    let overhang = options.overhang;
    match rings {
        [one] if one.len() >= 3 => return Ok(vec![polygon(one, size, overhang, notes)?]),
        [_] => {
            let corners = corners.ok_or_else(|| {
                skip(
                    SkipCode::NoGeometry,
                    "neither a ring of three points nor a box",
                )
            })?;
            notes.push(Note::ShortRingAsBox);
            return Ok(vec![box_between(corners, size, overhang, notes)?]);
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

fn keypoints(
    points: &[(Xy, Visibility)],
    extent: Extent,
    overhang: Overhang,
    notes: &mut Vec<Note>,
) -> Result<Keypoints, NotPlaced> {
    let mut converted = Vec::with_capacity(points.len());
    for &(point, visibility) in points {
        let [x, y] = if visibility == Visibility::NotPresent
            && fit(&[fraction(point, extent)]) != Fit::Inside
        {
            // An absent point has no position.
            [0.0, 0.0]
        } else {
            inside(point, extent, overhang, notes)?
        };
        converted.push(Keypoint {
            point: Point::new(y, x).map_err(|_| outside(&[[x, y]], extent))?,
            visibility,
        });
    }
    Keypoints::new(converted).map_err(|_| skip(SkipCode::NoGeometry, "no keypoint is labelled"))
}

fn box_between(
    corners: [Xy; 2],
    size: Extent,
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
        let detail = "a box whose area is 0 in 32-bit numbers";
        return Err(skip(SkipCode::NoArea, detail));
    }
    Ok(Geometry::Box(edges))
}

fn polygon(
    ring: &[Xy],
    size: Extent,
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
            let detail = "a ring whose area is 0 in 32-bit numbers";
            let has_area = polygon.has_area();
            has_area
                .then_some(Geometry::Polygon(polygon))
                .ok_or_else(|| skip(SkipCode::NoArea, detail))
        })
}

fn fraction([x, y]: Xy, extent: Extent) -> Xy {
    let [width, height] = extent.size();
    [x / width, y / height]
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
fn outside(points: &[Xy], size: Extent) -> NotPlaced {
    let [left, top, right, bottom] = bounds(points);
    let [width, height] = size.size();
    let sides = [
        ("left", -left * width),
        ("top", -top * height),
        ("right", (right - 1.0) * width),
        ("bottom", (bottom - 1.0) * height),
    ];
    let sides = sides.iter().filter(|(_, distance)| *distance > 0.0);
    let detail = match size {
        Extent::Pixels(width, height) => {
            let sides: Vec<String> = sides
                .map(|(side, distance)| format!("{distance:.2} px {side}"))
                .collect();
            let sides = sides.join(", ");
            format!("out of the image of {width} x {height} px by {sides}")
        }
        Extent::Fractions => {
            let sides: Vec<String> = sides
                .map(|(side, distance)| format!("{:.2} % {side}", distance * 100.0))
                .collect();
            format!("out of the image by {}", sides.join(", "))
        }
    };
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
