//! The points of a geometry, and when two agree.

use crate::model::{Geometry, Point, Visibility};

/// How far coordinates may be apart, in fractions of the picture: tools round to pixels.
pub(super) const TOLERANCE: f64 = 1e-3;

pub(super) type Place = [f64; 2];

/// The points of a geometry that a turn maps to another one of its kind.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Two opposite corners.
    Box([Place; 2]),
    /// Without a last point that repeats the first.
    Ring(Vec<Place>),
    /// Points with a meaning each. Those that are not in the picture have no place.
    Points(Vec<Place>, Vec<Visibility>),
}

impl Shape {
    /// `None` for a kind that is not turned.
    pub(super) fn of(geometry: &Geometry) -> Option<Self> {
        let place = |point: &Point| [point.row, point.col].map(|it| it.get().into());
        Some(match geometry {
            Geometry::Box(edges) => {
                let [top, left, bottom, right] = edges.edges().map(f64::from);
                Self::Box([[top, left], [bottom, right]])
            }
            Geometry::Polygon(polygon) => Self::Ring(polygon.ring().iter().map(place).collect()),
            Geometry::Point(point) => Self::Points(vec![place(point)], Vec::new()),
            Geometry::Keypoints(keypoints) => {
                let all = keypoints.points();
                let present = all
                    .iter()
                    .filter(|it| it.visibility != Visibility::NotPresent);
                Self::Points(
                    present.map(|it| place(&it.point)).collect(),
                    all.iter().map(|it| it.visibility).collect(),
                )
            }
            _ => return None,
        })
    }

    pub(super) fn points(&self) -> &[Place] {
        match self {
            Self::Box(corners) => corners,
            Self::Ring(points) | Self::Points(points, _) => points,
        }
    }

    pub(super) fn map(&self, to: impl Fn(Place) -> Place) -> Self {
        let all = |points: &[Place]| points.iter().copied().map(&to).collect();
        match self {
            Self::Box(corners) => {
                let [[a, b], [c, d]] = corners.map(&to);
                Self::Box([[a.min(c), b.min(d)], [a.max(c), b.max(d)]])
            }
            Self::Ring(points) => Self::Ring(all(points)),
            Self::Points(points, marks) => Self::Points(all(points), marks.clone()),
        }
    }

    /// Top, left, bottom, right.
    pub(super) fn bounds(&self) -> [f64; 4] {
        bounds_of(self.points())
    }

    pub(super) fn same(&self, other: &Self, comparisons: &mut u32) -> bool {
        let mut near = |a: Place, b: Place| {
            let is_allowed = *comparisons > 0;
            *comparisons = comparisons.saturating_sub(1);
            is_allowed && near(a, b)
        };
        let (ours, theirs) = (self.points(), other.points());
        let n = ours.len();
        if n != theirs.len() {
            return false;
        }
        match (self, other) {
            (Self::Box(_), Self::Box(_)) => (0..n).all(|at| near(ours[at], theirs[at])),
            (Self::Points(_, marks), Self::Points(_, others)) => {
                marks == others && (0..n).all(|at| near(ours[at], theirs[at]))
            }
            (Self::Ring(_), Self::Ring(_)) => (0..n).any(|start| {
                near(ours[0], theirs[start])
                    && ((0..n).all(|at| near(ours[at], theirs[(start + at) % n]))
                        || (0..n).all(|at| near(ours[at], theirs[(start + n - at) % n])))
            }),
            _ => false,
        }
    }

    /// How many coordinates it has that are not nearly equal to another one.
    pub(super) fn coordinates(&self) -> usize {
        let distinct = |axis: usize| {
            let mut all: Vec<f64> = self.points().iter().map(|point| point[axis]).collect();
            all.sort_unstable_by(f64::total_cmp);
            let apart = |pair: &&[f64]| pair[1] - pair[0] > 2.0 * TOLERANCE;
            all.len().min(1) + all.windows(2).filter(apart).count()
        };
        distinct(0) + distinct(1)
    }
}

fn near(a: Place, b: Place) -> bool {
    (a[0] - b[0]).abs() <= TOLERANCE && (a[1] - b[1]).abs() <= TOLERANCE
}

pub(super) fn bounds_of(points: &[Place]) -> [f64; 4] {
    let around = |[t, l, b, r]: [f64; 4], [row, col]: &Place| {
        [t.min(*row), l.min(*col), b.max(*row), r.max(*col)]
    };
    let empty = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    points.iter().fold(empty, around)
}
