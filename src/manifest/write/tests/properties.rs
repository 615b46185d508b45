//! Properties of random manifests: what is written reads back the same.

use super::*;
use proptest::prelude::*;

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

/// The content without fields that cannot be combined.
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
        content.rare.change(|rare| {
            rare.extras.track = None;
            rare.extras.region_value = None;
        });
    }
    if *identity == Identity::Content && content.would_post_empty() {
        let status = Some(Status::from_code(24_150));
        content.rare.change(|rare| rare.status = status);
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
            rare: RareFields {
                status: status.map(Status::from_code),
                user: user.map(|user| UserId::new(user).unwrap()),
                metadata,
                info,
                extras,
            }
            .into(),
        }
    }
}

/// An identity of each kind; id and key are unique within an input.
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

fn ignore() -> impl Strategy<Value = Ignore> {
    let rule = prop::sample::select(&[Rule::Tiny, Rule::NearDuplicate, Rule::NoLabels][..]);
    (rule, filled()).prop_map(|(rule, reason)| Ignore { rule, reason })
}

prop_compose! {
    fn input()(
        id in name(),
        image in proptest::option::of((text(), 1_u32.., 1_u32..)),
        annotations in prop::collection::vec((0..4_usize, content(), name()), 0..4),
        is_purged in prop::bool::weighted(0.1),
        ignores in prop::collection::vec(ignore(), 0..2),
    ) -> WritableInput {
        let annotations = annotations.into_iter().enumerate().map(|(index, (kind, content, name))| {
            let identity = identity(kind, index, &name);
            let content = declarable(&identity, content);
            let mask_path = mask_path(&content);
            WritableAnnotation { identity, mask_path, content, ignores: ignores.clone() }
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
            ignores,
        }
    }
}

/// Geometries of an app that a manifest cannot declare.
fn undeclarable_geometry() -> impl Strategy<Value = Option<Geometry>> {
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
    fn inputs_read_back_the_same_in_every_format(
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
            prop_assert_eq!(&read_back(&read_with(name, &text, &inputs)), &inputs, "{}", text);
        }
    }

    #[test]
    fn any_written_input_can_be_read(
        kind in 0..4_usize,
        content in content(),
        geometry in undeclarable_geometry(),
        empty in any::<bool>(),
    ) {
        let mut content = Content { geometry, ..content };
        // Without concepts, an annotation whose geometry is not written would be empty.
        if content.concepts.as_ref().is_none_or(Concepts::is_empty) {
            let status = Status::from_code(24_150);
            content.rare.change(|rare| _ = rare.status.get_or_insert(status));
        }
        if empty {
            content.rare.change(|rare| {
                rare.extras.track = Some("".into());
                rare.extras.text = Some("".into());
                rare.extras.embed_model_version = Some("".into());
            });
        }
        let annotation = WritableAnnotation {
            identity: identity(kind, 0, "a"),
            // A mask from the app has no file.
            mask_path: match &content.geometry {
                Some(Geometry::Mask(mask)) if mask.png().is_none() => None,
                _ => mask_path(&content),
            },
            content,
            ignores: Vec::new(),
        };
        let inputs = [WritableInput {
            id: InputId::new("a").unwrap(),
            image: None,
            video: None,
            text: None,
            annotations: vec![annotation],
            undeclared: Undeclared::Managed,
            ignores: Vec::new(),
        }];
        for (name, text) in [
            ("a.yaml", write_yaml(&inputs)),
            ("a.json", write_json(&inputs)),
        ] {
            let again = read_back(&read_with(name, &text, &inputs));
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
        header.guards.max_deletes = GuardLimit::Percent(guards.0);
        header.guards.max_updates = GuardLimit::Count(guards.1);
        header.guards.min_existing = guards.2;
        header.guards.max_vanished_concepts = guards.3;
        header.guards.max_doubles = max_doubles;

        let text = write_header(&header);
        let document = crate::manifest::document::document(
            crate::manifest::format::Format::Yaml,
            &text,
        ).unwrap();
        prop_assert!(document.findings.0.is_empty(), "{:?}\n{}", document.findings, text);
        prop_assert_eq!(document.header.unwrap().header.unwrap(), header, "{}", text);
    }
}
