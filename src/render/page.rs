//! The page that text is written to. It escapes all text and adds colour.

use crate::model::escape;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use std::ops::Range;

mod wrap;

/// Whether text has colour codes. Colour never carries information of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// With terminal escapes.
    Always,
}

/// The role of a piece of text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Heading,
    Added,
    Changed,
    Removed,
    Warning,
    Faint,
}

impl Ink {
    fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Heading => Style::new().bold(),
            Self::Added => color(AnsiColor::Green),
            Self::Changed => color(AnsiColor::Yellow),
            Self::Removed => color(AnsiColor::Red),
            Self::Warning => color(AnsiColor::Yellow).bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// Lines of text, each escaped.
pub(super) struct Page {
    /// Complete lines.
    text: String,
    /// The current line, without colours.
    line: String,
    /// The end and the role of each piece of the current line.
    pieces: Vec<(usize, Ink)>,
    color: Color,
    width: Option<usize>,
}

impl Page {
    pub(super) fn new(color: Color) -> Self {
        Self {
            text: String::new(),
            line: String::new(),
            pieces: Vec::new(),
            color,
            width: None,
        }
    }

    /// Wraps lines at this many columns, with a hanging indent.
    pub(super) fn within(self, width: Option<usize>) -> Self {
        Self { width, ..self }
    }

    /// Adds to the current line.
    pub(super) fn put(&mut self, ink: Ink, text: &str) -> &mut Self {
        self.line.push_str(&escape(text));
        self.pieces.push((self.line.len(), ink));
        self
    }

    /// Ends the current line.
    pub(super) fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        let indent = wrap::indent(&line, self.width);
        for (at, row) in wrap::rows(&line, self.width, indent).enumerate() {
            if at > 0 {
                self.text.push('\n');
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
            self.write(&line, &row);
        }
        self.text.push('\n');
        self.pieces.clear();
    }

    /// Writes a row of the current line. Colours end with the row, because pagers lose those that reach further.
    fn write(&mut self, line: &str, row: &Range<usize>) {
        let mut start = 0;
        for &(end, ink) in &self.pieces {
            let piece = start.max(row.start)..end.min(row.end);
            start = end;
            if piece.is_empty() {
                continue;
            }
            let text = &line[piece];
            if self.color == Color::Always && ink != Ink::Plain {
                let style = ink.style();
                // Writing to a string cannot fail.
                let _ = write!(self.text, "{style}{text}{style:#}");
            } else {
                self.text.push_str(text);
            }
        }
    }

    /// Adds a whole line.
    pub(super) fn line(&mut self, ink: Ink, text: &str) {
        self.put(ink, text).end();
    }

    /// An empty line, unless the page is empty or ends with one.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Bytes of the complete lines.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The complete lines.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_added_only_on_request() {
        let written = |color| {
            let mut page = Page::new(color);
            page.put(Ink::Removed, "- \u{1b}[0m")
                .put(Ink::Plain, "x")
                .end();
            page.finish()
        };
        assert_eq!(written(Color::Never), "- \\u001b[0mx\n");
        assert_eq!(written(Color::Always), "\u{1b}[31m- \\u001b[0m\u{1b}[0mx\n");
    }

    const TEXT: [(Ink, &str); 3] = [
        (Ink::Plain, "  "),
        (Ink::Removed, "- delete everything that was found"),
        (Ink::Faint, " (as the manifest says)"),
    ];

    fn written(color: Color, width: Option<usize>) -> String {
        let mut page = Page::new(color).within(width);
        for (ink, text) in TEXT {
            page.put(ink, text);
        }
        page.end();
        page.gap();
        page.line(Ink::Warning, "short");
        page.finish()
    }

    #[test]
    fn long_lines_are_wrapped_and_indented() {
        insta::assert_snapshot!(written(Color::Never, Some(20)), @r"
          - delete
            everything that
            was found (as
            the manifest
            says)

        short
        ");
        assert_eq!(written(Color::Never, None), written(Color::Never, Some(59)));
        assert_ne!(written(Color::Never, None), written(Color::Never, Some(58)));
    }

    #[test]
    fn colours_end_with_each_row_and_do_not_change_the_text() {
        let colored = written(Color::Always, Some(20));
        let mut plain = String::new();
        for line in colored.lines() {
            let codes: Vec<&str> = line.split("\u{1b}[").skip(1).collect();
            if let Some(last) = codes.last() {
                assert!(last.starts_with("0m"), "{line:?}");
            }
            let mut parts = line.split("\u{1b}[");
            plain.push_str(parts.next().unwrap());
            plain.extend(parts.map(|part| part.split_once('m').unwrap().1));
            plain.push('\n');
        }
        assert_eq!(plain, written(Color::Never, Some(20)));
        assert_eq!(colored.matches("\u{1b}[31m").count(), 3);
    }

    #[test]
    fn a_wrapped_plan_fits_the_terminal_and_has_the_same_words() {
        use crate::render::{TextOptions, sample, text};
        use unicode_width::UnicodeWidthStr as _;
        let mut plan = sample::plan(vec![
            sample::relabelled(),
            sample::moved(),
            sample::ambiguous(),
            sample::deleted("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字"),
        ]);
        plan.summary.ambiguous = 1;
        let at = |color, width| {
            let options = TextOptions {
                color,
                width,
                ..TextOptions::default()
            };
            text(&plan, &options)
        };
        let words = |text: &str| text.split_whitespace().collect::<String>();
        let whole = at(Color::Never, None);
        assert!(whole.lines().any(|line| line.width() > 120), "{whole}");
        for width in [40, 60, 61, 119] {
            let fitted = at(Color::Never, Some(width));
            assert_eq!(words(&fitted), words(&whole));
            for line in fitted.lines() {
                assert!(line.width() <= width, "{line:?}");
            }
            let colored = at(Color::Always, Some(width));
            assert_eq!(anstream::adapter::strip_str(&colored).to_string(), fitted);
        }
        assert_eq!(at(Color::Never, Some(10_000)), whole);
    }
}
