//! Imports and exports of every format.

use super::account::Imported;
use super::coco;
use super::cvat;
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::source::Source;
use super::voc;
use super::writer::{ExportInput, Exported};
use crate::model::ConceptId;

/// Imports the files of a source.
///
/// # Errors
///
/// If the files are not of the format at all, or if two inputs would have the same id.
pub fn import(
    format: Format,
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    match format {
        Format::Coco => coco::import(source, options),
        Format::Voc => voc::import(source, options),
        Format::Cvat => cvat::import(source, options),
        _ => Err(ImportError::OtherFormat {
            format,
            why: "it cannot be imported yet".to_owned(),
        }),
    }
}

/// Exports inputs. `classes` come first in the order of classes; the other concepts follow, sorted by id.
pub fn export(format: Format, inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    match format {
        Format::Coco => coco::export(inputs, classes),
        _ => Exported::default(),
    }
}

/// The formats that the files may have, most likely one.
pub fn recognise(source: &dyn Source) -> Vec<Format> {
    let recognises: [(Format, fn(&dyn Source) -> bool); 3] = [
        (Format::Coco, coco::recognises),
        (Format::Voc, voc::recognises),
        (Format::Cvat, cvat::recognises),
    ];
    recognises
        .into_iter()
        .filter(|(_, recognises)| recognises(source))
        .map(|(format, _)| format)
        .collect()
}
