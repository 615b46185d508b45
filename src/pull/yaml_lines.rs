//! Finds the lines of the parts of a YAML text in block style.
//!
//! This is a guess from dashes and indents, right for usual layouts. A caller that edits by it must read the result back.

use std::ops::Range;

/// A text in lines.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// The start of each line, and the end of the text.
    starts: Vec<usize>,
}

/// An element of a block list: `- key: value`, or `- { key: value }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// The line of its dash.
    pub(super) line: usize,
    /// The column of its dash.
    pub(super) column: usize,
    /// The column of its first key; `None` in flow style.
    pub(super) keys: Option<usize>,
}

/// The entry of a block map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'t> {
    pub(super) line: usize,
    /// The column of its key.
    pub(super) column: usize,
    /// The offset after the colon.
    pub(super) value_start: usize,
    /// The rest of the line without comment.
    pub(super) value: &'t str,
}

impl<'t> Lines<'t> {
    /// The lines of a text that ends with a line feed.
    pub(super) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The start of a line; after the last line, the end of the text.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts[line.min(self.len())]
    }

    /// A line without its line feed.
    pub(super) fn line(&self, line: usize) -> &'t str {
        self.text[self.start(line)..self.start(line + 1)].trim_end_matches(['\n', '\r'])
    }

    /// The line of an offset.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
            .min(self.len().saturating_sub(1))
    }

    /// The element of a block list with its first key at this offset.
    pub(super) fn element(&self, first_key: usize) -> Option<Element> {
        let line = self.line_of(first_key);
        let before = &self.text[self.start(line)..first_key];
        let dash = before.trim_start_matches(' ');
        let column = before.len() - dash.len();
        let after_dash = dash.strip_prefix('-')?;
        if after_dash.is_empty() {
            return None;
        }
        let is_flow = after_dash.contains('{');
        after_dash
            .chars()
            .all(|c| c == ' ' || c == '{')
            .then_some(Element {
                line,
                column,
                keys: (!is_flow).then_some(before.len()),
            })
    }

    /// The entry of a block map with its key at this offset.
    pub(super) fn entry(&self, key: &str, at: usize) -> Option<Entry<'t>> {
        let line = self.line_of(at);
        let before = &self.text[self.start(line)..at];
        let is_block = before.chars().all(|c| c == ' ')
            || before
                .trim_start_matches(' ')
                .strip_prefix('-')
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c == ' '));
        let rest = self.text[at..self.start(line + 1)].trim_end_matches(['\n', '\r']);
        let value = rest.strip_prefix(key)?.trim_start_matches(' ');
        let value = value.strip_prefix(':')?;
        let value_start = at + rest.len() - value.len();
        let comment = comment(value).map_or(value.len(), |at| at);
        is_block.then_some(Entry {
            line,
            column: before.len(),
            value_start,
            value: value[..comment].trim(),
        })
    }

    fn is_blank_or_comment(&self, line: usize) -> bool {
        let text = self.line(line).trim_start();
        text.is_empty() || text.starts_with('#')
    }

    /// The lines of a block: `first`, and the following lines before `limit` that are indented deeper than `column`, without
    /// trailing empty lines and comments.
    pub(super) fn block(&self, first: usize, column: usize, limit: usize) -> Range<usize> {
        let mut end = first + 1;
        for line in first + 1..limit.min(self.len()) {
            if self.is_blank_or_comment(line) {
                continue;
            }
            let text = self.line(line);
            if text.len() - text.trim_start_matches(' ').len() <= column {
                break;
            }
            end = line + 1;
        }
        first..end
    }

    /// The lines of an entry without indentation, whose list may have none either.
    pub(super) fn top_entry(&self, first: usize) -> Range<usize> {
        let mut end = first + 1;
        for line in first + 1..self.len() {
            let text = self.line(line);
            if self.is_blank_or_comment(line) {
                continue;
            }
            let is_part = text.starts_with(' ') || text == "-" || text.starts_with("- ");
            if !is_part {
                break;
            }
            end = line + 1;
        }
        first..end
    }

    /// The bytes of these lines.
    pub(super) fn bytes(&self, lines: Range<usize>) -> Range<usize> {
        self.start(lines.start)..self.start(lines.end)
    }
}

/// The start of a line's comment, including the white space before it.
pub(super) fn comment(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut before = ' ';
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') && matches!(before, ' ' | '[' | '{' | ',') => {
                quote = Some(c);
            }
            None if c == '#' && before == ' ' => {
                return Some(line[..at].trim_end().len());
            }
            Some(_) | None => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_ends_before_the_comments_of_the_next_one() {
        let text = "a:\n  - x: 1\n    # of x\n    y: 2\n\n  # of z\n  - z: 3\nb: 4\n";
        let lines = Lines::new(text);
        let first = lines.element(text.find("x:").unwrap()).unwrap();
        assert_eq!((first.line, first.column, first.keys), (1, 2, Some(4)));
        assert_eq!(lines.block(1, 2, 6), 1..4);
        assert_eq!(lines.block(6, 2, lines.len()), 6..7);
        assert_eq!(lines.top_entry(0), 0..7);
        assert_eq!(
            lines.entry("b", text.find("b:").unwrap()).unwrap().value,
            "4"
        );
        assert_eq!(lines.element(text.find("y:").unwrap()), None);
    }

    #[test]
    fn comments_are_distinguished_from_hashes() {
        for (line, expected) in [
            (" [car] # c", Some(6)),
            (" 'a # b'  # c", Some(8)),
            (" \"a \\\" # b\"", None),
            (" a#b", None),
            (" don't # c", Some(6)),
            (" {a: 'x', b: \"#\"}\t", None),
            ("# all", Some(0)),
        ] {
            assert_eq!(comment(line), expected, "{line}");
        }
    }
}
