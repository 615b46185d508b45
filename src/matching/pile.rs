//! Many annotations on one spot, of which not all pairs can be weighed: they are paired by what they are, in order.

use super::State;
use super::index::{hash, hash_ids};
use super::reason::Matched;
use super::spots::Spot;
use crate::model::{Concepts, Content, ObservedAnnotation, difference, named};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

/// Up to so many concepts are read to find out which lists of concepts contain which.
const CONCEPTS: usize = 20_000_000;
/// Up to so many observed annotations are read to find those that need no write.
const READ: usize = 100_000;
/// So many of those that seem to need no write are looked at.
const LOOKS: usize = 4;

/// Pairs what has the same concepts: first what needs no write, then the rest in order.
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
                let stored = named(&declared, &stored_values(content, &state.observed[at]));
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
            state.take(desired, observed, matched);
        }
    }
    pair_rest(state, spot, matched);
}

/// Pairs what has other concepts: first what a merge writes, then what a removal writes, then the rest in order.
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
        pair_gently(state, desired, observed, matched);
    }
    pair_rest(state, spot, matched);
}

/// How little a relabelling takes away: 2 = nothing, a merge writes it; 1 = it only takes away; 0 = neither.
pub(super) fn gentleness(state: &State<'_>, desired: usize, observed: usize) -> u8 {
    let change = difference(&state.desired[desired].content, &state.observed[observed]);
    match (change.added.is_empty(), change.removed.is_empty()) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    }
}

/// Whether nothing has to be written.
pub(super) fn is_unchanged(state: &State<'_>, desired: usize, observed: usize) -> bool {
    difference(&state.desired[desired].content, &state.observed[observed]).is_empty()
}

fn pair_gently(
    state: &mut State<'_>,
    desired: Vec<VecDeque<usize>>,
    observed: Vec<VecDeque<usize>>,
    matched: Matched,
) {
    let mut gentle: [Vec<(usize, usize)>; 2] = Default::default();
    for (row, wanted) in desired.iter().enumerate() {
        for (column, stored) in observed.iter().enumerate() {
            match gentleness(state, wanted[0], stored[0]) {
                2 => gentle[0].push((row, column)),
                1 => gentle[1].push((row, column)),
                _ => {}
            }
        }
    }
    let (mut desired, mut observed) = (desired, observed);
    for (row, column) in gentle.into_iter().flatten() {
        let (wanted, stored) = (&mut desired[row], &mut observed[column]);
        for _ in 0..wanted.len().min(stored.len()) {
            let (Some(wanted), Some(stored)) = (wanted.pop_front(), stored.pop_front()) else {
                break;
            };
            state.take(wanted, stored, matched);
        }
    }
}

/// The first free declared one with the first free observed one, and so on.
fn pair_rest(state: &mut State<'_>, spot: &Spot, matched: Matched) {
    let mut observed = spot.observed.iter().copied();
    for &desired in &spot.desired {
        if state.desired_free[desired] {
            let Some(free) = observed.find(|&at| state.observed_free[at]) else {
                return;
            };
            state.take(desired, free, matched);
        }
    }
}

/// Annotations by their concepts, in order of the first of each class.
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

/// What is declared beside place and concepts.
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

/// The same of what is stored, as far as it is declared.
fn stored_values(content: &Content, observed: &ObservedAnnotation) -> Value {
    json!({
        "status": content.status.map(|_| observed.status),
        "user": content.user.as_ref().and(observed.user.as_ref()),
        "text": content.text().and(observed.text()),
        "metadata": content.metadata.as_ref().and(observed.metadata()),
        "info": content.info.as_ref().and(observed.info.as_ref()).map(crate::model::Json::to_value),
    })
}

/// What of a JSON value is hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    /// Which keys there are.
    Keys,
}

/// The same for equal JSON: numbers by value, objects in any order.
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
