//! The phases: stand-ins, replacements' deletes, patches, posts, deletes. Calls of one phase run several at a time. Purges
//! come last, and are `purge`'s.

use super::batch::{Ending, Report, run};
use super::inputs::{self, InputFiles, NoFiles};
use super::purge;
use super::replace::{Mode, Progress, StandIn, stand_in_id};
use super::watch::{Ended, Subject, Unwatched, Watch};
use crate::api::Writer;
use crate::model::InputId;
use crate::plan::{Action, Batch, Call, FailedItem, Outcome, Permit, Plan, StaleItem, Touched};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A phase waits for the one before it.
const PHASES: [&[Call]; 6] = [
    &[Call::DeleteLeftBehind],
    &[Call::PostStandIn],
    &[Call::DeleteReplaced],
    &[Call::Merge, Call::Remove, Call::Overwrite],
    &[Call::Post],
    &[Call::RemoveOrDelete, Call::Delete, Call::DeleteStandIn],
];

/// What a failure does to the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing.
    GoOn,
    /// Nothing new is started.
    Stop,
}

/// Asks a running apply to finish what is in flight and to start nothing new.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

impl Stop {
    /// Asks.
    pub fn request(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until it is asked.
    pub async fn requested(&self) {
        // In this order: a request between the two is not missed.
        let asked = self.0.1.notified();
        if !self.is_requested() {
            asked.await;
        }
    }
}

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// Calls at a time; at least 1.
    pub concurrency: usize,
    /// What a failure does to the rest.
    pub on_failure: OnFailure,
    /// Stops it from outside.
    pub stop: Stop,
    /// Is told how each operation ends.
    pub watch: Arc<dyn Watch>,
    /// How long inputs are waited for while none of them comes forward.
    pub input_timeout: Duration,
    /// Gives the files that are posted.
    pub files: Arc<dyn InputFiles>,
    /// Whose annotations the plan may touch.
    pub permit: Arc<Permit>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 4,
            on_failure: OnFailure::GoOn,
            stop: Stop::default(),
            watch: Arc::new(Unwatched),
            input_timeout: Duration::from_secs(600),
            files: Arc::new(NoFiles),
            permit: Arc::new(Permit::Planned),
        }
    }
}

/// Carries out a plan. It never fails as a whole: the outcome accounts for every operation and every purge.
pub async fn execute(plan: Arc<Plan>, writer: &Writer, options: &Options) -> Outcome {
    let prepared = inputs::prepare(&plan, writer, options).await;
    let mut course = Course {
        blocked: &prepared.blocked,
        endings: plan.operations.iter().map(|_| None).collect(),
        progress: Progress::of(&plan),
        calls: 0,
        plan: Arc::clone(&plan),
        options,
    };
    for phase in PHASES {
        let mut waiting = plan
            .batches
            .iter()
            .filter(|batch| phase.contains(&batch.call));
        let mut flying = JoinSet::new();
        let mut sent = HashMap::new();
        loop {
            while flying.len() < options.concurrency.max(1) {
                let Some(batch) = waiting.next() else { break };
                let operations = course.due(batch);
                if !operations.is_empty() {
                    let run = run(
                        Arc::clone(&plan),
                        writer.clone(),
                        options.clone(),
                        batch.call,
                        operations.clone(),
                        course.stand_ins(&operations),
                    );
                    sent.insert(flying.spawn(run).id(), operations);
                }
            }
            match flying.join_next_with_id().await {
                Some(Ok((_, report))) => course.take_in(report),
                Some(Err(error)) => course.lose(sent.remove(&error.id()).unwrap_or_default()),
                None => break,
            }
        }
    }
    let mut outcome = course.account();
    prepared.account(&mut outcome);
    purge::execute(&plan, writer, options, &mut outcome).await;
    inputs::delete(&plan, writer, options, &mut outcome).await;
    outcome.sort();
    outcome
}

/// How far a plan has come.
struct Course<'a> {
    plan: Arc<Plan>,
    options: &'a Options,
    /// Inputs that are not there, or not processed.
    blocked: &'a HashSet<InputId>,
    /// Of operations that have ended, how.
    endings: Vec<Option<Ending>>,
    progress: Vec<Progress>,
    calls: u64,
}

impl Course<'_> {
    /// The operations of a batch that are to be done now. After a stop nothing new is begun; a replacement that was begun
    /// is brought to a safe end.
    fn due(&self, batch: &Batch) -> Vec<u32> {
        let mode = if self.options.stop.is_requested() {
            Mode::Stopping
        } else {
            Mode::GoingOn
        };
        let is_due = |operation: &&u32| {
            let at = **operation as usize;
            let is_next = if self.plan.operations[at].action() == Action::Replace {
                self.progress[at].is_due(batch.call, mode)
            } else {
                mode == Mode::GoingOn
            };
            let is_blocked = self.blocked.contains(&self.plan.operations[at].input_id);
            self.endings[at].is_none() && is_next && !is_blocked
        };
        batch.operations.iter().filter(is_due).copied().collect()
    }

    /// What the stand-ins of these operations were when they were last looked at.
    fn stand_ins(&self, operations: &[u32]) -> HashMap<u32, StandIn> {
        let seen = |&at: &u32| Some((at, self.progress[at as usize].stand_in()?.clone()));
        operations.iter().filter_map(seen).collect()
    }

    /// Takes in what became of a call.
    fn take_in(&mut self, report: Report) {
        self.calls += report.calls;
        for (operation, reached) in report.reached {
            self.stop_after(reached.ending());
            self.progress[operation as usize] = reached;
        }
        for (operation, ending) in report.endings {
            self.stop_after(Some(&ending));
            let at = operation as usize;
            if self.plan.operations[at].action() != Action::Replace {
                self.endings[at] = Some(ending);
                continue;
            }
            let id = stand_in_id(&self.plan, operation);
            if let Some(whole) = self.progress[at].advance(report.call, ending, &id) {
                self.end(operation, whole);
            }
        }
        if report.hopeless {
            self.options.stop.request();
        }
    }

    fn stop_after(&self, ending: Option<&Ending>) {
        if matches!(ending, Some(Ending::Failed(..))) && self.options.on_failure == OnFailure::Stop
        {
            self.options.stop.request();
        }
    }

    /// A mistake of this program: what became of a call is not known, and it says so.
    fn lose(&mut self, operations: Vec<u32>) {
        for operation in operations {
            let reason = "annosync failed in the middle of this call: run the same command again";
            self.end(
                operation,
                Ending::Failed(reason.to_owned(), Touched::Perhaps),
            );
        }
    }

    /// Tells of an operation that has ended.
    fn end(&mut self, operation: u32, ending: Ending) {
        let subject = Subject::Operation(operation);
        self.options.watch.ended(subject, &ending.told());
        self.endings[operation as usize] = Some(ending);
    }

    /// The account of all operations.
    fn account(self) -> Outcome {
        let mut outcome = Outcome {
            calls: self.calls,
            ..Outcome::default()
        };
        for (at, ending) in self.endings.into_iter().enumerate() {
            let operation = &self.plan.operations[at];
            match ending {
                Some(Ending::Applied) => outcome.applied.actions.add(operation.action()),
                Some(Ending::AlreadySo) => outcome.already_so += 1,
                Some(Ending::Stale(now, touched)) => outcome.stale.push(StaleItem {
                    touched,
                    ..StaleItem::new(at as u32, operation, now.map(|now| *now))
                }),
                Some(Ending::Failed(reason, touched)) => outcome.failed.push(FailedItem {
                    touched,
                    ..FailedItem::new(at as u32, operation, reason)
                }),
                None => {
                    let subject = Subject::Operation(at as u32);
                    self.options.watch.ended(subject, &Ended::NotAttempted);
                    outcome.not_attempted += 1;
                }
            }
        }
        outcome
    }
}
