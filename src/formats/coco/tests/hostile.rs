//! Files with values of wrong types: an import must not panic, and must account for every annotation.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values of fields in a file made to break a reader.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1e-320,
            1e300,
            -1e300,
            0.5,
            1e-9,
            4_294_967_296.0,
            100.000_000_1
        ])
        .prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "1",
            "1.0",
            "NaN",
            "../../x",
            "/etc/passwd",
            "a\u{0}b",
            "C:\\x.png",
            "https://h/%2e%2e%2f?x#y",
            "-",
            "annosync",
            "PPPPPPPPPPP",
            "02",
            "\u{202e}",
            "%",
            "://"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner.clone(), 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            (inner.clone(), inner)
                .prop_map(|(size, counts)| json!({"size": size, "counts": counts})),
        ]
    })
    .boxed()
}

/// Mostly a sound value, so that the fields behind it are reached as well.
fn or(sound: Value) -> impl Strategy<Value = Value> {
    prop_oneof![3 => Just(sound), 1 => value()].boxed()
}

fn object(fields: Vec<(&'static str, Value)>) -> impl Strategy<Value = Value> {
    let fields = fields
        .into_iter()
        .map(|(name, sound)| or(sound).prop_map(move |value| (name.to_owned(), value)));
    fields
        .collect::<Vec<_>>()
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        .boxed()
}

fn file() -> impl Strategy<Value = String> {
    let image = object(vec![
        ("id", json!(1)),
        ("file_name", json!("a.jpg")),
        ("width", json!(4)),
        ("height", json!(2)),
    ]);
    let category = object(vec![("id", json!(1)), ("name", json!("car"))]);
    let shape = prop_oneof![
        Just(json!([[0, 0, 4, 0, 4, 2]])),
        Just(json!([[0, 0, 4, 0, 4, 2], [0, 0, 1, 0, 1, 1]])),
        Just(json!({"size": [2, 4], "counts": [1, 3, 4]})),
        Just(json!({"size": [2, 4], "counts": "134"})),
        value(),
    ];
    let annotation = (
        shape,
        object(vec![
            ("id", json!(1)),
            ("image_id", json!(1)),
            ("category_id", json!(1)),
            ("bbox", json!([0, 0, 2, 1])),
            ("keypoints", json!([1, 1, 2])),
            ("attributes", json!({"a": 1})),
            ("iscrowd", json!(0)),
            ("score", json!(0.5)),
        ]),
    )
        .prop_map(|(shape, mut object)| {
            object["segmentation"] = shape;
            object
        });
    let list = |entry: BoxedStrategy<Value>| {
        prop::collection::vec(prop_oneof![8 => entry, 1 => value().boxed()], 0..4)
    };
    (
        list(image.boxed()),
        list(category.boxed()),
        list(annotation.boxed()),
    )
        .prop_map(|(images, categories, annotations)| {
            json!({"images": images, "categories": categories, "annotations": annotations})
                .to_string()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_annotation_is_imported_or_left_out(json in file(), cut in any::<prop::sample::Index>()) {
        for (multi_ring, overhang, scores) in [
            (MultiRing::Split, Overhang::LeaveOut, Scores::LeaveOut),
            (MultiRing::Largest, Overhang::Clip, Scores::Values),
            (MultiRing::Box, Overhang::Clip, Scores::LeaveOut),
        ] {
            let options = ImportOptions { overhang, multi_ring, scores, ..ImportOptions::default() };
            if let Ok(imported) = read(&json, &options) {
                let left_out = imported.skipped.iter().filter(|it| it.annotation.is_some());
                prop_assert_eq!(imported.taken_over + left_out.count(), imported.annotations);
                for each in &imported.inputs {
                    for annotation in &each.input.annotations {
                        let has_area = match annotation.content.geometry.as_ref().unwrap() {
                            Geometry::Box(edges) => edges.has_area(),
                            Geometry::Polygon(polygon) => polygon.has_area(),
                            Geometry::Mask(mask) => mask.bounds().is_some(),
                            _ => true,
                        };
                        prop_assert!(has_area, "{:?}", annotation);
                    }
                }
            }
        }
        // Cut anywhere, and with bytes of another encoding in it, it is an error and never a panic.
        let mut bytes = json.into_bytes();
        bytes.truncate(cut.index(bytes.len() + 1));
        let imported = |bytes: &[u8]| {
            let files = [("coco.json".to_owned(), bytes.to_owned())];
            import(&Memory::new(files.into()), &ImportOptions::default())
        };
        let _ = imported(&bytes);
        bytes.push(0xff);
        prop_assert!(imported(&bytes).is_err());
    }
}
