//! The page that text is written on: the only place where text from outside is made harmless, and colour is added.

use crate::model::escape;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use std::ops::Range;

mod wrap;

/// Whether text carries colour codes. Colour only ever repeats what the text says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// With terminal escapes.
    Always,
}

/// What a piece of text is, and so how it is coloured.
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

/// Lines of text. Whatever is put on it is escaped.
pub(super) struct Page {
    /// Lines that are complete.
    text: String,
    /// The line that is not, without colours.
    line: String,
    /// Where its pieces end, and what they are.
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

    /// Lines that are longer than this many columns go on in the next line, set in.
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

    /// Writes a row of the current line. No colour reaches over the end of it: what shows a page in parts, as pagers do,
    /// would lose it.
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

    /// An empty line between what is there and what follows.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The lines that were ended.
    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A count with a comma between thousands: `1,815`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 call`, `1,815 calls`.
pub fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", thousands(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_added_around_the_text_and_only_when_asked_for() {
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
    fn long_lines_go_on_in_the_next_one_set_in() {
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
    fn colours_end_with_each_line_and_change_none() {
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
    fn a_plan_is_as_wide_as_the_terminal_and_says_the_same() {
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

    #[test]
    fn thousands_are_set_apart() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(count), text);
        }
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(1_000, "call"), "1,000 calls");
    }
}
