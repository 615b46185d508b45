//! Inputs with annotations -> Pascal VOC: a file for each picture in `Annotations`, and the list of each split in
//! `ImageSets/Main`.

use super::name::{is_extension, picture_name};
use super::object::{FLAGS, read_flag};
use crate::formats::format::Format;
use crate::formats::metadata;
use crate::formats::source::{file_name, folder, join};
use crate::formats::writer::{ExportInput, Exported, Holds, Item, Writer, pixels};
use crate::formats::xml::{escaped, is_held, without_xml};
use crate::model::{ConceptId, Geometry};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Scores are written as `score`.
const HOLDS: Holds = Holds {
    scores: true,
    absent: false,
};

const FOLDER: &str = "Annotations";

/// Coordinates begin at 0, as an import reads them unless it is told otherwise.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Voc, HOLDS, inputs, classes);
    let mut splits: BTreeMap<&str, String> = BTreeMap::new();
    for input in inputs {
        let (size, items) = match writer.sized(input) {
            Some((size, items)) => (Some(size), items),
            None if input.annotations.is_empty() => (None, Vec::new()),
            // A file without its objects would say that there are none.
            None => {
                writer.not_in_files(input);
                continue;
            }
        };
        let picture = picture_path(input);
        let last = file_name(&picture);
        let path = format!("{FOLDER}/{}.xml", without_extension(&picture));
        let text = annotation(size, items, &picture, input, &mut writer);
        let is_taken = writer.taken(&path).is_some();
        let path = writer.file(&path, text);
        if is_taken {
            writer.check_id(input, &picture);
        } else {
            let name = picture_name(&path, Some(last), None);
            writer.check_id(input, &name.path);
        }
        if let Some(split) = &input.split {
            let name = without_xml(path.strip_prefix("Annotations/").unwrap_or(&path));
            let names = splits.entry(split).or_default();
            names.push_str(name);
            names.push('\n');
        }
    }
    for (split, list) in splits {
        writer.file(&format!("ImageSets/Main/{split}.txt"), list);
    }
    writer.finish()
}

/// The path of a picture in its folder; of a URL, or of a path that leaves the folder, the last part.
fn picture_path(input: &ExportInput) -> String {
    let path = input.image.path.as_deref();
    let inside = path
        .filter(|path| !path.contains("://"))
        .and_then(|path| join("", path))
        .filter(|path| !path.is_empty());
    inside.unwrap_or_else(|| {
        let named = path.or(input.image.url.as_deref()).unwrap_or_default();
        let named = named.split(['?', '#']).next().unwrap_or_default();
        let last = named.rsplit(['/', '\\']).next().unwrap_or_default();
        if matches!(last, "" | "." | "..") {
            input.id.as_str().replace(['/', '\\'], "_")
        } else {
            last.to_owned()
        }
    })
}

/// The path without its extension. Only what an import takes for an extension counts as one.
fn without_extension(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty() && !stem.ends_with('/') && is_extension(extension) =>
        {
            stem
        }
        _ => path,
    }
}

fn annotation(
    size: Option<(u32, u32)>,
    items: Vec<Item<'_>>,
    picture: &str,
    input: &ExportInput,
    writer: &mut Writer,
) -> String {
    let mut text = "<annotation>\n".to_owned();
    element(&mut text, 1, "folder", folder(picture));
    element(&mut text, 1, "filename", file_name(picture));
    if let Some((width, height)) = size {
        text.push_str("  <size>\n");
        element(&mut text, 2, "width", &width.to_string());
        element(&mut text, 2, "height", &height.to_string());
        // Readers expect it; labels do not say it.
        element(&mut text, 2, "depth", "3");
        text.push_str("  </size>\n");
    }
    element(&mut text, 1, "segmented", "0");
    for mut item in items {
        if let (Geometry::Box(edges), Some((width, height))) = (item.geometry, size) {
            let [top, left, bottom, right] = edges.edges();
            let edges = [
                ("xmin", pixels(left, width)),
                ("ymin", pixels(top, height)),
                ("xmax", pixels(right, width)),
                ("ymax", pixels(bottom, height)),
            ];
            object(&mut text, &mut item, edges);
        }
        writer.metadata_left(&item, input);
    }
    text.push_str("</annotation>\n");
    text
}

fn object(text: &mut String, item: &mut Item<'_>, edges: [(&str, f64); 4]) {
    text.push_str("  <object>\n");
    element(text, 2, "name", item.concept.as_str());
    let mut attributes = std::mem::take(&mut item.metadata);
    for (flag, unset) in FLAGS {
        let value = attributes.get(flag);
        let written = match value {
            Some(Value::Bool(is_set)) if unset == "0" => u8::from(*is_set).to_string(),
            Some(Value::String(text)) if is_held(text) && !text.is_empty() => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => unset.to_owned(),
        };
        element(text, 2, flag, &written);
        // A value that the element cannot hold exactly is written as an attribute, too.
        if read_flag(flag, &written).as_ref() == value {
            attributes.shift_remove(flag);
        }
    }
    if item.value.to_bits() != 1.0_f32.to_bits() {
        element(text, 2, "score", &f64::from(item.value).to_string());
    }
    text.push_str("    <bndbox>\n");
    for (name, edge) in edges {
        element(text, 3, name, &edge.to_string());
    }
    text.push_str("    </bndbox>\n");
    item.metadata = write_attributes(text, attributes);
    text.push_str("  </object>\n");
}

/// Writes names and values as CVAT does. Returns what cannot be written this way.
fn write_attributes(text: &mut String, attributes: Map<String, Value>) -> Map<String, Value> {
    let mut rest = Map::new();
    let mut lines = String::new();
    for (name, value) in attributes {
        match written(&name, &value) {
            Some(value) => {
                lines.push_str("      <attribute>\n");
                element(&mut lines, 4, "name", &name);
                element(&mut lines, 4, "value", &value);
                lines.push_str("      </attribute>\n");
            }
            None => {
                rest.insert(name, value);
            }
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(text, "    <attributes>\n{lines}    </attributes>");
    }
    rest
}

/// The text that an import reads as this value.
fn written(name: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => return None,
    };
    let is_same = metadata::value(&text) == *value && is_held(&text);
    let is_free = name != crate::formats::pieces::PART_OF && !name.is_empty() && is_held(name);
    (is_same && is_free).then_some(text)
}

fn element(text: &mut String, depth: usize, name: &str, content: &str) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}<{name}>{}</{name}>", escaped(content));
}
