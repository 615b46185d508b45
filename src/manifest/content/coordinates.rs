//! Coordinates: numbers from 0 to 1, with a hint for values in pixels.
//!
//! If several coordinates of one shape lie outside the image, only the first is reported, with their count: a shape in
//! pixels is one mistake.

use crate::manifest::at::At;
use crate::manifest::context::Image;
use crate::manifest::finding::Pointer;
use crate::manifest::node::{Node, number};
use crate::model::{Point, Rule};

/// The direction of a coordinate: a row is divided by the image's height, a column by its width.
#[derive(Debug, Clone, Copy)]
pub(super) enum Axis {
    Row,
    Col,
}

/// What to write instead of a coordinate outside 0 to 1.
pub(super) fn fraction_hint(value: f64, axis: Axis, image: Option<&Image>) -> String {
    let size = image.and_then(|image| match axis {
        Axis::Row => image.height,
        Axis::Col => image.width,
    });
    if let Some(size) = size
        && value > 1.0
        && value <= f64::from(size)
    {
        // Four digits are exact enough for a hint: they tell 10,000 pixels apart.
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
    /// For example "this polygon".
    shape: &'static str,
    first: Option<(Pointer, f64, Axis)>,
    count: usize,
}

impl Outside {
    pub(super) fn new(shape: &'static str) -> Self {
        Self {
            shape,
            first: None,
            count: 0,
        }
    }

    fn add(&mut self, at: At<'_, '_>, value: f64, axis: Axis) {
        self.count += 1;
        self.first
            .get_or_insert_with(|| (at.place.value(), value, axis));
    }

    /// Reports them, if there are any. `at` is any value of the file.
    pub(super) fn report(self, at: At<'_, '_>, image: Option<&Image>) {
        let Some((pointer, value, axis)) = self.first else {
            return;
        };
        let more = match self.count - 1 {
            0 => String::new(),
            more => format!(" (and {more} more of {})", self.shape),
        };
        at.report(
            pointer,
            format!(
                "a coordinate must be a number from 0 to 1, found {}{more}",
                number(value)
            ),
        )
        .hint(fraction_hint(value, axis, image))
        .rule(Rule::OutsideImage);
    }
}

/// Reads a row and a column, the first two elements of the list `at`.
pub(super) fn pair<'n>(
    at: At<'_, 'n>,
    row: &'n Node<'n>,
    col: &'n Node<'n>,
    outside: &mut Outside,
) -> Option<Point> {
    let mut read = |index, node, axis| {
        let at = at.nth(index, node);
        let value = at.as_number();
        match value {
            None => drop(at.wrong_type("a coordinate", "a number from 0 to 1")),
            Some(value) if (0.0..=1.0).contains(&value) => return Some(value),
            Some(value) => outside.add(at, value, axis),
        }
        None
    };
    let (row, col) = (read(0, row, Axis::Row), read(1, col, Axis::Col));
    Point::new(row?, col?).ok()
}
