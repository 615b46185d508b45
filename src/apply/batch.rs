//! One call of a plan: look again, and send. What the answers mean is in `settle`.

use super::execute::Options;
use super::replace::{self, Progress, StandIn};
use super::watch::{Ended, Subject};
use crate::api::wire;
use crate::api::{ApiError, Writer};
use crate::model::{
    AnnotationId, Content, Fingerprint, Interner, Json, ObservedAnnotation, fingerprint,
};
use crate::observed;
use crate::plan::{
    Action, Call, Freshness, Operation, Plan, Touched, freshness, outlasts, write_body,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What became of one operation.
#[derive(Debug)]
pub(super) enum Ending {
    /// It was carried out.
    Applied,
    /// There was nothing left to do.
    AlreadySo,
    /// The annotation is something else now, and is left alone.
    Stale(Option<Box<Content>>, Touched),
    /// It could not be carried out.
    Failed(String, Touched),
}

impl Ending {
    /// As it is told.
    pub(super) fn told(&self) -> Ended {
        match self {
            Self::Applied => Ended::Applied,
            Self::AlreadySo => Ended::AlreadySo,
            Self::Stale(_, touched) => Ended::Stale { touched: *touched },
            Self::Failed(reason, touched) => Ended::Failed {
                reason: reason.clone(),
                touched: *touched,
            },
        }
    }
}

/// What became of one batch.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) call: Call,
    pub(super) endings: Vec<(u32, Ending)>,
    /// How far replacements have come that go on.
    pub(super) reached: Vec<(u32, Progress)>,
    pub(super) calls: u64,
    /// Nothing else will go through either: the token is not accepted.
    pub(super) hopeless: bool,
}

/// Operations that are sent together, and how often that was tried.
pub(super) struct Group {
    /// How: mostly as the batch says, but for what cannot be sent so after all.
    pub(super) call: Call,
    pub(super) operations: Vec<u32>,
    /// 1 the first time.
    pub(super) attempt: u32,
    /// What earlier calls wrote of these: nothing, nobody knows (no answer came), or they removed the concepts of what is to
    /// be deleted.
    pub(super) touched: Touched,
}

impl Group {
    pub(super) fn new(call: Call, operations: Vec<u32>) -> Self {
        Self {
            call,
            operations,
            attempt: 1,
            touched: Touched::Not,
        }
    }

    /// The deletes of annotations that the removal of all concepts has left there.
    pub(super) fn emptied(operations: Vec<u32>) -> Self {
        Self {
            touched: Touched::ConceptsRemoved,
            ..Self::new(Call::Delete, operations)
        }
    }
}

/// A call that is being carried out.
pub(super) struct Run {
    pub(super) plan: Arc<Plan>,
    pub(super) writer: Writer,
    options: Options,
    pub(super) report: Report,
    interner: Interner,
    /// What annotations are once all their concepts are removed, by operation.
    emptied: HashMap<u32, Fingerprint>,
    /// What is sent, made of what was there when it was looked at last, by operation.
    pub(super) bodies: HashMap<u32, Arc<Json>>,
    /// The stand-ins of replacements as they were when they were last looked at, by operation.
    pub(super) stand_ins: HashMap<u32, StandIn>,
}

/// Carries out some operations of one call. `stand_ins`: those of replacements, as they were when they were last looked at.
pub(super) async fn run(
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    call: Call,
    operations: Vec<u32>,
    stand_ins: HashMap<u32, StandIn>,
) -> Report {
    let report = Report {
        call,
        endings: Vec::with_capacity(operations.len()),
        reached: Vec::new(),
        calls: 0,
        hopeless: false,
    };
    let mut run = Run {
        plan,
        writer,
        options,
        report,
        interner: Interner::default(),
        emptied: HashMap::new(),
        bodies: HashMap::new(),
        stand_ins,
    };
    let mut groups = VecDeque::from([Group::new(call, operations)]);
    while let Some(group) = groups.pop_front() {
        if !group.operations.is_empty() {
            run.carry_out(group, &mut groups).await;
        }
    }
    run.report
}

impl Run {
    pub(super) fn operation(&self, at: u32) -> &Operation {
        &self.plan.operations[at as usize]
    }

    pub(super) fn end(&mut self, operation: u32, ending: Ending) {
        // A replacement ends with its last step, which the phases know.
        if self.operation(operation).action() != Action::Replace {
            self.options
                .watch
                .ended(Subject::Operation(operation), &ending.told());
        }
        self.report.endings.push((operation, ending));
    }

    /// A replacement has come so far.
    pub(super) fn reach(&mut self, operation: u32, progress: Progress) {
        self.report.reached.push((operation, progress));
    }

    /// The service shows what it stores now.
    pub(super) fn stored(&self, operation: u32, now: &ObservedAnnotation) {
        self.options.watch.stored(operation, fingerprint(now));
    }

    pub(super) fn fail_all(&mut self, operations: &[u32], error: &ApiError, touched: Touched) {
        let hint = error
            .hint()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        for &operation in operations {
            self.end(operation, Ending::Failed(format!("{error}{hint}"), touched));
        }
    }

    /// How long to wait before a call that failed so is made again, if it is.
    pub(super) fn pause(&self, attempts: u32, error: &ApiError) -> Option<Duration> {
        self.writer.pause(attempts, error)
    }

    /// Waits so long, or until the run is stopped.
    pub(super) async fn wait(&self, pause: Duration) -> Waited {
        wait(&self.options, pause).await
    }

    /// The id of the annotation that a call of this kind writes.
    pub(super) fn id(&self, call: Call, at: u32) -> AnnotationId {
        match call {
            Call::PostStandIn | Call::DeleteStandIn => replace::stand_in_id(&self.plan, at),
            _ => self.operation(at).id.clone(),
        }
    }

    /// Input id and annotation id of what a call of this kind writes.
    pub(super) fn names(&self, call: Call, operations: &[u32]) -> Vec<(String, String)> {
        let name = |&at: &u32| {
            let input = self.operation(at).input_id.to_string();
            (input, self.id(call, at).to_string())
        };
        operations.iter().map(name).collect()
    }

    /// What the annotations that a call of this kind writes are now; `None` for one that is not there.
    pub(super) async fn read(
        &mut self,
        call: Call,
        operations: &[u32],
    ) -> Result<Vec<Option<ObservedAnnotation>>, ApiError> {
        self.read_names(self.names(call, operations)).await
    }

    /// What these annotations are now, by input id and id; `None` for one that is not there.
    pub(super) async fn read_names(
        &mut self,
        names: Vec<(String, String)>,
    ) -> Result<Vec<Option<ObservedAnnotation>>, ApiError> {
        let mut found = HashMap::new();
        for wire in self.writer.reader().by_ids(&names).await? {
            let (input, annotation) = self.decode(wire)?;
            found.insert((input, annotation.id.to_string()), annotation);
        }
        Ok(names.into_iter().map(|name| found.remove(&name)).collect())
    }

    pub(super) fn decode(
        &mut self,
        wire: wire::Annotation,
    ) -> Result<(String, ObservedAnnotation), ApiError> {
        let (input, annotation) = observed::annotation(wire, &mut self.interner)
            .map_err(|error| ApiError::Malformed(error.to_string()))?;
        Ok((input.to_string(), annotation))
    }

    /// Looks again, and sends what is still as the plan saw it.
    async fn carry_out(&mut self, group: Group, more: &mut VecDeque<Group>) {
        // The listing is seconds or, for a plan file, days old, and so may be the last attempt: what somebody changed since
        // is not overwritten. A new post needs no second look: its id is its own, and the service refuses one that exists.
        let group = match group.call {
            Call::Post => self.look_before_posts(group).await,
            Call::DeleteReplaced => self.look_before_deletes(group).await,
            Call::PostStandIn => self.look_at_originals(group).await,
            Call::DeleteStandIn | Call::DeleteLeftBehind => self.look_at_stand_ins(group).await,
            _ => self.look_again(group, more).await,
        };
        if !group.operations.is_empty() {
            self.send(group, more).await;
        }
    }

    /// Keeps the operations whose annotations are as the plan saw them.
    async fn look_again(&mut self, mut group: Group, more: &mut VecDeque<Group>) -> Group {
        let operations = std::mem::take(&mut group.operations);
        let now = match self.read(group.call, &operations).await {
            Ok(now) => now,
            Err(error) => {
                self.fail_all(&operations, &error, group.touched);
                self.report.hopeless |= is_hopeless(&error);
                return group;
            }
        };
        let mut emptied = Vec::new();
        let mut removals_outlast = true;
        for (at, now) in operations.into_iter().zip(now) {
            if now.as_ref().is_some_and(|now| self.is_emptied(at, now)) {
                emptied.push(at);
                continue;
            }
            match freshness(self.operation(at), now.as_ref()) {
                Freshness::AsPlanned => {
                    if self.make_body(at, now.as_ref(), group.touched) {
                        removals_outlast &= self.note(group.call, at, now);
                        group.operations.push(at);
                    }
                }
                Freshness::AsWanted if group.touched.is_not() => self.end(at, Ending::AlreadySo),
                // An earlier attempt, of which no answer came, did it.
                Freshness::AsWanted => {
                    if let Some(now) = &now {
                        self.stored(at, now);
                    }
                    self.end(at, Ending::Applied);
                }
                Freshness::HalfReplaced | Freshness::Stale => {
                    let ending = self.stale(&group, at, now);
                    self.end(at, ending);
                }
            }
        }
        self.apart(group, emptied, removals_outlast, more)
    }

    /// Makes what is sent for an operation out of what is there now. Where the operation does not fit that, nothing is sent.
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
            Err(misfit) => {
                self.end(at, Ending::Failed(misfit.to_string(), touched));
                false
            }
        }
    }

    /// Keeps what a shared call has to know of an annotation that is as planned. Whether it stays what it is but for its
    /// concepts, if it is to stay.
    fn note(&mut self, call: Call, at: u32, now: Option<ObservedAnnotation>) -> bool {
        let (Call::RemoveOrDelete, Some(now)) = (call, now) else {
            return true;
        };
        if self.operation(at).action() == Action::Delete {
            let emptied = ObservedAnnotation { data: None, ..now };
            self.emptied.insert(at, fingerprint(&emptied));
            true
        } else {
            outlasts(&now)
        }
    }

    /// What is sent together. Removals and deletes share a call only as long as there are both, and no removal could
    /// empty an annotation that is to stay: a plan file may have been written by anybody. What an earlier attempt has
    /// emptied is only left to be deleted.
    fn apart(
        &self,
        mut group: Group,
        mut emptied: Vec<u32>,
        mut removals_outlast: bool,
        more: &mut VecDeque<Group>,
    ) -> Group {
        if group.call == Call::RemoveOrDelete {
            let touched = group.touched;
            let (deletes, removals): (Vec<u32>, Vec<u32>) = group
                .operations
                .iter()
                .partition(|at| self.operation(**at).action() == Action::Delete);
            // A plan file may say of any delete that it is one.
            removals_outlast &= deletes.iter().all(|at| self.bodies.contains_key(at));
            if deletes.is_empty() || removals.is_empty() || !removals_outlast {
                more.push_front(Group {
                    call: Call::Delete,
                    operations: deletes,
                    ..group
                });
                group.call = Call::Remove;
                group.operations = removals;
            }
            more.push_front(if touched.is_not() {
                // Somebody else has emptied them.
                Group::new(Call::Delete, emptied)
            } else {
                Group::emptied(emptied)
            });
        } else {
            group.operations.append(&mut emptied);
        }
        group
    }

    /// The ending of an annotation that is something else than the plan saw.
    fn stale(&self, group: &Group, at: u32, now: Option<ObservedAnnotation>) -> Ending {
        let lost = |now: &ObservedAnnotation| {
            group.call == Call::RemoveOrDelete
                && !group.touched.is_not()
                && self.goes(group.call, at)
                && self.lost_its_concepts(at, now)
        };
        if now.as_ref().is_some_and(lost) {
            stale(now, Touched::ConceptsRemoved)
        } else {
            stale(now, group.touched)
        }
    }

    /// Whether the operation's annotation is to be gone after a call of this kind.
    pub(super) fn goes(&self, call: Call, at: u32) -> bool {
        match call {
            Call::Delete | Call::DeleteReplaced | Call::DeleteStandIn | Call::DeleteLeftBehind => {
                true
            }
            Call::RemoveOrDelete => self.operation(at).action() == Action::Delete,
            _ => false,
        }
    }

    /// Whether all that happened to the annotation is that its concepts went.
    pub(super) fn is_emptied(&self, at: u32, now: &ObservedAnnotation) -> bool {
        self.emptied.get(&at) == Some(&fingerprint(now))
    }
}

pub(super) fn stale(now: Option<ObservedAnnotation>, touched: Touched) -> Ending {
    Ending::Stale(now.map(|now| Box::new(now.content())), touched)
}

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// It was waited for to the end.
    Whole,
    /// The run was stopped.
    UntilStop,
}

/// Waits so long, or until the run is stopped.
pub(super) async fn wait(options: &Options, pause: Duration) -> Waited {
    tracing::debug!(
        ms = pause.as_millis() as u64,
        "waiting before another attempt"
    );
    match tokio::time::timeout(pause, options.stop.requested()).await {
        Ok(()) => Waited::UntilStop,
        Err(_) => Waited::Whole,
    }
}

pub(super) fn is_hopeless(error: &ApiError) -> bool {
    matches!(error, ApiError::Unauthorised { .. })
}
