//! Inputs with annotations -> COCO files: one for each split.

use crate::formats::account::{Note, SkipCode};
use crate::formats::format::Format;
use crate::formats::pieces::PART_OF;
use crate::formats::writer::{ExportInput, Exported, Holds, Item, Writer, pixels, shortest};
use crate::model::{ConceptId, Geometry, Keypoints, Mask, MaskArea, Point, Visibility};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Scores are written as `score`, metadata as fields of their own.
const HOLDS: Holds = Holds {
    scores: true,
    absent: false,
};

/// Fields of an annotation that metadata cannot use.
const OWN_FIELDS: [&str; 11] = [
    "id",
    "image_id",
    "category_id",
    "bbox",
    "area",
    "segmentation",
    "iscrowd",
    "keypoints",
    "num_keypoints",
    "score",
    "ignore",
];

/// Writes `instances.json`, or `instances_SPLIT.json` for each split.
pub(in crate::formats) fn export(inputs: &[ExportInput], classes: &[ConceptId]) -> Exported {
    let mut writer = Writer::new(Format::Coco, HOLDS, inputs, classes);
    let mut splits: BTreeMap<Option<&str>, Vec<&ExportInput>> = BTreeMap::new();
    for input in inputs {
        splits
            .entry(input.split.as_deref())
            .or_default()
            .push(input);
    }
    let categories: Vec<Value> = (writer.classes().iter().enumerate())
        .map(|(number, class)| json!({"id": number + 1, "name": class.as_str()}))
        .collect();
    for (split, inputs) in splits {
        let mut images = Vec::new();
        let mut annotations = Vec::new();
        for (number, input) in inputs.into_iter().enumerate() {
            let mut image = json!({"id": number + 1, "file_name": writer.file_name(input)});
            if let Some((width, height)) = input.image.size {
                image["width"] = width.into();
                image["height"] = height.into();
            }
            images.push(image);
            let Some((size, items)) = writer.sized(input) else {
                continue;
            };
            for parts in objects(items) {
                if let Some(mut object) = object(parts, size, input, &mut writer) {
                    object.insert("id".to_owned(), (annotations.len() + 1).into());
                    object.insert("image_id".to_owned(), (number + 1).into());
                    annotations.push(Value::Object(object));
                }
            }
        }
        let file = json!({"categories": categories, "images": images, "annotations": annotations});
        let name = match split {
            Some(split) => format!("instances_{split}.json"),
            None => "instances.json".to_owned(),
        };
        let mut bytes = serde_json::to_vec(&file).expect("numbers and texts are JSON");
        bytes.push(b'\n');
        writer.file(&name, bytes);
    }
    writer.finish()
}

/// Joins the parts of an object: its rings, and its keypoints. Other parts with the same `part_of` stay apart.
fn objects(items: Vec<Item<'_>>) -> Vec<Vec<Item<'_>>> {
    let mut objects: Vec<Vec<Item<'_>>> = Vec::new();
    for item in items {
        let belongs = |object: &[Item<'_>]| {
            let is_keypoints = |item: &Item<'_>| matches!(item.geometry, Geometry::Keypoints(_));
            let is_ring = |item: &Item<'_>| matches!(item.geometry, Geometry::Polygon(_));
            let first = &object[0];
            item.metadata.contains_key(PART_OF)
                && (&first.metadata, first.class, first.value.to_bits())
                    == (&item.metadata, item.class, item.value.to_bits())
                && !object.iter().any(is_keypoints)
                && (is_keypoints(&item) || is_ring(&item) && object.iter().all(is_ring))
        };
        match objects.last_mut() {
            Some(object) if belongs(object) => object.push(item),
            _ => objects.push(vec![item]),
        }
    }
    objects
}

/// One object without its ids; `None` if it is left out.
fn object(
    mut parts: Vec<Item<'_>>,
    size: (u32, u32),
    input: &ExportInput,
    writer: &mut Writer,
) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let mut rings: Vec<Vec<f64>> = Vec::new();
    let mut bounds: Option<[f32; 4]> = None;
    let mut area = 0.0;
    for item in &parts {
        match item.geometry {
            Geometry::Box(edges) => {
                bounds = Some(edges.edges());
                let [_, _, width, height] = bbox(edges.edges(), size);
                area = width * height;
            }
            Geometry::Polygon(polygon) => {
                let points = polygon.points().iter();
                let ring: Vec<f64> = points.flat_map(|point| xy(*point, size)).collect();
                area += ring_area(&ring);
                rings.push(ring);
                bounds = Some(around(bounds, polygon.bounds()));
            }
            Geometry::Keypoints(keypoints) => {
                let (numbers, labelled) = numbers(keypoints, size);
                if keypoints
                    .points()
                    .iter()
                    .any(|point| point.visibility == Visibility::NotSet)
                {
                    writer.note(Note::VisibilityAssumed, item.name, input);
                }
                fields.insert("keypoints".to_owned(), numbers.into());
                fields.insert("num_keypoints".to_owned(), labelled.into());
            }
            Geometry::Mask(mask) => match runs(mask, size) {
                Ok((counts, set)) => {
                    let segmentation = json!({"size": [size.1, size.0], "counts": counts});
                    fields.insert("segmentation".to_owned(), segmentation);
                    bounds = mask.bounds();
                    area = set as f64;
                }
                Err(detail) => {
                    writer.left_out(item.name, input, SkipCode::WrongMask, detail);
                    return None;
                }
            },
            _ => unreachable!("the writer gives the kinds that COCO holds"),
        }
    }
    let is_joined = parts.len() > 1;
    let item = parts.first_mut()?;
    if is_joined {
        item.metadata.remove(PART_OF);
    }
    fields.insert("category_id".to_owned(), (item.class + 1).into());
    // An object of keypoints alone gets no box: it would be imported as an annotation of its own.
    if let Some(bounds) = bounds {
        fields.insert("bbox".to_owned(), json!(bbox(bounds, size)));
        fields.insert("area".to_owned(), json!(area));
    }
    if !rings.is_empty() {
        fields.insert("segmentation".to_owned(), json!(rings));
    }
    fields.insert("iscrowd".to_owned(), 0.into());
    if item.value.to_bits() != 1.0_f32.to_bits() {
        fields.insert("score".to_owned(), json!(item.value));
    }
    let metadata = std::mem::take(&mut item.metadata);
    for (key, value) in metadata {
        let is_plain = !matches!(value, Value::Array(_) | Value::Object(_) | Value::Null);
        let is_free = !OWN_FIELDS.contains(&key.as_str()) && key != PART_OF && key != "attributes";
        if is_plain && is_free {
            fields.insert(key, value);
        } else {
            item.metadata.insert(key, value);
        }
    }
    writer.metadata_left(item, input);
    Some(fields)
}

fn xy(point: Point, (width, height): (u32, u32)) -> [f64; 2] {
    [
        pixels(point.col.get(), width),
        pixels(point.row.get(), height),
    ]
}

/// x, y and v of each keypoint, and how many are labelled.
fn numbers(keypoints: &Keypoints, size: (u32, u32)) -> (Vec<Value>, usize) {
    let mut numbers = Vec::new();
    let mut labelled = 0;
    for keypoint in keypoints.points() {
        let visibility = match keypoint.visibility {
            Visibility::NotPresent => 0,
            Visibility::NotVisible => 1,
            Visibility::Visible | Visibility::NotSet => 2,
        };
        labelled += usize::from(visibility > 0);
        numbers.extend(xy(keypoint.point, size).map(Value::from));
        numbers.push(visibility.into());
    }
    (numbers, labelled)
}

/// The bounds of both.
fn around(known: Option<[f32; 4]>, [top, left, bottom, right]: [f32; 4]) -> [f32; 4] {
    known.map_or([top, left, bottom, right], |[t, l, b, r]| {
        [t.min(top), l.min(left), b.max(bottom), r.max(right)]
    })
}

/// x, y, width and height in pixels, of top, left, bottom and right in fractions.
fn bbox([top, left, bottom, right]: [f32; 4], (width, height): (u32, u32)) -> [f64; 4] {
    let axis = |start: f32, end: f32, size: u32| {
        let first = pixels(start, size);
        let length = f64::from(end) * f64::from(size) - first;
        let is_end =
            |length: f64| (((first + length) / f64::from(size)) as f32).to_bits() == end.to_bits();
        (first, shortest(length, is_end))
    };
    let ((x, width), (y, height)) = (axis(left, right, width), axis(top, bottom, height));
    [x, y, width, height]
}

fn ring_area(ring: &[f64]) -> f64 {
    let points: Vec<[f64; 2]> = ring.chunks(2).map(|pair| [pair[0], pair[1]]).collect();
    let next = points.iter().skip(1).chain(points.first());
    let doubled: f64 = points
        .iter()
        .zip(next)
        .map(|([x1, y1], [x2, y2])| x1 * y2 - x2 * y1)
        .sum();
    doubled.abs() / 2.0
}

/// The lengths of the runs of a mask, background first, column by column, and how many pixels are set.
fn runs(mask: &Mask, (width, height): (u32, u32)) -> Result<(Vec<u64>, u64), String> {
    let png = mask.png().ok_or("a mask whose pixels are not known")?;
    let area = MaskArea::decode(png).map_err(|error| error.to_string())?;
    if area.size() != (width, height) {
        let (w, h) = area.size();
        return Err(format!(
            "a mask of {w} x {h} pixels, and an image of {width} x {height}"
        ));
    }
    let (mut runs, mut set, mut was_set) = (vec![0], 0, false);
    for column in 0..width {
        for row in 0..height {
            let is_set = area.is_set(column, row);
            if is_set != was_set {
                runs.push(0);
                was_set = is_set;
            }
            set += u64::from(is_set);
            *runs.last_mut().expect("there is a run from the start") += 1;
        }
    }
    Ok((runs, set))
}
