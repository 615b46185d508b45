//! Text in Markdown. Text from outside is always in a code span or in a fence that it cannot end.
//!
//! Code has no markup, and hosts do not link `@name` or `#123` in it. The text is escaped for terminals first, which removes
//! control characters and line feeds.

use crate::model::{counted, escape};
use crate::render::notation::cut_to;
use crate::render::phrase::{Phrase, Piece};
use std::fmt::Write as _;

/// Characters of a text from outside that are shown, including escapes.
const TEXT: usize = 300;
/// Characters of a line in a fence.
const LINE: usize = 400;

/// A text from outside as code, for a sentence or a table cell.
pub(in crate::render) fn code(text: &str) -> String {
    let text = shown(text);
    // A bar ends a cell even in code, and how it is escaped there depends on the characters before it.
    if text.contains('|') {
        return format!("<code>{}</code>", entities(&text));
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space on either side is not part of the code, and separates its backquotes from the fence.
    let at_edge = |c: char| c == '`' || c == ' ';
    let space = if text.starts_with(at_edge) || text.ends_with(at_edge) {
        " "
    } else {
        ""
    };
    if text.trim().is_empty() {
        return format!("<code>{}</code>", entities(&text));
    }
    [&*fence, space, &*text, space, &*fence].concat()
}

/// A text from outside as code inside HTML.
pub(super) fn html_code(text: &str) -> String {
    // Markdown is not read between tags, so these need no escape and ids stay legible.
    let is_plain = |c: char| matches!(c, '_' | '/' | ':');
    format!("<code>{}</code>", entities_except(&shown(text), is_plain))
}

/// Words of the caller, without markup.
pub(super) fn prose(text: &str) -> String {
    const SHORT: usize = 100;
    entities(&cut_to(&escape(text), SHORT))
}

/// A phrase for a sentence or a table cell.
pub(super) fn phrase(phrase: &Phrase) -> String {
    let pieces = phrase.pieces().iter().map(|piece| match piece {
        Piece::Words(words) => words.as_ref().to_owned(),
        Piece::Name(name) => code(name),
    });
    pieces.collect()
}

/// A phrase; if it is longer than `limit` bytes, all of it as code, and cut.
pub(super) fn phrase_in(words: &Phrase, limit: usize) -> String {
    let text = phrase(words);
    if text.len() <= limit {
        return text;
    }
    code(&words.text())
}

/// Lines for a fence, each cut to [`LINE`] characters, and all to about `limit` bytes.
pub(super) fn fence_lines(text: &str, limit: usize) -> String {
    let mut lines = String::new();
    let mut all = text.lines();
    for line in all.by_ref() {
        lines.push_str(&cut_to(line, LINE));
        lines.push('\n');
        if lines.len() > limit {
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

/// A fenced block. `lines` end with a line feed.
pub(super) fn fenced(language: &str, lines: &str) -> String {
    let fence = "`".repeat((longest_run(lines) + 1).max(3));
    format!("{fence}{language}\n{lines}{fence}\n")
}

/// A text for an HTML comment: letters, digits, `.`, `_` and single dashes as they are, the rest percent-encoded.
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

/// All characters with a meaning as numeric entities; `@` and `#` in elements of their own, so that hosts do not link the
/// names and numbers after them.
fn entities(text: &str) -> String {
    entities_except(text, |_| false)
}

fn entities_except(text: &str, is_plain: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '@' | '#' => {
                let _ = write!(safe, "<span>&#{};</span>", u32::from(c));
            }
            ' ' | ',' | '-' => safe.push(c),
            _ if c.is_ascii() && !c.is_ascii_alphanumeric() && !is_plain(c) => {
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
    fn a_code_span_is_fenced_longer_than_any_run_in_it() {
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
    fn characters_that_end_a_cell_are_entities() {
        assert_eq!(code(r"a\|b"), "<code>a&#92;&#124;b</code>");
        assert_eq!(code("|@me"), "<code>&#124;<span>&#64;</span>me</code>");
        assert_eq!(code(" "), "<code> </code>");
    }

    #[test]
    fn text_cannot_end_an_element() {
        assert_eq!(
            html_code("</summary><b a=\"&\">"),
            "<code>&#60;/summary&#62;&#60;b a&#61;&#34;&#38;&#34;&#62;</code>"
        );
    }

    #[test]
    fn a_fence_is_longer_than_any_run_in_it() {
        assert_eq!(fenced("diff", "- a\n"), "```diff\n- a\n```\n");
        assert_eq!(fenced("", "````\n"), "`````\n````\n`````\n");
    }

    #[test]
    fn text_cannot_end_a_comment() {
        assert_eq!(comment("street-1"), "street-1");
        assert_eq!(comment("a--b-->"), "a-%2Db-%2D%3E");
        assert_eq!(comment("a/b %2D\n"), "a%2Fb%20%252D%0A");
    }
}
