//! Conversion of one annotation from the wire type to the model type.
//!
//! A geometry that the model does not support becomes [`Geometry::Unmodelled`], which is matched by id only; the complete
//! `data` is kept. Annotations that violate the API's schema or cannot be kept without loss are [`Unreadable`]. Geometries
//! are converted in `place`.

mod place;

use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, Extras, Frame, Geometry, InputId, Interner,
    InvalidId, InvalidJson, Json, JsonFault, Maker, ObservedAnnotation, ObservedExtras, Provenance,
    Status, Unreadable, UserId,
};
use crate::wire;
use crate::wire::Code;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

/// Converts one annotation. Equal names and lists of concepts are shared through `interner`.
///
/// # Errors
///
/// If the annotation violates the API's schema, or cannot be kept without loss. Other annotations are not affected.
pub fn annotation(
    mut wire: wire::Annotation,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), Unreadable> {
    let maker = if wire.input_level {
        Maker::Input
    } else if wire.is_model_made() {
        Maker::Model
    } else {
        Maker::User
    };
    let unreadable = |wire: &wire::Annotation, user, why: String| Unreadable {
        input: wire.input_id.as_str().into(),
        id: wire.id.as_str().into(),
        maker,
        user,
        why: why.into(),
    };
    let user = match wire.user() {
        "" => None,
        user => match UserId::new(interner.intern(user)) {
            Ok(user) => Some(user),
            Err(why) => {
                let why = invalid_id("its user id", &why);
                return Err(unreadable(&wire, None, why));
            }
        },
    };
    if let Some(broken) = &wire.broken {
        let why = format!("it violates the API's schema: {}", broken.why);
        return Err(unreadable(&wire, user, why));
    }
    read(&mut wire, maker, user.clone(), interner).map_err(|why| unreadable(&wire, user, why))
}

/// Takes what it needs, except what names the annotation.
fn read(
    wire: &mut wire::Annotation,
    maker: Maker,
    user: Option<UserId>,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), String> {
    let input = InputId::new(interner.intern(&wire.input_id))
        .map_err(|why| invalid_id("its input id", &why))?;
    let id = AnnotationId::new(wire.id.as_str()).map_err(|why| invalid_id("its id", &why))?;
    let raw = wire.data.take();
    let alike = (raw.as_deref()).and_then(|raw| interner.pack_alike(raw));
    let (raw, json) = if alike.is_some() {
        (raw, None)
    } else {
        let json = object(raw).map_err(|why| format!("its data {why}"))?;
        (None, json)
    };
    let info = object(wire.annotation_info.take()).map_err(|why| format!("its info {why}"))?;
    let text = (raw.as_deref().map(RawValue::get)).or(json.as_ref().map(Json::as_str));
    let parsed: wire::Data<'_> = match text {
        None => wire::Data::default(),
        Some(text) => serde_json::from_str(text).map_err(|error| {
            format!(
                "its data violates the API's schema: {}",
                JsonFault::from(error)
            )
        })?,
    };
    let model_version = wire.model_version().map(String::into_boxed_str);
    let modified_at = wire
        .modified_at
        .take()
        .filter(|time| wire.created_at.as_ref() != Some(time))
        .map(String::into_boxed_str);
    let content = content(&parsed, interner);
    Ok((
        input,
        ObservedAnnotation {
            id,
            geometry: content.geometry,
            frame: content.frame,
            concepts: content.concepts,
            created_at: (wire.created_at.as_deref()).map(|time| interner.repeat(time)),
            data: alike.or_else(|| json.map(|json| interner.pack(&json))),
            provenance: interner.share_provenance(Provenance {
                status: status(wire.status.as_ref()),
                user,
                maker,
                info,
            }),
            extras: ObservedExtras {
                managed: Extras {
                    embed_model_version: non_empty(mem::take(&mut wire.embed_model_version_id)),
                    ..content.extras
                },
                model_version,
                modified_at,
                task: non_empty(mem::take(&mut wire.task_id)),
                has_consensus: wire
                    .consensus_info
                    .as_ref()
                    .is_some_and(|info| !matches!(info.get(), "null" | "{}")),
            }
            .boxed(),
        },
    ))
}

fn invalid_id(what: &str, why: &InvalidId) -> String {
    match why {
        InvalidId::Empty => format!("{what} is empty"),
        why => format!("{what} {why}"),
    }
}

fn non_empty(text: impl Into<Box<str>>) -> Option<Box<str>> {
    let text: Box<str> = text.into();
    (!text.is_empty()).then_some(text)
}

/// `None` for an empty object, because servers write either.
fn object(raw: Option<Box<RawValue>>) -> Result<Option<Json>, InvalidJson> {
    let json = raw.map(Json::try_from).transpose()?;
    Ok(json.filter(|json| json.as_str() != "{}"))
}

/// The default is success; codes outside the range of annotation statuses are unknown.
fn status(status: Option<&wire::Status>) -> Status {
    match status.map_or(Code::default(), |status| status.code) {
        Code(0) | Code::SUCCESS => Status::SUCCESS,
        Code(code @ 24_000..25_000) => Status::from_code(code),
        _ => Status::from_code(Code::ANNOTATION_UNKNOWN_STATUS.0),
    }
}

struct Content {
    geometry: Geometry,
    frame: Option<Frame>,
    concepts: Concepts,
    /// Except the embedding model, which is not part of `data`.
    extras: Extras,
}

fn content(data: &wire::Data<'_>, interner: &mut Interner) -> Content {
    let frame = data.frames.first();
    let regions = frame.map_or(&data.regions, |frame| &frame.data.regions);
    let region = regions.first();
    let segment = data.time_segments.first();
    let (listed, text) = match (region, frame, segment) {
        (Some(region), _, _) => (&region.data.concepts, &region.data.text),
        (None, Some(frame), _) => (&frame.data.concepts, &frame.data.text),
        (None, None, Some(segment)) => (&segment.data.concepts, &segment.data.text),
        (None, None, None) => (&data.concepts, &data.text),
    };
    let (concepts, all_valid) = concepts(listed, interner);
    let video_frame = frame.map(|frame| place::video_frame(&frame.frame_info));

    // The model supports at most one region, frame or segment.
    let is_single = regions.len() <= 1
        && data.frames.len() <= 1
        && data.time_segments.len() <= 1
        && (frame.is_none() || data.regions.is_empty())
        && (segment.is_none() || (frame.is_none() && region.is_none()))
        && data.tracks.is_empty();
    let geometry = if is_single && all_valid && video_frame != Some(None) {
        match (region, segment) {
            (Some(region), _) => place::of_region(region),
            (None, Some(segment)) => place::of_segment(segment),
            (None, None) => Geometry::Whole,
        }
    } else {
        Geometry::Unmodelled
    };
    Content {
        geometry,
        frame: video_frame.flatten(),
        concepts,
        extras: Extras {
            track: region.and_then(|region| non_empty(&*region.track_id)),
            text: non_empty(&*text.raw),
            region_value: region.and_then(place::value),
            embed_model_version: None,
        },
    }
}

/// The concepts, and whether all of them have valid ids. Of duplicate concepts, the last one is used.
fn concepts(listed: &[wire::Concept<'_>], interner: &mut Interner) -> (Concepts, bool) {
    let is_known = |known: &Concepts| {
        let same = |(known, listed): (&Concept, &wire::Concept<'_>)| {
            known.id.as_str() == listed.id && known.value.to_bits() == value(listed.value).to_bits()
        };
        known.len() == listed.len() && known.iter().zip(listed).all(same)
    };
    // Only valid lists without duplicates are known.
    if let Some(known) = interner.recent(is_known) {
        return (known, true);
    }
    let mut values: BTreeMap<Arc<str>, f32> = BTreeMap::new();
    let mut all_valid = true;
    for concept in listed {
        if ConceptId::new(&*concept.id).is_ok() {
            values.insert(interner.intern(&concept.id), value(concept.value));
        } else {
            all_valid = false;
        }
    }
    let concepts = values
        .into_iter()
        .map(|(id, value)| Concept {
            id: ConceptId::new(id).expect("checked above"),
            value,
        })
        .collect();
    (
        interner.share(Concepts::new(concepts).expect("keys of a map are unique")),
        all_valid,
    )
}

/// Clamps a value to 0..=1. Values outside are rounding errors, or cannot be sent.
fn value(value: f64) -> f32 {
    if value.is_nan() {
        0.0
    } else {
        // `+ 0.0` turns -0.0 into 0.0.
        value.clamp(0.0, 1.0) as f32 + 0.0
    }
}

#[cfg(test)]
mod tests;
