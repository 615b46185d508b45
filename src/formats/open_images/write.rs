//! Inputs with annotations -> Open Images CSV: a file of boxes, one of labels of images, one of names.

use super::FLAGS;
use crate::formats::account::{Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::writer::{ExportInput, Exported, Holds, Item, Writer};
use crate::model::{ConceptId, Geometry};
use csv::{Terminator, WriterBuilder};
use serde_json::Value;
use std::collections::BTreeMap;

const HOLDS: Holds = Holds {
    scores: true,
    absent: true,
};
const LABEL_COLUMNS: [&str; 4] = ["ImageID", "Source", "LabelName", "Confidence"];
const EDGE_COLUMNS: [&str; 4] = ["XMin", "XMax", "YMin", "YMax"];

/// Writes `annotations-bbox.csv`, `annotations-human-imagelabels.csv` and `class-descriptions.csv`; with splits, the
/// first two for each, as `train-annotations-bbox.csv`.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::OpenImages, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, Vec<&ExportInput>> = BTreeMap::new();
    for input in inputs {
        let split = input.split.as_deref();
        splits.entry(split).or_default().push(input);
    }
    for (split, inputs) in splits {
        let (mut boxes, mut labels) = (Table::default(), Table::default());
        boxes.row(LABEL_COLUMNS.into_iter().chain(EDGE_COLUMNS).chain(FLAGS));
        labels.row(LABEL_COLUMNS);
        for input in inputs {
            writer.stem_name(input);
            let items = writer.items(input);
            let mut rows = 0;
            for item in parts(items, input, &mut writer) {
                rows += 1;
                row(item, input, &mut boxes, &mut labels, &mut writer);
            }
            if rows == 0 {
                writer.note_input(Note::EmptyLeftOut, input);
            }
        }
        let prefix = split.map(|split| format!("{split}-")).unwrap_or_default();
        let prefix = prefix.replace(['/', '\\'], "_");
        writer.file(&format!("{prefix}annotations-bbox.csv"), boxes.bytes());
        let name = format!("{prefix}annotations-human-imagelabels.csv");
        writer.file(&name, labels.bytes());
    }
    let mut names = Table::default();
    names.row(["LabelName", "DisplayName"]);
    for class in writer.classes() {
        names.row([class.as_str(), class.as_str()]);
    }
    writer.file("class-descriptions.csv", names.bytes());
    writer.finish()
}

/// The items that can be rows. A box of an absent class cannot.
fn parts<'e>(items: Vec<Item<'e>>, input: &ExportInput, writer: &mut Writer) -> Vec<Item<'e>> {
    let mut parts: Vec<Item<'e>> = Vec::with_capacity(items.len());
    let mut absent: Vec<&str> = Vec::new();
    for item in &items {
        let is_box = matches!(item.geometry, Geometry::Box(_));
        if is_box && item.value == 0.0 && !absent.contains(&item.name) {
            let detail = format!("a box with {} of value 0", item.concept);
            writer.left_out(item.name, input, SkipCode::OtherValue, detail);
            absent.push(item.name);
        }
    }
    parts.extend(
        items
            .into_iter()
            .filter(|item| !absent.contains(&item.name)),
    );
    parts
}

fn row(
    mut item: Item<'_>,
    input: &ExportInput,
    boxes: &mut Table,
    labels: &mut Table,
    writer: &mut Writer,
) {
    let edges = match item.geometry {
        Geometry::Box(edges) => Some(edges.edges()),
        _ => None,
    };
    // A machine's label is a score for an import, whatever its value.
    let is_score = edges.is_none() && item.metadata.get("Source") == Some(&"machine".into());
    let by = match item.metadata.get("Source") {
        Some(Value::String(by))
            if !by.is_empty() && by.trim() == by && !by.contains(['\n', '\r']) && !is_score =>
        {
            by.clone()
        }
        _ => String::new(),
    };
    if !by.is_empty() {
        item.metadata.shift_remove("Source");
    }
    let mut fields = vec![
        input.id.as_str().to_owned(),
        by,
        item.concept.as_str().to_owned(),
        item.value.to_string(),
    ];
    if let Some([top, left, bottom, right]) = edges {
        fields.extend([left, right, top, bottom].map(|edge| edge.to_string()));
        for flag in FLAGS {
            let value = match item.metadata.get(flag) {
                Some(Value::Bool(true)) => "1",
                Some(Value::Bool(false)) => "0",
                _ => "-1",
            };
            if value != "-1" {
                item.metadata.shift_remove(flag);
            }
            fields.push(value.to_owned());
        }
        boxes.row(&fields);
    } else {
        labels.row(&fields);
    }
    writer.metadata_left(&item, input);
}

struct Table(csv::Writer<Vec<u8>>);

impl Default for Table {
    fn default() -> Self {
        let mut builder = WriterBuilder::new();
        Self(
            builder
                .terminator(Terminator::Any(b'\n'))
                .from_writer(Vec::new()),
        )
    }
}

impl Table {
    fn row(&mut self, fields: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.0
            .write_record(fields)
            .expect("all rows of a table have as many fields");
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("memory does not fail")
    }
}

#[cfg(test)]
mod tests;
