mod export;
mod hostile;
pub(in crate::formats) mod real;

use super::*;
use crate::formats::account::SkipCode;
use crate::formats::checks::{notes, pieces};
use crate::formats::options::Scores;
use crate::formats::source::Memory;
use crate::model::Json;

/// A file with a picture of 100 x 50 px.
fn labels(objects: &str) -> String {
    format!(
        "<annotation><folder>f</folder><filename>a.jpg</filename>\
         <size><width>100</width><height>50</height><depth>3</depth></size>{objects}</annotation>"
    )
}

fn object(fields: &str) -> String {
    labels(&format!("<object><name>car</name>{fields}</object>"))
}

const BOX: &str = "<bndbox><xmin>10</xmin><ymin>5</ymin><xmax>30</xmax><ymax>25</ymax></bndbox>";

fn read_all(files: &[(&str, &str)], options: &ImportOptions) -> Result<Imported, ImportError> {
    import(&Memory::of(files.iter().copied()), options)
}

fn imported(text: &str) -> Imported {
    read_all(&[("a.xml", text)], &ImportOptions::default()).unwrap()
}

#[test]
fn references_to_unknown_entities_are_counted() {
    let plain = object(BOX);
    let text = plain
        .replace("<folder>f", "<folder>&x;")
        .replace("<name>car", "<name>&x;r&lt;");
    let known = |imported: &Imported| {
        let notes = imported.notes_by_code();
        notes.get(&Note::UnknownEntity).copied()
    };
    let counted = imported(&text);
    assert_eq!(known(&counted), Some(1));
    assert!(counted.concepts.iter().any(|it| it.as_str() == "&x;r<"));
    assert_eq!(known(&imported(&plain)), None);
}

#[test]
fn boxes_are_read_with_the_first_pixel_as_the_options_say() {
    let text = object(BOX);
    let from_zero = imported(&text);
    assert_eq!(
        pieces(&from_zero),
        [r#"{"box":{"top":0.1,"left":0.1,"bottom":0.5,"right":0.3}}"#]
    );
    assert_eq!(notes(&from_zero), [("corners_from_zero", 1)]);
    assert!(!from_zero.has_losses());
    let options = ImportOptions {
        corners: Corners::FromOne,
        ..ImportOptions::default()
    };
    let from_one = read_all(&[("a.xml", &text)], &options).unwrap();
    assert_eq!(
        pieces(&from_one),
        [r#"{"box":{"top":0.08,"left":0.09,"bottom":0.5,"right":0.3}}"#]
    );
    assert_eq!(notes(&from_one), []);
    // One pixel.
    let pixel = object("<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1</xmax><ymax>1</ymax></bndbox>");
    assert_eq!(imported(&pixel).taken_over, 0);
    let pixel = read_all(&[("a.xml", &pixel)], &options).unwrap();
    assert_eq!(
        pieces(&pixel),
        [r#"{"box":{"top":0,"left":0,"bottom":0.02,"right":0.01}}"#]
    );
}

#[test]
fn fields_become_metadata_unless_they_are_unset() {
    let unset = "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><occluded>0</occluded>";
    assert!(!pieces(&imported(&object(&format!("{unset}{BOX}"))))[0].contains("pose"));
    let set = "<pose>Left</pose><truncated>1</truncated><difficult>1</difficult><occluded>2</occluded>\
               <actions><jumping>1</jumping></actions><attributes><attribute><name>colour &amp; more</name>\
               <value>007</value></attribute></attributes><empty/>";
    let imported = imported(&object(&format!("{set}{BOX}")));
    assert!(
        pieces(&imported)[0].ends_with(
            r#"{"pose":"Left","truncated":true,"difficult":true,"occluded":2,"actions":{"jumping":1},"colour & more":"007"}"#
        ),
        "{:?}",
        pieces(&imported)
    );
    assert!(!imported.has_losses());
}

#[test]
fn what_an_object_cannot_keep_is_reported() {
    for (fields, code) in [
        (
            "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part><part/>",
            "parts_left_out",
        ),
        ("<polygon><x1>1</x1></polygon>", "fields_left_out"),
        ("<a>1</a><a>2</a>", "fields_left_out"),
        ("<part_of>x</part_of>", "fields_left_out"),
        ("<attributes><attribute/></attributes>", "fields_left_out"),
        ("<confidence>0.5</confidence>", "score_left_out"),
    ] {
        let lossy = imported(&object(&format!("{fields}{BOX}")));
        assert_eq!(
            notes(&lossy),
            [(code, 1), ("corners_from_zero", 1)],
            "{fields}"
        );
        assert!(lossy.has_losses());
        assert_eq!(lossy.annotations, 1);
    }
    let options = ImportOptions {
        scores: Scores::Values,
        ..ImportOptions::default()
    };
    let text = object(&format!("<confidence>0.5</confidence>{BOX}"));
    let scored = read_all(&[("a.xml", &text)], &options).unwrap();
    let concepts = &scored.inputs[0].input.annotations[0].content.concepts;
    assert_eq!(format!("{concepts:?}"), r#"Some({"car": 0.5})"#);
}

#[test]
fn one_wrong_object_costs_no_other() {
    let edges = |text: &str| format!("<name>car</name><bndbox>{text}</bndbox>");
    for (object, code, detail) in [
        (
            BOX.to_owned(),
            SkipCode::UnknownCategory,
            "it has no `name`",
        ),
        (
            format!("<name> </name>{BOX}"),
            SkipCode::CategoryWithoutName,
            "the category's name is \"\"",
        ),
        (
            "<name>car</name>".to_owned(),
            SkipCode::NoGeometry,
            "it has no `bndbox`",
        ),
        (
            "<name>car</name><polygon/>".to_owned(),
            SkipCode::OtherShape,
            "it has a `polygon` and no `bndbox`",
        ),
        (
            edges("<xmin>1</xmin>"),
            SkipCode::WrongType,
            "its `bndbox` has no `ymin`",
        ),
        (
            edges("<xmin>NaN</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"),
            SkipCode::WrongType,
            "`xmin` is \"NaN\", not a number",
        ),
        (
            edges("<xmin>1e999</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>"),
            SkipCode::WrongType,
            "`xmin` is \"1e999\", not a number",
        ),
        (
            edges("<xmin>5</xmin><ymin>1</ymin><xmax>5</xmax><ymax>2</ymax>"),
            SkipCode::NoArea,
            "width 0, height 1",
        ),
        (
            edges("<xmin>90</xmin><ymin>1</ymin><xmax>110.5</xmax><ymax>2</ymax>"),
            SkipCode::OutsideImage,
            "out of the image of 100 x 50 px by 10.50 px right",
        ),
    ] {
        let text = labels(&format!(
            "<object>{object}</object><object><name>b</name>{BOX}</object>"
        ));
        let imported = imported(&text);
        assert_eq!(
            (imported.annotations, imported.taken_over),
            (2, 1),
            "{text}"
        );
        let skipped = &imported.skipped[0];
        assert_eq!((skipped.code, skipped.detail.as_str()), (code, detail));
        assert_eq!(skipped.annotation.as_deref(), Some("number 1"));
        assert_eq!(imported.inputs[0].left_out, 1);
    }
}

#[test]
fn a_picture_without_a_size_needs_one() {
    #[derive(Debug)]
    struct Sized(Memory);
    impl Source for Sized {
        fn files(&self) -> &[String] {
            self.0.files()
        }
        fn read(&self, path: &str) -> Result<Vec<u8>, String> {
            self.0.read(path)
        }
        fn head(&self, path: &str, most: u64) -> Vec<u8> {
            self.0.head(path, most)
        }
        fn list(&self, folder: &str) -> Vec<String> {
            self.0.list(folder)
        }
        fn image_size(&self, path: &str) -> Option<(u32, u32)> {
            (path == "JPEGImages/x/a.jpg").then_some((100, 50))
        }
    }
    for size in [
        "",
        "<size><width>0</width><height>50</height></size>",
        "<size><width>1.5</width></size>",
    ] {
        let text = format!(
            "<annotation><filename>a.jpg</filename>{size}<object><name>car</name>{BOX}</object></annotation>"
        );
        let without = imported(&text);
        assert_eq!(
            without.skipped[0].code,
            SkipCode::ImageWithoutSize,
            "{size}"
        );
        let source = Sized(Memory::of([("Annotations/x/a.xml", text.as_str())]));
        let with = import(&source, &ImportOptions::default()).unwrap();
        assert_eq!(with.taken_over, 1, "{size}");
        assert_eq!(with.inputs[0].image.size, Some((100, 50)));
        assert_eq!(with.inputs[0].input.id.as_str(), "x-a");
    }
}

#[test]
fn a_file_without_objects_is_a_picture_without_labels() {
    let empty = imported(&labels("\r\n"));
    assert_eq!((empty.inputs.len(), empty.annotations), (1, 0));
    assert!(!empty.has_losses());
    assert_eq!(notes(&empty), []);
}

#[test]
fn a_wrong_file_among_others_is_reported_with_its_place() {
    let good = object(BOX);
    let files = [
        ("a.xml", good.as_str()),
        ("b.xml", "<annotation>\n <size>"),
        ("c\u{1b}.xml", "<View/>"),
        ("d.txt", "no XML"),
    ];
    let imported = read_all(&files, &ImportOptions::default()).unwrap();
    assert_eq!((imported.images, imported.inputs.len()), (3, 1));
    let details: Vec<&str> = imported
        .skipped
        .iter()
        .map(|it| it.detail.as_str())
        .collect();
    assert_eq!(
        details,
        [
            "b.xml:2:8: the file ends within <size>",
            r"not Pascal VOC: the root of c\u001b.xml is <View>, and that of Pascal VOC is <annotation>"
        ]
    );
    let error = |files: &[(&str, &str)]| {
        let error = read_all(files, &ImportOptions::default()).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        error(&files[1..2]),
        "b.xml:2:8: the file ends within <size>"
    );
    assert_eq!(
        error(&[("a.xml", "<View/>"), ("b.xml", "<View/>")]),
        "not Pascal VOC: the root of a.xml is <View>, and that of Pascal VOC is <annotation>"
    );
    assert_eq!(
        error(&[("a.txt", ""), ("b.txt", "")]),
        "not Pascal VOC: there is no XML file"
    );
}

#[test]
fn files_of_one_name_in_two_folders_stay_apart() {
    let text = object(BOX);
    let files = [
        ("Annotations/x/a.xml", text.as_str()),
        ("Annotations/y/a.xml", &text),
    ];
    let imported = read_all(&files, &ImportOptions::default()).unwrap();
    let ids: Vec<&str> = imported
        .inputs
        .iter()
        .map(|it| it.input.id.as_str())
        .collect();
    assert_eq!(ids, ["x-a", "y-a"]);
    let error = read_all(
        &[("Annotations/a.xml", text.as_str()), ("a.xml", &text)],
        &ImportOptions::default(),
    );
    assert!(matches!(error, Err(ImportError::SameInput { .. })));
}

#[test]
fn voc_is_recognised_by_its_elements() {
    let recognised = |text: &str| recognises(&Memory::of([("a.xml", text)]));
    assert!(recognised(&labels("")));
    assert!(recognised(
        "\u{feff}<?xml version='1.0'?>\r\n<!-- x --><annotation><object><bndbox>"
    ));
    for other in [
        "<annotation><filename>a.jpg</filename><object><polygon/></object></annotation>",
        "<annotations><version>1.1</version></annotations>",
        "<View/>",
        "{}",
    ] {
        assert!(!recognised(other), "{other}");
    }
}
