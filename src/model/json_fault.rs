//! Errors of the JSON parser in words for users, who do not know its terms. The caller adds the name of the file.

use std::fmt;

/// An error in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
    pub message: String,
    /// Whether the text is incomplete.
    pub is_cut_off: bool,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for JsonFault {}

impl From<&serde_json::Error> for JsonFault {
    fn from(error: &serde_json::Error) -> Self {
        let full = error.to_string();
        let message = full
            .rsplit_once(" at line ")
            .map_or(full.as_str(), |(message, _)| message);
        Self {
            line: error.line().max(1),
            column: error.column().max(1),
            message: match (error.is_eof(), error.line(), error.column()) {
                (true, 1, 0) => "the file is empty".to_owned(),
                _ => plain_message(message),
            },
            is_cut_off: error.is_eof(),
        }
    }
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        Self::from(&error)
    }
}

/// Translates a message of the parser. Unknown messages stay unchanged.
fn plain_message(message: &str) -> String {
    if let Some(words) = of_syntax(message) {
        return words.to_owned();
    }
    if let Some(rest) = message.strip_prefix("invalid type: ") {
        return mismatch(rest).unwrap_or_else(|| message.to_owned());
    }
    if let Some(rest) = message.strip_prefix("invalid value: ") {
        return mismatch(rest).unwrap_or_else(|| message.to_owned());
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return format!("the key {key} is missing");
    }
    if let Some(key) = message.strip_prefix("duplicate field ") {
        return format!("duplicate key {key}");
    }
    for (prefix, noun) in [("unknown field ", "key"), ("unknown variant ", "value")] {
        if let Some(rest) = message.strip_prefix(prefix) {
            let (found, known) = rest.split_once(", ").unwrap_or((rest, ""));
            let known = known
                .strip_prefix("expected one of ")
                .or_else(|| known.strip_prefix("expected "));
            return match known {
                Some(known) => format!("unknown {noun} {found}; allowed: {known}"),
                None => format!("unknown {noun} {found}"),
            };
        }
    }
    if let Some((count, expected)) = message
        .strip_prefix("invalid length ")
        .and_then(|rest| rest.split_once(", expected "))
    {
        return format!("must be {}, found {count} elements", wanted(expected));
    }
    if message == "unknown field" {
        return "unknown key".to_owned();
    }
    // A fault inside of a flattened field names that field first.
    if let Some((key, inner)) = message
        .strip_prefix('`')
        .and_then(|rest| rest.split_once("`: "))
    {
        return format!("`{key}`: {}", plain_message(inner));
    }
    if message.starts_with("data did not match any variant") {
        return "a value of a form that is not known here".to_owned();
    }
    message.to_owned()
}

fn of_syntax(message: &str) -> Option<&'static str> {
    Some(match message {
        "EOF while parsing a list" => "the file is cut off inside of a list",
        "EOF while parsing an object" => "the file is cut off inside of an object",
        "EOF while parsing a string" => "the file is cut off inside of a text",
        "EOF while parsing a value" => "the file is cut off where a value must be",
        "expected `:`" => "a `:` is missing",
        "expected `,` or `]`" => "a `,` or `]` is missing",
        "expected `,` or `}`" => "a `,` or `}` is missing",
        "expected `\"`" | "key must be a string" => "a key must be a text in double quotes",
        "expected ident" => "an unknown word: JSON has only true, false and null",
        "expected value" => {
            "a value is missing: a text in double quotes, a number, a list or an object"
        }
        "invalid escape" => "not a JSON escape: write \\\\ for a backslash",
        "invalid number" => "not a JSON number",
        "number out of range" => "a number too large to be read",
        "invalid unicode code point"
        | "lone leading surrogate in hex escape"
        | "unexpected end of hex escape" => "an escape that is not a character",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a control character or a line end in a text: write it as an escape, such as \\n"
        }
        "trailing comma" => "a `,` after the last element",
        "trailing characters" => "more text after the end of the value",
        "recursion limit exceeded" => "nested too deeply",
        _ => return None,
    })
}

/// Translates `map, expected a sequence`.
fn mismatch(rest: &str) -> Option<String> {
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!(
        "must be {}, found {}",
        wanted(expected),
        found_as(found)
    ))
}

/// Translates the found type or value.
fn found_as(found: &str) -> String {
    let named = |prefix: &str, noun: &str| {
        let rest = found.strip_prefix(prefix)?;
        Some(format!("the {noun} {}", rest.trim_matches('`')))
    };
    match found {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" | "unit value" | "Option value" => "null".to_owned(),
        _ => named("integer ", "number")
            .or_else(|| named("floating point ", "number"))
            .or_else(|| named("string ", "text"))
            .or_else(|| {
                let word = found.strip_prefix("boolean ")?;
                Some(word.trim_matches('`').to_owned())
            })
            .unwrap_or_else(|| found.to_owned()),
    }
}

/// Translates the expected type.
fn wanted(expected: &str) -> String {
    match expected {
        "a map" => "an object",
        "a sequence" => "a list",
        "a string" | "a borrowed string" | "str" | "string" => "a text",
        "a boolean" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "unit" => "null",
        "string or map" => "a text or an object",
        "field identifier" | "variant identifier" => "a name",
        // Users do not know the names of Rust types.
        other if other.starts_with("enum ") => "a text or an object",
        other
            if other.starts_with("tuple ")
                || other.starts_with("an array ")
                || other.starts_with("a tuple ") =>
        {
            "a list"
        }
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum") => {
            "an object"
        }
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Part {
        count: u32,
        word: Word,
        list: Vec<String>,
        pair: (f64, f64),
        map: BTreeMap<String, bool>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        One,
        Two,
    }

    #[test]
    fn messages_do_not_contain_rust_types() {
        let whole = r#""count":1,"word":"one","list":[],"pair":[1,2],"map":{}"#;
        let with = |from: &str, to: &str| format!("{{{}}}", whole.replacen(from, to, 1));
        for (text, message) in [
            (
                format!("{{{whole}"),
                "the file is cut off inside of an object",
            ),
            (String::new(), "the file is empty"),
            (
                " \n".to_owned(),
                "the file is cut off where a value must be",
            ),
            ("[]".to_owned(), "must be an object, found 0 elements"),
            ("3".to_owned(), "must be an object, found the number 3"),
            (with("\"count\":1,", ""), "the key `count` is missing"),
            (
                with("\"count\":1", "\"count\":1,\"count\":1"),
                "duplicate key `count`",
            ),
            (
                with("\"count\"", "\"cuont\""),
                "unknown key `cuont`; allowed: `count`, `word`, `list`, `pair`, `map`",
            ),
            (
                with("1", "-1"),
                "must be a whole number, 0 or more, found the number -1",
            ),
            (
                with("1", "\"x\""),
                "must be a whole number, 0 or more, found the text \"x\"",
            ),
            (
                with("\"one\"", "\"three\""),
                "unknown value `three`; allowed: `one` or `two`",
            ),
            (with("[]", "{}"), "must be a list, found an object"),
            (with("[1,2]", "[1]"), "must be a list, found 1 elements"),
            (with("{}", "null"), "must be an object, found null"),
            (
                with("{}", "{\"a\":1.5}"),
                "must be true or false, found the number 1.5",
            ),
            (with("[]", "[1,]"), "must be a text, found the number 1"),
            (
                with("[]", "[\"\\x\"]"),
                "not a JSON escape: write \\\\ for a backslash",
            ),
            (with("{}", "{},"), "a `,` after the last element"),
            (
                format!("{{{whole}}} x"),
                "more text after the end of the value",
            ),
        ] {
            let error = serde_json::from_str::<Part>(&text).unwrap_err();
            assert_eq!(JsonFault::from(&error).message, message, "{text}: {error}");
        }
    }

    #[test]
    fn faults_in_the_place_of_an_annotation_do_not_contain_rust_types() {
        for (place, message) in [
            (r#""box":3"#, "`box`: must be an object, found the number 3"),
            (
                r#""box":{"top":"x","left":0,"bottom":1,"right":1}"#,
                "`box`: must be a number, found the text \"x\"",
            ),
            (
                r#""box":{"top":0,"bottom":1,"right":1}"#,
                "`box`: the key `left` is missing",
            ),
            (
                r#""box":{"top":0,"left":0,"bottom":1,"right":1,"up":1}"#,
                "`box`: unknown key `up`; allowed: `top`, `left`, `bottom`, `right`",
            ),
            (r#""whole":1"#, "`whole`: must be null, found the number 1"),
            (
                r#""polygon":{}"#,
                "`polygon`: must be a list, found an object",
            ),
            (
                r#""polygon":[[0.1]]"#,
                "`polygon`: must be a list, found 1 elements",
            ),
            (
                r#""point":"a""#,
                "`point`: must be a list, found the text \"a\"",
            ),
            (
                r#""keypoints":7"#,
                "`keypoints`: must be a list, found the number 7",
            ),
            (
                r#""keypoints":[["a","b"]]"#,
                "`keypoints`: a value of a form that is not known here",
            ),
            (
                r#""mask":3"#,
                "`mask`: must be an object, found the number 3",
            ),
            (r#""span":false"#, "`span`: must be an object, found false"),
            (
                r#""segment":1"#,
                "`segment`: must be an object, found the number 1",
            ),
            (
                r#""region":{}"#,
                "`region`: must be a text, found an object",
            ),
            (
                r#""region_of":{"nearest":{"box":3}}"#,
                "`region_of`: must be an object, found the number 3",
            ),
            (r#""circle":1"#, "`circle`: unknown key"),
        ] {
            let text = format!("{{{place}}}");
            let error = serde_json::from_str::<crate::model::Content>(&text).unwrap_err();
            assert_eq!(JsonFault::from(&error).message, message, "{text}: {error}");
        }
    }

    #[test]
    fn positions_are_never_zero() {
        let fault = |text: &str| JsonFault::from(serde_json::from_str::<Part>(text).unwrap_err());
        let at = |fault: JsonFault| (fault.line, fault.column, fault.is_cut_off);
        assert_eq!(at(fault("{\n \"count\": []}")), (2, 10, false));
        assert_eq!(at(fault("{\n")), (2, 1, true));
    }
}
