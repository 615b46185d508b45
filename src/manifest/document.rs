//! One file's text -> its inputs, its part of the header, and what is wrong with it.
//!
//! The three formats differ in their parser alone. Inputs are streamed: a tree of one input at a time exists, not one
//! of the file. Says nothing about other files; that is [`super::assemble`].

use super::depth::too_deep;
use super::fields::{null_list, wrong_type};
use super::finding::{Findings, Place};
use super::header::{HEADER, INPUTS, ParsedHeader, header, known_keys};
use super::input::{ParsedInput, Shared, input};
use super::node::{Budget, Entry, Node, NodeSeed};
use super::words::nearest;
use crate::model::{ConceptId, JsonFault};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
    /// One input a line.
    JsonLines,
}

impl Format {
    /// The format that the file's ending stands for.
    pub(super) fn of(path: &Path) -> Option<Self> {
        // Some systems show no difference, and some editors add a space.
        let ending = path.extension()?.to_str()?.trim_end().to_ascii_lowercase();
        match ending.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// Why nothing of a file can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// Where, in bytes from the start of the text.
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) header: Option<ParsedHeader>,
    pub(super) inputs: Vec<ParsedInput>,
    /// Every concept that its annotations name.
    pub(super) concepts: HashSet<ConceptId>,
    pub(super) findings: Findings,
}

/// The lines of a JSON Lines text that hold an input, with their offsets in bytes.
pub(super) fn json_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n')
        .scan(0, |offset, line| {
            let start = *offset;
            *offset += line.len();
            Some((start, line.trim_end()))
        })
        .filter(|(_, line)| !line.is_empty())
}

/// Reads a text without a byte order mark.
pub(super) fn document(format: Format, text: &str) -> Result<Document, SyntaxError> {
    let budget = Budget::of(text.len());
    let mut reading = Reading {
        budget: &budget,
        shared: Shared::default(),
        document: Document::default(),
    };
    match format {
        Format::Yaml => {
            if let Some(offset) = too_deep(text) {
                return Err(SyntaxError {
                    offset,
                    message: "nested too deeply".to_owned(),
                    hint: Some(
                        "a manifest has no use for so many levels; is a bracket not closed?"
                            .to_owned(),
                    ),
                });
            }
            let top = TopSeed(&mut reading)
                .deserialize(serde_yaml::Deserializer::from_str(text))
                .map_err(|error| yaml_error(text, &error))?;
            reading.finish(top);
        }
        Format::Json => {
            let mut parser = serde_json::Deserializer::from_str(text);
            let top = TopSeed(&mut reading)
                .deserialize(&mut parser)
                .and_then(|top| parser.end().map(|()| top))
                .map_err(|error| json_error(text, 0, &error))?;
            reading.finish(top);
        }
        Format::JsonLines => {
            for (offset, line) in json_lines(text) {
                let mut parser = serde_json::Deserializer::from_str(line);
                let node = NodeSeed(&budget)
                    .deserialize(&mut parser)
                    .and_then(|node| parser.end().map(|()| node))
                    .map_err(|error| json_error(line, offset, &error))?;
                reading.push(&node);
            }
        }
    }
    reading.document.inputs.shrink_to_fit();
    reading.document.concepts = reading.shared.concepts;
    Ok(reading.document)
}

/// What is collected while a file is read.
struct Reading<'b> {
    budget: &'b Budget,
    shared: Shared,
    document: Document,
}

/// What stands at the top of a file.
enum Top<'t> {
    /// The entries; those of `inputs` are read already, and an empty list stands for them.
    Entries(Vec<Entry<'t>>),
    Other(Node<'t>),
}

impl Reading<'_> {
    fn push(&mut self, node: &Node<'_>) {
        let inputs = Place::ROOT.name(INPUTS);
        let place = inputs.nth(self.document.inputs.len());
        let parsed = input(node, &mut self.shared, &place, &mut self.document.findings);
        self.document.inputs.push(parsed);
    }

    fn finish(&mut self, top: Top<'_>) {
        let findings = &mut self.document.findings;
        let entries = match top {
            Top::Entries(entries) => entries,
            Top::Other(Node::Null) => {
                findings
                    .add(Place::ROOT.value(), "the file is empty")
                    .hint("write `inputs: []` if you mean none, or remove the file");
                return;
            }
            Top::Other(node) => {
                foreign(findings, &node);
                return;
            }
        };
        let known = |key: &Node<'_>| matches!(key, Node::Text(text) if text == INPUTS || HEADER.contains(&&**text));
        let misspelt = |key: &Node<'_>| matches!(key, Node::Text(text) if nearest(text, HEADER.into_iter().chain([INPUTS])).is_some());
        if !entries.iter().any(|(key, _)| known(key) || misspelt(key)) {
            foreign(findings, &Node::Map(entries));
            return;
        }
        self.document.header = header(&entries, &Place::ROOT, findings);
    }
}

fn foreign(findings: &mut Findings, node: &Node<'_>) {
    let found = match node {
        Node::Map(_) => "it has none of its keys".to_owned(),
        _ => format!("it holds {}", node.describe()),
    };
    findings
        .add(
            Place::ROOT.value(),
            format!("not a file of a manifest: {found}"),
        )
        .hint(format!(
            "a manifest's file is a map with {}; if this one is something else, name the files that hold inputs in the \
             header: files: [\"labels/**\"]",
            known_keys()
        ));
}

/// Reads the top of a file.
struct TopSeed<'r, 'b>(&'r mut Reading<'b>);

impl<'t> DeserializeSeed<'t> for TopSeed<'_, '_> {
    type Value = Top<'t>;
    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Top<'t>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The parts of a visitor that hand a value on to [`NodeSeed`].
macro_rules! as_node {
    ($wrap:expr; $($method:ident($($type:ty)?),)*) => {
        $(fn $method<E: Error>(self $(, value: $type)?) -> Result<Self::Value, E> {
            NodeSeed(self.0.budget).$method($(value as $type)?).map($wrap)
        })*
    };
}

impl<'t> Visitor<'t> for TopSeed<'_, '_> {
    type Value = Top<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Top<'t>, A::Error> {
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut streamed = false;
        while let Some(key) = map.next_key_seed(NodeSeed(self.0.budget))? {
            let is_inputs = matches!(&key, Node::Text(text) if text == INPUTS);
            let value = if is_inputs && !streamed {
                streamed = true;
                map.next_value_seed(InputsSeed(self.0))?;
                Node::List(Vec::new())
            } else {
                map.next_value_seed(NodeSeed(self.0.budget))?
            };
            entries.push((key, value));
        }
        Ok(Top::Entries(entries))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, list: A) -> Result<Top<'t>, A::Error> {
        NodeSeed(self.0.budget).visit_seq(list).map(Top::Other)
    }

    fn visit_enum<A: EnumAccess<'t>>(self, tagged: A) -> Result<Top<'t>, A::Error> {
        NodeSeed(self.0.budget).visit_enum(tagged).map(Top::Other)
    }

    as_node! { Top::Other;
        visit_unit(), visit_none(), visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_i128(i128),
        visit_u128(u128), visit_f64(f64), visit_str(&str),
    }
}

/// Reads `inputs`, one at a time.
struct InputsSeed<'r, 'b>(&'r mut Reading<'b>);

impl InputsSeed<'_, '_> {
    fn refuse(self, node: &Node<'_>) {
        let place = Place::ROOT.name(INPUTS);
        let findings = &mut self.0.document.findings;
        if *node == Node::Null {
            null_list("`inputs`", &place, findings);
        } else {
            wrong_type(node, "`inputs`", "a list of inputs", &place, findings);
        }
    }
}

impl<'t> DeserializeSeed<'t> for InputsSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The parts of a visitor that report a value which is no list.
macro_rules! refused {
    ($($method:ident($($type:ty)?),)*) => {
        $(fn $method<E: Error>(self $(, value: $type)?) -> Result<(), E> {
            let node = NodeSeed(self.0.budget).$method($(value as $type)?)?;
            self.refuse(&node);
            Ok(())
        })*
    };
}

impl<'t> Visitor<'t> for InputsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of inputs")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(node) = elements.next_element_seed(NodeSeed(self.0.budget))? {
            self.0.push(&node);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'t>>(self, map: A) -> Result<(), A::Error> {
        let node = NodeSeed(self.0.budget).visit_map(map)?;
        self.refuse(&node);
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'t>>(self, tagged: A) -> Result<(), A::Error> {
        let node = NodeSeed(self.0.budget).visit_enum(tagged)?;
        self.refuse(&node);
        Ok(())
    }

    refused! {
        visit_unit(), visit_none(), visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_i128(i128),
        visit_u128(u128), visit_f64(f64), visit_str(&str),
    }
}

fn yaml_error(text: &str, error: &serde_yaml::Error) -> SyntaxError {
    let full = error.to_string();
    let (offset, mut message) = match error.location() {
        Some(at) => {
            let place = format!(" at line {} column {}", at.line(), at.column());
            (at.index().min(text.len()), full.replacen(&place, "", 1))
        }
        None => (0, full),
    };
    let mut hint = None;
    let offset = if message.contains("more than one document") {
        message = String::from("more than one document");
        hint = Some("one document a file: put the others into files of their own".to_owned());
        second_document(text)
    } else {
        let line = &text[text[..floor(text, offset)]
            .rfind('\n')
            .map_or(0, |at| at + 1)..];
        if line
            .chars()
            .take_while(|c| c.is_whitespace())
            .any(|c| c == '\t')
        {
            hint = Some("YAML is indented with spaces, not with tabs".to_owned());
        }
        offset
    };
    SyntaxError {
        offset: floor(text, offset),
        message: format!("not valid YAML: {message}"),
        hint,
    }
}

/// Where the second document begins.
fn second_document(text: &str) -> usize {
    let mut offset = 0;
    let mut begun = false;
    for line in text.split_inclusive('\n') {
        let is_marker = line.starts_with("---");
        if is_marker && begun {
            return offset;
        }
        begun |= is_marker || !(line.trim().is_empty() || line.starts_with(['#', '%']));
        offset += line.len();
    }
    0
}

fn json_error(text: &str, base: usize, error: &serde_json::Error) -> SyntaxError {
    let fault = JsonFault::from(error);
    let start = match fault.line {
        1 => 0,
        line => text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(text.len(), |(at, _)| at + 1),
    };
    let offset = (start + fault.column - 1).min(text.len());
    SyntaxError {
        offset: base + floor(text, offset),
        message: format!("not valid JSON: {fault}"),
        hint: None,
    }
}

/// The nearest offset not above this one that is the start of a character.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
