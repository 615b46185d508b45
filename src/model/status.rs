//! The status of an annotation in the labelling workflow.

use serde::de::Error as _;
use std::fmt;

/// The status of an annotation. Names are those of the API without `ANNOTATION_`, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u32);

/// An unknown status name or number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status `{0}`")]
pub struct UnknownStatus(pub String);

/// From the API's list of status codes.
const KNOWN: [(u32, &str); 12] = [
    (24150, "success"),
    (24151, "pending"),
    (24152, "failed"),
    (24154, "unknown_status"),
    (24155, "invalid_argument"),
    (24156, "permission_denied"),
    (24157, "awaiting_review"),
    (24158, "review_denied"),
    (24159, "awaiting_consensus_review"),
    (24250, "modify_success"),
    (24251, "modify_pending"),
    (24252, "modify_failed"),
];

impl Status {
    /// Labelled and accepted: the default of a posted annotation.
    pub const SUCCESS: Self = Self(24150);
    /// To be labelled by a person.
    pub const PENDING: Self = Self(24151);

    /// Accepts numbers without a known name as well.
    pub fn from_code(code: u32) -> Self {
        Self(code)
    }

    pub fn code(self) -> u32 {
        self.0
    }

    /// Parses a name, the API's full name (`ANNOTATION_PENDING`), or a number.
    pub fn parse(text: &str) -> Result<Self, UnknownStatus> {
        let unknown = || UnknownStatus(text.to_owned());
        if let Ok(code) = text.parse::<u32>() {
            return if (24000..25000).contains(&code) {
                Ok(Self(code))
            } else {
                Err(unknown())
            };
        }
        let name = text
            .strip_prefix("ANNOTATION_")
            .map_or_else(|| text.to_owned(), str::to_lowercase);
        KNOWN
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(code, _)| Self(*code))
            .ok_or_else(unknown)
    }

    /// The names that [`Status::parse`] accepts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(_, name)| *name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KNOWN.iter().find(|(code, _)| *code == self.0) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl serde::Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_equivalent() {
        for text in ["pending", "ANNOTATION_PENDING", "24151"] {
            assert_eq!(Status::parse(text), Ok(Status::PENDING), "{text}");
        }
        assert!(Status::parse("pendign").is_err());
        assert!(Status::parse("10000").is_err());
        assert_eq!(Status::from_code(24199).to_string(), "24199");
        assert_eq!(Status::parse("24199"), Ok(Status::from_code(24199)));
    }
}
