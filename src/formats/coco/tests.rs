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
    assert_eq!(imported.taken_over(), 0);
    format!("{}: {}", skipped.code, skipped.detail)
}

fn notes(imported: &Imported) -> Vec<(&'static str, u64)> {
    imported
        .notes
        .iter()
        .map(|(n, count)| (n.as_str(), *count))
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

#[test]
fn what_is_no_single_ring_becomes_a_box_and_is_counted() {
    let several = imported(&annotation(
        r#""bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 50, 0, 50, 25], [60, 0, 70, 0, 70, 50]]"#,
    ));
    assert_eq!(
        geometry(&several),
        r#"{"box":{"top":0,"left":0,"bottom":1,"right":0.7}}"#
    );
    assert_eq!(notes(&several), [("multi_ring_as_box", 1)]);
    for (segmentation, code) in [
        (r#"{"counts": [1, 2], "size": [50, 100]}"#, "rle_as_box"),
        (r#"{"counts": "abc", "size": [50, 100]}"#, "rle_as_box"),
        ("[[1, 2, 3, 4]]", "short_ring_as_box"),
    ] {
        let imported = imported(&annotation(&format!(
            r#""bbox": [0, 0, 50, 25], "segmentation": {segmentation}"#
        )));
        assert_eq!(
            geometry(&imported),
            r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5}}"#
        );
        assert_eq!(notes(&imported), [(code, 1)]);
    }
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
            "no_area: all points on one line",
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
            "wrong_type: bbox is a list with something else than numbers",
        ),
        (
            r#""bbox": [1, 2, "NaN", 4]"#,
            "wrong_type: bbox is a list with something else than numbers",
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
    image_without_name None ("3") it has no file_name
    invalid_input_id None ("c\u{1b}.jpg") "c\u{1b}": holds the control character U+001B
    wrong_type None ("images[4]") an image is a number
    unknown_image ("1") ("9") image_id is "9"
    unknown_image ("2") None image_id is missing
    unknown_category ("3") ("a.jpg") category_id is "x"
    category_without_name ("4") ("a.jpg") the category's name is ""
    category_without_name ("5") ("a.jpg") the category's name is "a\u{7}"
    image_without_size ("6") ("b.jpg") its image has no width and height in whole pixels
    image_left_out ("7") ("3") its image was left out
    image_left_out ("annotations[7]") ("c\u{1b}.jpg") its image was left out
    wrong_type ("annotations[8]") None an annotation is a text
    "#);
    assert_eq!(ids(&imported), ["a", "b"]);
    assert_eq!(imported.inputs[1].image.size, None);
    assert_eq!(imported.taken_over(), 0);
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
fn what_has_no_place_in_a_manifest_is_counted() {
    let imported = imported(&annotation(
        r#""bbox": [0, 0, 1, 1], "keypoints": [1, 1, 2], "attributes": {"occluded": true}"#,
    ));
    assert_eq!(
        notes(&imported),
        [("keypoints_left_out", 1), ("attributes_left_out", 1)]
    );
    assert_eq!(imported.taken_over(), 1);
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
    assert_eq!(ids(&imported), [".hidden", "a", "b.tar", "c"]);
    assert!(
        imported
            .inputs
            .iter()
            .all(|i| i.input.annotations.is_empty())
    );
}

#[test]
fn folders_tell_equal_names_apart_as_far_as_it_takes() {
    let names = [
        "1/a.jpg",
        "2\\a.jpg",
        "3/b.jpg",
        "c.jpg",
        "4/c.png",
        "x/5/d.jpg",
        "y/5/d.jpg",
    ];
    let expected = ["1-a", "2-a", "4-c", "b", "c", "x-5-d", "y-5-d"];
    assert_eq!(ids(&imported(&images(&names))), expected);
    let mut reversed = names;
    reversed.reverse();
    assert_eq!(ids(&imported(&images(&reversed))), expected);
    // A name made longer must not meet one that was as long before.
    assert_eq!(
        ids(&imported(&images(&["1/a.jpg", "2/a.jpg", "p/1-a.jpg"]))),
        ["1-a", "2-a", "p-1-a"]
    );
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
        error(&images(&["1/a.jpg", "1/a.png"]), InputIdFrom::FileStem),
        r#""1/a.jpg" and "1/a.png" would both be the input "1-a""#
    );
    assert_eq!(
        error(
            &images(&["x/y-a.jpg", "x-y/a.jpg", "a.jpg", "y-a.jpg"]),
            InputIdFrom::FileStem
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
    assert_eq!(name::path(Some("p"), "https://h/a.jpg"), "https://h/a.jpg");
    assert_eq!(name::path(Some("p"), "/x/a.jpg"), "/x/a.jpg");
}

#[test]
fn a_file_of_another_form_is_an_error_with_its_place() {
    let error = |json: &str| {
        import(json.as_bytes(), &CocoOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("{\n  \"images\": [}"),
        "line 2, column 14: expected value"
    );
    assert_eq!(
        error(r#"{"images": [], "categories": []}"#),
        "line 1, column 32: missing field `annotations`"
    );
    // Read as an empty list, it would have every annotation deleted.
    assert_eq!(
        error(r#"{"images": [], "categories": [], "annotations": null}"#),
        "line 1, column 52: invalid type: null, expected a sequence"
    );
    assert_eq!(
        error(r#"{"images": [], "images": []}"#),
        "line 1, column 23: duplicate field `images`"
    );
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
        let attributes = imported.notes.get(&Note::AttributesLeftOut).copied();
        assert_eq!(attributes.unwrap_or(0), boxes as u64, "{path}");
        assert_eq!(imported.notes.len(), usize::from(boxes > 0), "{path}");
    }
}
