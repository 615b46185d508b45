//! How closely two geometries of one kind lie together.

use super::geometry::{Geometry, Polygon};
use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::single::SingleFloatOverlay;

/// Intersection over union, in millionths: 0 = apart, 1,000,000 = the same area. Whole numbers, so that sums of it
/// are the same on every machine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Overlap(u32);

impl Overlap {
    /// The same area.
    pub const WHOLE: Self = Self(1_000_000);
    /// No common area.
    pub const NONE: Self = Self(0);

    /// That many millionths.
    pub const fn from_millionths(millionths: u32) -> Self {
        Self(millionths)
    }

    /// Rounds an IoU (0..=1) to millionths.
    pub fn from_fraction(iou: f64) -> Self {
        Self((iou.clamp(0.0, 1.0) * 1e6).round() as u32)
    }

    /// The number of millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Overlap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Cut, not rounded: 0.996 must not read as 1.00, and 0.499 not as the 0.50 that it fell short of.
        write!(
            f,
            "{}.{:02}",
            self.0 / 1_000_000,
            self.0 % 1_000_000 / 10_000
        )
    }
}

/// The IoU of two geometries, by their own area; nothing where the kinds differ or have no area to compare.
pub fn overlap(a: &Geometry, b: &Geometry) -> Option<Overlap> {
    match (a, b) {
        (Geometry::Box(a), Geometry::Box(b)) => {
            let ([t1, l1, b1, r1], [t2, l2, b2, r2]) =
                (a.edges().map(f64::from), b.edges().map(f64::from));
            let common = (b1.min(b2) - t1.max(t2)).max(0.0) * (r1.min(r2) - l1.max(l2)).max(0.0);
            Some(ratio(common, (b1 - t1) * (r1 - l1), (b2 - t2) * (r2 - l2)))
        }
        (Geometry::Polygon(a), Geometry::Polygon(b)) => Some(polygons(a, b)),
        _ => None,
    }
}

fn ratio(common: f64, a: f64, b: f64) -> Overlap {
    let union = a + b - common;
    // Two boxes without area have no IoU; calling it 0 keeps them out of the stages that go by it.
    if union > 0.0 {
        Overlap::from_fraction(common / union)
    } else {
        Overlap::NONE
    }
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
    // Hand-drawn rings cross themselves; what is wound round twice still counts once.
    let area_of = |rule| {
        a.overlay(&b, rule, FillRule::NonZero)
            .iter()
            .flatten()
            .map(|ring| signed_area(ring))
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

/// Twice the area does as well as the area: only ratios are taken. Holes run the other way round and subtract.
fn signed_area(ring: &[[f64; 2]]) -> f64 {
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
    fn boxes_overlap_by_their_area() {
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
    fn polygons_overlap_by_their_own_area_not_by_their_boxes() {
        let lower = ring(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        let upper = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        assert_eq!(overlap(&lower, &upper), Some(Overlap::NONE));
        assert_eq!(overlap(&lower, &lower), Some(Overlap::WHOLE));
        let square = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]);
        assert_eq!(overlap(&lower, &square).unwrap().to_string(), "0.50");
        assert_eq!(overlap(&square, &lower), overlap(&lower, &square));
    }

    #[test]
    fn a_ring_that_crosses_itself_has_the_area_of_its_lobes() {
        let bow = ring(&[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)]);
        let square = ring(&[(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]);
        assert_eq!(overlap(&bow, &square).unwrap().to_string(), "0.50");
    }

    #[test]
    fn kinds_are_not_compared() {
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
