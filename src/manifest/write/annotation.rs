//! Inputs and annotations as trees, with keys in a fixed order.
//!
//! A key that a manifest cannot declare, because of its value or of other keys, is left out, so that the result can
//! always be read.

use super::writable::{WritableAnnotation, WritableInput};
use crate::manifest::annotation::IGNORE;
use crate::manifest::context::{InputText, InputVideo};
use crate::model::{
    Concepts, Content, Geometry, Identity, Ignore, Json, Mask, Undeclared, float, is_web_url,
};
use serde_json::{Map, Value, json};

/// An input as it is written in JSON.
pub fn input_tree(input: &WritableInput) -> Value {
    let mut tree = Map::new();
    tree.insert("id".into(), json!(input.id));
    if let Some(image) = &input.image {
        let mut size = Map::new();
        size.extend(image.path.iter().map(|path| ("path".into(), json!(path))));
        size.extend(image.url.iter().map(|url| ("url".into(), json!(url))));
        size.extend(
            image
                .width
                .iter()
                .map(|width| ("width".into(), json!(width))),
        );
        size.extend(
            image
                .height
                .iter()
                .map(|height| ("height".into(), json!(height))),
        );
        tree.insert("image".into(), Value::Object(size));
    }
    let video = input.video.as_ref().map(|video| match video {
        InputVideo::Path(path) => json!({ "path": path }),
        InputVideo::Url(url) => json!({ "url": url }),
    });
    tree.extend(video.map(|video| ("video".into(), video)));
    match &input.text {
        Some(InputText::Path(path)) => {
            tree.insert("text".into(), json!({ "path": path }));
        }
        Some(InputText::Raw(text)) => {
            tree.insert("text".into(), json!({ "raw": text }));
        }
        Some(InputText::Url(url)) => {
            tree.insert("text".into(), json!({ "url": url }));
        }
        None => {}
    }
    match input.undeclared {
        Undeclared::Managed => {
            let annotations = input.annotations.iter().map(annotation_tree).collect();
            tree.insert("annotations".into(), annotations);
        }
        Undeclared::Purged => {
            tree.insert("purge".into(), json!(true));
        }
    }
    insert_ignores(&mut tree, &input.ignores);
    Value::Object(tree)
}

pub(super) fn annotation_tree(annotation: &WritableAnnotation) -> Value {
    let content = &annotation.content;
    let mut tree = Map::new();
    match &annotation.identity {
        Identity::Id(id) => {
            tree.insert("id".into(), json!(id));
        }
        Identity::Key(key) => {
            tree.insert("key".into(), json!(key));
        }
        Identity::InputLevel => {
            tree.insert("input_level".into(), json!(true));
        }
        Identity::Content => {}
    }
    if annotation.identity != Identity::InputLevel {
        insert_geometry(&mut tree, content, annotation.mask_path.as_deref());
    }
    if let Some(concepts) = &content.concepts {
        tree.insert("concepts".into(), concepts_tree(concepts));
    }
    line(&mut tree, "text", content.text());
    line(
        &mut tree,
        "embed_model_version",
        content.embed_model_version(),
    );
    if let Some(status) = &content.status {
        tree.insert("status".into(), json!(status));
    }
    if let Some(user) = &content.user {
        tree.insert("user".into(), json!(user));
    }
    for (key, object) in [("metadata", &content.metadata), ("info", &content.info)] {
        if let Some(object) = object.as_ref().and_then(declarable) {
            tree.insert(key.into(), object);
        }
    }
    insert_ignores(&mut tree, &annotation.ignores);
    Value::Object(tree)
}

fn insert_ignores(tree: &mut Map<String, Value>, ignores: &[Ignore]) {
    if !ignores.is_empty() {
        let written = ignores
            .iter()
            .map(|ignore| json!({ "rule": ignore.rule.name(), "reason": ignore.reason }));
        tree.insert(IGNORE.into(), written.collect());
    }
}

/// Inserts the geometry or frame, and the fields of a region.
fn insert_geometry(tree: &mut Map<String, Value>, content: &Content, mask_path: Option<&str>) {
    let geometry = content
        .geometry
        .as_ref()
        .and_then(|geometry| geometry_entry(geometry, mask_path));
    let key = geometry.as_ref().map(|(key, _)| *key);
    if let Some(frame) = &content.frame
        && !matches!(key, Some("segment" | "span"))
    {
        tree.insert("frame".into(), json!(frame));
    }
    tree.extend(geometry.map(|(key, value)| (key.to_owned(), value)));
    if !matches!(key, None | Some("segment")) {
        line(tree, "track", content.track());
        let value = content.extras.region_value;
        tree.extend(value.map(|value| ("region_value".into(), json!(value))));
    }
}

/// The key and the value of a geometry; `None` if a manifest cannot declare it.
fn geometry_entry(geometry: &Geometry, mask_path: Option<&str>) -> Option<(&'static str, Value)> {
    Some(match geometry {
        Geometry::Box(edges) if edges.has_area() => ("box", json!(edges)),
        Geometry::Polygon(polygon) if polygon.has_area() => ("polygon", json!(polygon)),
        Geometry::Point(point) => ("point", json!(point)),
        Geometry::Keypoints(points) => ("keypoints", json!(points)),
        Geometry::Mask(mask) if !mask.is_empty() => ("mask", mask_tree(mask, mask_path)?),
        Geometry::Span(span) if !span.is_empty() => ("span", json!(span)),
        Geometry::Segment(segment) if !segment.is_empty() => ("segment", json!(segment)),
        Geometry::Region(region) => ("region", json!(region)),
        Geometry::RegionOf(region) if region.from_model.is_empty() => return None,
        Geometry::RegionOf(region) => ("region", json!(region)),
        // The service may store shapes without area, length or pixels, but a manifest refuses them.
        Geometry::Box(_)
        | Geometry::Polygon(_)
        | Geometry::Mask(_)
        | Geometry::Span(_)
        | Geometry::Segment(_)
        | Geometry::Whole
        | Geometry::Unmodelled => return None,
    })
}

/// The file if the pixels are known, else the URL.
fn mask_tree(mask: &Mask, path: Option<&str>) -> Option<Value> {
    match path {
        Some(path) if mask.size().is_some() => Some(json!({ "path": path })),
        _ => {
            let url = mask.url().filter(|url| is_web_url(url))?;
            Some(json!({ "url": url }))
        }
    }
}

/// Inserts a text that is not empty.
fn line(tree: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    let text = text.filter(|text| !text.is_empty());
    tree.extend(text.map(|text| (key.to_owned(), json!(text))));
}

fn concepts_tree(concepts: &Concepts) -> Value {
    if concepts
        .iter()
        .all(|concept| concept.value.to_bits() == 1.0_f32.to_bits())
    {
        return concepts.iter().map(|concept| json!(concept.id)).collect();
    }
    let entry = |concept: &crate::model::Concept| {
        let value = match concept.value {
            1.0 => json!(true),
            0.0 => json!(false),
            value => json!(float::shortest(value)),
        };
        (concept.id.as_str().to_owned(), value)
    };
    Value::Object(concepts.iter().map(entry).collect())
}

/// An object without the keys whose values contain null, which a manifest cannot declare. `None` if it is not an object.
pub fn declarable(object: &Json) -> Option<Value> {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(values) => values.iter().any(has_null),
            Value::Object(entries) => entries.values().any(has_null),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    match object.to_value() {
        Value::Object(entries) => Some(Value::Object(
            entries
                .into_iter()
                .filter(|(_, value)| !has_null(value))
                .collect(),
        )),
        _ => None,
    }
}
