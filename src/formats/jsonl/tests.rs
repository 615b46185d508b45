use super::*;
use crate::formats::checks::{adds_up, codes};
use crate::formats::source::Memory;
use crate::model::Concepts;
use proptest::prelude::*;

fn read(files: &[(&str, &str)]) -> Imported {
    let source = Memory::of(files.iter().copied());
    assert!(recognises(&source), "{files:?}");
    let imported = import(&source, &ImportOptions::default()).unwrap();
    assert!(adds_up(&imported));
    imported
}

#[test]
fn annotations_of_every_kind_stay_as_they_are() {
    let annotations = [
        r#"{"box":{"top":0.1,"left":0.2,"bottom":0.3,"right":0.4},"concepts":{"car":0.25},"metadata":{"part_of":"x","n":[1]}}"#,
        r#"{"polygon":[[0,0],[0,1],[1,0.5]],"concepts":{"car":1},"status":"pending"}"#,
        r#"{"point":[0.5,0.25],"concepts":{}}"#,
        r#"{"concepts":{"night":0},"user":"ada"}"#,
        r#"{"frame":{"time_ms":40,"number":1},"box":{"top":0,"left":0,"bottom":1,"right":1},"track":"t"}"#,
        r#"{"segment":{"begin":1,"end":2.5},"info":{"a":1}}"#,
    ];
    let line = format!(
        r#"{{"id": "My Input", "image": {{"path": "../images/a.jpg", "width": 20, "height": 10}}, "annotations": [{}]}}"#,
        annotations.join(", ")
    );
    let imported = read(&[("labels/a.jsonl", &format!("{line}\r\n"))]);
    assert_eq!(imported.skipped, []);
    assert_eq!(imported.notes, []);
    let input = &imported.inputs[0];
    assert_eq!(input.input.id.as_str(), "My Input");
    assert_eq!(input.image.path.as_deref(), Some("../images/a.jpg"));
    assert_eq!(input.image.size, Some((20, 10)));
    let expected = crate::manifest::lines(&line)
        .next()
        .unwrap()
        .read()
        .unwrap();
    let expected: Vec<Content> = expected.annotations.into_iter().map(|it| it.1).collect();
    let found: Vec<Content> = (input.input.annotations.iter())
        .map(|it| it.content.clone())
        .collect();
    assert_eq!(found, expected);
    assert_eq!(found[2].concepts, Some(Concepts::default()));
}

#[test]
fn keys_stay_and_ids_are_left_out_with_a_note() {
    let imported = read(&[(
        "a.jsonl",
        r#"{"id": "a", "annotations": [{"key": "k", "point": [0, 0]}, {"id": "i", "point": [0, 1]}, {"point": [1, 1]}]}"#,
    )]);
    assert_eq!(codes(&imported), [("state_left_out", 1)]);
    assert_eq!(imported.taken_over, 3);
    let annotations = imported.inputs[0].input.annotations.iter();
    let identities: Vec<&Identity> = annotations.map(|it| &it.identity).collect();
    let key = Identity::Key(crate::model::Key::new("k").unwrap());
    assert_eq!(identities, [&key, &Identity::Content, &Identity::Content]);
}

#[test]
fn masks_and_texts_are_read_through_the_source() {
    let mut bitmap = crate::formats::bitmap::Bitmap::new(4, 2).unwrap();
    bitmap.set(1, 1);
    let mask = bitmap.mask().unwrap();
    let lines = r#"{"id": "a", "annotations": [{"mask": {"path": "masks/a.png"}}, {"mask": {"path": "../../x.png"}}, {"mask": {"path": "none.png"}}]}
{"id": "b", "text": {"path": "b.txt"}, "annotations": [{"span": {"start": 3, "end": 6}}, {"span": {"start": 3, "end": 9}}]}
{"id": "c", "text": {"raw": "a cat"}, "annotations": [{"span": {"start": 2, "end": 5, "text": "dog"}}]}
{"id": "d", "text": {"path": "../../../etc/passwd"}, "annotations": [{"span": {"start": 3, "end": 6}}]}
"#;
    let source = Memory::new(
        [
            ("l/a.jsonl".to_owned(), lines.as_bytes().to_vec()),
            ("l/masks/a.png".to_owned(), mask.png().unwrap().to_vec()),
            ("l/b.txt".to_owned(), b"a\r\n cat".to_vec()),
        ]
        .into(),
    );
    let imported = import(&source, &ImportOptions::default()).unwrap();
    assert!(adds_up(&imported));
    let expected = [("wrong_type", 3), ("image_left_out", 1), ("wrong_mask", 2)];
    assert_eq!(codes(&imported), expected);
    let geometry = |input: usize| imported.inputs[input].input.annotations[0].geometry();
    assert_eq!(geometry(0), &Geometry::Mask(Box::new(mask)));
    let Geometry::Span(span) = geometry(1) else {
        panic!("a span");
    };
    assert_eq!(span.text(), Some("cat"));
    assert_eq!(imported.inputs[1].media, Media::Text("a\n cat".to_owned()));
}

#[test]
fn one_wrong_line_does_not_cost_the_others() {
    let imported = read(&[(
        "a.jsonl",
        "{\"id\": \"a\", \"annotations\": [{\"point\": [2, 0]}, {\"point\": [0, 0]}]}\n\
         {\"id\": \"b\"}\n{\"annotations\": []}\n{\"id\": \"c\", \"purge\": true}\nno\n{\"id\": \"d\", \"annot",
    )]);
    assert_eq!(codes(&imported), [("wrong_type", 6)]);
    assert_eq!((imported.inputs.len(), imported.inputs[0].left_out), (1, 1));
    let places: Vec<_> = imported
        .skipped
        .iter()
        .map(|it| it.image.clone().unwrap())
        .collect();
    assert_eq!(
        places,
        ["a", "b", "a.jsonl:3", "c", "a.jsonl:5", "a.jsonl:6"]
    );
    let twice = "{\"id\": \"a\", \"annotations\": []}\n{\"id\": \"a\", \"annotations\": []}";
    let error = import(&Memory::of([("a.jsonl", twice)]), &ImportOptions::default());
    assert!(matches!(error, Err(ImportError::SameInput { .. })));
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        at in 0_usize..200,
    ) {
        let mut line = br#"{"id": "a", "text": {"raw": "abc"}, "annotations": [{"span": {"start": 0, "end": 1}}, {"box": {"top": 0, "left": 0, "bottom": 1, "right": 1}}]}"#.to_vec();
        let at = at % line.len();
        line.splice(at..(at + bytes.len()).min(line.len()), bytes);
        let source = Memory::new([("a.jsonl".to_owned(), line)].into());
        let _ = recognises(&source);
        if let Ok(imported) = import(&source, &ImportOptions::default()) {
            prop_assert!(adds_up(&imported));
        }
    }
}

#[test]
fn an_export_comes_back_with_masks_and_texts() {
    use crate::formats::account::ImageInfo;
    use crate::formats::writer::{ExportAnnotation, ExportInput};
    let mut bitmap = crate::formats::bitmap::Bitmap::new(4, 2).unwrap();
    bitmap.set(1, 1);
    let input = |id: &str, media: Media, geometry: Geometry, split: Option<&str>| ExportInput {
        id: crate::model::InputId::new(id).unwrap(),
        media,
        image: ImageInfo::default(),
        annotations: vec![ExportAnnotation {
            identity: crate::model::Identity::Content,
            name: "it".to_owned(),
            content: Content {
                geometry: Some(geometry),
                ..Content::default()
            },
        }],
        split: split.map(str::to_owned),
    };
    let mask = || Geometry::Mask(Box::new(bitmap.mask().unwrap()));
    let span = crate::model::Span::new(0, 1, Some("a".into())).unwrap();
    let text = Media::Text("a\r\nb".to_owned());
    let inputs = [
        input("../x", Media::Image, mask(), Some("val")),
        input("y/../x", Media::Image, mask(), None),
        input("t", text, Geometry::Span(Box::new(span)), None),
    ];
    let exported = export(&inputs, &[]);
    assert_eq!((exported.written, exported.skipped.len()), (3, 0));
    let names: Vec<&str> = exported.files.iter().map(|it| it.0.as_str()).collect();
    let expected = [
        "masks/x-1.png",
        "masks/x-1-2.png",
        "inputs.jsonl",
        "inputs_val.jsonl",
    ];
    assert_eq!(names, expected);
    let source = Memory::new(exported.files.into_iter().collect());
    let back = import(&source, &ImportOptions::default()).unwrap();
    assert_eq!(codes(&back), []);
    for input in &inputs {
        let same = back
            .inputs
            .iter()
            .find(|it| it.input.id == input.id)
            .unwrap();
        assert_eq!(same.media, input.media);
        assert_eq!(
            same.input.annotations[0].content,
            input.annotations[0].content
        );
    }
}
