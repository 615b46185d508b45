//! CoNLL files <-> texts with spans: one token per line, with its tag in the last column.
//!
//! The file has no text, so it is made of the tokens: one space between two of a sentence, a line break between two
//! sentences. `conll/tags.rs` joins tags to spans, in all of the usual notations.

mod tags;
mod write;

use super::account::{Imported, Media, Note, SkipCode};
use super::builder::{Builder, Object, ObjectName, Picture, Place};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::place::{NotPlaced, Shape, skip};
use super::source::{Source, has_extension, text};
use crate::model::{FileKind, Geometry, Span, hex};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use tags::{Spans, Tag};

use smallvec::smallvec;
pub(super) use write::export;

/// Begins a document.
const DOCUMENT: &str = "-DOCSTART-";
/// Extensions that only these files have.
const OWN: [&str; 5] = ["conll", "conll2003", "iob", "iob2", "bio"];
/// Extensions of these files and of others.
const SHARED: [&str; 2] = ["txt", "tsv"];
/// How many files are looked at to recognise them.
const LOOKED_AT: usize = 20;

/// Imports files of two columns or more. An input is a document, or a sentence if the file is not divided into
/// documents.
pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let files = files(source);
    if files.is_empty() {
        return Err(ImportError::OtherFormat {
            format: Format::Conll,
            why: format!(
                "no file ends in .{} or .{}",
                OWN.join(", ."),
                SHARED.join(", .")
            ),
        });
    }
    let mut builder = Builder::new(options);
    for path in &files {
        match text(source, path) {
            Ok(text) => file(path, &text, &mut builder),
            Err(error) if files.len() == 1 => return Err(error),
            Err(error) => {
                builder.unreadable_file(path, &error);
            }
        }
    }
    builder.finish()
}

fn files(source: &dyn Source) -> Vec<&str> {
    let all = source.files();
    all.iter()
        .map(String::as_str)
        .filter(|path| all.len() == 1 || has_extension(path, &OWN) || has_extension(path, &SHARED))
        .collect()
}

/// Whether the lines of every text file end in a tag.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let files = files(source);
    !files.is_empty()
        && files
            .iter()
            .take(LOOKED_AT)
            .all(|path| has_tags(source, path))
}

fn has_tags(source: &dyn Source, path: &str) -> bool {
    let head = source.head(path, FileKind::HEAD_BYTES);
    let is_cut = head.len() as u64 == FileKind::HEAD_BYTES;
    let head = String::from_utf8_lossy(&head);
    let text = head.trim_start_matches('\u{feff}');
    let whole = match text.rsplit_once('\n') {
        Some((whole, _)) if is_cut => whole,
        _ => text,
    };
    let mut has_spans = has_extension(path, &OWN);
    let mut has_tokens = false;
    for line in whole.lines().filter(|line| !line.trim().is_empty()) {
        let columns = columns(line);
        if columns[0] == DOCUMENT {
            has_spans = true;
            continue;
        }
        match columns.last().map(|tag| Tag::parse(tag)) {
            Some(Ok(tag)) if columns.len() > 1 && !tag.is_bare() => {
                has_tokens = true;
                has_spans |= tag.label.is_some();
            }
            _ if line.starts_with('#') => {}
            _ => return false,
        }
    }
    has_tokens && has_spans
}

/// Separated by tabs, else by spaces. Other white space is part of a token. Not empty for a line that is not blank.
fn columns(line: &str) -> Vec<&str> {
    let line = line.trim_end_matches(['\r', '\n']);
    let separator = if line.contains('\t') { '\t' } else { ' ' };
    let columns = line.split(separator).filter(|column| !column.is_empty());
    let columns: Vec<&str> = columns.collect();
    if columns.is_empty() {
        vec![""]
    } else {
        columns
    }
}

/// The name in `-DOCSTART- (name)`.
fn document_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(DOCUMENT)?.trim();
    let name = rest.strip_prefix('(')?.strip_suffix(')')?.trim();
    (!name.is_empty()).then_some(name)
}

fn is_document(line: &str) -> bool {
    (line.strip_prefix(DOCUMENT))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

fn file(path: &str, text: &str, builder: &mut Builder<'_>) {
    let starts = || text.lines().filter(|line| is_document(line));
    // One line without a name only says where the file begins.
    let has_documents =
        starts().nth(1).is_some() || starts().any(|line| document_name(line).is_some());
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let mut names = Names {
        stem: stem.to_owned(),
        count: HashMap::new(),
    };
    let mut document = Document::default();
    let mut columns_before = 0;
    for (index, line) in text.lines().enumerate() {
        if is_document(line) {
            std::mem::take(&mut document).add(&mut names, builder);
            document.name = document_name(line).map(str::to_owned);
        } else if line.trim_matches([' ', '\t', '\r']).is_empty() {
            document.end_sentence();
            if !has_documents {
                std::mem::take(&mut document).add(&mut names, builder);
            }
        } else {
            document.token(index + 1, line, &mut columns_before);
        }
    }
    document.add(&mut names, builder);
}

/// Names texts by their content: numbers would shift when a text is added before them.
struct Names {
    stem: String,
    count: HashMap<String, u64>,
}

impl Names {
    fn name(&mut self, text: &str) -> String {
        let hash = hex(&Sha256::digest(text.as_bytes())[..5]);
        let name = format!("{}-{hash}", self.stem);
        let count = self.count.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 {
            name
        } else {
            format!("{name}-{count}")
        }
    }
}

#[derive(Default)]
struct Document {
    name: Option<String>,
    text: String,
    /// Of the text, in code points.
    length: usize,
    is_sentence_over: bool,
    spans: Spans,
    wrong: Vec<(usize, String)>,
}

impl Document {
    fn end_sentence(&mut self) {
        self.spans.end();
        self.is_sentence_over = true;
    }

    fn token(&mut self, number: usize, line: &str, columns_before: &mut usize) {
        let columns = columns(line);
        let count = columns.len();
        let tag = match columns[..] {
            [_, .., tag] => Tag::parse(tag),
            _ => Err("one column: a token, and a tag in the last column".to_owned()),
        };
        if line.starts_with('#')
            && (tag.is_err() || tag.as_ref().is_ok_and(Tag::is_bare) && *columns_before != count)
        {
            // A comment. A token `#` has a tag, and as many columns as others.
            return;
        }
        *columns_before = count;
        if !self.text.is_empty() {
            self.text
                .push(if self.is_sentence_over { '\n' } else { ' ' });
            self.length += 1;
        }
        self.is_sentence_over = false;
        let start = self.length;
        self.text.push_str(columns[0]);
        self.length += columns[0].chars().count();
        match tag {
            Ok(tag) => self.spans.add(&tag, number, start, self.length),
            Err(detail) => {
                self.spans.end();
                self.wrong.push((number, detail));
            }
        }
    }

    fn add(mut self, names: &mut Names, builder: &mut Builder<'_>) {
        self.spans.end();
        if self.text.is_empty() {
            return;
        }
        let name = match self.name {
            Some(name) => name,
            None => names.name(&self.text),
        };
        builder.note(Note::JoinedText, name.as_str());
        let characters: Vec<usize> = self.text.char_indices().map(|(at, _)| at).collect();
        let spans: Vec<_> = (self.spans.all.into_iter())
            .map(|span| {
                let byte = |at: usize| characters.get(at).copied().unwrap_or(self.text.len());
                let text: Box<str> = self.text[byte(span.start)..byte(span.end)].into();
                (span, text)
            })
            .collect();
        let at = builder.picture(Picture {
            file_name: Some(name.clone()),
            own_id: Some(name),
            media: Media::Text(self.text),
            place: Place::Unknown,
            ..Picture::default()
        });
        for (number, detail) in self.wrong {
            let detail = format!("line {number}: {detail}");
            let name = ObjectName::Line(number);
            builder.left_out(Some(at), name, SkipCode::WrongType, detail);
        }
        for (span, text) in spans {
            let name = ObjectName::Line(span.line);
            match shape(span.start, span.end, text) {
                Ok(shape) => builder.object(
                    at,
                    Object {
                        name,
                        concepts: smallvec![(span.label.into(), 1.0)],
                        shapes: smallvec![shape],
                        ..Object::default()
                    },
                ),
                Err(NotPlaced { code, detail }) => {
                    builder.left_out(Some(at), name, code, detail);
                }
            }
        }
    }
}

fn shape(start: usize, end: usize, text: Box<str>) -> Result<Shape, NotPlaced> {
    let long = || {
        let detail = format!("characters {start} to {end}: too many");
        skip(SkipCode::OutsideText, detail)
    };
    let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else {
        return Err(long());
    };
    let span = Span::new(start, end, Some(text)).map_err(|_| long())?;
    Ok(Shape::Done(Geometry::Span(Box::new(span))))
}

#[cfg(test)]
mod tests;
