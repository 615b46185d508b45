//! Status codes, of calls and of single annotations.
//!
//! The service sends them as numbers, and in places as the names of its protobuf enum (`"CONN_THROTTLED"`). Both are read
//! everywhere.

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

/// A status code of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Code(pub u32);

macro_rules! codes {
    ($($number:literal $name:ident,)*) => {
        impl Code {
            $(#[doc = concat!("Code ", stringify!($number), ".")] pub const $name: Self = Self($number);)*
            const NAMES: &[(u32, &'static str)] = &[$(($number, stringify!($name)),)*];
        }
    };
}

codes! {
    10000 SUCCESS,
    10010 MIXED_STATUS,
    10020 FAILURE,
    10030 TRY_AGAIN,
    11001 CONN_TOKEN_INVALID,
    11002 CONN_CREDENTIALS_INVALID,
    11003 CONN_EXCEED_HOURLY_LIMIT,
    11004 CONN_EXCEED_MONTHLY_LIMIT,
    11005 CONN_THROTTLED,
    11006 CONN_EXCEEDS_LIMITS,
    11007 CONN_INSUFFICIENT_SCOPES,
    11008 CONN_KEY_INVALID,
    11009 CONN_KEY_NOT_FOUND,
    11100 CONN_BAD_REQUEST_FORMAT,
    11101 CONN_DOES_NOT_EXIST,
    11102 CONN_INVALID_REQUEST,
    11103 CONN_METHOD_NOT_ALLOWED,
    24150 ANNOTATION_SUCCESS,
    24151 ANNOTATION_PENDING,
    24152 ANNOTATION_FAILED,
    24154 ANNOTATION_UNKNOWN_STATUS,
    24155 ANNOTATION_INVALID_ARGUMENT,
    24156 ANNOTATION_PERMISSION_DENIED,
    24157 ANNOTATION_AWAITING_REVIEW,
    24158 ANNOTATION_REVIEW_DENIED,
    24159 ANNOTATION_AWAITING_CONSENSUS_REVIEW,
    24250 ANNOTATION_MODIFY_SUCCESS,
    24251 ANNOTATION_MODIFY_PENDING,
    24252 ANNOTATION_MODIFY_FAILED,
    30000 INPUT_DOWNLOAD_SUCCESS,
    30001 INPUT_DOWNLOAD_PENDING,
    30002 INPUT_DOWNLOAD_FAILED,
    30003 INPUT_DOWNLOAD_IN_PROGRESS,
    30100 INPUT_DUPLICATE,
    30101 INPUT_UNSUPPORTED_FORMAT,
    30102 INPUT_DOES_NOT_EXIST,
    30104 INPUT_INVALID_ARGUMENT,
    30106 INPUT_INVALID_URL,
    40003 CONCEPTS_INVALID_REQUEST,
}

impl Code {
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES
            .iter()
            .find(|(number, _)| *number == self.0)
            .map(|(_, name)| *name)
    }

    /// Reads a name, in upper or lower case, or a number.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self(number));
        }
        Self::NAMES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text))
            .map(|(number, _)| Self(*number))
    }

    /// Whether the same request may succeed later. 98xxx are internal errors of the service.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::TRY_AGAIN | Self::CONN_THROTTLED)
            || (98_004..=98_026).contains(&self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;
        impl Visitor<'_> for AnyForm {
            type Value = Code;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status code, as a number or a name")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Code, E> {
                u32::try_from(number).map(Code).map_err(E::custom)
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Code, E> {
                u32::try_from(number).map(Code).map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Code, E> {
                Ok(Code(number as u32))
            }
            // An unknown name becomes 0, which is neither success nor transient.
            fn visit_str<E: Error>(self, text: &str) -> Result<Code, E> {
                Ok(Code::parse(text).unwrap_or_default())
            }
            fn visit_unit<E: Error>(self) -> Result<Code, E> {
                Ok(Code::default())
            }
        }
        deserializer.deserialize_any(AnyForm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_both_accepted() {
        for json in ["11005", "\"11005\"", "\"CONN_THROTTLED\"", "11005.0"] {
            assert_eq!(
                serde_json::from_str::<Code>(json).unwrap(),
                Code::CONN_THROTTLED,
                "{json}"
            );
        }
        assert_eq!(
            serde_json::from_str::<Code>("\"SOMETHING_NEW\"").unwrap(),
            Code(0)
        );
    }
}
