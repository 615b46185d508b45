//! An `object` of Pascal VOC: its box, its class, and its other fields as metadata.

use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::{Object, ObjectName};
use crate::formats::metadata;
use crate::formats::options::Corners;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::xml::{self, Element};
use serde_json::{Map, Value};
use smallvec::smallvec;

/// Fields that every object has, and what they are unless somebody sets them.
pub(super) const FLAGS: [(&str, &str); 4] = [
    ("pose", "Unspecified"),
    ("truncated", "0"),
    ("difficult", "0"),
    ("occluded", "0"),
];

/// Shapes that some tools write into an object.
const OTHER_SHAPES: [&str; 4] = ["polygon", "robndbox", "segm", "mask"];

/// The object, or its name and why it is left out.
pub(super) fn read(
    element: Element<'_>,
    index: usize,
    corners: Corners,
) -> Result<Object, (ObjectName, NotPlaced)> {
    let name = ObjectName::Number(index);
    object(element, corners)
        .map(|object| Object {
            name: name.clone(),
            ..object
        })
        .map_err(|why| (name, why))
}

fn object(element: Element<'_>, corners: Corners) -> Result<Object, NotPlaced> {
    let class = element
        .child("name")
        .ok_or_else(|| skip(SkipCode::UnknownCategory, "it has no `name`"))?;
    let shape = Shape::Box(bndbox(element, corners)?);
    let mut notes = Vec::new();
    let mut score = None;
    let mut metadata = Map::new();
    let mut is_complete = element.all("bndbox").count() == 1;
    for field in element.children() {
        match field.name() {
            "name" | "bndbox" => {}
            "part" => {
                if !notes.contains(&Note::PartsLeftOut) {
                    notes.push(Note::PartsLeftOut);
                }
            }
            "score" | "confidence" if score.is_none() && xml::number(field.text()).is_some() => {
                score = xml::number(field.text());
            }
            "attributes" => is_complete &= attributes(field, &mut metadata),
            name if OTHER_SHAPES.contains(&name) => is_complete = false,
            name if is_flag(name) => {
                if let Some(value) = read_flag(name, field.text()) {
                    metadata.entry(name).or_insert(value);
                }
            }
            _ => {
                if let Some(value) = value(field) {
                    is_complete &= insert(&mut metadata, field.name(), value);
                }
            }
        }
    }
    if !is_complete {
        notes.push(Note::FieldsLeftOut);
    }
    Ok(Object {
        concepts: smallvec![(class.text().to_owned().into(), 1.0)],
        score,
        shapes: smallvec![shape],
        metadata,
        notes,
        ..Object::default()
    })
}

fn bndbox(element: Element<'_>, corners: Corners) -> Result<[Xy; 2], NotPlaced> {
    let Some(edges) = element.child("bndbox") else {
        let other = OTHER_SHAPES
            .iter()
            .find(|name| element.child(name).is_some());
        return Err(match other {
            Some(name) => skip(
                SkipCode::OtherShape,
                format!("it has a `{name}` and no `bndbox`"),
            ),
            None => skip(SkipCode::NoGeometry, "it has no `bndbox`"),
        });
    };
    let edge = |name: &str| {
        let Some(text) = edges.text_of(name) else {
            let detail = format!("its `bndbox` has no `{name}`");
            return Err(skip(SkipCode::WrongType, detail));
        };
        xml::number(text).ok_or_else(|| {
            let detail = format!("`{name}` is {text:?}, not a number");
            skip(SkipCode::WrongType, detail)
        })
    };
    let shift = match corners {
        Corners::FromZero => 0.0,
        // The first pixel is 1, and its left edge is 0. The last pixel's right edge is its number.
        Corners::FromOne => 1.0,
    };
    let [left, top] = [edge("xmin")? - shift, edge("ymin")? - shift];
    let [right, bottom] = [edge("xmax")?, edge("ymax")?];
    if left >= right || top >= bottom {
        let detail = format!("width {}, height {}", right - left, bottom - top);
        return Err(skip(SkipCode::NoArea, detail));
    }
    Ok([[left, top], [right, bottom]])
}

fn is_flag(name: &str) -> bool {
    FLAGS.iter().any(|(flag, _)| *flag == name)
}

/// What one of [`FLAGS`] says; `None` if it is not set.
pub(super) fn read_flag(name: &str, text: &str) -> Option<Value> {
    match (name, text) {
        ("pose", text) if text.eq_ignore_ascii_case("unspecified") => None,
        (_, "") | ("truncated" | "difficult" | "occluded", "0") => None,
        ("truncated" | "difficult" | "occluded", "1") => Some(true.into()),
        (_, text) => Some(metadata::value(text)),
    }
}

/// What a field says; `None` if it is empty.
fn value(field: Element<'_>) -> Option<Value> {
    let text = field.text();
    if field.children().next().is_some() {
        let mut fields = Map::new();
        for child in field.children() {
            // The first one of a name counts.
            if let Some(value) = value(child) {
                fields.entry(child.name()).or_insert(value);
            }
        }
        return Some(Value::Object(fields));
    }
    (!text.is_empty()).then(|| metadata::value(text))
}

/// Names and values, as CVAT writes them. Whether all were taken.
fn attributes(element: Element<'_>, metadata: &mut Map<String, Value>) -> bool {
    let mut is_complete = true;
    for attribute in element.children() {
        is_complete &= match (attribute.text_of("name"), attribute.child("value")) {
            (Some(name), Some(value)) => insert(metadata, name, metadata::value(value.text())),
            _ => false,
        };
    }
    is_complete
}

/// Whether the name was free. An attribute says more than a flag of its name.
fn insert(metadata: &mut Map<String, Value>, name: &str, value: Value) -> bool {
    let is_free = !metadata.contains_key(name) || is_flag(name);
    if is_free {
        metadata.insert(name.to_owned(), value);
    }
    is_free
}
