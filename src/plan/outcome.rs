//! What became of a plan: the account of an apply.

use super::summary::is_zero;
use super::types::{Action, Operation, Purge};
use crate::model::{AnnotationId, Content, InputId, Key};

/// What was carried out: operations by action, and purges.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub struct Applied {
    /// Annotations that were made.
    pub post: u64,
    /// Patches with just the difference.
    pub merge: u64,
    /// Patches that carried everything that was to stay.
    pub overwrite: u64,
    /// Patches that named the concepts that went.
    pub remove: u64,
    /// Annotations that went and came back; counted once both halves are done.
    pub replace: u64,
    /// Annotations that went; what was gone already counts as deleted.
    pub delete: u64,
    /// Inputs that were purged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purge: u64,
    /// Inputs that were posted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub posted_inputs: u64,
    /// Inputs that were deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deleted_inputs: u64,
    /// Annotations that went with purges, those of inputs on which something was left included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
}

impl Applied {
    /// Counts one more.
    pub fn add(&mut self, action: Action) {
        *match action {
            Action::Post => &mut self.post,
            Action::Merge => &mut self.merge,
            Action::Overwrite => &mut self.overwrite,
            Action::Remove => &mut self.remove,
            Action::Replace => &mut self.replace,
            Action::Delete => &mut self.delete,
        } += 1;
    }

    /// All of them; a purged input counts as one.
    pub fn total(&self) -> u64 {
        self.post
            + self.merge
            + self.overwrite
            + self.remove
            + self.replace
            + self.delete
            + self.purge
            + self.posted_inputs
            + self.deleted_inputs
    }

    /// Whether nothing was written at all.
    pub fn is_nothing(&self) -> bool {
        self.total() == 0 && self.purged == 0
    }
}

/// How an apply ended.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The app was as the plan wants it; the plan is empty. Exit code 0.
    NothingToDo,
    /// The app is now as the plan wanted it. Exit code 0.
    Applied,
    /// What had changed since the plan was made was left alone; the rest is done. Exit code 4.
    Stale,
    /// Something failed, or was not tried. Exit code 5.
    Partial,
    /// Something failed, or was not tried, and nothing was carried out. Exit code 1.
    Failed,
}

/// What was written of an operation before it turned out to be stale.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Touched {
    /// Nothing.
    #[default]
    Not,
    /// The concepts that the plan saw are gone: their removal was to delete the annotation, and it is still there, as
    /// somebody had given it something else by then or the service left it to a delete that failed.
    ConceptsRemoved,
    /// It was deleted, and is not there again.
    Deleted,
    /// It was written, and something else is there than was meant: the service stored something else than was sent, or the
    /// stand-in of a replacement is still there.
    Otherwise,
    /// Nobody knows: a call whose answer was lost, or that nobody can read back, may have written it.
    Perhaps,
}

impl Touched {
    /// Whether nothing was written for sure.
    pub fn is_not(&self) -> bool {
        *self == Self::Not
    }
}

/// An operation whose annotation is neither as the plan saw it nor as it is to be.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct StaleItem {
    /// Index into the plan's operations.
    pub operation: u32,
    /// What would have been done.
    pub action: Action,
    /// To which input's annotation.
    pub input_id: InputId,
    /// Its id.
    pub id: AnnotationId,
    /// The name that the manifest gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What it is now, all of it; nothing where it is gone.
    pub now: Option<Content>,
    /// What it is to be, the managed fields; nothing where it is to go.
    pub wanted: Option<Content>,
    /// What was written of it.
    pub touched: Touched,
}

impl StaleItem {
    /// The operation at `index` of a plan, whose annotation is `now` something else.
    pub fn new(index: u32, operation: &Operation, now: Option<Content>) -> Self {
        Self {
            operation: index,
            action: operation.action,
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            now,
            wanted: operation.after.clone(),
            touched: Touched::Not,
        }
    }
}

/// What happened to an annotation that a purge did not reckon with.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// It was made after the plan.
    Made,
    /// It was changed after the plan.
    Changed,
}

/// An annotation that a purge would take and that the plan did not show so.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Unplanned {
    /// Which.
    pub id: AnnotationId,
    /// What happened to it since.
    pub since: Since,
    /// What it is now, all of it.
    pub now: Content,
}

/// An input on which a purge would take more than the plan showed. Nothing on it was purged.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct StalePurge {
    /// Index into the plan's purges.
    pub purge: u32,
    /// Which input.
    pub input_id: InputId,
    /// What the plan did not show, in observed order; at least one.
    pub unplanned: Vec<Unplanned>,
    /// How many annotations of the plan an earlier attempt of the same run deleted; absent for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub purged: u64,
}

impl StalePurge {
    /// The purge at `index` of a plan, which would delete these as well.
    pub fn new(index: u32, purge: &Purge, unplanned: Vec<Unplanned>, purged: u64) -> Self {
        Self {
            purge: index,
            input_id: purge.input_id.clone(),
            unplanned,
            purged,
        }
    }
}

/// An input that was not purged, or not to the end.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FailedPurge {
    /// Index into the plan's purges.
    pub purge: u32,
    /// Which input.
    pub input_id: InputId,
    /// Why it failed, in the service's words or ours.
    pub reason: String,
}

impl FailedPurge {
    /// The purge at `index` of a plan, which failed for `reason`.
    pub fn new(index: u32, purge: &Purge, reason: impl Into<String>) -> Self {
        Self {
            purge: index,
            input_id: purge.input_id.clone(),
            reason: reason.into(),
        }
    }
}

/// An operation that was tried, and did not succeed.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FailedItem {
    /// Index into the plan's operations.
    pub operation: u32,
    /// What was tried.
    pub action: Action,
    /// On which input's annotation.
    pub input_id: InputId,
    /// Its id.
    pub id: AnnotationId,
    /// The name that the manifest gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why it failed, in the service's words or ours.
    pub reason: String,
    /// What was written of it.
    #[serde(default, skip_serializing_if = "Touched::is_not")]
    pub touched: Touched,
}

impl FailedItem {
    /// The operation at `index` of a plan, which failed for `reason` with nothing written.
    pub fn new(index: u32, operation: &Operation, reason: impl Into<String>) -> Self {
        Self {
            operation: index,
            action: operation.action,
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            reason: reason.into(),
            touched: Touched::Not,
        }
    }
}

/// An input that was not posted, not processed, or not deleted. What was to be written on it was not attempted.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct FailedInput {
    /// Which input.
    pub input_id: InputId,
    /// Why, in the service's words or ours.
    pub reason: String,
    /// Whether it was posted.
    #[serde(default, skip_serializing_if = "Touched::is_not")]
    pub touched: Touched,
}

/// An input that an undo would have deleted, and on which something lies.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct StaleInput {
    /// Which input.
    pub input_id: InputId,
    /// How many annotations lie on it.
    pub annotations: u64,
}

/// The account of an apply. Every operation, purge and input of the plan is counted in exactly one of `applied`,
/// `already_so`, `stale`, `failed` (or their likes for purges) and `not_attempted`.
#[derive(
    Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Outcome {
    /// Carried out.
    pub applied: Applied,
    /// Found to be as wanted before anything was sent.
    pub already_so: u64,
    /// Left alone because the annotation had changed; in order of operation.
    pub stale: Vec<StaleItem>,
    /// Tried in vain; in order of operation.
    pub failed: Vec<FailedItem>,
    /// Purges that would take more than the plan showed; in order of purge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_purges: Vec<StalePurge>,
    /// Purges that were tried and left something, or were tried in vain; in order of purge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_purges: Vec<FailedPurge>,
    /// Inputs that could not be posted, were not processed, or could not be deleted; sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_inputs: Vec<FailedInput>,
    /// Inputs that were not deleted because something lies on them; sorted by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_inputs: Vec<StaleInput>,
    /// Not tried: the run was stopped before, or the input is not there.
    pub not_attempted: u64,
    /// Calls that were made, repeated ones included.
    pub calls: u64,
}

impl Outcome {
    /// Brings what calls running at once reported into the plan's order.
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

    /// How the run of this plan ended.
    pub fn ending(&self) -> Ending {
        if self.is_complete() {
            if self.operations() == 0 {
                Ending::NothingToDo
            } else {
                Ending::Applied
            }
        } else if !self.is_partial() {
            Ending::Stale
        } else if self.applied.is_nothing() && !self.has_stale() && !self.has_posted_in_vain() {
            Ending::Failed
        } else {
            Ending::Partial
        }
    }

    /// Whether an input was posted that cannot be annotated yet, or ever.
    fn has_posted_in_vain(&self) -> bool {
        self.failed_inputs.iter().any(|it| !it.touched.is_not())
    }

    /// Whether the app is now as the plan wanted it.
    pub fn is_complete(&self) -> bool {
        !self.has_stale() && !self.is_partial()
    }

    /// Whether anything had changed since the plan was made.
    pub fn has_stale(&self) -> bool {
        self.stale_count() > 0
    }

    /// How many operations and purges were stale.
    pub fn stale_count(&self) -> u64 {
        (self.stale.len() + self.stale_purges.len() + self.stale_inputs.len()) as u64
    }

    /// How many operations and purges failed.
    pub fn failed_count(&self) -> u64 {
        (self.failed.len() + self.failed_purges.len() + self.failed_inputs.len()) as u64
    }

    /// Whether anything failed or was not tried.
    pub fn is_partial(&self) -> bool {
        self.failed_count() > 0 || self.not_attempted > 0
    }

    /// How many operations and purges it accounts for: as many as the plan has.
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
    use crate::plan::Reason;

    fn operation() -> Operation {
        Operation {
            action: Action::Merge,
            input_id: InputId::new("a").unwrap(),
            id: AnnotationId::new("1").unwrap(),
            key: Some(Key::new("k").unwrap()),
            reason: Reason::Differs,
            cause: None,
            needs: None,
            double: None,
            seen: None,
            matched: None,
            before: None,
            after: Some(Content::default()),
            fingerprint: None,
            bytes: 0,
            body: None,
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
        outcome.applied.add(Action::Post);
        outcome.applied.add(Action::Replace);
        assert_eq!(outcome.applied.total(), 2);
        assert_eq!(outcome.operations(), 9);
        assert_eq!(outcome.stale[0].wanted, Some(Content::default()));
        assert_eq!(outcome.failed[0].key.as_ref().unwrap().as_str(), "k");
    }

    #[test]
    fn a_purge_counts_once_and_what_went_with_it_apart() {
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
        in_part.applied.add(Action::Merge);
        assert_eq!(in_part.ending(), Ending::Partial);
        let stopped = Outcome {
            not_attempted: 1,
            ..Outcome::default()
        };
        assert!(!stopped.is_complete() && stopped.is_partial());
    }

    #[test]
    fn what_calls_report_in_any_order_is_brought_into_the_plans() {
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
