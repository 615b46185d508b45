//! Reads files named on the command line: saved listings, plans, files of other tools, tokens.
//!
//! All files are read here, except those of a manifest, which `manifest` reads with the same functions.

use super::exit::Failure;
use crate::manifest::{Pipes, Unreadable, read_bytes};
use crate::model::{JsonFault, TextKind, decode_text, escape};
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Size limit in bytes of a data file: a listing, a plan, a file of another tool.
pub(crate) const MAX_BYTES: u64 = 4 << 30;

/// Size limit in bytes of a token file.
pub(crate) const MAX_TOKEN_BYTES: u64 = 64 << 10;

/// Reads a text file or a pipe, without a byte order mark. Line endings are kept.
pub(crate) fn text(path: &Path, most: u64) -> Result<String, Failure> {
    decode_text(bytes(path, most)?, TextKind::Structured).map_err(|error| {
        let (line, column) = error.line_and_column();
        Failure::new(format!(
            "{}:{line}:{column}: {}",
            path.display(),
            error.fault
        ))
        .hint(error.fault.hint())
    })
}

/// The error for invalid JSON in a file.
pub(crate) fn json_failure(path: &Path, fault: &JsonFault) -> Failure {
    let JsonFault { line, column, .. } = fault;
    Failure::new(format!(
        "{}:{line}:{column}: {}",
        path.display(),
        escape(&fault.message)
    ))
}

/// The first bytes of a regular file; `None` if it is something else or cannot be read.
pub(crate) fn read_head(path: &Path, most: u64) -> Option<Vec<u8>> {
    if !path.is_file() {
        return None;
    }
    let mut head = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(most).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Reads a file byte for byte.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    read_bytes(path, most, Pipes::Read).map_err(|error| failure(path, &error))
}

/// Hands a regular file to a reader that takes it piece by piece. `None` if `read` gives up on it, or it is a pipe, which
/// can be read once only.
pub(crate) fn stream<T>(
    path: &Path,
    most: u64,
    read: impl FnOnce(&mut File) -> io::Result<Option<T>>,
) -> Result<Option<T>, Failure> {
    if !path.is_file() {
        return Ok(None);
    }
    let read = || {
        let mut file = File::open(path)?;
        let before = file.metadata()?;
        if before.len() > most {
            return Ok(None);
        }
        let read = read(&mut file)?;
        if read.is_some() && !is_same(&before, &file.metadata()?) {
            return Err(Unreadable::Changed);
        }
        Ok(read)
    };
    read().map_err(|error| failure(path, &error))
}

/// Opens a regular file that is read piece by piece; `None` if it can only be read as a whole, or not at all.
pub(crate) fn pieces(path: &Path, most: u64) -> Option<impl io::Read + Send + use<>> {
    if !path.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let before = file.metadata().ok()?;
    // The files of /proc have no length.
    let length = before.len();
    (1..=most)
        .contains(&length)
        .then_some(Pieces { file, before })
}

/// A file that must not change while it is read.
struct Pieces {
    file: File,
    before: Metadata,
}

impl io::Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count == 0 && !is_same(&self.before, &self.file.metadata()?) {
            return Err(io::Error::other(Unreadable::Changed.to_string()));
        }
        Ok(count)
    }
}

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    after.len() == before.len() && after.modified().ok() == before.modified().ok()
}

fn failure(path: &Path, error: &Unreadable) -> Failure {
    let hint = match error {
        Unreadable::Missing => "check the path",
        Unreadable::NotAFile(_) | Unreadable::Outside | Unreadable::Hidden => {
            "name a file, or a pipe"
        }
        Unreadable::TooLarge(_) => "no file of its kind is that large: check the path",
        Unreadable::Changed => "run the command again once nothing writes to it",
        Unreadable::Failed(_) => "check the path and its permissions",
    };
    Failure::new(format!("{} {error}", path.display())).hint(hint)
}
