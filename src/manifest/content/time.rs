//! Parts of a video or of a text: `frame`, `segment`, `span`.

use crate::manifest::at::At;
use crate::manifest::words::quote;
use crate::model::{Frame, Rule, Segment, Span};

const FRAME: [&str; 2] = ["time_ms", "number"];
const SEGMENT: [&str; 2] = ["begin", "end"];
const SPAN: [&str; 3] = ["start", "end", "text"];

pub(in crate::manifest) fn frame(at: At<'_, '_>) -> Option<Frame> {
    let fields = at.fields("`frame`", &FRAME)?;
    // An invalid value was reported; 0 replaces it.
    let time_ms = fields
        .get("time_ms")
        .map(|at| at.whole_number("`time_ms`", 0, u64::MAX).unwrap_or(0));
    let number = fields
        .get("number")
        .map(|at| at.whole_number_32("`number`", 0).unwrap_or(0));
    if time_ms.is_none() && number.is_none() {
        at.error("a `frame` without `time_ms` or `number`")
            .hint("write the frame's time in milliseconds, its number, or both");
        return None;
    }
    Some(Frame {
        time_ms: time_ms.unwrap_or(0),
        number: number.unwrap_or(0),
    })
}

pub(in crate::manifest) fn segment(at: At<'_, '_>) -> Option<Segment> {
    let fields = at.fields("`segment`", &SEGMENT)?;
    let hint = "a segment has begin and end, in seconds from the start";
    let read = |key: &'static str| {
        let at = fields.require(key, "a `segment`", hint)?;
        let seconds = at.as_number().unwrap_or(f64::NAN);
        // A greater time would be infinite on the wire. The comparison is false for NaN as well.
        if (0.0..=f64::from(f32::MAX)).contains(&seconds) {
            return Some(seconds);
        }
        at.wrong_type(&quote(key), "a number of seconds, 0 or more");
        None
    };
    let (begin, end) = (read("begin"), read("end"));
    let segment = Segment::new(begin?, end?)
        .map_err(|error| {
            fields
                .value_error("end", error.to_string())
                .hint("a segment runs forward; swap `begin` and `end`");
        })
        .ok()?;
    if segment.is_empty() {
        fields
            .value_error(
                "end",
                "a segment without duration: `begin` and `end` are equal as 32-bit numbers",
            )
            .hint("the service stores times as 32-bit numbers; let it end later, or declare a `frame`")
            .rule(Rule::NoArea);
        return None;
    }
    Some(segment)
}

/// Reads `span`. It is checked against the input's text where that is known.
pub(in crate::manifest) fn span(at: At<'_, '_>) -> Option<Span> {
    let fields = at.fields("`span`", &SPAN)?;
    let hint = "a span has start and end: characters, counted from 0; `end` is one after the last";
    let read = |key: &'static str| {
        let at = fields.require(key, "a `span`", hint)?;
        at.whole_number_32(&quote(key), 0)
    };
    let (start, end) = (read("start"), read("end"));
    let text = fields.get("text").and_then(|at| at.text("`text`"));
    let span = Span::new(start?, end?, text.map(Box::from))
        .map_err(|error| {
            fields
                .value_error("end", error.to_string())
                .hint("a span runs forward; swap `start` and `end`");
        })
        .ok()?;
    if span.is_empty() {
        fields
            .value_error("end", "a span without characters: `start` and `end` are equal")
            .hint("`end` is one after the last character: a span of one character ends at `start` + 1")
            .rule(Rule::NoArea);
        return None;
    }
    Some(span)
}
