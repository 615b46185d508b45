//! Turned and mirrored pictures, and pictures that only look turned.

use super::*;
use crate::matching::{Claims, Pair, match_input};
use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Content, DesiredAnnotation, Identity,
    InputId, ObservedAnnotation, Origin, Point, Polygon,
};
use proptest::prelude::*;
use std::sync::Arc;

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
            created_at: None,
            data: None,
            provenance: Arc::default(),
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
