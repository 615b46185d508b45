//! Inputs as they are written: with the files that they name, which the desired state does not hold. The one place of
//! this room that knows of images, texts and masks.
//!
//! A mask travels as a file beside the file that names it.

use super::input::{Entry, PulledInput};
use crate::manifest::write::{WritableAnnotation, WritableInput, annotation_fields};
use crate::manifest::{Manifest, Overlay};
use crate::model::{Content, DesiredInput, Geometry, Identity, InputId, Mask, ObservedAnnotation};
use std::path::Path;

/// The folder of masks, beside the file that names them.
const FOLDER: &str = "masks";

/// An input of a manifest as it stands in its file.
pub(super) fn standing(manifest: &Manifest, input: &DesiredInput) -> WritableInput {
    let mut writable = WritableInput {
        image: manifest.images.get(&input.id).cloned(),
        video: manifest.input_video(&input.id),
        text: manifest.input_text(&input.id),
        ..WritableInput::from(input)
    };
    for (at, path) in manifest.mask_paths(&input.id) {
        writable.annotations[*at].mask_path = Some(path.clone());
    }
    writable
}

/// A pulled input as it is to be written into a file of this folder; its new masks are added to `masks`.
pub(super) fn pulled(
    manifest: Option<&Manifest>,
    input: &PulledInput,
    folder: &Path,
    masks: &mut Overlay,
) -> WritableInput {
    for png in input.entries.iter().filter_map(|entry| entry.png.as_ref()) {
        masks.insert(folder.join(png.relative()), png.bytes.clone());
    }
    WritableInput {
        id: input.id.clone(),
        image: input
            .image
            .clone()
            .or_else(|| manifest?.images.get(&input.id).cloned()),
        video: manifest.and_then(|manifest| manifest.input_video(&input.id)),
        text: manifest.and_then(|manifest| manifest.input_text(&input.id)),
        annotations: input
            .entries
            .iter()
            .map(|entry| annotation(manifest, &input.id, entry))
            .collect(),
        undeclared: input.undeclared,
    }
}

/// An annotation of a pulled input as it is to be written. A mask that is not new keeps its file.
pub(super) fn annotation(
    manifest: Option<&Manifest>,
    input: &InputId,
    entry: &Entry,
) -> WritableAnnotation {
    let known = || {
        let paths = manifest?.mask_paths(input);
        let at = entry.declared?;
        let found = paths.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        Some(paths[found].1.clone())
    };
    let new = entry.png.as_ref().map(Png::relative);
    WritableAnnotation {
        identity: entry.identity.clone(),
        content: entry.content.clone(),
        mask_path: new.map(String::into_boxed_str).or_else(known),
    }
}

/// The part of a content that is written for an annotation: what the writer leaves out, a manifest cannot declare.
pub(super) fn declarable(identity: &Identity, content: Content, png: Option<&Png>) -> Content {
    let writable = WritableAnnotation {
        identity: identity.clone(),
        content,
        mask_path: png.map(|png| png.relative().into_boxed_str()),
    };
    let fields = annotation_fields(&writable);
    let mut content = writable.content;
    let is_written = |key: &str| fields.contains_key(key);
    let geometry = content.geometry.as_ref().and_then(key_of);
    content.geometry = content
        .geometry
        .take()
        .filter(|_| geometry.is_some_and(is_written));
    content.frame = content.frame.filter(|_| is_written("frame"));
    content.metadata = content.metadata.filter(|_| is_written("metadata"));
    content.info = content.info.filter(|_| is_written("info"));
    if let Some(mut extras) = content.extras.take() {
        extras.track = extras.track.filter(|_| is_written("track"));
        extras.region_value = extras.region_value.filter(|_| is_written("region_value"));
        extras.text = extras.text.filter(|_| is_written("text"));
        extras.embed_model_version = extras
            .embed_model_version
            .filter(|_| is_written("embed_model_version"));
        content.extras = extras.boxed();
    }
    content
}

/// The key that a geometry is written under.
fn key_of(geometry: &Geometry) -> Option<&'static str> {
    Some(match geometry {
        Geometry::Box(_) => "box",
        Geometry::Polygon(_) => "polygon",
        Geometry::Point(_) => "point",
        Geometry::Keypoints(_) => "keypoints",
        Geometry::Mask(_) => "mask",
        Geometry::Span(_) => "span",
        Geometry::Segment(_) => "segment",
        Geometry::Region(_) | Geometry::RegionOf(_) => "region",
        Geometry::Whole | Geometry::Unmodelled => return None,
    })
}

/// A mask that has to be written to a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Png {
    sha256: String,
    bytes: Vec<u8>,
}

impl Png {
    /// The file of an observed annotation's mask; nothing where it has none, or is found at a URL.
    pub(super) fn of(observed: &ObservedAnnotation) -> Option<Self> {
        let Geometry::Mask(mask) = &observed.geometry else {
            return None;
        };
        Some(Self {
            sha256: mask.sha256()?,
            bytes: observed.mask_png()?,
        })
    }

    /// The file of a mask whose pixels are to be sent.
    pub(super) fn of_mask(mask: &Mask) -> Option<Self> {
        Some(Self {
            sha256: mask.sha256()?,
            bytes: mask.png()?.to_vec(),
        })
    }

    /// The mask that it holds.
    pub(super) fn mask(&self) -> Option<Mask> {
        Mask::from_png(self.bytes.clone()).ok()
    }

    /// Where it lies, as the file that names it says: by the hash of its pixels, so that one image is one file.
    fn relative(&self) -> String {
        format!("{FOLDER}/{}.png", &self.sha256[..16])
    }
}
