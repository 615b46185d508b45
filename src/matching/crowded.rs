//! Pairing on crowded spots, which have too many annotations to weigh all pairs.

use super::index::{hash, hash_ids};
use super::reason::Matched;
use super::spots::Spot;
use super::state::State;
use crate::model::{Concepts, Content, ObservedAnnotation, difference, select_keys};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

/// The maximum number of concepts to read for comparing all lists of concepts.
const CONCEPTS: usize = 20_000_000;
/// The maximum number of observed annotations to read for finding those that need no write.
const READ: usize = 100_000;
/// How many annotations with the right hash are compared.
const LOOKS: usize = 4;

/// Pairs annotations with equal concepts: first those that need no write, then the rest in order.
pub(super) fn pair_equal(state: &mut State<'_>, spot: &Spot, matched: Matched) {
    let mut shapes: HashMap<u64, HashMap<u64, VecDeque<usize>>> = HashMap::new();
    for &desired in &spot.desired {
        let content = &state.desired[desired].content;
        let declared = declared_values(content);
        let shape = hash_json(&declared, Part::Keys);
        if (shapes.len() + 1) * spot.observed.len() > READ && !shapes.contains_key(&shape) {
            continue;
        }
        let alike = shapes.entry(shape).or_insert_with(|| {
            let mut alike: HashMap<u64, VecDeque<usize>> = HashMap::new();
            for &at in spot.observed.iter().filter(|&&at| state.observed_free[at]) {
                let stored = select_keys(&declared, &stored_values(content, &state.observed[at]));
                let stored = hash_json(&stored, Part::All);
                alike.entry(stored).or_default().push_back(at);
            }
            alike
        });
        let Some(alike) = alike.get_mut(&hash_json(&declared, Part::All)) else {
            continue;
        };
        alike.retain(|&at| state.observed_free[at]);
        let unchanged = (0..alike.len().min(LOOKS))
            .find(|&next| is_unchanged(state, desired, alike[next]))
            .and_then(|next| alike.remove(next));
        if let Some(observed) = unchanged {
            state.pair(desired, observed, matched);
        }
    }
    pair_rest(state, spot, matched);
}

/// Pairs annotations with other concepts: by [`relabel_rank`], then the rest in order.
pub(super) fn pair_relabelled(state: &mut State<'_>, spot: &Spot, matched: Matched) {
    let desired = classes(&spot.desired, |at| {
        state.desired[at].content.concepts.as_ref()
    });
    let observed = classes(&spot.observed, |at| Some(&state.observed[at].concepts));
    let read = |classes: &[VecDeque<usize>], concepts: &dyn Fn(usize) -> usize| -> usize {
        classes.iter().map(|class| 1 + concepts(class[0])).sum()
    };
    let of_desired = |at: usize| {
        let concepts = state.desired[at].content.concepts.as_ref();
        concepts.map_or(0, Concepts::len)
    };
    let cost = read(&desired, &of_desired) * observed.len()
        + read(&observed, &|at| state.observed[at].concepts.len()) * desired.len();
    if cost <= CONCEPTS {
        pair_by_relabel_rank(state, desired, observed, matched);
    }
    pair_rest(state, spot, matched);
}

/// Ranks a change of concepts by the write that it needs: 2 = a merge, which removes none; 1 = a removal, which adds
/// none; 0 = an overwrite.
pub(super) fn relabel_rank(state: &State<'_>, desired: usize, observed: usize) -> u8 {
    let change = difference(&state.desired[desired].content, &state.observed[observed]);
    match (change.added.is_empty(), change.removed.is_empty()) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    }
}

/// Whether the pair needs no write.
pub(super) fn is_unchanged(state: &State<'_>, desired: usize, observed: usize) -> bool {
    difference(&state.desired[desired].content, &state.observed[observed]).is_empty()
}

fn pair_by_relabel_rank(
    state: &mut State<'_>,
    desired: Vec<VecDeque<usize>>,
    observed: Vec<VecDeque<usize>>,
    matched: Matched,
) {
    let mut ranked: [Vec<(usize, usize)>; 2] = Default::default();
    for (row, wanted) in desired.iter().enumerate() {
        for (column, stored) in observed.iter().enumerate() {
            match relabel_rank(state, wanted[0], stored[0]) {
                2 => ranked[0].push((row, column)),
                1 => ranked[1].push((row, column)),
                _ => {}
            }
        }
    }
    let (mut desired, mut observed) = (desired, observed);
    for (row, column) in ranked.into_iter().flatten() {
        let (wanted, stored) = (&mut desired[row], &mut observed[column]);
        for _ in 0..wanted.len().min(stored.len()) {
            let (Some(wanted), Some(stored)) = (wanted.pop_front(), stored.pop_front()) else {
                break;
            };
            state.pair(wanted, stored, matched);
        }
    }
}

/// Pairs the free annotations in order.
fn pair_rest(state: &mut State<'_>, spot: &Spot, matched: Matched) {
    let mut observed = spot.observed.iter().copied();
    for &desired in &spot.desired {
        if state.desired_free[desired] {
            let Some(free) = observed.find(|&at| state.observed_free[at]) else {
                return;
            };
            state.pair(desired, free, matched);
        }
    }
}

/// Groups annotations by equal concepts, in order of the first of each group.
fn classes<'a>(
    all: &[usize],
    concepts: impl Fn(usize) -> Option<&'a Concepts>,
) -> Vec<VecDeque<usize>> {
    let mut classes: Vec<VecDeque<usize>> = Vec::new();
    let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
    for &at in all {
        let mine = concepts(at);
        let there = known.entry(mine.map_or(0, hash_ids)).or_default();
        let class = (there.iter().copied()).find(|&class| concepts(classes[class][0]) == mine);
        if let Some(class) = class {
            classes[class].push_back(at);
        } else {
            there.push(classes.len());
            classes.push(VecDeque::from([at]));
        }
    }
    classes
}

/// The declared values apart from geometry and concepts.
fn declared_values(content: &Content) -> Value {
    let json = |json: &Option<crate::model::Json>| json.as_ref().map(crate::model::Json::to_value);
    json!({
        "status": content.status,
        "user": content.user,
        "text": content.text(),
        "metadata": json(&content.metadata),
        "info": json(&content.info),
    })
}

/// The observed values of the declared fields.
fn stored_values(content: &Content, observed: &ObservedAnnotation) -> Value {
    json!({
        "status": content.status.map(|_| observed.status),
        "user": content.user.as_ref().and(observed.user.as_ref()),
        "text": content.text().and(observed.text()),
        "metadata": content.metadata.as_ref().and(observed.metadata()),
        "info": content.info.as_ref().and(observed.info.as_ref()).map(crate::model::Json::to_value),
    })
}

/// The part of a JSON value to hash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// Only the keys of objects.
    Keys,
}

/// Equal for equal JSON: numbers by value, objects in any order.
fn hash_json(value: &Value, part: Part) -> u64 {
    match value {
        Value::Object(map) => (map.iter()).fold(1, |all: u64, (key, value)| {
            all.wrapping_add(hash(&(key, hash_json(value, part))))
        }),
        Value::Null => 2,
        _ if part == Part::Keys => 3,
        Value::Number(number) => hash(&number.as_f64().map(f64::to_bits)),
        Value::Array(list) => {
            let list: Vec<u64> = list.iter().map(|value| hash_json(value, part)).collect();
            hash(&list)
        }
        Value::String(text) => hash(text),
        Value::Bool(flag) => hash(flag),
    }
}
