//! COCO instances -> inputs with annotations, in fractions of the image.
//!
//! The rules of the import. `coco/raw.rs` reads the JSON, `coco/shape.rs` finds the shapes of an annotation,
//! `coco/rle.rs` decodes run-length masks. COCO's own ids are not used as identity, since tools renumber them;
//! categories carry over by name.
//!
//! A file's text is in memory until its last annotation was added: its lists come in any order, categories often last,
//! and the annotations of one picture are anywhere in their list. What a part of the text means is known only when the
//! whole was read.

mod raw;
mod rle;
mod shape;
mod values;
mod write;

use super::account::{Imported, Note, SkipCode};
use super::builder::{
    Builder, ClassAt, Object, ObjectName, Picture, PictureAt, Ready, number_name, storable,
};
use super::error::ImportError;
use super::json::without_nan;
use super::options::{ImportOptions, Scores};
use super::parallel::in_batches;
use super::place::{NotPlaced, skip};
use super::source::{Source, has_extension};
use crate::model::FileKind;
use raw::{Annotation, Category, Image, Item};
use rayon::prelude::*;
use serde_json::{Map, Value};
use smallvec::smallvec;
use std::collections::HashMap;
use values::{Attributes, Scalar};
pub(super) use write::export;

/// Imports COCO files: `images`, `annotations` and `categories` are needed, everything else is optional.
pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let mut builder = Builder::new(options);
    let files = source.files().iter();
    let is_json = |path: &&String| source.files().len() == 1 || has_extension(path, &["json"]);
    let mut files = files.filter(is_json).peekable();
    if files.peek().is_none() {
        return Err(ImportError::NoFile);
    }
    for path in files {
        read(path, source, &mut builder)?;
    }
    builder.finish()
}

/// Whether every JSON file is a COCO file by its first keys, and there is one.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let mut files = source
        .files()
        .iter()
        .filter(|path| has_extension(path, &["json"]))
        .peekable();
    files.peek().is_some()
        && files.all(|path| {
            let head = source.head(path, FileKind::HEAD_BYTES);
            FileKind::of(&head) == Some(FileKind::Coco)
        })
}

fn read(path: &str, source: &dyn Source, builder: &mut Builder<'_>) -> Result<(), ImportError> {
    let text = super::source::text(source, path)?;
    let text = without_nan(&text);
    let file = raw::read(path, &text)?;
    builder.set_file(path);
    let entries: Vec<_> = file.categories.into_iter().map(Item::read).collect();
    let images: Vec<_> = file.images.into_par_iter().map(Item::read).collect();
    let reader = Reader {
        categories: categories(&entries, builder)?,
        pictures: pictures(&images, builder)?,
        options: builder.options(),
    };
    // The objects of an image may be anywhere in the list, so how many it has is not known.
    let usual = file.annotations.len().div_ceil(images.len().max(1));
    in_batches(
        &file.annotations,
        AT_ONCE,
        |index, raw| reader.read(index, Item::read(raw)),
        |_, read| match read {
            Read::Object(at, object) => {
                builder.reserve(at, usual);
                builder.ready(at, object);
            }
            Read::Lost { picture, name, why } => {
                builder.left_out_of(picture, name, why.code, why.detail);
            }
        },
    );
    Ok(())
}

/// How many annotations are in memory at once as the file has them.
const AT_ONCE: usize = 4_096;

/// Reads annotations. Many are read at once.
struct Reader<'t> {
    categories: Categories<'t>,
    pictures: Pictures<'t>,
    options: &'t ImportOptions,
}

/// An annotation.
enum Read {
    Object(PictureAt, Ready),
    /// Its picture is not known; the text is the id that the file has for it.
    Lost {
        picture: Option<String>,
        name: ObjectName,
        why: NotPlaced,
    },
}

impl Reader<'_> {
    fn read(&self, index: usize, item: Item<Annotation<'_>>) -> Read {
        let annotation = match item {
            Item::Entry(annotation) => annotation,
            Item::Wrong(found) => {
                return Read::Lost {
                    picture: None,
                    name: ObjectName::Number(index),
                    why: skip(SkipCode::WrongType, format!("an annotation is {found}")),
                };
            }
        };
        let name = match (annotation.id.whole(), annotation.id.id()) {
            (Some(id), _) => ObjectName::Id(id),
            (None, Some(id)) => ObjectName::Text(id.to_owned()),
            (None, None) => ObjectName::Number(index),
        };
        let image_id = annotation.image_id.id();
        let Some(&(at, size)) = image_id.and_then(|id| self.pictures.get(id)) else {
            let detail = format!("image_id is {}", annotation.image_id.words());
            return Read::Lost {
                picture: image_id.map(str::to_owned),
                name,
                why: skip(SkipCode::UnknownImage, detail),
            };
        };
        let object = match self.object(annotation, size) {
            Ok(object) => Ok(Object { name, ..object }.placed(size, self.options)),
            Err(why) => Err((name, why)),
        };
        Read::Object(at, object)
    }

    /// An object without its name, on a picture of this size.
    fn object(
        &self,
        annotation: Annotation<'_>,
        size: Option<(u32, u32)>,
    ) -> Result<Object, NotPlaced> {
        if annotation.iscrowd.is_set() {
            return Err(skip(SkipCode::Crowd, "iscrowd: it is a group of objects"));
        }
        if annotation.ignore.is_set() {
            return Err(skip(SkipCode::Ignored, "ignore: set in the file"));
        }
        let category = annotation.category_id.id();
        let Some(&(_, class)) = category.and_then(|id| self.categories.get(id)) else {
            let detail = format!("category_id is {}", annotation.category_id.words());
            return Err(skip(SkipCode::UnknownCategory, detail));
        };
        let score = match &annotation.score {
            Scalar::Missing => None,
            score => {
                let number = score.number().filter(|it| (0.0..=1.0).contains(it));
                if number.is_none() && self.options.scores == Scores::Values {
                    let detail = format!("score is {}", score.words());
                    return Err(skip(SkipCode::WrongScore, detail));
                }
                Some(number.unwrap_or_default())
            }
        };
        let mut notes = Vec::new();
        let shapes = shape::shapes(&annotation, size, &mut notes)?;
        let metadata = metadata(annotation, &mut notes);
        Ok(Object {
            concepts: smallvec![(class.into(), 1.0)],
            score,
            shapes,
            metadata,
            notes,
            ..Object::default()
        })
    }
}

/// Names and classes of categories by their ids.
type Categories<'t> = HashMap<&'t str, (&'t str, ClassAt)>;

fn categories<'t>(
    items: &'t [Item<Category<'_>>],
    builder: &mut Builder<'_>,
) -> Result<Categories<'t>, ImportError> {
    let mut names = Categories::new();
    for item in items {
        let Item::Entry(category) = item else {
            continue;
        };
        let Some(id) = category.id.id() else {
            continue;
        };
        let name = category.name.label().unwrap_or_default();
        if let Some((first, _)) = names.get(id) {
            if *first == name {
                continue;
            }
            return Err(ImportError::SameCategoryId {
                id: id.to_owned(),
                first: (*first).to_owned(),
                second: name.to_owned(),
            });
        }
        let place = format!("category {id} {name:?}");
        let class = builder.category(name, &place);
        if category.keypoints.is_some() || category.skeleton.is_some() {
            builder.note(Note::KeypointNamesLeftOut, place);
        }
        names.insert(id, (name, class));
    }
    Ok(names)
}

/// Pictures and their sizes by their ids.
type Pictures<'t> = HashMap<&'t str, (PictureAt, Option<(u32, u32)>)>;

fn pictures<'t>(
    items: &'t [Item<Image<'_>>],
    builder: &mut Builder<'_>,
) -> Result<Pictures<'t>, ImportError> {
    let mut by_id = Pictures::new();
    let mut same_id = None;
    for (index, item) in items.iter().enumerate() {
        let image = match item {
            Item::Entry(image) => image,
            Item::Wrong(found) => {
                let detail = format!("an image is {found}");
                let name = number_name(index);
                builder.unusable_picture(None, name, SkipCode::WrongType, detail);
                builder.unassigned();
                continue;
            }
        };
        let (file_name, id) = (image.file_name.label(), image.id.id());
        let name = match file_name.or(id) {
            Some(name) => name.to_owned(),
            None => number_name(index),
        };
        if image.neg_category_ids.is_some() || image.not_exhaustive_category_ids.is_some() {
            builder.note(Note::ImageCategoriesLeftOut, name.clone());
        }
        let Some(id) = id else {
            let detail = format!(
                "its id is {}, and no object can refer to it",
                image.id.words()
            );
            builder.unusable_picture(None, name, SkipCode::ImageWithoutId, detail);
            builder.unassigned();
            continue;
        };
        let size = size(image);
        let at = builder.picture(Picture {
            file_name: file_name.map(str::to_owned),
            own_id: Some(id.to_owned()),
            size,
            ..Picture::default()
        });
        if let Some((first, _)) = by_id.insert(id, (at, size)) {
            let first = builder.name(first).to_owned();
            same_id.get_or_insert((id.to_owned(), first, name));
        }
    }
    if let Some((id, first, second)) = same_id {
        // Says more if the inputs are the same, too.
        builder.check_ids()?;
        return Err(ImportError::SameImageId { id, first, second });
    }
    Ok(by_id)
}

fn size(image: &Image<'_>) -> Option<(u32, u32)> {
    let whole = |scalar: &Scalar<'_>| {
        scalar
            .number()
            .filter(|n| n.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(n))
            .map(|n| n as u32)
    };
    Some((whole(&image.width)?, whole(&image.height)?))
}

/// The attributes, and the fields that COCO does not define, as far as a manifest can store them.
fn metadata(annotation: Annotation<'_>, notes: &mut Vec<Note>) -> Map<String, Value> {
    let (mut attributes, is_complete) = match annotation.attributes {
        Attributes::Missing => (Map::new(), true),
        Attributes::Wrong => (Map::new(), false),
        Attributes::Object(fields) => storable(fields),
    };
    if !is_complete {
        notes.push(Note::AttributesLeftOut);
    }
    let (mut metadata, is_complete) = storable(annotation.others.fields);
    // The polygon is turned already.
    if notes.contains(&Note::RotatedBox) {
        attributes.remove(shape::ROTATION);
    }
    let own = metadata.len() + attributes.len();
    metadata.extend(attributes);
    if !is_complete || annotation.others.has_unusable || metadata.len() < own {
        notes.push(Note::FieldsLeftOut);
    }
    metadata
}

#[cfg(test)]
mod tests;
