//! The JSON of requests and responses, as far as annosync reads it. Unknown fields are ignored here and kept whole
//! in [`Annotation::data`]; anything may be missing, because the service leaves defaults out.

use super::code::Code;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// The status of a call or of one annotation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Which.
    pub code: Code,
    /// One line for people.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub description: String,
    /// More of it.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub details: String,
    /// The request's id, for the service's support.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub req_id: String,
}

impl Status {
    /// What it says to people: the description and the details, which some answers repeat.
    pub fn text(&self) -> String {
        match (self.description.as_str(), self.details.as_str()) {
            (description, details) if details.is_empty() || details == description => {
                description.to_owned()
            }
            ("", details) => details.to_owned(),
            (description, details) => format!("{description}: {details}"),
        }
    }
}

/// Who made an annotation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// A user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<WorkerUser>,
    /// A model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Box<RawValue>>,
    /// A workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Box<RawValue>>,
}

/// The user among the workers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerUser {
    /// Their id.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
}

/// An annotation. `data` and `annotation_info` are kept as text: see [`Data`] for what is read of the former.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Annotation {
    /// Its id; unique within the input.
    #[serde(deserialize_with = "nullable")]
    pub id: String,
    /// Its input.
    #[serde(deserialize_with = "nullable")]
    pub input_id: String,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// The state of the labelling work; in the answer to a write, how that write went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whose it is. Deprecated by the service in favour of `worker`, and still written.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub user_id: String,
    /// The model that made it. Deprecated in favour of `worker`.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub model_version_id: String,
    /// The embedding model that ties it to training and search.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub embed_model_version_id: String,
    /// Any JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_info: Option<Box<RawValue>>,
    /// The labelling task it belongs to.
    #[serde(
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub task_id: String,
    /// Whether the service trusts it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub trusted: bool,
    /// Whether it is the annotation that the app made with the input.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_false")]
    pub input_level: bool,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
}

impl Annotation {
    /// Whose it is, from either field; empty where the service says neither.
    pub fn user(&self) -> &str {
        match &self.worker {
            Some(Worker {
                user: Some(user), ..
            }) if !user.id.is_empty() => &user.id,
            _ => &self.user_id,
        }
    }

    /// Whether a model or a workflow made it.
    pub fn is_model_made(&self) -> bool {
        !self.model_version_id.is_empty()
            || self
                .worker
                .as_ref()
                .is_some_and(|w| w.model.is_some() || w.workflow.is_some())
    }
}

/// A response that carries annotations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations {
    /// How the call went.
    pub status: Status,
    /// The annotations. Missing means none, as every default that is left out; `null` is an error: it is no list, and
    /// must never pass for an empty page.
    pub annotations: Vec<Annotation>,
}

/// A response that carries one annotation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleAnnotation {
    /// How the call went.
    pub status: Status,
    /// The annotation.
    #[serde(deserialize_with = "nullable")]
    pub annotation: Annotation,
}

/// A response that says who is calling.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SingleUser {
    /// How the call went.
    pub status: Status,
    /// The user.
    #[serde(deserialize_with = "nullable")]
    pub user: WorkerUser,
}

/// A response that carries nothing but how the call went.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusOnly {
    /// How the call went.
    pub status: Status,
}

/// What annosync reads of `data`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Data {
    /// Concepts of the whole input, frame or region.
    #[serde(deserialize_with = "nullable")]
    pub concepts: Vec<Concept>,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub regions: Vec<Region>,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub frames: Vec<FrameData>,
    /// Present or not is all that matters here.
    #[serde(deserialize_with = "nullable")]
    pub time_segments: Vec<serde::de::IgnoredAny>,
    /// Present or not is all that matters here.
    #[serde(deserialize_with = "nullable")]
    pub tracks: Vec<serde::de::IgnoredAny>,
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
    /// Its concepts.
    #[serde(deserialize_with = "nullable")]
    pub data: RegionData,
    /// The track it belongs to.
    #[serde(deserialize_with = "nullable")]
    pub track_id: String,
}

/// What annosync reads of a region's `data`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionData {
    /// Its concepts.
    #[serde(deserialize_with = "nullable")]
    pub concepts: Vec<Concept>,
}

/// Where a region lies. One of these.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegionInfo {
    /// A box.
    pub bounding_box: Option<BoundingBox>,
    /// A ring.
    pub polygon: Option<Polygon>,
    /// Present or not is all that matters here.
    pub mask: Option<serde::de::IgnoredAny>,
    /// Present or not is all that matters here.
    pub point: Option<serde::de::IgnoredAny>,
    /// Present or not is all that matters here.
    pub span: Option<serde::de::IgnoredAny>,
    /// Present or not is all that matters here.
    pub token: Option<serde::de::IgnoredAny>,
    /// Present or not is all that matters here.
    #[serde(deserialize_with = "nullable")]
    pub keypoint_locations: Vec<serde::de::IgnoredAny>,
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
    pub data: FrameContent,
}

/// What lies in a frame.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FrameContent {
    /// Concepts of the whole frame.
    #[serde(deserialize_with = "nullable")]
    pub concepts: Vec<Concept>,
    /// At most one.
    #[serde(deserialize_with = "nullable")]
    pub regions: Vec<Region>,
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

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// `null` reads as the default.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
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
