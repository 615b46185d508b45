//! XML files, read one child of the root at a time.
//!
//! Lenient where the meaning is clear: an ampersand that begins no entity is an ampersand.

mod write;

use super::builder::Builder;
use super::error::ImportError;
use super::parallel::overlapped;
use super::source::{self, Source, has_extension};
use crate::model::escape;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;
pub(super) use write::{escaped, is_held};

/// Elements within elements. The formats need eight.
const MAX_DEPTH: usize = 64;

/// How much of a file is read before its elements are handled.
const BYTES_AT_ONCE: usize = 1 << 16;

/// An element with all that is in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Element<'t> {
    pub(super) name: &'t str,
    attributes: Vec<(&'t str, Cow<'t, str>)>,
    pub(super) children: Vec<Element<'t>>,
    text: Cow<'t, str>,
}

impl<'t> Element<'t> {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_ref())
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Element<'t>> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of this name.
    pub(super) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element<'t>> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the element itself, without white space at its ends.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The text of the first child of this name; `None` if it is missing or empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text();
        (!text.is_empty()).then_some(text)
    }

    fn push_text(&mut self, text: Cow<'t, str>) {
        // White space at its start is not part of the text, and there is some before each child.
        if self.text.trim().is_empty() {
            self.text = text;
        } else {
            self.text.to_mut().push_str(&text);
        }
    }
}

/// A file whose root element was read.
pub(super) struct Xml<'t> {
    path: &'t str,
    text: &'t str,
    reader: Reader<&'t [u8]>,
    root: &'t str,
    is_at_end: bool,
}

impl<'t> Xml<'t> {
    pub(super) fn open(path: &'t str, text: &'t str) -> Result<Self, ImportError> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_dangling_amp = true;
        let mut xml = Self {
            path,
            text,
            reader,
            root: "",
            is_at_end: false,
        };
        loop {
            let start = xml.position();
            match xml.event()? {
                Event::Start(_) => xml.root = xml.start(start)?.name,
                Event::Empty(_) => {
                    xml.root = xml.start(start)?.name;
                    xml.is_at_end = true;
                }
                Event::Eof => return Err(xml.error(start, "there is no element in the file")),
                Event::Text(text) if !text.trim().is_empty() => {
                    return Err(xml.error(start, "text before the first element"));
                }
                _ => continue,
            }
            return Ok(xml);
        }
    }

    /// The name of the root element.
    pub(super) fn root(&self) -> &'t str {
        self.root
    }

    /// The next child of the root; `None` after the last one.
    pub(super) fn next(&mut self) -> Result<Option<Element<'t>>, ImportError> {
        while !self.is_at_end {
            let start = self.position();
            match self.event()? {
                Event::Start(_) => {
                    let first = self.start(start)?;
                    return self.rest(first).map(Some);
                }
                Event::Empty(_) => return self.start(start).map(Some),
                Event::End(_) => self.is_at_end = true,
                Event::Eof => return Err(self.cut_off(self.root)),
                _ => {}
            }
        }
        // Two documents in one file: an element after the root would be lost without a word.
        loop {
            let start = self.position();
            match self.event()? {
                Event::Eof => return Ok(None),
                Event::Start(_) | Event::Empty(_) => {
                    let message = format!("an element after the end of <{}>", self.root);
                    return Err(self.error(start, &message));
                }
                _ => {}
            }
        }
    }

    /// Passes each child of the root to a function, which handles some of them while the next are read. All that are
    /// before an error are passed.
    pub(super) fn each(
        mut self,
        mut handle: impl FnMut(Element<'t>) + Send,
    ) -> Result<(), ImportError> {
        let mut end = None;
        let next = || {
            let mut batch = Vec::new();
            let start = self.position();
            while end.is_none() && self.position() - start < BYTES_AT_ONCE {
                match self.next() {
                    Ok(Some(element)) => batch.push(element),
                    Ok(None) => end = Some(Ok(())),
                    Err(error) => end = Some(Err(error)),
                }
            }
            batch
        };
        overlapped(next, &mut handle);
        end.unwrap_or(Ok(()))
    }

    /// The element that began with this start tag.
    fn rest(&mut self, first: Element<'t>) -> Result<Element<'t>, ImportError> {
        let mut open = Vec::new();
        let mut last = first;
        loop {
            let start = self.position();
            match self.event()? {
                Event::Start(_) if open.len() == MAX_DEPTH => {
                    let message = format!("more than {MAX_DEPTH} elements within each other");
                    return Err(self.error(start, &message));
                }
                Event::Start(_) => open.push(std::mem::replace(&mut last, self.start(start)?)),
                Event::Empty(_) => last.children.push(self.start(start)?),
                Event::End(_) => match open.pop() {
                    Some(mut parent) => {
                        parent.children.push(last);
                        last = parent;
                    }
                    None => return Ok(last),
                },
                Event::Text(text) => last.push_text(text.into_inner()),
                Event::CData(text) => last.push_text(text.into_inner()),
                Event::GeneralRef(reference) => last.push_text(resolved(&reference).into()),
                Event::Eof => return Err(self.cut_off(last.name)),
                _ => {}
            }
        }
    }

    /// The element of the start tag that begins here and was just read.
    fn start(&self, start: usize) -> Result<Element<'t>, ImportError> {
        let tag = self.text.get(start..self.position()).unwrap_or_default();
        let tag = tag.strip_prefix('<').unwrap_or(tag);
        let tag = tag.strip_suffix('>').unwrap_or(tag);
        let tag = tag.strip_suffix('/').unwrap_or(tag);
        let length = tag.find(|c: char| c.is_ascii_whitespace());
        let name = &tag[..length.unwrap_or(tag.len())];
        let most = tag.bytes().filter(|byte| *byte == b'=').count();
        let mut attributes = Vec::with_capacity(most);
        for attribute in Attributes::new(tag, name.len()) {
            let attribute = attribute.map_err(|error| self.error(start, &error.to_string()))?;
            let is_plain = |byte: u8| !matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
            let value = if attribute.value.bytes().all(is_plain) {
                attribute.value
            } else {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                value.unwrap_or(attribute.value)
            };
            attributes.push((attribute.key.into_inner(), value));
        }
        Ok(Element {
            name,
            attributes,
            ..Element::default()
        })
    }

    fn position(&self) -> usize {
        self.reader.buffer_position() as usize
    }

    fn event(&mut self) -> Result<Event<'t>, ImportError> {
        let event = self.reader.read_event();
        event.map_err(|error| self.error(self.reader.error_position() as usize, &error.to_string()))
    }

    fn cut_off(&self, element: &str) -> ImportError {
        let message = format!("the file ends within <{element}>");
        self.error(self.text.len(), &message)
    }

    fn error(&self, offset: usize, message: &str) -> ImportError {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        ImportError::Syntax {
            file: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            message: escape(message).into_owned(),
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> String {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => character.to_string(),
        _ => resolve_xml_entity(reference)
            .map_or_else(|| format!("&{};", &**reference), str::to_owned),
    }
}

/// The name of the root element of a file that begins with these bytes, and what follows its start tag.
pub(super) fn root_of(head: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}');
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let xml = Xml::open("", text).ok()?;
    let rest = text.get(xml.position()..).unwrap_or_default();
    Some((xml.root.to_owned(), rest.to_owned()))
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

    /// Fails for the only file, and for files of which none is of the format.
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

/// The path of a file without its ending `.xml`.
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
mod tests {
    use super::*;

    fn children(text: &str) -> Result<Vec<Element<'_>>, String> {
        let mut xml = Xml::open("a.xml", text).map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        while let Some(child) = xml.next().map_err(|error| error.to_string())? {
            all.push(child);
        }
        Ok(all)
    }

    #[test]
    fn elements_have_attributes_children_and_text() {
        let all = children(
            "<?xml version=\"1.0\"?>\r\n<!-- a --><!DOCTYPE a>\n<a>\r\n <b x='1 &lt; 2' y=\"ä&#10;\"/>\n\
             <c> &lt;d&amp;&#228; & e &unknown; <![CDATA[<f>]]><g><h/></g></c>\n</a>\n",
        )
        .unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].attribute("x"), Some("1 < 2"));
        assert_eq!(all[0].attribute("y"), Some("ä\n"));
        assert_eq!(all[0].attribute("z"), None);
        assert_eq!(all[1].text(), "<d&ä & e &unknown; <f>");
        assert_eq!(all[1].child("g").unwrap().children[0].name, "h");
        assert_eq!(children("<a/>").unwrap().len(), 0);
    }

    #[test]
    fn wrong_files_are_errors_with_a_position() {
        let deep = format!("<a>{}", "<b>".repeat(100_000));
        for (text, error) in [
            ("", "a.xml:1:1: there is no element in the file"),
            ("words", "a.xml:1:1: text before the first element"),
            ("<a>\n <b>", "a.xml:2:5: the file ends within <b>"),
            ("<a>\n <b/>", "a.xml:2:6: the file ends within <a>"),
            (
                "<a>\n<b></c></a>",
                "a.xml:2:4: ill-formed document: expected `</b>`, but `</c>` was found",
            ),
            ("<a/>\n<a/>", "a.xml:2:1: an element after the end of <a>"),
            (
                &deep,
                "a.xml:1:199: more than 64 elements within each other",
            ),
        ] {
            assert_eq!(children(text).unwrap_err(), error);
        }
        for text in [
            "<a><b",
            "<a><b x=1/></a>",
            "<a><b x='1' x='2'/></a>",
            "<a><!--",
        ] {
            assert!(
                children(text).unwrap_err().starts_with("a.xml:1:"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_root_is_found_in_the_first_bytes() {
        let root = |head: &str| root_of(head.as_bytes()).map(|(name, _)| name);
        assert_eq!(
            root("\u{feff}<?xml ?>\n<annotation x='1'><fol").as_deref(),
            Some("annotation")
        );
        assert_eq!(root("{\"images\": []}"), None);
        assert_eq!(root("<annot"), None);
    }
}
