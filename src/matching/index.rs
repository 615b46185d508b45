//! Observed annotations by where they lie, so that those in the same place are found without comparing all with all.

use super::place::{Place, lies_together};
use super::{State, geometry};
use crate::model::{Concepts, Geometry};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where things lie, to the width of one cell of a grid: what is the same geometry is found in one of a few cells
/// instead of by comparing all with all.
type Cell = [i64; 4];

/// Twenty times the tolerance: a crowd that lies close together still lies in many cells.
const CELL: f64 = 2e-5;
/// Keeps the round coordinates that people type away from the edges of cells.
const SHIFT: f64 = 0.000_007_371_7;

/// The cell of a geometry's bounds.
fn cell(bounds: Option<[f32; 4]>) -> Cell {
    bounds.map_or([0; 4], |bounds| {
        bounds.map(|v| ((f64::from(v) + SHIFT) / CELL).floor() as i64)
    })
}

/// Every cell in which the bounds of the same geometry may lie: one, or more where a bound is close to an edge.
fn cells_around(bounds: Option<[f32; 4]>) -> Vec<Cell> {
    let Some(bounds) = bounds else {
        return vec![[0; 4]];
    };
    let mut cells = vec![[0; 4]];
    for (axis, value) in bounds.into_iter().enumerate() {
        let at = |v: f64| ((v + SHIFT) / CELL).floor() as i64;
        let reach = 2.0 * crate::model::float::TOLERANCE;
        let (low, high) = (at(f64::from(value) - reach), at(f64::from(value) + reach));
        for known in 0..cells.len() {
            cells[known][axis] = low;
            if high != low {
                let mut other = cells[known];
                other[axis] = high;
                cells.push(other);
            }
        }
    }
    cells
}

/// Observed annotations by place, cell and concepts.
pub(super) struct Index {
    by_concepts: HashMap<(u64, Cell, u64), Vec<usize>>,
    by_place: HashMap<(u64, Cell), Vec<usize>>,
}

impl Index {
    pub(super) fn new(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let seeks_a_region = seeking
            .iter()
            .any(|&at| matches!(geometry(&state.desired[at]), Geometry::Region(_)));
        let mut index = Self {
            by_concepts: HashMap::new(),
            by_place: HashMap::new(),
        };
        for &at in available {
            let observed = &state.observed[at];
            let concepts = hash_ids(&state.claims.present_names(&observed.concepts));
            let mut add = |place: &Place, cell: Cell| {
                let place = hash(place);
                index
                    .by_concepts
                    .entry((place, cell, concepts))
                    .or_default()
                    .push(at);
                index.by_place.entry((place, cell)).or_default().push(at);
            };
            let bounds = observed.geometry.bounds();
            for place in Place::of_observed(observed) {
                add(&place, cell(bounds));
                // A mask that is declared by its URL alone does not know its bounds.
                if matches!(&observed.geometry, Geometry::Mask(mask) if mask.url().is_some())
                    && bounds.is_some()
                {
                    add(&place, cell(None));
                }
            }
            if seeks_a_region {
                for place in Place::of_region(observed) {
                    add(&place, cell(None));
                }
            }
        }
        index
    }

    /// Observed annotations with the same place, geometry and concepts.
    pub(super) fn same(&self, state: &State<'_>, at: usize) -> Vec<usize> {
        let desired = &state.desired[at];
        let Some(concepts) = &desired.content.concepts else {
            return self.same_place(state, at);
        };
        let (place, concepts) = (hash(&Place::of_desired(desired)), hash_ids(concepts));
        let cells = cells_around(geometry(desired).bounds());
        let found = cells
            .iter()
            .filter_map(|&cell| self.by_concepts.get(&(place, cell, concepts)))
            .flatten();
        found
            .copied()
            .filter(|&o| {
                let observed = &state.observed[o];
                lies_together(desired, observed) && state.claims.same_concepts(desired, observed)
            })
            .collect()
    }

    /// Observed annotations with the same place and geometry, whatever their concepts, that are still free.
    pub(super) fn same_place(&self, state: &State<'_>, at: usize) -> Vec<usize> {
        let desired = &state.desired[at];
        let place = hash(&Place::of_desired(desired));
        let cells = cells_around(geometry(desired).bounds());
        let found = cells
            .iter()
            .filter_map(|&cell| self.by_place.get(&(place, cell)))
            .flatten();
        found
            .copied()
            .filter(|&o| {
                let observed = &state.observed[o];
                state.observed_free[o] && lies_together(desired, observed)
            })
            .collect()
    }
}

// DefaultHasher's keys are fixed, and nothing that is shown depends on the value: it only finds candidates.
pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn hash_ids(concepts: &Concepts) -> u64 {
    let mut hasher = DefaultHasher::new();
    concepts
        .iter()
        .for_each(|concept| concept.id.hash(&mut hasher));
    hasher.finish()
}
