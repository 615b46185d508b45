//! Inputs as they are written, with the images, videos, texts and mask files that the desired state does not hold.

use super::input::{Entry, PulledInput};
use super::mask_file::MaskFile;
use crate::manifest::write::{WritableAnnotation, WritableInput};
use crate::manifest::{Manifest, Overlay};
use crate::model::{DesiredInput, Ignore, InputId};
use std::path::Path;

/// An input that stays as the manifest declares it.
pub(super) fn unchanged(manifest: &Manifest, input: &DesiredInput) -> WritableInput {
    let mut writable = WritableInput {
        image: manifest.images.get(&input.id).cloned(),
        video: manifest.input_video(&input.id),
        text: manifest.input_text(&input.id),
        ..WritableInput::from(input)
    };
    for (at, path) in manifest.mask_paths(&input.id) {
        writable.annotations[*at].mask_path = Some(path.clone());
    }
    for (at, ignore) in manifest.ignores(&input.id) {
        let ignores = match at {
            Some(at) => &mut writable.annotations[*at].ignores,
            None => &mut writable.ignores,
        };
        ignores.push(ignore.clone());
    }
    writable
}

/// A pulled input for a file in `folder`. Its new masks are added to `masks`.
pub(super) fn pulled(
    manifest: Option<&Manifest>,
    input: &PulledInput,
    folder: &Path,
    masks: &mut Overlay,
) -> WritableInput {
    for mask in input.entries.iter().filter_map(|entry| entry.mask.as_ref()) {
        masks.insert(mask.path_in(folder), mask.png().to_owned());
    }
    WritableInput {
        id: input.id.clone(),
        image: input
            .image
            .clone()
            .or_else(|| manifest?.images.get(&input.id).cloned()),
        video: (input.video.clone()).or_else(|| manifest?.input_video(&input.id)),
        text: (input.text.clone()).or_else(|| manifest?.input_text(&input.id)),
        annotations: input
            .entries
            .iter()
            .map(|entry| annotation(manifest, &input.id, entry))
            .collect(),
        undeclared: input.undeclared,
        ignores: ignores(manifest, &input.id, None),
    }
}

/// An annotation of a pulled input. A mask that is not new keeps its file.
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
    let new = entry.mask.as_ref().map(MaskFile::relative_path);
    WritableAnnotation {
        identity: entry.identity.clone(),
        content: entry.content.clone(),
        mask_path: new.map(String::into_boxed_str).or_else(known),
        ignores: match entry.declared {
            Some(at) => ignores(manifest, input, Some(at)),
            None => Vec::new(),
        },
    }
}

/// The exceptions of a declared annotation from rules of the linter, or of an input itself.
fn ignores(manifest: Option<&Manifest>, input: &InputId, annotation: Option<usize>) -> Vec<Ignore> {
    let all = manifest.map_or(&[][..], |it| it.ignores(input));
    let own = all.iter().filter(|(at, _)| *at == annotation);
    own.map(|(_, ignore)| ignore.clone()).collect()
}
