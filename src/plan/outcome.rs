//! The result of an apply.

use super::counts::ActionCounts;
use super::operation::{Action, Operation};
use super::purge::Purge;
use super::summary::is_zero;
use crate::model::{AnnotationId, Content, InputId, Key};

/// What was applied: operations by action, and purges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Applied {
    #[serde(flatten)]
    pub actions: ActionCounts,
    /// Inputs that were purged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purge: u64,
    /// Inputs that were posted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub posted_inputs: u64,
    /// Inputs that were deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted_inputs: u64,
    /// Annotations that purges deleted, also on inputs that were not purged completely.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
}

impl Applied {
    /// The sum; a purged input counts as one.
    pub fn total(&self) -> u64 {
        self.actions.total() + self.purge + self.posted_inputs + self.deleted_inputs
    }

    pub fn is_nothing(&self) -> bool {
        self.total() == 0 && self.purged == 0
    }
}

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The plan is empty. Exit code 0.
    NothingToDo,
    /// The app is now as planned. Exit code 0.
    Applied,
    /// Annotations that had changed since the plan was made were left alone; everything else is applied. Exit code 4.
    Stale,
    /// Something failed or was not attempted. Exit code 5.
    Partial,
    /// Something failed or was not attempted, and nothing was written. Exit code 1.
    Failed,
}

/// What was written before an operation turned out to be stale, or failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Touched {
    /// Nothing.
    #[default]
    #[serde(rename = "not")]
    Nothing,
    /// Its concepts were removed, but the annotation was not deleted: somebody had added other data, or the service
    /// left it to a delete that failed.
    ConceptsRemoved,
    /// It was deleted, and not posted again.
    Deleted,
    /// It was written, but the service stored something else than was sent, or the stand-in of a replacement still
    /// exists.
    #[serde(rename = "otherwise")]
    Incomplete,
    /// Unknown: the answer of a call was lost. The call may have written it, and it could not be read back.
    #[serde(rename = "perhaps")]
    Unknown,
}

impl Touched {
    /// Whether certainly nothing was written.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// An operation with a stale annotation, which is neither as the plan saw it nor as the plan wants it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StaleItem {
    /// Index into the plan's operations.
    pub operation: u32,
    /// The action that was not carried out.
    pub action: Action,
    /// The input of the annotation.
    pub input_id: InputId,
    /// The id of the annotation.
    pub id: AnnotationId,
    /// The name that the manifest gives the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Its content now, all fields; null if it does not exist.
    pub now: Option<Content>,
    /// The planned content, the managed fields; null for a delete.
    pub wanted: Option<Content>,
    /// What was written.
    pub touched: Touched,
}

impl StaleItem {
    /// `index` is that of the operation in its plan.
    pub fn new(index: u32, operation: &Operation, now: Option<Content>) -> Self {
        Self {
            operation: index,
            action: operation.action(),
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            now,
            wanted: operation.after().cloned(),
            touched: Touched::Nothing,
        }
    }
}

/// How an annotation that a purge would delete differs from the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// It was made after the plan.
    Made,
    /// It was changed after the plan.
    Changed,
}

/// An annotation that a purge would delete and that the plan did not show, or showed with other content.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unplanned {
    /// The id of the annotation.
    pub id: AnnotationId,
    /// Whether it was made or changed after the plan.
    pub since: Since,
    /// Its content now, all fields.
    pub now: Content,
}

/// An input on which a purge would delete more than the plan showed. Nothing was purged.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StalePurge {
    /// Index into the plan's purges.
    pub purge: u32,
    /// The input.
    pub input_id: InputId,
    /// The annotations that differ from the plan, in observed order; at least one.
    pub unplanned: Vec<Unplanned>,
    /// The number of annotations of the plan that an earlier attempt of the same run deleted; absent for 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
}

impl StalePurge {
    /// `index` is that of the purge in its plan.
    pub fn new(index: u32, purge: &Purge, unplanned: Vec<Unplanned>, purged: u64) -> Self {
        Self {
            purge: index,
            input_id: purge.input_id.clone(),
            unplanned,
            purged,
        }
    }
}

/// An input that was not purged, or not completely.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedPurge {
    /// Index into the plan's purges.
    pub purge: u32,
    /// The input.
    pub input_id: InputId,
    /// Why it failed.
    pub reason: String,
}

impl FailedPurge {
    /// `index` is that of the purge in its plan.
    pub fn new(index: u32, purge: &Purge, reason: impl Into<String>) -> Self {
        Self {
            purge: index,
            input_id: purge.input_id.clone(),
            reason: reason.into(),
        }
    }
}

/// An operation that failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedItem {
    /// Index into the plan's operations.
    pub operation: u32,
    /// The action that failed.
    pub action: Action,
    /// The input of the annotation.
    pub input_id: InputId,
    /// The id of the annotation.
    pub id: AnnotationId,
    /// The name that the manifest gives the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why it failed.
    pub reason: String,
    /// What was written.
    #[serde(default, skip_serializing_if = "Touched::is_nothing")]
    pub touched: Touched,
}

impl FailedItem {
    /// An operation that wrote nothing. `index` is that of the operation in its plan.
    pub fn new(index: u32, operation: &Operation, reason: impl Into<String>) -> Self {
        Self {
            operation: index,
            action: operation.action(),
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            reason: reason.into(),
            touched: Touched::Nothing,
        }
    }
}

/// An input that could not be posted, processed or deleted. Its operations were not attempted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedInput {
    /// The input.
    pub input_id: InputId,
    /// Why it failed.
    pub reason: String,
    /// Whether it was posted.
    #[serde(default, skip_serializing_if = "Touched::is_nothing")]
    pub touched: Touched,
}

/// An input that an undo did not delete, because it has annotations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StaleInput {
    /// The input.
    pub input_id: InputId,
    /// The number of its annotations.
    pub annotations: u64,
}

/// The result of an apply. Every operation, purge and input of the plan is counted in exactly one of `applied`,
/// `already_so`, `stale`, `failed` (or the same for purges and inputs) and `not_attempted`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// Operations, purges and inputs that were applied.
    pub applied: Applied,
    /// Operations without a write, because the annotation already was as planned.
    pub already_so: u64,
    /// Operations that were skipped because their annotation had changed; in order of operation.
    pub stale: Vec<StaleItem>,
    /// Operations that failed; in order of operation.
    pub failed: Vec<FailedItem>,
    /// Purges that were skipped because they would delete more than the plan showed; in order of purge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_purges: Vec<StalePurge>,
    /// Purges that failed or left annotations; in order of purge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_purges: Vec<FailedPurge>,
    /// Inputs that could not be posted, were not processed, or could not be deleted; sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_inputs: Vec<FailedInput>,
    /// Inputs that were not deleted because they have annotations; sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_inputs: Vec<StaleInput>,
    /// Operations that were not attempted: the run was stopped before, or their input does not exist.
    pub not_attempted: u64,
    /// Calls that were made, including repeated ones.
    pub calls: u64,
}

impl Outcome {
    /// Sorts the results of concurrent calls into the plan's order.
    pub fn sort(&mut self) {
        self.stale.sort_by_key(|item| item.operation);
        self.failed.sort_by_key(|item| item.operation);
        self.stale_purges.sort_by_key(|item| item.purge);
        self.failed_purges.sort_by_key(|item| item.purge);
        self.failed_inputs
            .sort_by(|a, b| a.input_id.cmp(&b.input_id));
        self.stale_inputs
            .sort_by(|a, b| a.input_id.cmp(&b.input_id));
    }

    pub fn ending(&self) -> Ending {
        if self.is_complete() {
            if self.operations() == 0 {
                Ending::NothingToDo
            } else {
                Ending::Applied
            }
        } else if !self.is_partial() {
            Ending::Stale
        } else if self.applied.is_nothing() && !self.has_stale() && !self.has_unprocessed_posts() {
            Ending::Failed
        } else {
            Ending::Partial
        }
    }

    /// Whether an input was posted and could not be processed.
    fn has_unprocessed_posts(&self) -> bool {
        self.failed_inputs.iter().any(|it| !it.touched.is_nothing())
    }

    /// Whether the app is now as planned.
    pub fn is_complete(&self) -> bool {
        !self.has_stale() && !self.is_partial()
    }

    pub fn has_stale(&self) -> bool {
        self.stale_count() > 0
    }

    /// The number of stale operations, purges and inputs.
    pub fn stale_count(&self) -> u64 {
        (self.stale.len() + self.stale_purges.len() + self.stale_inputs.len()) as u64
    }

    /// The number of failed operations, purges and inputs.
    pub fn failed_count(&self) -> u64 {
        (self.failed.len() + self.failed_purges.len() + self.failed_inputs.len()) as u64
    }

    /// Whether anything failed or was not attempted.
    pub fn is_partial(&self) -> bool {
        self.failed_count() > 0 || self.not_attempted > 0
    }

    /// The number of operations, purges and inputs in this result: as many as the plan has.
    pub fn operations(&self) -> u64 {
        self.applied.total()
            + self.already_so
            + self.stale_count()
            + self.failed_count()
            + self.not_attempted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::operation::Change;

    fn operation() -> Operation {
        let change = Change::Post {
            after: Content::default(),
            double: None,
        };
        let (input, id) = (InputId::new("a").unwrap(), AnnotationId::new("1").unwrap());
        Operation {
            key: Some(Key::new("k").unwrap()),
            ..Operation::new(input, id, change)
        }
    }

    #[test]
    fn every_operation_is_counted_once() {
        let mut outcome = Outcome {
            already_so: 2,
            not_attempted: 3,
            stale: vec![StaleItem::new(1, &operation(), None)],
            failed: vec![FailedItem::new(0, &operation(), "no")],
            ..Outcome::default()
        };
        outcome.applied.actions.add(Action::Post);
        outcome.applied.actions.add(Action::Replace);
        assert_eq!(outcome.applied.total(), 2);
        assert_eq!(outcome.operations(), 9);
        assert_eq!(outcome.stale[0].wanted, Some(Content::default()));
        assert_eq!(outcome.failed[0].key.as_ref().unwrap().as_str(), "k");
    }

    #[test]
    fn a_purge_counts_once_and_its_annotations_separately() {
        let purge = Purge {
            input_id: InputId::new("a").unwrap(),
            cause: None,
            needs: None,
            annotations: Vec::new(),
        };
        let mut outcome = Outcome {
            applied: Applied {
                purge: 2,
                purged: 14,
                ..Applied::default()
            },
            ..Outcome::default()
        };
        assert_eq!((outcome.operations(), outcome.is_complete()), (2, true));
        outcome.failed_purges = vec![FailedPurge::new(2, &purge, "no")];
        assert!(outcome.is_partial() && !outcome.has_stale());
        outcome.stale_purges = vec![StalePurge::new(3, &purge, Vec::new(), 0)];
        assert!(outcome.has_stale() && !outcome.is_complete());
        assert_eq!(outcome.operations(), 4);
        let some_went = Applied {
            purged: 1,
            ..Applied::default()
        };
        assert!(!some_went.is_nothing() && Applied::default().is_nothing());
        let json = serde_json::to_value(&outcome).unwrap();
        assert_eq!(json["applied"]["purged"], 14);
        assert_eq!(json["failed_purges"][0]["input_id"], "a");
        let none = serde_json::to_string(&Outcome::default()).unwrap();
        assert!(!none.contains("purge"), "{none}");
    }

    #[test]
    fn an_outcome_is_complete_only_if_nothing_is_left_to_do() {
        let done = Outcome {
            already_so: 2,
            ..Outcome::default()
        };
        assert!(done.is_complete() && !done.has_stale() && !done.is_partial());
        assert_eq!(done.ending(), Ending::Applied);
        assert_eq!(Outcome::default().ending(), Ending::NothingToDo);
        let stale = Outcome {
            stale: vec![StaleItem::new(0, &operation(), None)],
            ..Outcome::default()
        };
        assert!(!stale.is_complete() && stale.has_stale() && !stale.is_partial());
        assert_eq!(stale.ending(), Ending::Stale);
        let failed = Outcome {
            failed: vec![FailedItem::new(0, &operation(), "no")],
            ..Outcome::default()
        };
        assert!(!failed.is_complete() && failed.is_partial());
        assert_eq!(failed.ending(), Ending::Failed);
        let mut in_part = failed;
        in_part.applied.actions.add(Action::Merge);
        assert_eq!(in_part.ending(), Ending::Partial);
        let stopped = Outcome {
            not_attempted: 1,
            ..Outcome::default()
        };
        assert!(!stopped.is_complete() && stopped.is_partial());
    }

    #[test]
    fn results_are_sorted_into_the_plans_order() {
        let mut outcome = Outcome {
            failed: vec![
                FailedItem::new(2, &operation(), "b"),
                FailedItem::new(1, &operation(), "a"),
            ],
            ..Outcome::default()
        };
        outcome.sort();
        assert_eq!(outcome.failed[0].operation, 1);
    }
}
