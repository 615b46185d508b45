use super::*;
use crate::formats::checks::{adds_up, notes, skips};
use crate::formats::options::Scores;
use crate::formats::recognise;
use crate::formats::source::Memory;
use crate::model::{Concepts, Json};
use proptest::prelude::*;

const BOXES: &str = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n";
const LABELS: &str = "ImageID,Source,LabelName,Confidence\n";
const NAMES: (&str, &str) = ("class-descriptions.csv", "/m/0,\"Car, red\"\n/m/1,Bus\n");

fn read(files: &[(&str, &str)], scores: Scores) -> Imported {
    let options = ImportOptions {
        scores,
        ..ImportOptions::default()
    };
    let imported = import(&Memory::of(files.iter().copied()), &options).unwrap();
    assert!(adds_up(&imported));
    imported
}

/// Each input and its annotations.
fn content(imported: &Imported) -> Vec<String> {
    let mut lines = Vec::new();
    for input in &imported.inputs {
        for annotation in &input.input.annotations {
            let content = &annotation.content;
            let concepts = content.concepts.iter().flat_map(Concepts::iter);
            let concepts: Vec<String> = concepts
                .map(|it| format!("{} {}", it.id, it.value))
                .collect();
            let place = (content.geometry.as_ref())
                .map(|it| serde_json::to_string(it).unwrap())
                .unwrap_or_default();
            let metadata = content.metadata.as_ref().map_or("", Json::as_str);
            lines.push(format!(
                "{}: {} {place} {metadata}",
                input.input.id,
                concepts.join(", ")
            ));
        }
    }
    lines
}

#[test]
fn boxes_have_their_flags_as_metadata() {
    let boxes = format!("{BOXES}a.b,xclick,/m/0,1,0.25,0.5,0,1,1,0,-1,,0\n");
    let files = [NAMES, ("boxes.csv", boxes.as_str()), ("x/a.b.png", "")];
    let imported = read(&files, Scores::LeaveOut);
    assert_eq!(
        content(&imported),
        [
            r#"a.b: Car, red 1 {"box":{"top":0,"left":0.25,"bottom":1,"right":0.5}} {"Source":"xclick","IsOccluded":true,"IsTruncated":false,"IsInside":false}"#
        ]
    );
    assert_eq!(imported.inputs[0].image.path.as_deref(), Some("x/a.b.png"));
    assert_eq!((notes(&imported), imported.concepts.len()), (vec![], 1));
    assert_eq!(recognise(&Memory::of(files)), [Format::OpenImages]);
}

#[test]
fn labels_that_were_verified_as_absent_have_the_value_0() {
    let labels = format!(
        "{LABELS}a,verification,/m/0,1\r\na,verification,/m/1,0\na,machine,/m/1,0.7\na,machine,/m/0,1\nb,,/m/2,\n"
    );
    let files = [NAMES, ("labels.csv", labels.as_str())];
    let imported = read(&files, Scores::Values);
    assert_eq!(
        content(&imported),
        [
            r#"a: Car, red 1  {"Source":"verification"}"#,
            r#"a: Bus 0  {"Source":"verification"}"#,
            r#"a: Bus 0.7  {"Source":"machine"}"#,
            r#"a: Car, red 1  {"Source":"machine"}"#,
            "b: /m/2 1  ",
        ]
    );
    assert_eq!(imported.inputs[0].image.path, None);
    assert_eq!(notes(&imported), [("unnamed_classes", 1)]);
    let without = read(&files, Scores::LeaveOut);
    assert!(content(&without)[1].starts_with("a: Bus 0 "));
    assert!(content(&without)[2].starts_with("a: Bus 1 "));
    assert_eq!(
        notes(&without),
        [("score_left_out", 2), ("unnamed_classes", 1)]
    );
}

#[test]
fn columns_are_found_by_their_names() {
    let boxes =
        "LabelName,YMax,YMin,XMax,XMin,ImageID,XClick1X,Confidence\n/m/1,1,0,0.5,0.25,a,0.1,0.5\n";
    let imported = read(&[NAMES, ("b.csv", boxes)], Scores::Values);
    assert_eq!(
        content(&imported),
        [r#"a: Bus 0.5 {"box":{"top":0,"left":0.25,"bottom":1,"right":0.5}} "#]
    );
}

#[test]
fn a_wrong_row_is_one_finding() {
    for (row, why) in [
        (
            "a,x,/m/0,1,0.5,0.25,0,1,0,0,0,0,0",
            "no_area: all points on one line",
        ),
        (
            "a,x,/m/0,1,0,1.5,0,1,0,0,0,0,0",
            "outside_image: out of the image by 50.00 % right",
        ),
        (
            "a,x,/m/0,1,NaN,1,0,1,0,0,0,0,0",
            "wrong_type: b.csv:2: XMin is \"NaN\", not a number",
        ),
        (
            "a,x,/m/0,7,0,1,0,1,0,0,0,0,0",
            "wrong_score: b.csv:2: the Confidence is \"7\", not a number from 0 to 1",
        ),
        (
            "a,x,,1,0,1,0,1,0,0,0,0,0",
            "unknown_category: b.csv:2: the LabelName is missing",
        ),
        (
            ",x,/m/0,1,0,1,0,1,0,0,0,0,0",
            "unknown_image: b.csv:2: the ImageID is missing",
        ),
        (
            "a,x,/m/0,1,0,1,0",
            "wrong_type: b.csv:2: 7 fields instead of 13",
        ),
        (
            "a,\"x,/m/0,1,0,1,0,1,0,0,0,0,0\na,x",
            "wrong_type: b.csv:2: a line break within a field",
        ),
    ] {
        let boxes = format!("{BOXES}{row}\n");
        let mut imported = read(&[NAMES, ("b.csv", &boxes)], Scores::LeaveOut);
        assert_eq!(skips(&imported), [why], "{row}");
        imported.take_incomplete();
        assert!(imported.inputs.is_empty(), "{row}");
    }
    let flag = format!("{BOXES}a,x,/m/0,1,0,1,0,1,yes,7,0,0,0\n");
    let imported = read(&[NAMES, ("b.csv", &flag)], Scores::LeaveOut);
    assert_eq!(notes(&imported), [("fields_left_out", 1)]);
}

#[test]
fn a_file_that_cannot_be_read_makes_every_image_incomplete() {
    let labels = format!("{LABELS}a,verification,/m/0,1\n");
    let files = [
        ("a.csv", labels.clone().into_bytes()),
        ("b.csv", [labels.as_bytes(), b"\xff"].concat()),
    ];
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes));
    let source = Memory::new(files.clone().into());
    let mut imported = import(&source, &ImportOptions::default()).unwrap();
    assert!(skips(&imported)[0].starts_with("unreadable_file: b.csv:3:1: "));
    assert_eq!(imported.take_incomplete().len(), 1);
    let source = Memory::new(files[1..].iter().cloned().collect());
    assert!(import(&source, &ImportOptions::default()).is_err());
}

#[test]
fn relations_are_reported_and_other_files_are_no_open_images() {
    let relations = "ImageID,LabelName1,LabelName2,XMin1,RelationshipLabel\na,/m/0,/m/1,0,at\n";
    let imported = read(&[("r.csv", relations)], Scores::LeaveOut);
    assert_eq!(notes(&imported), [("relations_left_out", 1)]);
    let other = Memory::of([("x.csv", "a,b\n1,2\n")]);
    assert!(!recognises(&other));
    let error = import(&other, &ImportOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not Open Images CSV: no file has the columns ImageID and LabelName"
    );
}

#[test]
fn every_row_of_the_real_files_is_accounted_for() {
    let Some(source) = Memory::real("datumaro/open_images_v6") else {
        return;
    };
    assert_eq!(recognise(&source), [Format::OpenImages]);
    let imported = import(&source, &ImportOptions::default()).unwrap();
    assert!(adds_up(&imported));
    assert_eq!(
        content(&imported),
        [
            r#"a: Generic label #0 1  {"Source":"verification"}"#,
            r#"b: Generic label #0 1 {"box":{"top":0.3,"left":0.2,"bottom":0.5,"right":1}} {"Source":"xclick"}"#,
            r#"b: Generic label #0 0  {"Source":"verification"}"#,
            r#"c: Generic label #3 1 {"box":{"top":0,"left":0.7,"bottom":0.5,"right":0.8}} {"Source":"xclick","IsOccluded":true,"IsTruncated":false,"IsGroupOf":true,"IsDepiction":false,"IsInside":false}"#,
            r#"c: Generic label #1 1  {"Source":"verification"}"#,
            r#"c: Generic label #3 1  {"Source":"verification"}"#,
        ]
    );
    assert_eq!((imported.annotations, imported.taken_over), (7, 6));
    assert_eq!(
        skips(&imported),
        [
            "other_shape: train-annotations-object-segmentation.csv:2: a mask in a picture of its own, which is not read"
        ]
    );
    assert_eq!(notes(&imported), [("score_left_out", 1)]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_the_account_adds_up(
        rows in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "(([ab]|\"|),(x|machine|),(/m/0||z),(1|0|0\\.5|x),(0|NaN),1,0,(1|-1|9),[01-]{0,2},,,,\n){0,4}".prop_map(String::into_bytes),
        ],
        names in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for head in [BOXES, LABELS, "", "MaskPath,ImageID,LabelName\n"] {
            let files = [
                ("a.csv", [head.as_bytes(), &rows].concat()),
                ("b.csv", [LABELS.as_bytes(), &rows].concat()),
                ("class-descriptions.csv", names.clone()),
            ];
            let source = Memory::new(files.map(|(path, bytes)| (path.to_owned(), bytes)).into());
            recognises(&source);
            if let Ok(imported) = import(&source, &ImportOptions::default()) {
                assert!(adds_up(&imported));
            }
        }
    }
}
