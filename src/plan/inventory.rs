//! The declared inputs and concepts that the app lacks.

use super::error::PlanError;
use super::operation::Operation;
use super::planned_input::{Medium, PlannedInput};
use super::summary::NewConcept;
use crate::model::{ConceptId, DesiredInput, DesiredState, InputId, Origin};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known about the app's inputs and concepts. By default nothing is missing.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The declared inputs that the app lacks.
    pub missing: BTreeMap<InputId, Missing>,
    /// The declared inputs that exist and are not processed yet.
    pub waiting: BTreeSet<InputId>,
    /// The declared concepts that the app lacks, each with the most similar one of the app.
    pub new_concepts: BTreeMap<ConceptId, Option<ConceptId>>,
    pub vocabulary: Vocabulary,
    /// What is unknown, as text.
    pub blind_spots: Vec<String>,
}

/// An input that the app lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The plan posts it.
    Posted(Vec<Medium>),
    /// An error; the most similar input id of the app.
    Error(Option<InputId>),
    /// An error: the manifest does not declare its image, video or text. The most similar input id of the app.
    Nothing(Option<InputId>),
}

/// What a plan does about declared concepts that the app lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Vocabulary {
    /// Create them.
    #[default]
    Open,
    /// Report them as errors (`vocabulary: app`).
    App,
}

impl Inventory {
    pub(super) fn errors(&self, desired: &DesiredState) -> Vec<PlanError> {
        let mut errors = Vec::new();
        for input in &desired.inputs {
            let origin = input.origin;
            let id = input.id.clone();
            match self.missing.get(&input.id) {
                Some(Missing::Error(nearest)) => errors.push(PlanError::NoInput {
                    input: id,
                    nearest: nearest.clone(),
                    origin,
                }),
                Some(Missing::Nothing(nearest)) => errors.push(PlanError::NothingToPost {
                    input: id,
                    nearest: nearest.clone(),
                    origin,
                }),
                Some(Missing::Posted(_)) | None => {}
            }
        }
        if self.vocabulary == Vocabulary::App {
            errors.extend(self.unknown_concepts(desired));
        }
        errors
    }

    fn unknown_concepts(&self, desired: &DesiredState) -> Vec<PlanError> {
        let mut uses: BTreeMap<&ConceptId, (u64, Origin)> = BTreeMap::new();
        for annotation in desired.inputs.iter().flat_map(|input| &input.annotations) {
            for concept in annotation.content.concepts.iter().flatten() {
                if self.new_concepts.contains_key(&concept.id) {
                    let (count, first) = uses.entry(&concept.id).or_insert((0, annotation.origin));
                    *count += 1;
                    *first = (*first).min(annotation.origin);
                }
            }
        }
        uses.into_iter()
            .map(|(concept, (count, origin))| PlanError::NoConcept {
                concept: concept.clone(),
                nearest: self.new_concepts[concept].clone(),
                count,
                origin,
            })
            .collect()
    }

    /// Whether an input is reported as missing, so that its other errors are not.
    pub(super) fn is_refused(&self, input: &DesiredInput) -> bool {
        matches!(
            self.missing.get(&input.id),
            Some(Missing::Error(_) | Missing::Nothing(_))
        )
    }

    /// The inputs that must exist before these operations.
    pub(super) fn inputs(&self, operations: &[Operation]) -> Vec<PlannedInput> {
        let written: BTreeSet<&InputId> = operations.iter().map(|it| &it.input_id).collect();
        let planned = |input_id: &InputId| match self.missing.get(input_id) {
            Some(Missing::Posted(media)) => Some(PlannedInput {
                input_id: input_id.clone(),
                media: media.clone(),
            }),
            None if self.waiting.contains(input_id) => Some(PlannedInput {
                input_id: input_id.clone(),
                media: Vec::new(),
            }),
            _ => None,
        };
        written.into_iter().filter_map(planned).collect()
    }

    /// The concepts that these operations create, sorted.
    pub(super) fn created(&self, operations: &[Operation]) -> Vec<NewConcept> {
        let mut counts: HashMap<&ConceptId, u64> = HashMap::new();
        if !self.new_concepts.is_empty() {
            let written = operations.iter().filter_map(Operation::after);
            for concept in written.filter_map(|it| it.concepts.as_ref()).flatten() {
                *counts.entry(&concept.id).or_default() += 1;
            }
        }
        let new = self.new_concepts.iter().filter_map(|(concept, nearest)| {
            Some(NewConcept {
                annotations: *counts.get(concept)?,
                concept: concept.clone(),
                nearest: nearest.clone(),
            })
        });
        new.collect()
    }
}
