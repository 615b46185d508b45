//! JSON that is kept whole: what annosync does not model must survive an overwrite.

use serde_json::value::RawValue;
use std::fmt;

/// A JSON text, checked once and kept as compact text: a tenth of the memory of a parsed tree.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Json(RawText);

/// A text that is no JSON.
#[derive(Debug, thiserror::Error)]
#[error("not JSON: {0}")]
pub struct InvalidJson(#[from] serde_json::Error);

#[derive(Clone, serde::Serialize)]
#[serde(transparent)]
struct RawText(Box<RawValue>);

impl PartialEq for RawText {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for RawText {}

impl Json {
    /// Checks `text` and keeps it without white space between its tokens.
    pub fn new(text: &str) -> Result<Self, InvalidJson> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        Ok(Self::from_value(&value))
    }

    /// The compact text of a value.
    pub fn from_value(value: &serde_json::Value) -> Self {
        // A Value always serialises: its keys are strings and its numbers are finite.
        Self(RawText(
            serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        ))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.0.get()
    }

    /// The parsed value.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.as_str()).unwrap_or(serde_json::Value::Null)
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        // Servers send compact JSON; a listing saved by hand may hold line breaks, which would not compare equal.
        if raw.get().contains(['\n', '\t']) || raw.get().contains("\": ") {
            return Self::from_value(
                &serde_json::from_str(raw.get()).unwrap_or(serde_json::Value::Null),
            );
        }
        Self(RawText(raw))
    }
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_value(&serde_json::Value::deserialize(
            deserializer,
        )?))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
