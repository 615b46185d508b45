//! Checks spans against the text of their input, and fills in the texts of spans.
//!
//! Characters are Unicode code points, as the API counts them.

use super::finding::{Findings, Place};
use super::words::quote;
use crate::model::{Content, Geometry, Identity, Rule, Span};

/// Of two long texts this many equal characters are shown before their first difference.
const COMMON_SHOWN: usize = 15;

/// A text with an index of its characters: an input may have as many spans as characters.
struct IndexedText<'t> {
    text: &'t str,
    /// The byte offsets of the characters and of the end; `None` if each character has one byte.
    starts: Option<Vec<usize>>,
}

impl<'t> IndexedText<'t> {
    fn new(text: &'t str) -> Self {
        let starts = || {
            let starts = text.char_indices().map(|(at, _)| at);
            starts.chain([text.len()]).collect()
        };
        Self {
            text,
            starts: (!text.is_ascii()).then(starts),
        }
    }

    /// In characters.
    fn len(&self) -> usize {
        self.starts
            .as_ref()
            .map_or(self.text.len(), |starts| starts.len() - 1)
    }

    fn slice(&self, span: &Span) -> Option<&'t str> {
        let at = |index: u32| match &self.starts {
            Some(starts) => starts.get(index as usize).copied(),
            None => Some(index as usize),
        };
        self.text.get(at(span.start())?..at(span.end())?)
    }
}

/// The texts of spans that are written without one, with the indices of their annotations.
pub(super) type SpanTexts = Vec<(usize, Box<str>)>;

/// Checks the spans of an input, at `place`, against its text.
pub(super) fn check_spans(
    text: &str,
    annotations: &[(Identity, Content)],
    place: &Place<'_>,
    findings: &mut Findings,
) -> SpanTexts {
    let mut spans = annotations
        .iter()
        .enumerate()
        .filter_map(|(index, (_, content))| match &content.geometry {
            Some(Geometry::Span(span)) => Some((index, span)),
            _ => None,
        })
        .peekable();
    let mut missing = SpanTexts::new();
    if spans.peek().is_none() {
        return missing;
    }
    let indexed = IndexedText::new(text);
    let at = place.name("annotations");
    for (index, span) in spans {
        let at = at.nth(index);
        let at = at.name("span");
        match (indexed.slice(span), span.text()) {
            (None, _) => {
                findings
                    .add(
                        at.name("end").value(),
                        format!(
                            "the span ends at {}, and the input's text has {} characters",
                            span.end(),
                            indexed.len()
                        ),
                    )
                    .hint("characters are counted from 0, and `end` is one after the last")
                    .rule(Rule::SpanText);
            }
            (Some(slice), None) => missing.push((index, slice.into())),
            (Some(slice), Some(written)) if slice == written => {}
            (Some(slice), Some(written)) => {
                let (slice, written) = shortened(slice, written);
                findings
                    .add(
                        at.name("text").value(),
                        format!(
                            "the span's text is {}, and the input has {} there",
                            quote(&written),
                            quote(&slice)
                        ),
                    )
                    .hint(
                        "correct `start` and `end` (characters from 0, `end` one after the last), or leave `text` out",
                    )
                    .rule(Rule::SpanText);
            }
        }
    }
    missing
}

pub(super) fn set_span_texts(annotations: &mut [(Identity, Content)], texts: SpanTexts) {
    for (index, text) in texts {
        if let Some(Geometry::Span(span)) = &mut annotations[index].1.geometry {
            **span = Span::new(span.start(), span.end(), Some(text))
                .expect("start and end are those of a valid span");
        }
    }
}

/// Two different texts from shortly before their first difference, so that a message that cuts them shows it.
fn shortened(one: &str, other: &str) -> (String, String) {
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let skipped = common.count().saturating_sub(COMMON_SHOWN);
    let from = |text: &str| {
        let dots = if skipped > 0 { "…" } else { "" };
        format!("{dots}{}", text.chars().skip(skipped).collect::<String>())
    };
    (from(one), from(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        for (text, start, end, slice) in [
            ("a cat", 2, 5, Some("cat")),
            ("ä\u{1f600}日x", 1, 3, Some("\u{1f600}日")),
            ("ä\u{1f600}日x", 4, 4, Some("")),
            ("ä\u{1f600}日x", 4, 5, None),
            ("abc", 1, 4, None),
            ("", 0, 0, Some("")),
        ] {
            let span = Span::new(start, end, None).unwrap();
            assert_eq!(
                IndexedText::new(text).slice(&span),
                slice,
                "{text} {start} {end}"
            );
        }
        assert_eq!(IndexedText::new("ä\u{1f600}日x").len(), 4);
        assert_eq!(IndexedText::new("abc").len(), 3);
    }

    #[test]
    fn long_texts_are_shown_around_their_first_difference() {
        let long = "x".repeat(100);
        let (one, other) = shortened(&format!("{long}a"), &format!("{long}bc"));
        assert_eq!(one, format!("…{}a", "x".repeat(15)));
        assert_eq!(other, format!("…{}bc", "x".repeat(15)));
        assert_eq!(shortened("cat", "cot"), ("cat".into(), "cot".into()));
    }
}
