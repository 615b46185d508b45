//! Stage 2: same geometry and same concepts, as multisets.

use super::assignment::{Edge, Weight, assign};
use super::place::{Place, lies_together};
use super::reason::{Matched, MatchedBy};
use super::{State, geometry};
use crate::model::{Concepts, Geometry, difference};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Where things lie, to the width of one cell of a grid: what is the same geometry is found in one of a few cells
/// instead of by comparing all with all.
pub(super) type Cell = [i32; 4];

const CELL: f64 = 1e-3;
/// Keeps the round coordinates that people type away from the edges of cells.
const SHIFT: f64 = 0.000_371_7;

/// The cell of a geometry's bounds.
pub(super) fn cell(bounds: Option<[f32; 4]>) -> Cell {
    bounds.map_or([0; 4], |bounds| {
        bounds.map(|v| ((f64::from(v) + SHIFT) / CELL).floor() as i32)
    })
}

/// Every cell in which the bounds of the same geometry may lie: one, or more where a bound is close to an edge.
pub(super) fn cells_around(bounds: Option<[f32; 4]>) -> Vec<Cell> {
    let Some(bounds) = bounds else {
        return vec![[0; 4]];
    };
    let mut cells = vec![[0; 4]];
    for (axis, value) in bounds.into_iter().enumerate() {
        let at = |v: f64| ((v + SHIFT) / CELL).floor() as i32;
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

/// A pile of more equal annotations than this is paired in order first where nothing differs at all, so that the
/// assignment does not have to weigh all against all.
const PILE: usize = 64;

pub(super) fn pair(state: &mut State<'_>) {
    let (seeking, available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return;
    }
    let index = Index::new(state, &seeking, &available);
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut degree = vec![0_u32; state.observed.len()];
    for &desired in &seeking {
        let before = edges.len();
        let mut found = index.same(state, desired);
        if found.len() > PILE
            && let Some(&twin) = found
                .iter()
                .find(|&&o| state.observed_free[o] && is_unchanged(state, desired, o))
        {
            state.take(desired, twin, reason());
            continue;
        }
        found.sort_unstable();
        edges.extend(found.into_iter().map(|observed| (desired, observed)));
        edges[before..]
            .iter()
            .for_each(|&(_, observed)| degree[observed] += 1);
    }
    edges.retain(|&(_, observed)| state.observed_free[observed]);

    // Most annotations have one candidate that has no other: they need no assignment.
    let mut contested = Vec::new();
    for group in edges.chunk_by(|a, b| a.0 == b.0) {
        match group {
            [(desired, observed)] if degree[*observed] == 1 => {
                state.take(*desired, *observed, reason());
            }
            _ => contested.extend_from_slice(group),
        }
    }
    for (desired, observed) in solve(&contested, |desired, observed| {
        Weight([
            1,
            i64::from(is_unchanged(state, desired, observed)),
            0,
            0,
            0,
            0,
        ])
    }) {
        state.take(desired, observed, reason());
    }
}

/// Assigns the pairs (desired, observed) by weight, one connected component after the other; both sides keep their
/// order.
pub(super) fn solve(
    pairs: &[(usize, usize)],
    weight: impl Fn(usize, usize) -> Weight,
) -> Vec<(usize, usize)> {
    let mut solved = Vec::new();
    for component in components(pairs) {
        if let [(desired, observed)] = component[..] {
            solved.push((desired, observed));
            continue;
        }
        let numbered = |side: fn(&(usize, usize)) -> usize| {
            let mut all: Vec<usize> = component.iter().map(side).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let (rows, columns) = (numbered(|pair| pair.0), numbered(|pair| pair.1));
        let at =
            |all: &[usize], item| all.binary_search(&item).expect("every item was numbered") as u32;
        let edges: Vec<Edge> = component
            .iter()
            .map(|&(desired, observed)| Edge {
                row: at(&rows, desired),
                column: at(&columns, observed),
                weight: weight(desired, observed),
            })
            .collect();
        let columns_of = assign(rows.len(), columns.len(), &edges);
        solved.extend(
            rows.iter()
                .zip(columns_of)
                .filter_map(|(&row, column)| Some((row, columns[column? as usize]))),
        );
    }
    solved
}

/// Splits pairs into groups that share no member.
fn components(pairs: &[(usize, usize)]) -> Vec<Vec<(usize, usize)>> {
    fn root(parents: &mut [usize], mut at: usize) -> usize {
        while parents[at] != at {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        at
    }
    let rows = pairs.iter().map(|pair| pair.0 + 1).max().unwrap_or(0);
    let columns = pairs.iter().map(|pair| pair.1 + 1).max().unwrap_or(0);
    let mut parents: Vec<usize> = (0..rows + columns).collect();
    for &(row, column) in pairs {
        let (a, b) = (root(&mut parents, row), root(&mut parents, rows + column));
        parents[a.max(b)] = a.min(b);
    }
    let mut groups: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for &(row, column) in pairs {
        groups
            .entry(root(&mut parents, row))
            .or_default()
            .push((row, column));
    }
    groups.into_values().collect()
}

fn reason() -> Matched {
    Matched::by_name(MatchedBy::Exact)
}

fn is_unchanged(state: &State<'_>, desired: usize, observed: usize) -> bool {
    difference(&state.desired[desired].content, &state.observed[observed]).is_empty()
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
    fn same(&self, state: &State<'_>, at: usize) -> Vec<usize> {
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
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn hash_ids(concepts: &Concepts) -> u64 {
    let mut hasher = DefaultHasher::new();
    concepts
        .iter()
        .for_each(|concept| concept.id.hash(&mut hasher));
    hasher.finish()
}
