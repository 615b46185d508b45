//! annosync's own JSON Lines, one input in a line -> inputs with annotations.
//!
//! The manifest's reader parses each line, many at once. Ids of inputs and keys stay as they are; ids of annotations are
//! left out, since they belong to the app that has them. Masks and texts in files are read through the source.

mod write;

use super::account::{Imported, Media, Note, SkipCode};
use super::builder::{Builder, Object, ObjectName, Picture, Ready, Units};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::parallel::overlapped;
use super::place::{NotPlaced, Shape, skip};
use super::source::{Source, folder, has_extension, join};
use crate::manifest::{InputText, InputVideo, Line, LineInput, lines};
use crate::model::{
    Content, FileKind, Geometry, Identity, Mask, TextKind, Undeclared, decode_text,
    normalize_line_endings,
};
use rayon::prelude::*;
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

/// Whether there are .jsonl files, and the first line of each is an input.
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

/// How many lines are read before they are added up: bounds the memory.
const LINES_AT_ONCE: usize = 512;

fn read(path: &str, text: &str, source: &dyn Source, builder: &mut Builder<'_>) {
    let mut lines = lines(text);
    let options = builder.options();
    overlapped(
        || {
            let batch: Vec<Line<'_>> = lines.by_ref().take(LINES_AT_ONCE).collect();
            let read = batch.into_par_iter().map(|line| {
                let place = format!("{path}:{}", line.number);
                match line.read() {
                    Ok(input) => entry(input, &place, path, source, options),
                    Err(detail) => Entry::unusable(place, detail),
                }
            });
            read.collect()
        },
        |entry| add(entry, builder),
    );
}

/// An input, after all that needs no other one.
struct Entry {
    name: String,
    /// The picture, or why there is none.
    picture: Result<Picture, String>,
    has_text_url: bool,
    objects: Vec<Ready>,
}

impl Entry {
    fn unusable(name: String, detail: String) -> Self {
        Self {
            name,
            picture: Err(detail),
            has_text_url: false,
            objects: Vec::new(),
        }
    }
}

fn entry(
    mut input: LineInput,
    place: &str,
    path: &str,
    source: &dyn Source,
    options: &ImportOptions,
) -> Entry {
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
    let picture = match (problem, input.id.clone()) {
        (None, Some(id)) => Ok(Picture {
            file_name: location(&input),
            input: Some(id),
            size: (input.image.as_ref()).and_then(|it| Some((it.width?, it.height?))),
            media,
            ..Picture::default()
        }),
        (problem, _) => {
            let detail = problem.unwrap_or_else(|| "it has no `id`".to_owned());
            Err(format!("{place}: {detail}"))
        }
    };
    Entry {
        name,
        picture,
        has_text_url: matches!(input.text, Some(InputText::Url(_))),
        objects: objects(input, &file, options),
    }
}

fn add(entry: Entry, builder: &mut Builder<'_>) {
    if entry.has_text_url {
        builder.note(Note::FieldsLeftOut, entry.name.clone());
    }
    let at = match entry.picture {
        Ok(picture) => builder.picture(picture),
        Err(detail) => builder.unusable_picture(None, entry.name, SkipCode::WrongType, detail),
    };
    builder.reserve(at, entry.objects.len());
    for object in entry.objects {
        builder.ready(at, object);
    }
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

fn objects(
    mut input: LineInput,
    file: &impl Fn(&str) -> Result<Vec<u8>, String>,
    options: &ImportOptions,
) -> Vec<Ready> {
    let masks: BTreeMap<usize, Box<str>> = std::mem::take(&mut input.masks).into_iter().collect();
    let mut objects = Vec::with_capacity(input.annotations.len());
    for (index, (identity, mut content)) in input.annotations.into_iter().enumerate() {
        let name: ObjectName = match &identity {
            Identity::Key(key) => key.to_string().into(),
            Identity::Id(id) => id.to_string().into(),
            _ => ObjectName::Number(index),
        };
        let problem = input.problems.remove(&index);
        let read = match (problem, masks.get(&index)) {
            (Some(detail), _) => Err(skip(SkipCode::WrongType, detail)),
            (None, None) => Ok(()),
            (None, Some(path)) => mask(path, file).map(|mask| {
                content.geometry = Some(Geometry::Mask(Box::new(mask)));
            }),
        };
        // Fractions need no size.
        objects.push(
            match read.and_then(|()| object(name.clone(), &identity, content)) {
                Ok(object) => Ok(object.placed(None, options)),
                Err(why) => Err((name, why)),
            },
        );
    }
    objects
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

fn object(
    name: ObjectName,
    identity: &Identity,
    mut content: Content,
) -> Result<Object, NotPlaced> {
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
        name,
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
