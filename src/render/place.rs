//! Where an annotation is, in words: `top left, 4 % of the image`.

use super::notation::cut_to;
use crate::model::{Content, Geometry};

/// The place of an annotation, with its frame; `None` if it covers the whole input, or if its place is not known.
pub(super) fn words(content: &Content) -> Option<String> {
    let place = content.geometry.as_ref().and_then(of_geometry);
    match (place, frame(content)) {
        (Some(place), Some(frame)) => Some(format!("{place}, {frame}")),
        (one, other) => one.or(other),
    }
}

/// The place in time or in a text: `frame 45 at 1.500 s`, `0.5 s to 3 s`, `characters 3 to 6`; `None` for places in pictures.
pub(super) fn moment(content: &Content) -> Option<String> {
    match &content.geometry {
        Some(geometry @ (Geometry::Span(_) | Geometry::Segment(_))) => of_geometry(geometry),
        _ => frame(content),
    }
}

fn frame(content: &Content) -> Option<String> {
    let frame = content.frame?;
    Some(match (frame.number, seconds(frame.time_ms)) {
        // A manifest may give the time alone.
        (0, time) if frame.time_ms > 0 => format!("frame at {time}"),
        (number, time) => format!("frame {number} at {time}"),
    })
}

fn of_geometry(geometry: &Geometry) -> Option<String> {
    match geometry {
        Geometry::Span(span) => {
            let text = span.text().map(|text| format!(" \"{}\"", cut_to(text, 60)));
            let (start, end) = (span.start(), span.end());
            Some(format!(
                "characters {start} to {end}{}",
                text.unwrap_or_default()
            ))
        }
        Geometry::Segment(segment) => Some(format!("{} s to {} s", segment.begin(), segment.end())),
        Geometry::Region(id) => Some(format!("region {id}")),
        Geometry::Point(_) => geometry.bounds().map(|bounds| part(bounds).to_owned()),
        _ => {
            let bounds = geometry.bounds()?;
            Some(format!("{}, {} of the image", part(bounds), share(bounds)))
        }
    }
}

/// The ninth of the image that holds the centre of these bounds (top, left, bottom, right).
fn part([top, left, bottom, right]: [f32; 4]) -> &'static str {
    const PARTS: [[&str; 3]; 3] = [
        ["top left", "top", "top right"],
        ["left", "centre", "right"],
        ["bottom left", "bottom", "bottom right"],
    ];
    let third = |from: f32, to: f32| ((from.midpoint(to) * 3.0) as usize).min(2);
    PARTS[third(top, bottom)][third(left, right)]
}

/// The area of these bounds in percent of the image: two digits, and no less than a hundredth of a percent.
fn share([top, left, bottom, right]: [f32; 4]) -> String {
    let percent = f64::from(bottom - top) * f64::from(right - left) * 100.0;
    match percent {
        it if it >= 9.95 => format!("{it:.0} %"),
        it if it >= 0.995 => format!("{it:.1} %"),
        it if it >= 0.009_95 => format!("{it:.2} %"),
        _ => "less than 0.01 %".to_owned(),
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03} s", milliseconds / 1_000, milliseconds % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BoundingBox, Frame, Point, Span};

    #[test]
    fn places_are_named_by_ninths_and_percents() {
        let a_box = |top, left, bottom, right| Content {
            geometry: Some(Geometry::Box(
                BoundingBox::new(top, left, bottom, right).unwrap(),
            )),
            ..Content::default()
        };
        for (edges, expected) in [
            ([0.0, 0.0, 0.2, 0.2], "top left, 4.0 % of the image"),
            ([0.0, 0.0, 1.0, 1.0], "centre, 100 % of the image"),
            ([0.9, 0.4, 1.0, 0.6], "bottom, 2.0 % of the image"),
            ([0.5, 0.99, 0.51, 1.0], "right, 0.01 % of the image"),
            (
                [0.5, 0.5, 0.501, 0.501],
                "centre, less than 0.01 % of the image",
            ),
        ] {
            let [top, left, bottom, right] = edges;
            let content = a_box(top, left, bottom, right);
            assert_eq!(words(&content).unwrap(), expected);
        }
        let framed = Content {
            frame: Some(Frame {
                time_ms: 1_500,
                number: 45,
            }),
            ..a_box(0.0, 0.0, 0.2, 0.2)
        };
        assert_eq!(
            words(&framed).unwrap(),
            "top left, 4.0 % of the image, frame 45 at 1.500 s"
        );
        let span = |text: Option<&str>| Content {
            geometry: Some(Geometry::Span(Box::new(
                Span::new(3, 6, text.map(Box::from)).unwrap(),
            ))),
            ..Content::default()
        };
        assert_eq!(words(&span(None)).unwrap(), "characters 3 to 6");
        assert_eq!(
            words(&span(Some("Ann"))).unwrap(),
            "characters 3 to 6 \"Ann\""
        );
        let point = Content {
            geometry: Some(Geometry::Point(Point::new(0.1, 0.9).unwrap())),
            ..Content::default()
        };
        assert_eq!(words(&point).unwrap(), "top right");
        assert_eq!(words(&Content::default()), None);
    }
}
