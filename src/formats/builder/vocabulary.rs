//! The concepts of class names.

use crate::formats::account::{Imported, Note, SkipCode};
use crate::formats::options::ConceptNames;
use crate::formats::place::{NotPlaced, skip};
use crate::model::{Concept, ConceptId, Concepts};
use std::collections::HashMap;

/// A class of an object.
#[derive(Debug, Clone)]
pub(in crate::formats) enum Class {
    Known(ClassAt),
    /// Its name in the file.
    Named(String),
}

impl From<String> for Class {
    fn from(name: String) -> Self {
        Self::Named(name)
    }
}

impl From<ClassAt> for Class {
    fn from(at: ClassAt) -> Self {
        Self::Known(at)
    }
}

/// Refers to a class of the builder.
#[derive(Debug, Clone, Copy)]
pub(in crate::formats) struct ClassAt(usize);

pub(super) struct Vocabulary {
    names: ConceptNames,
    by_name: HashMap<String, ClassAt>,
    /// Each name in the file, and the list of its concept alone with the value 1: most objects share it.
    classes: Vec<(String, Option<Concepts>)>,
}

impl Vocabulary {
    pub(super) fn new(names: ConceptNames) -> Self {
        Self {
            names,
            by_name: HashMap::new(),
            classes: Vec::new(),
        }
    }

    /// The class of this name, if it is registered.
    pub(super) fn find(&self, name: &str) -> Option<ClassAt> {
        self.by_name.get(name).copied()
    }

    /// Registers a category of the file. `place` names it in the account.
    pub(super) fn category(&mut self, name: &str, place: &str, imported: &mut Imported) -> ClassAt {
        imported.categories += 1;
        if let Some(at) = self.find(name) {
            return at;
        }
        let text = concept_name(self.names, name);
        if self.names == ConceptNames::AsNamed && text != name {
            imported.note(Note::CategoryNameTrimmed, place);
        }
        let concept = ConceptId::new(text).ok();
        if let Some(concept) = &concept
            && !imported.concepts.insert(concept.clone())
        {
            imported.note(Note::CategoriesShareConcept, place);
        }
        let alone = concept.map(|id| Concepts::from(Concept { id, value: 1.0 }));
        let at = ClassAt(self.classes.len());
        self.classes.push((name.to_owned(), alone));
        self.by_name.insert(name.to_owned(), at);
        at
    }

    /// A class, and its concept with the value 1. Names that no category has are registered.
    fn concept(
        &mut self,
        class: &Class,
        imported: &mut Imported,
    ) -> Result<(&str, &Concepts), NotPlaced> {
        let at = match class {
            Class::Known(at) => *at,
            Class::Named(name) => match self.find(name) {
                Some(at) => at,
                None => self.category(name, &format!("{name:?}"), imported),
            },
        };
        let (name, alone) = &self.classes[at.0];
        let alone = alone.as_ref().ok_or_else(|| {
            let detail = format!("the category's name is {name:?}");
            skip(SkipCode::CategoryWithoutName, detail)
        })?;
        Ok((name, alone))
    }

    /// The concepts of classes with their values, or with the score as the value of each.
    pub(super) fn concepts(
        &mut self,
        classes: &[(Class, f64)],
        score: Option<f64>,
        imported: &mut Imported,
    ) -> Result<Concepts, NotPlaced> {
        let mut named: Vec<Concept> = Vec::new();
        for (class, value) in classes {
            let (name, alone) = self.concept(class, imported)?;
            let value = score.unwrap_or(*value);
            if !(0.0..=1.0).contains(&value) {
                let detail = format!("the score of {name:?} is {value}");
                return Err(skip(SkipCode::WrongScore, detail));
            }
            // `+ 0.0` turns -0.0 into 0.0.
            let value = value as f32 + 0.0;
            if classes.len() == 1 && value.to_bits() == 1.0_f32.to_bits() {
                return Ok(alone.clone());
            }
            for Concept { id, .. } in alone {
                if named.iter().all(|known| known.id != *id) {
                    let id = id.clone();
                    named.push(Concept { id, value });
                }
            }
        }
        Ok(Concepts::new(named).expect("each concept is named once"))
    }
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
