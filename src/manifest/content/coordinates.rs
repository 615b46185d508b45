//! Coordinates: numbers from 0 to 1, and what to say where somebody wrote pixels.
//!
//! Of the coordinates of one shape that lie outside the image the first is reported, with how many there are: a shape
//! in pixels is one mistake, not a thousand.

use crate::manifest::fields::{as_number, wrong_type};
use crate::manifest::finding::{Findings, Place, Pointer};
use crate::manifest::input::Image;
use crate::manifest::node::{Node, number};
use crate::model::Point;

/// Which way a coordinate runs, and so what a count of pixels has to be divided by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Axis {
    Row,
    Col,
}

/// What to write instead of a coordinate that is no fraction.
pub(super) fn fraction_hint(value: f64, axis: Axis, image: Option<&Image>) -> String {
    let size = image.and_then(|image| match axis {
        Axis::Row => image.height,
        Axis::Col => image.width,
    });
    if let Some(size) = size
        && value > 1.0
        && value <= f64::from(size)
    {
        // Four digits tell pixels apart up to 10,000 of them, and it is a hint.
        let fraction = (value / f64::from(size) * 1e4).round() / 1e4;
        return format!(
            "coordinates are fractions of the image: {} / {size} = {fraction}",
            number(value)
        );
    }
    "coordinates are fractions of the image, 0 to 1, from its top left".to_owned()
}

/// The coordinates of one shape that lie outside the image.
#[derive(Debug)]
pub(super) struct Outside {
    /// What the shape is, as in "of this polygon".
    of: &'static str,
    first: Option<(Pointer, f64, Axis)>,
    count: usize,
}

impl Outside {
    /// None so far, of a shape that is called "this polygon".
    pub(super) fn new(of: &'static str) -> Self {
        Self {
            of,
            first: None,
            count: 0,
        }
    }

    /// Reports them, if there are any.
    pub(super) fn report(self, image: Option<&Image>, findings: &mut Findings) {
        let Some((at, value, axis)) = self.first else {
            return;
        };
        let more = match self.count - 1 {
            0 => String::new(),
            more => format!(" (and {more} more of {})", self.of),
        };
        findings
            .add(
                at,
                format!(
                    "a coordinate must be a number from 0 to 1, found {}{more}",
                    number(value)
                ),
            )
            .hint(fraction_hint(value, axis, image));
    }
}

/// Reads a row and a column, the first two elements of the list at `place`.
pub(super) fn pair(
    row: &Node<'_>,
    col: &Node<'_>,
    place: &Place<'_>,
    outside: &mut Outside,
    findings: &mut Findings,
) -> Option<Point> {
    let mut coordinates = [None; 2];
    for (which, (coordinate, axis)) in [(row, Axis::Row), (col, Axis::Col)].iter().enumerate() {
        let at = place.nth(which);
        match as_number(coordinate) {
            None => {
                let expected = "a number from 0 to 1";
                wrong_type(coordinate, "a coordinate", expected, &at, findings);
            }
            Some(number) if (0.0..=1.0).contains(&number) => coordinates[which] = Some(number),
            Some(number) => {
                outside.count += 1;
                outside
                    .first
                    .get_or_insert_with(|| (at.value(), number, *axis));
            }
        }
    }
    let [row, col] = coordinates;
    Point::new(row?, col?).ok()
}
