//! Writes manifests and reads them back.

mod properties;

use super::*;
use crate::manifest::tests::png;
use crate::manifest::{Header, Image, Manifest, TargetSpec, parse_with};
use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Content, Extras, Fraction, Frame,
    Geometry, GuardLimit, Identity, Ignore, InputId, Json, Key, Keypoint, Keypoints, Mask, Nearest,
    Owner, Point, Policy, Polygon, RareFields, RegionId, RegionOf, Rule, Segment, SetName, Span,
    Status, Undeclared, UserId, Visibility,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

const HEADER: &str = "version: 1\nset: s\npolicy: sync\n";

/// The path of a mask's file: the same for the same pixels.
fn mask_path(content: &Content) -> Option<Box<str>> {
    match &content.geometry {
        Some(Geometry::Mask(mask)) => Some(format!("masks/{}.png", mask.sha256()?).into()),
        _ => None,
    }
}

/// The files of the masks of these inputs.
fn masks(inputs: &[WritableInput]) -> Vec<(PathBuf, Vec<u8>)> {
    let annotations = inputs.iter().flat_map(|input| &input.annotations);
    annotations
        .filter_map(|annotation| match &annotation.content.geometry {
            Some(Geometry::Mask(mask)) => Some((
                mask_path(&annotation.content)?.into_string().into(),
                mask.png()?.to_vec(),
            )),
            _ => None,
        })
        .collect()
}

fn read_with(name: &str, text: &str, inputs: &[WritableInput]) -> Manifest {
    let files = vec![
        ("annosync.yaml".into(), HEADER.into()),
        (name.into(), text.to_owned()),
    ];
    parse_with(files, masks(inputs)).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn read(name: &str, text: &str) -> Manifest {
    read_with(name, text, &[])
}

/// The inputs of a manifest, as they would be written.
fn read_back(manifest: &Manifest) -> Vec<WritableInput> {
    let mut inputs: Vec<WritableInput> = manifest
        .desired
        .inputs
        .iter()
        .map(|input| WritableInput {
            image: manifest.images.get(&input.id).cloned(),
            video: None,
            ..WritableInput::from(input)
        })
        .collect();
    for annotation in inputs.iter_mut().flat_map(|input| &mut input.annotations) {
        annotation.mask_path = mask_path(&annotation.content);
    }
    for input in &mut inputs {
        for (at, ignore) in manifest.ignores(&input.id) {
            let ignores = match at {
                Some(at) => &mut input.annotations[*at].ignores,
                None => &mut input.ignores,
            };
            ignores.push(ignore.clone());
        }
    }
    inputs
}

fn concepts(pairs: &[(&str, f32)]) -> Concepts {
    let concept = |(id, value): &(&str, f32)| Concept {
        id: ConceptId::new(*id).unwrap(),
        value: *value,
    };
    Concepts::new(pairs.iter().map(concept).collect()).unwrap()
}

fn ignore() -> Ignore {
    Ignore {
        rule: Rule::NearDuplicate,
        reason: "two panes: no mistake".into(),
    }
}

fn example() -> Vec<WritableInput> {
    let ring: Vec<Point> = (0..12_u32)
        .map(|i| Point::new(f64::from(i) / 12.0, f64::from(i % 2)).unwrap())
        .collect();
    let content = Content {
        geometry: Some(Geometry::Box(BoundingBox::new(0.1, 0.2, 0.5, 1.0).unwrap())),
        concepts: Some(concepts(&[("car", 1.0), ("no", 1.0)])),
        ..Content::default()
    };
    vec![
        WritableInput {
            id: InputId::new("street-0001").unwrap(),
            image: Some(Image {
                path: Some("images/street 1.jpg".into()),
                url: None,
                width: Some(1920),
                height: Some(1080),
            }),
            video: None,
            text: None,
            annotations: vec![
                WritableAnnotation {
                    identity: Identity::Key(Key::new("red-car").unwrap()),
                    content: Content {
                        rare: RareFields {
                            status: Some(Status::PENDING),
                            user: Some(UserId::new("labeler-1").unwrap()),
                            metadata: Some(
                                Json::new(r#"{"weather":"rain","gone":null,"n":[1,2.5,"3"]}"#)
                                    .unwrap(),
                            ),
                            info: Some(Json::from_value(
                                &json!({"long": {"text": "x".repeat(80), "on": true}}),
                            )),
                            extras: Extras::default(),
                        }
                        .into(),
                        ..content
                    },
                    mask_path: None,
                    ignores: vec![ignore()],
                },
                WritableAnnotation {
                    identity: Identity::Content,
                    content: Content {
                        frame: Some(Frame {
                            time_ms: 1500,
                            number: 45,
                        }),
                        geometry: Some(Geometry::Polygon(Polygon::new(ring).unwrap())),
                        concepts: Some(concepts(&[("a", 0.0), ("b", 0.1), ("c", 1.0)])),
                        ..Content::default()
                    },
                    mask_path: None,
                    ignores: Vec::new(),
                },
            ],
            undeclared: Undeclared::Managed,
            ignores: vec![ignore()],
        },
        WritableInput {
            id: InputId::new("2024").unwrap(),
            image: None,
            video: None,
            text: None,
            annotations: Vec::new(),
            undeclared: Undeclared::Managed,
            ignores: Vec::new(),
        },
    ]
}

#[test]
fn yaml_is_written_for_people() {
    insta::assert_snapshot!(write_yaml(&example()), @r#"
    inputs:
      - id: street-0001
        image: { path: images/street 1.jpg, width: 1920, height: 1080 }
        annotations:
          - key: red-car
            box: { top: 0.1, left: 0.2, bottom: 0.5, right: 1 }
            concepts: [car, "no"]
            status: pending
            user: labeler-1
            metadata: { weather: rain, "n": [1, 2.5, "3"] }
            info:
              long:
                text: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                "on": true
            ignore: [{ rule: near-duplicate, reason: "two panes: no mistake" }]
          - frame: { time_ms: 1500, number: 45 }
            polygon: [[0, 0], [0.083333336, 1], [0.16666667, 0], [0.25, 1], [0.33333334, 0],
              [0.41666666, 1], [0.5, 0], [0.5833333, 1], [0.6666667, 0], [0.75, 1], [0.8333333, 0],
              [0.9166667, 1]]
            concepts: { a: false, b: 0.1, c: true }
        ignore: [{ rule: near-duplicate, reason: "two panes: no mistake" }]
      - id: "2024"
        annotations: []
    "#);
}

#[test]
fn every_kind_is_written() {
    let text = r#"{"inputs": [{"id": "a", "annotations": [
        {"concepts": {"day": 0.5}, "input_level": true},
        {"status": 24151, "concepts": ["car"], "embed_model_version": "0123", "text": "yes", "region_value": 0.90,
         "track": "t7", "frame": {"number": 2, "time_ms": 1}, "point": [0.1, 0.3333333333333333], "id": "p"},
        {"keypoints": [[0, 0.5], [0.14, 0.5, "visible"], [0.28, 0.5, "not_visible"], [0.42, 0.5, "not_present"],
         [0.57, 0.5, "not_set"], [0.71, 0.5, "visible"]]},
        {"mask": {"path": "a.png"}},
        {"mask": {"url": "https://example.com/m.png"}},
        {"span": {"start": 2, "end": 5, "text": "no"}},
        {"text": "a: b", "segment": {"begin": 0.1, "end": 3600.0}},
        {"region": {"nearest": {"box": {"left": 0.2, "top": 0.1, "right": 0.4, "bottom": 0.3}}, "concept": "person",
         "from_model": "v1"}}
    ]}, {"id": "b", "purge": true}]}"#;
    let files = vec![
        ("annosync.yaml".into(), HEADER.into()),
        ("a.json".into(), text.to_owned()),
    ];
    let manifest = parse_with(files, vec![("a.png".into(), png(1, &[1]))]).unwrap();
    let mut inputs = read_back(&manifest);
    inputs[0].annotations[3].mask_path = Some("masks/a.png".into());
    insta::assert_snapshot!(write_yaml(&inputs), @r#"
    inputs:
      - id: a
        annotations:
          - input_level: true
            concepts: { day: 0.5 }
          - id: p
            frame: { time_ms: 1, number: 2 }
            point: [0.1, 0.33333334]
            track: t7
            region_value: 0.9
            concepts: [car]
            text: "yes"
            embed_model_version: "0123"
            status: pending
          - keypoints: [[0, 0.5], [0.14, 0.5, visible], [0.28, 0.5, not_visible],
              [0.42, 0.5, not_present], [0.57, 0.5], [0.71, 0.5, visible]]
          - mask: { path: masks/a.png }
          - mask: { url: "https://example.com/m.png" }
          - span: { start: 2, end: 5, text: "no" }
          - segment: { begin: 0.1, end: 3600 }
            text: "a: b"
          - region:
              from_model: v1
              concept: person
              nearest: { box: { top: 0.1, left: 0.2, bottom: 0.3, right: 0.4 } }
      - id: b
        purge: true
    "#);
    insta::assert_snapshot!(write_jsonl(&inputs[1..]), @r#"{"id":"b","purge":true}"#);
}

#[test]
fn json_lines_hold_one_input_each() {
    insta::assert_snapshot!(write_jsonl(&example()[1..]), @r#"{"id":"2024","annotations":[]}"#);
    insta::assert_snapshot!(write_json(&example()[1..]), @r#"
    {"inputs": [
      {"id":"2024","annotations":[]}
    ]}
    "#);
}

#[test]
fn no_inputs_are_written_as_an_empty_list() {
    assert_eq!(write_yaml(&[]), "inputs: []\n");
    assert!(read("a.yaml", &write_yaml(&[])).desired.inputs.is_empty());
    assert!(read("a.json", &write_json(&[])).desired.inputs.is_empty());
    assert!(read("a.jsonl", &write_jsonl(&[])).desired.inputs.is_empty());
}

#[test]
fn a_header_is_written_without_defaults() {
    let mut header = Header::new(SetName::new("street").unwrap(), Policy::Upsert);
    assert_eq!(
        write_header(&header),
        "version: 1\nset: street\npolicy: upsert\n"
    );
    header.files = Some(vec!["labels/**".to_owned()]);
    header.target = Some("local".to_owned());
    header.targets = BTreeMap::from([
        (
            "local".to_owned(),
            TargetSpec::Embedded {
                path: ".annosync/local.db".into(),
            },
        ),
        (
            "prod".to_owned(),
            TargetSpec::App {
                user_id: UserId::new("acme").unwrap(),
                app_id: "street".to_owned(),
                endpoint: Some("https://api.clarifai.com".to_owned()),
                rate_limit: Some(15),
            },
        ),
    ]);
    header.guards.max_deletes = GuardLimit::Percent(50);
    header.guards.max_updates = GuardLimit::Count(7);
    header
        .owners
        .insert(Owner::User(UserId::new("on").unwrap()));
    insta::assert_snapshot!(write_header(&header), @r#"
    version: 1
    set: street
    policy: upsert
    files: ["labels/**"]
    target: local
    targets:
      local: { embedded: ".annosync/local.db" }
      prod: { user_id: acme, app_id: street, endpoint: "https://api.clarifai.com", rate_limit: 15 }
    owners: ["on"]
    guards: { max_deletes: "50%", max_updates: 7 }
    "#);
}

#[test]
fn json_is_written_as_elements_of_one_yaml_list() {
    let trees = [
        json!({
            "id": "12345e67", "no": "on", "null": null, "long": "x ".repeat(100),
            "data": {
                "regions": [{
                    "id": "r", "region_info": {"span": {"char_start": 1, "raw_text": "a: b\n# c\u{85}"}},
                    "data": {"concepts": [{"id": "y", "value": 1e-7}, {"id": "1_000", "value": 1.0}]},
                }],
                "metadata": {"k".repeat(2000): "2026-01-01", "": {}, "empty": []},
            },
        }),
        json!({}),
        json!({"k".repeat(300): 1}),
        json!({"id": "last"}),
    ];
    let text: String = trees.iter().map(super::yaml_element).collect();
    let read: Vec<Value> = serde_yaml::from_str(&text).unwrap();
    assert_eq!(read, trees, "{text}");
    assert!(
        text.starts_with("- id: \"12345e67\"\n  \"no\": \"on\"\n  \"null\": null\n"),
        "{text}"
    );
    assert!(text.ends_with("\n- id: last\n"), "{text}");
}
