//! How far annotations move: by how much of each stays, and which move the furthest.
//!
//! Counted from the operations alone.

use super::types::Operation;
use crate::matching::MatchedBy;
use crate::model::{AnnotationId, Geometry, InputId, Key, Measure, Overlap, overlap};

/// How many moves are listed, the largest first.
pub const LARGEST_MOVES: usize = 10;

/// Annotations whose geometry changes.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Moves {
    /// By the IoU of before and after, in tenths: the first counts 0 to below 0.1, the last 0.9 to 1. Points and
    /// keypoints count by their distance, on the scale that matching uses.
    pub histogram: [u64; 10],
    /// Those that cannot be compared: of another kind than before, or masks that are found by name.
    pub unmeasured: u64,
    /// The ten largest: lowest IoU first, then by input and id.
    pub largest: Vec<Move>,
}

/// One annotation that lies elsewhere.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Move {
    /// On which input.
    pub input_id: InputId,
    /// Which.
    pub id: AnnotationId,
    /// The name that the manifest gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What the two are compared by.
    pub measure: Measure,
    /// How closely before and after lie together.
    pub overlap: Overlap,
}

impl Moves {
    /// How many there are.
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

fn places(operation: &Operation) -> Option<(&Geometry, &Geometry)> {
    let before = operation.before.as_ref()?.geometry.as_ref()?;
    Some((before, operation.after.as_ref()?.geometry.as_ref()?))
}

/// Masks are compared while matching, when their images are at hand, and not once more: a plan file does not hold them.
fn closeness(operation: &Operation, before: &Geometry, after: &Geometry) -> Option<Overlap> {
    match operation.matched {
        Some(matched) if matches!(matched.by, MatchedBy::Moved | MatchedBy::MovedAndRelabelled) => {
            matched.overlap
        }
        _ if matches!(before, Geometry::Mask(_)) => None,
        _ => overlap(before, after),
    }
}
