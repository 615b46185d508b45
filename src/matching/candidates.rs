//! Stages 3 to 5: relabelled, moved, moved and relabelled.

use super::assignment::Weight;
use super::closeness::Closeness;
use super::exact::{Index, solve};
use super::place::{Place, declared_text, whole_text};
use super::reason::{Matched, MatchedBy};
use super::{State, geometry};
use crate::model::{Measure, Overlap, difference};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::{BTreeMap, HashMap};

/// Same concepts, and at least half of the common area.
const MOVED: Overlap = Overlap::from_millionths(500_000);
/// Other concepts, and nearly all of the common area.
const MOVED_AND_RELABELLED: Overlap = Overlap::from_millionths(900_000);
/// A runner-up as close as this makes a pairing ambiguous.
const AMBIGUOUS: u32 = 20_000;
/// More relabelled pairings than this on one spot are not weighed against each other, but paired in order.
const PILE: usize = 1_000;

/// More pairs of texts than this on one input are not compared with each other: texts have no place by which the close
/// ones could be found, and each comparison reads both.
const TEXT_PAIRS: usize = 250_000;

/// An observed annotation's bounds, with its index.
type Bounds = GeomWithData<Rectangle<[f32; 2]>, usize>;

/// A pairing that some stage would make.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    by: MatchedBy,
    overlap: Overlap,
    /// How little a relabelling would have to take away.
    gentleness: i64,
}

impl Candidate {
    /// First the number of pairs, stage by stage, which is what saves writes; then their closeness; last how gentle the
    /// relabellings are.
    fn weight(self) -> Weight {
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
    let (seeking, available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return;
    }
    let mut found = Found::default();
    found.same_place(state, &seeking, &available);
    found.close(state, &seeking, &available);

    let pairs: Vec<(usize, usize)> = found.candidates.keys().copied().collect();
    for (desired, observed) in solve(&pairs, |d, o| found.candidates[&(d, o)].weight()) {
        let candidate = found.candidates[&(desired, observed)];
        let runner_up = found.runner_up(candidate.by, desired, observed);
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

    /// Stage 3. What has the same concepts as well was paired before.
    fn same_place(&mut self, state: &State<'_>, seeking: &[usize], available: &[usize]) {
        let index = Index::new(state, seeking, available);
        let mut taken_in_order: HashMap<usize, usize> = HashMap::new();
        for &desired in seeking {
            let mut spot = index.same_place(state, desired);
            spot.sort_unstable();
            if spot.len() > PILE {
                let next = taken_in_order.entry(spot[0]).or_default();
                spot = spot.get(*next).copied().into_iter().collect();
                *next += 1;
            }
            for observed in spot {
                let change = difference(&state.desired[desired].content, &state.observed[observed]);
                let gentleness = match (change.added.is_empty(), change.removed.is_empty()) {
                    (_, true) => 2,
                    (true, false) => 1,
                    (false, false) => 0,
                };
                let candidate = Candidate {
                    by: MatchedBy::Relabelled,
                    overlap: Overlap::WHOLE,
                    gentleness,
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
    }

    /// Stages 4 and 5.
    fn close(&mut self, state: &State<'_>, seeking: &[usize], available: &[usize]) {
        let mut closeness = Closeness::default();
        self.overlapping(state, seeking, available, &mut closeness);
        self.alike(state, seeking, available, &mut closeness);
    }

    /// What says nearly the same about the whole input, or the whole frame.
    fn alike(
        &mut self,
        state: &State<'_>,
        seeking: &[usize],
        available: &[usize],
        closeness: &mut Closeness,
    ) {
        let texts: Vec<usize> = seeking
            .iter()
            .copied()
            .filter(|&at| declared_text(&state.desired[at]).is_some())
            .collect();
        if texts.is_empty() {
            return;
        }
        let mut by_place: HashMap<Place, Vec<usize>> = HashMap::new();
        let mut count = 0;
        for &observed in available {
            let annotation = &state.observed[observed];
            if whole_text(annotation).is_some() {
                count += 1;
                for place in Place::of_observed(annotation) {
                    by_place.entry(place).or_default().push(observed);
                }
            }
        }
        if texts.len().saturating_mul(count) > TEXT_PAIRS {
            return;
        }
        for at in texts {
            let place = Place::of_desired_with_any_text(&state.desired[at]);
            for &observed in by_place.get(&place).into_iter().flatten() {
                self.weigh(state, at, observed, closeness);
            }
        }
    }

    fn overlapping(
        &mut self,
        state: &State<'_>,
        seeking: &[usize],
        available: &[usize],
        closeness: &mut Closeness,
    ) {
        let mut trees: HashMap<Place, Vec<Bounds>> = HashMap::new();
        for &observed in available {
            let annotation = &state.observed[observed];
            if let Some([top, left, bottom, right]) = annotation.geometry.bounds() {
                let rectangle = Rectangle::from_corners([top, left], [bottom, right]);
                for place in Place::of_observed(annotation) {
                    trees
                        .entry(place)
                        .or_default()
                        .push(GeomWithData::new(rectangle, observed));
                }
            }
        }
        let trees: HashMap<Place, RTree<_>> = trees
            .into_iter()
            .map(|(place, items)| (place, RTree::bulk_load(items)))
            .collect();
        for &at in seeking {
            let desired = &state.desired[at];
            let Some([top, left, bottom, right]) = geometry(desired).bounds() else {
                continue;
            };
            let Some(tree) = trees.get(&Place::of_desired(desired)) else {
                continue;
            };
            let reach = Measure::of(geometry(desired)).reach();
            let envelope =
                AABB::from_corners([top - reach, left - reach], [bottom + reach, right + reach]);
            for near in tree.locate_in_envelope_intersecting(&envelope) {
                self.weigh(state, at, near.data, closeness);
            }
        }
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
