//! Approximate IoU of polygons by scan lines, for many large polygons whose exact intersections would take too long.
//!
//! The distance between scan lines is a power of two, and each lies in the middle of its strip, so two polygons share them.
//! The intersections with a line are exact. A straight edge that crosses a whole strip adds no error either, because its
//! mean position in the strip is the one in the middle.

use super::overlap::{Overlap, iou};
use super::shapes::Polygon;

/// The maximum number of lines across a polygon; at least half of it is used.
const LINES: f64 = 256.0;
/// Polygons whose edges would cross lines more often than `CROSSINGS` get fewer lines, but at least this many.
const FEWEST_LINES: f64 = 32.0;
const CROSSINGS: f64 = 16_384.0;

/// The distance between lines, as the negative of its binary logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spacing(i32);

impl Spacing {
    /// The best spacing for a polygon.
    pub fn of(polygon: &Polygon) -> Self {
        let [top, _, bottom, _] = polygon.bounds().map(f64::from);
        let height = bottom - top;
        let climb: f64 = edges(polygon)
            .map(|[[row, _], [to, _]]| (to - row).abs())
            .sum();
        // 40 is enough, because coordinates are 32-bit fractions.
        let mut spacing = Self(0);
        while spacing.0 < 40 && height / Self(spacing.0 + 1).width() <= LINES {
            spacing.0 += 1;
        }
        while climb / spacing.width() > CROSSINGS && height / spacing.width() > FEWEST_LINES {
            spacing.0 -= 1;
        }
        spacing
    }

    /// The best spacing for two polygons: the finer one, but at most eight times as fine as the coarser one.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0.max(other.0).min(self.0.min(other.0) + 3))
    }

    fn width(self) -> f64 {
        0.5_f64.powi(self.0)
    }
}

/// The intersections of a polygon with scan lines.
#[derive(Debug)]
pub struct PolygonLines {
    first: i64,
    /// Line `first + i` has `intervals[starts[i]..starts[i + 1]]`, from left to right.
    starts: Vec<u32>,
    intervals: Vec<[f32; 2]>,
    /// The sum of all intervals.
    length: f64,
}

impl PolygonLines {
    pub fn of(polygon: &Polygon, spacing: Spacing) -> Self {
        let width = spacing.width();
        let mut crossings: Vec<(i64, f64, i32)> = Vec::new();
        for [from, to] in edges(polygon) {
            let (low, high, turn) = if from[0] < to[0] {
                (from, to, 1)
            } else {
                (to, from, -1)
            };
            // Lines are at (i + 1/2) * width. An edge includes a line at its start, but not one at its end.
            let line = |row: f64| (row / width - 0.5).ceil() as i64;
            for line in line(low[0])..line(high[0]) {
                let row = (line as f64 + 0.5) * width;
                let part = (row - low[0]) / (high[0] - low[0]);
                crossings.push((line, low[1] + part * (high[1] - low[1]), turn));
            }
        }
        crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let first = crossings.first().map_or(0, |crossing| crossing.0);
        let (mut starts, mut intervals, mut length) = (vec![0], Vec::new(), 0.0);
        for line in crossings.chunk_by(|a, b| a.0 == b.0) {
            // Non-zero winding rule.
            let (mut winding, mut begin) = (0, 0.0);
            for &(_, at, turn) in line {
                if winding == 0 {
                    begin = at;
                }
                winding += turn;
                if winding == 0 && at > begin {
                    intervals.push([begin as f32, at as f32]);
                    length += f64::from(at as f32) - f64::from(begin as f32);
                }
            }
            starts.push(intervals.len() as u32);
        }
        Self {
            first,
            starts,
            intervals,
            length,
        }
    }

    /// The IoU of two polygons with the same spacing.
    pub fn overlap(&self, other: &Self) -> Overlap {
        let from = self.first.max(other.first);
        let common: f64 = (self.from(from).zip(other.from(from)))
            .map(|(one, another)| common(one, another))
            .sum();
        iou(common, self.length, other.length)
    }

    /// The intervals of each line from `line` on, which must not be before the first.
    fn from(&self, line: i64) -> impl Iterator<Item = &[[f32; 2]]> + '_ {
        let skipped = usize::try_from(line - self.first).unwrap_or(usize::MAX);
        (self.starts.windows(2))
            .skip(skipped)
            .map(|ends| &self.intervals[ends[0] as usize..ends[1] as usize])
    }
}

/// The common length of two sorted lists of intervals.
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

/// The edges as pairs of [row, column].
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
    fn a_polygon_without_height_overlaps_nothing() {
        let flat = polygon(&[(0.5, 0.1), (0.5, 0.9), (0.5, 0.3)]);
        assert_eq!(along_lines(&flat, &flat), Overlap::NONE);
        let square = polygon(&[(0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1)]);
        assert_eq!(along_lines(&flat, &square), Overlap::NONE);
        assert_eq!(along_lines(&square, &square), Overlap::WHOLE);
    }

    proptest! {
        #[test]
        fn the_result_is_close_to_the_exact_iou(
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
