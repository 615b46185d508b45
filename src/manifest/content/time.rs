//! What lies in time, or in a text: `frame`, `segment`, `span`.

use crate::manifest::fields::{as_number, fields, text, whole_number, wrong_type};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::node::Node;
use crate::manifest::words::quote;
use crate::model::{Frame, Segment, Span};

const FRAME: [&str; 2] = ["time_ms", "number"];
const SEGMENT: [&str; 2] = ["begin", "end"];
const SPAN: [&str; 3] = ["start", "end", "text"];

/// Reads `frame`.
pub(in crate::manifest) fn frame(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Frame> {
    let parts = fields(node, "`frame`", &FRAME, place, findings)?;
    let mut read = |key: &'static str, high: u64| {
        parts.get(key).map(|node| {
            whole_number(node, &quote(key), 0, high, &place.name(key), findings).unwrap_or(0)
        })
    };
    let (time_ms, number) = (
        read("time_ms", u64::MAX),
        read("number", u64::from(u32::MAX)),
    );
    if time_ms.is_none() && number.is_none() {
        findings
            .add(place.value(), "a `frame` without `time_ms` or `number`")
            .hint("write the frame's time in milliseconds, its number, or both");
        return None;
    }
    Some(Frame {
        time_ms: time_ms.unwrap_or(0),
        number: u32::try_from(number.unwrap_or(0)).unwrap_or(u32::MAX),
    })
}

/// Reads `segment`.
pub(in crate::manifest) fn segment(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Segment> {
    let parts = fields(node, "`segment`", &SEGMENT, place, findings)?;
    let hint = "a segment has begin and end, in seconds from the start";
    let mut read = |key: &'static str| {
        let node = parts.require(key, "a `segment`", hint, place, findings)?;
        let seconds = as_number(node).unwrap_or(f64::NAN);
        // Beyond 32 bits a time would become infinite on the wire. The comparison is false for NaN as well.
        if (0.0..=f64::from(f32::MAX)).contains(&seconds) {
            return Some(seconds);
        }
        let (noun, at) = (quote(key), place.name(key));
        wrong_type(node, &noun, "a number of seconds, 0 or more", &at, findings);
        None
    };
    let (begin, end) = (read("begin"), read("end"));
    Segment::new(begin?, end?)
        .map_err(|error| {
            findings
                .add(place.name("end").value(), error.to_string())
                .hint("a segment runs forward; swap `begin` and `end`");
        })
        .ok()
        .filter(|segment| {
            if segment.is_empty() {
                findings
                    .add(
                        place.name("end").value(),
                        "a segment without duration: `begin` and `end` are equal as 32-bit numbers",
                    )
                    .hint("the service stores times as 32-bit numbers; let it end later, or declare a `frame`");
            }
            !segment.is_empty()
        })
}

/// Reads `span`. Whether the text of the input has it is checked where that text is known.
pub(in crate::manifest) fn span(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Span> {
    let parts = fields(node, "`span`", &SPAN, place, findings)?;
    let hint =
        "a span has start and end: characters, counted from 0, and `end` is behind the last one";
    let mut read = |key: &'static str| {
        let node = parts.require(key, "a `span`", hint, place, findings)?;
        let at = place.name(key);
        let count = whole_number(node, &quote(key), 0, u64::from(u32::MAX), &at, findings)?;
        u32::try_from(count).ok()
    };
    let (start, end) = (read("start"), read("end"));
    let text = parts
        .get("text")
        .map(|node| text(node, "`text`", &place.name("text"), findings));
    Span::new(start?, end?, text.flatten().map(Box::from))
        .map_err(|error| {
            findings
                .add(place.name("end").value(), error.to_string())
                .hint("a span runs forward; swap `start` and `end`");
        })
        .ok()
        .filter(|span| {
            if span.is_empty() {
                findings
                    .add(
                        place.name("end").value(),
                        "a span without characters: `start` and `end` are equal",
                    )
                    .hint("`end` is behind the last character: a span of one character ends at `start` + 1");
            }
            !span.is_empty()
        })
}
