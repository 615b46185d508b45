//! Parts of a YAML file: one input, one annotation, one field, as they are written into a file that stands already.
//!
//! The text of a part is that of the whole file's writer, moved to another column: it has no scalar of several lines,
//! so that moving its lines changes nothing of what it says.

use super::annotation::{annotation_tree, input_tree};
use super::{WritableAnnotation, WritableInput, yaml};
use serde_json::{Map, Value};

/// The columns of the dashes of inputs and annotations in a whole file.
const INPUT: usize = 2;
const ANNOTATION: usize = 6;

/// An input as an element of a list whose dashes stand in this column, from 0.
pub fn write_input(input: &WritableInput, column: usize) -> String {
    let mut text = String::new();
    yaml::input(&mut text, &input_tree(input));
    moved(&text, INPUT, column)
}

/// An annotation as an element of a list whose dashes stand in this column, from 0.
pub fn write_annotation(annotation: &WritableAnnotation, column: usize) -> String {
    let mut text = String::new();
    yaml::annotation(&mut text, &annotation_tree(annotation));
    moved(&text, ANNOTATION, column)
}

/// The fields of an annotation as they are written, in the order in which they are.
pub fn annotation_fields(annotation: &WritableAnnotation) -> Map<String, Value> {
    match annotation_tree(annotation) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// One field of an annotation whose keys stand in this column, from 0; without the spaces in front of the key, and
/// without the end of the last line.
pub fn write_field(key: &str, value: &Value, column: usize) -> String {
    let mut text = String::new();
    let alone = Map::from_iter([(key.to_owned(), value.clone())]);
    yaml::annotation(&mut text, &Value::Object(alone));
    let text = moved(&text, ANNOTATION + 2, column);
    let text = text.trim();
    text.strip_prefix("- ").unwrap_or(text).to_owned()
}

fn moved(text: &str, from: usize, to: usize) -> String {
    let mut moved = String::with_capacity(text.len());
    for line in text.lines() {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        moved.extend(std::iter::repeat_n(' ', (spaces + to).saturating_sub(from)));
        moved.push_str(&line[spaces..]);
        moved.push('\n');
    }
    moved
}
