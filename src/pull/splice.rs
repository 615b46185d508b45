//! Edits annotations and inputs of a YAML text, and keeps its comments, order and spelling.
//!
//! Returns `None` if it does not understand the layout. A result may still be wrong, so the caller reads it back.

use super::yaml_lines::{Element, Entry, Lines, comment};
use crate::manifest::write::{
    WritableAnnotation, WritableInput, annotation_fields, write_annotation, write_field,
    write_input,
};
use crate::manifest::{Anchor, anchors};
use crate::model::Undeclared;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::ops::Range;

/// The edit of a declared annotation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Kept,
    Dropped,
    /// Before and after.
    Changed(Box<[WritableAnnotation; 2]>),
}

/// The edit of an input.
#[derive(Debug)]
pub(super) struct InputEdit {
    /// Its index in the file.
    pub(super) index: u32,
    /// Before the edit.
    pub(super) undeclared: Undeclared,
    /// Old and new width, and old and new height of the image, if they change.
    pub(super) size: [Option<[u32; 2]>; 2],
    /// One per declared annotation.
    pub(super) parts: Vec<Part>,
    /// The new order of the annotations that are not dropped, by index, if it changes.
    pub(super) order: Option<Vec<usize>>,
    pub(super) added: Vec<WritableAnnotation>,
    /// The complete input after the edit.
    pub(super) whole: WritableInput,
}

/// The edit of a file.
#[derive(Debug, Default)]
pub(super) struct FileEdit {
    /// Number of inputs before the edit.
    pub(super) inputs: u32,
    /// Inputs that change, in the order of the file.
    pub(super) edits: Vec<InputEdit>,
    /// New inputs.
    pub(super) appended: Vec<WritableInput>,
}

/// Whether an annotation that is an anchor or an alias may be written anew, which loses that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aliases {
    Kept,
    Replaced,
}

/// The edited text; `None` if its layout is not supported.
pub(super) fn splice(text: &str, edit: &FileEdit, aliases: Aliases) -> Option<String> {
    let ends_with_newline = text.is_empty() || text.ends_with('\n');
    let whole = if ends_with_newline {
        text.to_owned()
    } else {
        format!("{text}\n")
    };
    let mut splicer = Splicer {
        text: &whole,
        lines: Lines::new(&whole),
        splices: Vec::new(),
        aliases,
    };
    let found = Anchors::of(&whole, edit);
    for (at, edit) in edit.edits.iter().enumerate() {
        let before = splicer.splices.len();
        let limit = found.limit(&splicer.lines, at);
        if splicer.input(edit, &found.edits[at], limit).is_none() {
            splicer.splices.truncate(before);
            splicer.whole_input(edit, found.edits[at].input, limit)?;
        }
    }
    splicer.append(edit, &found)?;
    splicer.apply(&whole)
}

/// Offsets of the parts that an edit needs.
struct Anchors {
    inputs: usize,
    last: usize,
    edits: Vec<InputAnchors>,
}

struct InputAnchors {
    input: usize,
    /// The following input.
    next: Option<usize>,
    /// The values of the image's width and height.
    size: [usize; 2],
    key: usize,
    annotations: Vec<usize>,
    /// For each annotation that changes, the offsets of its keys.
    fields: Vec<Vec<usize>>,
}

impl Anchors {
    fn of(text: &str, edit: &FileEdit) -> Self {
        let mut wanted = vec![Anchor::Inputs, Anchor::Input(edit.inputs.saturating_sub(1))];
        for input in &edit.edits {
            let index = input.index;
            wanted.extend([
                Anchor::Input(index),
                Anchor::Input(index + 1),
                Anchor::Width(index),
                Anchor::Height(index),
                Anchor::Annotations(index),
            ]);
            for (at, part) in input.parts.iter().enumerate() {
                let at = at as u32;
                wanted.push(Anchor::Annotation(index, at));
                wanted.extend(
                    (0..field_count(part) as u32).map(|field| Anchor::Field(index, at, field)),
                );
            }
        }
        let mut found = anchors(text, &wanted).into_iter();
        // `anchors` returns one offset for each wanted anchor, in order.
        let mut next = || found.next().unwrap_or_default();
        let (inputs, last) = (next(), next());
        let mut edits = Vec::with_capacity(edit.edits.len());
        for input in &edit.edits {
            let (at, following) = (next(), next());
            let (size, key) = ([next(), next()], next());
            let mut of = InputAnchors {
                input: at,
                next: (input.index + 1 < edit.inputs).then_some(following),
                size,
                key,
                annotations: Vec::with_capacity(input.parts.len()),
                fields: Vec::with_capacity(input.parts.len()),
            };
            for part in &input.parts {
                of.annotations.push(next());
                of.fields
                    .push((0..field_count(part)).map(|_| next()).collect());
            }
            edits.push(of);
        }
        Self {
            inputs,
            last,
            edits,
        }
    }

    /// The line after an edited input.
    fn limit(&self, lines: &Lines<'_>, edit: usize) -> usize {
        self.edits[edit]
            .next
            .map_or(lines.len(), |next| lines.line_of(next))
    }
}

fn field_count(part: &Part) -> usize {
    match part {
        Part::Changed(sides) => annotation_fields(&sides[0]).len(),
        Part::Kept | Part::Dropped => 0,
    }
}

struct Splicer<'t> {
    text: &'t str,
    lines: Lines<'t>,
    splices: Vec<(Range<usize>, String)>,
    aliases: Aliases,
}

impl<'t> Splicer<'t> {
    /// `None` if these lines may not be written anew.
    fn may_rewrite(&self, lines: Range<usize>) -> Option<()> {
        let is_alias = |line: &str| {
            let element = line.trim_start().strip_prefix("- ");
            element.is_some_and(|it| it.trim_start().starts_with(['&', '*']))
        };
        let mut lines = lines.map(|line| self.lines.line(line));
        (self.aliases == Aliases::Replaced || !lines.any(is_alias)).then_some(())
    }

    fn replace(&mut self, bytes: Range<usize>, text: String) {
        self.splices.push((bytes, text));
    }

    fn insert(&mut self, at: usize, text: String) {
        self.replace(at..at, text);
    }

    /// Edits the parts of an input.
    fn input(&mut self, edit: &InputEdit, found: &InputAnchors, limit: usize) -> Option<()> {
        if edit.undeclared == Undeclared::Purged {
            return None;
        }
        self.lines.element(found.input)?.keys?;
        for (change, at) in edit.size.iter().zip(found.size) {
            if let Some([was, is]) = change {
                let was = was.to_string();
                self.text.get(at..)?.strip_prefix(&was)?;
                self.replace(at..at + was.len(), is.to_string());
            }
        }
        let is_kept = edit.parts.iter().all(|part| *part == Part::Kept);
        if is_kept && edit.order.is_none() && edit.added.is_empty() {
            return Some(());
        }
        let key = self.lines.entry("annotations", found.key)?;
        let keys_column = key.column;
        if edit.parts.is_empty() {
            let added = written(&edit.added, keys_column + 2);
            return self.fill(key, &added);
        }
        let elements: Vec<Element> = found
            .annotations
            .iter()
            .map(|at| self.lines.element(*at))
            .collect::<Option<_>>()?;
        let column = elements[0].column;
        let in_order = elements.windows(2).all(|two| two[0].line < two[1].line);
        if !in_order
            || elements.iter().any(|element| element.column != column)
            || elements[0].line <= key.line
            || !key.value.is_empty()
        {
            return None;
        }
        let before_parts = self.splices.len();
        let mut end = elements[0].line;
        // Each block with the comments before it.
        let mut blocks = Vec::with_capacity(elements.len());
        for (at, part) in edit.parts.iter().enumerate() {
            let element = elements[at];
            let next = elements.get(at + 1).map_or(limit, |next| next.line);
            let block = self.lines.block(element.line, column, next);
            let above = if at == 0 { key.line + 1 } else { end };
            blocks.push(self.lines.bytes(above..block.end));
            end = block.end;
            match part {
                Part::Kept => {}
                Part::Dropped => self.replace(self.lines.bytes(block), String::new()),
                Part::Changed(sides) => {
                    let before = self.splices.len();
                    let fields = &found.fields[at];
                    if self.fields(sides, element, fields, block.clone()).is_none() {
                        self.splices.truncate(before);
                        self.may_rewrite(block.clone())?;
                        let text = write_annotation(&sides[1], column);
                        let text = self.with_comments(block.clone(), column, text);
                        self.replace(self.lines.bytes(block), text);
                    }
                }
            }
        }
        if let Some(order) = &edit.order {
            self.reorder(before_parts, &blocks, &edit.parts, order)?;
        }
        if !edit.added.is_empty() {
            self.insert(self.lines.start(end), written(&edit.added, column));
        } else if edit.parts.iter().all(|part| *part == Part::Dropped) {
            self.insert(key.value_start, " []".to_owned());
        }
        Some(())
    }

    /// Puts blocks that follow each other, with the splices from index `first` on, into another order. What is left of
    /// dropped annotations, their comments, keeps its place.
    fn reorder(
        &mut self,
        first: usize,
        blocks: &[Range<usize>],
        parts: &[Part],
        order: &[usize],
    ) -> Option<()> {
        let mut splices = self.splices.split_off(first);
        splices.sort_by_key(|(bytes, _)| bytes.start);
        let text_of = |block: &Range<usize>| -> Option<String> {
            let inside = splices
                .iter()
                .filter(|(bytes, _)| block.contains(&bytes.start));
            let mut text = String::new();
            let mut at = block.start;
            for (bytes, new) in inside {
                text.push_str(self.text.get(at..bytes.start)?);
                text.push_str(new);
                at = bytes.end;
            }
            text.push_str(self.text.get(at..block.end)?);
            // Replacements have plain line feeds.
            Some(text.replace("\r\n", "\n"))
        };
        let mut following = order.iter();
        let mut text = String::new();
        for (at, part) in parts.iter().enumerate() {
            let block = match part {
                Part::Dropped => at,
                Part::Kept | Part::Changed(_) => *following.next()?,
            };
            text.push_str(&text_of(blocks.get(block)?)?);
        }
        let whole = blocks.first()?.start..blocks.last()?.end;
        self.replace(whole, text);
        Some(())
    }

    /// Replaces the fields of an annotation that differ, if it has the same keys before and after.
    fn fields(
        &mut self,
        sides: &[WritableAnnotation; 2],
        element: Element,
        found: &[usize],
        block: Range<usize>,
    ) -> Option<()> {
        let column = element.keys?;
        let [was, is] = [0, 1].map(|side| annotation_fields(&sides[side]));
        let same_keys = was.len() == is.len() && was.keys().all(|key| is.contains_key(key));
        if !same_keys || found.len() != was.len() {
            return None;
        }
        let mut entries = Vec::with_capacity(found.len());
        for &at in found {
            let (key, entry) = self.key_at(&was, at)?;
            if entry.column != column || !block.contains(&entry.line) {
                return None;
            }
            entries.push((key, at, entry.line));
        }
        for (index, (key, at, line)) in entries.iter().enumerate() {
            if was[*key] == is[*key] {
                continue;
            }
            let next = entries.get(index + 1).map_or(block.end, |next| next.2);
            // The value may continue in lines with the same indent as the key.
            let field = self.lines.block(*line, column.saturating_sub(1), next);
            let mut text = write_field(key, &is[*key], column);
            if field.len() == 1 {
                let rest = &self.lines.line(*line)[at - self.lines.start(*line)..];
                text.push_str(comment(rest).map_or("", |at| &rest[at..]));
            } else {
                for comment in self.comments(field.clone()) {
                    let _ = write!(text, " {comment}");
                }
            }
            let last = field.end - 1;
            let end = self.lines.start(last) + self.lines.line(last).len();
            self.replace(*at..end, text);
        }
        Some(())
    }

    /// The comments of these lines, each starting at its `#`.
    fn comments(&self, lines: Range<usize>) -> Vec<&'t str> {
        lines
            .filter_map(|line| {
                let line = self.lines.line(line);
                Some(line[comment(line)?..].trim())
            })
            .collect()
    }

    /// A replacement for these lines with their comments: at the end if both are one line, else in lines of their own before
    /// it.
    fn with_comments(&self, lines: Range<usize>, column: usize, text: String) -> String {
        let comments = self.comments(lines.clone());
        match (&comments[..], text.trim_end_matches('\n')) {
            ([], _) => text,
            ([only], line) if lines.len() == 1 && !line.contains('\n') => {
                format!("{line}  {only}\n")
            }
            _ => {
                let mut all = String::new();
                for comment in comments {
                    let _ = writeln!(all, "{:column$}{comment}", "");
                }
                all + &text
            }
        }
    }

    /// The field with its key at this offset.
    fn key_at<'k>(
        &self,
        fields: &'k Map<String, Value>,
        at: usize,
    ) -> Option<(&'k str, Entry<'t>)> {
        fields
            .keys()
            .find_map(|key| Some((key.as_str(), self.lines.entry(key, at)?)))
    }

    /// Rewrites a whole input.
    fn whole_input(&mut self, edit: &InputEdit, first_key: usize, limit: usize) -> Option<()> {
        let element = self.lines.element(first_key)?;
        let block = self.lines.block(element.line, element.column, limit);
        self.may_rewrite(block.clone())?;
        let text = write_input(&edit.whole, element.column);
        let text = self.with_comments(block.clone(), element.column, text);
        self.replace(self.lines.bytes(block), text);
        Some(())
    }

    /// Puts elements into a list that is written `[]`.
    fn fill(&mut self, key: Entry<'_>, elements: &str) -> Option<()> {
        let inner = key.value.strip_prefix('[')?.strip_suffix(']')?;
        if !inner.trim().is_empty() {
            return None;
        }
        if elements.is_empty() {
            return Some(());
        }
        let next = self.lines.start(key.line + 1);
        let behind = key.value_start;
        let line = self.lines.line(key.line);
        let rest = &line[behind - self.lines.start(key.line)..];
        let kept = comment(rest).map_or("", |at| &rest[at..]);
        let end = self.lines.start(key.line) + line.len();
        let kept = kept.to_owned();
        self.replace(behind..end, kept);
        self.insert(next, elements.to_owned());
        Some(())
    }

    fn append(&mut self, edit: &FileEdit, found: &Anchors) -> Option<()> {
        if edit.appended.is_empty() {
            return Some(());
        }
        let texts = |column: usize| -> String {
            edit.appended
                .iter()
                .map(|input| write_input(input, column))
                .collect()
        };
        if edit.inputs > 0 {
            let element = self.lines.element(found.last)?;
            let block = self
                .lines
                .block(element.line, element.column, self.lines.len());
            self.insert(self.lines.start(block.end), texts(element.column));
            return Some(());
        }
        if let Some(key) = self.lines.entry("inputs", found.inputs) {
            return self.fill(key, &texts(2));
        }
        let end = self.lines.start(self.lines.len());
        self.insert(end, format!("inputs:\n{}", texts(2)));
        Some(())
    }

    fn apply(mut self, text: &str) -> Option<String> {
        // The sort is stable, so that insertions at one offset keep their order.
        self.splices.sort_by_key(|(bytes, _)| bytes.start);
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut spliced = String::with_capacity(text.len());
        let mut at = 0;
        for (bytes, new) in self.splices {
            spliced.push_str(text.get(at..bytes.start)?);
            let _ = write!(spliced, "{}", new.replace('\n', line_end));
            at = bytes.end;
        }
        spliced.push_str(text.get(at..)?);
        Some(spliced)
    }
}

fn written(annotations: &[WritableAnnotation], column: usize) -> String {
    annotations
        .iter()
        .map(|annotation| write_annotation(annotation, column))
        .collect()
}

/// The text with its `inputs` replaced. `None` if that is not a block without indentation.
pub(super) fn replace_inputs(text: &str, inputs: &str) -> Option<String> {
    let whole = format!("{}\n", text.trim_end_matches('\n'));
    let bytes = inputs_block(&whole)?;
    Some(format!(
        "{}{inputs}{}",
        &whole[..bytes.start],
        &whole[bytes.end..]
    ))
}

/// The lines of `inputs` in a text that ends with a line feed. `None` if they are not a block without indentation.
pub(super) fn inputs_block(text: &str) -> Option<Range<usize>> {
    let lines = Lines::new(text);
    let at = anchors(text, &[Anchor::Inputs])[0];
    let key = lines.entry("inputs", at)?;
    (key.column == 0).then(|| lines.bytes(lines.top_entry(key.line)))
}
