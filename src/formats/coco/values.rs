//! Values of a COCO file: each type accepts any JSON, and holds what was found if it is not what was expected.
//!
//! Numbers may come as strings, ids as either. Numbers are kept as text until a number is needed: an id may have more
//! digits than any number type.

use crate::formats::json::kind;
use serde::de::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use smallvec::SmallVec;
use std::borrow::Cow;

/// A text, which is copied only if the file has it with escapes.
#[derive(PartialEq, serde::Deserialize)]
pub(super) struct Text<'t>(#[serde(borrow)] pub(super) Cow<'t, str>);

/// Whether a list or an object is there and not empty.
#[derive(Default)]
pub(super) struct Presence(bool);

impl Presence {
    /// Whether it is not empty.
    pub(super) fn is_some(&self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let inner = text.get(1..text.len() - 1).unwrap_or_default();
        Ok(Self(
            text.starts_with(['[', '{']) && !inner.trim().is_empty(),
        ))
    }
}

/// A number, a text, or neither.
#[derive(Default)]
pub(super) enum Scalar<'t> {
    #[default]
    Missing,
    /// As written in the file.
    Number(&'t str),
    Text(Cow<'t, str>),
    Wrong,
}

impl Scalar<'_> {
    /// The finite number, which may be a string in the file.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Missing | Self::Wrong => None,
        }
        .filter(|number: &f64| number.is_finite())
    }

    /// The whole number from 0, if the file has it as one.
    pub(super) fn whole(&self) -> Option<u64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether the flag is set: 1, true, "1".
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Wrong => true,
            _ => self.number().is_some_and(|number| number != 0.0),
        }
    }

    /// The text of an id or a name, with all digits: 7, 7.0 and "7" are equal.
    pub(super) fn label(&self) -> Option<&str> {
        match self {
            Self::Number(text) => Some(whole_number(text)),
            Self::Text(text) if text.trim().is_empty() => None,
            Self::Text(text) => Some(text),
            Self::Missing | Self::Wrong => None,
        }
    }

    /// The value, for a message.
    pub(super) fn words(&self) -> String {
        match (self, self.id()) {
            (_, Some(id)) => format!("{id:?}"),
            (Self::Missing, _) => "missing".to_owned(),
            (Self::Text(_), _) => "empty".to_owned(),
            _ => "neither a number nor a text".to_owned(),
        }
    }

    /// The text of an id: as [`Self::label`], and "7.0" equals 7, too.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Text(text) if serde_json::from_str::<&RawValue>(text).is_ok_and(is_number) => {
                Some(whole_number(text.trim()))
            }
            _ => self.label(),
        }
    }
}

fn is_number(raw: &RawValue) -> bool {
    raw.get()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

/// A whole number without decimal zeros: 7 for 7.0. Other texts are unchanged.
fn whole_number(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole
        }
        _ => text,
    }
}

/// A list of numbers.
#[derive(Default)]
pub(super) enum Numbers {
    #[default]
    Missing,
    /// Most are a box, of four numbers.
    List(SmallVec<[f64; 4]>),
    /// What is wrong, as the end of a sentence: "is a text".
    Wrong(String),
}

impl Numbers {
    fn of(value: &Value) -> Self {
        let list = match value {
            Value::Null => return Self::Missing,
            Value::Array(list) => list,
            _ => return Self::Wrong(format!("is {}", kind(value))),
        };
        let numbers = list.iter().map(|item| match item {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        });
        let finite = numbers.map(|number| number.filter(|number| number.is_finite()));
        finite.collect::<Option<SmallVec<_>>>().map_or(
            Self::Wrong("holds a value that is not a number".to_owned()),
            Self::List,
        )
    }
}

/// The outline of an object.
#[derive(Default)]
pub(super) enum Segmentation {
    #[default]
    Missing,
    /// Rings of x, y, x, y, … in pixels.
    Rings(Vec<Numbers>),
    Mask(Rle),
    Wrong(&'static str),
}

/// A run-length mask.
pub(super) struct Rle {
    /// Height and width.
    pub(super) size: Numbers,
    pub(super) counts: Counts,
}

/// The lengths of the runs of a mask.
pub(super) enum Counts {
    List(Numbers),
    Text(String),
}

impl Segmentation {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Missing,
            Value::Array(rings) => Self::Rings(rings.iter().map(Numbers::of).collect()),
            Value::Object(mask) => Self::Mask(Rle {
                size: mask.get("size").map_or(Numbers::Missing, Numbers::of),
                counts: match mask.get("counts") {
                    Some(Value::String(text)) => Counts::Text(text.clone()),
                    Some(value) => Counts::List(Numbers::of(value)),
                    None => Counts::List(Numbers::Missing),
                },
            }),
            _ => Self::Wrong(kind(value)),
        }
    }
}

/// Free fields of an object.
#[derive(Default)]
pub(super) enum Attributes {
    #[default]
    Missing,
    Object(serde_json::Map<String, Value>),
    /// Something else.
    Wrong,
}

impl<'de: 't, 't> Deserialize<'de> for Scalar<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(match raw.get() {
            "null" | "false" => Self::Missing,
            text if text.starts_with('"') => {
                serde_json::from_str(text).map_or(Self::Wrong, |Text(text)| Self::Text(text))
            }
            text if is_number(raw) => Self::Number(text),
            _ => Self::Wrong,
        })
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if let Some(numbers) = numbers(raw) {
            return Ok(Self::List(numbers));
        }
        Ok(value(raw).map_or_else(
            |found| Self::Wrong(format!("is {found}")),
            |value| Self::of(&value),
        ))
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('[')
            && let Ok(rings) = serde_json::from_str::<Vec<&RawValue>>(raw.get())
            && let Some(rings) = rings.into_iter().map(numbers).collect::<Option<Vec<_>>>()
        {
            return Ok(Self::Rings(rings.into_iter().map(Numbers::List).collect()));
        }
        Ok(value(raw).map_or_else(Self::Wrong, |value| Self::of(&value)))
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(match value(raw) {
            Ok(Value::Null) => Self::Missing,
            Ok(Value::Object(fields)) if fields.is_empty() => Self::Missing,
            Ok(Value::Array(list)) if list.is_empty() => Self::Missing,
            Ok(Value::Object(fields)) => Self::Object(fields),
            _ => Self::Wrong,
        })
    }
}

/// The list, if each item is a finite number, as nearly every one is: much faster than by way of a [`Value`].
fn numbers(raw: &RawValue) -> Option<SmallVec<[f64; 4]>> {
    let inner = raw.get().strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(SmallVec::new());
    }
    // A list of the nested ones would be torn apart, and none of its parts is a number.
    let numbers = inner.split(',').map(|item| {
        let item = item.trim_ascii();
        let is_number = item.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        item.parse()
            .ok()
            .filter(|it: &f64| is_number && it.is_finite())
    });
    numbers.collect()
}

pub(super) fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Parses the value. Fails for numbers out of range and for too much nesting.
pub(super) fn value(raw: &RawValue) -> Result<Value, &'static str> {
    serde_json::from_str(raw.get()).map_err(|_| "a value that cannot be read")
}
