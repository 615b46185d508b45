//! Law of all formats: what an export does not report as lost, an import of its files gives back.

use super::account::{ImageInfo, Imported, Media, Note};
use super::bitmap::Bitmap;
use super::convert::{export, import};
use super::format::Format;
use super::options::{ImportOptions, Scores};
use super::source::Memory;
use super::writer::{ExportAnnotation, ExportInput, Exported};
use crate::model::{
    BoundingBox, Concept, ConceptId, Concepts, Content, Geometry, InputId, Json, Keypoint,
    Keypoints, Point, Polygon, RareFields, Span, Visibility,
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Not ASCII alone, so that offsets in characters and in bytes differ.
const TEXT: &str = "Zoë saw a 🚗 in Köln today";

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        Just(0.1),
        (0_u32..=1_000_000).prop_map(|n| f64::from(n) / 1e6)
    ]
}

fn geometry(size: (u32, u32), media: &Media) -> BoxedStrategy<Option<Geometry>> {
    let point = || (fraction(), fraction()).prop_map(|(row, col)| Point::new(row, col).unwrap());
    let edges = (fraction(), fraction(), fraction(), fraction())
        .prop_map(|(a, b, c, d)| BoundingBox::new(a.min(b), c.min(d), a.max(b), c.max(d)).ok())
        .prop_filter_map("a box has an area", |edges| {
            edges.filter(BoundingBox::has_area).map(Geometry::Box)
        });
    let polygon =
        prop::collection::vec(point(), 3..7).prop_filter_map("a ring has an area", |points| {
            let polygon = Polygon::new(points).ok()?;
            polygon.has_area().then_some(Geometry::Polygon(polygon))
        });
    let visibility = prop_oneof![
        Just(Visibility::Visible),
        Just(Visibility::NotVisible),
        Just(Visibility::NotSet)
    ];
    let keypoints = prop::collection::vec((point(), visibility), 1..4).prop_map(|points| {
        let points: Vec<Keypoint> = points
            .into_iter()
            .map(|(point, visibility)| Keypoint { point, visibility })
            .collect();
        Geometry::Keypoints(Keypoints::new(points).unwrap())
    });
    let (width, height) = (size.0.min(40), size.1.min(40));
    let pixels = prop::collection::vec((0..width, 0..height), 1..30).prop_map(move |pixels| {
        let mut bitmap = Bitmap::new(size.0, size.1).unwrap();
        for (x, y) in pixels {
            bitmap.set(x, y);
        }
        Geometry::Mask(Box::new(bitmap.mask().unwrap()))
    });
    let length = TEXT.chars().count() as u32;
    let span = (0..length, 1..=length).prop_filter_map("a span is not empty", |(start, end)| {
        (start < end).then(|| {
            let text: String = TEXT
                .chars()
                .skip(start as usize)
                .take((end - start) as usize)
                .collect();
            Geometry::Span(Box::new(Span::new(start, end, Some(text.into())).unwrap()))
        })
    });
    match media {
        Media::Text(_) => span.prop_map(Some).boxed(),
        _ => prop_oneof![
            3 => edges.prop_map(Some),
            2 => polygon.prop_map(Some),
            1 => point().prop_map(|point| Some(Geometry::Point(point))),
            1 => keypoints.prop_map(Some),
            1 => pixels.prop_map(Some),
            1 => Just(None),
        ]
        .boxed(),
    }
}

fn content(size: (u32, u32), media: &Media) -> impl Strategy<Value = Content> + use<> {
    let class = prop::sample::select(vec!["car", "Street Light", "été, \"x\" & <y>"]);
    let value = prop::sample::select(vec![1.0_f32, 1.0, 1.0, 0.0, 0.25]);
    let metadata = prop::sample::select(vec![
        None,
        None,
        Some(json!({"difficult": 1})),
        Some(json!({"weather": "rain & <sun>", "truncated": true})),
    ]);
    let concepts = prop::collection::btree_map(class, value, 1..3);
    (geometry(size, media), concepts, metadata).prop_map(|(geometry, concepts, metadata)| Content {
        geometry,
        concepts: Some(
            Concepts::new(
                concepts
                    .into_iter()
                    .map(|(id, value)| Concept {
                        id: ConceptId::new(id).unwrap(),
                        value,
                    })
                    .collect(),
            )
            .unwrap(),
        ),
        rare: RareFields {
            metadata: metadata.as_ref().map(Json::from_value),
            ..RareFields::default()
        }
        .into(),
        ..Content::default()
    })
}

fn input(number: usize, format: Format) -> impl Strategy<Value = ExportInput> {
    let id = format!("street-{number}");
    let media = match format {
        Format::Conll => Media::Text(TEXT.to_owned()),
        _ => Media::Image,
    };
    // Few are large, since every mask has that many pixels.
    prop_oneof![
        5 => (1_u32..200, 1_u32..200),
        1 => (1_u32..3_000, 1_u32..1_000),
    ]
    .prop_flat_map(move |size| {
        let contents = prop::collection::vec(content(size, &media), 0..6);
        (Just(size), Just(media.clone()), contents)
    })
    .prop_map(move |(size, media, contents)| ExportInput {
        id: InputId::new(id.clone()).unwrap(),
        image: ImageInfo {
            path: (media == Media::Image).then(|| format!("{id}.jpg")),
            url: None,
            size: Some(size),
        },
        media,
        annotations: contents
            .into_iter()
            .enumerate()
            .map(|(at, content)| ExportAnnotation {
                identity: crate::model::Identity::Content,
                name: format!("{id}/{at}"),
                content,
            })
            .collect(),
        split: None,
    })
}

/// What an annotation says, as text.
fn text(content: &Content) -> String {
    let geometry = content.geometry.as_ref().map(|geometry| match geometry {
        // The file of a mask may be compressed differently.
        Geometry::Mask(mask) => mask.sha256().unwrap(),
        geometry => serde_json::to_string(geometry).unwrap(),
    });
    let mut metadata = content.metadata.as_ref().map(Json::to_value);
    if let Some(metadata) = &mut metadata {
        metadata.sort_all_objects();
    }
    format!("{geometry:?} {:?} {metadata:?}", content.concepts)
}

fn files(exported: &Exported) -> Memory {
    Memory::new(exported.files.iter().cloned().collect())
}

fn back(format: Format, exported: &Exported) -> Imported {
    let options = ImportOptions {
        scores: Scores::Values,
        ..ImportOptions::default()
    };
    import(format, &files(exported), &options).unwrap()
}

fn law(format: Format, inputs: &[ExportInput]) {
    let exported = export(format, inputs, &[]);
    let mut lost: BTreeSet<&str> = BTreeSet::new();
    lost.extend(
        exported
            .skipped
            .iter()
            .filter_map(|it| it.annotation.as_deref()),
    );
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for noted in &exported.notes {
        let annotation = noted.place.strip_prefix("annotation ");
        let name = annotation
            .and_then(|it| it.rsplit_once(", "))
            .map(|(name, _)| name);
        if let Some(name) =
            name.filter(|_| noted.code.is_loss() || noted.code == Note::SplitConcepts)
        {
            changed.insert(name.to_owned());
        }
    }
    assert_eq!(exported.annotations - lost.len(), exported.written);
    let imported = back(format, &exported);
    assert_eq!(imported.skipped, [], "{exported:?}");
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for each in &imported.inputs {
        let contents = each.input.annotations.iter().map(|it| text(&it.content));
        found
            .entry(each.input.id.as_str())
            .or_default()
            .extend(contents);
    }
    for input in inputs {
        let found = found.entry(input.id.as_str()).or_default();
        for annotation in &input.annotations {
            let is_whole =
                !lost.contains(annotation.name.as_str()) && !changed.contains(&annotation.name);
            if is_whole {
                let wanted = text(&annotation.content);
                let at = found.iter().position(|it| *it == wanted);
                assert!(at.is_some(), "{wanted} is not among {found:#?}");
                found.swap_remove(at.unwrap());
            }
        }
        if changed.is_empty() {
            assert!(found.is_empty(), "{found:?} were not exported");
        }
    }
}

fn check(format: Format) {
    let inputs = (input(1, format), input(2, format)).prop_map(|(a, b)| vec![a, b]);
    let mut config = ProptestConfig::with_cases(128);
    config.failure_persistence = None;
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = runner.run(&inputs, |inputs| {
        law(format, &inputs);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{format:?}: {error}");
    }
}

#[test]
fn coco_there_and_back() {
    check(Format::Coco);
}

#[test]
fn yolo_there_and_back() {
    check(Format::Yolo);
}

#[test]
fn open_images_there_and_back() {
    check(Format::OpenImages);
}

#[test]
fn conll_there_and_back() {
    check(Format::Conll);
}

#[test]
fn voc_there_and_back() {
    check(Format::Voc);
}

#[test]
fn cvat_there_and_back() {
    check(Format::Cvat);
}

#[test]
fn label_studio_there_and_back() {
    check(Format::LabelStudio);
}

#[test]
fn label_me_there_and_back() {
    check(Format::LabelMe);
}

#[test]
fn json_lines_there_and_back() {
    check(Format::Jsonl);
}
