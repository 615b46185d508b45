//! The exact assignment: of all ways to pair two sides, the one with the greatest total weight.
//!
//! The method is successive shortest augmenting paths with potentials; it only ever touches what an augmentation reaches, so a
//! large sparse problem costs little more than its many small parts. Steps are counted, and there are so many and no more
//! for one input: a row that comes when they are used up takes the best column that is free.

use super::weight::Weight;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashSet};

/// A pairing that is possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) weight: Weight,
}

const NONE: u32 = u32::MAX;

/// How many edges may still be looked at. No row needs more than all edges once to be paired, and once for its ties: the
/// pairing is the best there is wherever rows times edges are at most [`Steps::EXACT`], such as 256 rows and columns that
/// may all be paired with each other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pairing: usize,
    ties: usize,
}

impl Steps {
    /// For each of both, less than a second.
    const EXACT: usize = 16_777_216;

    #[cfg(test)]
    pub(super) fn used(self) -> usize {
        2 * Self::EXACT - self.pairing - self.ties
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            pairing: Self::EXACT,
            ties: Self::EXACT,
        }
    }
}

/// Takes a number of steps, or says that there are not as many left.
fn spend(left: &mut usize, count: usize) -> Option<()> {
    let enough = left.checked_sub(count);
    *left = enough.unwrap_or(0);
    enough.map(drop)
}

/// For each row the column it is paired with, or none: the pairing of greatest total weight, every weight being
/// greater than that of no pair. Among equal ones, the first row takes the first column it can, then the second row,
/// and so on. `edges` may come in any order, each (row, column) at most once.
///
/// When the steps are used up, each remaining row takes the free column of the greatest weight, of equal ones the first.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    edges: &[Edge],
    steps: &mut Steps,
) -> Vec<Option<u32>> {
    let mut solver = Solver::new(rows, columns, edges);
    let mut is_best = true;
    for row in 0..rows {
        if solver.insert(row, &mut steps.pairing).is_none() {
            solver.take_free(row);
            is_best = false;
        }
    }
    if is_best {
        solver.settle_ties(&mut steps.ties);
    }
    solver
        .column_of
        .iter()
        .map(|&column| (column < columns as u32).then_some(column))
        .collect()
}

/// Columns `0..columns` are real; column `columns + row` is that row's own way out: no pair, at no cost.
struct Solver {
    columns: usize,
    /// Edges of row r: `targets[starts[r]..starts[r + 1]]`, sorted by column.
    starts: Vec<u32>,
    targets: Vec<(u32, Weight)>,
    row_potential: Vec<Weight>,
    column_potential: Vec<Weight>,
    column_of: Vec<u32>,
    row_of: Vec<u32>,
    // Scratch of one augmentation, cleared by what it touched.
    distance: Vec<Weight>,
    reached_from: Vec<u32>,
    state: Vec<Reached>,
}

/// What one row's search for an earlier column has seen.
#[derive(Default)]
struct Search {
    visited: HashSet<u32>,
    seen_free: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    Not,
    Queued,
    Done,
}

impl Solver {
    fn new(rows: usize, columns: usize, edges: &[Edge]) -> Self {
        let mut sorted: Vec<&Edge> = edges.iter().collect();
        sorted.sort_unstable_by_key(|edge| (edge.row, edge.column));
        let mut starts = vec![0_u32; rows + 1];
        for edge in &sorted {
            starts[edge.row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let all = columns + rows;
        Self {
            columns,
            starts,
            targets: sorted
                .into_iter()
                .map(|edge| (edge.column, edge.weight))
                .collect(),
            row_potential: vec![Weight::default(); rows],
            column_potential: vec![Weight::default(); all],
            column_of: vec![NONE; rows],
            row_of: vec![NONE; all],
            distance: vec![Weight::default(); all],
            reached_from: vec![NONE; all],
            state: vec![Reached::Not; all],
        }
    }

    /// The columns that a row may take, with what each costs: minus its weight.
    fn choices(&self, row: usize) -> impl Iterator<Item = (usize, Weight)> + '_ {
        let range = self.starts[row] as usize..self.starts[row + 1] as usize;
        let real = self.targets[range]
            .iter()
            .map(|&(column, weight)| (column as usize, Weight::default() - weight));
        real.chain(std::iter::once((self.columns + row, Weight::default())))
    }

    fn reduced(&self, row: usize, column: usize, cost: Weight) -> Weight {
        cost - self.row_potential[row] - self.column_potential[column]
    }

    /// The row's best column that is free.
    fn take_free(&mut self, row: usize) {
        let (column, _) = self
            .choices(row)
            .filter(|&(column, _)| self.row_of[column] == NONE)
            .min_by_key(|&(column, cost)| (cost, column))
            .expect("every row has its own way out");
        self.column_of[row] = column as u32;
        self.row_of[column] = row as u32;
    }

    /// Gives one more row its column, re-pairing others along the cheapest augmenting path. Nothing is changed if the
    /// steps do not suffice.
    fn insert(&mut self, row: usize, steps: &mut usize) -> Option<()> {
        let cheapest = self
            .choices(row)
            .map(|(column, cost)| cost - self.column_potential[column])
            .min();
        self.row_potential[row] = cheapest.expect("every row has its own way out");

        let mut queue = BinaryHeap::new();
        let mut touched: Vec<usize> = Vec::new();
        let mut done: Vec<usize> = Vec::new();
        let (mut at, mut travelled) = (row, Weight::default());
        let end = loop {
            let degree = (self.starts[at + 1] - self.starts[at]) as usize;
            if spend(steps, degree).is_none() {
                self.forget(&touched);
                return None;
            }
            let base = travelled - self.row_potential[at];
            for next in self.starts[at]..=self.starts[at + 1] {
                let (column, cost) = if next < self.starts[at + 1] {
                    let (column, weight) = self.targets[next as usize];
                    (column as usize, base - weight)
                } else {
                    (self.columns + at, base)
                };
                if self.state[column] == Reached::Done {
                    continue;
                }
                let distance = cost - self.column_potential[column];
                if self.state[column] == Reached::Not {
                    touched.push(column);
                } else if distance >= self.distance[column] {
                    continue;
                }
                self.state[column] = Reached::Queued;
                self.distance[column] = distance;
                self.reached_from[column] = at as u32;
                // Of equally far ones, those that are free end the search at once.
                let is_taken = self.row_of[column] != NONE;
                queue.push(Reverse((distance, is_taken, column)));
            }
            let Reverse((distance, _, column)) = loop {
                let next = queue
                    .pop()
                    .expect("the way out of the new row is always reachable");
                let Reverse((distance, _, column)) = next;
                if self.state[column] == Reached::Queued
                    && self.distance[column].cmp(&distance) == Ordering::Equal
                {
                    break next;
                }
            };
            self.state[column] = Reached::Done;
            if self.row_of[column] == NONE {
                travelled = distance;
                break column;
            }
            done.push(column);
            travelled = distance;
            at = self.row_of[column] as usize;
        };

        self.row_potential[row] += travelled;
        for &column in &done {
            let slack = travelled - self.distance[column];
            self.column_potential[column] -= slack;
            self.row_potential[self.row_of[column] as usize] += slack;
        }
        let mut column = end;
        loop {
            let from = self.reached_from[column] as usize;
            let previous = self.column_of[from];
            self.column_of[from] = column as u32;
            self.row_of[column] = from as u32;
            if from == row {
                break;
            }
            column = previous as usize;
        }
        self.forget(&touched);
        Some(())
    }

    fn forget(&mut self, touched: &[usize]) {
        for &column in touched {
            self.state[column] = Reached::Not;
            self.reached_from[column] = NONE;
        }
    }

    /// Among all pairings of the greatest weight, the one in which earlier rows have earlier columns. All of them
    /// lie on the edges without reduced cost, and leave free only columns without potential.
    fn settle_ties(&mut self, steps: &mut usize) {
        let rows = self.column_of.len();
        let tight: Vec<Vec<u32>> = (0..rows)
            .map(|row| {
                let choices = self.choices(row);
                choices
                    .filter(|&(column, cost)| self.reduced(row, column, cost) == Weight::default())
                    .map(|(column, _)| column as u32)
                    .collect()
            })
            .collect();
        let can_be_free: Vec<u32> = (0..self.column_potential.len() as u32)
            .filter(|&column| self.column_potential[column as usize] == Weight::default())
            .collect();
        for row in 0..rows {
            // What did not lead to the row's own column for one wish does not for the next one.
            let mut search = Search::default();
            for &wanted in &tight[row] {
                if wanted >= self.column_of[row] || *steps == 0 {
                    break;
                }
                if search.visited.insert(wanted)
                    && self.swap_to(row, wanted, &tight, &can_be_free, &mut search, steps)
                {
                    break;
                }
            }
        }
    }

    /// Moves `row` to the column `wanted` if the rows after it can be re-paired without loss.
    ///
    /// A depth-first walk: whoever held a column seeks another, which its holder must give up in turn, until somebody
    /// takes the column that `row` gave up. A free column is held by [`NONE`], who may take any column that has no
    /// potential, which leaves that one free instead.
    fn swap_to(
        &mut self,
        row: usize,
        wanted: u32,
        tight: &[Vec<u32>],
        can_be_free: &[u32],
        search: &mut Search,
        steps: &mut usize,
    ) -> bool {
        let given_up = self.column_of[row];
        let mut path: Vec<(u32, u32)> = vec![(row as u32, wanted)];
        let mut pending: Vec<(u32, usize)> = Vec::new();
        loop {
            // The holder of the column that was taken last seeks next, unless it may not or did so before.
            let (_, taken) = path[path.len() - 1];
            if pending.len() < path.len() {
                let holder = self.row_of[taken as usize];
                let may_seek = if holder == NONE {
                    !std::mem::replace(&mut search.seen_free, true)
                } else {
                    holder > row as u32
                };
                if may_seek {
                    pending.push((holder, 0));
                } else {
                    path.pop();
                }
            }
            let Some((seeker, next)) = pending.last_mut() else {
                return false;
            };
            if spend(steps, 1).is_none() {
                return false;
            }
            let choices = if *seeker == NONE {
                can_be_free
            } else {
                &tight[*seeker as usize]
            };
            match choices.get(*next) {
                None => {
                    pending.pop();
                    path.pop();
                    if path.is_empty() {
                        return false;
                    }
                }
                Some(&column) => {
                    *next += 1;
                    if column == given_up {
                        path.push((*seeker, column));
                        break;
                    }
                    if search.visited.insert(column) {
                        path.push((*seeker, column));
                    }
                }
            }
        }
        for (taker, column) in path {
            self.row_of[column as usize] = taker;
            if taker != NONE {
                self.column_of[taker as usize] = column;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn best(rows: usize, columns: usize, edges: &[Edge]) -> Vec<Option<u32>> {
        assign(rows, columns, edges, &mut Steps::default())
    }

    fn edge(row: u32, column: u32, weight: [i64; 2]) -> Edge {
        Edge {
            row,
            column,
            weight: Weight([weight[0], weight[1], 0, 0, 0, 0]),
        }
    }

    /// Tries every pairing; the first found of the greatest weight, rows in order, columns in order, none last.
    fn by_brute_force(rows: u32, edges: &[Edge]) -> Vec<Option<u32>> {
        fn go(
            row: u32,
            rows: u32,
            edges: &[Edge],
            used: &mut Vec<u32>,
            picked: &mut Vec<Option<u32>>,
            total: Weight,
            best: &mut Option<(Weight, Vec<Option<u32>>)>,
        ) {
            if row == rows {
                if best.as_ref().is_none_or(|(weight, _)| total > *weight) {
                    *best = Some((total, picked.clone()));
                }
                return;
            }
            let mut mine: Vec<&Edge> = edges.iter().filter(|e| e.row == row).collect();
            mine.sort_by_key(|e| e.column);
            for e in mine {
                if !used.contains(&e.column) {
                    used.push(e.column);
                    picked.push(Some(e.column));
                    go(row + 1, rows, edges, used, picked, total + e.weight, best);
                    picked.pop();
                    used.pop();
                }
            }
            picked.push(None);
            go(row + 1, rows, edges, used, picked, total, best);
            picked.pop();
        }
        let mut best = None;
        go(
            0,
            rows,
            edges,
            &mut vec![],
            &mut vec![],
            Weight::default(),
            &mut best,
        );
        best.unwrap().1
    }

    #[test]
    fn the_greatest_sum_wins_over_the_greatest_single() {
        let edges = [edge(0, 0, [1, 9]), edge(0, 1, [1, 8]), edge(1, 0, [1, 8])];
        assert_eq!(best(2, 2, &edges), [Some(1), Some(0)]);
    }

    #[test]
    fn an_earlier_component_is_never_given_up_for_a_later_one() {
        let edges = [edge(0, 0, [1, 0]), edge(1, 0, [0, 1_000_000])];
        assert_eq!(best(2, 1, &edges), [Some(0), None]);
    }

    #[test]
    fn equal_weights_go_to_the_first() {
        let edges: Vec<Edge> = (0..3)
            .flat_map(|r| (0..3).map(move |c| edge(r, c, [1, 5])))
            .collect();
        assert_eq!(best(3, 3, &edges), [Some(0), Some(1), Some(2)]);
        let one: Vec<Edge> = (0..3).map(|r| edge(r, 0, [1, 5])).collect();
        assert_eq!(best(3, 1, &one), [Some(0), None, None]);
    }

    #[test]
    fn rows_that_come_when_the_steps_are_used_up_take_what_is_free() {
        let edges: Vec<Edge> = (0..40)
            .flat_map(|r| (0..40).map(move |c| edge(r, c, [1, i64::from(r * c % 7)])))
            .collect();
        for pairing in [0, 50, 500, 5_000] {
            let mut steps = Steps { pairing, ties: 0 };
            let found = assign(40, 40, &edges, &mut steps);
            let mut columns: Vec<u32> = found.iter().copied().flatten().collect();
            assert_eq!(columns.len(), 40, "everybody finds somebody");
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns.len(), 40, "nobody is taken twice");
            assert_eq!(steps.pairing == 0, pairing < 5_000);
        }
    }

    #[test]
    fn a_crowd_where_all_is_equal_takes_few_steps() {
        let edges: Vec<Edge> = (0..256)
            .flat_map(|r| (0..256).map(move |c| edge(r, c, [1, 0])))
            .collect();
        let mut steps = Steps::default();
        let found = assign(256, 256, &edges, &mut steps);
        assert!((0..256).all(|row| found[row as usize] == Some(row)));
        assert!(steps.used() <= 2 * edges.len(), "{steps:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn it_is_what_trying_everything_finds(
            rows in 1_u32..5, columns in 1_u32..5,
            cells in proptest::collection::vec(proptest::option::weighted(0.6, (0_i64..3, 1_i64..4)), 16),
        ) {
            let mut edges = Vec::new();
            for row in 0..rows {
                for column in 0..columns {
                    if let Some((a, b)) = cells[(row * 4 + column) as usize] {
                        edges.push(edge(row, column, [a, b]));
                    }
                }
            }
            prop_assert_eq!(best(rows as usize, columns as usize, &edges), by_brute_force(rows, &edges));
        }
    }
}
