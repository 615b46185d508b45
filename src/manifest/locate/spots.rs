//! Bytes of a text -> line, column and the source line, as people see them.

use crate::manifest::problem::Spot;
use std::ops::Range;

/// Of a source line that is longer, this many characters before and behind the spot are shown.
const BEFORE: usize = 100;
const BEHIND: usize = 60;

/// Makes spots. It is asked in ascending order, so that a file of one long line is read once, not once a problem.
#[derive(Debug)]
pub(in crate::manifest) struct Spotter<'t> {
    text: &'t str,
    line: usize,
    line_start: usize,
    column: usize,
    at: usize,
}

impl<'t> Spotter<'t> {
    pub(in crate::manifest) fn new(text: &'t str) -> Self {
        Self {
            text,
            line: 1,
            line_start: 0,
            column: 1,
            at: 0,
        }
    }

    /// The spot of these bytes, which begin nowhere before those of the last call.
    pub(in crate::manifest) fn spot(&mut self, range: &Range<usize>) -> Spot {
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
        let rest = line_from(self.text, self.at, 4 * (2 * BEHIND + 1));
        // What is marked is shown, but not without end.
        let marked = range.len().min(rest.len());
        let longest = rest[..marked].chars().count().min(BEHIND) + BEHIND;
        let behind = rest
            .char_indices()
            .nth(longest)
            .map_or(rest.len(), |(at, _)| at);
        let marked = marked.min(behind);
        let mut source = String::new();
        if from > self.line_start {
            source.push('…');
        }
        source.push_str(&self.text[from..self.at]);
        let start = source.len();
        source.push_str(&rest[..behind]);
        if behind < rest.len() {
            source.push('…');
        }
        Spot {
            line: self.line,
            column: self.column,
            length: rest[..marked].chars().count().max(1),
            source,
            marked: (start, start + marked),
        }
    }
}

/// The rest of the line at an offset, without its end; not much more than `longest` bytes of it, for a line may be the
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
        let spot = Spotter::new(text).spot(&(start..start + 3));
        assert_eq!((spot.line, spot.column, spot.length), (2, 5, 2));
        assert_eq!(spot.source, "日本: xé");
        assert_eq!(&spot.source[spot.marked.0..spot.marked.1], "xé");
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let text = format!("{}ä{}", "x".repeat(1000), "y".repeat(1000));
        let spot = Spotter::new(&text).spot(&(1000..1002));
        assert_eq!(spot.column, 1001);
        assert_eq!(spot.source.chars().count(), 1 + 100 + 1 + 60 + 1);
        assert_eq!(&spot.source[spot.marked.0..spot.marked.1], "ä");
    }

    #[test]
    fn the_end_of_the_text_is_a_spot() {
        let spot = Spotter::new("a\n").spot(&(2..2));
        assert_eq!((spot.line, spot.column, spot.length), (2, 1, 1));
        assert_eq!(spot.source, "");
    }
}
