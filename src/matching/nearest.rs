//! Which pairs of one input are worth weighing, by where they lie: all whose bounds touch, or of too many the nearest ones.

use super::closeness::PolygonMeasure;
use super::place::Place;
use super::{State, geometry};
use crate::model::{Geometry, Measure};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::{BTreeMap, HashMap};

/// Up to so many pairs whose bounds touch, all of an input are weighed. Of more, each declared annotation is weighed against
/// the nearest ones alone.
const ALL: usize = 200_000;
/// How many nearest ones that are; fewer, down to the second number, where masks or keypoints take long to read.
const NEAREST: [usize; 2] = [24, 3];
/// How many of those that have the very same bounds count among them.
const SAME_BOUNDS: usize = 4;

/// So much that has to be read of masks and keypoints counts as one pair more.
const READ_OF_A_PAIR: usize = 200;
/// How much of them is read in all where only the nearest ones are weighed.
const READ: usize = 40_000_000;

/// How much the areas of polygons may cost. A pair costs as much as it has points, and the 128th part of their product, because
/// each edge of one may cross each of the other. So many are 18,000 pairs of 40 points, or 100 of 2,000, or 1 of 10,000.
const AREAS: usize = 2_000_000;
const CROSSINGS: usize = 128;

/// How many are looked at when what is left takes what is free: for each, and in all.
const LOOKS: usize = 256;
const ALL_LOOKS: usize = 1_000_000;

/// An observed annotation's bounds, with its index.
type Bounds = GeomWithData<Rectangle<[f32; 2]>, usize>;
/// Bounds as one point, with the annotations that have just these.
type Corner = GeomWithData<[f32; 4], Vec<usize>>;

/// Pairs that are worth weighing.
#[derive(Debug, Default)]
pub(super) struct Worthwhile {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) which: Which,
    pub(super) polygons: PolygonMeasure,
}

/// Which pairs of an input those are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    #[default]
    All,
    Nearest,
}

/// Pairs whose bounds touch, or are near enough for points.
pub(super) fn worthwhile(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Worthwhile {
    let mut trees: HashMap<Place, Vec<Bounds>> = HashMap::new();
    for &observed in available {
        let annotation = &state.observed[observed];
        if let Some([top, left, bottom, right]) = annotation.geometry.bounds() {
            let rectangle = Rectangle::from_corners([top, left], [bottom, right]);
            for place in Place::of_observed(annotation) {
                let there = trees.entry(place).or_default();
                there.push(GeomWithData::new(rectangle, observed));
            }
        }
    }
    let trees: HashMap<Place, RTree<_>> = trees
        .into_iter()
        .map(|(place, items)| (place, RTree::bulk_load(items)))
        .collect();
    let masks = MaskSizes::of(state, seeking, available);
    let mut found = Worthwhile::default();
    let (mut cost, mut areas) = (0, 0_usize);
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
            let (one, other) = (geometry(desired), &state.observed[near.data].geometry);
            found.pairs.push((at, near.data));
            cost += 1 + (masks.reading(one) + masks.reading(other)) / READ_OF_A_PAIR;
            areas = areas.saturating_add(area(one, other));
            if cost > ALL {
                return nearest(state, seeking, available, masks);
            }
        }
    }
    if areas > AREAS {
        found.polygons = PolygonMeasure::Lines;
    }
    found
}

/// Pairs each declared annotation with those whose four bounds are nearest to its own. Of many that have the same bounds each
/// takes others, in order, so that as many as there are find a partner.
fn nearest(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
    masks: MaskSizes,
) -> Worthwhile {
    let trees = corners(state, available);
    let read: usize = (seeking.iter())
        .map(|&at| 2 * masks.reading(geometry(&state.desired[at])))
        .sum();
    let nearest = (READ / read.max(1)).clamp(NEAREST[1], NEAREST[0]);
    let mut turns: HashMap<(Place, [u32; 4]), usize> = HashMap::new();
    let mut pairs = Vec::new();
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
            pairs.extend((0..count).map(|next| (at, members[(*turn + next) % members.len()])));
            left -= count;
            if left == 0 {
                break;
            }
        }
        *turn += 1;
    }
    Worthwhile {
        pairs,
        which: Which::Nearest,
        polygons: PolygonMeasure::Lines,
    }
}

/// Offers each declared annotation the free ones whose bounds are nearest to its own, the nearest first, until it takes one.
pub(super) fn offer(
    state: &mut State<'_>,
    mut take: impl FnMut(&mut State<'_>, usize, usize) -> bool,
) {
    let seeking = state.seeking();
    let mut trees = corners(state, &state.available());
    let looks = (ALL_LOOKS / seeking.len().max(1)).clamp(1, LOOKS);
    for at in seeking {
        let desired = &state.desired[at];
        let place = Place::of_desired(desired);
        let (Some(bounds), Some(tree)) = (geometry(desired).bounds(), trees.get_mut(&place)) else {
            continue;
        };
        let (mut left, mut emptied) = (looks, None);
        'corners: for corner in tree.nearest_neighbor_iter(&bounds) {
            let mut same = SAME_BOUNDS;
            for &other in &corner.data {
                if same == 0 {
                    break;
                }
                if !state.observed_free[other] {
                    continue;
                }
                if left == 0 {
                    break 'corners;
                }
                (same, left) = (same - 1, left - 1);
                if take(state, at, other) {
                    // Nobody else has to pass over what is taken.
                    let is_empty = (corner.data.iter()).all(|&at| !state.observed_free[at]);
                    emptied = is_empty.then(|| corner.clone());
                    break 'corners;
                }
            }
        }
        if let Some(corner) = emptied {
            tree.remove(&corner);
        }
    }
}

/// Observed annotations by their four bounds.
fn corners(state: &State<'_>, available: &[usize]) -> HashMap<Place, RTree<Corner>> {
    let mut corners: HashMap<Place, BTreeMap<[u32; 4], Vec<usize>>> = HashMap::new();
    for &observed in available {
        let annotation = &state.observed[observed];
        if let Some(bounds) = annotation.geometry.bounds() {
            for place in Place::of_observed(annotation) {
                let at = corners.entry(place).or_default();
                let members = at.entry(bounds.map(f32::to_bits)).or_default();
                members.push(observed);
            }
        }
    }
    let tree = |at: BTreeMap<[u32; 4], Vec<usize>>| {
        let corner =
            |(bits, members): ([u32; 4], _)| GeomWithData::new(bits.map(f32::from_bits), members);
        RTree::bulk_load(at.into_iter().map(corner).collect())
    };
    (corners.into_iter())
        .map(|(place, at)| (place, tree(at)))
        .collect()
}

/// How long masks take to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MaskSizes {
    /// All have one size: 64 pixels at a time.
    Same,
    /// Pixel by pixel.
    Mixed,
}

impl MaskSizes {
    fn of(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let desired = seeking.iter().map(|&at| geometry(&state.desired[at]));
        let observed = available.iter().map(|&at| &state.observed[at].geometry);
        let mut sizes = desired
            .chain(observed)
            .filter_map(|geometry| match geometry {
                Geometry::Mask(mask) => mask.size(),
                _ => None,
            });
        match sizes.next() {
            Some(first) if sizes.any(|size| size != first) => Self::Mixed,
            _ => Self::Same,
        }
    }

    /// How much has to be read to compare a geometry, in what takes as long as a keypoint.
    fn reading(self, geometry: &Geometry) -> usize {
        match geometry {
            Geometry::Keypoints(points) => points.points().len(),
            Geometry::Mask(mask) => mask.size().map_or(0, |(width, height)| {
                let pixels = (width as usize).saturating_mul(height as usize);
                pixels / if self == Self::Same { 1_024 } else { 16 }
            }),
            _ => 0,
        }
    }
}

/// What the common area of two polygons costs.
fn area(one: &Geometry, other: &Geometry) -> usize {
    match (one, other) {
        (Geometry::Polygon(one), Geometry::Polygon(other)) => {
            let (one, other) = (one.points().len(), other.points().len());
            one + other + one.saturating_mul(other) / CROSSINGS
        }
        _ => 0,
    }
}
