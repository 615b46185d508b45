//! Selection of the pairs to compare by location: all whose bounds touch, or only the nearest ones if these are too many.

use super::closeness::PolygonMeasure;
use super::group::Group;
use super::state::State;
use crate::model::{Geometry, Measure};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::{BTreeMap, HashMap};

/// The maximum cost, in pairs, of comparing all pairs of an input whose bounds touch. Above it, each declared annotation
/// is compared with its nearest ones only.
const ALL: usize = 200_000;
/// The maximum and minimum number of nearest ones. Fewer are compared if masks or keypoints take long.
const NEAREST: [usize; 2] = [24, 3];
/// How many of them may have the same bounds.
const SAME_BOUNDS: usize = 4;

/// The reading cost of masks and keypoints (see [`MaskSizes::reading`]) that counts as one pair.
const READ_OF_A_PAIR: usize = 200;
/// The total reading cost if only the nearest ones are compared.
const READ: usize = 40_000_000;

/// The total cost of exact areas of polygons; see [`area_cost`]. It allows about 18,000 pairs of polygons with 40 points,
/// or 100 with 2,000, or 1 with 10,000.
const AREAS: usize = 2_000_000;
const CROSSINGS: usize = 128;

/// How many pairs [`offer`] tries for each declared annotation, and in total.
const LOOKS: usize = 256;
const ALL_LOOKS: usize = 1_000_000;

/// The bounds of an observed annotation with its index.
type Bounds = GeomWithData<Rectangle<[f32; 2]>, usize>;
/// Bounds as a four-dimensional point, with all annotations that have these bounds.
type Corner = GeomWithData<[f32; 4], Vec<usize>>;

#[derive(Debug, Default)]
pub(super) struct SelectedPairs {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) coverage: Coverage,
    pub(super) polygons: PolygonMeasure,
}

/// Which pairs of an input were selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coverage {
    #[default]
    All,
    Nearest,
}

/// Selects the pairs with bounds that touch, or are close enough for points.
pub(super) fn select_pairs(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
) -> SelectedPairs {
    let mut trees: HashMap<Group, Vec<Bounds>> = HashMap::new();
    for &observed in available {
        let annotation = &state.observed[observed];
        if let Some([top, left, bottom, right]) = annotation.geometry.bounds() {
            let rectangle = Rectangle::from_corners([top, left], [bottom, right]);
            for group in Group::of_observed(annotation) {
                let there = trees.entry(group).or_default();
                there.push(GeomWithData::new(rectangle, observed));
            }
        }
    }
    let trees: HashMap<Group, RTree<_>> = trees
        .into_iter()
        .map(|(group, items)| (group, RTree::bulk_load(items)))
        .collect();
    let masks = MaskSizes::of(state, seeking, available);
    let mut found = SelectedPairs::default();
    let (mut cost, mut areas) = (0, 0_usize);
    for &at in seeking {
        let desired = &state.desired[at];
        let Some([top, left, bottom, right]) = desired.geometry().bounds() else {
            continue;
        };
        let Some(tree) = trees.get(&Group::of_desired(desired)) else {
            continue;
        };
        let reach = Measure::of(desired.geometry()).reach();
        let envelope =
            AABB::from_corners([top - reach, left - reach], [bottom + reach, right + reach]);
        for near in tree.locate_in_envelope_intersecting(&envelope) {
            let (one, other) = (desired.geometry(), &state.observed[near.data].geometry);
            found.pairs.push((at, near.data));
            cost += 1 + (masks.reading(one) + masks.reading(other)) / READ_OF_A_PAIR;
            areas = areas.saturating_add(area_cost(one, other));
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

/// Selects the annotations whose four bounds are nearest to those of each declared one. Of many with the same bounds,
/// successive declared annotations get different ones, so that each can find a partner.
fn nearest(
    state: &State<'_>,
    seeking: &[usize],
    available: &[usize],
    masks: MaskSizes,
) -> SelectedPairs {
    let trees = corners(state, available);
    let read: usize = (seeking.iter())
        .map(|&at| 2 * masks.reading(state.desired[at].geometry()))
        .sum();
    let nearest = (READ / read.max(1)).clamp(NEAREST[1], NEAREST[0]);
    let mut turns: HashMap<(Group, [u32; 4]), usize> = HashMap::new();
    let mut pairs = Vec::new();
    for &at in seeking {
        let desired = &state.desired[at];
        let group = Group::of_desired(desired);
        let (Some(bounds), Some(tree)) = (desired.geometry().bounds(), trees.get(&group)) else {
            continue;
        };
        let turn = turns.entry((group, bounds.map(f32::to_bits))).or_default();
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
    SelectedPairs {
        pairs,
        coverage: Coverage::Nearest,
        polygons: PolygonMeasure::Lines,
    }
}

/// Calls `take` for each free declared annotation with the free observed ones, the nearest bounds first, until it
/// returns true.
pub(super) fn offer(
    state: &mut State<'_>,
    mut take: impl FnMut(&mut State<'_>, usize, usize) -> bool,
) {
    let seeking = state.seeking();
    let mut trees = corners(state, &state.available());
    let looks = (ALL_LOOKS / seeking.len().max(1)).clamp(1, LOOKS);
    for at in seeking {
        let desired = &state.desired[at];
        let group = Group::of_desired(desired);
        let (Some(bounds), Some(tree)) = (desired.geometry().bounds(), trees.get_mut(&group))
        else {
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
                    // Remove corners without free annotations, which speeds up later searches.
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
fn corners(state: &State<'_>, available: &[usize]) -> HashMap<Group, RTree<Corner>> {
    let mut corners: HashMap<Group, BTreeMap<[u32; 4], Vec<usize>>> = HashMap::new();
    for &observed in available {
        let annotation = &state.observed[observed];
        if let Some(bounds) = annotation.geometry.bounds() {
            for group in Group::of_observed(annotation) {
                let at = corners.entry(group).or_default();
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
        .map(|(group, at)| (group, tree(at)))
        .collect()
}

/// Whether masks can be compared fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MaskSizes {
    /// All have the same size: 64 pixels at a time.
    Same,
    /// Pixel by pixel.
    Mixed,
}

impl MaskSizes {
    fn of(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let desired = seeking.iter().map(|&at| state.desired[at].geometry());
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

    /// The cost of reading a geometry, relative to one keypoint.
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

/// The cost of the exact common area of two polygons: their points, and a share of the product, because each edge of one
/// may cross each edge of the other.
fn area_cost(one: &Geometry, other: &Geometry) -> usize {
    match (one, other) {
        (Geometry::Polygon(one), Geometry::Polygon(other)) => {
            let (one, other) = (one.points().len(), other.points().len());
            one + other + one.saturating_mul(other) / CROSSINGS
        }
        _ => 0,
    }
}
