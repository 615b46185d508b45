//! The minimum number of writes, found by brute force.

use crate::support::ME;
use annosync::model::{
    DesiredAnnotation, DesiredState, Identity, ObservedAnnotation, ObservedState, Overlap,
    difference, overlap,
};

/// Tries every pairing of declared and observed annotations that the stages allow. Among those with the most pairs of the
/// earliest stages, it returns the minimum number of writes.
pub(super) fn fewest_writes(desired: &DesiredState, observed: &ObservedState) -> u64 {
    let input = &desired.inputs[0];
    let all = &observed.inputs[&input.id];
    // Pairs by id and key are fixed, so they are taken from the plan.
    let key_id = annosync::model::key_id(
        &desired.set,
        &input.id,
        &annosync::model::Key::new("k").unwrap(),
    );
    let by_name = |d: &DesiredAnnotation| match &d.identity {
        Identity::Id(id) => all.iter().position(|o| o.id == *id),
        Identity::Key(_) => all.iter().position(|o| o.id == key_id),
        Identity::InputLevel | Identity::Content => None,
    };
    let mut used = vec![false; all.len()];
    let mut fixed = 0;
    let mut free = Vec::new();
    for d in &input.annotations {
        match by_name(d) {
            Some(at) => {
                used[at] = true;
                fixed += u64::from(!difference(&d.content, &all[at]).is_empty());
            }
            None if matches!(d.identity, Identity::Id(_)) => fixed += 1,
            None => free.push(d),
        }
    }
    let in_scope = |o: &ObservedAnnotation| {
        o.id.as_str().starts_with('r') && o.user.as_ref().is_some_and(|u| u.as_str() == ME)
    };
    let candidates: Vec<&ObservedAnnotation> = all
        .iter()
        .enumerate()
        .filter(|(at, o)| !used[*at] && in_scope(o))
        .map(|(_, o)| o)
        .collect();
    let mut best = None;
    search(
        &free,
        &candidates,
        &mut vec![false; candidates.len()],
        [0; 4],
        0,
        &mut best,
    );
    fixed + best.expect("no pairs at all is an assignment").1
}

type Best = Option<([i64; 4], u64)>;

fn search(
    free: &[&DesiredAnnotation],
    all: &[&ObservedAnnotation],
    taken: &mut Vec<bool>,
    stages: [i64; 4],
    writes: u64,
    best: &mut Best,
) {
    let Some((d, rest)) = free.split_first() else {
        let total = writes + taken.iter().filter(|taken| !**taken).count() as u64;
        if best.is_none_or(|(known, fewest)| stages > known || (stages == known && total < fewest))
        {
            *best = Some((stages, total));
        }
        return;
    };
    search(rest, all, taken, stages, writes + 1, best);
    for at in 0..all.len() {
        if taken[at] {
            continue;
        }
        let Some(stage) = stage(d, all[at]) else {
            continue;
        };
        taken[at] = true;
        let mut stages = stages;
        stages[stage] += 1;
        let changed = u64::from(!difference(&d.content, all[at]).is_empty());
        search(rest, all, taken, stages, writes + changed, best);
        taken[at] = false;
    }
}

/// The stage that would pair the two; 0 is exact.
fn stage(d: &DesiredAnnotation, o: &ObservedAnnotation) -> Option<usize> {
    use annosync::model::Geometry;
    let geometry = d.content.geometry.as_ref().unwrap_or(&Geometry::Whole);
    if geometry.kind() != o.geometry.kind() || d.content.frame != o.frame {
        return None;
    }
    let same_concepts = d
        .content
        .concepts
        .as_ref()
        .is_none_or(|concepts| concepts.same(&o.concepts));
    if geometry.same(&o.geometry) {
        return Some(usize::from(!same_concepts));
    }
    let close = overlap(geometry, &o.geometry)?;
    match same_concepts {
        true if close >= Overlap::from_millionths(500_000) => Some(2),
        false if close >= Overlap::from_millionths(900_000) => Some(3),
        _ => None,
    }
}
