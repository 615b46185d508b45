//! Stages 3 to 5: relabelled, moved, moved and relabelled.

use super::assignment::Weight;
use super::closeness::Closeness;
use super::exact::{Index, solve};
use super::place::{Place, declared_text, whole_text};
use super::reason::{Matched, MatchedBy};
use super::{State, geometry};
use crate::model::{Geometry, Measure, Overlap, difference};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::{BTreeMap, HashMap};

/// Same concepts, and at least half of the common area.
const MOVED: Overlap = Overlap::from_millionths(500_000);
/// Other concepts, and nearly all of the common area.
const MOVED_AND_RELABELLED: Overlap = Overlap::from_millionths(900_000);
/// A runner-up as close as this makes a pairing ambiguous.
const AMBIGUOUS: u32 = 20_000;
/// More annotations than this on one spot are not weighed against each other when they are relabelled, but paired in order.
const PILE: usize = 256;

/// Up to so many pairs whose bounds touch, all of an input are weighed, and the pairing is the best there is. Of more, each
/// declared annotation is weighed against the nearest ones alone.
const EXACT_PAIRS: usize = 200_000;
/// How many nearest ones that are; fewer, down to the second number, where polygons have many points.
const NEAREST: [usize; 2] = [24, 3];
/// So many points of polygons count as one pair more.
const POINTS_OF_A_PAIR: usize = 200;
/// How many points of polygons are read in all where only the nearest ones are weighed.
const POINTS: usize = 3_000_000;
/// How many of those that have the very same bounds count among them.
const SAME_BOUNDS: usize = 4;
/// How often what found no partner among its nearest ones is tried again with those that are left.
const ROUNDS: usize = 4;

/// More pairs of texts than this on one input are not compared with each other: texts have no place by which the close
/// ones could be found.
const TEXT_PAIRS: usize = 1_000_000;

/// An observed annotation's bounds, with its index.
type Bounds = GeomWithData<Rectangle<[f32; 2]>, usize>;
/// Bounds as one point, with the annotations that have just these.
type Corner = GeomWithData<[f32; 4], Vec<usize>>;

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
    for round in 0..ROUNDS {
        let (seeking, available) = (state.seeking(), state.available());
        if seeking.is_empty() || available.is_empty() {
            return;
        }
        let mut found = Found::default();
        found.same_place(state, &seeking, &available);
        let (seeking, available) = (state.seeking(), state.available());
        let weighed = found.close(state, &seeking, &available);
        let before = state.pairs.len();
        found.settle(state);
        if weighed == Weighed::All || state.pairs.len() == before || round + 1 == ROUNDS {
            return;
        }
    }
}

/// Which pairs of an input were weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weighed {
    All,
    Nearest,
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
    /// How many pairs were compared.
    weighed: usize,
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
    fn settle(&self, state: &mut State<'_>) {
        debug_assert!(
            self.candidates.len() <= EXACT_PAIRS + state.desired.len() * PILE.max(NEAREST[0])
                && (self.weighed <= EXACT_PAIRS + TEXT_PAIRS + state.desired.len() * NEAREST[0]),
            "more candidates than are allowed to be stored"
        );
        let pairs: Vec<(usize, usize)> = self.candidates.keys().copied().collect();
        for (desired, observed) in solve(&pairs, |d, o| self.candidates[&(d, o)].weight()) {
            let candidate = self.candidates[&(desired, observed)];
            let runner_up = self.runner_up(candidate.by, desired, observed);
            let ambiguous = runner_up.is_some_and(|other| {
                other.millionths() + AMBIGUOUS >= candidate.overlap.millionths()
            });
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

    /// Stage 3. What has the same concepts as well was paired before.
    fn same_place(&mut self, state: &mut State<'_>, seeking: &[usize], available: &[usize]) {
        let index = Index::new(state, seeking, available);
        for &desired in seeking {
            let mut spot = index.same_place(state, desired);
            spot.sort_unstable();
            if spot.len() > PILE {
                let matched = Matched {
                    overlap: Some(Overlap::WHOLE),
                    ..Matched::by_name(MatchedBy::Relabelled)
                };
                state.take(desired, spot[0], matched);
                continue;
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
    fn close(&mut self, state: &State<'_>, seeking: &[usize], available: &[usize]) -> Weighed {
        let mut closeness = Closeness::default();
        let weighed = self.overlapping(state, seeking, available, &mut closeness);
        self.alike(state, seeking, available, &mut closeness);
        weighed
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
    ) -> Weighed {
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
        let mut touching: Vec<(usize, usize)> = Vec::new();
        let mut cost = 0;
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
                touching.push((at, near.data));
                let points =
                    points(geometry(desired)) + points(&state.observed[near.data].geometry);
                cost += 1 + points / POINTS_OF_A_PAIR;
                if cost > EXACT_PAIRS {
                    drop(touching);
                    self.nearest(state, seeking, available, closeness);
                    return Weighed::Nearest;
                }
            }
        }
        for (at, other) in touching {
            self.weigh(state, at, other, closeness);
        }
        Weighed::All
    }

    /// Weighs each declared annotation against those whose four bounds are nearest to its own. Of many that have the same
    /// bounds each takes others, in order, so that as many as there are find a partner.
    fn nearest(
        &mut self,
        state: &State<'_>,
        seeking: &[usize],
        available: &[usize],
        closeness: &mut Closeness,
    ) {
        let mut corners: HashMap<Place, BTreeMap<[u32; 4], Vec<usize>>> = HashMap::new();
        for &observed in available {
            let annotation = &state.observed[observed];
            if let Some(bounds) = annotation.geometry.bounds() {
                for place in Place::of_observed(annotation) {
                    let at = corners.entry(place).or_default();
                    at.entry(bounds.map(f32::to_bits))
                        .or_default()
                        .push(observed);
                }
            }
        }
        let trees: HashMap<Place, RTree<Corner>> = corners
            .into_iter()
            .map(|(place, at)| {
                let corner = |(bits, members): ([u32; 4], _)| {
                    GeomWithData::new(bits.map(f32::from_bits), members)
                };
                (
                    place,
                    RTree::bulk_load(at.into_iter().map(corner).collect()),
                )
            })
            .collect();
        let read: usize = (seeking.iter())
            .map(|&at| 2 * points(geometry(&state.desired[at])))
            .sum();
        let nearest = (POINTS / read.max(1)).clamp(NEAREST[1], NEAREST[0]);
        let mut turns: HashMap<(Place, [u32; 4]), usize> = HashMap::new();
        for &at in seeking {
            let desired = &state.desired[at];
            let place = Place::of_desired(desired);
            let (Some(bounds), Some(tree)) = (geometry(desired).bounds(), trees.get(&place)) else {
                continue;
            };
            let turn = turns.entry((place, bounds.map(f32::to_bits))).or_default();
            let mut left = nearest;
            for corner in tree.nearest_neighbor_iter(&bounds) {
                let members = &corner.data;
                let count = members.len().min(SAME_BOUNDS).min(left);
                for next in 0..count {
                    let other = members[(*turn + next) % members.len()];
                    self.weigh(state, at, other, closeness);
                }
                left -= count;
                if left == 0 {
                    break;
                }
            }
            *turn += 1;
        }
    }

    /// Makes a candidate of a pair that is close enough for some stage.
    fn weigh(&mut self, state: &State<'_>, at: usize, other: usize, closeness: &mut Closeness) {
        let (desired, observed) = (&state.desired[at], &state.observed[other]);
        self.weighed += 1;
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

/// How many points have to be read to compare a geometry.
fn points(geometry: &Geometry) -> usize {
    match geometry {
        Geometry::Polygon(ring) => ring.points().len(),
        _ => 0,
    }
}
