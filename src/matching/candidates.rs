//! Stages 3 to 5: relabelled, moved, moved and relabelled.

use super::assignment::Steps;
use super::closeness::{Closeness, PolygonMeasure};
use super::exact::solve;
use super::index::Index;
use super::nearest::{self, Which};
use super::pile::{self, gentleness};
use super::reason::{Matched, MatchedBy};
use super::spots::{Spot, Spots};
use super::texts;
use super::weight::Weight;
use super::{State, geometry};
use crate::model::{Measure, Overlap};
use std::collections::{BTreeMap, HashMap};

/// Same concepts, and at least half of the common area.
const MOVED: Overlap = Overlap::from_millionths(500_000);
/// Other concepts, and nearly all of the common area.
const MOVED_AND_RELABELLED: Overlap = Overlap::from_millionths(900_000);
/// A runner-up as close as this makes a pairing ambiguous.
const AMBIGUOUS: u32 = 20_000;
/// How often what found no partner among its nearest ones is tried again with those that are left.
const ROUNDS: usize = 4;

/// A pairing that some stage would make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) by: MatchedBy,
    pub(super) overlap: Overlap,
    /// How little a relabelling would have to take away.
    pub(super) gentleness: i64,
}

impl Candidate {
    /// First the number of pairs, stage by stage, which is what saves writes; then their closeness; last how gentle the
    /// relabellings are.
    pub(super) fn weight(self) -> Weight {
        let closeness = i64::from(self.overlap.millionths());
        match self.by {
            MatchedBy::Moved => Weight([0, 1, 0, closeness, 0, 0]),
            MatchedBy::MovedAndRelabelled => Weight([0, 0, 1, 0, closeness, 0]),
            _ => Weight([1, 0, 0, 0, 0, self.gentleness]),
        }
    }
}

/// The two closest candidates of one annotation.
#[derive(Debug, Clone, Copy, Default)]
struct Closest([Option<(Overlap, usize)>; 2]);

impl Closest {
    fn add(&mut self, overlap: Overlap, other: usize) {
        // Of equally close ones either will do: only the closeness is shown.
        let [first, second] = &mut self.0;
        if first.is_none_or(|(known, _)| overlap > known) {
            *second = first.replace((overlap, other));
        } else if second.is_none_or(|(known, _)| overlap > known) {
            *second = Some((overlap, other));
        }
    }

    fn but(&self, partner: usize) -> Option<Overlap> {
        self.0
            .iter()
            .flatten()
            .find(|(_, other)| *other != partner)
            .map(|(overlap, _)| *overlap)
    }
}

/// Runner-ups of one annotation, by stage.
#[derive(Debug, Clone, Copy, Default)]
struct Rivals {
    relabelled: Closest,
    moved: Closest,
    any: Closest,
}

impl Rivals {
    fn of(&self, by: MatchedBy) -> &Closest {
        match by {
            MatchedBy::Moved => &self.moved,
            MatchedBy::MovedAndRelabelled => &self.any,
            _ => &self.relabelled,
        }
    }
}

pub(super) fn pair(state: &mut State<'_>) {
    let mut steps = Steps::default();
    for round in 0..ROUNDS {
        let (seeking, available) = (state.seeking(), state.available());
        if seeking.is_empty() || available.is_empty() {
            return;
        }
        let mut found = Found::default();
        if round == 0 {
            found.same_place(state, &seeking, &available);
        }
        let which = found.close(state, &state.seeking(), &state.available());
        let before = state.pairs.len();
        found.settle(state, &mut steps);
        if which == Which::All {
            return;
        }
        if state.pairs.len() == before {
            break;
        }
    }
    for by in [MatchedBy::Moved, MatchedBy::MovedAndRelabelled] {
        let mut found = Found::default();
        let mut closeness = Closeness::default();
        closeness.polygons = PolygonMeasure::Lines;
        nearest::offer(state, |state, at, other| {
            found.weigh(state, at, other, &mut closeness);
            let candidate = found.candidates.get(&(at, other)).copied();
            let fits = candidate.filter(|candidate| candidate.by == by);
            if let Some(candidate) = fits {
                found.take(state, at, other, candidate);
            }
            fits.is_some()
        });
    }
}

/// For each declared annotation that is still free, the closest one with the same concepts that overlaps it nearly
/// wholly.
pub(super) fn near(state: &State<'_>) -> Vec<(usize, usize)> {
    let (seeking, available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return Vec::new();
    }
    let mut found = Found::default();
    found.close(state, &seeking, &available);
    let mut closest: BTreeMap<usize, (Overlap, usize)> = BTreeMap::new();
    for ((desired, observed), candidate) in found.candidates {
        if candidate.by != MatchedBy::Moved || candidate.overlap < MOVED_AND_RELABELLED {
            continue;
        }
        let known = closest
            .entry(desired)
            .or_insert((candidate.overlap, observed));
        if candidate.overlap > known.0 {
            *known = (candidate.overlap, observed);
        }
    }
    let pairs = closest
        .into_iter()
        .map(|(desired, (_, observed))| (desired, observed));
    pairs.collect()
}

#[derive(Default)]
struct Found {
    candidates: BTreeMap<(usize, usize), Candidate>,
    of_desired: HashMap<usize, Rivals>,
    of_observed: HashMap<usize, Rivals>,
}

impl Found {
    fn rivals(
        &mut self,
        desired: usize,
        observed: usize,
        stage: fn(&mut Rivals) -> &mut Closest,
        closeness: Overlap,
    ) {
        stage(self.of_desired.entry(desired).or_default()).add(closeness, observed);
        stage(self.of_observed.entry(observed).or_default()).add(closeness, desired);
    }

    fn runner_up(&self, by: MatchedBy, desired: usize, observed: usize) -> Option<Overlap> {
        let ours = self
            .of_desired
            .get(&desired)
            .and_then(|rivals| rivals.of(by).but(observed));
        let theirs = self
            .of_observed
            .get(&observed)
            .and_then(|rivals| rivals.of(by).but(desired));
        ours.max(theirs)
    }

    /// Pairs what was found, in the best way there is.
    fn settle(&self, state: &mut State<'_>, steps: &mut Steps) {
        let pairs: Vec<(usize, usize)> = self.candidates.keys().copied().collect();
        let weight = |desired, observed| self.candidates[&(desired, observed)].weight();
        for (desired, observed) in solve(&pairs, weight, steps) {
            self.take(
                state,
                desired,
                observed,
                self.candidates[&(desired, observed)],
            );
        }
    }

    fn take(&self, state: &mut State<'_>, desired: usize, observed: usize, candidate: Candidate) {
        let runner_up = self.runner_up(candidate.by, desired, observed);
        let ambiguous = runner_up
            .is_some_and(|other| other.millionths() + AMBIGUOUS >= candidate.overlap.millionths());
        let matched = Matched {
            by: candidate.by,
            measure: match candidate.by {
                MatchedBy::Relabelled => Measure::default(),
                _ => Measure::of(geometry(&state.desired[desired])),
            },
            overlap: Some(candidate.overlap),
            runner_up,
            ambiguous,
        };
        state.take(desired, observed, matched);
    }

    /// Stage 3. What has the same concepts as well was paired before.
    fn same_place(&mut self, state: &mut State<'_>, seeking: &[usize], available: &[usize]) {
        let index = Index::new(state, seeking, available);
        let (piles, spots) = Spots::of_place(&index, state, seeking).split();
        for spot in piles {
            let matched = Matched {
                overlap: Some(Overlap::WHOLE),
                runner_up: Some(Overlap::WHOLE),
                ambiguous: true,
                ..Matched::by_name(MatchedBy::Relabelled)
            };
            pile::pair_relabelled(state, &spot, matched);
        }
        for (desired, observed) in spots.iter().flat_map(Spot::pairs) {
            if !state.observed_free[observed] {
                continue;
            }
            let candidate = Candidate {
                by: MatchedBy::Relabelled,
                overlap: Overlap::WHOLE,
                gentleness: gentleness(state, desired, observed).into(),
            };
            self.candidates.insert((desired, observed), candidate);
            self.rivals(
                desired,
                observed,
                |rivals| &mut rivals.relabelled,
                Overlap::WHOLE,
            );
        }
    }

    /// Stages 4 and 5.
    fn close(&mut self, state: &State<'_>, seeking: &[usize], available: &[usize]) -> Which {
        let mut closeness = Closeness::default();
        let found = nearest::worthwhile(state, seeking, available);
        closeness.polygons = found.polygons;
        for (at, other) in found.pairs {
            self.weigh(state, at, other, &mut closeness);
        }
        let (pairs, which) = texts::worthwhile(state, seeking, available, &mut closeness);
        for (at, other) in pairs {
            self.weigh(state, at, other, &mut closeness);
        }
        which.max(found.which)
    }

    /// Makes a candidate of a pair that is close enough for some stage.
    fn weigh(&mut self, state: &State<'_>, at: usize, other: usize, closeness: &mut Closeness) {
        let (desired, observed) = (&state.desired[at], &state.observed[other]);
        let Some(closeness) = closeness.of(state, at, other) else {
            return;
        };
        if closeness == Overlap::NONE {
            return;
        }
        self.rivals(at, other, |rivals| &mut rivals.any, closeness);
        let same = state.claims.same_concepts(desired, observed);
        if same {
            self.rivals(at, other, |rivals| &mut rivals.moved, closeness);
        }
        let by = match same {
            true if closeness >= MOVED => MatchedBy::Moved,
            false if closeness >= MOVED_AND_RELABELLED => MatchedBy::MovedAndRelabelled,
            _ => return,
        };
        let candidate = Candidate {
            by,
            overlap: closeness,
            gentleness: 0,
        };
        self.candidates.entry((at, other)).or_insert(candidate);
    }
}
