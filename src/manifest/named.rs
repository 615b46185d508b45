//! The files that inputs name: masks become geometries, and spans are checked against texts.
//!
//! Each file is read once, on several threads. Which paths are allowed is decided by [`super::source`].

use super::context::InputText;
use super::file::File;
use super::finding::{Findings, Place};
use super::header::INPUTS;
use super::select::folder_of;
use super::source::{
    FileAccess, HIDDEN, OUTSIDE, PathError, Source, Unreadable, resolve_path, text_digest,
};
use super::span_texts::{SpanTexts, check_spans, set_span_texts};
use super::words::quote;
use crate::model::{Geometry, Mask, TextKind, decode_text, detect_pointer, normalize_line_endings};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The SHA-256 of each file that was read, by its path below the manifest's folder.
pub(super) type Digests = BTreeMap<String, [u8; 32]>;

const PATH_HINT: &str = "a path is relative to the folder of the file that names it, and may not leave the manifest's folder";
const MASK_HINT: &str =
    "a mask is a PNG image of the input's shape in which the annotated pixels are not black";

/// The place that names a file: the text of an input, or the mask of one of its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference {
    file: usize,
    /// The index among the inputs that were kept.
    input: usize,
    /// The index among the inputs of the file.
    place: usize,
    annotation: Option<usize>,
}

impl Reference {
    /// Reports a problem at the path as written.
    fn report(self, findings: &mut Findings, message: &str, hint: &str) {
        let inputs = Place::ROOT.name(INPUTS);
        let input = inputs.nth(self.place);
        let annotations = input.name("annotations");
        let at = match self.annotation {
            None => input.name("text").name("path").value(),
            Some(index) => annotations.nth(index).name("mask").name("path").value(),
        };
        findings.add(at, message).hint(hint);
    }
}

/// The references to each path.
type References = BTreeMap<String, Vec<Reference>>;

/// A message and a hint.
pub(super) type FileError = (String, &'static str);

/// The SHA-256 of a file and its decoded content.
type ReadResult<T> = Result<([u8; 32], T), FileError>;

/// Reads every file that an input names, and puts masks and the texts of spans into the annotations. Problems of a file
/// are reported at each reference.
pub(super) fn read_named(files: &mut [File], source: &dyn Source) -> Digests {
    let (masks, texts) = references(files, source.access());
    let mut digests = Digests::new();

    let read: Vec<ReadResult<Mask>> = masks
        .par_iter()
        .map(|(path, _)| read_mask(path, source))
        .collect();
    for ((path, references), read) in masks.into_iter().zip(read) {
        match read {
            Ok((digest, mask)) => {
                digests.insert(path, digest);
                for reference in references {
                    set_mask(files, reference, &mask);
                }
            }
            Err((message, hint)) => {
                for reference in references {
                    let findings = &mut files[reference.file].document.findings;
                    reference.report(findings, &message, hint);
                }
            }
        }
    }

    let shared: &[File] = files;
    let read: Vec<ReadResult<Vec<(SpanTexts, Findings)>>> = texts
        .par_iter()
        .map(|(path, references)| {
            let (digest, text) = read_text(path, source)?;
            let check = |reference: &Reference| check_text(shared, *reference, &text);
            Ok((digest, references.iter().map(check).collect()))
        })
        .collect();
    for ((path, references), read) in texts.into_iter().zip(read) {
        match read {
            Ok((digest, checked)) => {
                digests.insert(path, digest);
                for (reference, (span_texts, findings)) in references.into_iter().zip(checked) {
                    let document = &mut files[reference.file].document;
                    document.findings.0.extend(findings.0);
                    let input = &mut document.inputs[reference.input];
                    set_span_texts(&mut input.annotations, span_texts);
                }
            }
            Err((message, hint)) => {
                for reference in references {
                    let findings = &mut files[reference.file].document.findings;
                    reference.report(findings, &message, hint);
                }
            }
        }
    }
    digests
}

/// The references to masks and to texts. Invalid paths are reported.
fn references(files: &mut [File], access: FileAccess) -> (References, References) {
    let (mut masks, mut texts) = (References::new(), References::new());
    for (file, read) in files.iter_mut().enumerate() {
        let folder = folder_of(&read.candidate.relative);
        let document = &mut read.document;
        for (input, parsed) in document.inputs.iter().enumerate() {
            let Some(media) = &parsed.media else {
                continue;
            };
            let text = match &media.text {
                Some(InputText::Path(path)) => Some((None, path)),
                _ => None,
            };
            let of_masks = media.masks.iter();
            let all = of_masks
                .map(|(annotation, path)| (Some(*annotation), path))
                .chain(text);
            for (annotation, written) in all {
                let reference = Reference {
                    file,
                    input,
                    place: parsed.index as usize,
                    annotation,
                };
                match path_below(folder, written, access) {
                    Ok(path) => {
                        let of_kind = match annotation {
                            Some(_) => &mut masks,
                            None => &mut texts,
                        };
                        of_kind.entry(path).or_default().push(reference);
                    }
                    Err((message, hint)) => {
                        reference.report(&mut document.findings, &message, hint);
                    }
                }
            }
        }
    }
    (masks, texts)
}

/// The path below the manifest's folder for a path that is written in a file of `folder`.
pub(super) fn path_below(
    folder: &str,
    written: &str,
    access: FileAccess,
) -> Result<String, FileError> {
    resolve_path(folder, written, access).map_err(|error| {
        let (what, hint) = match error {
            PathError::Absolute => ("is an absolute path", OUTSIDE),
            PathError::Outside => ("leads out of the manifest's folder", OUTSIDE),
            PathError::Hidden => ("is a hidden file", HIDDEN),
            PathError::NotAFile => ("is not a file path", PATH_HINT),
        };
        (format!("{} {what}", quote(written)), hint)
    })
}

pub(super) fn read_bytes(path: &str, source: &dyn Source) -> Result<Vec<u8>, FileError> {
    source.named(path).map_err(|error| describe(path, &error))
}

/// The message and the hint for a file that cannot be read.
pub(super) fn describe(path: &str, error: &Unreadable) -> FileError {
    let hint = match error {
        Unreadable::Missing | Unreadable::NotAFile(_) => PATH_HINT,
        Unreadable::Outside => OUTSIDE,
        Unreadable::Hidden => HIDDEN,
        Unreadable::TooLarge(_) => {
            "name another file; an image or a video of that size can be posted by its `url`"
        }
        Unreadable::Changed => "run the command again once nothing writes to it",
        Unreadable::Failed(_) => "check the path and its permissions",
    };
    (format!("{} {error}", quote(path)), hint)
}

fn read_mask(path: &str, source: &dyn Source) -> ReadResult<Mask> {
    let bytes = read_bytes(path, source)?;
    if let Some(fault) = detect_pointer(&bytes) {
        return Err((format!("{}: {fault}", quote(path)), fault.hint()));
    }
    let digest = Sha256::digest(&bytes).into();
    match Mask::from_png(bytes) {
        Ok(mask) if mask.is_empty() => Err((
            format!("{} is a mask without an annotated pixel", quote(path)),
            MASK_HINT,
        )),
        Ok(mask) => Ok((digest, mask)),
        Err(error) => {
            let error = error.to_string();
            let error = error.trim_end_matches('.');
            Err((format!("{} is not a mask: {error}", quote(path)), MASK_HINT))
        }
    }
}

/// Reads a text without its byte order mark, and with line feeds for CRLF.
pub(super) fn read_text(path: &str, source: &dyn Source) -> ReadResult<String> {
    let bytes = read_bytes(path, source)?;
    let digest = text_digest(&bytes);
    match decode_text(bytes, TextKind::FreeText) {
        Ok(text) => Ok((digest, normalize_line_endings(text))),
        Err(error) => {
            let (line, column) = error.line_and_column();
            let message = format!("{}:{line}:{column}: {}", quote(path), error.fault);
            Err((message, error.fault.hint()))
        }
    }
}

fn set_mask(files: &mut [File], reference: Reference, mask: &Mask) {
    let input = &mut files[reference.file].document.inputs[reference.input];
    if let Some(index) = reference.annotation {
        // The clone shares the bytes.
        input.annotations[index].1.geometry = Some(Geometry::Mask(Box::new(mask.clone())));
    }
}

fn check_text(files: &[File], reference: Reference, text: &str) -> (SpanTexts, Findings) {
    let inputs = Place::ROOT.name(INPUTS);
    let mut findings = Findings::default();
    let annotations = &files[reference.file].document.inputs[reference.input].annotations;
    let place = inputs.nth(reference.place);
    let span_texts = check_spans(text, annotations, &place, &mut findings);
    (span_texts, findings)
}
