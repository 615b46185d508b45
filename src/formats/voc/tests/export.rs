//! What an export writes, and what it reports.

use super::*;
use crate::formats::account::{ImageInfo, Media};
use crate::formats::input_id::InputIdFrom;
use crate::formats::writer::{ExportAnnotation, ExportInput};
use crate::model::{
    BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, InputId, RareFields,
};
use serde_json::{Value, json};

fn input(id: &str, path: &str, metadata: &[Value]) -> ExportInput {
    let concept = Concept {
        id: ConceptId::new("a & <b>").unwrap(),
        value: 1.0,
    };
    let annotation = |metadata: &Value| ExportAnnotation {
        identity: crate::model::Identity::Content,
        name: "one".to_owned(),
        content: Content {
            geometry: BoundingBox::new(0.1, 0.1, 0.5, 0.3).ok().map(Geometry::Box),
            concepts: Some(Concepts::new(vec![concept.clone()]).unwrap()),
            rare: RareFields {
                metadata: Some(Json::from_value(metadata)),
                ..RareFields::default()
            }
            .into(),
            ..Content::default()
        },
    };
    ExportInput {
        id: InputId::new(id).unwrap(),
        media: Media::Image,
        image: ImageInfo {
            path: Some(path.to_owned()),
            url: None,
            size: Some((100, 50)),
        },
        annotations: metadata.iter().map(annotation).collect(),
        split: None,
    }
}

#[test]
fn a_file_says_what_readers_expect() {
    let exported = export(
        &[input("x-a", "x/a.jpg", &[json!({"difficult": true})])],
        &[],
    );
    let [(path, text)] = &exported.files[..] else {
        panic!("{:?}", exported.files);
    };
    assert_eq!(path, "Annotations/x/a.xml");
    insta::assert_snapshot!(String::from_utf8_lossy(text), @r"
    <annotation>
      <folder>x</folder>
      <filename>a.jpg</filename>
      <size>
        <width>100</width>
        <height>50</height>
        <depth>3</depth>
      </size>
      <segmented>0</segmented>
      <object>
        <name>a &amp; &lt;b&gt;</name>
        <pose>Unspecified</pose>
        <truncated>0</truncated>
        <difficult>1</difficult>
        <occluded>0</occluded>
        <bndbox>
          <xmin>10</xmin>
          <ymin>5</ymin>
          <xmax>30</xmax>
          <ymax>25</ymax>
        </bndbox>
      </object>
    </annotation>
    ");
}

#[test]
fn metadata_comes_back_as_it_was_or_is_reported() {
    for (metadata, is_held) in [
        (
            json!({"difficult": 1, "truncated": false, "occluded": 0, "pose": "Unspecified"}),
            true,
        ),
        (
            json!({"pose": "Left", "occluded": 2, "note": "a\r\nb & \"c\"", "speed": -1.5, "empty": ""}),
            true,
        ),
        (json!({"note": "7"}), false),
        (json!({"note": " a"}), false),
        (json!({"note": "a\u{1}b"}), false),
        (json!({"list": [1]}), false),
        (json!({"part_of": "object-1"}), false),
    ] {
        let exported = export(&[input("a", "a.jpg", std::slice::from_ref(&metadata))], &[]);
        let codes: Vec<Note> = exported.notes.iter().map(|it| it.code).collect();
        let expected = if is_held {
            vec![]
        } else {
            vec![Note::MetadataLeftOut]
        };
        assert_eq!(codes, expected, "{metadata}");
        let back = import(
            &Memory::new(exported.files.into_iter().collect()),
            &ImportOptions::default(),
        );
        let content = back.unwrap().inputs[0].input.annotations[0].content.clone();
        if is_held {
            let found = content.metadata.as_ref().map(Json::to_value);
            assert_eq!(found, Some(metadata));
        }
    }
}

#[test]
fn hostile_paths_stay_in_the_folder_and_changed_ids_are_reported() {
    for (id, path, is_same) in [
        ("x-a", "x/a.jpg", true),
        ("scan_12.5", "scan_12.5", true),
        ("a", "/data/a.png", true),
        ("a", r"C:\data\a.png", true),
        ("a", "https://host/x/a.png?sig=1", true),
        ("a", "../../a.png", true),
        ("other", "a.png", false),
        ("a", "..", true),
        ("a_", "a:.jpg", true),
    ] {
        let exported = export(&[input(id, path, &[json!({})])], &[]);
        let (file, _) = &exported.files[0];
        assert!(
            file.starts_with("Annotations/") && !file.contains(".."),
            "{file}"
        );
        let codes: Vec<Note> = exported.notes.iter().map(|it| it.code).collect();
        assert_eq!(codes.is_empty(), is_same, "{path} {codes:?}");
        let files = exported.files.into_iter().collect();
        let back = import(&Memory::new(files), &ImportOptions::default()).unwrap();
        assert_eq!(back.inputs[0].input.id.as_str() == id, is_same, "{path}");
    }
    let two = export(&[input("a", "a.jpg", &[]), input("a-2", "a.png", &[])], &[]);
    let paths: Vec<&str> = two.files.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(paths, ["Annotations/a.xml", "Annotations/a-2.xml"]);
    assert_eq!(two.notes[0].code, Note::OtherInputId);
    let source = Memory::new(two.files.into_iter().collect());
    let error = import(&source, &ImportOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(r#""a.jpg" and "a.png" would both be the input "a""#)
            || error
                .to_string()
                .contains(r#""a.png" and "a.jpg" would both be the input "a""#),
        "{error}"
    );
    let options = ImportOptions {
        input_id: InputIdFrom::FileName,
        ..ImportOptions::default()
    };
    let back = import(&source, &options).unwrap();
    let ids = back.inputs.iter().map(|it| it.input.id.as_str());
    assert_eq!(ids.collect::<Vec<_>>(), ["a.jpg", "a.png"]);
}

#[test]
fn a_picture_whose_labels_cannot_be_written_gets_no_file() {
    let mut inputs = [input("a", "a.jpg", &[json!({})]), input("b", "b.jpg", &[])];
    for input in &mut inputs {
        input.image.size = None;
    }
    let exported = export(&inputs, &[]);
    let paths: Vec<&str> = exported.files.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(paths, ["Annotations/b.xml"]);
    assert_eq!(exported.skipped[0].code, SkipCode::ImageWithoutSize);
    assert_eq!((exported.annotations, exported.written), (1, 0));
    assert_eq!(exported.notes, []);
}
