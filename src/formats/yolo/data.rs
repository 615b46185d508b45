//! `data.yaml`, `obj.data` and lists of classes.

use super::row::Pose;
use crate::formats::account::SkipCode;
use crate::formats::error::ImportError;
use crate::formats::format::Format;
use crate::formats::place::{NotPlaced, skip};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// The keys of a `data.yaml` and an `obj.data` that name pictures.
const SPLITS: [&str; 4] = ["train", "val", "valid", "test"];
/// Limits of a `data.yaml`: aliases let a short file hold much.
const MAX_TEXT: usize = 4_096;
const MAX_ITEMS: usize = 100_000;
/// The maximum number of keypoints of an object.
const MAX_POINTS: usize = 10_000;

/// The classes of a set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Classes {
    /// By number; `None` if the files do not name them.
    names: Option<BTreeMap<u64, String>>,
    /// How many there are, if the files say so.
    count: Option<u64>,
}

impl Classes {
    /// A file with a name in each line.
    pub(super) fn of_lines(text: &str) -> Self {
        let lines = text.trim_end().lines();
        let names = lines.map(|line| line.trim().to_owned());
        Self {
            names: Some((0..).zip(names).collect()),
            count: None,
        }
    }

    pub(super) fn names(&self) -> Option<&BTreeMap<u64, String>> {
        self.names.as_ref()
    }

    /// The name of a class; its number if there are no names.
    pub(super) fn name(&self, class: u64) -> Result<String, NotPlaced> {
        let unknown = |what: String| {
            let detail = format!("class {class}: {what}");
            skip(SkipCode::UnknownCategory, detail)
        };
        match (&self.names, self.count) {
            (Some(names), _) => {
                (names.get(&class).cloned()).ok_or_else(|| match names.last_key_value() {
                    Some((last, _)) => unknown(format!("the names are those of 0 to {last}")),
                    None => unknown("the list of names is empty".to_owned()),
                })
            }
            (None, Some(count)) if class >= count => {
                Err(unknown(format!("the set has {count} classes")))
            }
            _ => Ok(class.to_string()),
        }
    }
}

/// What a `data.yaml` or an `obj.data` says.
#[derive(Debug, Default)]
pub(super) struct Data {
    /// The folder that the others are in; empty if there is none.
    pub(super) path: String,
    /// The key, and a folder or a list of pictures.
    pub(super) splits: Vec<(&'static str, String)>,
    pub(super) classes: Classes,
    /// The file with the names of the classes.
    pub(super) names_file: Option<String>,
    pub(super) pose: Option<Pose>,
}

/// Reads `KEY = VALUE` lines: `classes`, `train`, `valid`, `names`.
pub(super) fn darknet(text: &str) -> Data {
    let mut data = Data::default();
    for line in text.lines() {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim().to_owned());
        match key {
            "names" => data.names_file = Some(value),
            "classes" => data.classes.count = value.parse().ok(),
            _ => {
                if let Some(split) = SPLITS.into_iter().find(|split| *split == key) {
                    data.splits.push((split, value));
                }
            }
        }
    }
    data
}

/// Whether a text has the keys of an `obj.data`.
pub(super) fn is_darknet(text: &str) -> bool {
    let data = darknet(text);
    !data.splits.is_empty() && (data.names_file.is_some() || data.classes.count.is_some())
}

/// Whether a text has the keys of a `data.yaml`. Its start may have only the first of them.
pub(super) fn is_yaml(text: &str, is_whole: bool) -> bool {
    let has = |keys: &[&str]| {
        text.lines().any(|line| {
            let key = line.split_once(':').map(|(key, _)| key);
            key.is_some_and(|key| keys.contains(&key.trim_end().trim_matches(['"', '\''])))
        })
    };
    let has_split = has(&SPLITS);
    let has_classes = has(&["names", "nc", "path", "kpt_shape"]);
    let has_both = has_split && has_classes || !is_whole && (has_split || has_classes);
    has_both && !has(&["inputs", "policy"])
}

/// Reads a `data.yaml`.
pub(super) fn yaml(file: &str, text: &str) -> Result<Data, ImportError> {
    let raw: Raw = serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error
            .location()
            .map_or((1, 1), |at| (at.line(), at.column()));
        let full = error.to_string();
        let place = format!(" at line {line} column {column}");
        ImportError::Syntax {
            file: file.to_owned(),
            line,
            column,
            message: full.replacen(&place, "", 1),
        }
    })?;
    let wrong = |why: &str| ImportError::OtherFormat {
        format: Format::Yolo,
        why: format!("{file}: {why}"),
    };
    let mut splits = Vec::new();
    for (key, value) in SPLITS
        .into_iter()
        .zip([raw.train, raw.val, raw.valid, raw.test])
    {
        match value {
            Loose::Text(path) => splits.push((key, path)),
            Loose::List(paths) => splits.extend(paths.into_iter().map(|path| (key, path))),
            Loose::Null => {}
            Loose::Map(_) => {
                return Err(wrong(&format!(
                    "`{key}` is a map; it is a path or a list of paths"
                )));
            }
        }
    }
    let names = match raw.names {
        Loose::List(names) => Some((0..).zip(names).collect()),
        Loose::Map(names) => {
            let mut by_number = BTreeMap::new();
            for (number, name) in names {
                let key = number
                    .trim()
                    .parse()
                    .map_err(|_| wrong("`names` has a key that is not a whole number from 0"))?;
                if let Some(first) = by_number.insert(key, name.clone())
                    && first != name
                {
                    return Err(ImportError::SameCategoryId {
                        id: number,
                        first,
                        second: name,
                    });
                }
            }
            Some(by_number)
        }
        Loose::Null => None,
        Loose::Text(_) => {
            return Err(wrong(
                "`names` is one text; it is a list, or a map from numbers to names",
            ));
        }
    };
    let pose = match raw.kpt_shape {
        Loose::Null => None,
        Loose::List(shape) => Some(pose(&shape).ok_or_else(|| {
            wrong("`kpt_shape` is not of the form [number of keypoints, 2 or 3]")
        })?),
        _ => return Err(wrong("`kpt_shape` is not a list")),
    };
    let count = match raw.nc {
        Loose::Text(count) => count.parse().ok(),
        _ => None,
    };
    Ok(Data {
        path: match raw.path {
            Loose::Text(path) => path,
            _ => String::new(),
        },
        splits,
        classes: Classes { names, count },
        names_file: None,
        pose,
    })
}

fn pose(shape: &[String]) -> Option<Pose> {
    let [points, size] = shape else {
        return None;
    };
    let points = points
        .parse()
        .ok()
        .filter(|it| (1..=MAX_POINTS).contains(it))?;
    let has_visibility = match size.as_str() {
        "2" => false,
        "3" => true,
        _ => return None,
    };
    Some(Pose {
        points,
        has_visibility,
    })
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Raw {
    path: Loose,
    train: Loose,
    val: Loose,
    valid: Loose,
    test: Loose,
    names: Loose,
    nc: Loose,
    kpt_shape: Loose,
}

/// What scalars of a YAML file become.
macro_rules! scalars {
    ($text:expr, $null:expr) => {
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.len() > MAX_TEXT {
                return Err(E::custom(format!("a text of more than {MAX_TEXT} bytes")));
            }
            Ok($text(text.to_owned()))
        }
        fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Self::Value, E> {
            Ok($text(flag.to_string()))
        }
        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok($text(number.to_string()))
        }
        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok($text(number.to_string()))
        }
        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
            Ok($text(number.to_string()))
        }
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($null)
        }
        fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($null)
        }
    };
}
/// A text, or a list or a map of texts. Numbers and flags are texts, what is nested deeper is an empty text.
#[derive(Debug, Default)]
enum Loose {
    #[default]
    Null,
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

/// A text of a list or a map.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Flat;
        impl<'de> Visitor<'de> for Flat {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Text(String::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Text(String::new()))
            }
            scalars!(Text, Text(String::new()));
        }
        deserializer.deserialize_any(Flat)
    }
}

fn too_many<E: serde::de::Error>() -> E {
    E::custom(format!("a list of more than {MAX_ITEMS} entries"))
}

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list or a map")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        let mut items = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            items.push(text);
            if items.len() > MAX_ITEMS {
                return Err(too_many());
            }
        }
        Ok(Loose::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut items = Vec::new();
        while let Some((Text(key), Text(value))) = map.next_entry()? {
            items.push((key, value));
            if items.len() > MAX_ITEMS {
                return Err(too_many());
            }
        }
        Ok(Loose::Map(items))
    }

    scalars!(Loose::Text, Loose::Null);
}
