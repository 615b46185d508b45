//! YOLO label files <-> inputs with annotations: one text file a picture, one object a line, in fractions.
//!
//! `yolo/layout.rs` finds pictures and label files, `yolo/data.rs` reads the files that name classes and splits,
//! `yolo/row.rs` reads a line, `yolo/write.rs` writes a set.

mod data;
mod layout;
mod paths;
mod row;
mod write;

use super::account::{Imported, Note, SkipCode};
use super::builder::{Builder, Class, ClassAt, Object, ObjectName, Picture, Place, Ready, Units};
use super::error::ImportError;
use super::options::ImportOptions;
use super::parallel::in_batches;
use super::place::{NotPlaced, skip};
use super::source::{Source, text_of_lines};
use data::Classes;
use layout::{Entry, PictureOf};
use row::{InAll, Pose, Row};
use smallvec::smallvec;
use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(super) use write::export;

/// How many label files are in memory at once.
const BATCH: usize = 256;

/// Imports data sets for detection, segmentation, poses and oriented boxes.
pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let layout = layout::find(source)?;
    let mut builder = Builder::new(options);
    for (code, places) in [
        (Note::MissingFiles, &layout.missing),
        (Note::UnlistedFile, &layout.unlisted),
        (Note::NoLabelFile, &layout.unlabelled),
    ] {
        for place in places {
            builder.note(code, place.as_str());
        }
    }
    let mut known = BTreeMap::new();
    match layout.classes.names() {
        Some(names) => {
            for (number, name) in names {
                let class = builder.category(name, &format!("class {number} {name:?}"));
                known.insert(*number, class);
            }
        }
        None => builder.note(Note::UnnamedClasses, "the classes"),
    }
    let pose = layout.pose.or_else(|| guess_pose(source, &layout.entries));
    if let (None, Some(Pose { points, .. })) = (layout.pose, pose) {
        let place = format!(
            "rows with {points} triples after the box are keypoints, since each third number is 0, 1 or 2: `kpt_shape` in data.yaml says so"
        );
        builder.note(Note::AmbiguousRows, place);
    }
    let has_scores = LazyLock::new(|| has_scores(source, &layout.entries));
    let in_all = InAll {
        pose,
        has_scores: &|| *has_scores,
    };
    let reader = Reader {
        source,
        options,
        in_all,
        classes: &layout.classes,
        known,
    };
    let mut fours = Fours::default();
    in_batches(
        &layout.entries,
        BATCH,
        |_, entry| reader.read(entry),
        |entry, file| add(entry, file, &mut fours, &mut builder),
    );
    fours.report(&mut builder);
    builder.finish()
}

/// Whether there is a `data.yaml`, an `obj.data`, or only label files.
pub(super) fn recognises(source: &dyn Source) -> bool {
    layout::recognises(source)
}

struct File {
    size: Option<(u32, u32)>,
    /// What was found in each line, and of how many points its outline is, if it has one.
    found: Result<Vec<(Ready, Option<usize>)>, String>,
}

/// Reads label files. Many are read at once.
struct Reader<'s> {
    source: &'s dyn Source,
    options: &'s ImportOptions,
    in_all: InAll<'s>,
    classes: &'s Classes,
    /// The classes that have a name.
    known: BTreeMap<u64, ClassAt>,
}

impl Reader<'_> {
    fn read(&self, entry: &Entry) -> File {
        let found = match text_of_lines(self.source, &entry.label) {
            Ok(text) => Ok(rows(&text)
                .map(|(line, row)| self.found(entry, line, row))
                .collect()),
            Err(error) => Err(error.to_string()),
        };
        let size = match &entry.picture {
            PictureOf::Path(path) => self.source.image_size(path),
            PictureOf::Listed | PictureOf::Missing => None,
        };
        File { size, found }
    }

    fn found(
        &self,
        entry: &Entry,
        line: usize,
        row: Result<Row, String>,
    ) -> (Ready, Option<usize>) {
        let name = ObjectName::Line(line);
        let object = row
            .map_err(|detail| skip(SkipCode::WrongType, detail))
            .and_then(|row| self.object(&row));
        match object {
            Ok((object, outline)) => {
                let object = Object { name, ..object };
                (Ok(object.placed(None, self.options)), outline)
            }
            Err(mut why) => {
                why.detail = format!("{}:{line}: {}", entry.label, why.detail);
                (Err((name, why)), None)
            }
        }
    }

    /// The object of a row without its name, and of how many points its outline is, if it has one.
    fn object(&self, row: &Row) -> Result<(Object, Option<usize>), NotPlaced> {
        let class = match self.known.get(&row.class) {
            Some(at) => Class::Known(*at),
            None => self.classes.name(row.class)?.into(),
        };
        let row::Placed {
            shapes,
            score,
            notes,
            outline,
        } = row.place(self.in_all)?;
        let object = Object {
            concepts: smallvec![(class, 1.0)],
            score,
            shapes,
            units: Units::Fractions,
            notes,
            ..Object::default()
        };
        Ok((object, outline))
    }
}

/// The rows of the lines that are not empty, or what is wrong with them, by the numbers of the lines from 1.
fn rows(text: &str) -> impl Iterator<Item = (usize, Result<Row, String>)> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| (index + 1, Row::parse(line)))
}

/// Four points and nothing else: oriented boxes, if no polygon of the set has another number of points.
#[derive(Default)]
struct Fours {
    places: Vec<String>,
    has_others: bool,
}

impl Fours {
    fn add(&mut self, points: usize, place: impl FnOnce() -> String) {
        if points != 4 {
            self.has_others = true;
            self.places = Vec::new();
        } else if !self.has_others {
            self.places.push(place());
        }
    }

    fn report(self, builder: &mut Builder<'_>) {
        if let Some(first) = self.places.first() {
            let count = self.places.len();
            let place = format!(
                "every outline has 4 points ({count} in all, the first at {first}): oriented boxes or polygons, imported as polygons"
            );
            builder.note(Note::AmbiguousRows, place);
        }
    }
}

fn add(entry: &Entry, file: File, fours: &mut Fours, builder: &mut Builder<'_>) {
    let lines = match file.found {
        Ok(lines) => lines,
        Err(error) => {
            let id = Some(entry.own_id.clone());
            let name = entry.name.clone();
            builder.unusable_picture(id, name, SkipCode::UnreadableFile, error);
            return;
        }
    };
    let at = builder.picture(Picture {
        file_name: Some(entry.name.clone()),
        own_id: Some(entry.own_id.clone()),
        size: file.size,
        place: match &entry.picture {
            PictureOf::Path(path) => Place::Path(path.clone()),
            PictureOf::Listed => Place::FileName,
            PictureOf::Missing => Place::Unknown,
        },
        ..Picture::default()
    });
    builder.reserve(at, lines.len());
    for (object, outline) in lines {
        if let (Ok(object), Some(points)) = (&object, outline) {
            fours.add(points, || format!("{} of {}", object.name, entry.name));
        }
        builder.ready(at, object);
    }
}

/// Whether a score follows in every row of the set.
fn has_scores(source: &dyn Source, entries: &[Entry]) -> bool {
    let is_scored = |row: &Row| row.numbers.len() > 4 && !row.numbers.len().is_multiple_of(2);
    // One after the other: the threads that read labels wait for the result, and must not begin to read others.
    entries.iter().all(|entry| {
        let text = text_of_lines(source, &entry.label).unwrap_or_default();
        rows(&text).all(|(_, row)| row.as_ref().map_or(true, is_scored))
    })
}

/// How many label files are looked at for keypoints.
const LOOKED_AT: usize = 50;

/// The keypoints of a set without `kpt_shape`: every row has the same number of triples after its box, all with a third
/// number of 0, 1 or 2. A 2 is never a coordinate.
fn guess_pose(source: &dyn Source, entries: &[Entry]) -> Option<Pose> {
    let mut known: Option<usize> = None;
    let mut has_visible = false;
    for entry in entries.iter().take(LOOKED_AT) {
        let text = text_of_lines(source, &entry.label).ok()?;
        for (_, row) in rows(&text) {
            let row = row.ok()?;
            let triples = row.triples()?;
            if *known.get_or_insert(triples) != triples {
                return None;
            }
            has_visible |= row.numbers[4..].chunks(3).any(|triple| triple[2] > 1.0);
        }
    }
    known.filter(|_| has_visible).map(|points| Pose {
        points,
        has_visibility: true,
    })
}

#[cfg(test)]
mod tests;
