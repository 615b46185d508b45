//! An object of a file, and what can be done with it before it is added: many objects at once.

use super::vocabulary::Class;
use crate::formats::account::{Note, SkipCode};
use crate::formats::options::{ImportOptions, Scores};
use crate::formats::pieces;
use crate::formats::place::{Extent, NotPlaced, Shape, place, skip};
use crate::manifest::write::declarable;
use crate::model::{Content, Geometry, Json, Key};
use serde_json::{Map, Value};
use smallvec::SmallVec;
use std::fmt;

/// An object of a file.
#[derive(Debug, Clone, Default)]
pub(in crate::formats) struct Object {
    pub(in crate::formats) name: ObjectName,
    /// The key that the annotation gets. Only an object of one shape may have one.
    pub(in crate::formats) key: Option<Key>,
    /// Classes with values from 0 to 1. A class that comes again is ignored.
    pub(in crate::formats) concepts: Classes,
    /// Becomes the value of the concepts, or is left out, as the options say.
    pub(in crate::formats) score: Option<f64>,
    /// Several become several annotations, linked by `part_of`.
    pub(in crate::formats) shapes: Shapes,
    /// In pixels, or in fractions.
    pub(in crate::formats) units: Units,
    pub(in crate::formats) metadata: Map<String, Value>,
    /// Frame, track, status, user; most have none. Its geometry is ignored; its concepts and metadata are taken unchanged
    /// where the object has none.
    pub(in crate::formats) content: Option<Box<Content>>,
    /// What the reader changed.
    pub(in crate::formats) notes: Vec<Note>,
}

/// Nearly every object has one class and one shape.
pub(in crate::formats) type Classes = SmallVec<[(Class, f64); 1]>;
pub(in crate::formats) type Shapes = SmallVec<[Shape; 1]>;

/// Names an object in the account. Most are never shown, so their text is made late.
#[derive(Debug, Clone)]
pub(in crate::formats) enum ObjectName {
    /// By its place in the file, from 0: `number 8` for 7.
    Number(usize),
    Line(usize),
    /// Its id, if that is a whole number.
    Id(u64),
    /// Its id.
    Text(String),
}

impl Default for ObjectName {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<String> for ObjectName {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(index) => write!(f, "number {}", index + 1),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Id(id) => id.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// An object, or why it is left out.
#[derive(Debug)]
pub(in crate::formats) enum Found {
    Object(Box<Object>),
    /// Its name in the account.
    LeftOut(ObjectName, NotPlaced),
}

impl Found {
    pub(in crate::formats) fn name(&self) -> &ObjectName {
        match self {
            Self::Object(object) => &object.name,
            Self::LeftOut(name, _) => name,
        }
    }
}

/// What the coordinates of an object are measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::formats) enum Units {
    /// Needs the size of the image.
    #[default]
    Pixels,
    Fractions,
}

/// An object, or a name and why it is left out, after all that needs no other object: shapes are geometries.
pub(in crate::formats) type Ready = Result<Placed, (ObjectName, NotPlaced)>;

/// An object whose shapes were converted.
#[derive(Debug)]
pub(in crate::formats) struct Placed {
    pub(in crate::formats) name: ObjectName,
    pub(super) key: Option<Key>,
    pub(super) concepts: Classes,
    /// The value of the concepts.
    pub(super) score: Option<f64>,
    pub(super) content: Option<Box<Content>>,
    pub(super) places: Result<Places, NotPlaced>,
}

#[derive(Debug)]
pub(super) struct Places {
    pub(super) geometries: SmallVec<[Geometry; 1]>,
    pub(super) metadata: Map<String, Value>,
    pub(super) notes: Vec<Note>,
}

impl Object {
    /// Converts the shapes to fractions of a picture of this size.
    pub(in crate::formats) fn placed(
        self,
        size: Option<(u32, u32)>,
        options: &ImportOptions,
    ) -> Placed {
        let score = match options.scores {
            Scores::Values => self.score,
            Scores::LeaveOut => None,
        };
        let places = self.extent(size).and_then(|extent| {
            let mut notes = Vec::new();
            let mut geometries = SmallVec::new();
            for shape in self.shapes {
                place(shape, extent, options, &mut geometries, &mut notes)?;
            }
            if self.score.is_some() && score.is_none() {
                notes.push(Note::ScoreLeftOut);
            }
            let (metadata, is_complete) = storable(self.metadata);
            notes.extend(self.notes);
            if !is_complete && !notes.contains(&Note::FieldsLeftOut) {
                notes.push(Note::FieldsLeftOut);
            }
            Ok(Places {
                geometries,
                metadata,
                notes,
            })
        });
        Placed {
            name: self.name,
            key: self.key,
            concepts: self.concepts,
            score,
            content: self.content,
            places,
        }
    }

    fn extent(&self, size: Option<(u32, u32)>) -> Result<Extent, NotPlaced> {
        match (self.units, size) {
            (Units::Fractions, _) => Ok(Extent::Fractions),
            (Units::Pixels, Some((width, height))) => Ok(Extent::Pixels(width, height)),
            (Units::Pixels, None) => {
                let needs_size = |shape: &Shape| !matches!(shape, Shape::Whole | Shape::Done(_));
                if self.shapes.iter().any(needs_size) {
                    let detail = "its image has no width and height in whole pixels";
                    return Err(skip(SkipCode::ImageWithoutSize, detail));
                }
                Ok(Extent::Fractions)
            }
        }
    }
}

/// The fields that a manifest can store, and whether those are all.
pub(in crate::formats) fn storable(fields: Map<String, Value>) -> (Map<String, Value>, bool) {
    if fields.is_empty() {
        return (fields, true);
    }
    let count = fields.len();
    let json = Json::from_value(&Value::Object(fields));
    let Some(Value::Object(mut stored)) = declarable(&json) else {
        return (Map::new(), false);
    };
    // This key is reserved: it links the annotations of one object.
    let is_taken = stored.remove(pieces::PART_OF).is_some();
    let is_complete = stored.len() == count && !is_taken;
    (stored, is_complete)
}
