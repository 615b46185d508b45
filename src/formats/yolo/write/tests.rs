use super::*;
use crate::formats::account::{ImageInfo, Media};
use crate::formats::options::ImportOptions;
use crate::formats::source::Memory;
use crate::formats::writer::ExportAnnotation;
use crate::formats::{Imported, yolo};
use crate::model::{BoundingBox, Concept, Concepts, Content, InputId, Point, Polygon};
use std::collections::BTreeMap;

fn annotation(geometry: Geometry, class: &str) -> ExportAnnotation {
    let id = ConceptId::new(class).unwrap();
    ExportAnnotation {
        identity: crate::model::Identity::Content,
        name: "x".to_owned(),
        content: Content {
            geometry: Some(geometry),
            concepts: Some(Concepts::new(vec![Concept { id, value: 1.0 }]).unwrap()),
            ..Content::default()
        },
    }
}

fn boxed() -> Geometry {
    Geometry::Box(BoundingBox::new(0.25, 0.25, 0.75, 0.5).unwrap())
}

fn input(id: &str, path: Option<&str>, split: Option<&str>) -> ExportInput {
    ExportInput {
        id: InputId::new(id).unwrap(),
        media: Media::Image,
        image: ImageInfo {
            path: path.map(str::to_owned),
            ..ImageInfo::default()
        },
        annotations: vec![annotation(boxed(), "car")],
        split: split.map(str::to_owned),
    }
}

fn files(exported: &Exported) -> BTreeMap<&str, &str> {
    let files = exported.files.iter();
    files
        .map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap()))
        .collect()
}

fn back(exported: &Exported) -> Imported {
    let source = Memory::new(exported.files.iter().cloned().collect());
    yolo::import(&source, &ImportOptions::default()).unwrap()
}

#[test]
fn every_split_has_its_folder_and_no_input_changes_its_id() {
    let inputs = [
        input("street-a", Some("street/a.jpg"), Some("train")),
        input("labels-b", Some("labels/b.jpg"), Some("val")),
        input("x.rf.1a2b", Some("x.rf.1a2b.jpg"), Some("test")),
        input("c", Some("c.jpg"), Some("fold: 1")),
        input("d.1e", None, None),
    ];
    let classes = [ConceptId::new("bus: \"b\"").unwrap()];
    let exported = export(&inputs, &classes);
    assert_eq!(
        files(&exported),
        BTreeMap::from([
            (
                "data.yaml",
                "train: images/train\nval: images/val\ntest: images/test\nnames:\n  0: \"bus: \\\"b\\\"\"\n  1: \"car\"\n"
            ),
            (
                "fold__1.yaml",
                "train: \"images/fold__1\"\nval: \"images/fold__1\"\nnames:\n  0: \"bus: \\\"b\\\"\"\n  1: \"car\"\n"
            ),
            (
                "labels/train/street/a.txt",
                "1 0.375000 0.500000 0.250000 0.500000\n"
            ),
            (
                "labels/val/labels/b.txt",
                "1 0.375000 0.500000 0.250000 0.500000\n"
            ),
            (
                "labels/test/x.rf.1a2b.txt",
                "1 0.375000 0.500000 0.250000 0.500000\n"
            ),
            (
                "labels/fold__1/c.txt",
                "1 0.375000 0.500000 0.250000 0.500000\n"
            ),
            (
                "labels/train/d.1e.txt",
                "1 0.375000 0.500000 0.250000 0.500000\n"
            ),
        ])
    );
    let imported = back(&exported);
    let ids: Vec<&str> = (imported.inputs.iter())
        .map(|it| it.input.id.as_str())
        .collect();
    assert_eq!(ids, ["c", "d.1e", "labels-b", "street-a", "x.rf.1a2b"]);
    assert_eq!((imported.taken_over, imported.concepts.len()), (5, 2));
}

#[test]
fn an_input_that_would_come_back_with_another_id_is_reported() {
    for (id, path) in [
        ("classes", "classes.jpg"),
        ("readme", "readme.png"),
        ("a", "../../a.jpg"),
        ("a_b", "a:b.jpg"),
        ("mine", "a.jpg"),
        (".a", ".a.jpg"),
    ] {
        let exported = export(&[input(id, Some(path), None)], &[]);
        let codes: Vec<Note> = exported.notes.iter().map(|it| it.code).collect();
        assert_eq!(codes, [Note::OtherInputId], "{path}");
        assert!(
            files(&exported)
                .keys()
                .all(|it| it.split('/').all(|part| !part.starts_with('.'))),
            "{path}"
        );
        assert_eq!(back(&exported).taken_over, 1, "{path}");
    }
}

#[test]
fn a_second_image_of_the_same_label_file_is_left_out() {
    let mut empty = input("empty", Some("a.bmp"), None);
    empty.annotations.clear();
    let inputs = [
        input("a", Some("a.jpg"), None),
        input("other", Some("a.png"), None),
        input("A", Some("A.jpg"), None),
        empty,
        input("val", Some("a.gif"), Some("val")),
    ];
    let exported = export(&inputs, &[]);
    let left_out: Vec<_> = (exported.skipped.iter())
        .map(|it| {
            (
                it.code,
                it.image.as_deref().unwrap(),
                it.annotation.is_some(),
            )
        })
        .collect();
    let code = SkipCode::SharedFile;
    assert_eq!(
        left_out,
        [
            (code, "other", true),
            (code, "A", true),
            (code, "empty", false)
        ]
    );
    assert!(
        exported.skipped[0]
            .detail
            .starts_with("labels/train/a.txt holds the labels of another image")
    );
    assert_eq!((exported.annotations, exported.written), (4, 2));
    let labels: Vec<&str> = files(&exported).into_keys().collect();
    assert_eq!(
        labels,
        ["data.yaml", "labels/train/a.txt", "labels/val/a.txt"]
    );
}

#[test]
fn an_input_of_which_nothing_was_written_is_reported() {
    let point = || annotation(Geometry::Point(Point::new(0.5, 0.5).unwrap()), "car");
    let mut emptied = input("a", Some("a.jpg"), None);
    emptied.annotations = vec![point(), point()];
    let mut partly = input("b", Some("b.jpg"), None);
    partly.annotations.push(point());
    let mut empty = input("c", Some("c.jpg"), None);
    empty.annotations.clear();
    let exported = export(&[emptied, partly, empty], &[]);
    let notes: Vec<_> = (exported.notes.iter())
        .map(|it| (it.code, it.place.as_str()))
        .collect();
    assert_eq!(notes, [(Note::NothingWritten, "a")]);
}

#[test]
fn a_box_beside_a_polygon_becomes_a_polygon_since_trainers_read_it_as_one() {
    let points = [(0.1, 0.1), (0.1, 0.9), (0.9, 0.9)];
    let ring = points.map(|(row, col)| Point::new(row, col).unwrap());
    let polygon = Geometry::Polygon(Polygon::new(ring.to_vec()).unwrap());
    let mut mixed = input("a", Some("a.jpg"), None);
    mixed.annotations.push(annotation(polygon, "car"));
    let exported = export(&[mixed], &[]);
    assert_eq!(
        files(&exported)["labels/train/a.txt"],
        "0 0.250000 0.250000 0.500000 0.250000 0.500000 0.750000 0.250000 0.750000\n\
         0 0.100000 0.100000 0.900000 0.100000 0.900000 0.900000\n"
    );
    let notes: Vec<Note> = exported.notes.iter().map(|it| it.code).collect();
    assert_eq!(notes, [Note::BoxAsPolygon]);
}

#[test]
fn an_input_without_annotations_is_an_empty_file() {
    let mut empty = input("a", Some("a.jpg"), None);
    empty.annotations.clear();
    let exported = export(&[empty], &[]);
    assert_eq!(files(&exported)["labels/train/a.txt"], "");
    let imported = back(&exported);
    assert_eq!((imported.inputs.len(), imported.annotations), (1, 0));
}
