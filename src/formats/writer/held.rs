//! What a format can hold of an annotation.

use crate::formats::account::SkipCode;
use crate::formats::format::Format;
use crate::model::{ConceptId, Concepts, Content, Geometry, Identity, Kind, Status};
use serde_json::{Map, Value};

/// An annotation to export.
#[derive(Debug, Clone)]
pub struct ExportAnnotation {
    /// Its id or its key, or `number 8`: names it in the account.
    pub name: String,
    /// For annosync's own format alone.
    pub identity: Identity,
    pub content: Content,
}

/// One object to write: an annotation with one of its concepts.
#[derive(Debug, Clone)]
pub(in crate::formats) struct Item<'e> {
    pub(in crate::formats) name: &'e str,
    pub(in crate::formats) geometry: &'e Geometry,
    pub(in crate::formats) concept: &'e ConceptId,
    /// Index in the classes of the writer.
    pub(in crate::formats) class: usize,
    /// From 0 to 1; 1 unless the format holds other values.
    pub(in crate::formats) value: f32,
    /// Metadata that is still to be written.
    pub(in crate::formats) metadata: Map<String, Value>,
}

/// One annotation to write, with all of its concepts.
#[derive(Debug, Clone)]
pub(in crate::formats) struct Whole<'e> {
    pub(in crate::formats) name: &'e str,
    pub(in crate::formats) identity: &'e Identity,
    pub(in crate::formats) content: &'e Content,
    pub(in crate::formats) geometry: &'e Geometry,
    /// Metadata that is still to be written.
    pub(in crate::formats) metadata: Map<String, Value>,
}

/// What a format can hold besides places and classes.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::formats) struct Holds {
    /// Values between 0 and 1, such as scores.
    pub(in crate::formats) scores: bool,
    /// The value 0: absent.
    pub(in crate::formats) absent: bool,
}

impl Holds {
    /// The annotation, or why the format cannot hold it.
    pub(super) fn held(
        self,
        format: Format,
        annotation: &ExportAnnotation,
    ) -> Result<Whole<'_>, (SkipCode, String)> {
        let content = &annotation.content;
        let geometry = content.geometry.as_ref().unwrap_or(&Geometry::Whole);
        let kind = geometry.kind();
        if !format.writes().contains(&kind) {
            return Err((SkipCode::OtherShape, kind_words(kind).to_owned()));
        }
        let is_timed = content.frame.is_some() || content.track().is_some();
        if is_timed && !format.writes_frames() {
            let detail = "a frame or a track of a video".to_owned();
            return Err((SkipCode::OtherTime, detail));
        }
        let metadata = match content.metadata.as_ref().map(crate::model::Json::to_value) {
            Some(Value::Object(metadata)) => metadata,
            _ => Map::new(),
        };
        for concept in content.concepts.iter().flat_map(Concepts::iter) {
            let value = concept.value;
            let is_held = if value == 0.0 {
                self.absent
            } else {
                value.to_bits() == 1.0_f32.to_bits() || self.scores
            };
            if !is_held {
                let detail = format!("{} of value {value}", concept.id);
                return Err((SkipCode::OtherValue, detail));
            }
        }
        Ok(Whole {
            name: &annotation.name,
            identity: &annotation.identity,
            content,
            geometry,
            metadata,
        })
    }
}

/// Whether an annotation has fields that no format holds. Ids and keys are not meant: an import over the manifest finds
/// them again.
pub(super) fn has_state(content: &Content) -> bool {
    content
        .status
        .is_some_and(|status| status != Status::SUCCESS)
        || content.user.is_some()
        || content.info.is_some()
        || content.text().is_some()
        || content.region_value().is_some()
        || content.embed_model_version().is_some()
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Whole => "concepts of the whole input",
        Kind::Box => "a box",
        Kind::Polygon => "a polygon",
        Kind::Point => "a point",
        Kind::Keypoints => "keypoints",
        Kind::Mask => "a mask",
        Kind::Span => "a span of text",
        Kind::Segment => "a segment of a video",
        Kind::Region => "a region by its id",
        Kind::Unmodelled => "a region of an unknown kind",
    }
}
