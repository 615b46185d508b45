//! The desired state -> manifest files: YAML, JSON, JSON Lines.
//!
//! The same state gives the same bytes, and reading them gives the same state. One builder makes the tree of an input,
//! and each format prints that tree.

mod annotation;
mod header;
mod part;
mod scalar;
mod writable;
mod yaml;

pub use annotation::{declarable, input_tree};
pub use header::write_header;
pub use part::{annotation_fields, write_annotation, write_field, write_input};
pub use writable::{WritableAnnotation, WritableInput};

use serde_json::Value;

/// JSON as one element of a YAML list without indent. Concatenated elements are one list. Text that YAML 1.1 or 1.2
/// would read as another type is quoted.
pub fn yaml_element(tree: &Value) -> String {
    let mut text = String::new();
    yaml::element(&mut text, tree);
    text
}

/// The inputs as a YAML file.
pub fn write_yaml(inputs: &[WritableInput]) -> String {
    let mut text = String::new();
    if inputs.is_empty() {
        text.push_str("inputs: []\n");
        return text;
    }
    text.push_str("inputs:\n");
    for input in inputs {
        yaml::input(&mut text, &input_tree(input));
    }
    text
}

/// The inputs as JSON Lines, one a line.
pub fn write_jsonl(inputs: &[WritableInput]) -> String {
    let mut text = String::new();
    for input in inputs {
        text.push_str(&input_tree(input).to_string());
        text.push('\n');
    }
    text
}

/// The inputs as a JSON file, one a line.
pub fn write_json(inputs: &[WritableInput]) -> String {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| format!("\n  {}", input_tree(input)))
        .collect();
    format!("{{\"inputs\": [{}\n]}}\n", inputs.join(","))
}

#[cfg(test)]
mod tests;
