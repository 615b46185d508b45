//! What annosync manages of an annotation, each field of it optional.

use super::concepts::Concepts;
use super::geometry::Geometry;
use super::ids::UserId;
use super::json::Json;
use super::status::Status;

/// The moment of a video that an annotation lies in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Milliseconds from the start.
    #[serde(default)]
    pub time_ms: u64,
    /// The number of the frame, from 0.
    #[serde(default)]
    pub number: u32,
}

/// The managed fields of an annotation, in the manifest's notation. A field that is `None` is unmanaged: it is left
/// as the remote has it, and compares equal to anything.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Content {
    /// The moment of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Frame>,
    /// Where in the input.
    #[serde(flatten)]
    pub geometry: Option<Geometry>,
    /// Which classes. When given, this is the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concepts: Option<Concepts>,
    /// The state of the labelling work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whose annotation it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Any object, in `data.metadata`. Managed key by key: a key that is not given is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
    /// Any object, in `annotation_info`. Managed key by key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<Json>,
}
