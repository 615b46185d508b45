//! Which texts of one input are worth comparing: all with all, or of too many those that share rare passages.

use super::State;
use super::closeness::Closeness;
use super::nearest::Which;
use super::place::{Place, declared_text, whole_text};
use std::collections::HashMap;

/// Up to so many pairs of texts all are compared, if no more than [`READ`] pairs of characters have to be read for it.
const ALL: usize = 300_000;
const READ: usize = 400_000_000;
/// Of more, each declared text is compared with so many that share the most passages, and then with the next ones in order.
const NEAREST: usize = 24;
const BY_PASSAGES: usize = 16;
/// How many of those that say the very same count among them.
const SAME_TEXT: usize = 4;

/// How many characters a passage has.
const PASSAGE: usize = 8;
/// About so many passages of an input are kept, chosen by their hash, the same ones of every text.
const PASSAGES: usize = 2_000_000;
/// A passage that more pairs of texts than this share says nothing.
const SHARED: usize = 64;

/// Texts that say the same.
struct Class<'a> {
    text: &'a str,
    members: Vec<usize>,
}

/// Pairs of texts of the whole input, or of the whole frame, that are worth comparing.
pub(super) fn worthwhile(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
    closeness: &mut Closeness,
) -> (Vec<(usize, usize)>, Which) {
    let mut places: HashMap<Place, [Vec<Class<'_>>; 2]> = HashMap::new();
    let mut order: Vec<Place> = Vec::new();
    for &at in seeking {
        if let Some(text) = declared_text(&state.desired[at]) {
            let place = Place::of_desired_with_any_text(&state.desired[at]);
            let sides = places.entry(place.clone()).or_insert_with(|| {
                order.push(place);
                Default::default()
            });
            sides[0].push(Class {
                text,
                members: vec![at],
            });
        }
    }
    if order.is_empty() {
        return (Vec::new(), Which::All);
    }
    for &at in available {
        let Some(text) = whole_text(&state.observed[at]) else {
            continue;
        };
        for place in Place::of_observed(&state.observed[at]) {
            if let Some(sides) = places.get_mut(&place) {
                sides[1].push(Class {
                    text,
                    members: vec![at],
                });
            }
        }
    }
    let (mut count, mut read) = (0_usize, 0_usize);
    for [declared, stored] in places.values() {
        count = count.saturating_add(declared.len().saturating_mul(stored.len()));
    }
    if count <= ALL {
        for [declared, stored] in places.values() {
            let ours: usize = (declared.iter())
                .map(|it| closeness.pairs_of_desired(it.members[0], it.text))
                .sum();
            let theirs: usize = (stored.iter())
                .map(|it| closeness.pairs_of_observed(it.members[0], it.text))
                .sum();
            read += ours * stored.len() + theirs * declared.len();
        }
    }
    let mut pairs = Vec::new();
    let all = count <= ALL && read <= READ;
    for place in order {
        let [declared, stored] = &places[&place];
        if all {
            for one in declared {
                pairs.extend(stored.iter().map(|it| (one.members[0], it.members[0])));
            }
        } else if !stored.is_empty() {
            nearest(&merged(declared), &merged(stored), &mut pairs);
        }
    }
    (pairs, if all { Which::All } else { Which::Nearest })
}

/// One class for each text, in order of its first member.
fn merged<'a>(texts: &[Class<'a>]) -> Vec<Class<'a>> {
    let mut classes: Vec<Class<'a>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for one in texts {
        let class = *known.entry(one.text).or_insert_with(|| {
            classes.push(Class {
                text: one.text,
                members: Vec::new(),
            });
            classes.len() - 1
        });
        classes[class].members.extend(&one.members);
    }
    classes
}

fn nearest(declared: &[Class<'_>], stored: &[Class<'_>], pairs: &mut Vec<(usize, usize)>) {
    let close = by_passages(declared, stored);
    let mut turn = 0;
    for (class, close) in declared.iter().zip(close) {
        for (member, &at) in class.members.iter().enumerate() {
            let mut left = NEAREST;
            let in_order = (0..stored.len()).map(|next| (turn + next) % stored.len());
            let in_order = in_order.filter(|other| !close.contains(other));
            for other in close.iter().copied().chain(in_order) {
                let there = &stored[other].members;
                let count = there.len().min(SAME_TEXT).min(left);
                pairs.extend((0..count).map(|next| (at, there[(member + next) % there.len()])));
                left -= count;
                if left == 0 {
                    break;
                }
            }
            turn += 1;
        }
    }
}

/// For each declared class the stored ones that share the most passages with it, the one that shares most first.
fn by_passages(declared: &[Class<'_>], stored: &[Class<'_>]) -> Vec<Vec<usize>> {
    let all: usize = (declared.iter().chain(stored))
        .map(|it| it.text.len())
        .sum();
    let step = all.div_ceil(PASSAGES).max(1) as u64;
    let mut passages: Vec<(u64, u32)> = Vec::new();
    for (number, class) in declared.iter().chain(stored).enumerate() {
        let mut mine = passages_of(class.text, step);
        mine.sort_unstable();
        mine.dedup();
        passages.extend(mine.into_iter().map(|passage| (passage, number as u32)));
    }
    passages.sort_unstable();
    let mut shared: Vec<(u32, u32)> = Vec::new();
    for same in passages.chunk_by(|a, b| a.0 == b.0) {
        let split = same.partition_point(|&(_, number)| (number as usize) < declared.len());
        let (ours, theirs) = same.split_at(split);
        if ours.len() * theirs.len() <= SHARED {
            for &(_, one) in ours {
                shared.extend(theirs.iter().map(|&(_, other)| (one, other)));
            }
        }
    }
    shared.sort_unstable();
    let mut close: Vec<Vec<(usize, u32)>> = vec![Vec::new(); declared.len()];
    for same in shared.chunk_by(|a, b| a == b) {
        let (one, other) = same[0];
        close[one as usize].push((same.len(), other));
    }
    let best = |mut close: Vec<(usize, u32)>| {
        close.sort_unstable_by_key(|&(count, other)| (std::cmp::Reverse(count), other));
        close.truncate(BY_PASSAGES);
        (close.into_iter())
            .map(|(_, other)| other as usize - declared.len())
            .collect()
    };
    close.into_iter().map(best).collect()
}

/// The hashes of a text's passages, of which every `step`th is kept. A short text is one passage.
fn passages_of(text: &str, step: u64) -> Vec<u64> {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let chars: Vec<u64> = text.chars().map(|c| u64::from(u32::from(c)) + 1).collect();
    let count = PASSAGE.min(chars.len());
    let first = FACTOR.wrapping_pow(count as u32);
    let mut rolling = 0_u64;
    let mut kept = Vec::new();
    for (at, &next) in chars.iter().enumerate() {
        rolling = rolling.wrapping_mul(FACTOR).wrapping_add(next);
        if at >= count {
            rolling = rolling.wrapping_sub(chars[at - count].wrapping_mul(first));
        }
        if at + 1 >= count {
            // The last bits of the sum hang on the last character alone.
            let mixed = (rolling ^ (rolling >> 32)).wrapping_mul(FACTOR);
            let mixed = mixed ^ (mixed >> 29);
            if mixed.is_multiple_of(step) {
                kept.push(mixed);
            }
        }
    }
    kept
}
