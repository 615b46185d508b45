//! One annotation of the wire becomes one of the model.
//!
//! What the model has no words for is never dropped: it becomes [`Geometry::Unmodelled`], which nothing but an id
//! matches, and its `data` is kept whole. What breaks the API's form is an error: a listing that cannot be understood
//! is no basis for a plan. Where an annotation lies is read in `place`.

mod place;

use super::error::ObservedError;
use crate::api::code::Code;
use crate::api::wire;
use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, Extras, Frame, Geometry, InputId, Interner,
    InvalidId, Json, Maker, ObservedAnnotation, ObservedExtras, Status, UserId,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decodes one annotation. Names that many annotations share are shared through `interner`.
pub fn annotation(
    wire: wire::Annotation,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), ObservedError> {
    let input = name(
        "an input",
        &wire.input_id,
        InputId::new(interner.intern(&wire.input_id)),
    )?;
    let id = name(
        "an annotation",
        &wire.id,
        AnnotationId::new(wire.id.as_str()),
    )?;
    let user = match wire.user() {
        "" => None,
        user => Some(name("a user", user, UserId::new(interner.intern(user)))?),
    };
    let maker = if wire.input_level {
        Maker::Input
    } else if wire.is_model_made() {
        Maker::Model
    } else {
        Maker::User
    };
    let data: wire::Data = match &wire.data {
        None => wire::Data::default(),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|error| ObservedError::Data {
            input: wire.input_id.clone(),
            id: wire.id.clone(),
            why: error.to_string(),
        })?,
    };
    let model_version = wire.model_version().map(String::into_boxed_str);
    let modified_at = wire
        .modified_at
        .filter(|time| wire.created_at.as_ref() != Some(time))
        .map(String::into_boxed_str);
    let content = content(&data, interner);
    Ok((
        input,
        ObservedAnnotation {
            id,
            geometry: content.geometry,
            frame: content.frame,
            concepts: content.concepts,
            status: status(wire.status.as_ref()),
            user,
            maker,
            created_at: wire.created_at.map(String::into_boxed_str),
            data: object(wire.data),
            info: object(wire.annotation_info),
            extras: ObservedExtras {
                managed: Extras {
                    embed_model_version: given(wire.embed_model_version_id),
                    ..content.extras
                },
                model_version,
                modified_at,
            }
            .boxed(),
        },
    ))
}

fn name<T>(what: &'static str, text: &str, made: Result<T, InvalidId>) -> Result<T, ObservedError> {
    made.map_err(|why| ObservedError::Name {
        what,
        text: text.to_owned(),
        why,
    })
}

/// A text that says something.
fn given(text: String) -> Option<Box<str>> {
    Some(text)
        .filter(|text| !text.is_empty())
        .map(String::into_boxed_str)
}

/// An empty object says no more than none: servers write either.
fn object(raw: Option<Box<RawValue>>) -> Option<Json> {
    raw.map(Json::from).filter(|json| json.as_str() != "{}")
}

/// A missing status is the one that an annotation has when nothing is said; a code of another family is none that an
/// annotation can have.
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
    /// All but the embedding model, which stands beside the data.
    extras: Extras,
}

fn content(data: &wire::Data, interner: &mut Interner) -> Content {
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
    let (concepts, all_named) = concepts(listed, interner);
    let moment = frame.map(|frame| place::moment(&frame.frame_info));

    // Several of a kind, or kinds beside each other, are more than the model can say.
    let is_one_thing = regions.len() <= 1
        && data.frames.len() <= 1
        && data.time_segments.len() <= 1
        && (frame.is_none() || data.regions.is_empty())
        && (segment.is_none() || (frame.is_none() && region.is_none()))
        && data.tracks.is_empty();
    let geometry = if is_one_thing && all_named && moment != Some(None) {
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
        frame: moment.flatten(),
        concepts,
        extras: Extras {
            track: region.and_then(|region| given(region.track_id.clone())),
            text: given(text.raw.clone()),
            region_value: region.and_then(place::value),
            embed_model_version: None,
        },
    }
}

/// The concepts, and whether all of them have names that the model can hold. Of a concept that is listed twice, the
/// last one counts.
fn concepts(listed: &[wire::Concept], interner: &mut Interner) -> (Concepts, bool) {
    let mut values: BTreeMap<Arc<str>, f32> = BTreeMap::new();
    let mut all_named = true;
    for concept in listed {
        if ConceptId::new(concept.id.as_str()).is_ok() {
            values.insert(interner.intern(&concept.id), value(concept.value));
        } else {
            all_named = false;
        }
    }
    let concepts = values
        .into_iter()
        .map(|(id, value)| Concept {
            id: ConceptId::new(id).expect("it was checked above"),
            value,
        })
        .collect();
    (
        interner.share(Concepts::new(concepts).expect("a map names each concept once")),
        all_named,
    )
}

/// A value within 0..=1: what lies outside is noise, or a server's mistake that no patch could repeat.
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
