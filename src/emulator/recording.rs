//! The lines of a recording: JSON Lines with a request and its answer each, after a first line with the format's version.
//!
//! A recording has no headers except `Retry-After`. Tokens in bodies, paths and queries are replaced, and so is the
//! emulator's own address, which another run can have at another port.

use super::hash::hex;
use super::replacements::{ADDRESS, Replacements};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// The version of the format.
pub(super) const FORMAT: &str = "1.0";

#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("{path} exists already")]
    Exists { path: PathBuf },
    #[error("cannot create {path}")]
    Create {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path}:{line}:{column}: {problem}")]
    Line {
        path: PathBuf,
        line: usize,
        column: usize,
        problem: String,
    },
    #[error(
        "calls cannot be forwarded to {endpoint}: the emulator itself listens there, on {address}"
    )]
    ForwardsToItself { endpoint: Url, address: SocketAddr },
    /// The client for the real endpoint cannot be set up.
    #[error("cannot forward calls")]
    Forward(#[source] reqwest::Error),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format_version: String,
    /// The endpoint that answered, or `emulator`.
    pub(super) recorded_from: String,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) request: Request,
    pub(super) answer: Answer,
}

/// A request; `json` or `text` is its body, if it has one.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Without the question mark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) query: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// An answer; `json`, `text` or `base64` is its body.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) json: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// A file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base64: Option<String>,
}

impl Request {
    pub(super) fn new(
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
        replaced: &Replacements,
    ) -> Self {
        let (json, text) = match serde_json::from_slice::<Value>(body) {
            _ if body.is_empty() => (None, None),
            Ok(mut json) if json != Value::Null => {
                replaced.apply_to_json(&mut json);
                (Some(json), None)
            }
            _ => (None, Some(replaced.apply(&String::from_utf8_lossy(body)))),
        };
        Self {
            method: method.to_owned(),
            path: replaced.apply(path),
            query: replaced.apply(query),
            json,
            text,
        }
    }

    /// Equal for equal requests: neither the order of parameters and fields counts, nor how a number is written. As in the
    /// API, numbers with a fraction have 32 bits.
    pub(super) fn key(&self) -> String {
        let mut parameters = self.parameters();
        parameters.sort_unstable();
        let mut text = format!("{} {}\n{parameters:?}\n", self.method, self.path);
        if let Some(json) = &self.json {
            write_canonical(json, &mut text);
        }
        if let Some(body) = &self.text {
            // Different from the JSON of a string.
            let _ = write!(text, "text {body}");
        }
        hex(&Sha256::digest(text))
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let parameters = url::form_urlencoded::parse(self.query.as_bytes());
        parameters.into_owned().collect()
    }

    /// The parameters and fields in which two requests differ.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let (own, others) = (self.parameters(), other.parameters());
        let names: BTreeSet<&String> = own.iter().chain(&others).map(|(name, _)| name).collect();
        for name in names {
            let values = |parameters: &[(String, String)]| {
                let own = parameters.iter().filter(|(it, _)| it == name);
                let mut values: Vec<String> = own.map(|(_, value)| value.clone()).collect();
                values.sort_unstable();
                values
            };
            if values(&own) != values(&others) {
                found.push(format!("the parameter `{name}`"));
            }
        }
        match (&self.json, &other.json) {
            (Some(own), Some(other)) => find_differences(own, other, "", &mut found),
            (None, None) if self.text == other.text => {}
            _ => found.push("the body".to_owned()),
        }
        found
    }

    /// The request in one line, without its body.
    pub(super) fn summary(&self) -> String {
        const MOST: usize = 300;
        let mut line = format!("{} {}", self.method, self.path);
        if !self.query.is_empty() {
            let _ = write!(line, "?{}", self.query);
        }
        if line.chars().count() > MOST {
            line = line.chars().take(MOST).collect::<String>() + "…";
        }
        line
    }

    /// What is wrong with a request that was read.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.method.is_empty() {
            return Some("`method` is empty");
        }
        if !self.path.starts_with('/') {
            return Some("`path` does not begin with `/`");
        }
        (self.json.is_some() && self.text.is_some())
            .then_some("a request has `json` or `text`, but not both")
    }
}

impl Answer {
    pub(super) fn new(
        status: u16,
        retry_after: Option<u32>,
        body: &str,
        replaced: &Replacements,
    ) -> Self {
        let json = serde_json::from_str::<Value>(body)
            .ok()
            .and_then(|mut json| {
                replaced.apply_to_json(&mut json);
                serde_json::value::to_raw_value(&json).ok()
            });
        Self {
            status,
            retry_after,
            text: json.is_none().then(|| replaced.apply(body)),
            json,
            base64: None,
        }
    }

    /// The body in JSON or text, with the emulator's address.
    pub(super) fn body(&self, address: &str) -> String {
        let json = self.json.as_ref().map(|json| json.get());
        let body = json.or(self.text.as_deref()).unwrap_or_default();
        body.replace(ADDRESS, address)
    }

    /// What is wrong with an answer that was read.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if !(200..=599).contains(&self.status) {
            return Some("`status` is not a status of HTTP from 200 to 599");
        }
        let bodies = [
            self.json.is_some(),
            self.text.is_some(),
            self.base64.is_some(),
        ];
        (bodies.iter().filter(|it| **it).count() > 1)
            .then_some("an answer has `json`, `text` or `base64`, but not several")
    }
}

fn write_canonical(json: &Value, out: &mut String) {
    match json {
        Value::Number(number) => {
            let _ = match number.as_f64().filter(|_| number.is_f64()) {
                Some(whole) if is_whole(whole) => write!(out, "{}", whole as i64),
                Some(fraction) => write!(out, "{}", fraction as f32),
                None => write!(out, "{number}"),
            };
        }
        Value::Array(elements) => {
            out.push('[');
            for element in elements {
                write_canonical(element, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                let _ = write!(out, "{name:?}:");
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::String(text) => {
            let _ = write!(out, "{text:?}");
        }
        Value::Null | Value::Bool(_) => {
            let _ = write!(out, "{json}");
        }
    }
}

fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < 1e15
}

fn find_differences(own: &Value, other: &Value, place: &str, found: &mut Vec<String>) {
    match (own, other) {
        (Value::Object(own), Value::Object(others)) => {
            let names: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
            for name in names {
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                match (own.get(name), others.get(name)) {
                    (Some(own), Some(other)) => find_differences(own, other, &place, found),
                    _ => found.push(format!("the field `{place}`")),
                }
            }
        }
        (Value::Array(own), Value::Array(others)) if own.len() == others.len() => {
            for (index, (own, other)) in own.iter().zip(others).enumerate() {
                find_differences(own, other, &format!("{place}[{index}]"), found);
            }
        }
        _ => {
            let canonical = |json: &Value| {
                let mut text = String::new();
                write_canonical(json, &mut text);
                text
            };
            if canonical(own) != canonical(other) {
                found.push(if place.is_empty() {
                    "the body".to_owned()
                } else {
                    format!("the field `{place}`")
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(query: &str, body: &Value) -> Request {
        let body = serde_json::to_vec(body).unwrap();
        Request::new("POST", "/v2/a", query, &body, &Replacements::default())
    }

    #[test]
    fn equal_requests_have_one_key_however_they_are_written() {
        let first = request("page=1&ids=a&ids=b", &json!({"a": 1, "b": [0.1, "x"]}));
        let widened = json!({"b": [0.100_000_001_490_116_12, "x"], "a": 1.0});
        let second = request("ids=b&ids=%61&page=1", &widened);
        assert_eq!(first.key(), second.key());
        for (query, body) in [
            ("page=1&ids=a", json!({"a": 1, "b": [0.1, "x"]})),
            ("page=1&ids=a&ids=b", json!({"a": "1", "b": [0.1, "x"]})),
            ("page=1&ids=a&ids=b", json!({"a": 1, "b": ["x", 0.1]})),
            ("page=1&ids=a&ids=b", json!("text")),
        ] {
            assert_ne!(first.key(), request(query, &body).key(), "{query} {body}");
        }
        let text = Request::new("POST", "/v2/a", "", b"{", &Replacements::default());
        assert_ne!(text.key(), request("", &json!("{")).key());
        let large = |number: u64| request("", &json!({ "n": number })).key();
        assert_ne!(large(u64::MAX), large(u64::MAX - 1));
    }

    #[test]
    fn differences_name_parameters_and_fields() {
        let own = request("page=1&a=1", &json!({"x": [{"id": "a", "v": 1}], "y": 1}));
        let other = request("page=2&a=1", &json!({"x": [{"id": "b", "v": 1.0}]}));
        assert_eq!(
            own.differences(&other),
            [
                "the parameter `page`",
                "the field `x[0].id`",
                "the field `y`"
            ]
        );
        assert_eq!(own.differences(&own), Vec::<String>::new());
    }

    #[test]
    fn tokens_are_replaced_in_every_text() {
        let replaced = Replacements::new(["abcdefgh/1", "key"], "http://127.0.0.1:1");
        let body =
            br#"{"abcdefgh/1":["x abcdefgh/1 y","key","monkey","http://127.0.0.1:1/media/a"]}"#;
        let request = Request::new("GET", "/v2/abcdefgh/1", "k=abcdefgh%2F1", body, &replaced);
        assert_eq!(request.path, "/v2/<token>");
        assert_eq!(request.query, "k=<token>");
        assert_eq!(
            request.json,
            Some(json!({"<token>": ["x <token> y", "<token>", "monkey", "{emulator}/media/a"]}))
        );
        let answer = Answer::new(200, None, "<html>abcdefgh/1</html>", &replaced);
        assert_eq!(answer.text.as_deref(), Some("<html><token></html>"));
        let answer = Answer::new(
            200,
            None,
            r#"{"n":0.1,"url":"http://127.0.0.1:1/a"}"#,
            &replaced,
        );
        assert_eq!(
            answer.body("http://h:2"),
            r#"{"n":0.1,"url":"http://h:2/a"}"#
        );
    }
}
