//! What an answer, or the lack of one, means for each annotation of a call: done, to be sent again, or failed.
//!
//! The service has the last word: where an answer leaves a doubt, the annotation is read back.

use super::batch::{Ending, Group, Run, Waited, is_hopeless, stale};
use crate::api::code::Code;
use crate::api::wire;
use crate::api::{ApiError, ItemError, ItemResult};
use crate::model::ObservedAnnotation;
use crate::plan::{Call, Freshness, Touched, freshness, is_as_wanted};
use std::collections::VecDeque;
use std::time::Duration;

/// How often single annotations that may pass later are sent again.
const ITEM_ATTEMPTS: u32 = 4;

/// An operation that may be done or not, and what the service said against it, if anything.
pub(super) type Doubt = (u32, Option<String>);

impl Run {
    /// Finds out what became of each annotation of a call that was answered.
    pub(super) async fn settle(
        &mut self,
        group: Group,
        items: Vec<ItemResult<Option<wire::Annotation>>>,
        more: &mut VecDeque<Group>,
    ) {
        let mut again = Vec::new();
        let mut doubts: Vec<Doubt> = Vec::new();
        for (&at, item) in group.operations.iter().zip(items) {
            match item {
                // The answer shows what the removal left of it, whether or not that was deleted then.
                ItemResult::Done(Some(_)) if self.goes(group.call, at) => doubts.push((at, None)),
                ItemResult::Done(Some(wire)) if group.call == Call::PostStandIn => {
                    self.compare_stand_in(at, wire);
                }
                ItemResult::Done(Some(wire)) => {
                    let ending = self.compare(at, wire);
                    self.end(at, ending);
                }
                ItemResult::Done(None) => self.end(at, Ending::Applied),
                ItemResult::Failed(error)
                    if error.code.is_transient() && group.attempt < ITEM_ATTEMPTS =>
                {
                    again.push(at);
                }
                ItemResult::Failed(error) if self.may_be_done(group.call, at, &error) => {
                    doubts.push((at, Some(error.to_string())));
                }
                ItemResult::Failed(error) => {
                    self.end(at, Ending::Failed(error.to_string(), group.touched));
                }
                ItemResult::Unknown => doubts.push((at, None)),
            }
        }
        let mut failed = Vec::new();
        for (at, reason) in self.read_back(&group, doubts, more).await {
            match reason {
                // The answer does not say why it is not done. Sent without those that are, it gets an answer of its own.
                None if group.attempt < ITEM_ATTEMPTS => again.push(at),
                reason => failed.push((at, reason)),
            }
        }
        self.fail(&group, failed).await;
        if !again.is_empty() {
            again.sort_unstable();
            let pause = Duration::from_millis(200) * 2_u32.pow(group.attempt);
            if self.wait(pause).await == Waited::UntilStop {
                let reason = "the service says to try again later, and the run was stopped";
                for at in again {
                    self.end(at, Ending::Failed(reason.to_owned(), group.touched));
                }
                return;
            }
            more.push_back(Group {
                operations: again,
                attempt: group.attempt + 1,
                ..group
            });
        }
    }

    /// Errors behind which the wanted state may stand already: an id that exists, an annotation that is gone.
    fn may_be_done(&self, call: Call, at: u32, error: &ItemError) -> bool {
        matches!(call, Call::Post | Call::PostStandIn)
            || (self.goes(call, at) && error.code == Code::CONN_DOES_NOT_EXIST)
    }

    /// The answer to a write is compared with what was wanted.
    fn compare(&mut self, at: u32, wire: wire::Annotation) -> Ending {
        match self.decode(wire) {
            Ok((_, now)) if is_as_wanted(self.operation(at), &now) => {
                self.stored(at, &now);
                Ending::Applied
            }
            Ok((_, now)) => {
                self.stored(at, &now);
                let reason = "the service accepted it and stored something else";
                Ending::Failed(reason.to_owned(), Touched::Otherwise)
            }
            Err(error) => Ending::Failed(error.to_string(), Touched::Otherwise),
        }
    }

    /// Reads annotations whose write is in doubt, and gives back those that are not done.
    async fn read_back(
        &mut self,
        group: &Group,
        doubts: Vec<Doubt>,
        more: &mut VecDeque<Group>,
    ) -> Vec<Doubt> {
        if doubts.is_empty() {
            return doubts;
        }
        let (call, touched) = (group.call, group.touched);
        let operations: Vec<u32> = doubts.iter().map(|(at, _)| *at).collect();
        let now = match self.read(call, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, Touched::Perhaps);
                return Vec::new();
            }
        };
        let mut left = Vec::new();
        let mut emptied = Vec::new();
        for ((at, reason), now) in doubts.into_iter().zip(now) {
            let goes = self.goes(call, at);
            match now {
                None if goes => self.end(at, Ending::Applied),
                Some(now) if call == Call::PostStandIn => self.found_stand_in(at, &now),
                Some(now) if !goes && is_as_wanted(self.operation(at), &now) => {
                    self.stored(at, &now);
                    let ending = if reason.is_some() && touched.is_not() {
                        Ending::AlreadySo
                    } else {
                        Ending::Applied
                    };
                    self.end(at, ending);
                }
                // All that is left to do is to delete it: this service does not do that with a removal.
                Some(now) if self.is_emptied(at, &now) => {
                    if call == Call::RemoveOrDelete {
                        emptied.push(at);
                    } else {
                        left.push((at, reason));
                    }
                }
                Some(now)
                    if call == Call::RemoveOrDelete && goes && self.lost_its_concepts(at, &now) =>
                {
                    self.end(at, stale(Some(now), Touched::ConceptsRemoved));
                }
                // A post whose id is taken, or something that was changed meanwhile: it is not sent again.
                now if (now.is_some() || reason.is_none())
                    && freshness(self.operation(at), now.as_ref()) == Freshness::Stale =>
                {
                    // Who was not told how it went cannot know whether it was written before it was changed.
                    let told = reason.is_some();
                    let touched = if told { touched } else { Touched::Perhaps };
                    self.end(at, stale(now, touched));
                }
                _ => left.push((at, reason)),
            }
        }
        more.push_back(Group::emptied(emptied));
        left
    }

    /// Whether none of the concepts that the plan saw is left.
    pub(super) fn lost_its_concepts(&self, at: u32, now: &ObservedAnnotation) -> bool {
        let before = self.operation(at).before();
        before
            .and_then(|before| before.concepts.as_ref())
            .is_some_and(|seen| seen.iter().all(|c| now.concepts.get(&c.id).is_none()))
    }

    /// A call that was turned down or lost as a whole.
    pub(super) async fn refused(
        &mut self,
        mut group: Group,
        error: ApiError,
        more: &mut VecDeque<Group>,
    ) {
        if is_hopeless(&error) {
            self.report.hopeless = true;
            return self.fail_all(&group.operations, &error, group.touched);
        }
        if error.may_have_taken_effect() {
            group.touched = Touched::Perhaps;
        }
        if let (true, ApiError::TimedOut { seconds, .. }) = (frees_an_id(group.call), &error) {
            // A delete that is still on its way would take what is posted under the same id next.
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
        }
        if let Some(pause) = self.pause(group.attempt, &error)
            && self.wait(pause).await == Waited::Whole
        {
            group.attempt += 1;
            return more.push_back(group);
        }
        let error = error.given_up_after(group.attempt);
        let rejected = error.is_rejection();
        if !rejected && group.touched.is_not() {
            return self.fail_all(&group.operations, &error, Touched::Not);
        }
        // A delete of what is gone is turned down too, and the rest of the call may be gone as well.
        let goes = |&at: &u32| self.goes(group.call, at);
        let may_be_gone =
            matches!(error, ApiError::NotFound { .. }) && group.operations.iter().any(goes);
        if rejected && group.operations.len() > 1 && !may_be_gone {
            return split(group, more);
        }
        let count = group.operations.len();
        let doubts = group
            .operations
            .iter()
            .map(|&at| (at, Some(error.to_string())));
        let doubts = doubts.collect();
        let left = self.read_back(&group, doubts, more).await;
        if !rejected || (left.len() == 1 && count == 1) {
            return self.fail(&group, left).await;
        }
        group.operations = left.into_iter().map(|(at, _)| at).collect();
        if group.operations.len() < count {
            more.push_back(group);
        } else {
            split(group, more);
        }
    }

    /// These were not done when they were read back; but an attempt whose answer was lost may still be carried out.
    async fn fail(&mut self, group: &Group, mut failed: Vec<Doubt>) {
        if group.call == Call::PostStandIn {
            failed = self.resume_refused(failed).await;
        }
        for (at, reason) in failed {
            let reason =
                reason.unwrap_or_else(|| "the service's answer does not mention it".to_owned());
            self.end(at, Ending::Failed(reason, group.touched));
        }
    }
}

/// Whether something else is posted under the ids that the call deletes.
fn frees_an_id(call: Call) -> bool {
    matches!(call, Call::DeleteReplaced | Call::DeleteLeftBehind)
}

/// One bad annotation may spoil a call, or the call be too large: halves find it, or fit.
pub(super) fn split(group: Group, more: &mut VecDeque<Group>) {
    let mut left = group.operations;
    let right = left.split_off(left.len() / 2);
    for operations in [left, right] {
        more.push_back(Group {
            operations,
            ..group
        });
    }
}
