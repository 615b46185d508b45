//! Fingerprints: they show whether an annotation has changed since it was planned.
//!
//! Two answers may encode the same annotation differently: 0.1 or 0.10000000149011612, zeros written or omitted,
//! keys and concepts in another order, line breaks in base64. The fingerprint is computed over a canonical encoding.

mod canonical;
mod stored;
mod tree;

pub use stored::is_stored_as_sent;

use super::hex::{hex, unhex};
use super::ids::UserId;
use super::packed_json::PackedJson;
use super::state::ObservedAnnotation;
use canonical::{free, is_default, message};
use sha2::{Digest, Sha256};
use std::fmt;
use tree::Tree;

/// A hash of an observed annotation: 32 hex digits of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text);
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a fingerprint is 32 hex digits"))
    }
}

/// Covers the data, user, status, info and embedding model of an annotation.
pub fn fingerprint(observed: &ObservedAnnotation) -> Fingerprint {
    let text = observed.data.as_ref().map(PackedJson::text);
    // Missing and empty data are the same message.
    let data = text
        .as_deref()
        .map(|data| message(Tree::of(data)))
        .filter(|data| !is_default(data));
    let info = observed
        .info
        .as_ref()
        .map(|info| free(Tree::of(info.as_str())))
        .filter(|info| !is_default(info));
    let user = observed.user.as_ref().map(UserId::as_str);
    let (status, model) = (observed.status.code(), observed.embed_model_version());
    let whole = serde_json::to_vec(&(data, info, user, status, model));
    let hash = Sha256::digest(whole.expect("a tree serialises: its keys are strings"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Fingerprint(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, Concepts, Geometry, Json};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn of(data: Option<Value>) -> Fingerprint {
        fingerprint(&ObservedAnnotation {
            id: AnnotationId::new("a").unwrap(),
            geometry: Geometry::Whole,
            frame: None,
            concepts: Concepts::default(),
            created_at: None,
            data: data.map(|data| Json::from_value(&data).into()),
            provenance: Arc::default(),
            extras: None,
        })
    }

    #[test]
    fn equivalent_encodings_have_equal_fingerprints() {
        for (one, other) in [
            (
                json!({"a": {"value": 0.1}}),
                json!({"a": {"value": 0.100_000_001_490_116_12}}),
            ),
            (
                json!({"a": {"value": 0, "text": "", "list": []}}),
                json!({}),
            ),
            (
                json!({"concepts": [{"id": "a"}, {"id": "b"}]}),
                json!({"concepts": [{"id": "b"}, {"id": "a"}]}),
            ),
            (
                json!({"frame_info": {"time": "5000000000", "number": 1}}),
                json!({"frame_info": {"number": 1.0, "time": 5_000_000_000_u64}}),
            ),
            (
                json!({"frame_info": {"time": "0", "number": 1}}),
                json!({"frame_info": {"number": 1}}),
            ),
            (
                json!({"metadata": {"a": 1, "b": 2}}),
                json!({"metadata": {"b": 2.0, "a": 1}}),
            ),
            (
                json!({"point": {"row": 0, "col": 0.5}}),
                json!({"point": {"col": "0.5"}}),
            ),
            (
                json!({"keypoint_locations": [{"row": 0.0, "visibility": "NOT_SET"}, {"visibility": "NOT_VISIBLE"}]}),
                json!({"keypoint_locations": [{}, {"visibility": 2}]}),
            ),
            (
                json!({"keypoint_locations": [{"visibility": "1"}]}),
                json!({"keypoint_locations": [{"visibility": "VISIBLE"}]}),
            ),
            (
                json!({"span": {"char_start": 0, "char_end": "4", "raw_text": ""}}),
                json!({"span": {"char_end": 4.0}}),
            ),
            (
                json!({"span": {"char_end": 4_000_000_000_u64}}),
                json!({"span": {"char_end": 4e9}}),
            ),
            (
                json!({"time_segments": [{"time_info": {"begin_time": 0, "end_time": "3600.1", "num_frames": "2"}}]}),
                json!({"time_segments": [{"time_info": {"end_time": 3_600.100_097_656_25, "num_frames": 2}}]}),
            ),
            (
                json!({"mask": {"image": {"base64": "AAEC\nAwQF\r\n"}}}),
                json!({"mask": {"image": {"base64": "AAECAwQF", "url": ""}}}),
            ),
            (
                json!({"regions": [{"value": 0, "track_id": ""}]}),
                json!({"regions": [{}]}),
            ),
        ] {
            assert_eq!(
                of(Some(one.clone())),
                of(Some(other.clone())),
                "{one} {other}"
            );
        }
        assert_eq!(of(Some(json!({}))), of(None));
    }

    #[test]
    fn different_annotations_have_different_fingerprints() {
        for (one, other) in [
            (json!({"a": {"value": 0.1}}), json!({"a": {"value": 0.2}})),
            (
                json!({"points": [{"row": 0.1}, {"row": 0.2}]}),
                json!({"points": [{"row": 0.2}, {"row": 0.1}]}),
            ),
            (
                json!({"frame_info": {"time": "5000000000"}}),
                json!({"frame_info": {"time": "5000000001"}}),
            ),
            (json!({"metadata": {"a": 0}}), json!({"metadata": {}})),
            (json!({"text": {"raw": "0"}}), json!({"text": {}})),
            (
                json!({"metadata": {"n": 16_777_216}}),
                json!({"metadata": {"n": 16_777_217}}),
            ),
            (
                json!({"concepts": [{"id": "a", "name": "A"}]}),
                json!({"concepts": [{"id": "a"}]}),
            ),
            (
                json!({"region_info": {"point": {}}}),
                json!({"region_info": {}}),
            ),
            (
                json!({"region_info": {"point": {}}}),
                json!({"region_info": {"span": {"char_end": 0}}}),
            ),
            (
                json!({"keypoint_locations": [{"visibility": "VISIBLE"}]}),
                json!({"keypoint_locations": [{"visibility": "NOT_VISIBLE"}]}),
            ),
            (
                json!({"keypoint_locations": [{}, {}]}),
                json!({"keypoint_locations": [{}]}),
            ),
            (
                json!({"span": {"char_end": 4, "raw_text": "4"}}),
                json!({"span": {"char_end": 4, "raw_text": "4.0"}}),
            ),
            (
                json!({"mask": {"image": {"base64": "AAEC"}}}),
                json!({"mask": {"image": {"base64": "AAED"}}}),
            ),
            (
                json!({"mask": {"image": {"base64": "AAEC"}}}),
                json!({"mask": {"image": {"base64": "AAEC", "url": "u"}}}),
            ),
            (
                json!({"regions": [{"track_id": "1"}]}),
                json!({"regions": [{"track_id": "1.0"}]}),
            ),
            (
                json!({"regions": [{"value": 0.5}]}),
                json!({"regions": [{}]}),
            ),
        ] {
            assert_ne!(
                of(Some(one.clone())),
                of(Some(other.clone())),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn masks_are_compared_by_pixels() {
        let grey = |width: u32, compression, bytes: &[u8]| {
            let mut png = Vec::new();
            let mut encoder = png::Encoder::new(&mut png, width, bytes.len() as u32 / width);
            encoder.set_compression(compression);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(bytes).unwrap();
            writer.finish().unwrap();
            let image = json!({"base64": STANDARD.encode(png)});
            of(Some(json!({ "mask": { "image": image } })))
        };
        let (packed, plain) = (png::Compression::High, png::Compression::NoCompression);
        let bytes = [0, 255, 0, 255];
        assert_eq!(grey(2, packed, &bytes), grey(2, plain, &bytes));
        assert_ne!(grey(2, packed, &bytes), grey(4, packed, &bytes));
        assert_ne!(grey(2, packed, &bytes), grey(2, packed, &[0, 255, 0, 254]));
    }

    #[test]
    fn fingerprints_survive_serialization() {
        let one = of(None);
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), one);
        for bad in ["\"\"", "\"zz\"", "\"ää\"", "7"] {
            assert!(serde_json::from_str::<Fingerprint>(bad).is_err(), "{bad}");
        }
    }
}
