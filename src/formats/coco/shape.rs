//! The shapes of an annotation: its rings, its mask or its box, and its keypoints.

use super::raw::Annotation;
use super::rle;
use super::values::{Attributes, Numbers, Segmentation};
use crate::formats::account::{Note, SkipCode};
use crate::formats::builder::Shapes;
use crate::formats::place::{NotPlaced, Shape, Xy, skip};
use crate::formats::turned::turned_box;
use crate::model::Visibility;
use smallvec::smallvec;

/// The attribute of a turned box.
pub(super) const ROTATION: &str = "rotation";

/// At least one shape. A mask needs the size of the image in pixels.
pub(super) fn shapes(
    annotation: &Annotation<'_>,
    size: Option<(u32, u32)>,
    notes: &mut Vec<Note>,
) -> Result<Shapes, NotPlaced> {
    let keypoints = keypoints(&annotation.keypoints)?;
    let mut shapes = match &annotation.segmentation {
        Segmentation::Wrong(found) => {
            return Err(skip(
                SkipCode::WrongType,
                format!("segmentation is {found}"),
            ));
        }
        Segmentation::Missing => Shapes::new(),
        Segmentation::Mask(mask) => {
            let Some(size) = size else {
                let detail = "its image has no width and height in whole pixels";
                return Err(skip(SkipCode::ImageWithoutSize, detail));
            };
            match rle::mask(mask, size) {
                Ok(Some(mask)) => smallvec![Shape::Mask(Box::new(mask))],
                Ok(None) => return Err(skip(SkipCode::NoArea, "a mask without pixels")),
                Err(detail) => return Err(skip(SkipCode::WrongMask, detail)),
            }
        }
        Segmentation::Rings(rings) => {
            let rings = points(rings)?;
            match rings.as_slice() {
                [] => Shapes::new(),
                [one] if one.len() < 3 => smallvec![Shape::Rings(rings, Some(bbox(annotation)?))],
                _ => smallvec![Shape::Rings(rings, None)],
            }
        }
    };
    let has_box = !matches!(&annotation.bbox, Numbers::Missing)
        && !matches!(&annotation.bbox, Numbers::List(list) if list.is_empty());
    if shapes.is_empty() && (has_box || keypoints.is_none()) {
        let corners = bbox(annotation)?;
        shapes.push(match rotation(&annotation.attributes) {
            Some(degrees) => {
                notes.push(Note::RotatedBox);
                Shape::Rings(vec![turned_box(corners, degrees)], None)
            }
            None => Shape::Box(corners),
        });
    }
    if let Some(keypoints) = keypoints {
        if !shapes.is_empty() {
            notes.push(Note::SplitShapes);
        }
        shapes.push(keypoints);
    }
    Ok(shapes)
}

/// How far the box is turned, in degrees clockwise about its centre: CVAT writes `bbox` as it is before the turn.
fn rotation(attributes: &Attributes) -> Option<f64> {
    let Attributes::Object(fields) = attributes else {
        return None;
    };
    let degrees = fields.get(ROTATION)?.as_f64()?;
    (degrees % 360.0 != 0.0).then_some(degrees)
}

/// The keypoints; `None` if there are none, or if all are unlabelled.
fn keypoints(numbers: &Numbers) -> Result<Option<Shape>, NotPlaced> {
    let numbers = match numbers {
        Numbers::Missing => return Ok(None),
        Numbers::Wrong(found) => {
            return Err(skip(SkipCode::WrongType, format!("keypoints {found}")));
        }
        Numbers::List(numbers) => numbers,
    };
    if !numbers.len().is_multiple_of(3) {
        let detail = format!("keypoints of {} numbers: x, y, v", numbers.len());
        return Err(skip(SkipCode::WrongType, detail));
    }
    if numbers.chunks(3).all(|point| point[2] == 0.0) {
        return Ok(None);
    }
    let points = numbers.chunks(3).map(|point| {
        let visibility = match point[2] {
            0.0 => Visibility::NotPresent,
            1.0 => Visibility::NotVisible,
            2.0 => Visibility::Visible,
            other => {
                let detail = format!("a keypoint with v {other}, which must be 0, 1 or 2");
                return Err(skip(SkipCode::WrongType, detail));
            }
        };
        Ok(([point[0], point[1]], visibility))
    });
    Ok(Some(Shape::Keypoints(points.collect::<Result<_, _>>()?)))
}

/// The rings that are not empty.
fn points(rings: &[Numbers]) -> Result<Vec<Vec<Xy>>, NotPlaced> {
    let mut all = Vec::with_capacity(rings.len());
    for ring in rings {
        match ring {
            Numbers::List(numbers) if numbers.len() % 2 == 1 => {
                let detail = format!("a ring of {} numbers: x and y are pairs", numbers.len());
                return Err(skip(SkipCode::WrongType, detail));
            }
            Numbers::List(numbers) if numbers.is_empty() => {}
            Numbers::List(numbers) => {
                all.push(numbers.chunks(2).map(|pair| [pair[0], pair[1]]).collect());
            }
            Numbers::Wrong(found) => {
                let detail = format!("a ring of the segmentation {found}");
                return Err(skip(SkipCode::WrongType, detail));
            }
            Numbers::Missing => {
                let detail = "a ring of the segmentation is null";
                return Err(skip(SkipCode::WrongType, detail));
            }
        }
    }
    Ok(all)
}

/// The corners of the box.
fn bbox(annotation: &Annotation<'_>) -> Result<[Xy; 2], NotPlaced> {
    let missing = || {
        skip(
            SkipCode::NoGeometry,
            "neither a ring of three points nor a bbox",
        )
    };
    match &annotation.bbox {
        Numbers::Missing => Err(missing()),
        Numbers::Wrong(found) => Err(skip(SkipCode::WrongType, format!("bbox {found}"))),
        Numbers::List(numbers) => match numbers[..] {
            [] => Err(missing()),
            [x, y, width, height] => {
                if width <= 0.0 || height <= 0.0 {
                    let detail = format!("width {width}, height {height}");
                    return Err(skip(SkipCode::NoArea, detail));
                }
                Ok([[x, y], [x + width, y + height]])
            }
            _ => Err(skip(
                SkipCode::WrongType,
                format!("bbox has {} numbers, not 4", numbers.len()),
            )),
        },
    }
}
