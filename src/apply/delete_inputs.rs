//! Deletes the inputs that an undo names, after everything else.

use super::account::{DeletedInputOutcome, count_deleted_input};
use super::look;
use super::options::{OnFailure, Options, Pause};
use super::queue::ATTEMPTS;
use super::watch::{ItemOutcome, Subject};
use crate::api::{ApiError, DeleteInputs, Writer};
use crate::model::{Geometry, InputId, Maker, ObservedAnnotation};
use crate::plan::{Call, Outcome, Plan, Touched};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// The pause before inputs are deleted again that the service objected to.
const PAUSE: Duration = Duration::from_millis(250);

/// Deletes the inputs that an undo names, each only while it holds nothing but what came with it.
pub(super) async fn delete(plan: &Plan, writer: &Writer, options: &Options, outcome: &mut Outcome) {
    let mut untried: BTreeSet<u32> = (0..plan.deleted_inputs.len() as u32).collect();
    let batches = plan
        .batches
        .iter()
        .filter(|batch| batch.call == Call::DeleteInputs);
    for batch in batches {
        if options.stop.is_requested() {
            break;
        }
        for at in &batch.operations {
            untried.remove(at);
        }
        let ids = batch
            .operations
            .iter()
            .map(|at| (*at, plan.deleted_inputs[*at as usize].clone()));
        let ended = delete_batch(writer, options, ids.collect(), &mut outcome.calls).await;
        for (at, ended) in ended {
            end(plan, options, outcome, at, ended);
        }
        if !outcome.failed_inputs.is_empty() && options.on_failure == OnFailure::Stop {
            options.stop.request();
        }
    }
    for at in untried {
        end(plan, options, outcome, at, ItemOutcome::NotAttempted);
    }
}

fn end(plan: &Plan, options: &Options, outcome: &mut Outcome, at: u32, ended: DeletedInputOutcome) {
    let subject = Subject::DeletedInput(at);
    options.watch.ended(subject, &ended.summary());
    count_deleted_input(outcome, plan, at, ended);
}

async fn delete_batch(
    writer: &Writer,
    options: &Options,
    mut left: BTreeMap<u32, InputId>,
    calls: &mut u64,
) -> Vec<(u32, DeletedInputOutcome)> {
    let mut ended = Vec::new();
    let mut attempt = 1;
    let failure = loop {
        // The content of the inputs is read before every attempt.
        let now = match read(writer, left.values()).await {
            Ok(now) => now,
            Err(error) => break error.to_string(),
        };
        left.retain(|at, id| {
            let outcome = if let Some(count) = now.foreign.get(id) {
                ItemOutcome::Stale {
                    found: *count,
                    touched: Touched::Nothing,
                }
            } else if now.existing.contains(id.as_str()) {
                return true;
            } else if attempt == 1 {
                ItemOutcome::AlreadyUpToDate
            } else {
                ItemOutcome::Applied
            };
            ended.push((*at, outcome));
            false
        });
        let ids = left.values().map(ToString::to_string).collect();
        let Some(inputs) = DeleteInputs::new(ids) else {
            return ended;
        };
        let sent = writer.delete_inputs(&inputs).await;
        *calls += 1;
        let (reason, pause) = match sent {
            Ok(None) => (
                "the service says that it is deleted".to_owned(),
                Some(Duration::ZERO),
            ),
            Ok(Some(objection)) => (objection.to_string(), Some(PAUSE)),
            Err(error) => (error.to_string(), writer.pause(attempt, &error)),
        };
        attempt += 1;
        match pause {
            Some(pause) if attempt <= ATTEMPTS => {
                if options.stop.pause(pause).await == Pause::Stopped && !pause.is_zero() {
                    break reason;
                }
            }
            _ => break reason,
        }
    };
    let reason = format!("it was not deleted: {failure}");
    let failed = |at| (at, ItemOutcome::failed(reason.as_str(), Touched::Unknown));
    ended.extend(left.into_keys().map(failed));
    ended
}

/// What some inputs hold now.
struct Contents {
    existing: BTreeSet<String>,
    /// The number of annotations on each input that were not created with it; inputs without any are left out.
    foreign: HashMap<InputId, u64>,
}

/// Reads the annotations of inputs. Those of models, and an unchanged input-level one, were created with the input.
async fn read(
    writer: &Writer,
    inputs: impl Iterator<Item = &InputId> + Clone,
) -> Result<Contents, ApiError> {
    let reader = writer.reader();
    let ids: BTreeSet<String> = inputs.map(ToString::to_string).collect();
    let existing = reader.inputs(&ids).await?;
    let existing: BTreeSet<String> = existing.into_iter().map(|state| state.id).collect();
    let mut foreign: HashMap<InputId, u64> = HashMap::new();
    if existing.is_empty() {
        return Ok(Contents { existing, foreign });
    }
    for (input, annotation) in look::on_inputs(existing.iter().cloned(), &reader).await? {
        let came_with_it = match annotation.maker {
            Maker::Model => true,
            Maker::Input => is_untouched(&annotation),
            Maker::User => false,
        };
        if !came_with_it {
            *foreign.entry(input).or_default() += 1;
        }
    }
    Ok(Contents { existing, foreign })
}

/// Whether the input-level annotation of an input is unchanged since the input was created.
fn is_untouched(annotation: &ObservedAnnotation) -> bool {
    let is_empty =
        |json: &serde_json::Value| json.as_object().is_some_and(serde_json::Map::is_empty);
    annotation.concepts.iter().next().is_none()
        && annotation.info.is_none()
        && annotation.geometry == Geometry::Whole
        && annotation
            .metadata()
            .is_none_or(|metadata| is_empty(&metadata))
}
