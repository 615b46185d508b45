//! What makes a plan impossible, each with the place in the manifest that asks for it.

use crate::model::{AnnotationId, ConceptId, InputId, Key, Origin};
use std::fmt::Display;

/// Something that the manifest asks for and that cannot be done. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nobody edits what a model made.
    #[error("annotation `{id}` of input `{input}` was made by a model and cannot be changed")]
    ModelMade {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
        /// Where it is declared.
        origin: Origin,
    },
    /// The input-level annotation goes only with its input.
    #[error(
        "annotation `{id}` is the one that the app made with input `{input}`: it can be patched, and a change of its user or embedding model would have to delete it"
    )]
    InputLevel {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
        /// Where it is declared.
        origin: Origin,
    },
    /// The annotation lies in several places, of which a manifest can say one.
    #[error(
        "annotation `{id}` of input `{input}` lies in several places at once: to write the declared one would lose the others"
    )]
    SeveralPlaces {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
        /// Where it is declared.
        origin: Origin,
    },
    /// The input-level annotation is made with the input, which annosync does not do.
    #[error("input `{input}` has no input-level annotation on the remote")]
    NoInputLevel {
        /// Which input.
        input: InputId,
        /// Where it is declared.
        origin: Origin,
    },
    /// No region of the model's lies where the manifest says.
    #[error("no region of model version `{model}`{concept} on input `{input}` lies there{closest}")]
    NoRegion {
        /// On which input.
        input: InputId,
        /// Of which model version.
        model: Box<str>,
        /// What the model was to take it for, in words; may be empty.
        concept: String,
        /// How close the closest one comes, in words; may be empty.
        closest: String,
        /// Where it is declared.
        origin: Origin,
    },
    /// More than one region of the model's lies where the manifest says.
    #[error(
        "{} regions of model version `{model}`{concept} on input `{input}` lie there: {}",
        regions.len(), regions.join(", ")
    )]
    SeveralRegions {
        /// On which input.
        input: InputId,
        /// Of which model version.
        model: Box<str>,
        /// What the model was to take it for, in words; may be empty.
        concept: String,
        /// Their ids, each with its IoU, the closest first.
        regions: Vec<String>,
        /// Where it is declared.
        origin: Origin,
    },
    /// Another label set's annotation, declared by its id.
    #[error(
        "annotation `{id}` of input `{input}` was made by another label set: this one cannot claim it"
    )]
    OfAnotherSet {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
        /// Where it is declared.
        origin: Origin,
    },
    /// An annotation that the app does not have, and of which the manifest declares nothing.
    #[error(
        "{} of input `{input}` is not in the app, and the manifest declares nothing that could be posted",
        declared_as(key.as_ref(), id)
    )]
    NothingDeclared {
        /// Of which input.
        input: InputId,
        /// The key that it is declared by; `None` if it is declared by its id.
        key: Option<Key>,
        /// Which annotation.
        id: AnnotationId,
        /// Where it is declared.
        origin: Origin,
    },
    /// Two declarations that mean one annotation.
    #[error(
        "two annotations of input `{input}` have the id `{id}`: a key makes the id that the other one names"
    )]
    SameId {
        /// Of which input.
        input: InputId,
        /// Which id.
        id: AnnotationId,
        /// Where the second one is declared.
        origin: Origin,
    },
    /// What the manifest declares, or would purge, cannot be read.
    #[error("annotation `{}` of input `{input}` cannot be read: {why}", id.escape_debug())]
    Unreadable {
        /// Of which input.
        input: InputId,
        /// Which annotation, as the service writes its id.
        id: Box<str>,
        /// What is wrong with it.
        why: Box<str>,
        /// Where it is declared.
        origin: Origin,
    },
    /// The app lacks a declared input.
    #[error("the app has no input `{input}`{}", said(nearest.as_ref()))]
    NoInput {
        /// Which input.
        input: InputId,
        /// The input that was probably meant.
        nearest: Option<InputId>,
        /// Where it is declared.
        origin: Origin,
    },
    /// The app lacks a declared input, and the manifest does not say what it is made of.
    #[error("the app has no input `{input}`, and the manifest does not say what to post{}", said(nearest.as_ref()))]
    NothingToPost {
        /// Which input.
        input: InputId,
        /// The input that was probably meant.
        nearest: Option<InputId>,
        /// Where it is declared.
        origin: Origin,
    },
    /// A label names a concept that the app does not have, and `vocabulary` is `app`.
    #[error("the app has no concept `{concept}`{}{}", said(nearest.as_ref()), besides(*count))]
    NoConcept {
        /// Which concept.
        concept: ConceptId,
        /// The concept that was probably meant.
        nearest: Option<ConceptId>,
        /// On how many annotations it is declared.
        count: u64,
        /// Where it is declared first.
        origin: Origin,
    },
    /// The listing did not cover a declared input: what it holds is not known.
    #[error("input `{input}` is declared, and was not listed")]
    NotListed {
        /// Which input.
        input: InputId,
        /// Where it is declared.
        origin: Origin,
    },
}

impl PlanError {
    /// Where in the manifest the cause stands.
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

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::ModelMade { .. } => "declare an annotation of your own, without its id",
            Self::InputLevel { .. } => "leave `user` and `embed_model_version` out",
            Self::SeveralPlaces { .. } => {
                "leave its place out of the manifest; concepts, status and metadata can still be declared"
            }
            Self::NoInputLevel { .. } => {
                "add the input to the app first, or leave `input_level: true` out"
            }
            Self::NoRegion { .. } => {
                "see what the model found with `list --model-version`, and name the region by its id"
            }
            Self::SeveralRegions { .. } => "name one of them by its id: `region: ID`",
            Self::OfAnotherSet { .. } => "declare it in that set's manifest",
            Self::SameId { .. } => "leave one of the two out",
            Self::NothingDeclared { key: Some(_), .. } => {
                "declare its place or concepts, or remove the annotation from the manifest"
            }
            Self::NothingDeclared { key: None, .. } => {
                "check the id (`annosync list` shows those of the app), remove the annotation from the manifest, or \
                 declare its place or concepts"
            }
            Self::Unreadable { .. } => {
                "repair or delete it in the app, or leave it out of the manifest: then it is left alone"
            }
            Self::NoInput { .. } => {
                "correct the id, or let apply post it first: `create_inputs: true` in the header, or --create-inputs"
            }
            Self::NothingToPost { .. } => {
                "correct the id, or give it an `image`, a `video` or a `text` with a `path` or a `url`"
            }
            Self::NoConcept { .. } => {
                "correct it, create it in the app, or leave `vocabulary: app` out: the service cannot delete concepts"
            }
            Self::NotListed { .. } => "save a listing that covers it, or plan against the app",
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

/// Asks whether the nearest one was meant.
fn said(nearest: Option<&impl Display>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Where else it stands, in numbers.
fn besides(count: u64) -> String {
    match count {
        0 | 1 => String::new(),
        count => format!(" ({count} annotations name it)"),
    }
}
