//! One pass over a YAML text without parsing it: limits its nesting, and finds its comments.
//!
//! The parser's work per token grows with the depth: 100 kB of opening brackets would take minutes before they are
//! refused. The scan only tells brackets and comments from the same characters in a text; in doubt it counts a bracket.
//! A caller that needs to be sure of a comment checks that the text means the same without it.

use std::ops::Range;

/// Limit for open brackets, and for entries that begin in one line. The parser's own limit is 128 levels of all kinds.
const MAX_LEVELS: usize = 256;

/// The last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A value may follow.
    Start,
    /// A part of a text without quotes.
    Plain,
    /// A whole value.
    Value,
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    /// Open brackets.
    open: usize,
    /// Entries (`- `, `? `) that began in this line.
    entries: usize,
    last: Last,
    /// Of the line in which the current text began.
    indent: usize,
    comments: Vec<Range<usize>>,
}

/// The comments of a text, from their `#` to the ends of their lines.
pub fn comments(text: &str) -> Vec<Range<usize>> {
    let mut scanner = Scanner::new(text);
    while scanner.at < scanner.text.len() {
        scanner.step();
    }
    scanner.comments
}

/// The byte offset at which a text exceeds the limit.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut scanner = Scanner::new(text);
    while scanner.at < scanner.text.len() {
        let at = scanner.at;
        scanner.step();
        if scanner.open > MAX_LEVELS || scanner.entries > MAX_LEVELS {
            return Some(at);
        }
    }
    None
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        let mut scanner = Self {
            text: text.as_bytes(),
            at: 0,
            open: 0,
            entries: 0,
            last: Last::Start,
            indent: 0,
            comments: Vec::new(),
        };
        scanner.indent = scanner.spaces(0);
        scanner
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    fn is_blank(&self, at: usize) -> bool {
        matches!(self.byte(at), b' ' | b'\t' | b'\n' | b'\r')
    }

    fn spaces(&self, from: usize) -> usize {
        self.text[from..]
            .iter()
            .take_while(|byte| **byte == b' ')
            .count()
    }

    /// Reads one token, or one byte of a plain text.
    fn step(&mut self) {
        let byte = self.byte(self.at);
        let may_begin = self.last == Last::Start;
        let in_block = self.open == 0;
        match byte {
            b'\n' | b'\r' => return self.end_line(),
            b' ' | b'\t' => {}
            b'#' if self.at == 0 || self.is_blank(self.at - 1) => return self.skip_comment(),
            b'[' | b'{' if !in_block || may_begin => {
                self.open += 1;
                self.last = Last::Start;
            }
            b']' | b'}' if !in_block => {
                self.open -= 1;
                self.last = Last::Value;
            }
            b',' if !in_block => self.last = Last::Start,
            b'"' | b'\'' if may_begin => return self.skip_quoted(byte),
            b'|' | b'>' if may_begin && in_block => return self.skip_block_text(),
            b'-' | b'?' if may_begin && in_block && self.is_blank(self.at + 1) => self.entries += 1,
            b'-' if may_begin && in_block && self.text[self.at..].starts_with(b"---") => {
                self.at += 2;
            }
            b'?' if may_begin && !in_block => {}
            b':' if self.ends_a_key() => self.last = Last::Start,
            b'&' | b'!' if may_begin => return self.skip_word(),
            _ => self.last = Last::Plain,
        }
        self.at += 1;
    }

    fn ends_a_key(&self) -> bool {
        let next = self.at + 1;
        let in_brackets = self.open > 0;
        self.is_blank(next)
            || (in_brackets
                && (self.last != Last::Plain
                    || matches!(self.byte(next), b',' | b'[' | b']' | b'{' | b'}')))
    }

    fn end_line(&mut self) {
        self.at += 1;
        self.entries = 0;
        if self.open > 0 {
            // A plain text may continue in the next line, but a bracket ends it.
            if self.last == Last::Plain {
                self.last = Last::Value;
            }
            return;
        }
        let indent = self.spaces(self.at);
        if matches!(self.byte(self.at + indent), b'\n' | b'\r') {
            return;
        }
        // A continued text is indented further than the line in which it began.
        if self.last == Last::Start || indent <= self.indent {
            self.last = Last::Start;
            self.indent = indent;
        }
    }

    fn skip_comment(&mut self) {
        let start = self.at;
        self.skip_line();
        self.comments.push(start..self.at);
    }

    fn skip_line(&mut self) {
        while !matches!(self.byte(self.at), b'\n' | b'\r') {
            self.at += 1;
        }
    }

    fn skip_quoted(&mut self, quote: u8) {
        self.last = Last::Value;
        self.at += 1;
        while self.at < self.text.len() {
            match self.text[self.at] {
                b'\\' if quote == b'"' => self.at += 1,
                byte if byte != quote => {}
                b'\'' if self.byte(self.at + 1) == b'\'' => self.at += 1,
                _ => break,
            }
            self.at += 1;
        }
        self.at += 1;
    }

    /// The lines of a literal or folded text are blank, or indented at least as its first line is.
    fn skip_block_text(&mut self) {
        let mut first = None;
        while !matches!(self.byte(self.at), b'\n' | b'\r') {
            match self.byte(self.at) {
                b'#' if self.is_blank(self.at - 1) => {
                    self.skip_comment();
                    break;
                }
                // The number of spaces is given.
                digit if digit.is_ascii_digit() => first = Some(self.indent + 1),
                _ => {}
            }
            self.at += 1;
        }
        self.last = Last::Value;
        while self.at < self.text.len() {
            let indent = self.spaces(self.at + 1);
            let is_blank = matches!(self.byte(self.at + 1 + indent), b'\n' | b'\r');
            if !is_blank && indent < *first.get_or_insert(indent.max(self.indent + 1)) {
                return;
            }
            self.at += 1;
            self.skip_line();
        }
    }

    /// An anchor or a tag; a value still follows.
    fn skip_word(&mut self) {
        self.at += 1;
        while !self.is_blank(self.at)
            && !matches!(self.byte(self.at), b',' | b'[' | b']' | b'{' | b'}')
        {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_brackets_are_counted_everywhere() {
        for unit in [
            "[",
            "{a: ",
            "{a: [",
            "[? ",
            "{<<: ",
            "[\n",
            "[ # x\n",
            "{a:\n  [",
            "- ",
            "? ",
            "- ? ",
            "{\"a\":[",
            "['a', [",
            "[*a,[",
            "[a:b, [",
            "[a\"b, [",
            "[!t [",
            "[!t[",
            "[&a [",
            "{? [a]: {",
            "[[], ",
            "[don't, [",
        ] {
            for before in [
                "",
                "inputs: ",
                "- ",
                "--- ",
                "a: 1\nb:\n  ",
                "a: |\n  [[\nb: ",
                "\"x\": ",
                "a: 'b' # \"\nc: ",
                "a: x\n  y\nb: ",
            ] {
                let text = format!("{before}{}", unit.repeat(2 * MAX_LEVELS));
                assert!(too_deep(&text).is_some(), "{unit:?} after {before:?}");
            }
        }
    }

    #[test]
    fn comments_are_told_from_hashes_in_texts() {
        for (text, expected) in [
            ("# a\nb: c # d\n", &["# a", "# d"][..]),
            ("a: b#c\nd: '#e # f' # g\n", &["# g"]),
            ("a: \"b \\\" # c\n  # d\" # e\n", &["# e"]),
            ("a: | # b\n  # c\n\n   # d\n # e\nf: 1\n", &["# b", "# e"]),
            ("- a: >-\n    b # c\n  # d\n  e: f # g\n", &["# d", "# g"]),
            ("a: |2\n    b\n  # c\n# d\n", &["# d"]),
            ("a: [b, # c\n  \"# d\", 'e', # f\n]\n", &["# c", "# f"]),
            ("a: b\n  c # d\n", &["# d"]),
            ("a:\n  - 'b # c'\n  - \"d # e\"\n", &[]),
            ("a: b # c\r\nd: e\r\n", &["# c"]),
        ] {
            let found: Vec<&str> = comments(text).into_iter().map(|at| &text[at]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn brackets_in_texts_are_not_counted() {
        for unit in [
            "a: b [ c {\n",
            "a: \"[[ \\\" [\"\n",
            "a: '[ '' ['\n",
            "# [[[\n",
            "a: |\n  [\n\n  {\nb: 1\n",
            "- >-\n  {\n  [\n",
            "- - |\n    [\n",
            "a: b\n  [ c\n",
            "a: [[], {b: c}]\n",
            "[a, \"[\", '{', b]\n",
            "a: &x [b]\n",
            "a[: {}\n",
            "a-[\n",
            "- - - 1\n",
            "a: [b, # [\n  c]\n",
            "x: [\"a\":b, 'c':d, e: \"[\"]\n",
            "a: \"\n  [\n  \"\n",
        ] {
            assert_eq!(too_deep(&unit.repeat(2 * MAX_LEVELS)), None, "{unit:?}");
        }
    }
}
