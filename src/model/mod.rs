//! The domain: what an annotation is, when two are the same, and what they are called.
//!
//! Plain data and total functions over it. This room uses no other room, does no I/O, and knows neither HTTP nor
//! files: coordinates are fractions of the image, times are milliseconds, ids are text that has been checked.

mod annotation;
mod concepts;
mod count;
mod difference;
mod file_kind;
mod fingerprint;
pub mod float;
mod geometry;
mod identity;
mod ids;
mod json;
mod json_fault;
mod keypoints;
mod lines;
mod mask;
mod nearest;
mod overlap;
mod path;
mod ring;
mod schema;
mod screen;
mod segment;
mod settings;
mod shapes;
mod span;
mod state;
mod status;
mod text;

pub use annotation::{Content, Extras, Frame};
pub use concepts::{Concept, Concepts, DuplicateConcept};
pub use count::{counted, plural, thousands};
pub use difference::{Difference, JsonDifference, difference, is_all_of, json_same, merged, named};
pub use file_kind::FileKind;
pub use fingerprint::{Fingerprint, fingerprint, holds};
pub use geometry::{Geometry, Kind, Nearest, RegionOf};
pub use identity::{
    SetPrefix, content_id, is_key_id, is_owned_by, is_set_id, is_stand_in_id, key_id, set_prefix,
    stand_in_id,
};
pub use ids::{
    AnnotationId, ConceptId, InputId, Interner, InvalidId, Key, RegionId, SetName, UserId,
};
pub use json::{InvalidJson, Json, MAX_DEPTH};
pub use json_fault::JsonFault;
pub use keypoints::{Keypoint, Keypoints, Visibility};
pub use lines::{PolygonLines, Spacing};
pub use mask::{Mask, MaskArea, MaskError};
pub use nearest::{Words, nearest_word};
pub use overlap::{Measure, Overlap, TextPairs, overlap, text_overlap};
pub use path::is_path_segment;
pub use ring::encloses_area;
pub use schema::{NAME_PATTERN, SET_NAME_PATTERN, SHARE_PATTERN, STATUS_NUMBER_PATTERN};
pub use screen::{escape, escape_json, escape_lines, is_harmful};
pub use segment::Segment;
pub use settings::{Guards, Owner, Policy, Share};
pub use shapes::{BoundingBox, Fraction, GeometryError, Point, Polygon};
pub use span::Span;
pub use state::{
    DesiredAnnotation, DesiredInput, DesiredState, Identity, Maker, ObservedAnnotation,
    ObservedExtras, ObservedState, Origin, Rest, Scope, Unreadable, mask_png,
};
pub use status::{Status, UnknownStatus};
pub use text::{NotText, Prose, TextFault, is_web_url, pointer, text_of, with_line_feeds};
