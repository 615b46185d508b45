//! The last stage: annotations of a picture that was turned or mirrored.
//!
//! It is tried if annotations of both sides are left. Those and the moved ones are paired anew if one turn maps all of one
//! side to the other: that is the most pairs that there can be, and in a turned picture some annotations overlap others by
//! chance. No annotation that stayed in its place may contradict the turn, and the agreement cannot be chance: the places that
//! agree have [`EVIDENCE`] distinct coordinates, not counting shapes that look the same after some turn, and no shift
//! explains them as well. So a single box proves nothing, and neither does a symmetric shape.

mod shape;

use super::group::same_names;
use super::reason::{Matched, MatchedBy};
use super::state::{Pair, State};
use crate::model::{Geometry, Turn};
use shape::{Place, Shape, TOLERANCE, bounds_of};
use std::collections::HashMap;

/// The minimum number of coordinates that agree: three boxes, or one polygon of five points.
const EVIDENCE: usize = 10;
/// Comparisons of two points for one input; above this, nothing is paired.
const COMPARISONS: u32 = 20_000_000;
/// Declared annotations with nearly the same bounds that are compared; the others are not paired.
const CANDIDATES: usize = 64;

/// An annotation with a shape.
struct Free {
    at: usize,
    shape: Shape,
}

/// The annotations of both sides that are free or moved.
struct Sides {
    desired: Vec<Free>,
    observed: Vec<Free>,
    /// Declared annotations by their bounds, in cells that are twice as wide as the tolerance.
    cells: HashMap<[i32; 4], Vec<usize>>,
    comparisons: u32,
}

pub(super) fn pair(state: &mut State<'_>) {
    let (mut seeking, mut available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return;
    }
    for pair in state.pairs.iter().filter(|pair| is_moved(pair)) {
        seeking.push(pair.desired);
        available.push(pair.observed);
    }
    seeking.sort_unstable();
    available.sort_unstable();
    let mut sides = Sides::new(state, &seeking, &available);
    let mut best: Option<(Turn, Vec<(usize, usize)>)> = None;
    for turn in Turn::ALL {
        let known = best.as_ref().map_or(0, |(_, pairs)| pairs.len());
        let pairs = sides.pairs(state, |place| turn.of(place));
        if pairs.len() > known && sides.is_proof(state, turn, &pairs) {
            best = Some((turn, pairs));
        }
    }
    if sides.comparisons == 0 {
        return;
    }
    let Some((turn, pairs)) = best else { return };
    let is_kept = |pair: &Pair| {
        !(is_moved(pair) && Shape::of(state.desired[pair.desired].geometry()).is_some())
    };
    let (kept, replaced): (Vec<Pair>, Vec<Pair>) = state.pairs.iter().copied().partition(is_kept);
    state.pairs = kept;
    for pair in replaced {
        state.desired_free[pair.desired] = true;
        state.observed_free[pair.observed] = true;
    }
    for (desired, observed) in pairs {
        let matched = Matched {
            turn: Some(turn),
            ..Matched::without_measure(MatchedBy::Turned)
        };
        let (desired, observed) = (sides.desired[desired].at, sides.observed[observed].at);
        state.pair(desired, observed, matched);
    }
}

fn is_moved(pair: &Pair) -> bool {
    matches!(
        pair.matched.by,
        MatchedBy::Moved | MatchedBy::MovedAndRelabelled
    )
}

impl Sides {
    fn new(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let free = |geometry: &Geometry, at: usize| {
            let shape = Shape::of(geometry).filter(|shape| !shape.points().is_empty())?;
            Some(Free { at, shape })
        };
        let desired: Vec<Free> = seeking
            .iter()
            .filter_map(|&at| free(state.desired[at].geometry(), at))
            .collect();
        let observed = available
            .iter()
            .filter_map(|&at| free(&state.observed[at].geometry, at))
            .collect();
        let mut cells: HashMap<[i32; 4], Vec<usize>> = HashMap::new();
        for (at, free) in desired.iter().enumerate() {
            let nearby = cells.entry(cell(free.shape.bounds())).or_default();
            // Without a limit, comparing annotations with equal bounds would take the square of their number.
            if nearby.len() < CANDIDATES {
                nearby.push(at);
            }
        }
        Self {
            desired,
            observed,
            cells,
            comparisons: COMPARISONS,
        }
    }

    /// The pairs (desired, observed) that a mapping of the picture makes.
    fn pairs(&mut self, state: &State<'_>, to: impl Fn(Place) -> Place) -> Vec<(usize, usize)> {
        let mut is_free = vec![true; self.desired.len()];
        let mut pairs = Vec::new();
        for (at, observed) in self.observed.iter().enumerate() {
            if self.comparisons == 0 {
                break;
            }
            let shape = observed.shape.map(&to);
            let around = cells_around(shape.bounds());
            let nearby = around.filter_map(|cell| self.cells.get(&cell)).flatten();
            let mut nearby: Vec<usize> = nearby.copied().filter(|&it| is_free[it]).collect();
            nearby.sort_unstable();
            let found = nearby.into_iter().find(|&other| {
                let desired = &self.desired[other];
                let (declared, stored) = (&state.desired[desired.at], &state.observed[observed.at]);
                same_names(declared, stored)
                    && state.claims.same_concepts(declared, stored)
                    && shape.same(&desired.shape, &mut self.comparisons)
            });
            if let Some(other) = found {
                is_free[other] = false;
                pairs.push((other, at));
            }
        }
        pairs
    }

    /// Whether these pairs prove this turn of the picture.
    fn is_proof(&mut self, state: &State<'_>, turn: Turn, pairs: &[(usize, usize)]) -> bool {
        let is_whole_side = pairs.len() == self.desired.len().min(self.observed.len());
        is_whole_side
            && self.evidence(pairs) >= EVIDENCE
            && !self.is_shift(pairs)
            && !self.is_contradicted(state, turn)
    }

    fn evidence(&mut self, pairs: &[(usize, usize)]) -> usize {
        let mut evidence = 0;
        for (_, observed) in pairs {
            let shape = &self.observed[*observed].shape;
            let comparisons = &mut self.comparisons;
            let looks_the_same =
                |turn: Turn| shape.map(|it| turn.of(it)).same(shape, &mut *comparisons);
            if !Turn::ALL.into_iter().any(looks_the_same) {
                evidence += shape.coordinates();
            }
            if evidence >= EVIDENCE {
                break;
            }
        }
        evidence
    }

    /// Whether moving all of them by the same distance explains the pairs as well.
    fn is_shift(&mut self, pairs: &[(usize, usize)]) -> bool {
        let corner = |points: Vec<Place>| {
            let [top, left, ..] = bounds_of(&points);
            [top, left]
        };
        let observed = pairs.iter().map(|it| &self.observed[it.1].shape);
        let desired = pairs.iter().map(|it| &self.desired[it.0].shape);
        let old = corner(observed.clone().flat_map(Shape::points).copied().collect());
        let new = corner(desired.flat_map(Shape::points).copied().collect());
        let by = [new[0] - old[0], new[1] - old[1]];
        let shifted = observed.map(|shape| shape.map(|[row, col]| [row + by[0], col + by[1]]));
        let shifted: Vec<Shape> = shifted.collect();
        let comparisons = &mut self.comparisons;
        let (cells, desired) = (&self.cells, &self.desired);
        shifted.iter().all(|shape| {
            let nearby = cells_around(shape.bounds()).filter_map(|cell| cells.get(&cell));
            nearby
                .flatten()
                .any(|&other| shape.same(&desired[other].shape, &mut *comparisons))
        })
    }

    /// Whether an annotation stayed in its place that the turn would have moved.
    fn is_contradicted(&mut self, state: &State<'_>, turn: Turn) -> bool {
        state.pairs.iter().any(|pair| {
            let new = state.desired[pair.desired].geometry();
            let old = &state.observed[pair.observed].geometry;
            let stayed = || new.same(old).then(|| Shape::of(old)).flatten();
            stayed().is_some_and(|shape| {
                let turned = shape.map(|it| turn.of(it));
                !turned.same(&shape, &mut self.comparisons)
            })
        })
    }
}

fn cell(bounds: [f64; 4]) -> [i32; 4] {
    bounds.map(|edge| (edge / (2.0 * TOLERANCE)).floor() as i32)
}

/// The cells of all bounds within the tolerance: at most 16.
fn cells_around(bounds: [f64; 4]) -> impl Iterator<Item = [i32; 4]> {
    let low = cell(bounds.map(|edge| edge - TOLERANCE));
    let high = cell(bounds.map(|edge| edge + TOLERANCE));
    (0..16_u8).filter_map(move |corner| {
        let mut chosen = low;
        for axis in 0..4 {
            if corner >> axis & 1 == 1 {
                if high[axis] == low[axis] {
                    return None;
                }
                chosen[axis] = high[axis];
            }
        }
        Some(chosen)
    })
}

#[cfg(test)]
mod tests;
