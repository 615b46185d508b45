//! Parsers of argument values, for clap.

use crate::model::{ConceptId, SetName, Status, UserId};

pub(super) fn user(text: &str) -> Result<UserId, String> {
    UserId::new(text).map_err(|error| error.to_string())
}

pub(super) fn set(text: &str) -> Result<SetName, String> {
    SetName::new(text).map_err(|error| error.to_string())
}

pub(super) fn concept(text: &str) -> Result<ConceptId, String> {
    ConceptId::new(text).map_err(|error| error.to_string())
}

/// A status by its name or number.
pub(super) fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).map_err(|error| {
        let names: Vec<&str> = Status::names().collect();
        format!("{error}; the statuses are {}", names.join(", "))
    })
}
