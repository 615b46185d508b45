//! The ids that annosync makes.
//!
//! They are deterministic, so that no call can ever create the same annotation twice, whatever times out. The recipe
//! is frozen: a change would orphan every id in use, and a test pins examples.
//!
//! ```text
//! as-SSSSSSSS-HHHHHHHHHHHHHHHHHHHH
//!    S: first 8 hex digits of SHA-256 of the set's name
//!    H: first 20 hex digits of SHA-256 of a compact JSON text:
//!       ["key", input id, key]   or   ["content", input id, content, ordinal]
//! ```
//!
//! The content is `{"frame":…, GEOMETRY, "concepts":…}` in the manifest's notation, without what is not declared. 's'
//! and '-' are no hex digits, so that an id that a server made is never taken for one of ours.

use super::annotation::Content;
use super::ids::{AnnotationId, InputId, Key, SetName};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

fn hex(text: &str, digits: usize) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(2 * hash.len());
    for byte in hash {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}

fn json<T: serde::Serialize>(parts: &T) -> String {
    serde_json::to_string(parts).expect("names and finite numbers always serialise")
}

fn assemble(set: &SetName, text: &str) -> AnnotationId {
    AnnotationId::new(format!("{}{}", set_prefix(set), hex(text, 20)))
        .expect("hex digits and dashes make an id")
}

/// What every id of this set starts with: `as-` + 8 hex digits + `-`.
pub fn set_prefix(set: &SetName) -> String {
    format!("as-{}-", hex(set.as_str(), 8))
}

/// The id of the annotation that is declared under `key`.
pub fn key_id(set: &SetName, input: &InputId, key: &Key) -> AnnotationId {
    assemble(set, &json(&("key", input, key)))
}

/// The id of an annotation that is declared without key or id. `ordinal` tells equal ones apart: the first one whose
/// id no observed annotation of the input has.
pub fn content_id(set: &SetName, input: &InputId, content: &Content, ordinal: u32) -> AnnotationId {
    let named = Content {
        frame: content.frame,
        geometry: content.geometry.clone(),
        concepts: content.concepts.clone(),
        ..Content::default()
    };
    assemble(set, &json(&("content", input, &named, ordinal)))
}

/// Whether some label set made this id.
pub fn is_set_id(id: &AnnotationId) -> bool {
    let bytes = id.as_str().as_bytes();
    let is_hex = |part: &[u8]| {
        part.iter()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
    };
    bytes.len() == 32
        && bytes.starts_with(b"as-")
        && bytes[11] == b'-'
        && is_hex(&bytes[3..11])
        && is_hex(&bytes[12..])
}

/// Whether this label set made this id.
pub fn is_owned_by(id: &AnnotationId, set: &SetName) -> bool {
    is_set_id(id) && id.as_str().starts_with(&set_prefix(set))
}
