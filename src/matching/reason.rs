//! The reason of a pair.

use crate::model::{Measure, Overlap, Turn};
use std::fmt;

/// The stages of matching, in their order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The manifest declares its id.
    Id,
    /// Its id is derived from the declared key.
    Key,
    /// It is the annotation that the app created with the input.
    InputLevel,
    /// Same geometry, same concepts.
    Exact,
    /// Same geometry, other concepts.
    Relabelled,
    /// Same concepts, and an overlap of at least 0.5: an IoU, or the measure of the kind.
    Moved,
    /// Other concepts, and an overlap of at least 0.9: an IoU, or the measure of the kind.
    MovedAndRelabelled,
    /// Same concepts, and the same geometry once the picture is turned or mirrored.
    Turned,
}

/// The reason of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Matched {
    /// The stage that made the pair.
    pub by: MatchedBy,
    /// The measure of the overlaps.
    #[serde(default, skip_serializing_if = "is_iou")]
    pub measure: Measure,
    /// The overlap of the two; only for stages that compare geometries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// The overlap of the best alternative for either of the two in the same stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<Overlap>,
    /// Whether the runner-up is within 0.02, so that a person should check the pair.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// How the picture was turned; only for that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_iou(measure: &Measure) -> bool {
    *measure == Measure::Iou
}

impl Matched {
    /// For stages that measure no overlap.
    pub fn without_measure(by: MatchedBy) -> Self {
        Self {
            by,
            measure: Measure::Iou,
            overlap: None,
            runner_up: None,
            ambiguous: false,
            turn: None,
        }
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(turn) = self.turn {
            return write!(f, "matched: {}", turn.words());
        }
        f.write_str(match self.by {
            MatchedBy::Id => "matched: id",
            MatchedBy::Key => "matched: key",
            MatchedBy::InputLevel => "matched: input-level annotation",
            MatchedBy::Exact => "matched: exact",
            MatchedBy::Relabelled => "matched: same place, other concepts",
            MatchedBy::Moved => "matched: moved",
            MatchedBy::MovedAndRelabelled => "matched: moved, other concepts",
            MatchedBy::Turned => "matched: turned",
        })?;
        if let (Some(overlap), MatchedBy::Moved | MatchedBy::MovedAndRelabelled) =
            (self.overlap, self.by)
        {
            write!(f, ", {}", self.measure.describe(overlap))?;
        }
        if let Some(runner_up) = self.runner_up {
            let value = self.measure.format_value(runner_up);
            write!(f, ", runner-up {value}")?;
        }
        if self.ambiguous {
            f.write_str(", ambiguous")?;
        }
        Ok(())
    }
}
