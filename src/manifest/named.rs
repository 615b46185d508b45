//! The files that a manifest names: read once each, on several threads, and put where they are named.
//!
//! Masks become geometries, texts are held against the spans of their input and then forgotten. Which paths are
//! allowed is said by [`super::source`].

use super::assemble::File;
use super::finding::{Findings, Place};
use super::header::INPUTS;
use super::known_text::{fill, filling};
use super::select::folder_of;
use super::source::{NoPath, Reach, Source, Unreadable, below, text_digest};
use super::words::quote;
use crate::model::{Geometry, Mask, TextKind, decode_text, detect_pointer, normalize_line_endings};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The SHA-256 of each file that was read, by its path below the manifest's folder.
pub(super) type Digests = BTreeMap<String, [u8; 32]>;

const WHERE: &str = "a path is relative to the folder of the file that names it, and may not leave the manifest's folder";
pub(super) const OUTSIDE: &str = "put the file into the manifest's folder, or allow all that lie elsewhere with --allow-outside-files";
pub(super) const HIDDEN: &str =
    "hidden files can hold secrets; rename it, or allow it with --allow-outside-files";
const A_MASK: &str =
    "a mask is a PNG image of the input's shape in which the annotated pixels are not black";

/// Where a file is named: by the text of an input, or by the mask of one of its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Naming {
    file: usize,
    input: usize,
    annotation: Option<usize>,
}

impl Naming {
    /// Adds a finding at the path that is written there.
    fn report(self, findings: &mut Findings, message: &str, hint: &str) {
        let inputs = Place::ROOT.name(INPUTS);
        let input = inputs.nth(self.input);
        let annotations = input.name("annotations");
        let at = match self.annotation {
            None => input.name("text").name("path").value(),
            Some(index) => annotations.nth(index).name("mask").name("path").value(),
        };
        findings.add(at, message).hint(hint);
    }
}

/// Who names each path.
type Namings = BTreeMap<String, Vec<Naming>>;

/// What is wrong with a file: a message, and a hint.
pub(super) type Refusal = (String, &'static str);

/// What became of a file: its SHA-256 and what was made of it.
type Reading<T> = Result<([u8; 32], T), Refusal>;

/// Texts that spans were written without, with the indices of their annotations.
type Found = Vec<(usize, Box<str>)>;

/// Reads every file that is named, and puts masks and the texts of spans into the annotations. What is wrong becomes a
/// finding wherever the file is named.
pub(super) fn read_named(files: &mut [File], source: &dyn Source) -> Digests {
    let (masks, texts) = collect(files, source.reach());
    let mut digests = Digests::new();

    let read: Vec<Reading<Mask>> = masks
        .par_iter()
        .map(|(path, _)| read_mask(path, source))
        .collect();
    for ((path, namings), read) in masks.into_iter().zip(read) {
        match read {
            Ok((digest, mask)) => {
                digests.insert(path, digest);
                for naming in namings {
                    set_mask(files, naming, &mask);
                }
            }
            Err((message, hint)) => {
                for naming in namings {
                    let findings = &mut files[naming.file].document.findings;
                    naming.report(findings, &message, hint);
                }
            }
        }
    }

    let shared: &[File] = files;
    let read: Vec<Reading<Vec<(Found, Findings)>>> = texts
        .par_iter()
        .map(|(path, namings)| {
            let (digest, text) = read_text(path, source)?;
            let check = |naming: &Naming| check_text(shared, *naming, &text);
            Ok((digest, namings.iter().map(check).collect()))
        })
        .collect();
    for ((path, namings), read) in texts.into_iter().zip(read) {
        match read {
            Ok((digest, checked)) => {
                digests.insert(path, digest);
                for (naming, (found, findings)) in namings.into_iter().zip(checked) {
                    let document = &mut files[naming.file].document;
                    document.findings.0.extend(findings.0);
                    fill(&mut document.inputs[naming.input].annotations, found);
                }
            }
            Err((message, hint)) => {
                for naming in namings {
                    let findings = &mut files[naming.file].document.findings;
                    naming.report(findings, &message, hint);
                }
            }
        }
    }
    digests
}

/// The paths of masks and of texts, and who names them; those that are no paths are reported.
fn collect(files: &mut [File], reach: Reach) -> (Namings, Namings) {
    let (mut masks, mut texts) = (Namings::new(), Namings::new());
    for (file, read) in files.iter_mut().enumerate() {
        let folder = folder_of(&read.candidate.relative);
        let document = &mut read.document;
        for (input, parsed) in document.inputs.iter().enumerate() {
            let Some(named) = &parsed.named else {
                continue;
            };
            let masks_of_it = named.masks.iter();
            let all = masks_of_it
                .map(|(annotation, path)| (Some(*annotation), path))
                .chain(named.text.iter().map(|path| (None, path)));
            for (annotation, written) in all {
                let naming = Naming {
                    file,
                    input,
                    annotation,
                };
                match path_below(folder, written, reach) {
                    Ok(path) => {
                        let of_kind = match annotation {
                            Some(_) => &mut masks,
                            None => &mut texts,
                        };
                        of_kind.entry(path).or_default().push(naming);
                    }
                    Err((message, hint)) => {
                        naming.report(&mut document.findings, &message, hint);
                    }
                }
            }
        }
    }
    (masks, texts)
}

/// The path below the manifest's folder of what is written in a file of `folder`.
pub(super) fn path_below(folder: &str, written: &str, reach: Reach) -> Result<String, Refusal> {
    below(folder, written, reach).map_err(|error| {
        let (what, hint) = match error {
            NoPath::Absolute => ("is an absolute path", OUTSIDE),
            NoPath::LeadsOut => ("leads out of the manifest's folder", OUTSIDE),
            NoPath::Hidden => ("is a hidden file", HIDDEN),
            NoPath::NoFile => ("is not the path of a file", WHERE),
        };
        (format!("{} {what}", quote(written)), hint)
    })
}

pub(super) fn read_bytes(path: &str, source: &dyn Source) -> Result<Vec<u8>, Refusal> {
    source.named(path).map_err(|error| {
        let hint = match &error {
            Unreadable::Missing | Unreadable::NotAFile(_) => WHERE,
            Unreadable::Elsewhere => OUTSIDE,
            Unreadable::Hidden => HIDDEN,
            Unreadable::TooLarge(_) => {
                "name another file; an image or a video of that size can be posted by its `url`"
            }
            Unreadable::Changed => "run the command again once nothing writes to it",
            Unreadable::Failed(_) => "check the path and its permissions",
        };
        (format!("{} {error}", quote(path)), hint)
    })
}

fn read_mask(path: &str, source: &dyn Source) -> Reading<Mask> {
    let bytes = read_bytes(path, source)?;
    if let Some(fault) = detect_pointer(&bytes) {
        return Err((format!("{}: {fault}", quote(path)), fault.hint()));
    }
    let digest = Sha256::digest(&bytes).into();
    match Mask::from_png(bytes) {
        Ok(mask) if mask.is_empty() => Err((
            format!("{} is a mask without a set pixel", quote(path)),
            A_MASK,
        )),
        Ok(mask) => Ok((digest, mask)),
        Err(error) => {
            let error = error.to_string();
            let error = error.trim_end_matches('.');
            Err((format!("{} is not a mask: {error}", quote(path)), A_MASK))
        }
    }
}

/// Neither a byte order mark nor the CR of a CRLF is a character of the text.
pub(super) fn read_text(path: &str, source: &dyn Source) -> Reading<String> {
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

fn set_mask(files: &mut [File], naming: Naming, mask: &Mask) {
    let input = &mut files[naming.file].document.inputs[naming.input];
    if let Some(index) = naming.annotation {
        // The file's bytes are shared, however many annotations name it.
        input.annotations[index].1.geometry = Some(Geometry::Mask(Box::new(mask.clone())));
    }
}

fn check_text(files: &[File], naming: Naming, text: &str) -> (Found, Findings) {
    let inputs = Place::ROOT.name(INPUTS);
    let mut findings = Findings::default();
    let annotations = &files[naming.file].document.inputs[naming.input].annotations;
    let found = filling(text, annotations, &inputs.nth(naming.input), &mut findings);
    (found, findings)
}
