//! Names of things: text that was checked once, cheap to clone.

use super::concepts::Concepts;
use super::schema::{NAME_PATTERN, SET_NAME_PATTERN};
use super::screen::reorders;
use std::borrow::{Borrow, Cow};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// No text at all.
    #[error("empty")]
    Empty,
    /// A control character, which would break a terminal, a URL or a line of output.
    #[error("holds the control character U+{0:04X}")]
    Control(u32),
    /// White space at an end: almost always a slip, and invisible wherever it is shown.
    #[error("begins or ends with white space")]
    Padded,
    /// Not a set name.
    #[error("not of the form [a-z0-9-]{{1,40}}")]
    SetName,
}

fn check(text: &str) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    // The bidirectional marks re-order what a terminal shows; they count as control characters here.
    let hidden = |c: &char| c.is_control() || reorders(*c);
    if let Some(c) = text.chars().find(hidden) {
        return Err(InvalidId::Control(u32::from(c)));
    }
    if text.trim() != text {
        return Err(InvalidId::Padded);
    }
    Ok(())
}

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident, $check:expr, $pattern:expr) => {
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the text and makes the name.
            pub fn new(text: impl Into<Arc<str>>) -> Result<Self, InvalidId> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The text.
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

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
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

fn check_set(text: &str) -> Result<(), InvalidId> {
    let ok = (1..=40).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if ok { Ok(()) } else { Err(InvalidId::SetName) }
}

id!(
    /// The id of an input (an image, a video, a text) of the app.
    InputId,
    check,
    *NAME_PATTERN
);
id!(
    /// The id of an annotation, unique within its input.
    AnnotationId,
    check,
    *NAME_PATTERN
);
id!(
    /// The id of a concept: a class of things, such as `car`.
    ConceptId,
    check,
    *NAME_PATTERN
);
id!(
    /// The id of a user.
    UserId,
    check,
    *NAME_PATTERN
);
id!(
    /// The id of a region that exists already, for example one that a model found.
    RegionId,
    check,
    *NAME_PATTERN
);
id!(
    /// The name that a manifest gives an annotation; unique within its input.
    Key,
    check,
    *NAME_PATTERN
);
id!(
    /// The name of a label set: `[a-z0-9-]{1,40}`. It goes into the ids of what the manifest creates.
    SetName,
    check_set,
    SET_NAME_PATTERN
);

/// Hands out one shared allocation per distinct text, and per distinct list of concepts: a million annotations name a
/// few hundred of either.
#[derive(Debug, Default)]
pub struct Interner {
    texts: HashSet<Arc<str>>,
    concepts: HashMap<Vec<(ConceptId, u32)>, Concepts>,
}

impl Interner {
    /// The shared copy of `text`.
    pub fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    /// The shared copy of these concepts.
    pub fn share(&mut self, concepts: Concepts) -> Concepts {
        // Values are compared bit for bit: what is shared is the very same.
        let key = concepts
            .iter()
            .map(|concept| (concept.id.clone(), concept.value.to_bits()))
            .collect();
        self.concepts.entry(key).or_insert(concepts).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_checked_when_it_is_made() {
        assert!(InputId::new("street-0001").is_ok());
        assert_eq!(InputId::new(""), Err(InvalidId::Empty));
        assert_eq!(ConceptId::new("a\u{1b}[31m"), Err(InvalidId::Control(0x1b)));
        assert_eq!(ConceptId::new("car "), Err(InvalidId::Padded));
        assert_eq!(Key::new("a\u{202e}b"), Err(InvalidId::Control(0x202e)));
        assert!(ConceptId::new("Plastic Film 4").is_ok());
    }

    #[test]
    fn a_set_name_is_short_and_plain() {
        assert!(SetName::new("street-1").is_ok());
        for bad in ["", "Street", "a b", "ä", &"x".repeat(41)] {
            assert_eq!(SetName::new(bad), Err(InvalidId::SetName), "{bad}");
        }
    }

    #[test]
    fn equal_texts_share_one_allocation() {
        let mut interner = Interner::default();
        assert!(Arc::ptr_eq(
            &interner.intern("car"),
            &interner.intern("car")
        ));
    }
}
