//! The account of an apply as a document: which plan it was of, how it ended, and what became of every operation.

use super::outcome::{Ending, Outcome};
use super::read::PlanFileError;
use super::trip::Trip;
use super::types::{Plan, Purpose, Target};
use crate::model::SetName;

/// The version of the account's format.
pub(super) const ACCOUNT_VERSION: &str = "1.0";

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
    /// Operations, purges and inputs of the plan: what the counts below come to.
    pub planned: u64,
    /// The guards that would have stopped the plan, and that were let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_guards: Vec<Trip>,
    /// What became of them.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Account {
    /// Reads what `apply --format json` printed.
    ///
    /// # Errors
    ///
    /// A text that is not an account of this format.
    pub fn read(text: &str) -> Result<Self, PlanFileError> {
        #[derive(serde::Deserialize)]
        struct Head {
            format_version: String,
            tool_version: String,
            ending: Ending,
            purpose: Purpose,
            target: Target,
            set: SetName,
            manifest_hash: String,
            planned: u64,
            #[serde(default)]
            passed_guards: Vec<Trip>,
        }
        let head: Head =
            serde_json::from_str(text).map_err(|error| PlanFileError::Syntax(error.into()))?;
        if head.format_version != ACCOUNT_VERSION {
            return Err(PlanFileError::Version {
                found: head.format_version,
                known: ACCOUNT_VERSION,
            });
        }
        // The outcome holds JSON as it was stored, which cannot be read by way of a flattened field.
        let outcome =
            serde_json::from_str(text).map_err(|error| PlanFileError::Syntax(error.into()))?;
        Ok(Self {
            format_version: head.format_version,
            tool_version: head.tool_version,
            ending: head.ending,
            purpose: head.purpose,
            target: head.target,
            set: head.set,
            manifest_hash: head.manifest_hash,
            planned: head.planned,
            passed_guards: head.passed_guards,
            outcome,
        })
    }

    /// The account of what became of this plan.
    pub fn new(plan: &Plan, outcome: Outcome) -> Self {
        Self {
            format_version: ACCOUNT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            ending: outcome.ending(),
            purpose: plan.purpose,
            target: plan.target.clone(),
            set: plan.set.clone(),
            manifest_hash: plan.manifest_hash.clone(),
            planned: plan.len() as u64,
            passed_guards: plan.passed_guards.clone(),
            outcome,
        }
    }
}
