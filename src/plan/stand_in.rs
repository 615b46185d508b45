//! Stand-ins: the copies that hold an annotation while it is replaced.
//!
//! A replacement posts the new annotation under an id of its own first, and only then deletes the original and posts it
//! again. A run that dies in between leaves the stand-in; what it is one of stands in its `annotation_info`, and the
//! hash in its id vouches for that. What is left of earlier runs is sorted out here, before anything is matched.

use super::types::{Action, Operation, Reason};
use crate::model::{
    AnnotationId, DesiredAnnotation, DesiredState, Fingerprint, Identity, InputId, Json, Maker,
    ObservedAnnotation, ObservedState, SetName, fingerprint, is_stand_in_id, is_stored_as_sent,
    stand_in_id,
};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The key in a stand-in's `annotation_info` under which the original's id stands.
pub const STAND_IN_FOR: &str = "annosync_stand_in_for";

/// How many bytes a stand-in's body has more than the replacement's, beside the original's id: the key, and an id of 32
/// characters.
pub(super) const BODY_OVERHEAD: usize = 128;
/// How long a stand-in's id is.
pub(super) const ID_LENGTH: usize = 32;

/// The id of the stand-in of a replacement.
pub fn id_for(set: &SetName, operation: &Operation) -> AnnotationId {
    stand_in_id(set, &operation.input_id, &operation.id)
}

/// The stand-in of a replacement as it is posted: everything that the replacement has (`replacement`), under an id of its
/// own, and with the original's id.
pub fn body(set: &SetName, operation: &Operation, replacement: &Json) -> Json {
    let mut body = match replacement.to_value() {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.insert("id".into(), id_for(set, operation).as_str().into());
    let info = body.entry("annotation_info").or_insert(Value::Null);
    if !info.is_object() {
        *info = Map::new().into();
    }
    info[STAND_IN_FOR] = operation.id.as_str().into();
    Json::from_value(&body.into())
}

/// Whether what is there under a stand-in's id is what the replacement would post under it.
pub fn is_stand_in_of(
    set: &SetName,
    operation: &Operation,
    replacement: &Json,
    found: &ObservedAnnotation,
) -> bool {
    found.id == id_for(set, operation)
        && is_stored_as_sent(found, &body(set, operation, replacement))
}

/// The annotation that the one with this id stands in for: the id's form, the set, and what its info says agree.
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
    /// The annotations; those whose replacement an earlier run did not finish are made of their stand-ins.
    pub(super) annotations: Cow<'a, [ObservedAnnotation]>,
    /// The stand-ins whose originals are there, and those originals' ids.
    pub(super) left_behind: Vec<(&'a ObservedAnnotation, AnnotationId)>,
    /// The fingerprints of the stand-ins that annotations were made of, by the annotations' ids.
    pub(super) unfinished: HashMap<AnnotationId, Fingerprint>,
}

/// Sorts out what earlier runs left on an input. A stand-in that the manifest declares by its id is an annotation like
/// any other.
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
    ObservedAnnotation {
        id: original.clone(),
        info: info
            .filter(|info| info.as_object().is_none_or(|fields| !fields.is_empty()))
            .map(|info| Json::from_value(&info)),
        ..stand_in.clone()
    }
}

/// What was observed as it is once every replacement is finished: without what earlier runs left behind.
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

/// Whether an operation deletes what an earlier run left behind, and nothing that anybody labelled.
pub(super) fn is_clean_up(operation: &Operation) -> bool {
    operation.action == Action::Delete && operation.reason == Reason::LeftBehind
}

/// Whether an operation finishes what an earlier run began: its original is gone already.
pub fn is_unfinished(operation: &Operation) -> bool {
    operation.action == Action::Replace && operation.reason == Reason::Unfinished
}
