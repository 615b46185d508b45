//! The JSON of a COCO file, read leniently: a wrong type in one entry must not cost the others.
//!
//! Fields that the import does not use are not even looked at. Of those that it uses, numbers may come as strings,
//! ids as either, and anything else becomes a value that says what was found instead. Only a file whose outline is
//! wrong (no JSON, no `images` list) is an error.

use super::CocoError;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

#[derive(serde::Deserialize)]
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
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Category {
    pub(super) id: Scalar,
    pub(super) name: Scalar,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Annotation {
    pub(super) id: Scalar,
    pub(super) image_id: Scalar,
    pub(super) category_id: Scalar,
    pub(super) bbox: Numbers,
    pub(super) segmentation: Segmentation,
    pub(super) keypoints: Filled,
    pub(super) attributes: Filled,
}

/// Reads the outline of the file.
pub(super) fn read(json: &[u8]) -> Result<File, CocoError> {
    // Files written on Windows often start with a byte order mark, which is no JSON.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    serde_json::from_slice(json).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        CocoError::Syntax {
            line: error.line(),
            column: error.column(),
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    })
}

/// An entry of a list, which should be an object.
pub(super) enum Item<T> {
    Entry(T),
    Wrong(&'static str),
}

/// A number, a text, or neither.
#[derive(Default)]
pub(super) enum Scalar {
    #[default]
    Missing,
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    Wrong,
}

impl Scalar {
    /// The finite number, which may come as a string.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Unsigned(number) => Some(*number as f64),
            Self::Signed(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Missing | Self::Wrong => None,
        }
        .filter(|number| number.is_finite())
    }

    /// The text of an id or a name: 7, 7.0 and "7" are the same.
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Self::Unsigned(number) => Some(number.to_string()),
            Self::Signed(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Text(text) if text.trim().is_empty() => None,
            Self::Text(text) => Some(text.clone()),
            Self::Missing | Self::Wrong => None,
        }
    }
}

/// A list of numbers.
#[derive(Default)]
pub(super) enum Numbers {
    #[default]
    Missing,
    List(Vec<f64>),
    Wrong(&'static str),
}

/// The outline of an object.
#[derive(Default)]
pub(super) enum Segmentation {
    #[default]
    Missing,
    /// Rings of x, y, x, y, … in pixels.
    Rings(Vec<Numbers>),
    /// A run-length mask: any object, such as `{"counts": …, "size": …}`.
    Mask,
    Wrong(&'static str),
}

/// Whether something stands there at all.
#[derive(Default)]
pub(super) struct Filled(pub(super) bool);

/// The methods of a visitor for what is not expected: it becomes a value instead of an error.
macro_rules! otherwise {
    (@one bool, $wrong:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> { Ok($wrong("true or false")) }
    };
    (@one number, $wrong:expr) => {
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> { Ok($wrong("a number")) }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> { Ok($wrong("a number")) }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> { Ok($wrong("a number")) }
    };
    (@one text, $wrong:expr) => {
        fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> { Ok($wrong("a text")) }
    };
    (@one null, $wrong:expr) => {
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> { Ok($wrong("null")) }
    };
    (@one list, $wrong:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($wrong("a list"))
        }
    };
    (@one object, $wrong:expr) => {
        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok($wrong("an object"))
        }
    };
    ($wrong:expr, $($kind:ident)+) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("any value") }
        $(otherwise!(@one $kind, $wrong);)+
    };
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Visit<T> {
            type Value = Item<T>;
            otherwise!(Item::Wrong, bool number text null list);
            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(object)).map(Item::Entry)
            }
        }
        deserializer.deserialize_any(Visit(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Scalar;
            otherwise!(|_| Scalar::Wrong, bool list object);
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Unsigned(number))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Signed(number))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Missing)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Numbers;
            otherwise!(Numbers::Wrong, bool number text object);
            fn visit_unit<E: de::Error>(self) -> Result<Numbers, E> {
                Ok(Numbers::Missing)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Numbers, A::Error> {
                let mut numbers = Vec::new();
                let mut all = true;
                while let Some(item) = list.next_element::<Scalar>()? {
                    match item.number() {
                        Some(number) => numbers.push(number),
                        None => all = false,
                    }
                }
                Ok(if all {
                    Numbers::List(numbers)
                } else {
                    Numbers::Wrong("a list with something else than numbers")
                })
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Segmentation;
            otherwise!(Segmentation::Wrong, bool number text);
            fn visit_unit<E: de::Error>(self) -> Result<Segmentation, E> {
                Ok(Segmentation::Missing)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut mask: A) -> Result<Segmentation, A::Error> {
                while mask.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Segmentation::Mask)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Segmentation, A::Error> {
                let mut rings = Vec::new();
                while let Some(ring) = list.next_element()? {
                    rings.push(ring);
                }
                Ok(Segmentation::Rings(rings))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Filled;
            otherwise!(|_| Filled(true), bool number text);
            fn visit_unit<E: de::Error>(self) -> Result<Filled, E> {
                Ok(Filled(false))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Filled, A::Error> {
                let mut filled = false;
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    filled = true;
                }
                Ok(Filled(filled))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Filled, A::Error> {
                let mut filled = false;
                while list.next_element::<IgnoredAny>()?.is_some() {
                    filled = true;
                }
                Ok(Filled(filled))
            }
        }
        deserializer.deserialize_any(Visit)
    }
}
