//! Ellipses and turned boxes -> rings of points, in pixels.

use super::place::Xy;
use std::f64::consts::TAU;

/// How many points an ellipse has as a polygon.
const ELLIPSE_POINTS: u32 = 64;

/// A point turned clockwise, as seen on a screen, about another.
pub(super) fn turned([x, y]: Xy, about: Xy, degrees: f64) -> Xy {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (dx, dy) = (x - about[0], y - about[1]);
    [
        about[0] + dx * cos - dy * sin,
        about[1] + dx * sin + dy * cos,
    ]
}

/// The corners of a box, from the top left one clockwise, turned about a point.
pub(super) fn turned_box(
    [[left, top], [right, bottom]]: [Xy; 2],
    about: Xy,
    degrees: f64,
) -> Vec<Xy> {
    [[left, top], [right, top], [right, bottom], [left, bottom]]
        .into_iter()
        .map(|corner| turned(corner, about, degrees))
        .collect()
}

/// An ellipse, turned about its centre.
pub(super) fn ellipse(centre: Xy, radii: Xy, degrees: f64) -> Vec<Xy> {
    (0..ELLIPSE_POINTS)
        .map(|step| {
            let (sin, cos) = (TAU * f64::from(step) / f64::from(ELLIPSE_POINTS)).sin_cos();
            let point = [centre[0] + radii[0] * cos, centre[1] + radii[1] * sin];
            turned(point, centre, degrees)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_turn_clockwise_on_a_screen() {
        let corners = turned_box([[0.0, 0.0], [4.0, 2.0]], [0.0, 0.0], 90.0);
        let expected = [[0.0, 0.0], [0.0, 4.0], [-2.0, 4.0], [-2.0, 0.0]];
        for (corner, expected) in corners.iter().zip(expected) {
            assert!((corner[0] - expected[0]).abs() < 1e-9, "{corners:?}");
            assert!((corner[1] - expected[1]).abs() < 1e-9, "{corners:?}");
        }
    }

    #[test]
    fn an_ellipse_reaches_its_radii() {
        let ring = ellipse([10.0, 20.0], [4.0, 2.0], 90.0);
        let most = |axis: usize| ring.iter().map(|it| it[axis]).fold(f64::MIN, f64::max);
        assert_eq!(ring.len(), 64);
        assert!((most(0) - 12.0).abs() < 1e-9 && (most(1) - 24.0).abs() < 1e-9);
    }
}
