//! XML files, read a few children of the root at a time: `xml/parse.rs` reads such a piece into the tree of `xml/tree.rs`.

mod parse;
mod tree;
mod write;

use super::builder::Builder;
use super::error::ImportError;
use super::parallel::overlapped;
use super::source::{self, Source, has_extension};
use crate::model::{TextReader, escape};
use parse::{Place, parse, parse_root};
use std::io::Read;
use tree::Mark;
pub(super) use tree::{Element, Tree};
pub(super) use write::{escaped, is_held};

/// How much of a file is read before its elements are handled. An element that is longer is read as a whole.
const BYTES_AT_ONCE: usize = 1 << 16;

/// A file whose root element was read.
pub(super) struct Xml<'s> {
    path: &'s str,
    /// What follows the text; `None` if that is all.
    more: Option<More<'s>>,
    /// What was not handled yet, and where its elements begin.
    text: String,
    from: usize,
    /// Lines that end before the text, and characters of the last line before it.
    lines: usize,
    columns: usize,
    place: Place,
    root: String,
    /// The size of the last tree.
    size: Mark,
    /// How the file ended, once it did.
    end: Option<Result<(), ImportError>>,
}

struct More<'s> {
    reader: TextReader<Box<dyn Read + Send + 's>>,
    source: &'s dyn Source,
    bytes_at_once: usize,
}

impl<'s> Xml<'s> {
    /// Opens a file that is read piece by piece.
    pub(super) fn open(source: &'s dyn Source, path: &'s str) -> Result<Self, ImportError> {
        match source.stream(path) {
            Some(reader) => Self::stream(source, path, reader, BYTES_AT_ONCE),
            None => Self::whole(path, source::text(source, path)?),
        }
    }

    fn stream(
        source: &'s dyn Source,
        path: &'s str,
        reader: Box<dyn Read + Send + 's>,
        bytes_at_once: usize,
    ) -> Result<Self, ImportError> {
        let reader = TextReader::new(reader);
        let more = More {
            reader,
            source,
            bytes_at_once,
        };
        Self::start(path, String::new(), Some(more))
    }

    pub(super) fn whole(path: &'s str, text: String) -> Result<Self, ImportError> {
        Self::start(path, text, None)
    }

    fn start(path: &'s str, text: String, more: Option<More<'s>>) -> Result<Self, ImportError> {
        let size = Mark::of_bytes(text.len());
        let mut xml = Self {
            path,
            more,
            text,
            from: 0,
            lines: 0,
            columns: 0,
            place: Place::Before,
            root: String::new(),
            size,
            end: None,
        };
        loop {
            xml.fill()?;
            match parse_root(&xml.text, &mut xml.place, &mut xml.root) {
                Ok(end) => {
                    xml.from = end;
                    return Ok(xml);
                }
                Err(fault) if fault.may_be_cut && xml.more.is_some() => {}
                Err(fault) => return Err(xml.error(fault.offset, &fault.message)),
            }
        }
    }

    /// The name of the root element.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// All children of the root, for a small file.
    pub(super) fn children(mut self) -> Result<Tree, ImportError> {
        let tree = self.next();
        self.end.unwrap_or(Ok(())).map(|()| tree)
    }

    /// Passes each child of the root to a function, which handles some of them while the next are read. All that are
    /// before an error are passed.
    pub(super) fn each(
        mut self,
        mut handle: impl FnMut(Element<'_>) + Send,
    ) -> Result<(), ImportError> {
        overlapped(
            || {
                let tree = self.next();
                if tree.is_empty() {
                    Vec::new()
                } else {
                    vec![tree]
                }
            },
            |tree: Tree| tree.elements().for_each(&mut handle),
        );
        self.end.unwrap_or(Ok(()))
    }

    /// The next children of the root; none at the end.
    fn next(&mut self) -> Tree {
        while self.end.is_none() {
            if let Err(error) = self.fill() {
                self.end = Some(Err(error));
                break;
            }
            let (place, root) = (&mut self.place, &self.root);
            let piece = parse(&self.text, self.from, place, root, self.size);
            match piece.end {
                Ok(()) if self.more.is_none() => self.end = Some(Ok(())),
                Err(fault) if self.more.is_none() || !fault.may_be_cut => {
                    self.end = Some(Err(self.error(fault.offset, &fault.message)));
                }
                _ => {}
            }
            let text = self.take(piece.used);
            if !piece.tree.is_empty() {
                self.size = piece.size;
                return piece.tree.with(text);
            }
        }
        Tree::default()
    }

    /// Reads on, and more the more there is that was of no use alone.
    fn fill(&mut self) -> Result<(), ImportError> {
        let Some(more) = &mut self.more else {
            return Ok(());
        };
        let least = more.bytes_at_once.max(self.text.len() - self.from);
        match more.reader.read(&mut self.text, least) {
            Some(true) => {}
            Some(false) => self.more = None,
            None => {
                // The whole file says what is wrong with it, and where.
                source::text(more.source, self.path)?;
                return Err(ImportError::Unreadable {
                    file: self.path.to_owned(),
                    message: "it changed while it was read".to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Returns the text read so far; the part from `used` on stays, to be read again.
    fn take(&mut self, used: usize) -> String {
        let (before, rest) = self.text.split_at(used);
        self.lines += before.matches('\n').count();
        self.columns = match before.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.columns + before.chars().count(),
        };
        let mut left = String::new();
        if let Some(more) = &self.more {
            left.reserve_exact(rest.len() + more.bytes_at_once.max(rest.len()));
        }
        left.push_str(rest);
        self.from = 0;
        std::mem::replace(&mut self.text, left)
    }

    fn error(&self, offset: usize, message: &str) -> ImportError {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let (lines, columns) = match before.rsplit_once('\n') {
            Some((_, last)) => (before.matches('\n').count(), last.chars().count()),
            None => (0, self.columns + before.chars().count()),
        };
        ImportError::Syntax {
            file: self.path.to_owned(),
            line: self.lines + lines + 1,
            column: columns + 1,
            message: escape(message).into_owned(),
        }
    }
}

/// The references of an element to unknown entities, each with the file's path, for notes.
pub(super) fn unresolved(element: Element<'_>, path: &str) -> impl Iterator<Item = String> {
    let references = element.unresolved();
    references.map(move |reference| format!("{reference} in {path}"))
}

/// The name of the root element of a file that begins with these bytes, and what follows its start tag.
pub(super) fn root_of(head: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let mut root = String::new();
    let end = parse_root(text, &mut Place::Before, &mut root).ok()?;
    Some((root, text[end..].to_owned()))
}

/// The XML files among those to import; one that was named alone may have any name.
pub(super) fn files(source: &dyn Source) -> Vec<&str> {
    let files = source.files();
    files
        .iter()
        .filter(|path| files.len() == 1 || has_extension(path, &["xml"]))
        .map(String::as_str)
        .collect()
}

/// Files of a set that cannot be read, or are of another format.
#[derive(Debug, Default)]
pub(super) struct FileErrors {
    first: Option<ImportError>,
    /// Whether a file is of the format, even if it cannot be read.
    has_format: bool,
}

impl FileErrors {
    /// Says that a file was read.
    pub(super) fn read(&mut self) {
        self.has_format = true;
    }

    /// Reports a file. Returns whether it is of the format, so that labels may be missing.
    pub(super) fn failed(
        &mut self,
        path: &str,
        error: ImportError,
        builder: &mut Builder<'_>,
    ) -> bool {
        let is_of_format = !matches!(error, ImportError::OtherFormat { .. });
        self.has_format |= is_of_format;
        builder.unreadable_file(path, &error);
        self.first.get_or_insert(error);
        is_of_format
    }

    /// Fails if there is only one file, or if none of the files has the format.
    pub(super) fn check(self, files: usize) -> Result<(), ImportError> {
        match self.first {
            Some(error) if files == 1 || !self.has_format => Err(error),
            _ => Ok(()),
        }
    }
}

/// A whole number above 0, such as `640` or `640.0`.
pub(super) fn length(text: &str) -> Option<u32> {
    let number: f64 = text.trim().parse().ok()?;
    (number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number))
        .then_some(number as u32)
}

/// A finite number.
pub(super) fn number(text: &str) -> Option<f64> {
    let number = text.trim().parse().ok();
    number.filter(|number: &f64| number.is_finite())
}

/// The path of a file without its extension `.xml`.
pub(super) fn without_xml(path: &str) -> &str {
    if has_extension(path, &["xml"]) {
        &path[..path.len() - 4]
    } else {
        path
    }
}

/// Width and height of the first of these pictures that is there.
pub(super) fn size_of_first(
    source: &dyn Source,
    folders: &[String],
    name: &str,
) -> Option<(u32, u32)> {
    folders.iter().find_map(|folder| {
        let path = source::join(folder, name)?;
        source.image_size(&path)
    })
}

#[cfg(test)]
mod tests;
