//! Whether a server does what annosync assumes of it. Each assumption is tried on an input that is posted for that, and
//! deleted at the end.
//!
//! ARCHITECTURE.md lists the assumptions under "Assumed of the server".

mod suite;
mod trial;

pub use trial::{Finding, Verdict};

use crate::api::{ApiError, DeleteInputs, InputState, Writer};
use crate::model::{ConceptId, InputId};

/// What a run found, and whether it left anything.
#[derive(Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    /// Why the input may still be there.
    pub left: Option<String>,
}

/// Tries every assumption, with two concepts of the app. `input` is posted for that, and must be new.
///
/// # Errors
///
/// If the input cannot be posted. Nothing is written then.
pub async fn run(
    writer: &Writer,
    input: &InputId,
    concepts: [ConceptId; 2],
) -> Result<Report, ApiError> {
    let trial = trial::Trial {
        writer,
        input,
        concepts: &concepts,
    };
    // An input that this run did not post is neither labelled nor deleted.
    suite::post_input(&trial).await?;
    let findings = suite::run(&trial).await;
    let left = clean_up(writer, input).await.err();
    Ok(Report { findings, left })
}

/// Deletes the input, and looks whether it is gone.
async fn clean_up(writer: &Writer, input: &InputId) -> Result<(), String> {
    let delete = DeleteInputs::new(vec![input.to_string()]).expect("there is one id");
    let failed = |error: ApiError| error.to_string();
    if let Some(objection) = writer.delete_inputs(&delete).await.map_err(failed)? {
        return Err(objection.to_string());
    }
    let is_gone = |state: Option<InputState>| state.is_none().then_some(());
    let gone = trial::poll(writer, input, is_gone).await.map_err(failed)?;
    gone.ok_or_else(|| "it is still listed".to_owned())
}
