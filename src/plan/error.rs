//! What makes a plan impossible, each with the place in the manifest that asks for it.

use crate::model::{AnnotationId, InputId, Origin, UserId};

/// Something that the manifest asks for and that cannot be done. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A collaborator may change only their own annotations.
    #[error(
        "annotation `{id}` of input `{input}` belongs to `{user}`: only they and the app's owner `{owner}` may change it, and the token is of `{caller}`"
    )]
    NotYours {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
        /// Whose it is.
        user: String,
        /// The app's owner.
        owner: UserId,
        /// Whose token it is.
        caller: UserId,
        /// Where it is declared.
        origin: Origin,
    },
    /// A collaborator may not post as somebody else.
    #[error(
        "an annotation of input `{input}` is to be made for `{user}`: only the app's owner `{owner}` may do that, and the token is of `{caller}`"
    )]
    NotForOthers {
        /// Of which input.
        input: InputId,
        /// For whom.
        user: UserId,
        /// The app's owner.
        owner: UserId,
        /// Whose token it is.
        caller: UserId,
        /// Where it is declared.
        origin: Origin,
    },
    /// Nobody edits what a model made.
    #[error("annotation `{id}` of input `{input}` was made by a model: nobody can change it")]
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
        "annotation `{id}` is the one that the app made with input `{input}`: it can be patched, and a change of user would have to delete it"
    )]
    InputLevel {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: AnnotationId,
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
            Self::NotYours { origin, .. }
            | Self::NotForOthers { origin, .. }
            | Self::ModelMade { origin, .. }
            | Self::InputLevel { origin, .. }
            | Self::OfAnotherSet { origin, .. }
            | Self::SameId { origin, .. }
            | Self::NotListed { origin, .. } => *origin,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotYours { .. } | Self::NotForOthers { .. } => {
                "use the app owner's token, or leave it out of the manifest"
            }
            Self::ModelMade { .. } => "declare an annotation of your own, without its id",
            Self::InputLevel { .. } => "leave `user` out",
            Self::OfAnotherSet { .. } => "declare it in that set's manifest",
            Self::SameId { .. } => "leave one of the two out",
            Self::NotListed { .. } => "save a listing that covers it, or plan against the app",
        }
    }
}
