//! Imports and exports of every format.

use super::account::{Imported, Note, SkipCode, Skipped};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::source::{Source, has_extension};
use super::writer::{ExportInput, Exported};
use super::{coco, conll, cvat, jsonl, label_me, label_studio, open_images, voc, yolo};
use crate::model::ConceptId;

/// Imports the files of a source.
///
/// # Errors
///
/// If there is no file, if the files are not of the format at all, or if two inputs would have the same id.
pub fn import(
    format: Format,
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    if source.files().is_empty() {
        return Err(ImportError::NoFile);
    }
    let mut imported = match format {
        Format::Coco => coco::import(source, options),
        Format::Yolo => yolo::import(source, options),
        Format::OpenImages => open_images::import(source, options),
        Format::Conll => conll::import(source, options),
        Format::Voc => voc::import(source, options),
        Format::Cvat => cvat::import(source, options),
        Format::LabelStudio => label_studio::import(source, options),
        Format::LabelMe => label_me::import(source, options),
        Format::Jsonl => jsonl::import(source, options),
    }?;
    let links = source.broken_links();
    let skipped = links.iter().map(|(path, why)| Skipped {
        code: SkipCode::UnreadableFile,
        annotation: None,
        image: Some(path.clone()),
        detail: why.clone(),
    });
    imported.skipped.splice(..0, skipped);
    for path in source.hidden() {
        imported.note(Note::Hidden, path);
    }
    for path in source.not_files() {
        imported.note(Note::NotAFile, path);
    }
    // In these formats, several files may have labels of one image.
    let shared: &[&str] = match format {
        Format::Cvat => &["xml"],
        Format::OpenImages => &["csv"],
        _ => &[],
    };
    let missing = links.iter().filter(|(path, _)| has_extension(path, shared));
    imported.unassigned += missing.count() as u64;
    Ok(imported)
}

/// Exports inputs. `classes` come first in the order of classes; the other concepts follow, sorted by id.
pub fn export(format: Format, inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    match format {
        Format::Coco => coco::export(inputs, classes),
        Format::Yolo => yolo::export(inputs, classes),
        Format::OpenImages => open_images::export(inputs, classes),
        Format::Conll => conll::export(inputs, classes),
        Format::Voc => voc::export(inputs, classes),
        Format::Cvat => cvat::export(inputs, classes),
        Format::LabelStudio => label_studio::export(inputs, classes),
        Format::LabelMe => label_me::export(inputs, classes),
        Format::Jsonl => jsonl::export(inputs, classes),
    }
}

type Recogniser = fn(&dyn Source) -> bool;

/// The formats that the files may have, most likely one.
pub fn recognise(source: &dyn Source) -> Vec<Format> {
    let recognises: [(Format, Recogniser); 9] = [
        (Format::Coco, coco::recognises),
        (Format::Yolo, yolo::recognises),
        (Format::Voc, voc::recognises),
        (Format::Cvat, cvat::recognises),
        (Format::LabelStudio, label_studio::recognises),
        (Format::LabelMe, label_me::recognises),
        (Format::OpenImages, open_images::recognises),
        (Format::Conll, conll::recognises),
        (Format::Jsonl, jsonl::recognises),
    ];
    recognises
        .into_iter()
        .filter(|(_, recognises)| recognises(source))
        .map(|(format, _)| format)
        .collect()
}
