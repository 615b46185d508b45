//! Declared and observed annotations at the same location, so that each distinct location is searched once.

use super::group::Group;
use super::index::{Index, Indices, hash, hash_ids};
use super::state::State;
use crate::model::{Concepts, DesiredAnnotation};
use foldhash::fast::FixedState;
use smallvec::smallvec;
use std::collections::HashMap;

/// A spot with more pairs than this is crowded: 256 declared annotations and as many observed ones.
const MAX_PAIRS: usize = 65_536;
/// If the spots of an input have more pairs than this in all, [`MAX_PAIRS_IF_MANY`] applies to each spot.
const PAIRS: usize = 200_000;
const MAX_PAIRS_IF_MANY: usize = 256;

/// Declared and observed annotations at one location. Any of them may be paired.
#[derive(Debug)]
pub(super) struct Spot {
    /// Indices, sorted.
    pub(super) desired: Indices,
    /// Indices, sorted.
    pub(super) observed: Indices,
}

impl Spot {
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let observed = self.observed.iter().copied();
        (self.desired.iter()).flat_map(move |&desired| observed.clone().map(move |o| (desired, o)))
    }

    fn count(&self) -> usize {
        self.desired.len().saturating_mul(self.observed.len())
    }
}

/// The spots of an input that have declared and observed annotations.
#[derive(Debug)]
pub(super) struct Spots(Vec<Spot>);

impl Spots {
    /// Spots with the same location and the same concepts.
    pub(super) fn by_content(index: &Index, state: &State<'_>, seeking: &[usize]) -> Self {
        Self::new(
            state,
            seeking,
            |it| it.content.concepts.as_ref(),
            |at| index.same(state, at),
        )
    }

    /// Spots with the same location and any concepts.
    pub(super) fn by_location(index: &Index, state: &State<'_>, seeking: &[usize]) -> Self {
        Self::new(
            state,
            seeking,
            |_| None,
            |at| index.at_same_location(state, at),
        )
    }

    fn new(
        state: &State<'_>,
        seeking: &[usize],
        concepts: impl Fn(&DesiredAnnotation) -> Option<&Concepts>,
        find: impl Fn(usize) -> Indices,
    ) -> Self {
        let mut spots: Vec<Spot> = Vec::new();
        let mut known: HashMap<u64, Indices, FixedState> = HashMap::default();
        for &at in seeking {
            let desired = &state.desired[at];
            let bounds = desired.geometry().bounds();
            let key = hash(&(
                Group::of_desired(desired),
                bounds.map(|bounds| bounds.map(f32::to_bits)),
                concepts(desired).map(hash_ids),
            ));
            let there = known.entry(key).or_default();
            let spot = there.iter().find(|&&spot| {
                let first = &state.desired[spots[spot].desired[0]];
                Group::of_desired(first) == Group::of_desired(desired)
                    && first.geometry() == desired.geometry()
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
                desired: smallvec![at],
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

    /// The crowded spots, then the others.
    pub(super) fn split(self) -> (Vec<Spot>, Vec<Spot>) {
        let all = (self.0.iter()).fold(0, |all: usize, spot| all.saturating_add(spot.count()));
        let limit = if all <= PAIRS {
            MAX_PAIRS
        } else {
            MAX_PAIRS_IF_MANY
        };
        (self.0.into_iter()).partition(|spot| spot.count() > limit)
    }
}
