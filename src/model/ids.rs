//! Checked ids and names, cheap to clone.

#[cfg(test)]
use super::schema::{NAME_PATTERN, SET_NAME_PATTERN};
use super::screen::reorders_text;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Why a text is not a valid id or name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    #[error("empty")]
    Empty,
    /// A control character, or one that changes the direction of text. Either would garble a terminal, a URL or a line
    /// of output.
    #[error("contains the control character U+{0:04X}")]
    Control(u32),
    /// Almost always a typo, and invisible in output.
    #[error("begins or ends with white space")]
    SurroundingSpace,
    #[error("not of the form [a-z0-9-]{{1,40}}")]
    SetName,
}

fn check(text: &str) -> Result<(), InvalidId> {
    // Nearly all of them, and checked a million times.
    if !text.is_empty() && text.bytes().fold(true, |all, b| all & b.is_ascii_graphic()) {
        return Ok(());
    }
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if let Some(c) = text.chars().find(|c| c.is_control() || reorders_text(*c)) {
        return Err(InvalidId::Control(u32::from(c)));
    }
    if text.trim() != text {
        return Err(InvalidId::SurroundingSpace);
    }
    Ok(())
}

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident($text:ty), $check:expr, $pattern:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name($text);

        impl $name {
            pub fn new(text: impl Into<$text>) -> Result<Self, InvalidId> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc),*).trim(),
                    "type": "string",
                    "pattern": $pattern,
                })
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

/// Whether an id survives as one segment of a URL path. `.` and `..` denote other paths; slash, backslash and percent sign
/// would be encoded, and proxies are known to decode them.
pub fn is_path_segment(id: &str) -> bool {
    !matches!(id, "" | "." | "..")
        && !id
            .chars()
            .any(|c| matches!(c, '/' | '\\' | '%') || c.is_control())
}

fn check_set(text: &str) -> Result<(), InvalidId> {
    let ok = (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if ok { Ok(()) } else { Err(InvalidId::SetName) }
}

id!(
    /// The id of an input (an image, a video, an audio file, a text) of the app.
    InputId(Arc<str>),
    check,
    *NAME_PATTERN
);
// Unlike the other names it mostly occurs once, so there is little to share.
id!(
    /// The id of an annotation, unique within its input.
    AnnotationId(Box<str>),
    check,
    *NAME_PATTERN
);
id!(
    /// The id of a concept: a class, such as `car`.
    ConceptId(Arc<str>),
    check,
    *NAME_PATTERN
);
id!(
    /// The id of a user.
    UserId(Arc<str>),
    check,
    *NAME_PATTERN
);
id!(
    /// The id of an existing region, for example one that a model found.
    RegionId(Arc<str>),
    check,
    *NAME_PATTERN
);
id!(
    /// The key that a manifest gives an annotation; unique within its input.
    Key(Arc<str>),
    check,
    *NAME_PATTERN
);
id!(
    /// The name of a label set: `[a-z0-9-]{1,40}`. The ids of annotations that the manifest creates are derived from it.
    SetName(Arc<str>),
    check_set,
    SET_NAME_PATTERN
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_ids_are_rejected() {
        assert!(InputId::new("street-0001").is_ok());
        assert_eq!(InputId::new(""), Err(InvalidId::Empty));
        assert_eq!(ConceptId::new("a\u{1b}[31m"), Err(InvalidId::Control(0x1b)));
        assert_eq!(ConceptId::new("car "), Err(InvalidId::SurroundingSpace));
        assert_eq!(Key::new("a\u{202e}b"), Err(InvalidId::Control(0x202e)));
        assert!(ConceptId::new("Plastic Film 4").is_ok());
    }

    #[test]
    fn invalid_set_names_are_rejected() {
        assert!(SetName::new("street-1").is_ok());
        for bad in ["", "Street", "a b", "ä", &"x".repeat(41)] {
            assert_eq!(SetName::new(bad), Err(InvalidId::SetName), "{bad}");
        }
    }
}
