//! The text of one file -> its inputs, its part of the header, and its findings.
//!
//! The three formats differ only in their parser. Inputs are streamed: only the tree of one input is in memory, not that
//! of the file. Other files are the matter of [`super::assemble`].

use super::at::At;
use super::context::Shared;
use super::finding::{Findings, Place};
use super::format::{Format, json_lines};
use super::header::{HEADER, INPUTS, ParsedHeader, header, known_keys};
use super::input::{ParsedInput, input};
use super::node::{Budget, Entry, Node, NodeSeed};
use super::others::{OtherShards, can_be_dropped};
use super::scan::too_deep;
use super::words::nearest;
use crate::model::{ConceptId, JsonFault, Shard};
use rayon::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// Why a file cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// In bytes from the start of the text.
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The content of a file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) header: Option<ParsedHeader>,
    pub(super) inputs: Vec<ParsedInput>,
    /// Inputs that were read and dropped.
    pub(super) others: OtherShards,
    /// Every concept that the annotations name.
    pub(super) concepts: HashSet<ConceptId>,
    pub(super) findings: Findings,
}

/// Reads a text, without its byte order mark.
pub(super) fn document(format: Format, text: &str) -> Result<Document, SyntaxError> {
    document_of_shard(format, text, None)
}

/// [`document`] without inputs of other shards, as far as these can be checked by themselves.
pub(super) fn document_of_shard(
    format: Format,
    text: &str,
    shard: Option<Shard>,
) -> Result<Document, SyntaxError> {
    let budget = Budget::of(text.len());
    let mut reading = Reading::new(&budget, 0, shard);
    match format {
        Format::Yaml => {
            if let Some(offset) = too_deep(text) {
                return Err(SyntaxError {
                    offset,
                    message: "nested too deeply".to_owned(),
                    hint: Some("check for a bracket that is not closed".to_owned()),
                });
            }
            let top = TopSeed(&mut reading)
                .deserialize(serde_yaml::Deserializer::from_str(text))
                .map_err(|error| yaml_error(text, &error))?;
            reading.finish(&top);
        }
        Format::Json => {
            let mut parser = serde_json::Deserializer::from_str(text);
            let top = TopSeed(&mut reading)
                .deserialize(&mut parser)
                .and_then(|top| parser.end().map(|()| top))
                .map_err(|error| json_error(text, 0, &error))?;
            reading.finish(&top);
        }
        Format::JsonLines => return lines(text, shard),
    }
    Ok(reading.into_document())
}

/// Reads the lines of a text on all cores.
fn lines(text: &str, shard: Option<Shard>) -> Result<Document, SyntaxError> {
    let parts = line_parts(text);
    let counts: Vec<usize> = (parts.par_iter().map(|(_, part)| json_lines(part).count())).collect();
    let mut first = 0;
    let mut tasks = Vec::with_capacity(parts.len());
    for ((offset, part), count) in parts.into_iter().zip(counts) {
        tasks.push((offset, part, first));
        first += count;
    }
    let read: Vec<Result<Document, SyntaxError>> = (tasks.into_par_iter())
        .map(|(base, part, first)| lines_of_part(part, (base, first), shard))
        .collect();
    let mut whole = Document::default();
    let kept = read.iter().flatten().map(|document| document.inputs.len());
    whole.inputs.reserve_exact(kept.sum());
    for document in read {
        let mut document = document?;
        whole.inputs.append(&mut document.inputs);
        whole.others.append(document.others);
        whole.concepts.extend(document.concepts);
        whole.findings.0.append(&mut document.findings.0);
    }
    Ok(whole)
}

/// Reads lines on one core. `base` is where they begin in the file, and `first` the index of their first input.
pub(super) fn lines_of_part(
    part: &str,
    (base, first): (usize, usize),
    shard: Option<Shard>,
) -> Result<Document, SyntaxError> {
    let budget = Budget::of(part.len());
    let mut reading = Reading::new(&budget, first, shard);
    for (offset, line) in json_lines(part) {
        let mut parser = serde_json::Deserializer::from_str(line);
        let node = NodeSeed(&budget)
            .deserialize(&mut parser)
            .and_then(|node| parser.end().map(|()| node))
            .map_err(|error| json_error(line, base + offset, &error))?;
        reading.push(&node);
    }
    Ok(reading.into_document())
}

/// Parts of whole lines, with their offsets.
fn line_parts(text: &str) -> Vec<(usize, &str)> {
    const BYTES: usize = 256 << 10;
    let mut parts = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let from = floor(text, start + BYTES);
        let end = text[from..]
            .find('\n')
            .map_or(text.len(), |at| from + at + 1);
        parts.push((start, &text[start..end]));
        start = end;
    }
    parts
}

struct Reading<'b> {
    budget: &'b Budget,
    /// The index of the next input among those of the file.
    next: usize,
    shard: Option<Shard>,
    shared: Shared,
    document: Document,
    findings: RefCell<Findings>,
}

impl<'b> Reading<'b> {
    fn new(budget: &'b Budget, first: usize, shard: Option<Shard>) -> Self {
        Self {
            budget,
            next: first,
            shard,
            shared: Shared::default(),
            document: Document::default(),
            findings: RefCell::default(),
        }
    }

    fn into_document(mut self) -> Document {
        self.document.inputs.shrink_to_fit();
        self.document.concepts = self.shared.concepts;
        self.document.findings = self.findings.into_inner();
        self.document
    }

    fn push(&mut self, node: &Node<'_>) {
        let inputs = Place::ROOT.name(INPUTS);
        let at = At {
            node,
            place: inputs.nth(self.next),
            findings: &self.findings,
        };
        let mut parsed = input(at, &mut self.shared);
        parsed.index = u32::try_from(self.next).unwrap_or(u32::MAX);
        self.next += 1;
        let kept = match self.shard.filter(|_| can_be_dropped(&parsed)) {
            Some(shard) => self.document.others.take(shard, parsed),
            None => Some(parsed),
        };
        self.document.inputs.extend(kept);
    }

    fn finish(&mut self, top: &Node<'_>) {
        let at = At {
            node: top,
            place: Place::ROOT,
            findings: &self.findings,
        };
        match top {
            Node::Null => {
                at.error("the file is empty")
                    .hint("write `inputs: []` if you mean none, or remove the file");
            }
            Node::Map(entries) if entries.iter().any(|(key, _)| resembles_known_key(key)) => {
                self.document.header = header(at);
            }
            _ => report_foreign(at),
        }
    }
}

fn resembles_known_key(key: &Node<'_>) -> bool {
    let mut known = HEADER.into_iter().chain([INPUTS]);
    let Node::Text(text) = key else {
        return false;
    };
    nearest(text, known.clone()).is_some() || known.any(|key| key == text.as_ref())
}

fn report_foreign(at: At<'_, '_>) {
    let found = match at.node {
        Node::Map(_) => "it has no known key".to_owned(),
        node => format!("found {}", node.describe()),
    };
    at.error(format!("not a manifest file: {found}"))
        .hint(format!(
            "a manifest file is a map with {}; if this file is something else, list the files that hold inputs in the \
             header: files: [\"labels/**\"]",
            known_keys()
        ));
}

/// Reads the value at the top of a file. The elements of `inputs` are read immediately, and the value of the key is then an
/// empty list.
struct TopSeed<'r, 'b>(&'r mut Reading<'b>);

impl<'t> DeserializeSeed<'t> for TopSeed<'_, '_> {
    type Value = Node<'t>;
    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Node<'t>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Visitor methods that delegate to [`NodeSeed`].
macro_rules! as_node {
    ($($method:ident($($type:ty)?),)*) => {
        $(fn $method<E: Error>(self $(, value: $type)?) -> Result<Self::Value, E> {
            NodeSeed(self.0.budget).$method($(value as $type)?)
        })*
    };
}

impl<'t> Visitor<'t> for TopSeed<'_, '_> {
    type Value = Node<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Node<'t>, A::Error> {
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
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, list: A) -> Result<Node<'t>, A::Error> {
        NodeSeed(self.0.budget).visit_seq(list)
    }

    fn visit_enum<A: EnumAccess<'t>>(self, tagged: A) -> Result<Node<'t>, A::Error> {
        NodeSeed(self.0.budget).visit_enum(tagged)
    }

    as_node! {
        visit_unit(), visit_none(), visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_i128(i128),
        visit_u128(u128), visit_f64(f64), visit_str(&str),
    }
}

/// Reads the elements of `inputs` one at a time.
struct InputsSeed<'r, 'b>(&'r mut Reading<'b>);

impl InputsSeed<'_, '_> {
    fn refuse(self, node: &Node<'_>) {
        let at = At {
            node,
            place: Place::ROOT.name(INPUTS),
            findings: &self.0.findings,
        };
        at.list("`inputs`", "a list of inputs");
    }
}

impl<'t> DeserializeSeed<'t> for InputsSeed<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Visitor methods that report a value that is not a list.
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
        hint =
            Some("a file holds one YAML document; move the others into their own files".to_owned());
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
