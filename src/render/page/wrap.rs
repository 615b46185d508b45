//! Breaks long lines to the width of a terminal.

use std::ops::Range;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The indent of the following rows, relative to the line's own.
const HANGING: usize = 2;

/// The indent of all rows except the first.
pub(super) fn indent(line: &str, width: Option<usize>) -> usize {
    let own = line.len() - line.trim_start_matches(' ').len();
    // A deep indent still leaves half of the width for text.
    (own + HANGING).min(width.map_or(usize::MAX, |width| width / 2))
}

/// The rows of a line, at least one. A row ends at a space, which is dropped, or between two characters if it has no
/// space.
pub(super) fn rows(
    line: &str,
    width: Option<usize>,
    indent: usize,
) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let row_width = match width {
            None => usize::MAX,
            Some(width) if start == 0 => width,
            Some(width) => width - indent,
        };
        let (end, resume) = row(&line[start..], row_width, start == 0);
        next = resume.map(|resume| start + resume);
        Some(start..start + end)
    })
}

/// The end of the first row of a text, and the start of the next one, if any.
fn row(text: &str, width: usize, is_first: bool) -> (usize, Option<usize>) {
    // No character has more columns than bytes, except control characters, which are escaped.
    if text.len() <= width {
        return (text.len(), None);
    }
    // A line is not broken in its own indentation.
    let indentation = if is_first {
        text.len() - text.trim_start_matches(' ').len()
    } else {
        0
    };
    let mut space = None;
    let mut at = 0;
    while at < text.len() {
        let cluster = cluster(&text[at..]);
        if cluster == " " && at > indentation {
            // The space at the end of a row is dropped, and may be beyond the width.
            space = Some(at);
        }
        // Widths do not add up: two flag letters that meet may be one flag.
        let columns = text[..at + cluster.len()].width();
        // A row has at least one character.
        if columns > width && at > 0 {
            return match space {
                Some(space) => (space, Some(space + 1)),
                None => (at, Some(at)),
            };
        }
        at += cluster.len();
    }
    (text.len(), None)
}

/// The first character with its combining marks and joined characters. `text` is not empty.
fn cluster(text: &str) -> &str {
    const JOINER: char = '\u{200d}';
    let mut is_joined = false;
    let is_inside = |c: char| {
        let is_skin = ('\u{1f3fb}'..='\u{1f3ff}').contains(&c);
        c.width() == Some(0) || is_skin
    };
    let mut characters = text.char_indices();
    let first = characters.next().map(|(_, c)| c);
    let is_flag = |c: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
    let mut flags = usize::from(first.is_some_and(is_flag));
    for (at, c) in characters {
        let completes_flag = flags == 1 && is_flag(c);
        if !(is_joined || is_inside(c) || completes_flag) {
            return &text[..at];
        }
        flags += usize::from(completes_flag);
        is_joined = c == JOINER;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows_of(line: &str, width: usize) -> Vec<String> {
        let indent = indent(line, Some(width));
        let text = |(at, range): (usize, Range<usize>)| {
            let indent = if at == 0 { 0 } else { indent };
            format!("{}{}", " ".repeat(indent), &line[range])
        };
        rows(line, Some(width), indent)
            .enumerate()
            .map(text)
            .collect()
    }

    #[test]
    fn lines_break_at_spaces_or_between_characters() {
        for (line, width, expected) in [
            ("", 10, &[""][..]),
            ("ten column", 10, &["ten column"]),
            ("ten columns", 10, &["ten", "  columns"]),
            // The dropped space may be beyond the width.
            ("ten column and", 10, &["ten column", "  and"]),
            ("abcdefghijklm", 10, &["abcdefghij", "  klm"]),
            ("a abcdefghijklm", 10, &["a", "  abcdefgh", "  ijklm"]),
            // Of several spaces, one is dropped.
            ("ten colum  x", 10, &["ten colum ", "  x"]),
            ("    abcdefgh", 10, &["    abcdef", "     gh"]),
            ("    ab cdefgh", 10, &["    ab", "     cdefg", "     h"]),
        ] {
            assert_eq!(rows_of(line, width), expected, "{line:?}");
        }
    }

    #[test]
    fn wide_characters_have_two_columns_and_clusters_stay_together() {
        assert_eq!(rows_of("漢字漢字漢字", 7), ["漢字漢", "  字漢", "  字"]);
        for one in ["e\u{301}", "👩\u{200d}🚀", "👍\u{1f3fd}", "🇨🇭", "☀\u{fe0f}"] {
            assert_eq!(cluster(&format!("{one}x")), one);
            assert_eq!(cluster(&format!("{one}{one}")), one);
            let rows = rows_of(&one.repeat(30), 10);
            assert!(rows.len() > 2, "{rows:?}");
            for row in &rows {
                assert_eq!(row.trim_start().replace(one, ""), "", "{rows:?}");
            }
        }
    }

    #[test]
    fn flag_letters_that_a_joiner_separates_fit() {
        let line = "  🇨a\u{200d}🇭🇨🇭\u{200d}👩🇭   ";
        let rows = rows_of(line, 7);
        assert!(rows.iter().all(|row| row.width() <= 7), "{rows:?}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_row_is_wider_than_the_terminal(
            line in "( {0,9}|)(\\PC{0,9}[ a-z漢é👩\u{200d}🚀🇨🇭]{0,30} ){0,8}\\PC{0,60}",
            width in 4_usize..60,
        ) {
            let indent = indent(&line, Some(width));
            let ranges: Vec<Range<usize>> = rows(&line, Some(width), indent).collect();
            // Between two rows, at most one space is dropped.
            let mut at = 0;
            for (index, range) in ranges.iter().enumerate() {
                let between = &line[at..range.start];
                prop_assert!(between.is_empty() || (index > 0 && between == " "), "{between:?}");
                at = range.end;
                let text = &line[range.clone()];
                let columns = if index == 0 { width } else { width - indent };
                prop_assert!(text.width() <= columns || cluster(text) == text, "{text:?} in {columns}");
                prop_assert!(!text.is_empty() || index + 1 == ranges.len() || line.is_empty(), "{ranges:?}");
            }
            prop_assert_eq!(at, line.len());
        }
    }
}
