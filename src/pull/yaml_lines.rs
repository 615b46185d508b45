//! The lines of a YAML text in block style: where a part of it begins and ends.
//!
//! What is found is a guess by dashes and indents, good for the layouts that people write. Who changes a text by it reads
//! the result back and sees whether it was right.

use std::ops::Range;

/// A text in lines.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Where each line begins, and the end of the text.
    starts: Vec<usize>,
}

/// An element of a block list: `- key: value`, or `- { key: value }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element {
    /// The line of its dash.
    pub(super) line: usize,
    /// The column of its dash.
    pub(super) column: usize,
    /// The column of its first key; nothing where it is in flow style.
    pub(super) keys: Option<usize>,
}

/// The line that a line of an entry's key is, and what stands behind the colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'t> {
    pub(super) line: usize,
    /// The column of its key.
    pub(super) column: usize,
    /// Behind the colon, in the text.
    pub(super) behind: usize,
    /// What stands there, up to a comment.
    pub(super) value: &'t str,
}

impl<'t> Lines<'t> {
    /// The lines of a text that ends in a line feed.
    pub(super) fn new(text: &'t str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { text, starts }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where a line begins; the end of the text behind the last one.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts[line.min(self.len())]
    }

    /// A line without its end.
    pub(super) fn line(&self, line: usize) -> &'t str {
        self.text[self.start(line)..self.start(line + 1)].trim_end_matches(['\n', '\r'])
    }

    /// Which line an offset lies in.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
            .min(self.len().saturating_sub(1))
    }

    /// The element of a block list whose first key is here.
    pub(super) fn element(&self, first_key: usize) -> Option<Element> {
        let line = self.line_of(first_key);
        let before = &self.text[self.start(line)..first_key];
        let dash = before.trim_start_matches(' ');
        let column = before.len() - dash.len();
        let behind = dash.strip_prefix('-')?;
        if behind.is_empty() {
            return None;
        }
        let is_flow = behind.contains('{');
        behind
            .chars()
            .all(|c| c == ' ' || c == '{')
            .then_some(Element {
                line,
                column,
                keys: (!is_flow).then_some(before.len()),
            })
    }

    /// The entry of a block map whose key is here.
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
        let behind = at + rest.len() - value.len();
        let comment = comment(value).map_or(value.len(), |at| at);
        is_block.then_some(Entry {
            line,
            column: before.len(),
            behind,
            value: value[..comment].trim(),
        })
    }

    fn says_nothing(&self, line: usize) -> bool {
        let text = self.line(line).trim_start();
        text.is_empty() || text.starts_with('#')
    }

    /// The lines of what begins in a line and whose own lines are indented deeper than `column`, not beyond `limit`.
    /// Empty lines and comments behind it are not part of it.
    pub(super) fn block(&self, first: usize, column: usize, limit: usize) -> Range<usize> {
        let mut end = first + 1;
        for line in first + 1..limit.min(self.len()) {
            if self.says_nothing(line) {
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

    /// The lines of an entry at the left edge; its list may stand there too.
    pub(super) fn top_entry(&self, first: usize) -> Range<usize> {
        let mut end = first + 1;
        for line in first + 1..self.len() {
            let text = self.line(line);
            if self.says_nothing(line) {
                continue;
            }
            let belongs = text.starts_with(' ') || text == "-" || text.starts_with("- ");
            if !belongs {
                break;
            }
            end = line + 1;
        }
        first..end
    }

    /// The bytes of lines.
    pub(super) fn bytes(&self, lines: Range<usize>) -> Range<usize> {
        self.start(lines.start)..self.start(lines.end)
    }
}

/// Where the comment of a line begins, with the white space in front of it.
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
    fn a_block_ends_before_the_comments_of_what_follows() {
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
    fn a_comment_is_told_from_a_hash() {
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
