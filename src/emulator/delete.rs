//! DELETE of annotations: one, by pairs of ids, or by input; and the permissions.

use super::call::{Call, check_count};
use super::config::MissingDelete;
use super::reply::{Answer, ItemFailure, Refusal};
use super::rows::Stored;
use super::session::Session;
use crate::wire::Code;
use std::collections::BTreeSet;

type Outcome = Result<Result<(), ItemFailure>, rusqlite::Error>;

/// `DELETE /inputs/{input_id}/annotations/{id}`
pub(super) fn delete_annotation(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    let (input_id, id) = (call.path("input_id"), call.path("annotation_id"));
    let outcome = match call.faults.failure(0) {
        Some(failure) => Err(failure),
        None => delete_pair(session, call, input_id, id)?,
    };
    Ok(answer(1, &outcome.err().into_iter().collect::<Vec<_>>()))
}

/// `DELETE /annotations` and `DELETE /inputs/annotations`
pub(super) fn delete_annotations(
    session: &mut Session<'_>,
    call: &Call<'_>,
) -> Result<Answer, Refusal> {
    // One document has this name for `ids`. Ignoring it would delete everything on these inputs.
    if call.sent.body.contains_key("annotation_ids") {
        return Err(Refusal::format("unknown field `annotation_ids`; use `ids`"));
    }
    let input_ids = call.texts("input_ids")?;
    let ids = call.texts("ids")?;
    check_count("input_ids", input_ids.len())?;
    // Absent and empty lists are equal on the wire, so an empty one means everything on these inputs too.
    if !ids.is_empty() && ids.len() != input_ids.len() {
        return Err(Refusal::invalid(format!(
            "{} `ids`, but {} `input_ids`; they must form pairs",
            ids.len(),
            input_ids.len()
        )));
    }
    let mut failures = Vec::new();
    let mut done = BTreeSet::new();
    for (place, input_id) in input_ids.iter().enumerate() {
        let id = ids.get(place).copied();
        if !done.insert((input_id, id)) {
            continue;
        }
        let outcome = match (call.faults.failure(place), id) {
            (Some(failure), _) => Err(failure),
            (None, Some(id)) => delete_pair(session, call, input_id, id)?,
            (None, None) => delete_all_of(session, call, input_id)?,
        };
        failures.extend(outcome.err());
    }
    Ok(answer(done.len(), &failures))
}

/// The answer to a delete has one status and no list, so its details contain the failures.
fn answer(total: usize, failures: &[ItemFailure]) -> Answer {
    let mut answer = Answer::of_batch(total, failures.len(), None);
    if let Some(first) = failures.first() {
        let lines = failures
            .iter()
            .map(|f| format!("{}: {}", f.code, f.details));
        answer.details = lines.collect::<Vec<_>>().join("; ");
        // If all failed with the same code, it is the code of the call.
        if failures.len() == total && failures.iter().all(|f| f.code == first.code) {
            answer.code = first.code;
            answer.http = match first.code {
                Code::CONN_DOES_NOT_EXIST => 404,
                Code::ANNOTATION_PERMISSION_DENIED => 403,
                _ => 400,
            };
        }
    }
    answer
}

fn delete_pair(session: &Session<'_>, call: &Call<'_>, input_id: &str, id: &str) -> Outcome {
    let Some(stored) = session.annotation(&call.app, input_id, id)? else {
        return Ok(missing(call, format!("no annotation {input_id}/{id}")));
    };
    if stored.input_level {
        return Ok(Err(ItemFailure::forbidden(format!(
            "{input_id}/{id} is input-level and can only be deleted with its input"
        ))));
    }
    if !may_delete(call, &stored) {
        return Ok(Err(ItemFailure::forbidden(format!(
            "{input_id}/{id} belongs to another user"
        ))));
    }
    session.delete(&stored)?;
    Ok(Ok(()))
}

fn delete_all_of(session: &Session<'_>, call: &Call<'_>, input_id: &str) -> Outcome {
    if !session.has_input(&call.app, input_id)? {
        return Ok(missing(call, format!("no input {input_id}")));
    }
    let mut all = session.annotations_of(&call.app, input_id)?;
    all.retain(|stored| !stored.input_level);
    if let Some(other) = all.iter().find(|stored| !may_delete(call, stored)) {
        return Ok(Err(ItemFailure::forbidden(format!(
            "{input_id}/{} belongs to another user",
            other.id
        ))));
    }
    for stored in &all {
        session.delete(stored)?;
    }
    Ok(Ok(()))
}

fn missing(call: &Call<'_>, details: String) -> Result<(), ItemFailure> {
    match call.config.missing_delete {
        MissingDelete::Succeeds => Ok(()),
        MissingDelete::Fails => Err(ItemFailure::missing(details)),
    }
}

/// The owner can delete all annotations, even those of models: according to the documentation these cannot be edited, but
/// the delete of everything on an input has no exception for them. A collaborator can delete their own.
fn may_delete(call: &Call<'_>, stored: &Stored) -> bool {
    call.is_owner() || (!stored.model_made && stored.user_id == call.caller)
}
