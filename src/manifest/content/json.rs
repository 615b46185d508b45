//! Free JSON: `metadata` and `info`.

use crate::manifest::at::At;
use crate::manifest::node::{Node, number};
use crate::model::{Json, MAX_DEPTH};
use serde_json::{Number, Value};

/// Reads `metadata` or `info`: any JSON object.
pub(in crate::manifest) fn object(at: At<'_, '_>, noun: &str) -> Option<Json> {
    at.map(noun, "a map")?;
    let value = json(at, noun)?;
    // It is nested in the annotation's data, which has the same limit.
    if levels(&value) >= MAX_DEPTH {
        at.error(format!(
            "{noun} is nested more than {} levels deep",
            MAX_DEPTH - 1
        ))
        .hint("make it flatter, or put the inner part into a string");
        return None;
    }
    Some(Json::from_value(&value))
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(levels).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn json(at: At<'_, '_>, noun: &str) -> Option<Value> {
    let (message, hint) = match at.node {
        Node::Bool(value) => return Some(Value::Bool(*value)),
        Node::Text(text) => return Some(Value::String(text.to_string())),
        Node::Int(value) => {
            let number = i64::try_from(*value).map(Number::from);
            if let Ok(number) = number.or_else(|_| u64::try_from(*value).map(Number::from)) {
                return Some(Value::Number(number));
            }
            (
                format!("the number {value} in {noun} does not fit into 64 bits"),
                "put it in quotes",
            )
        }
        Node::Float(value) => {
            if let Some(number) = Number::from_f64(*value) {
                return Some(Value::Number(number));
            }
            (
                format!("{} in {noun} is not a finite number", number(*value)),
                "JSON has no such number; leave the key out, or put it in quotes",
            )
        }
        // Every element is read, so that all its problems are reported.
        Node::List(elements) => {
            let read: Vec<_> = at.elements(elements).map(|at| json(at, noun)).collect();
            return read.into_iter().collect::<Option<_>>().map(Value::Array);
        }
        Node::Map(entries) => {
            let keys = at.text_entries(entries);
            let is_complete = keys.len() == entries.len();
            let read = keys.into_iter();
            let read: Vec<_> = read
                .map(|(key, at)| Some((key.to_owned(), json(at, noun)?)))
                .collect();
            let read = read.into_iter().collect::<Option<_>>().map(Value::Object);
            return read.filter(|_| is_complete);
        }
        Node::Null => (
            format!("null in {noun}"),
            "the service ignores null, so it can never be set; leave the key out",
        ),
        Node::Tagged(_) => (
            format!("{} in {noun} is not JSON", at.node.describe()),
            "leave the tag out",
        ),
    };
    at.error(message).hint(hint);
    None
}
