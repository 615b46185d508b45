//! Ids of inputs.

use super::*;

#[test]
fn inputs_are_sorted_and_an_image_without_annotations_is_one() {
    let imported = imported(&images(&["b.tar.gz", "./x/a.png", "c", ".hidden"]));
    assert_eq!(ids(&imported), [".hidden", "b.tar", "c", "x-a"]);
    assert!(
        imported
            .inputs
            .iter()
            .all(|i| i.input.annotations.is_empty())
    );
}

#[test]
fn an_images_id_does_not_depend_on_other_images() {
    let names = ["1/a.jpg", "2\\a.jpg", "a.jpg", "x/5/d.jpg"];
    assert_eq!(
        ids(&imported(&images(&names))),
        ["1-a", "2-a", "a", "x-5-d"]
    );
    for (name, id) in [("1/a.jpg", "1-a"), ("2\\a.jpg", "2-a"), ("a.jpg", "a")] {
        assert_eq!(ids(&imported(&images(&[name]))), [id]);
    }
}

#[test]
fn images_with_the_same_id_are_an_error_that_names_both() {
    let error = |json: &str, input_id| {
        let options = ImportOptions {
            input_id,
            ..ImportOptions::default()
        };
        read(json, &options).unwrap_err().to_string()
    };
    assert_eq!(
        error(&images(&["1/a.jpg", "1/a.png"]), InputIdFrom::Path),
        r#""1/a.jpg" and "1/a.png" would both be the input "1-a""#
    );
    assert_eq!(
        error(
            &images(&["x/y-a.jpg", "x-y/a.jpg", "a.jpg", "y-a.jpg"]),
            InputIdFrom::Path
        ),
        r#""x/y-a.jpg" and "x-y/a.jpg" would both be the input "x-y-a""#
    );
    assert_eq!(
        error(&images(&["a.jpg", "a.jpg"]), InputIdFrom::FileName),
        r#""a.jpg" and "a.jpg" would both be the input "a.jpg""#
    );
    let twice = r#"{"images": [{"id": 1, "file_name": "a"}, {"id": "1", "file_name": "b"}],
        "annotations": [], "categories": []}"#;
    assert_eq!(
        error(twice, InputIdFrom::FileName),
        r#"two images have the id "1": "a" and "b""#
    );
    assert_eq!(
        error(twice, InputIdFrom::ImageId),
        r#""a" and "b" would both be the input "1""#
    );
    let categories = r#"{"images": [], "annotations": [],
        "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "a"}, {"id": "1", "name": "b"}]}"#;
    assert_eq!(
        error(categories, InputIdFrom::FileName),
        r#"two categories have the id "1": "a" and "b""#
    );
}

#[test]
fn inputs_can_be_named_after_file_names_and_ids() {
    let file = images(&["1/a.jpg", "2/b.jpg"]);
    let named = |input_id| {
        let options = ImportOptions {
            input_id,
            images: Some("pictures/".to_owned()),
            ..ImportOptions::default()
        };
        read(&file, &options).unwrap()
    };
    assert_eq!(ids(&named(InputIdFrom::FileName)), ["1/a.jpg", "2/b.jpg"]);
    let by_id = named(InputIdFrom::ImageId);
    assert_eq!(ids(&by_id), ["0", "1"]);
    assert_eq!(
        by_id.inputs[0].image.path.as_deref(),
        Some("pictures/1/a.jpg")
    );
}

#[test]
fn an_error_about_equal_ids_names_usable_choices() {
    let hint = |images: &str, input_id| {
        let json = format!(r#"{{"images": [{images}], "annotations": [], "categories": []}}"#);
        let options = ImportOptions {
            input_id,
            ..ImportOptions::default()
        };
        let error = read(&json, &options).unwrap_err();
        error.hint().unwrap()
    };
    let [a, b] = [
        r#"{"id": 1, "file_name": "x/1.jpg"}"#,
        r#"{"id": 2, "file_name": "x/1.png"}"#,
    ];
    assert_eq!(
        hint(&format!("{a}, {b}"), InputIdFrom::Path),
        "make the ids unique with --input-id file_name or image_id"
    );
    let url = r#"{"id": 2, "file_name": "https://b.example/x/y/1.png"}"#;
    let other = r#"{"id": 2, "file_name": "https://b.example/1.png"}"#;
    assert_eq!(
        hint(&format!("{url}, {other}"), InputIdFrom::Path),
        "make the ids unique with --input-id whole_path or file_name"
    );
    assert_eq!(
        hint(&format!("{a}, {a}"), InputIdFrom::Path),
        "every choice of --input-id gives some images the same id: give each its own name or id"
    );
}
