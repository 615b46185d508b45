//! The JSON of a COCO file, read leniently: a wrong type in one entry must not affect the others.
//!
//! Unused fields of the file and of images are skipped; those of annotations are kept. Only a file with a wrong outline (not
//! JSON, no `images` list) is an error.

use super::values::{Attributes, List, Numbers, Scalar, Segmentation, Text, kind_of, value};
use crate::formats::error::ImportError;
use crate::formats::format::Format;
use crate::formats::json::kind;
use crate::model::JsonFault;
use rayon::prelude::*;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What a COCO file is, for error messages.
const EXPECTED: &str =
    "a COCO file is an object with the lists `images`, `annotations` and `categories`";

pub(super) struct File<'t> {
    pub(super) images: Vec<Item<Image<'t>>>,
    pub(super) annotations: Vec<Item<Annotation<'t>>>,
    pub(super) categories: Vec<Item<Category<'t>>>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Image<'t> {
    #[serde(borrow)]
    pub(super) id: Scalar<'t>,
    #[serde(borrow)]
    pub(super) file_name: Scalar<'t>,
    #[serde(borrow)]
    pub(super) width: Scalar<'t>,
    #[serde(borrow)]
    pub(super) height: Scalar<'t>,
    pub(super) neg_category_ids: List,
    pub(super) not_exhaustive_category_ids: List,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Category<'t> {
    #[serde(borrow)]
    pub(super) id: Scalar<'t>,
    #[serde(borrow)]
    pub(super) name: Scalar<'t>,
    pub(super) keypoints: List,
    pub(super) skeleton: List,
}

#[derive(Default)]
pub(super) struct Annotation<'t> {
    pub(super) id: Scalar<'t>,
    pub(super) image_id: Scalar<'t>,
    pub(super) category_id: Scalar<'t>,
    pub(super) bbox: Numbers,
    pub(super) segmentation: Segmentation,
    pub(super) keypoints: Numbers,
    pub(super) attributes: Attributes,
    pub(super) iscrowd: Scalar<'t>,
    pub(super) ignore: Scalar<'t>,
    pub(super) score: Scalar<'t>,
    pub(super) others: Others,
}

/// Fields of an annotation that COCO does not define, such as `difficult` and `caption`.
#[derive(Default)]
pub(super) struct Others {
    /// The fields with a number, a text, true or false.
    pub(super) fields: serde_json::Map<String, Value>,
    /// Whether there are others: lists and objects that are not empty, and unreadable values.
    pub(super) has_unusable: bool,
}

/// Reads the file at `path`, whose text has no `NaN`.
pub(super) fn read<'t>(path: &str, text: &'t str) -> Result<File<'t>, ImportError> {
    outline(text).map_err(|error| match error {
        NotRead::Syntax(fault) => ImportError::Json {
            file: path.to_owned(),
            fault,
        },
        NotRead::NotCoco(why) => ImportError::OtherFormat {
            format: Format::Coco,
            why,
        },
    })
}

enum NotRead {
    Syntax(JsonFault),
    NotCoco(String),
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

fn outline(text: &str) -> Result<File<'_>, NotRead> {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {}
        Some(b'[') => {
            let entries: Vec<&RawValue> =
                serde_json::from_str(text).map_err(|error| syntax(&error))?;
            let is_result = entries
                .first()
                .is_some_and(|entry| entry.get().contains("\"score\""));
            return Err(NotRead::NotCoco(format!(
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
            return Err(NotRead::NotCoco(format!(
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

fn entries<'t, T: Deserialize<'t> + Send>(
    name: &str,
    raw: Option<&'t RawValue>,
) -> Result<Vec<Item<T>>, NotRead> {
    let Some(raw) = raw else {
        return Err(NotRead::NotCoco(format!("it has no `{name}`; {EXPECTED}")));
    };
    if !raw.get().starts_with('[') {
        return Err(NotRead::NotCoco(format!(
            "its `{name}` is {}; {EXPECTED}",
            kind_of(raw)
        )));
    }
    let entries: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|error| syntax(&error))?;
    Ok(entries.into_par_iter().map(Item::read).collect())
}

fn syntax(error: &serde_json::Error) -> NotRead {
    NotRead::Syntax(error.into())
}

/// An entry of a list, which should be an object.
pub(super) enum Item<T> {
    Entry(T),
    Wrong(String),
}

impl<'t, T: Deserialize<'t>> Item<T> {
    fn read(raw: &'t RawValue) -> Self {
        if !raw.get().starts_with('{') {
            return Self::Wrong(kind_of(raw).to_owned());
        }
        serde_json::from_str(raw.get()).map_or_else(
            |error| {
                let message = error.to_string();
                let what = message.split(" at line ").next().unwrap_or_default();
                Self::Wrong(format!("an object that cannot be read: {what}"))
            },
            Self::Entry,
        )
    }
}

impl<'de> Deserialize<'de> for Annotation<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Reads the fields of an annotation.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Annotation<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an annotation")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut annotation = Annotation::default();
        let mut seen: Vec<Cow<'de, str>> = Vec::with_capacity(10);
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
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
                // Both follow from the other fields.
                "area" | "num_keypoints" => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => {
                    annotation.others.add(key.into_owned(), map.next_value()?);
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
