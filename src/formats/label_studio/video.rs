//! Boxes of a video: a list of key frames becomes an annotation for each frame.
//!
//! Label Studio counts frames from 1, and a frame's `time` is its number divided by the frames per second. A manifest
//! counts both from 0. A box is shown on each key frame; on the frames up to the next one only if the key frame is
//! `enabled`.

use super::percent::Canvas;
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::{Found, Object};
use crate::formats::json::{kind, number};
use crate::formats::options::{Frames, ImportOptions};
use crate::formats::place::skip;
use crate::model::{Content, Extras, Frame, RareFields};
use serde_json::{Map, Value};
use smallvec::smallvec;

/// How many frames of a track are computed at most: an hour and more of a video.
const MAX_COMPUTED: u64 = 200_000;

/// The fields of a key frame that change from frame to frame.
const CHANGING: [&str; 5] = ["x", "y", "width", "height", "rotation"];

struct Key<'t> {
    number: u32,
    is_enabled: bool,
    fields: &'t Map<String, Value>,
}

/// The objects of a region with key frames. `region` has its concepts and metadata.
pub(super) fn objects(
    value: &Map<String, Value>,
    region: &Object,
    canvas: Canvas,
    options: &ImportOptions,
) -> Vec<Found> {
    let left_out = |detail: String| {
        let why = skip(SkipCode::WrongType, detail);
        vec![Found::LeftOut(region.name.clone(), why)]
    };
    let list = match value.get("sequence") {
        Some(Value::Array(list)) => list,
        Some(other) => return left_out(format!("`sequence` is {}", kind(other))),
        None => return left_out("there is no `sequence`".to_owned()),
    };
    if list.is_empty() {
        let why = skip(SkipCode::NoGeometry, "`sequence` is empty");
        return vec![Found::LeftOut(region.name.clone(), why)];
    }
    let mut found = Vec::new();
    let mut keys: Vec<Key<'_>> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        match key(value) {
            Some(key) => keys.push(key),
            None => found.push(Found::LeftOut(
                format!("{}, key frame {}", region.name, index + 1).into(),
                skip(
                    SkipCode::WrongType,
                    "a key frame has no `frame` that is a whole number",
                ),
            )),
        }
    }
    keys.sort_by_key(|key| key.number);
    let rate = frame_rate(value, &keys).or(options.frame_rate);
    let mut notes = region.notes.clone();
    if rate.is_none() {
        notes.push(Note::GuessedTime);
    }
    let mut computed = 0;
    let is_interpolated = options.frames == Frames::Interpolated;
    for (index, key) in keys.iter().enumerate() {
        let frame = |number: u32, fields: &Map<String, Value>, notes: &mut Vec<Note>| {
            let name = format!("{}, frame {number}", region.name);
            let mut own = std::mem::take(notes);
            let shape = match canvas.turned_box(fields, &mut own) {
                Ok(shape) => shape,
                Err(why) => return Found::LeftOut(name.into(), why),
            };
            Found::Object(Box::new(Object {
                name: name.into(),
                shapes: smallvec![shape],
                content: Some(Box::new(content(number, rate, &region.name.to_string()))),
                notes: own,
                ..region.clone()
            }))
        };
        let mut object = frame(key.number, key.fields, &mut notes);
        if let Found::Object(object) = &mut object
            && !key.is_enabled
        {
            object.metadata.insert("enabled".to_owned(), false.into());
        }
        found.push(object);
        let Some(next) = keys
            .get(index + 1)
            .filter(|_| is_interpolated && key.is_enabled)
        else {
            continue;
        };
        let between = key.number.saturating_add(1)..next.number;
        computed += between.len() as u64;
        if computed > MAX_COMPUTED {
            let detail = format!("more than {MAX_COMPUTED} frames between its key frames");
            found.push(Found::LeftOut(
                format!("{}, frames after {}", region.name, key.number).into(),
                skip(SkipCode::OtherTime, detail),
            ));
            break;
        }
        if !between.is_empty() && computed == between.len() as u64 {
            notes.push(Note::InterpolatedFrames);
        }
        let length = f64::from(next.number - key.number);
        for number in between {
            let share = f64::from(number - key.number) / length;
            found.push(frame(number, &mixed(key, next, share), &mut notes));
        }
    }
    found
}

fn key(value: &Value) -> Option<Key<'_>> {
    let fields = value.as_object()?;
    let frame = fields.get("frame").and_then(number)?;
    let is_frame = frame.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&frame);
    is_frame.then(|| Key {
        number: frame as u32,
        is_enabled: fields.get("enabled") != Some(&Value::Bool(false)),
        fields,
    })
}

/// Frames per second: of the whole video, else from the time of a key frame.
fn frame_rate(value: &Map<String, Value>, keys: &[Key<'_>]) -> Option<f64> {
    let ratio = |frames: Option<f64>, seconds: Option<&Value>| {
        let rate = frames? / number(seconds?)?;
        (rate.is_finite() && rate > 0.0).then_some(rate)
    };
    let whole = ratio(
        value.get("framesCount").and_then(number),
        value.get("duration"),
    );
    let of_key = |key: &Key<'_>| ratio(Some(key.number.into()), key.fields.get("time"));
    whole.or_else(|| keys.iter().find_map(of_key))
}

/// The fields of a frame between two key frames.
fn mixed(from: &Key<'_>, to: &Key<'_>, share: f64) -> Map<String, Value> {
    let mut fields = from.fields.clone();
    for name in CHANGING {
        let value = |key: &Key<'_>| key.fields.get(name).and_then(number);
        if let (Some(from), Some(to)) = (value(from), value(to)) {
            fields.insert(name.to_owned(), (from + share * (to - from)).into());
        }
    }
    fields
}

fn content(number: u32, rate: Option<f64>, track: &str) -> Content {
    let number = number.saturating_sub(1);
    Content {
        frame: Some(Frame {
            number,
            time_ms: rate.map_or(0, |rate| (f64::from(number) * 1000.0 / rate).round() as u64),
        }),
        rare: RareFields {
            extras: Extras {
                track: Some(track.into()),
                ..Extras::default()
            },
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    }
}
