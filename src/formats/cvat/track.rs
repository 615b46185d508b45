//! Tracks of a video: each place of an object in a frame becomes an annotation.

use super::fields;
use super::meta::Meta;
use super::shape::{self, Outline};
use super::video::Video;
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::{Builder, Object};
use crate::formats::options::Frames;
use crate::formats::place::{NotPlaced, Shape, skip};
use crate::formats::xml::Element;
use crate::model::{Content, Extras, Frame, RareFields};
use smallvec::smallvec;

/// How many annotations an import may add between key frames: a small file may name any frame number.
pub(super) const MAX_INTERPOLATED: u64 = 2_000_000;

pub(super) struct Track<'t> {
    element: Element<'t>,
    id: String,
    meta: &'t mut Meta,
}

/// A place of a track.
struct Key<'t> {
    frame: u32,
    is_outside: bool,
    element: Element<'t>,
}

fn id(track: Element<'_>, index: usize) -> String {
    let id = track
        .attribute("id")
        .map(str::trim)
        .filter(|id| !id.is_empty());
    id.map_or_else(|| index.to_string(), str::to_owned)
}

fn is_outside(element: Element<'_>) -> bool {
    element
        .attribute("outside")
        .is_some_and(|text| text.trim() == "1")
}

/// Whether the object leaves the picture and comes back.
fn has_gap(keys: &[Key<'_>]) -> bool {
    let mut is_outside = keys.iter().map(|key| key.is_outside);
    // Up to the first place, then up to where the object leaves.
    is_outside.any(|it| !it) && is_outside.any(|it| it) && is_outside.any(|it| !it)
}

/// Leaves out the places of a track whose task the file does not have.
pub(super) fn left_out(track: Element<'_>, index: usize, task: &str, builder: &mut Builder<'_>) {
    let places = track.children().filter(|place| !is_outside(*place));
    for place in places {
        let frame = place.attribute("frame").unwrap_or("unknown");
        let name = format!("track {} frame {frame}", id(track, index));
        let detail = format!("the track's task_id is {task:?}");
        let picture = (!task.is_empty()).then(|| task.to_owned());
        builder.left_out_of(picture, name, SkipCode::UnknownImage, detail);
    }
}

impl<'t> Track<'t> {
    pub(super) fn new(element: Element<'t>, index: usize, meta: &'t mut Meta) -> Self {
        Self {
            element,
            id: id(element, index),
            meta,
        }
    }

    /// Adds the annotations of the track, by frame. `interpolated` is how many may still be added between key frames.
    pub(super) fn read(
        &mut self,
        video: &mut Video,
        builder: &mut Builder<'_>,
        interpolated: &mut u64,
    ) {
        let mut keys = Vec::new();
        for element in self.element.children() {
            match frame(element) {
                Ok(frame) => keys.push(Key {
                    frame,
                    is_outside: is_outside(element),
                    element,
                }),
                Err(NotPlaced { code, detail }) => {
                    let name = format!("track {}", self.id);
                    builder.left_out(Some(video.at), name, code, detail);
                }
            }
        }
        keys.sort_by_key(|key| key.frame);
        let is_interpolated = builder.options().frames == Frames::Interpolated;
        let (mut added, mut lost) = (false, false);
        // With every frame declared, a gap is a gap; between key frames, another tool fills it.
        let has_gap = !is_interpolated && has_gap(&keys);
        for (index, key) in keys.iter().enumerate() {
            if key.is_outside {
                continue;
            }
            let outline = self.listed(key, video, builder);
            let Some(next) = keys.get(index + 1).filter(|_| is_interpolated) else {
                continue;
            };
            let gap = next.frame.abs_diff(key.frame).saturating_sub(1) / video.step;
            if gap == 0 {
                continue;
            }
            let next_outline = Outline::read(next.element).ok();
            match outline.zip(next_outline) {
                Some((from, to))
                    if from.between(&to, 0.5).is_some() && u64::from(gap) <= *interpolated =>
                {
                    *interpolated -= u64::from(gap);
                    self.between(key, next.frame, &from, &to, video, builder);
                    added = true;
                }
                _ => lost = true,
            }
        }
        for (is_so, note) in [
            (added, Note::InterpolatedFrames),
            (lost, Note::NotInterpolated),
            (has_gap, Note::GapsLeftOut),
        ] {
            if is_so {
                builder.note(note, format!("track {}, {}", self.id, video.name));
            }
        }
    }

    /// Adds a place that the file lists. The result is its outline, if it has one.
    fn listed(
        &mut self,
        key: &Key<'_>,
        video: &mut Video,
        builder: &mut Builder<'_>,
    ) -> Option<Outline> {
        let mut notes = Vec::new();
        let mut outline = None;
        let shape = fields::label(self.element).and_then(|label| match key.element.name() {
            "skeleton" => shape::skeleton(key.element, label, self.meta, &mut notes),
            "mask" => {
                let overhang = builder.options().overhang;
                shape::mask(key.element, video.size, overhang, &mut notes)
            }
            _ => Outline::read(key.element).map(|read| outline.insert(read).shape(&mut notes)),
        });
        match shape {
            Ok(shape) => self.add(key, key.frame, shape, notes, video, builder),
            Err(NotPlaced { code, detail }) => {
                let name = self.name(key.frame);
                builder.left_out(Some(video.at), name, code, detail);
            }
        }
        outline
    }

    /// Adds the frames between two places.
    fn between(
        &self,
        key: &Key<'_>,
        end: u32,
        from: &Outline,
        to: &Outline,
        video: &mut Video,
        builder: &mut Builder<'_>,
    ) {
        let step = u64::from(video.step);
        let (first, end) = (u64::from(key.frame), u64::from(end));
        let mut frame = first + step;
        while frame < end {
            let share = (frame - first) as f64 / (end - first) as f64;
            let mut notes = Vec::new();
            if let Some(outline) = from.between(to, share) {
                let place = outline.shape(&mut notes);
                // Below `end`, which is of 32 bits.
                self.add(key, frame as u32, place, notes, video, builder);
            }
            frame += step;
        }
    }

    fn add(
        &self,
        key: &Key<'_>,
        number: u32,
        shape: Shape,
        notes: Vec<Note>,
        video: &mut Video,
        builder: &mut Builder<'_>,
    ) {
        let rate = builder.options().frame_rate;
        let time = rate.map(|rate| (f64::from(number) * 1_000.0 / rate).round());
        let time = time.filter(|time| (0.0..=9e15).contains(time));
        video.has_guessed_time |= time.is_none();
        let label = self.element.attribute("label").unwrap_or_default();
        let mut object = Object {
            name: self.name(number).into(),
            concepts: smallvec![(builder.class(label), 1.0)],
            shapes: smallvec![shape],
            content: Some(Box::new(Content {
                frame: Some(Frame {
                    time_ms: time.unwrap_or_default() as u64,
                    number,
                }),
                rare: RareFields {
                    extras: Extras {
                        track: Some(self.id.as_str().into()),
                        ..Extras::default()
                    },
                    ..RareFields::default()
                }
                .into(),
                ..Content::default()
            })),
            notes,
            ..Object::default()
        };
        fields::read(
            key.element,
            Some(self.element),
            label,
            self.meta,
            &mut object,
        );
        builder.object(video.at, object);
    }

    fn name(&self, frame: u32) -> String {
        format!("track {} frame {frame}", self.id)
    }
}

fn frame(element: Element<'_>) -> Result<u32, NotPlaced> {
    let Some(text) = element.attribute("frame") else {
        return Err(skip(SkipCode::WrongType, "it has no `frame`"));
    };
    text.trim().parse().map_err(|_| {
        let detail = format!("`frame` is {text:?}, not a whole number from 0");
        skip(SkipCode::WrongType, detail)
    })
}
