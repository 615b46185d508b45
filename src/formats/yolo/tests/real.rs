//! Sets of other tools.

use crate::formats::checks::notes;
use crate::formats::source::Memory;
use crate::formats::yolo::*;
use crate::formats::{Format, coco, recognise};
use crate::model::{Geometry, Kind};

#[test]
fn voc100_is_the_same_from_yolo_and_from_coco() {
    let Some(coco) = Memory::real("voc100/coco_format_v1/instances_default.json") else {
        return;
    };
    let yolo = Memory::real("voc100/yolo_format").unwrap();
    assert_eq!(recognise(&yolo), [Format::Yolo]);
    let options = ImportOptions::default();
    let coco = coco::import(&coco, &options).unwrap();
    let yolo = import(&yolo, &options).unwrap();
    assert_eq!(
        (yolo.images, yolo.taken_over, yolo.concepts.len()),
        (100, 273, 20)
    );
    // Six decimals are not enough for the edges of the picture.
    assert_eq!(yolo.skipped, []);
    assert_eq!(notes(&yolo), [("set_to_edge", 13)]);
    for (a, b) in coco.inputs.iter().zip(&yolo.inputs) {
        assert_eq!(a.input.id, b.input.id);
        let (width, height) = a.image.size.unwrap();
        let boxes = |input: &crate::formats::ImportedInput| -> Vec<(String, [f32; 4])> {
            let annotations = input.input.annotations.iter();
            annotations
                .map(|it| {
                    let geometry = it.content.geometry.as_ref().unwrap();
                    let concepts = format!("{:?}", it.content.concepts);
                    (concepts, geometry.bounds().unwrap())
                })
                .collect()
        };
        let (old, mut new) = (boxes(a), boxes(b));
        assert_eq!(old.len(), new.len());
        for (concepts, edges) in old {
            let sizes = [height, width, height, width];
            let same = new.iter().position(|(others, found)| {
                let mut axes = edges.iter().zip(found).zip(sizes);
                concepts == *others && axes.all(|((a, b), size)| (a - b).abs() * size as f32 <= 0.1)
            });
            new.swap_remove(same.unwrap_or_else(|| panic!("{concepts} {edges:?}: {new:?}")));
        }
    }
}

#[test]
fn real_sets_of_other_tools_are_imported_completely() {
    for (path, images, boxes, concepts) in [
        ("datumaro/yolo/strict", 1, 2, 10),
        ("label-studio/images/yolo", 11, 73, 3),
    ] {
        let Some(source) = Memory::real(path) else {
            continue;
        };
        assert_eq!(recognise(&source), [Format::Yolo]);
        let imported = import(&source, &ImportOptions::default()).unwrap();
        let kinds = (imported.inputs.iter())
            .flat_map(|it| &it.input.annotations)
            .filter(|it| it.content.geometry.as_ref().map(Geometry::kind) == Some(Kind::Box));
        assert_eq!(
            (
                imported.inputs.len(),
                kinds.count(),
                imported.concepts.len()
            ),
            (images, boxes, concepts),
            "{path}"
        );
        assert_eq!(imported.skipped, []);
        assert!(imported.notes.iter().all(|it| it.code == Note::SetToEdge));
    }
}
