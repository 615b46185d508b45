//! Records how each operation ended, for the plan that undoes it.

use super::watch::{ItemOutcome, Subject, Watch};
use crate::model::{Fingerprint, ObservedAnnotation, fingerprint};
use crate::plan::{Action, ApplyStatus, ApplyStatuses, Operation, Plan};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Observes a run, and records what has to be undone.
#[derive(Debug)]
pub struct Recorder {
    /// Whether each operation is a post.
    posts: Vec<bool>,
    record: Mutex<Record>,
}

#[derive(Debug)]
struct Record {
    statuses: ApplyStatuses,
    /// What the service stored last, by operation.
    stored: Vec<Option<Fingerprint>>,
}

impl Recorder {
    pub fn new(plan: &Plan) -> Self {
        let is_post = |operation: &Operation| operation.action() == Action::Post;
        Self {
            posts: plan.operations.iter().map(is_post).collect(),
            record: Mutex::new(Record {
                statuses: ApplyStatuses::unknown(plan),
                stored: vec![None; plan.operations.len()],
            }),
        }
    }

    pub fn statuses(&self) -> ApplyStatuses {
        self.record().statuses.clone()
    }

    fn is_post(&self, what: Subject) -> bool {
        matches!(what, Subject::Operation(at) if self.posts[at as usize])
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // A panic cannot leave a record half written.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Recorder {
    fn ended(&self, what: Subject, how: &ItemOutcome) {
        let mut record = self.record();
        let stored = match what {
            Subject::Operation(at) => record.stored[at as usize],
            _ => None,
        };
        let status = match how {
            ItemOutcome::Applied => ApplyStatus::Applied(stored),
            // It did not exist before the run, so a call of this run posted it, and its answer was lost.
            ItemOutcome::AlreadyUpToDate if self.is_post(what) => ApplyStatus::Applied(stored),
            ItemOutcome::AlreadyUpToDate | ItemOutcome::NotAttempted => ApplyStatus::NotApplied,
            ItemOutcome::Stale { touched, .. } | ItemOutcome::Failed { touched, .. }
                if touched.is_nothing() =>
            {
                ApplyStatus::NotApplied
            }
            // It may be written in part: its undo reads what is stored.
            ItemOutcome::Stale { .. } => ApplyStatus::Unknown,
            ItemOutcome::Failed { .. } => stored.map_or(ApplyStatus::Unknown, |stored| {
                ApplyStatus::Applied(Some(stored))
            }),
        };
        match what {
            Subject::Operation(at) => record.statuses.operations[at as usize] = status,
            Subject::Purge(at) => record.statuses.purges[at as usize] = status,
            Subject::Input(at) => record.statuses.inputs[at as usize] = status,
            // Not recorded: an undo of an undo does not post deleted inputs again.
            Subject::DeletedInput(_) => {}
        }
    }

    fn stored(&self, operation: u32, now: &ObservedAnnotation) {
        let now = fingerprint(now);
        self.record().stored[operation as usize] = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Interner;
    use crate::plan::{Batch, Touched};

    /// A plan of this many operations, of which the first is a post, and of one purge.
    fn plan(operations: usize) -> Plan {
        let operation = |at: usize| {
            let mut operation = serde_json::json!({
                "input_id": "a", "id": at.to_string(), "bytes": 1, "after": {},
            });
            let more = if at == 0 {
                serde_json::json!({"action": "post", "reason": "not_on_remote"})
            } else {
                serde_json::json!({
                    "action": "merge", "reason": "differs", "matched": {"by": "id"}, "seen": {}, "before": {},
                    "fingerprint": "0".repeat(32),
                })
            };
            let fields = operation.as_object_mut().unwrap();
            fields.extend(more.as_object().unwrap().clone());
            operation
        };
        let none: Vec<Batch> = Vec::new();
        let text = serde_json::json!({
            "format_version": "1.0", "tool_version": "0",
            "target": {"endpoint": "", "user_id": "me", "app_id": "app"},
            "set": "street", "policy": "sync", "app_owner": "me", "manifest_hash": "",
            "summary": {
                "post": 0, "merge": 0, "overwrite": 0, "remove": 0, "replace": 0, "delete": 0,
                "unchanged": 0, "unmanaged": 0, "other_sets": 0, "existing": 0, "ambiguous": 0,
                "held_back": {"updates": 0, "deletes": 0}, "calls": 0, "lower_bound": 0, "rate_limit": 1,
            },
            "guards": [], "blind_spots": [], "batches": none,
            "operations": (0..operations).map(operation).collect::<Vec<_>>(),
            "purges": [{"input_id": "b", "annotations": []}],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn operations_that_may_have_been_written_stay_open_and_unwritten_ones_are_not_undone() {
        let wire = serde_json::from_str(r#"{"id":"a","input_id":"a"}"#).unwrap();
        let (_, now) = crate::wire::decode::annotation(wire, &mut Interner::default()).unwrap();
        let failed = |touched| ItemOutcome::Failed {
            reason: "no".to_owned(),
            touched,
        };
        let ended = [
            (ItemOutcome::AlreadyUpToDate, ApplyStatus::Applied(None)),
            (ItemOutcome::AlreadyUpToDate, ApplyStatus::NotApplied),
            (ItemOutcome::Applied, ApplyStatus::Applied(None)),
            (ItemOutcome::NotAttempted, ApplyStatus::NotApplied),
            (failed(Touched::Nothing), ApplyStatus::NotApplied),
            (failed(Touched::Unknown), ApplyStatus::Unknown),
            (failed(Touched::Deleted), ApplyStatus::Unknown),
            (
                ItemOutcome::Stale {
                    found: (),
                    touched: Touched::Nothing,
                },
                ApplyStatus::NotApplied,
            ),
            (
                ItemOutcome::Stale {
                    found: (),
                    touched: Touched::ConceptsRemoved,
                },
                ApplyStatus::Unknown,
            ),
        ];
        // Two more: one with a known stored state, and one that did not end.
        let plan = plan(ended.len() + 2);
        let recorder = Recorder::new(&plan);
        for (at, (outcome, _)) in ended.iter().enumerate() {
            recorder.ended(Subject::Operation(at as u32), outcome);
        }
        let at = ended.len() as u32;
        recorder.stored(at, &now);
        recorder.ended(Subject::Operation(at), &failed(Touched::Incomplete));
        recorder.ended(Subject::Purge(0), &failed(Touched::Unknown));
        let mut expected: Vec<ApplyStatus> = ended.iter().map(|(_, status)| *status).collect();
        let seen = ApplyStatus::Applied(Some(fingerprint(&now)));
        expected.extend([seen, ApplyStatus::Unknown]);
        let statuses = recorder.statuses();
        assert_eq!(
            (statuses.operations, statuses.purges),
            (expected, vec![ApplyStatus::Unknown])
        );
    }
}
