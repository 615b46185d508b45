//! Collects the images and objects of a file: names inputs and concepts, converts shapes, keeps the account.
//!
//! Every object that a reader finds goes to [`Builder::object`] or [`Builder::left_out`].

mod object;
mod picture;
mod vocabulary;

use super::account::{ImageInfo, Imported, ImportedInput, Note, SkipCode, Skipped};
use super::error::ImportError;
use super::input_id::{ImageName, InputIdFrom, collisions, image_location};
use super::options::ImportOptions;
use super::pieces;
use super::place::{NotPlaced, skip};
use crate::model::{
    Content, DesiredAnnotation, DesiredInput, Geometry, Identity, InputId, Origin, Undeclared,
    escape,
};
use object::Places;
pub(super) use object::{Found, Object, ObjectName, Placed, Ready, Shapes, Units, storable};
use picture::{Names, gives_unique_ids, named_input};
pub(super) use picture::{Picture, Place, number_name};
use std::sync::Arc;
use vocabulary::Vocabulary;
pub(super) use vocabulary::{Class, ClassAt};

/// Refers to a picture of the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PictureAt(usize);

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

pub(super) struct Builder<'o> {
    options: &'o ImportOptions,
    imported: Imported,
    pictures: Vec<Entry>,
    /// The file that is read.
    file: Option<Arc<str>>,
    vocabulary: Vocabulary,
}

impl<'o> Builder<'o> {
    pub(super) fn new(options: &'o ImportOptions) -> Self {
        Self {
            options,
            imported: Imported::default(),
            pictures: Vec::new(),
            file: None,
            vocabulary: Vocabulary::new(options.concepts),
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
    pub(super) fn category(&mut self, name: &str, place: &str) -> ClassAt {
        (self.vocabulary).category(name, place, &mut self.imported)
    }

    /// The class of this name, to be registered once an object of it is added.
    pub(super) fn class(&self, name: &str) -> Class {
        let known = self.vocabulary.find(name);
        known.map_or_else(|| name.to_owned().into(), Class::Known)
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
            has_extension: picture.place != Place::Unknown,
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
        object: &ObjectName,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.imported.skipped.push(Skipped {
            code,
            annotation: Some(object.to_string()),
            image: Some(picture.to_owned()),
            detail,
        });
    }

    fn push(&mut self, entry: Entry) -> PictureAt {
        self.imported.images += 1;
        self.pictures.push(entry);
        PictureAt(self.pictures.len() - 1)
    }

    /// Reserves memory for the first objects of a picture, so that its list is not moved as it grows.
    pub(super) fn reserve(&mut self, at: PictureAt, objects: usize) {
        if let Some(input) = self.pictures[at.0].input {
            let annotations = &mut self.imported.inputs[input].input.annotations;
            if annotations.capacity() == 0 {
                annotations.reserve_exact(objects);
            }
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
        object: impl Into<ObjectName>,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.skip_object(at, None, &object.into(), NotPlaced { code, detail });
    }

    /// Leaves out an object that names a picture which the file does not have.
    pub(super) fn left_out_of(
        &mut self,
        picture: Option<String>,
        object: impl Into<ObjectName>,
        code: SkipCode,
        detail: String,
    ) {
        self.imported.annotations += 1;
        self.skip_object(None, picture, &object.into(), NotPlaced { code, detail });
    }

    fn skip_object(
        &mut self,
        at: Option<PictureAt>,
        picture: Option<String>,
        object: &ObjectName,
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
            annotation: Some(object.to_string()),
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
        let placed = object.placed(self.size(at), self.options);
        self.ready(at, Ok(placed));
    }

    /// Adds what was found on a picture of which the size was known.
    pub(super) fn ready(&mut self, at: PictureAt, ready: Ready) {
        match ready {
            Ok(placed) => self.placed(at, placed),
            Err((name, why)) => self.left_out(Some(at), name, why.code, why.detail),
        }
    }

    fn placed(&mut self, at: PictureAt, mut object: Placed) {
        self.imported.annotations += 1;
        let name = std::mem::take(&mut object.name);
        match self.add(at, &name, object) {
            Ok(()) => self.imported.taken_over += 1,
            Err(why) => self.skip_object(Some(at), None, &name, why),
        }
    }

    fn add(&mut self, at: PictureAt, name: &ObjectName, object: Placed) -> Result<(), NotPlaced> {
        let entry = &mut self.pictures[at.0];
        let Some(input) = entry.input else {
            return Err(skip(SkipCode::ImageLeftOut, ""));
        };
        let imported = &mut self.imported;
        let concepts = (self.vocabulary).concepts(&object.concepts, object.score, imported)?;
        let Places {
            geometries,
            metadata,
            notes,
        } = object.places?;
        for note in notes {
            let place = match note {
                // A note of the video, not of each of its tracks.
                Note::GuessedTime if entry.has_guessed_time => continue,
                Note::GuessedTime => {
                    entry.has_guessed_time = true;
                    entry.name.clone()
                }
                _ => format!("annotation {name}, {}", entry.name),
            };
            imported.note(note, place);
        }
        let input = &mut imported.inputs[input].input;
        let mut content = object.content.map_or_else(Content::default, |it| *it);
        if let Some(metadata) = pieces::metadata(&geometries, &concepts, metadata) {
            content.rare.change(|rare| rare.metadata = Some(metadata));
        }
        if !concepts.is_empty() {
            content.concepts = Some(concepts);
        }
        let count = geometries.len();
        for (mut content, geometry) in std::iter::repeat_n(content, count).zip(geometries) {
            // A manifest declares a whole input by naming no place.
            content.geometry = Some(geometry).filter(|it| *it != Geometry::Whole);
            input.annotations.push(DesiredAnnotation {
                identity: (object.key.clone()).map_or(Identity::Content, Identity::Key),
                content,
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
        let inputs: Vec<&Names> = named.iter().map(|(entry, _)| &entry.names).collect();
        let choices = InputIdFrom::ALL
            .into_iter()
            .filter(|choice| gives_unique_ids(*choice, &inputs))
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
