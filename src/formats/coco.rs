//! COCO instances -> inputs with annotations, in fractions of the image.
//!
//! Holds the rules of the import. How the JSON is read stands in `coco/raw.rs`, where an annotation lies in
//! `coco/place.rs`, what an input is called in `coco/name.rs`, what comes out in `coco/account.rs`. Nothing is dropped in silence: each
//! annotation of the file is either an annotation of the result or in [`Imported::skipped`]. COCO's own ids are not
//! used as identity, since tools renumber them; categories carry over by name. Uses `model`.

mod account;
mod name;
mod place;
mod raw;

use crate::model::{
    Concept, ConceptId, Concepts, Content, DesiredAnnotation, DesiredInput, Identity, Origin, Rest,
};
pub use account::{ImageInfo, Imported, ImportedInput, Note, SkipCode, Skipped};
pub use name::Collision;
use place::Size;
use raw::{Annotation, Category, File, Image, Item};
use std::collections::HashMap;

/// What an input is called after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputIdFrom {
    /// The file name without folders and ending; with as many folders in front as it takes to tell two apart.
    #[default]
    FileStem,
    /// The file name as the file has it.
    FileName,
    /// The image's id.
    ImageId,
}

/// How a category's name becomes a concept's id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConceptNames {
    /// As it is, without white space at its ends.
    #[default]
    AsNamed,
    /// In lower case, with a dash for whatever is neither a letter nor a digit.
    Slug,
}

/// What happens to what reaches out of the image by more than [`EDGE_TOLERANCE`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overhang {
    /// It is left out.
    #[default]
    LeaveOut,
    /// It is clipped to the image; what lies wholly outside is left out.
    Clip,
}

/// How far a coordinate may lie outside the image to count as being on its edge: rounding, in fractions of the image.
pub const EDGE_TOLERANCE: f64 = 1e-6;

/// How to import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CocoOptions {
    /// What an input is called after.
    pub input_id: InputIdFrom,
    /// How a category's name becomes a concept's id.
    pub concepts: ConceptNames,
    /// What happens to what reaches out of the image.
    pub overhang: Overhang,
    /// The folder that the images are in, as the manifest is to name it; goes in front of each file name.
    pub images: Option<String>,
}

/// Why a file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum CocoError {
    /// It is no JSON, or not of COCO's form.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 before the first character of the line.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Images that would become the same input.
    #[error("{}", name::describe(.0))]
    SameInput(Vec<Collision>),
    /// Two images with one id: what refers to it could mean either.
    #[error("two images have the id {id:?}: {first:?} and {second:?}")]
    SameImageId {
        /// The id.
        id: String,
        /// File name of the first image.
        first: String,
        /// File name of the second image.
        second: String,
    },
    /// Two categories with one id and different names: what refers to it could mean either.
    #[error("two categories have the id {id:?}: {first:?} and {second:?}")]
    SameCategoryId {
        /// The id.
        id: String,
        /// Name of the first category.
        first: String,
        /// Name of the second category.
        second: String,
    },
}

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
        if let Err(skipped) = take_over(index, item, &concepts, &places, options, &mut imported) {
            imported.skipped.push(skipped);
        }
    }
    imported.inputs.sort_by(|a, b| a.input.id.cmp(&b.input.id));
    Ok(imported)
}

/// A category's concept, or the name that cannot be one.
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
        let Some(id) = category.id.label() else {
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
            imported.note(Note::CategoryNameTrimmed);
        }
        let concept = ConceptId::new(text).map_err(|_| name.clone());
        if let Ok(concept) = &concept
            && !imported.concepts.insert(concept.clone())
        {
            imported.note(Note::CategoriesShareConcept);
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

/// Where the annotations of an image go.
struct Place {
    /// Index of the input; nothing where the image was left out.
    input: Option<usize>,
    size: Option<Size>,
    name: String,
}

fn inputs(
    file: &File,
    options: &CocoOptions,
    imported: &mut Imported,
) -> Result<HashMap<String, Place>, CocoError> {
    let empty = Image::default();
    let images: Vec<&Image> = file
        .images
        .iter()
        .map(|item| match item {
            Item::Entry(image) => image,
            Item::Wrong(_) => &empty,
        })
        .collect();
    let ids = name::input_ids(&images, options.input_id).map_err(CocoError::SameInput)?;
    let mut places: HashMap<String, Place> = HashMap::new();
    for (index, ((item, image), id)) in file.images.iter().zip(images).zip(ids).enumerate() {
        let label = image.id.label();
        let file_name = image.file_name.label();
        let shown = file_name
            .clone()
            .or_else(|| label.clone())
            .unwrap_or_else(|| format!("images[{index}]"));
        let size = Size::new(&image.width, &image.height);
        let input = match (item, id) {
            (Item::Wrong(found), _) => Err((SkipCode::WrongType, format!("an image is {found}"))),
            (_, None) => Err((
                SkipCode::ImageWithoutName,
                match options.input_id {
                    InputIdFrom::ImageId => "it has no id".to_owned(),
                    _ => "it has no file_name".to_owned(),
                },
            )),
            (_, Some(Err(invalid))) => Err((
                SkipCode::InvalidInputId,
                format!("{:?}: {}", invalid.text, invalid.error),
            )),
            (_, Some(Ok(id))) => {
                imported.inputs.push(ImportedInput {
                    input: DesiredInput {
                        rest: Rest::Managed,
                        id,
                        annotations: Vec::new(),
                        origin: Origin {
                            input: index as u32,
                            ..Origin::default()
                        },
                    },
                    image: ImageInfo {
                        path: file_name.map(|name| name::path(options.images.as_deref(), &name)),
                        size: size.map(Size::pixels),
                    },
                });
                Ok(imported.inputs.len() - 1)
            }
        };
        let place = Place {
            input: input.as_ref().ok().copied(),
            size,
            name: shown,
        };
        if let Err((code, detail)) = input {
            imported.skipped.push(Skipped {
                code,
                annotation: None,
                image: Some(place.name.clone()),
                detail,
            });
        }
        let Some(label) = label else { continue };
        if let Some(first) = places.get(&label) {
            return Err(CocoError::SameImageId {
                id: label,
                first: first.name.clone(),
                second: place.name,
            });
        }
        places.insert(label, place);
    }
    Ok(places)
}

fn take_over(
    index: usize,
    item: &Item<Annotation>,
    concepts: &ConceptsById,
    places: &HashMap<String, Place>,
    options: &CocoOptions,
    imported: &mut Imported,
) -> Result<(), Skipped> {
    let skip = |code, annotation: Option<String>, image: Option<String>, detail: String| Skipped {
        code,
        annotation: annotation.or_else(|| Some(format!("annotations[{index}]"))),
        image,
        detail,
    };
    let annotation = match item {
        Item::Entry(annotation) => annotation,
        Item::Wrong(found) => {
            let detail = format!("an annotation is {found}");
            return Err(skip(SkipCode::WrongType, None, None, detail));
        }
    };
    let id = || annotation.id.label();
    let image_id = annotation.image_id.label();
    let Some(place) = image_id.as_ref().and_then(|id| places.get(id)) else {
        let detail = format!("image_id is {}", shown(image_id.as_deref()));
        return Err(skip(SkipCode::UnknownImage, id(), image_id, detail));
    };
    let skip = |code, detail| skip(code, id(), Some(place.name.clone()), detail);
    let Some(input) = place.input else {
        return Err(skip(
            SkipCode::ImageLeftOut,
            "its image was left out".to_owned(),
        ));
    };
    let category = annotation.category_id.label();
    let concept = match category.as_ref().and_then(|id| concepts.get(id)) {
        Some(Ok(concept)) => concept.clone(),
        Some(Err(name)) => {
            let detail = format!("the category's name is {name:?}");
            return Err(skip(SkipCode::CategoryWithoutName, detail));
        }
        None => {
            let detail = format!("category_id is {}", shown(category.as_deref()));
            return Err(skip(SkipCode::UnknownCategory, detail));
        }
    };
    let Some(size) = place.size else {
        let detail = "its image has no width and height in whole pixels".to_owned();
        return Err(skip(SkipCode::ImageWithoutSize, detail));
    };
    let found = place::place(annotation, size, options.overhang)
        .map_err(|place::NotPlaced { code, detail }| skip(code, detail))?;

    let also = [
        (annotation.keypoints.0, Note::KeypointsLeftOut),
        (annotation.attributes.0, Note::AttributesLeftOut),
    ];
    let also = also.into_iter().filter(|(has, _)| *has).map(|(_, n)| n);
    found
        .notes
        .into_iter()
        .chain(also)
        .for_each(|note| imported.note(note));

    let input = &mut imported.inputs[input].input;
    let concepts = Concepts::new(vec![Concept {
        id: concept,
        value: 1.0,
    }])
    .expect("one concept is named once");
    input.annotations.push(DesiredAnnotation {
        identity: Identity::Content,
        content: Content {
            geometry: Some(found.geometry),
            concepts: Some(concepts),
            ..Content::default()
        },
        origin: Origin {
            annotation: input.annotations.len() as u32,
            ..input.origin
        },
    });
    Ok(())
}

fn shown(label: Option<&str>) -> String {
    label.map_or_else(|| "missing".to_owned(), |label| format!("{label:?}"))
}

#[cfg(test)]
mod tests;
