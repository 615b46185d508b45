//! What JSON Schemas say of the domain's words: their patterns, and how they are written.
//!
//! A pattern is a regular expression of ECMA-262 that takes exactly the texts that a constructor takes. Knows no
//! document that the words stand in.

mod written;

/// The names that are checked as [`super::InputId`] is: not empty, no control characters, no marks that re-order text, no
/// white space at the ends.
pub const NAME_PATTERN: &str = concat!(
    r"^[^\u0000-\u0020\u007f-\u00a0\u061c\u1680\u2000-\u200a\u200e\u200f\u2028-\u202f\u205f\u2066-\u2069\u3000]",
    r"([^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u061c\u1680\u2000-\u200a\u200e\u200f\u2028-\u202f\u205f\u2066-\u2069\u3000])?$",
);

/// The names that [`super::SetName`] takes.
pub const SET_NAME_PATTERN: &str = "^[a-z0-9-]{1,40}$";

/// The numbers in text that [`super::Status`] takes.
pub const STATUS_NUMBER_PATTERN: &str = r"^\+?0*24[0-9]{3}$";

/// The texts that [`super::Share`] takes, but for numbers that do not fit into 64 bits.
pub const SHARE_PATTERN: &str = r"^\+?(0*(100|[0-9]{1,2})%|[0-9]+)$";

/// The numbers in text that stand for a [`super::Status`] without a name.
pub(crate) const STATUS_WRITTEN_PATTERN: &str = "^[0-9]{1,10}$";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{InputId, SetName, Share, Status};

    fn takes(pattern: &str) -> impl Fn(&str) -> bool {
        let schema = serde_json::json!({ "pattern": pattern });
        let validator = jsonschema::validator_for(&schema).unwrap();
        move |text| validator.is_valid(&serde_json::Value::from(text))
    }

    #[test]
    fn a_pattern_takes_what_the_constructor_takes() {
        let name = takes(NAME_PATTERN);
        // Every character that either treats in its own way lies below this one.
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
                takes(SET_NAME_PATTERN)(text),
                SetName::new(text).is_ok(),
                "{text}"
            );
        }
        for text in [
            "24151", "+24151", "024000", "24999", "25000", "2415", "241510", "x24151", "",
        ] {
            assert_eq!(
                takes(STATUS_NUMBER_PATTERN)(text),
                Status::parse(text).is_ok(),
                "{text}"
            );
        }
        for text in [
            "0", "30", "+30", "030", "30%", "+30%", "030%", "100%", "101%", "0100%", "%", "-1",
            "1.5%", " 3", "3 %", "",
        ] {
            assert_eq!(
                takes(SHARE_PATTERN)(text),
                Share::parse(text).is_some(),
                "{text}"
            );
        }
    }
}
