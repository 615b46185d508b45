//! Readers of maps with known keys, lists, texts and numbers. Each reports what it did not expect.
//!
//! A reader returns what is valid, and the caller goes on, so that one run reports everything. Which keys a manifest has
//! is not decided here.

use super::at::At;
use super::finding::{Finding, as_written};
use super::node::{Entry, Node, number};
use super::words::{list as word_list, quote, suggestion};
use crate::model::InvalidId;
use std::cell::RefMut;
use std::collections::HashMap;

/// The entries of a map with checked keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'p, 'n> {
    map: At<'p, 'n>,
    entries: &'n [Entry<'n>],
}

impl<'p, 'n> Fields<'p, 'n> {
    fn node(&self, key: &str) -> Option<&'n Node<'n>> {
        self.entries
            .iter()
            .find(|(known, _)| matches!(known, Node::Text(text) if text == key))
            .map(|(_, value)| value)
    }

    /// The text keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &'n str> {
        self.entries.iter().filter_map(|(key, _)| match key {
            Node::Text(text) => Some(text.as_ref()),
            _ => None,
        })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    pub(super) fn get<'s>(&'s self, key: &'static str) -> Option<At<'s, 'n>> {
        self.node(key).map(|node| self.map.entry(key, node))
    }

    /// The value of a key that must be there; `noun` is what the map is.
    pub(super) fn require<'s>(
        &'s self,
        key: &'static str,
        noun: &str,
        hint: &str,
    ) -> Option<At<'s, 'n>> {
        let value = self.get(key);
        if value.is_none() {
            self.error(format!("{noun} without `{key}`")).hint(hint);
        }
        value
    }

    /// Reports a problem with the map.
    pub(super) fn error(&self, message: impl Into<String>) -> RefMut<'p, Finding> {
        self.map.error(message)
    }

    /// Reports a problem with the value of a key.
    pub(super) fn value_error(
        &self,
        key: &'static str,
        message: impl Into<String>,
    ) -> RefMut<'p, Finding> {
        self.map.report(self.map.place.name(key).value(), message)
    }

    /// Reports a problem with a key.
    pub(super) fn key_error(
        &self,
        key: &'static str,
        message: impl Into<String>,
    ) -> RefMut<'p, Finding> {
        self.map.report(self.map.place.name(key).key(), message)
    }
}

/// Whether the keys are among these, each once. True for nearly every map.
fn are_known(entries: &[Entry<'_>], keys: &[&'static str]) -> bool {
    let mut seen = 0_u64;
    entries.iter().all(|(key, _)| {
        let Node::Text(text) = key else {
            return false;
        };
        let at = keys.iter().take(64).position(|known| known == text);
        let bit = at.map_or(0, |at| 1 << at);
        let is_new = bit & !seen != 0;
        seen |= bit;
        is_new
    })
}

/// What to write where text was meant and the parser sees something else.
fn quoting_hint(node: &Node<'_>) -> Option<String> {
    let text = match node {
        Node::Bool(value) => value.to_string(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => number(*value),
        Node::Null => return Some("if text is meant, put it in quotes: \"null\"".to_owned()),
        _ => return None,
    };
    Some(format!(
        "if text is meant, put it in quotes: \"{}\"",
        as_written(&text)
    ))
}

/// In each message, `noun` is the value: "`width`", "a box". `expected` completes "must be …".
impl<'p, 'n> At<'p, 'n> {
    /// Reports a value of the wrong type.
    pub(super) fn wrong_type(&self, noun: &str, expected: &str) -> RefMut<'p, Finding> {
        if *self.node == Node::Null {
            let mut finding = self.error(format!("{noun} has no value"));
            finding.hint(format!(
                "it must be {expected}; leave the key out if it does not apply"
            ));
            return finding;
        }
        self.error(format!(
            "{noun} must be {expected}, found {}",
            self.node.describe_written()
        ))
    }

    /// Reads a map with these keys.
    pub(super) fn fields(&self, noun: &str, keys: &[&'static str]) -> Option<Fields<'p, 'n>> {
        // This runs for every annotation: the message is built only if it is needed.
        let entries = if let Node::Map(entries) = self.node {
            entries
        } else {
            self.map(
                noun,
                &format!("a map of {}", word_list(keys.iter().copied())),
            )?
        };
        let unchecked = if are_known(entries, keys) {
            Vec::new()
        } else {
            self.text_entries(entries)
        };
        for (key, at) in unchecked {
            if !keys.contains(&key) {
                let hint = if key == "<<" {
                    "merge keys are not supported; aliases (`*name`) are".to_owned()
                } else {
                    suggestion(key, keys.iter().copied())
                };
                at.key_error(format!("unknown key {} in {noun}", quote(key)))
                    .hint(hint);
            }
        }
        Some(Fields {
            map: *self,
            entries,
        })
    }

    /// Reads a map of any keys.
    pub(super) fn map(&self, noun: &str, expected: &str) -> Option<&'n [Entry<'n>]> {
        if let Node::Map(entries) = self.node {
            return Some(entries);
        }
        self.wrong_type(noun, expected);
        None
    }

    /// The values of a map with their keys. Keys that are not text, and duplicates, are reported and left out.
    pub(super) fn text_entries<'s>(
        &'s self,
        entries: &'n [Entry<'n>],
    ) -> Vec<(&'n str, At<'s, 'n>)> {
        let mut index_of: HashMap<&str, usize> = HashMap::new();
        let mut read: Vec<(&str, At<'s, 'n>)> = Vec::with_capacity(entries.len());
        for (index, (key, value)) in entries.iter().enumerate() {
            let at = self.nth(index, value);
            let Node::Text(text) = key else {
                at.key_error(format!(
                    "a key must be text, found {}",
                    key.describe_written()
                ))
                .hint(quoting_hint(key).unwrap_or_else(|| "write a plain word".to_owned()));
                continue;
            };
            // For the few keys of most maps a scan is faster than a hash table.
            let earlier = if entries.len() <= 16 {
                read.iter().position(|(known, _)| *known == text.as_ref())
            } else {
                let earlier = index_of.get(text.as_ref()).copied();
                index_of.entry(text).or_insert(read.len());
                earlier
            };
            if let Some(earlier) = earlier {
                at.key_error(format!("duplicate key {}", quote(text)))
                    .hint("keep one of the two")
                    .related("the first is at", read[earlier].1.place.key());
            } else {
                read.push((text, at));
            }
        }
        read
    }

    /// Reads a list. A missing value is an error: under `sync` an empty list means "delete".
    pub(super) fn list(&self, noun: &str, expected: &str) -> Option<&'n [Node<'n>]> {
        match self.node {
            Node::List(elements) => return Some(elements),
            Node::Null => self.null_list(noun),
            _ => drop(self.wrong_type(noun, expected)),
        }
        None
    }

    /// Reports that a list has no value.
    pub(super) fn null_list(&self, noun: &str) {
        self.error(format!("{noun} has no value"))
            .hint("write [] if you mean none");
    }

    pub(super) fn text(&self, noun: &str) -> Option<&'n str> {
        if let Node::Text(text) = self.node {
            return Some(text);
        }
        let mut finding = self.wrong_type(noun, "text");
        if *self.node != Node::Null
            && let Some(hint) = quoting_hint(self.node)
        {
            finding.hint(hint);
        }
        None
    }

    /// Reads a text that is not empty. `hint` says what to do about an empty one.
    pub(super) fn nonempty_text(&self, noun: &str, hint: &str) -> Option<&'n str> {
        let text = self.text(noun)?;
        if text.is_empty() {
            self.error(format!("{noun} is empty")).hint(hint);
            return None;
        }
        Some(text)
    }

    /// Reads a map with exactly one of two keys, whose text is not empty: the key, its value and its text. Other keys
    /// than those in `known` are reported. `hint` says how either is written.
    pub(super) fn one_of<'s>(
        &'s self,
        noun: &str,
        known: &[&'static str],
        [first, second]: [&'static str; 2],
        hint: &str,
    ) -> Option<(&'static str, At<'s, 'n>, &'n str)> {
        let fields = self.fields(noun, known)?;
        let (key, node) = match (fields.node(first), fields.node(second)) {
            (Some(node), None) => (first, node),
            (None, Some(node)) => (second, node),
            (None, None) => {
                self.error(format!("{noun} without `{first}` or `{second}`"))
                    .hint(hint);
                return None;
            }
            (Some(_), Some(_)) => {
                fields
                    .key_error(second, format!("{noun} with both `{first}` and `{second}`"))
                    .hint("keep one of the two");
                return None;
            }
        };
        let value = self.entry(key, node);
        let text = value.nonempty_text(&quote(key), hint)?;
        Some((key, value, text))
    }

    /// Reads a key that is `true` or left out. `false` is reported.
    pub(super) fn only_true(&self, noun: &str) -> bool {
        if *self.node == Node::Bool(true) {
            return true;
        }
        let mut finding = self.wrong_type(noun, "true");
        if *self.node != Node::Null {
            finding.hint("leave the key out if it does not apply");
        }
        false
    }

    /// Reads `true` or `false`; anything else is reported, and false.
    pub(super) fn boolean(&self, noun: &str) -> bool {
        if let Node::Bool(value) = self.node {
            return *value;
        }
        self.wrong_type(noun, "true or false");
        false
    }

    /// Reads a text and makes an id or a name of it.
    pub(super) fn id<T>(
        &self,
        noun: &str,
        make: impl FnOnce(&str) -> Result<T, InvalidId>,
    ) -> Option<T> {
        let text = self.text(noun)?;
        make(text)
            .map_err(|error| {
                self.error(format!("{noun} is invalid: {error}"))
                    .hint("a name is not empty, has no control characters, and no white space at its ends");
            })
            .ok()
    }

    /// Reads a whole number from `low` to `high`.
    pub(super) fn whole_number(&self, noun: &str, low: u64, high: u64) -> Option<u64> {
        if let Node::Int(value) = self.node
            && let Ok(value) = u64::try_from(*value)
            && (low..=high).contains(&value)
        {
            return Some(value);
        }
        let expected = match high {
            u64::MAX => format!("a whole number of at least {low}"),
            _ => format!("a whole number from {low} to {high}"),
        };
        self.wrong_type(noun, &expected);
        None
    }

    /// Reads a whole number from `low` to the largest of 32 bits.
    pub(super) fn whole_number_32(&self, noun: &str, low: u64) -> Option<u32> {
        let number = self.whole_number(noun, low, u64::from(u32::MAX))?;
        u32::try_from(number).ok()
    }

    /// The value of a number, finite or not.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self.node {
            Node::Int(value) => Some(*value as f64),
            Node::Float(value) => Some(*value),
            _ => None,
        }
    }
}
