//! Texts in XML.

use std::borrow::Cow;

/// Whether a text is read as it was written: XML has no control characters, and white space at its ends is not read.
pub(in crate::formats) fn is_held(text: &str) -> bool {
    text.trim() == text && text.chars().all(is_allowed)
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || !(c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

/// A text as the content of an element or of an attribute in double quotes. Characters that XML does not have are
/// replaced.
pub(in crate::formats) fn escaped(text: &str) -> Cow<'_, str> {
    let is_plain =
        |c: char| is_allowed(c) && !matches!(c, '&' | '<' | '>' | '"' | '\t' | '\n' | '\r');
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if is_allowed(c) => out.push(c),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::xml::Xml;

    #[test]
    fn escaped_texts_are_read_as_they_were() {
        for text in ["", "a & <b> \"c\" 'd'", "a\tb\r\nc", "Zoë &amp; 🚗", "]]>"] {
            assert!(is_held(text));
            let safe = escaped(text);
            let file = format!("<a><b x=\"{safe}\">{safe}</b></a>");
            let tree = Xml::whole("a.xml", file).unwrap().children().unwrap();
            let read = tree.elements().next().unwrap();
            assert_eq!((read.attribute("x"), read.text()), (Some(text), text));
        }
        assert_eq!(escaped("a\u{1}b"), "a\u{fffd}b");
        assert!(!is_held("a\u{1}b") && !is_held(" a"));
    }
}
