//! Stand-ins: annotations that hold the new content while an annotation is replaced.
//!
//! A replacement first posts the new annotation under another id, then deletes the original and posts it again. A run
//! that dies in between leaves the stand-in, which names its original in its `annotation_info` and has an id that is
//! derived from it. Stand-ins of earlier runs are sorted out here, before anything is matched.

use super::operation::Operation;
use crate::model::{
    AnnotationId, DesiredAnnotation, DesiredState, Fingerprint, Identity, InputId, Json, Maker,
    ObservedAnnotation, ObservedState, SetName, fingerprint, is_stand_in_id, is_stored_as_sent,
    stand_in_id,
};
use crate::wire::encode;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The key of the original's id in a stand-in's `annotation_info`.
pub const STAND_IN_FOR: &str = "annosync_stand_in_for";

/// The bytes that a stand-in's body has more than the replacement's, without the original's id: the key, and an id of
/// 32 characters.
pub(super) const BODY_OVERHEAD: usize = 128;
pub(super) const ID_LENGTH: usize = 32;

pub fn id_for(set: &SetName, operation: &Operation) -> AnnotationId {
    stand_in_id(set, &operation.input_id, &operation.id)
}

/// The body of the stand-in of a replacement: the replacement's body with the stand-in's id, and with the original's
/// id in its info.
pub fn body(set: &SetName, operation: &Operation, replacement: &Json) -> Json {
    let id = id_for(set, operation);
    encode::copy(replacement, &id, (STAND_IN_FOR, operation.id.as_str()))
}

/// Whether an annotation is the stand-in that the replacement would post.
pub fn is_stand_in_of(
    set: &SetName,
    operation: &Operation,
    replacement: &Json,
    found: &ObservedAnnotation,
) -> bool {
    found.id == id_for(set, operation)
        && is_stored_as_sent(found, &body(set, operation, replacement))
}

/// The original of a stand-in; `None` if the id is not the one that the set gives the stand-in of the original that
/// `info` names.
pub fn original_of(
    set: &SetName,
    input: &InputId,
    id: &AnnotationId,
    info: Option<&Json>,
) -> Option<AnnotationId> {
    if !is_stand_in_id(id) {
        return None;
    }
    let named = info?.to_value();
    let original = AnnotationId::new(named.get(STAND_IN_FOR)?.as_str()?).ok()?;
    (stand_in_id(set, input, &original) == *id).then_some(original)
}

/// The annotations of one input, without stand-ins.
pub(super) struct Sorted<'a> {
    /// The annotations. Those whose replacement an earlier run did not finish are as their stand-ins hold them.
    pub(super) annotations: Cow<'a, [ObservedAnnotation]>,
    /// The stand-ins of existing originals, with the originals' ids.
    pub(super) left_behind: Vec<(&'a ObservedAnnotation, AnnotationId)>,
    /// The fingerprints of the stand-ins of unfinished replacements, by the originals' ids.
    pub(super) unfinished: HashMap<AnnotationId, Fingerprint>,
}

/// Separates the stand-ins that earlier runs left on an input. One that the manifest declares by its id counts as an
/// ordinary annotation.
pub(super) fn sort_out<'a>(
    set: &SetName,
    input: &InputId,
    declared: &[DesiredAnnotation],
    observed: &'a [ObservedAnnotation],
) -> Sorted<'a> {
    let mut sorted = Sorted {
        annotations: Cow::Borrowed(observed),
        left_behind: Vec::new(),
        unfinished: HashMap::new(),
    };
    let mut stand_ins: Vec<(&ObservedAnnotation, AnnotationId)> = observed
        .iter()
        .filter(|it| it.maker == Maker::User && is_stand_in_id(&it.id))
        .filter_map(|it| Some((it, original_of(set, input, &it.id, it.info.as_ref())?)))
        .collect();
    if stand_ins.is_empty() {
        return sorted;
    }
    let declared: HashSet<&AnnotationId> = (declared.iter())
        .filter_map(|it| match &it.identity {
            Identity::Id(id) => Some(id),
            _ => None,
        })
        .collect();
    stand_ins.retain(|(it, _)| !declared.contains(&it.id));
    let there: HashSet<&AnnotationId> = observed.iter().map(|it| &it.id).collect();
    let temporary: HashSet<&AnnotationId> = stand_ins.iter().map(|(it, _)| &it.id).collect();
    let mut annotations: Vec<ObservedAnnotation> = observed
        .iter()
        .filter(|it| !temporary.contains(&it.id))
        .cloned()
        .collect();
    for (stand_in, original) in stand_ins {
        if there.contains(&original) {
            sorted.left_behind.push((stand_in, original));
        } else {
            annotations.push(restored(stand_in, &original));
            let seen = fingerprint(stand_in);
            sorted.unfinished.insert(original, seen);
        }
    }
    annotations.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
    sorted.annotations = Cow::Owned(annotations);
    sorted
}

/// The annotation that a stand-in holds.
pub(super) fn restored(
    stand_in: &ObservedAnnotation,
    original: &AnnotationId,
) -> ObservedAnnotation {
    let mut info = stand_in.info.as_ref().map(Json::to_value);
    if let Some(Value::Object(fields)) = &mut info {
        fields.remove(STAND_IN_FOR);
    }
    let mut restored = ObservedAnnotation {
        id: original.clone(),
        ..stand_in.clone()
    };
    restored.info = info
        .filter(|info| info.as_object().is_none_or(|fields| !fields.is_empty()))
        .map(|info| Json::from_value(&info));
    restored
}

/// The observed state as it is once every replacement is finished, without stand-ins.
pub fn settled<'a>(desired: &DesiredState, observed: &'a ObservedState) -> Cow<'a, ObservedState> {
    let any = |all: &Vec<ObservedAnnotation>| all.iter().any(|it| is_stand_in_id(&it.id));
    if !observed.inputs.values().any(any) {
        return Cow::Borrowed(observed);
    }
    let declared: HashMap<&InputId, &[DesiredAnnotation]> = (desired.inputs.iter())
        .map(|input| (&input.id, &input.annotations[..]))
        .collect();
    let mut settled = observed.clone();
    for (input, annotations) in &mut settled.inputs {
        let declared = declared.get(input).copied().unwrap_or_default();
        let sorted = sort_out(&desired.set, input, declared, annotations);
        if let Cow::Owned(sorted) = sorted.annotations {
            *annotations = sorted;
        }
    }
    Cow::Owned(settled)
}
