//! Escaping of text from outside for HTML and SVG.

use super::screen::{escape, escape_lines};
use std::borrow::Cow;

/// Escapes text for an element or a quoted attribute: markup, and what [`escape`] escapes for a terminal. The result has no
/// line feed.
pub fn escape_markup(text: &str) -> Cow<'_, str> {
    replaced(escape(text))
}

/// As [`escape_markup`], but keeps line feeds.
pub fn escape_markup_lines(text: &str) -> Cow<'_, str> {
    replaced(escape_lines(text))
}

fn replaced(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'', '`']) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '`' => safe.push_str("&#96;"),
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_harmful_characters_are_escaped() {
        assert_eq!(
            escape_markup("</script><img src='x' onerror=\"a\">&amp;`"),
            "&lt;/script&gt;&lt;img src=&#39;x&#39; onerror=&quot;a&quot;&gt;&amp;amp;&#96;"
        );
        assert_eq!(escape_markup("a\0\n\u{202e}b"), "a\\u0000\\n\\u202eb");
        assert_eq!(escape_markup_lines("a\n<\r"), "a\n&lt;\\r");
        assert!(matches!(escape_markup("Größe 車"), Cow::Borrowed(_)));
    }
}
