//! Inputs with annotations -> tasks of Label Studio's JSON, one file for each split.
//!
//! Metadata that is a text or a number is written as a text area or a number of the region, by its key.

use super::brush;
use super::task::INPUT_ID;
use crate::formats::account::{Media, Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::pieces::PART_OF;
use crate::formats::writer::{ExportInput, Exported, Holds, Whole, Writer, shortest};
use crate::model::{ConceptId, Concepts, Frame, Geometry};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A choice or a label is there, or it is not.
const HOLDS: Holds = Holds {
    scores: false,
    absent: false,
};

/// Frames per second if only the first frame is given: any rate fits its time.
const ANY_RATE: f64 = 25.0;

/// Writes `tasks.json`, or `tasks_SPLIT.json` for each split.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::LabelStudio, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, Vec<Value>> = BTreeMap::new();
    for (number, input) in inputs.iter().enumerate() {
        let task = task(number + 1, input, &mut writer);
        splits.entry(input.split.as_deref()).or_default().push(task);
    }
    for (split, tasks) in splits {
        let name = match split {
            Some(split) => format!("tasks_{split}.json"),
            None => "tasks.json".to_owned(),
        };
        let mut bytes = serde_json::to_vec(&tasks).expect("numbers and texts are JSON");
        bytes.push(b'\n');
        writer.file(&name, bytes);
    }
    writer.finish()
}

fn task(number: usize, input: &ExportInput, writer: &mut Writer) -> Value {
    let (key, value) = match &input.media {
        Media::Text(text) => ("text", text.clone()),
        Media::Image => ("image", served(&writer.file_name(input))),
        Media::Video => ("video", served(&writer.file_name(input))),
    };
    let mut data = Map::from_iter([(key.to_owned(), value.into())]);
    // A text has no path that its input could be named after.
    if key == "text" {
        data.insert(INPUT_ID.to_owned(), input.id.as_str().into());
    }
    let all = writer.annotations(input);
    let tracks: BTreeSet<&str> = all.iter().filter_map(|it| it.content.track()).collect();
    let mut results = Results {
        to: key,
        size: input.image.size,
        list: Vec::new(),
        sequences: BTreeMap::new(),
    };
    let mut names = (1..)
        .map(|number| format!("r{number}"))
        .filter(|name| !tracks.contains(name.as_str()));
    for one in all {
        let name = names.next().expect("there is a name after each");
        if let Err((code, detail)) = results.add(&one, &name, input, writer) {
            writer.left_out(one.name, input, code, detail);
        }
    }
    results.close_sequences(input, writer);
    json!({
        "id": number,
        "data": data,
        "annotations": [{"id": number, "was_cancelled": false, "ground_truth": false, "result": results.list}],
        "predictions": [],
    })
}

/// The URL by which Label Studio finds a file in its folder of local files.
fn served(name: &str) -> String {
    if name.contains("://") || name.starts_with('/') {
        return name.to_owned();
    }
    let parts: Vec<String> = name
        .split('/')
        .map(|part| url::form_urlencoded::byte_serialize(part.as_bytes()).collect())
        .collect();
    format!("/data/local-files/?d={}", parts.join("/"))
}

type Problem = (SkipCode, String);

/// A track: key frames of one region.
struct Sequence<'e> {
    concepts: Vec<String>,
    frames: Vec<KeyFrame<'e>>,
}

struct KeyFrame<'e> {
    frame: Frame,
    /// The annotation.
    name: &'e str,
    /// Whether the object is shown until the next key frame.
    is_enabled: bool,
    value: Map<String, Value>,
}

struct Results<'e> {
    /// The key of the data, and the name of its tag.
    to: &'static str,
    size: Option<(u32, u32)>,
    list: Vec<Value>,
    /// By track.
    sequences: BTreeMap<String, Sequence<'e>>,
}

impl<'e> Results<'e> {
    fn add(
        &mut self,
        one: &Whole<'e>,
        id: &str,
        input: &ExportInput,
        writer: &mut Writer,
    ) -> Result<(), Problem> {
        let concepts = one.content.concepts.iter().flat_map(Concepts::iter);
        let concepts: Vec<String> = concepts.map(|it| it.id.to_string()).collect();
        let mut metadata = one.metadata.clone();
        if one.content.frame.is_some() || one.content.track().is_some() {
            self.add_frame(one, &concepts, metadata)?;
            return Ok(());
        }
        if *one.geometry == Geometry::Whole && concepts.is_empty() {
            return Err((SkipCode::NoConcept, "it has no concept".to_owned()));
        }
        let (name, kind, mut value) = place(one.geometry, input)?;
        value.insert(kind.to_owned(), json!(concepts));
        let region = self.result(id, name, kind, &value);
        let meta = metadata
            .remove("meta")
            .filter(|meta| meta.as_object().is_some_and(|fields| !fields.is_empty()));
        self.list.push(region);
        let mut is_complete = true;
        if let (Some(meta), Some(region)) = (meta, self.list.last_mut()) {
            region["meta"] = meta;
        } else if one.metadata.contains_key("meta") {
            is_complete = false;
        }
        for (key, value) in metadata {
            let (kind, field, written) = match value {
                Value::String(text) => ("textarea", "text", json!([text])),
                Value::Number(number) => ("number", "number", Value::Number(number)),
                _ => {
                    is_complete = false;
                    continue;
                }
            };
            if key == PART_OF {
                is_complete = false;
                continue;
            }
            let value = Map::from_iter([(field.to_owned(), written)]);
            let result = self.result(id, &key, kind, &value);
            self.list.push(result);
        }
        if !is_complete {
            writer.note(Note::MetadataLeftOut, one.name, input);
        }
        Ok(())
    }

    fn result(&self, id: &str, from: &str, kind: &str, value: &Map<String, Value>) -> Value {
        let mut result = json!({
            "id": id,
            "from_name": from,
            "to_name": self.to,
            "type": kind,
            "origin": "manual",
            "value": value,
        });
        if let Some((width, height)) = self.size.filter(|_| self.to == "image") {
            result["original_width"] = width.into();
            result["original_height"] = height.into();
            result["image_rotation"] = 0.into();
        }
        result
    }

    /// Adds a key frame to its track.
    fn add_frame(
        &mut self,
        one: &Whole<'e>,
        concepts: &[String],
        mut metadata: Map<String, Value>,
    ) -> Result<(), Problem> {
        let other = |detail: &str| (SkipCode::OtherTime, detail.to_owned());
        let (Some(frame), Some(track)) = (one.content.frame, one.content.track()) else {
            return Err(other("a frame without a track, or a track without a frame"));
        };
        let Geometry::Box(edges) = one.geometry else {
            return Err((
                SkipCode::OtherShape,
                "a frame with a shape that is not a box".to_owned(),
            ));
        };
        if track.trim().is_empty() || frame.number == u32::MAX {
            return Err(other("a track or a frame that Label Studio cannot name"));
        }
        let is_enabled = metadata.get("enabled") != Some(&Value::Bool(false));
        if !is_enabled {
            metadata.remove("enabled");
        }
        if !metadata.is_empty() {
            return Err(other("a frame with metadata"));
        }
        let sequence = (self.sequences.entry(track.to_owned())).or_insert_with(|| Sequence {
            concepts: concepts.to_vec(),
            frames: Vec::new(),
        });
        if sequence.concepts != concepts {
            return Err(other(
                "its concepts are not those of the track's first frame",
            ));
        }
        let mut value = edges_value(edges.edges());
        value.insert("enabled".to_owned(), is_enabled.into());
        let mut frames: Vec<Frame> = sequence.frames.iter().map(|it| it.frame).collect();
        frames.push(frame);
        if rate(&frames).is_none() {
            return Err(other(
                "its time does not match its number at any frame rate",
            ));
        }
        sequence.frames.push(KeyFrame {
            frame,
            name: one.name,
            is_enabled,
            value,
        });
        Ok(())
    }

    fn close_sequences(&mut self, input: &ExportInput, writer: &mut Writer) {
        for (track, mut sequence) in std::mem::take(&mut self.sequences) {
            sequence.frames.sort_by_key(|key| key.frame.number);
            if let Some(last) = before_filled_gap(&sequence.frames) {
                writer.note(Note::GapsFilled, last.name, input);
            }
            let frames: Vec<Frame> = sequence.frames.iter().map(|key| key.frame).collect();
            let rate = rate(&frames).flatten();
            let keys = sequence.frames.into_iter().map(|mut key| {
                let number = key.frame.number + 1;
                key.value.insert("frame".to_owned(), number.into());
                if let Some(rate) = rate {
                    let time = f64::from(number) / rate;
                    key.value.insert("time".to_owned(), time.into());
                }
                Value::Object(key.value)
            });
            let value = Map::from_iter([
                ("sequence".to_owned(), keys.collect()),
                ("labels".to_owned(), json!(sequence.concepts)),
            ]);
            let result = self.result(&track, "videorectangle", "videorectangle", &value);
            self.list.push(result);
        }
    }
}

/// The frame before the first gap in which Label Studio would show the object, in a track that declares every frame: then
/// most frames are the least distance from the next one. Otherwise they are key frames, and the object is between them, too.
fn before_filled_gap<'k, 'e>(keys: &'k [KeyFrame<'e>]) -> Option<&'k KeyFrame<'e>> {
    let distance = |pair: &[KeyFrame<'_>]| pair[1].frame.number - pair[0].frame.number;
    let least = keys.windows(2).map(distance).min()?;
    let (near, far): (Vec<_>, Vec<_>) = (keys.windows(2)).partition(|pair| distance(pair) == least);
    let mut gaps = far.iter().map(|pair| &pair[0]);
    (near.len() > far.len()).then(|| gaps.find(|key| key.is_enabled))?
}

/// The frames per second from which an import computes these times: `Some(None)` if all times are unknown, `None` if
/// there is none.
#[expect(
    clippy::option_option,
    reason = "three answers, two of which are a rate or its absence"
)]
fn rate(frames: &[Frame]) -> Option<Option<f64>> {
    let Some(last) = frames.iter().max_by_key(|frame| frame.number) else {
        return Some(None);
    };
    if last.number == 0 {
        return (frames.iter().all(|it| it.time_ms == 0)).then_some(Some(ANY_RATE));
    }
    if frames.iter().all(|it| it.time_ms == 0) {
        return Some(None);
    }
    let exact = f64::from(last.number) * 1000.0 / last.time_ms as f64;
    // The time of the last frame is rounded.
    let candidates = [exact.round(), (exact * 100.0).round() / 100.0, exact];
    let fits = |rate: &f64| {
        rate.is_finite()
            && *rate > 0.0
            && frames.iter().all(|frame| {
                let time = f64::from(frame.number) * 1000.0 / rate;
                time.round() as u64 == frame.time_ms
            })
    };
    candidates.into_iter().find(fits).map(Some)
}

/// The tag's name, the type, and the value without labels.
fn place(
    geometry: &Geometry,
    input: &ExportInput,
) -> Result<(&'static str, &'static str, Map<String, Value>), Problem> {
    let xy = |row: f32, col: f32| json!([percent(col), percent(row)]);
    Ok(match geometry {
        Geometry::Whole => ("choices", "choices", Map::new()),
        Geometry::Box(edges) => ("rectangle", "rectanglelabels", edges_value(edges.edges())),
        Geometry::Polygon(polygon) => {
            let points = polygon.points().iter();
            let points = points.map(|point| xy(point.row.get(), point.col.get()));
            let value = Map::from_iter([
                ("points".to_owned(), points.collect()),
                ("closed".to_owned(), true.into()),
            ]);
            ("polygon", "polygonlabels", value)
        }
        Geometry::Point(point) => {
            let value = Map::from_iter([
                ("x".to_owned(), percent(point.col.get()).into()),
                ("y".to_owned(), percent(point.row.get()).into()),
                ("width".to_owned(), 0.5.into()),
            ]);
            ("keypoint", "keypointlabels", value)
        }
        Geometry::Mask(mask) => {
            let size = input.image.size.ok_or_else(|| {
                let detail = "the size of its image is not known";
                (SkipCode::ImageWithoutSize, detail.to_owned())
            })?;
            let rle = brush::rle(mask, size).map_err(|why| (SkipCode::WrongMask, why))?;
            let value = Map::from_iter([
                ("format".to_owned(), "rle".into()),
                ("rle".to_owned(), rle.into()),
            ]);
            ("brush", "brushlabels", value)
        }
        Geometry::Span(span) => {
            if !matches!(input.media, Media::Text(_)) {
                let detail = "a span of a text that is not known";
                return Err((SkipCode::OutsideText, detail.to_owned()));
            }
            let mut value = Map::from_iter([
                ("start".to_owned(), span.start().into()),
                ("end".to_owned(), span.end().into()),
            ]);
            if let Some(text) = span.text() {
                value.insert("text".to_owned(), text.into());
            }
            ("label", "labels", value)
        }
        _ => unreachable!("the writer gives the kinds that Label Studio holds"),
    })
}

fn edges_value([top, left, bottom, right]: [f32; 4]) -> Map<String, Value> {
    let length = |from: f32, to: f32| {
        let start = percent(from);
        // The sum may not be above 100 by a rounding error.
        let is_end = |length: f64| {
            start + length <= 100.0 && (((start + length) / 100.0) as f32).to_bits() == to.to_bits()
        };
        shortest(f64::from(to) * 100.0 - start, is_end)
    };
    Map::from_iter([
        ("x".to_owned(), percent(left).into()),
        ("y".to_owned(), percent(top).into()),
        ("width".to_owned(), length(left, right).into()),
        ("height".to_owned(), length(top, bottom).into()),
        ("rotation".to_owned(), 0.into()),
    ])
}

/// A fraction in percent, with as few digits as give the same fraction again.
fn percent(fraction: f32) -> f64 {
    shortest(f64::from(fraction) * 100.0, |percent| {
        ((percent / 100.0) as f32).to_bits() == fraction.to_bits()
    })
}
