//! Points, boxes and polygons.
//!
//! All coordinates are fractions of the image, 0..=1, with (0, 0) at the top left; 32-bit, as on the wire.

use super::float;
use super::ring::encloses_area;
use serde::de::Error as _;

/// Why numbers are not a valid geometry.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum GeometryError {
    #[error("{0} is not a fraction of the image (0..1)")]
    OutsideImage(f64),
    #[error("{low_name} ({low}) is greater than {high_name} ({high})")]
    OutOfOrder {
        /// The edge that must be the smaller one.
        low_name: &'static str,
        low: f32,
        /// The edge that must be the greater one.
        high_name: &'static str,
        high: f32,
    },
    #[error("a polygon needs at least 3 points, this one has {0}")]
    TooFewPoints(usize),
    #[error("keypoints need at least 1 point")]
    NoKeypoints,
    /// Of a span or a segment.
    #[error("the end ({end}) is before the {start_name} ({start})")]
    EndBeforeStart {
        /// The name of the start's field.
        start_name: &'static str,
        start: f64,
        end: f64,
    },
    #[error("{0} is not a valid time (seconds from the start, not negative)")]
    InvalidTime(f64),
}

/// A fraction of the image: finite and within 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f32);

impl Fraction {
    pub fn new(value: f64) -> Result<Self, GeometryError> {
        // The range check is false for NaN as well.
        if !(0.0..=1.0).contains(&value) {
            return Err(GeometryError::OutsideImage(value));
        }
        // `+ 0.0` turns -0.0 into 0.0. They are equal, but print and hash differently.
        Ok(Self(value as f32 + 0.0))
    }

    pub fn get(self) -> f32 {
        self.0
    }
}

impl serde::Serialize for Fraction {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        float::serialize(self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Fraction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A point, as fractions of the image. Serialized as `[row, col]`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(from = "(Fraction, Fraction)", into = "(Fraction, Fraction)")]
pub struct Point {
    /// From the top.
    pub row: Fraction,
    /// From the left.
    pub col: Fraction,
}

impl Point {
    pub fn new(row: f64, col: f64) -> Result<Self, GeometryError> {
        Ok(Self {
            row: Fraction::new(row)?,
            col: Fraction::new(col)?,
        })
    }

    /// The distance in fractions of the image: 1 is its height, or its width.
    pub fn distance(self, other: Self) -> f64 {
        let [row, col] = [(self.row, other.row), (self.col, other.col)]
            .map(|(a, b)| f64::from(a.get()) - f64::from(b.get()));
        row.hypot(col)
    }

    pub(super) fn same(self, other: Self) -> bool {
        float::same(self.row.get(), other.row.get()) && float::same(self.col.get(), other.col.get())
    }
}

impl From<(Fraction, Fraction)> for Point {
    fn from((row, col): (Fraction, Fraction)) -> Self {
        Self { row, col }
    }
}

impl From<Point> for (Fraction, Fraction) {
    fn from(point: Point) -> Self {
        (point.row, point.col)
    }
}

/// An axis-aligned box; `top <= bottom` and `left <= right`.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "RawBox")]
pub struct BoundingBox {
    top: Fraction,
    left: Fraction,
    bottom: Fraction,
    right: Fraction,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBox {
    top: f64,
    left: f64,
    bottom: f64,
    right: f64,
}

impl TryFrom<RawBox> for BoundingBox {
    type Error = GeometryError;
    fn try_from(raw: RawBox) -> Result<Self, GeometryError> {
        Self::new(raw.top, raw.left, raw.bottom, raw.right)
    }
}

impl BoundingBox {
    /// Boxes without area are allowed, because the service stores such boxes.
    pub fn new(top: f64, left: f64, bottom: f64, right: f64) -> Result<Self, GeometryError> {
        let new = Self {
            top: Fraction::new(top)?,
            left: Fraction::new(left)?,
            bottom: Fraction::new(bottom)?,
            right: Fraction::new(right)?,
        };
        for (low_name, low, high_name, high) in [
            ("top", new.top, "bottom", new.bottom),
            ("left", new.left, "right", new.right),
        ] {
            if low > high {
                return Err(GeometryError::OutOfOrder {
                    low_name,
                    low: low.get(),
                    high_name,
                    high: high.get(),
                });
            }
        }
        Ok(new)
    }

    pub fn top(&self) -> f32 {
        self.top.get()
    }

    pub fn left(&self) -> f32 {
        self.left.get()
    }

    pub fn bottom(&self) -> f32 {
        self.bottom.get()
    }

    pub fn right(&self) -> f32 {
        self.right.get()
    }

    /// Top, left, bottom, right.
    pub fn edges(&self) -> [f32; 4] {
        [self.top(), self.left(), self.bottom(), self.right()]
    }

    pub fn has_area(&self) -> bool {
        self.top < self.bottom && self.left < self.right
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.edges()
            .into_iter()
            .zip(other.edges())
            .all(|(a, b)| float::same(a, b))
    }
}

/// One closed ring of at least three points. The last point connects to the first.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Point>", into = "Vec<Point>")]
pub struct Polygon(Box<[Point]>);

impl Polygon {
    /// A last point equal to the first is kept, because it is part of the stored annotation.
    pub fn new(points: impl Into<Box<[Point]>>) -> Result<Self, GeometryError> {
        let points = points.into();
        if points.len() < 3 {
            Err(GeometryError::TooFewPoints(points.len()))
        } else {
            Ok(Self(points))
        }
    }

    pub fn points(&self) -> &[Point] {
        &self.0
    }

    pub fn has_area(&self) -> bool {
        let ring: Vec<[f64; 2]> = self
            .0
            .iter()
            .map(|point| [f64::from(point.col.get()), f64::from(point.row.get())])
            .collect();
        encloses_area(&ring)
    }

    /// The bounding box: top, left, bottom, right.
    pub fn bounds(&self) -> [f32; 4] {
        self.0.iter().fold(
            [
                f32::INFINITY,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::NEG_INFINITY,
            ],
            |[t, l, b, r], p| {
                [
                    t.min(p.row.get()),
                    l.min(p.col.get()),
                    b.max(p.row.get()),
                    r.max(p.col.get()),
                ]
            },
        )
    }

    /// Whether both have equal points, up to rotation and direction.
    pub fn same(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.ring(), other.ring());
        let n = ours.len();
        if n != theirs.len() {
            return false;
        }
        // Try every rotation that maps one of their points to our first one, in both directions.
        (0..n)
            .filter(|&start| ours[0].same(theirs[start]))
            .any(|start| {
                (0..n).all(|i| ours[i].same(theirs[(start + i) % n]))
                    || (0..n).all(|i| ours[i].same(theirs[(start + n - i) % n]))
            })
    }

    /// The points without a last one that repeats the first.
    pub fn ring(&self) -> &[Point] {
        match &*self.0 {
            [first, middle @ .., last] if middle.len() >= 2 && first.same(*last) => {
                &self.0[..self.0.len() - 1]
            }
            all => all,
        }
    }
}

impl TryFrom<Vec<Point>> for Polygon {
    type Error = GeometryError;
    fn try_from(points: Vec<Point>) -> Result<Self, GeometryError> {
        Self::new(points)
    }
}

impl From<Polygon> for Vec<Point> {
    fn from(polygon: Polygon) -> Self {
        polygon.0.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[(f64, f64)]) -> Polygon {
        Polygon::new(
            points
                .iter()
                .map(|&(row, col)| Point::new(row, col).unwrap())
                .collect::<Vec<_>>(),
        )
        .unwrap()
    }

    #[test]
    fn coordinates_outside_the_image_are_rejected() {
        for bad in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(Fraction::new(bad).is_err(), "{bad}");
        }
        assert_eq!(Fraction::new(-0.0).unwrap().get().to_bits(), 0);
    }

    #[test]
    fn edges_in_the_wrong_order_are_named() {
        let error = BoundingBox::new(0.5, 0.0, 0.4, 1.0).unwrap_err();
        assert_eq!(error.to_string(), "top (0.5) is greater than bottom (0.4)");
        assert!(BoundingBox::new(0.5, 0.0, 0.5, 1.0).is_ok());
    }

    #[test]
    fn equal_rings_may_differ_in_start_and_direction() {
        let ring = polygon(&[(0.1, 0.2), (0.1, 0.9), (0.8, 0.5), (0.7, 0.3)]);
        assert!(ring.same(&polygon(&[(0.8, 0.5), (0.7, 0.3), (0.1, 0.2), (0.1, 0.9)])));
        assert!(ring.same(&polygon(&[(0.7, 0.3), (0.8, 0.5), (0.1, 0.9), (0.1, 0.2)])));
        assert!(ring.same(&polygon(&[
            (0.1, 0.2),
            (0.1, 0.9),
            (0.8, 0.5),
            (0.7, 0.3),
            (0.1, 0.2)
        ])));
        assert!(!ring.same(&polygon(&[(0.1, 0.2), (0.8, 0.5), (0.1, 0.9), (0.7, 0.3)])));
        assert!(!ring.same(&polygon(&[(0.1, 0.2), (0.1, 0.9), (0.8, 0.5)])));
    }

    #[test]
    fn rings_with_repeated_points_are_compared_completely() {
        let ring = polygon(&[(0.1, 0.1), (0.5, 0.5), (0.1, 0.1), (0.9, 0.9)]);
        assert!(ring.same(&polygon(&[(0.1, 0.1), (0.9, 0.9), (0.1, 0.1), (0.5, 0.5)])));
    }
}
