//! Where a long line is broken so that it fits a terminal, as terminals measure it.

use std::ops::Range;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How far the rows of a line are set in more than its first one.
const HANGING: usize = 2;

/// How far all rows of a line but its first one are set in: as far as the line, and a bit.
pub(super) fn indent(line: &str, width: Option<usize>) -> usize {
    let own = line.len() - line.trim_start_matches(' ').len();
    // What is set in far leaves room for text all the same.
    (own + HANGING).min(width.map_or(usize::MAX, |width| width / 2))
}

/// The rows of a line, in order; one at least. A row ends before a space, which no row has, or, where there is none,
/// between two characters.
pub(super) fn rows(
    line: &str,
    width: Option<usize>,
    indent: usize,
) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let room = match width {
            None => usize::MAX,
            Some(width) if start == 0 => width,
            Some(width) => width - indent,
        };
        let (end, resume) = row(&line[start..], room, start == 0);
        next = resume.map(|resume| start + resume);
        Some(start..start + end)
    })
}

/// Where the first row of a text ends, and where the next one begins, if there is one.
fn row(text: &str, room: usize, is_first: bool) -> (usize, Option<usize>) {
    // No character takes more columns than bytes, but for a few control characters, which are escaped.
    if text.len() <= room {
        return (text.len(), None);
    }
    // A line's own indentation is no place to break it.
    let indentation = if is_first {
        text.len() - text.trim_start_matches(' ').len()
    } else {
        0
    };
    let mut columns = 0;
    let mut space = None;
    let mut at = 0;
    while at < text.len() {
        let cluster = cluster(&text[at..]);
        if cluster == " " && at > indentation {
            // A space that stands at the end of a row is the one that the break takes, and needs no room.
            space = Some(at);
        }
        columns += cluster.width();
        // A row holds one character at least, however wide.
        if columns > room && at > 0 {
            return match space {
                Some(space) => (space, Some(space + 1)),
                None => (at, Some(at)),
            };
        }
        at += cluster.len();
    }
    (text.len(), None)
}

/// The first character as people see it: with what is set upon it or joined to it. Text is not empty.
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
    fn a_line_is_broken_at_spaces_and_hard_where_there_are_none() {
        for (line, width, expected) in [
            ("", 10, &[""][..]),
            ("ten column", 10, &["ten column"]),
            ("ten columns", 10, &["ten", "  columns"]),
            // The space that a break takes may be the first that has no room.
            ("ten column and", 10, &["ten column", "  and"]),
            ("abcdefghijklm", 10, &["abcdefghij", "  klm"]),
            ("a abcdefghijklm", 10, &["a", "  abcdefgh", "  ijklm"]),
            // Spaces that stand together stay, but for one.
            ("ten colum  x", 10, &["ten colum ", "  x"]),
            ("    abcdefgh", 10, &["    abcdef", "     gh"]),
            ("    ab cdefgh", 10, &["    ab", "     cdefg", "     h"]),
        ] {
            assert_eq!(rows_of(line, width), expected, "{line:?}");
        }
    }

    #[test]
    fn wide_characters_count_two_and_what_belongs_together_stays_together() {
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

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_row_is_wider_than_the_terminal(
            line in "( {0,9}|)(\\PC{0,9}[ a-z漢é👩\u{200d}🚀🇨🇭]{0,30} ){0,8}\\PC{0,60}",
            width in 4_usize..60,
        ) {
            let indent = indent(&line, Some(width));
            let ranges: Vec<Range<usize>> = rows(&line, Some(width), indent).collect();
            // What stands between two rows is one space or nothing.
            let mut at = 0;
            for (index, range) in ranges.iter().enumerate() {
                let between = &line[at..range.start];
                prop_assert!(between.is_empty() || (index > 0 && between == " "), "{between:?}");
                at = range.end;
                let text = &line[range.clone()];
                let room = if index == 0 { width } else { width - indent };
                prop_assert!(text.width() <= room || cluster(text) == text, "{text:?} in {room}");
                prop_assert!(!text.is_empty() || index + 1 == ranges.len() || line.is_empty(), "{ranges:?}");
            }
            prop_assert_eq!(at, line.len());
        }
    }
}
