//! Real COCO files, if they are present.

use super::*;

/// A real data file outside the project; `None`, with a message, if it is missing.
fn real(path: &str) -> Option<Vec<u8>> {
    use std::io::Write;
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(path);
    let read = std::fs::read(&full);
    if read.is_err() {
        writeln!(
            std::io::stderr(),
            "skipped: {} is not there",
            full.display()
        )
        .unwrap();
    }
    read.ok()
}

#[test]
fn real_files_are_imported_completely() {
    for (path, images, polygons, boxes, categories) in [
        ("taco/annotations-a56f6cb.json", 715, 1827, 0, 63),
        ("taco/annotations-a35e944.json", 715, 2152, 0, 60),
        (
            "voc100/coco_format_v1/instances_default.json",
            100,
            0,
            273,
            20,
        ),
    ] {
        let Some(file) = real(path) else { continue };
        let imported = import(&file, &CocoOptions::default()).unwrap();
        let kinds = |wanted: fn(&Geometry) -> bool| {
            imported
                .inputs
                .iter()
                .flat_map(|input| &input.input.annotations)
                .filter(|a| a.content.geometry.as_ref().is_some_and(wanted))
                .count()
        };
        assert_eq!(
            (
                imported.inputs.len(),
                kinds(|g| matches!(g, Geometry::Polygon(_))),
                kinds(|g| matches!(g, Geometry::Box(_))),
                imported.concepts.len()
            ),
            (images, polygons, boxes, categories),
            "{path}"
        );
        assert_eq!(imported.skipped, [], "{path}");
        assert_eq!(imported.notes, [], "{path}");
        let with_metadata = imported
            .inputs
            .iter()
            .flat_map(|input| &input.input.annotations)
            .filter(|annotation| annotation.content.metadata.is_some());
        assert_eq!(with_metadata.count(), boxes, "{path}");
    }
}

#[test]
fn every_annotation_of_the_real_coco_variants_is_accounted_for() {
    use std::fmt::Write as _;
    let mut lines = String::new();
    for path in [
        "coco_instances/instances_train.json",
        "coco_instances/instances_val.json",
        "coco_person_keypoints/person_keypoints_train.json",
        "coco_person_keypoints/person_keypoints_val.json",
    ] {
        let Some(file) = real(&format!("datumaro/{path}")) else {
            return;
        };
        let imported = import(&file, &CocoOptions::default()).unwrap();
        let skipped = imported.skipped.iter().filter(|it| it.annotation.is_some());
        assert_eq!(
            imported.taken_over + skipped.count(),
            imported.annotations,
            "{path}"
        );
        let _ = writeln!(
            lines,
            "{path}: {:?} {:?}",
            imported.skipped_by_code(),
            notes(&imported)
        );
        for piece in pieces(&imported) {
            let _ = writeln!(lines, "  {piece}");
        }
    }
    insta::assert_snapshot!(lines, @r#"
    coco_instances/instances_train.json: {} []
      {"box":{"top":0.4,"left":0.2,"bottom":0.6,"right":0.5}}
    coco_instances/instances_val.json: {Crowd: 1} []
      {"polygon":[[0,0],[0,0.2],[0.2,0.2],[0.2,0]]} {"x":1,"y":"hello"}
    coco_person_keypoints/person_keypoints_train.json: {} [("split_keypoints", 1), ("keypoint_names_left_out", 2)]
      {"box":{"top":0.4,"left":0.2,"bottom":0.6,"right":0.5}} {"part_of":"object-ee32a7fc43"}
      {"keypoints":[[0,0,"not_present"],[0.4,0,"not_visible"],[0.2,0.4,"visible"]]} {"part_of":"object-ee32a7fc43"}
    coco_person_keypoints/person_keypoints_val.json: {Crowd: 1} [("split_keypoints", 1), ("keypoint_names_left_out", 2)]
      {"polygon":[[0,0],[0,0.2],[0.2,0.2],[0.2,0]]} {"x":1,"y":"hello","part_of":"object-1a35b3b3e7"}
      {"keypoints":[[0.2,0.2,"visible"],[0.4,0.6,"visible"],[0.3,0.4,"visible"]]} {"x":1,"y":"hello","part_of":"object-1a35b3b3e7"}
    "#);
}
