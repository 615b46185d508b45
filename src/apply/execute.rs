//! The phases of an apply. A phase waits for the one before it; calls of one phase run several at a time.

use super::account::{OperationOutcome, count_operation};
use super::batch::{Report, Step, run};
use super::delete_inputs;
use super::options::{OnFailure, Options};
use super::post_inputs;
use super::purge;
use super::queue::{CRASHED, InFlight};
use super::replace::{Mode, Progress, StandIn, stand_in_id};
use super::watch::{ItemOutcome, Subject};
use crate::api::Writer;
use crate::model::InputId;
use crate::plan::{Batch, Call, Outcome, Plan, Touched};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The phases that write annotations.
const PHASES: [&[Call]; 6] = [
    &[Call::DeleteLeftBehind],
    &[Call::PostStandIn],
    &[Call::DeleteReplaced],
    &[Call::Merge, Call::Remove, Call::Overwrite],
    &[Call::Post],
    &[Call::RemoveOrDelete, Call::Delete, Call::DeleteStandIn],
];

/// Carries out a plan: inputs are posted, annotations written, inputs purged, inputs deleted. It never fails as a whole: the
/// outcome accounts for every item of the plan.
pub async fn execute(plan: Arc<Plan>, writer: &Writer, options: &Options) -> Outcome {
    let mut outcome = Outcome::default();
    let blocked = post_inputs::post(&plan, writer, options, &mut outcome).await;
    let mut operations = Operations {
        blocked: &blocked,
        ended: plan.operations.iter().map(|_| None).collect(),
        progress: Progress::of(&plan),
        plan: Arc::clone(&plan),
        options,
    };
    for phase in PHASES {
        outcome.calls += operations.run(phase, writer).await;
    }
    operations.count(&mut outcome);
    purge::execute(&plan, writer, options, &mut outcome).await;
    delete_inputs::delete(&plan, writer, options, &mut outcome).await;
    outcome.sort();
    outcome
}

/// How far the operations of a plan have come.
struct Operations<'a> {
    plan: Arc<Plan>,
    options: &'a Options,
    /// Inputs that do not exist or are not processed.
    blocked: &'a HashSet<InputId>,
    /// `None` for operations that have not ended.
    ended: Vec<Option<OperationOutcome>>,
    /// How far replacements have come.
    progress: HashMap<u32, Progress>,
}

impl Operations<'_> {
    /// Makes the calls of one phase, and returns how many there were.
    async fn run(&mut self, phase: &[Call], writer: &Writer) -> u64 {
        let plan = Arc::clone(&self.plan);
        let mut waiting = plan.batches.iter().filter(|it| phase.contains(&it.call));
        let mut in_flight = InFlight::new(self.options.concurrency);
        let mut calls = 0;
        loop {
            while in_flight.has_room() {
                let Some(batch) = waiting.next() else { break };
                let due = self.due(batch);
                if !due.is_empty() {
                    let run = run(
                        Arc::clone(&plan),
                        writer.clone(),
                        self.options.clone(),
                        batch.call,
                        due.clone(),
                        self.stand_ins(&due),
                    );
                    in_flight.start(due, run);
                }
            }
            match in_flight.next().await {
                Some(Ok(report)) => {
                    calls += report.calls;
                    self.advance(report);
                }
                Some(Err(crashed)) => {
                    for at in crashed {
                        self.end(at, ItemOutcome::failed(CRASHED, Touched::Unknown));
                    }
                }
                None => return calls,
            }
        }
    }

    /// The operations of a batch that are to be carried out now. After a stop nothing new is begun; a replacement that was
    /// begun is brought to a safe end.
    fn due(&self, batch: &Batch) -> Vec<u32> {
        let mode = if self.options.stop.is_requested() {
            Mode::Stopping
        } else {
            Mode::Running
        };
        let is_due = |operation: &&u32| {
            let at = **operation as usize;
            let is_next = match self.progress.get(*operation) {
                Some(progress) => progress.is_due(batch.call, mode),
                None => mode == Mode::Running,
            };
            let is_blocked = self.blocked.contains(&self.plan.operations[at].input_id);
            self.ended[at].is_none() && is_next && !is_blocked
        };
        batch.operations.iter().filter(is_due).copied().collect()
    }

    /// The stand-ins of these operations as they were last seen.
    fn stand_ins(&self, operations: &[u32]) -> HashMap<u32, StandIn> {
        let seen = |&at: &u32| Some((at, self.progress.get(&at)?.stand_in()?.clone()));
        operations.iter().filter_map(seen).collect()
    }

    /// Records the results of a batch.
    fn advance(&mut self, report: Report) {
        for (operation, step) in report.steps {
            match step {
                Step::Reached(progress) => {
                    self.stop_after(progress.outcome());
                    self.progress.insert(operation, progress);
                }
                Step::Ended(outcome) => {
                    self.stop_after(Some(&outcome));
                    if let Some(progress) = self.progress.get_mut(&operation) {
                        let id = stand_in_id(&self.plan, operation);
                        let whole = progress.advance(report.call, outcome, &id);
                        if let Some(whole) = whole {
                            self.end(operation, whole);
                        }
                    } else {
                        self.ended[operation as usize] = Some(outcome);
                    }
                }
                Step::Abandoned(outcome) => self.end(operation, outcome),
            }
        }
    }

    fn stop_after(&self, outcome: Option<&OperationOutcome>) {
        if matches!(outcome, Some(ItemOutcome::Failed { .. }))
            && self.options.on_failure == OnFailure::Stop
        {
            self.options.stop.request();
        }
    }

    /// Ends an operation that its batch did not end.
    fn end(&mut self, operation: u32, outcome: OperationOutcome) {
        self.report(operation, &outcome);
        self.ended[operation as usize] = Some(outcome);
    }

    fn report(&self, operation: u32, outcome: &OperationOutcome) {
        let subject = Subject::Operation(operation);
        self.options.watch.ended(subject, &outcome.summary());
    }

    fn count(mut self, outcome: &mut Outcome) {
        for (at, ended) in std::mem::take(&mut self.ended).into_iter().enumerate() {
            let at = at as u32;
            let ended = ended.unwrap_or_else(|| {
                self.report(at, &ItemOutcome::NotAttempted);
                ItemOutcome::NotAttempted
            });
            count_operation(outcome, &self.plan, at, ended);
        }
    }
}
