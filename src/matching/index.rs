//! A spatial index of observed annotations, which finds those at the same location without comparing all pairs.

use super::group::{Group, same_location};
use super::state::State;
use crate::model::{Concepts, Geometry};
use foldhash::fast::{FixedState, FoldHasher};
use smallvec::{SmallVec, smallvec};
use std::hash::{BuildHasher, Hash, Hasher};

/// The cell of a four-dimensional grid that contains a bounding box.
type Cell = [i64; 4];

/// Indices of annotations: mostly one, because few lie at the same place.
pub(super) type Indices = SmallVec<[usize; 2]>;

/// Twenty times the tolerance, so that many geometries close to each other still lie in different cells.
const CELL: f64 = 2e-5;
/// Offset that keeps round coordinates away from the edges of cells.
const SHIFT: f64 = 0.000_007_371_7;

fn cell(bounds: Option<[f32; 4]>) -> Cell {
    bounds.map_or([0; 4], |bounds| {
        bounds.map(|v| ((f64::from(v) + SHIFT) / CELL).floor() as i64)
    })
}

/// All cells that can contain the bounds of an equal geometry: more than one if a bound is close to an edge.
fn cells_around(bounds: Option<[f32; 4]>) -> SmallVec<[Cell; 1]> {
    let mut cells: SmallVec<[Cell; 1]> = smallvec![[0; 4]];
    let Some(bounds) = bounds else {
        return cells;
    };
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

/// Observed annotations by the hash of what they have in common, sorted by it.
#[derive(Default)]
struct Hashed(Vec<(u64, usize)>);

impl Hashed {
    fn add(&mut self, key: impl Hash, at: usize) {
        self.0.push((hash(&key), at));
    }

    fn find(&self, key: impl Hash) -> impl Iterator<Item = usize> {
        let key = hash(&key);
        let first = self.0.partition_point(|(known, _)| *known < key);
        let rest = self.0[first..].iter();
        rest.take_while(move |(known, _)| *known == key)
            .map(|(_, at)| *at)
    }
}

pub(super) struct Index {
    /// By group, cell and concepts.
    by_concepts: Hashed,
    /// By group and cell.
    by_group: Hashed,
}

impl Index {
    pub(super) fn new(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let seeks_a_region = seeking
            .iter()
            .any(|&at| matches!(state.desired[at].geometry(), Geometry::Region(_)));
        let mut index = Self {
            by_concepts: Hashed(Vec::with_capacity(available.len())),
            by_group: Hashed(Vec::with_capacity(available.len())),
        };
        for &at in available {
            let observed = &state.observed[at];
            let concepts = hash_ids(&state.claims.apply_renames(&observed.concepts));
            let mut add = |group: &Group, cell: Cell| {
                let group = hash(group);
                index.by_concepts.add((group, cell, concepts), at);
                index.by_group.add((group, cell), at);
            };
            let bounds = observed.geometry.bounds();
            for group in Group::of_observed(observed) {
                add(&group, cell(bounds));
                // The bounds of a mask that is declared by its URL only are unknown.
                if matches!(&observed.geometry, Geometry::Mask(mask) if mask.url().is_some())
                    && bounds.is_some()
                {
                    add(&group, cell(None));
                }
            }
            if seeks_a_region {
                for group in Group::of_region(observed) {
                    add(&group, cell(None));
                }
            }
        }
        index.by_concepts.0.sort_unstable();
        index.by_group.0.sort_unstable();
        index
    }

    /// Observed annotations with the same group, geometry and concepts.
    pub(super) fn same(&self, state: &State<'_>, at: usize) -> Indices {
        let desired = &state.desired[at];
        let Some(concepts) = &desired.content.concepts else {
            return self.at_same_location(state, at);
        };
        let (group, concepts) = (hash(&Group::of_desired(desired)), hash_ids(concepts));
        let cells = cells_around(desired.geometry().bounds());
        let found = cells
            .iter()
            .flat_map(|&cell| self.by_concepts.find((group, cell, concepts)));
        found
            .filter(|&o| {
                let observed = &state.observed[o];
                same_location(desired, observed) && state.claims.same_concepts(desired, observed)
            })
            .collect()
    }

    /// Free observed annotations with the same group and geometry.
    pub(super) fn at_same_location(&self, state: &State<'_>, at: usize) -> Indices {
        let desired = &state.desired[at];
        let group = hash(&Group::of_desired(desired));
        let cells = cells_around(desired.geometry().bounds());
        let found = cells
            .iter()
            .flat_map(|&cell| self.by_group.find((group, cell)));
        found
            .filter(|&o| {
                let observed = &state.observed[o];
                state.observed_free[o] && same_location(desired, observed)
            })
            .collect()
    }
}

// Deterministic, because the seed is fixed. Hashes only find candidates, which are compared.
fn hasher() -> FoldHasher<'static> {
    FixedState::with_seed(0).build_hasher()
}

pub(super) fn hash(value: &impl Hash) -> u64 {
    let mut hasher = hasher();
    value.hash(&mut hasher);
    hasher.finish()
}

pub(super) fn hash_ids(concepts: &Concepts) -> u64 {
    let mut hasher = hasher();
    concepts
        .iter()
        .for_each(|concept| concept.id.hash(&mut hasher));
    hasher.finish()
}
