//! A tree as YAML: two spaces a level, short values in flow style, long ones in block style.
//!
//! Only the width decides between the two styles, so that the same tree always gives the same text.

use super::scalar;
use serde_json::{Map, Value};

/// In characters. Longer lines are broken.
const WIDTH: usize = 100;
/// The parser accepts keys without `?` up to 1,024 bytes.
const MAX_KEY_BYTES: usize = 1000;

/// How a value is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// On one line, if it fits.
    Short,
    /// One entry a line.
    Block,
}

/// Appends one input as an element of the list `inputs`.
pub(super) fn input(out: &mut String, tree: &Value) {
    let Value::Object(fields) = tree else {
        return;
    };
    for (index, (key, value)) in fields.iter().enumerate() {
        out.push_str(if index == 0 { "  - " } else { "    " });
        match value {
            Value::Array(annotations) if key == "annotations" && !annotations.is_empty() => {
                out.push_str("annotations:\n");
                for element in annotations {
                    annotation(out, element);
                }
            }
            _ => entry_after_indent(out, 4, key, value, Style::Short),
        }
    }
}

/// Appends an element of a list without indent.
pub(super) fn element(out: &mut String, tree: &Value) {
    match tree {
        Value::Object(fields) if !fields.is_empty() && !fields.keys().any(|key| is_long(key)) => {
            for (index, (key, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "- " } else { "  " });
                entry_after_indent(out, 2, key, value, Style::Short);
            }
        }
        _ => {
            out.push('-');
            value_after(out, 0, 1, tree, Style::Short);
        }
    }
}

/// Appends one annotation as an element of the list `annotations`.
pub(super) fn annotation(out: &mut String, tree: &Value) {
    let Value::Object(fields) = tree else {
        return;
    };
    // It is refused when read, but without it the list would look empty.
    if fields.is_empty() {
        out.push_str("      - {}\n");
    }
    for (index, (key, value)) in fields.iter().enumerate() {
        out.push_str(if index == 0 { "      - " } else { "        " });
        match value {
            Value::Array(list) if key == "polygon" || key == "keypoints" => points(out, key, list),
            _ => entry_after_indent(out, 8, key, value, Style::Short),
        }
    }
}

/// Appends an entry of a map at this indent.
pub(super) fn entry(out: &mut String, indent: usize, key: &str, value: &Value, style: Style) {
    spaces(out, indent);
    entry_after_indent(out, indent, key, value, style);
}

/// [`entry`] without the indent of its first line.
fn entry_after_indent(out: &mut String, indent: usize, key: &str, value: &Value, style: Style) {
    scalar::text(out, key);
    out.push(':');
    value_after(out, indent, key.len() + 1, value, style);
}

/// Appends the value of a key or a dash, and a line feed. `used` is the width of the key or dash.
fn value_after(out: &mut String, indent: usize, used: usize, value: &Value, style: Style) {
    let mut flow = String::new();
    write_flow(&mut flow, value);
    let is_container = match value {
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
        _ => false,
    };
    let fits = style == Style::Short && indent + used + 1 + flow.chars().count() <= WIDTH;
    if !is_container || fits || has_long_key(value) {
        out.push(' ');
        out.push_str(&flow);
        out.push('\n');
        return;
    }
    out.push('\n');
    match value {
        Value::Array(elements) => {
            for element in elements {
                spaces(out, indent + 2);
                out.push('-');
                value_after(out, indent + 2, 1, element, Style::Short);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                entry(out, indent + 2, key, value, Style::Short);
            }
        }
        _ => {}
    }
}

/// Appends a list of points, with as many on a line as fit.
fn points(out: &mut String, key: &str, list: &[Value]) {
    out.push_str(key);
    out.push_str(": [");
    let mut width = 8 + key.len() + ": [".len();
    for (index, point) in list.iter().enumerate() {
        let mut flow = String::new();
        write_flow(&mut flow, point);
        if index > 0 {
            // A comma and a space before it, a comma or bracket after it.
            if width + flow.len() + 3 > WIDTH {
                out.push_str(",\n          ");
                width = 10;
            } else {
                out.push_str(", ");
                width += 2;
            }
        }
        width += flow.len();
        out.push_str(&flow);
    }
    out.push_str("]\n");
}

fn write_flow(out: &mut String, value: &Value) {
    match value {
        // Does not occur. It would be refused when read.
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => scalar::number(out, number),
        Value::String(text) => scalar::text(out, text),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_flow(out, element);
            }
            out.push(']');
        }
        Value::Object(entries) => flow_map(out, entries),
    }
}

fn flow_map(out: &mut String, entries: &Map<String, Value>) {
    if entries.is_empty() {
        out.push_str("{}");
        return;
    }
    out.push_str("{ ");
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if is_long(key) {
            out.push_str("? ");
        }
        scalar::text(out, key);
        out.push_str(if is_long(key) { " : " } else { ": " });
        write_flow(out, value);
    }
    out.push_str(" }");
}

/// Whether a key needs a `?`, however it is quoted: an escaped character takes six bytes.
fn is_long(key: &str) -> bool {
    key.len() > MAX_KEY_BYTES / 6
}

fn has_long_key(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| is_long(key) || has_long_key(value)),
        Value::Array(elements) => elements.iter().any(has_long_key),
        _ => false,
    }
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}
