//! Errors of planning, each with its place in the manifest.

use crate::model::{AnnotationId, ConceptId, InputId, Key, Origin};
use std::fmt::Display;

/// A declaration that cannot be carried out. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("annotation `{id}` of input `{input}` was made by a model and cannot be changed")]
    ModelMade {
        input: InputId,
        id: AnnotationId,
        origin: Origin,
    },
    #[error(
        "annotation `{id}` is the input-level annotation of input `{input}`: its user and embedding model cannot be changed, because that requires a delete"
    )]
    InputLevel {
        input: InputId,
        id: AnnotationId,
        origin: Origin,
    },
    /// A manifest can declare one place of an annotation.
    #[error(
        "annotation `{id}` of input `{input}` has several regions or frames: a write of the declared one would lose the others"
    )]
    SeveralPlaces {
        input: InputId,
        id: AnnotationId,
        origin: Origin,
    },
    /// The service creates the input-level annotation with the input.
    #[error("input `{input}` has no input-level annotation in the app")]
    NoInputLevel { input: InputId, origin: Origin },
    /// A region that the manifest names by its model does not exist.
    #[error(
        "model version `{model}` has no region{concept} at this place of input `{input}`{closest}"
    )]
    NoRegion {
        input: InputId,
        model: Box<str>,
        /// The concept that the region must have, as text; may be empty.
        concept: String,
        /// The IoU of the closest region, as text.
        closest: String,
        origin: Origin,
    },
    /// Several regions match one that the manifest names by its model.
    #[error(
        "model version `{model}` has {} regions{concept} at this place of input `{input}`: {}",
        regions.len(), regions.join(", ")
    )]
    SeveralRegions {
        input: InputId,
        model: Box<str>,
        /// The concept that the region must have, as text; may be empty.
        concept: String,
        /// The ids with their IoU, the closest first.
        regions: Vec<String>,
        origin: Origin,
    },
    /// The manifest declares another label set's annotation by its id.
    #[error("annotation `{id}` of input `{input}` belongs to another label set")]
    OfAnotherSet {
        input: InputId,
        id: AnnotationId,
        origin: Origin,
    },
    #[error(
        "{} of input `{input}` is not in the app, and the manifest declares nothing that could be posted",
        declared_as(key.as_ref(), id)
    )]
    NothingDeclared {
        input: InputId,
        /// `None` if it is declared by its id.
        key: Option<Key>,
        id: AnnotationId,
        origin: Origin,
    },
    /// Two declarations have the same id.
    #[error(
        "two annotations of input `{input}` have the id `{id}`: one by its key, the other by its `id`"
    )]
    SameId {
        input: InputId,
        id: AnnotationId,
        /// The second declaration.
        origin: Origin,
    },
    /// An annotation that the manifest declares, or would purge, cannot be read.
    #[error("annotation `{}` of input `{input}` cannot be read: {why}", id.escape_debug())]
    Unreadable {
        input: InputId,
        /// As the service writes it; it may not be a valid id.
        id: Box<str>,
        why: Box<str>,
        origin: Origin,
    },
    #[error("the app has no input `{input}`{}", did_you_mean(nearest.as_ref()))]
    NoInput {
        input: InputId,
        /// The most similar input id of the app.
        nearest: Option<InputId>,
        origin: Origin,
    },
    /// A missing input cannot be posted either: the manifest does not declare its image, video or text.
    #[error("the app has no input `{input}`, and the manifest does not say what to post{}", did_you_mean(nearest.as_ref()))]
    NothingToPost {
        input: InputId,
        /// The most similar input id of the app.
        nearest: Option<InputId>,
        origin: Origin,
    },
    /// The app lacks a concept, and `vocabulary` is `app`.
    #[error("the app has no concept `{concept}`{}{}", did_you_mean(nearest.as_ref()), declared_on(*count))]
    NoConcept {
        concept: ConceptId,
        /// The most similar concept of the app.
        nearest: Option<ConceptId>,
        /// The number of declared annotations that name it.
        count: u64,
        /// The first of them.
        origin: Origin,
    },
    /// The listing does not cover a declared input.
    #[error("input `{input}` is declared, but the listing does not cover it")]
    NotListed { input: InputId, origin: Origin },
}

impl PlanError {
    /// The place of the declaration in the manifest.
    pub fn origin(&self) -> Origin {
        match self {
            Self::ModelMade { origin, .. }
            | Self::InputLevel { origin, .. }
            | Self::SeveralPlaces { origin, .. }
            | Self::NoInputLevel { origin, .. }
            | Self::NoRegion { origin, .. }
            | Self::SeveralRegions { origin, .. }
            | Self::OfAnotherSet { origin, .. }
            | Self::SameId { origin, .. }
            | Self::NothingDeclared { origin, .. }
            | Self::Unreadable { origin, .. }
            | Self::NoInput { origin, .. }
            | Self::NothingToPost { origin, .. }
            | Self::NoConcept { origin, .. }
            | Self::NotListed { origin, .. } => *origin,
        }
    }

    /// How to resolve the error.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ModelMade { .. } => "declare a new annotation instead, without this id",
            Self::InputLevel { .. } => {
                "remove `user` and `embed_model_version` from the declaration"
            }
            Self::SeveralPlaces { .. } => {
                "remove the place from the declaration; concepts, status and metadata can still be declared"
            }
            Self::NoInputLevel { .. } => {
                "add the input to the app first, or remove `input_level: true`"
            }
            Self::NoRegion { .. } => {
                "list the regions of the model with `annosync list --model-version`, and declare one by its id: `region: ID`"
            }
            Self::SeveralRegions { .. } => "declare one of them by its id: `region: ID`",
            Self::OfAnotherSet { .. } => "declare it in that set's manifest",
            Self::SameId { .. } => "remove one of the two",
            Self::NothingDeclared { key: Some(_), .. } => {
                "declare its place or concepts, or remove the annotation from the manifest"
            }
            Self::NothingDeclared { key: None, .. } => {
                "check the id (`annosync list` shows those of the app), remove the annotation from the manifest, or \
                 declare its place or concepts"
            }
            Self::Unreadable { .. } => {
                "repair or delete it in the app, or remove it from the manifest: then it is left alone"
            }
            Self::NoInput { .. } => {
                "correct the id, or let apply post it first: `create_inputs: true` in the header, or --create-inputs"
            }
            Self::NothingToPost { .. } => {
                "correct the id, or give it an `image`, a `video` or a `text` with a `path` or a `url`"
            }
            Self::NoConcept { .. } => {
                "correct the id, create the concept in the app, or remove `vocabulary: app`; the service cannot delete concepts"
            }
            Self::NotListed { .. } => {
                "plan against the app, or save a listing that covers the input"
            }
        }
    }
}

/// An annotation as the manifest names it.
fn declared_as(key: Option<&Key>, id: &AnnotationId) -> String {
    match key {
        Some(key) => format!("the annotation with the key `{key}`"),
        None => format!("annotation `{id}`"),
    }
}

fn did_you_mean(nearest: Option<&impl Display>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

fn declared_on(count: u64) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" ({count} annotations name it)"),
    }
}
