//! Inputs with annotations -> a LabelMe file for each picture.

use super::shape::OWN;
use super::without_extension;
use crate::formats::account::{Media, Note, SkipCode};
use crate::formats::bitmap::Bitmap;
use crate::formats::format::Format;
use crate::formats::pieces::PART_OF;
use crate::formats::source::{file_name, folder};
use crate::formats::writer::{ExportInput, Exported, Holds, Whole, Writer, pixels};
use crate::model::{ConceptId, Concepts, Geometry, Mask, MaskArea};
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Scores are written as `score`. Absent concepts are flags that are not set, of the whole picture only.
const HOLDS: Holds = Holds {
    scores: true,
    absent: true,
};

/// Writes a `.json` file beside the path of each picture; splits are folders.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::LabelMe, HOLDS, inputs, classes);
    for input in inputs {
        writer.set_folder(input.split.as_deref().unwrap_or_default());
        let name = writer.file_name(input);
        let all = writer.annotations(input);
        if input.media != Media::Image {
            for one in all {
                let detail = "of a text or a video";
                writer.left_out(one.name, input, SkipCode::OtherShape, detail);
            }
            writer.not_in_files(input);
            continue;
        }
        let flags = flags(&all, input, &mut writer);
        let shapes = shapes(all, input, &mut writer);
        let is_beside = !name.contains("://")
            && !name.contains(['\\', ':'])
            && (name.split('/')).all(|part| !part.is_empty() && !part.starts_with('.'));
        let stem = without_extension(&name);
        let (path, image) = if is_beside {
            (format!("{stem}.json"), file_name(&name))
        } else {
            // Beside a path that leaves the folder or is hidden, nothing can be written.
            (format!("{}.json", file_name(stem)), name.as_str())
        };
        let (width, height) = input.image.size.unzip();
        let file = json!({
            "version": "5.5.0",
            "flags": flags,
            "shapes": shapes,
            "imagePath": image,
            "imageData": null,
            "imageHeight": height,
            "imageWidth": width,
        });
        let mut bytes = serde_json::to_vec_pretty(&file).expect("numbers and texts are JSON");
        bytes.push(b'\n');
        let written = writer.file(&path, bytes);
        debug_assert!(!is_beside || folder(&written).ends_with(folder(&path)));
    }
    writer.finish()
}

/// The concepts of the whole picture.
fn flags(all: &[Whole<'_>], input: &ExportInput, writer: &mut Writer) -> Map<String, Value> {
    let mut flags = Map::new();
    let whole = all.iter().filter(|it| *it.geometry == Geometry::Whole);
    let mut written: Vec<&Whole<'_>> = Vec::new();
    for one in whole {
        let concepts: Vec<_> = (one.content.concepts.iter().flat_map(Concepts::iter))
            .map(|concept| (concept.id.as_str().to_owned(), concept.value))
            .collect();
        if concepts.is_empty() {
            writer.left_out(one.name, input, SkipCode::NoConcept, "it has no concept");
            continue;
        }
        let unusable = concepts.iter().find(|(name, value)| {
            let is_set = Value::Bool(*value > 0.0);
            let is_flag = *value == 0.0 || value.to_bits() == 1.0_f32.to_bits();
            !is_flag || flags.get(name).is_some_and(|known| *known != is_set)
        });
        if let Some((name, value)) = unusable {
            let detail = format!("{name} of value {value}");
            writer.left_out(one.name, input, SkipCode::OtherValue, detail);
            continue;
        }
        flags.extend((concepts.into_iter()).map(|(name, value)| (name, (value > 0.0).into())));
        if !one.metadata.is_empty() {
            writer.note(Note::MetadataLeftOut, one.name, input);
        }
        written.push(one);
    }
    if written.len() > 1 {
        for one in written {
            writer.note(Note::JoinedConcepts, one.name, input);
        }
    }
    flags
}

fn shapes(all: Vec<Whole<'_>>, input: &ExportInput, writer: &mut Writer) -> Vec<Value> {
    // Pieces of one object have the same number.
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    let mut shapes = Vec::new();
    for one in all {
        if *one.geometry == Geometry::Whole {
            continue;
        }
        let concepts: Vec<_> = one
            .content
            .concepts
            .iter()
            .flat_map(Concepts::iter)
            .collect();
        let problem = match (&concepts[..], input.image.size) {
            ([], _) => Some((SkipCode::NoConcept, "it has no concept".to_owned())),
            (_, None) => {
                let detail = "the size of its image is not known";
                Some((SkipCode::ImageWithoutSize, detail.to_owned()))
            }
            (concepts, Some(_)) => concepts.iter().find(|it| it.value == 0.0).map(|concept| {
                let detail = format!("{} of value 0", concept.id);
                (SkipCode::OtherValue, detail)
            }),
        };
        let placed = problem.map_or_else(
            || place(one.geometry, input.image.size.unwrap_or((1, 1))),
            Err,
        );
        let mut shape = match placed {
            Ok(shape) => shape,
            Err((code, detail)) => {
                writer.left_out(one.name, input, code, detail);
                continue;
            }
        };
        let mut is_complete = true;
        let mut group = Value::Null;
        for (key, value) in one.metadata {
            if is_held(&key, &value) {
                shape.insert(key, value);
                continue;
            }
            if key == PART_OF {
                let number = groups.len() + 1;
                group = (*groups.entry(value.to_string()).or_insert(number)).into();
            }
            is_complete = false;
        }
        if !is_complete {
            writer.note(Note::MetadataLeftOut, one.name, input);
        }
        for (key, value) in [
            ("group_id", group),
            ("description", "".into()),
            ("flags", json!({})),
        ] {
            shape.entry(key).or_insert(value);
        }
        if concepts.len() > 1 {
            writer.note(Note::SplitConcepts, one.name, input);
        }
        for concept in concepts {
            let mut shape = shape.clone();
            shape.insert("label".to_owned(), concept.id.as_str().into());
            if concept.value.to_bits() != 1.0_f32.to_bits() {
                shape.insert("score".to_owned(), json!(concept.value));
            }
            shapes.push(Value::Object(shape));
        }
    }
    shapes
}

/// Whether a field of a shape can hold this metadata, so that an import gives it back and LabelMe can open the file.
fn is_held(key: &str, value: &Value) -> bool {
    match key {
        "group_id" => value.is_u64(),
        "description" => value.as_str().is_some_and(|text| !text.is_empty()),
        "flags" => value
            .as_object()
            .is_some_and(|flags| !flags.is_empty() && flags.values().all(Value::is_boolean)),
        PART_OF => false,
        _ if OWN.contains(&key) => false,
        _ => match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        },
    }
}

fn place(geometry: &Geometry, size: (u32, u32)) -> Result<Map<String, Value>, (SkipCode, String)> {
    let xy = |row: f32, col: f32| json!([pixels(col, size.0), pixels(row, size.1)]);
    let mut shape = Map::new();
    let (kind, points) = match geometry {
        Geometry::Box(edges) => (
            "rectangle",
            vec![
                xy(edges.top(), edges.left()),
                xy(edges.bottom(), edges.right()),
            ],
        ),
        Geometry::Polygon(polygon) => {
            let points = polygon.points().iter();
            let points = points.map(|point| xy(point.row.get(), point.col.get()));
            ("polygon", points.collect())
        }
        Geometry::Point(point) => ("point", vec![xy(point.row.get(), point.col.get())]),
        Geometry::Mask(mask) => {
            let (points, png) = cut(mask, size).map_err(|why| (SkipCode::WrongMask, why))?;
            shape.insert("mask".to_owned(), png.into());
            ("mask", points)
        }
        _ => unreachable!("the writer gives the kinds that LabelMe holds"),
    };
    shape.insert("shape_type".to_owned(), kind.into());
    shape.insert("points".to_owned(), points.into());
    Ok(shape)
}

/// The part of a mask with set pixels: its first and last pixel, and its PNG file as base64.
fn cut(mask: &Mask, (width, height): (u32, u32)) -> Result<(Vec<Value>, String), String> {
    let png = mask.png().ok_or("a mask whose pixels are not known")?;
    let area = MaskArea::decode(png).map_err(|error| error.to_string())?;
    if area.size() != (width, height) {
        let (w, h) = area.size();
        return Err(format!(
            "a mask of {w} x {h} pixels, and an image of {width} x {height}"
        ));
    }
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let set: Vec<(u32, u32)> = pixels.filter(|(x, y)| area.is_set(*x, *y)).collect();
    let empty = "a mask without a set pixel";
    let (left, right) = (
        set.iter().map(|it| it.0).min().ok_or(empty)?,
        set.iter().map(|it| it.0).max().ok_or(empty)?,
    );
    let (top, bottom) = (set[0].1, set[set.len() - 1].1);
    let mut part = Bitmap::new(right - left + 1, bottom - top + 1)
        .ok_or_else(|| "a mask that is too large".to_owned())?;
    for (x, y) in set {
        part.set(x - left, y - top);
    }
    let part = part.mask().map_err(|error| error.to_string())?;
    let png = part.png().ok_or("a mask whose pixels are not known")?;
    let text = base64::engine::general_purpose::STANDARD.encode(png);
    Ok((vec![json!([left, top]), json!([right, bottom])], text))
}
