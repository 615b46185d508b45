//! The manifest's schema accepts what the parser accepts, and has the same keys.

use super::{MANIFEST, of_an_input, yaml};
use crate::cli::{World, folder_of, kinds};
use crate::support::{boxed, whole};
use annosync::manifest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const HEADER: &str = "version: 1\nset: street\npolicy: sync\n";
const MASK: &[u8] = include_bytes!("../../../examples/quickstart/labels/masks/road.png");
const TEXT: &[u8] = "The road to Geneva was dry, said Zoë.\n".as_bytes();

/// Reads a manifest of these files, with a mask and a text in its folder.
pub(super) fn parse(files: &[(&str, &str)]) -> Result<manifest::Manifest, manifest::Problems> {
    let files = files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
    let named = [("masks/road.png", MASK), ("a.txt", TEXT)];
    let named = named.map(|(path, bytes)| (PathBuf::from(path), bytes.to_vec()));
    manifest::parse_with(files.collect(), named.to_vec())
}

fn accepts_file(path: &str, text: &str) {
    if Path::new(path)
        .extension()
        .is_some_and(|end| end == "jsonl")
    {
        let input = of_an_input();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            input.accepts_yaml(line);
        }
    } else {
        MANIFEST.accepts_yaml(text);
    }
}

/// Every file of a manifest below this folder.
fn accepts_files(folder: &Path) -> usize {
    manifest::load(folder).unwrap();
    let files = folder_of(folder);
    let of_a_manifest = files.iter().filter(|(path, _)| {
        let extension = Path::new(path).extension().and_then(|it| it.to_str());
        extension.is_some_and(|it| ["yaml", "yml", "json", "jsonl"].contains(&it))
    });
    of_a_manifest
        .map(|(path, text)| accepts_file(path, text))
        .count()
}

#[test]
fn the_schema_accepts_the_quickstart() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    assert!(accepts_files(&example) >= 5);
}

#[test]
fn the_schema_accepts_every_documented_kind() {
    for [name, annotation, _] in kinds() {
        let text = format!("{HEADER}inputs: [{{ id: a, annotations: [{annotation}] }}]\n");
        parse(&[("m.yaml", &text)]).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        MANIFEST.accepts_yaml(&text);
    }
}

#[test]
fn the_schema_accepts_the_manifests_of_the_readme() {
    let readme = include_str!("../../../README.md");
    let blocks: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .filter(|block| block.contains("version: 1") || block.contains("inputs:"))
        .collect();
    assert!(blocks.len() >= 2, "{blocks:?}");
    for block in blocks {
        MANIFEST.accepts_yaml(block);
    }
}

#[test]
fn the_schema_accepts_pulled_manifests() {
    for format in ["yaml", "jsonl"] {
        let world = World::new();
        world.seed(vec![
            whole("in-1", "one", &[("car", 1.0), ("no", 0.5), ("1_000", 0.0)]),
            boxed("in-1", "two", [0.1, 0.2, 0.5, 0.6], &["car"]),
            boxed("in-2", "three", [0.0, 0.0, 1.0, 1.0], &["null"]),
        ]);
        let pull = ["pull", "labels", "--set", "street", "--format", format];
        let run = world.on_app(&pull);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(accepts_files(&world.path().join("labels")) >= 1);
    }
}

#[test]
fn the_schema_accepts_imported_manifests() {
    let world = World::new();
    let coco = json!({
        "images": [{"id": 1, "file_name": "street/a.jpg", "width": 200, "height": 100}],
        "categories": [{"id": 1, "name": "Street Light"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 40, 30], "segmentation": []},
            {"id": 2, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 200, 0, 100, 100]]},
        ],
    });
    world.write("coco.txt", &coco.to_string());
    let import = ["import", "coco", "coco.txt", "--out", "labels"];
    world.run(&import).exits(0);
    assert!(accepts_files(world.path()) >= 2);
}

#[test]
fn the_schema_accepts_the_valid_manifests_of_the_fuzz_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/manifest");
    let mut refused = Vec::new();
    let mut taken = 0;
    let input = of_an_input();
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        // A byte order mark does not belong to the text.
        let text = text.trim_start_matches('\u{feff}');
        let mut hold = |values: Vec<Value>, held: &super::SchemaCheck| {
            for value in values {
                taken += 1;
                if let Some(wrong) = held.refuses(&value) {
                    refused.push(format!("{}: {wrong}\n{value}", path.display()));
                }
            }
        };
        if parse(&[("annosync.yaml", text)]).is_ok() {
            hold(vec![yaml(text)], &MANIFEST);
        }
        for extension in ["yaml", "json"] {
            let beside = format!("a.{extension}");
            if parse(&[("annosync.yaml", HEADER), (&beside, text)]).is_ok() {
                hold(vec![yaml(text)], &MANIFEST);
            }
        }
        if parse(&[("annosync.yaml", HEADER), ("a.jsonl", text)]).is_ok() {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            hold(lines.map(yaml).collect(), &input);
        }
    }
    assert!(taken > 20, "{taken}");
    assert!(refused.is_empty(), "{}", refused.join("\n\n"));
}

/// The keys that the parser lists as allowed when it rejects `zz`.
fn allowed(files: &[(&str, &str)]) -> BTreeSet<String> {
    let problems = parse(files).unwrap_err();
    let about = |problem: &&manifest::Problem| problem.message.starts_with("unknown key `zz`");
    let problem = problems
        .iter()
        .find(about)
        .unwrap_or_else(|| panic!("{problems}"));
    let hint = problem.hint.as_deref().unwrap();
    let (_, words) = hint.split_once("allowed: ").unwrap();
    words
        .split(", ")
        .map(|word| word.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn the_schema_has_exactly_the_keys_of_the_parser() {
    let schema = super::parsed(annosync::schemas::MANIFEST);
    let keys = |pointer: &str| -> BTreeSet<String> {
        let properties = schema
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer}"));
        properties.as_object().unwrap().keys().cloned().collect()
    };
    let of_header = |text: &str| allowed(&[("m.yaml", &format!("{HEADER}{text}\ninputs: []\n"))]);
    let of_input = |text: &str| {
        allowed(&[(
            "m.yaml",
            &format!("{HEADER}inputs: [{{ id: a, annotations: [], {text} }}]\n"),
        )])
    };
    let in_annotation = |text: &str| {
        allowed(&[(
            "m.yaml",
            &format!("{HEADER}inputs: [{{ id: a, annotations: [{{ {text} }}] }}]\n"),
        )])
    };
    for (known, pointer) in [
        (of_header("zz: 1"), "/properties"),
        (of_header("guards: { zz: 1 }"), "/$defs/guards/properties"),
        (
            of_header("targets: { a: { zz: 1 } }"),
            "/$defs/target/properties",
        ),
        (of_input("zz: 1"), "/$defs/input/properties"),
        (of_input("image: { zz: 1 }"), "/$defs/image/properties"),
        (of_input("text: { zz: 1 }"), "/$defs/input_text/properties"),
        (in_annotation("zz: 1"), "/$defs/annotation/properties"),
        (in_annotation("box: { zz: 1 }"), "/$defs/box/properties"),
        (in_annotation("mask: { zz: 1 }"), "/$defs/mask/properties"),
        (in_annotation("span: { zz: 1 }"), "/$defs/span/properties"),
        (
            in_annotation("segment: { zz: 1 }"),
            "/$defs/segment/properties",
        ),
        (in_annotation("frame: { zz: 1 }"), "/$defs/frame/properties"),
        (
            in_annotation("region: { zz: 1 }"),
            "/$defs/region/anyOf/1/properties",
        ),
        (
            in_annotation("region: { nearest: { zz: 1 } }"),
            "/$defs/region/anyOf/1/properties/nearest/properties",
        ),
    ] {
        assert_eq!(known, keys(pointer), "{pointer}");
    }
}

#[test]
fn every_map_with_keys_rejects_other_keys() {
    fn check(schema: &Value, at: &str) {
        match schema {
            Value::Object(fields) => {
                let is_map = fields.get("type") == Some(&json!("object"));
                if is_map && !at.contains("/examples") {
                    assert!(fields.contains_key("additionalProperties"), "{at}");
                }
                for (name, value) in fields {
                    check(value, &format!("{at}/{name}"));
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| check(element, at)),
            _ => {}
        }
    }
    check(&super::parsed(annosync::schemas::MANIFEST), "#");
}

#[test]
fn the_examples_in_the_schema_are_valid() {
    fn check(schema: &Value, definitions: &Value) {
        match schema {
            Value::Object(fields) => {
                if let Some(Value::Array(examples)) = fields.get("examples") {
                    let mut alone = schema.clone();
                    alone["$defs"] = definitions.clone();
                    let held = super::SchemaCheck::to(&alone);
                    for example in examples {
                        held.accepts(example);
                    }
                }
                for (name, value) in fields {
                    if name != "examples" {
                        check(value, definitions);
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|it| check(it, definitions)),
            _ => {}
        }
    }
    let schema = super::parsed(annosync::schemas::MANIFEST);
    check(&schema, &schema["$defs"]);
}
