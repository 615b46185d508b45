//! Inputs with annotations -> CVAT XML 1.1 for images: a file for each split.

use super::meta::Kind;
use crate::formats::account::{Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::metadata;
use crate::formats::pieces::PART_OF;
use crate::formats::writer::{ExportInput, Exported, Holds, Item, Writer, pixels};
use crate::formats::xml::{escaped, is_held};
use crate::model::{ConceptId, Geometry, Keypoint, Keypoints, Mask, MaskArea, Point, Visibility};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Scores are written as `score`.
const HOLDS: Holds = Holds {
    scores: true,
    absent: false,
};

/// What the labels of a file have: the kinds of their attributes, and how many points their skeletons.
#[derive(Debug, Default)]
struct Label {
    attributes: BTreeMap<String, Kind>,
    points: usize,
}

/// Writes `annotations.xml`, or `annotations_SPLIT.xml` for each split.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Cvat, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, Vec<&ExportInput>> = BTreeMap::new();
    for input in inputs {
        let split = splits.entry(input.split.as_deref()).or_default();
        split.push(input);
    }
    for (split, inputs) in splits {
        let mut labels: Vec<Label> = writer.classes().iter().map(|_| Label::default()).collect();
        let mut images = String::new();
        let mut count = 0;
        for input in inputs {
            let (size, items) = match writer.sized(input) {
                Some((size, items)) => (Some(size), items),
                None if input.annotations.is_empty() => (None, Vec::new()),
                // An image without its shapes would say that there are none.
                None => {
                    writer.not_in_files(input);
                    continue;
                }
            };
            let name = writer.file_name(input);
            let _ = write!(
                images,
                "  <image id=\"{count}\" name=\"{}\"",
                escaped(&name)
            );
            count += 1;
            if let Some((width, height)) = size {
                let _ = write!(images, " width=\"{width}\" height=\"{height}\"");
            }
            images.push_str(">\n");
            let mut left_out = None;
            for mut item in items {
                let label = &mut labels[item.class];
                match place(&item, size.unwrap_or_default(), label) {
                    Ok((place, is_assumed)) => {
                        shape(&mut images, &place, &mut item, label);
                        if is_assumed {
                            writer.note(Note::VisibilityAssumed, item.name, input);
                        }
                        writer.metadata_left(&item, input);
                    }
                    // An annotation of several concepts counts once.
                    Err(detail) if left_out != Some(item.name) => {
                        left_out = Some(item.name);
                        writer.left_out(item.name, input, SkipCode::WrongMask, detail);
                    }
                    Err(_) => {}
                }
            }
            images.push_str("  </image>\n");
        }
        let name = match split {
            Some(split) => format!("annotations_{split}.xml"),
            None => "annotations.xml".to_owned(),
        };
        let head = head(writer.classes(), &labels, count);
        writer.file(&name, format!("{head}{images}</annotations>\n"));
    }
    writer.finish()
}

/// A shape's element, its attributes that say where it is, and the elements in it.
struct Place {
    name: &'static str,
    attributes: String,
    inner: String,
}

/// The place of an annotation, and whether the visibility of a keypoint was assumed.
fn place(item: &Item<'_>, size: (u32, u32), label: &mut Label) -> Result<(Place, bool), String> {
    let place = |name, attributes| Place {
        name,
        attributes,
        inner: String::new(),
    };
    Ok(match item.geometry {
        Geometry::Box(edges) => {
            let [top, left, bottom, right] = edges.edges();
            let attributes = format!(
                " xtl=\"{}\" ytl=\"{}\" xbr=\"{}\" ybr=\"{}\"",
                pixels(left, size.0),
                pixels(top, size.1),
                pixels(right, size.0),
                pixels(bottom, size.1)
            );
            (place("box", attributes), false)
        }
        Geometry::Polygon(polygon) => {
            let points = points(polygon.points().iter().copied(), size);
            (place("polygon", points), false)
        }
        Geometry::Point(point) => (place("points", points([*point], size)), false),
        Geometry::Keypoints(keypoints) => match keypoints.points() {
            // Without visibilities, it is a list of points; one alone would be read as a point.
            all if all.len() > 1 && all.iter().all(is_not_set) => {
                let points = points(all.iter().map(|keypoint| keypoint.point), size);
                (place("points", points), false)
            }
            all => {
                label.points = label.points.max(all.len());
                let mut skeleton = place("skeleton", String::new());
                skeleton.inner = joints(keypoints, size);
                (skeleton, all.iter().any(is_not_set))
            }
        },
        Geometry::Mask(mask) => (place("mask", runs(mask, size)?), false),
        _ => (place("tag", String::new()), false),
    })
}

fn is_not_set(keypoint: &Keypoint) -> bool {
    keypoint.visibility == Visibility::NotSet
}

fn points(points: impl IntoIterator<Item = Point>, size: (u32, u32)) -> String {
    let points: Vec<String> = points
        .into_iter()
        .map(|point| {
            let (x, y) = (
                pixels(point.col.get(), size.0),
                pixels(point.row.get(), size.1),
            );
            format!("{x},{y}")
        })
        .collect();
    format!(" points=\"{}\"", points.join(";"))
}

/// The points of a skeleton, named by their numbers.
fn joints(keypoints: &Keypoints, size: (u32, u32)) -> String {
    let mut text = String::new();
    for (index, keypoint) in keypoints.points().iter().enumerate() {
        let outside = u8::from(keypoint.visibility == Visibility::NotPresent);
        let occluded = u8::from(keypoint.visibility == Visibility::NotVisible);
        let _ = writeln!(
            text,
            "      <points label=\"{}\" source=\"manual\" outside=\"{outside}\" occluded=\"{occluded}\"{}></points>",
            index + 1,
            points([keypoint.point], size)
        );
    }
    text
}

/// The runs of a mask, row by row within the box around its pixels, background first.
fn runs(mask: &Mask, (width, height): (u32, u32)) -> Result<String, String> {
    let png = mask.png().ok_or("a mask whose pixels are not known")?;
    let area = MaskArea::decode(png).map_err(|error| error.to_string())?;
    if area.size() != (width, height) {
        let (w, h) = area.size();
        return Err(format!(
            "a mask of {w} x {h} pixels, and an image of {width} x {height}"
        ));
    }
    let bounds = mask.bounds().ok_or("a mask without pixels")?;
    // Fractions of whole pixels.
    let pixel = |fraction: f32, size: u32| (f64::from(fraction) * f64::from(size)).round() as u32;
    let [top, left, bottom, right] = bounds;
    let (left, right) = (pixel(left, width), pixel(right, width));
    let (top, bottom) = (pixel(top, height), pixel(bottom, height));
    let (mut runs, mut was_set) = (vec![0_u64], false);
    for row in top..bottom {
        for column in left..right {
            let is_set = area.is_set(column, row);
            if is_set != was_set {
                runs.push(0);
                was_set = is_set;
            }
            *runs.last_mut().expect("there is a run from the start") += 1;
        }
    }
    let runs: Vec<String> = runs.iter().map(u64::to_string).collect();
    Ok(format!(
        " rle=\"{}\" left=\"{left}\" top=\"{top}\" width=\"{}\" height=\"{}\"",
        runs.join(", "),
        right - left,
        bottom - top
    ))
}

/// Writes a shape with its metadata. What cannot be written stays in the item.
fn shape(text: &mut String, place: &Place, item: &mut Item<'_>, label: &mut Label) {
    let metadata = std::mem::take(&mut item.metadata);
    let mut own = BTreeMap::from([
        ("occluded", "0".to_owned()),
        ("source", "manual".to_owned()),
        ("z_order", "0".to_owned()),
    ]);
    let mut inner = place.inner.clone();
    for (name, value) in metadata {
        if let Some((name, written)) = own_attribute(&name, &value) {
            own.insert(name, written);
            continue;
        }
        match attribute(&name, &value, label) {
            Some(value) => {
                let name = escaped(&name);
                let _ = writeln!(
                    inner,
                    "      <attribute name=\"{name}\">{value}</attribute>"
                );
            }
            None => {
                item.metadata.insert(name, value);
            }
        }
    }
    if place.name == "tag" {
        own.retain(|name, written| *name == "source" || !["0", ""].contains(&written.as_str()));
    }
    let _ = write!(
        text,
        "    <{} label=\"{}\"",
        place.name,
        escaped(item.concept.as_str())
    );
    for (name, written) in own {
        let _ = write!(text, " {name}=\"{}\"", escaped(&written));
    }
    text.push_str(&place.attributes);
    if item.value.to_bits() != 1.0_f32.to_bits() {
        let _ = write!(text, " score=\"{}\"", f64::from(item.value));
    }
    let _ = writeln!(text, ">\n{inner}    </{}>", place.name);
}

/// The attribute of a shape that an import reads as this value.
fn own_attribute(name: &str, value: &Value) -> Option<(&'static str, String)> {
    match (name, value) {
        ("occluded", Value::Bool(true)) => Some(("occluded", "1".to_owned())),
        ("z_order", Value::Number(number)) => Some(("z_order", number.to_string())),
        ("group_id", Value::Number(number)) => Some(("group_id", number.to_string())),
        ("source", Value::String(text))
            if text != "manual" && !text.is_empty() && is_held(text) =>
        {
            Some(("source", text.clone()))
        }
        _ => None,
    }
    .filter(|(name, written)| {
        *name == "occluded" || *name == "source" || {
            written != "0" && metadata::value(written) == *value
        }
    })
}

/// The text of an attribute of a label, whose values are all of one kind.
fn attribute(name: &str, value: &Value, label: &mut Label) -> Option<String> {
    if name == PART_OF || name.is_empty() || !is_held(name) {
        return None;
    }
    let (kind, text) = match value {
        Value::Bool(_) => (Kind::Checkbox, value.to_string()),
        Value::Number(_) => {
            let text = value.to_string();
            (metadata::number(&text).as_ref() == Some(value)).then_some((Kind::Number, text))?
        }
        Value::String(text) if is_held(text) => (Kind::Text, escaped(text).into_owned()),
        _ => return None,
    };
    let known = label.attributes.entry(name.to_owned()).or_insert(kind);
    (*known == kind).then_some(text)
}

/// The beginning of a file, with its labels.
fn head(classes: &[ConceptId], labels: &[Label], images: usize) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n      \
         <size>{images}</size>\n      <mode>annotation</mode>\n      <labels>\n"
    );
    for (class, label) in classes.iter().zip(labels) {
        let class = escaped(class.as_str());
        let kind = if label.points > 0 { "skeleton" } else { "any" };
        let _ = writeln!(
            text,
            "        <label>\n          <name>{class}</name>\n          <type>{kind}</type>\n          <attributes>"
        );
        for (name, kind) in &label.attributes {
            let (kind, default) = match kind {
                Kind::Checkbox => ("checkbox", "false"),
                Kind::Number => ("number", "0"),
                Kind::Text => ("text", ""),
            };
            let name = escaped(name);
            let _ = writeln!(
                text,
                "            <attribute>\n              <name>{name}</name>\n              <mutable>False</mutable>\n              \
                 <input_type>{kind}</input_type>\n              <default_value>{default}</default_value>\n              \
                 <values></values>\n            </attribute>"
            );
        }
        text.push_str("          </attributes>\n        </label>\n");
        for point in 1..=label.points {
            let _ = writeln!(
                text,
                "        <label>\n          <name>{point}</name>\n          <type>points</type>\n          \
                 <attributes></attributes>\n          <parent>{class}</parent>\n        </label>"
            );
        }
    }
    text.push_str("      </labels>\n    </task>\n  </meta>\n");
    text
}
