//! The JSON of a COCO file, read leniently: a wrong type in one entry must not affect the others.
//!
//! Unused fields of the file and of images are skipped; those of annotations are kept. Only a file with a wrong outline (not
//! JSON, no `images` list) is an error.

use super::values::{Attributes, Numbers, Presence, Scalar, Segmentation, Text, kind_of, value};
use crate::formats::error::ImportError;
use crate::formats::format::Format;
use crate::formats::json::kind;
use crate::model::JsonFault;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a COCO file is, for error messages.
const EXPECTED: &str =
    "a COCO file is an object with the lists `images`, `annotations` and `categories`";

/// The entries of each list, not read yet.
pub(super) struct File<'t> {
    pub(super) images: Vec<&'t RawValue>,
    pub(super) annotations: Vec<&'t RawValue>,
    pub(super) categories: Vec<&'t RawValue>,
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
    pub(super) neg_category_ids: Presence,
    pub(super) not_exhaustive_category_ids: Presence,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Category<'t> {
    #[serde(borrow)]
    pub(super) id: Scalar<'t>,
    #[serde(borrow)]
    pub(super) name: Scalar<'t>,
    pub(super) keypoints: Presence,
    pub(super) skeleton: Presence,
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
    images: Option<List<'t>>,
    #[serde(borrow)]
    annotations: Option<List<'t>>,
    #[serde(borrow)]
    categories: Option<List<'t>>,
}

/// The entries of a list, or what it is instead.
enum List<'t> {
    Entries(Vec<&'t RawValue>),
    Wrong(&'static str),
}

impl<'de: 't, 't> Deserialize<'de> for List<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            entries.push(entry);
        }
        Ok(List::Entries(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<List<'de>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List::Wrong("an object"))
    }

    fn visit_str<E>(self, _: &str) -> Result<List<'de>, E> {
        Ok(List::Wrong("a text"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<List<'de>, E> {
        Ok(List::Wrong("true or false"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<List<'de>, E> {
        Ok(List::Wrong("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<List<'de>, E> {
        Ok(List::Wrong("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<List<'de>, E> {
        Ok(List::Wrong("a number"))
    }
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

fn entries<'t>(name: &str, list: Option<List<'t>>) -> Result<Vec<&'t RawValue>, NotRead> {
    let why = match list {
        Some(List::Entries(entries)) => return Ok(entries),
        Some(List::Wrong(found)) => format!("its `{name}` is {found}; {EXPECTED}"),
        None => format!("it has no `{name}`; {EXPECTED}"),
    };
    Err(NotRead::NotCoco(why))
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
    pub(super) fn read(raw: &'t RawValue) -> Self {
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
        let mut seen = 0_u16;
        while let Some(Text(key)) = map.next_key()? {
            let bit = match &*key {
                "id" => {
                    annotation.id = map.next_value()?;
                    1
                }
                "image_id" => {
                    annotation.image_id = map.next_value()?;
                    1 << 1
                }
                "category_id" => {
                    annotation.category_id = map.next_value()?;
                    1 << 2
                }
                "bbox" => {
                    annotation.bbox = map.next_value()?;
                    1 << 3
                }
                "segmentation" => {
                    annotation.segmentation = map.next_value()?;
                    1 << 4
                }
                "keypoints" => {
                    annotation.keypoints = map.next_value()?;
                    1 << 5
                }
                "attributes" => {
                    annotation.attributes = map.next_value()?;
                    1 << 6
                }
                "iscrowd" => {
                    annotation.iscrowd = map.next_value()?;
                    1 << 7
                }
                "ignore" => {
                    annotation.ignore = map.next_value()?;
                    1 << 8
                }
                "score" => {
                    annotation.score = map.next_value()?;
                    1 << 9
                }
                // Both follow from the other fields.
                "area" | "num_keypoints" => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                _ => {
                    annotation.others.add(key.into_owned(), map.next_value()?);
                    continue;
                }
            };
            if seen & bit != 0 {
                return Err(M::Error::custom(format!("duplicate field `{key}`")));
            }
            seen |= bit;
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
