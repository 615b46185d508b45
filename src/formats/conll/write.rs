//! Texts with spans -> a CoNLL file in IOB2: a document for each input, a sentence for each line of its text.

use super::DOCUMENT;
use crate::formats::account::{Media, Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::writer::{ExportInput, Exported, Holds, Item, Writer};
use crate::model::{ConceptId, Geometry};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const HOLDS: Holds = Holds {
    scores: false,
    absent: false,
};

/// Writes `texts.conll`, or `SPLIT.conll` for each split.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Conll, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, String> = BTreeMap::new();
    // A label with a space needs tabs between the columns.
    let has_space = writer
        .classes()
        .iter()
        .any(|class| class.as_str().contains(' '));
    let separator = if has_space { '\t' } else { ' ' };
    for input in inputs {
        writer.stem_name(input);
        let items = writer.items(input);
        let Media::Text(text) = &input.media else {
            for item in one_each(&items) {
                let detail = "its input has no text in the manifest";
                writer.left_out(item.name, input, SkipCode::OutsideText, detail);
            }
            writer.note_input(Note::EmptyLeftOut, input);
            continue;
        };
        let out = splits.entry(input.split.as_deref()).or_default();
        document(text, &items, input, separator, out, &mut writer);
    }
    for (split, text) in splits {
        let name = split.unwrap_or("texts").replace(['/', '\\'], "_");
        writer.file(&format!("{name}.conll"), text);
    }
    writer.finish()
}

/// The first item of each annotation.
fn one_each<'i, 'e>(items: &'i [Item<'e>]) -> impl Iterator<Item = &'i Item<'e>> {
    items
        .chunk_by(|a, b| a.name == b.name)
        .map(|items| &items[0])
}

/// A span of the text, in code points.
struct Labelled<'i, 'e> {
    item: &'i Item<'e>,
    start: usize,
    end: usize,
}

fn document(
    text: &str,
    items: &[Item<'_>],
    input: &ExportInput,
    separator: char,
    out: &mut String,
    writer: &mut Writer,
) {
    let characters: Vec<char> = text.chars().collect();
    let spans = labelled(items, &characters, input, writer);
    let tokens = tokens(&characters, &spans);
    if tokens.is_empty() {
        writer.note_input(Note::EmptyLeftOut, input);
        return;
    }
    let _ = writeln!(out, "{DOCUMENT} ({})", input.id);
    let mut again = String::new();
    for (number, token) in tokens.iter().enumerate() {
        if number > 0 {
            let between = &characters[tokens[number - 1].end..token.start];
            let is_within = spans
                .iter()
                .any(|span| span.start < token.start && token.start < span.end);
            // A sentence would end the span.
            let is_new = between.contains(&'\n') && !is_within;
            again.push(if is_new { '\n' } else { ' ' });
            out.push_str(if is_new { "\n" } else { "" });
        }
        let word: String = characters[token.start..token.end].iter().collect();
        let span = spans
            .iter()
            .find(|span| span.start <= token.start && token.start < span.end);
        let tag = match span {
            None => "O".to_owned(),
            Some(span) if span.start == token.start => format!("B-{}", span.item.concept),
            Some(span) => format!("I-{}", span.item.concept),
        };
        // It would begin a document.
        let shown = if word == DOCUMENT { "DOCSTART" } else { &word };
        again.push_str(shown);
        let _ = writeln!(out, "{shown}{separator}{tag}");
    }
    out.push('\n');
    let is_changed = again != text;
    if is_changed {
        writer.note_input(Note::TextChanged, input);
    }
    for span in &spans {
        if is_changed {
            writer.note(Note::TextChanged, span.item.name, input);
        }
        writer.metadata_left(span.item, input);
    }
}

/// The spans that can be tags: within the text, not only spaces, not over another span.
fn labelled<'i, 'e>(
    items: &'i [Item<'e>],
    characters: &[char],
    input: &ExportInput,
    writer: &mut Writer,
) -> Vec<Labelled<'i, 'e>> {
    let mut spans: Vec<Labelled<'i, 'e>> = Vec::new();
    for items in items.chunk_by(|a, b| a.name == b.name) {
        let item = &items[0];
        let Geometry::Span(span) = item.geometry else {
            unreachable!("the writer gives the kinds that CoNLL holds");
        };
        let (mut start, mut end) = (span.start() as usize, span.end() as usize);
        let mut wrong = None;
        if end > characters.len() {
            let detail = format!("characters {start} to {end} of {}", characters.len());
            wrong = Some((SkipCode::OutsideText, detail));
        } else {
            while start < end && is_space(characters[start]) {
                start += 1;
            }
            while start < end && is_space(characters[end - 1]) {
                end -= 1;
            }
            if start == end {
                wrong = Some((SkipCode::NoArea, "a span without a word".to_owned()));
            } else if items.len() > 1 {
                let detail = "a token has one concept".to_owned();
                wrong = Some((SkipCode::OtherShape, detail));
            } else if (spans.iter()).any(|other| start < other.end && other.start < end) {
                let detail = "a span over another one: a token has one tag".to_owned();
                wrong = Some((SkipCode::OtherShape, detail));
            }
        }
        if let Some((code, detail)) = wrong {
            writer.left_out(item.name, input, code, detail);
            continue;
        }
        if (start, end) != (span.start() as usize, span.end() as usize) {
            writer.note(Note::Rounded, item.name, input);
        }
        spans.push(Labelled { item, start, end });
    }
    spans
}

/// Separates tokens. NUL does too, because a file must not hold it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\0')
}

struct Token {
    start: usize,
    end: usize,
}

/// Words between spaces, divided where a span begins or ends.
fn tokens(characters: &[char], spans: &[Labelled<'_, '_>]) -> Vec<Token> {
    let mut edges: Vec<usize> = spans.iter().flat_map(|it| [it.start, it.end]).collect();
    edges.sort_unstable();
    let mut tokens: Vec<Token> = Vec::new();
    let mut start = None;
    for at in 0..=characters.len() {
        let is_over = at == characters.len() || is_space(characters[at]);
        if let Some(from) = start
            && (is_over || edges.binary_search(&at).is_ok())
        {
            tokens.push(Token {
                start: from,
                end: at,
            });
            start = None;
        }
        if !is_over && start.is_none() {
            start = Some(at);
        }
    }
    tokens
}

#[cfg(test)]
mod tests;
