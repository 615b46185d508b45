//! LabelMe JSON, one file for each picture -> inputs with annotations.
//!
//! `label_me/shape.rs` reads the shapes. The field `imageData` is skipped while the file is parsed.

mod shape;
mod write;

use super::account::{Imported, Media, SkipCode};
use super::builder::{Builder, Found, Object, ObjectName, Picture};
use super::error::ImportError;
use super::format::Format;
use super::json::{kind, pixels, without_nan};
use super::options::ImportOptions;
use super::place::{Shape, skip};
use super::source::{Source, file_name, folder, has_extension, join};
use crate::model::FileKind;
use rayon::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};
pub(super) use write::export;

/// How many files are in memory at the same time.
const FILES_AT_ONCE: usize = 64;

pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let mut builder = Builder::new(options);
    let is_json = |path: &&String| source.files().len() == 1 || has_extension(path, &["json"]);
    let files: Vec<&String> = source.files().iter().filter(is_json).collect();
    if files.is_empty() {
        return Err(other("there is no .json file".to_owned()));
    }
    for some in files.chunks(FILES_AT_ONCE) {
        let read: Vec<_> = (some.par_iter())
            .map(|path| read(path, source, options))
            .collect();
        for (path, read) in some.iter().zip(read) {
            match read {
                Ok((picture, objects)) => {
                    let at = builder.picture(picture);
                    for found in objects {
                        builder.found(at, found);
                    }
                }
                Err(error) if files.len() > 1 => builder.unreadable_file(path, &error),
                Err(error) => return Err(error),
            }
        }
    }
    builder.finish()
}

/// Whether every JSON file is one of LabelMe by its first keys, and there is one.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let mut files = (source.files().iter())
        .filter(|path| has_extension(path, &["json"]))
        .peekable();
    files.peek().is_some()
        && files.all(|path| {
            let head = source.head(path, FileKind::HEAD_BYTES);
            let head = String::from_utf8_lossy(&head);
            let has = |key: &str| head.contains(&format!("\"{key}\""));
            let is_object = (head.trim_start_matches('\u{feff}').trim_start()).starts_with('{');
            is_object
                && (has("imageData")
                    || has("shapes") && (has("imagePath") || has("shape_type") || has("flags")))
        })
}

fn other(why: String) -> ImportError {
    ImportError::OtherFormat {
        format: Format::LabelMe,
        why,
    }
}

/// The fields that are used; others are skipped.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    shapes: Option<Box<RawValue>>,
    image_path: Option<Value>,
    image_width: Option<Value>,
    image_height: Option<Value>,
    flags: Option<Value>,
}

fn read(
    path: &str,
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<(Picture, Vec<Found>), ImportError> {
    let text = super::source::text(source, path)?;
    let file: File = serde_json::from_str(&text)
        .or_else(|error| serde_json::from_str(&without_nan(&text)).map_err(|_| error))
        .map_err(|error| {
            if error.is_data() {
                return other(format!("{path}: {error}"));
            }
            ImportError::Json {
                file: path.to_owned(),
                fault: error.into(),
            }
        })?;
    drop(text);
    let Some(shapes) = file.shapes else {
        return Err(other(format!("{path} has no `shapes`")));
    };
    let Ok(shapes) = serde_json::from_str::<Vec<&RawValue>>(shapes.get()) else {
        return Err(other(format!("the `shapes` of {path} are not a list")));
    };
    let written = file.image_path.as_ref().and_then(Value::as_str);
    let written = written.filter(|name| !name.trim().is_empty());
    let inside =
        (written.filter(|name| !name.contains("://"))).and_then(|name| join(folder(path), name));
    let size = |value: &Option<Value>| value.as_ref().and_then(pixels);
    let size = size(&file.image_width)
        .zip(size(&file.image_height))
        .or_else(|| source.image_size(inside.as_deref()?));
    let picture = Picture {
        // Without a name, that of the file.
        file_name: inside
            .or_else(|| written.map(str::to_owned))
            .or_else(|| Some(without_extension(path).to_owned())),
        size,
        media: Media::Image,
        ..Picture::default()
    };
    let mut found: Vec<Found> = flags(file.flags.as_ref()).into_iter().collect();
    for (index, raw) in shapes.into_iter().enumerate() {
        let name = ObjectName::Number(index);
        let shape = serde_json::from_str(raw.get())
            .map_err(|error| skip(SkipCode::WrongType, error.to_string()))
            .and_then(|value: Value| shape::object(&name, value, size, options.overhang));
        found.push(match shape {
            Ok(object) => Found::Object(Box::new(object)),
            Err(why) => Found::LeftOut(name, why),
        });
    }
    Ok((picture, found))
}

fn without_extension(path: &str) -> &str {
    let dot = file_name(path).rfind('.').filter(|at| *at > 0);
    match dot {
        Some(at) => &path[..path.len() - file_name(path).len() + at],
        None => path,
    }
}

/// The flags of the picture: concepts of the whole input, with the value 0 for those that are not set.
fn flags(flags: Option<&Value>) -> Option<Found> {
    let name = || ObjectName::from("flags".to_owned());
    let wrong = |detail: String| Some(Found::LeftOut(name(), skip(SkipCode::WrongType, detail)));
    let flags = match flags? {
        Value::Null => return None,
        Value::Object(flags) => flags,
        other => return wrong(format!("`flags` is {}", kind(other))),
    };
    if flags.is_empty() {
        return None;
    }
    let mut concepts = SmallVec::with_capacity(flags.len());
    for (flag, value) in flags {
        let Some(is_set) = value.as_bool() else {
            return wrong(format!("the flag {flag:?} is {}", kind(value)));
        };
        concepts.push((flag.clone().into(), f64::from(u8::from(is_set))));
    }
    Some(Found::Object(Box::new(Object {
        name: name(),
        concepts,
        shapes: smallvec![Shape::Whole],
        ..Object::default()
    })))
}

#[cfg(test)]
mod tests;
