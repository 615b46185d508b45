//! Manifests of several files: one header, foreign files, folders, the hash.

use super::*;

#[test]
fn a_manifest_has_one_header() {
    insta::assert_snapshot!(check(&[("a.yaml", "inputs: []\n")]), @r"
    error: the manifest has no header
    --> .
     = help: a header names the label set and what a plan may do; begin annosync.yaml with
             version: 1
             set: my-labels
             policy: sync
    ");
    insta::assert_snapshot!(check(&[("a.yaml", HEADER), ("b.yaml", HEADER), ("c.yaml", "policy: sync\ninputs: []\n")]), @r"
    error: a second header in the same manifest
     --> b.yaml:1:1
      |
    1 | version: 1
      | ^^^^^^^
      |
      = note: this is the first of 2 places with the same problem
      = help: the header is at a.yaml:1:1; the header's keys belong in one file; move these there, or exclude this file with `files:`
    ");
    insta::assert_snapshot!(check(&[]), @r"
    error: no manifest found: there is no *.yaml, *.yml, *.json or *.jsonl file
    --> .
     = help: a header names the label set and what a plan may do; begin annosync.yaml with
             version: 1
             set: my-labels
             policy: sync
    ");
}

#[test]
fn foreign_files_are_reported() {
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("compose.yaml", "services: {}\n"), ("list.json", "[1]"), ("void.yaml", "# nothing\n")]), @r#"
    error: not a manifest file: it has no known key
     --> compose.yaml:1:1
      |
    1 | services: {}
      | ^^^^^^^^
      |
      = help: a manifest file is a map with `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `lint`, `inputs`; if this file is something else, list the files that hold inputs in the header: files: ["labels/**"]

    error: not a manifest file: found a list
     --> list.json:1:2
      |
    1 | [1]
      |  ^
      |
      = help: a manifest file is a map with `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `lint`, `inputs`; if this file is something else, list the files that hold inputs in the header: files: ["labels/**"]

    error: the file is empty
     --> void.yaml:1:1
      |
    1 | # nothing
      | ^
      |
      = help: write `inputs: []` if you mean none, or remove the file
    "#);
}

#[test]
fn problems_do_not_depend_on_the_number_of_threads() {
    let mut all = vec![(
        "annosync.yaml".to_owned(),
        format!("{HEADER}vocabulary: [car]\n"),
    )];
    for file in 0..40 {
        all.push((
            format!("{file}.yaml"),
            format!("inputs: [{{ id: a{file}, annotations: [{{ concepts: [cat] }}, {{ bx: 1 }}] }}, {{ id: b, annotations: [] }}]\n"),
        ));
    }
    let run = |threads: usize| {
        let files = all
            .iter()
            .map(|(path, text)| (path.into(), text.clone()))
            .collect();
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| parse(files).unwrap_err().to_string())
    };
    let expected = run(1);
    assert_eq!(expected.matches("error: ").count(), 3);
    for places in [39, 40] {
        let count = format!("the first of {places} places");
        assert!(expected.contains(&count), "{expected}");
    }
    for _ in 0..5 {
        assert_eq!(run(8), expected);
    }
}

#[test]
fn the_hash_covers_files_and_their_names() {
    let hash = |all: &[(&str, &str)]| one(all).hash;
    let first = hash(&[("annosync.yaml", HEADER), ("a.yaml", "inputs: []\n")]);
    assert_eq!(
        first,
        hash(&[("a.yaml", "inputs: []\n"), ("annosync.yaml", HEADER)])
    );
    assert_ne!(
        first,
        hash(&[("annosync.yaml", HEADER), ("b.yaml", "inputs: []\n")])
    );
    assert_ne!(
        first,
        hash(&[("annosync.yaml", HEADER), ("a.yaml", "inputs: [ ]\n")])
    );
    let line = |text: &str, name: &str| format!("{}  {name}\n", hex(&Sha256::digest(text)));
    let lines = line("inputs: []\n", "a.yaml") + &line(HEADER, "annosync.yaml");
    assert_eq!(first, hex(&Sha256::digest(lines)));
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, bytes) in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn ids(manifest: &Manifest) -> Vec<&str> {
    manifest
        .desired
        .inputs
        .iter()
        .map(|i| i.id.as_str())
        .collect()
}

fn input(id: &str) -> String {
    format!("inputs: [{{ id: {id}, annotations: [] }}]\n")
}

#[test]
fn only_files_that_match_files_are_read() {
    let header = format!("{HEADER}files: [\"labels/**\"]\n");
    let folder = folder(&[
        ("annosync.yaml", header.as_bytes()),
        ("labels/a.yaml", input("a").as_bytes()),
        ("labels/x/b.yaml", input("b").as_bytes()),
        ("labels/picture.png", b"\xff"),
        ("broken.yaml", b"a: [\n"),
        ("compose.yaml", b"version: 3\n"),
    ]);
    let manifest = load(folder.path()).unwrap();
    assert_eq!(ids(&manifest), ["a", "b"]);
    assert_eq!(manifest.root, folder.path());
    let alone = load(&folder.path().join("annosync.yaml")).unwrap();
    assert_eq!(ids(&alone), ["a", "b"]);
    assert_eq!(alone.hash, manifest.hash);
}

#[test]
fn files_of_a_header_with_another_name_count() {
    let header = format!("{HEADER}files: [\"*.jsonl\"]\n");
    let folder = folder(&[
        ("m/street.yaml", header.as_bytes()),
        ("m/a.jsonl", b"{\"id\": \"a\", \"annotations\": []}\n"),
        ("m/x/b.jsonl", b"broken"),
        ("compose.yaml", b"version: 3\n"),
    ]);
    let manifest = load(folder.path()).unwrap();
    assert_eq!(ids(&manifest), ["a"]);
    assert_eq!(manifest.root, folder.path().join("m"));
}

#[test]
fn a_pattern_that_matches_no_files_is_an_error() {
    let header = format!("{HEADER}files: [\"labls/**\"]\n");
    let folder = folder(&[
        ("annosync.yaml", header.as_bytes()),
        ("labels/a.yaml", input("a").as_bytes()),
    ]);
    insta::assert_snapshot!(brief(&load(folder.path()).unwrap_err()), @"4:9 `labls/**` matches no files (a pattern is relative to this file's folder and matches only *.yaml, *.yml, *.json and *.jsonl)");
}

#[test]
fn a_byte_order_mark_is_skipped_and_invalid_utf8_refused() {
    let text = format!("\u{feff}{HEADER}inputs: [{{ id: a, anotations: [] }}]\n");
    let one = folder(&[("annosync.yaml", text.as_bytes())]);
    insta::assert_snapshot!(brief(&load(one.path()).unwrap_err()), @r"
    4:12 input `a` without `annotations` (write `annotations: []` if you mean none)
    4:19 unknown key `anotations` in an input (did you mean `annotations`? allowed: `id`, `image`, `video`, `text`, `annotations`, `purge`, `ignore`)
    ");
    let bad = folder(&[("annosync.yaml", b"version: 1\nset: \xff\n")]);
    insta::assert_snapshot!(brief(&load(bad.path()).unwrap_err()), @"2:6 not valid UTF-8 (save the file as UTF-8)");
}

#[test]
fn missing_files_and_other_files_are_errors() {
    let empty = folder(&[("a.txt", b"")]);
    for path in [
        empty.path().to_owned(),
        empty.path().join("none"),
        empty.path().join("a.txt"),
    ] {
        let problems = load(&path).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems}");
        assert!(problems.to_string().contains("--> "), "{problems}");
    }
}

#[test]
fn a_changed_file_has_no_positions() {
    let text = format!("{HEADER}inputs:\n  - id: a\n    annotations:\n      - id: x\n");
    let folder = folder(&[("annosync.yaml", text.as_bytes())]);
    let manifest = load(folder.path()).unwrap();
    let origin = manifest.desired.inputs[0].annotations[0].origin;
    assert_eq!(
        manifest.locate(origin).map(|at| (at.line, at.column)),
        Some((7, 9))
    );
    std::fs::write(
        folder.path().join("annosync.yaml"),
        format!("# new\n{text}"),
    )
    .unwrap();
    assert_eq!(manifest.locate(origin), None);
}
