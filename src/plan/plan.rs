//! The plan: plain data that is shown, written to a file, and applied.

use super::app_change::{AppChange, Decision};
use super::batch::{Batch, Call};
use super::operation::{Operation, is_default};
use super::planned_input::PlannedInput;
use super::purge::Purge;
use super::rights::{self, Needed};
use super::shard::Whole;
use super::summary::Summary;
use super::tripped_guard::{Allowances, TrippedGuard};
use crate::model::{InputId, Policy, SetName, Shard, UserId};
use std::collections::BTreeMap;

/// The version of the plan file's format.
pub const FORMAT_VERSION: &str = "2.0";

/// The purpose of a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Make the app equal to a manifest.
    #[default]
    Manifest,
    /// Restore the app as it was before an apply.
    Undo,
}

/// The last applied manifest.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Base {
    /// The revision as the user named it.
    pub revision: String,
    /// The commit of that revision.
    pub commit: String,
    /// SHA-256 of that manifest's files.
    pub manifest_hash: String,
}

/// The app that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Target {
    /// The base URL, or `embedded:` and the store's path as the manifest gives it.
    pub endpoint: String,
    /// The app's owner.
    pub user_id: String,
    /// The app's id.
    pub app_id: String,
}

/// The writes that make the app equal to the manifest.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    /// The version of this format: 2.0.
    pub format_version: String,
    /// The version of annosync that made it.
    pub tool_version: String,
    /// The purpose of the plan.
    #[serde(default, skip_serializing_if = "is_default")]
    pub purpose: Purpose,
    /// The app that the plan is for.
    pub target: Target,
    /// The label set.
    pub set: SetName,
    /// The policy of the manifest.
    pub policy: Policy,
    /// The user who owns the app.
    pub app_owner: UserId,
    /// The users with undeclared annotations in scope, sorted; `any` for everybody. `me` is resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<UserId>,
    /// Sets that belong to this set, from the manifest's `adopts` and from --adopt-set, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adopts: Vec<SetName>,
    /// SHA-256 of the manifest's files: 64 hex digits.
    pub manifest_hash: String,
    /// The base, to distinguish changes of the manifest from changes in the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// The part of the inputs that the plan covers; absent if it covers all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// In the plan of a shard: what is needed to join it with those of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Whole>,
    /// The counts.
    pub summary: Summary,
    /// The guards that tripped; a plan with any is not applied.
    pub guards: Vec<TrippedGuard>,
    /// The guards that tripped and that a flag let pass. An apply of the file requires the flag again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_guards: Vec<TrippedGuard>,
    /// What the listing does not cover, as text; empty if it covers the whole app. For an undo: what it does not
    /// restore.
    pub blind_spots: Vec<String>,
    /// The inputs that are posted, or waited for, before anything else, sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PlannedInput>,
    /// For an undo: the inputs that the apply posted, sorted by id. They are deleted after everything else, only with
    /// `--allow-delete-inputs N`, and only if they have no annotations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_inputs: Vec<InputId>,
    /// The writes, sorted by input id, then destructive ones first, then in declared (deletes: observed) order.
    pub operations: Vec<Operation>,
    /// The PNG files of the masks that are sent, in base64, by the SHA-256 of their pixels, which the operations
    /// name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masks: BTreeMap<String, String>,
    /// The inputs that are purged, sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purges: Vec<Purge>,
    /// The changes made in the app since the base, sorted by input id, then by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<AppChange>,
    /// The calls, in the order in which they are made.
    pub batches: Vec<Batch>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
            && self.purges.is_empty()
            && self.inputs.is_empty()
            && self.deleted_inputs.is_empty()
    }

    /// Whether it undoes an apply.
    pub fn is_undo(&self) -> bool {
        self.purpose == Purpose::Undo
    }

    /// Drops the deletes of inputs from an undo.
    pub fn keep_inputs(&mut self) {
        self.deleted_inputs.clear();
        self.batches
            .retain(|batch| batch.call != Call::DeleteInputs);
        self.summary.count_inputs(&self.inputs, &[]);
        self.summary.forecast(&self.batches);
    }

    /// The number of operations, purges and inputs.
    pub fn len(&self) -> usize {
        self.operations.len() + self.purges.len() + self.inputs.len() + self.deleted_inputs.len()
    }

    /// Moves the guards that these allowances let pass to `passed_guards`.
    pub fn pass_guards(&mut self, allowances: &Allowances) {
        let passed = self
            .guards
            .extract_if(.., |trip| trip.is_passed_by(allowances));
        self.passed_guards.extend(passed);
    }

    pub fn has_undecided_conflicts(&self) -> bool {
        let is_undecided = |change: &AppChange| change.decision == Decision::Undecided;
        self.drift.iter().any(is_undecided)
    }

    /// The writes that only one user and the app's owner may make, if the app belongs to `app_owner`.
    pub fn needed(&self, app_owner: &UserId) -> Vec<Needed> {
        rights::needed(&self.operations, &self.purges, app_owner)
    }
}
