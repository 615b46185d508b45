//! What every export shares: which annotations a format can hold, the account, names of files, numbers.
//!
//! Every annotation is either written or in [`Exported::skipped`]; what is changed is in [`Exported::notes`].

mod held;
mod numbers;
mod safe_path;

use super::account::{ConversionNote, ImageInfo, Media, Note, SkipCode, Skipped};
use super::format::Format;
use super::input_id::{InputIdFrom, input_id};
use crate::model::{ConceptId, Concepts, InputId};
pub use held::ExportAnnotation;
use held::has_state;
pub(super) use held::{Holds, Item, Whole};
pub(super) use numbers::{pixels, shortest};
use safe_path::safe_path;
use std::collections::{BTreeMap, BTreeSet};

/// An input to export.
#[derive(Debug, Clone)]
pub struct ExportInput {
    pub id: InputId,
    pub media: Media,
    /// The path as it is to be named in the export.
    pub image: ImageInfo,
    pub annotations: Vec<ExportAnnotation>,
    /// Such as `train`.
    pub split: Option<String>,
}

/// The result of an export.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// Paths relative to the output folder, with `/` on every system, and bytes. Paths are unique and stay in the
    /// folder.
    pub files: Vec<(String, Vec<u8>)>,
    /// What was left out, in the order of the inputs.
    pub skipped: Vec<Skipped>,
    /// What was changed, in the order of the inputs.
    pub notes: Vec<ConversionNote>,
    /// The classes in the order of their numbers.
    pub classes: Vec<ConceptId>,
    pub inputs: usize,
    pub annotations: usize,
    /// How many annotations were written.
    pub written: usize,
}

#[derive(Debug)]
pub(super) struct Writer {
    format: Format,
    holds: Holds,
    exported: Exported,
    class_numbers: BTreeMap<ConceptId, usize>,
    paths: BTreeSet<String>,
    /// How many annotations the inputs have that are in the files.
    counts: BTreeMap<String, usize>,
    /// The folder of the files that follow; empty for the top folder.
    prefix: String,
}

impl Writer {
    /// `classes` come first, in this order; the other concepts of the inputs follow, sorted.
    pub(super) fn new(
        format: Format,
        holds: Holds,
        inputs: &[ExportInput],
        classes: &[ConceptId],
    ) -> Self {
        let mut all: Vec<ConceptId> = Vec::new();
        let mut class_numbers = BTreeMap::new();
        let used: BTreeSet<&ConceptId> = inputs
            .iter()
            .flat_map(|input| &input.annotations)
            .flat_map(|annotation| annotation.content.concepts.iter().flat_map(Concepts::iter))
            .map(|concept| &concept.id)
            .collect();
        for class in classes.iter().chain(used) {
            if !class_numbers.contains_key(class) {
                class_numbers.insert(class.clone(), all.len());
                all.push(class.clone());
            }
        }
        Self {
            format,
            holds,
            exported: Exported {
                classes: all,
                ..Exported::default()
            },
            class_numbers,
            paths: BTreeSet::new(),
            counts: BTreeMap::new(),
            prefix: String::new(),
        }
    }

    /// The classes in the order of their numbers.
    pub(super) fn classes(&self) -> &[ConceptId] {
        &self.exported.classes
    }

    /// Files that follow are written below this folder.
    pub(super) fn set_folder(&mut self, folder: &str) {
        folder.clone_into(&mut self.prefix);
    }

    /// The annotations of an input whose kind and values the format can hold. For a format that holds several concepts of
    /// a place, or none.
    pub(super) fn annotations<'e>(&mut self, input: &'e ExportInput) -> Vec<Whole<'e>> {
        self.start(input);
        let mut all = Vec::new();
        for annotation in &input.annotations {
            self.exported.annotations += 1;
            match self.holds.held(self.format, annotation) {
                Ok(whole) => all.push(whole),
                Err((code, detail)) => {
                    self.skip(&annotation.name, input, code, detail);
                    continue;
                }
            }
            self.exported.written += 1;
            if self.format != Format::Jsonl && has_state(&annotation.content) {
                self.note(Note::StateLeftOut, &annotation.name, input);
            }
        }
        all
    }

    /// The objects of an input that the format can hold, one for each concept. The others are left out, with a code.
    /// What is written of them is the caller's to report: geometry in [`Writer::note`], metadata in
    /// [`Writer::metadata_left`].
    pub(super) fn items<'e>(&mut self, input: &'e ExportInput) -> Vec<Item<'e>> {
        self.start(input);
        let mut items = Vec::new();
        for annotation in &input.annotations {
            self.exported.annotations += 1;
            let before = items.len();
            if let Err((code, detail)) = self.split(annotation, &mut items) {
                items.truncate(before);
                self.skip(&annotation.name, input, code, detail);
                continue;
            }
            self.exported.written += 1;
            if items.len() > before + 1 {
                self.note(Note::SplitConcepts, &annotation.name, input);
            }
            if has_state(&annotation.content) {
                self.note(Note::StateLeftOut, &annotation.name, input);
            }
        }
        items
    }

    fn start(&mut self, input: &ExportInput) {
        self.exported.inputs += 1;
        let id = input.id.as_str().to_owned();
        self.counts.insert(id, input.annotations.len());
    }

    /// Leaves out an input with all of its annotations.
    pub(super) fn input_left_out(&mut self, input: &ExportInput, code: SkipCode, detail: &str) {
        self.exported.inputs += 1;
        self.exported.annotations += input.annotations.len();
        for annotation in &input.annotations {
            self.skip(&annotation.name, input, code, detail.to_owned());
        }
        if input.annotations.is_empty() {
            self.exported.skipped.push(Skipped {
                code,
                annotation: None,
                image: Some(input.id.as_str().to_owned()),
                detail: detail.to_owned(),
            });
        }
    }

    /// Says that the files do not name an input that [`Writer::items`] or [`Writer::annotations`] was asked for.
    pub(super) fn not_in_files(&mut self, input: &ExportInput) {
        self.counts.remove(input.id.as_str());
    }

    fn split<'e>(
        &self,
        annotation: &'e ExportAnnotation,
        items: &mut Vec<Item<'e>>,
    ) -> Result<(), (SkipCode, String)> {
        let Whole {
            name,
            content,
            geometry,
            metadata,
            ..
        } = self.holds.held(self.format, annotation)?;
        for concept in content.concepts.iter().flat_map(Concepts::iter) {
            items.push(Item {
                name,
                geometry,
                concept: &concept.id,
                class: self.class_numbers[&concept.id],
                value: concept.value,
                metadata: metadata.clone(),
            });
        }
        if content.concepts.as_ref().is_none_or(Concepts::is_empty) {
            return Err((SkipCode::NoConcept, "it has no concept".to_owned()));
        }
        Ok(())
    }

    /// Leaves out an annotation that [`Writer::items`] gave.
    pub(super) fn left_out(
        &mut self,
        name: &str,
        input: &ExportInput,
        code: SkipCode,
        detail: impl Into<String>,
    ) {
        let is_known = self.exported.skipped.last().is_some_and(|last| {
            last.annotation.as_deref() == Some(name)
                && last.image.as_deref() == Some(input.id.as_str())
        });
        // An annotation with several concepts is several items.
        if is_known {
            return;
        }
        self.exported.written -= 1;
        self.skip(name, input, code, detail.into());
    }

    fn skip(&mut self, name: &str, input: &ExportInput, code: SkipCode, detail: String) {
        self.exported.skipped.push(Skipped {
            code,
            annotation: Some(name.to_owned()),
            image: Some(input.id.as_str().to_owned()),
            detail,
        });
    }

    /// Reports a change of an annotation.
    pub(super) fn note(&mut self, code: Note, name: &str, input: &ExportInput) {
        self.exported.notes.push(ConversionNote {
            code,
            place: format!("annotation {name}, {}", input.id),
        });
    }

    /// Reports metadata that the format did not write.
    pub(super) fn metadata_left(&mut self, item: &Item<'_>, input: &ExportInput) {
        if !item.metadata.is_empty() {
            self.note(Note::MetadataLeftOut, item.name, input);
        }
    }

    /// The image's width and height in pixels, and the items. `None` if the size is unknown: the items are reported as
    /// left out.
    pub(super) fn sized<'e>(
        &mut self,
        input: &'e ExportInput,
    ) -> Option<((u32, u32), Vec<Item<'e>>)> {
        let items = self.items(input);
        let Some(size) = input.image.size else {
            for item in &items {
                let detail = "the size of its image is not known";
                self.left_out(item.name, input, SkipCode::ImageWithoutSize, detail);
            }
            return None;
        };
        Some((size, items))
    }

    /// The image's path in the export: that of the image, else the input's id. Reports an input whose id an import would
    /// not make of that path.
    pub(super) fn file_name(&mut self, input: &ExportInput) -> String {
        let name = picture_name(input).to_owned();
        self.check_id(input, &name);
        name
    }

    /// Reports an input if an import would make a different id from its image's path.
    pub(super) fn check_id(&mut self, input: &ExportInput, path: &str) {
        let id = input_id(InputIdFrom::Path, Some(path), None);
        if id.as_deref() != Some(input.id.as_str()) {
            self.note_input(Note::OtherInputId, input);
        }
    }

    /// Reports an input if an import would make a different id from a file that is named after the id.
    pub(super) fn stem_name(&mut self, input: &ExportInput) {
        let name = format!("{}.jpg", input.id);
        if input_id(InputIdFrom::Path, Some(&name), None).as_deref() != Some(input.id.as_str()) {
            self.note_input(Note::OtherInputId, input);
        }
    }

    /// Reports a change of an input.
    pub(super) fn note_input(&mut self, code: Note, input: &ExportInput) {
        let note = ConversionNote {
            code,
            place: input.id.as_str().to_owned(),
        };
        // A name may differ for two reasons.
        if self.exported.notes.last() == Some(&note) {
            return;
        }
        if code == Note::EmptyLeftOut {
            self.not_in_files(input);
        }
        self.exported.notes.push(note);
    }

    /// The path of a file that was added, if another one would be at the same place.
    pub(super) fn taken(&self, path: &str) -> Option<String> {
        let whole = self.whole_path(path);
        self.paths.contains(&whole.to_lowercase()).then_some(whole)
    }

    fn whole_path(&self, path: &str) -> String {
        let safe = safe_path(path);
        if self.prefix.is_empty() {
            safe
        } else {
            format!("{}/{safe}", safe_path(&self.prefix))
        }
    }

    /// Adds a file. A path that would leave the folder, or that two inputs share, gets a number.
    pub(super) fn file(&mut self, path: &str, bytes: impl Into<Vec<u8>>) -> String {
        let whole = self.whole_path(path);
        let (stem, extension) = match whole.rsplit_once('.') {
            Some((stem, extension)) if !extension.contains('/') => (stem, format!(".{extension}")),
            _ => (whole.as_str(), String::new()),
        };
        let mut unique = whole.clone();
        let mut number = 2_u64;
        // Some file systems do not tell upper from lower case.
        while !self.paths.insert(unique.to_lowercase()) {
            unique = format!("{stem}-{number}{extension}");
            number += 1;
        }
        self.exported.files.push((unique.clone(), bytes.into()));
        unique
    }

    /// Reports the inputs of which nothing was written.
    pub(super) fn finish(mut self) -> Exported {
        let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
        for skipped in &self.exported.skipped {
            if let (Some(id), Some(_)) = (&skipped.image, &skipped.annotation) {
                *left_out.entry(id).or_default() += 1;
            }
        }
        let emptied = self.counts.into_iter().filter(|(id, count)| {
            *count > 0 && left_out.get(id.as_str()).is_some_and(|it| it == count)
        });
        let notes: Vec<ConversionNote> = emptied
            .map(|(place, _)| ConversionNote {
                code: Note::NothingWritten,
                place,
            })
            .collect();
        self.exported.notes.extend(notes);
        self.exported
    }
}

/// The path or the URL of the input's image; its id if it has neither.
pub(super) fn picture_name(input: &ExportInput) -> &str {
    let path = input.image.path.as_deref().or(input.image.url.as_deref());
    path.unwrap_or(input.id.as_str())
}
