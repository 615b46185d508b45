//! Purges: look, compare, purge, look again.
//!
//! They come after everything else, one call at a time, so that a stop takes effect between any two of them. A purge
//! names no annotations, and takes whatever is there; so right before it everything on its inputs is listed, and an
//! input that holds more than the plan showed is left out.

use super::batch::{Waited, is_hopeless, wait};
use super::execute::{OnFailure, Options};
use super::watch::{Ended, Subject};
use crate::api::{ApiError, Filter, ItemError, PurgeInputs, Reader, Writer};
use crate::model::{AnnotationId, Fingerprint, Interner, Maker, ObservedAnnotation, fingerprint};
use crate::observed;
use crate::plan::{Call, FailedPurge, Outcome, Plan, Purge, Since, StalePurge, Touched, Unplanned};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often inputs on which something is left, for no reason that was given, are purged again.
const ATTEMPTS: u32 = 4;

/// What became of one purge.
#[derive(Debug)]
enum Ending {
    /// Nothing is left but what cannot go.
    Purged,
    /// There was nothing to do.
    AlreadySo,
    /// It would have taken more than the plan showed. An earlier attempt deleted so many annotations.
    Stale(Vec<Unplanned>, u64),
    /// Something is left, or it could not be tried.
    Failed(String),
}

impl Ending {
    /// As it is told.
    fn told(&self) -> Ended {
        match self {
            Self::Purged => Ended::Applied,
            Self::AlreadySo => Ended::AlreadySo,
            Self::Stale(_, gone) => Ended::Stale {
                touched: if *gone == 0 {
                    Touched::Not
                } else {
                    Touched::Deleted
                },
            },
            // Some of it may be gone; the account counts what is.
            Self::Failed(reason) => Ended::Failed {
                reason: reason.clone(),
                touched: Touched::Perhaps,
            },
        }
    }
}

/// What became of the purges of one batch.
#[derive(Debug, Default)]
struct Report {
    endings: Vec<(u32, Ending)>,
    /// Annotations that went.
    gone: u64,
    calls: u64,
    /// Nothing else will go through either: the token is not accepted.
    hopeless: bool,
}

/// Inputs that are purged by one call, and how often that was tried.
struct Group {
    purges: Vec<u32>,
    /// 1 the first time.
    attempt: u32,
}

/// Carries out the purges of a plan, and accounts for them.
pub(super) async fn execute(
    plan: &Arc<Plan>,
    writer: &Writer,
    options: &Options,
    outcome: &mut Outcome,
) {
    let mut untried: BTreeSet<u32> = (0..plan.purges.len() as u32).collect();
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
        let report = tokio::spawn(run).await.unwrap_or_else(|_| {
            // A mistake of this program: what became of the batch is not known, and it says so.
            let reason = "annosync failed in the middle of this call: run the same command again";
            let failed = |&at: &u32| {
                let ending = Ending::Failed(reason.to_owned());
                options.watch.ended(Subject::Purge(at), &ending.told());
                (at, ending)
            };
            Report {
                endings: batch.operations.iter().map(failed).collect(),
                ..Report::default()
            }
        });
        outcome.calls += report.calls;
        outcome.applied.purged += report.gone;
        for (at, ending) in report.endings {
            let purge = &plan.purges[at as usize];
            match ending {
                Ending::Purged => outcome.applied.purge += 1,
                Ending::AlreadySo => outcome.already_so += 1,
                Ending::Stale(unplanned, gone) => outcome
                    .stale_purges
                    .push(StalePurge::new(at, purge, unplanned, gone)),
                Ending::Failed(reason) => {
                    outcome
                        .failed_purges
                        .push(FailedPurge::new(at, purge, reason));
                    if options.on_failure == OnFailure::Stop {
                        options.stop.request();
                    }
                }
            }
        }
        if report.hopeless {
            options.stop.request();
        }
    }
    for at in &untried {
        options
            .watch
            .ended(Subject::Purge(*at), &Ended::NotAttempted);
    }
    outcome.not_attempted += untried.len() as u64;
}

/// A batch of purges that is being carried out.
struct Run {
    plan: Arc<Plan>,
    writer: Writer,
    options: Options,
    report: Report,
    /// How many annotations each purge has deleted.
    gone: HashMap<u32, u64>,
}

async fn run(plan: Arc<Plan>, writer: Writer, options: Options, purges: Vec<u32>) -> Report {
    let mut run = Run {
        plan,
        writer,
        options,
        report: Report::default(),
        gone: HashMap::new(),
    };
    let mut groups = VecDeque::from([Group { purges, attempt: 1 }]);
    while let Some(group) = groups.pop_front() {
        if !group.purges.is_empty() {
            run.purge(&group, &mut groups).await;
        }
    }
    run.report
}

/// An input that is being purged, and the annotations that it held right before.
type Due = (u32, BTreeSet<AnnotationId>);

impl Run {
    fn planned(&self, at: u32) -> &Purge {
        &self.plan.purges[at as usize]
    }

    fn end(&mut self, purge: u32, ending: Ending) {
        self.options
            .watch
            .ended(Subject::Purge(purge), &ending.told());
        self.report.endings.push((purge, ending));
    }

    fn fail(&mut self, purges: impl IntoIterator<Item = u32>, error: &ApiError) {
        let hint = error
            .hint()
            .map(|hint| format!(" ({hint})"))
            .unwrap_or_default();
        for at in purges {
            self.end(at, Ending::Failed(format!("{error}{hint}")));
        }
        self.report.hopeless |= is_hopeless(error);
    }

    async fn purge(&mut self, group: &Group, more: &mut VecDeque<Group>) {
        let due = match self.list_unchanged(&group.purges).await {
            Ok(there) => self.compare(group, there),
            Err(error) => return self.fail(group.purges.iter().copied(), &error),
        };
        if due.is_empty() {
            return;
        }
        let ids = due
            .iter()
            .map(|(at, _)| self.planned(*at).input_id.to_string());
        let sent = match PurgeInputs::new(ids.collect()) {
            Ok(inputs) => self.writer.purge(&inputs).await,
            Err(error) => Err(ApiError::Unsendable(error.to_string())),
        };
        self.report.calls += 1;
        let inputs = due.iter().map(|(at, _)| *at);
        match sent {
            Ok(complaint) => self.settle(group, due, complaint, more).await,
            Err(error) => {
                let pause = self.writer.pause(group.attempt, &error);
                let error = error.given_up_after(group.attempt);
                if let Some(pause) = pause
                    && wait(&self.options, pause).await == Waited::Whole
                {
                    // It may be done, or somebody may have labelled there meanwhile: the next attempt begins with a look.
                    let left = self.look_back(due).await;
                    more.push_back(Group {
                        purges: left.into_iter().map(|(at, _)| at).collect(),
                        attempt: group.attempt + 1,
                    });
                } else if error.is_rejection() || error.may_have_taken_effect() {
                    self.refused(due, &error, more).await;
                } else {
                    self.fail(inputs, &error);
                }
            }
        }
    }

    /// See [`listed`].
    async fn list(&self, purges: &[u32]) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
        let purges = purges.iter().map(|at| self.planned(*at));
        listed(&self.writer.reader(), purges).await
    }

    /// The same, once two listings agree: a purge takes whatever is there, so nothing may have changed while it was listed.
    async fn list_unchanged(
        &self,
        purges: &[u32],
    ) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
        const ATTEMPTS: u32 = 3;
        let mut last = self.list(purges).await?;
        for _ in 0..ATTEMPTS {
            let next = self.list(purges).await?;
            if named(&next) == named(&last) {
                return Ok(next);
            }
            last = next;
        }
        Err(ApiError::IncompleteListing {
            attempts: ATTEMPTS,
            reason: "an input to purge changed while it was listed".to_owned(),
        })
    }

    /// Holds what is there against what the plan saw; keeps the inputs that hold nothing else.
    fn compare(&mut self, group: &Group, there: Vec<Vec<ObservedAnnotation>>) -> Vec<Due> {
        let mut due = Vec::with_capacity(there.len());
        for (&at, there) in group.purges.iter().zip(there) {
            let unplanned = unplanned(self.planned(at), &there);
            if !unplanned.is_empty() {
                let gone = self.gone.get(&at).copied().unwrap_or_default();
                self.end(at, Ending::Stale(unplanned, gone));
            } else if !there.is_empty() {
                due.push((at, there.into_iter().map(|it| it.id).collect()));
            } else if group.attempt > 1 {
                self.end(at, Ending::Purged);
            } else {
                self.end(at, Ending::AlreadySo);
            }
        }
        due
    }

    /// What is left on each input after a call; counts what went. An error is that of the inputs.
    async fn look_back(&mut self, due: Vec<Due>) -> Vec<Due> {
        let purges: Vec<u32> = due.iter().map(|(at, _)| *at).collect();
        let there = match self.list(&purges).await {
            Ok(there) => there,
            Err(error) => {
                let reason =
                    format!("it was purged, and what is left could not be listed: {error}");
                for at in purges {
                    self.end(at, Ending::Failed(reason.clone()));
                }
                return Vec::new();
            }
        };
        let mut left = Vec::new();
        for ((at, before), there) in due.into_iter().zip(there) {
            let now: BTreeSet<AnnotationId> = there.into_iter().map(|it| it.id).collect();
            // Somebody may have labelled the input meanwhile, so counts would not tell.
            let gone = before.difference(&now).count() as u64;
            self.report.gone += gone;
            *self.gone.entry(at).or_default() += gone;
            if now.is_empty() {
                self.end(at, Ending::Purged);
            } else {
                left.push((at, now));
            }
        }
        left
    }

    /// A call that was answered.
    async fn settle(
        &mut self,
        group: &Group,
        due: Vec<Due>,
        complaint: Option<ItemError>,
        more: &mut VecDeque<Group>,
    ) {
        let left = self.look_back(due).await;
        match complaint {
            // The answer does not say why. Sent without those that are done, they get an answer of their own.
            Some(_) if group.attempt < ATTEMPTS && !left.is_empty() => {
                let pause = Duration::from_millis(200) * 2_u32.pow(group.attempt);
                if wait(&self.options, pause).await == Waited::UntilStop {
                    return self.leave(left, "the run was stopped");
                }
                more.push_back(Group {
                    purges: left.into_iter().map(|(at, _)| at).collect(),
                    attempt: group.attempt + 1,
                });
            }
            Some(complaint) => self.leave(left, &complaint.to_string()),
            None => self.leave(left, "the service says that it is purged"),
        }
    }

    /// A call that was turned down or lost as a whole.
    async fn refused(&mut self, due: Vec<Due>, error: &ApiError, more: &mut VecDeque<Group>) {
        let left = self.look_back(due).await;
        if !error.is_rejection() || left.len() < 2 {
            return self.leave(left, &error.to_string());
        }
        // One bad input may spoil a call: halves find it.
        for half in left.chunks(left.len().div_ceil(2)) {
            more.push_back(Group {
                purges: half.iter().map(|(at, _)| *at).collect(),
                attempt: ATTEMPTS,
            });
        }
    }

    fn leave(&mut self, left: Vec<Due>, reason: &str) {
        for (at, there) in left {
            let count = there.len();
            let are = if count == 1 {
                "annotation is"
            } else {
                "annotations are"
            };
            let reason = format!("{count} {are} still there: {reason}");
            self.end(at, Ending::Failed(reason));
        }
    }
}

/// Everything that the inputs of these purges hold, but their input-level annotations, whoever made it.
pub(super) async fn listed(
    reader: &Reader,
    purges: impl Iterator<Item = &Purge> + Clone,
) -> Result<Vec<Vec<ObservedAnnotation>>, ApiError> {
    let ids = purges.clone().map(|purge| purge.input_id.to_string());
    let mut interner = Interner::default();
    let listing = reader
        .list_with(&Filter::inputs(ids), |wire| {
            observed::annotation(wire, &mut interner)
                .map_err(|error| ApiError::Malformed(error.to_string()))
        })
        .await?;
    let mut by_input: HashMap<_, Vec<ObservedAnnotation>> = HashMap::new();
    for (input, annotation) in listing.into_parts().1 {
        if annotation.maker != Maker::Input {
            by_input.entry(input).or_default().push(annotation);
        }
    }
    let of = |purge: &Purge| by_input.remove(&purge.input_id);
    Ok(purges.map(of).map(Option::unwrap_or_default).collect())
}

/// What lies on each input, by id and fingerprint: a service may spell the same annotation in several ways.
fn named(there: &[Vec<ObservedAnnotation>]) -> Vec<BTreeMap<&AnnotationId, Fingerprint>> {
    let inputs = there.iter();
    inputs
        .map(|all| all.iter().map(|it| (&it.id, fingerprint(it))).collect())
        .collect()
}

/// What a purge would take and the plan did not show so.
fn unplanned(purge: &Purge, there: &[ObservedAnnotation]) -> Vec<Unplanned> {
    let planned: HashMap<_, Fingerprint> = purge
        .annotations
        .iter()
        .map(|annotation| (&annotation.id, annotation.fingerprint))
        .collect();
    there
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
