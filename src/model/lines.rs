//! Polygons measured along lines: what many large polygons are compared by, where their exact common area takes too long.
//!
//! Lines of the image lie a power of two apart, in the middle of their strips, so that two polygons meet on the same ones. On
//! each the stretches are exact; between lines a straight edge is as well, because the middle of a strip is its mean.

use super::overlap::{Overlap, ratio};
use super::shapes::Polygon;

/// A polygon is cut by more than half as many lines, and by no more than these.
const LINES: f64 = 256.0;
/// Fewer, down to so many, where edges run to and fro, so that they would cross lines more often than this.
const FEWEST_LINES: f64 = 32.0;
const CROSSINGS: f64 = 16_384.0;

/// How far apart lines are: 2 to the power of minus this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spacing(i32);

impl Spacing {
    /// What suits a polygon.
    pub fn of(polygon: &Polygon) -> Self {
        let [top, _, bottom, _] = polygon.bounds().map(f64::from);
        let height = bottom - top;
        let climb: f64 = edges(polygon)
            .map(|[[row, _], [to, _]]| (to - row).abs())
            .sum();
        // Coordinates are 32-bit fractions: nothing that has a height is lower than this.
        let mut spacing = Self(0);
        while spacing.0 < 40 && height / Self(spacing.0 + 1).width() <= LINES {
            spacing.0 += 1;
        }
        while climb / spacing.width() > CROSSINGS && height / spacing.width() > FEWEST_LINES {
            spacing.0 -= 1;
        }
        spacing
    }

    /// What suits both: the finer one, but no more than eight times as fine as the coarser one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0.max(other.0).min(self.0.min(other.0) + 3))
    }

    fn width(self) -> f64 {
        0.5_f64.powi(self.0)
    }
}

/// What lies inside a polygon, along lines.
#[derive(Debug)]
pub struct PolygonLines {
    first: i64,
    /// The stretches of line `first + i`: `stretches[starts[i]..starts[i + 1]]`, from left to right.
    starts: Vec<u32>,
    stretches: Vec<[f32; 2]>,
    length: f64,
}

impl PolygonLines {
    /// Cuts a polygon. Its points are read once, and each line that an edge crosses.
    pub fn of(polygon: &Polygon, spacing: Spacing) -> Self {
        let width = spacing.width();
        let mut crossings: Vec<(i64, f64, i32)> = Vec::new();
        for [from, to] in edges(polygon) {
            let (low, high, turn) = if from[0] < to[0] {
                (from, to, 1)
            } else {
                (to, from, -1)
            };
            // Lines lie at (i + 1/2) * width; an edge has the one that it begins on, not the one that it ends on.
            let line = |row: f64| (row / width - 0.5).ceil() as i64;
            for line in line(low[0])..line(high[0]) {
                let row = (line as f64 + 0.5) * width;
                let part = (row - low[0]) / (high[0] - low[0]);
                crossings.push((line, low[1] + part * (high[1] - low[1]), turn));
            }
        }
        crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let first = crossings.first().map_or(0, |crossing| crossing.0);
        let (mut starts, mut stretches, mut length) = (vec![0], Vec::new(), 0.0);
        for line in crossings.chunk_by(|a, b| a.0 == b.0) {
            // A closed ring crosses each line between its first and its last one.
            let (mut winding, mut begin) = (0, 0.0);
            for &(_, at, turn) in line {
                if winding == 0 {
                    begin = at;
                }
                winding += turn;
                if winding == 0 && at > begin {
                    stretches.push([begin as f32, at as f32]);
                    length += f64::from(at as f32) - f64::from(begin as f32);
                }
            }
            starts.push(stretches.len() as u32);
        }
        Self {
            first,
            starts,
            stretches,
            length,
        }
    }

    /// The IoU of two polygons that were cut by the same lines.
    pub fn overlap(&self, other: &Self) -> Overlap {
        let from = self.first.max(other.first);
        let common: f64 = (self.from(from).zip(other.from(from)))
            .map(|(one, another)| common(one, another))
            .sum();
        ratio(common, self.length, other.length)
    }

    /// What lies on each line from this one on, which is not before the first.
    fn from(&self, line: i64) -> impl Iterator<Item = &[[f32; 2]]> + '_ {
        let skipped = usize::try_from(line - self.first).unwrap_or(usize::MAX);
        (self.starts.windows(2))
            .skip(skipped)
            .map(|ends| &self.stretches[ends[0] as usize..ends[1] as usize])
    }
}

/// The common length of two rows of stretches, each from left to right.
fn common(mut a: &[[f32; 2]], mut b: &[[f32; 2]]) -> f64 {
    let mut length = 0.0;
    while let ([[begin, end], rest @ ..], [[start, stop], others @ ..]) = (a, b) {
        length += (f64::from(end.min(*stop)) - f64::from(begin.max(*start))).max(0.0);
        if end < stop {
            a = rest;
        } else {
            b = others;
        }
    }
    length
}

/// From one point to the next, as [row, column].
fn edges(polygon: &Polygon) -> impl Iterator<Item = [[f64; 2]; 2]> + '_ {
    let points = polygon.points();
    let next = points.iter().skip(1).chain(points.first());
    points
        .iter()
        .zip(next)
        .map(|(a, b)| [a, b].map(|point| [f64::from(point.row.get()), f64::from(point.col.get())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Geometry, Point, overlap};
    use proptest::prelude::*;

    fn along_lines(a: &Polygon, b: &Polygon) -> Overlap {
        let spacing = Spacing::of(a).with(Spacing::of(b));
        PolygonLines::of(a, spacing).overlap(&PolygonLines::of(b, spacing))
    }

    fn polygon(points: &[(f64, f64)]) -> Polygon {
        let points = points.iter().map(|&(r, c)| Point::new(r, c).unwrap());
        Polygon::new(points.collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_has_no_height_has_nothing_in_common_with_anything() {
        let flat = polygon(&[(0.5, 0.1), (0.5, 0.9), (0.5, 0.3)]);
        assert_eq!(along_lines(&flat, &flat), Overlap::NONE);
        let square = polygon(&[(0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1)]);
        assert_eq!(along_lines(&flat, &square), Overlap::NONE);
        assert_eq!(along_lines(&square, &square), Overlap::WHOLE);
    }

    proptest! {
        #[test]
        fn lines_find_what_the_areas_are(
            points in proptest::collection::vec((0.0_f64..1.0, 0.0_f64..1.0), 3..12),
            (down, right) in (-0.1_f64..0.1, -0.1_f64..0.1), scale in 0.01_f64..0.8,
        ) {
            let at = |(row, col): &(f64, f64)| (0.1 + row * scale, 0.1 + col * scale);
            let moved = |point| {
                let (row, col) = at(point);
                (row + down * scale, col + right * scale)
            };
            let one = polygon(&points.iter().map(at).collect::<Vec<_>>());
            let other = polygon(&points.iter().map(moved).collect::<Vec<_>>());
            prop_assume!(one.has_area());
            let exact = overlap(&Geometry::Polygon(one.clone()), &Geometry::Polygon(other.clone()));
            let near = along_lines(&one, &other);
            let apart = exact.unwrap().millionths().abs_diff(near.millionths());
            prop_assert!(apart <= 10_000, "{exact:?} {near:?}");
            prop_assert_eq!(near, along_lines(&other, &one));
        }
    }
}
