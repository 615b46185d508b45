//! Single boxes and polygons: their size, proportions and edges.

use super::crossing::crossing_edges;
use super::finding::{Checked, Fix};
use crate::manifest::Spot;
use crate::model::{Geometry, Polygon, Rule};

/// Shorter sides are tiny, in pixels.
const TINY_PIXELS: f64 = 3.0;
/// The same in fractions of an image of unknown size.
const TINY_FRACTION: f64 = 0.002;
/// A shape that covers a greater share of the image is huge.
const HUGE: f64 = 0.99;
const EXTREME_ASPECT: f64 = 25.0;

pub(super) fn check(checked: &mut Checked<'_>) {
    let input = checked.input;
    for (at, annotation) in input.annotations.iter().enumerate() {
        match &annotation.content.geometry {
            Some(Geometry::Box(edges)) => check_size(checked, at, "box", edges.edges()),
            Some(Geometry::Polygon(polygon)) => {
                check_size(checked, at, "polygon", polygon.bounds());
                check_ring(checked, at, polygon);
            }
            _ => {}
        }
    }
}

fn check_size(checked: &mut Checked<'_>, at: usize, key: &'static str, bounds: [f32; 4]) {
    let [top, left, bottom, right] = bounds.map(f64::from);
    let (wide, high) = (right - left, bottom - top);
    let spot = Spot::Field(checked.origin(at), key);
    let (width, height, unit, least) = match checked.size {
        Some([w, h]) => (
            wide * f64::from(w),
            high * f64::from(h),
            " pixels",
            TINY_PIXELS,
        ),
        None => (
            wide * 100.0,
            high * 100.0,
            "% of the image",
            TINY_FRACTION * 100.0,
        ),
    };
    // Coordinates are 32-bit: 3 pixels may come out as 2.9999.
    if width.min(height) < least * 0.999 {
        let message = format!("a tiny {key}: {width:.2} x {height:.2}{unit} (width x height)");
        let hint = "remove it if it was drawn by accident, else enlarge it to the object";
        checked.report_on(Rule::Tiny, &[at], spot.clone(), message, hint);
    }
    if wide * high >= HUGE {
        let message = format!(
            "a {key} that covers {:.0}% of the image",
            wide * high * 100.0
        );
        let hint = "if the concept applies to the whole image, declare it without a place";
        checked.report_on(Rule::Huge, &[at], spot.clone(), message, hint);
    }
    let aspect = width.max(height) / width.min(height);
    if aspect > EXTREME_ASPECT {
        let (how, of) = if width > height {
            ("wide", "high")
        } else {
            ("high", "wide")
        };
        let in_what = match checked.size {
            Some(_) => "",
            None => ", in fractions of the image",
        };
        let message = format!("a {key} {aspect:.0} times as {how} as {of}{in_what}");
        let hint = "check that no edge was moved by accident";
        checked.report_on(Rule::ExtremeAspect, &[at], spot, message, hint);
    }
}

fn check_ring(checked: &mut Checked<'_>, at: usize, polygon: &Polygon) {
    let spot = Spot::Field(checked.origin(at), "polygon");
    let trimmed = trimmed(polygon);
    if trimmed.is_some() {
        let message = "a polygon whose last point repeats the first".to_owned();
        let hint = "remove the last point, it joins the first anyway; --fix does";
        let finding = checked.report_on(Rule::RepeatedVertex, &[at], spot.clone(), message, hint);
        finding.fix = Some(Fix::Trim(at));
    }
    let points = trimmed.as_ref().unwrap_or(polygon).points();
    let ring: Vec<[f64; 2]> = points
        .iter()
        .map(|point| [f64::from(point.col.get()), f64::from(point.row.get())])
        .collect();
    if let Some((one, other)) = crossing_edges(&ring) {
        let message = format!(
            "a polygon whose edges cross: those after points {} and {}",
            one + 1,
            other + 1
        );
        let hint = "put its points in the order of the outline; an object of several parts is several polygons";
        checked.report_on(Rule::SelfIntersecting, &[at], spot, message, hint);
    }
}

/// The polygon without the points at its end that repeat the first; `None` if there are none.
pub(super) fn trimmed(polygon: &Polygon) -> Option<Polygon> {
    let all = polygon.points();
    let mut points = all;
    while let [first, middle @ .., last] = points
        && first == last
        && middle.len() >= 2
    {
        points = &points[..points.len() - 1];
    }
    if points.len() == all.len() {
        return None;
    }
    Polygon::new(points).ok()
}
