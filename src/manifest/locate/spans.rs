//! Bytes of a text -> line, column and source line.

use crate::manifest::problem::SourceSpan;
use std::ops::Range;

/// This many characters before and after the span are shown of a longer source line.
const BEFORE: usize = 100;
const AFTER: usize = 60;

/// Finds spans in ascending order, so that a file of one long line is read once, not once for each problem.
#[derive(Debug)]
pub(in crate::manifest) struct SpanFinder<'t> {
    text: &'t str,
    line: usize,
    line_start: usize,
    column: usize,
    at: usize,
}

impl<'t> SpanFinder<'t> {
    pub(in crate::manifest) fn new(text: &'t str) -> Self {
        Self {
            text,
            line: 1,
            line_start: 0,
            column: 1,
            at: 0,
        }
    }

    /// `range` may not begin before that of the last call.
    pub(in crate::manifest) fn span(&mut self, range: &Range<usize>) -> SourceSpan {
        for (at, c) in self.text[self.at..range.start.max(self.at)].char_indices() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
                self.line_start = self.at + at + 1;
            } else {
                self.column += 1;
            }
        }
        self.at = self.at.max(range.start);
        let from = self.text[self.line_start..self.at]
            .char_indices()
            .rev()
            .take(BEFORE)
            .last()
            .map_or(self.at, |(at, _)| self.line_start + at);
        let rest = line_from(self.text, self.at, 4 * (2 * AFTER + 1));
        // The marked part is shown, up to a limit.
        let marked = range.len().min(rest.len());
        let longest = rest[..marked].chars().count().min(AFTER) + AFTER;
        let end = rest
            .char_indices()
            .nth(longest)
            .map_or(rest.len(), |(at, _)| at);
        let marked = marked.min(end);
        let mut source = String::new();
        if from > self.line_start {
            source.push('…');
        }
        source.push_str(&self.text[from..self.at]);
        let start = source.len();
        source.push_str(&rest[..end]);
        if end < rest.len() {
            source.push('…');
        }
        SourceSpan {
            line: self.line,
            column: self.column,
            length: rest[..marked].chars().count().max(1),
            source,
            marked: (start, start + marked),
        }
    }
}

/// The rest of the line at an offset, without its line end. Cut after about `longest` bytes, because a line may be the
/// whole file.
pub(super) fn line_from(text: &str, at: usize, longest: usize) -> &str {
    let mut end = text.len().min(at.saturating_add(longest));
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let rest = &text[at..end];
    let rest = rest.split('\n').next().unwrap_or_default();
    rest.strip_suffix('\r').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_keep_no_carriage_return() {
        let text = "a: 1\r\n日本: xé\r\n";
        let start = text.find('x').unwrap();
        let span = SpanFinder::new(text).span(&(start..start + 3));
        assert_eq!((span.line, span.column, span.length), (2, 5, 2));
        assert_eq!(span.source, "日本: xé");
        assert_eq!(&span.source[span.marked.0..span.marked.1], "xé");
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let text = format!("{}ä{}", "x".repeat(1000), "y".repeat(1000));
        let span = SpanFinder::new(&text).span(&(1000..1002));
        assert_eq!(span.column, 1001);
        assert_eq!(span.source.chars().count(), 1 + 100 + 1 + 60 + 1);
        assert_eq!(&span.source[span.marked.0..span.marked.1], "ä");
    }

    #[test]
    fn the_end_of_the_text_has_a_span() {
        let span = SpanFinder::new("a\n").span(&(2..2));
        assert_eq!((span.line, span.column, span.length), (2, 1, 1));
        assert_eq!(span.source, "");
    }
}
