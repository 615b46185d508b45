//! The assignment problem: the pairing of two sides with the greatest total weight.
//!
//! Solved by successive shortest augmenting paths with potentials. An augmentation only touches the vertices that it
//! reaches, so a large sparse problem costs little more than its components. The number of steps per input is limited:
//! when they are used up, the remaining rows take their best free columns.

use super::weight::Weight;
use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashSet};

/// A possible pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) weight: Weight,
}

const NONE: u32 = u32::MAX;

/// The number of edges that may still be visited. A row visits every edge at most once to be paired, and once more to
/// resolve ties. So the result is optimal if rows times edges are at most [`StepBudget::EXACT`], for example for a
/// complete graph of 256 rows and columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepBudget {
    pairing: usize,
    ties: usize,
}

impl StepBudget {
    /// Pairing and ties each take less than a second at this size.
    const EXACT: usize = 16_777_216;

    #[cfg(test)]
    pub(super) fn used(self) -> usize {
        2 * Self::EXACT - self.pairing - self.ties
    }
}

impl Default for StepBudget {
    fn default() -> Self {
        Self {
            pairing: Self::EXACT,
            ties: Self::EXACT,
        }
    }
}

/// Takes `count` steps; `None` if fewer are left, which are then used up.
fn spend(left: &mut usize, count: usize) -> Option<()> {
    let enough = left.checked_sub(count);
    *left = enough.unwrap_or(0);
    enough.map(drop)
}

/// The column of each row in the pairing of the greatest total weight. Of several such pairings, the first row gets its
/// first possible column, then the second row, and so on. All weights must be greater than zero. `edges` may be in any
/// order, but without duplicates.
///
/// When the steps are used up, each remaining row takes the free column of the greatest weight, or the first of these.
pub(super) fn assign(
    rows: usize,
    columns: usize,
    edges: &[Edge],
    steps: &mut StepBudget,
) -> Vec<Option<u32>> {
    let mut solver = Solver::new(rows, columns, edges);
    let mut is_optimal = true;
    for row in 0..rows {
        if solver.insert(row, &mut steps.pairing).is_none() {
            solver.take_best_free_column(row);
            is_optimal = false;
        }
    }
    if is_optimal {
        solver.resolve_ties(&mut steps.ties);
    }
    solver
        .column_of
        .iter()
        .map(|&column| (column < columns as u32).then_some(column))
        .collect()
}

/// Columns `0..columns` are real. Column `columns + row` is a dummy: it means that the row has no pair, at no cost.
struct Solver {
    columns: usize,
    /// Edges of row r: `targets[starts[r]..starts[r + 1]]`, sorted by column.
    starts: Vec<u32>,
    targets: Vec<(u32, Weight)>,
    row_potential: Vec<Weight>,
    column_potential: Vec<Weight>,
    column_of: Vec<u32>,
    row_of: Vec<u32>,
    // Scratch space of one augmentation.
    distance: Vec<Weight>,
    reached_from: Vec<u32>,
    state: Vec<VisitState>,
}

/// The vertices that the search for an earlier column of one row has visited.
#[derive(Default)]
struct Search {
    visited: HashSet<u32>,
    seen_free: bool,
}

/// A path from a new row to a free column.
struct Path {
    end: usize,
    length: Weight,
    /// The columns that the search has finished, except `end`.
    done: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum VisitState {
    Unvisited,
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
            state: vec![VisitState::Unvisited; all],
        }
    }

    /// The columns that a row may take, each with its cost, the negative weight.
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

    fn take_best_free_column(&mut self, row: usize) {
        let (column, _) = self
            .choices(row)
            .filter(|&(column, _)| self.row_of[column] == NONE)
            .min_by_key(|&(column, cost)| (cost, column))
            .expect("every row has a dummy column");
        self.column_of[row] = column as u32;
        self.row_of[column] = row as u32;
    }

    /// Pairs one more row along the cheapest augmenting path, which may change the columns of other rows. `None` if the
    /// steps are used up, without any change.
    fn insert(&mut self, row: usize, steps: &mut usize) -> Option<()> {
        let cheapest = self
            .choices(row)
            .map(|(column, cost)| cost - self.column_potential[column])
            .min();
        self.row_potential[row] = cheapest.expect("every row has a dummy column");
        let mut touched = Vec::new();
        let path = self.shortest_path(row, steps, &mut touched);
        if let Some(path) = &path {
            self.update_potentials(row, path);
            self.augment(row, path.end);
        }
        self.reset(&touched);
        path.map(drop)
    }

    /// Dijkstra's algorithm from a row to the nearest free column. Every column whose state it changes is added to
    /// `touched`.
    fn shortest_path(
        &mut self,
        row: usize,
        steps: &mut usize,
        touched: &mut Vec<usize>,
    ) -> Option<Path> {
        let mut queue = BinaryHeap::new();
        let mut done: Vec<usize> = Vec::new();
        let (mut at, mut length) = (row, Weight::default());
        loop {
            let degree = (self.starts[at + 1] - self.starts[at]) as usize;
            spend(steps, degree)?;
            let base = length - self.row_potential[at];
            for next in self.starts[at]..=self.starts[at + 1] {
                let (column, cost) = if next < self.starts[at + 1] {
                    let (column, weight) = self.targets[next as usize];
                    (column as usize, base - weight)
                } else {
                    (self.columns + at, base)
                };
                if self.state[column] == VisitState::Done {
                    continue;
                }
                let distance = cost - self.column_potential[column];
                if self.state[column] == VisitState::Unvisited {
                    touched.push(column);
                } else if distance >= self.distance[column] {
                    continue;
                }
                self.state[column] = VisitState::Queued;
                self.distance[column] = distance;
                self.reached_from[column] = at as u32;
                // Of equally near columns, free ones come first and end the search.
                let is_taken = self.row_of[column] != NONE;
                queue.push(Reverse((distance, is_taken, column)));
            }
            let Reverse((distance, _, column)) = loop {
                let next = queue
                    .pop()
                    .expect("the dummy column of the new row is always reachable");
                let Reverse((distance, _, column)) = next;
                if self.state[column] == VisitState::Queued
                    && self.distance[column].cmp(&distance) == Ordering::Equal
                {
                    break next;
                }
            };
            self.state[column] = VisitState::Done;
            length = distance;
            if self.row_of[column] == NONE {
                return Some(Path {
                    end: column,
                    length,
                    done,
                });
            }
            done.push(column);
            at = self.row_of[column] as usize;
        }
    }

    fn update_potentials(&mut self, row: usize, path: &Path) {
        self.row_potential[row] += path.length;
        for &column in &path.done {
            let slack = path.length - self.distance[column];
            self.column_potential[column] -= slack;
            self.row_potential[self.row_of[column] as usize] += slack;
        }
    }

    /// Shifts the columns of the rows on the path, so that `row` gets one.
    fn augment(&mut self, row: usize, end: usize) {
        let mut column = end;
        loop {
            let from = self.reached_from[column] as usize;
            let previous = self.column_of[from];
            self.column_of[from] = column as u32;
            self.row_of[column] = from as u32;
            if from == row {
                return;
            }
            column = previous as usize;
        }
    }

    fn reset(&mut self, touched: &[usize]) {
        for &column in touched {
            self.state[column] = VisitState::Unvisited;
            self.reached_from[column] = NONE;
        }
    }

    /// Changes to the optimal pairing in which earlier rows have earlier columns. All optimal pairings consist of edges
    /// with zero reduced cost, and only columns with zero potential are free in them.
    fn resolve_ties(&mut self, steps: &mut usize) {
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
            // Vertices that did not lead to the row's own column from one wanted column do not from another one.
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
    /// A depth-first search: the previous row of a column needs another column, whose row must give it up in turn, until
    /// one takes the old column of `row`. A free column belongs to [`NONE`], which can take any column with zero
    /// potential, so that this one becomes free instead.
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
            // Continue with the previous row of the last column, unless it is before `row` or was visited already.
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
mod tests;
