//! Recognises the kind of a file, and names the command for it.

use super::exit::Failure;
use super::input;
use crate::model::FileKind;
use std::path::Path;

/// The kind of a file; `None` if it is not recognised, cannot be read, or is not a regular file.
pub(crate) fn of(path: &Path) -> Option<FileKind> {
    FileKind::of(&input::read_head(path, FileKind::HEAD_BYTES)?)
}

/// Refuses a file of a known kind that the command does not accept. Unrecognised files are left to the reader.
pub(crate) fn expect(path: &Path, accepted: &[FileKind], wanted: &str) -> Result<(), Failure> {
    match of(path) {
        Some(kind) if !accepted.contains(&kind) => Err(wrong_kind(path, kind, wanted)),
        _ => Ok(()),
    }
}

/// Refuses a file of a known kind that is not a manifest.
pub(crate) fn expect_manifest(path: &Path) -> Result<(), Failure> {
    expect(path, &[FileKind::Manifest], "a manifest")
}

/// The error for a file of the wrong kind; the hint names the command for it.
pub(crate) fn wrong_kind(path: &Path, kind: FileKind, wanted: &str) -> Failure {
    let file = path.display();
    Failure::usage(format!("{file} is {}, not {wanted}", noun(kind))).hint(match kind {
        FileKind::Manifest => {
            format!("check it with `annosync validate {file}`, plan it with `annosync plan {file}`")
        }
        FileKind::Plan | FileKind::Undo => format!(
            "look at it with `annosync show {file}`, carry it out with `annosync apply {file}`"
        ),
        FileKind::Outcome | FileKind::Log => {
            format!("look at it with `annosync show {file}`")
        }
        FileKind::Listing => {
            format!("plan against it with `annosync plan --observed {file}`")
        }
        FileKind::Annotations => {
            format!("serve it with `annosync emulator --seed {file}`")
        }
        FileKind::Diff => "make it again with --format text to look at it".to_owned(),
        FileKind::Report => format!("name {wanted} instead"),
        FileKind::Recording => format!("serve it with `annosync emulator --replay {file}`"),
        FileKind::Unknown => "use the version of annosync that wrote it".to_owned(),
        FileKind::Coco => {
            format!("turn it into a manifest with `annosync import coco {file} --out labels`")
        }
    })
}

/// The kind as a noun with its article.
pub(crate) fn noun(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Manifest => "a part of a manifest",
        FileKind::Plan => "a plan file",
        FileKind::Undo => "an undo (a plan file that undoes an apply)",
        FileKind::Outcome => "the outcome of an apply",
        FileKind::Log => "the log of an apply",
        FileKind::Listing => "a saved listing",
        FileKind::Annotations => "a list of annotations (`list --format jsonl`)",
        FileKind::Diff => "a diff (`diff --format json`)",
        FileKind::Report => "a report of `validate` or `stats`",
        FileKind::Recording => "a recording of `emulator --record`",
        FileKind::Unknown => "a file of another version of annosync",
        FileKind::Coco => "a COCO file",
    }
}
