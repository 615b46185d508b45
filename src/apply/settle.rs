//! What an answer to a call, or a missing answer, means for each annotation: done, to be sent again, or failed.
//!
//! Where an answer leaves a doubt, the annotation is read back.

use super::batch::{BatchRun, Step, deletes_after_removal, stale};
use super::options::Pause;
use super::queue::{Group, Queue};
use super::replace;
use super::watch::ItemOutcome;
use crate::api::{ApiError, ItemError, ItemResult};
use crate::plan::{Call, Freshness, Touched, freshness, is_as_wanted};
use crate::wire;
use crate::wire::Code;
use std::time::Duration;

/// An operation that may have been carried out or not, and the service's objection, if any.
pub(super) type Doubt = (u32, Option<String>);

impl BatchRun {
    /// Judges each annotation of a call that was answered.
    pub(super) async fn settle(
        &mut self,
        group: Group,
        items: Vec<ItemResult<Option<wire::Annotation>>>,
        queue: &mut Queue,
    ) {
        let mut again = Vec::new();
        let mut doubts: Vec<Doubt> = Vec::new();
        let mut removed = Vec::new();
        for (&at, item) in group.items.iter().zip(items) {
            match item {
                // The answer shows the annotation after the removal, even if the service then deleted it.
                ItemResult::Done(Some(_)) if self.deletes(group.call, at) => {
                    removed.push(at);
                    doubts.push((at, None));
                }
                ItemResult::Done(Some(wire)) if group.call == Call::PostStandIn => {
                    self.compare_stand_in(at, wire);
                }
                ItemResult::Done(Some(wire)) => self.compare(at, wire),
                ItemResult::Done(None) => self.end(at, ItemOutcome::Applied),
                ItemResult::Failed(error)
                    if error.code.is_transient() && group.has_attempts_left() =>
                {
                    again.push(at);
                }
                ItemResult::Failed(error) if self.may_be_done(group.call, at, &error) => {
                    doubts.push((at, Some(error.to_string())));
                }
                ItemResult::Failed(error) => self.fail(at, error.to_string(), group.touched),
                ItemResult::Unknown => doubts.push((at, None)),
            }
        }
        let mut failed = Vec::new();
        for (at, reason) in self.read_back(&group, doubts, &removed, queue).await {
            match reason {
                // The answer gives no reason. If it is sent again without the finished ones, it gets its own answer.
                None if group.has_attempts_left() => again.push(at),
                reason => failed.push((at, reason)),
            }
        }
        self.fail_doubts(&group, failed).await;
        if again.is_empty() {
            return;
        }
        again.sort_unstable();
        if group.pause(&self.options.stop).await == Pause::Stopped {
            for at in again {
                let reason = "the service says to try again later, and the run was stopped";
                self.fail(at, reason, group.touched);
            }
            return;
        }
        queue.push(group.next_attempt(again));
    }

    /// Errors after which the wanted state may exist already: the id exists, or the annotation is gone.
    fn may_be_done(&self, call: Call, at: u32, error: &ItemError) -> bool {
        matches!(call, Call::Post | Call::PostStandIn)
            || (self.deletes(call, at) && error.code == Code::CONN_DOES_NOT_EXIST)
    }

    /// Compares the answer to a write with the wanted annotation.
    fn compare(&mut self, at: u32, wire: wire::Annotation) {
        match self.decode(wire) {
            Ok(now) => {
                self.stored(at, &now);
                if is_as_wanted(self.operation(at), &now) {
                    self.end(at, ItemOutcome::Applied);
                } else {
                    let reason = "the service accepted it and stored something else";
                    self.fail(at, reason, Touched::Incomplete);
                }
            }
            Err(error) => self.fail(at, error.to_string(), Touched::Incomplete),
        }
    }

    /// Reads annotations whose write is in doubt, and returns those that were not carried out. `removed` are those that the
    /// service says to have removed concepts from.
    async fn read_back(
        &mut self,
        group: &Group,
        doubts: Vec<Doubt>,
        removed: &[u32],
        queue: &mut Queue,
    ) -> Vec<Doubt> {
        if doubts.is_empty() {
            return doubts;
        }
        let (call, touched) = (group.call, group.touched);
        let operations: Vec<u32> = doubts.iter().map(|(at, _)| *at).collect();
        let now = match self.read(call, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, Touched::Unknown);
                return Vec::new();
            }
        };
        let mut left = Vec::new();
        let mut without_concepts = Vec::new();
        for ((at, reason), now) in doubts.into_iter().zip(now) {
            let deletes = self.deletes(call, at);
            match now {
                None if deletes => self.end(at, ItemOutcome::Applied),
                Some(now) if call == Call::PostStandIn => self.found_stand_in(at, &now),
                Some(now) if !deletes && is_as_wanted(self.operation(at), &now) => {
                    self.stored(at, &now);
                    let outcome = if reason.is_some() && touched.is_nothing() {
                        ItemOutcome::AlreadyUpToDate
                    } else {
                        ItemOutcome::Applied
                    };
                    self.end(at, outcome);
                }
                // Only the delete is left: this service does not delete with a removal.
                Some(now) if self.has_only_lost_concepts(at, &now) => {
                    if call == Call::RemoveOrDelete {
                        without_concepts.push(at);
                    } else {
                        left.push((at, reason));
                    }
                }
                Some(now)
                    if call == Call::RemoveOrDelete
                        && deletes
                        && self.has_lost_its_concepts(at, &now) =>
                {
                    self.end(at, stale(Some(now), Touched::ConceptsRemoved));
                }
                // A post with a used id, or an annotation that was changed meanwhile: it is not sent again.
                now if (now.is_some() || reason.is_none())
                    && freshness(self.operation(at), now.as_ref()) == Freshness::Stale =>
                {
                    let touched = match &reason {
                        Some(_) => touched,
                        None if removed.contains(&at) => Touched::ConceptsRemoved,
                        // Without an objection it may have been written before it was changed.
                        None => Touched::Unknown,
                    };
                    self.end(at, stale(now, touched));
                }
                _ => left.push((at, reason)),
            }
        }
        queue.push(deletes_after_removal(without_concepts));
        left
    }

    /// Judges a call that was refused or lost as a whole.
    pub(super) async fn settle_failed_call(
        &mut self,
        mut group: Group,
        error: ApiError,
        queue: &mut Queue,
    ) {
        if error.is_unauthorised() {
            return self.fail_all(&group.items, &error, group.touched);
        }
        if error.may_have_taken_effect() {
            group.touched = Touched::Unknown;
        }
        if let (true, ApiError::TimedOut { seconds, .. }) = (frees_an_id(group.call), &error) {
            // A delete that is still on its way would delete what is posted under the same id next.
            let pause = Duration::from_secs(*seconds);
            if self.options.stop.pause(pause).await == Pause::Stopped
                && group.call == Call::DeleteReplaced
            {
                return self.abandon(&group.items, &error);
            }
        }
        if group
            .may_retry(&self.writer, &error, &self.options.stop)
            .await
        {
            let items = group.take_items();
            return queue.push(group.next_attempt(items));
        }
        let error = error.given_up_after(group.attempt);
        let rejected = error.is_rejection();
        if !rejected && group.touched.is_nothing() {
            return self.fail_all(&group.items, &error, Touched::Nothing);
        }
        // A delete of an annotation that is gone is refused too, and the rest of the call may be gone as well.
        let may_be_gone = matches!(error, ApiError::NotFound { .. })
            && (group.items.iter()).any(|&at| self.deletes(group.call, at));
        if rejected && group.items.len() > 1 && !may_be_gone {
            return queue.push_halves(group);
        }
        self.settle_after_reading(group, &error, queue).await;
    }

    /// Reads back a call that failed for good. What was not carried out fails, or is sent again without the rest.
    async fn settle_after_reading(
        &mut self,
        mut group: Group,
        error: &ApiError,
        queue: &mut Queue,
    ) {
        let count = group.items.len();
        let doubts = (group.items.iter()).map(|&at| (at, Some(error.to_string())));
        let doubts = doubts.collect();
        let left = self.read_back(&group, doubts, &[], queue).await;
        if !error.is_rejection() || (left.len() == 1 && count == 1) {
            return self.fail_doubts(&group, left).await;
        }
        group.items = left.into_iter().map(|(at, _)| at).collect();
        if group.items.len() < count {
            queue.push(group);
        } else {
            queue.push_halves(group);
        }
    }

    /// Leaves replacements alone if their delete may still be carried out: a stand-in must exist until then.
    fn abandon(&mut self, operations: &[u32], error: &ApiError) {
        for &at in operations {
            let id = replace::stand_in_id(&self.plan, at);
            let reason = format!(
                "{error}, and the run was stopped before its delete was confirmed; its stand-in `{id}` is still there: {}",
                replace::NEXT
            );
            let outcome = ItemOutcome::failed(reason, Touched::Unknown);
            self.report.steps.push((at, Step::Abandoned(outcome)));
        }
    }

    /// Fails operations that were not carried out when they were read back.
    async fn fail_doubts(&mut self, group: &Group, mut failed: Vec<Doubt>) {
        if group.call == Call::PostStandIn {
            failed = self.resume_refused(failed).await;
        }
        for (at, reason) in failed {
            let reason =
                reason.unwrap_or_else(|| "the service's answer does not mention it".to_owned());
            // An attempt with a lost answer may still be carried out.
            self.fail(at, reason, group.touched);
        }
    }
}

/// Whether something else is posted under the ids that the call deletes.
fn frees_an_id(call: Call) -> bool {
    matches!(call, Call::DeleteReplaced | Call::DeleteLeftBehind)
}
