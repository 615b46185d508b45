//! Annotations that were changed in the app since the base.

use super::operation::{Seen, is_default};
use crate::model::{AnnotationId, Content, InputId, Key};

/// An annotation that was added, changed or deleted in the app since the base.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AppChange {
    /// Whether it was added, changed or deleted.
    pub kind: AppChangeKind,
    /// The input of the annotation.
    pub input_id: InputId,
    /// The observed id; of a deleted annotation, the id that a post would give it.
    pub id: AnnotationId,
    /// The name that the manifest, or the base, gives the annotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// The owner and the time of the last write; absent for a deleted annotation, because the service reports
    /// nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// The content in the app, in the manifest's notation; of a deleted annotation, the content that the base
    /// declares.
    pub content: Content,
    /// The fields that differ from the base. Empty for an annotation that was added or deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Whether the manifest changed it as well: the same field, or an annotation that one side deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
    /// What the plan does about the change.
    pub decision: Decision,
}

/// How an annotation was changed in the app since the base.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AppChangeKind {
    /// The base does not declare it.
    Added,
    /// The base declares other content.
    Changed,
    /// The base declares it, and it is not in the app.
    Deleted,
}

/// What a plan does about a change that was made in the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The app's change stays.
    Kept,
    /// An operation or a purge of the plan reverts it.
    Reverted,
    /// An undecided conflict: the app's change stays, and the manifest's change is not written.
    Undecided,
}

/// A field that was changed in the app since the base, with the value of each side; absent where a side lacks the
/// field.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FieldChange {
    /// The name: `geometry`, `concepts.car`, `metadata.weather`, …
    pub field: String,
    /// The value in the base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<serde_json::Value>,
    /// The value in the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<serde_json::Value>,
    /// The value in the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<serde_json::Value>,
    /// Whether the manifest changed the field too, to another value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
}
