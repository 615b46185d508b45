//! Text in Markdown: what came from outside is always a code span or stands in a fence that it cannot end.
//!
//! Nothing in there is markup, and hosts look for neither `@name` nor `#123` in code. Escaping for terminals comes first:
//! what is left has no control characters and no line feeds.

use crate::model::escape;
use crate::render::notation::cut_to;
use crate::render::page::counted;
use crate::render::phrase::{Phrase, Piece};
use std::fmt::Write as _;

/// Characters of one text from outside that are shown, escapes among them.
const TEXT: usize = 300;
/// Characters of one line in a fence.
const LINE: usize = 400;

/// A text from outside as code, in a sentence or in a cell of a table.
pub(super) fn code(text: &str) -> String {
    let text = shown(text);
    // A cell ends at a bar, in code as well, and what escapes one there depends on what stands before it.
    if text.contains('|') {
        return format!("<code>{}</code>", entities(&text));
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // One space on either side is not part of the code, and keeps it from growing together with the fence.
    let at_edge = |c: char| c == '`' || c == ' ';
    let room = if text.starts_with(at_edge) || text.ends_with(at_edge) {
        " "
    } else {
        ""
    };
    if text.trim().is_empty() {
        return format!("<code>{}</code>", entities(&text));
    }
    [&*fence, room, &*text, room, &*fence].concat()
}

/// A text from outside as code inside HTML.
pub(super) fn html_code(text: &str) -> String {
    format!("<code>{}</code>", entities(&shown(text)))
}

/// Words that the caller of annosync gives for this comment, which are not to be read as markup.
pub(super) fn prose(text: &str) -> String {
    const SHORT: usize = 100;
    entities(&cut_to(&escape(text), SHORT))
}

/// A phrase in a sentence or in a cell.
pub(super) fn phrase(phrase: &Phrase) -> String {
    let pieces = phrase.pieces().iter().map(|piece| match piece {
        Piece::Words(words) => words.as_ref().to_owned(),
        Piece::Name(name) => code(name),
    });
    pieces.collect()
}

/// A phrase in at most so many bytes: as code, and cut, where its names make it longer.
pub(super) fn phrase_in(words: &Phrase, room: usize) -> String {
    let text = phrase(words);
    if text.len() <= room {
        return text;
    }
    code(&words.text())
}

/// Lines for a fence, each cut to what can be read, and as many as fit into so many bytes.
pub(super) fn fence_lines(text: &str, room: usize) -> String {
    let mut lines = String::new();
    let mut all = text.lines();
    for line in all.by_ref() {
        lines.push_str(&cut_to(line, LINE));
        lines.push('\n');
        if lines.len() > room {
            break;
        }
    }
    let rest = all.count() as u64;
    if rest > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "     … {}", counted(rest, "more line"));
    }
    lines
}

/// A fenced block of these lines, which end with a line feed.
pub(super) fn fenced(language: &str, lines: &str) -> String {
    let fence = "`".repeat((longest_run(lines) + 1).max(3));
    format!("{fence}{language}\n{lines}{fence}\n")
}

/// A text that may stand in a comment of HTML and reads back: letters, digits, `.`, `_` and single dashes as they are,
/// the rest percent-encoded.
pub(super) fn comment(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_safe = byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_')
            || (byte == b'-' && !safe.ends_with('-'));
        if is_safe {
            safe.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "%{byte:02X}");
        }
    }
    safe
}

fn shown(text: &str) -> String {
    cut_to(&escape(text), TEXT)
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

/// Every character that could mean something, by its number; `@` and `#` in an element of their own, so that no host
/// that looks for names and numbers in the finished text finds one.
fn entities(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '@' | '#' => {
                let _ = write!(safe, "<span>&#{};</span>", u32::from(c));
            }
            ' ' | ',' => safe.push(c),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() => {
                let _ = write!(safe, "&#{};", u32::from(c));
            }
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_span_is_longer_than_any_run_in_it() {
        for (text, span) in [
            ("car", "`car`"),
            ("a`b", "``a`b``"),
            ("a``b`c", "```a``b`c```"),
            ("`", "`` ` ``"),
            (" a ", "`  a  `"),
            ("<b>@me #12", "`<b>@me #12`"),
            ("a\nb", r"`a\nb`"),
        ] {
            assert_eq!(code(text), span);
        }
    }

    #[test]
    fn what_would_end_a_cell_is_written_by_number() {
        assert_eq!(code(r"a\|b"), "<code>a&#92;&#124;b</code>");
        assert_eq!(code("|@me"), "<code>&#124;<span>&#64;</span>me</code>");
        assert_eq!(code(" "), "<code> </code>");
    }

    #[test]
    fn nothing_ends_an_element() {
        assert_eq!(
            html_code("</summary><b a=\"&\">"),
            "<code>&#60;&#47;summary&#62;&#60;b a&#61;&#34;&#38;&#34;&#62;</code>"
        );
    }

    #[test]
    fn a_fence_is_longer_than_any_run_in_it() {
        assert_eq!(fenced("diff", "- a\n"), "```diff\n- a\n```\n");
        assert_eq!(fenced("", "````\n"), "`````\n````\n`````\n");
    }

    #[test]
    fn a_comment_cannot_be_ended() {
        assert_eq!(comment("street-1"), "street-1");
        assert_eq!(comment("a--b-->"), "a-%2Db-%2D%3E");
        assert_eq!(comment("a/b %2D\n"), "a%2Fb%20%252D%0A");
    }
}
