//! Free JSON: `metadata` and `info`.

use crate::manifest::fields::{map, text_keys};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::node::{Node, number};
use crate::model::{Json, MAX_DEPTH};

/// Reads `metadata` or `info`: any JSON object.
pub(in crate::manifest) fn object(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Json> {
    map(node, noun, "a map", place, findings)?;
    let value = json(node, noun, place, findings)?;
    // It is read again from inside of the annotation's data.
    if levels(&value) >= MAX_DEPTH {
        findings
            .add(
                place.value(),
                format!("{noun} is nested more than {} levels deep", MAX_DEPTH - 1),
            )
            .hint("make it flatter, or put the inner part into a string");
        return None;
    }
    Some(Json::from_value(&value))
}

fn levels(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Array(elements) => 1 + elements.iter().map(levels).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn json(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<serde_json::Value> {
    use serde_json::Value;
    let unfit = |findings: &mut Findings, message: String, hint: &str| {
        findings.add(place.value(), message).hint(hint);
        None
    };
    match node {
        Node::Null => unfit(
            findings,
            format!("null in {noun}"),
            "the service ignores null, so it can never be set; leave the key out",
        ),
        Node::Bool(value) => Some(Value::Bool(*value)),
        Node::Text(text) => Some(Value::String(text.to_string())),
        Node::Int(value) => {
            let number = i64::try_from(*value)
                .map(serde_json::Number::from)
                .or_else(|_| u64::try_from(*value).map(serde_json::Number::from));
            match number {
                Ok(number) => Some(Value::Number(number)),
                Err(_) => unfit(
                    findings,
                    format!("the number {value} in {noun} does not fit into 64 bits"),
                    "put it in quotes",
                ),
            }
        }
        Node::Float(value) => match serde_json::Number::from_f64(*value) {
            Some(number) => Some(Value::Number(number)),
            None => unfit(
                findings,
                format!("{} in {noun} is not a finite number", number(*value)),
                "JSON has no such number; leave the key out, or put it in quotes",
            ),
        },
        Node::List(elements) => {
            let mut whole = true;
            let mut values = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                match json(element, noun, &place.nth(index), findings) {
                    Some(value) => values.push(value),
                    None => whole = false,
                }
            }
            whole.then_some(Value::Array(values))
        }
        Node::Map(entries) => {
            let keys = text_keys(entries, place, findings);
            let mut whole = keys.len() == entries.len();
            let mut values = serde_json::Map::with_capacity(keys.len());
            for (index, key) in keys {
                match json(&entries[index].1, noun, &place.nth(index), findings) {
                    Some(value) => {
                        values.insert(key.to_owned(), value);
                    }
                    None => whole = false,
                }
            }
            whole.then_some(Value::Object(values))
        }
        Node::Tagged(_) => unfit(
            findings,
            format!("{} in {noun} is not JSON", node.describe()),
            "leave the tag out",
        ),
    }
}
