//! One batch of a plan: read the annotations again, then send. `settle` interprets the answers.

use super::account::OperationOutcome;
use super::look::{self, by_name};
use super::options::Options;
use super::queue::{Group, Queue};
use super::replace::{self, Progress, StandIn};
use super::watch::{ItemOutcome, Subject};
use crate::api::{ApiError, Writer};
use crate::model::{
    AnnotationId, Fingerprint, InputId, Interner, Json, ObservedAnnotation, fingerprint,
};
use crate::plan::{Action, Call, Freshness, Operation, Plan, Touched, freshness, write_body};
use crate::wire;
use crate::wire::encode::outlasts;
use std::collections::HashMap;
use std::sync::Arc;

/// The progress of one operation in a batch.
#[derive(Debug)]
pub(super) enum Step {
    /// The operation has ended; of a replacement, this step of it.
    Ended(OperationOutcome),
    /// A replacement has come this far.
    Reached(Progress),
    /// A replacement has ended, and none of its further steps may be made.
    Abandoned(OperationOutcome),
}

#[derive(Debug)]
pub(super) struct Report {
    pub(super) call: Call,
    pub(super) steps: Vec<(u32, Step)>,
    pub(super) calls: u64,
}

/// A batch that is being carried out.
pub(super) struct BatchRun {
    pub(super) plan: Arc<Plan>,
    pub(super) writer: Writer,
    pub(super) options: Options,
    pub(super) report: Report,
    interner: Interner,
    /// What annotations are once all their concepts are removed, by operation.
    without_concepts: HashMap<u32, Fingerprint>,
    /// The bodies, made from the annotations as last read, by operation.
    pub(super) bodies: HashMap<u32, Arc<Json>>,
    /// The stand-ins of replacements as they were last seen, by operation.
    pub(super) stand_ins: HashMap<u32, StandIn>,
}

/// Carries out some operations of a batch.
pub(super) async fn run(
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    call: Call,
    operations: Vec<u32>,
    stand_ins: HashMap<u32, StandIn>,
) -> Report {
    let mut run = BatchRun {
        plan,
        writer,
        options,
        report: Report {
            call,
            steps: Vec::with_capacity(operations.len()),
            calls: 0,
        },
        interner: Interner::default(),
        without_concepts: HashMap::new(),
        bodies: HashMap::new(),
        stand_ins,
    };
    let mut queue = Queue::new(Group::new(call, operations));
    while let Some(group) = queue.pop() {
        run.carry_out(group, &mut queue).await;
    }
    run.report
}

/// The deletes of annotations without concepts left.
pub(super) fn deletes_after_removal(operations: Vec<u32>) -> Group {
    Group {
        touched: Touched::ConceptsRemoved,
        ..Group::new(Call::Delete, operations)
    }
}

pub(super) fn stale(found: Option<ObservedAnnotation>, touched: Touched) -> OperationOutcome {
    let found = found.map(|now| Box::new(now.content()));
    ItemOutcome::Stale { found, touched }
}

/// Whether a call of this kind names what it deletes.
pub(super) fn is_delete(call: Call) -> bool {
    matches!(
        call,
        Call::Delete | Call::DeleteReplaced | Call::DeleteStandIn | Call::DeleteLeftBehind
    )
}

impl BatchRun {
    pub(super) fn operation(&self, at: u32) -> &Operation {
        &self.plan.operations[at as usize]
    }

    pub(super) fn end(&mut self, at: u32, outcome: OperationOutcome) {
        // A replacement ends with its last step, which only `execute` knows.
        if self.operation(at).action() != Action::Replace {
            let subject = Subject::Operation(at);
            self.options.watch.ended(subject, &outcome.summary());
        }
        self.report.steps.push((at, Step::Ended(outcome)));
    }

    pub(super) fn fail(&mut self, at: u32, reason: impl Into<String>, touched: Touched) {
        self.end(at, ItemOutcome::failed(reason, touched));
    }

    pub(super) fn fail_all(&mut self, operations: &[u32], error: &ApiError, touched: Touched) {
        for &at in operations {
            self.fail(at, error.with_hint(), touched);
        }
        if error.is_unauthorised() {
            self.options.stop.request();
        }
    }

    pub(super) fn reach(&mut self, at: u32, progress: Progress) {
        self.report.steps.push((at, Step::Reached(progress)));
    }

    /// Reports the stored annotation to the watch.
    pub(super) fn stored(&self, at: u32, now: &ObservedAnnotation) {
        self.options.watch.stored(at, now);
    }

    /// The id of the annotation that a call of this kind writes.
    pub(super) fn id(&self, call: Call, at: u32) -> AnnotationId {
        match call {
            Call::PostStandIn | Call::DeleteStandIn => replace::stand_in_id(&self.plan, at),
            _ => self.operation(at).id.clone(),
        }
    }

    /// Input id and annotation id of what a call of this kind writes.
    pub(super) fn names(&self, call: Call, operations: &[u32]) -> Vec<(InputId, AnnotationId)> {
        let name = |&at: &u32| (self.operation(at).input_id.clone(), self.id(call, at));
        operations.iter().map(name).collect()
    }

    /// The annotations that a call of this kind writes, as they are now; `None` for one that does not exist.
    pub(super) async fn read(
        &mut self,
        call: Call,
        operations: &[u32],
    ) -> Result<Vec<Option<ObservedAnnotation>>, ApiError> {
        self.read_names(self.names(call, operations)).await
    }

    /// These annotations as they are now; `None` for one that does not exist.
    pub(super) async fn read_names(
        &mut self,
        names: Vec<(InputId, AnnotationId)>,
    ) -> Result<Vec<Option<ObservedAnnotation>>, ApiError> {
        let mut found = by_name(&names, &self.writer.reader(), &mut self.interner).await?;
        Ok(names.into_iter().map(|name| found.remove(&name)).collect())
    }

    pub(super) fn decode(
        &mut self,
        wire: wire::Annotation,
    ) -> Result<ObservedAnnotation, ApiError> {
        Ok(look::decode(wire, &mut self.interner)?.1)
    }

    /// Reads the annotations again, and sends the operations if their annotations are as the plan saw them.
    async fn carry_out(&mut self, group: Group, queue: &mut Queue) {
        // The listing, or the last attempt, may be seconds old, that of a plan file days: what somebody changed since is not
        // overwritten. A new post is not checked first: its id is unique, and the service refuses one that exists.
        let group = match group.call {
            Call::Post => self.check_posts(group).await,
            Call::DeleteReplaced => self.check_deletes_of_originals(group).await,
            Call::PostStandIn => self.check_originals(group).await,
            Call::DeleteStandIn | Call::DeleteLeftBehind => self.check_stand_ins(group).await,
            _ => self.check(group, queue).await,
        };
        if !group.items.is_empty() {
            self.send(group, queue).await;
        }
    }

    /// Keeps the operations with annotations as the plan saw them.
    async fn check(&mut self, mut group: Group, queue: &mut Queue) -> Group {
        let operations = group.take_items();
        let now = match self.read(group.call, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, group.touched);
                return group;
            }
        };
        let mut without_concepts = Vec::new();
        let mut removals_outlast = true;
        for (at, now) in operations.into_iter().zip(now) {
            if (now.as_ref()).is_some_and(|now| self.has_only_lost_concepts(at, now)) {
                without_concepts.push(at);
                continue;
            }
            match freshness(self.operation(at), now.as_ref()) {
                Freshness::AsPlanned => {
                    if self.make_body(at, now.as_ref(), group.touched) {
                        removals_outlast &= self.note_for_shared_call(group.call, at, now);
                        group.items.push(at);
                    }
                }
                Freshness::AsWanted if group.touched.is_nothing() => {
                    self.end(at, ItemOutcome::AlreadyUpToDate);
                }
                // An earlier attempt did it, but its answer was lost.
                Freshness::AsWanted => {
                    if let Some(now) = &now {
                        self.stored(at, now);
                    }
                    self.end(at, ItemOutcome::Applied);
                }
                Freshness::HalfReplaced | Freshness::Stale => {
                    let outcome = self.stale(&group, at, now);
                    self.end(at, outcome);
                }
            }
        }
        self.split_shared_call(group, without_concepts, removals_outlast, queue)
    }

    /// Makes the body of an operation from the stored annotation. `false` if the operation does not fit it and has failed.
    pub(super) fn make_body(
        &mut self,
        at: u32,
        now: Option<&ObservedAnnotation>,
        touched: Touched,
    ) -> bool {
        match write_body(self.operation(at), now, &self.options.permit) {
            Ok(body) => {
                if let Some(body) = body {
                    self.bodies.insert(at, Arc::new(body));
                }
                true
            }
            Err(mismatch) => {
                self.fail(at, mismatch.to_string(), touched);
                false
            }
        }
    }

    /// Checks an annotation of a shared call. `false` if the annotation is to stay, and removing its
    /// concepts could leave it empty.
    fn note_for_shared_call(
        &mut self,
        call: Call,
        at: u32,
        now: Option<ObservedAnnotation>,
    ) -> bool {
        let (Call::RemoveOrDelete, Some(now)) = (call, now) else {
            return true;
        };
        if self.operation(at).action() == Action::Delete {
            let emptied = ObservedAnnotation { data: None, ..now };
            self.without_concepts.insert(at, fingerprint(&emptied));
            true
        } else {
            outlasts(&now)
        }
    }

    /// Removals and deletes share a call only while there are both, and no removal could empty an annotation that is to
    /// stay: anybody may have written the plan file. Annotations that have lost their concepts only need their delete.
    fn split_shared_call(
        &self,
        mut group: Group,
        mut without_concepts: Vec<u32>,
        mut removals_outlast: bool,
        queue: &mut Queue,
    ) -> Group {
        if group.call == Call::RemoveOrDelete {
            let touched = group.touched;
            let (deletes, removals): (Vec<u32>, Vec<u32>) = group
                .items
                .iter()
                .partition(|at| self.operation(**at).action() == Action::Delete);
            // A plan file may put any delete into a shared call; only some have a body for it.
            removals_outlast &= deletes.iter().all(|at| self.bodies.contains_key(at));
            if deletes.is_empty() || removals.is_empty() || !removals_outlast {
                queue.push_front(Group {
                    call: Call::Delete,
                    items: deletes,
                    ..group
                });
                group.call = Call::Remove;
                group.items = removals;
            }
            queue.push_front(if touched.is_nothing() {
                // Somebody else removed the concepts.
                Group::new(Call::Delete, without_concepts)
            } else {
                deletes_after_removal(without_concepts)
            });
        } else {
            group.items.append(&mut without_concepts);
        }
        group
    }

    /// The outcome for an annotation that is not as the plan saw it.
    fn stale(&self, group: &Group, at: u32, now: Option<ObservedAnnotation>) -> OperationOutcome {
        let lost = |now: &ObservedAnnotation| {
            group.call == Call::RemoveOrDelete
                && !group.touched.is_nothing()
                && self.deletes(group.call, at)
                && self.has_lost_its_concepts(at, now)
        };
        if now.as_ref().is_some_and(lost) {
            stale(now, Touched::ConceptsRemoved)
        } else {
            stale(now, group.touched)
        }
    }

    /// Whether a call of this kind deletes the operation's annotation.
    pub(super) fn deletes(&self, call: Call, at: u32) -> bool {
        is_delete(call)
            || (call == Call::RemoveOrDelete && self.operation(at).action() == Action::Delete)
    }

    /// Whether the annotation has lost its concepts, and nothing else has changed.
    pub(super) fn has_only_lost_concepts(&self, at: u32, now: &ObservedAnnotation) -> bool {
        self.without_concepts.get(&at) == Some(&fingerprint(now))
    }

    /// Whether none of the concepts that the plan saw is left.
    pub(super) fn has_lost_its_concepts(&self, at: u32, now: &ObservedAnnotation) -> bool {
        let before = self.operation(at).before();
        before
            .and_then(|before| before.concepts.as_ref())
            .is_some_and(|seen| seen.iter().all(|c| now.concepts.get(&c.id).is_none()))
    }
}
