//! The domain: annotations, geometry, concepts, ids; when two annotations are equal; the recipe of generated ids.
//!
//! Plain data and functions without I/O. This module depends on no other. Coordinates are fractions of the image,
//! times of frames are milliseconds, ids are checked text.

mod annotation;
mod concepts;
mod count;
mod difference;
mod file_kind;
mod fingerprint;
pub mod float;
mod geometry;
mod hex;
mod identity;
mod ids;
mod interner;
mod json;
mod json_fault;
mod keypoints;
mod lines;
mod markup;
mod mask;
mod measure;
mod nearest;
mod overlap;
mod packed_json;
mod ring;
mod rule;
#[cfg(test)]
mod schema;
mod screen;
mod segment;
mod settings;
mod shapes;
mod shard;
mod span;
mod state;
mod status;
mod text;
mod text_pairs;
mod turn;

pub use annotation::{Content, Extras, Frame, Rare, RareFields};
pub use concepts::{Concept, Concepts, DuplicateConcept};
pub use count::{counted, plural, thousands};
pub use difference::{
    Difference, JsonDifference, difference, is_exactly, json_equal, merge_json, select_keys,
};
pub use file_kind::FileKind;
pub use fingerprint::{Fingerprint, fingerprint, is_stored_as_sent};
pub use geometry::{Geometry, Kind, Nearest, RegionOf};
pub use hex::hex;
pub use identity::{
    SetPrefix, content_id, is_key_id, is_owned_by, is_set_id, is_stand_in_id, key_id, set_prefix,
    stand_in_id,
};
pub use ids::{
    AnnotationId, ConceptId, InputId, InvalidId, Key, RegionId, SetName, UserId, is_path_segment,
};
pub use interner::Interner;
pub use json::{InvalidJson, Json, MAX_DEPTH};
pub use json_fault::JsonFault;
pub use keypoints::{Keypoint, Keypoints, Visibility};
pub use lines::{PolygonLines, Spacing};
pub use markup::{escape_markup, escape_markup_lines};
pub use mask::{Mask, MaskArea, MaskError};
pub use measure::{Distance, Measure, overlap};
pub use nearest::{WordIndex, nearest_word};
pub use overlap::Overlap;
pub use packed_json::PackedJson;
pub use ring::encloses_area;
pub use rule::{Ignore, Level, Rule};
#[cfg(test)]
pub(crate) use schema::{NAME_PATTERN, SET_NAME_PATTERN, SHARE_PATTERN, STATUS_NUMBER_PATTERN};
pub use screen::{escape, escape_json, escape_lines, is_harmful, reorders_text};
pub use segment::Segment;
pub use settings::{GuardLimit, Guards, Owner, Policy};
pub use shapes::{BoundingBox, Fraction, GeometryError, Point, Polygon};
pub use shard::{Shard, place_of_input};
pub use span::Span;
pub use state::{
    DesiredAnnotation, DesiredInput, DesiredState, Identity, Maker, ObservedAnnotation,
    ObservedExtras, ObservedState, Origin, Provenance, Scope, Undeclared, Unreadable, mask_png,
};
pub use status::{Status, UnknownStatus};
pub use text::{
    TextError, TextFault, TextKind, TextReader, decode_text, detect_pointer, is_web_url,
    normalize_line_endings,
};
pub use text_pairs::{TextPairs, text_overlap};
pub use turn::Turn;
