//! The phases: stand-ins, replacements' deletes, patches, posts, deletes. Calls of one phase run several at a time. Purges
//! come last, and are `purge`'s.

use super::batch::{Ending, run};
use super::purge;
use super::replace::{Mode, Progress, stand_in_id};
use super::watch::{Ended, Subject, Unwatched, Watch};
use crate::api::Writer;
use crate::plan::{Action, Batch, Call, FailedItem, Outcome, Plan, StaleItem, Touched};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 8,
            on_failure: OnFailure::GoOn,
            stop: Stop::default(),
            watch: Arc::new(Unwatched),
        }
    }
}

/// Carries out a plan. It never fails as a whole: the outcome accounts for every operation and every purge.
pub async fn execute(plan: Arc<Plan>, writer: &Writer, options: &Options) -> Outcome {
    let mut endings: Vec<Option<Ending>> = plan.operations.iter().map(|_| None).collect();
    let mut progress = Progress::of(&plan);
    let mut outcome = Outcome::default();
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
                let mode = if options.stop.is_requested() {
                    Mode::Stopping
                } else {
                    Mode::GoingOn
                };
                let operations = due(&plan, batch, &endings, &progress, mode);
                let stand_ins = (operations.iter())
                    .filter_map(|&at| Some((at, progress[at as usize].stand_in()?)));
                if !operations.is_empty() {
                    let run = run(
                        Arc::clone(&plan),
                        writer.clone(),
                        options.clone(),
                        batch.call,
                        operations.clone(),
                        stand_ins.collect(),
                    );
                    sent.insert(flying.spawn(run).id(), operations);
                }
            }
            let Some(done) = flying.join_next_with_id().await else {
                break;
            };
            let report = match done {
                Ok((_, report)) => report,
                Err(error) => {
                    // A mistake of this program: what became of the batch is not known, and it says so.
                    for operation in sent.remove(&error.id()).unwrap_or_default() {
                        let reason = "annosync failed in the middle of this call: run the same command again";
                        let ending = Ending::Failed(reason.to_owned(), Touched::Perhaps);
                        let subject = Subject::Operation(operation);
                        options.watch.ended(subject, &ending.told());
                        endings[operation as usize] = Some(ending);
                    }
                    continue;
                }
            };
            outcome.calls += report.calls;
            for (operation, reached) in report.reached {
                let failed = matches!(reached, Progress::Settled(_, Ending::Failed(..)));
                if failed && options.on_failure == OnFailure::Stop {
                    options.stop.request();
                }
                progress[operation as usize] = reached;
            }
            for (operation, ending) in report.endings {
                let at = operation as usize;
                if matches!(ending, Ending::Failed(..)) && options.on_failure == OnFailure::Stop {
                    options.stop.request();
                }
                if plan.operations[at].action != Action::Replace {
                    endings[at] = Some(ending);
                    continue;
                }
                let id = stand_in_id(&plan, operation);
                let whole = progress[at].advance(report.call, ending, &id);
                if let Some(whole) = &whole {
                    let subject = Subject::Operation(operation);
                    options.watch.ended(subject, &whole.told());
                }
                endings[at] = whole;
            }
            if report.hopeless {
                options.stop.request();
            }
        }
    }
    for (at, ending) in endings.into_iter().enumerate() {
        let operation = &plan.operations[at];
        let subject = Subject::Operation(at as u32);
        match ending {
            Some(Ending::Applied) => outcome.applied.add(operation.action),
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
                options.watch.ended(subject, &Ended::NotAttempted);
                outcome.not_attempted += 1;
            }
        }
    }
    purge::execute(&plan, writer, options, &mut outcome).await;
    outcome.sort();
    outcome
}

/// The operations of a batch that are to be done now. After a stop nothing new is begun; a replacement that was begun is
/// brought to a safe end.
fn due(
    plan: &Plan,
    batch: &Batch,
    endings: &[Option<Ending>],
    progress: &[Progress],
    mode: Mode,
) -> Vec<u32> {
    let is_due = |operation: &&u32| {
        let at = **operation as usize;
        let is_next = if plan.operations[at].action == Action::Replace {
            progress[at].is_due(batch.call, mode)
        } else {
            mode == Mode::GoingOn
        };
        endings[at].is_none() && is_next
    };
    batch.operations.iter().filter(is_due).copied().collect()
}
