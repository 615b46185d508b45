//! Purges: list, compare, purge, list again.
//!
//! They come after everything else, one call at a time, so that a stop takes effect between any two of them. A purge names no
//! annotations and deletes whatever is there. So everything on its inputs is listed right before it, and an input that holds
//! more than the plan showed is left out.

use super::account::{FoundOnInput, PurgeOutcome, count_purge};
use super::look;
use super::options::{OnFailure, Options, Pause};
use super::queue::{ATTEMPTS, CRASHED, Group, InFlight, Queue};
use super::watch::{ItemOutcome, Subject};
use crate::api::{ApiError, ItemError, PurgeInputs, Reader, Writer};
use crate::model::{
    AnnotationId, Fingerprint, InputId, Maker, ObservedAnnotation, fingerprint, plural,
};
use crate::plan::{Call, Outcome, Plan, Purge, Since, Touched, Unplanned};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The inputs that a purge names.
pub(super) fn purged_inputs<'a>(
    ids: impl Iterator<Item = &'a InputId>,
) -> Result<PurgeInputs, ApiError> {
    PurgeInputs::new(ids.map(ToString::to_string).collect())
        .map_err(|error| ApiError::Unsendable(error.to_string()))
}

/// What one batch of purges did.
#[derive(Debug, Default)]
struct Report {
    ended: Vec<(u32, PurgeOutcome)>,
    deleted_annotations: u64,
    calls: u64,
}

/// Carries out the purges of a plan.
pub(super) async fn execute(
    plan: &Arc<Plan>,
    writer: &Writer,
    options: &Options,
    outcome: &mut Outcome,
) {
    let mut untried: BTreeSet<u32> = (0..plan.purges.len() as u32).collect();
    let mut in_flight = InFlight::new(1);
    for batch in plan.batches.iter().filter(|it| it.call == Call::Purge) {
        if options.stop.is_requested() {
            break;
        }
        for at in &batch.operations {
            untried.remove(at);
        }
        let run = run(
            Arc::clone(plan),
            writer.clone(),
            options.clone(),
            batch.operations.clone(),
        );
        in_flight.start(batch.operations.clone(), run);
        match in_flight.next().await {
            Some(Ok(report)) => {
                outcome.calls += report.calls;
                outcome.applied.purged += report.deleted_annotations;
                for (at, ended) in report.ended {
                    count_purge(outcome, plan, at, ended);
                }
            }
            Some(Err(crashed)) => {
                for at in crashed {
                    let ended = ItemOutcome::failed(CRASHED, Touched::Unknown);
                    report_to_watch(options, at, &ended);
                    count_purge(outcome, plan, at, ended);
                }
            }
            None => {}
        }
        if !outcome.failed_purges.is_empty() && options.on_failure == OnFailure::Stop {
            options.stop.request();
        }
    }
    for at in untried {
        report_to_watch(options, at, &ItemOutcome::NotAttempted);
        count_purge(outcome, plan, at, ItemOutcome::NotAttempted);
    }
}

fn report_to_watch(options: &Options, purge: u32, outcome: &PurgeOutcome) {
    let subject = Subject::Purge(purge);
    options.watch.ended(subject, &outcome.summary());
}

/// A batch of purges that is being carried out.
struct PurgeRun {
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    report: Report,
    /// How many annotations each purge has deleted.
    deleted: HashMap<u32, u64>,
}

async fn run(plan: Arc<Plan>, writer: Writer, options: Options, purges: Vec<u32>) -> Report {
    let mut run = PurgeRun {
        plan,
        writer,
        options,
        report: Report::default(),
        deleted: HashMap::new(),
    };
    let mut queue = Queue::new(Group::new(Call::Purge, purges));
    while let Some(group) = queue.pop() {
        run.purge(group, &mut queue).await;
    }
    run.report
}

/// An input that is being purged, and the annotations on it.
type Remaining = (u32, BTreeSet<AnnotationId>);

impl PurgeRun {
    fn planned(&self, at: u32) -> &Purge {
        &self.plan.purges[at as usize]
    }

    fn end(&mut self, purge: u32, outcome: PurgeOutcome) {
        report_to_watch(&self.options, purge, &outcome);
        self.report.ended.push((purge, outcome));
    }

    /// Some of its annotations may be deleted; the report counts those.
    fn fail(&mut self, purge: u32, reason: impl Into<String>) {
        self.end(purge, ItemOutcome::failed(reason, Touched::Unknown));
    }

    fn fail_all(&mut self, purges: impl IntoIterator<Item = u32>, error: &ApiError) {
        for at in purges {
            self.fail(at, error.with_hint());
        }
        if error.is_unauthorised() {
            self.options.stop.request();
        }
    }

    async fn purge(&mut self, group: Group, queue: &mut Queue) {
        let due = match self.list_unchanged(&group.items).await {
            Ok(listed) => self.compare(&group, listed),
            Err(error) => return self.fail_all(group.items, &error),
        };
        if due.is_empty() {
            return;
        }
        let ids = due.iter().map(|(at, _)| &self.planned(*at).input_id);
        let sent = match purged_inputs(ids) {
            Ok(inputs) => self.writer.purge(&inputs).await,
            Err(error) => Err(error),
        };
        self.report.calls += 1;
        match sent {
            Ok(objection) => self.settle(group, due, objection, queue).await,
            Err(error) => self.settle_failed_call(group, due, error, queue).await,
        }
    }

    /// See [`listed`].
    async fn list(&self, purges: &[u32]) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
        let purges = purges.iter().map(|at| self.planned(*at));
        listed(&self.writer.reader(), purges).await
    }

    /// Lists until two listings agree: a purge deletes whatever is there, so nothing may change while it is listed.
    async fn list_unchanged(
        &self,
        purges: &[u32],
    ) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
        const ATTEMPTS: u32 = 3;
        let mut last = self.list(purges).await?;
        for _ in 0..ATTEMPTS {
            let next = self.list(purges).await?;
            if fingerprints(&next) == fingerprints(&last) {
                return Ok(next);
            }
            last = next;
        }
        Err(ApiError::IncompleteListing {
            attempts: ATTEMPTS,
            reason: "an input to purge changed while it was listed".to_owned(),
        })
    }

    /// Keeps the inputs that hold nothing but what the plan saw.
    fn compare(&mut self, group: &Group, listed: Vec<Vec<ObservedAnnotation>>) -> Vec<Remaining> {
        let mut due = Vec::with_capacity(listed.len());
        for (&at, annotations) in group.items.iter().zip(listed) {
            let unplanned = unplanned(self.planned(at), &annotations);
            if !unplanned.is_empty() {
                let deleted = self.deleted.get(&at).copied().unwrap_or_default();
                let touched = if deleted == 0 {
                    Touched::Nothing
                } else {
                    Touched::Deleted
                };
                let found = FoundOnInput { unplanned, deleted };
                self.end(at, ItemOutcome::Stale { found, touched });
            } else if !annotations.is_empty() {
                due.push((at, annotations.into_iter().map(|it| it.id).collect()));
            } else if group.attempt > 1 {
                self.end(at, ItemOutcome::Applied);
            } else {
                self.end(at, ItemOutcome::AlreadyUpToDate);
            }
        }
        due
    }

    /// Lists the inputs again after a call, and counts what was deleted. Returns those that still hold something.
    async fn list_again(&mut self, due: Vec<Remaining>) -> Vec<Remaining> {
        let purges: Vec<u32> = due.iter().map(|(at, _)| *at).collect();
        let listed = match self.list(&purges).await {
            Ok(listed) => listed,
            Err(error) => {
                for at in purges {
                    let reason =
                        format!("it was purged, but what is left could not be listed: {error}");
                    self.fail(at, reason);
                }
                return Vec::new();
            }
        };
        let mut left = Vec::new();
        for ((at, before), annotations) in due.into_iter().zip(listed) {
            let now: BTreeSet<AnnotationId> = annotations.into_iter().map(|it| it.id).collect();
            // Compared by id: somebody may have added annotations meanwhile.
            let deleted = before.difference(&now).count() as u64;
            self.report.deleted_annotations += deleted;
            *self.deleted.entry(at).or_default() += deleted;
            if now.is_empty() {
                self.end(at, ItemOutcome::Applied);
            } else {
                left.push((at, now));
            }
        }
        left
    }

    /// Judges a call that was answered.
    async fn settle(
        &mut self,
        group: Group,
        due: Vec<Remaining>,
        objection: Option<ItemError>,
        queue: &mut Queue,
    ) {
        let left = self.list_again(due).await;
        match objection {
            // The answer does not say which input it is about. Sent without those that are done, the rest gets its own.
            Some(_) if group.has_attempts_left() && !left.is_empty() => {
                if group.pause(&self.options.stop).await == Pause::Stopped {
                    return self.fail_remaining(left, "the run was stopped");
                }
                queue.push(group.next_attempt(items(&left)));
            }
            Some(objection) => self.fail_remaining(left, &objection.to_string()),
            None => self.fail_remaining(left, "the service says that it is purged"),
        }
    }

    /// Judges a call that was refused or lost as a whole.
    async fn settle_failed_call(
        &mut self,
        group: Group,
        due: Vec<Remaining>,
        error: ApiError,
        queue: &mut Queue,
    ) {
        if group
            .may_retry(&self.writer, &error, &self.options.stop)
            .await
        {
            // The next attempt begins with a listing: the purge may be done, or somebody may have labelled there meanwhile.
            let left = self.list_again(due).await;
            return queue.push(group.next_attempt(items(&left)));
        }
        let error = error.given_up_after(group.attempt);
        if !error.is_rejection() && !error.may_have_taken_effect() {
            return self.fail_all(items(&due), &error);
        }
        let left = self.list_again(due).await;
        if error.is_rejection() && left.len() > 1 {
            return queue.push_halves(Group {
                items: items(&left),
                attempt: ATTEMPTS,
                ..group
            });
        }
        self.fail_remaining(left, &error.to_string());
    }

    fn fail_remaining(&mut self, left: Vec<Remaining>, reason: &str) {
        for (at, annotations) in left {
            let count = annotations.len();
            let are = plural(count as u64, "annotation is", "annotations are");
            self.fail(at, format!("{count} {are} still there: {reason}"));
        }
    }
}

fn items(remaining: &[Remaining]) -> Vec<u32> {
    remaining.iter().map(|(at, _)| *at).collect()
}

/// Everything on the inputs of these purges, whoever made it, except input-level annotations.
pub(super) async fn listed(
    reader: &Reader,
    purges: impl Iterator<Item = &Purge> + Clone,
) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
    let ids = purges.clone().map(|purge| purge.input_id.to_string());
    let mut by_input: HashMap<_, Vec<ObservedAnnotation>> = HashMap::new();
    for (input, annotation) in look::on_inputs(ids, reader).await? {
        if annotation.maker != Maker::Input {
            by_input.entry(input).or_default().push(annotation);
        }
    }
    let of = |purge: &Purge| by_input.remove(&purge.input_id);
    Ok(purges.map(of).map(Option::unwrap_or_default).collect())
}

/// The annotations of each input by id. Compared by fingerprint: a service may write the same annotation in several ways.
fn fingerprints(listed: &[Vec<ObservedAnnotation>]) -> Vec<BTreeMap<&AnnotationId, Fingerprint>> {
    let inputs = listed.iter();
    inputs
        .map(|all| all.iter().map(|it| (&it.id, fingerprint(it))).collect())
        .collect()
}

/// What a purge would delete although the plan did not show it, or not as it is now.
pub(super) fn unplanned(purge: &Purge, listed: &[ObservedAnnotation]) -> Vec<Unplanned> {
    let planned: HashMap<_, Fingerprint> = purge
        .annotations
        .iter()
        .map(|annotation| (&annotation.id, annotation.fingerprint))
        .collect();
    listed
        .iter()
        .filter_map(|annotation| {
            let since = match planned.get(&annotation.id) {
                Some(seen) if *seen == fingerprint(annotation) => return None,
                Some(_) => Since::Changed,
                None => Since::Made,
            };
            Some(Unplanned {
                id: annotation.id.clone(),
                since,
                now: annotation.content(),
            })
        })
        .collect()
}
