//! What annosync reads of an annotation's `data`: concepts and texts at every level, and the places they belong to.
//!
//! The service leaves defaults out, so that a missing number is 0 here; numbers may come as text, enums as their names,
//! and `null` is nothing. Nothing is judged: whether numbers make a place is for `observed` to say.

use super::nullable;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, Visitor};
use std::fmt;

/// What annosync reads of `data`: of the whole input, and in the same form of a region, a frame or a stretch of time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data {
    /// Its concepts.
    #[serde(deserialize_with = "nullable")]
    pub concepts: Vec<Concept>,
    /// What is written there.
    #[serde(deserialize_with = "nullable")]
    pub text: Text,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub regions: Vec<Region>,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub frames: Vec<FrameData>,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub time_segments: Vec<TimeSegment>,
    /// Present or not is all that matters here.
    #[serde(deserialize_with = "nullable")]
    pub tracks: Vec<IgnoredAny>,
}

/// A concept with its value; a missing value is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Concept {
    /// Which.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// 0..=1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

/// A text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Text {
    /// What it says; empty where the service says nothing.
    #[serde(deserialize_with = "nullable")]
    pub raw: String,
}

/// A region.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Region {
    /// Made by the server, unless the region existed before.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Where.
    #[serde(deserialize_with = "nullable")]
    pub region_info: RegionInfo,
    /// What it holds.
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
    /// The track it belongs to.
    #[serde(deserialize_with = "nullable")]
    pub track_id: String,
    /// How sure its maker was that it is one, 0..=1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

/// Where a region lies. One of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionInfo {
    /// A box.
    pub bounding_box: Option<BoundingBox>,
    /// A ring.
    pub polygon: Option<Polygon>,
    /// An image whose set pixels are the region.
    pub mask: Option<Mask>,
    /// A point.
    pub point: Option<Point>,
    /// Characters of a text.
    pub span: Option<Span>,
    /// Present or not is all that matters here.
    pub token: Option<IgnoredAny>,
    /// Points whose order says what each of them is.
    #[serde(deserialize_with = "nullable")]
    pub keypoint_locations: Vec<Keypoint>,
}

/// A box; a missing edge is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct BoundingBox {
    /// Fraction of the height.
    #[serde(deserialize_with = "number")]
    pub top_row: f64,
    /// Fraction of the width.
    #[serde(deserialize_with = "number")]
    pub left_col: f64,
    /// Fraction of the height.
    #[serde(deserialize_with = "number")]
    pub bottom_row: f64,
    /// Fraction of the width.
    #[serde(deserialize_with = "number")]
    pub right_col: f64,
}

/// A ring of points.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Polygon {
    /// In order.
    #[serde(deserialize_with = "nullable")]
    pub points: Vec<Point>,
}

/// A point; a missing coordinate is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Point {
    /// Fraction of the height.
    #[serde(deserialize_with = "number")]
    pub row: f64,
    /// Fraction of the width.
    #[serde(deserialize_with = "number")]
    pub col: f64,
}

/// A point that may be hidden.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Keypoint {
    /// Fraction of the height.
    #[serde(deserialize_with = "number")]
    pub row: f64,
    /// Fraction of the width.
    #[serde(deserialize_with = "number")]
    pub col: f64,
    /// Whether it can be seen: the enum's name, or its number in text; empty where the service says nothing.
    #[serde(deserialize_with = "enumeration")]
    pub visibility: String,
}

/// A mask.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mask {
    /// Its pixels.
    #[serde(deserialize_with = "nullable")]
    pub image: Image,
}

/// An image: its bytes, or where they can be found, or both. What is not given is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Its bytes, in base64.
    #[serde(deserialize_with = "nullable")]
    pub base64: String,
    /// Where it can be found.
    #[serde(deserialize_with = "nullable")]
    pub url: String,
}

/// Characters of a text. Numbers are kept as floats, which hold every 32-bit number: what is none is no error here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Span {
    /// The first character.
    #[serde(deserialize_with = "number")]
    pub char_start: f64,
    /// Behind the last character.
    #[serde(deserialize_with = "number")]
    pub char_end: f64,
    /// What they say; empty where the service says nothing.
    #[serde(deserialize_with = "nullable")]
    pub raw_text: String,
}

/// A frame of a video.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameData {
    /// Made by the server.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// When.
    #[serde(deserialize_with = "nullable")]
    pub frame_info: FrameInfo,
    /// What lies in it.
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
}

/// When a frame is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameInfo {
    /// Milliseconds; a string in protobuf's JSON.
    #[serde(deserialize_with = "unsigned")]
    pub time: u64,
    /// From 0.
    #[serde(deserialize_with = "unsigned")]
    pub number: u64,
    /// The deprecated name of `number`.
    #[serde(deserialize_with = "unsigned")]
    pub index: u64,
}

/// A stretch of time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimeSegment {
    /// Made by the server.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// When.
    #[serde(deserialize_with = "nullable")]
    pub time_info: TimeInfo,
    /// What lies in it.
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
}

/// When a stretch of time is; a missing time is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimeInfo {
    /// From the start.
    #[serde(deserialize_with = "number")]
    pub begin_time: f64,
    /// From the start.
    #[serde(deserialize_with = "number")]
    pub end_time: f64,
}

struct NumberOrText;

impl Visitor<'_> for NumberOrText {
    type Value = f64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a number in text")
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        text.parse().map_err(E::custom)
    }
    fn visit_unit<E: Error>(self) -> Result<f64, E> {
        Ok(0.0)
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(NumberOrText)
}

/// The name of an enum's value, or its number as text; nothing reads as the empty text.
fn enumeration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct NameOrNumber;
    impl Visitor<'_> for NameOrNumber {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name or the number of a value")
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
        fn visit_str<E: Error>(self, name: &str) -> Result<String, E> {
            Ok(name.to_owned())
        }
        fn visit_unit<E: Error>(self) -> Result<String, E> {
            Ok(String::new())
        }
    }
    deserializer.deserialize_any(NameOrNumber)
}

fn unsigned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Unsigned;
    impl Visitor<'_> for Unsigned {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number, or one in text")
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<u64, E> {
            Ok(number)
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
            u64::try_from(number).map_err(E::custom)
        }
        fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
            Ok(number as u64)
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
            text.parse().map_err(E::custom)
        }
        fn visit_unit<E: Error>(self) -> Result<u64, E> {
            Ok(0)
        }
    }
    deserializer.deserialize_any(Unsigned)
}
