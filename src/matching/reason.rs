//! Why a declared annotation was taken for an observed one.

use crate::model::{Measure, Overlap};
use std::fmt;

/// The stages of matching, in their order.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The manifest names its id.
    Id,
    /// The manifest's key makes its id.
    Key,
    /// It is the one that the app made with the input.
    InputLevel,
    /// Same geometry, same concepts.
    Exact,
    /// Same geometry, other concepts.
    Relabelled,
    /// Same concepts, and close: an IoU of at least 0.5, or as close by the measure of their kind.
    Moved,
    /// Other concepts, and very close: an IoU of at least 0.9, or as close by the measure of their kind.
    MovedAndRelabelled,
}

/// A pairing's reason.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Matched {
    /// The stage that made it.
    pub by: MatchedBy,
    /// What closeness was measured by.
    #[serde(default, skip_serializing_if = "is_iou")]
    pub measure: Measure,
    /// How closely the two lie together; only for stages that compare places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// The overlap of the best other pairing that either of the two could have had in the same stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<Overlap>,
    /// The runner-up is within 0.02: a person should look.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_iou(measure: &Measure) -> bool {
    *measure == Measure::Iou
}

impl Matched {
    /// A pairing by name, where nothing was compared.
    pub fn by_name(by: MatchedBy) -> Self {
        Self {
            by,
            measure: Measure::Iou,
            overlap: None,
            runner_up: None,
            ambiguous: false,
        }
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.by {
            MatchedBy::Id => "matched: id",
            MatchedBy::Key => "matched: key",
            MatchedBy::InputLevel => "matched: input-level annotation",
            MatchedBy::Exact => "matched: exact",
            MatchedBy::Relabelled => "matched: same place, other concepts",
            MatchedBy::Moved => "matched: moved",
            MatchedBy::MovedAndRelabelled => "matched: moved, other concepts",
        })?;
        if let (Some(overlap), MatchedBy::Moved | MatchedBy::MovedAndRelabelled) =
            (self.overlap, self.by)
        {
            write!(f, ", {}", self.measure.words(overlap))?;
        }
        if let Some(runner_up) = self.runner_up {
            write!(f, ", runner-up {}", self.measure.number(runner_up))?;
        }
        if self.ambiguous {
            f.write_str(", ambiguous")?;
        }
        Ok(())
    }
}
