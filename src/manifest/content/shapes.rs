//! What lies in an image: `box`, `polygon`, `point`, `keypoints`.

use super::coordinates::{Axis, Outside, fraction_hint, pair};
use crate::manifest::fields::{as_number, fields, list, wrong_type};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::input::Image;
use crate::manifest::node::Node;
use crate::manifest::words::{quote, suggestion};
use crate::model::{BoundingBox, GeometryError, Keypoint, Keypoints, Point, Polygon, Visibility};

const BOX: [&str; 4] = ["top", "left", "bottom", "right"];

/// Reads `box`.
pub(in crate::manifest) fn bounding_box(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<BoundingBox> {
    let edges = fields(node, "`box`", &BOX, place, findings)?;
    let mut values = [None; 4];
    for (value, key) in values.iter_mut().zip(BOX) {
        let Some(edge) = edges.require(
            key,
            "a `box`",
            "a box has top, left, bottom and right, each a fraction of the image",
            place,
            findings,
        ) else {
            continue;
        };
        let at = place.name(key);
        let Some(number) = as_number(edge) else {
            wrong_type(edge, &quote(key), "a number from 0 to 1", &at, findings);
            continue;
        };
        if (0.0..=1.0).contains(&number) {
            *value = Some(number);
            continue;
        }
        let axis = if matches!(key, "top" | "bottom") {
            Axis::Row
        } else {
            Axis::Col
        };
        findings
            .add(
                at.value(),
                format!(
                    "`{key}` must be a number from 0 to 1, found {}",
                    edge.describe_written()
                ),
            )
            .hint(fraction_hint(number, axis, image));
    }
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
                no_box_area(&checked, place, findings);
                return None;
            }
            Some(checked)
        }
        Ok(_) => None,
        Err(error) => {
            out_of_order(&error, place, findings);
            // Only the first of the two directions is in the error.
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
                out_of_order(&error, place, findings);
            }
            None
        }
    }
}

fn out_of_order(error: &GeometryError, place: &Place<'_>, findings: &mut Findings) {
    let GeometryError::OutOfOrder {
        low_name,
        high_name,
        ..
    } = error
    else {
        return;
    };
    findings
        .add(place.name(low_name).value(), error.to_string())
        .hint(format!(
            "`{low_name}` is the edge nearer to the image's top left; swap it with `{high_name}`"
        ));
}

/// Reports a box whose edges fall together: the service refuses it in the middle of an apply.
fn no_box_area(edges: &BoundingBox, place: &Place<'_>, findings: &mut Findings) {
    let pairs = [
        ("top", edges.top(), "bottom", edges.bottom()),
        ("left", edges.left(), "right", edges.right()),
    ];
    let Some((low, _, high, _)) = pairs.into_iter().find(|(_, low, _, high)| low >= high) else {
        return;
    };
    findings
        .add(
            place.name(high).value(),
            format!("a box without area: `{low}` and `{high}` are equal as 32-bit numbers"),
        )
        .hint("the service stores coordinates as 32-bit numbers; give the box an area, or declare a `point`");
}

/// Reads `polygon`.
pub(in crate::manifest) fn polygon(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Polygon> {
    let expected = "a list of [row, col] pairs";
    if *node == Node::Null {
        wrong_type(node, "`polygon`", expected, place, findings);
        return None;
    }
    let elements = list(node, "`polygon`", expected, place, findings)?;
    let mut outside = Outside::new("this polygon");
    let points: Vec<Point> = elements
        .iter()
        .enumerate()
        .filter_map(|(index, element)| {
            row_and_col(
                element,
                "a point",
                &place.nth(index),
                &mut outside,
                findings,
            )
        })
        .collect();
    outside.report(image, findings);
    if elements.len() < 3 {
        findings
            .add(
                place.value(),
                GeometryError::TooFewPoints(elements.len()).to_string(),
            )
            .hint("it is one ring of [row, col] pairs; the last point joins the first");
        return None;
    }
    if points.len() < elements.len() {
        return None;
    }
    let polygon = Polygon::new(points).ok()?;
    if !polygon.has_area() {
        findings.add(place.value(), "a polygon without area").hint(
            "its points lie on one line as 32-bit numbers; give it an area, or declare a `point`",
        );
        return None;
    }
    Some(polygon)
}

/// Reads `point`.
pub(in crate::manifest) fn point(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Point> {
    let mut outside = Outside::new("this point");
    let point = row_and_col(node, "`point`", place, &mut outside, findings);
    outside.report(image, findings);
    point
}

fn row_and_col(
    node: &Node<'_>,
    noun: &str,
    place: &Place<'_>,
    outside: &mut Outside,
    findings: &mut Findings,
) -> Option<Point> {
    let Node::List(elements) = node else {
        wrong_type(node, noun, "a [row, col] pair", place, findings);
        return None;
    };
    let [row, col] = &elements[..] else {
        let count = elements.len();
        findings
            .add(
                place.value(),
                format!("{noun} must be a [row, col] pair, found a list of {count}"),
            )
            .hint("write one row and one column: [0.1, 0.2]");
        return None;
    };
    pair(row, col, place, outside, findings)
}

/// Reads `keypoints`.
pub(in crate::manifest) fn keypoints(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Keypoints> {
    let expected = "a list of [row, col] or [row, col, visibility]";
    if *node == Node::Null {
        wrong_type(node, "`keypoints`", expected, place, findings);
        return None;
    }
    let elements = list(node, "`keypoints`", expected, place, findings)?;
    let mut outside = Outside::new("these keypoints");
    let points: Vec<Keypoint> = elements
        .iter()
        .enumerate()
        .filter_map(|(index, element)| keypoint(element, &place.nth(index), &mut outside, findings))
        .collect();
    outside.report(image, findings);
    if elements.is_empty() {
        findings
            .add(place.value(), GeometryError::NoKeypoints.to_string())
            .hint("their order says what each of them is: [[0.1, 0.2], [0.3, 0.4, not_visible]]");
    }
    if points.len() < elements.len() {
        return None;
    }
    Keypoints::new(points).ok()
}

fn keypoint(
    node: &Node<'_>,
    place: &Place<'_>,
    outside: &mut Outside,
    findings: &mut Findings,
) -> Option<Keypoint> {
    let expected = "[row, col] or [row, col, visibility]";
    let Node::List(elements) = node else {
        wrong_type(node, "a keypoint", expected, place, findings);
        return None;
    };
    let (row, col, visibility) = match &elements[..] {
        [row, col] => (row, col, Some(Visibility::NotSet)),
        [row, col, word] => (row, col, visibility(word, &place.nth(2), findings)),
        _ => {
            let count = elements.len();
            findings
                .add(
                    place.value(),
                    format!("a keypoint must be {expected}, found a list of {count}"),
                )
                .hint("for example [0.1, 0.2, not_visible]");
            return None;
        }
    };
    let point = pair(row, col, place, outside, findings);
    Some(Keypoint {
        point: point?,
        visibility: visibility?,
    })
}

fn visibility(node: &Node<'_>, place: &Place<'_>, findings: &mut Findings) -> Option<Visibility> {
    let names = Visibility::ALL.map(|(_, name)| name);
    let Node::Text(word) = node else {
        wrong_type(node, "a visibility", "a word", place, findings).hint(suggestion("", names));
        return None;
    };
    let known = Visibility::ALL.into_iter().find(|(_, name)| name == word);
    if known.is_none() {
        findings
            .add(place.value(), format!("unknown visibility {}", quote(word)))
            .hint(suggestion(word, names));
    }
    known.map(|(visibility, _)| visibility)
}
