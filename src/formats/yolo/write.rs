//! Inputs with annotations -> an Ultralytics data set: `data.yaml`, and a label file for each input.

use super::layout::is_label;
use super::paths::{SPLITS, without_extension};
use crate::formats::account::{Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::writer::{ExportInput, Exported, Holds, Writer, picture_name};
use crate::model::{ConceptId, Geometry};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Trainers refuse rows with a score.
const HOLDS: Holds = Holds {
    scores: false,
    absent: false,
};
/// The fewest decimals of a number, as other tools write them.
const DECIMALS: usize = 6;
const MOST_DECIMALS: usize = 17;

/// Writes `labels/SPLIT/NAME.txt` for the pictures in `images/SPLIT`, and `data.yaml`. Inputs without a split are in
/// `train`.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Yolo, HOLDS, inputs, classes);
    let mut splits: BTreeSet<&str> = BTreeSet::new();
    for input in inputs {
        let split = input.split.as_deref().unwrap_or("train");
        splits.insert(split);
        let name = picture_name(input);
        // An id is not a path with an extension.
        let stem = match (&input.image.path, &input.image.url) {
            (None, None) => name,
            _ => without_extension(name),
        };
        let mut path = format!("{stem}.txt");
        if !is_label(&path) {
            path.insert(0, '_');
        }
        let folder = format!("labels/{}", folder(split));
        writer.set_folder(&folder);
        if let Some(taken) = writer.taken(&path) {
            let detail = format!(
                "{taken} holds the labels of another image, and a training run reads it for both: rename one of them"
            );
            writer.input_left_out(input, SkipCode::SharedFile, &detail);
            continue;
        }
        let text = rows(input, &mut writer);
        writer.check_id(input, name);
        if writer.file(&path, text) != format!("{folder}/{stem}.txt") {
            writer.note_input(Note::OtherInputId, input);
        }
    }
    writer.set_folder("");
    for (name, text) in descriptions(&splits, writer.classes()) {
        writer.file(&name, text);
    }
    writer.finish()
}

/// The name of a split's folder: a value of metadata may be any text.
fn folder(split: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let safe: String = split
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    if safe.is_empty() {
        "_".to_owned()
    } else {
        safe
    }
}

fn rows(input: &ExportInput, writer: &mut Writer) -> String {
    let items = writer.items(input);
    let has_polygons = (items.iter()).any(|item| matches!(item.geometry, Geometry::Polygon(_)));
    let mut text = String::new();
    for item in &items {
        let _ = write!(text, "{}", item.class);
        match item.geometry {
            Geometry::Box(edges) if has_polygons => {
                // Trainers take each row of a file with polygons for a polygon.
                writer.note(Note::BoxAsPolygon, item.name, input);
                let [top, left, bottom, right] = edges.edges();
                points(
                    &mut text,
                    [[left, top], [right, top], [right, bottom], [left, bottom]],
                );
            }
            Geometry::Box(edges) => {
                let [top, left, bottom, right] = edges.edges();
                let ((x, width), (y, height)) = (middle(left, right), middle(top, bottom));
                let _ = write!(text, " {x} {y} {width} {height}");
            }
            Geometry::Polygon(polygon) => {
                let ring = polygon.points().iter();
                points(
                    &mut text,
                    ring.map(|point| [point.col.get(), point.row.get()]),
                );
            }
            _ => unreachable!("the writer gives the kinds that YOLO holds"),
        }
        text.push('\n');
        writer.metadata_left(item, input);
    }
    text
}

fn points(text: &mut String, points: impl IntoIterator<Item = [f32; 2]>) {
    for coordinate in points.into_iter().flatten() {
        let digits = decimals(|digits| {
            let number = rounded(coordinate.into(), digits);
            is_same(number, coordinate)
        });
        let _ = write!(text, " {:.digits$}", f64::from(coordinate));
    }
}

/// Middle and length, with as many decimals as an import needs for the same two ends.
fn middle(start: f32, end: f32) -> (String, String) {
    let middle = f64::midpoint(start.into(), end.into());
    let length = f64::from(end) - f64::from(start);
    let digits = decimals(|digits| {
        let (middle, half) = (rounded(middle, digits), rounded(length, digits) / 2.0);
        is_same(middle - half, start) && is_same(middle + half, end)
    });
    (format!("{middle:.digits$}"), format!("{length:.digits$}"))
}

fn decimals(is_enough: impl Fn(usize) -> bool) -> usize {
    let mut digits = DECIMALS..MOST_DECIMALS;
    digits
        .find(|digits| is_enough(*digits))
        .unwrap_or(MOST_DECIMALS)
}

fn rounded(number: f64, digits: usize) -> f64 {
    format!("{number:.digits$}")
        .parse()
        .expect("a number that was written")
}

/// Whether a number is read as this fraction. What is outside by no more than rounding is set to the edge.
fn is_same(number: f64, fraction: f32) -> bool {
    (number.clamp(0.0, 1.0) as f32).to_bits() == fraction.to_bits()
        && (number - number.clamp(0.0, 1.0)).abs() < 1e-7
}

/// `data.yaml`; and a file for each split that it cannot name.
fn descriptions(splits: &BTreeSet<&str>, classes: &[ConceptId]) -> Vec<(String, String)> {
    let (known, others): (Vec<&str>, Vec<&str>) =
        splits.iter().partition(|split| SPLITS.contains(split));
    let mut names = String::from("names:\n");
    for (number, class) in classes.iter().enumerate() {
        let _ = writeln!(names, "  {number}: {}", quoted(class.as_str()));
    }
    if classes.is_empty() {
        "names: {}\n".clone_into(&mut names);
    }
    let mut files = Vec::new();
    if !known.is_empty() || others.is_empty() {
        let mut text = String::new();
        // A trainer needs both keys.
        let has = |split: &str| known.contains(&split);
        let first = known.first().copied().unwrap_or("train");
        let val = if has("val") || !has("valid") {
            "val"
        } else {
            "valid"
        };
        for (key, folder) in [("train", "train"), ("val", val), ("test", "test")] {
            if has(folder) {
                let _ = writeln!(text, "{key}: images/{folder}");
            } else if key != "test" {
                let _ = writeln!(text, "{key}: images/{first}");
            }
        }
        if has("valid") && has("val") {
            text.push_str("valid: images/valid\n");
        }
        files.push(("data.yaml".to_owned(), text + &names));
    }
    for split in others {
        let folder = folder(split);
        let path = quoted(&format!("images/{folder}"));
        let text = format!("train: {path}\nval: {path}\n{names}");
        files.push((format!("{folder}.yaml"), text));
    }
    files
}

/// A text in YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

#[cfg(test)]
mod tests;
