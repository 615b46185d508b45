use super::*;
use crate::formats::account::{ImageInfo, Media};
use crate::formats::open_images;
use crate::formats::options::ImportOptions;
use crate::formats::source::Memory;
use crate::formats::writer::ExportAnnotation;
use crate::model::{BoundingBox, Concept, Concepts, Content, InputId, Json, RareFields};
use serde_json::json;

fn input(id: &str, contents: &[(Option<[f64; 4]>, f32, Value)]) -> ExportInput {
    let annotations = contents.iter().enumerate();
    ExportInput {
        id: InputId::new(id).unwrap(),
        media: Media::Image,
        image: ImageInfo::default(),
        annotations: annotations
            .map(|(number, (edges, value, metadata))| ExportAnnotation {
                identity: crate::model::Identity::Content,
                name: number.to_string(),
                content: Content {
                    geometry: edges.map(|[top, left, bottom, right]| {
                        Geometry::Box(BoundingBox::new(top, left, bottom, right).unwrap())
                    }),
                    concepts: Some(
                        Concepts::new(vec![Concept {
                            id: ConceptId::new("red, \"car\"").unwrap(),
                            value: *value,
                        }])
                        .unwrap(),
                    ),
                    rare: RareFields {
                        metadata: Some(Json::from_value(metadata)),
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

#[test]
fn flags_and_sources_have_their_columns_and_other_metadata_is_reported() {
    let edges = Some([0.0, 0.25, 1.0, 0.5]);
    let mut inputs = vec![
        input(
            "a.b",
            &[
                (
                    edges,
                    1.0,
                    json!({"Source": "xclick", "IsOccluded": true, "IsInside": false}),
                ),
                (edges, 0.0, json!({})),
                (None, 0.0, json!({"Source": "verification"})),
                (None, 0.0, json!({"Source": "machine"})),
                (edges, 0.5, json!({"IsGroupOf": "yes"})),
            ],
        ),
        input("empty", &[]),
    ];
    let exported = export(&inputs, &[]);
    let files: Vec<(&str, &str)> = (exported.files.iter())
        .map(|(path, bytes)| (path.as_str(), std::str::from_utf8(bytes).unwrap()))
        .collect();
    let class = "\"red, \"\"car\"\"\"";
    assert_eq!(
        files,
        [
            (
                "annotations-bbox.csv",
                format!(
                    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n\
                     a.b,xclick,{class},1,0.25,0.5,0,1,1,-1,-1,-1,0\n\
                     a.b,,{class},0.5,0.25,0.5,0,1,-1,-1,-1,-1,-1\n"
                )
                .as_str()
            ),
            (
                "annotations-human-imagelabels.csv",
                format!(
                    "ImageID,Source,LabelName,Confidence\na.b,verification,{class},0\na.b,,{class},0\n"
                )
                .as_str()
            ),
            (
                "class-descriptions.csv",
                format!("LabelName,DisplayName\n{class},{class}\n").as_str()
            ),
        ]
    );
    let notes: Vec<(Note, &str)> = (exported.notes.iter())
        .map(|it| (it.code, it.place.as_str()))
        .collect();
    assert_eq!(
        notes,
        [
            (Note::MetadataLeftOut, "annotation 3, a.b"),
            (Note::MetadataLeftOut, "annotation 4, a.b"),
            (Note::EmptyLeftOut, "empty"),
        ]
    );
    let skipped: Vec<&str> = (exported.skipped.iter())
        .map(|it| it.detail.as_str())
        .collect();
    assert_eq!(skipped, ["a box with red, \"car\" of value 0"]);
    assert_eq!(exported.written, 4);
    let source = Memory::new(exported.files.iter().cloned().collect());
    let imported = open_images::import(&source, &ImportOptions::default()).unwrap();
    assert_eq!((imported.taken_over, imported.inputs.len()), (4, 1));
    assert_eq!(imported.inputs[0].input.id.as_str(), "a.b");
    inputs[0].split = Some("../x".to_owned());
    let split = export(&inputs, &[]);
    assert!(split.files.iter().all(|(path, _)| !path.contains('/')));
}
