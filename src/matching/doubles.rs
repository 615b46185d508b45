//! Which declared annotations would double what is there and is not to be claimed.

use super::{Claims, State, candidates, exact};
use crate::model::{
    DesiredAnnotation, Geometry, Identity, Maker, ObservedAnnotation, is_stand_in_id,
};

/// A declared annotation, and one of somebody else's that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Double {
    /// Index of the declared one.
    pub desired: usize,
    /// Index of the observed one.
    pub observed: usize,
    /// Whether place and concepts are equal; else the concepts are, and the places overlap by at least 0.9.
    pub is_equal: bool,
}

/// The doubles among annotations that are about to be posted (`missing`), beside those that nothing declared
/// (`unclaimed`) and that are a user's outside the owners, or another set's. Each observed one equals one declared one at
/// most.
pub fn doubles(
    claims: &Claims,
    (desired, missing): (&[DesiredAnnotation], &[usize]),
    (observed, unclaimed): (&[ObservedAnnotation], &[usize]),
) -> Vec<Double> {
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
    // Only what they are counts, not what they are called.
    let posts: Vec<DesiredAnnotation> = (missing.iter())
        .map(|&at| DesiredAnnotation {
            identity: Identity::Content,
            ..desired[at].clone()
        })
        .collect();
    let there: Vec<ObservedAnnotation> = foreign.iter().map(|&at| observed[at].clone()).collect();
    let claims = claims.of_everything();
    let mut state = State::new(&claims, &posts, &there);
    exact::pair(&mut state);
    let mut doubles: Vec<Double> = (state.pairs.iter())
        .map(|pair| Double {
            desired: missing[pair.desired],
            observed: foreign[pair.observed],
            is_equal: true,
        })
        .collect();
    doubles.extend(
        candidates::near(&state)
            .into_iter()
            .map(|(post, there)| Double {
                desired: missing[post],
                observed: foreign[there],
                is_equal: false,
            }),
    );
    doubles.sort_by_key(|double| double.desired);
    doubles
}
