//! Which results are about one region, and about one picture of a task.

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "tests write a literal")]
fn about(to: &str, id: &str, kind: &str, value: Value) -> Value {
    json!({"id": id, "from_name": "tag", "to_name": to, "type": kind, "value": value})
}

fn boxed(to: &str, id: &str, x: u32, label: &str) -> Value {
    let value = json!({"x": x, "y": 0, "width": 50, "height": 50, "rectanglelabels": [label]});
    about(to, id, "rectanglelabels", value)
}

fn of_data(data: &Value, results: &Value) -> Imported {
    let text = json!([{"id": 7, "data": data, "annotations": work(results)}]).to_string();
    read(&text, &ImportOptions::default())
}

/// The inputs with the concepts of their annotations.
fn concepts(imported: &Imported) -> Vec<(String, Vec<String>)> {
    let inputs = imported.inputs.iter();
    inputs
        .map(|it| {
            let all = it.input.annotations.iter();
            let names = all.flat_map(|it| it.content.concepts.iter().flat_map(|all| all.iter()));
            let names = names.map(|it| it.id.to_string()).collect();
            (it.input.id.to_string(), names)
        })
        .collect()
}

fn expected(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    let owned = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    all.iter()
        .map(|(id, names)| ((*id).to_owned(), owned(names)))
        .collect()
}

#[test]
fn results_with_one_id_and_different_places_are_two_annotations() {
    let said = about("img", "r1", "textarea", json!({"text": ["AB 12"]}));
    let imported = of_results(&json!([
        said,
        boxed("img", "r1", 0, "car"),
        boxed("img", "r1", 10, "bus"),
        about(
            "img",
            "r1",
            "choices",
            json!({"x": 10.0, "y": 0, "width": 50, "height": 50, "rotation": 0, "choices": ["red"]})
        ),
    ]));
    assert_eq!(codes(&imported), []);
    assert_eq!(
        written(&imported),
        [
            r#"{"box":{"top":0,"left":0,"bottom":0.5,"right":0.5},"concepts":{"car":1},"metadata":{"tag":"AB 12"}}"#,
            r#"{"box":{"top":0,"left":0.1,"bottom":0.5,"right":0.6},"concepts":{"bus":1,"red":1}}"#,
        ]
    );
    let track = |x: u32| {
        let value = json!({"labels": ["car"], "sequence": [{"frame": 1, "time": 0.04, "x": x, "y": 0, "width": 5, "height": 5}]});
        about("video", "t", "videorectangle", value)
    };
    let imported = of_data(&json!({"video": "a.mp4"}), &json!([track(0), track(10)]));
    let tracks: Vec<_> = annotations(&imported)
        .iter()
        .map(|it| it.content.track())
        .collect();
    assert_eq!(tracks, [Some("t"), Some("t-2")]);
}

#[test]
fn results_are_about_the_picture_that_their_tag_shows() {
    let results = json!([
        boxed("image2", "r2", 0, "bus"),
        boxed("image", "r1", 0, "car")
    ]);
    let pictures = json!({"image": "a.jpg", "image2": "b.jpg"});
    let imported = of_data(&pictures, &results);
    assert_eq!(codes(&imported), []);
    assert_eq!(
        concepts(&imported),
        expected(&[("a", &["car"]), ("b", &["bus"])])
    );
    // The first picture has no results.
    let imported = of_data(&pictures, &json!([results[0]]));
    assert_eq!(concepts(&imported), expected(&[("b", &["bus"])]));
}

#[test]
fn a_tag_with_a_name_of_its_own_shows_the_only_value_of_its_kind() {
    let results = json!([
        boxed("img", "r1", 0, "car"),
        about(
            "words",
            "s1",
            "labels",
            json!({"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]})
        ),
    ]);
    let imported = of_data(
        &json!({"caption": "Ada", "url": "pictures/a.jpg"}),
        &results,
    );
    assert_eq!(codes(&imported), []);
    assert_eq!(
        concepts(&imported),
        expected(&[("pictures-a", &["car"]), ("task-7", &["PER"])])
    );
    // A second text of a task has a name of its own.
    let results = json!([
        about(
            "text",
            "s1",
            "labels",
            json!({"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]})
        ),
        about(
            "more",
            "s2",
            "labels",
            json!({"start": 0, "end": 3, "text": "Bob", "labels": ["PER"]})
        ),
    ]);
    let imported = of_data(&json!({"text": "Ada", "more": "Bob"}), &results);
    assert_eq!(codes(&imported), []);
    assert_eq!(
        concepts(&imported),
        expected(&[("task-7", &["PER"]), ("task-7-more", &["PER"])])
    );
}

#[test]
fn results_of_a_tag_that_is_not_known_leave_the_task_incomplete() {
    let pictures = json!({"left": "a.jpg", "right": "b.jpg"});
    let both = json!([boxed("one", "r1", 0, "car"), boxed("two", "r2", 0, "bus")]);
    let mut imported = of_data(&pictures, &both);
    assert_eq!(codes(&imported), [("unknown_image", 2)]);
    assert_eq!(imported.take_incomplete().len(), 1);
    assert_eq!(imported.inputs, []);
    let known = json!([boxed("right", "r1", 0, "car"), boxed("two", "r2", 0, "bus")]);
    let imported = of_data(
        &json!({"left": "a.jpg", "right": "b.jpg", "more": "c.jpg"}),
        &known,
    );
    assert_eq!(codes(&imported), [("unknown_image", 1)]);
    assert_eq!(concepts(&imported), expected(&[("b", &["car"])]));
    assert_eq!(imported.inputs[0].left_out, 1);
}

#[test]
fn a_picture_on_which_others_alone_worked_is_not_called_unannotated() {
    let work = |by: u32| json!([{"id": 1, "completed_by": by, "result": []}]);
    let text = json!([
        {"id": 1, "data": {"image": "a.jpg"}, "annotations": work(1)},
        {"id": 2, "data": {"image": "b.jpg"}, "annotations": work(2)},
    ]);
    let options = ImportOptions {
        annotator: Some("1".to_owned()),
        ..ImportOptions::default()
    };
    let imported = read(&text.to_string(), &options);
    assert_eq!(codes(&imported), [("other_annotator", 1)]);
    assert_eq!(concepts(&imported), expected(&[("a", &[])]));
}

#[test]
fn a_task_without_a_picture_is_told_by_its_data() {
    let imported = of_data(&json!({"rows": [1]}), &json!([]));
    assert_eq!(codes(&imported), [("image_without_name", 1)]);
    let detail = "no value of its `data` is a picture, a video or a text";
    assert_eq!(imported.skipped[0].detail, detail);
    let imported = of_data(&json!({"text": "a", "annosync_input": ""}), &json!([]));
    assert_eq!(codes(&imported), [("invalid_input_id", 1)]);
}
