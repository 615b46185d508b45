//! Boxes, rings, masks and keypoints, and what is outside the image.

use super::*;

#[test]
fn a_box_becomes_fractions_of_the_image() {
    let imported = imported(&annotation(
        r#""bbox": [10, 5, 20, 10], "segmentation": []"#,
    ));
    assert_eq!(
        geometry(&imported),
        r#"{"box":{"top":0.1,"left":0.1,"bottom":0.3,"right":0.3}}"#
    );
    let input = &imported.inputs[0];
    assert_eq!(input.image.size, Some((100, 50)));
    assert_eq!(input.image.path.as_deref(), Some("a.jpg"));
    let content = &input.input.annotations[0].content;
    assert_eq!(format!("{:?}", content.concepts), r#"Some({"car": 1.0})"#);
    assert_eq!(input.input.annotations[0].identity, Identity::Content);
    assert!(imported.notes.is_empty() && imported.skipped.is_empty());
}

#[test]
fn a_single_ring_becomes_a_polygon_whatever_its_box_says() {
    let imported = imported(&annotation(
        r#""bbox": "none", "segmentation": [[0, 0, 50, 0, 50, 25, 0, 0]]"#,
    ));
    assert_eq!(
        geometry(&imported),
        r#"{"polygon":[[0,0],[0,0.5],[0.5,0.5],[0,0]]}"#
    );
    assert!(imported.notes.is_empty());
}

fn with_rings(multi_ring: MultiRing, rings: &str) -> Imported {
    let options = ImportOptions {
        multi_ring,
        ..ImportOptions::default()
    };
    let file = annotation(&format!(r#""bbox": [0, 0, 1, 1], "segmentation": {rings}"#));
    read(&file, &options).unwrap()
}

#[test]
fn an_object_with_several_rings_is_split_and_its_parts_are_linked() {
    let rings = "[[0, 0, 50, 0, 50, 25], [60, 0, 80, 0, 80, 50], [1, 1, 2, 2]]";
    let split = with_rings(MultiRing::Split, rings);
    insta::assert_snapshot!(pieces(&split).join("\n"), @r#"
    {"polygon":[[0,0],[0,0.5],[0.5,0.5]]} {"part_of":"object-dfbc4fe307"}
    {"polygon":[[0,0.6],[0,0.8],[1,0.8]]} {"part_of":"object-dfbc4fe307"}
    "#);
    assert_eq!(
        notes(&split),
        [("split_rings", 1), ("empty_ring_left_out", 1)]
    );
    assert_eq!(split.taken_over, 1);
    assert!(!split.has_losses());
    let largest = with_rings(MultiRing::Largest, rings);
    assert_eq!(
        pieces(&largest),
        [r#"{"polygon":[[0,0],[0,0.5],[0.5,0.5]]}"#]
    );
    assert!(largest.has_losses());
    let boxed = with_rings(MultiRing::Box, rings);
    assert_eq!(
        pieces(&boxed),
        [r#"{"box":{"top":0,"left":0,"bottom":1,"right":0.8}}"#]
    );
    assert_eq!(
        notes(&boxed),
        [("multi_ring_as_box", 1), ("empty_ring_left_out", 1)]
    );
    // Their names do not depend on the annotation's id or on what else is in the file.
    let again = with_rings(MultiRing::Split, rings);
    assert_eq!(pieces(&again), pieces(&split));
}

#[test]
fn a_ring_of_two_points_becomes_its_box_and_is_counted() {
    let short = imported(&annotation(
        r#""bbox": [0, 0, 50, 25], "segmentation": [[1, 2, 3, 4]]"#,
    ));
    assert_eq!(
        geometry(&short),
        r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5}}"#
    );
    assert_eq!(notes(&short), [("short_ring_as_box", 1)]);
}

#[test]
fn a_run_length_mask_becomes_a_mask_column_by_column() {
    // An image 3 wide and 2 high; pixels go down the columns: (0,1) and (1,0), then (2,1).
    let file = |counts: &str| {
        format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.jpg", "width": 3, "height": 2}}],
                "categories": [{{"id": 1, "name": "car"}}], "annotations": [{{"id": 5, "image_id": 1,
                "category_id": 1, "bbox": [0, 0, 3, 2], "segmentation": {{"size": [2, 3], "counts": {counts}}}}}]}}"#
        )
    };
    let list = imported(&file("[1, 2, 2, 1]"));
    let Some(Geometry::Mask(mask)) = &list.inputs[0].input.annotations[0].content.geometry else {
        panic!("{:?}", list.skipped);
    };
    let mut expected = crate::formats::bitmap::Bitmap::new(3, 2).unwrap();
    for (x, y) in [(0, 1), (1, 0), (2, 1)] {
        expected.set(x, y);
    }
    assert_eq!(mask.png(), expected.mask().unwrap().png());
    assert!(list.notes.is_empty());
    // The same runs as pycocotools compresses them.
    let text = imported(&file(r#""122O""#));
    assert_eq!(text.inputs, list.inputs, "{:?}", text.skipped);
    for (counts, why) in [
        ("[1, 2, 2, 2]", "come to 7 pixels"),
        ("[1, -2, 2, 1]", "a run of -2 pixels"),
        ("[1.5, 1.5, 2, 1]", "a run of 1.5 pixels"),
        ("[18446744073709551615, 1e300]", "a run of"),
        (r#""~~~""#, "the byte 126"),
        (r#""PPPPPPPPPPPPPPPPPPP""#, "too large"),
        ("{}", "an object"),
        ("null", "has no `counts`"),
    ] {
        let wrong = imported(&file(counts));
        assert_eq!(wrong.skipped[0].code, SkipCode::WrongMask, "{counts}");
        assert!(wrong.skipped[0].detail.contains(why), "{:?}", wrong.skipped);
    }
    assert_eq!(imported(&file("[6]")).skipped[0].code, SkipCode::NoArea);
}

#[test]
fn keypoints_are_kept_beside_the_shape() {
    let file = annotation(
        r#""bbox": [0, 0, 50, 25], "keypoints": [0, 0, 0, 10, 5, 1, 20, 10, 2], "num_keypoints": 2"#,
    );
    insta::assert_snapshot!(pieces(&imported(&file)).join("\n"), @r#"
    {"box":{"top":0,"left":0,"bottom":0.5,"right":0.5}} {"part_of":"object-924bbd6ead"}
    {"keypoints":[[0,0,"not_present"],[0.1,0.1,"not_visible"],[0.2,0.2,"visible"]]} {"part_of":"object-924bbd6ead"}
    "#);
    let alone = imported(&annotation(r#""keypoints": [10, 5, 2]"#));
    assert_eq!(geometry(&alone), r#"{"keypoints":[[0.1,0.1,"visible"]]}"#);
    let absent = imported(&annotation(
        r#""bbox": [0, 0, 50, 25], "keypoints": [0, 0, 0, 0, 0, 0]"#,
    ));
    assert_eq!(
        geometry(&absent),
        r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5}}"#
    );
    for (keypoints, expected) in [
        ("[1, 2]", "wrong_type: keypoints of 2 numbers"),
        ("[1, 2, 3]", "wrong_type: a keypoint with v 3"),
        ("[1, 200, 2]", "outside_image"),
        ("{}", "wrong_type: keypoints is an object"),
    ] {
        let file = annotation(&format!(
            r#""bbox": [0, 0, 50, 25], "keypoints": {keypoints}"#
        ));
        let wrong = imported(&file);
        assert!(skipped(&wrong).starts_with(expected), "{:?}", wrong.skipped);
    }
}

#[test]
fn rounding_errors_are_moved_to_the_edge() {
    let a_box = imported(&annotation(r#""bbox": [-0.00005, 0, 100.0001, 50.00004]"#));
    assert_eq!(
        geometry(&a_box),
        r#"{"box":{"top":0,"left":0,"bottom":1,"right":1}}"#
    );
    assert_eq!(notes(&a_box), [("set_to_edge", 1)]);
    let ring = imported(&annotation(
        r#""segmentation": [[0, 0, 100.00005, 0, 50, 50]]"#,
    ));
    assert_eq!(geometry(&ring), r#"{"polygon":[[0,0],[0,1],[1,0.5]]}"#);
    assert_eq!(notes(&ring), [("set_to_edge", 1)]);
    // 1.1e-6 of the image is more than rounding.
    let out = imported(&annotation(r#""bbox": [0, 0, 100.00011, 50]"#));
    assert!(skipped(&out).starts_with("outside_image"));
    // A box that lies in the margin alone has no part in the image.
    let margin = imported(&annotation(r#""bbox": [100, 0, 0.00005, 50]"#));
    assert!(skipped(&margin).starts_with("outside_image"));
}

#[test]
fn clipping_keeps_the_part_inside_and_nothing_else() {
    let a_box = clipped(&annotation(r#""bbox": [90, -10, 20, 30]"#));
    assert_eq!(
        geometry(&a_box),
        r#"{"box":{"top":0,"left":0.9,"bottom":0.4,"right":1}}"#
    );
    assert_eq!(notes(&a_box), [("clipped", 1)]);
    for outside in [
        r#""bbox": [100, 0, 20, 30]"#,
        r#""bbox": [-20, -20, 5, 5]"#,
        r#""segmentation": [[-10, 0, -5, 10, -20, 30]]"#,
        r#""segmentation": [[-10, 40, 10, 60, -10, 60]]"#,
    ] {
        assert!(
            skipped(&clipped(&annotation(outside))).starts_with("outside_image"),
            "{outside}"
        );
    }
    // Without an overhang there is nothing to clip, and nothing to note.
    assert!(
        clipped(&annotation(r#""bbox": [0, 0, 100, 50]"#))
            .notes
            .is_empty()
    );
}

#[test]
fn a_ring_is_clipped_by_its_edges_not_by_its_points() {
    // The tip at x = 200 is cut off where the edges cross the border; moved to the border, it would stay a triangle.
    let tip = clipped(&annotation(r#""segmentation": [[0, 0, 200, 25, 0, 50]]"#));
    let expected = Polygon::new(
        [(0.0, 0.0), (0.25, 1.0), (0.75, 1.0), (1.0, 0.0)]
            .map(|(row, col)| crate::model::Point::new(row, col).unwrap()),
    )
    .unwrap();
    assert!(ring(&tip).same(&expected), "{:?}", ring(&tip));
    // A corner of the image that the ring covers becomes a point, though no point of the ring is near.
    let corner = clipped(&annotation(
        r#""segmentation": [[50, 25, 250, 25, 50, 125]]"#,
    ));
    assert_eq!(
        geometry(&corner),
        r#"{"polygon":[[1,0.5],[0.5,0.5],[0.5,1],[1,1]]}"#
    );
}

#[test]
fn a_ring_that_leaves_the_image_twice_stays_one_ring_with_the_right_area() {
    // A U lying on its side: both arms reach over the right border.
    let arms = clipped(&annotation(
        r#""segmentation": [[50, 0, 150, 0, 150, 10, 60, 10, 60, 40, 150, 40, 150, 50, 50, 50]]"#,
    ));
    let part = Geometry::Polygon(ring(&arms));
    let image = Polygon::new(
        [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)]
            .map(|(row, col)| crate::model::Point::new(row, col).unwrap()),
    )
    .unwrap();
    // 0.5 wide less the gap of 0.4 x 0.6.
    let share = overlap(&part, &Geometry::Polygon(image)).unwrap();
    assert!(share.millionths().abs_diff(260_000) <= 1, "{share:?}");
}

#[test]
fn a_self_intersecting_polygon_has_area() {
    let bow = imported(&annotation(
        r#""segmentation": [[0, 0, 100, 50, 100, 0, 0, 50]]"#,
    ));
    let part = Geometry::Polygon(ring(&bow));
    assert_eq!(overlap(&part, &part), Some(Overlap::WHOLE));
}

#[test]
fn a_turned_box_becomes_a_polygon() {
    let turned = |attributes: &str| {
        imported(&annotation(&format!(
            r#""bbox": [40, 20, 20, 10], "segmentation": [], "attributes": {{{attributes}}}"#
        )))
    };
    let metadata = |imported: &Imported| {
        let content = &imported.inputs[0].input.annotations[0].content;
        content
            .metadata
            .as_ref()
            .map(|json| json.to_value().to_string())
    };
    let quarter = turned(r#""rotation": 90.0, "occluded": true"#);
    let points: Vec<[f32; 2]> = ring(&quarter)
        .points()
        .iter()
        .map(|point| [point.row.get(), point.col.get()])
        .map(|point| point.map(|number| (number * 100.0).round() / 100.0))
        .collect();
    // Clockwise: the top left corner is now the top right one.
    assert_eq!(points, [[0.3, 0.55], [0.7, 0.55], [0.7, 0.45], [0.3, 0.45]]);
    assert_eq!(notes(&quarter), [("rotated_box", 1)]);
    assert_eq!(metadata(&quarter).as_deref(), Some(r#"{"occluded":true}"#));
    let straight = turned(r#""rotation": 360"#);
    assert_eq!(geometry(&straight), geometry(&turned("")));
    assert!(straight.notes.is_empty());
    assert_eq!(metadata(&straight).as_deref(), Some(r#"{"rotation":360}"#));
    // Rings are turned in the file.
    let rings = imported(&annotation(
        r#""segmentation": [[0, 0, 50, 0, 50, 25]], "attributes": {"rotation": 45}"#,
    ));
    assert!(rings.notes.is_empty());
    assert_eq!(metadata(&rings).as_deref(), Some(r#"{"rotation":45}"#));
}
