//! Stages 3 to 5: relabelled, moved, moved and relabelled.

use super::assignment::StepBudget;
use super::closeness::{Closeness, PolygonMeasure};
use super::crowded::{self, relabel_rank};
use super::exact::solve;
use super::index::Index;
use super::nearest::{self, Coverage};
use super::reason::{Matched, MatchedBy};
use super::spots::{Spot, Spots};
use super::state::State;
use super::texts;
use super::weight::Weight;
use crate::model::{Measure, Overlap};
use std::collections::{BTreeMap, HashMap};

/// The least overlap with the same concepts.
const MOVED: Overlap = Overlap::from_millionths(500_000);
/// The least overlap with other concepts.
const MOVED_AND_RELABELLED: Overlap = Overlap::from_millionths(900_000);
/// A pair is ambiguous if the runner-up is not further away than this, in millionths.
const AMBIGUOUS: u32 = 20_000;
/// How often annotations without a partner among their nearest ones are tried again with those that are left.
const ROUNDS: usize = 4;

/// A possible pair of one of the stages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) by: MatchedBy,
    pub(super) overlap: Overlap,
    /// See [`relabel_rank`].
    pub(super) relabel_rank: i64,
}

impl Candidate {
    /// First the numbers of pairs of each stage, because each pair saves writes; then overlaps; then relabel ranks.
    pub(super) fn weight(self) -> Weight {
        let closeness = i64::from(self.overlap.millionths());
        match self.by {
            MatchedBy::Moved => Weight([0, 1, 0, closeness, 0, 0]),
            MatchedBy::MovedAndRelabelled => Weight([0, 0, 1, 0, closeness, 0]),
            _ => Weight([1, 0, 0, 0, 0, self.relabel_rank]),
        }
    }
}

/// The two closest candidates of one annotation.
#[derive(Debug, Clone, Copy, Default)]
struct Closest([Option<(Overlap, usize)>; 2]);

impl Closest {
    fn add(&mut self, overlap: Overlap, other: usize) {
        // Only the overlap is shown, so ties need no order.
        let [first, second] = &mut self.0;
        if first.is_none_or(|(known, _)| overlap > known) {
            *second = first.replace((overlap, other));
        } else if second.is_none_or(|(known, _)| overlap > known) {
            *second = Some((overlap, other));
        }
    }

    /// The greatest overlap with anything except `partner`.
    fn except(&self, partner: usize) -> Option<Overlap> {
        self.0
            .iter()
            .flatten()
            .find(|(_, other)| *other != partner)
            .map(|(overlap, _)| *overlap)
    }
}

/// Possible runner-ups of one annotation, by stage.
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
    let mut steps = StepBudget::default();
    for round in 0..ROUNDS {
        let (seeking, available) = (state.seeking(), state.available());
        if seeking.is_empty() || available.is_empty() {
            return;
        }
        let mut found = Found::default();
        if round == 0 {
            found.at_same_location(state, &seeking, &available);
        }
        let coverage = found.close(state, &state.seeking(), &state.available());
        let before = state.pairs.len();
        found.assign(state, &mut steps);
        if coverage == Coverage::All {
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
                found.pair_candidate(state, at, other, candidate);
            }
            fits.is_some()
        });
    }
}

/// For each free declared annotation, the observed one with the same concepts and the greatest overlap of at least 0.9.
pub(super) fn near_duplicates(state: &State<'_>) -> Vec<(usize, usize)> {
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
            .and_then(|rivals| rivals.of(by).except(observed));
        let theirs = self
            .of_observed
            .get(&observed)
            .and_then(|rivals| rivals.of(by).except(desired));
        ours.max(theirs)
    }

    /// Makes the best pairing of the candidates.
    fn assign(&self, state: &mut State<'_>, steps: &mut StepBudget) {
        let pairs: Vec<(usize, usize)> = self.candidates.keys().copied().collect();
        let weight = |desired, observed| self.candidates[&(desired, observed)].weight();
        for (desired, observed) in solve(&pairs, weight, steps) {
            self.pair_candidate(
                state,
                desired,
                observed,
                self.candidates[&(desired, observed)],
            );
        }
    }

    fn pair_candidate(
        &self,
        state: &mut State<'_>,
        desired: usize,
        observed: usize,
        candidate: Candidate,
    ) {
        let runner_up = self.runner_up(candidate.by, desired, observed);
        let ambiguous = runner_up
            .is_some_and(|other| other.millionths() + AMBIGUOUS >= candidate.overlap.millionths());
        let matched = Matched {
            by: candidate.by,
            measure: match candidate.by {
                MatchedBy::Relabelled => Measure::default(),
                _ => Measure::of(state.desired[desired].geometry()),
            },
            overlap: Some(candidate.overlap),
            runner_up,
            ambiguous,
            turn: None,
        };
        state.pair(desired, observed, matched);
    }

    /// Stage 3. Annotations with the same concepts were paired before.
    fn at_same_location(&mut self, state: &mut State<'_>, seeking: &[usize], available: &[usize]) {
        let index = Index::new(state, seeking, available);
        let (crowded, spots) = Spots::by_location(&index, state, seeking).split();
        for spot in crowded {
            let matched = Matched {
                overlap: Some(Overlap::WHOLE),
                runner_up: Some(Overlap::WHOLE),
                ambiguous: true,
                ..Matched::without_measure(MatchedBy::Relabelled)
            };
            crowded::pair_relabelled(state, &spot, matched);
        }
        for (desired, observed) in spots.iter().flat_map(Spot::pairs) {
            if !state.observed_free[observed] {
                continue;
            }
            let candidate = Candidate {
                by: MatchedBy::Relabelled,
                overlap: Overlap::WHOLE,
                relabel_rank: relabel_rank(state, desired, observed).into(),
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
    fn close(&mut self, state: &State<'_>, seeking: &[usize], available: &[usize]) -> Coverage {
        let mut closeness = Closeness::default();
        let found = nearest::select_pairs(state, seeking, available);
        closeness.polygons = found.polygons;
        for (at, other) in found.pairs {
            self.weigh(state, at, other, &mut closeness);
        }
        let (pairs, coverage) = texts::select_pairs(state, seeking, available, &mut closeness);
        for (at, other) in pairs {
            self.weigh(state, at, other, &mut closeness);
        }
        coverage.max(found.coverage)
    }

    /// Adds a candidate if the pair is close enough for a stage.
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
            relabel_rank: 0,
        };
        self.candidates.entry((at, other)).or_insert(candidate);
    }
}
