//! Which observed annotation is which declared one.
//!
//! Pure: the desired and observed annotations of one input in, pairs with their reasons out. Uses `model` alone.
//!
//! Names come first (an id, or the id that a key makes). What is left is paired by content, never across kinds,
//! frames or tracks: equal ones as multisets, then by place. The later stages are one assignment problem whose weight is
//! compared stage by stage, so that an earlier stage never gives up a pair for a later one, and among the pairings
//! that an earlier stage leaves open the one that is best for the later stages is taken.

mod assignment;
mod candidates;
mod claim;
mod closeness;
mod doubles;
mod exact;
#[cfg(test)]
mod growth;
mod index;
mod nearest;
mod pile;
mod place;
mod reason;
mod spots;
mod texts;
mod weight;

pub use claim::Claims;
pub use doubles::{Double, doubles};
pub use reason::{Matched, MatchedBy};

use crate::model::{DesiredAnnotation, Geometry, Identity, InputId, Maker, ObservedAnnotation};
use std::collections::HashMap;

/// A declared annotation and the observed one that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index of the declared one.
    pub desired: usize,
    /// Index of the observed one.
    pub observed: usize,
    /// Why.
    pub matched: Matched,
}

/// The outcome for one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// Who is whom, sorted by declared order.
    pub pairs: Vec<Pair>,
    /// Indices of declared annotations that are not on the remote.
    pub missing: Vec<usize>,
    /// Indices of observed annotations that nothing declared.
    pub unclaimed: Vec<usize>,
}

/// Pairs the declared annotations of one input with its observed ones. `observed` is sorted by (`created_at`, id);
/// both orders break ties.
pub fn match_input(
    claims: &Claims,
    input: &InputId,
    desired: &[DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> Matching {
    let mut state = State::new(claims, desired, observed);
    state.by_name(input);
    exact::pair(&mut state);
    candidates::pair(&mut state);
    state.finish()
}

/// What is paired already, and what is still free.
struct State<'a> {
    claims: &'a Claims,
    desired: &'a [DesiredAnnotation],
    observed: &'a [ObservedAnnotation],
    pairs: Vec<Pair>,
    desired_free: Vec<bool>,
    observed_free: Vec<bool>,
}

impl<'a> State<'a> {
    fn new(
        claims: &'a Claims,
        desired: &'a [DesiredAnnotation],
        observed: &'a [ObservedAnnotation],
    ) -> Self {
        Self {
            claims,
            desired,
            observed,
            pairs: Vec::with_capacity(desired.len()),
            desired_free: vec![true; desired.len()],
            observed_free: vec![true; observed.len()],
        }
    }
}

impl State<'_> {
    fn take(&mut self, desired: usize, observed: usize, matched: Matched) {
        debug_assert!(
            self.desired_free[desired] && self.observed_free[observed],
            "paired twice"
        );
        self.desired_free[desired] = false;
        self.observed_free[observed] = false;
        self.pairs.push(Pair {
            desired,
            observed,
            matched,
        });
    }

    fn by_name(&mut self, input: &InputId) {
        let names_anything = |d: &DesiredAnnotation| !matches!(d.identity, Identity::Content);
        if !self.desired.iter().any(names_anything) {
            return;
        }
        let by_id: HashMap<&str, usize> = self
            .observed
            .iter()
            .enumerate()
            .map(|(at, o)| (o.id.as_str(), at))
            .collect();
        for (at, desired) in self.desired.iter().enumerate() {
            let (found, by) = match &desired.identity {
                Identity::Id(id) => (by_id.get(id.as_str()), MatchedBy::Id),
                Identity::Key(key) => {
                    let mut ids = self.claims.key_ids(input, key);
                    let found = ids.find_map(|id| by_id.get(id.as_str()));
                    (found, MatchedBy::Key)
                }
                Identity::InputLevel => {
                    if let Some(found) = self.free_input_level() {
                        self.take(at, found, Matched::by_name(MatchedBy::InputLevel));
                    }
                    continue;
                }
                Identity::Content => continue,
            };
            if let Some(&found) = found
                && self.observed_free[found]
            {
                self.take(at, found, Matched::by_name(by));
            }
        }
    }

    fn free_input_level(&self) -> Option<usize> {
        (0..self.observed.len())
            .find(|&at| self.observed_free[at] && self.observed[at].maker == Maker::Input)
    }

    /// Declared annotations that the stages by content look at, in declared order: those that say which they are by what
    /// they are, and those whose key made no id that is there.
    fn seeking(&self) -> Vec<usize> {
        (0..self.desired.len())
            .filter(|&at| {
                self.desired_free[at]
                    && matches!(
                        self.desired[at].identity,
                        Identity::Key(_) | Identity::Content
                    )
            })
            .collect()
    }

    /// Observed annotations that nothing claimed yet and that something may claim by content.
    fn available(&self) -> Vec<usize> {
        (0..self.observed.len())
            .filter(|&at| self.observed_free[at] && self.claims.is_claimable(&self.observed[at]))
            .collect()
    }

    fn finish(mut self) -> Matching {
        self.pairs.sort_by_key(|pair| pair.desired);
        let free = |flags: &[bool]| (0..flags.len()).filter(|&at| flags[at]).collect();
        Matching {
            pairs: self.pairs,
            missing: free(&self.desired_free),
            unclaimed: free(&self.observed_free),
        }
    }
}

/// The geometry of a declared annotation that says where it lies, or the whole input.
fn geometry(desired: &DesiredAnnotation) -> &Geometry {
    desired
        .content
        .geometry
        .as_ref()
        .unwrap_or(&Geometry::Whole)
}
