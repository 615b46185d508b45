//! What an export writes, an import gives back.

use super::*;
use crate::formats::writer::{ExportAnnotation, ExportInput, Exported};
use crate::model::{Content, Extras, Frame, Json, RareFields};

fn inputs(imported: &Imported) -> Vec<ExportInput> {
    (imported.inputs.iter())
        .map(|it| ExportInput {
            id: it.input.id.clone(),
            media: it.media.clone(),
            image: it.image.clone(),
            annotations: (it.input.annotations.iter().enumerate())
                .map(|(at, annotation)| ExportAnnotation {
                    identity: crate::model::Identity::Content,
                    name: format!("number {at}"),
                    content: annotation.content.clone(),
                })
                .collect(),
            split: None,
        })
        .collect()
}

fn back(exported: &Exported) -> Imported {
    let source = Memory::new(exported.files.iter().cloned().collect());
    assert!(recognises(&source));
    import(&source, &ImportOptions::default()).unwrap()
}

#[test]
fn the_real_exports_come_back() {
    for path in ["images", "texts", "video"] {
        let Some(file) = Memory::real(&format!("label-studio/{path}/json.json")) else {
            return;
        };
        let first = import(&file, &ImportOptions::default()).unwrap();
        let exported = export(&inputs(&first), &[]);
        assert_eq!(exported.skipped, [], "{path}");
        assert!(exported.notes.iter().all(|it| !it.code.is_loss()), "{path}");
        let second = back(&exported);
        assert_eq!(codes(&second), [], "{path}");
        assert_eq!(written(&second), written(&first), "{path}");
        let media = |imported: &Imported| -> Vec<Media> {
            imported.inputs.iter().map(|it| it.media.clone()).collect()
        };
        assert_eq!(media(&second), media(&first));
        let ids = |imported: &Imported| -> Vec<String> {
            let inputs = imported.inputs.iter();
            inputs.map(|it| it.input.id.to_string()).collect()
        };
        assert_eq!(ids(&second), ids(&first));
    }
}

#[test]
fn frames_that_a_track_cannot_hold_are_left_out() {
    let boxed = of_results(&json!([result(
        "rectanglelabels",
        json!({"x": 10, "y": 10, "width": 20, "height": 20, "rectanglelabels": ["car"]})
    )]));
    let of = |frames: &[(u32, u64, Option<&str>)]| {
        let mut inputs = inputs(&boxed);
        let one = inputs[0].annotations.remove(0);
        inputs[0].annotations = (frames.iter())
            .map(|(number, time_ms, track)| ExportAnnotation {
                identity: crate::model::Identity::Content,
                content: Content {
                    frame: Some(Frame {
                        number: *number,
                        time_ms: *time_ms,
                    }),
                    rare: RareFields {
                        extras: Extras {
                            track: track.map(Box::from),
                            ..Extras::default()
                        },
                        ..RareFields::default()
                    }
                    .into(),
                    ..one.content.clone()
                },
                name: number.to_string(),
            })
            .collect();
        export(&inputs, &[])
    };
    let ntsc = [
        (0, 0, Some("r1")),
        (29, 968, Some("r1")),
        (300, 10_010, Some("r1")),
    ];
    let exported = of(&ntsc);
    assert_eq!((exported.written, exported.skipped.len()), (3, 0));
    let frames: Vec<(u32, u64)> = (annotations(&back(&exported)).iter())
        .map(|it| it.content.frame.map(|it| (it.number, it.time_ms)).unwrap())
        .collect();
    assert_eq!(frames, [(0, 0), (29, 968), (300, 10_010)]);
    // Of the video, not of each track.
    let unknown = back(&of(&[
        (5, 0, Some("t")),
        (7, 0, Some("t")),
        (9, 0, Some("u")),
    ]));
    assert_eq!(codes(&unknown), [("guessed_time", 1)]);
    assert_eq!(unknown.notes[0].place, "x/a.jpg");
    for frames in [
        &[(5, 200, None)][..],
        &[(5, 200, Some("t")), (6, 900, Some("t"))],
        &[(0, 7, Some("t"))],
    ] {
        let exported = of(frames);
        assert_eq!(exported.skipped.len(), 1, "{frames:?}");
        assert_eq!(exported.skipped[0].code.as_str(), "other_time");
    }
}

#[test]
fn gaps_of_a_track_that_are_shown_are_a_loss() {
    let place = |frame: u32, outside: u8| {
        format!(
            r#"<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="1" ytl="5" xbr="9" ybr="25"/>"#
        )
    };
    let cvat = |places: &[String], frames: Frames| {
        let text = format!(
            "<annotations><meta><task><id>5</id><mode>interpolation</mode><original_size><width>100</width>\
             <height>50</height></original_size></task><source>v.mp4</source></meta>\
             <track id=\"7\" label=\"car\">{}</track></annotations>",
            places.concat()
        );
        let options = ImportOptions {
            frames,
            frame_rate: Some(25.0),
            ..ImportOptions::default()
        };
        let source = Memory::of([("a.xml", &*text)]);
        inputs(&crate::formats::import(Format::Cvat, &source, &options).unwrap())
    };
    let notes = |inputs: &[ExportInput]| -> Vec<(&str, String)> {
        let notes = export(inputs, &[]).notes.into_iter();
        notes.map(|it| (it.code.as_str(), it.place)).collect()
    };
    let leaves = [place(0, 0), place(4, 1), place(8, 0), place(10, 1)];
    let mut all = cvat(&leaves, Frames::Interpolated);
    let gap = ("gaps_filled", "annotation number 3, v".to_owned());
    assert_eq!(notes(&all), [gap]);
    assert!(Note::GapsFilled.is_loss());
    // As the note says, the mark of Label Studio keeps the gap.
    let enabled = Some(Json::from_value(&json!({"enabled": false})));
    let rare = &mut all[0].annotations[3].content.rare;
    rare.change(|rare| rare.metadata = enabled);
    assert_eq!(notes(&all), []);
    let options = ImportOptions {
        frames: Frames::Interpolated,
        ..ImportOptions::default()
    };
    let source = Memory::new(export(&all, &[]).files.into_iter().collect());
    let again = import(&source, &options).unwrap();
    let numbers: Vec<u32> = (annotations(&again).iter())
        .map(|it| it.content.frame.unwrap().number)
        .collect();
    assert_eq!(numbers, [0, 1, 2, 3, 8, 9]);
    // Key frames, between which the object is there.
    let stays = [place(0, 0), place(4, 0), place(9, 0)];
    assert_eq!(notes(&cvat(&stays, Frames::Listed)), []);
    assert_eq!(notes(&cvat(&stays, Frames::Interpolated)), []);
}

#[test]
fn paths_are_those_of_local_files() {
    let imported = of_results(&json!([]));
    let mut inputs = inputs(&imported);
    inputs[0].image.path = Some("x/a b&c=d+\u{fc}.jpg".to_owned());
    let exported = export(&inputs, &[]);
    let (name, bytes) = &exported.files[0];
    assert_eq!(name, "tasks.json");
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        text.contains("\"/data/local-files/?d=x/a+b%26c%3Dd%2B%C3%BC.jpg\""),
        "{text}"
    );
    let path = back(&exported).inputs[0].image.path.clone();
    assert_eq!(path, inputs[0].image.path);
}
