//! The JSON of an annotation as it is sent.
//!
//! Field names and the semantics of PATCH are the API's. A request writes zeros out: a concept without a value means
//! 1.0 there. What an overwrite sends starts from the stored `data`, so that everything annosync does not model is
//! carried along.

use crate::model::{
    AnnotationId, Concepts, Content, Difference, Frame, Geometry, InputId, Json, JsonDifference,
    ObservedAnnotation, float, merged,
};
use serde_json::{Map, Value, json};

/// A number as it is sent: the shortest digits of the 32-bit float.
fn number(value: f32) -> Value {
    json!(float::shortest(value))
}

fn head(input: &InputId, id: &AnnotationId) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("id".into(), id.as_str().into());
    body.insert("input_id".into(), input.as_str().into());
    body
}

fn concepts(concepts: &Concepts) -> Value {
    concepts
        .iter()
        .map(|c| json!({"id": c.id.as_str(), "value": number(c.value)}))
        .collect()
}

fn frame_info(frame: Frame) -> Value {
    json!({"time": frame.time_ms, "number": frame.number})
}

/// What a geometry writes into a region: its id, or its `region_info`.
fn write_geometry(region: &mut Map<String, Value>, geometry: &Geometry) {
    let info = match geometry {
        Geometry::Box(b) => json!({"bounding_box": {
            "top_row": number(b.top()), "left_col": number(b.left()),
            "bottom_row": number(b.bottom()), "right_col": number(b.right()),
        }}),
        Geometry::Polygon(p) => {
            let point = |p: &crate::model::Point| json!({"row": number(p.row.get()), "col": number(p.col.get())});
            json!({"polygon": {"points": p.points().iter().map(point).collect::<Value>()}})
        }
        Geometry::Region(id) => {
            region.insert("id".into(), id.as_str().into());
            region.remove("region_info");
            return;
        }
        // The other kinds have no notation on the wire yet.
        _ => return,
    };
    region.insert("region_info".into(), info);
}

fn write_shared(body: &mut Map<String, Value>, content: &Content) {
    if let Some(status) = content.status {
        body.insert("status".into(), json!({"code": status.code()}));
    }
    if let Some(user) = &content.user {
        body.insert("user_id".into(), user.as_str().into());
    }
}

/// A new annotation.
pub(super) fn post(input: &InputId, id: &AnnotationId, content: &Content) -> Json {
    let mut data = Map::new();
    {
        let place = match content.frame {
            Some(frame) => {
                data.insert(
                    "frames".into(),
                    json!([{"frame_info": frame_info(frame), "data": {}}]),
                );
                object(&mut data["frames"][0]["data"])
            }
            None => &mut data,
        };
        let place = match &content.geometry {
            Some(geometry) if *geometry != Geometry::Whole => {
                place.insert("regions".into(), json!([{}]));
                let region = object(&mut place["regions"][0]);
                write_geometry(region, geometry);
                region.insert("data".into(), json!({}));
                object(&mut region["data"])
            }
            _ => place,
        };
        if let Some(named) = &content.concepts {
            place.insert("concepts".into(), concepts(named));
        }
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
    Json::from_value(&body.into())
}

/// Where in the stored `data` the concepts stand, and by which ids a nested patch can reach them.
struct Route {
    frame: Step,
    region: Step,
}

/// A level between `data` and the concepts.
#[derive(PartialEq)]
enum Step {
    /// There is none.
    Absent,
    /// There is one that a patch cannot name.
    Nameless,
    /// There is one of this id.
    Named(String),
}

impl Route {
    fn of(observed: &ObservedAnnotation) -> Self {
        let data = observed.data.as_ref().map_or(Value::Null, Json::to_value);
        let step = |element: Option<&Value>| match element.map(|element| element["id"].as_str()) {
            None => Step::Absent,
            Some(None | Some("")) => Step::Nameless,
            Some(Some(id)) => Step::Named(id.to_owned()),
        };
        let frame = data["frames"].get(0);
        let region = frame.map_or(&data, |frame| &frame["data"])["regions"].get(0);
        Self {
            frame: step(frame),
            region: step(region),
        }
    }

    fn is_addressable(&self) -> bool {
        self.frame != Step::Nameless && self.region != Step::Nameless
    }

    /// Wraps the innermost data in the region and the frame that it belongs to.
    fn wrap(self, innermost: Value) -> Map<String, Value> {
        let mut data = innermost;
        if let Step::Named(id) = self.region {
            data = json!({"regions": [{"id": id, "data": data}]});
        }
        if let Step::Named(id) = self.frame {
            data = json!({"frames": [{"id": id, "data": data}]});
        }
        if let Value::Object(data) = data {
            data
        } else {
            Map::new()
        }
    }
}

/// Whether a nested patch can reach the concepts: the region and the frame around them have ids.
pub(super) fn is_addressable(observed: &ObservedAnnotation) -> bool {
    Route::of(observed).is_addressable()
}

/// A merge of just the difference.
pub(super) fn merge(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
    difference: &Difference,
) -> Json {
    let mut body = head(input, &observed.id);
    let mut data = Map::new();
    if !difference.added.is_empty() {
        let added: Value = difference
            .added
            .iter()
            .map(|c| json!({"id": c.id.as_str(), "value": number(c.value)}))
            .collect();
        data = Route::of(observed).wrap(json!({"concepts": added}));
    }
    if let JsonDifference::Merge(part) = &difference.metadata {
        data.insert("metadata".into(), part.clone());
    }
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

/// A removal of just the named concepts.
pub(super) fn remove(
    input: &InputId,
    observed: &ObservedAnnotation,
    difference: &Difference,
) -> Json {
    let removed: Value = difference
        .removed
        .iter()
        .map(|id| json!({"id": id.as_str()}))
        .collect();
    let mut body = head(input, &observed.id);
    body.insert(
        "data".into(),
        Route::of(observed)
            .wrap(json!({"concepts": removed}))
            .into(),
    );
    Json::from_value(&body.into())
}

/// A whole new value: what is declared, and everything stored that is to stay.
pub(super) fn overwrite(input: &InputId, observed: &ObservedAnnotation, content: &Content) -> Json {
    let mut body = head(input, &observed.id);
    body.insert("data".into(), whole_data(observed, content).into());
    if let Some(status) = content.status.filter(|status| *status != observed.status) {
        body.insert("status".into(), json!({"code": status.code()}));
    }
    write_kept(&mut body, observed, content);
    Json::from_value(&body.into())
}

/// A new annotation in the place of one that a patch cannot change: the same id, everything stored, and what is
/// declared.
pub(super) fn replacement(
    input: &InputId,
    observed: &ObservedAnnotation,
    content: &Content,
) -> Json {
    let mut body = head(input, &observed.id);
    body.insert("data".into(), whole_data(observed, content).into());
    let kept = Content {
        status: content.status.or(Some(observed.status)),
        user: content.user.clone().or_else(|| observed.user.clone()),
        ..Content::default()
    };
    write_shared(&mut body, &kept);
    write_kept(&mut body, observed, content);
    Json::from_value(&body.into())
}

/// Fields beside `data` that a service may drop when they are not sent again.
fn write_kept(body: &mut Map<String, Value>, observed: &ObservedAnnotation, content: &Content) {
    let stored = observed.info.as_ref().map(Json::to_value);
    let info = match &content.info {
        Some(info) => Some(merged(&info.to_value(), stored.as_ref())),
        None => stored,
    };
    if let Some(info) = info {
        body.insert("annotation_info".into(), info);
    }
    if let Some(model) = observed.embed_model_version() {
        body.insert("embed_model_version_id".into(), model.into());
    }
}

/// The stored `data` with what is declared written into it.
fn whole_data(observed: &ObservedAnnotation, content: &Content) -> Map<String, Value> {
    let mut data = match observed.data.as_ref().map(Json::to_value) {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let stored = take_concepts(&mut data);

    if let Some(frame) = content.frame.filter(|frame| observed.frame != Some(*frame)) {
        if data
            .get("frames")
            .and_then(|frames| frames.get(0))
            .is_none()
        {
            // What lay on the whole input now lies in the frame.
            let mut inner = Map::new();
            if let Some(regions) = data.remove("regions") {
                inner.insert("regions".into(), regions);
            }
            data.insert("frames".into(), json!([{"data": inner}]));
        }
        let Value::Object(info) = frame_info(frame) else {
            unreachable!("frame_info makes an object")
        };
        let first = object(&mut data["frames"][0]);
        object(first.entry("frame_info").or_insert_with(|| json!({}))).extend(info);
    }
    let declared = content
        .geometry
        .as_ref()
        .filter(|geometry| **geometry != Geometry::Whole);
    if let Some(geometry) = declared.filter(|geometry| !geometry.same(&observed.geometry)) {
        let place = frame_data(&mut data);
        if place
            .get("regions")
            .and_then(|regions| regions.get(0))
            .is_none()
        {
            place.insert("regions".into(), json!([{}]));
        }
        write_geometry(object(&mut place["regions"][0]), geometry);
    }
    let place = frame_data(&mut data);
    let place = match place.get("regions").and_then(|regions| regions.get(0)) {
        Some(_) => object(
            object(&mut place["regions"][0])
                .entry("data")
                .or_insert_with(|| json!({})),
        ),
        None => place,
    };
    let concepts = match &content.concepts {
        Some(named) => named
            .iter()
            .map(|c| concept(&stored, c.id.as_str(), c.value))
            .collect(),
        None => stored,
    };
    if !concepts.is_empty() {
        place.insert("concepts".into(), concepts.into());
    }
    if let Some(metadata) = &content.metadata {
        let all = merged(&metadata.to_value(), data.get("metadata"));
        data.insert("metadata".into(), all);
    }
    data
}

/// The stored concept with this value, and with the fields that annosync does not model; or a new one.
fn concept(stored: &[Value], id: &str, value: f32) -> Value {
    let mut concept = stored
        .iter()
        .find(|known| known["id"] == id)
        .cloned()
        .unwrap_or_else(|| json!({"id": id}));
    if !concept["value"]
        .as_f64()
        .is_some_and(|known| float::same(known as f32, value))
    {
        concept["value"] = number(value);
    }
    concept
}

/// Takes the concepts out of the place where they stand.
fn take_concepts(data: &mut Map<String, Value>) -> Vec<Value> {
    let place = frame_data(data);
    let place = match place.get("regions").and_then(|regions| regions.get(0)) {
        Some(_) => match object(&mut place["regions"][0]).get_mut("data") {
            Some(data) => object(data),
            None => return Vec::new(),
        },
        None => place,
    };
    match place.remove("concepts") {
        Some(Value::Array(mut concepts)) => {
            // A stored concept without a value is 0; sent back without one it would become 1.
            for concept in concepts
                .iter_mut()
                .filter(|concept| concept.get("value").is_none_or(Value::is_null))
            {
                if let Value::Object(concept) = concept {
                    concept.insert("value".into(), json!(0.0));
                }
            }
            concepts
        }
        _ => Vec::new(),
    }
}

/// The data of the one frame, or the data itself.
fn frame_data(data: &mut Map<String, Value>) -> &mut Map<String, Value> {
    if data
        .get("frames")
        .and_then(|frames| frames.get(0))
        .is_none()
    {
        return data;
    }
    let frame = object(&mut data["frames"][0]);
    object(frame.entry("data").or_insert_with(|| json!({})))
}

/// The object that a value is; whatever else stood there gives way to an empty one.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object just now"),
    }
}
