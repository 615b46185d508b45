//! Stage 2: same geometry and same concepts, as multisets.

use super::assignment::{Edge, StepBudget, assign};
use super::crowded::{self, is_unchanged};
use super::group::same_location;
use super::index::Index;
use super::reason::{Matched, MatchedBy};
use super::spots::{Spot, Spots};
use super::state::State;
use super::weight::Weight;
use crate::model::Geometry;
use std::collections::BTreeMap;

pub(super) fn pair(state: &mut State<'_>) {
    let (seeking, available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return;
    }
    let edges = if are_few_boxes(state, &seeking, &available) {
        compared(state, &seeking, &available)
    } else {
        indexed(state, &seeking, &available)
    };
    let mut degree = vec![0_u32; state.observed.len()];
    for (_, observed) in &edges {
        degree[*observed] += 1;
    }
    // Most annotations have one candidate, which has no other. These need no assignment.
    let mut contested = Vec::new();
    for group in edges.chunk_by(|a, b| a.0 == b.0) {
        match group {
            [(desired, observed)] if degree[*observed] == 1 => {
                state.pair(*desired, *observed, reason());
            }
            _ => contested.extend_from_slice(group),
        }
    }
    let weight = |desired, observed| {
        let unchanged = i64::from(is_unchanged(state, desired, observed));
        Weight([1, unchanged, 0, 0, 0, 0])
    };
    for (desired, observed) in solve(&contested, weight, &mut StepBudget::default()) {
        state.pair(desired, observed, reason());
    }
}

/// Whether comparing all with all takes less time than an index.
fn are_few_boxes(state: &State<'_>, seeking: &[usize], available: &[usize]) -> bool {
    const MOST: usize = 32;
    let is_box = |at: &usize| matches!(state.desired[*at].geometry(), Geometry::Box(_));
    seeking.len() <= MOST && available.len() <= MOST && seeking.iter().all(is_box)
}

/// All pairs with the same geometry and the same concepts, sorted.
pub(super) fn compared(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(seeking.len());
    for &desired in seeking {
        let declared = &state.desired[desired];
        let equal = available.iter().filter(|&&observed| {
            let observed = &state.observed[observed];
            same_location(declared, observed) && state.claims.same_concepts(declared, observed)
        });
        pairs.extend(equal.map(|&observed| (desired, observed)));
    }
    pairs
}

/// As [`compared`], by an index. Pairs at crowded locations are paired at once.
pub(super) fn indexed(
    state: &mut State<'_>,
    seeking: &[usize],
    available: &[usize],
) -> Vec<(usize, usize)> {
    let index = Index::new(state, seeking, available);
    let (crowded, spots) = Spots::by_content(&index, state, seeking).split();
    for spot in crowded {
        crowded::pair_equal(state, &spot, reason());
    }
    let pairs = spots.iter().flat_map(Spot::pairs);
    let mut pairs: Vec<(usize, usize)> =
        (pairs.filter(|&(_, observed)| state.observed_free[observed])).collect();
    pairs.sort_unstable();
    pairs
}

/// Selects the pairs (desired, observed) of the greatest total weight, for each connected component. The orders of both
/// sides break ties.
pub(super) fn solve(
    pairs: &[(usize, usize)],
    weight: impl Fn(usize, usize) -> Weight,
    steps: &mut StepBudget,
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
        let columns_of = assign(rows.len(), columns.len(), &edges, steps);
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
    Matched::without_measure(MatchedBy::Exact)
}
