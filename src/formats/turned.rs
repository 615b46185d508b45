//! Turned boxes, and ellipses -> rings.

use super::place::Xy;
use std::f64::consts::TAU;

/// How many points an ellipse becomes.
const POINTS: u32 = 64;

/// A point turned clockwise about another one, as seen on the screen.
pub(super) fn turned([x, y]: Xy, [cx, cy]: Xy, degrees: f64) -> Xy {
    // The remainder is exact, so that a full turn changes nothing.
    let (sin, cos) = (degrees % 360.0).to_radians().sin_cos();
    let (dx, dy) = (x - cx, y - cy);
    [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
}

/// The corners of a box, clockwise from the top left, turned about its centre.
pub(super) fn turned_box([[left, top], [right, bottom]]: [Xy; 2], degrees: f64) -> Vec<Xy> {
    let centre = [f64::midpoint(left, right), f64::midpoint(top, bottom)];
    let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
    corners
        .map(|corner| turned(corner, centre, degrees))
        .to_vec()
}

/// An ellipse, turned about its centre.
pub(super) fn ellipse([cx, cy]: Xy, [rx, ry]: Xy, degrees: f64) -> Vec<Xy> {
    (0..POINTS)
        .map(|point| {
            let (sin, cos) = (f64::from(point) * TAU / f64::from(POINTS)).sin_cos();
            turned([cx + rx * cos, cy + ry * sin], [cx, cy], degrees)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_is_clockwise() {
        let ring = turned_box([[0.0, 0.0], [4.0, 2.0]], 90.0);
        let rounded: Vec<Xy> = ring.iter().map(|xy| xy.map(f64::round)).collect();
        assert_eq!(rounded, [[3.0, -1.0], [3.0, 3.0], [1.0, 3.0], [1.0, -1.0]]);
        let ring = ellipse([5.0, 5.0], [2.0, 1.0], 90.0);
        assert_eq!(ring.len(), 64);
        let distance = (ring[0][0] - 5.0).hypot(ring[0][1] - 7.0);
        assert!(distance < 1e-9, "{:?}", ring[0]);
    }
}
