//! One YAML scalar: plain where every reader takes it for the same text, else in double quotes.
//!
//! `serde_yaml` writes `no`, `1_000` and `2026-01-01` plain, which a reader of YAML 1.1 takes for something else.
//! Here a text is plain only if it could be nothing but text in YAML 1.1 and 1.2.

use crate::model::is_harmful;
use serde_json::Number;
use std::fmt::Write as _;

/// Words that some version of YAML, or the parser, reads as a truth value, null or a number.
const WORDS: [&str; 13] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "infinity", "nan", "none",
];

/// Appends a text.
pub(super) fn text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

fn is_plain(text: &str) -> bool {
    let starts_well = text
        .chars()
        .next()
        .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
    // Nothing that is an indicator anywhere is let in, so that block and flow style take the same texts.
    let is_harmless = text.chars().all(|c| {
        c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '+' | '(' | ')')
    });
    starts_well
        && is_harmless
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !looks_numeric(text)
}

/// Numbers, dates, times and what resembles them: digits, and whatever may stand between digits.
fn looks_numeric(text: &str) -> bool {
    let lower = text.as_bytes();
    if let [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..] = lower {
        return true;
    }
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| {
            b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'e' | b'E' | b'+' | b'-' | b' ')
        })
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if must_be_escaped(c) => {
                let written = match u32::from(c) {
                    code @ 0..=0xffff => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
                written.expect("a string takes every write");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// What YAML does not take as it is, what a terminal would obey, and what a reader of a diff could not see.
fn must_be_escaped(c: char) -> bool {
    is_harmful(c)
        || matches!(
            c,
            '\u{a0}' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Appends a number. YAML 1.1 wants a point in front of an exponent, and a sign behind it.
pub(super) fn number(out: &mut String, number: &Number) {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once('e') else {
        out.push_str(&text);
        return;
    };
    out.push_str(digits);
    if !digits.contains('.') {
        out.push_str(".0");
    }
    out.push('e');
    if !exponent.starts_with(['-', '+']) {
        out.push('+');
    }
    out.push_str(exponent);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut out = String::new();
        text(&mut out, value);
        out
    }

    #[test]
    fn what_any_yaml_takes_for_something_else_is_quoted() {
        for value in [
            "",
            " a",
            "a ",
            "no",
            "No",
            "ON",
            "y",
            "null",
            "~",
            "1_000",
            "2026-01-01",
            "1:30",
            "0x1f",
            "0o7",
            "0b1",
            "1e3",
            "1.5",
            ".5",
            "-1",
            "+1",
            ".inf",
            "-.INF",
            "nan",
            "a: b",
            "a #b",
            "- a",
            "-",
            "---",
            "...",
            "?",
            "[a",
            "{a",
            "a,b",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "'a",
            "\"a",
            "%a",
            "@a",
            "`a",
            "<<",
            "=",
            "a\nb",
            "\u{7f}",
            "1 2",
            "007",
        ] {
            let out = written(value);
            assert!(out.starts_with('"'), "{value:?} is written {out}");
            let read: String = serde_yaml::from_str(&out).unwrap();
            assert_eq!(read, value);
        }
    }

    #[test]
    fn plain_words_stay_plain() {
        for value in [
            "car",
            "street-0001",
            "images/a b.jpg",
            "Straße",
            "日本",
            "plastic_film",
            "300b8e39a65e4f33ae4e15e86eaf4a3b",
            "nothing",
            "me@example.org",
            "v1.2",
        ] {
            assert_eq!(written(value), value);
            let read: serde_yaml::Value = serde_yaml::from_str(value).unwrap();
            assert_eq!(read, serde_yaml::Value::String(value.to_owned()));
        }
    }

    #[test]
    fn numbers_with_an_exponent_are_numbers_in_every_yaml() {
        for (value, expected) in [(1e-7, "1.0e-7"), (1.5e300, "1.5e+300"), (0.1, "0.1")] {
            let mut out = String::new();
            number(&mut out, &Number::from_f64(value).unwrap());
            assert_eq!(out, expected);
            assert_eq!(
                serde_yaml::from_str::<f64>(&out).unwrap().to_bits(),
                value.to_bits()
            );
        }
    }
}
