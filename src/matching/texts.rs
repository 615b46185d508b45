//! Selection of the texts to compare: all pairs, or only those that share rare passages if there are too many.

use super::closeness::Closeness;
use super::group::{Group, declared_text, whole_text};
use super::nearest::Coverage;
use super::state::State;
use std::collections::HashMap;

/// The maximum number of pairs of texts, and of pairs of characters to read, for comparing all texts.
const ALL: usize = 300_000;
const READ: usize = 400_000_000;
/// Otherwise, each declared text is compared with `NEAREST` others: first up to `BY_PASSAGES` that share the most
/// passages, then the next ones in order.
const NEAREST: usize = 24;
const BY_PASSAGES: usize = 16;
/// How many of them may have the same text.
const SAME_TEXT: usize = 4;

/// The number of characters in a passage.
const PASSAGE: usize = 8;
/// The approximate number of passages of an input to keep. They are sampled by their hashes, alike in all texts.
const PASSAGES: usize = 2_000_000;
/// A passage that more pairs of texts share is ignored.
const SHARED: usize = 64;

/// Annotations with equal texts.
struct Class<'a> {
    text: &'a str,
    members: Vec<usize>,
}

/// The declared and the stored texts of one group.
type Sides<'a> = [Vec<Class<'a>>; 2];

/// Selects the pairs of texts of the whole input or frame to compare.
pub(super) fn select_pairs(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
    closeness: &mut Closeness,
) -> (Vec<(usize, usize)>, Coverage) {
    let groups = by_group(state, seeking, available);
    let coverage = if can_compare_all(&groups, closeness) {
        Coverage::All
    } else {
        Coverage::Nearest
    };
    let mut pairs = Vec::new();
    for [declared, stored] in groups {
        if coverage == Coverage::All {
            for one in declared {
                pairs.extend(stored.iter().map(|it| (one.members[0], it.members[0])));
            }
        } else if !stored.is_empty() {
            nearest(&merge_equal(&declared), &merge_equal(&stored), &mut pairs);
        }
    }
    (pairs, coverage)
}

/// The texts of each group with a declared text, one class for each annotation.
fn by_group<'a>(state: &'a State<'_>, seeking: &[usize], available: &[usize]) -> Vec<Sides<'a>> {
    let mut groups: Vec<Sides<'_>> = Vec::new();
    let mut known: HashMap<Group, usize> = HashMap::new();
    let class = |text, at| Class {
        text,
        members: vec![at],
    };
    for &at in seeking {
        if let Some(text) = declared_text(&state.desired[at]) {
            let group = Group::of_desired_ignoring_text(&state.desired[at]);
            let number = *known.entry(group).or_insert_with(|| {
                groups.push(Default::default());
                groups.len() - 1
            });
            groups[number][0].push(class(text, at));
        }
    }
    for &at in available {
        let Some(text) = whole_text(&state.observed[at]) else {
            continue;
        };
        for group in Group::of_observed(&state.observed[at]) {
            if let Some(&number) = known.get(&group) {
                groups[number][1].push(class(text, at));
            }
        }
    }
    groups
}

fn can_compare_all(groups: &[Sides<'_>], closeness: &mut Closeness) -> bool {
    let pairs = groups.iter().fold(0_usize, |pairs, [declared, stored]| {
        pairs.saturating_add(declared.len().saturating_mul(stored.len()))
    });
    if pairs > ALL {
        return false;
    }
    let mut read = 0_usize;
    for [declared, stored] in groups {
        let ours: usize = (declared.iter())
            .map(|it| closeness.pairs_of_desired(it.members[0], it.text))
            .sum();
        let theirs: usize = (stored.iter())
            .map(|it| closeness.pairs_of_observed(it.members[0], it.text))
            .sum();
        read += ours * stored.len() + theirs * declared.len();
    }
    read <= READ
}

/// One class for each distinct text, in order of its first member.
fn merge_equal<'a>(texts: &[Class<'a>]) -> Vec<Class<'a>> {
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

/// For each declared class, the stored ones that share the most passages with it, in descending order.
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

/// The hashes of the passages of a text, sampled at a rate of 1 / `step`. A text shorter than a passage is one passage.
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
            // Mix the bits, because the lowest ones depend on the last character only.
            let mixed = (rolling ^ (rolling >> 32)).wrapping_mul(FACTOR);
            let mixed = mixed ^ (mixed >> 29);
            if mixed.is_multiple_of(step) {
                kept.push(mixed);
            }
        }
    }
    kept
}
