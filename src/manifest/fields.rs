//! Reading a tree with a finding wherever it is not what was expected: maps with known keys, lists, texts, numbers.
//!
//! Every reader returns what it found good and goes on, so that one run reports everything. Knows nothing of which
//! keys a manifest has.

use super::finding::{Findings, Place, as_written};
use super::node::{Entry, Node, number};
use super::words::{list as word_list, quote, suggestion};
use std::collections::HashMap;

/// The entries of a map whose keys were checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'n, 't>(&'n [Entry<'t>]);

impl<'n, 't> Fields<'n, 't> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'t>> {
        self.0
            .iter()
            .find(|(known, _)| matches!(known, Node::Text(text) if text == key))
            .map(|(_, value)| value)
    }

    /// The value of a key that must be there; `noun` is what the map is.
    pub(super) fn require(
        &self,
        key: &'static str,
        noun: &str,
        hint: &str,
        place: &Place<'_>,
        findings: &mut Findings,
    ) -> Option<&'n Node<'t>> {
        let value = self.get(key);
        if value.is_none() {
            findings
                .add(place.value(), format!("{noun} without `{key}`"))
                .hint(hint);
        }
        value
    }
}

/// Reads a map with these keys. `noun` is what it is, as in "a box".
pub(super) fn fields<'n, 't>(
    node: &'n Node<'t>,
    noun: &str,
    keys: &[&'static str],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Fields<'n, 't>> {
    // The words of the report are put together only where there is one: this runs for every annotation.
    let entries = if let Node::Map(entries) = node {
        entries
    } else {
        let expected = format!("a map of {}", word_list(keys.iter().copied()));
        map(node, noun, &expected, place, findings)?
    };
    check_keys(entries, noun, keys, place, findings);
    Some(Fields(entries))
}

/// Reports keys that are not among `keys`, that are not text, or duplicate another.
pub(super) fn check_keys<'n, 't>(
    entries: &'n [Entry<'t>],
    noun: &str,
    keys: &[&'static str],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Fields<'n, 't> {
    for (index, key) in text_keys(entries, place, findings) {
        if !keys.contains(&key) {
            let hint = if key == "<<" {
                "merge keys are not supported; aliases (`*name`) are".to_owned()
            } else {
                suggestion(key, keys.iter().copied())
            };
            findings
                .add(
                    place.nth(index).key(),
                    format!("unknown key {} in {noun}", quote(key)),
                )
                .hint(hint);
        }
    }
    Fields(entries)
}

/// The keys of a map with their indices, without those that are no text or repeat another: these are reported.
pub(super) fn text_keys<'n>(
    entries: &'n [Entry<'_>],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Vec<(usize, &'n str)> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut keys: Vec<(usize, &str)> = Vec::with_capacity(entries.len());
    for (index, (key, _)) in entries.iter().enumerate() {
        let Node::Text(text) = key else {
            findings
                .add(
                    place.nth(index).key(),
                    format!("a key must be text, found {}", key.describe_written()),
                )
                .hint(quoting_hint(key).unwrap_or_else(|| "write a plain word".to_owned()));
            continue;
        };
        // Most maps have a handful of keys, for which a scan beats a hash table.
        let earlier = if entries.len() <= 16 {
            keys.iter()
                .find(|(_, known)| known == text)
                .map(|(index, _)| *index)
        } else {
            let earlier = first.get(&**text).copied();
            first.entry(text).or_insert(index);
            earlier
        };
        if let Some(earlier) = earlier {
            findings
                .add(
                    place.nth(index).key(),
                    format!("duplicate key {}", quote(text)),
                )
                .hint("keep one of the two")
                .other("the first is at", place.nth(earlier).key());
        } else {
            keys.push((index, text));
        }
    }
    keys
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

/// Reports a value of the wrong type. `expected` completes "must be …".
pub(super) fn wrong_type<'f>(
    node: &Node<'_>,
    noun: &str,
    expected: &str,
    place: &Place<'_>,
    findings: &'f mut Findings,
) -> &'f mut super::finding::Finding {
    if *node == Node::Null {
        return findings
            .add(place.value(), format!("{noun} has no value"))
            .hint(format!(
                "it must be {expected}; leave the key out if it does not apply"
            ));
    }
    findings.add(
        place.value(),
        format!(
            "{noun} must be {expected}, found {}",
            node.describe_written()
        ),
    )
}

/// Reads a map of any keys.
pub(super) fn map<'n, 't>(
    node: &'n Node<'t>,
    noun: &str,
    expected: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'n [Entry<'t>]> {
    if let Node::Map(entries) = node {
        return Some(entries);
    }
    wrong_type(node, noun, expected, place, findings);
    None
}

/// Reads a list. Nothing at all where a list belongs is an error: under `sync` it would read as "delete".
pub(super) fn list<'n, 't>(
    node: &'n Node<'t>,
    noun: &str,
    expected: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'n [Node<'t>]> {
    match node {
        Node::List(elements) => Some(elements),
        Node::Null => {
            null_list(noun, place, findings);
            None
        }
        _ => {
            wrong_type(node, noun, expected, place, findings);
            None
        }
    }
}

/// Reports nothing at all where a list belongs.
pub(super) fn null_list(noun: &str, place: &Place<'_>, findings: &mut Findings) {
    findings
        .add(place.value(), format!("{noun} has no value"))
        .hint("write [] if you mean none");
}

/// Reads a text.
pub(super) fn text<'n>(
    node: &'n Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'n str> {
    if let Node::Text(text) = node {
        return Some(text);
    }
    let finding = wrong_type(node, noun, "text", place, findings);
    if *node != Node::Null
        && let Some(hint) = quoting_hint(node)
    {
        finding.hint(hint);
    }
    None
}

/// Reads a text that is not empty. `hint` is what to do about one that is.
pub(super) fn filled<'n>(
    node: &'n Node<'_>,
    noun: &str,
    hint: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'n str> {
    let text = text(node, noun, place, findings)?;
    if text.is_empty() {
        findings
            .add(place.value(), format!("{noun} is empty"))
            .hint(hint);
        return None;
    }
    Some(text)
}

/// Which of two keys was given, with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice<'n> {
    First(&'n str),
    Second(&'n str),
}

/// Reads a map with exactly one of two keys, whose text is not empty. `hint` says how either is written.
pub(super) fn one_of<'n>(
    node: &'n Node<'_>,
    noun: &str,
    keys: [&'static str; 2],
    hint: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Choice<'n>> {
    one_of_known(node, noun, &keys, keys, hint, place, findings)
}

/// The same where other keys are known as well.
pub(super) fn one_of_known<'n>(
    node: &'n Node<'_>,
    noun: &str,
    known: &[&'static str],
    keys: [&'static str; 2],
    hint: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Choice<'n>> {
    let parts = fields(node, noun, known, place, findings)?;
    let [first, second] = keys;
    let read = |key, node, findings: &mut Findings| {
        filled(node, &quote(key), hint, &place.name(key), findings)
    };
    match (parts.get(first), parts.get(second)) {
        (Some(node), None) => read(first, node, findings).map(Choice::First),
        (None, Some(node)) => read(second, node, findings).map(Choice::Second),
        (None, None) => {
            let message = format!("{noun} without `{first}` or `{second}`");
            findings.add(place.value(), message).hint(hint);
            None
        }
        (Some(_), Some(_)) => {
            let message = format!("{noun} with both `{first}` and `{second}`");
            findings
                .add(place.name(second).key(), message)
                .hint("keep one of the two");
            None
        }
    }
}

/// Reads a key that is `true` or not there at all.
pub(super) fn only_true(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<()> {
    if *node == Node::Bool(true) {
        return Some(());
    }
    let finding = wrong_type(node, noun, "true", place, findings);
    if *node != Node::Null {
        finding.hint("leave the key out where it is not meant");
    }
    None
}

/// Reads `true` or `false`; anything else is reported, and false.
pub(super) fn truth(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> bool {
    if let Node::Bool(value) = node {
        return *value;
    }
    wrong_type(node, noun, "true or false", place, findings);
    false
}

/// Reads a text and makes a name of it.
pub(super) fn name<T>(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
    make: impl FnOnce(&str) -> Result<T, crate::model::InvalidId>,
) -> Option<T> {
    let text = text(node, noun, place, findings)?;
    make(text)
        .map_err(|error| {
            findings
                .add(place.value(), format!("{noun} is invalid: {error}"))
                .hint("a name is not empty, has no control characters, and no white space at its ends");
        })
        .ok()
}

/// Reads a whole number from `low` to `high`.
pub(super) fn whole_number(
    node: &Node<'_>,
    noun: &str,
    low: u64,
    high: u64,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<u64> {
    let expected = || match high {
        u64::MAX => format!("a whole number of at least {low}"),
        _ => format!("a whole number from {low} to {high}"),
    };
    if let Node::Int(value) = node
        && let Ok(value) = u64::try_from(*value)
        && (low..=high).contains(&value)
    {
        return Some(value);
    }
    wrong_type(node, noun, &expected(), place, findings);
    None
}

/// The value of a number, finite or not.
pub(super) fn as_number(node: &Node<'_>) -> Option<f64> {
    match node {
        Node::Int(value) => Some(*value as f64),
        Node::Float(value) => Some(*value),
        _ => None,
    }
}
