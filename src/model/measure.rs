//! Measures for the similarity of two geometries.
//!
//! Each kind of geometry has its own measure, scaled like an IoU so that the same thresholds apply to all: 0.5 for moved
//! annotations, 0.9 for moved and relabelled ones.

use super::geometry::Geometry;
use super::overlap::{Overlap, iou};
use super::shapes::Polygon;
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::single::SingleFloatOverlay;

/// The measure by which two geometries are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Intersection over union of areas, pixels, characters or seconds.
    #[default]
    Iou,
    /// The distance between points, or the mean distance of keypoints.
    Distance,
    /// Intersection over union of the pairs of adjacent characters of two texts.
    Text,
}

impl Measure {
    /// The measure for geometries of this kind.
    pub fn of(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Point(_) | Geometry::Keypoints(_) => Self::Distance,
            Geometry::Whole => Self::Text,
            _ => Self::Iou,
        }
    }

    /// How far apart the bounds of similar geometries may be, in fractions of the image.
    pub fn reach(self) -> f32 {
        match self {
            Self::Distance => MAX_DISTANCE as f32,
            Self::Iou | Self::Text => 0.0,
        }
    }

    /// An overlap with the name of the measure: `IoU 0.87`, `distance 0.0040`.
    pub fn describe(self, overlap: Overlap) -> String {
        match self {
            Self::Iou => format!("IoU {overlap}"),
            Self::Text => format!("text {overlap}"),
            // What is farther has no overlap.
            Self::Distance if overlap.millionths() == 0 => {
                format!("distance {} or more", Distance::at(overlap))
            }
            Self::Distance => format!("distance {}", Distance::at(overlap)),
        }
    }

    /// An overlap without the name of the measure.
    pub fn format_value(self, overlap: Overlap) -> String {
        match self {
            Self::Iou | Self::Text => overlap.to_string(),
            Self::Distance => Distance::at(overlap).to_string(),
        }
    }
}

/// The distance at which points have no overlap, in fractions of the image. At half of it, the overlap is 0.5, the limit up
/// to which a point counts as moved.
const MAX_DISTANCE: f64 = 0.04;

fn overlap_at_distance(distance: f64) -> Overlap {
    Overlap::from_fraction(1.0 - distance / MAX_DISTANCE)
}

/// The distance between points, or the mean distance of keypoints, in millionths of the image. An integer, so that it
/// is the same on every machine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Distance(u32);

impl Distance {
    /// `None` for other geometries, and for keypoints that have no common points.
    pub fn of(a: &Geometry, b: &Geometry) -> Option<Self> {
        let distance = match (a, b) {
            (Geometry::Point(a), Geometry::Point(b)) => a.distance(*b),
            (Geometry::Keypoints(a), Geometry::Keypoints(b)) => a.distance(b)?,
            _ => return None,
        };
        let overlap = overlap_at_distance(distance);
        Some(if overlap == Overlap::NONE {
            Self((distance * 1e6).round() as u32)
        } else {
            Self::at(overlap)
        })
    }

    /// The distance for an overlap.
    fn at(overlap: Overlap) -> Self {
        // A millionth of the overlap is 1/25 of a millionth of the distance.
        Self((1_000_000 - overlap.millionths()) / 25)
    }

    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Distance {
    /// Four digits. Rounded up, because 0.0201 must not read as the limit 0.0200.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.div_ceil(100);
        write!(f, "{}.{:04}", digits / 10_000, digits % 10_000)
    }
}

/// The overlap of two geometries; `None` if the kinds differ, or if it cannot be computed from the geometries alone.
pub fn overlap(a: &Geometry, b: &Geometry) -> Option<Overlap> {
    match (a, b) {
        (Geometry::Box(a), Geometry::Box(b)) => {
            let ([t1, l1, b1, r1], [t2, l2, b2, r2]) =
                (a.edges().map(f64::from), b.edges().map(f64::from));
            let common = (b1.min(b2) - t1.max(t2)).max(0.0) * (r1.min(r2) - l1.max(l2)).max(0.0);
            Some(iou(common, (b1 - t1) * (r1 - l1), (b2 - t2) * (r2 - l2)))
        }
        (Geometry::Polygon(a), Geometry::Polygon(b)) => Some(polygons(a, b)),
        (Geometry::Point(a), Geometry::Point(b)) => Some(overlap_at_distance(a.distance(*b))),
        (Geometry::Keypoints(a), Geometry::Keypoints(b)) => {
            Some(a.distance(b).map_or(Overlap::NONE, overlap_at_distance))
        }
        (Geometry::Span(a), Geometry::Span(b)) => Some(intervals(
            [a.start().into(), a.end().into()],
            [b.start().into(), b.end().into()],
        )),
        (Geometry::Segment(a), Geometry::Segment(b)) => Some(intervals(
            [a.begin().into(), a.end().into()],
            [b.begin().into(), b.end().into()],
        )),
        _ => None,
    }
}

fn intervals([start1, end1]: [f64; 2], [start2, end2]: [f64; 2]) -> Overlap {
    let common = (end1.min(end2) - start1.max(start2)).max(0.0);
    iou(common, end1 - start1, end2 - start2)
}

fn polygons(a: &Polygon, b: &Polygon) -> Overlap {
    let ([t1, l1, b1, r1], [t2, l2, b2, r2]) = (a.bounds(), b.bounds());
    if t1 >= b2 || t2 >= b1 || l1 >= r2 || l2 >= r1 {
        return Overlap::NONE;
    }
    let ring = |p: &Polygon| {
        p.points()
            .iter()
            .map(|p| [f64::from(p.col.get()), f64::from(p.row.get())])
            .collect::<Vec<_>>()
    };
    let (a, b) = (vec![ring(a)], vec![ring(b)]);
    // Hand-drawn rings can cross themselves; areas enclosed twice count once.
    let area_of = |rule| {
        a.overlay(&b, rule, FillRule::NonZero)
            .iter()
            .flatten()
            .map(|ring| doubled_area(ring))
            .sum::<f64>()
            .abs()
    };
    let (common, union) = (area_of(OverlayRule::Intersect), area_of(OverlayRule::Union));
    if union > 0.0 {
        Overlap::from_fraction(common / union)
    } else {
        Overlap::NONE
    }
}

/// Twice the signed area of a ring; holes have the opposite sign.
fn doubled_area(ring: &[[f64; 2]]) -> f64 {
    let next = ring.iter().skip(1).chain(ring.first());
    ring.iter()
        .zip(next)
        .map(|([x1, y1], [x2, y2])| x1 * y2 - x2 * y1)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BoundingBox, Point};

    fn square(top: f64, left: f64, side: f64) -> Geometry {
        Geometry::Box(BoundingBox::new(top, left, top + side, left + side).unwrap())
    }

    fn ring(points: &[(f64, f64)]) -> Geometry {
        Geometry::Polygon(
            Polygon::new(
                points
                    .iter()
                    .map(|&(r, c)| Point::new(r, c).unwrap())
                    .collect::<Vec<_>>(),
            )
            .unwrap(),
        )
    }

    #[test]
    fn boxes_are_compared_by_area() {
        assert_eq!(
            overlap(&square(0.0, 0.0, 0.5), &square(0.0, 0.0, 0.5)),
            Some(Overlap::WHOLE)
        );
        assert_eq!(
            overlap(&square(0.0, 0.0, 0.5), &square(0.0, 0.25, 0.5))
                .unwrap()
                .to_string(),
            "0.33"
        );
        assert_eq!(
            overlap(&square(0.0, 0.0, 0.2), &square(0.5, 0.5, 0.2)),
            Some(Overlap::NONE)
        );
        assert_eq!(
            overlap(&square(0.1, 0.1, 0.0), &square(0.1, 0.1, 0.0)),
            Some(Overlap::NONE)
        );
    }

    #[test]
    fn polygons_are_compared_by_their_own_area() {
        let lower = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        let upper = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        assert_eq!(overlap(&lower, &upper), Some(Overlap::NONE));
        assert_eq!(overlap(&lower, &lower), Some(Overlap::WHOLE));
        let square = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]);
        assert_eq!(overlap(&lower, &square).unwrap().to_string(), "0.50");
        assert_eq!(overlap(&square, &lower), overlap(&lower, &square));
    }

    #[test]
    fn a_self_intersecting_ring_has_the_area_of_its_lobes() {
        let bow = ring(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]);
        let square = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]);
        assert_eq!(overlap(&bow, &square).unwrap().to_string(), "0.50");
    }

    fn point(row: f64, col: f64) -> Geometry {
        Geometry::Point(Point::new(row, col).unwrap())
    }

    #[test]
    fn points_are_compared_by_distance() {
        let close = |col| overlap(&point(0.5, 0.5), &point(0.5, col)).unwrap();
        assert_eq!(close(0.5), Overlap::WHOLE);
        // The limit up to which a point counts as moved.
        assert!(close(0.519_999).millionths() >= 500_000);
        assert!(close(0.520_01).millionths() < 500_000);
        assert_eq!(close(0.6), Overlap::NONE);
        assert_eq!(Measure::Distance.describe(close(0.51)), "distance 0.0100");
        let distance = |col| Distance::of(&point(0.5, 0.5), &point(0.5, col)).unwrap();
        for (col, expected) in [(0.51, "0.0100"), (0.5201, "0.0201"), (0.9, "0.4000")] {
            assert_eq!(distance(col).to_string(), expected);
        }
        assert_eq!(Distance::of(&point(0.5, 0.5), &square(0.0, 0.0, 0.5)), None);
        assert_eq!(
            Measure::Iou.describe(Overlap::from_millionths(876_543)),
            "IoU 0.87"
        );
    }

    #[test]
    fn spans_and_segments_are_compared_by_their_intersection() {
        use crate::model::{Segment, Span};
        let span = |start, end| Geometry::Span(Box::new(Span::new(start, end, None).unwrap()));
        let segment = |begin, end| Geometry::Segment(Segment::new(begin, end).unwrap());
        assert_eq!(
            overlap(&span(0, 4), &span(2, 6)).unwrap().to_string(),
            "0.33"
        );
        assert_eq!(overlap(&span(0, 4), &span(4, 6)), Some(Overlap::NONE));
        assert_eq!(overlap(&span(3, 3), &span(3, 3)), Some(Overlap::NONE));
        assert_eq!(
            overlap(&segment(0.0, 2.0), &segment(1.0, 2.0))
                .unwrap()
                .to_string(),
            "0.50"
        );
    }

    #[test]
    fn different_kinds_are_not_compared() {
        assert_eq!(overlap(&Geometry::Whole, &Geometry::Whole), None);
        assert_eq!(
            overlap(
                &square(0.0, 0.0, 0.5),
                &ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
            ),
            None
        );
    }
}
