//! Writes a recording.

use super::recording::{Exchange, FORMAT, Header, RecordingError};
use super::replacements::Replacements;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

#[derive(Debug)]
pub(super) struct Recorder {
    file: Mutex<Lines>,
    tokens: Mutex<Tokens>,
}

/// The tokens that were sent. They must not be printed.
struct Tokens(BTreeSet<String>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

#[derive(Debug)]
struct Lines {
    file: File,
    /// The size of all whole lines.
    bytes: u64,
}

impl Recorder {
    /// Creates the file, which must not exist. `from` is the endpoint that answers.
    pub(super) fn create(
        path: &Path,
        from: &str,
        tokens: impl IntoIterator<Item = String>,
    ) -> Result<Self, RecordingError> {
        let failed = |source: io::Error| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::AlreadyExists => RecordingError::Exists { path },
                _ => RecordingError::Create { path, source },
            }
        };
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut lines = Lines {
            file: file.map_err(failed)?,
            bytes: 0,
        };
        let header = Header {
            format_version: FORMAT.to_owned(),
            recorded_from: from.to_owned(),
        };
        lines.write(&header).map_err(failed)?;
        Ok(Self {
            file: Mutex::new(lines),
            tokens: Mutex::new(Tokens(tokens.into_iter().collect())),
        })
    }

    /// The texts that are replaced in a call: the tokens of this and of all earlier calls, and the emulator's address.
    pub(super) fn replacements(&self, headers: &HeaderMap, address: &str) -> Replacements {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.0.extend(token(headers).map(str::to_owned));
        Replacements::new(tokens.0.iter().map(String::as_str), address)
    }

    /// Writes a line, or nothing.
    pub(super) fn write(&self, exchange: &Exchange) -> io::Result<()> {
        let mut lines = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        lines.write(exchange)
    }
}

impl Lines {
    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let written = self.file.write_all(&text);
        if written.is_err() {
            // A part of the line may have been written. If it cannot be removed, the reader reports it.
            let _ = self.file.set_len(self.bytes);
            let _ = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.bytes));
        } else {
            self.bytes += text.len() as u64;
        }
        written
    }
}

/// The token in a request's headers, without the scheme before it.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let token = value.split_once(' ').map_or(value, |(_, token)| token);
    Some(token.trim())
}
