use super::*;
use crate::manifest::tests::png;
use crate::manifest::{Manifest, parse_with};
use crate::model::{
    AnnotationId, BoundingBox, Concept, ConceptId, Concepts, Extras, Fraction, Frame, Geometry,
    Json, Key, Keypoint, Keypoints, Mask, Nearest, Point, Policy, Polygon, RegionId, RegionOf,
    Segment, SetName, Span, Status, UserId, Visibility,
};
use proptest::prelude::*;
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
fn back(manifest: &Manifest) -> Vec<WritableInput> {
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
    inputs
}

fn concepts(pairs: &[(&str, f32)]) -> Concepts {
    let concept = |(id, value): &(&str, f32)| Concept {
        id: ConceptId::new(*id).unwrap(),
        value: *value,
    };
    Concepts::new(pairs.iter().map(concept).collect()).unwrap()
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
                        status: Some(Status::PENDING),
                        user: Some(UserId::new("labeler-1").unwrap()),
                        metadata: Some(
                            Json::new(r#"{"weather":"rain","gone":null,"n":[1,2.5,"3"]}"#).unwrap(),
                        ),
                        info: Some(
                            Json::new(
                                &json!({"long": {"text": "x".repeat(80), "on": true}}).to_string(),
                            )
                            .unwrap(),
                        ),
                        ..content
                    },
                    mask_path: None,
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
                },
            ],
            undeclared: Undeclared::Managed,
        },
        WritableInput {
            id: InputId::new("2024").unwrap(),
            image: None,
            video: None,
            text: None,
            annotations: Vec::new(),
            undeclared: Undeclared::Managed,
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
          - frame: { time_ms: 1500, number: 45 }
            polygon: [[0, 0], [0.083333336, 1], [0.16666667, 0], [0.25, 1], [0.33333334, 0],
              [0.41666666, 1], [0.5, 0], [0.5833333, 1], [0.6666667, 0], [0.75, 1], [0.8333333, 0],
              [0.9166667, 1]]
            concepts: { a: false, b: 0.1, c: true }
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
    let mut inputs = back(&manifest);
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
fn nothing_is_written_as_a_list_of_nothing() {
    assert_eq!(write_yaml(&[]), "inputs: []\n");
    assert!(read("a.yaml", &write_yaml(&[])).desired.inputs.is_empty());
    assert!(read("a.json", &write_json(&[])).desired.inputs.is_empty());
    assert!(read("a.jsonl", &write_jsonl(&[])).desired.inputs.is_empty());
}

#[test]
fn a_header_is_written_short() {
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
    header.guards.max_deletes = Share::Percent(50);
    header.guards.max_updates = Share::Count(7);
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

/// Texts that are awkward in YAML, in JSON, or in both.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "no",
            "on",
            "y",
            "~",
            "null",
            "1_000",
            "2026-01-01",
            "1:30",
            "0x1f",
            "a: b",
            "a #b",
            "- a",
            "?",
            "---",
            "'",
            "\"",
            "\\",
            "#",
            "a\u{2028}b",
            "a\u{85}b",
            "\u{feff}",
            "1e3",
            "<<",
            "日本",
            "\u{1f600}",
            "a\\u0041",
            "{}",
            "[]",
            "!x",
            "&a",
            "*a",
            "%",
            "@",
            "`",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        "[a-z ]{1,3}",
        "x{900,1500}",
    ]
}

/// Texts that can be names.
fn name() -> impl Strategy<Value = String> {
    text().prop_filter("not a name", |text| InputId::new(text.as_str()).is_ok())
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("not finite", |value| value.is_finite())
            .prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn object() -> impl Strategy<Value = Json> {
    prop::collection::vec((text(), json_value()), 0..4)
        .prop_map(|entries| Json::from_value(&Value::Object(entries.into_iter().collect())))
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        any::<f32>()
            .prop_map(|value| f64::from(value.abs()))
            .prop_filter("outside", |value| *value <= 1.0),
        (0.0_f64..1.0).prop_map(|value| f64::from(value as f32)),
    ]
}

fn point() -> impl Strategy<Value = Point> {
    (fraction(), fraction()).prop_map(|(row, col)| Point::new(row, col).unwrap())
}

fn bounding_box() -> impl Strategy<Value = BoundingBox> {
    (fraction(), fraction(), fraction(), fraction())
        .prop_map(|(a, b, c, d)| BoundingBox::new(a.min(c), b.min(d), a.max(c), b.max(d)).unwrap())
        .prop_filter("no area", BoundingBox::has_area)
}

fn filled() -> impl Strategy<Value = Box<str>> {
    text()
        .prop_filter("empty", |text| !text.is_empty())
        .prop_map(String::into_boxed_str)
}

fn mask() -> impl Strategy<Value = Mask> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..9)
            .prop_map(|pixels| Mask::from_png(png(1, &pixels)).unwrap())
            .prop_filter("no pixel", |mask| !mask.is_empty()),
        "[a-z]{1,4}".prop_map(|name| Mask::of_url(format!("https://example.com/{name}.png?a=b#c"))),
    ]
}

/// Every kind that a manifest can declare.
fn geometry() -> impl Strategy<Value = Option<Geometry>> {
    let keypoint = (point(), 0..Visibility::ALL.len()).prop_map(|(point, index)| Keypoint {
        point,
        visibility: Visibility::ALL[index].0,
    });
    let seconds =
        || any::<f32>().prop_filter("no time", |value| value.is_finite() && *value >= 0.0);
    prop_oneof![
        Just(None),
        bounding_box()
            .prop_map(|edges| Some(Geometry::Box(edges)))
            .boxed(),
        prop::collection::vec(point(), 3..20)
            .prop_map(|points| Polygon::new(points).unwrap())
            .prop_filter("no area", Polygon::has_area)
            .prop_map(|polygon| Some(Geometry::Polygon(polygon)))
            .boxed(),
        point().prop_map(|point| Some(Geometry::Point(point))),
        prop::collection::vec(keypoint, 1..20)
            .prop_map(|points| Some(Geometry::Keypoints(Keypoints::new(points).unwrap()))),
        mask().prop_map(|mask| Some(Geometry::Mask(Box::new(mask)))),
        (any::<u32>(), any::<u32>(), proptest::option::of(text()))
            .prop_map(|(a, b, text)| {
                Span::new(a.min(b), a.max(b), text.map(String::into_boxed_str)).unwrap()
            })
            .prop_filter("no character", |span| !span.is_empty())
            .prop_map(|span| Some(Geometry::Span(Box::new(span)))),
        (seconds(), seconds())
            .prop_map(|(a, b)| Segment::new(a.min(b).into(), a.max(b).into()).unwrap())
            .prop_filter("no duration", |segment| !segment.is_empty())
            .prop_map(|segment| Some(Geometry::Segment(segment))),
        name().prop_map(|id| Some(Geometry::Region(RegionId::new(id).unwrap()))),
        (filled(), proptest::option::of(name()), bounding_box()).prop_map(
            |(from_model, concept, edges)| Some(Geometry::RegionOf(Box::new(RegionOf {
                from_model,
                concept: concept.map(|concept| ConceptId::new(concept).unwrap()),
                nearest: Nearest::Box(edges),
            })))
        ),
    ]
}

prop_compose! {
    fn extras()(
        track in proptest::option::of(filled()),
        text in proptest::option::of(filled()),
        region_value in proptest::option::of(fraction()),
        embed_model_version in proptest::option::of(filled()),
    ) -> Extras {
        let region_value = region_value.map(|value| Fraction::new(value).unwrap());
        Extras { track, text, region_value, embed_model_version }
    }
}

/// What a manifest can declare of this content: not every field stands beside every other.
fn declarable(identity: &Identity, mut content: Content) -> Content {
    if *identity == Identity::InputLevel {
        content.geometry = None;
        content.frame = None;
    }
    if matches!(
        content.geometry,
        Some(Geometry::Segment(_) | Geometry::Span(_))
    ) {
        content.frame = None;
    }
    if matches!(content.geometry, None | Some(Geometry::Segment(_))) {
        let mut extras = content.extras.map(|extras| *extras).unwrap_or_default();
        extras.track = None;
        extras.region_value = None;
        content.extras = extras.boxed();
    }
    if *identity == Identity::Content && content.says_nothing() {
        content.status = Some(Status::from_code(24_150));
    }
    content
}

fn concept_values() -> impl Strategy<Value = Concepts> {
    prop::collection::btree_map(name(), fraction(), 0..6).prop_map(|all| {
        let concept = |(id, value)| Concept {
            id: ConceptId::new(id).unwrap(),
            value: value as f32,
        };
        Concepts::new(all.into_iter().map(concept).collect::<Vec<_>>()).unwrap()
    })
}

prop_compose! {
    fn content()(
        frame in proptest::option::of((any::<u64>(), any::<u32>())),
        geometry in geometry(),
        concepts in concept_values(),
        status in proptest::option::of(24000_u32..25000),
        user in proptest::option::of(name()),
        metadata in proptest::option::of(object()),
        info in proptest::option::of(object()),
        extras in extras(),
    ) -> Content {
        Content {
            frame: frame.map(|(time_ms, number)| Frame { time_ms, number }),
            geometry,
            concepts: Some(concepts),
            status: status.map(Status::from_code),
            user: user.map(|user| UserId::new(user).unwrap()),
            metadata,
            info,
            extras: extras.boxed(),
        }
    }
}

/// An identity of each kind, as often as it may stand in an input.
fn identity(kind: usize, index: usize, name: &str) -> Identity {
    // Ids and keys are unique within an input.
    let name = format!("{index}{name}");
    match kind {
        0 => Identity::Content,
        1 => Identity::Id(AnnotationId::new(name).unwrap()),
        2 if index == 0 => Identity::InputLevel,
        _ => Identity::Key(Key::new(name).unwrap()),
    }
}

prop_compose! {
    fn input()(
        id in name(),
        image in proptest::option::of((text(), 1_u32.., 1_u32..)),
        annotations in prop::collection::vec((0..4_usize, content(), name()), 0..4),
        is_purged in prop::bool::weighted(0.1),
    ) -> WritableInput {
        let annotations = annotations.into_iter().enumerate().map(|(index, (kind, content, name))| {
            let identity = identity(kind, index, &name);
            let content = declarable(&identity, content);
            WritableAnnotation { identity, mask_path: mask_path(&content), content }
        }).collect();
        WritableInput {
            id: InputId::new(id).unwrap(),
            image: image.map(|(path, width, height)| Image {
                path: Some(path.into()),
                url: None,
                width: Some(width),
                height: Some(height),
            }),
            video: None,
            text: None,
            annotations: if is_purged { Vec::new() } else { annotations },
            undeclared: if is_purged { Undeclared::Purged } else { Undeclared::Managed },
        }
    }
}

/// What an app may hold beyond what a manifest can declare.
fn strange_geometry() -> impl Strategy<Value = Option<Geometry>> {
    prop_oneof![
        geometry(),
        Just(Some(Geometry::Unmodelled)),
        Just(Some(Geometry::Whole)),
        Just(Some(Geometry::Mask(Box::new(Mask::of_url(""))))),
        Just(Some(Geometry::Mask(Box::new(Mask::of_url("s3://a/b.png"))))),
        Just(Some(Geometry::Mask(Box::new(
            Mask::without_file(&png(1, &[1])).unwrap()
        )))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back_the_same_in_every_format(
        inputs in prop::collection::vec(input(), 0..3)
    ) {
        let inputs: Vec<WritableInput> = inputs
            .into_iter()
            .map(|input| (input.id.clone(), input))
            .collect::<BTreeMap<_, _>>()
            .into_values()
            .collect();
        for (name, text) in [
            ("a.yaml", write_yaml(&inputs)),
            ("a.json", write_json(&inputs)),
            ("a.jsonl", write_jsonl(&inputs)),
        ] {
            prop_assert_eq!(&back(&read_with(name, &text, &inputs)), &inputs, "{}", text);
        }
    }

    #[test]
    fn whatever_is_written_is_read(
        kind in 0..4_usize,
        content in content(),
        geometry in strange_geometry(),
        empty in any::<bool>(),
    ) {
        let mut content = Content { geometry, ..content };
        // A place that is not written leaves nothing of what has no concepts.
        if content.concepts.as_ref().is_none_or(Concepts::is_empty) {
            content.status.get_or_insert(Status::from_code(24_150));
        }
        if let (true, Some(extras)) = (empty, &mut content.extras) {
            extras.track = Some("".into());
            extras.text = Some("".into());
            extras.embed_model_version = Some("".into());
        }
        let annotation = WritableAnnotation {
            identity: identity(kind, 0, "a"),
            // A mask that was seen in the app has no file.
            mask_path: match &content.geometry {
                Some(Geometry::Mask(mask)) if mask.png().is_none() => None,
                _ => mask_path(&content),
            },
            content,
        };
        let inputs = [WritableInput {
            id: InputId::new("a").unwrap(),
            image: None,
            video: None,
            text: None,
            annotations: vec![annotation],
            undeclared: Undeclared::Managed,
        }];
        for (name, text) in [
            ("a.yaml", write_yaml(&inputs)),
            ("a.json", write_json(&inputs)),
        ] {
            let again = back(&read_with(name, &text, &inputs));
            prop_assert_eq!(write_yaml(&again), write_yaml(&inputs));
        }
    }

    #[test]
    fn a_header_reads_back_the_same(
        files in proptest::option::of(Just(vec!["*.yaml".to_owned()])),
        targets in prop::collection::btree_map(name(), (name(), name(), proptest::option::of(1_u32..)), 0..3),
        local in proptest::option::of(name()),
        vocabulary in proptest::option::of(prop::collection::btree_set(name(), 0..5)),
        owners in prop::collection::btree_set(name(), 1..3),
        renamed in prop::collection::btree_map(name(), Just("new".to_owned()), 0..3),
        guards in (0_u32..=100, any::<u64>(), any::<u64>(), any::<u64>()),
        max_doubles in any::<u64>(),
        adopts in prop::collection::btree_set("[a-z0-9-]{2,40}", 0..3),
        max_new_concepts in proptest::option::of(any::<u64>()),
        vocabulary_of_app in any::<bool>(),
        create_inputs in any::<bool>(),
    ) {
        let mut header = Header::new(SetName::new("s").unwrap(), Policy::Sync);
        header.adopts = adopts.into_iter().map(|name| SetName::new(name).unwrap()).collect();
        header.files = files;
        header.targets = targets
            .into_iter()
            .map(|(name, (user_id, app_id, rate_limit))| {
                let user_id = UserId::new(user_id).unwrap();
                (name, TargetSpec::App { user_id, app_id, endpoint: None, rate_limit })
            })
            .collect();
        if let Some(local) = local {
            header.targets.insert(local.clone(), TargetSpec::Embedded { path: local.clone().into() });
            header.target = Some(local);
        }
        header.owners = owners
            .into_iter()
            .filter(|owner| !["me", "any"].contains(&owner.as_str()))
            .map(|owner| Owner::User(UserId::new(owner).unwrap()))
            .chain([Owner::Any])
            .collect();
        header.renamed = renamed
            .into_iter()
            .filter(|(old, new)| old != new)
            .map(|(old, new)| (ConceptId::new(old).unwrap(), ConceptId::new(new).unwrap()))
            .collect();
        header.vocabulary = vocabulary.map(|all| {
            let mut all: Vec<ConceptId> =
                all.into_iter().map(|id| ConceptId::new(id).unwrap()).collect();
            all.retain(|id| id.as_str() != "new");
            all.push(ConceptId::new("new").unwrap());
            all
        });
        header.vocabulary_of_app = vocabulary_of_app;
        if vocabulary_of_app {
            header.vocabulary = None;
        }
        header.create_inputs = create_inputs;
        header.guards.max_new_concepts = max_new_concepts;
        header.guards.max_deletes = Share::Percent(guards.0);
        header.guards.max_updates = Share::Count(guards.1);
        header.guards.min_existing = guards.2;
        header.guards.max_vanished_concepts = guards.3;
        header.guards.max_doubles = max_doubles;

        let text = write_header(&header);
        let document = crate::manifest::document::document(
            crate::manifest::document::Format::Yaml,
            &text,
        ).unwrap();
        prop_assert!(document.findings.0.is_empty(), "{:?}\n{}", document.findings, text);
        prop_assert_eq!(document.header.unwrap().header.unwrap(), header, "{}", text);
    }
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
