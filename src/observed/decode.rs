//! One annotation of the wire becomes one of the model.
//!
//! What the model has no words for is never dropped: it becomes [`Geometry::Unmodelled`], which nothing but an id
//! matches, and its `data` is kept whole. What breaks the API's form, or cannot be written back as it is, is
//! [`Unreadable`]. Where an annotation lies is read in `place`.

mod place;

use crate::api::code::Code;
use crate::api::wire;
use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, Extras, Frame, Geometry, InputId, Interner,
    InvalidId, InvalidJson, Json, JsonFault, Maker, ObservedAnnotation, ObservedExtras, Status,
    Unreadable, UserId,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decodes one annotation. Names that many annotations share are shared through `interner`.
///
/// # Errors
///
/// An annotation that breaks the API's form, or that could not be written back as it is. One such annotation says nothing
/// about the others.
pub fn annotation(
    wire: wire::Annotation,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), Unreadable> {
    let maker = if wire.input_level {
        Maker::Input
    } else if wire.is_model_made() {
        Maker::Model
    } else {
        Maker::User
    };
    let mut unreadable = Unreadable {
        input: wire.input_id.as_str().into(),
        id: wire.id.as_str().into(),
        maker,
        user: None,
        why: Box::default(),
    };
    let user = match wire.user() {
        "" => None,
        user => match UserId::new(interner.intern(user)) {
            Ok(user) => Some(user),
            Err(why) => {
                unreadable.why = odd_name("its user's id", &why).into();
                return Err(unreadable);
            }
        },
    };
    if let Some(broken) = wire.broken {
        let why = format!("it breaks the API's form: {}", broken.why);
        return Err(Unreadable {
            user,
            why: why.into(),
            ..unreadable
        });
    }
    match read(wire, maker, user.clone(), interner) {
        Ok(read) => Ok(read),
        Err(why) => {
            unreadable.user = user;
            unreadable.why = why.into();
            Err(unreadable)
        }
    }
}

fn read(
    mut wire: wire::Annotation,
    maker: Maker,
    user: Option<UserId>,
    interner: &mut Interner,
) -> Result<(InputId, ObservedAnnotation), String> {
    let input = InputId::new(interner.intern(&wire.input_id))
        .map_err(|why| odd_name("its input's id", &why))?;
    let id = AnnotationId::new(wire.id.as_str()).map_err(|why| odd_name("its id", &why))?;
    let data = object(wire.data.take()).map_err(|why| format!("its data {why}"))?;
    let info = object(wire.annotation_info.take()).map_err(|why| format!("its info {why}"))?;
    let parsed: wire::Data = match &data {
        None => wire::Data::default(),
        Some(data) => serde_json::from_str(data.as_str()).map_err(|error| {
            format!("its data breaks the API's form: {}", JsonFault::from(error))
        })?,
    };
    let model_version = wire.model_version().map(String::into_boxed_str);
    let modified_at = wire
        .modified_at
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
            status: status(wire.status.as_ref()),
            user,
            maker,
            created_at: wire.created_at.map(String::into_boxed_str),
            data,
            info,
            extras: ObservedExtras {
                managed: Extras {
                    embed_model_version: given(wire.embed_model_version_id),
                    ..content.extras
                },
                model_version,
                modified_at,
                task: given(wire.task_id),
                has_consensus: wire
                    .consensus_info
                    .is_some_and(|info| !matches!(info.get(), "null" | "{}")),
            }
            .boxed(),
        },
    ))
}

fn odd_name(what: &str, why: &InvalidId) -> String {
    match why {
        InvalidId::Empty => format!("{what} is empty"),
        why => format!("{what} {why}"),
    }
}

/// A text that says something.
fn given(text: String) -> Option<Box<str>> {
    Some(text)
        .filter(|text| !text.is_empty())
        .map(String::into_boxed_str)
}

/// An empty object says no more than none: servers write either.
fn object(raw: Option<Box<RawValue>>) -> Result<Option<Json>, InvalidJson> {
    let json = raw.map(Json::try_from).transpose()?;
    Ok(json.filter(|json| json.as_str() != "{}"))
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
