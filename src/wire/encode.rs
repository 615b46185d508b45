//! The JSON of an annotation as it is sent.
//!
//! Zeros are written: in a request, a concept without a value means 1.0. `place` writes places, `route` finds what a
//! nested patch can reach, `removal` writes removals, `whole` builds the data of an overwrite, and `input` writes inputs.

mod input;
mod json;
mod place;
mod removal;
mod route;
mod whole;

pub(crate) use input::{Source, input};
pub(crate) use removal::{outlasts, remove, whole_removal};
pub(crate) use route::{Route, has_several_places};

use json::{Object, number};
use place::write_region_fields;

use crate::model::{
    AnnotationId, Concept, Content, Difference, Geometry, InputId, Json, JsonDifference,
    ObservedAnnotation, PackedJson, RareFields, is_stored_as_sent, merge_json,
};
use serde_json::{Map, Value, json};

fn head(input: &InputId, id: &AnnotationId) -> Object {
    let mut body = Map::new();
    body.insert("id".into(), id.as_str().into());
    body.insert("input_id".into(), input.as_str().into());
    body
}

fn concepts<'a>(concepts: impl IntoIterator<Item = &'a Concept>) -> Value {
    concepts
        .into_iter()
        .map(|c| json!({"id": c.id.as_str(), "value": number(c.value)}))
        .collect()
}

fn write_shared(body: &mut Object, content: &Content) {
    if let Some(status) = content.status {
        body.insert("status".into(), json!({"code": status.code()}));
    }
    if let Some(user) = &content.user {
        body.insert("user_id".into(), user.as_str().into());
    }
}

/// A new annotation.
pub(crate) fn post(input: &InputId, id: &AnnotationId, content: &Content) -> Json {
    let mut data = Map::new();
    let innermost = post_place(&mut data, content);
    if let Some(named) = &content.concepts {
        innermost.insert("concepts".into(), concepts(named));
    }
    if let Some(text) = content.text() {
        innermost.insert("text".into(), json!({ "raw": text }));
    }
    if let Some(metadata) = &content.metadata {
        data.insert("metadata".into(), metadata.to_value());
    }
    let mut body = head(input, id);
    body.insert("data".into(), data.into());
    write_shared(&mut body, content);
    if let Some(info) = &content.info {
        body.insert("annotation_info".into(), info.to_value());
    }
    if let Some(model) = content.embed_model_version() {
        body.insert("embed_model_version_id".into(), model.into());
    }
    Json::from_value(&body.into())
}

/// Writes the place of a new annotation, and returns its innermost `data`.
fn post_place<'a>(data: &'a mut Object, content: &Content) -> &'a mut Object {
    let mut level = data;
    if let Some(frame) = content.frame {
        let part = place::first(level, "frames");
        place::write_frame(part, frame);
        level = place::inside(part);
    }
    match content.geometry.as_ref().unwrap_or(&Geometry::Whole) {
        Geometry::Whole => level,
        Geometry::Segment(segment) => {
            let part = place::first(level, "time_segments");
            place::write_segment(part, *segment);
            place::inside(part)
        }
        geometry => {
            let region = place::first(level, "regions");
            place::write_region(region, geometry);
            write_region_fields(region, content.track(), content.region_value());
            place::inside(region)
        }
    }
}

/// A merge of just the difference.
pub(crate) fn merge(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Json {
    let mut innermost = Map::new();
    if !difference.added.is_empty() {
        innermost.insert("concepts".into(), concepts(&difference.added));
    }
    if let (true, Some(text)) = (difference.text, content.text()) {
        innermost.insert("text".into(), json!({ "raw": text }));
    }
    let mut region = Map::new();
    write_region_fields(
        &mut region,
        content.track().filter(|_| difference.track),
        content.region_value().filter(|_| difference.region_value),
    );
    let mut data = Map::new();
    if !innermost.is_empty() || !region.is_empty() {
        data = Route::of(observed).wrap(innermost, region);
    }
    if let JsonDifference::Merge(part) = &difference.metadata {
        data.insert("metadata".into(), part.clone());
    }
    let mut body = head(input, &observed.id);
    if !data.is_empty() {
        body.insert("data".into(), data.into());
    }
    if let (true, Some(status)) = (difference.status, content.status) {
        body.insert("status".into(), json!({"code": status.code()}));
    }
    if let JsonDifference::Merge(part) = &difference.info {
        body.insert("annotation_info".into(), part.clone());
    }
    Json::from_value(&body.into())
}

/// Whether a post of this content creates all that the service stores of an annotation, except ids and names that it
/// assigns itself.
pub(crate) fn makes_all(input: &InputId, observed: &ObservedAnnotation, content: &Content) -> bool {
    is_stored_as_sent(observed, &post(input, &observed.id, content))
}

/// An overwrite: the declared fields, and everything stored that is to stay.
pub(crate) fn overwrite(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Json {
    let mut body = head(input, &observed.id);
    body.insert(
        "data".into(),
        whole::data(observed, content, difference).into(),
    );
    if let Some(status) = content.status.filter(|status| *status != observed.status) {
        body.insert("status".into(), json!({"code": status.code()}));
    }
    write_kept(&mut body, observed, content);
    Json::from_value(&body.into())
}

/// The post of a replacement: the same id, everything stored, and the declared fields.
pub(crate) fn replacement(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Json {
    let mut body = head(input, &observed.id);
    body.insert(
        "data".into(),
        whole::data(observed, content, difference).into(),
    );
    let kept = Content {
        rare: RareFields {
            status: content.status.or(Some(observed.status)),
            user: content.user.clone().or_else(|| observed.user.clone()),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    };
    write_shared(&mut body, &kept);
    write_kept(&mut body, observed, content);
    write_task(&mut body, observed);
    Json::from_value(&body.into())
}

/// The post of a stored annotation, under its id and for its user.
pub(crate) fn restored(input: &InputId, stored: &ObservedAnnotation) -> Json {
    let mut body = head(input, &stored.id);
    body.insert("data".into(), whole::stored(stored).into());
    let kept = Content {
        rare: RareFields {
            status: Some(stored.status),
            user: stored.user.clone(),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    };
    write_shared(&mut body, &kept);
    write_kept(&mut body, stored, &Content::default());
    write_task(&mut body, stored);
    Json::from_value(&body.into())
}

/// The overwrite that restores a stored annotation after a change; `made` is the result of the change.
pub(crate) fn put_back(input: &InputId, stored: &ObservedAnnotation, made: &Content) -> Json {
    let mut body = head(input, &stored.id);
    body.insert("data".into(), whole::stored(stored).into());
    if made.status != Some(stored.status) {
        body.insert("status".into(), json!({"code": stored.status.code()}));
    }
    if stored.info.is_none() && made.info.is_some() {
        // An absent field would stay.
        body.insert("annotation_info".into(), json!({}));
    }
    write_kept(&mut body, stored, &Content::default());
    Json::from_value(&body.into())
}

/// A post with another id, and with a text field added to its `annotation_info`.
pub(crate) fn copy(post: &Json, id: &AnnotationId, (field, text): (&str, &str)) -> Json {
    let mut body = post.to_value();
    let fields = json::object(&mut body);
    fields.insert("id".into(), id.as_str().into());
    let info = fields.entry("annotation_info").or_insert(Value::Null);
    json::object(info).insert(field.into(), text.into());
    Json::from_value(&body)
}

/// `data` with this metadata.
pub(crate) fn data_with_metadata(data: Option<&PackedJson>, metadata: &Value) -> Json {
    let mut data = data.map_or(Value::Null, PackedJson::to_value);
    json::object(&mut data).insert("metadata".into(), metadata.clone());
    Json::from_value(&data)
}

/// Writes fields beside `data` that a service may drop when they are not sent again.
fn write_kept(body: &mut Object, observed: &ObservedAnnotation, content: &Content) {
    let stored = observed.info.as_ref().map(Json::to_value);
    let info = match &content.info {
        Some(info) => Some(merge_json(&info.to_value(), stored.as_ref())),
        None => stored,
    };
    if let Some(info) = info {
        body.insert("annotation_info".into(), info);
    }
    let model = content
        .embed_model_version()
        .or(observed.embed_model_version());
    if let Some(model) = model {
        body.insert("embed_model_version_id".into(), model.into());
    }
}

/// Writes the labelling task of an annotation that is posted again. A patch keeps it.
fn write_task(body: &mut Object, stored: &ObservedAnnotation) {
    if let Some(task) = stored.task() {
        body.insert("task_id".into(), task.into());
    }
}
