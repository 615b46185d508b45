//! Frames and tracks of videos.

use super::finding::{Checked, Fix};
use crate::manifest::Spot;
use crate::model::{Concepts, DesiredInput, Frame, Rule};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The track of an annotation, and its frame.
type Framed<'a> = (Option<&'a str>, Frame, usize);

pub(super) fn check(checked: &mut Checked<'_>) {
    let framed = framed(checked.input);
    let tracks = by_track(&framed);
    for (track, members) in &tracks {
        check_order(checked, *track, members);
        if let Some(track) = track {
            let mut members = members.clone();
            members.sort_by_key(|(frame, _)| *frame);
            check_track(checked, track, &members);
        }
    }
    check_times(checked, &framed);
}

fn framed(input: &DesiredInput) -> Vec<Framed<'_>> {
    let annotations = input.annotations.iter().enumerate();
    annotations
        .filter_map(|(at, annotation)| {
            let content = &annotation.content;
            Some((content.track(), content.frame?, at))
        })
        .collect()
}

/// The frames of each track, and of annotations without one, in the order of the file.
fn by_track<'a>(framed: &[Framed<'a>]) -> BTreeMap<Option<&'a str>, Vec<(Frame, usize)>> {
    let mut tracks: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (track, frame, at) in framed {
        tracks.entry(*track).or_default().push((*frame, *at));
    }
    tracks
}

/// What the frames of a track are ordered by: times if all have one, else numbers if all have one. Only the first frame has
/// time 0 and number 0.
fn sort_key(members: &[(Frame, usize)]) -> Option<fn(&Frame) -> u64> {
    let all = |has: fn(&Frame) -> bool| members.iter().all(|(frame, _)| has(frame));
    if all(|frame| frame.time_ms > 0 || frame.number == 0) {
        Some(|frame| frame.time_ms)
    } else if all(|frame| frame.number > 0 || frame.time_ms == 0) {
        Some(|frame| u64::from(frame.number))
    } else {
        None
    }
}

fn check_order(checked: &mut Checked<'_>, track: Option<&str>, members: &[(Frame, usize)]) {
    let Some(key) = sort_key(members) else {
        return;
    };
    let wrong = members
        .windows(2)
        .find(|pair| key(&pair[0].0) > key(&pair[1].0));
    let Some([(_, before), (_, at)]) = wrong else {
        return;
    };
    let message = match track {
        Some(track) => format!("the frames of track `{track}` are not in order"),
        None => "frames that are not in order".to_owned(),
    };
    let spot = Spot::Field(checked.origin(*at), "frame");
    let hint = "sort them by time; --fix does";
    let finding = checked.report_on(Rule::FrameOrder, &[*at, *before], spot, message, hint);
    finding.subject = format!("track {}", track.unwrap_or_default());
    if let Some((label, _)) = &mut finding.related {
        *label = "a later frame is at";
    }
    finding.fix = Some(Fix::Order);
}

/// The annotations of an input, by index, with the frames of each track in order: they exchange their places.
pub(super) fn ordered(input: &DesiredInput) -> Vec<usize> {
    let mut order: Vec<usize> = (0..input.annotations.len()).collect();
    for members in by_track(&framed(input)).into_values() {
        let Some(key) = sort_key(&members) else {
            continue;
        };
        let mut sorted = members.clone();
        sorted.sort_by_key(|(frame, _)| key(frame));
        for ((_, place), (_, at)) in members.iter().zip(sorted) {
            order[*place] = at;
        }
    }
    order
}

fn check_track(checked: &mut Checked<'_>, track: &str, members: &[(Frame, usize)]) {
    let mut first_in: BTreeMap<Frame, usize> = BTreeMap::new();
    let mut classes: Option<(BTreeSet<&str>, usize)> = None;
    let input = checked.input;
    for (frame, at) in members {
        let origin = checked.origin(*at);
        match first_in.entry(*frame) {
            Entry::Vacant(entry) => {
                entry.insert(*at);
            }
            Entry::Occupied(first) => {
                let message = format!("a second annotation of track `{track}` in the same frame");
                let hint = "a track is one object: give the other object its own track, or remove the copy";
                let spot = Spot::Field(origin, "track");
                checked.report_on(
                    Rule::TrackOverlap,
                    &[*at, *first.get()],
                    spot,
                    message,
                    hint,
                );
            }
        }
        let Some(concepts) = &input.annotations[*at].content.concepts else {
            continue;
        };
        let present = present(concepts);
        match &classes {
            Some((known, first)) if *known != present => {
                let message = format!(
                    "track `{track}` changes from {} to {}",
                    listed(known),
                    listed(&present)
                );
                let hint = "a track is one object: correct the concept, or begin a new track here";
                let spot = Spot::Field(origin, "concepts");
                let first = *first;
                checked.report_on(Rule::TrackConcept, &[*at, first], spot, message, hint);
                classes = Some((present, *at));
            }
            Some(_) => {}
            None => classes = Some((present, *at)),
        }
    }
}

fn present(concepts: &Concepts) -> BTreeSet<&str> {
    let present = concepts.iter().filter(|concept| concept.value > 0.0);
    present.map(|concept| concept.id.as_str()).collect()
}

fn listed(concepts: &BTreeSet<&str>) -> String {
    let all: Vec<String> = concepts.iter().map(|id| format!("`{id}`")).collect();
    if all.is_empty() {
        "no concept".to_owned()
    } else {
        all.join(", ")
    }
}

/// Reports the first frame that has a higher number and an earlier time than another.
fn check_times(checked: &mut Checked<'_>, framed: &[Framed<'_>]) {
    let mut timed: Vec<(u32, u64, usize)> = framed
        .iter()
        .filter(|(_, frame, _)| frame.number > 0 && frame.time_ms > 0)
        .map(|(_, frame, at)| (frame.number, frame.time_ms, *at))
        .collect();
    timed.sort_unstable();
    let wrong = timed
        .windows(2)
        .find(|pair| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1);
    if let Some([(number, time, before), (other_number, other_time, at)]) = wrong {
        let message =
            format!("frame {other_number} is at {other_time} ms, and frame {number} at {time} ms");
        let hint = "correct the time or the number of one of the two";
        let spot = Spot::Field(checked.origin(*at), "frame");
        checked.report_on(Rule::FrameTime, &[*at, *before], spot, message, hint);
    }
}
