//! What annosync reads of an annotation's `data`: concepts and texts at every level, and the regions, frames and time segments
//! they belong to.
//!
//! The service omits defaults, so a missing number is 0. Numbers may be strings, enums may be names or numbers, and `null` is a
//! default. Values are not validated here; `observed` does that.

use super::lenient::{enumeration, nullable, number, unsigned};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The `data` of a whole input, or, in the same form, of a region, a frame or a time segment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data {
    #[serde(deserialize_with = "nullable")]
    pub concepts: Vec<Concept>,
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
    /// Only whether it is present is read.
    #[serde(deserialize_with = "nullable")]
    pub tracks: Vec<IgnoredAny>,
}

/// A concept with its value; a missing value is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Concept {
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// 0 to 1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Text {
    /// Empty if missing.
    #[serde(deserialize_with = "nullable")]
    pub raw: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Region {
    /// Assigned by the server, unless the region existed before.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub region_info: RegionInfo,
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
    #[serde(deserialize_with = "nullable")]
    pub track_id: String,
    /// The confidence of its maker, 0 to 1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

/// The place of a region: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionInfo {
    pub bounding_box: Option<BoundingBox>,
    pub polygon: Option<Polygon>,
    /// An image; its set pixels are the region.
    pub mask: Option<Mask>,
    pub point: Option<Point>,
    pub span: Option<Span>,
    /// Only whether it is present is read.
    pub token: Option<IgnoredAny>,
    /// Their order gives each point its meaning.
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Polygon {
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
    /// The name of the enum's value, or its number as text; empty if missing.
    #[serde(deserialize_with = "enumeration")]
    pub visibility: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Mask {
    #[serde(deserialize_with = "nullable")]
    pub image: Image,
}

/// An image: its bytes, its URL, or both. A missing one is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Image {
    #[serde(deserialize_with = "nullable")]
    pub base64: String,
    #[serde(deserialize_with = "nullable")]
    pub url: String,
}

/// Characters of a text. Floats hold every 32-bit number, and invalid ones are not an error here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Span {
    /// Of the first character.
    #[serde(deserialize_with = "number")]
    pub char_start: f64,
    /// After the last character.
    #[serde(deserialize_with = "number")]
    pub char_end: f64,
    /// Empty if missing.
    #[serde(deserialize_with = "nullable")]
    pub raw_text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameData {
    /// Assigned by the server.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub frame_info: FrameInfo,
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameInfo {
    /// Milliseconds; protobuf's JSON writes a string.
    #[serde(deserialize_with = "unsigned")]
    pub time: u64,
    /// Starts at 0.
    #[serde(deserialize_with = "unsigned")]
    pub number: u64,
    /// The deprecated name of `number`.
    #[serde(deserialize_with = "unsigned")]
    pub index: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimeSegment {
    /// Assigned by the server.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    #[serde(deserialize_with = "nullable")]
    pub time_info: TimeInfo,
    #[serde(deserialize_with = "nullable")]
    pub data: Data,
}

/// The times of a segment, from the start of the medium; a missing time is 0 in a response.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimeInfo {
    #[serde(deserialize_with = "number")]
    pub begin_time: f64,
    #[serde(deserialize_with = "number")]
    pub end_time: f64,
}
