//! The JSON of a COCO file, read leniently: a wrong type in one entry must not cost the others.
//!
//! Fields of the file and of images that the import does not use are not even looked at; those of annotations are kept.
//! Numbers may come as strings, ids as either, and anything else becomes a value that says what was found instead. Numbers are kept as text until a
//! number is needed: an id may have more digits than any number type. Only a file whose outline is wrong (not JSON, no
//! `images` list) is an error.

use super::CocoError;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a COCO file is, for messages about files that are something else.
const EXPECTED: &str =
    "a COCO file is an object with the lists `images`, `annotations` and `categories`";

pub(super) struct File {
    pub(super) images: Vec<Item<Image>>,
    pub(super) annotations: Vec<Item<Annotation>>,
    pub(super) categories: Vec<Item<Category>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Image {
    pub(super) id: Scalar,
    pub(super) file_name: Scalar,
    pub(super) width: Scalar,
    pub(super) height: Scalar,
    pub(super) neg_category_ids: List,
    pub(super) not_exhaustive_category_ids: List,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Category {
    pub(super) id: Scalar,
    pub(super) name: Scalar,
    pub(super) keypoints: List,
    pub(super) skeleton: List,
}

#[derive(Default)]
pub(super) struct Annotation {
    pub(super) id: Scalar,
    pub(super) image_id: Scalar,
    pub(super) category_id: Scalar,
    pub(super) bbox: Numbers,
    pub(super) segmentation: Segmentation,
    pub(super) keypoints: Numbers,
    pub(super) attributes: Attributes,
    pub(super) iscrowd: Scalar,
    pub(super) ignore: Scalar,
    pub(super) score: Scalar,
    pub(super) others: Others,
}

/// Fields of an annotation that COCO does not define, as `difficult` and `caption`.
#[derive(Default)]
pub(super) struct Others {
    /// Those that are a number, a text, true or false.
    pub(super) fields: serde_json::Map<String, Value>,
    /// Whether there are others: lists and objects that hold anything, and what cannot be read.
    pub(super) has_unusable: bool,
}

/// A list or an object that is only looked for.
#[derive(Default)]
pub(super) struct List(bool);

impl List {
    /// Whether it holds anything.
    pub(super) fn is_some(&self) -> bool {
        self.0
    }
}

/// Reads the outline of the file.
pub(super) fn read(json: &[u8]) -> Result<File, CocoError> {
    let text = std::str::from_utf8(json).map_err(|error| CocoError::TextError {
        offset: error.valid_up_to(),
    })?;
    // Files written on Windows often start with a byte order mark, which is not JSON.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match outline(text) {
        Err(CocoError::Syntax { .. }) => match without_nan(text) {
            Cow::Borrowed(text) => outline(text),
            Cow::Owned(text) => outline(&text),
        },
        read => read,
    }
}

#[derive(serde::Deserialize)]
struct Outline<'t> {
    #[serde(borrow)]
    images: Option<&'t RawValue>,
    #[serde(borrow)]
    annotations: Option<&'t RawValue>,
    #[serde(borrow)]
    categories: Option<&'t RawValue>,
}

fn outline(text: &str) -> Result<File, CocoError> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {}
        Some(b'[') => {
            let entries: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|error| syntax(&error))?;
            let is_result = entries
                .first()
                .is_some_and(|entry| entry.get().contains("\"score\""));
            return Err(CocoError::NotCoco(format!(
                "it is a list{}; {EXPECTED}",
                if is_result {
                    ", like the results of a model (detections with `image_id` and `score`)"
                } else {
                    ""
                }
            )));
        }
        _ => {
            let value: Value = serde_json::from_str(text).map_err(|error| syntax(&error))?;
            return Err(CocoError::NotCoco(format!(
                "it is {}; {EXPECTED}",
                kind(&value)
            )));
        }
    }
    let outline: Outline<'_> = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    Ok(File {
        images: entries("images", outline.images)?,
        annotations: entries("annotations", outline.annotations)?,
        categories: entries("categories", outline.categories)?,
    })
}

fn entries<T: for<'t> Deserialize<'t>>(
    name: &str,
    raw: Option<&RawValue>,
) -> Result<Vec<Item<T>>, CocoError> {
    let Some(raw) = raw else {
        return Err(CocoError::NotCoco(format!(
            "it has no `{name}`; {EXPECTED}"
        )));
    };
    if !raw.get().starts_with('[') {
        return Err(CocoError::NotCoco(format!(
            "its `{name}` is {}; {EXPECTED}",
            kind_of(raw)
        )));
    }
    serde_json::from_str(raw.get()).map_err(|error| syntax(&error))
}

fn syntax(error: &serde_json::Error) -> CocoError {
    CocoError::Syntax(error.into())
}

/// The text with `null` for each `NaN` and `Infinity` outside of strings. They are not JSON, but Python writes them.
fn without_nan(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_in_string) = (text, false);
    while let Some(c) = rest.chars().next() {
        if !is_in_string && let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            out.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        let mut length = c.len_utf8();
        match c {
            '"' => is_in_string = !is_in_string,
            '\\' if is_in_string => {
                length += rest[1..].chars().next().map_or(0, char::len_utf8);
            }
            _ => {}
        }
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// An entry of a list, which should be an object.
pub(super) enum Item<T> {
    Entry(T),
    Wrong(String),
}

/// A number, a text, or neither.
#[derive(Default)]
pub(super) enum Scalar {
    #[default]
    Missing,
    /// As the file spells it.
    Number(String),
    Text(String),
    Wrong,
}

impl Scalar {
    /// The finite number, which may come as a string.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(text) | Self::Text(text) => text.trim().parse().ok(),
            Self::Missing | Self::Wrong => None,
        }
        .filter(|number: &f64| number.is_finite())
    }

    /// Whether it is there and says yes: 1, true, "1".
    pub(super) fn is_set(&self) -> bool {
        match self {
            Self::Wrong => true,
            _ => self.number().is_some_and(|number| number != 0.0),
        }
    }

    /// The text of an id or a name, with all its digits: 7, 7.0 and "7" are the same.
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Self::Number(text) => Some(whole_number(text)),
            Self::Text(text) if text.trim().is_empty() => None,
            Self::Text(text) => Some(text.clone()),
            Self::Missing | Self::Wrong => None,
        }
    }

    /// What it says, for a message.
    pub(super) fn words(&self) -> String {
        match (self, self.id()) {
            (_, Some(id)) => format!("{id:?}"),
            (Self::Missing, _) => "missing".to_owned(),
            (Self::Text(_), _) => "empty".to_owned(),
            _ => "neither a number nor a text".to_owned(),
        }
    }

    /// The text of an id: as [`Self::label`], and "7.0" is the same as well.
    pub(super) fn id(&self) -> Option<String> {
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

/// A whole number without its zeros behind the point: 7 for 7.0. Anything else stays as it is spelled.
fn whole_number(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            whole.to_owned()
        }
        _ => text.to_owned(),
    }
}

/// A list of numbers.
#[derive(Default)]
pub(super) enum Numbers {
    #[default]
    Missing,
    List(Vec<f64>),
    /// What is wrong with it, as the rest of a sentence: "is a text".
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
        finite.collect::<Option<Vec<f64>>>().map_or(
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

/// What a value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The value; an error is that of a number beyond all limits, or of a tree that is too deep.
fn value(raw: &RawValue) -> Result<Value, &'static str> {
    serde_json::from_str(raw.get()).map_err(|_| "a value that cannot be read")
}

impl<'de, T: for<'t> Deserialize<'t>> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Ok(Self::Wrong(kind_of(raw).to_owned()));
        }
        Ok(serde_json::from_str(raw.get()).map_or_else(
            |error| {
                let message = error.to_string();
                let what = message.split(" at line ").next().unwrap_or_default();
                Self::Wrong(format!("an object that cannot be read: {what}"))
            },
            Self::Entry,
        ))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(match raw.get() {
            "null" | "false" => Self::Missing,
            text if text.starts_with('"') => {
                serde_json::from_str(text).map_or(Self::Wrong, Self::Text)
            }
            text if is_number(raw) => Self::Number(text.to_owned()),
            _ => Self::Wrong,
        })
    }
}

impl<'de> Deserialize<'de> for Annotation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Reads the fields of an annotation.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Annotation;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an annotation")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Annotation, M::Error> {
        let mut annotation = Annotation::default();
        let mut seen: Vec<String> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "id" => annotation.id = map.next_value()?,
                "image_id" => annotation.image_id = map.next_value()?,
                "category_id" => annotation.category_id = map.next_value()?,
                "bbox" => annotation.bbox = map.next_value()?,
                "segmentation" => annotation.segmentation = map.next_value()?,
                "keypoints" => annotation.keypoints = map.next_value()?,
                "attributes" => annotation.attributes = map.next_value()?,
                "iscrowd" => annotation.iscrowd = map.next_value()?,
                "ignore" => annotation.ignore = map.next_value()?,
                "score" => annotation.score = map.next_value()?,
                // Both follow from the others.
                "area" | "num_keypoints" => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => {
                    annotation.others.add(key, map.next_value()?);
                    continue;
                }
            }
            if seen.contains(&key) {
                return Err(M::Error::custom(format!("duplicate field `{key}`")));
            }
            seen.push(key);
        }
        Ok(annotation)
    }
}

impl Others {
    fn add(&mut self, key: String, raw: &RawValue) {
        match value(raw) {
            Ok(Value::Null) => {}
            Ok(Value::Array(list)) if list.is_empty() => {}
            Ok(Value::Object(fields)) if fields.is_empty() => {}
            Ok(Value::Array(_) | Value::Object(_)) | Err(_) => self.has_unusable = true,
            Ok(value) => {
                self.fields.insert(key, value);
            }
        }
    }
}

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let inner = text.get(1..text.len() - 1).unwrap_or_default();
        Ok(Self(
            text.starts_with(['[', '{']) && !inner.trim().is_empty(),
        ))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(value(raw).map_or_else(
            |found| Self::Wrong(format!("is {found}")),
            |value| Self::of(&value),
        ))
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
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
