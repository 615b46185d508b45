//! What an export writes, and what it reports.

use super::*;
use crate::formats::account::ImageInfo;
use crate::formats::writer::{ExportAnnotation, ExportInput, Exported};
use crate::model::{
    Concept, ConceptId, Concepts, Content, InputId, Keypoint, Keypoints, Point, RareFields,
    Visibility,
};
use serde_json::{Value, json};

fn input(contents: Vec<(Geometry, Value)>) -> ExportInput {
    let concept = Concept {
        id: ConceptId::new("car").unwrap(),
        value: 1.0,
    };
    ExportInput {
        id: InputId::new("x-a").unwrap(),
        media: Media::Image,
        image: ImageInfo {
            path: Some("x/a.jpg".to_owned()),
            url: None,
            size: Some((100, 50)),
        },
        annotations: contents
            .into_iter()
            .map(|(geometry, metadata)| ExportAnnotation {
                identity: crate::model::Identity::Content,
                name: "one".to_owned(),
                content: Content {
                    geometry: Some(geometry),
                    concepts: Some(Concepts::new(vec![concept.clone()]).unwrap()),
                    rare: RareFields {
                        metadata: Some(Json::from_value(&metadata)),
                        ..RareFields::default()
                    }
                    .into(),
                    ..Content::default()
                },
            })
            .collect(),
        split: None,
    }
}

fn keypoints(visibilities: &[Visibility]) -> Geometry {
    let points: Vec<Keypoint> = visibilities
        .iter()
        .enumerate()
        .map(|(at, visibility)| Keypoint {
            point: Point::new(0.5, at as f64 / 10.0).unwrap(),
            visibility: *visibility,
        })
        .collect();
    Geometry::Keypoints(Keypoints::new(points).unwrap())
}

fn back(exported: &Exported) -> Imported {
    let files = exported.files.iter().cloned().collect();
    import(&Memory::new(files), &ImportOptions::default()).unwrap()
}

fn codes(exported: &Exported) -> Vec<Note> {
    exported.notes.iter().map(|it| it.code).collect()
}

#[test]
fn metadata_comes_back_as_it_was_or_is_reported() {
    for (metadata, is_held) in [
        (
            json!({"occluded": true, "z_order": -1, "source": "auto", "group_id": 7}),
            true,
        ),
        (
            json!({"occluded": false, "z_order": 0, "source": "manual", "group_id": "7"}),
            true,
        ),
        (
            json!({"occluded": 1, "note": "a\r\nb & \"c\"", "speed": 2.0, "text": "7", "label": "x"}),
            true,
        ),
        (json!({"note": " a"}), false),
        (json!({"note": "a\u{1}b"}), false),
        (json!({"list": [1]}), false),
        (json!({"part_of": "object-1"}), false),
    ] {
        let exported = export(&[input(vec![(Geometry::Whole, metadata.clone())])], &[]);
        let expected = if is_held {
            vec![]
        } else {
            vec![Note::MetadataLeftOut]
        };
        assert_eq!(codes(&exported), expected, "{metadata}");
        if is_held {
            let back = back(&exported);
            let content = &back.inputs[0].input.annotations[0].content;
            assert_eq!(
                content.metadata.as_ref().map(Json::to_value),
                Some(metadata)
            );
        }
    }
    // The values of an attribute are of one kind in all shapes of a label.
    let mixed = vec![
        (Geometry::Whole, json!({"a": 1})),
        (Geometry::Whole, json!({"a": "x"})),
    ];
    assert_eq!(
        codes(&export(&[input(mixed)], &[])),
        [Note::MetadataLeftOut]
    );
}

#[test]
fn keypoints_come_back_with_their_visibilities() {
    use Visibility::{NotPresent, NotSet, NotVisible, Visible};
    for (visibilities, noted) in [
        (vec![NotSet, NotSet], vec![]),
        (vec![Visible, NotVisible, NotPresent], vec![]),
        (vec![Visible], vec![]),
        (vec![NotSet], vec![Note::VisibilityAssumed]),
        (vec![NotSet, Visible], vec![Note::VisibilityAssumed]),
    ] {
        let geometry = keypoints(&visibilities);
        // Another one of the label has more points.
        let longer = keypoints(&[Visible; 5]);
        let contents = vec![(geometry.clone(), json!({})), (longer, json!({}))];
        let exported = export(&[input(contents)], &[]);
        assert_eq!(codes(&exported), noted);
        if noted.is_empty() {
            let found = &back(&exported).inputs[0].input.annotations[0]
                .content
                .geometry;
            assert_eq!(found.as_ref(), Some(&geometry));
        }
    }
}

#[test]
fn an_image_whose_labels_cannot_be_written_is_not_listed() {
    let mut one = input(vec![(Geometry::Whole, json!({}))]);
    one.image.size = None;
    let exported = export(&[one], &[]);
    assert_eq!(exported.skipped[0].code, SkipCode::ImageWithoutSize);
    assert_eq!(back(&exported).inputs.len(), 0);
}
