mod hostile;
mod ids;
mod real;
mod shapes;

use super::*;
use crate::formats::account::Skipped;
use crate::formats::checks::{notes, pieces};
use crate::formats::input_id::InputIdFrom;
use crate::formats::options::{ConceptNames, MultiRing, Overhang};
use crate::formats::source::Memory;
use crate::model::{ConceptId, Geometry, Identity, Overlap, Polygon, overlap};

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

fn read(json: &str, options: &ImportOptions) -> Result<Imported, ImportError> {
    import(&Memory::of([("coco.json", json)]), options)
}

fn imported(json: &str) -> Imported {
    read(json, &ImportOptions::default()).unwrap()
}

fn clipped(json: &str) -> Imported {
    let options = ImportOptions {
        overhang: Overhang::Clip,
        ..ImportOptions::default()
    };
    read(json, &options).unwrap()
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

/// The code and the message of the only left-out annotation.
fn skipped(imported: &Imported) -> String {
    let [skipped] = &imported.skipped[..] else {
        panic!("one is left out, not {:?}", imported.skipped);
    };
    assert_eq!(imported.taken_over, 0);
    format!("{}: {}", skipped.code, skipped.detail)
}

#[test]
fn crowds_and_ignored_objects_are_left_out_and_counted() {
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
fn scores_are_imported_only_on_request() {
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
    let options = ImportOptions {
        scores: Scores::Values,
        ..ImportOptions::default()
    };
    let with = read(&file, &options).unwrap();
    assert_eq!(concepts(&with), r#"Some({"car": 0.03})"#);
    assert!(with.notes.is_empty());
    let wrong = annotation(r#""bbox": [0, 0, 50, 25], "score": 3"#);
    let wrong = read(&wrong, &options).unwrap();
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
fn ids_keep_all_digits_and_may_be_numbers_or_strings() {
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
    let options = ImportOptions {
        input_id: InputIdFrom::ImageId,
        ..ImportOptions::default()
    };
    let by_id = read(&file, &options).unwrap();
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
fn nan_in_an_unused_field_is_accepted() {
    let file =
        annotation(r#""bbox": [0, 0, 50, 25], "area": NaN, "x": [-Infinity, "NaN \" Infinity"]"#);
    assert_eq!(imported(&file).taken_over, 1);
    let file = annotation(r#""bbox": [0, NaN, 50, 25]"#);
    let used = imported(&file);
    assert!(skipped(&used).starts_with("wrong_type: bbox holds a value"));
}

#[test]
fn unsupported_objects_are_left_out_with_a_stable_code() {
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
fn dangling_references_are_left_out_with_a_stable_code() {
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
    image_without_name None ("3") it has no usable file name
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
fn numbers_may_be_strings() {
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
fn attributes_become_metadata_if_a_manifest_can_store_them() {
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
    let options = ImportOptions {
        concepts: ConceptNames::Slug,
        ..ImportOptions::default()
    };
    let slugs = read(file, &options).unwrap();
    assert_eq!(names(&slugs), ["other-größe", "plastic-film-4"]);
    assert_eq!(notes(&slugs), [("categories_share_concept", 1)]);
    assert_eq!(slugs.categories, 3);
}

#[test]
fn an_invalid_file_is_an_error_with_its_position() {
    let error = |json: &str| {
        read(json, &ImportOptions::default())
            .unwrap_err()
            .to_string()
    };
    let expected =
        "a COCO file is an object with the lists `images`, `annotations` and `categories`";
    for (json, why) in [
        (
            "{\n  \"images\": [}",
            "coco.json:2:14: a value is missing: a text in double quotes, a number, a list or an object".to_owned(),
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
            "coco.json:1:23: duplicate key `images`".to_owned(),
        ),
        ("", "coco.json:1:1: the file is empty".to_owned()),
    ] {
        assert_eq!(error(json), why, "{json}");
    }
}

#[test]
fn undefined_fields_become_metadata_if_a_manifest_can_store_them() {
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
fn extra_fields_of_categories_and_images_are_reported() {
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
fn objects_without_a_known_image_are_counted_as_unassigned() {
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
