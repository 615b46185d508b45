//! Real files, if they are present.

use super::*;
use crate::formats::coco;
use crate::model::{BoundingBox, Geometry};

#[test]
fn real_data_sets_are_read_in_full() {
    for (path, images, boxes, no_area, notes_expected) in [
        (
            "voc100/pascalvoc_format",
            100,
            273,
            0,
            vec![("corners_from_zero", 1)],
        ),
        (
            "bccd/v1",
            343,
            3852,
            2,
            vec![("corners_from_zero", 1), ("named_after_file", 343)],
        ),
        ("bccd/v2", 364, 4886, 2, vec![("corners_from_zero", 1)]),
        (
            "label-studio/images/voc",
            9,
            73,
            0,
            vec![("corners_from_zero", 1)],
        ),
        (
            "datumaro/voc",
            1,
            2,
            0,
            vec![("parts_left_out", 1), ("corners_from_zero", 1)],
        ),
    ] {
        let Some(source) = Memory::real(path) else {
            continue;
        };
        assert!(recognises(&source), "{path}");
        let imported = import(&source, &ImportOptions::default()).unwrap();
        let codes: Vec<(&str, u64)> = imported
            .skipped_by_code()
            .into_iter()
            .map(|(code, count)| (code.as_str(), count))
            .collect();
        let expected = if no_area == 0 {
            vec![]
        } else {
            vec![("no_area", no_area)]
        };
        assert_eq!(codes, expected, "{path}");
        assert_eq!(
            (imported.inputs.len(), imported.taken_over),
            (images, boxes),
            "{path}"
        );
        assert_eq!(
            imported.annotations as u64,
            boxes as u64 + no_area,
            "{path}"
        );
        assert_eq!(notes(&imported), notes_expected, "{path}");
    }
}

/// A class, and the edges of a box in pixels.
type Labelled = (String, [f64; 4]);

/// Inputs with their boxes, in order.
pub(in crate::formats) fn boxes(imported: &Imported) -> Vec<(String, Vec<Labelled>)> {
    let pixels = |edges: &BoundingBox, (width, height): (u32, u32)| {
        let [top, left, bottom, right] = edges.edges().map(f64::from);
        let (width, height) = (f64::from(width), f64::from(height));
        [left * width, top * height, right * width, bottom * height]
    };
    let mut all = Vec::new();
    for input in &imported.inputs {
        let size = input.image.size.unwrap();
        let mut found: Vec<Labelled> = Vec::new();
        for annotation in &input.input.annotations {
            let concepts = annotation.content.concepts.as_ref().unwrap();
            if let Some(Geometry::Box(edges)) = &annotation.content.geometry {
                let concept = concepts.iter().next().unwrap().id.to_string();
                found.push((concept, pixels(edges, size)));
            }
        }
        found.sort_by(|a, b| {
            let key = |it: &Labelled| it.1.map(|c| (c * 4.0).round() as i64);
            (&a.0, key(a)).cmp(&(&b.0, key(b)))
        });
        all.push((input.input.id.to_string(), found));
    }
    all
}

/// Whether both have the same boxes within a tenth of a pixel.
pub(in crate::formats) fn assert_same_boxes(one: &Imported, other: &Imported) {
    let (one, other) = (boxes(one), boxes(other));
    assert_eq!(one.len(), other.len());
    for ((id, ours), (other_id, theirs)) in one.iter().zip(&other) {
        assert_eq!((id, ours.len()), (other_id, theirs.len()));
        for ((class, a), (other_class, b)) in ours.iter().zip(theirs) {
            assert_eq!(class, other_class, "{id}");
            let is_near = a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 0.1);
            assert!(is_near, "{id}: {a:?} and {b:?}");
        }
    }
}

#[test]
fn the_boxes_are_those_of_the_coco_file() {
    let (Some(voc), Some(coco)) = (
        Memory::real("voc100/pascalvoc_format"),
        Memory::real("voc100/coco_format_v1/instances_default.json"),
    ) else {
        return;
    };
    let options = ImportOptions::default();
    let (voc, coco) = (
        import(&voc, &options).unwrap(),
        coco::import(&coco, &options).unwrap(),
    );
    assert_same_boxes(&voc, &coco);
}
