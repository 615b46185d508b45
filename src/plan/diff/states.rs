//! The old side as what a plan observes, and the new side as what it desires.

use crate::model::{
    AnnotationId, Content, DesiredAnnotation, Difference, Geometry, Identity, InputId, Json, Maker,
    ObservedAnnotation, ObservedExtras, Origin, Provenance, RareFields, RegionId, SetName, Status,
    difference, hex, key_id, select_keys,
};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// The difference, with the same region for equal descriptions of one.
pub(super) fn compare(declared: &Content, observed: &ObservedAnnotation) -> Difference {
    match &declared.geometry {
        Some(geometry @ Geometry::RegionOf(_)) => {
            let geometry = Some(comparable(geometry));
            let declared = Content {
                geometry,
                ..declared.clone()
            };
            difference(&declared, observed)
        }
        _ => difference(declared, observed),
    }
}

/// The fields that the other side gives, too. Of free JSON, the keys.
pub(super) fn common_fields(content: &Content, other: &Content) -> Content {
    let json = |ours: &Option<Json>, theirs: &Option<Json>| {
        let (ours, theirs) = (ours.as_ref()?.to_value(), theirs.as_ref()?.to_value());
        Some(Json::from_value(&select_keys(&theirs, &ours)))
    };
    Content {
        rare: RareFields {
            status: content.status.filter(|_| other.status.is_some()),
            user: content.user.clone().filter(|_| other.user.is_some()),
            metadata: json(&content.metadata, &other.metadata),
            info: json(&content.info, &other.info),
            extras: content.extras_named_by(other),
        }
        .into(),
        ..content.clone()
    }
}

/// The new side in the place of the manifest. An id or an input-level annotation that the old side does not have is
/// matched by content.
pub(super) fn identified(
    new: &[DesiredAnnotation],
    observed: &[ObservedAnnotation],
) -> Vec<DesiredAnnotation> {
    let ids: HashSet<&AnnotationId> = observed.iter().map(|it| &it.id).collect();
    let has_input_level = observed.iter().any(|it| it.maker == Maker::Input);
    let annotation = |it: &DesiredAnnotation| DesiredAnnotation {
        identity: match &it.identity {
            Identity::Id(id) if !ids.contains(id) => Identity::Content,
            Identity::InputLevel if !has_input_level => Identity::Content,
            identity => identity.clone(),
        },
        content: Content {
            geometry: it.content.geometry.as_ref().map(comparable),
            ..it.content.clone()
        },
        origin: Origin::default(),
    };
    new.iter().map(annotation).collect()
}

/// An annotation of the old side, in the place of one of the app.
pub(super) fn as_observed(
    set: &SetName,
    input: &InputId,
    at: usize,
    annotation: &DesiredAnnotation,
) -> ObservedAnnotation {
    let id = match &annotation.identity {
        Identity::Id(id) => id.clone(),
        Identity::Key(key) => key_id(set, input, key),
        Identity::InputLevel | Identity::Content => numbered(at),
    };
    observed_of(id, annotation)
}

pub(super) fn observed_of(id: AnnotationId, annotation: &DesiredAnnotation) -> ObservedAnnotation {
    let content = &annotation.content;
    let geometry = content.geometry.as_ref().unwrap_or(&Geometry::Whole);
    let metadata = content.metadata.as_ref().map(Json::to_value);
    ObservedAnnotation {
        id,
        geometry: comparable(geometry),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        created_at: None,
        data: metadata.map(|it| Json::from_value(&serde_json::json!({ "metadata": it })).into()),
        provenance: Provenance {
            status: content.status.unwrap_or(Status::SUCCESS),
            user: content.user.clone(),
            maker: match annotation.identity {
                Identity::InputLevel => Maker::Input,
                _ => Maker::User,
            },
            info: content.info.clone(),
        }
        .into(),
        extras: ObservedExtras {
            managed: content.extras.clone(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

/// The geometry, with a described region as one with an id that is made from the description: such regions have no place
/// before a plan finds them.
fn comparable(geometry: &Geometry) -> Geometry {
    let Geometry::RegionOf(described) = geometry else {
        return geometry.clone();
    };
    let text = serde_json::to_string(described).expect("names and finite numbers can be written");
    let id = hex(&Sha256::digest(text.as_bytes()));
    Geometry::Region(RegionId::new(id).expect("hex digits are a valid id"))
}

/// The name of an annotation without an id.
pub(super) fn numbered(at: usize) -> AnnotationId {
    AnnotationId::new(format!("number-{}", at + 1)).expect("plain characters are a valid id")
}
