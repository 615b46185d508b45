//! Collects the images and objects of a file: names inputs and concepts, converts shapes, keeps the account.
//!
//! Every object that a reader finds goes to [`Builder::object`] or [`Builder::left_out`].

use super::account::{ImageInfo, Imported, ImportedInput, Media, Note, SkipCode, Skipped};
use super::error::ImportError;
use super::input_id::{ImageName, InputIdFrom, collisions, image_location, input_id};
use super::options::{ConceptNames, ImportOptions, Scores};
use super::pieces;
use super::place::{Extent, NotPlaced, Shape, place, skip};
use crate::manifest::write::declarable;
use crate::model::{
    Concept, ConceptId, Concepts, Content, DesiredAnnotation, DesiredInput, Geometry, Identity,
    InputId, Json, Key, Origin, Undeclared, escape,
};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An image, a video or a text of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    /// Its path or URL in the file.
    pub(super) file_name: Option<String>,
    /// Its own id in the file.
    pub(super) own_id: Option<String>,
    /// The input's id, for a format that has one: then no id is made.
    pub(super) input: Option<InputId>,
    /// In pixels.
    pub(super) size: Option<(u32, u32)>,
    pub(super) media: Media,
    pub(super) place: Place,
}

/// Where a picture is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// Its file name is its path or its URL.
    #[default]
    FileName,
    /// At this path. The file name has an ending as well.
    Path(String),
    /// Not known: the file name has no ending, and the manifest gets no path.
    Unknown,
}

/// Refers to a picture of the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PictureAt(usize);

/// An object of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// Names it in the account: its id, or `number 8`.
    pub(super) name: String,
    /// The key that the annotation gets. Only an object of one shape may have one.
    pub(super) key: Option<Key>,
    /// Class names as the file has them, with values from 0 to 1. A class that comes again is ignored.
    pub(super) concepts: Vec<(String, f64)>,
    /// Becomes the value of the concepts, or is left out, as the options say.
    pub(super) score: Option<f64>,
    /// Several become several annotations, linked by `part_of`.
    pub(super) shapes: Vec<Shape>,
    /// In pixels, or in fractions.
    pub(super) units: Units,
    pub(super) metadata: Map<String, Value>,
    /// Frame, track, status, user. Its geometry is ignored; its concepts and metadata are taken unchanged where the
    /// object has none.
    pub(super) content: Content,
    /// What the reader changed.
    pub(super) notes: Vec<Note>,
}

/// An object, or why it is left out.
#[derive(Debug)]
pub(super) enum Found {
    Object(Box<Object>),
    /// Its name in the account.
    LeftOut(String, NotPlaced),
}

impl Found {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Object(object) => &object.name,
            Self::LeftOut(name, _) => name,
        }
    }
}

/// What the coordinates of an object are measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Units {
    /// Needs the size of the image.
    #[default]
    Pixels,
    Fractions,
}

struct Entry {
    /// Index of the input; `None` if the picture was left out.
    input: Option<usize>,
    size: Option<(u32, u32)>,
    name: String,
    /// What its input's id is made from: file name and own id.
    names: Names,
    /// The file that has it, if the reader says.
    file: Option<Arc<str>>,
    has_guessed_time: bool,
}

/// What an input's id is made from.
#[derive(Debug, Default)]
struct Names {
    file_name: Option<String>,
    has_ending: bool,
    own_id: Option<String>,
    /// The input's id, if the file has one.
    fixed: Option<InputId>,
}

pub(super) struct Builder<'o> {
    options: &'o ImportOptions,
    imported: Imported,
    pictures: Vec<Entry>,
    /// The file that is read.
    file: Option<Arc<str>>,
    /// By name in the file, each as the list of the concept alone with the value 1: most objects share it.
    concepts: HashMap<String, Option<Concepts>>,
}

impl<'o> Builder<'o> {
    pub(super) fn new(options: &'o ImportOptions) -> Self {
        Self {
            options,
            imported: Imported::default(),
            pictures: Vec::new(),
            file: None,
            concepts: HashMap::new(),
        }
    }

    /// Pictures that follow are in this file.
    pub(super) fn set_file(&mut self, path: &str) {
        self.file = Some(path.into());
    }

    pub(super) fn options(&self) -> &'o ImportOptions {
        self.options
    }

    pub(super) fn note(&mut self, code: Note, place: impl Into<String>) {
        self.imported.note(code, place);
    }

    /// Registers a category of the file, used or not. `place` names it in the account.
    pub(super) fn category(&mut self, name: &str, place: &str) {
        self.imported.categories += 1;
        if self.concepts.contains_key(name) {
            return;
        }
        let names = self.options.concepts;
        let text = concept_name(names, name);
        if names == ConceptNames::AsNamed && text != name {
            self.note(Note::CategoryNameTrimmed, place);
        }
        let concept = ConceptId::new(text).ok();
        if let Some(concept) = &concept
            && !self.imported.concepts.insert(concept.clone())
        {
            self.note(Note::CategoriesShareConcept, place);
        }
        let alone = concept.map(|id| Concepts::from(Concept { id, value: 1.0 }));
        self.concepts.insert(name.to_owned(), alone);
    }

    /// The concept of a class name, with the value 1. Names that no category has are registered.
    fn concept(&mut self, name: &str) -> Result<Concepts, NotPlaced> {
        if !self.concepts.contains_key(name) {
            self.category(name, &format!("{name:?}"));
        }
        self.concepts[name].clone().ok_or_else(|| {
            let detail = format!("the category's name is {name:?}");
            skip(SkipCode::CategoryWithoutName, detail)
        })
    }

    /// The concepts of class names with their values, or with the score as the value of each.
    fn concepts(
        &mut self,
        classes: &[(String, f64)],
        score: Option<f64>,
    ) -> Result<Concepts, NotPlaced> {
        let mut named: Vec<Concept> = Vec::new();
        for (name, value) in classes {
            let alone = self.concept(name)?;
            let value = score.unwrap_or(*value);
            if !(0.0..=1.0).contains(&value) {
                let detail = format!("the score of {name:?} is {value}");
                return Err(skip(SkipCode::WrongScore, detail));
            }
            // `+ 0.0` turns -0.0 into 0.0.
            let value = value as f32 + 0.0;
            if classes.len() == 1 && value.to_bits() == 1.0_f32.to_bits() {
                return Ok(alone);
            }
            for Concept { id, .. } in &alone {
                if named.iter().all(|known| known.id != *id) {
                    let id = id.clone();
                    named.push(Concept { id, value });
                }
            }
        }
        Ok(Concepts::new(named).expect("each concept is named once"))
    }

    /// Adds a picture, which is declared even if it has no objects. One without a usable name is left out with its
    /// objects.
    pub(super) fn picture(&mut self, picture: Picture) -> PictureAt {
        let name = (picture.file_name.clone())
            .or_else(|| picture.own_id.clone())
            .or_else(|| Some(picture.input.as_ref()?.to_string()))
            .unwrap_or_else(|| number_name(self.imported.images));
        let images = self.options.images.as_deref();
        let path = match &picture.place {
            Place::FileName => picture.file_name.as_deref(),
            Place::Path(path) => Some(path.as_str()),
            Place::Unknown => None,
        };
        let place = path.map(|path| image_location(images, path));
        let (path, url) = place.unwrap_or_default();
        let names = Names {
            has_ending: picture.place != Place::Unknown,
            file_name: picture.file_name,
            own_id: picture.own_id,
            fixed: picture.input,
        };
        let id = match named_input(self.options.input_id, &names) {
            Ok(id) => id,
            Err(NotPlaced { code, detail }) => {
                return self.unusable_picture(names.own_id, name, code, detail);
            }
        };
        self.imported.inputs.push(ImportedInput {
            input: DesiredInput {
                undeclared: Undeclared::Managed,
                id,
                annotations: Vec::new(),
                origin: Origin {
                    input: self.imported.images as u32,
                    ..Origin::default()
                },
            },
            media: picture.media,
            image: ImageInfo {
                path,
                url,
                size: picture.size,
            },
            left_out: 0,
            left_out_as: Vec::new(),
        });
        let input = Some(self.imported.inputs.len() - 1);
        self.push(Entry {
            input,
            size: picture.size,
            name,
            names,
            file: self.file.clone(),
            has_guessed_time: false,
        })
    }

    /// Adds a picture that cannot be an input. Its objects are left out with it.
    pub(super) fn unusable_picture(
        &mut self,
        own_id: Option<String>,
        name: String,
        code: SkipCode,
        detail: String,
    ) -> PictureAt {
        self.imported.skipped.push(Skipped {
            code,
            annotation: None,
            image: Some(name.clone()),
            detail,
        });
        self.push(Entry {
            input: None,
            size: None,
            name,
            names: Names {
                own_id,
                ..Names::default()
            },
            file: self.file.clone(),
            has_guessed_time: false,
        })
    }

    /// Counts a picture that is not annotated yet. It is not declared.
    pub(super) fn not_annotated(&mut self, name: &str) {
        self.imported.images += 1;
        self.note(Note::NotAnnotated, name);
    }

    /// Counts a file of several that cannot be read. Its pictures are not declared.
    pub(super) fn unreadable_file(&mut self, path: &str, error: &ImportError) {
        let detail = escape(&error.to_string()).into_owned();
        self.unusable_picture(None, path.to_owned(), SkipCode::UnreadableFile, detail);
    }

    /// Leaves out an object that was not asked for, or that does not count. Its picture stays complete.
    pub(super) fn set_aside(
        &mut self,
        picture: &str,
        object: String,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.imported.skipped.push(Skipped {
            code,
            annotation: Some(object),
            image: Some(picture.to_owned()),
            detail,
        });
    }

    fn push(&mut self, entry: Entry) -> PictureAt {
        self.imported.images += 1;
        self.pictures.push(entry);
        PictureAt(self.pictures.len() - 1)
    }

    /// Reserves memory for this many objects of a picture, so that its list is not moved as it grows.
    pub(super) fn reserve(&mut self, at: PictureAt, objects: usize) {
        if let Some(input) = self.pictures[at.0].input {
            let input = &mut self.imported.inputs[input].input;
            input.annotations.reserve_exact(objects);
        }
    }

    /// The name of a picture in the account.
    pub(super) fn name(&self, at: PictureAt) -> &str {
        &self.pictures[at.0].name
    }

    /// In pixels.
    pub(super) fn size(&self, at: PictureAt) -> Option<(u32, u32)> {
        self.pictures[at.0].size
    }

    /// Objects may belong to any picture: no input counts as complete.
    pub(super) fn unassigned(&mut self) {
        self.imported.unassigned += 1;
    }

    /// Leaves out an object. Without a picture, it may belong to any: then no input counts as complete.
    pub(super) fn left_out(
        &mut self,
        at: Option<PictureAt>,
        object: String,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.skip_object(at, None, object, NotPlaced { code, detail });
    }

    /// Leaves out an object that names a picture which the file does not have.
    pub(super) fn left_out_of(
        &mut self,
        picture: Option<String>,
        object: String,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.skip_object(None, picture, object, NotPlaced { code, detail });
    }

    fn skip_object(
        &mut self,
        at: Option<PictureAt>,
        picture: Option<String>,
        object: String,
        why: NotPlaced,
    ) {
        let entry = at.map(|at| &self.pictures[at.0]);
        let why = match entry {
            None => {
                self.imported.unassigned += 1;
                why
            }
            Some(Entry {
                input: Some(input), ..
            }) => {
                let input = &mut self.imported.inputs[*input];
                input.left_out += 1;
                let NotPlaced { code, detail } = &why;
                input.left_out_as.push(format!("{code}: {detail}"));
                why
            }
            // There is no input that could be incomplete.
            Some(_) => skip(SkipCode::ImageLeftOut, "its image was left out"),
        };
        self.imported.skipped.push(Skipped {
            code: why.code,
            annotation: Some(object),
            image: entry.map(|entry| entry.name.clone()).or(picture),
            detail: why.detail,
        });
    }

    /// Adds what was found on a picture.
    pub(super) fn found(&mut self, at: PictureAt, found: Found) {
        match found {
            Found::Object(object) => self.object(at, *object),
            Found::LeftOut(name, why) => self.left_out(Some(at), name, why.code, why.detail),
        }
    }

    /// Adds an object of a picture, or leaves it out and says why.
    pub(super) fn object(&mut self, at: PictureAt, object: Object) {
        self.imported.annotations += 1;
        match self.add(at, &object) {
            Ok(()) => self.imported.taken_over += 1,
            Err(why) => self.skip_object(Some(at), None, object.name, why),
        }
    }

    fn add(&mut self, at: PictureAt, object: &Object) -> Result<(), NotPlaced> {
        let Some(input) = self.pictures[at.0].input else {
            return Err(skip(SkipCode::ImageLeftOut, ""));
        };
        let score = match self.options.scores {
            Scores::Values => object.score,
            Scores::LeaveOut => None,
        };
        let concepts = self.concepts(&object.concepts, score)?;
        let extent = match (object.units, self.pictures[at.0].size) {
            (Units::Fractions, _) => Extent::Fractions,
            (Units::Pixels, Some((width, height))) => Extent::Pixels(width, height),
            (Units::Pixels, None) => {
                let needs_size = |shape: &Shape| !matches!(shape, Shape::Whole | Shape::Done(_));
                if object.shapes.iter().any(needs_size) {
                    let detail = "its image has no width and height in whole pixels";
                    return Err(skip(SkipCode::ImageWithoutSize, detail));
                }
                Extent::Fractions
            }
        };
        let mut notes = Vec::new();
        let mut geometries = Vec::new();
        for shape in &object.shapes {
            place(shape, extent, self.options, &mut geometries, &mut notes)?;
        }
        if object.score.is_some() && score.is_none() {
            notes.push(Note::ScoreLeftOut);
        }
        let (metadata, is_complete) = storable(&object.metadata);
        notes.extend(&object.notes);
        if !is_complete && !notes.contains(&Note::FieldsLeftOut) {
            notes.push(Note::FieldsLeftOut);
        }
        let entry = &mut self.pictures[at.0];
        for note in notes {
            let place = match note {
                // A note of the video, not of each of its tracks.
                Note::GuessedTime if entry.has_guessed_time => continue,
                Note::GuessedTime => {
                    entry.has_guessed_time = true;
                    entry.name.clone()
                }
                _ => format!("annotation {}, {}", object.name, entry.name),
            };
            self.imported.note(note, place);
        }
        let input = &mut self.imported.inputs[input].input;
        let metadata = pieces::metadata(&geometries, &concepts, metadata);
        let own = &object.content;
        let metadata = metadata.or_else(|| own.metadata.clone());
        let concepts = (!concepts.is_empty()).then_some(concepts);
        let concepts = concepts.or_else(|| own.concepts.clone());
        for geometry in geometries {
            input.annotations.push(DesiredAnnotation {
                identity: (object.key.clone()).map_or(Identity::Content, Identity::Key),
                content: Content {
                    // A manifest declares a whole input by naming no place.
                    geometry: Some(geometry).filter(|it| *it != Geometry::Whole),
                    concepts: concepts.clone(),
                    metadata: metadata.clone(),
                    ..own.clone()
                },
                origin: Origin {
                    annotation: input.annotations.len() as u32,
                    ..input.origin
                },
            });
        }
        Ok(())
    }

    /// Fails if two pictures have the same input id.
    pub(super) fn check_ids(&self) -> Result<(), ImportError> {
        let named: Vec<(&Entry, &InputId)> = self
            .pictures
            .iter()
            .filter_map(|entry| Some((entry, &self.imported.inputs[entry.input?].input.id)))
            .collect();
        let images = named.iter().map(|(entry, id)| (id.as_str(), *entry));
        let collisions = collisions(images, |entry| ImageName {
            name: entry.name.clone(),
            file: entry.file.as_deref().map(str::to_owned),
        });
        if collisions.is_empty() {
            return Ok(());
        }
        let choices = InputIdFrom::ALL
            .into_iter()
            .filter(|choice| gives_unique_ids(*choice, &named))
            .collect();
        Err(ImportError::SameInput {
            collisions,
            choices,
        })
    }

    /// The result, with inputs sorted by id.
    ///
    /// # Errors
    ///
    /// If two pictures have the same input id.
    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        self.check_ids()?;
        self.imported
            .inputs
            .sort_by(|a, b| a.input.id.cmp(&b.input.id));
        Ok(self.imported)
    }
}

/// Whether all of these pictures get different ids.
fn gives_unique_ids(choice: InputIdFrom, pictures: &[(&Entry, &InputId)]) -> bool {
    let ids: Option<BTreeSet<InputId>> = pictures
        .iter()
        .map(|(entry, _)| named_input(choice, &entry.names).ok())
        .collect();
    ids.is_some_and(|ids| ids.len() == pictures.len())
}

fn named_input(from: InputIdFrom, names: &Names) -> Result<InputId, NotPlaced> {
    if let Some(id) = &names.fixed {
        return Ok(id.clone());
    }
    let file_name = names.file_name.as_deref();
    let own_id = names.own_id.as_deref();
    let text = match file_name {
        // What follows a dot is part of the name, so an ending is given to be cut.
        Some(name) if !names.has_ending && from != InputIdFrom::FileName => {
            input_id(from, Some(&format!("{name}.jpg")), own_id)
        }
        _ => input_id(from, file_name, own_id),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let missing = match from {
            InputIdFrom::ImageId => "it has no id",
            _ => "it has no usable file name",
        };
        return Err(skip(SkipCode::ImageWithoutName, missing));
    };
    InputId::new(text.clone())
        .map_err(|error| skip(SkipCode::InvalidInputId, format!("{text:?}: {error}")))
}

/// The display name of an entry without name or id.
pub(super) fn number_name(index: usize) -> String {
    format!("number {}", index + 1)
}

fn concept_name(names: ConceptNames, name: &str) -> String {
    match names {
        ConceptNames::AsNamed => name.trim().to_owned(),
        ConceptNames::Slug => name
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("-"),
    }
}

/// The fields that a manifest can store, and whether those are all.
pub(super) fn storable(fields: &Map<String, Value>) -> (Map<String, Value>, bool) {
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
