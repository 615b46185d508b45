//! Small inputs get the optimal pairing, and the work on large inputs is bounded.

use super::candidates::Candidate;
use super::closeness::{Closeness, PolygonMeasure};
use super::group::{COMPARISONS, same_location};
use super::index::Index;
use super::nearest::{self, Coverage};
use super::reason::{Matched, MatchedBy};
use super::spots::Spots;
use super::state::State;
use super::weight::Weight;
use super::{Claims, Pair, crowded, exact, match_input, texts};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, Geometry, Identity, InputId, Json,
    ObservedAnnotation, ObservedExtras, Origin, Overlap, RareFields, overlap, text_overlap,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn content(value: &Value) -> Content {
    serde_json::from_value(value.clone()).unwrap()
}

fn declared(values: &[Value]) -> Vec<DesiredAnnotation> {
    let annotation = |value| DesiredAnnotation {
        identity: Identity::Content,
        content: content(value),
        origin: Origin::default(),
    };
    values.iter().map(annotation).collect()
}

/// Observed annotations with this content, in the order of their ids.
fn stored(values: &[Value]) -> Vec<ObservedAnnotation> {
    let annotation = |(at, value)| {
        let content = content(value);
        let metadata = content.metadata.as_ref().map(Json::to_value);
        ObservedAnnotation {
            id: AnnotationId::new(format!("{at:06}")).unwrap(),
            geometry: content.geometry.unwrap_or(Geometry::Whole),
            frame: content.frame,
            concepts: content.concepts.unwrap_or_default(),
            created_at: None,
            data: metadata.map(|m| Json::from_value(&json!({ "metadata": m })).into()),
            provenance: Arc::default(),
            extras: ObservedExtras {
                managed: RareFields::from(content.rare).extras,
                ..ObservedExtras::default()
            }
            .boxed(),
        }
    };
    values.iter().enumerate().map(annotation).collect()
}

fn pairs_of(desired: &[DesiredAnnotation], observed: &[ObservedAnnotation]) -> Vec<Pair> {
    let input = InputId::new("a").unwrap();
    match_input(&Claims::for_tests(), &input, desired, observed).pairs
}

/// The pairs that the index finds, and those that comparing all with all finds.
fn exact_pairs(
    desired: &[DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> [Vec<(usize, usize)>; 2] {
    let claims = Claims::for_tests();
    let mut state = State::new(&claims, desired, observed);
    let (seeking, available) = (state.seeking(), state.available());
    let compared = exact::compared(&state, &seeking, &available);
    [exact::indexed(&mut state, &seeking, &available), compared]
}

/// Tries every pairing and returns the first of the greatest weight.
fn by_brute_force(
    rows: &[usize],
    columns: &[usize],
    weight: &dyn Fn(usize, usize) -> Option<Weight>,
) -> Vec<(usize, usize)> {
    fn go(
        rows: &[usize],
        columns: &[usize],
        weight: &dyn Fn(usize, usize) -> Option<Weight>,
        total: Weight,
        picked: &mut Vec<(usize, usize)>,
        best: &mut Option<(Weight, Vec<(usize, usize)>)>,
    ) {
        let [row, rest @ ..] = rows else {
            if best.as_ref().is_none_or(|(known, _)| total > *known) {
                *best = Some((total, picked.clone()));
            }
            return;
        };
        for &column in columns {
            if picked.iter().any(|&(_, taken)| taken == column) {
                continue;
            }
            if let Some(more) = weight(*row, column) {
                picked.push((*row, column));
                go(rest, columns, weight, total + more, picked, best);
                picked.pop();
            }
        }
        go(rest, columns, weight, total, picked, best);
    }
    let mut best = None;
    go(
        rows,
        columns,
        weight,
        Weight::default(),
        &mut Vec::new(),
        &mut best,
    );
    best.expect("no pair at all is a pairing").1
}

/// Matching by definition, with brute force.
fn by_definition(state: &State<'_>) -> Vec<(usize, usize)> {
    let (seeking, available) = (state.seeking(), state.available());
    let same =
        |d: usize, o: usize| (state.claims).same_concepts(&state.desired[d], &state.observed[o]);
    let together = |d: usize, o: usize| same_location(&state.desired[d], &state.observed[o]);
    let mut pairs = by_brute_force(&seeking, &available, &|d, o| {
        let unchanged = i64::from(crowded::is_unchanged(state, d, o));
        (together(d, o) && same(d, o)).then_some(Weight([1, unchanged, 0, 0, 0, 0]))
    });
    let free = |all: &[usize], side: fn(&(usize, usize)) -> usize| -> Vec<usize> {
        let taken: BTreeSet<usize> = pairs.iter().map(side).collect();
        all.iter()
            .copied()
            .filter(|at| !taken.contains(at))
            .collect()
    };
    let (rows, columns) = (free(&seeking, |p| p.0), free(&available, |p| p.1));
    let more = by_brute_force(&rows, &columns, &|d, o| {
        let (wanted, there) = (&state.desired[d].content, &state.observed[o]);
        let (by, overlap, relabel_rank) = if together(d, o) {
            let relabel_rank = crowded::relabel_rank(state, d, o).into();
            (MatchedBy::Relabelled, Overlap::WHOLE, relabel_rank)
        } else {
            let close = match (wanted.text(), there.text()) {
                (Some(one), Some(other)) => text_overlap(one, other),
                _ => overlap(state.desired[d].geometry(), &there.geometry)?,
            };
            match (same(d, o), close.millionths()) {
                (true, 500_000..) => (MatchedBy::Moved, close, 0),
                (false, 900_000..) => (MatchedBy::MovedAndRelabelled, close, 0),
                _ => return None,
            }
        };
        let candidate = Candidate {
            by,
            overlap,
            relabel_rank,
        };
        Some(candidate.weight())
    });
    pairs.extend(more);
    pairs.sort_unstable();
    pairs
}

fn square(at: f64, side: f64) -> Value {
    json!({"top": at, "left": 0.1, "bottom": at + side, "right": 0.5})
}

/// An annotation of a few kinds, at a few locations close together.
fn any_annotation(kind: u8) -> impl Strategy<Value = Value> {
    let concepts = prop::sample::subsequence(vec!["car", "bus", "red"], 0..=2);
    (0_u8..6, concepts, 0_u8..3).prop_map(move |(place, concepts, n)| {
        let at = 0.1 + f64::from(place) * 0.015;
        let mut value = match kind {
            0 => json!({"box": square(at, 0.3)}),
            1 => json!({"polygon": [[at, 0.1], [at, 0.6], [at + 0.3, 0.6], [at + 0.2, 0.1]]}),
            2 => json!({"point": [at, at]}),
            _ => json!({"text": "what is written here, or nearly".split_at(24 + usize::from(place)).0}),
        };
        value["concepts"] = concepts.iter().map(|&c| (c.to_owned(), json!(1))).collect();
        if n > 0 {
            value["metadata"] = json!({ "n": n });
        }
        value
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn small_inputs_get_the_same_pairing_as_by_brute_force(
        (wanted, there) in (0_u8..4).prop_flat_map(|kind| (
            prop::collection::vec(any_annotation(kind), 0..5),
            prop::collection::vec(any_annotation(kind), 0..5),
        )),
    ) {
        let (desired, observed) = (declared(&wanted), stored(&there));
        let claims = Claims::for_tests();
        let state = State::new(&claims, &desired, &observed);
        let found: Vec<_> = pairs_of(&desired, &observed)
            .into_iter().map(|pair| (pair.desired, pair.observed)).collect();
        prop_assert_eq!(found, by_definition(&state));
    }

    #[test]
    fn the_index_finds_the_same_pairs_as_comparing_all_with_all(
        (wanted, there) in (0_u8..4).prop_flat_map(|kind| (
            prop::collection::vec(any_annotation(kind), 1..9),
            prop::collection::vec(any_annotation(kind), 1..9),
        )),
    ) {
        let [indexed, compared] = exact_pairs(&declared(&wanted), &stored(&there));
        prop_assert_eq!(indexed, compared);
    }

    #[test]
    fn edges_within_the_tolerance_are_found_by_the_index_too(
        edges in prop::collection::vec((0.0_f64..0.4, prop::array::uniform4(-1.2e-6_f64..1.2e-6)), 1..9),
    ) {
        let at = |start: f64, noise: [f64; 4]| {
            let [top, left, bottom, right] = noise;
            json!({"box": {
                "top": start + 0.01 + top, "left": start + 0.02 + left,
                "bottom": start + 0.3 + bottom, "right": start + 0.4 + right,
            }, "concepts": {"car": 1}})
        };
        let wanted: Vec<Value> = edges.iter().map(|(start, _)| at(*start, [0.0; 4])).collect();
        let there: Vec<Value> = edges.iter().map(|(start, noise)| at(*start, *noise)).collect();
        let [indexed, compared] = exact_pairs(&declared(&wanted), &stored(&there));
        prop_assert_eq!(indexed, compared);
    }

    #[test]
    fn a_crowded_spot_needs_as_few_writes_as_by_brute_force(
        wanted in prop::collection::vec(0_u8..4, 1..6), there in prop::collection::vec(0_u8..4, 1..6),
    ) {
        let one = |n: &u8| json!({"box": square(0.1, 0.3), "concepts": {"car": 1}, "metadata": {"n": n}});
        let (desired, observed) = (
            declared(&wanted.iter().map(one).collect::<Vec<_>>()),
            stored(&there.iter().map(one).collect::<Vec<_>>()),
        );
        let claims = Claims::for_tests();
        let mut state = State::new(&claims, &desired, &observed);
        let best = by_definition(&state).into_iter()
            .filter(|&(d, o)| crowded::is_unchanged(&state, d, o)).count();
        let index = Index::new(&state, &state.seeking(), &state.available());
        for spot in Spots::by_content(&index, &state, &state.seeking()).all() {
            crowded::pair_equal(&mut state, &spot, Matched::without_measure(MatchedBy::Exact));
        }
        let unchanged = state.pairs.iter()
            .filter(|pair| crowded::is_unchanged(&state, pair.desired, pair.observed)).count();
        prop_assert_eq!(state.pairs.len(), wanted.len().min(there.len()));
        prop_assert_eq!(unchanged, best);
    }
}

/// A fixed pseudo-random sequence of fractions.
fn fractions() -> impl FnMut() -> f64 {
    let mut state = 7_u64;
    move || {
        state = (state.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1);
        (state >> 40) as f64 / f64::from(1_u32 << 24)
    }
}

fn with_car(mut value: Value) -> Value {
    value["concepts"] = json!({"car": 1});
    value
}

/// The pairs that are compared by location.
fn weighed(wanted: &[Value], there: &[Value]) -> nearest::SelectedPairs {
    let (desired, observed) = (declared(wanted), stored(there));
    let claims = Claims::for_tests();
    let state = State::new(&claims, &desired, &observed);
    nearest::select_pairs(&state, &state.seeking(), &state.available())
}

#[test]
fn many_equal_relabelled_boxes_are_one_crowded_spot() {
    let boxes =
        |concept: &str| vec![json!({"box": square(0.1, 0.3), "concepts": {concept: 1}}); 5_000];
    let (desired, observed) = (declared(&boxes("bus")), stored(&boxes("car")));
    let claims = Claims::for_tests();
    let state = State::new(&claims, &desired, &observed);
    let index = Index::new(&state, &state.seeking(), &state.available());
    let (crowded, spots) = Spots::by_location(&index, &state, &state.seeking()).split();
    assert_eq!((crowded.len(), spots.len()), (1, 0));
    let pairs = pairs_of(&desired, &observed);
    assert!((pairs.iter().enumerate()).all(|(at, pair)| (pair.desired, pair.observed) == (at, at)));
    assert_eq!(pairs.len(), 5_000);
}

#[test]
fn a_crowded_spot_is_paired_by_relabel_rank() {
    let boxes = |concepts: [&str; 2]| {
        let of = |at: usize| {
            let concepts: BTreeMap<&str, u8> =
                concepts[at % 2].split(' ').map(|c| (c, 1)).collect();
            json!({"box": square(0.1, 0.3), "concepts": concepts})
        };
        (0..600).map(of).collect::<Vec<_>>()
    };
    // With this pairing all only gain concepts; paired in order, all would lose one.
    let (wanted, there) = (boxes(["a b", "c d"]), boxes(["c", "a"]));
    let (desired, observed) = (declared(&wanted), stored(&there));
    let claims = Claims::for_tests();
    let state = State::new(&claims, &desired, &observed);
    let pairs = pairs_of(&desired, &observed);
    assert_eq!(pairs.len(), 600);
    assert!(
        pairs
            .iter()
            .all(|it| crowded::relabel_rank(&state, it.desired, it.observed) == 2)
    );
    assert!(pairs.iter().all(|it| it.matched.ambiguous));
}

#[test]
fn among_many_boxes_each_is_compared_with_the_nearest() {
    for count in [500, 1_000] {
        let mut next = fractions();
        let edges: Vec<[f64; 4]> = (0..count)
            .map(|_| [0.3, 0.3, 0.6, 0.6].map(|edge| edge + next() * 0.01))
            .collect();
        let boxes = |by: f64| -> Vec<Value> {
            let at = |[t, l, b, r]: &[f64; 4]| {
                with_car(
                    json!({"box": {"top": t + by, "left": l + by, "bottom": b + by, "right": r + by}}),
                )
            };
            edges.iter().map(at).collect()
        };
        let (wanted, there) = (boxes(0.002), boxes(0.0));
        let found = weighed(&wanted, &there);
        assert_eq!(found.coverage, Coverage::Nearest);
        assert_eq!(found.pairs.len(), 24 * count);
        let pairs = pairs_of(&declared(&wanted), &stored(&there));
        assert_eq!(pairs.len(), count, "all are paired");
    }
}

/// How many comparisons a matching of these takes, for each of them.
fn comparisons(wanted: &[Value], there: &[Value]) -> f64 {
    let (desired, observed) = (declared(wanted), stored(there));
    COMPARISONS.set(0);
    assert_eq!(pairs_of(&desired, &observed).len(), wanted.len());
    COMPARISONS.get() as f64 / wanted.len() as f64
}

#[test]
fn the_comparisons_of_an_annotation_do_not_grow_with_their_number() {
    /// A box with the upper left corner somewhere within a range, and its concept.
    type Shape = (&'static str, f64, f64, &'static str);
    // What is declared is larger by this, and has this concept.
    let shapes: [Shape; 5] = [
        ("spread, unchanged", 0.9, 0.0, "car"),
        ("spread, moved", 0.9, 0.0002, "car"),
        ("crowded, moved", 0.01, 0.002, "car"),
        ("equal, unchanged", 0.0, 0.0, "car"),
        ("equal, relabelled", 0.0, 0.0, "bus"),
    ];
    for (name, within, larger, concept) in shapes {
        let side = if within > 0.5 { 0.005 } else { 0.3 };
        let boxes = |count: usize, larger: f64, concept: &str| -> Vec<Value> {
            let mut next = fractions();
            let one = |_| {
                let [top, left] = [next(), next()].map(|at| at * within);
                let [bottom, right] = [top, left].map(|at| at + side + larger);
                let edges = json!({"top": top, "left": left, "bottom": bottom, "right": right});
                json!({"box": edges, "concepts": {concept: 1}})
            };
            (0..count).map(one).collect()
        };
        let of = |count| comparisons(&boxes(count, larger, concept), &boxes(count, 0.0, "car"));
        let (few, many) = (of(1_000), of(8_000));
        // The nearest 24 are compared, or fewer.
        assert!(many <= 1.2 * few.max(24.0), "{name}: {few}, then {many}");
    }
}

#[test]
fn polygons_with_many_points_are_compared_along_lines() {
    let ring = |points: usize, at: f64| {
        let on = |side: f64, part: usize| (part as f64 / points as f64) * side + at;
        let half = points / 2;
        let down = (0..half).map(|part| json!([on(0.5, part), at]));
        let up = (0..half).rev().map(|part| json!([on(0.5, part), at + 0.3]));
        with_car(json!({"polygon": down.chain(up).collect::<Vec<_>>()}))
    };
    let rings = |points, count: usize, by: f64| -> Vec<Value> {
        (0..count)
            .map(|at| ring(points, 0.1 + at as f64 * 0.002 + by))
            .collect()
    };
    let of = |points, count| weighed(&rings(points, count, 0.001), &rings(points, count, 0.0));
    assert_eq!(of(40, 30).polygons, PolygonMeasure::Area);
    assert_eq!(of(2_000, 20).polygons, PolygonMeasure::Lines);
    let (wanted, there) = (rings(2_000, 20, 0.0005), rings(2_000, 20, 0.0));
    let pairs = pairs_of(&declared(&wanted), &stored(&there));
    assert!(pairs.iter().all(|pair| pair.desired == pair.observed));
    assert_eq!(pairs.len(), 20);
}

#[test]
fn many_texts_are_matched_by_passages() {
    let count = 600;
    let mut next = fractions();
    let letters: Vec<char> = "etaoin shrdlu".chars().collect();
    let mut text = || -> String {
        (0..300)
            .map(|_| letters[(next() * letters.len() as f64) as usize])
            .collect()
    };
    let before: Vec<String> = (0..count).map(|_| text()).collect();
    let there: Vec<Value> = before
        .iter()
        .map(|text| with_car(json!({ "text": text })))
        .collect();
    let edited = |text: &String| {
        with_car(json!({"text": format!("{}, edited, {}", &text[..100], &text[110..])}))
    };
    let wanted: Vec<Value> = before.iter().rev().map(edited).collect();
    let (desired, observed) = (declared(&wanted), stored(&there));
    let claims = Claims::for_tests();
    let state = State::new(&claims, &desired, &observed);
    let (seeking, available) = (state.seeking(), state.available());
    let (pairs, coverage) =
        texts::select_pairs(&state, &seeking, &available, &mut Closeness::default());
    assert_eq!((coverage, pairs.len()), (Coverage::Nearest, 24 * count));
    let found = pairs_of(&desired, &observed);
    assert_eq!(found.len(), count);
    assert!(
        found
            .iter()
            .all(|pair| pair.desired + pair.observed == count - 1)
    );
}

#[test]
fn many_equal_edited_texts_are_all_paired() {
    let texts = |text: &str| vec![with_car(json!({ "text": text })); 600];
    let pairs = pairs_of(
        &declared(&texts("what is written here, edited")),
        &stored(&texts("what is written here")),
    );
    assert_eq!(pairs.len(), 600);
}
