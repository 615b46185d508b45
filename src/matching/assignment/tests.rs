use super::*;
use proptest::prelude::*;

fn best(rows: usize, columns: usize, edges: &[Edge]) -> Vec<Option<u32>> {
    assign(rows, columns, edges, &mut StepBudget::default())
}

fn edge(row: u32, column: u32, weight: [i64; 2]) -> Edge {
    Edge {
        row,
        column,
        weight: Weight([weight[0], weight[1], 0, 0, 0, 0]),
    }
}

/// Tries every pairing and returns the first one of the greatest weight, in order of columns, no pair being last.
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
fn the_greatest_sum_wins_over_the_greatest_single_weight() {
    let edges = [edge(0, 0, [1, 9]), edge(0, 1, [1, 8]), edge(1, 0, [1, 8])];
    assert_eq!(best(2, 2, &edges), [Some(1), Some(0)]);
}

#[test]
fn earlier_components_of_weights_have_priority() {
    let edges = [edge(0, 0, [1, 0]), edge(1, 0, [0, 1_000_000])];
    assert_eq!(best(2, 1, &edges), [Some(0), None]);
}

#[test]
fn ties_are_resolved_in_order() {
    let edges: Vec<Edge> = (0..3)
        .flat_map(|r| (0..3).map(move |c| edge(r, c, [1, 5])))
        .collect();
    assert_eq!(best(3, 3, &edges), [Some(0), Some(1), Some(2)]);
    let one: Vec<Edge> = (0..3).map(|r| edge(r, 0, [1, 5])).collect();
    assert_eq!(best(3, 1, &one), [Some(0), None, None]);
}

#[test]
fn rows_take_free_columns_when_the_steps_are_used_up() {
    let edges: Vec<Edge> = (0..40)
        .flat_map(|r| (0..40).map(move |c| edge(r, c, [1, i64::from(r * c % 7)])))
        .collect();
    for pairing in [0, 50, 500, 5_000] {
        let mut steps = StepBudget { pairing, ties: 0 };
        let found = assign(40, 40, &edges, &mut steps);
        let mut columns: Vec<u32> = found.iter().copied().flatten().collect();
        assert_eq!(columns.len(), 40, "every row has a column");
        columns.sort_unstable();
        columns.dedup();
        assert_eq!(columns.len(), 40, "no column is used twice");
        assert_eq!(steps.pairing == 0, pairing < 5_000);
    }
}

#[test]
fn equal_weights_take_few_steps() {
    let edges: Vec<Edge> = (0..256)
        .flat_map(|r| (0..256).map(move |c| edge(r, c, [1, 0])))
        .collect();
    let mut steps = StepBudget::default();
    let found = assign(256, 256, &edges, &mut steps);
    assert!((0..256).all(|row| found[row as usize] == Some(row)));
    assert!(steps.used() <= 2 * edges.len(), "{steps:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_result_equals_brute_force(
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
