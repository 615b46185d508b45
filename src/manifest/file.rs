//! Reading the manifest's files, each by itself.

use super::document::{Document, SyntaxError, document_of_shard};
use super::locate::SpanFinder;
use super::problem::Problem;
use super::select::Candidate;
use super::source::{HIDDEN, OUTSIDE, Source, Unreadable, text_digest};
use crate::model::{Shard, TextError, TextFault, TextKind, decode_text};
use rayon::prelude::*;
use std::path::Path;

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) candidate: Candidate,
    /// SHA-256, as of [`text_digest`].
    pub(super) digest: [u8; 32],
    pub(super) document: Document,
    /// Why it cannot be read.
    pub(super) problem: Option<Problem>,
}

/// A path as the subject of a message.
pub(super) fn quoted_path(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    format!("`{}`", path.display())
}

pub(super) fn read_file(candidate: &Candidate, source: &dyn Source, shard: Option<Shard>) -> File {
    let mut file = File {
        candidate: candidate.clone(),
        digest: [0; 32],
        document: Document::default(),
        problem: None,
    };
    let bytes = match source.own(candidate) {
        Ok(bytes) => bytes,
        Err(error) => {
            let hint = match &error {
                Unreadable::Missing | Unreadable::NotAFile(_) => "check the path",
                Unreadable::Outside => OUTSIDE,
                Unreadable::Hidden => HIDDEN,
                Unreadable::TooLarge(_) => "spread its inputs over several files",
                Unreadable::Changed => "run the command again once nothing writes to it",
                Unreadable::Failed(_) => "check the path and its permissions",
            };
            let message = format!("{} {error}", quoted_path(&candidate.shown));
            file.problem = Some(Problem::of_file(&candidate.shown, message, hint));
            return file;
        }
    };
    // The text is hashed while it is parsed; a byte order mark is not part of the text.
    let marked = bytes
        .starts_with("\u{feff}".as_bytes())
        .then(|| text_digest(&bytes));
    match decode_text(bytes, TextKind::Structured) {
        Ok(text) => {
            let digest = || marked.unwrap_or_else(|| text_digest(text.as_bytes()));
            let read;
            (file.digest, read) =
                rayon::join(digest, || document_of_shard(candidate.format, &text, shard));
            match read {
                Ok(document) => file.document = document,
                Err(error) => file.problem = Some(syntax_problem(candidate, &text, error)),
            }
        }
        Err(error) => file.problem = Some(text_problem(candidate, &error)),
    }
    file
}

fn syntax_problem(candidate: &Candidate, text: &str, error: SyntaxError) -> Problem {
    let end = (error.offset + 1).min(text.len()).max(error.offset);
    let end = (end..=text.len())
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(text.len());
    Problem {
        path: candidate.shown.clone(),
        span: Some(SpanFinder::new(text).span(&(error.offset..end))),
        message: error.message,
        hint: error.hint,
        ..Problem::default()
    }
}

fn text_problem(candidate: &Candidate, error: &TextError) -> Problem {
    let TextError {
        fault,
        shown,
        offset,
    } = error;
    let rest = &shown[*offset..];
    let length = match fault {
        TextFault::Conflict => rest.find(['\r', '\n']),
        _ => rest.chars().next().map(char::len_utf8),
    };
    let end = length.map_or(shown.len(), |length| offset + length);
    Problem {
        path: candidate.shown.clone(),
        span: (!shown.is_empty()).then(|| SpanFinder::new(shown).span(&(*offset..end))),
        message: fault.to_string(),
        hint: Some(fault.hint().to_owned()),
        ..Problem::default()
    }
}

/// Reads files on several threads; the result has their order.
pub(super) fn read_all<'c>(
    candidates: impl IntoIterator<Item = &'c Candidate>,
    source: &dyn Source,
    shard: Option<Shard>,
) -> Vec<File> {
    let candidates: Vec<&Candidate> = candidates.into_iter().collect();
    candidates
        .into_par_iter()
        .map(|candidate| read_file(candidate, source, shard))
        .collect()
}
