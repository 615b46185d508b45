//! How far annotations move: the overlap of the old and the new place, and the largest moves; and how pictures were
//! turned.

use super::operation::Operation;
use crate::matching::{Matched, MatchedBy};
use crate::model::{AnnotationId, Geometry, InputId, Key, Measure, Overlap, Turn, overlap};
use std::collections::{BTreeMap, BTreeSet};

/// The number of moves that are listed.
pub const LARGEST_MOVES: usize = 10;

#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Moves {
    /// The number of annotations by the IoU of old and new place, in tenths: the first counts 0 to below 0.1, the
    /// last 0.9 to 1. Points and keypoints count by their distance, on the scale that matching uses.
    pub histogram: [u64; 10],
    /// Moves without an IoU: to another kind of geometry, and masks that are matched by id or key.
    pub unmeasured: u64,
    /// The ten largest: lowest IoU first, then by input and id.
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
}

impl Moves {
    pub fn count(&self) -> u64 {
        self.histogram.iter().sum::<u64>() + self.unmeasured
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
            moves.histogram[(overlap.millionths() / 100_000).min(9) as usize] += 1;
            moves.largest.push(Move {
                input_id: operation.input_id.clone(),
                id: operation.id.clone(),
                key: operation.key.clone(),
                measure: Measure::of(before),
                overlap,
            });
        }
        moves
            .largest
            .sort_by(|a, b| (a.overlap, &a.input_id, &a.id).cmp(&(b.overlap, &b.input_id, &b.id)));
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
        _ => overlap(before, after),
    }
}
