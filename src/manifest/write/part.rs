//! Parts of a YAML file, to be inserted into an existing one: an input, an annotation, a field.
//!
//! A part is written as in a whole file and then moved to another column. It has no scalars of several lines, so that
//! does not change its meaning.

use super::annotation::{annotation_tree, input_tree};
use super::writable::{WritableAnnotation, WritableInput};
use super::yaml;
use serde_json::{Map, Value};

/// The columns of the dashes of inputs and annotations in a whole file.
const INPUT: usize = 2;
const ANNOTATION: usize = 6;

/// An input as an element of a list with its dashes in this column, from 0.
pub fn write_input(input: &WritableInput, column: usize) -> String {
    let mut text = String::new();
    yaml::input(&mut text, &input_tree(input));
    reindented(&text, INPUT, column)
}

/// An annotation as an element of a list with its dashes in this column, from 0.
pub fn write_annotation(annotation: &WritableAnnotation, column: usize) -> String {
    let mut text = String::new();
    yaml::annotation(&mut text, &annotation_tree(annotation));
    reindented(&text, ANNOTATION, column)
}

/// The fields of an annotation, in the order of writing.
pub fn annotation_fields(annotation: &WritableAnnotation) -> Map<String, Value> {
    match annotation_tree(annotation) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// One field of an annotation whose keys are in this column, from 0; without the indent of the key and the last line
/// feed.
pub fn write_field(key: &str, value: &Value, column: usize) -> String {
    let mut text = String::new();
    let alone = Map::from_iter([(key.to_owned(), value.clone())]);
    yaml::annotation(&mut text, &Value::Object(alone));
    let text = reindented(&text, ANNOTATION + 2, column);
    let text = text.trim();
    text.strip_prefix("- ").unwrap_or(text).to_owned()
}

fn reindented(text: &str, from: usize, to: usize) -> String {
    let mut reindented = String::with_capacity(text.len());
    for line in text.lines() {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        reindented.extend(std::iter::repeat_n(' ', (spaces + to).saturating_sub(from)));
        reindented.push_str(&line[spaces..]);
        reindented.push('\n');
    }
    reindented
}
