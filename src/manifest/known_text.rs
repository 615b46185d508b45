//! What a text input says, and whether the spans of its annotations are its characters.
//!
//! Characters are Unicode code points, as in the API's counts. Does not know where the text comes from.

use super::finding::{Findings, Place};
use super::words::quote;
use crate::model::{Content, Geometry, Identity, Span};

/// Of two long texts this many characters are shown in front of where they part.
const IN_FRONT: usize = 15;

/// A text in which any characters are found at once: an input may have as many spans as characters.
struct KnownText<'t> {
    text: &'t str,
    /// Where each character begins, and where the last one ends; nothing where each has one byte.
    starts: Option<Vec<usize>>,
}

impl<'t> KnownText<'t> {
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

/// Checks the spans of an input against what it says. `place` is the input's. What is returned are the texts of the
/// spans that are written without one, with the indices of their annotations.
pub(super) fn filling(
    text: &str,
    annotations: &[(Identity, Content)],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Vec<(usize, Box<str>)> {
    let mut spans = annotations
        .iter()
        .enumerate()
        .filter_map(|(index, (_, content))| match &content.geometry {
            Some(Geometry::Span(span)) => Some((index, span)),
            _ => None,
        })
        .peekable();
    let mut found = Vec::new();
    if spans.peek().is_none() {
        return found;
    }
    let known = KnownText::new(text);
    let at = place.name("annotations");
    for (index, span) in spans {
        let at = at.nth(index);
        let at = at.name("span");
        match (known.slice(span), span.text()) {
            (None, _) => {
                findings
                    .add(
                        at.name("end").value(),
                        format!(
                            "the span ends at {}, and the input's text has {} characters",
                            span.end(),
                            known.len()
                        ),
                    )
                    .hint("characters are counted from 0, and `end` is behind the last one");
            }
            (Some(slice), None) => found.push((index, slice.into())),
            (Some(slice), Some(written)) if slice == written => {}
            (Some(slice), Some(written)) => {
                let (slice, written) = apart(slice, written);
                findings
                    .add(
                        at.name("text").value(),
                        format!(
                            "the span says {}, and the input's text has {} there",
                            quote(&written),
                            quote(&slice)
                        ),
                    )
                    .hint(
                        "mend `start` and `end` (characters from 0, `end` behind the last one), or leave `text` out",
                    );
            }
        }
    }
    found
}

/// Gives the spans the texts that they were written without.
pub(super) fn fill(annotations: &mut [(Identity, Content)], found: Vec<(usize, Box<str>)>) {
    for (index, text) in found {
        if let Some(Geometry::Span(span)) = &mut annotations[index].1.geometry {
            **span = Span::new(span.start(), span.end(), Some(text))
                .expect("start and end are those of a span");
        }
    }
}

/// Two different texts from shortly before they part, so that a message that shortens them shows the difference.
fn apart(one: &str, other: &str) -> (String, String) {
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    let skipped = common.count().saturating_sub(IN_FRONT);
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
                KnownText::new(text).slice(&span),
                slice,
                "{text} {start} {end}"
            );
        }
        assert_eq!(KnownText::new("ä\u{1f600}日x").len(), 4);
        assert_eq!(KnownText::new("abc").len(), 3);
    }

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let long = "x".repeat(100);
        let (one, other) = apart(&format!("{long}a"), &format!("{long}bc"));
        assert_eq!(one, format!("…{}a", "x".repeat(15)));
        assert_eq!(other, format!("…{}bc", "x".repeat(15)));
        assert_eq!(apart("cat", "cot"), ("cat".into(), "cot".into()));
    }
}
