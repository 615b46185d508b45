//! annosync's own JSON Lines, one input in a line -> inputs with annotations.
//!
//! The manifest's reader parses each line. Ids of inputs and keys stay as they are; ids of annotations are left out, since they
//! belong to the app that has them. Masks and texts in files are read through the source.

mod write;

use super::account::{Imported, Media, Note, SkipCode};
use super::builder::{Builder, Found, Object, Picture, PictureAt, Units, number_name};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::place::{NotPlaced, Shape, skip};
use super::source::{Source, folder, has_extension, join};
use crate::manifest::{InputText, InputVideo, LineInput, lines};
use crate::model::{
    Content, FileKind, Geometry, Identity, Mask, TextKind, Undeclared, decode_text,
    normalize_line_endings,
};
use smallvec::smallvec;
use std::collections::BTreeMap;
pub(super) use write::export;

pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let mut builder = Builder::new(options);
    let is_ours = |path: &&String| source.files().len() == 1 || has_extension(path, &["jsonl"]);
    let files: Vec<&String> = source.files().iter().filter(is_ours).collect();
    if files.is_empty() {
        return Err(ImportError::OtherFormat {
            format: Format::Jsonl,
            why: "there is no .jsonl file".to_owned(),
        });
    }
    for path in &files {
        match super::source::text(source, path) {
            Ok(text) => read(path, &text, source, &mut builder),
            Err(error) if files.len() > 1 => builder.unreadable_file(path, &error),
            Err(error) => return Err(error),
        }
    }
    builder.finish()
}

/// Whether every file with lines of JSON holds inputs by its first line, and there is one.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let mut files = (source.files().iter())
        .filter(|path| has_extension(path, &["jsonl"]))
        .peekable();
    files.peek().is_some()
        && files.all(|path| {
            let head = source.head(path, FileKind::HEAD_BYTES);
            FileKind::of(&head) == Some(FileKind::Manifest)
        })
}

fn read(path: &str, text: &str, source: &dyn Source, builder: &mut Builder<'_>) {
    for line in lines(text) {
        let place = format!("{path}:{}", line.number);
        match line.input {
            Ok(input) => add(input, &place, path, source, builder),
            Err(detail) => {
                builder.unusable_picture(None, place, SkipCode::WrongType, detail);
            }
        }
    }
}

fn add(
    mut input: LineInput,
    place: &str,
    path: &str,
    source: &dyn Source,
    builder: &mut Builder<'_>,
) {
    let file = |named: &str| {
        let path = join(folder(path), named)
            .ok_or_else(|| format!("{named:?} leads out of the folder"))?;
        source
            .read(&path)
            .map_err(|error| format!("{named:?}: {error}"))
    };
    let name = (input.id.as_ref()).map_or_else(|| place.to_owned(), ToString::to_string);
    let mut problem = input.problem.take();
    if input.undeclared == Undeclared::Purged {
        problem.get_or_insert("`purge: true` cannot be imported".to_owned());
    }
    let media = match media(&mut input, &file) {
        Ok(media) => media,
        Err(detail) => {
            problem.get_or_insert(detail);
            Media::Image
        }
    };
    if let Some(InputText::Url(_)) = input.text {
        builder.note(Note::FieldsLeftOut, name.clone());
    }
    let at = match (problem, input.id.clone()) {
        (None, Some(id)) => builder.picture(Picture {
            file_name: location(&input),
            input: Some(id),
            size: (input.image.as_ref()).and_then(|it| Some((it.width?, it.height?))),
            media,
            ..Picture::default()
        }),
        (problem, _) => {
            let detail = problem.unwrap_or_else(|| "it has no `id`".to_owned());
            builder.unusable_picture(
                None,
                name,
                SkipCode::WrongType,
                format!("{place}: {detail}"),
            )
        }
    };
    add_annotations(input, at, &file, builder);
}

/// Path or URL of the image or the video.
fn location(input: &LineInput) -> Option<String> {
    let image = input.image.as_ref();
    let image = image.and_then(|it| it.path.as_deref().or(it.url.as_deref()));
    let video = input.video.as_ref().map(|video| match video {
        InputVideo::Path(it) | InputVideo::Url(it) => it.as_ref(),
    });
    image.or(video).map(str::to_owned)
}

fn media(
    input: &mut LineInput,
    file: &impl Fn(&str) -> Result<Vec<u8>, String>,
) -> Result<Media, String> {
    Ok(match &input.text {
        Some(InputText::Raw(text)) => Media::Text(text.to_string()),
        Some(InputText::Path(path)) => {
            let text = decode_text(file(path)?, TextKind::FreeText)
                .map_err(|error| format!("{path:?}: {}", error.fault))?;
            let text = normalize_line_endings(text);
            input.check_text(&text);
            Media::Text(text)
        }
        _ if input.video.is_some() => Media::Video,
        _ => Media::Image,
    })
}

fn add_annotations(
    mut input: LineInput,
    at: PictureAt,
    file: &impl Fn(&str) -> Result<Vec<u8>, String>,
    builder: &mut Builder<'_>,
) {
    let masks: BTreeMap<usize, Box<str>> = std::mem::take(&mut input.masks).into_iter().collect();
    for (index, (identity, mut content)) in input.annotations.into_iter().enumerate() {
        let name = match &identity {
            Identity::Key(key) => key.to_string(),
            Identity::Id(id) => id.to_string(),
            _ => number_name(index),
        };
        let problem = input.problems.remove(&index);
        let read = match (problem, masks.get(&index)) {
            (Some(detail), _) => Err(skip(SkipCode::WrongType, detail)),
            (None, None) => Ok(()),
            (None, Some(path)) => mask(path, file).map(|mask| {
                content.geometry = Some(Geometry::Mask(Box::new(mask)));
            }),
        };
        let found = match read.and_then(|()| object(name.clone(), &identity, content)) {
            Ok(object) => Found::Object(Box::new(object)),
            Err(why) => Found::LeftOut(name.into(), why),
        };
        builder.found(at, found);
    }
}

fn mask(path: &str, file: &impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Mask, NotPlaced> {
    let wrong = |detail: String| skip(SkipCode::WrongMask, detail);
    let mask = Mask::from_png(file(path).map_err(wrong)?)
        .map_err(|error| wrong(format!("{path:?}: {error}")))?;
    if mask.is_empty() {
        return Err(skip(SkipCode::NoArea, "a mask without a set pixel"));
    }
    Ok(mask)
}

fn object(name: String, identity: &Identity, mut content: Content) -> Result<Object, NotPlaced> {
    let other = |detail: &str| Err(skip(SkipCode::OtherShape, detail));
    let shape = match content.geometry.take() {
        None | Some(Geometry::Whole) => Shape::Whole,
        Some(Geometry::Region(_) | Geometry::RegionOf(_)) => {
            return other("it refers to another annotation");
        }
        Some(Geometry::Unmodelled) => return other("its shape is not known"),
        Some(geometry) => Shape::Done(geometry),
    };
    let mut notes = Vec::new();
    match identity {
        Identity::Content | Identity::Key(_) => {}
        Identity::InputLevel => return other("it is the annotation that the app made itself"),
        Identity::Id(_) => notes.push(Note::StateLeftOut),
    }
    let key = match identity {
        Identity::Key(key) => Some(key.clone()),
        _ => None,
    };
    let concepts = content.concepts.iter().flat_map(|concepts| concepts.iter());
    Ok(Object {
        name: name.into(),
        key,
        concepts: concepts
            .map(|concept| (concept.id.to_string().into(), f64::from(concept.value)))
            .collect(),
        shapes: smallvec![shape],
        units: Units::Fractions,
        content: Some(Box::new(content)),
        notes,
        ..Object::default()
    })
}

#[cfg(test)]
mod tests;
