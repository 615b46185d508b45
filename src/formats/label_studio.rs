//! Label Studio exports, JSON and JSON_MIN -> inputs with annotations.
//!
//! The rules of the import. `label_studio/task.rs` reads a task of either form, `label_studio/medium.rs` finds its
//! picture, video or text, `label_studio/region.rs` makes objects of its results, `label_studio/percent.rs` their
//! boxes, `label_studio/video.rs` those of videos, `label_studio/brush.rs` reads and writes masks.

mod brush;
mod medium;
mod percent;
mod region;
mod task;
mod video;
mod write;

use super::account::{Imported, Note, SkipCode};
use super::builder::{Builder, Picture, number_name};
use super::error::ImportError;
use super::format::Format;
use super::input_id::InputIdFrom;
use super::json::kind;
use super::options::ImportOptions;
use super::source::{Source, has_extension};
use crate::model::InputId;
use medium::Medium;
use region::Regions;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use task::{Form, INPUT_ID, Task, Work};
pub(super) use write::export;

/// How many bytes of a file its form is recognised by. The first task may have many results before its `data`.
const HEAD_BYTES: u64 = 1 << 16;

const EXPECTED: &str = "an export is a list of tasks with `data` and `annotations` (JSON), or of objects with `annotation_id` (JSON_MIN)";

pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let mut builder = Builder::new(options);
    let mut annotators = BTreeSet::new();
    let is_json = |path: &&String| source.files().len() == 1 || has_extension(path, &["json"]);
    let files: Vec<&String> = source.files().iter().filter(is_json).collect();
    if files.is_empty() {
        return Err(other("there is no .json file"));
    }
    for path in &files {
        match read(path, source, &mut builder, &mut annotators) {
            Err(error) if files.len() > 1 => builder.unreadable_file(path, &error),
            result => result?,
        }
    }
    if let Some(annotator) = &options.annotator
        && !annotators.contains(&Annotator::AskedFor)
    {
        return Err(ImportError::NoSuchAnnotator {
            annotator: annotator.clone(),
            known: (annotators.into_iter())
                .filter_map(|it| match it {
                    Annotator::Other(name) => Some(name),
                    Annotator::AskedFor => None,
                })
                .collect(),
        });
    }
    builder.finish()
}

/// Whose work the files have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Annotator {
    AskedFor,
    Other(String),
}

/// Whether there are JSON files, and the first keys of each are those of an export.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let mut files = (source.files().iter())
        .filter(|path| has_extension(path, &["json"]))
        .peekable();
    files.peek().is_some() && files.all(|path| is_export(&source.head(path, HEAD_BYTES)))
}

fn is_export(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let has = |key: &str| head.contains(&format!("\"{key}\""));
    let has_results = has("result") || has("completed_by") || has("was_cancelled");
    match head.strip_prefix('[') {
        Some(rest) if !rest.trim_start().starts_with('{') => false,
        Some(_) => {
            has("annotations") && has_results
                || has("data") && (has("annotations") || has("predictions"))
                || has("annotation_id") && has("annotator")
                || head.contains("labels\"") && has("original_width")
        }
        None => head.starts_with('{') && has("data") && has("annotations") && has_results,
    }
}

fn other(why: impl Into<String>) -> ImportError {
    ImportError::OtherFormat {
        format: Format::LabelStudio,
        why: format!("{}; {EXPECTED}", why.into()),
    }
}

/// Reads a file. Fails before anything of it is added.
fn read(
    path: &str,
    source: &dyn Source,
    builder: &mut Builder<'_>,
    annotators: &mut BTreeSet<Annotator>,
) -> Result<(), ImportError> {
    builder.set_file(path);
    let text = super::source::text(source, path)?;
    let syntax = |error: serde_json::Error| ImportError::Json {
        file: path.to_owned(),
        fault: error.into(),
    };
    let whole: &RawValue = serde_json::from_str(&text).map_err(syntax)?;
    let tasks: Vec<&RawValue> = match whole.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(whole.get()).map_err(syntax)?,
        Some(b'{') => vec![whole],
        _ => return Err(other("it is neither a list nor an object")),
    };
    let form = form(&tasks)?;
    // Rows of JSON_MIN with the same task are annotations of one task.
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::with_capacity(tasks.len());
    for (index, task) in tasks.iter().enumerate() {
        let id = task::id_of(task).filter(|_| form == Form::Min);
        let group = id.map_or(groups.len(), |id| *by_id.entry(id).or_insert(groups.len()));
        match groups.get_mut(group) {
            Some(rows) => rows.push(index),
            None => groups.push(vec![index]),
        }
    }
    for rows in groups {
        let mut all: Option<Task> = None;
        for row in rows {
            let read = serde_json::from_str(tasks[row].get())
                .map_err(|error| error.to_string())
                .and_then(|value: Value| task::task(value, form));
            match (read, &mut all) {
                (Ok(task), Some(all)) => all.works.extend(task.works),
                (Ok(task), None) => all = Some(task),
                // Its picture is not known: another row of the task may have it.
                (Err(detail), _) => {
                    let code = SkipCode::WrongType;
                    builder.unusable_picture(None, number_name(row), code, detail);
                    if form == Form::Min {
                        builder.unassigned();
                    }
                }
            }
        }
        let Some(task) = all else {
            continue;
        };
        for work in &task.works {
            let asked_for = builder.options().annotator.as_ref();
            if asked_for.is_some_and(|it| work.is_by(it)) {
                annotators.insert(Annotator::AskedFor);
            } else if let Some(name) = work.annotator() {
                annotators.insert(Annotator::Other(name.to_owned()));
            }
        }
        for part in medium::parts(task) {
            add(&part, source, builder);
        }
    }
    Ok(())
}

/// The form of an export. An empty list has either.
fn form(tasks: &[&RawValue]) -> Result<Form, ImportError> {
    let forms = tasks.iter().filter_map(|task| task::form_of(task));
    match forms.into_iter().next() {
        Some(form) => Ok(form),
        None if tasks.is_empty() => Ok(Form::Full),
        None => {
            let first: Value = serde_json::from_str(tasks[0].get()).unwrap_or_default();
            Err(other(match first {
                Value::Object(_) => "its objects are not tasks".to_owned(),
                first => format!("its first element is {}", kind(&first)),
            }))
        }
    }
}

/// Adds a task: a declared picture, or one that is not declared for a reason that the account names.
fn add(task: &Task, source: &dyn Source, builder: &mut Builder<'_>) {
    let medium = Medium::of(task, source);
    let name = (medium.file_name.clone())
        .or_else(|| task.id.as_ref().map(|id| format!("task {id}")))
        .unwrap_or_else(|| "a task without id".to_owned());
    let input = task.input.as_ref().map(|id| InputId::new(id.as_str()));
    for (is_there, note) in [
        (task.has_predictions, Note::PredictionsLeftOut),
        (task.has_drafts, Note::DraftsLeftOut),
        (
            task.works.iter().any(|it| it.has_relations),
            Note::RelationsLeftOut,
        ),
    ] {
        if is_there {
            builder.note(note, name.clone());
        }
    }
    let options = builder.options();
    let is_asked_for = |work: &Work| (options.annotator.as_ref()).is_none_or(|it| work.is_by(it));
    let (taken, rest): (Vec<&Work>, Vec<&Work>) =
        (task.works.iter()).partition(|work| is_asked_for(work) && !work.is_skipped);
    let found = |work: &Work| {
        let regions = Regions::new(work, &medium, options);
        regions.objects()
    };
    let at = if taken.is_empty() {
        if rest
            .iter()
            .any(|work| is_asked_for(work) && work.is_skipped)
        {
            let detail = "its annotator skipped it".to_owned();
            let code = SkipCode::SkippedTask;
            builder.unusable_picture(task.id.clone(), name.clone(), code, detail);
        } else if rest.is_empty() {
            builder.not_annotated(&name);
        } else {
            let detail = "only others worked on it".to_owned();
            let code = SkipCode::OtherAnnotator;
            builder.unusable_picture(task.id.clone(), name.clone(), code, detail);
        }
        None
    } else if let Some(Err(error)) = &input {
        let detail = format!("`{INPUT_ID}`: {error}");
        let code = SkipCode::InvalidInputId;
        Some(builder.unusable_picture(task.id.clone(), name.clone(), code, detail))
    } else if medium.file_name.is_none() && options.input_id != InputIdFrom::ImageId {
        let detail = "no value of its `data` is a picture, a video or a text".to_owned();
        let code = SkipCode::ImageWithoutName;
        Some(builder.unusable_picture(task.id.clone(), name.clone(), code, detail))
    } else {
        Some(builder.picture(Picture {
            file_name: medium.file_name.clone(),
            own_id: task.id.clone(),
            input: input.and_then(Result::ok),
            size: medium.size,
            media: medium.media.clone(),
            ..Picture::default()
        }))
    };
    for work in &rest {
        let (code, detail) = if work.is_skipped {
            (SkipCode::SkippedTask, "its annotator skipped the task")
        } else {
            (SkipCode::OtherAnnotator, "the work of another annotator")
        };
        for found in found(work) {
            builder.set_aside(&name, found.name(), code, detail.to_owned());
        }
    }
    let Some(at) = at else {
        return;
    };
    if taken.len() > 1 {
        builder.note(Note::SeveralAnnotators, name);
    }
    for work in taken {
        for found in found(work) {
            builder.found(at, found);
        }
    }
}

#[cfg(test)]
mod tests;
