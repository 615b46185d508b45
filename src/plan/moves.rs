//! How far annotations move: the IoU of the old and the new place, or the distance between points, and the largest
//! moves; and how pictures were turned.

use super::operation::Operation;
use crate::matching::{Matched, MatchedBy};
use crate::model::{
    AnnotationId, Distance, Geometry, InputId, Key, Measure, Overlap, Turn, overlap,
};
use std::collections::{BTreeMap, BTreeSet};

/// The number of moves that are listed.
pub const LARGEST_MOVES: usize = 10;

/// The upper limits of [`Moves::distances`], of which the last has none, in hundredths of the image.
pub const DISTANCES: [u32; 5] = [1, 2, 4, 8, 16];

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Moves {
    /// The number of annotations by the IoU of old and new place, in tenths: the first counts 0 to below 0.1, the
    /// last 0.9 to 1.
    pub histogram: [u64; 10],
    /// The number of points and keypoints by the distance between old and new place in fractions of the image: below 0.01,
    /// 0.02, 0.04, 0.08 and 0.16, and from there on.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub distances: [u64; 6],
    /// Moves without a measure: to another kind of geometry, keypoints of another number, and masks that are matched by id
    /// or key.
    pub unmeasured: u64,
    /// The ten largest: lowest IoU first (for points the scale of matching), then by distance, input and id.
    pub largest: Vec<Move>,
}

/// An annotation with changed geometry.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Move {
    /// The input of the annotation.
    pub input_id: InputId,
    /// The id of the annotation.
    pub id: AnnotationId,
    /// The name that the manifest gives the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// The measure of the overlap.
    pub measure: Measure,
    /// The overlap of the old and the new place.
    pub overlap: Overlap,
    /// The distance between points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<Distance>,
}

fn is_empty(counts: &[u64; 6]) -> bool {
    counts.iter().all(|count| *count == 0)
}

impl Move {
    /// `IoU 0.87`, `distance 0.0612`
    pub fn measured(&self) -> String {
        match self.distance {
            Some(distance) => format!("distance {distance}"),
            None => self.measure.describe(self.overlap),
        }
    }
}

impl Moves {
    pub fn count(&self) -> u64 {
        self.measured() + self.unmeasured
    }

    /// The number of moves with an IoU or a distance.
    pub fn measured(&self) -> u64 {
        self.histogram.iter().chain(&self.distances).sum()
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.count() == 0
    }

    pub(super) fn of(operations: &[Operation]) -> Self {
        let mut moves = Self::default();
        for operation in operations {
            let Some((before, after)) = places(operation) else {
                continue;
            };
            let is_turned = |matched: Matched| matched.by == MatchedBy::Turned;
            if operation.matched().is_some_and(is_turned) {
                continue;
            }
            if Geometry::same(before, after) {
                continue;
            }
            let Some(overlap) = closeness(operation, before, after) else {
                moves.unmeasured += 1;
                continue;
            };
            let distance = Distance::of(before, after);
            match distance {
                Some(distance) => {
                    let is_beyond = |limit: &&u32| distance.millionths() >= **limit * 10_000;
                    moves.distances[DISTANCES.iter().filter(is_beyond).count()] += 1;
                }
                None => moves.histogram[(overlap.millionths() / 100_000).min(9) as usize] += 1,
            }
            moves.largest.push(Move {
                input_id: operation.input_id.clone(),
                id: operation.id.clone(),
                key: operation.key.clone(),
                measure: Measure::of(before),
                overlap,
                distance,
            });
        }
        moves.largest.sort_by(|a, b| {
            let farther = b.distance.cmp(&a.distance);
            let named = (&a.input_id, &a.id).cmp(&(&b.input_id, &b.id));
            a.overlap.cmp(&b.overlap).then(farther).then(named)
        });
        moves.largest.truncate(LARGEST_MOVES);
        moves
    }
}

/// Annotations whose picture was turned in the same way.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Turned {
    /// How the picture was turned.
    pub turn: Turn,
    /// The number of inputs.
    pub inputs: u64,
    /// The number of annotations.
    pub annotations: u64,
}

/// The turned annotations, by turn.
pub(super) fn turned(operations: &[Operation]) -> Vec<Turned> {
    let mut by_turn: BTreeMap<Turn, (BTreeSet<&InputId>, u64)> = BTreeMap::new();
    for operation in operations {
        let turn = operation.matched().and_then(|matched| matched.turn);
        if let Some(turn) = turn {
            let (inputs, annotations) = by_turn.entry(turn).or_default();
            inputs.insert(&operation.input_id);
            *annotations += 1;
        }
    }
    let counts = by_turn.into_iter();
    counts
        .map(|(turn, (inputs, annotations))| Turned {
            turn,
            inputs: inputs.len() as u64,
            annotations,
        })
        .collect()
}

fn places(operation: &Operation) -> Option<(&Geometry, &Geometry)> {
    let before = operation.before()?.geometry.as_ref()?;
    Some((before, operation.after()?.geometry.as_ref()?))
}

/// Only matching compares masks, because it has their images; a plan file does not.
fn closeness(operation: &Operation, before: &Geometry, after: &Geometry) -> Option<Overlap> {
    match operation.matched() {
        Some(matched) if matches!(matched.by, MatchedBy::Moved | MatchedBy::MovedAndRelabelled) => {
            matched.overlap
        }
        _ if matches!(before, Geometry::Mask(_)) => None,
        _ if matches!(before, Geometry::Keypoints(_)) => {
            Distance::of(before, after).and(overlap(before, after))
        }
        _ => overlap(before, after),
    }
}
