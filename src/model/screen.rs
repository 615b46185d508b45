//! What a terminal would obey instead of showing it, and how such text is shown all the same.
//!
//! Text from outside (ids, concepts, metadata, file names, a server's messages) goes through here before a person sees
//! it. Knows nothing of pages and colours.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Marks that re-order the text around them.
pub(super) fn reorders(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Whether a character could change what a terminal shows, or make two names look the same: control characters, marks
/// that re-order text, characters that take no room, and letters that are blank.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || reorders(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text from outside, safe to show on a terminal, on one line: what could change the screen is written as YAML and
/// JSON escape it (`\n`, `\u001b`).
pub fn escape(text: &str) -> Cow<'_, str> {
    replaced(text, is_harmful, |safe, c| match (c, u32::from(c)) {
        ('\n', _) => safe.push_str("\\n"),
        ('\r', _) => safe.push_str("\\r"),
        ('\t', _) => safe.push_str("\\t"),
        (_, code) => numbered(safe, code),
    })
}

/// The same for text of several lines, which stay lines.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    let harmful = |c| is_harmful(c) && c != '\n';
    replaced(text, harmful, |safe, c| {
        safe.push_str(&escape(c.encode_utf8(&mut [0; 4])));
    })
}

/// The same for JSON: another spelling of the same value. What could change the screen stands in its strings alone,
/// but for the line feeds between its tokens, which stay.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let harmful = |c| is_harmful(c) && !matches!(c, '\n' | '\r' | '\t');
    replaced(json, harmful, |safe, c| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            numbered(safe, u32::from(*unit));
        }
    })
}

fn numbered(safe: &mut String, code: u32) {
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
    fn nothing_from_outside_reaches_the_screen_unescaped() {
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
    fn lines_stay_lines() {
        assert_eq!(escape_lines("a\nb\r\n\u{1b}c\n"), "a\nb\\r\n\\u001bc\n");
        assert!(matches!(escape_lines("a\nb"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_is_spelt_otherwise_and_says_the_same() {
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
