//! Comments of the inputs of a YAML text: found in one text, and put into another text of the same inputs.
//!
//! A comment in lines of its own stays before the part of the file that follows it: an input, an annotation or a field.
//! One at the end of a line stays at the end of the line of its field; several of a field go before it. A text is
//! refused unless every `#` is accounted for: outside comments it must be in a key or value.

use super::yaml_lines::Lines;
use crate::manifest::{Anchor, anchors, comments};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ops::Range;

/// A part of the inputs of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part<'k> {
    /// The key `inputs`.
    Inputs,
    Input(u32),
    InputField(u32, &'k str),
    Annotation(u32, u32),
    Field(u32, u32, &'k str),
}

impl Part<'_> {
    fn is_element(self) -> bool {
        matches!(self, Self::Input(_) | Self::Annotation(..))
    }

    /// Its annotation.
    fn annotation(self) -> Option<(u32, u32)> {
        match self {
            Self::Annotation(input, annotation) | Self::Field(input, annotation, _) => {
                Some((input, annotation))
            }
            Self::Inputs | Self::Input(_) | Self::InputField(..) => None,
        }
    }

    /// The input or annotation that has this field.
    fn owner(self) -> Option<Self> {
        match self {
            Self::InputField(input, _) => Some(Self::Input(input)),
            Self::Field(input, annotation, _) => Some(Self::Annotation(input, annotation)),
            Self::Inputs | Self::Input(_) | Self::Annotation(..) => None,
        }
    }
}

/// A part with its place in a text.
#[derive(Debug, Clone, Copy)]
struct Placed<'k> {
    part: Part<'k>,
    at: usize,
    line: usize,
    /// The column of its key, or of its dash.
    column: usize,
}

/// Where a comment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side<'k> {
    /// In lines of its own before a part.
    Before(Part<'k>),
    /// At the end of the line of a part.
    EndOf(Part<'k>),
    /// In lines of its own after all fields of an annotation.
    AfterAnnotation(u32, u32),
    /// In lines of its own after all fields of an input.
    AfterInput(u32),
}

/// Why the comments of a text cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uncertain {
    /// The text has an anchor, an alias or a tag.
    References,
    /// It is not clear what is a comment, or where it belongs.
    Comments,
}

/// The inputs of a YAML text, from its key `inputs` to the last line of its value.
#[derive(Debug)]
pub(super) struct Block<'t> {
    text: &'t str,
    tree: &'t Value,
    comments: Vec<Range<usize>>,
}

impl<'t> Block<'t> {
    /// `text` ends with a line feed and has no carriage returns; `tree` is its value.
    pub(super) fn new(text: &'t str, tree: &'t Value) -> Result<Self, Uncertain> {
        let comments = comments(text);
        let mut bare = String::with_capacity(text.len());
        let mut at = 0;
        for comment in &comments {
            bare.push_str(&text[at..comment.start]);
            at = comment.end;
        }
        bare.push_str(&text[at..]);
        // Outside texts these characters make anchors, aliases, tags and comments.
        let is_in_texts = |c: char| bare.matches(c).count() == count(tree, c);
        if !['&', '*', '!'].into_iter().all(is_in_texts) {
            return Err(Uncertain::References);
        }
        let is_same = || serde_yaml::from_str::<Value>(&bare).is_ok_and(|read| read == *tree);
        if !is_in_texts('#') || !comments.is_empty() && !is_same() {
            return Err(Uncertain::Comments);
        }
        Ok(Self {
            text,
            tree,
            comments,
        })
    }

    pub(super) fn has_comments(&self) -> bool {
        !self.comments.is_empty()
    }

    /// The texts of the comments, sorted.
    fn texts(&self) -> Vec<&'t str> {
        let texts = self.comments.iter().map(|at| self.text[at.clone()].trim());
        let mut texts: Vec<&str> = texts.collect();
        texts.sort_unstable();
        texts
    }

    /// `text`, the same inputs in another layout, with these comments.
    pub(super) fn put_into(&self, text: &str, tree: &Value) -> Result<String, Uncertain> {
        let commented = insert(text, &placed(text, tree), &self.sides())?;
        let same: Value = serde_yaml::from_str(&commented).map_err(|_| Uncertain::Comments)?;
        let new = Block::new(&commented, &same)?;
        if same == *tree && new.texts() == self.texts() {
            Ok(commented)
        } else {
            Err(Uncertain::Comments)
        }
    }

    /// The comments with their places, in the order of the text.
    fn sides(&self) -> Vec<(Side<'t>, &'t str)> {
        let lines = Lines::new(self.text);
        let parts = placed(self.text, self.tree);
        let side = |comment: &Range<usize>| {
            let line = lines.line_of(comment.start);
            let before = &self.text[lines.start(line)..comment.start];
            let next = parts.partition_point(|part| part.at < comment.start);
            let column = before.len() - before.trim_start_matches(' ').len();
            if before.trim_start_matches([' ', '-']).is_empty() {
                self.own_line(&parts, next, comment.end, column)
            } else {
                end_of_line(&parts[..next], line)
            }
        };
        let comments = self.comments.iter();
        comments
            .map(|at| (side(at), self.text[at.clone()].trim()))
            .collect()
    }

    /// The place of a comment in a line of its own that ends here, before the part with the index `next`.
    fn own_line(&self, parts: &[Placed<'t>], next: usize, end: usize, column: usize) -> Side<'t> {
        // The key `inputs` is before every comment.
        let (earlier, later) = parts.split_at(next);
        let before = earlier[earlier.len() - 1].part;
        let Some(next) = later.first().filter(|next| self.is_empty(end..next.at)) else {
            return Side::Before(before);
        };
        let is_below = match (before, next.part) {
            // The first element follows its list.
            (Part::Inputs, _) | (Part::InputField(..), Part::Annotation(..)) => false,
            _ => column > next.column,
        };
        let of = before.annotation().filter(|_| is_below);
        let is_inside = |&(input, annotation): &(u32, u32)| {
            let own = |part: &&Placed<'_>| part.part == Part::Annotation(input, annotation);
            let is_sibling = next.part.annotation() == Some((input, annotation));
            !is_sibling
                && earlier
                    .iter()
                    .rev()
                    .find(own)
                    .is_some_and(|own| column > own.column)
        };
        match (of.filter(is_inside), before) {
            (Some((input, annotation)), _) => Side::AfterAnnotation(input, annotation),
            (
                None,
                Part::InputField(input, _) | Part::Annotation(input, _) | Part::Field(input, ..),
            ) if is_below && matches!(next.part, Part::Input(_)) => Side::AfterInput(input),
            _ => Side::Before(next.part),
        }
    }

    /// Whether only white space, comments, dashes and opening brackets are here.
    fn is_empty(&self, range: Range<usize>) -> bool {
        let mut at = range.start;
        let first = self.comments.partition_point(|it| it.start < range.start);
        let inside = self.comments[first..].iter();
        let mut gaps: Vec<&str> = Vec::new();
        for comment in inside.take_while(|it| it.start < range.end) {
            gaps.push(&self.text[at..comment.start]);
            at = comment.end;
        }
        gaps.push(&self.text[at..range.end]);
        let mut gaps = gaps.into_iter().flat_map(str::chars);
        gaps.all(|c| c.is_whitespace() || matches!(c, '-' | '[' | '{' | ',' | '?'))
    }
}

/// The place of a comment at the end of a line, after these parts.
fn end_of_line<'k>(parts: &[Placed<'k>], line: usize) -> Side<'k> {
    let first = parts.partition_point(|part| part.line < line);
    let last = parts[parts.len() - 1].part;
    match &parts[first..] {
        // The line continues a value.
        [] => Side::EndOf(last),
        [only] => Side::EndOf(only.part),
        [element, field] if field.part.owner() == Some(element.part) => Side::EndOf(field.part),
        all @ [first, ..] => {
            let are_siblings = all.iter().all(|it| it.part.owner() == first.part.owner());
            if first.part.is_element() {
                Side::Before(first.part)
            } else if are_siblings {
                Side::EndOf(last)
            } else {
                Side::EndOf(first.part)
            }
        }
    }
}

/// How often a character is in the keys and texts of a tree.
fn count(tree: &Value, c: char) -> usize {
    match tree {
        Value::String(text) => text.matches(c).count(),
        Value::Array(elements) => elements.iter().map(|it| count(it, c)).sum(),
        Value::Object(entries) => (entries.iter())
            .map(|(key, value)| key.matches(c).count() + count(value, c))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The parts of a text with this value, in the order of the text.
fn placed<'k>(text: &str, tree: &'k Value) -> Vec<Placed<'k>> {
    let fields = |value: &'k Value| value.as_object().into_iter().flat_map(Map::keys).zip(0..);
    let elements =
        |value: Option<&'k Value>| (value.and_then(Value::as_array).into_iter().flatten()).zip(0..);
    let mut parts = vec![(Part::Inputs, Anchor::Inputs)];
    for (input, at) in elements(tree.get("inputs")) {
        parts.push((Part::Input(at), Anchor::Input(at)));
        for (key, field) in fields(input) {
            parts.push((Part::InputField(at, key), Anchor::InputField(at, field)));
        }
        for (annotation, nth) in elements(input.get("annotations")) {
            parts.push((Part::Annotation(at, nth), Anchor::Annotation(at, nth)));
            for (key, field) in fields(annotation) {
                parts.push((Part::Field(at, nth, key), Anchor::Field(at, nth, field)));
            }
        }
    }
    let wanted: Vec<Anchor> = parts.iter().map(|(_, anchor)| *anchor).collect();
    let lines = Lines::new(text);
    let offsets = anchors(text, &wanted);
    let mut placed: Vec<Placed<'_>> = (parts.into_iter().zip(offsets))
        .map(|((part, _), at)| {
            let line = lines.line_of(at);
            let element = lines.element(at).filter(|_| part.is_element());
            Placed {
                part,
                at,
                line,
                column: element.map_or(at - lines.start(line), |it| it.column),
            }
        })
        .collect();
    // The sort is stable: an element stays before its first field.
    placed.sort_by_key(|part| part.at);
    placed
}

/// What goes before a line: after the part above it, or before the part in it.
#[derive(Debug, Default)]
struct Gap<'c> {
    after_annotation: Vec<&'c str>,
    after_input: Vec<(usize, &'c str)>,
    before_element: Vec<&'c str>,
    before_field: Vec<&'c str>,
}

/// A canonical text with comments at these places.
fn insert(
    text: &str,
    parts: &[Placed<'_>],
    sides: &[(Side<'_>, &str)],
) -> Result<String, Uncertain> {
    /// The columns of annotations and of fields of inputs and annotations in a canonical text.
    const ANNOTATION: usize = 6;
    const INPUT_FIELD: usize = 4;
    const FIELD: usize = 8;
    let lines = Lines::new(text);
    let by_part: HashMap<Part<'_>, usize> = (parts.iter().enumerate())
        .map(|(index, placed)| (placed.part, index))
        .collect();
    let find = |part: &Part<'_>| by_part.get(part).copied().ok_or(Uncertain::Comments);
    // The line after the parts from this index on that belong together.
    let line_after = |from: usize, belongs: &dyn Fn(Part<'_>) -> bool| {
        let mut rest = parts[from..].iter();
        let next = rest.find(|placed| !belongs(placed.part));
        next.map_or(lines.len(), |next| next.line)
    };
    let mut at_ends: HashMap<Part<'_>, usize> = HashMap::new();
    for (side, _) in sides {
        if let Side::EndOf(part) = side {
            *at_ends.entry(*part).or_default() += 1;
        }
    }
    let mut gaps: Vec<Gap<'_>> = (0..=lines.len()).map(|_| Gap::default()).collect();
    let mut ends: HashMap<usize, &str> = HashMap::new();
    for (side, comment) in sides {
        match side {
            Side::EndOf(part) if at_ends[part] == 1 => {
                ends.insert(parts[find(part)?].line, comment);
            }
            // Several comments of one line go before it.
            Side::Before(part) | Side::EndOf(part) => {
                let gap = &mut gaps[parts[find(part)?].line];
                if part.is_element() {
                    gap.before_element.push(comment);
                } else {
                    gap.before_field.push(comment);
                }
            }
            Side::AfterAnnotation(input, annotation) => {
                let own = (*input, *annotation);
                let from = find(&Part::Annotation(own.0, own.1))?;
                let line = line_after(from, &|part| part.annotation() == Some(own));
                gaps[line].after_annotation.push(comment);
            }
            Side::AfterInput(input) => {
                let from = find(&Part::Input(*input))?;
                let own = |part: Part<'_>| match part {
                    Part::Inputs => false,
                    Part::Input(at)
                    | Part::InputField(at, _)
                    | Part::Annotation(at, _)
                    | Part::Field(at, ..) => at == *input,
                };
                let column = if find(&Part::Annotation(*input, 0)).is_ok() {
                    ANNOTATION
                } else {
                    INPUT_FIELD
                };
                gaps[line_after(from, &own)]
                    .after_input
                    .push((column, comment));
            }
        }
    }
    let mut out = String::with_capacity(text.len());
    let own_line = |out: &mut String, column: usize, comment: &str| {
        out.extend(std::iter::repeat_n(' ', column));
        out.push_str(comment);
        out.push('\n');
    };
    for (at, gap) in gaps.into_iter().enumerate() {
        for comment in gap.after_annotation {
            own_line(&mut out, FIELD, comment);
        }
        for (column, comment) in gap.after_input {
            own_line(&mut out, column, comment);
        }
        if at == lines.len() {
            break;
        }
        let line = lines.line(at);
        let column = line.len() - line.trim_start_matches(' ').len();
        for comment in gap.before_element.iter().chain(&gap.before_field) {
            own_line(&mut out, column, comment);
        }
        out.push_str(line);
        if let Some(comment) = ends.get(&at) {
            out.push_str("  ");
            out.push_str(comment);
        }
        out.push('\n');
    }
    Ok(out)
}
