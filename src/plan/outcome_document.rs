//! The outcome of an apply as a document: its plan, how it ended, and the result of every operation.

use super::join::{JoinError, check_shards};
use super::outcome::{Applied, Ending, Outcome};
use super::plan::{Plan, Purpose, Target};
use super::read::PlanFileError;
use super::tripped_guard::TrippedGuard;
use crate::model::{SetName, Shard};

pub(super) const OUTCOME_VERSION: &str = "1.0";

/// What `apply --format json` prints.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutcomeDocument {
    /// The version of this format: 1.0.
    pub format_version: String,
    /// The version of annosync that applied the plan.
    pub tool_version: String,
    /// How the apply ended.
    pub ending: Ending,
    /// The purpose of the plan.
    pub purpose: Purpose,
    /// The app that the plan was applied to.
    pub target: Target,
    /// The label set.
    pub set: SetName,
    /// SHA-256 of the manifest's files: 64 hex digits.
    pub manifest_hash: String,
    /// The part of the inputs that was applied; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The number of operations, purges and inputs of the plan: the sum of the counts below.
    pub planned: u64,
    /// The guards that tripped and that a flag let pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_guards: Vec<TrippedGuard>,
    /// The results.
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl OutcomeDocument {
    /// Reads what `apply --format json` printed.
    ///
    /// # Errors
    ///
    /// The text is not an outcome of this format.
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
            #[serde(default)]
            shard: Option<Shard>,
            planned: u64,
            #[serde(default)]
            passed_guards: Vec<TrippedGuard>,
        }
        let head: Head =
            serde_json::from_str(text).map_err(|error| PlanFileError::Syntax(error.into()))?;
        if head.format_version != OUTCOME_VERSION {
            return Err(PlanFileError::Version {
                found: head.format_version,
                known: OUTCOME_VERSION,
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
            shard: head.shard,
            planned: head.planned,
            passed_guards: head.passed_guards,
            outcome,
        })
    }

    /// The outcome of the whole, from the outcomes of all its shards. Its items count the operations of the shards one shard
    /// after the other.
    ///
    /// # Errors
    ///
    /// The outcomes are not those of all shards of one manifest and one app.
    pub fn join(outcomes: Vec<Self>) -> Result<Self, JoinError> {
        let shards: Vec<Option<Shard>> = outcomes.iter().map(|it| it.shard).collect();
        check_shards(&shards)?;
        for (at, outcome) in outcomes.iter().enumerate() {
            let first = &outcomes[0];
            let same = [
                ("manifest", first.manifest_hash == outcome.manifest_hash),
                ("app", first.target == outcome.target),
                ("set", first.set == outcome.set),
                ("purpose", first.purpose == outcome.purpose),
                (
                    "version of annosync",
                    first.tool_version == outcome.tool_version,
                ),
            ];
            if let Some((what, _)) = same.into_iter().find(|(_, is_same)| !is_same) {
                return Err(JoinError::Differs { at, what });
            }
        }
        let mut outcomes = outcomes;
        outcomes.sort_by_key(|outcome| outcome.shard);
        let mut parts = outcomes.into_iter();
        let mut joined = parts.next().expect("a shard count is at least 1");
        joined.shard = None;
        for part in parts {
            joined.outcome.append(part.outcome, joined.planned);
            joined.planned = joined.planned.saturating_add(part.planned);
            for trip in part.passed_guards {
                if !joined.passed_guards.contains(&trip) {
                    joined.passed_guards.push(trip);
                }
            }
        }
        joined.ending = joined.outcome.ending();
        Ok(joined)
    }

    pub fn new(plan: &Plan, outcome: Outcome) -> Self {
        Self {
            format_version: OUTCOME_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            ending: outcome.ending(),
            purpose: plan.purpose,
            target: plan.target.clone(),
            set: plan.set.clone(),
            manifest_hash: plan.manifest_hash.clone(),
            shard: plan.shard,
            planned: plan.len() as u64,
            passed_guards: plan.passed_guards.clone(),
            outcome,
        }
    }
}

impl Outcome {
    /// Adds the result of another plan, whose operations follow the `planned` ones of this one.
    fn append(&mut self, mut part: Self, planned: u64) {
        let planned = u32::try_from(planned).unwrap_or(u32::MAX);
        for operation in (part.stale.iter_mut().map(|it| &mut it.operation))
            .chain(part.failed.iter_mut().map(|it| &mut it.operation))
            .chain(part.stale_purges.iter_mut().map(|it| &mut it.purge))
            .chain(part.failed_purges.iter_mut().map(|it| &mut it.purge))
        {
            *operation = operation.saturating_add(planned);
        }
        self.stale.extend(part.stale);
        self.failed.extend(part.failed);
        self.stale_purges.extend(part.stale_purges);
        self.failed_purges.extend(part.failed_purges);
        self.failed_inputs.extend(part.failed_inputs);
        self.stale_inputs.extend(part.stale_inputs);
        self.sort();
        add_applied(&mut self.applied, part.applied);
        for (sum, more) in [
            (&mut self.already_so, part.already_so),
            (&mut self.not_attempted, part.not_attempted),
            (&mut self.calls, part.calls),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

fn add_applied(sum: &mut Applied, part: Applied) {
    sum.actions = sum.actions.plus(part.actions);
    for (sum, more) in [
        (&mut sum.purge, part.purge),
        (&mut sum.posted_inputs, part.posted_inputs),
        (&mut sum.deleted_inputs, part.deleted_inputs),
        (&mut sum.purged, part.purged),
    ] {
        *sum = sum.saturating_add(more);
    }
}
