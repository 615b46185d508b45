//! What became of a plan: the account of an apply.

use super::types::{Action, Operation};
use crate::model::{AnnotationId, Content, InputId, Key};

/// Operations that were carried out, by action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Applied {
    /// See [`Action::Post`].
    pub post: u64,
    /// See [`Action::Merge`].
    pub merge: u64,
    /// See [`Action::Overwrite`].
    pub overwrite: u64,
    /// See [`Action::Remove`].
    pub remove: u64,
    /// See [`Action::Replace`]; counted once both halves are done.
    pub replace: u64,
    /// See [`Action::Delete`]; what was gone already counts as deleted.
    pub delete: u64,
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

    /// All of them.
    pub fn total(&self) -> u64 {
        self.post + self.merge + self.overwrite + self.remove + self.replace + self.delete
    }
}

/// An operation whose annotation is neither as the plan saw it nor as it is to be. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What it is now, all of it; nothing where it is gone.
    pub now: Option<Content>,
    /// What it is to be, the managed fields; nothing where it is to go.
    pub wanted: Option<Content>,
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
        }
    }
}

/// An operation that was tried, and did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Why it failed, in the service's words or ours.
    pub reason: String,
}

impl FailedItem {
    /// The operation at `index` of a plan, which failed for `reason`.
    pub fn new(index: u32, operation: &Operation, reason: impl Into<String>) -> Self {
        Self {
            operation: index,
            action: operation.action,
            input_id: operation.input_id.clone(),
            id: operation.id.clone(),
            key: operation.key.clone(),
            reason: reason.into(),
        }
    }
}

/// The account of an apply. Every operation of the plan is counted in exactly one of `applied`, `already_so`, `stale`,
/// `failed` and `not_attempted`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Outcome {
    /// Carried out.
    pub applied: Applied,
    /// Found to be as wanted before anything was sent.
    pub already_so: u64,
    /// Left alone because the annotation had changed; in order of operation.
    pub stale: Vec<StaleItem>,
    /// Tried in vain; in order of operation.
    pub failed: Vec<FailedItem>,
    /// Not tried: the run was stopped before.
    pub not_attempted: u64,
    /// Calls that were made, repeated ones included.
    pub calls: u64,
}

impl Outcome {
    /// Brings what calls running at once reported into the plan's order.
    pub fn sort(&mut self) {
        self.stale.sort_by_key(|item| item.operation);
        self.failed.sort_by_key(|item| item.operation);
    }

    /// Whether the app is now as the plan wanted it.
    pub fn is_complete(&self) -> bool {
        self.stale.is_empty() && self.failed.is_empty() && self.not_attempted == 0
    }

    /// Whether anything had changed since the plan was made.
    pub fn has_stale(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Whether anything failed or was not tried.
    pub fn is_partial(&self) -> bool {
        !self.failed.is_empty() || self.not_attempted > 0
    }

    /// How many operations it accounts for: as many as the plan has.
    pub fn operations(&self) -> u64 {
        self.applied.total()
            + self.already_so
            + self.stale.len() as u64
            + self.failed.len() as u64
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
            matched: None,
            before: None,
            after: Some(Content::default()),
            fingerprint: None,
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
    fn an_outcome_is_complete_only_if_nothing_is_left_to_do() {
        let done = Outcome {
            already_so: 2,
            ..Outcome::default()
        };
        assert!(done.is_complete() && !done.has_stale() && !done.is_partial());
        let stale = Outcome {
            stale: vec![StaleItem::new(0, &operation(), None)],
            ..Outcome::default()
        };
        assert!(!stale.is_complete() && stale.has_stale() && !stale.is_partial());
        let failed = Outcome {
            failed: vec![FailedItem::new(0, &operation(), "no")],
            ..Outcome::default()
        };
        assert!(!failed.is_complete() && failed.is_partial());
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
