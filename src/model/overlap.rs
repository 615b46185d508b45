//! How closely two annotations of one kind lie together.
//!
//! Each kind has its own measure. All of them are brought onto the scale of an IoU, so that one threshold serves all:
//! half for what moved, nine tenths for what moved and changed its class.

use super::geometry::Geometry;
use super::shapes::Polygon;
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

/// What a closeness was measured by.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Intersection over union: of areas, of pixels, of characters, of seconds.
    #[default]
    Iou,
    /// The distance of points; of keypoints, its mean.
    Distance,
    /// The pairs of neighbouring characters that two texts have in common.
    Text,
}

impl Measure {
    /// What this geometry is measured by.
    pub fn of(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Point(_) | Geometry::Keypoints(_) => Self::Distance,
            Geometry::Whole => Self::Text,
            _ => Self::Iou,
        }
    }

    /// How far apart two bounds may lie that have anything in common, in fractions of the image.
    pub fn reach(self) -> f32 {
        match self {
            Self::Distance => APART as f32,
            Self::Iou | Self::Text => 0.0,
        }
    }

    /// A closeness in the measure's own words: `IoU 0.87`, `distance 0.0040`.
    pub fn words(self, closeness: Overlap) -> String {
        match self {
            Self::Iou => format!("IoU {closeness}"),
            Self::Text => format!("text {closeness}"),
            Self::Distance => format!("distance {}", distance_of(closeness)),
        }
    }

    /// A closeness beside another one in the same measure.
    pub fn number(self, closeness: Overlap) -> String {
        match self {
            Self::Iou | Self::Text => closeness.to_string(),
            Self::Distance => distance_of(closeness),
        }
    }
}

/// Points this far apart, in fractions of the image, have nothing in common. Half of it is the distance up to which a
/// point counts as moved.
const APART: f64 = 0.04;

fn of_distance(distance: f64) -> Overlap {
    Overlap::from_fraction(1.0 - distance / APART)
}

/// The distance that a closeness stands for: four digits, rounded up, so that 0.0201 does not read as the 0.0200 that
/// is close enough.
fn distance_of(closeness: Overlap) -> String {
    // Millionths of the closeness are 25ths of a millionth of the distance.
    let millionths = (1_000_000 - closeness.millionths()) / 25;
    let digits = millionths.div_ceil(100);
    format!("{}.{:04}", digits / 10_000, digits % 10_000)
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
        (Geometry::Point(a), Geometry::Point(b)) => Some(of_distance(a.distance(*b))),
        (Geometry::Keypoints(a), Geometry::Keypoints(b)) => {
            Some(a.distance(b).map_or(Overlap::NONE, of_distance))
        }
        (Geometry::Span(a), Geometry::Span(b)) => Some(stretches(
            [a.start().into(), a.end().into()],
            [b.start().into(), b.end().into()],
        )),
        (Geometry::Segment(a), Geometry::Segment(b)) => Some(stretches(
            [a.begin().into(), a.end().into()],
            [b.begin().into(), b.end().into()],
        )),
        _ => None,
    }
}

/// How alike two texts are: the IoU of their pairs of neighbouring characters, counted with repetitions.
pub fn text_overlap(one: &str, other: &str) -> Overlap {
    if one == other {
        return Overlap::WHOLE;
    }
    TextPairs::of(one).overlap(&TextPairs::of(other))
}

/// A text's pairs of neighbouring characters, sorted, with how often each occurs: what two texts are compared by.
#[derive(Debug)]
pub struct TextPairs {
    /// Both characters as one number.
    pairs: Vec<u64>,
    counts: Vec<u32>,
    all: u32,
}

impl TextPairs {
    /// Counts the pairs of a text.
    pub fn of(text: &str) -> Self {
        let number = |c: char| u64::from(u32::from(c));
        let mut sorted: Vec<u64> = (text.chars().zip(text.chars().skip(1)))
            .map(|(one, next)| number(one) << 32 | number(next))
            .collect();
        sorted.sort_unstable();
        let equal = sorted.chunk_by(|a, b| a == b);
        let (pairs, counts) = equal.map(|equal| (equal[0], equal.len() as u32)).unzip();
        Self {
            pairs,
            counts,
            all: sorted.len() as u32,
        }
    }

    /// How many distinct ones there are.
    pub fn distinct(&self) -> usize {
        self.pairs.len()
    }

    /// The IoU of two texts' pairs. It reads each distinct pair once, however long the texts are.
    pub fn overlap(&self, other: &Self) -> Overlap {
        let (mut ours, mut theirs, mut common) = (0, 0, 0);
        while let (Some(one), Some(another)) = (self.pairs.get(ours), other.pairs.get(theirs)) {
            // Without branches, because no processor guesses which of two texts has the next pair.
            let count = self.counts[ours].min(other.counts[theirs]);
            common += if one == another { count } else { 0 };
            ours += usize::from(one <= another);
            theirs += usize::from(another <= one);
        }
        ratio(f64::from(common), f64::from(self.all), f64::from(other.all))
    }
}

fn stretches([start1, end1]: [f64; 2], [start2, end2]: [f64; 2]) -> Overlap {
    let common = (end1.min(end2) - start1.max(start2)).max(0.0);
    ratio(common, end1 - start1, end2 - start2)
}

pub(super) fn ratio(common: f64, a: f64, b: f64) -> Overlap {
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

    fn point(row: f64, col: f64) -> Geometry {
        Geometry::Point(Point::new(row, col).unwrap())
    }

    #[test]
    fn points_are_close_by_their_distance() {
        let close = |col| overlap(&point(0.5, 0.5), &point(0.5, col)).unwrap();
        assert_eq!(close(0.5), Overlap::WHOLE);
        // The distance up to which a point counts as moved.
        assert!(close(0.519_999).millionths() >= 500_000);
        assert!(close(0.520_01).millionths() < 500_000);
        assert_eq!(close(0.6), Overlap::NONE);
        assert_eq!(Measure::Distance.words(close(0.51)), "distance 0.0100");
        assert_eq!(
            Measure::Iou.words(Overlap::from_millionths(876_543)),
            "IoU 0.87"
        );
    }

    #[test]
    fn spans_and_segments_are_close_by_what_they_share() {
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
    fn texts_are_close_by_their_neighbouring_characters() {
        assert_eq!(text_overlap("a red car", "a red car"), Overlap::WHOLE);
        assert_eq!(text_overlap("abc", "abd").to_string(), "0.33");
        assert_eq!(text_overlap("red", "blue"), Overlap::NONE);
        assert_eq!(text_overlap("a", "b"), Overlap::NONE);
        assert_eq!(text_overlap("", ""), Overlap::WHOLE);
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
