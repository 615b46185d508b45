//! What a shape says besides its place: label, attributes, and how it was drawn.

use super::meta::{Kind, Meta};
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::Object;
use crate::formats::metadata;
use crate::formats::place::{NotPlaced, skip};
use crate::formats::xml::{self, Element};
use serde_json::{Map, Value};

/// Whether an attribute of a shape says where it is, or is read by name.
#[rustfmt::skip]
fn is_own(attribute: &str) -> bool {
    matches!(
        attribute,
        "label" | "points" | "xtl" | "ytl" | "xbr" | "ybr" | "rotation" | "cx" | "cy" | "rx" | "ry" | "rle"
            | "left" | "top" | "width" | "height" | "frame" | "outside" | "keyframe" | "id" | "task_id"
    )
}

/// The class name.
pub(super) fn label(element: Element<'_>) -> Result<&str, NotPlaced> {
    element
        .attribute("label")
        .ok_or_else(|| skip(SkipCode::UnknownCategory, "it has no `label`"))
}

/// Adds metadata and the score. `track` holds the shape, if it is one of a video.
pub(super) fn read(
    element: Element<'_>,
    track: Option<Element<'_>>,
    label: &str,
    meta: &Meta,
    object: &mut Object,
) {
    let mut metadata = Map::new();
    let mut is_complete = true;
    let own = track.iter().flat_map(|track| track.attributes());
    for (name, text) in own.chain(element.attributes()) {
        if is_own(name) {
            continue;
        }
        match (name, text) {
            // What every shape has unless somebody sets it.
            ("occluded" | "z_order" | "group_id", "0" | "")
            | ("source", "manual" | "")
            | ("score", "1" | "1.0" | "")
            | ("subset", _) => {}
            ("occluded", "1") => {
                metadata.insert(name.to_owned(), true.into());
            }
            ("score", text) if xml::number(text).is_some() => object.score = xml::number(text),
            ("source", text) => {
                metadata.insert(name.to_owned(), text.into());
            }
            (_, text) => {
                metadata.insert(name.to_owned(), metadata::value(text));
            }
        }
    }
    for attribute in element.all("attribute") {
        let Some(name) = attribute.attribute("name") else {
            is_complete = false;
            continue;
        };
        let value = value(meta.kind(label, name), attribute.text());
        is_complete &= metadata.insert(name.to_owned(), value).is_none();
    }
    if !is_complete {
        object.notes.push(Note::AttributesLeftOut);
    }
    object.metadata = metadata;
}

fn value(kind: Kind, text: &str) -> Value {
    match (kind, text) {
        (Kind::Checkbox, "true" | "True") => true.into(),
        (Kind::Checkbox, "false" | "False") => false.into(),
        (Kind::Number, text) => metadata::number(text).unwrap_or_else(|| text.into()),
        (_, text) => text.into(),
    }
}
