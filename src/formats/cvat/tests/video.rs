//! Tracks of a video.

use super::*;
use crate::formats::options::Frames;

fn video(tracks: &str) -> String {
    format!(
        "<annotations><meta><task><id>5</id><mode>interpolation</mode><frame_filter>step=2</frame_filter>\
         <original_size><width>100</width><height>50</height></original_size></task><source>v.mp4</source></meta>\
         {tracks}</annotations>"
    )
}

fn boxed(frame: &str, outside: u8, left: f64) -> String {
    format!(
        r#"<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="{left}" ytl="5" xbr="{}" ybr="25"/>"#,
        left + 10.0
    )
}

fn track(places: &[String]) -> String {
    format!(
        r#"<track id="7" label="car" source="auto">{}</track>"#,
        places.concat()
    )
}

/// Frame number, time, track, and left edge in pixels.
fn frames(imported: &Imported) -> Vec<(u32, u64, String, f32)> {
    imported
        .inputs
        .iter()
        .flat_map(|input| &input.input.annotations)
        .map(|annotation| {
            let content = &annotation.content;
            let frame = content.frame.unwrap();
            let Some(Geometry::Box(edges)) = &content.geometry else {
                panic!("{content:?}");
            };
            let left = (edges.edges()[1] * 1000.0).round() / 10.0;
            (
                frame.number,
                frame.time_ms,
                content.track().unwrap().to_owned(),
                left,
            )
        })
        .collect()
}

fn interpolated() -> ImportOptions {
    ImportOptions {
        frames: Frames::Interpolated,
        frame_rate: Some(25.0),
        ..ImportOptions::default()
    }
}

#[test]
fn listed_places_become_annotations_until_the_object_leaves() {
    let text = video(&track(&[
        boxed("10", 0, 10.0),
        boxed("16", 1, 40.0),
        boxed("20", 0, 50.0),
    ]));
    let listed = imported(&text);
    let seven = || "7".to_owned();
    assert_eq!(
        frames(&listed),
        [(10, 0, seven(), 10.0), (20, 0, seven(), 50.0)]
    );
    assert_eq!(notes(&listed), [("guessed_time", 1), ("gaps_left_out", 1)]);
    assert!(listed.has_losses());
    assert_eq!(listed.inputs[0].input.id.as_str(), "v");
    assert_eq!(listed.inputs[0].media, Media::Video);
    assert!(pieces(&listed)[0].ends_with(r#"{"source":"auto"}"#));
    let all = read(&text, &interpolated()).unwrap();
    assert_eq!(
        frames(&all),
        [
            (10, 400, seven(), 10.0),
            (12, 480, seven(), 20.0),
            (14, 560, seven(), 30.0),
            (20, 800, seven(), 50.0)
        ]
    );
    assert_eq!(notes(&all), [("interpolated_frames", 1)]);
    assert!(!all.has_losses());
    assert_eq!((all.annotations, all.taken_over), (4, 4));
}

#[test]
fn an_object_that_does_not_come_back_has_no_gap() {
    let timed = ImportOptions {
        frame_rate: Some(25.0),
        ..ImportOptions::default()
    };
    let all = |places: &[String]| read(&video(&track(places)), &timed).unwrap();
    let [before, there, gone, later] = [
        boxed("0", 1, 10.0),
        boxed("2", 0, 10.0),
        boxed("4", 1, 10.0),
        boxed("6", 0, 10.0),
    ];
    let whole = all(&[before.clone(), there.clone(), gone.clone()]);
    assert!(!whole.has_losses(), "{:?}", whole.notes);
    let gap = all(&[before, there, gone, later]);
    assert_eq!(notes(&gap), [("gaps_left_out", 1)]);
    assert!(gap.has_losses());
}

#[test]
fn outlines_that_do_not_match_are_not_interpolated() {
    let polygon = |frame: u8, points: &str| {
        format!(r#"<polygon frame="{frame}" outside="0" points="{points}"/>"#)
    };
    let text = video(&track(&[
        polygon(0, "0,0;10,0;10,10"),
        polygon(4, "4,0;14,0;14,10"),
        polygon(8, "4,0;14,0;14,10;4,10"),
    ]));
    let all = read(&text, &interpolated()).unwrap();
    assert_eq!(all.taken_over, 4);
    assert_eq!(
        notes(&all),
        [("not_interpolated", 1), ("interpolated_frames", 1)]
    );
    assert!(pieces(&all)[1].starts_with(r#"{"polygon":[[0,0.02],[0,0.12],[0.2,0.12]]}"#));
}

#[test]
fn frame_numbers_may_be_any_and_cost_nothing() {
    let text = video(&track(&[boxed("0", 0, 10.0), boxed("4294967295", 0, 20.0)]));
    let all = read(&text, &interpolated()).unwrap();
    assert_eq!(all.taken_over, 2);
    assert_eq!(notes(&all), [("not_interpolated", 1)]);
    let same = video(&track(&[
        boxed("4", 0, 10.0),
        boxed("4", 0, 20.0),
        boxed("0", 0, 0.0),
    ]));
    assert_eq!(read(&same, &interpolated()).unwrap().taken_over, 4);
    for frame in ["-1", "1.5", "4294967296", "x", ""] {
        let text = video(&track(&[boxed(frame, 0, 10.0), boxed("3", 0, 10.0)]));
        let wrong = imported(&text);
        assert_eq!(wrong.skipped[0].code, SkipCode::WrongType, "{frame}");
        assert_eq!((wrong.taken_over, wrong.inputs[0].left_out), (1, 1));
    }
}

#[test]
fn a_video_is_named_after_its_file_or_after_the_labels() {
    let text = "<annotations><meta><task><mode>interpolation</mode></task></meta></annotations>";
    let source = Memory::of([("x/clip.xml", text)]);
    let empty = import(&source, &ImportOptions::default()).unwrap();
    assert_eq!(empty.inputs[0].input.id.as_str(), "x-clip");
    assert_eq!(notes(&empty), [("named_after_file", 1)]);
    let nothing = imported("<annotations><meta/></annotations>");
    assert_eq!(nothing.inputs.len(), 0);
    // Without a size, no place can be converted.
    let unsized_video = imported(&format!(
        "<annotations>{}</annotations>",
        track(&[boxed("0", 0, 1.0)])
    ));
    assert_eq!(unsized_video.skipped[0].code, SkipCode::ImageWithoutSize);
}

#[test]
fn tracks_of_a_project_belong_to_the_videos_of_their_tasks() {
    let task = |id: u8| {
        format!(
            "<task><id>{id}</id><mode>interpolation</mode><source>v{id}.mp4</source>\
             <original_size><width>100</width><height>50</height></original_size></task>"
        )
    };
    let tracks: String = ["1", "2", "3"]
        .map(|id| {
            let place = boxed("0", 0, 10.0);
            format!(r#"<track id="0" label="car" task_id="{id}">{place}</track>"#)
        })
        .concat();
    let text = format!(
        "<annotations><meta><project><labels/><tasks>{}{}</tasks></project></meta>{tracks}</annotations>",
        task(1),
        task(2)
    );
    let mut project = imported(&text);
    assert_eq!((project.annotations, project.taken_over), (3, 2));
    assert_eq!(project.skipped[0].code, SkipCode::UnknownImage);
    let ids: Vec<&str> = project
        .inputs
        .iter()
        .map(|it| it.input.id.as_str())
        .collect();
    assert_eq!(ids, ["v1", "v2"]);
    // The track may belong to either.
    assert_eq!(project.take_incomplete().len(), 2);
}
