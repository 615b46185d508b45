//! What annosync reads of an annotation's `data`: concepts and texts at every level, and the regions, frames and time segments
//! they belong to.
//!
//! The service omits defaults, so a missing number is 0. Numbers may be strings, enums may be names or numbers, and `null` is a
//! default. Values are not validated here; `observed` does that.

use super::lenient::{enumeration, few, nullable, number, text, unsigned};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The `data` of a whole input, or, in the same form, of a region, a frame or a time segment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data<'a> {
    #[serde(borrow, deserialize_with = "nullable")]
    pub concepts: Vec<Concept<'a>>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub text: Text<'a>,
    /// At most one.
    #[serde(borrow, deserialize_with = "few")]
    pub regions: Vec<Region<'a>>,
    /// At most one.
    #[serde(borrow, deserialize_with = "few")]
    pub frames: Vec<FrameData<'a>>,
    /// At most one.
    #[serde(borrow, deserialize_with = "few")]
    pub time_segments: Vec<TimeSegment<'a>>,
    /// Only whether it is present is read.
    #[serde(deserialize_with = "nullable")]
    pub tracks: Vec<IgnoredAny>,
}

/// A concept with its value; a missing value is 0 in an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Concept<'a> {
    #[serde(borrow, deserialize_with = "text")]
    pub id: Cow<'a, str>,
    /// 0 to 1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Text<'a> {
    /// Empty if missing.
    #[serde(borrow, deserialize_with = "text")]
    pub raw: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Region<'a> {
    /// Assigned by the server, unless the region existed before.
    #[serde(borrow, deserialize_with = "text")]
    pub id: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub region_info: RegionInfo<'a>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub data: Data<'a>,
    #[serde(borrow, deserialize_with = "text")]
    pub track_id: Cow<'a, str>,
    /// The confidence of its maker, 0 to 1.
    #[serde(deserialize_with = "number")]
    pub value: f64,
}

/// The place of a region: one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionInfo<'a> {
    pub bounding_box: Option<BoundingBox>,
    pub polygon: Option<Polygon>,
    /// An image; its set pixels are the region.
    #[serde(borrow)]
    pub mask: Option<Mask<'a>>,
    pub point: Option<Point>,
    #[serde(borrow)]
    pub span: Option<Span<'a>>,
    /// Only whether it is present is read.
    pub token: Option<IgnoredAny>,
    /// Their order gives each point its meaning.
    #[serde(deserialize_with = "nullable")]
    pub keypoint_locations: Vec<Keypoint>,
}

/// A box; a missing edge is 0 in an answer.
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

/// A point; a missing coordinate is 0 in an answer.
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
pub struct Mask<'a> {
    #[serde(borrow, deserialize_with = "nullable")]
    pub image: Image<'a>,
}

/// An image: its bytes, its URL, or both. A missing one is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Image<'a> {
    #[serde(borrow, deserialize_with = "text")]
    pub base64: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "text")]
    pub url: Cow<'a, str>,
}

/// A range of characters. Floats, because they hold every 32-bit integer and do not fail on invalid ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Span<'a> {
    /// Of the first character.
    #[serde(deserialize_with = "number")]
    pub char_start: f64,
    /// After the last character.
    #[serde(deserialize_with = "number")]
    pub char_end: f64,
    /// Empty if missing.
    #[serde(borrow, deserialize_with = "text")]
    pub raw_text: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameData<'a> {
    /// Assigned by the server.
    #[serde(borrow, deserialize_with = "text")]
    pub id: Cow<'a, str>,
    #[serde(deserialize_with = "nullable")]
    pub frame_info: FrameInfo,
    #[serde(borrow, deserialize_with = "nullable")]
    pub data: Data<'a>,
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
pub struct TimeSegment<'a> {
    /// Assigned by the server.
    #[serde(borrow, deserialize_with = "text")]
    pub id: Cow<'a, str>,
    #[serde(deserialize_with = "nullable")]
    pub time_info: TimeInfo,
    #[serde(borrow, deserialize_with = "nullable")]
    pub data: Data<'a>,
}

/// The times of a segment, from the start of the medium; a missing time is 0 in an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TimeInfo {
    #[serde(deserialize_with = "number")]
    pub begin_time: f64,
    #[serde(deserialize_with = "number")]
    pub end_time: f64,
}
