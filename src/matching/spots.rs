//! Which declared and observed annotations lie on the same spot: each distinct place is compared once, however many lie there.

use super::index::{Index, hash, hash_ids};
use super::place::Place;
use super::{State, geometry};
use crate::model::{Concepts, DesiredAnnotation};
use std::collections::HashMap;

/// Up to so many pairs on one spot all are weighed: 256 declared ones and as many observed ones.
const PILE: usize = 65_536;
/// Up to so many pairs on all spots of an input; where there are more, up to [`SMALL_PILE`] on one.
const PAIRS: usize = 200_000;
const SMALL_PILE: usize = 256;

/// Declared annotations of one place and what is there: everyone may be paired with everyone.
#[derive(Debug)]
pub(super) struct Spot {
    /// In declared order.
    pub(super) desired: Vec<usize>,
    /// In their order.
    pub(super) observed: Vec<usize>,
}

impl Spot {
    /// All pairs.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let observed = self.observed.iter().copied();
        (self.desired.iter()).flat_map(move |&desired| observed.clone().map(move |o| (desired, o)))
    }

    fn count(&self) -> usize {
        self.desired.len().saturating_mul(self.observed.len())
    }
}

/// The spots of an input that hold something on both sides.
#[derive(Debug)]
pub(super) struct Spots(Vec<Spot>);

impl Spots {
    /// Same place, same concepts.
    pub(super) fn of_equal(index: &Index, state: &State<'_>, seeking: &[usize]) -> Self {
        Self::new(
            state,
            seeking,
            |it| it.content.concepts.as_ref(),
            |at| index.same(state, at),
        )
    }

    /// Same place, whatever the concepts.
    pub(super) fn of_place(index: &Index, state: &State<'_>, seeking: &[usize]) -> Self {
        Self::new(state, seeking, |_| None, |at| index.same_place(state, at))
    }

    fn new(
        state: &State<'_>,
        seeking: &[usize],
        concepts: impl Fn(&DesiredAnnotation) -> Option<&Concepts>,
        find: impl Fn(usize) -> Vec<usize>,
    ) -> Self {
        let mut spots: Vec<Spot> = Vec::new();
        let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
        for &at in seeking {
            let desired = &state.desired[at];
            let bounds = geometry(desired).bounds();
            let key = hash(&(
                Place::of_desired(desired),
                bounds.map(|bounds| bounds.map(f32::to_bits)),
                concepts(desired).map(hash_ids),
            ));
            let there = known.entry(key).or_default();
            let spot = there.iter().find(|&&spot| {
                let first = &state.desired[spots[spot].desired[0]];
                Place::of_desired(first) == Place::of_desired(desired)
                    && geometry(first) == geometry(desired)
                    && concepts(first) == concepts(desired)
            });
            if let Some(&spot) = spot {
                spots[spot].desired.push(at);
                continue;
            }
            there.push(spots.len());
            let mut observed = find(at);
            observed.sort_unstable();
            spots.push(Spot {
                desired: vec![at],
                observed,
            });
        }
        spots.retain(|spot| !spot.observed.is_empty());
        Self(spots)
    }

    #[cfg(test)]
    pub(super) fn all(self) -> Vec<Spot> {
        self.0
    }

    /// Those that hold too much for all pairs to be weighed, then the others.
    pub(super) fn split(self) -> (Vec<Spot>, Vec<Spot>) {
        let all = (self.0.iter()).fold(0, |all: usize, spot| all.saturating_add(spot.count()));
        let limit = if all <= PAIRS { PILE } else { SMALL_PILE };
        (self.0.into_iter()).partition(|spot| spot.count() > limit)
    }
}
