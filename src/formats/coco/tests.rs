use super::*;
use crate::model::{Geometry, Overlap, Polygon, overlap};

/// A file with one image of 100 x 50 px and the category `car`.
fn with(annotations: &str) -> String {
    format!(
        r#"{{"images": [{{"id": 1, "file_name": "a.jpg", "width": 100, "height": 50}}],
            "categories": [{{"id": 1, "name": "car"}}], "annotations": [{annotations}]}}"#
    )
}

fn annotation(geometry: &str) -> String {
    with(&format!(
        r#"{{"id": 5, "image_id": 1, "category_id": 1, {geometry}}}"#
    ))
}

fn images(file_names: &[&str]) -> String {
    let images: Vec<String> = file_names
        .iter()
        .enumerate()
        .map(|(id, name)| {
            format!(r#"{{"id": {id}, "file_name": {name:?}, "width": 10, "height": 10}}"#)
        })
        .collect();
    format!(
        r#"{{"images": [{}], "annotations": [], "categories": []}}"#,
        images.join(", ")
    )
}

fn imported(json: &str) -> Imported {
    import(json.as_bytes(), &CocoOptions::default()).unwrap()
}

fn clipped(json: &str) -> Imported {
    let options = CocoOptions {
        overhang: Overhang::Clip,
        ..CocoOptions::default()
    };
    import(json.as_bytes(), &options).unwrap()
}

fn ids(imported: &Imported) -> Vec<&str> {
    imported
        .inputs
        .iter()
        .map(|i| i.input.id.as_str())
        .collect()
}

fn geometry(imported: &Imported) -> String {
    let [input] = &imported.inputs[..] else {
        panic!("one input");
    };
    let [annotation] = &input.input.annotations[..] else {
        panic!("one annotation, not {:?}", imported.skipped);
    };
    serde_json::to_string(&annotation.content.geometry).unwrap()
}

fn ring(imported: &Imported) -> Polygon {
    match &imported.inputs[0].input.annotations[0].content.geometry {
        Some(Geometry::Polygon(polygon)) => polygon.clone(),
        other => panic!("{other:?}"),
    }
}

/// The one code under which the one annotation was left out, with what it says.
fn skipped(imported: &Imported) -> String {
    let [skipped] = &imported.skipped[..] else {
        panic!("one is left out, not {:?}", imported.skipped);
    };
    assert_eq!(imported.taken_over, 0);
    format!("{}: {}", skipped.code, skipped.detail)
}

fn notes(imported: &Imported) -> Vec<(&'static str, u64)> {
    imported
        .notes_by_code()
        .into_iter()
        .map(|(note, count)| (note.as_str(), count))
        .collect()
}

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

/// The annotations of the one image, each with its place and metadata.
fn pieces(imported: &Imported) -> Vec<String> {
    let annotations = imported.inputs[0].input.annotations.iter();
    annotations
        .map(|annotation| {
            let content = &annotation.content;
            let metadata = content.metadata.as_ref().map_or("", Json::as_str);
            let place = serde_json::to_string(&content.geometry).unwrap();
            format!("{place} {metadata}").trim_end().to_owned()
        })
        .collect()
}

fn with_rings(multi_ring: MultiRing, rings: &str) -> Imported {
    let options = CocoOptions {
        multi_ring,
        ..CocoOptions::default()
    };
    let file = annotation(&format!(r#""bbox": [0, 0, 1, 1], "segmentation": {rings}"#));
    import(file.as_bytes(), &options).unwrap()
}

#[test]
fn an_object_of_several_rings_is_split_and_its_pieces_can_be_told() {
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
fn crowds_and_what_is_to_be_ignored_are_left_out_and_counted() {
    for (field, code) in [
        (r#""iscrowd": 1"#, "crowd"),
        (r#""iscrowd": true"#, "crowd"),
        (r#""iscrowd": "1""#, "crowd"),
        (r#""ignore": 1"#, "ignored"),
    ] {
        let left = imported(&annotation(&format!(r#""bbox": [0, 0, 50, 25], {field}"#)));
        assert!(skipped(&left).starts_with(code), "{field}");
        assert_eq!(left.inputs[0].left_out, 1);
    }
    let taken = imported(&annotation(
        r#""bbox": [0, 0, 50, 25], "iscrowd": 0, "ignore": false"#,
    ));
    assert_eq!((taken.taken_over, taken.inputs[0].left_out), (1, 0));
}

#[test]
fn a_score_is_a_value_only_if_it_is_asked_for() {
    let file = annotation(r#""bbox": [0, 0, 50, 25], "score": 0.03"#);
    let concepts = |imported: &Imported| {
        format!(
            "{:?}",
            imported.inputs[0].input.annotations[0].content.concepts
        )
    };
    let without = imported(&file);
    assert_eq!(concepts(&without), r#"Some({"car": 1.0})"#);
    assert_eq!(notes(&without), [("score_left_out", 1)]);
    assert!(without.has_losses());
    let options = CocoOptions {
        scores: Scores::Values,
        ..CocoOptions::default()
    };
    let with = import(file.as_bytes(), &options).unwrap();
    assert_eq!(concepts(&with), r#"Some({"car": 0.03})"#);
    assert!(with.notes.is_empty());
    let wrong = annotation(r#""bbox": [0, 0, 50, 25], "score": 3"#);
    let wrong = import(wrong.as_bytes(), &options).unwrap();
    assert_eq!(skipped(&wrong), r#"wrong_score: score is "3""#);
}

#[test]
fn a_shape_without_area_as_32_bit_numbers_is_left_out() {
    for shape in [
        r#""bbox": [10, 5, 0.0000000001, 10]"#,
        r#""segmentation": [[10, 5, 20, 5, 20, 5.0000000001]]"#,
    ] {
        let left = imported(&annotation(shape));
        assert!(skipped(&left).starts_with("no_area"), "{:?}", left.skipped);
    }
    let touching = clipped(&annotation(r#""bbox": [100, 0, 20, 30]"#));
    assert_eq!(touching.inputs[0].left_out, 1);
}

#[test]
fn ids_keep_their_digits_and_are_the_same_however_they_are_spelled() {
    let digits = "340282366920938463463374607431768211455";
    let other = "340282366920938463463374607431768211454";
    let file = format!(
        r#"{{"images": [{{"id": {digits}, "file_name": "a.jpg", "width": 9, "height": 9}},
            {{"id": "{other}", "file_name": "b.jpg", "width": 9, "height": 9}},
            {{"id": 1.0, "file_name": "c.jpg", "width": 9, "height": 9}}],
        "categories": [{{"id": "1.0", "name": "car"}}],
        "annotations": [{{"id": 1, "image_id": "{digits}", "category_id": 1, "bbox": [0, 0, 1, 1]}},
            {{"id": 2, "image_id": {other}, "category_id": 1.00, "bbox": [0, 0, 1, 1]}},
            {{"id": 3, "image_id": "1", "category_id": "1", "bbox": [0, 0, 1, 1]}}]}}"#
    );
    let options = CocoOptions {
        input_id: InputIdFrom::ImageId,
        ..CocoOptions::default()
    };
    let by_id = import(file.as_bytes(), &options).unwrap();
    assert_eq!(ids(&by_id), ["1", other, digits]);
    assert_eq!(by_id.taken_over, 3, "{:?}", by_id.skipped);
    assert!(
        by_id
            .inputs
            .iter()
            .all(|it| it.input.annotations.len() == 1)
    );
}

#[test]
fn nan_in_a_field_that_is_not_used_costs_nothing() {
    let file =
        annotation(r#""bbox": [0, 0, 50, 25], "area": NaN, "x": [-Infinity, "NaN \" Infinity"]"#);
    assert_eq!(imported(&file).taken_over, 1);
    let file = annotation(r#""bbox": [0, NaN, 50, 25]"#);
    let used = imported(&file);
    assert!(skipped(&used).starts_with("wrong_type: bbox holds a value"));
}

#[test]
fn what_cannot_be_expressed_is_left_out_under_a_stable_code() {
    for (fields, expected) in [
        (r#""bbox": [1, 1, 0, 5]"#, "no_area: width 0, height 5"),
        (r#""bbox": [9, 1, -2, 5]"#, "no_area: width -2, height 5"),
        (
            r#""bbox": [90, 0, 20, 50]"#,
            "outside_image: out of the image of 100 x 50 px by 10.00 px right",
        ),
        (
            r#""segmentation": [[0, -1, 50, 0, 50, 25]]"#,
            "outside_image: out of the image of 100 x 50 px by 1.00 px top",
        ),
        (
            r#""segmentation": [[0, 0, 10, 10, 20, 20]]"#,
            "no_area: a ring of 3 points without area",
        ),
        (
            r#""segmentation": [[0, 0, 30, 10, 60, 50, 30, 10]]"#,
            "no_area: a ring of 4 points without area",
        ),
        (
            r#""segmentation": [[1, 1, 1, 2, 1, 3], [1, 4]]"#,
            "no_area: no ring has an area",
        ),
        (
            r#""bbox": null, "segmentation": null"#,
            "no_geometry: neither a ring of three points nor a bbox",
        ),
        (
            r#""bbox": []"#,
            "no_geometry: neither a ring of three points nor a bbox",
        ),
        (r#""bbox": "a""#, "wrong_type: bbox is a text"),
        (
            r#""bbox": [1, 2, 3]"#,
            "wrong_type: bbox has 3 numbers, not 4",
        ),
        (
            r#""bbox": [1, 2, "x", 4]"#,
            "wrong_type: bbox holds a value that is not a number",
        ),
        (
            r#""bbox": [1, 2, "NaN", 4]"#,
            "wrong_type: bbox holds a value that is not a number",
        ),
        (
            r#""bbox": [0, 0, 1, 1], "segmentation": 3"#,
            "wrong_type: segmentation is a number",
        ),
        (
            r#""segmentation": [[1, 2, 3, 4, 5, 6, 7]]"#,
            "wrong_type: a ring of 7 numbers: x and y are pairs",
        ),
        (
            r#""segmentation": [1, 2, 3, 4, 5, 6]"#,
            "wrong_type: a ring of the segmentation is a number",
        ),
    ] {
        let imported = imported(&annotation(fields));
        assert_eq!(skipped(&imported), expected, "{fields}");
        assert_eq!(imported.skipped[0].annotation.as_deref(), Some("5"));
        assert_eq!(imported.skipped[0].image.as_deref(), Some("a.jpg"));
    }
}

#[test]
fn what_refers_to_nothing_is_left_out_under_a_stable_code() {
    let file = r#"{"images": [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9},
            {"id": 2, "file_name": "b.jpg", "width": "?", "height": 9}, {"id": 3, "width": 9, "height": 9},
            {"id": 4, "file_name": "c\u001b.jpg", "width": 9, "height": 9}, 17],
        "categories": [{"id": 1, "name": "car"}, {"id": 2}, {"id": 3, "name": "a\u0007"}],
        "annotations": [
            {"id": 1, "image_id": 9, "category_id": 1, "bbox": [0, 0, 1, 1]},
            {"id": 2, "category_id": 1, "bbox": [0, 0, 1, 1]},
            {"id": 3, "image_id": 1, "category_id": "x", "bbox": [0, 0, 1, 1]},
            {"id": 4, "image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1]},
            {"id": 5, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1]},
            {"id": 6, "image_id": 2, "category_id": 1, "bbox": [0, 0, 1, 1]},
            {"id": 7, "image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 1]},
            {"image_id": 4, "category_id": 1, "bbox": [0, 0, 1, 1]},
            "hello"]}"#;
    let imported = imported(file);
    let lines: Vec<String> = imported
        .skipped
        .iter()
        .map(
            |Skipped {
                 code,
                 annotation,
                 image,
                 detail,
             }| {
                format!("{code} {annotation:?} {image:?} {detail}").replace("Some", "")
            },
        )
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    image_without_name None ("3") it has no usable file_name
    invalid_input_id None ("c\u{1b}.jpg") "c\u{1b}": contains the control character U+001B
    wrong_type None ("number 5") an image is a number
    unknown_image ("1") ("9") image_id is "9"
    unknown_image ("2") None image_id is missing
    unknown_category ("3") ("a.jpg") category_id is "x"
    category_without_name ("4") ("a.jpg") the category's name is ""
    category_without_name ("5") ("a.jpg") the category's name is "a\u{7}"
    image_without_size ("6") ("b.jpg") its image has no width and height in whole pixels
    image_left_out ("7") ("3") its image was left out
    image_left_out ("number 8") ("c\u{1b}.jpg") its image was left out
    wrong_type ("number 9") None an annotation is a text
    "#);
    assert_eq!(ids(&imported), ["a", "b"]);
    assert_eq!(imported.inputs[1].image.size, None);
    assert_eq!(imported.taken_over, 0);
    assert_eq!(imported.skipped_by_code()[&SkipCode::UnknownImage], 2);
}

#[test]
fn what_is_out_by_rounding_is_set_to_the_edge() {
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
fn a_bow_tie_has_area() {
    let bow = imported(&annotation(
        r#""segmentation": [[0, 0, 100, 50, 100, 0, 0, 50]]"#,
    ));
    let part = Geometry::Polygon(ring(&bow));
    assert_eq!(overlap(&part, &part), Some(Overlap::WHOLE));
}

#[test]
fn types_of_fields_may_be_loose() {
    let file = "\u{feff}".to_owned()
        + r#"{"info": 7, "licenses": "CC", "more": [{}],
        "images": [{"id": "7", "file_name": 12, "width": "100", "height": 50.0, "license": "CC"}],
        "categories": [{"id": 1.0, "name": 3, "supercategory": null}],
        "annotations": [{"id": "x", "image_id": 7.0, "category_id": "1", "iscrowd": "no", "area": [],
            "bbox": ["10", 5.0, 20, "1e1"], "segmentation": [[]], "score": {}}]}"#;
    let imported = imported(&file);
    assert_eq!(ids(&imported), ["12"]);
    assert_eq!(
        geometry(&imported),
        r#"{"box":{"top":0.1,"left":0.1,"bottom":0.3,"right":0.3}}"#
    );
    assert_eq!(
        imported
            .concepts
            .iter()
            .map(ConceptId::as_str)
            .collect::<Vec<_>>(),
        ["3"]
    );
}

#[test]
fn attributes_become_metadata_as_far_as_a_manifest_can_hold_them() {
    let imported = imported(&annotation(
        r#""bbox": [0, 0, 1, 1], "attributes": {"occluded": true, "tags": ["a"], "note": null}"#,
    ));
    assert_eq!(notes(&imported), [("attributes_left_out", 1)]);
    assert_eq!(imported.taken_over, 1);
    assert_eq!(
        pieces(&imported),
        [r#"{"box":{"top":0,"left":0,"bottom":0.02,"right":0.01}} {"occluded":true,"tags":["a"]}"#]
    );
}

#[test]
fn category_names_become_concepts() {
    let file = r#"{"images": [], "annotations": [], "categories": [{"id": 1, "name": " Plastic Film 4"},
        {"id": 2, "name": "plastic film 4"}, {"id": 3, "name": "Other (Größe)!"}]}"#;
    let names = |imported: &Imported| -> Vec<String> {
        imported.concepts.iter().map(ToString::to_string).collect()
    };
    let as_named = imported(file);
    assert_eq!(
        names(&as_named),
        ["Other (Größe)!", "Plastic Film 4", "plastic film 4"]
    );
    assert_eq!(notes(&as_named), [("category_name_trimmed", 1)]);
    let options = CocoOptions {
        concepts: ConceptNames::Slug,
        ..CocoOptions::default()
    };
    let slugs = import(file.as_bytes(), &options).unwrap();
    assert_eq!(names(&slugs), ["other-größe", "plastic-film-4"]);
    assert_eq!(notes(&slugs), [("categories_share_concept", 1)]);
    assert_eq!(slugs.categories, 3);
}

#[test]
fn inputs_are_sorted_and_an_image_without_annotations_is_one() {
    let imported = imported(&images(&["b.tar.gz", "./x/a.png", "c", ".hidden"]));
    assert_eq!(ids(&imported), [".hidden", "b.tar", "c", "x-a"]);
    assert!(
        imported
            .inputs
            .iter()
            .all(|i| i.input.annotations.is_empty())
    );
}

#[test]
fn an_images_id_does_not_depend_on_what_else_is_in_the_file() {
    let names = ["1/a.jpg", "2\\a.jpg", "a.jpg", "x/5/d.jpg"];
    assert_eq!(
        ids(&imported(&images(&names))),
        ["1-a", "2-a", "a", "x-5-d"]
    );
    for (name, id) in [("1/a.jpg", "1-a"), ("2\\a.jpg", "2-a"), ("a.jpg", "a")] {
        assert_eq!(ids(&imported(&images(&[name]))), [id]);
    }
}

#[test]
fn images_that_cannot_be_told_apart_are_an_error_that_names_both() {
    let error = |json: &str, input_id| {
        let options = CocoOptions {
            input_id,
            ..CocoOptions::default()
        };
        import(json.as_bytes(), &options).unwrap_err().to_string()
    };
    assert_eq!(
        error(&images(&["1/a.jpg", "1/a.png"]), InputIdFrom::Path),
        r#""1/a.jpg" and "1/a.png" would both be the input "1-a""#
    );
    assert_eq!(
        error(
            &images(&["x/y-a.jpg", "x-y/a.jpg", "a.jpg", "y-a.jpg"]),
            InputIdFrom::Path
        ),
        r#""x/y-a.jpg" and "x-y/a.jpg" would both be the input "x-y-a""#
    );
    assert_eq!(
        error(&images(&["a.jpg", "a.jpg"]), InputIdFrom::FileName),
        r#""a.jpg" and "a.jpg" would both be the input "a.jpg""#
    );
    let twice = r#"{"images": [{"id": 1, "file_name": "a"}, {"id": "1", "file_name": "b"}],
        "annotations": [], "categories": []}"#;
    assert_eq!(
        error(twice, InputIdFrom::FileName),
        r#"two images have the id "1": "a" and "b""#
    );
    assert_eq!(
        error(twice, InputIdFrom::ImageId),
        r#""a" and "b" would both be the input "1""#
    );
    let categories = r#"{"images": [], "annotations": [],
        "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "a"}, {"id": "1", "name": "b"}]}"#;
    assert_eq!(
        error(categories, InputIdFrom::FileName),
        r#"two categories have the id "1": "a" and "b""#
    );
}

#[test]
fn inputs_can_be_called_after_file_names_and_ids() {
    let file = images(&["1/a.jpg", "2/b.jpg"]);
    let named = |input_id| {
        let options = CocoOptions {
            input_id,
            images: Some("pictures/".to_owned()),
            ..CocoOptions::default()
        };
        import(file.as_bytes(), &options).unwrap()
    };
    assert_eq!(ids(&named(InputIdFrom::FileName)), ["1/a.jpg", "2/b.jpg"]);
    let by_id = named(InputIdFrom::ImageId);
    assert_eq!(ids(&by_id), ["0", "1"]);
    assert_eq!(
        by_id.inputs[0].image.path.as_deref(),
        Some("pictures/1/a.jpg")
    );
}

#[test]
fn a_file_of_another_form_is_an_error_with_its_place() {
    let error = |json: &str| {
        import(json.as_bytes(), &CocoOptions::default())
            .unwrap_err()
            .to_string()
    };
    let expected =
        "a COCO file is an object with the lists `images`, `annotations` and `categories`";
    for (json, why) in [
        (
            "{\n  \"images\": [}",
            "a value is missing: a text in double quotes, a number, a list or an object".to_owned(),
        ),
        (
            r#"{"images": [], "categories": []}"#,
            format!("not a COCO file: it has no `annotations`; {expected}"),
        ),
        // Read as an empty list, it would have every annotation deleted.
        (
            r#"{"images": [], "categories": [], "annotations": null}"#,
            format!("not a COCO file: it has no `annotations`; {expected}"),
        ),
        (
            r#"{"images": {}, "categories": [], "annotations": []}"#,
            format!("not a COCO file: its `images` is an object; {expected}"),
        ),
        (
            r#"[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]"#,
            format!(
                "not a COCO file: it is a list, like the results of a model (detections with `image_id` and `score`); {expected}"
            ),
        ),
        ("[]", format!("not a COCO file: it is a list; {expected}")),
        ("7", format!("not a COCO file: it is a number; {expected}")),
        (
            r#"{"images": [], "images": []}"#,
            "duplicate key `images`".to_owned(),
        ),
        ("", "the file is empty".to_owned()),
    ] {
        assert_eq!(error(json), why, "{json}");
    }
}

/// A real file beside the project, and nothing (with a line that says so) where it is missing.
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
fn real_files_are_taken_over_whole() {
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

#[test]
fn fields_that_coco_does_not_define_become_metadata_as_far_as_a_manifest_can_hold_them() {
    let file = |fields: &str| imported(&annotation(&format!(r#""bbox": [0, 0, 1, 1], {fields}"#)));
    let kept = file(
        r#""area": 1, "num_keypoints": 0, "difficult": 1, "truncated": false, "is_group_of": 0, "isgroup": true,
           "caption": "a car", "empty": [], "none": null, "attributes": {"occluded": true}"#,
    );
    assert_eq!(
        pieces(&kept),
        [
            r#"{"box":{"top":0,"left":0,"bottom":0.02,"right":0.01}} {"difficult":1,"truncated":false,"is_group_of":0,"isgroup":true,"caption":"a car","occluded":true}"#
        ]
    );
    assert!(!kept.has_losses(), "{:?}", kept.notes);
    for lost in [
        r#""track": [1]"#,
        r#""track": {"id": 1}"#,
        r#""number": 1e999"#,
        r#""part_of": "me""#,
        r#""a": 1, "attributes": {"a": 2}"#,
    ] {
        let lossy = file(lost);
        assert_eq!(notes(&lossy), [("fields_left_out", 1)], "{lost}");
        assert!(lossy.has_losses());
        assert_eq!(lossy.taken_over, 1);
    }
    assert!(pieces(&file(r#""a": 1, "attributes": {"a": 2}"#))[0].ends_with(r#"{"a":2}"#));
}

#[test]
fn what_categories_and_images_say_beyond_their_names_is_accounted_for() {
    let file = |image: &str, category: &str| {
        let json = format!(
            r#"{{"images": [{{"id": 1, "file_name": "a.jpg", {image} "width": 9, "height": 9}}],
                "categories": [{{"id": 1, {category} "name": "person"}}], "annotations": []}}"#
        );
        imported(&json)
    };
    for category in [r#""keypoints": ["nose"],"#, r#""skeleton": [[1, 2]],"#] {
        let lossy = file("", category);
        assert_eq!(notes(&lossy), [("keypoint_names_left_out", 1)]);
        assert_eq!(lossy.notes[0].place, r#"category 1 "person""#);
        assert!(lossy.has_losses());
    }
    for image in [
        r#""neg_category_ids": [1],"#,
        r#""not_exhaustive_category_ids": [ 1 ],"#,
    ] {
        let lossy = file(image, "");
        assert_eq!(notes(&lossy), [("image_categories_left_out", 1)]);
        assert!(lossy.has_losses());
    }
    let empty = file(
        r#""neg_category_ids": [ ],"#,
        r#""keypoints": [], "skeleton": null,"#,
    );
    assert_eq!(notes(&empty), []);
}

#[test]
fn an_error_about_equal_ids_names_the_choices_that_help() {
    let hint = |images: &str, input_id| {
        let json = format!(r#"{{"images": [{images}], "annotations": [], "categories": []}}"#);
        let options = CocoOptions {
            input_id,
            ..CocoOptions::default()
        };
        let error = import(json.as_bytes(), &options).unwrap_err();
        error.hint().unwrap()
    };
    let [a, b] = [
        r#"{"id": 1, "file_name": "x/1.jpg"}"#,
        r#"{"id": 2, "file_name": "x/1.png"}"#,
    ];
    assert_eq!(
        hint(&format!("{a}, {b}"), InputIdFrom::Path),
        "tell them apart with --input-id file_name or image_id"
    );
    let url = r#"{"id": 2, "file_name": "https://b.example/x/y/1.png"}"#;
    let other = r#"{"id": 2, "file_name": "https://b.example/1.png"}"#;
    assert_eq!(
        hint(&format!("{url}, {other}"), InputIdFrom::Path),
        "tell them apart with --input-id whole_path or file_name"
    );
    assert_eq!(
        hint(&format!("{a}, {a}"), InputIdFrom::Path),
        "no choice of --input-id tells all images apart: give each its own name or id"
    );
}

#[test]
fn what_has_no_known_image_is_counted_as_unassigned() {
    let file = |image_id: &str| {
        with(&format!(
            r#"{{"id": 5, "image_id": {image_id}, "category_id": 1, "bbox": [0, 0, 1, 1]}}"#
        ))
    };
    for (image_id, unassigned) in [("1", 0), ("\"1\"", 0), ("1.0", 0), ("2", 1), ("null", 1)] {
        let mut imported = imported(&file(image_id));
        assert_eq!(imported.unassigned, unassigned, "{image_id}");
        assert_eq!(imported.take_incomplete().len() as u64, unassigned);
        assert_eq!(imported.inputs.len() as u64, 1 - unassigned);
    }
}

mod hostile {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Values that a field may hold in a file that somebody made to break a reader.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            prop::sample::select(vec![
                0.0,
                -0.0,
                1e-320,
                1e300,
                -1e300,
                0.5,
                1e-9,
                4_294_967_296.0,
                100.000_000_1
            ])
            .prop_map(Value::from),
            prop::sample::select(vec![
                "",
                "1",
                "1.0",
                "NaN",
                "../../x",
                "/etc/passwd",
                "a\u{0}b",
                "C:\\x.png",
                "https://h/%2e%2e%2f?x#y",
                "-",
                "annosync",
                "PPPPPPPPPPP",
                "02",
                "\u{202e}",
                "%",
                "://"
            ])
            .prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 40, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,6}", inner.clone(), 0..4)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
                (inner.clone(), inner)
                    .prop_map(|(size, counts)| json!({"size": size, "counts": counts})),
            ]
        })
        .boxed()
    }

    /// Mostly a sound value, so that the fields behind it are reached as well.
    fn or(sound: Value) -> impl Strategy<Value = Value> {
        prop_oneof![3 => Just(sound), 1 => value()].boxed()
    }

    fn object(fields: Vec<(&'static str, Value)>) -> impl Strategy<Value = Value> {
        let fields = fields
            .into_iter()
            .map(|(name, sound)| or(sound).prop_map(move |value| (name.to_owned(), value)));
        fields
            .collect::<Vec<_>>()
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
            .boxed()
    }

    fn file() -> impl Strategy<Value = String> {
        let image = object(vec![
            ("id", json!(1)),
            ("file_name", json!("a.jpg")),
            ("width", json!(4)),
            ("height", json!(2)),
        ]);
        let category = object(vec![("id", json!(1)), ("name", json!("car"))]);
        let shape = prop_oneof![
            Just(json!([[0, 0, 4, 0, 4, 2]])),
            Just(json!([[0, 0, 4, 0, 4, 2], [0, 0, 1, 0, 1, 1]])),
            Just(json!({"size": [2, 4], "counts": [1, 3, 4]})),
            Just(json!({"size": [2, 4], "counts": "134"})),
            value(),
        ];
        let annotation = (
            shape,
            object(vec![
                ("id", json!(1)),
                ("image_id", json!(1)),
                ("category_id", json!(1)),
                ("bbox", json!([0, 0, 2, 1])),
                ("keypoints", json!([1, 1, 2])),
                ("attributes", json!({"a": 1})),
                ("iscrowd", json!(0)),
                ("score", json!(0.5)),
            ]),
        )
            .prop_map(|(shape, mut object)| {
                object["segmentation"] = shape;
                object
            });
        let list = |entry: BoxedStrategy<Value>| {
            prop::collection::vec(prop_oneof![8 => entry, 1 => value().boxed()], 0..4)
        };
        (
            list(image.boxed()),
            list(category.boxed()),
            list(annotation.boxed()),
        )
            .prop_map(|(images, categories, annotations)| {
                json!({"images": images, "categories": categories, "annotations": annotations})
                    .to_string()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn every_annotation_is_taken_over_or_left_out(json in file(), cut in any::<prop::sample::Index>()) {
            for (multi_ring, overhang, scores) in [
                (MultiRing::Split, Overhang::LeaveOut, Scores::LeaveOut),
                (MultiRing::Largest, Overhang::Clip, Scores::Values),
                (MultiRing::Box, Overhang::Clip, Scores::LeaveOut),
            ] {
                let options = CocoOptions { overhang, multi_ring, scores, ..CocoOptions::default() };
                if let Ok(imported) = import(json.as_bytes(), &options) {
                    let left_out = imported.skipped.iter().filter(|it| it.annotation.is_some());
                    prop_assert_eq!(imported.taken_over + left_out.count(), imported.annotations);
                    for each in &imported.inputs {
                        for annotation in &each.input.annotations {
                            let has_area = match annotation.content.geometry.as_ref().unwrap() {
                                Geometry::Box(edges) => edges.has_area(),
                                Geometry::Polygon(polygon) => polygon.has_area(),
                                Geometry::Mask(mask) => mask.bounds().is_some(),
                                _ => true,
                            };
                            prop_assert!(has_area, "{:?}", annotation);
                        }
                    }
                }
            }
            // Cut anywhere, and with bytes of another encoding in it, it is an error and never a panic.
            let mut bytes = json.into_bytes();
            bytes.truncate(cut.index(bytes.len() + 1));
            let _ = import(&bytes, &CocoOptions::default());
            bytes.push(0xff);
            prop_assert!(import(&bytes, &CocoOptions::default()).is_err());
        }
    }
}
