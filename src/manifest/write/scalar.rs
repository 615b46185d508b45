//! Writes YAML scalars: a text is plain only if it is that text in YAML 1.1 and 1.2, else in double quotes.
//!
//! `serde_yaml` writes `no`, `1_000` and `2026-01-01` plain, which YAML 1.1 reads as other types.

use crate::model::is_harmful;
use serde_json::Number;
use std::fmt::Write as _;

/// Words that YAML 1.1, 1.2 or the parser reads as a boolean, null or a number.
const WORDS: [&str; 13] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "infinity", "nan", "none",
];

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
    // No indicator characters, so that block and flow style quote the same texts.
    let is_harmless = text.chars().all(|c| {
        c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/' | '@' | '+' | '(' | ')')
    });
    starts_well
        && is_harmless
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        && !looks_numeric(text)
}

/// Numbers, dates, times and similar texts.
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
                written.expect("writing to a string cannot fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Characters that YAML does not allow, that control a terminal, or that are invisible in a diff.
fn must_be_escaped(c: char) -> bool {
    is_harmful(c)
        || matches!(
            c,
            '\u{a0}' | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Appends a number. YAML 1.1 needs a decimal point before an exponent, and a sign in it.
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
    fn texts_that_yaml_could_read_otherwise_are_quoted() {
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
    fn numbers_with_an_exponent_are_valid_in_yaml_1_1_and_1_2() {
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
