//! The state of matching one input: which annotations are paired, and which are still free.

use super::claim::Claims;
use super::reason::{Matched, MatchedBy};
use crate::model::{DesiredAnnotation, Identity, InputId, Maker, ObservedAnnotation};
use std::collections::HashMap;

/// A declared annotation and the observed one that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index of the declared annotation.
    pub desired: usize,
    /// Index of the observed annotation.
    pub observed: usize,
    pub matched: Matched,
}

/// The result for one input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matching {
    /// In declared order.
    pub pairs: Vec<Pair>,
    /// Indices of declared annotations that are not in the app.
    pub missing: Vec<usize>,
    /// Indices of observed annotations that are not declared.
    pub unclaimed: Vec<usize>,
}

pub(super) struct State<'a> {
    pub(super) claims: &'a Claims,
    pub(super) desired: &'a [DesiredAnnotation],
    pub(super) observed: &'a [ObservedAnnotation],
    pub(super) pairs: Vec<Pair>,
    pub(super) desired_free: Vec<bool>,
    pub(super) observed_free: Vec<bool>,
}

impl<'a> State<'a> {
    pub(super) fn new(
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
    pub(super) fn pair(&mut self, desired: usize, observed: usize, matched: Matched) {
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

    /// Pairs what the manifest identifies by id, by key, or as the input-level annotation.
    pub(super) fn pair_by_id(&mut self, input: &InputId) {
        let has_id = |d: &DesiredAnnotation| !matches!(d.identity, Identity::Content);
        if !self.desired.iter().any(has_id) {
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
                        self.pair(at, found, Matched::without_measure(MatchedBy::InputLevel));
                    }
                    continue;
                }
                Identity::Content => continue,
            };
            if let Some(&found) = found
                && self.observed_free[found]
            {
                self.pair(at, found, Matched::without_measure(by));
            }
        }
    }

    fn free_input_level(&self) -> Option<usize> {
        (0..self.observed.len())
            .find(|&at| self.observed_free[at] && self.observed[at].maker == Maker::Input)
    }

    /// Declared annotations to be matched by content, in declared order: those without id and key, and those whose key
    /// gave no existing id.
    pub(super) fn seeking(&self) -> Vec<usize> {
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

    /// Free observed annotations that may be claimed by content.
    pub(super) fn available(&self) -> Vec<usize> {
        (0..self.observed.len())
            .filter(|&at| self.observed_free[at] && self.claims.is_claimable(&self.observed[at]))
            .collect()
    }

    pub(super) fn finish(mut self) -> Matching {
        self.pairs.sort_by_key(|pair| pair.desired);
        let free = |flags: &[bool]| (0..flags.len()).filter(|&at| flags[at]).collect();
        Matching {
            pairs: self.pairs,
            missing: free(&self.desired_free),
            unclaimed: free(&self.observed_free),
        }
    }
}
