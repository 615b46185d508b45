//! Reading a plan file back.

use super::types::{Action, FORMAT_VERSION, Plan};

/// Why a text is no plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// No JSON at all.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A plan of another format.
    #[error("a plan of format version {0:?}; this version reads {FORMAT_VERSION:?}")]
    Version(String),
    /// A plan that does not hang together.
    #[error("the plan was altered: {0}")]
    Altered(String),
}

/// Reads a plan; nothing for JSON that is something else, such as a manifest.
pub fn read(text: &str) -> Result<Option<Plan>, PlanFileError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format_version: Option<String>,
        operations: Option<serde::de::IgnoredAny>,
        batches: Option<serde::de::IgnoredAny>,
    }
    let syntax = |error: &serde_json::Error| PlanFileError::Syntax {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    };
    let head: Head = match serde_json::from_str(text) {
        Ok(head) => head,
        // A manifest's file reports its own mistakes.
        Err(_) if !text.contains("\"format_version\"") => return Ok(None),
        Err(error) => return Err(syntax(&error)),
    };
    let (Some(version), Some(_), Some(_)) = (head.format_version, head.operations, head.batches)
    else {
        return Ok(None);
    };
    if version != FORMAT_VERSION {
        return Err(PlanFileError::Version(version));
    }
    let plan: Plan = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    check(&plan)?;
    Ok(Some(plan))
}

/// A plan's parts must say the same: what is shown and counted is what is sent.
fn check(plan: &Plan) -> Result<(), PlanFileError> {
    let altered = |what: &str| Err(PlanFileError::Altered(what.to_owned()));
    if plan.batches != super::batch::pack(&plan.operations) {
        return altered("its calls are not those that its operations make");
    }
    let mut counted = super::types::Summary::default();
    for operation in &plan.operations {
        *super::build::count(&mut counted, operation.action) += 1;
        let body = operation.body.as_ref().map(crate::model::Json::to_value);
        let names_itself = body.is_none_or(|body| {
            body["id"] == operation.id.as_str() && body["input_id"] == operation.input_id.as_str()
        });
        // A post is made of what it shows alone, so that it can be made again and compared.
        let is_as_shown = operation.action != Action::Post
            || operation
                .after
                .as_ref()
                .zip(operation.body.as_ref())
                .is_some_and(|(after, body)| {
                    super::body::is_post(body, &operation.input_id, &operation.id, after)
                });
        if !is_as_shown {
            return altered("the body of a post is not what it shows");
        }
        let is_delete = operation.action == Action::Delete;
        if !names_itself || operation.body.is_some() == is_delete {
            return altered("the body of an operation is not its annotation's");
        }
    }
    let figures =
        |s: &super::types::Summary| [s.post, s.merge, s.overwrite, s.remove, s.replace, s.delete];
    if figures(&counted) != figures(&plan.summary) {
        return altered("its summary does not count its operations");
    }
    Ok(())
}
