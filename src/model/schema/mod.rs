//! Parts of the JSON Schemas for the types of this module.
//!
//! A pattern is an ECMA-262 regular expression that accepts the same texts as the constructor of its type.

mod written;

use super::screen::reorders_text;
use std::sync::LazyLock;

/// Ids and names such as [`super::InputId`]: not empty, no control characters, no bidirectional controls, no
/// white space at the ends.
pub(crate) static NAME_PATTERN: LazyLock<String> = LazyLock::new(|| {
    let is_control = |c: char| c.is_control() || reorders_text(c);
    let inner = class(is_control);
    let end = class(|c| is_control(c) || c.is_whitespace());
    format!("^[^{end}]([^{inner}]*[^{end}])?$")
});

/// The characters up to U+3100 for which `is_member` holds, as the ranges of a character class. Above it, no character is
/// a control character, white space, or re-orders text.
fn class(is_member: impl Fn(char) -> bool) -> String {
    let code = |c: char| format!("\\u{:04x}", u32::from(c));
    let members: Vec<char> = ('\0'..'\u{3100}').filter(|c| is_member(*c)).collect();
    members
        .chunk_by(|a, b| u32::from(*a) + 1 == u32::from(*b))
        .map(|run| match run {
            [only] => code(*only),
            [first, second] => code(*first) + &code(*second),
            [first, .., last] => format!("{}-{}", code(*first), code(*last)),
            [] => String::new(),
        })
        .collect()
}

/// See [`super::SetName`].
pub(crate) const SET_NAME_PATTERN: &str = "^[a-z0-9-]{1,40}$";

/// Numbers that [`super::Status::parse`] accepts.
pub(crate) const STATUS_NUMBER_PATTERN: &str = r"^\+?0*24[0-9]{3}$";

/// Texts that [`super::GuardLimit::parse`] accepts, and numbers that do not fit into 64 bits.
pub(crate) const SHARE_PATTERN: &str = r"^\+?(0*(100|[0-9]{1,2})%|[0-9]+)$";

/// The serialized form of a [`super::Status`] without a name.
pub(crate) const STATUS_WRITTEN_PATTERN: &str = "^[0-9]{1,10}$";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GuardLimit, InputId, SetName, Status};

    fn matcher(pattern: &str) -> impl Fn(&str) -> bool {
        let schema = serde_json::json!({ "pattern": pattern });
        let validator = jsonschema::validator_for(&schema).unwrap();
        move |text| validator.is_valid(&serde_json::Value::from(text))
    }

    #[test]
    fn patterns_accept_the_same_texts_as_constructors() {
        let name = matcher(&NAME_PATTERN);
        // Above this, all characters are treated alike.
        for c in (0..0x3100)
            .filter_map(char::from_u32)
            .chain(['😀', '\u{feff}'])
        {
            for text in [
                format!("{c}"),
                format!("{c}a"),
                format!("a{c}"),
                format!("a{c}b"),
            ] {
                assert_eq!(name(&text), InputId::new(text.as_str()).is_ok(), "{text:?}");
            }
        }
        for text in [
            "",
            "a",
            "street-1",
            "A",
            "a b",
            "ä",
            &"x".repeat(40),
            &"x".repeat(41),
        ] {
            assert_eq!(
                matcher(SET_NAME_PATTERN)(text),
                SetName::new(text).is_ok(),
                "{text}"
            );
        }
        for text in [
            "24151", "+24151", "024000", "24999", "25000", "2415", "241510", "x24151", "",
        ] {
            assert_eq!(
                matcher(STATUS_NUMBER_PATTERN)(text),
                Status::parse(text).is_ok(),
                "{text}"
            );
        }
        for text in [
            "0", "30", "+30", "030", "30%", "+30%", "030%", "100%", "101%", "0100%", "%", "-1",
            "1.5%", " 3", "3 %", "",
        ] {
            assert_eq!(
                matcher(SHARE_PATTERN)(text),
                GuardLimit::parse(text).is_some(),
                "{text}"
            );
        }
    }
}
