//! Escaping of characters that a terminal would interpret instead of showing them.
//!
//! All text from outside (ids, concepts, metadata, file names, messages of a server) is escaped here before it is
//! printed. Layout and colours are in `render`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is a bidirectional control, which changes the order in which the text around it is shown.
pub fn reorders_text(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Whether a character could change what a terminal shows, or make two names look equal: control characters,
/// bidirectional controls, characters without width, and blank letters.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || reorders_text(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Escapes harmful characters and line breaks as YAML and JSON do (`\n`, `\u001b`).
pub fn escape(text: &str) -> Cow<'_, str> {
    replaced(text, is_harmful, |safe, c| match (c, u32::from(c)) {
        ('\n', _) => safe.push_str("\\n"),
        ('\r', _) => safe.push_str("\\r"),
        ('\t', _) => safe.push_str("\\t"),
        (_, code) => push_escape(safe, code),
    })
}

/// Escapes harmful characters, but keeps line feeds.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    let harmful = |c| is_harmful(c) && c != '\n';
    replaced(text, harmful, |safe, c| {
        safe.push_str(&escape(c.encode_utf8(&mut [0; 4])));
    })
}

/// Escapes harmful characters in a JSON document. The result has the same value: apart from white space between
/// tokens, which is kept, such characters occur in strings only.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let harmful = |c| is_harmful(c) && !matches!(c, '\n' | '\r' | '\t');
    replaced(json, harmful, |safe, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            push_escape(safe, u32::from(*unit));
        }
    })
}

fn push_escape(safe: &mut String, code: u32) {
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xffff => write!(safe, "\\u{code:04x}"),
        _ => write!(safe, "\\U{code:08x}"),
    };
}

fn replaced(
    text: &str,
    harmful: impl Fn(char) -> bool,
    replace: impl Fn(&mut String, char),
) -> Cow<'_, str> {
    if !text.contains(&harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmful(c) {
            replace(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped() {
        assert_eq!(escape("a\u{1b}[31mb\r\n\tc"), "a\\u001b[31mb\\r\\n\\tc");
        assert_eq!(
            escape("\u{9b}2J\u{202e}x\u{7f}"),
            "\\u009b2J\\u202ex\\u007f"
        );
        assert_eq!(escape("\u{e0041}"), "\\U000e0041");
        assert_eq!(escape("ca\u{ad}r \u{3164}"), "ca\\u00adr \\u3164");
        for blank in [
            "\u{34f}",
            "\u{115f}",
            "\u{200c}",
            "\u{200d}",
            "\u{2800}",
            "\u{ffa0}",
            "\u{e0100}",
            "\u{fe0f}",
        ] {
            assert!(matches!(escape(blank), Cow::Owned(_)), "{blank:?}");
        }
        assert!(matches!(escape("Größe 車 👍🏽 ❤"), Cow::Borrowed(_)));
    }

    #[test]
    fn escape_lines_keeps_line_feeds() {
        assert_eq!(escape_lines("a\nb\r\n\u{1b}c\n"), "a\nb\\r\n\\u001bc\n");
        assert!(matches!(escape_lines("a\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        let value = serde_json::json!({"k\u{9b}": "\u{202e}\u{e0041}\u{7f}\n", "l": [1, "ä"]});
        for text in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let safe = escape_json(&text);
            assert!(!safe.contains(|c| is_harmful(c) && c != '\n'), "{safe}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
                value
            );
        }
    }
}
