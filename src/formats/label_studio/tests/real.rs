//! Real exports, if they are present.

use super::*;

fn real(path: &str) -> Option<Imported> {
    let file = Memory::real(&format!("label-studio/{path}"))?;
    assert!(recognises(&file));
    let imported = import(&file, &ImportOptions::default()).unwrap();
    let skipped = imported.skipped.iter().filter(|it| it.annotation.is_some());
    assert_eq!(imported.taken_over + skipped.count(), imported.annotations);
    Some(imported)
}

#[test]
fn every_result_of_the_real_images_is_imported() {
    let (Some(full), Some(min)) = (real("images/json.json"), real("images/json_min.json")) else {
        return;
    };
    for (imported, images) in [(&full, 12), (&min, 11)] {
        assert_eq!((imported.images, imported.inputs.len()), (images, 10));
        assert_eq!((imported.annotations, imported.taken_over), (79, 79));
    }
    let notes = [
        ("rotated_box", 1),
        ("ellipse", 1),
        ("not_annotated", 1),
        ("predictions_left_out", 1),
        ("several_annotators", 1),
    ];
    let expected: Vec<_> = [("skipped_task", 1)].into_iter().chain(notes).collect();
    assert_eq!(codes(&full), expected);
    // JSON_MIN has no predictions and no skipped tasks.
    let lost = ["skipped_task", "predictions_left_out"];
    let expected: Vec<_> = (expected.into_iter())
        .filter(|(code, _)| !lost.contains(code))
        .collect();
    assert_eq!(codes(&min), expected);
    let sorted = |imported: &Imported| {
        let mut all: Vec<_> = (imported.inputs.iter())
            .flat_map(|input| {
                let id = input.input.id.as_str();
                (input.input.annotations.iter())
                    .map(move |it| format!("{id} {}", serde_json::to_string(&it.content).unwrap()))
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&full), sorted(&min));
    assert!(
        sorted(&full).contains(&r#"bccd-BloodImage_00003 {"concepts":{"blurred":1}}"#.to_owned())
    );
    let empty = full
        .inputs
        .iter()
        .find(|it| it.input.annotations.is_empty());
    assert_eq!(empty.unwrap().input.id.as_str(), "bccd-BloodImage_00006");
}

#[test]
fn every_span_of_the_real_texts_is_where_its_text_is() {
    for path in ["texts/json.json", "texts/json_min.json"] {
        let Some(imported) = real(path) else {
            return;
        };
        assert_eq!(
            (imported.inputs.len(), imported.taken_over),
            (3, 11),
            "{path}"
        );
        assert_eq!(codes(&imported), [], "{path}");
        let spans = annotations(&imported);
        let spans = spans.iter().filter_map(|it| match &it.content.geometry {
            Some(Geometry::Span(span)) => span.text().map(str::to_owned),
            _ => None,
        });
        assert_eq!(
            spans.collect::<Vec<_>>(),
            [
                "Zürich",
                "Ada Lovelace",
                "Charles Babbage",
                "London",
                "東京",
                "NASA",
                "Marie Curie",
                "Paris"
            ]
        );
    }
}

#[test]
fn every_key_frame_of_the_real_video_is_imported() {
    for path in ["video/json.json", "video/json_min.json"] {
        let Some(imported) = real(path) else {
            return;
        };
        assert_eq!(
            (imported.inputs.len(), imported.taken_over),
            (1, 4),
            "{path}"
        );
        assert_eq!(codes(&imported), [], "{path}");
        assert_eq!(imported.inputs[0].media, Media::Video);
        let frames: Vec<(u32, u64)> = (annotations(&imported).iter())
            .map(|it| it.content.frame.map(|it| (it.number, it.time_ms)).unwrap())
            .collect();
        assert_eq!(frames, [(0, 0), (10, 400), (30, 1200), (40, 1600)]);
    }
}
