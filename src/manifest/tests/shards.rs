//! Manifests of which one shard is kept.

use crate::manifest::{FileAccess, Manifest, Overlay, Problems, load, load_shard, no_index};
use crate::model::{InputId, Shard};
use std::fs;
use std::path::Path;

const HEADER: &str = "version: 1\nset: street\npolicy: sync\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn of_shard(folder: &Path, shard: &str) -> Result<Manifest, Problems> {
    let shard: Shard = shard.parse().unwrap();
    let overlay = Overlay::new();
    load_shard(folder, &overlay, FileAccess::Folder, &no_index, Some(shard))
}

fn messages(problems: &Problems) -> String {
    problems.to_string()
}

/// Inputs, one a line, with an annotation each.
fn lines(inputs: std::ops::Range<u32>) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for at in inputs {
        let annotation = format!("{{\"concepts\":[\"c{at}\"]}}");
        writeln!(
            text,
            "{{\"id\":\"in-{at}\",\"annotations\":[{annotation}]}}"
        )
        .unwrap();
    }
    text
}

#[test]
fn the_shards_of_a_manifest_are_the_whole() {
    let (a, b) = (lines(0..30), lines(30..50));
    let yaml = "inputs:\n  - id: x\n    annotations: [{ key: k, concepts: [car] }]\n  - { id: y, annotations: [] }\n";
    let folder = folder(&[
        ("annosync.yaml", HEADER),
        ("a.jsonl", &a),
        ("b.jsonl", &b),
        ("c.yaml", yaml),
    ]);
    let whole = load(folder.path()).unwrap();
    let mut inputs = Vec::new();
    for index in 0..4 {
        let part = of_shard(folder.path(), &format!("{index}/4")).unwrap();
        assert_eq!(part.hash, whole.hash);
        let others = part.shard.unwrap();
        let of_part = part.desired.inputs.len();
        assert_eq!(of_part as u64 + others.inputs, 52);
        let annotations: usize = part
            .desired
            .inputs
            .iter()
            .map(|it| it.annotations.len())
            .sum();
        assert_eq!(annotations as u64 + others.annotations, 51);
        assert_eq!(others.concepts.len(), 51 - annotations);
        inputs.extend(part.desired.inputs);
    }
    inputs.sort_by(|a, b| a.id.cmp(&b.id));
    // Also where each was declared.
    assert_eq!(inputs, whole.desired.inputs);
}

#[test]
fn problems_of_other_shards_are_found_as_in_the_whole() {
    let twice = lines(0..8) + &lines(5..6);
    let broken = lines(0..8).replace("\"c5\"", "7");
    let unknown = lines(0..8);
    let id = crate::model::key_id(
        &crate::model::SetName::new("street").unwrap(),
        &InputId::new("z").unwrap(),
        &crate::model::Key::new("k").unwrap(),
    );
    let derived = format!(
        "{}{{\"id\":\"z\",\"annotations\":[{{\"key\":\"k\",\"concepts\":[\"c0\"]}},{{\"id\":\"{id}\"}}]}}\n",
        lines(0..8)
    );
    let mask = "{\"id\":\"z\",\"annotations\":[{\"mask\":{\"path\":\"none.png\"},\"concepts\":[\"car\"]}]}\n";
    let vocabulary = format!("{HEADER}vocabulary: [c0, c1, c2, c3, c4, c6, c7]\n");
    for (header, text, why) in [
        (HEADER, twice.as_str(), "duplicate input `in-5`"),
        (HEADER, broken.as_str(), "a.jsonl:6:"),
        (
            vocabulary.as_str(),
            unknown.as_str(),
            "the concept `c5` is not in the vocabulary",
        ),
        (
            HEADER,
            derived.as_str(),
            "is the id of an annotation with a `key`",
        ),
        (HEADER, mask, "none.png"),
    ] {
        let folder = folder(&[("annosync.yaml", header), ("a.jsonl", text)]);
        let whole = messages(&load(folder.path()).unwrap_err());
        assert!(whole.contains(why), "{whole}");
        for index in 0..3 {
            let of_shard = of_shard(folder.path(), &format!("{index}/3")).unwrap_err();
            assert_eq!(messages(&of_shard), whole, "shard {index}");
        }
    }
}
