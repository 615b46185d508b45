//! COCO instances -> inputs with annotations, in fractions of the image.
//!
//! The rules of the import. `coco/raw.rs` reads the JSON, `coco/place.rs` converts shapes, `coco/rle.rs` decodes
//! run-length masks. Each annotation of the file is either imported or in [`Imported::skipped`]. COCO's own ids are not
//! used as identity, since tools renumber them; categories carry over by name.

mod error;
mod options;
mod place;
mod raw;
mod rle;
mod values;

use super::account::{ImageInfo, Imported, ImportedInput, Note, SkipCode, Skipped};
use super::input_id::{InputIdFrom, collisions, image_location, input_id};
use super::pieces;
use crate::manifest::write::declarable;
use crate::model::{
    Concept, ConceptId, Concepts, DesiredAnnotation, DesiredInput, Identity, InputId, Json, Kind,
    Origin, Undeclared,
};
pub use error::CocoError;
pub use options::{CocoOptions, ConceptNames, EDGE_TOLERANCE, MultiRing, Overhang, Scores};
use place::Size;
use raw::{Annotation, Category, File, Image, Item};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use values::{Attributes, Scalar};

/// The kinds of shapes that COCO can express. An import leaves annotations of other kinds alone.
pub const KINDS: [Kind; 4] = [Kind::Box, Kind::Polygon, Kind::Keypoints, Kind::Mask];

/// Imports a COCO file: `images`, `annotations` and `categories` are needed, everything else is optional.
pub fn import(json: &[u8], options: &CocoOptions) -> Result<Imported, CocoError> {
    let file = raw::read(json)?;
    let mut imported = Imported {
        categories: file.categories.len(),
        images: file.images.len(),
        annotations: file.annotations.len(),
        ..Imported::default()
    };
    let concepts = concepts(&file.categories, options.concepts, &mut imported)?;
    let places = inputs(&file, options, &mut imported)?;
    for (index, item) in file.annotations.iter().enumerate() {
        match import_annotation(index, item, &concepts, &places, options, &mut imported) {
            Ok(()) => imported.taken_over += 1,
            Err((skipped, owner)) => {
                imported.skipped.push(skipped);
                match owner {
                    Owner::Input(input) => imported.inputs[input].left_out += 1,
                    // Its image has no input that could be incomplete.
                    Owner::ImageLeftOut => {}
                    Owner::Unknown => imported.unassigned += 1,
                }
            }
        }
    }
    imported.inputs.sort_by(|a, b| a.input.id.cmp(&b.input.id));
    Ok(imported)
}

/// The concept of each category, or its name if that is not a valid id.
type ConceptsById = HashMap<String, Result<ConceptId, String>>;

fn concepts(
    categories: &[Item<Category>],
    names: ConceptNames,
    imported: &mut Imported,
) -> Result<ConceptsById, CocoError> {
    let mut by_id = ConceptsById::new();
    let mut name_by_id: HashMap<String, String> = HashMap::new();
    for item in categories {
        let Item::Entry(category) = item else {
            continue;
        };
        let Some(id) = category.id.id() else {
            continue;
        };
        let name = category.name.label().unwrap_or_default();
        if let Some(first) = name_by_id.get(&id) {
            if *first == name {
                continue;
            }
            return Err(CocoError::SameCategoryId {
                id,
                first: first.clone(),
                second: name,
            });
        }
        let text = match names {
            ConceptNames::AsNamed => name.trim().to_owned(),
            ConceptNames::Slug => slug(&name),
        };
        if names == ConceptNames::AsNamed && text != name {
            imported.note(Note::CategoryNameTrimmed, format!("category {id} {name:?}"));
        }
        if category.keypoints.is_some() || category.skeleton.is_some() {
            imported.note(
                Note::KeypointNamesLeftOut,
                format!("category {id} {name:?}"),
            );
        }
        let concept = ConceptId::new(text).map_err(|_| name.clone());
        if let Ok(concept) = &concept
            && !imported.concepts.insert(concept.clone())
        {
            imported.note(
                Note::CategoriesShareConcept,
                format!("category {id} {name:?}"),
            );
        }
        name_by_id.insert(id.clone(), name);
        by_id.insert(id, concept);
    }
    Ok(by_id)
}

/// Lower case, with one dash for each run of characters that are neither letters nor digits.
fn slug(name: &str) -> String {
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// An image, for its annotations.
struct ImageEntry {
    /// Index of the input; `None` if the image was left out.
    input: Option<usize>,
    size: Option<Size>,
    name: String,
}

/// An image's input id, or why the image is left out.
type NamedInput = Result<InputId, (SkipCode, String)>;

fn inputs(
    file: &File,
    options: &CocoOptions,
    imported: &mut Imported,
) -> Result<HashMap<String, ImageEntry>, CocoError> {
    let empty = Image::default();
    let mut named: Vec<(NamedInput, &Image, String)> = Vec::with_capacity(file.images.len());
    for (index, item) in file.images.iter().enumerate() {
        let (image, id) = match item {
            Item::Entry(image) => (image, named_input(image, options.input_id)),
            Item::Wrong(found) => {
                let detail = format!("an image is {found}");
                (&empty, Err((SkipCode::WrongType, detail)))
            }
        };
        let name = image.file_name.label().or_else(|| image.id.id());
        let name = name.unwrap_or_else(|| number_name(index));
        if image.neg_category_ids.is_some() || image.not_exhaustive_category_ids.is_some() {
            imported.note(Note::ImageCategoriesLeftOut, name.clone());
        }
        named.push((id, image, name));
    }
    let ids = named
        .iter()
        .filter_map(|(id, _, shown)| Some((id.as_ref().ok()?.as_str(), shown.as_str())));
    let collisions = collisions(ids);
    if !collisions.is_empty() {
        let images: Vec<&Image> = named
            .iter()
            .filter_map(|(id, image, _)| id.as_ref().ok().map(|_| *image))
            .collect();
        let choices = InputIdFrom::ALL
            .into_iter()
            .filter(|choice| gives_unique_ids(*choice, &images))
            .collect();
        return Err(CocoError::SameInput {
            collisions,
            choices,
        });
    }
    let mut places: HashMap<String, ImageEntry> = HashMap::new();
    for (index, (id, image, name)) in named.into_iter().enumerate() {
        let size = Size::new(&image.width, &image.height);
        let input = match id {
            Ok(id) if image.id.id().is_some() => {
                let name = image.file_name.label();
                let place = name.map(|name| image_location(options.images.as_deref(), &name));
                let (path, url) = place.unwrap_or_default();
                imported.inputs.push(ImportedInput {
                    input: DesiredInput {
                        undeclared: Undeclared::Managed,
                        id,
                        annotations: Vec::new(),
                        origin: Origin {
                            input: index as u32,
                            ..Origin::default()
                        },
                    },
                    image: ImageInfo {
                        path,
                        url,
                        size: size.map(Size::pixels),
                    },
                    left_out: 0,
                });
                Some(imported.inputs.len() - 1)
            }
            unusable => {
                let (code, detail) = unusable.err().unwrap_or_else(|| {
                    let detail = format!(
                        "its id is {}, and no object can refer to it",
                        image.id.words()
                    );
                    (SkipCode::ImageWithoutId, detail)
                });
                imported.skipped.push(Skipped {
                    code,
                    annotation: None,
                    image: Some(name.clone()),
                    detail,
                });
                None
            }
        };
        let Some(id) = image.id.id() else {
            imported.unassigned += 1;
            continue;
        };
        let place = ImageEntry { input, size, name };
        if let Some(first) = places.get(&id) {
            return Err(CocoError::SameImageId {
                id,
                first: first.name.clone(),
                second: place.name,
            });
        }
        places.insert(id, place);
    }
    Ok(places)
}

/// Whether all of these images get different ids.
fn gives_unique_ids(choice: InputIdFrom, images: &[&Image]) -> bool {
    let ids: Option<BTreeSet<InputId>> = images
        .iter()
        .map(|image| named_input(image, choice).ok())
        .collect();
    ids.is_some_and(|ids| ids.len() == images.len())
}

/// The display name of an entry without name or id.
fn number_name(index: usize) -> String {
    format!("number {}", index + 1)
}

fn named_input(image: &Image, from: InputIdFrom) -> NamedInput {
    let (file_name, own_id) = (image.file_name.label(), image.id.id());
    let text = input_id(from, file_name.as_deref(), own_id.as_deref());
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let missing = match from {
            InputIdFrom::ImageId => "it has no id",
            _ => "it has no usable file_name",
        };
        return Err((SkipCode::ImageWithoutName, missing.to_owned()));
    };
    let error = match InputId::new(text.clone()) {
        Ok(id) => return Ok(id),
        Err(error) => error,
    };
    Err((SkipCode::InvalidInputId, format!("{text:?}: {error}")))
}

/// The owner of an object that was left out.
enum Owner {
    /// This input.
    Input(usize),
    /// An image that was left out itself.
    ImageLeftOut,
    /// Any image.
    Unknown,
}

/// Imports one annotation. The error holds why it was left out, and its owner.
fn import_annotation(
    index: usize,
    item: &Item<Annotation>,
    concepts: &ConceptsById,
    places: &HashMap<String, ImageEntry>,
    options: &CocoOptions,
    imported: &mut Imported,
) -> Result<(), (Skipped, Owner)> {
    let skip = |code, annotation: Option<String>, image: Option<String>, detail: String| Skipped {
        code,
        annotation: annotation.or_else(|| Some(number_name(index))),
        image,
        detail,
    };
    let annotation = match item {
        Item::Entry(annotation) => annotation,
        Item::Wrong(found) => {
            let detail = format!("an annotation is {found}");
            let skipped = skip(SkipCode::WrongType, None, None, detail);
            return Err((skipped, Owner::Unknown));
        }
    };
    let id = || annotation.id.id();
    let image_id = annotation.image_id.id();
    let Some(place) = image_id.as_ref().and_then(|id| places.get(id)) else {
        let detail = format!("image_id is {}", annotation.image_id.words());
        let skipped = skip(SkipCode::UnknownImage, id(), image_id, detail);
        return Err((skipped, Owner::Unknown));
    };
    let skip = |code, detail| {
        let skipped = skip(code, id(), Some(place.name.clone()), detail);
        (
            skipped,
            place.input.map_or(Owner::ImageLeftOut, Owner::Input),
        )
    };
    let Some(input) = place.input else {
        return Err(skip(
            SkipCode::ImageLeftOut,
            "its image was left out".to_owned(),
        ));
    };
    if annotation.iscrowd.is_set() {
        let detail = "iscrowd: it is a group of objects".to_owned();
        return Err(skip(SkipCode::Crowd, detail));
    }
    if annotation.ignore.is_set() {
        let detail = "ignore: set in the file".to_owned();
        return Err(skip(SkipCode::Ignored, detail));
    }
    let category = annotation.category_id.id();
    let concept = match category.as_ref().and_then(|id| concepts.get(id)) {
        Some(Ok(concept)) => concept.clone(),
        Some(Err(name)) => {
            let detail = format!("the category's name is {name:?}");
            return Err(skip(SkipCode::CategoryWithoutName, detail));
        }
        None => {
            let detail = format!("category_id is {}", annotation.category_id.words());
            return Err(skip(SkipCode::UnknownCategory, detail));
        }
    };
    let Some(size) = place.size else {
        let detail = "its image has no width and height in whole pixels".to_owned();
        return Err(skip(SkipCode::ImageWithoutSize, detail));
    };
    let has_score = !matches!(annotation.score, Scalar::Missing);
    let value = match options.scores {
        Scores::Values if has_score => annotation
            .score
            .number()
            .filter(|score| (0.0..=1.0).contains(score))
            .ok_or_else(|| {
                let detail = format!("score is {}", annotation.score.words());
                skip(SkipCode::WrongScore, detail)
            })?,
        _ => 1.0,
    };
    let mut found = place::place(annotation, size, options)
        .map_err(|place::NotPlaced { code, detail }| skip(code, detail))?;
    if has_score && options.scores == Scores::LeaveOut {
        found.notes.push(Note::ScoreLeftOut);
    }
    let metadata = metadata(annotation, &mut found.notes);
    let object = id().unwrap_or_else(|| number_name(index));
    for note in found.notes {
        imported.note(note, format!("annotation {object}, {}", place.name));
    }

    let input = &mut imported.inputs[input].input;
    let concepts = Concepts::new(vec![Concept {
        id: concept,
        // `+ 0.0` turns -0.0 into 0.0.
        value: value as f32 + 0.0,
    }])
    .expect("one concept is named once");
    for content in pieces::annotations(found.shapes, &concepts, metadata) {
        input.annotations.push(DesiredAnnotation {
            identity: Identity::Content,
            content,
            origin: Origin {
                annotation: input.annotations.len() as u32,
                ..input.origin
            },
        });
    }
    Ok(())
}

/// The attributes, and the fields that COCO does not define, as far as a manifest can store them.
fn metadata(annotation: &Annotation, notes: &mut Vec<Note>) -> Map<String, Value> {
    let (attributes, is_complete) = match &annotation.attributes {
        Attributes::Missing => (Map::new(), true),
        Attributes::Wrong => (Map::new(), false),
        Attributes::Object(fields) => storable(fields),
    };
    if !is_complete {
        notes.push(Note::AttributesLeftOut);
    }
    let (mut metadata, is_complete) = storable(&annotation.others.fields);
    let own = metadata.len() + attributes.len();
    metadata.extend(attributes);
    if !is_complete || annotation.others.has_unusable || metadata.len() < own {
        notes.push(Note::FieldsLeftOut);
    }
    metadata
}

/// The fields that a manifest can store, and whether those are all.
fn storable(fields: &Map<String, Value>) -> (Map<String, Value>, bool) {
    if fields.is_empty() {
        return (Map::new(), true);
    }
    let json = Json::from_value(&Value::Object(fields.clone()));
    let Some(Value::Object(mut stored)) = declarable(&json) else {
        return (Map::new(), false);
    };
    // This key is reserved: it links the annotations of one object.
    let is_taken = stored.remove(pieces::PART_OF).is_some();
    let is_complete = stored.len() == fields.len() && !is_taken;
    (stored, is_complete)
}

#[cfg(test)]
mod tests;
