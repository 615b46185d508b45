//! Real files, if they are present.

use super::*;
use crate::formats::coco;
use crate::formats::voc::tests::real::assert_same_boxes;

#[test]
fn every_shape_of_the_real_files_is_accounted_for() {
    use std::fmt::Write as _;
    let mut lines = String::new();
    for path in [
        "voc100/cvat_format",
        "datumaro/cvat_images",
        "datumaro/cvat_video",
    ] {
        let Some(source) = Memory::real(path) else {
            return;
        };
        assert!(recognises(&source), "{path}");
        let imported = import(&source, &ImportOptions::default()).unwrap();
        assert_eq!(
            imported.taken_over + imported.skipped.len(),
            imported.annotations
        );
        let skipped: Vec<String> = imported
            .skipped
            .iter()
            .map(|it| format!("{}: {}", it.code, it.detail))
            .collect();
        writeln!(
            lines,
            "{path}: {} of {} on {} {:?}, {skipped:?}, {:?}",
            imported.taken_over,
            imported.annotations,
            imported.inputs.len(),
            imported.inputs[0].media,
            notes(&imported)
        )
        .unwrap();
        if imported.annotations < 10 {
            lines.push_str(&pieces(&imported).join("\n"));
            lines.push('\n');
        }
    }
    insta::assert_snapshot!(lines, @r#"
    voc100/cvat_format: 273 of 273 on 100 Image, [], []
    datumaro/cvat_images: 2 of 4 on 2 Image, ["other_shape: a polyline", "category_without_name: the category's name is \"\""], []
    {"box":{"top":0.25,"left":0,"bottom":0.5,"right":0.5}} {"occluded":true,"z_order":1,"a1":true,"a2":"v3","a3":"0003","a4":2.4}
    {"keypoints":[[0.2,0.1],[0.4,0.3],[0.6,0.5]]} {"z_order":2}
    datumaro/cvat_video: 2 of 3 on 1 Video, ["other_shape: a polyline"], [("guessed_time", 1)]
    {"box":{"top":0.2,"left":0.12,"bottom":0.25,"right":0.4}} {"occluded":true}
    {"keypoints":[[0.4,0.878],[0.7545,0.102],[0.158,0.0892]]} {"hgl":"hgkf"}
    "#);
}

#[test]
fn the_boxes_are_those_of_the_coco_file() {
    let (Some(cvat), Some(coco)) = (
        Memory::real("voc100/cvat_format"),
        Memory::real("voc100/coco_format_v1/instances_default.json"),
    ) else {
        return;
    };
    let options = ImportOptions::default();
    let (cvat, coco) = (
        import(&cvat, &options).unwrap(),
        coco::import(&coco, &options).unwrap(),
    );
    assert_same_boxes(&cvat, &coco);
}
