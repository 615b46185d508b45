//! Declared annotations that would duplicate existing ones that must not be claimed.

use super::claim::Claims;
use super::state::State;
use super::{candidates, exact};
use crate::model::{
    DesiredAnnotation, Geometry, Identity, Maker, ObservedAnnotation, is_stand_in_id,
};

/// A declared annotation, and an equal or nearly equal one of another user or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoublePair {
    /// Index of the declared annotation.
    pub desired: usize,
    /// Index of the observed annotation.
    pub observed: usize,
    /// Whether geometry and concepts are equal. Otherwise only the concepts are, and the overlap is at least 0.9.
    pub is_equal: bool,
}

/// Compares annotations to be posted (`missing`) with undeclared annotations (`unclaimed`) of other sets and of users
/// outside `owners`. Each observed annotation duplicates at most one declared one.
pub fn doubles(
    claims: &Claims,
    (desired, missing): (&[DesiredAnnotation], &[usize]),
    (observed, unclaimed): (&[ObservedAnnotation], &[usize]),
) -> Vec<DoublePair> {
    let is_foreign = |it: &ObservedAnnotation| {
        it.maker == Maker::User
            && it.geometry != Geometry::Unmodelled
            && !claims.is_in_scope(it)
            && !is_stand_in_id(&it.id)
    };
    let foreign: Vec<usize> = (unclaimed.iter().copied())
        .filter(|&at| is_foreign(&observed[at]))
        .collect();
    if foreign.is_empty() || missing.is_empty() {
        return Vec::new();
    }
    // Match by content only.
    let posts: Vec<DesiredAnnotation> = (missing.iter())
        .map(|&at| DesiredAnnotation {
            identity: Identity::Content,
            ..desired[at].clone()
        })
        .collect();
    let there: Vec<ObservedAnnotation> = foreign.iter().map(|&at| observed[at].clone()).collect();
    let claims = claims.for_everything();
    let mut state = State::new(&claims, &posts, &there);
    exact::pair(&mut state);
    let mut doubles: Vec<DoublePair> = (state.pairs.iter())
        .map(|pair| DoublePair {
            desired: missing[pair.desired],
            observed: foreign[pair.observed],
            is_equal: true,
        })
        .collect();
    doubles.extend(
        candidates::near_duplicates(&state)
            .into_iter()
            .map(|(post, there)| DoublePair {
                desired: missing[post],
                observed: foreign[there],
                is_equal: false,
            }),
    );
    doubles.sort_by_key(|double| double.desired);
    doubles
}
