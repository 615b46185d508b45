//! Parsers of argument values, for clap.

use crate::formats::Format;
use crate::model::{ConceptId, SetName, Status, UserId};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::path::PathBuf;

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

/// The name of a format of another tool.
pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    let names = PossibleValuesParser::new(Format::ALL.map(Format::as_str));
    names.try_map(|name| {
        let mut all = Format::ALL.into_iter();
        all.find(|it| it.as_str() == name).ok_or("unknown format")
    })
}

/// A finite number above 0.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if number.is_finite() && number > 0.0 {
        Ok(number)
    } else {
        Err("not a number above 0".to_owned())
    }
}

/// A folder that exists.
pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if folder.is_dir() {
        Ok(folder)
    } else {
        Err("there is no such folder".to_owned())
    }
}
