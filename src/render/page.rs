//! The page that text is written on: the only place where text from outside is made harmless, and colour is added.

use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
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

/// Whether a character could change what a terminal shows: control characters, marks that re-order text, and
/// characters that take no room.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text from outside, safe to show on a terminal, on one line: what could change the screen is written as YAML and
/// JSON escape it (`\n`, `\u001b`).
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match (c, u32::from(c)) {
            ('\n', _) => write!(safe, "\\n"),
            ('\r', _) => write!(safe, "\\r"),
            ('\t', _) => write!(safe, "\\t"),
            (c, _) if !is_harmful(c) => write!(safe, "{c}"),
            (_, code @ 0..=0xffff) => write!(safe, "\\u{code:04x}"),
            (_, code) => write!(safe, "\\U{code:08x}"),
        };
    }
    Cow::Owned(safe)
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
    fn nothing_from_outside_reaches_the_screen_unescaped() {
        assert_eq!(escape("a\u{1b}[31mb\r\n\tc"), "a\\u001b[31mb\\r\\n\\tc");
        assert_eq!(
            escape("\u{9b}2J\u{202e}x\u{7f}"),
            "\\u009b2J\\u202ex\\u007f"
        );
        assert_eq!(escape("\u{e0041}"), "\\U000e0041");
        assert!(matches!(escape("Größe 車 👍🏽"), Cow::Borrowed(_)));
    }

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
