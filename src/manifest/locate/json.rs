//! Positions in valid JSON, by a short scan.
//!
//! `serde_json` reports where a value ends, but not where values and keys begin.

use super::{Branches, Offsets};
use std::borrow::Cow;
use std::collections::HashSet;

/// Locates the pointers in the value that begins at `from`.
pub(super) fn walk(text: &str, from: usize, wanted: &Branches<'_, '_>, offsets: &mut Offsets) {
    let mut scan = Scan { text, at: from };
    scan.space();
    let start = scan.at;
    let first = scan.value(wanted, offsets);
    offsets.set(wanted.values(), first.or(Some(start)));
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scan<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Skips a string and returns its content.
    fn string(&mut self) -> Cow<'t, str> {
        let start = self.at;
        self.at += 1;
        let mut has_escapes = false;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.at += 1;
                }
                _ => {}
            }
        }
        let token = self.text.get(start..self.at).unwrap_or_default();
        if has_escapes {
            Cow::Owned(serde_json::from_str(token).unwrap_or_default())
        } else {
            Cow::Borrowed(token.trim_matches('"'))
        }
    }

    /// Skips a value without pointers. Not recursive, because it may be most of the file.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            self.space();
            match self.peek() {
                None => return,
                Some(b'"') => {
                    self.string();
                }
                Some(b'[' | b'{') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b']' | b'}') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => self.at += 1,
                Some(_) => self.word(),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Skips a number, true, false or null.
    fn word(&mut self) {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.')
        ) {
            self.at += 1;
        }
        // The scan ends whatever the text is.
        if self.at == start {
            self.at += 1;
        }
    }

    /// Reads a value. Returns the offset of a container's first key or element.
    fn value(&mut self, wanted: &Branches<'_, '_>, offsets: &mut Offsets) -> Option<usize> {
        match self.peek() {
            Some(b'[') => self.list(wanted, offsets),
            Some(b'{') => self.map(wanted, offsets),
            _ => {
                self.skip();
                None
            }
        }
    }

    /// The offset of the next item of a list or a map; `None` after the last.
    fn next_item(&mut self, close: u8) -> Option<usize> {
        self.space();
        let next = self.peek()?;
        if next == close {
            self.at += 1;
            return None;
        }
        if next == b',' {
            self.at += 1;
            self.space();
        }
        Some(self.at)
    }

    fn list(&mut self, wanted: &Branches<'_, '_>, offsets: &mut Offsets) -> Option<usize> {
        self.at += 1;
        let mut first = None;
        for index in 0.. {
            let Some(start) = self.next_item(b']') else {
                break;
            };
            first = first.or(Some(start));
            let child = wanted.child(index, None);
            if child.is_empty() {
                if wanted.wants_items() && self.peek() == Some(b'"') {
                    let text = self.string();
                    offsets.set(wanted.items(&text), Some(start));
                } else {
                    self.skip();
                }
                continue;
            }
            if self.peek() == Some(b'"') {
                let text = self.string();
                offsets.set(wanted.items(&text), Some(start));
                offsets.set(child.values(), Some(start));
            } else {
                let inner = self.value(&child, offsets);
                offsets.set(child.values(), inner.or(Some(start)));
            }
        }
        first
    }

    fn map(&mut self, wanted: &Branches<'_, '_>, offsets: &mut Offsets) -> Option<usize> {
        self.at += 1;
        let mut first = None;
        let mut seen: HashSet<Cow<'t, str>> = HashSet::new();
        for index in 0.. {
            let Some(start) = self.next_item(b'}') else {
                break;
            };
            first = first.or(Some(start));
            let key = self.string();
            offsets.set(wanted.items(&key), Some(start));
            let child = wanted.child(index, (!seen.contains(&key)).then_some(&*key));
            seen.insert(key);
            self.space();
            self.at += 1;
            self.space();
            offsets.set(child.keys(), Some(start));
            let value = self.at;
            let is_container = matches!(self.peek(), Some(b'[' | b'{'));
            if child.is_empty() {
                self.skip();
            } else {
                self.value(&child, offsets);
            }
            offsets.set(
                child.values(),
                Some(if is_container { start } else { value }),
            );
        }
        first
    }
}
