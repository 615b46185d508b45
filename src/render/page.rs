//! The page that text is written on: the only place where text from outside is made harmless, and colour is added.

use crate::model::escape;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

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
    text: String,
    color: Color,
}

impl Page {
    pub(super) fn new(color: Color) -> Self {
        Self {
            text: String::new(),
            color,
        }
    }

    /// Adds to the current line.
    pub(super) fn put(&mut self, ink: Ink, text: &str) -> &mut Self {
        let text = escape(text);
        if self.color == Color::Always && ink != Ink::Plain && !text.is_empty() {
            let style = ink.style();
            // Writing to a string cannot fail.
            let _ = write!(self.text, "{style}{text}{style:#}");
        } else {
            self.text.push_str(&text);
        }
        self
    }

    /// Ends the current line.
    pub(super) fn end(&mut self) {
        self.text.push('\n');
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
pub(super) fn counted(count: u64, one: &str) -> String {
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
