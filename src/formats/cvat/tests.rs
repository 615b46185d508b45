mod export;
mod hostile;
mod real;
mod video;

use super::*;
use crate::formats::account::{Note, SkipCode};
use crate::formats::checks::pieces;
use crate::formats::options::Overhang;
use crate::formats::source::Memory;
use crate::model::{Geometry, Json};

const META: &str = "<version>1.1</version><meta><task><id>5</id><mode>annotation</mode><labels>\
    <label><name>car</name><attributes><attribute><name>parked</name><input_type>checkbox</input_type></attribute>\
    <attribute><name>speed</name><input_type>number</input_type></attribute></attributes></label>\
    <label><name>person</name><type>skeleton</type></label>\
    <label><name>nose</name><parent>person</parent></label><label><name>ear</name><parent>person</parent></label>\
    </labels></task></meta>";

/// A file with a picture of 100 x 50 px.
fn image(shapes: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\r\n<annotations>{META}\
         <image id=\"0\" name=\"x/a.jpg\" width=\"100\" height=\"50\">{shapes}</image></annotations>"
    )
}

fn read(text: &str, options: &ImportOptions) -> Result<Imported, ImportError> {
    import(&Memory::of([("annotations.xml", text)]), options)
}

fn imported(text: &str) -> Imported {
    read(text, &ImportOptions::default()).unwrap()
}

/// Without that of the skeleton of [`META`].
fn notes(imported: &Imported) -> Vec<(&'static str, u64)> {
    let notes = imported.notes_by_code().into_iter();
    notes
        .filter(|(note, _)| *note != Note::KeypointNamesLeftOut)
        .map(|(note, count)| (note.as_str(), count))
        .collect()
}

#[test]
fn references_to_unknown_entities_are_counted() {
    let text = image(
        "<tag label=\"&x;\"/><tag label=\"a &amp; b\"><attribute name=\"n\">&x;&y;</attribute></tag>",
    );
    let text = text.replace("<version>", "<dumped>&z;</dumped><version>");
    let imported = imported(&text);
    assert_eq!(notes(&imported), [("unknown_entity", 3)]);
    assert!(imported.has_losses());
    let places = imported.notes.iter().map(|noted| noted.place.as_str());
    let places: Vec<&str> = places.filter(|place| place.contains(" in ")).collect();
    assert_eq!(
        places,
        [
            "&x; in annotations.xml",
            "&x; in annotations.xml",
            "&y; in annotations.xml"
        ]
    );
    assert_eq!(imported.taken_over, 2);
}

#[test]
fn every_shape_that_a_manifest_can_hold_is_read() {
    for (shape, place, noted) in [
        (
            r#"<box label="car" xtl="10" ytl="5" xbr="30" ybr="25"/>"#,
            r#"{"box":{"top":0.1,"left":0.1,"bottom":0.5,"right":0.3}}"#,
            None,
        ),
        (
            r#"<box label="car" xtl="10" ytl="5" xbr="30" ybr="25" rotation="360.0"/>"#,
            r#"{"box":{"top":0.1,"left":0.1,"bottom":0.5,"right":0.3}}"#,
            None,
        ),
        (
            r#"<polygon label="car" points="0,0;50,0;50,25"/>"#,
            r#"{"polygon":[[0,0],[0,0.5],[0.5,0.5]]}"#,
            None,
        ),
        (
            r#"<points label="car" points="50.00,25.00"/>"#,
            r#"{"point":[0.5,0.5]}"#,
            None,
        ),
        (
            r#"<points label="car" points="50,25;10,5"/>"#,
            r#"{"keypoints":[[0.5,0.5],[0.1,0.1]]}"#,
            None,
        ),
        (
            r#"<skeleton label="person"><points label="ear" outside="0" occluded="1" points="10,5"/></skeleton>"#,
            r#"{"keypoints":[[0,0,"not_present"],[0.1,0.1,"not_visible"]]}"#,
            None,
        ),
        (r#"<tag label="car"/>"#, "null", None),
    ] {
        let imported = imported(&image(shape));
        assert_eq!(pieces(&imported), [place], "{shape} {:?}", imported.skipped);
        let expected: Vec<(&str, u64)> = noted.map(|note| (note, 1)).into_iter().collect();
        assert_eq!(notes(&imported), expected);
    }
}

#[test]
fn turned_boxes_and_ellipses_become_polygons() {
    let ring = |shape: &str, note: &str| -> Vec<[f64; 2]> {
        let imported = imported(&image(shape));
        assert_eq!(notes(&imported), [(note, 1)], "{:?}", imported.skipped);
        match &imported.inputs[0].input.annotations[0].content.geometry {
            Some(Geometry::Polygon(polygon)) => polygon
                .points()
                .iter()
                .map(|point| {
                    let (x, y) = (f64::from(point.col.get()), f64::from(point.row.get()));
                    [(x * 1000.0).round() / 10.0, (y * 500.0).round() / 10.0]
                })
                .collect(),
            other => panic!("{other:?}"),
        }
    };
    let turned = r#"<box label="car" xtl="40" ytl="20" xbr="60" ybr="30" rotation="90"/>"#;
    assert_eq!(
        ring(turned, "rotated_box"),
        [[55.0, 15.0], [55.0, 35.0], [45.0, 35.0], [45.0, 15.0]]
    );
    let ellipse = r#"<ellipse label="car" cx="50" cy="25" rx="20" ry="10"/>"#;
    let points = ring(ellipse, "ellipse");
    assert_eq!(
        (points.len(), points[0], points[16]),
        (64, [70.0, 25.0], [50.0, 35.0])
    );
}

#[test]
fn masks_are_read_row_by_row_in_their_box() {
    let mask = |attributes: &str, overhang: Overhang| {
        let text = image(&format!(r#"<mask label="car" {attributes}/>"#));
        let options = ImportOptions {
            overhang,
            ..ImportOptions::default()
        };
        read(&text, &options).unwrap()
    };
    // Of 3 x 2 pixels, the second row except its first pixel.
    let inside = r#"rle="4,2" left="96" top="10" width="3" height="2""#;
    let taken = mask(inside, Overhang::LeaveOut);
    let Some(Geometry::Mask(found)) = &taken.inputs[0].input.annotations[0].content.geometry else {
        panic!("{:?}", taken.skipped);
    };
    assert_eq!(found.size(), Some((100, 50)));
    assert_eq!(found.bounds(), Some([0.22, 0.97, 0.24, 0.99]));
    let across = inside.replace("96", "98");
    let left = mask(&across, Overhang::LeaveOut);
    assert_eq!(left.skipped[0].code, SkipCode::OutsideImage);
    assert_eq!(notes(&mask(&across, Overhang::Clip)), [("clipped", 1)]);
    for (attributes, code) in [
        (
            r#"rle="6" left="0" top="0" width="3" height="2""#,
            SkipCode::NoArea,
        ),
        (
            r#"rle="4,3" left="0" top="0" width="3" height="2""#,
            SkipCode::WrongMask,
        ),
        (
            r#"rle="4,-2" left="0" top="0" width="3" height="2""#,
            SkipCode::WrongMask,
        ),
        (
            r#"rle="18446744073709551615,2" left="0" top="0" width="3" height="2""#,
            SkipCode::WrongMask,
        ),
        (
            r#"rle="0,1" left="0" top="0" width="999999999" height="999999999""#,
            SkipCode::WrongMask,
        ),
        (
            r#"rle="0,1" left="0.5" top="0" width="1" height="1""#,
            SkipCode::WrongType,
        ),
        (
            r#"rle="0,1" left="0" top="0" width="1""#,
            SkipCode::WrongType,
        ),
        (
            r#"left="0" top="0" width="1" height="1""#,
            SkipCode::WrongMask,
        ),
    ] {
        assert_eq!(
            mask(attributes, Overhang::LeaveOut).skipped[0].code,
            code,
            "{attributes}"
        );
    }
}

#[test]
fn attributes_become_metadata_of_the_kind_that_the_label_says() {
    let shape = |attributes: &str, inner: &str| {
        let text = format!(
            r#"<box label="car" xtl="10" ytl="5" xbr="30" ybr="25" {attributes}>{inner}</box>"#
        );
        imported(&image(&text))
    };
    let unset = shape(
        r#"occluded="0" z_order="0" source="manual" group_id="0""#,
        "",
    );
    assert!(pieces(&unset)[0].ends_with("}}"), "{:?}", pieces(&unset));
    let set = shape(
        r#"occluded="1" z_order="-2" source="auto" group_id="7""#,
        r#"<attribute name="parked">true</attribute><attribute name="speed">2.40</attribute><attribute name="plate">007</attribute>"#,
    );
    assert!(
        pieces(&set)[0].ends_with(
            r#" {"occluded":true,"z_order":-2,"source":"auto","group_id":7,"parked":true,"speed":2.4,"plate":"007"}"#
        ),
        "{:?}",
        pieces(&set)
    );
    assert_eq!(notes(&set), []);
    let twice = shape(
        "",
        r#"<attribute name="a">1</attribute><attribute name="a">2</attribute>"#,
    );
    assert_eq!(notes(&twice), [("attributes_left_out", 1)]);
    let scored = shape(r#"score="0.5""#, "");
    assert_eq!(notes(&scored), [("score_left_out", 1)]);
}

#[test]
fn one_wrong_shape_costs_no_other() {
    for (shape, code, detail) in [
        (
            r#"<polyline label="car" points="1,2;3,4"/>"#,
            SkipCode::OtherShape,
            "a polyline",
        ),
        (
            r#"<cuboid label="car" xtl1="1"/>"#,
            SkipCode::OtherShape,
            "a cuboid",
        ),
        (
            r#"<blob label="car"/>"#,
            SkipCode::OtherShape,
            "the shape \"blob\"",
        ),
        ("<tag/>", SkipCode::UnknownCategory, "it has no `label`"),
        (
            r#"<tag label=""/>"#,
            SkipCode::CategoryWithoutName,
            "the category's name is \"\"",
        ),
        (
            r#"<box label="car" xtl="inf" ytl="5" xbr="30" ybr="25"/>"#,
            SkipCode::WrongType,
            "`xtl` is \"inf\", not a number",
        ),
        (
            r#"<box label="car" ytl="5"/>"#,
            SkipCode::WrongType,
            "it has no `xtl`",
        ),
        (
            r#"<box label="car" xtl="30" ytl="5" xbr="30" ybr="25"/>"#,
            SkipCode::NoArea,
            "width 0, height 20",
        ),
        (
            r#"<polygon label="car" points="1,2;3"/>"#,
            SkipCode::WrongType,
            "`points` must be pairs of numbers: \"1,2;3,4\"",
        ),
        (
            r#"<points label="car" points=""/>"#,
            SkipCode::NoGeometry,
            "it has no points",
        ),
        (
            r#"<polygon label="car" points="1,2;3,4"/>"#,
            SkipCode::NoGeometry,
            "neither a ring of three points nor a box",
        ),
        (
            r#"<skeleton label="person"/>"#,
            SkipCode::NoGeometry,
            "a skeleton without points",
        ),
        (
            r#"<skeleton label="person"><points label="ear" points="1,1"/><points label="ear" points="1,1"/></skeleton>"#,
            SkipCode::OtherShape,
            "a skeleton with two points \"ear\"",
        ),
    ] {
        let imported = imported(&image(&format!(r#"{shape}<tag label="car"/>"#)));
        assert_eq!(
            (imported.annotations, imported.taken_over),
            (2, 1),
            "{shape}"
        );
        let skipped = &imported.skipped[0];
        assert_eq!((skipped.code, skipped.detail.as_str()), (code, detail));
        assert_eq!(imported.inputs[0].left_out, 1);
    }
}

#[test]
fn images_need_a_name_and_a_size() {
    let file = |image: &str| imported(&format!("<annotations>{image}</annotations>"));
    let unnamed = file(r#"<image id="3" width="9" height="9"><tag label="a"/></image>"#);
    let codes: Vec<SkipCode> = unnamed.skipped.iter().map(|it| it.code).collect();
    assert_eq!(codes, [SkipCode::ImageWithoutName, SkipCode::ImageLeftOut]);
    let unsized_image = file(
        r#"<image id="3" name="a.jpg"><tag label="a"/><points label="a" points="1,1"/><mask label="a" rle="0,1" left="0" top="0" width="1" height="1"/></image>"#,
    );
    let codes: Vec<SkipCode> = unsized_image.skipped.iter().map(|it| it.code).collect();
    assert_eq!(codes, [SkipCode::ImageWithoutSize; 2]);
    assert_eq!(unsized_image.taken_over, 1);
    // Listed and empty: looked at.
    let empty = file(r#"<image id="3" name="a.jpg" width="9" height="9"/>"#);
    assert_eq!((empty.inputs.len(), empty.skipped.len()), (1, 0));
}

#[test]
fn labels_of_the_file_are_concepts_even_if_unused() {
    let imported = imported(&image(""));
    let concepts: Vec<&str> = imported
        .concepts
        .iter()
        .map(crate::model::ConceptId::as_str)
        .collect();
    assert_eq!(concepts, ["car", "person"]);
    let notes = imported.notes_by_code();
    assert_eq!(notes.get(&Note::KeypointNamesLeftOut), Some(&1));
}

#[test]
fn a_wrong_file_among_others_makes_no_input_complete() {
    let good = image("");
    let cut = image(r#"<tag label="car"/>"#)
        .replace("x/a.jpg", "b.jpg")
        .replace("</image></annotations>", "");
    let files = [("a.xml", good.as_str()), ("b.xml", &cut)];
    let mut several = import(&Memory::of(files), &ImportOptions::default()).unwrap();
    assert_eq!(several.skipped[0].code, SkipCode::UnreadableFile);
    assert!(
        several.skipped[0].detail.starts_with("b.xml:2:"),
        "{:?}",
        several.skipped
    );
    assert_eq!(several.take_incomplete().len(), 1);
    // A file of another format holds no labels of these images.
    let files = [("a.xml", good.as_str()), ("label_config.xml", "<View/>")];
    let mut several = import(&Memory::of(files), &ImportOptions::default()).unwrap();
    assert_eq!(several.skipped.len(), 1);
    assert_eq!(several.take_incomplete().len(), 0);
    let error = read(&cut, &ImportOptions::default()).unwrap_err();
    assert!(
        matches!(error, ImportError::Syntax { line: 2, .. }),
        "{error}"
    );
    assert_eq!(
        read("<View/>", &ImportOptions::default())
            .unwrap_err()
            .to_string(),
        "not CVAT XML: the root of annotations.xml is <View>, and that of CVAT XML is <annotations>"
    );
}

#[test]
fn cvat_is_recognised_by_its_elements() {
    let recognised = |text: &str| recognises(&Memory::of([("a.xml", text)]));
    assert!(recognised(&image("")));
    assert!(recognised("\u{feff}<annotations><track id=\"0\""));
    for other in [
        "<annotation><size/></annotation>",
        "<annotations/>",
        "<View/>",
        "{}",
    ] {
        assert!(!recognised(other), "{other}");
    }
}
