//! Open Images CSV <-> inputs with annotations: boxes, and labels of whole images with a value of 0 for those that were
//! verified as absent.
//!
//! Columns are found by their names, so files of all versions can be read. `open_images/table.rs` reads a row.

mod table;
mod write;

use super::account::{Imported, Note, SkipCode};
use super::builder::{Builder, Object, Picture, PictureAt, Place, Units};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::place::{NotPlaced, Shape, skip};
use super::source::{IMAGES, Source, file_name, has_extension, text};
use crate::model::FileKind;
use serde_json::{Map, Value};
use std::collections::HashMap;
use table::{Kind, Row, Table};

use smallvec::smallvec;
pub(super) use write::export;

/// Flags of a box: 1, 0, or -1 if it is not known.
const FLAGS: [&str; 5] = [
    "IsOccluded",
    "IsTruncated",
    "IsGroupOf",
    "IsDepiction",
    "IsInside",
];

/// Imports files of boxes and of labels of images, with the names of the classes in a `class-descriptions.csv`.
pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let files = source.files();
    let is_csv = |path: &&String| files.len() == 1 || has_extension(path, &["csv"]);
    let beside = source.list("");
    let mut reader = Reader {
        source,
        builder: Builder::new(options),
        names: HashMap::new(),
        ids: HashMap::new(),
        places: places(&beside),
        pictures: HashMap::new(),
    };
    let descriptions = beside.iter().filter(|path| has_extension(path, &["csv"]));
    for path in descriptions.filter(|path| kind(source, path) == Some(Kind::Descriptions)) {
        let text = text(source, path)?;
        for (id, name) in table::descriptions(&text) {
            reader.names.entry(id).or_insert(name);
        }
    }
    let labels: Vec<(&String, Kind)> = files
        .iter()
        .filter(is_csv)
        .filter_map(|path| Some((path, kind(source, path)?)))
        .filter(|(_, kind)| *kind != Kind::Descriptions)
        .collect();
    if labels.is_empty() {
        return Err(ImportError::OtherFormat {
            format: Format::OpenImages,
            why: "no file has the columns ImageID and LabelName".to_owned(),
        });
    }
    for (path, kind) in &labels {
        match text(source, path) {
            Ok(text) => reader.file(path, *kind, &text),
            Err(error) if labels.len() == 1 => return Err(error),
            Err(error) => {
                let code = SkipCode::UnreadableFile;
                let name = (*path).clone();
                (reader.builder).unusable_picture(None, name, code, error.to_string());
                // Its rows may belong to any image.
                reader.builder.unassigned();
            }
        }
    }
    reader.report_names();
    reader.builder.finish()
}

/// Whether there is a file with the columns of boxes or of labels.
pub(super) fn recognises(source: &dyn Source) -> bool {
    let mut files = source.files().iter();
    files.any(|path| {
        has_extension(path, &["csv"])
            && matches!(kind(source, path), Some(Kind::Boxes | Kind::Labels))
    })
}

fn kind(source: &dyn Source, path: &str) -> Option<Kind> {
    let head = source.head(path, FileKind::HEAD_BYTES);
    Kind::of(file_name(path), &String::from_utf8_lossy(&head))
}

/// Pictures by their names without extension; `None` if there are several.
fn places(files: &[String]) -> HashMap<String, Option<String>> {
    let mut places = HashMap::new();
    for path in files.iter().filter(|path| has_extension(path, &IMAGES)) {
        let name = file_name(path);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        places
            .entry(stem.to_owned())
            .and_modify(|place| *place = None)
            .or_insert_with(|| Some(path.clone()));
    }
    places
}

struct Reader<'s> {
    source: &'s dyn Source,
    builder: Builder<'s>,
    /// Display names by the ids of classes.
    names: HashMap<String, String>,
    /// The ids of classes that were used, by the name that each got.
    ids: HashMap<String, String>,
    places: HashMap<String, Option<String>>,
    pictures: HashMap<String, PictureAt>,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, kind: Kind, text: &str) {
        let mut table = Table::new(text);
        while let Some((line, row)) = table.next_row() {
            let name = format!("{}:{line}", file_name(path));
            let row = match row {
                Ok(row) => row,
                Err(detail) => {
                    let detail = format!("{path}:{line}: {detail}");
                    self.builder
                        .left_out(None, name, SkipCode::WrongType, detail);
                    continue;
                }
            };
            let Some(id) = row.get("ImageID").filter(|id| !id.is_empty()) else {
                let detail = format!("{path}:{line}: the ImageID is missing");
                (self.builder).left_out_of(None, name, SkipCode::UnknownImage, detail);
                continue;
            };
            if kind == Kind::Relations {
                self.builder.note(Note::RelationsLeftOut, id);
                continue;
            }
            let at = self.picture(id);
            match self.object(&row, kind) {
                Ok(object) => self.builder.object(
                    at,
                    Object {
                        name: name.into(),
                        ..object
                    },
                ),
                Err(NotPlaced { code, detail }) => {
                    let detail = format!("{path}:{line}: {detail}");
                    self.builder.left_out(Some(at), name, code, detail);
                }
            }
        }
    }

    fn picture(&mut self, id: &str) -> PictureAt {
        if let Some(at) = self.pictures.get(id) {
            return *at;
        }
        let path = self.places.get(id).cloned().flatten();
        let size = path.as_deref().and_then(|it| self.source.image_size(it));
        let at = self.builder.picture(Picture {
            file_name: Some(path.as_deref().map_or(id, file_name).to_owned()),
            own_id: Some(id.to_owned()),
            size,
            place: path.map_or(Place::Unknown, Place::Path),
            ..Picture::default()
        });
        self.pictures.insert(id.to_owned(), at);
        at
    }

    fn object(&mut self, row: &Row<'_>, kind: Kind) -> Result<Object, NotPlaced> {
        let id = row.get("LabelName").filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| skip(SkipCode::UnknownCategory, "the LabelName is missing"))?;
        let class = self.names.get(id).map_or(id, String::as_str).to_owned();
        let first = self
            .ids
            .entry(class.clone())
            .or_insert_with(|| id.to_owned());
        if first != id {
            let place = format!("{id} {class:?}");
            self.builder.note(Note::CategoriesShareConcept, place);
        }
        if kind == Kind::Masks {
            return Err(skip(
                SkipCode::OtherShape,
                "a mask in a picture of its own, which is not read",
            ));
        }
        let confidence = match row.get("Confidence") {
            None | Some("") => None,
            Some(text) => {
                let number = table::number(text).filter(|it| (0.0..=1.0).contains(it));
                Some(number.ok_or_else(|| {
                    let detail = format!("the Confidence is {text:?}, not a number from 0 to 1");
                    skip(SkipCode::WrongScore, detail)
                })?)
            }
        };
        let mut metadata = Map::new();
        let by = row.get("Source").filter(|by| !by.is_empty());
        if let Some(by) = by {
            metadata.insert("Source".to_owned(), by.into());
        }
        let mut object = Object {
            units: Units::Fractions,
            ..Object::default()
        };
        if kind == Kind::Boxes {
            let edge = |name: &str| {
                let text = row.get(name).unwrap_or_default();
                let wrong = || {
                    let detail = format!("{name} is {text:?}, not a number");
                    skip(SkipCode::WrongType, detail)
                };
                table::number(text).ok_or_else(wrong)
            };
            let corners = [
                [edge("XMin")?, edge("YMin")?],
                [edge("XMax")?, edge("YMax")?],
            ];
            object.shapes = smallvec![Shape::Box(corners)];
            object.score = confidence.filter(|it| *it < 1.0);
            object.concepts = smallvec![(class.into(), 1.0)];
            for flag in FLAGS {
                match row.get(flag) {
                    Some("1") => _ = metadata.insert(flag.to_owned(), Value::Bool(true)),
                    Some("0") => _ = metadata.insert(flag.to_owned(), Value::Bool(false)),
                    None | Some("" | "-1") => {}
                    Some(_) if object.notes.contains(&Note::FieldsLeftOut) => {}
                    Some(_) => object.notes.push(Note::FieldsLeftOut),
                }
            }
        } else {
            object.shapes = smallvec![Shape::Whole];
            let value = confidence.unwrap_or(1.0);
            let is_verified = [0.0, 1.0].contains(&value) && by != Some("machine");
            object.score = (!is_verified).then_some(value);
            object.concepts = smallvec![(class.into(), if is_verified { value } else { 1.0 })];
        }
        object.metadata = metadata;
        Ok(object)
    }

    /// Says which classes have no name.
    fn report_names(&mut self) {
        let mut unnamed: Vec<&str> = (self.ids.values().map(String::as_str))
            .filter(|id| !self.names.contains_key(*id))
            .collect();
        unnamed.sort_unstable();
        if let Some(first) = unnamed.first() {
            let place = format!(
                "{} without a name in a class-descriptions.csv, the first is {first:?}",
                unnamed.len()
            );
            self.builder.note(Note::UnnamedClasses, place);
        }
    }
}

#[cfg(test)]
mod tests;
