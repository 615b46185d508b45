//! Whether a closed ring of points encloses an area.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::single::SingleFloatOverlay;

/// Whether a ring of `[x, y]` points, in any unit, encloses an area. A bow tie does, although the signed areas of its
/// halves cancel out.
pub fn encloses_area(ring: &[[f64; 2]]) -> bool {
    const EPSILON: f64 = 1e-9;
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    let [[left, right], [top, bottom]] = [0, 1].map(|axis| {
        ring.iter().fold(start, |[low, high], point| {
            [low.min(point[axis]), high.max(point[axis])]
        })
    });
    // Also the case for a ring without points, and for infinite numbers.
    if !(left < right && top < bottom) {
        return false;
    }
    let unit: Vec<[f64; 2]> = ring
        .iter()
        .map(|[x, y]| [(x - left) / (right - left), (y - top) / (bottom - top)])
        .collect();
    if doubled_area(&unit).abs() > EPSILON {
        return true;
    }
    let none: Vec<Vec<[f64; 2]>> = Vec::new();
    let parts = vec![unit].overlay(&none, OverlayRule::Union, FillRule::NonZero);
    let area: f64 = parts.iter().flatten().map(|part| doubled_area(part)).sum();
    // The overlay rounds to a grid, so points on one line can yield a sliver.
    area.abs() > 1e-6
}

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

    #[test]
    fn a_bow_tie_has_area_and_a_line_has_none() {
        assert!(encloses_area(&[
            [0.0, 0.0],
            [1.0, 1.0],
            [1.0, 0.0],
            [0.0, 1.0]
        ]));
        assert!(!encloses_area(&[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]));
        assert!(!encloses_area(&[]));
    }
}
