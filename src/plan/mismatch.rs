//! Why an operation does not fit the annotation that is stored.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A model made the annotation, so it cannot be changed.
    #[error("a model made it")]
    ModelMade,
    #[error("it is an input-level annotation, which cannot be deleted")]
    InputLevel,
    /// The annotation has a different owner than the operation shows.
    #[error("the plan shows an annotation of {shown}, but this one belongs to {found}")]
    User { shown: String, found: String },
    /// The annotation differs from `before`, or the change does not lead to `after`.
    #[error("the annotation differs from what the plan shows")]
    Content,
    /// The change needs another write.
    #[error("the change that the plan shows requires {needed}")]
    Action { needed: String },
    #[error("the plan lacks the file of its mask")]
    Mask,
    /// A plan file may not do this.
    #[error("{0}")]
    Forbidden(String),
}
