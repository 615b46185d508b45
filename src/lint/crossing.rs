//! Whether the edges of a ring cross.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

type Point = [f64; 2];

/// The first two edges of a closed ring that cross, by the indices of their first points. Edges that only touch, or run
/// along each other, do not cross: a ring around a hole has such edges.
pub(super) fn crossing_edges(ring: &[Point]) -> Option<(usize, usize)> {
    let count = ring.len();
    let edge = |at: usize| (ring[at], ring[(at + 1) % count]);
    let corners = |at: usize| {
        let (a, b) = edge(at);
        let low = [a[0].min(b[0]), a[1].min(b[1])];
        let high = [a[0].max(b[0]), a[1].max(b[1])];
        (low, high)
    };
    let rectangles = (0..count).map(|at| {
        let (low, high) = corners(at);
        GeomWithData::new(Rectangle::from_corners(low, high), at)
    });
    let tree = RTree::bulk_load(rectangles.collect());
    (0..count).find_map(|at| {
        let (low, high) = corners(at);
        let near = tree.locate_in_envelope_intersecting(&AABB::from_corners(low, high));
        let other = near
            .map(|found| found.data)
            .filter(|other| *other > at && cross(edge(at), edge(*other)))
            .min()?;
        Some((at, other))
    })
}

/// Whether two edges cross at a point inside of both.
fn cross((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let side = |from: Point, to: Point, point: Point| {
        (to[0] - from[0]) * (point[1] - from[1]) - (to[1] - from[1]) * (point[0] - from[0])
    };
    side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bow_tie_crosses_and_a_ring_around_a_hole_does_not() {
        let bow = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]];
        assert_eq!(crossing_edges(&bow), Some((0, 2)));
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        assert_eq!(crossing_edges(&square), None);
        // Out to the hole and back along the same line.
        let hole = [
            [0.0, 0.0],
            [4.0, 0.0],
            [4.0, 4.0],
            [0.0, 4.0],
            [0.0, 0.0],
            [1.0, 1.0],
            [1.0, 2.0],
            [2.0, 2.0],
            [2.0, 1.0],
            [1.0, 1.0],
        ];
        assert_eq!(crossing_edges(&hole), None);
        let repeated = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]];
        assert_eq!(crossing_edges(&repeated), None);
    }
}
