//! The account of an apply as a document: which plan it was of, how it ended, and what became of every operation.

use super::outcome::{Ending, Outcome};
use super::trip::Trip;
use super::types::{FORMAT_VERSION, Plan, Purpose, Target};
use crate::model::SetName;

/// What `apply --format json` prints.
#[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Account {
    /// The version of this format: 1.0.
    pub format_version: String,
    /// The version of annosync that carried it out.
    pub tool_version: String,
    /// How it ended.
    pub ending: Ending,
    /// What the plan was for.
    pub purpose: Purpose,
    /// The app that it was carried out on.
    pub target: Target,
    /// The label set.
    pub set: SetName,
    /// SHA-256 of the manifest's files: 64 hex digits.
    pub manifest_hash: String,
    /// Operations and purges of the plan: what the counts below come to.
    pub planned: u64,
    /// The guards that would have stopped the plan, and that were let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_guards: Vec<Trip>,
    /// What became of them.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Account {
    /// The account of what became of this plan.
    pub fn new(plan: &Plan, outcome: Outcome) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            ending: outcome.ending(),
            purpose: plan.purpose,
            target: plan.target.clone(),
            set: plan.set.clone(),
            manifest_hash: plan.manifest_hash.clone(),
            planned: (plan.operations.len() + plan.purges.len()) as u64,
            passed_guards: plan.passed_guards.clone(),
            outcome,
        }
    }
}
