//! Shapes in an image: `box`, `polygon`, `point`, `keypoints`.

use super::coordinates::{Axis, Outside, fraction_hint, pair};
use crate::manifest::at::At;
use crate::manifest::context::Image;
use crate::manifest::fields::Fields;
use crate::manifest::node::Node;
use crate::manifest::words::{quote, suggestion};
use crate::model::{
    BoundingBox, GeometryError, Keypoint, Keypoints, Point, Polygon, Rule, Visibility,
};

const BOX: [&str; 4] = ["top", "left", "bottom", "right"];

pub(in crate::manifest) fn bounding_box(
    at: At<'_, '_>,
    image: Option<&Image>,
) -> Option<BoundingBox> {
    let edges = at.fields("`box`", &BOX)?;
    let values = BOX.map(|key| edge(&edges, key, image));
    // The two directions are independent: a missing `right` does not hide that `top` lies below `bottom`.
    let [top, left, bottom, right] = values;
    let checked = BoundingBox::new(
        top.filter(|_| bottom.is_some()).unwrap_or(0.0),
        left.filter(|_| right.is_some()).unwrap_or(0.0),
        bottom.unwrap_or(1.0),
        right.unwrap_or(1.0),
    );
    match checked {
        Ok(checked) if values.iter().all(Option::is_some) => {
            if !checked.has_area() {
                report_box_without_area(&checked, &edges);
                return None;
            }
            Some(checked)
        }
        Ok(_) => None,
        Err(error) => {
            report_out_of_order(&error, &edges);
            // The error names one direction only.
            if matches!(
                error,
                GeometryError::OutOfOrder {
                    low_name: "top",
                    ..
                }
            ) && let Err(error) = BoundingBox::new(
                0.0,
                left.filter(|_| right.is_some()).unwrap_or(0.0),
                1.0,
                right.unwrap_or(1.0),
            ) {
                report_out_of_order(&error, &edges);
            }
            None
        }
    }
}

fn edge(edges: &Fields<'_, '_>, key: &'static str, image: Option<&Image>) -> Option<f64> {
    let hint = "a box has top, left, bottom and right, each a fraction of the image";
    let at = edges.require(key, "a `box`", hint)?;
    let Some(number) = at.as_number() else {
        at.wrong_type(&quote(key), "a number from 0 to 1");
        return None;
    };
    if (0.0..=1.0).contains(&number) {
        return Some(number);
    }
    let axis = if matches!(key, "top" | "bottom") {
        Axis::Row
    } else {
        Axis::Col
    };
    at.wrong_type(&quote(key), "a number from 0 to 1")
        .hint(fraction_hint(number, axis, image))
        .rule(Rule::OutsideImage);
    None
}

fn report_out_of_order(error: &GeometryError, edges: &Fields<'_, '_>) {
    let GeometryError::OutOfOrder {
        low_name,
        high_name,
        ..
    } = error
    else {
        return;
    };
    edges.value_error(low_name, error.to_string()).hint(format!(
        "`{low_name}` is the edge nearer to the image's top left; swap it with `{high_name}`"
    ));
}

/// The service would refuse such a box in the middle of an apply.
fn report_box_without_area(checked: &BoundingBox, edges: &Fields<'_, '_>) {
    let pairs = [
        ("top", checked.top(), "bottom", checked.bottom()),
        ("left", checked.left(), "right", checked.right()),
    ];
    let Some((low, _, high, _)) = pairs.into_iter().find(|(_, low, _, high)| low >= high) else {
        return;
    };
    edges
        .value_error(
            high,
            format!("a box without area: `{low}` and `{high}` are equal as 32-bit numbers"),
        )
        .hint("the service stores coordinates as 32-bit numbers; give the box an area, or declare a `point`")
        .rule(Rule::NoArea);
}

pub(in crate::manifest) fn polygon(at: At<'_, '_>, image: Option<&Image>) -> Option<Polygon> {
    let elements = points(at, "`polygon`", "a list of [row, col] pairs")?;
    let mut outside = Outside::new("this polygon");
    let points: Vec<Point> = at
        .elements(elements)
        .filter_map(|at| row_and_col(at, "a point", &mut outside))
        .collect();
    outside.report(at, image);
    if elements.len() < 3 {
        at.error(GeometryError::TooFewPoints(elements.len()).to_string())
            .hint("it is one ring of [row, col] pairs; the last point joins the first")
            .rule(Rule::TooFewPoints);
        return None;
    }
    if points.len() < elements.len() {
        return None;
    }
    let polygon = Polygon::new(points).ok()?;
    if !polygon.has_area() {
        at.error("a polygon without area")
            .hint("its points lie on one line as 32-bit numbers; give it an area, or declare a `point`")
            .rule(Rule::NoArea);
        return None;
    }
    Some(polygon)
}

/// Reads a list of points. Unlike other lists it cannot be empty, so the hint for a missing one is not `[]`.
fn points<'n>(at: At<'_, 'n>, noun: &str, expected: &str) -> Option<&'n [Node<'n>]> {
    if *at.node == Node::Null {
        at.wrong_type(noun, expected);
        return None;
    }
    at.list(noun, expected)
}

pub(in crate::manifest) fn point(at: At<'_, '_>, image: Option<&Image>) -> Option<Point> {
    let mut outside = Outside::new("this point");
    let point = row_and_col(at, "`point`", &mut outside);
    outside.report(at, image);
    point
}

fn row_and_col(at: At<'_, '_>, noun: &str, outside: &mut Outside) -> Option<Point> {
    let Node::List(elements) = at.node else {
        at.wrong_type(noun, "a [row, col] pair");
        return None;
    };
    let [row, col] = &elements[..] else {
        let count = elements.len();
        at.error(format!(
            "{noun} must be a [row, col] pair, found a list of {count}"
        ))
        .hint("write one row and one column: [0.1, 0.2]");
        return None;
    };
    pair(at, row, col, outside)
}

pub(in crate::manifest) fn keypoints(at: At<'_, '_>, image: Option<&Image>) -> Option<Keypoints> {
    let elements = points(
        at,
        "`keypoints`",
        "a list of [row, col] or [row, col, visibility]",
    )?;
    let mut outside = Outside::new("these keypoints");
    let points: Vec<Keypoint> = at
        .elements(elements)
        .filter_map(|at| keypoint(at, &mut outside))
        .collect();
    outside.report(at, image);
    if elements.is_empty() {
        at.error(GeometryError::NoKeypoints.to_string())
            .hint("their order says what each of them is: [[0.1, 0.2], [0.3, 0.4, not_visible]]");
    }
    if points.len() < elements.len() {
        return None;
    }
    Keypoints::new(points).ok()
}

fn keypoint(at: At<'_, '_>, outside: &mut Outside) -> Option<Keypoint> {
    let expected = "[row, col] or [row, col, visibility]";
    let Node::List(elements) = at.node else {
        at.wrong_type("a keypoint", expected);
        return None;
    };
    let (row, col, visibility) = match &elements[..] {
        [row, col] => (row, col, Some(Visibility::NotSet)),
        [row, col, word] => (row, col, visibility(at.nth(2, word))),
        _ => {
            let count = elements.len();
            at.error(format!(
                "a keypoint must be {expected}, found a list of {count}"
            ))
            .hint("for example [0.1, 0.2, not_visible]");
            return None;
        }
    };
    let point = pair(at, row, col, outside);
    Some(Keypoint {
        point: point?,
        visibility: visibility?,
    })
}

fn visibility(at: At<'_, '_>) -> Option<Visibility> {
    let names = Visibility::ALL.map(|(_, name)| name);
    let Node::Text(word) = at.node else {
        at.wrong_type("a visibility", "a word")
            .hint(suggestion("", names));
        return None;
    };
    let known = Visibility::ALL.into_iter().find(|(_, name)| name == word);
    if known.is_none() {
        at.error(format!("unknown visibility {}", quote(word)))
            .hint(suggestion(word, names));
    }
    known.map(|(visibility, _)| visibility)
}
