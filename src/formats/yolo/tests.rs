mod real;
mod rows;

use super::*;
use crate::formats::account::Media;
use crate::formats::checks::{adds_up, notes, skips};
use crate::formats::input_id::InputIdFrom;
use crate::formats::source::Memory;
use crate::formats::{Format, recognise};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn read(files: &[(&str, &str)]) -> Result<Imported, ImportError> {
    let imported = import(
        &Memory::of(files.iter().copied()),
        &ImportOptions::default(),
    )?;
    assert!(adds_up(&imported));
    Ok(imported)
}

fn imported(files: &[(&str, &str)]) -> Imported {
    read(files).unwrap()
}

fn ids(imported: &Imported) -> Vec<&str> {
    let inputs = imported.inputs.iter();
    inputs.map(|it| it.input.id.as_str()).collect()
}

/// Concepts and places, input by input.
fn content(imported: &Imported) -> Vec<String> {
    let inputs = imported.inputs.iter();
    inputs
        .flat_map(|input| &input.input.annotations)
        .map(|annotation| {
            let content = &annotation.content;
            let place = serde_json::to_string(&content.geometry).unwrap();
            let concepts = content
                .concepts
                .iter()
                .flat_map(crate::model::Concepts::iter);
            let concepts: Vec<String> = concepts
                .map(|it| format!("{} {}", it.id, it.value))
                .collect();
            format!("{} {place}", concepts.join(", "))
        })
        .collect()
}

const YAML: &str = "path: .\ntrain: images/train\nval: images/val\nnames: [car, bus]\n";

#[test]
fn pictures_are_called_by_their_path_below_the_folder_of_their_split() {
    let imported = imported(&[
        ("data.yaml", YAML),
        ("images/train/a.jpg", ""),
        ("images/train/x_jpg.rf.1a2b.jpg", ""),
        ("images/train/bare.jpg", ""),
        ("images/val/b/c.png", ""),
        ("labels/train/a.txt", "0 0.5 0.5 0.5 0.5\n"),
        ("labels/train/x_jpg.rf.1a2b.txt", "\n"),
        ("labels/train/gone.rf.2b.txt", "0.0 0.5 0.5 1 1\r\n"),
        ("labels/val/b/c.txt", "\u{feff}1 0.25 0.25 0.5 0.5 \n"),
        ("labels/other/d.txt", "1 0.25 0.25 0.5 0.5\n"),
    ]);
    assert_eq!(ids(&imported), ["a", "b-c", "gone.rf.2b", "x_jpg.rf.1a2b"]);
    let paths: Vec<Option<&str>> = (imported.inputs.iter())
        .map(|it| it.image.path.as_deref())
        .collect();
    assert_eq!(
        paths,
        [
            Some("images/train/a.jpg"),
            Some("images/val/b/c.png"),
            None,
            Some("images/train/x_jpg.rf.1a2b.jpg")
        ]
    );
    assert_eq!(
        content(&imported),
        [
            r#"car 1 {"box":{"top":0.25,"left":0.25,"bottom":0.75,"right":0.75}}"#,
            r#"bus 1 {"box":{"top":0,"left":0,"bottom":0.5,"right":0.5}}"#,
            r#"car 1 {"box":{"top":0,"left":0,"bottom":1,"right":1}}"#,
        ]
    );
    // No label file, an empty label file, and a label file that the set does not name are three things.
    assert_eq!(
        notes(&imported),
        [("no_label_file", 1), ("unlisted_file", 1)]
    );
    assert!(imported.inputs[3].input.annotations.is_empty());
    assert!(imported.inputs.iter().all(|it| it.media == Media::Image));
    assert_eq!(imported.concepts.len(), 2);
}

#[test]
fn two_pictures_of_one_name_need_their_whole_paths() {
    let files = [
        ("data.yaml", YAML),
        ("labels/train/a.txt", ""),
        ("labels/val/a.txt", ""),
    ];
    let error = read(&files).unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("make the ids unique with --input-id image_id")
    );
    let options = ImportOptions {
        input_id: InputIdFrom::ImageId,
        ..ImportOptions::default()
    };
    let imported = import(&Memory::of(files), &options).unwrap();
    assert_eq!(ids(&imported), ["labels/train/a", "labels/val/a"]);
}

#[test]
fn a_data_yaml_may_have_any_name_and_paths_of_another_machine() {
    let label = ("labels/train/a.txt", "1 0.5 0.5 1 1");
    for yaml in [
        "train: images/train\nnc: 2\nnames: ['car', 'bus']",
        "path: ../datasets/set\ntrain: images/train\nnames:\n  0: car\n  1: bus\n",
        "path: /home/me/set\ntrain: [images/train, images/more]\nnames: {1: bus, 0: car}",
        "train: ../images/train\nval: ~\ntest: # none\nnames: [car, bus]\ndownload: |\n  from x import y\n",
        "path: C:\\data\\set\ntrain: images\\train\nnames: [car, bus]",
        "train: /x/labels/train\nnames: [car, bus]",
        "train: lists/train.txt\nnames: [car, bus]",
    ] {
        let imported = imported(&[
            ("my set.yml", yaml),
            ("lists/train.txt", "./images/train/a.jpg\r\n\r\n"),
            label,
        ]);
        assert_eq!(ids(&imported), ["a"], "{yaml}");
        assert!(content(&imported)[0].starts_with("bus 1 "), "{yaml}");
    }
    let imported = imported(&[("data.yaml", YAML), label]);
    assert_eq!(notes(&imported), [("missing_files", 1)]);
    assert_eq!(imported.notes[0].place, "val: ./images/val");
    assert!(imported.has_losses());
}

#[test]
fn darknet_names_its_files_in_obj_data() {
    let imported = imported(&[
        (
            "obj.data",
            "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
        ),
        ("obj.names", "car\nbus\n"),
        (
            "train.txt",
            "data/obj_train_data/x/a.jpg\ndata/obj_train_data/b.jpg\n",
        ),
        ("obj_train_data/x/a.txt", "1 0.5 0.5 1 1"),
    ]);
    assert_eq!(ids(&imported), ["x-a"]);
    assert_eq!(imported.inputs[0].image.path.as_deref(), Some("x/a.jpg"));
    assert_eq!(notes(&imported), [("no_label_file", 1)]);
}

#[test]
fn plain_folders_need_no_description() {
    for files in [
        &[
            ("classes.txt", "car\nbus"),
            ("labels/train/a.txt", "1 0.5 0.5 1 1"),
            ("images/train/a.JPG", ""),
        ][..],
        &[
            ("labels/classes.txt", "car\nbus"),
            ("labels/a.txt", "1 0.5 0.5 1 1"),
            ("images/a.png", ""),
        ],
        &[
            ("obj.names", "car\r\nbus\r\n"),
            ("a.jpeg", ""),
            ("a.txt", "1 0.5 0.5 1 1"),
        ],
        &[
            ("train/_darknet.labels", "car\nbus"),
            ("valid/_darknet.labels", "car\nbus"),
            ("train/labels/a.txt", "1 0.5 0.5 1 1"),
            ("README.txt", "hello"),
        ],
    ] {
        let imported = imported(files);
        assert_eq!(ids(&imported), ["a"], "{files:?}");
        assert!(content(&imported)[0].starts_with("bus 1 "), "{files:?}");
        assert_eq!(notes(&imported), []);
        let source = Memory::of(files.iter().copied());
        assert_eq!(recognise(&source), [Format::Yolo], "{files:?}");
    }
    let error = read(&[
        ("a/classes.txt", "car"),
        ("a/x.txt", "0 0.5 0.5 1 1"),
        ("b/classes.txt", "bus"),
        ("b/y.txt", "0 0.5 0.5 1 1"),
    ]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "not a YOLO data set: a/classes.txt and b/classes.txt name the classes differently: import each folder on its own"
    );
}

#[test]
fn classes_without_names_are_called_by_their_numbers() {
    let imported = imported(&[("a.txt", "7 0.5 0.5 1 1\n99999999999 0.5 0.5 1 1")]);
    assert_eq!(notes(&imported), [("unnamed_classes", 1)]);
    let concepts: Vec<&str> = imported
        .concepts
        .iter()
        .map(crate::model::ConceptId::as_str)
        .collect();
    assert_eq!(concepts, ["7", "99999999999"]);
    let counted = self::imported(&[
        ("data.yaml", "train: labels\nnc: 80"),
        ("labels/a.txt", "79 0.5 0.5 1 1\n80 0.5 0.5 1 1"),
    ]);
    assert_eq!(
        skips(&counted),
        ["unknown_category: labels/a.txt:2: class 80: the set has 80 classes"]
    );
}

#[test]
fn a_label_file_that_cannot_be_read_costs_its_picture_alone() {
    let files = BTreeMap::from([
        ("classes.txt".to_owned(), b"car".to_vec()),
        ("a.txt".to_owned(), b"0 0.5 0.5 1 1".to_vec()),
        ("b.txt".to_owned(), b"0 0.5 0.5\n\xff 1 1".to_vec()),
    ]);
    let imported = import(&Memory::new(files), &ImportOptions::default()).unwrap();
    assert_eq!(ids(&imported), ["a"]);
    assert_eq!(imported.images, 2);
    assert_eq!(skips(&imported).len(), 1);
    assert!(
        skips(&imported)[0].starts_with("unreadable_file: b.txt:2:1: "),
        "{:?}",
        skips(&imported)
    );
}

#[test]
fn a_wrong_data_yaml_is_an_error_that_names_the_place() {
    let label = ("labels/a.txt", "");
    for (yaml, why) in [
        ("train: labels\nnames: [car", "data.yaml:3:1: "),
        (
            "train: labels\nnames: {car: 0}",
            "not a YOLO data set: data.yaml: `names` has a key that is not a whole number from 0",
        ),
        (
            "train: labels\nnames: {0: car, 00: bus}",
            "two categories have the id \"00\"",
        ),
        (
            "train: labels\nnames: car",
            "not a YOLO data set: data.yaml: `names` is one text",
        ),
        (
            "train: {a: b}\nnames: [car]",
            "not a YOLO data set: data.yaml: `train` is a map",
        ),
        (
            "train: labels\nkpt_shape: [99999999999, 3]",
            "not a YOLO data set: data.yaml: `kpt_shape` is not of the form",
        ),
        (
            "train: /etc\nnames: [car]",
            "not a YOLO data set: there is no label file; train: /etc is not in the folder",
        ),
        (
            "train: ../../x\nnames: [car]",
            "not a YOLO data set: there is no label file; train: ../../x is not in the folder",
        ),
    ] {
        let error = read(&[("data.yaml", yaml), label]).unwrap_err().to_string();
        assert!(error.starts_with(why), "{yaml}: {error}");
    }
    let aliases = format!(
        "train: labels\nx: &x {}\nnames: [{}]",
        "a".repeat(5_000),
        "*x, ".repeat(1_000)
    );
    assert!(read(&[("data.yaml", &aliases), label]).is_err());
}

#[test]
fn only_label_files_are_recognised() {
    for (files, is_yolo) in [
        (&[("a.txt", "0 0.5 0.5 1 1")][..], true),
        (&[("classes.txt", "car"), ("labels/a.txt", "")], true),
        (&[("data.yaml", YAML)], true),
        (
            &[("x.yaml", "set: a\ninputs: []\ntrain: x\nnames: []")],
            false,
        ),
        (&[("a.txt", "Zürich B-LOC")], false),
        (&[("a.txt", "nothing")], false),
        (&[("a.txt", "")], false),
        (&[("a.txt", "2007_000027 1")], false),
        (&[("a.csv", "0 0.5 0.5 1 1")], false),
    ] {
        let source = Memory::of(files.iter().copied());
        assert_eq!(recognises(&source), is_yolo, "{files:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_the_account_adds_up(
        label in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "([0-3]|[a0-9.e-]{1,9})( (0\\.[0-9]|[0-2]|-?[0-9.e]{1,6}|NaN|inf)){0,12}\n{0,2}".prop_map(String::into_bytes),
        ],
        yaml in prop_oneof![
            Just(YAML.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..60),
            "(path|train|val|names|nc|kpt_shape): (labels|\\.\\./x|/|\\[[0-9, ]{0,6}\\]|\\{0: a\\}|&a|\\*a)\n".prop_map(String::into_bytes),
        ],
        list in "([a-z./\\\\:]{0,12}\n){0,3}",
    ) {
        let files = [
            ("data.yaml", yaml.clone()),
            ("obj.data", yaml),
            ("train.txt", list.into_bytes()),
            ("labels/train/a.txt", label.clone()),
            ("labels/val/b.txt", label.clone()),
            ("c.txt", label),
        ];
        let files = files.map(|(path, bytes)| (path.to_owned(), bytes));
        for from in 0..files.len() {
            let source = Memory::new(files[from..].iter().cloned().collect());
            recognises(&source);
            if let Ok(imported) = import(&source, &ImportOptions::default()) {
                assert!(adds_up(&imported));
            }
        }
    }
}
