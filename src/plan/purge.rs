//! `purge: true`: delete everything on an input, whoever made it, except its input-level annotation.

use super::operation::Cause;
use crate::model::{
    AnnotationId, Content, Fingerprint, InputId, Maker, ObservedAnnotation, UserId, fingerprint,
};
use std::collections::BTreeSet;

/// The deletion of everything on one input except its input-level annotation (`purge: true` in the manifest).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Purge {
    /// The input.
    pub input_id: InputId,
    /// Whether the manifest or the app changed since the base; absent from a plan without a base. A purge is one
    /// write with one cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The user who must apply the purge: the app's owner, unless all annotations of users belong to one user.
    /// Absent if only models made the annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<UserId>,
    /// The annotations to delete, in observed order; at least one.
    pub annotations: Vec<PurgedAnnotation>,
}

/// An annotation that a purge deletes.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PurgedAnnotation {
    /// The id of the annotation.
    pub id: AnnotationId,
    /// The owner; absent if a model made it, or if the service reports no user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The version of the model that made it; empty if the service does not report it. Absent if a person made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The time of the last write: RFC 3339, as the service wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Box<str>>,
    /// The fingerprint of the observed annotation. With another fingerprint, or with a further annotation on the
    /// input, the purge is stale.
    pub fingerprint: Fingerprint,
    /// The content, in the manifest's notation.
    pub before: Content,
}

/// The purge of an input.
pub(super) fn of(input: &InputId, observed: &[ObservedAnnotation]) -> Purge {
    let gone = observed.iter().filter(|it| it.maker != Maker::Input);
    Purge {
        input_id: input.clone(),
        cause: None,
        needs: None,
        annotations: gone.map(purged).collect(),
    }
}

/// Whether two show the same annotation; the format of the last write's time may differ.
pub(super) fn is_same(one: &PurgedAnnotation, other: &PurgedAnnotation) -> bool {
    let shown = |it: &PurgedAnnotation| serde_json::to_value(&it.before).ok();
    (&one.user, &one.model_version, shown(one)) == (&other.user, &other.model_version, shown(other))
}

/// Whether an input holds exactly the annotations that a purge shows.
pub(super) fn is_as_seen(purge: &Purge, there: &[ObservedAnnotation]) -> bool {
    let shown: BTreeSet<_> = (purge.annotations.iter())
        .map(|it| (&it.id, it.fingerprint.to_string()))
        .collect();
    let there = there.iter().filter(|it| it.maker != Maker::Input);
    let there: BTreeSet<_> = there
        .map(|it| (&it.id, fingerprint(it).to_string()))
        .collect();
    shown == there
}

pub(super) fn purged(annotation: &ObservedAnnotation) -> PurgedAnnotation {
    let by_model = annotation.maker == Maker::Model;
    PurgedAnnotation {
        id: annotation.id.clone(),
        user: annotation.user.clone().filter(|_| !by_model),
        model_version: by_model.then(|| annotation.model_version().unwrap_or_default().to_owned()),
        modified_at: annotation.modified_at().map(Box::from),
        fingerprint: fingerprint(annotation),
        before: annotation.content(),
    }
}
