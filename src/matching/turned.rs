//! The last stage: annotations of a picture that was turned or mirrored.
//!
//! It is tried if annotations of both sides are left. Those and the moved ones are paired anew if one turn maps all of one
//! side to the other: that is the most pairs that there can be, and in a turned picture some annotations overlap others by
//! chance. Nothing that stayed in its place may speak against the turn, and the agreement cannot be chance: the places that
//! agree have [`EVIDENCE`] distinct coordinates, not counting shapes that look the same after some turn, and no shift
//! explains them as well. So a single box proves nothing, and neither does a symmetric shape.

use super::group::same_names;
use super::reason::{Matched, MatchedBy};
use super::state::{Pair, State};
use crate::model::{Geometry, Turn, Visibility};
use std::collections::HashMap;

/// How far coordinates may be apart, in fractions of the picture: tools round to pixels.
const TOLERANCE: f64 = 1e-3;
/// The least number of coordinates that agree: three boxes, or one polygon of five points.
const EVIDENCE: usize = 10;
/// Comparisons of two points for one input; above this, nothing is paired.
const COMPARISONS: u32 = 20_000_000;
/// Declared annotations with nearly the same bounds that are compared; the others are not paired.
const CANDIDATES: usize = 64;

type Place = [f64; 2];

/// The points of a geometry that a turn maps to another one of its kind.
#[derive(Debug, Clone)]
enum Shape {
    /// Two opposite corners.
    Box([Place; 2]),
    /// Without a last point that repeats the first.
    Ring(Vec<Place>),
    /// Points with a meaning each. Those that are not in the picture have no place.
    Points(Vec<Place>, Vec<Visibility>),
}

impl Shape {
    /// `None` for a kind that is not turned.
    fn of(geometry: &Geometry) -> Option<Self> {
        let place = |point: &crate::model::Point| [point.row, point.col].map(|it| it.get().into());
        Some(match geometry {
            Geometry::Box(edges) => {
                let [top, left, bottom, right] = edges.edges().map(f64::from);
                Self::Box([[top, left], [bottom, right]])
            }
            Geometry::Polygon(polygon) => Self::Ring(polygon.ring().iter().map(place).collect()),
            Geometry::Point(point) => Self::Points(vec![place(point)], Vec::new()),
            Geometry::Keypoints(keypoints) => {
                let all = keypoints.points();
                let present = all
                    .iter()
                    .filter(|it| it.visibility != Visibility::NotPresent);
                Self::Points(
                    present.map(|it| place(&it.point)).collect(),
                    all.iter().map(|it| it.visibility).collect(),
                )
            }
            _ => return None,
        })
    }

    fn points(&self) -> &[Place] {
        match self {
            Self::Box(corners) => corners,
            Self::Ring(points) | Self::Points(points, _) => points,
        }
    }

    fn map(&self, to: impl Fn(Place) -> Place) -> Self {
        let all = |points: &[Place]| points.iter().copied().map(&to).collect();
        match self {
            Self::Box(corners) => {
                let [[a, b], [c, d]] = corners.map(&to);
                Self::Box([[a.min(c), b.min(d)], [a.max(c), b.max(d)]])
            }
            Self::Ring(points) => Self::Ring(all(points)),
            Self::Points(points, marks) => Self::Points(all(points), marks.clone()),
        }
    }

    /// Top, left, bottom, right.
    fn bounds(&self) -> [f64; 4] {
        bounds_of(self.points())
    }

    fn same(&self, other: &Self, comparisons: &mut u32) -> bool {
        let mut near = |a: Place, b: Place| {
            let is_allowed = *comparisons > 0;
            *comparisons = comparisons.saturating_sub(1);
            is_allowed && near(a, b)
        };
        let (ours, theirs) = (self.points(), other.points());
        let n = ours.len();
        if n != theirs.len() {
            return false;
        }
        match (self, other) {
            (Self::Box(_), Self::Box(_)) => (0..n).all(|at| near(ours[at], theirs[at])),
            (Self::Points(_, marks), Self::Points(_, others)) => {
                marks == others && (0..n).all(|at| near(ours[at], theirs[at]))
            }
            (Self::Ring(_), Self::Ring(_)) => (0..n).any(|start| {
                near(ours[0], theirs[start])
                    && ((0..n).all(|at| near(ours[at], theirs[(start + at) % n]))
                        || (0..n).all(|at| near(ours[at], theirs[(start + n - at) % n])))
            }),
            _ => false,
        }
    }

    /// How many coordinates it has that are not nearly equal to another one.
    fn coordinates(&self) -> usize {
        let distinct = |axis: usize| {
            let mut all: Vec<f64> = self.points().iter().map(|point| point[axis]).collect();
            all.sort_unstable_by(f64::total_cmp);
            let apart = |pair: &&[f64]| pair[1] - pair[0] > 2.0 * TOLERANCE;
            all.len().min(1) + all.windows(2).filter(apart).count()
        };
        distinct(0) + distinct(1)
    }
}

fn near(a: Place, b: Place) -> bool {
    (a[0] - b[0]).abs() <= TOLERANCE && (a[1] - b[1]).abs() <= TOLERANCE
}

fn bounds_of(points: &[Place]) -> [f64; 4] {
    let around = |[t, l, b, r]: [f64; 4], [row, col]: &Place| {
        [t.min(*row), l.min(*col), b.max(*row), r.max(*col)]
    };
    let empty = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    points.iter().fold(empty, around)
}

/// An annotation with a shape.
struct Free {
    at: usize,
    shape: Shape,
}

/// The annotations of both sides that are free or moved.
struct Sides {
    desired: Vec<Free>,
    observed: Vec<Free>,
    /// Declared annotations by their bounds, in cells that are twice as wide as the tolerance.
    cells: HashMap<[i32; 4], Vec<usize>>,
    comparisons: u32,
}

pub(super) fn pair(state: &mut State<'_>) {
    let (mut seeking, mut available) = (state.seeking(), state.available());
    if seeking.is_empty() || available.is_empty() {
        return;
    }
    for pair in state.pairs.iter().filter(|pair| is_moved(pair)) {
        seeking.push(pair.desired);
        available.push(pair.observed);
    }
    seeking.sort_unstable();
    available.sort_unstable();
    let mut sides = Sides::new(state, &seeking, &available);
    let mut best: Option<(Turn, Vec<(usize, usize)>)> = None;
    for turn in Turn::ALL {
        let known = best.as_ref().map_or(0, |(_, pairs)| pairs.len());
        let pairs = sides.pairs(state, |place| turn.of(place));
        if pairs.len() > known && sides.is_proof(state, turn, &pairs) {
            best = Some((turn, pairs));
        }
    }
    if sides.comparisons == 0 {
        return;
    }
    let Some((turn, pairs)) = best else { return };
    let is_kept = |pair: &Pair| {
        !(is_moved(pair) && Shape::of(state.desired[pair.desired].geometry()).is_some())
    };
    let (kept, replaced): (Vec<Pair>, Vec<Pair>) = state.pairs.iter().copied().partition(is_kept);
    state.pairs = kept;
    for pair in replaced {
        state.desired_free[pair.desired] = true;
        state.observed_free[pair.observed] = true;
    }
    for (desired, observed) in pairs {
        let matched = Matched {
            turn: Some(turn),
            ..Matched::without_measure(MatchedBy::Turned)
        };
        let (desired, observed) = (sides.desired[desired].at, sides.observed[observed].at);
        state.pair(desired, observed, matched);
    }
}

fn is_moved(pair: &Pair) -> bool {
    matches!(
        pair.matched.by,
        MatchedBy::Moved | MatchedBy::MovedAndRelabelled
    )
}

impl Sides {
    fn new(state: &State<'_>, seeking: &[usize], available: &[usize]) -> Self {
        let free = |geometry: &Geometry, at: usize| {
            let shape = Shape::of(geometry).filter(|shape| !shape.points().is_empty())?;
            Some(Free { at, shape })
        };
        let desired: Vec<Free> = seeking
            .iter()
            .filter_map(|&at| free(state.desired[at].geometry(), at))
            .collect();
        let observed = available
            .iter()
            .filter_map(|&at| free(&state.observed[at].geometry, at))
            .collect();
        let mut cells: HashMap<[i32; 4], Vec<usize>> = HashMap::new();
        for (at, free) in desired.iter().enumerate() {
            let nearby = cells.entry(cell(free.shape.bounds())).or_default();
            // Without a limit, comparing annotations with equal bounds would take the square of their number.
            if nearby.len() < CANDIDATES {
                nearby.push(at);
            }
        }
        Self {
            desired,
            observed,
            cells,
            comparisons: COMPARISONS,
        }
    }

    /// The pairs (desired, observed) that a mapping of the picture makes.
    fn pairs(&mut self, state: &State<'_>, to: impl Fn(Place) -> Place) -> Vec<(usize, usize)> {
        let mut is_free = vec![true; self.desired.len()];
        let mut pairs = Vec::new();
        for (at, observed) in self.observed.iter().enumerate() {
            if self.comparisons == 0 {
                break;
            }
            let shape = observed.shape.map(&to);
            let around = cells_around(shape.bounds());
            let nearby = around.filter_map(|cell| self.cells.get(&cell)).flatten();
            let mut nearby: Vec<usize> = nearby.copied().filter(|&it| is_free[it]).collect();
            nearby.sort_unstable();
            let found = nearby.into_iter().find(|&other| {
                let desired = &self.desired[other];
                let (declared, stored) = (&state.desired[desired.at], &state.observed[observed.at]);
                same_names(declared, stored)
                    && state.claims.same_concepts(declared, stored)
                    && shape.same(&desired.shape, &mut self.comparisons)
            });
            if let Some(other) = found {
                is_free[other] = false;
                pairs.push((other, at));
            }
        }
        pairs
    }

    /// Whether these pairs prove that the picture was turned so.
    fn is_proof(&mut self, state: &State<'_>, turn: Turn, pairs: &[(usize, usize)]) -> bool {
        let is_whole_side = pairs.len() == self.desired.len().min(self.observed.len());
        is_whole_side
            && self.evidence(pairs) >= EVIDENCE
            && !self.is_shift(pairs)
            && !self.is_contradicted(state, turn)
    }

    fn evidence(&mut self, pairs: &[(usize, usize)]) -> usize {
        let mut evidence = 0;
        for (_, observed) in pairs {
            let shape = &self.observed[*observed].shape;
            let comparisons = &mut self.comparisons;
            let looks_the_same =
                |turn: Turn| shape.map(|it| turn.of(it)).same(shape, &mut *comparisons);
            if !Turn::ALL.into_iter().any(looks_the_same) {
                evidence += shape.coordinates();
            }
            if evidence >= EVIDENCE {
                break;
            }
        }
        evidence
    }

    /// Whether moving all of them by the same distance explains the pairs as well.
    fn is_shift(&mut self, pairs: &[(usize, usize)]) -> bool {
        let corner = |points: Vec<Place>| {
            let [top, left, ..] = bounds_of(&points);
            [top, left]
        };
        let observed = pairs.iter().map(|it| &self.observed[it.1].shape);
        let desired = pairs.iter().map(|it| &self.desired[it.0].shape);
        let old = corner(observed.clone().flat_map(Shape::points).copied().collect());
        let new = corner(desired.flat_map(Shape::points).copied().collect());
        let by = [new[0] - old[0], new[1] - old[1]];
        let shifted = observed.map(|shape| shape.map(|[row, col]| [row + by[0], col + by[1]]));
        let shifted: Vec<Shape> = shifted.collect();
        let comparisons = &mut self.comparisons;
        let (cells, desired) = (&self.cells, &self.desired);
        shifted.iter().all(|shape| {
            let nearby = cells_around(shape.bounds()).filter_map(|cell| cells.get(&cell));
            nearby
                .flatten()
                .any(|&other| shape.same(&desired[other].shape, &mut *comparisons))
        })
    }

    /// Whether an annotation stayed in its place that the turn would have moved.
    fn is_contradicted(&mut self, state: &State<'_>, turn: Turn) -> bool {
        state.pairs.iter().any(|pair| {
            let new = state.desired[pair.desired].geometry();
            let old = &state.observed[pair.observed].geometry;
            let stayed = || new.same(old).then(|| Shape::of(old)).flatten();
            stayed().is_some_and(|shape| {
                let turned = shape.map(|it| turn.of(it));
                !turned.same(&shape, &mut self.comparisons)
            })
        })
    }
}

fn cell(bounds: [f64; 4]) -> [i32; 4] {
    bounds.map(|edge| (edge / (2.0 * TOLERANCE)).floor() as i32)
}

/// The cells of all bounds within the tolerance: at most 16.
fn cells_around(bounds: [f64; 4]) -> impl Iterator<Item = [i32; 4]> {
    let low = cell(bounds.map(|edge| edge - TOLERANCE));
    let high = cell(bounds.map(|edge| edge + TOLERANCE));
    (0..16_u8).filter_map(move |corner| {
        let mut chosen = low;
        for axis in 0..4 {
            if corner >> axis & 1 == 1 {
                if high[axis] == low[axis] {
                    return None;
                }
                chosen[axis] = high[axis];
            }
        }
        Some(chosen)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Claims, Pair, match_input};
    use super::*;
    use crate::model::{
        AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Content, DesiredAnnotation,
        Identity, InputId, Maker, ObservedAnnotation, Origin, Point, Polygon, Status,
    };
    use proptest::prelude::*;

    fn boxed([top, left, bottom, right]: [f64; 4]) -> Geometry {
        Geometry::Box(BoundingBox::new(top, left, bottom, right).unwrap())
    }

    fn polygon(points: &[Place]) -> Geometry {
        let points: Vec<Point> = points
            .iter()
            .map(|[row, col]| Point::new(*row, *col).unwrap())
            .collect();
        Geometry::Polygon(Polygon::new(points).unwrap())
    }

    fn turned(geometry: &Geometry, turn: Turn) -> Geometry {
        match Shape::of(geometry).unwrap().map(|it| turn.of(it)) {
            Shape::Box([[top, left], [bottom, right]]) => boxed([top, left, bottom, right]),
            Shape::Ring(points) => polygon(&points),
            Shape::Points(points, _) => {
                Geometry::Point(Point::new(points[0][0], points[0][1]).unwrap())
            }
        }
    }

    fn car() -> Concepts {
        let id = ConceptId::new("car").unwrap();
        Concepts::new(vec![Concept { id, value: 1.0 }]).unwrap()
    }

    fn pairs(old: &[Geometry], new: &[Geometry]) -> Vec<Pair> {
        let observed: Vec<ObservedAnnotation> = old
            .iter()
            .enumerate()
            .map(|(at, geometry)| ObservedAnnotation {
                id: AnnotationId::new(format!("{at:06}")).unwrap(),
                geometry: geometry.clone(),
                frame: None,
                concepts: car(),
                status: Status::SUCCESS,
                user: None,
                maker: Maker::User,
                created_at: None,
                data: None,
                info: None,
                extras: None,
            })
            .collect();
        let desired: Vec<DesiredAnnotation> = new
            .iter()
            .map(|geometry| DesiredAnnotation {
                identity: Identity::Content,
                content: Content {
                    geometry: Some(geometry.clone()),
                    concepts: Some(car()),
                    ..Content::default()
                },
                origin: Origin::default(),
            })
            .collect();
        let input = InputId::new("a").unwrap();
        match_input(&Claims::for_tests(), &input, &desired, &observed).pairs
    }

    fn turns(pairs: &[Pair]) -> Vec<Turn> {
        pairs.iter().filter_map(|pair| pair.matched.turn).collect()
    }

    /// Away from every axis, so that no turned one overlaps it.
    const SHAPE: [Place; 6] = [
        [0.02, 0.60],
        [0.07, 0.71],
        [0.15, 0.68],
        [0.23, 0.62],
        [0.19, 0.52],
        [0.10, 0.55],
    ];
    const BOXES: [[f64; 4]; 3] = [
        [0.02, 0.05, 0.09, 0.22],
        [0.11, 0.70, 0.17, 0.81],
        [0.25, 0.62, 0.41, 0.66],
    ];

    #[test]
    fn one_polygon_of_a_turned_picture_is_paired() {
        for turn in Turn::ALL {
            let old = polygon(&SHAPE);
            let found = pairs(std::slice::from_ref(&old), &[turned(&old, turn)]);
            assert_eq!(turns(&found), [turn]);
            assert_eq!(found[0].matched.by, MatchedBy::Turned);
            assert_eq!(
                found[0].matched.to_string(),
                format!("matched: {}", turn.words())
            );
        }
    }

    #[test]
    fn several_boxes_of_a_turned_picture_are_paired_beside_new_ones() {
        for turn in Turn::ALL {
            let old = BOXES.map(boxed);
            let mut new = vec![boxed([0.5, 0.5, 0.52, 0.53])];
            new.extend(old.iter().map(|it| turned(it, turn)));
            let found = pairs(&old, &new);
            assert_eq!(turns(&found), [turn; 3]);
            let by_place: Vec<_> = found.iter().map(|it| (it.desired, it.observed)).collect();
            assert_eq!(by_place, [(1, 0), (2, 1), (3, 2)]);
        }
    }

    #[test]
    fn annotations_that_overlap_others_by_chance_are_turned_too() {
        // Turned, each of the last two lies nearly where the other one was.
        let mut old = BOXES.map(boxed).to_vec();
        old.push(boxed([0.20, 0.20, 0.40, 0.40]));
        old.push(boxed([0.62, 0.62, 0.80, 0.80]));
        let new: Vec<Geometry> = old.iter().map(|it| turned(it, Turn::By180)).collect();
        let found = pairs(&old, &new);
        assert_eq!(turns(&found), [Turn::By180; 5]);
        assert!(found.iter().all(|pair| pair.desired == pair.observed));
        // Without proof, they count as moved.
        let found = pairs(&old[1..], &new[..4]);
        assert_eq!(turns(&found), []);
        assert!(found.iter().all(|pair| pair.matched.by == MatchedBy::Moved));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn boxes_that_are_too_few_prove_nothing() {
        let old = [boxed(BOXES[0]), boxed(BOXES[1])];
        let new = old.clone().map(|it| turned(&it, Turn::By90));
        assert_eq!(pairs(&old, &new), []);
    }

    #[test]
    fn symmetric_shapes_prove_nothing() {
        // In the middle between left and right: mirrored it is itself, so upside down may be a turn or a mirroring.
        let kite = [
            [0.1, 0.5],
            [0.2, 0.6],
            [0.3, 0.57],
            [0.35, 0.5],
            [0.3, 0.43],
            [0.2, 0.4],
        ];
        let old = polygon(&kite);
        assert_eq!(
            pairs(std::slice::from_ref(&old), &[turned(&old, Turn::TopBottom)]),
            []
        );
        // Moved to the other side it is mirrored, too.
        let moved = kite.map(|[row, col]| [row, col - 0.3]);
        let old = polygon(&moved);
        assert_eq!(
            pairs(std::slice::from_ref(&old), &[turned(&old, Turn::LeftRight)]),
            []
        );
    }

    #[test]
    fn an_annotation_that_stayed_speaks_against_a_turn() {
        let stayed = boxed(BOXES[0]);
        let old = [stayed.clone(), polygon(&SHAPE)];
        let new = [stayed, turned(&old[1], Turn::By180)];
        assert_eq!(turns(&pairs(&old, &new)), []);
    }

    #[test]
    fn one_annotation_that_does_not_fit_on_either_side_speaks_against_a_turn() {
        let old = [polygon(&SHAPE), boxed(BOXES[0])];
        let new = [turned(&old[0], Turn::By180), boxed(BOXES[1])];
        assert_eq!(turns(&pairs(&old, &new)), []);
    }

    #[test]
    fn the_work_is_bounded() {
        // All points but one are near each other, so that every start of the ring has to be tried.
        let ring = |count: usize| -> Vec<Place> {
            let place = |at: usize| match at {
                at if at == count / 2 => [0.1015, 0.2],
                at => [0.1 + (at % 7) as f64 * 1e-5, 0.2],
            };
            (0..count).map(place).collect()
        };
        let turns_of = |count: usize| {
            let old = ring(count);
            let mut new: Vec<Place> = old.iter().map(|it| Turn::TopBottom.of(*it)).collect();
            new.rotate_left(count / 2);
            turns(&pairs(
                &[polygon(&SHAPE), polygon(&old)],
                &[turned(&polygon(&SHAPE), Turn::TopBottom), polygon(&new)],
            ))
        };
        assert_eq!(turns_of(500), [Turn::TopBottom; 2]);
        assert_eq!(turns_of(20_000), []);
    }

    fn places(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<[f64; 4]>> {
        let edge = (0_u32..=20).prop_map(|it| f64::from(it) / 20.0);
        proptest::collection::vec([edge.clone(), edge.clone(), edge.clone(), edge], count)
    }

    fn sorted([a, b, c, d]: [f64; 4]) -> Geometry {
        boxed([a.min(c), b.min(d), a.max(c), b.max(d)])
    }

    proptest! {
        #[test]
        fn random_label_sets_are_never_turned(
            old in places(0..8),
            new in places(0..8),
            rings in proptest::collection::vec(places(4..6), 0..4),
        ) {
            let ring = |corners: &Vec<[f64; 4]>| {
                let points: Vec<Place> = corners.iter().map(|it| [it[0], it[1]]).collect();
                polygon(&points)
            };
            let half = rings.len() / 2;
            let side = |boxes: &[[f64; 4]], rings: &[Vec<[f64; 4]>]| -> Vec<Geometry> {
                let boxes = boxes.iter().copied().map(sorted);
                boxes.chain(rings.iter().map(ring)).collect()
            };
            let (old, new) = (side(&old, &rings[..half]), side(&new, &rings[half..]));
            prop_assert_eq!(turns(&pairs(&old, &new)), []);
        }

        #[test]
        fn turned_label_sets_are_paired_whole_or_by_earlier_stages(
            old in places(4..12),
            at in 0..Turn::ALL.len(),
        ) {
            let old: Vec<Geometry> = old.into_iter().map(sorted).collect();
            let new: Vec<Geometry> = old.iter().map(|it| turned(it, Turn::ALL[at])).collect();
            let found = pairs(&old, &new);
            let again = pairs(&old, &new);
            prop_assert_eq!(&found, &again);
            if !turns(&found).is_empty() {
                prop_assert_eq!(found.len(), old.len());
            }
        }
    }
}
