//! The JSON of a task, read leniently: a wrong type in one result must not lose the others.

use crate::formats::account::SkipCode;
use crate::formats::json::{id, kind, number, pixels};
use crate::formats::place::{NotPlaced, skip};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The key of `data` that has the id of an input. An export writes it, since Label Studio numbers tasks anew.
pub(super) const INPUT_ID: &str = "annosync_input";

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON: tasks with lists of annotations.
    Full,
    /// JSON_MIN: an object for each annotation, with the fields of the task and the results by the names of their tags.
    Min,
}

/// A task with the work of its annotators.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) id: Option<String>,
    /// The id of its input, if an export of annosync wrote it.
    pub(super) input: Option<String>,
    /// The key of its text, if the task has several and this is not the first.
    pub(super) text_key: Option<String>,
    pub(super) data: Map<String, Value>,
    pub(super) works: Vec<Work>,
    pub(super) has_predictions: bool,
    pub(super) has_drafts: bool,
}

/// An annotation of a task: what one annotator did.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The id and the email address of the annotator, as far as the file has them.
    by: Vec<String>,
    pub(super) is_skipped: bool,
    pub(super) has_relations: bool,
    pub(super) results: Vec<Result<Item, NotPlaced>>,
}

impl Work {
    /// Whether this id or email address is that of its annotator.
    pub(super) fn is_by(&self, annotator: &str) -> bool {
        self.by.iter().any(|it| it == annotator)
    }

    /// What a message calls its annotator.
    pub(super) fn annotator(&self) -> Option<&str> {
        let email = self.by.iter().find(|it| it.contains('@'));
        email.or(self.by.first()).map(String::as_str)
    }

    /// The same work with other results.
    pub(super) fn with(&self, results: Vec<Result<Item, NotPlaced>>) -> Self {
        Self {
            by: self.by.clone(),
            is_skipped: self.is_skipped,
            has_relations: self.has_relations,
            results,
        }
    }
}

/// A result: a shape, or a value of a shape or of the whole task.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// That of its region.
    pub(super) id: Option<String>,
    /// Such as `rectanglelabels`; empty if the file does not say.
    pub(super) kind: String,
    /// The name of the tag that made it.
    pub(super) from: Option<String>,
    /// The name of the tag of the picture, the video or the text that it is about.
    pub(super) to: Option<String>,
    /// Of the image, in pixels.
    pub(super) size: Option<(u32, u32)>,
    /// How far the picture was turned in the tool, in degrees.
    pub(super) image_rotation: f64,
    pub(super) value: Map<String, Value>,
    pub(super) score: Option<f64>,
    pub(super) meta: Option<Value>,
}

/// Values of tags that say something of a region or of a whole task.
pub(super) const CONTROLS: [&str; 8] = [
    "choices", "textarea", "number", "rating", "datetime", "taxonomy", "pairwise", "ranker",
];

#[derive(serde::Deserialize)]
struct Outline<'t> {
    #[serde(borrow)]
    id: Option<&'t RawValue>,
    #[serde(borrow)]
    data: Option<&'t RawValue>,
    #[serde(borrow, alias = "completions")]
    annotations: Option<&'t RawValue>,
    #[serde(borrow)]
    annotator: Option<&'t RawValue>,
    #[serde(borrow)]
    annotation_id: Option<&'t RawValue>,
}

/// The id of a task.
pub(super) fn id_of(task: &RawValue) -> Option<String> {
    let outline: Outline<'_> = serde_json::from_str(task.get()).ok()?;
    id(&serde_json::from_str(outline.id?.get()).ok()?)
}

/// The form of the export that this is a task of.
pub(super) fn form_of(task: &RawValue) -> Option<Form> {
    let outline: Outline<'_> = serde_json::from_str(task.get()).ok()?;
    let is_object = |raw: &RawValue| raw.get().starts_with('{');
    // A key with the value null is a key of JSON_MIN, too.
    let has_key = |raw: Option<&RawValue>, key: &str| raw.is_some() || task.get().contains(key);
    if outline.annotations.is_some() || outline.data.is_some_and(is_object) {
        Some(Form::Full)
    } else if has_key(outline.annotation_id, "\"annotation_id\"")
        || has_key(outline.annotator, "\"annotator\"")
    {
        Some(Form::Min)
    } else {
        None
    }
}

/// Reads a task.
///
/// # Errors
///
/// What it is instead.
pub(super) fn task(value: Value, form: Form) -> Result<Task, String> {
    let Value::Object(fields) = value else {
        return Err(format!("a task is {}", kind(&value)));
    };
    let mut task = match form {
        Form::Full => full(fields)?,
        Form::Min => min(fields),
    };
    task.input = match task.data.shift_remove(INPUT_ID) {
        Some(Value::String(id)) => Some(id),
        _ => None,
    };
    Ok(task)
}

fn wrong(detail: String) -> NotPlaced {
    skip(SkipCode::WrongType, detail)
}

fn full(mut fields: Map<String, Value>) -> Result<Task, String> {
    let data = match fields.remove("data") {
        Some(Value::Object(data)) => data,
        Some(other) => return Err(format!("the `data` of a task is {}", kind(&other))),
        None => return Err("a task has no `data`".to_owned()),
    };
    let is_filled = |value: Option<&Value>| match value {
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    };
    let annotations = fields
        .remove("annotations")
        .or_else(|| fields.remove("completions"));
    let works = match annotations {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.into_iter().map(work).collect::<Result<_, _>>()?,
        Some(other) => return Err(format!("the `annotations` of a task are {}", kind(&other))),
    };
    Ok(Task {
        id: fields.get("id").and_then(id),
        data,
        works,
        has_predictions: is_filled(fields.get("predictions")),
        has_drafts: is_filled(fields.get("drafts")),
        ..Task::default()
    })
}

fn work(value: Value) -> Result<Work, String> {
    let Value::Object(mut fields) = value else {
        return Err(format!("an annotation of a task is {}", kind(&value)));
    };
    let is_set = |key| fields.get(key).and_then(Value::as_bool) == Some(true);
    let mut work = Work {
        is_skipped: is_set("was_cancelled") || is_set("skipped"),
        by: annotator(fields.get("completed_by")),
        ..Work::default()
    };
    let results = match fields.remove("result") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(other) => {
            return Err(format!("the `result` of an annotation is {}", kind(&other)));
        }
    };
    for result in results {
        if result.get("type").and_then(Value::as_str) == Some("relation") {
            work.has_relations = true;
        } else {
            work.results.push(item(result).map_err(wrong));
        }
    }
    Ok(work)
}

/// What an annotator goes by: an id, or an object with an id and an email address.
fn annotator(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(fields)) => ["id", "email", "username"]
            .iter()
            .filter_map(|key| id(fields.get(*key)?))
            .collect(),
        Some(value) => id(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn item(value: Value) -> Result<Item, String> {
    let Value::Object(mut fields) = value else {
        return Err(format!("a result is {}", kind(&value)));
    };
    let value = match fields.remove("value") {
        Some(Value::Object(value)) => value,
        Some(other) => return Err(format!("the `value` of a result is {}", kind(&other))),
        None => return Err("a result has no `value`".to_owned()),
    };
    let text = |key| fields.get(key).and_then(Value::as_str);
    Ok(Item {
        id: fields.get("id").and_then(id),
        kind: text("type").unwrap_or_default().to_ascii_lowercase(),
        from: text("from_name").map(str::to_owned),
        to: text("to_name").map(str::to_owned),
        size: size(&fields),
        image_rotation: fields
            .get("image_rotation")
            .and_then(number)
            .unwrap_or_default(),
        value,
        score: fields.get("score").and_then(number),
        meta: fields.remove("meta").filter(is_filled_object),
    })
}

fn is_filled_object(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

fn size(fields: &Map<String, Value>) -> Option<(u32, u32)> {
    Some((
        fields.get("original_width").and_then(pixels)?,
        fields.get("original_height").and_then(pixels)?,
    ))
}

/// Keys of JSON_MIN that are neither of the data nor of a tag.
const OWN: [&str; 8] = [
    "id",
    "annotator",
    "annotation_id",
    "created_at",
    "updated_at",
    "lead_time",
    "agreement",
    "history",
];

/// Reads an object of JSON_MIN. Its keys are, in this order: those of the data, `id`, the tags with results,
/// `annotator`, `annotation_id` and times.
fn min(fields: Map<String, Value>) -> Task {
    let position = |key: &str| fields.keys().position(|it| it == key);
    let (first, last) = (position("id"), position("annotator"));
    // Without this order a text may be of the data, or a choice.
    let results = first.zip(last).filter(|(first, last)| first < last);
    let mut task = Task {
        id: fields.get("id").and_then(id),
        ..Task::default()
    };
    let mut work = Work {
        by: annotator(fields.get("annotator")),
        ..Work::default()
    };
    let is_annotated = fields.get("annotation_id").is_none_or(|it| !it.is_null());
    for (at, (key, value)) in fields.into_iter().enumerate() {
        let is_result = match results {
            Some((first, last)) => first < at && at < last,
            None => looks_like_results(&value),
        };
        if is_result {
            let values = match value {
                Value::Array(several) => several,
                one => vec![one],
            };
            let items = values.into_iter().map(|value| min_item(&key, value));
            work.results.extend(items.map(|it| it.map_err(wrong)));
        } else if !OWN.contains(&key.as_str()) {
            task.data.insert(key, value);
        }
    }
    if is_annotated {
        task.works.push(work);
    }
    task
}

fn is_tag_value(key: &str) -> bool {
    key.ends_with("labels") || CONTROLS.contains(&key)
}

fn looks_like_results(value: &Value) -> bool {
    let is_result = |value: &Value| {
        let keys = value.as_object().map(Map::keys);
        keys.is_some_and(|mut keys| keys.any(|key| is_tag_value(key)))
    };
    match value {
        Value::Array(list) => !list.is_empty() && list.iter().all(is_result),
        value => is_result(value),
    }
}

fn min_item(tag: &str, value: Value) -> Result<Item, String> {
    let from = Some(tag.to_owned());
    match value {
        Value::Object(value) => Ok(Item {
            kind: (value.keys())
                .find(|key| is_tag_value(key))
                .cloned()
                .unwrap_or_default(),
            from,
            size: size(&value),
            value,
            ..Item::default()
        }),
        // A single choice.
        Value::String(_) => Ok(Item {
            kind: "choices".to_owned(),
            from,
            value: Map::from_iter([("choices".to_owned(), vec![value].into())]),
            ..Item::default()
        }),
        value => Err(format!("a result of {tag:?} is {}", kind(&value))),
    }
}
