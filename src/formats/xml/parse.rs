//! A piece of an XML file -> the children of the root that end in it.
//!
//! Lenient where the meaning is clear: an ampersand that begins no entity is an ampersand.

use super::tree::{Growing, Mark, Tree};
use quick_xml::Error;
use quick_xml::errors::IllFormedError;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// Elements within elements. The formats need eight.
const MAX_DEPTH: usize = 64;

/// Up to this many attributes, each name is compared with those before it.
const FEW_ATTRIBUTES: usize = 16;

/// Where the reading of a file is: before the root, in it, or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Before,
    Inside,
    After,
}

/// What is wrong with a text.
#[derive(Debug)]
pub(super) struct Fault {
    /// In bytes from its start.
    pub(super) offset: usize,
    pub(super) message: String,
    /// Whether that may be because the text ends here.
    pub(super) may_be_cut: bool,
}

/// What was read from a piece.
#[derive(Debug)]
pub(super) struct Piece {
    /// Without its text.
    pub(super) tree: Tree,
    pub(super) size: Mark,
    /// Where the part that was not read begins.
    pub(super) used: usize,
    /// Whether the root was closed and nothing else follows in the piece, or what comes after the tree.
    pub(super) end: Result<(), Fault>,
}

/// Reads a piece from an offset, as far as its elements are whole.
pub(super) fn parse(text: &str, from: usize, place: &mut Place, root: &str, like: Mark) -> Piece {
    let mut pass = Pass::new(text, from, like);
    let mut used = from;
    let end = pass.children(place, root, &mut used);
    Piece {
        size: pass.tree.mark(),
        tree: pass.tree.finish(),
        used,
        end,
    }
}

/// Reads the start tag of the root, and returns where it ends.
pub(super) fn parse_root(text: &str, place: &mut Place, root: &mut String) -> Result<usize, Fault> {
    let mut pass = Pass::new(text, 0, Mark::default());
    loop {
        let start = pass.position();
        match pass.event()? {
            Event::Start(_) => *place = Place::Inside,
            Event::Empty(_) => *place = Place::After,
            Event::Eof => return Err(cut(start, "there is no element in the file".to_owned())),
            Event::End(tag) => return Err(unmatched(start, &tag.name())),
            Event::Text(text) if !text.trim().is_empty() => {
                return Err(fault(start, "text before the first element".to_owned()));
            }
            _ => continue,
        }
        let at = pass.start(start)?;
        pass.tree.name(at).clone_into(root);
        return Ok(pass.position());
    }
}

struct Pass<'s> {
    text: &'s str,
    reader: Reader<&'s [u8]>,
    /// Where the reader began. It counts from there.
    from: usize,
    tree: Growing<'s>,
    /// The indices of the elements that are not closed yet.
    open: Vec<usize>,
}

impl<'s> Pass<'s> {
    fn new(text: &'s str, from: usize, like: Mark) -> Self {
        let mut reader = Reader::from_str(&text[from..]);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        // The root is closed in a later piece than the one that opened it.
        config.allow_unmatched_ends = true;
        Self {
            text,
            reader,
            from,
            tree: Growing::new(text, like),
            open: Vec::new(),
        }
    }

    fn children(&mut self, place: &mut Place, root: &str, used: &mut usize) -> Result<(), Fault> {
        loop {
            let start = self.position();
            match (*place, self.event()?) {
                (Place::Inside, Event::Start(_)) => {
                    let mark = self.tree.mark();
                    let read = self.child(start);
                    read.inspect_err(|_| self.tree.reset(mark))?;
                }
                (Place::Inside, Event::Empty(_)) => {
                    let mark = self.tree.mark();
                    let read = self.start(start);
                    read.inspect_err(|_| self.tree.reset(mark))?;
                }
                (Place::Inside, Event::End(tag)) if *tag.name().as_ref() == *root => {
                    *place = Place::After;
                }
                (Place::Inside, Event::End(tag)) => {
                    let error = IllFormedError::MismatchedEndTag {
                        expected: root.to_owned(),
                        found: tag.name().as_ref().to_owned(),
                    };
                    return Err(fault(start, Error::from(error).to_string()));
                }
                (Place::Inside, Event::Eof) => return Err(self.cut_off(root)),
                (_, Event::Eof) => return Ok(()),
                // Two documents in one file: an element after the root would be lost without a word.
                (_, Event::Start(_) | Event::Empty(_)) => {
                    let message = format!("an element after the end of <{root}>");
                    return Err(fault(start, message));
                }
                (_, Event::End(tag)) => return Err(unmatched(start, &tag.name())),
                (_, Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_)) => {}
                // More of a text may follow in the next piece.
                _ => continue,
            }
            *used = self.position();
        }
    }

    /// The element whose start tag was just read, with all that is in it.
    fn child(&mut self, start: usize) -> Result<(), Fault> {
        let first = self.start(start)?;
        self.open.clear();
        let mut last = first;
        loop {
            let start = self.position();
            match self.event()? {
                Event::Start(_) if self.open.len() == MAX_DEPTH => {
                    let message = format!("elements nested more than {MAX_DEPTH} levels deep");
                    return Err(fault(start, message));
                }
                Event::Start(_) => {
                    let child = self.start(start)?;
                    self.open.push(std::mem::replace(&mut last, child));
                }
                Event::Empty(_) => _ = self.start(start)?,
                Event::End(_) => {
                    self.tree.close(last);
                    match self.open.pop() {
                        Some(parent) => last = parent,
                        None => return Ok(()),
                    }
                }
                Event::Text(text) => self.tree.push_text(last, text.into_inner()),
                Event::CData(text) => self.tree.push_text(last, text.into_inner()),
                Event::GeneralRef(name) => {
                    let reference = &self.text[start..self.position()];
                    let text = resolved(&name).unwrap_or_else(|| {
                        self.tree.push_unresolved(last, reference);
                        reference.into()
                    });
                    self.tree.push_text(last, text);
                }
                Event::Eof => return Err(self.cut_off(self.tree.name(last))),
                _ => {}
            }
        }
    }

    /// Adds the element of the start tag that begins here and was just read.
    fn start(&mut self, start: usize) -> Result<usize, Fault> {
        let tag = &self.text[start..self.position()];
        let tag = tag.strip_prefix('<').unwrap_or(tag);
        let tag = tag.strip_suffix('>').unwrap_or(tag);
        let tag = tag.strip_suffix('/').unwrap_or(tag);
        let length = tag.bytes().position(|byte| byte.is_ascii_whitespace());
        let length = length.unwrap_or(tag.len());
        let at = self.tree.push(&tag[..length]);
        let wrong = |error: AttrError| fault(start, error.to_string());
        let mut attributes = Attributes::new(tag, length);
        let are_few = tag.len() < FEW_ATTRIBUTES * 64;
        let are_few = are_few && tag.bytes().filter(|byte| *byte == b'=').count() <= FEW_ATTRIBUTES;
        attributes.with_checks(!are_few);
        for attribute in attributes {
            let attribute = attribute.map_err(wrong)?;
            let name = attribute.key.into_inner();
            if are_few && self.tree.has_attribute(at, name) {
                // The parser says where both are.
                for checked in Attributes::new(tag, length) {
                    checked.map_err(wrong)?;
                }
            }
            let value = self.value(at, attribute.value);
            self.tree.push_attribute(name, value);
        }
        Ok(at)
    }

    /// The value of an attribute, with its entities resolved and white space as spaces.
    fn value<'v>(&mut self, at: usize, raw: Cow<'v, str>) -> Cow<'v, str> {
        let is_plain = |byte: u8| !matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
        let Cow::Borrowed(raw) = raw else {
            return raw;
        };
        if raw.bytes().all(is_plain) {
            return raw.into();
        }
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(offset) = rest.find(['&', '\t', '\n', '\r']) {
            value.push_str(&rest[..offset]);
            rest = &rest[offset..];
            let end = rest[1..].find(['&', ';']).map(|at| at + 1);
            let reference =
                end.filter(|end| rest.starts_with('&') && rest[*end..].starts_with(';'));
            let length = if let Some(end) = reference {
                let reference = &rest[..=end];
                if let Some(text) = resolved(&rest[1..end]) {
                    value.push_str(&text);
                } else {
                    self.tree.push_unresolved(at, reference);
                    value.push_str(reference);
                }
                reference.len()
            } else if rest.starts_with('&') {
                value.push('&');
                1
            } else {
                value.push(' ');
                if rest.starts_with("\r\n") { 2 } else { 1 }
            };
            rest = &rest[length..];
        }
        value.push_str(rest);
        value.into()
    }

    /// In the whole text. The reader leaves a byte order mark out of its count.
    fn position(&self) -> usize {
        self.text.len() - self.reader.get_ref().len()
    }

    fn event(&mut self) -> Result<Event<'s>, Fault> {
        self.reader.read_event().map_err(|error| Fault {
            offset: self.from + self.reader.error_position() as usize,
            message: error.to_string(),
            may_be_cut: matches!(error, Error::Syntax(_)),
        })
    }

    fn cut_off(&self, element: &str) -> Fault {
        cut(self.text.len(), format!("the file ends within <{element}>"))
    }
}

fn fault(offset: usize, message: String) -> Fault {
    Fault {
        offset,
        message,
        may_be_cut: false,
    }
}

fn cut(offset: usize, message: String) -> Fault {
    Fault {
        may_be_cut: true,
        ..fault(offset, message)
    }
}

fn unmatched(offset: usize, name: &impl AsRef<str>) -> Fault {
    let error = IllFormedError::UnmatchedEndTag(name.as_ref().to_owned());
    fault(offset, Error::from(error).to_string())
}

/// The text of a reference, such as `&lt;`; `None` if its entity is not known.
fn resolved(name: &str) -> Option<Cow<'static, str>> {
    match BytesRef::new(name).resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string().into()),
        _ => resolve_xml_entity(name).map(|text| text.to_owned().into()),
    }
}
