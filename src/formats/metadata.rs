//! Texts of files -> values of metadata.

use serde_json::Value;

/// A truth value or a number if the text is just how one is written, else the text: `007` and `1.50` are texts.
pub(super) fn value(text: &str) -> Value {
    match text {
        "true" | "True" => true.into(),
        "false" | "False" => false.into(),
        text => match number(text) {
            Some(number) if is_written_so(&number, text) => number,
            _ => text.into(),
        },
    }
}

fn is_written_so(number: &Value, text: &str) -> bool {
    let written = number.to_string();
    written == text
}

/// The number of a text: an integer if it is one, else a finite float.
pub(super) fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let number: f64 = text.parse().ok()?;
    serde_json::Number::from_f64(number).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_that_are_numbers_lose_nothing() {
        for (text, expected) in [
            ("true", json!(true)),
            ("False", json!(false)),
            ("-5.6", json!(-5.6)),
            ("12", json!(12)),
            ("007", json!("007")),
            ("1.50", json!("1.50")),
            ("NaN", json!("NaN")),
            ("1e999", json!("1e999")),
            ("a b", json!("a b")),
        ] {
            assert_eq!(value(text), expected);
        }
        assert_eq!(number("2.40"), Some(json!(2.4)));
        assert_eq!(number("inf"), None);
    }
}
