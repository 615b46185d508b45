//! The ids that annosync generates.
//!
//! Ids are deterministic, so that a repeated call cannot create an annotation twice. The recipe is frozen, because a
//! change would orphan every id in use; a test pins examples.
//!
//! ```text
//! as-SSSSSSSS-HHHHHHHHHHHHHHHHHHHH
//!    S: first 8 hex digits of SHA-256 of the set's name
//!    H: first 20 hex digits of SHA-256 of a compact JSON text:
//!       ["key", input id, key]   or   ["content", input id, content, ordinal]
//!
//! as-SSSSSSSS-rHHHHHHHHHHHHHHHHHHH
//!    H: first 19 hex digits of SHA-256 of ["stand-in", input id, original id]
//! ```
//!
//! The second form is used for stand-ins: annotations that a replacement posts before it deletes the original. 'r' is
//! not a hex digit, so neither a key nor content can produce such an id.
//!
//! The content is `{"frame":…, GEOMETRY, "concepts":…}` in the manifest's notation, without undeclared fields. 's' and
//! '-' are not hex digits, so an id that a server generated is never mistaken for one of these.

use super::annotation::Content;
use super::hex::hex;
use super::ids::{AnnotationId, InputId, Key, SetName};
use sha2::{Digest, Sha256};
use std::fmt;

fn hash(text: &str, digits: usize) -> String {
    let mut hash = hex(&Sha256::digest(text.as_bytes()));
    hash.truncate(digits);
    hash
}

fn json<T: serde::Serialize>(parts: &T) -> String {
    serde_json::to_string(parts).expect("names and finite numbers always serialise")
}

fn assemble(set: &SetName, own: &str) -> AnnotationId {
    assemble_after(&set_prefix(set), own)
}

fn assemble_after(prefix: &str, own: &str) -> AnnotationId {
    AnnotationId::new(format!("{prefix}{own}")).expect("letters, digits and dashes make an id")
}

/// The prefix of the ids of one label set, without the dash that follows: `as-` + 8 hex digits of a hash of the set's
/// name. The name cannot be recovered from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetPrefix(Box<str>);

impl SetPrefix {
    pub fn of(set: &SetName) -> Self {
        Self(set_prefix(set).trim_end_matches('-').into())
    }

    /// The prefix of a set that is given by its name, or by its prefix if the name is lost.
    pub fn of_name_or_prefix(text: &SetName) -> Self {
        let bytes = text.as_str().as_bytes();
        if bytes.len() == 11 && bytes.starts_with(b"as-") && is_hex(&bytes[3..]) {
            return Self(text.as_str().into());
        }
        Self::of(text)
    }

    /// The prefix of the set that generated this id; `None` if no set did.
    pub fn of_id(id: &AnnotationId) -> Option<Self> {
        is_set_id(id).then(|| Self(id.as_str()[..11].into()))
    }

    /// Whether the set with this prefix generated this id.
    pub fn is_of(&self, id: &AnnotationId) -> bool {
        is_set_id(id) && id.as_str().starts_with(&*self.0)
    }

    /// The id that the set with this prefix derives from a key.
    pub fn key_id(&self, input: &InputId, key: &Key) -> AnnotationId {
        assemble_after(&format!("{}-", self.0), &key_hash(input, key))
    }
}

impl fmt::Display for SetPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The prefix of every id of this set: `as-` + 8 hex digits + `-`.
pub fn set_prefix(set: &SetName) -> String {
    format!("as-{}-", hash(set.as_str(), 8))
}

/// The id of the annotation that is declared with `key`.
pub fn key_id(set: &SetName, input: &InputId, key: &Key) -> AnnotationId {
    assemble(set, &key_hash(input, key))
}

/// Whether this id was derived from a key on this input, by any set.
pub fn is_key_id(id: &AnnotationId, input: &InputId, key: &Key) -> bool {
    own_part(id) == Some(key_hash(input, key).as_bytes())
}

fn key_hash(input: &InputId, key: &Key) -> String {
    hash(&json(&("key", input, key)), 20)
}

/// The id of an annotation that is declared without key or id. `ordinal` distinguishes equal annotations: the lowest
/// one whose id no observed annotation of the input has.
pub fn content_id(set: &SetName, input: &InputId, content: &Content, ordinal: u32) -> AnnotationId {
    let named = Content {
        frame: content.frame,
        geometry: content.geometry.clone(),
        concepts: content.concepts.clone(),
        ..Content::default()
    };
    assemble(set, &hash(&json(&("content", input, &named, ordinal)), 20))
}

/// The id of the stand-in that is posted while `original` is replaced.
pub fn stand_in_id(set: &SetName, input: &InputId, original: &AnnotationId) -> AnnotationId {
    let hash = hash(&json(&("stand-in", input, original)), 19);
    assemble(set, &format!("r{hash}"))
}

/// The 20 characters after the set's prefix; `None` if no set generated this id.
fn own_part(id: &AnnotationId) -> Option<&[u8]> {
    let bytes = id.as_str().as_bytes();
    let is_ours = bytes.len() == 32
        && bytes.starts_with(b"as-")
        && bytes[11] == b'-'
        && is_hex(&bytes[3..11]);
    is_ours.then(|| &bytes[12..])
}

fn is_hex(part: &[u8]) -> bool {
    part.iter()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}

/// Whether any label set generated this id, including ids of stand-ins.
pub fn is_set_id(id: &AnnotationId) -> bool {
    own_part(id).is_some_and(|own| is_hex(own.strip_prefix(b"r").unwrap_or(own)))
}

/// Whether this is the id of a stand-in of any set.
pub fn is_stand_in_id(id: &AnnotationId) -> bool {
    own_part(id)
        .and_then(|own| own.strip_prefix(b"r"))
        .is_some_and(is_hex)
}

/// Whether this label set generated this id.
pub fn is_owned_by(id: &AnnotationId, set: &SetName) -> bool {
    is_set_id(id) && id.as_str().starts_with(&set_prefix(set))
}
