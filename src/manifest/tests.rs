//! What a manifest's errors look like, and which there are; which files are read, and in which order.

use super::*;
use crate::model::{Content, Geometry, Guards, Identity, Owner, Policy, Share, Status};
use std::collections::BTreeSet;

const HEADER: &str = "version: 1\nset: s\npolicy: sync\n";

fn files(files: &[(&str, &str)]) -> Vec<(PathBuf, String)> {
    files
        .iter()
        .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
        .collect()
}

fn check(all: &[(&str, &str)]) -> String {
    match parse(files(all)) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => problems.to_string(),
    }
}

/// Each problem on a line: line:column message (hint).
fn brief(problems: &Problems) -> String {
    problems
        .iter()
        .map(|problem| {
            let at = problem
                .spot
                .as_ref()
                .map_or("-".to_owned(), |s| format!("{}:{}", s.line, s.column));
            let hint = problem.hint.as_deref().unwrap_or_default();
            format!("{at} {} ({hint})\n", problem.message)
        })
        .collect()
}

/// The problems of one file, of which `text` follows the header.
fn check_body(text: &str) -> String {
    match parse(files(&[("annosync.yaml", &format!("{HEADER}{text}"))])) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => brief(&problems),
    }
}

/// The problems of one annotation, in flow style: it begins at 4:34.
fn check_annotation(text: &str) -> String {
    check_body(&format!("inputs: [{{ id: a, annotations: [{text}] }}]\n"))
}

/// The problems of these lines in a header.
fn check_header(text: &str) -> String {
    match parse(files(&[("a.yaml", &format!("inputs: []\n{text}"))])) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => brief(&problems),
    }
}

fn one(all: &[(&str, &str)]) -> Manifest {
    parse(files(all)).unwrap_or_else(|problems| panic!("{problems}"))
}

fn content(text: &str) -> Content {
    let manifest = one(&[(
        "annosync.yaml",
        &format!("{HEADER}inputs: [{{ id: a, annotations: [{text}] }}]\n"),
    )]);
    manifest.desired.inputs[0].annotations[0].content.clone()
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = one(&[
        (
            "annosync.yaml",
            "\
version: 1
set: street
policy: sync
files: [\"labels/**\"]
target: local
targets:
  local: { embedded: .annosync/local.db }
  prod: { user_id: acme, app_id: street, endpoint: \"https://api.clarifai.com\", rate_limit: 15 }
vocabulary: [car, person, tree, water, film]
owners: [me, labeler-1]
guards: { max_deletes: 40%, max_updates: 7 }
renamed: { plastic-film: film }
",
        ),
        (
            "labels/a.yaml",
            "\
inputs:
  - id: street-0002
    annotations: []
  - id: street-0001
    image: { path: images/street-0001.jpg, width: 1920, height: 1080 }
    annotations:
      - concepts: { tree: true, water: false, car: 0.25 }
      - key: red-car
        box: { top: 0.10, left: 0.20, bottom: 0.50, right: 0.60 }
        concepts: [car]
        status: pending
        user: labeler-1
        metadata: { weather: rain, n: [1, 2.5] }
        info: { no: on }
      - id: 300b8e39a65e4f33ae4e15e86eaf4a3b
        polygon: [[0.1, 0.2], [0.1, 0.9], [0.8, 0.5]]
        frame: { time_ms: 1500, number: 45 }
        status: 24151
      - region: 361d6a9253be9152968012660258a4bf
        concepts: []
",
        ),
    ]);
    let desired = &manifest.desired;
    assert_eq!(desired.set.as_str(), "street");
    assert_eq!(desired.policy, Policy::Sync);
    assert_eq!(desired.guards.max_deletes, Share::Percent(40));
    assert_eq!(desired.guards.max_updates, Share::Count(7));
    assert_eq!(desired.guards.min_existing, Guards::default().min_existing);
    assert!(desired.owners.contains(&Owner::Me));
    assert_eq!(desired.owners.len(), 2);
    assert_eq!(desired.renamed.len(), 1);
    assert_eq!(manifest.default_target.as_deref(), Some("local"));
    assert_eq!(manifest.targets.len(), 2);
    assert_eq!(manifest.root, Path::new(""));
    let ids: Vec<&str> = desired.inputs.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["street-0001", "street-0002"]);
    assert_eq!(manifest.images[&desired.inputs[0].id].width, Some(1920));
    let [first, second, third, fourth] = &desired.inputs[0].annotations[..] else {
        panic!("not four annotations");
    };
    assert_eq!(first.identity, Identity::Content);
    assert_eq!(
        format!("{:?}", first.content.concepts.as_ref().unwrap()),
        r#"{"car": 0.25, "tree": 1.0, "water": 0.0}"#
    );
    assert!(matches!(&second.identity, Identity::Key(key) if key.as_str() == "red-car"));
    assert!(matches!(second.content.geometry, Some(Geometry::Box(_))));
    assert_eq!(second.content.status, Some(Status::PENDING));
    assert_eq!(
        second.content.metadata.as_ref().unwrap().as_str(),
        r#"{"weather":"rain","n":[1,2.5]}"#
    );
    assert_eq!(
        second.content.info.as_ref().unwrap().as_str(),
        r#"{"no":"on"}"#
    );
    assert!(matches!(&third.identity, Identity::Id(_)));
    assert_eq!(third.content.frame.unwrap().time_ms, 1500);
    assert_eq!(third.content.status, Some(Status::PENDING));
    assert!(matches!(fourth.content.geometry, Some(Geometry::Region(_))));
    assert!(fourth.content.concepts.as_ref().unwrap().is_empty());
    let at = manifest.locate(third.origin).unwrap();
    assert_eq!(
        (at.path.to_str(), at.line, at.column),
        (Some("labels/a.yaml"), 15, 9)
    );
}

#[test]
fn what_a_header_leaves_out_has_its_default() {
    let manifest = one(&[("a.yaml", "version: 1\nset: s\npolicy: create\ninputs: []\n")]);
    assert_eq!(manifest.desired.owners, BTreeSet::from([Owner::Me]));
    assert_eq!(manifest.desired.guards, Guards::default());
    assert_eq!(manifest.default_target, None);
}

#[test]
fn ten_errors_are_ten_reports() {
    let problems = parse(files(&[
        (
            "annosync.yaml",
            "version: 1\nset: Street\npolicy: snyc\nvocabulary: [car, tree]\nguards: { max_delete: 3 }\n",
        ),
        (
            "labels/a.yaml",
            "\
inputs:
  - id: a
    annotations:
      - concpts: [car]
        box: { top: 0.5, left: 0, bottom: 0.4, right: 2 }
      - concepts: [cra]
      - polygon: []
  - id: b
    annotations:
",
        ),
        ("labels/b.jsonl", "{\"id\": \"a\", \"annotations\": []}\n"),
    ]))
    .unwrap_err();
    assert_eq!(problems.len(), 10);
    insta::assert_snapshot!(problems, @"");
}

#[test]
fn null_is_no_list() {
    insta::assert_snapshot!(check_body("inputs:\n"), @"");
    insta::assert_snapshot!(check_body("inputs: [{ id: a, annotations: }]\n"), @"");
    insta::assert_snapshot!(check_annotation("{ concepts: , box: ~, status: null }"), @"");
    insta::assert_snapshot!(check_header("version: 1\nset: s\npolicy: sync\nfiles:\nvocabulary:\ntargets:\n"), @"");
}

#[test]
fn duplicate_keys_are_refused_at_any_depth() {
    insta::assert_snapshot!(check_body("set: t\ninputs: [{ id: a, annotations: [{ concepts: [a], concepts: [b], metadata: { a: { b: 1, b: 1 } } }] }]\ninputs: []\n"), @"");
    let json = r#"{"id": "a", "annotations": [], "annotations": []}"#;
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("a.jsonl", json)]), @"");
}

#[test]
fn unknown_keys_say_what_is_allowed() {
    insta::assert_snapshot!(check_annotation("{ boks: 1, mask: 2, <<: 3, 7: 4 }"), @"");
    insta::assert_snapshot!(check_body("inputs: [{ ID: a, id: a, image: { widht: 3 }, annotations: [] }]\ntragets: {}\n"), @"");
}

#[test]
fn boxes_are_checked() {
    insta::assert_snapshot!(check_annotation("{ box: { top: 0.5, left: 0.5, bottom: 0.4, right: 0.3 } }"), @"");
    insta::assert_snapshot!(check_annotation("{ box: { top: -0.5, left: .nan, bottom: .inf } }"), @"");
    insta::assert_snapshot!(check_annotation("{ box: { top: a, left: true, bottom: [1], right: 1, x: 1 } }"), @"");
    insta::assert_snapshot!(check_annotation("{ box: [0, 0, 1, 1] }, { box: {}, polygon: [], region: r }"), @"");
    insta::assert_snapshot!(check_body("inputs: [{ id: a, image: { width: 1920, height: 0 }, annotations: [{ box: { top: 0, left: 0, bottom: 99, right: 192 } }] }]"), @"");
}

#[test]
fn polygons_are_checked() {
    insta::assert_snapshot!(check_annotation("{ polygon: [[0.1, 0.2], [0.3, 0.4]] }"), @"");
    insta::assert_snapshot!(check_annotation("{ polygon: [[0.1, 0.2, 0.3], 5, [a, 0.1], [], { row: 1 }] }"), @"");
    insta::assert_snapshot!(check_annotation("{ polygon: [[10, 20], [30, 40], [50, 60]] }"), @"");
}

#[test]
fn concepts_are_checked() {
    insta::assert_snapshot!(check_annotation("{ concepts: [car, car, 2024, '', ' a', { b: 1 }] }"), @"");
    insta::assert_snapshot!(check_annotation("{ concepts: { a: 2, b: -1, c: .nan, d: yes, e: ~, e: 1 } }, { concepts: car }"), @"");
}

#[test]
fn the_vocabulary_and_renamed_concepts_are_checked_wherever_the_header_is() {
    insta::assert_snapshot!(check(&[
        ("a.json", "{\"inputs\": [{\"id\": \"a\", \"annotations\": [{\"concepts\": [\"tree\", \"cra\"]}, {\"concepts\": {\"film\": true}, \"box\": 1}]}]}"),
        ("z.yaml", "version: 1\nset: s\npolicy: sync\nvocabulary: [tree, car, foil]\nrenamed: { film: foil }\n"),
    ]), @"");
}

#[test]
fn renaming_is_one_step_into_the_vocabulary() {
    insta::assert_snapshot!(check_header("version: 1\nset: s\npolicy: sync\nvocabulary: [a, b, b]\nrenamed: { x: x, y: z, z: a, p: q, q: p, m: aa, n: ~ }\n"), @"");
}

#[test]
fn the_other_fields_are_checked() {
    insta::assert_snapshot!(check_annotation("{ concepts: [a], status: pendign }, { concepts: [a], status: 7, user: 7, region: '' }"), @"");
    insta::assert_snapshot!(check_annotation("{ concepts: [a], metadata: [], info: { a: ~, b: .inf, c: [1, ~], 1: 2, d: !x 3 } }"), @"");
    insta::assert_snapshot!(check_annotation("{ concepts: [a], frame: { time_ms: -1, number: 1.5 } }, { concepts: [b], frame: {} }, { concepts: [c], frame: 3 }"), @"");
}

#[test]
fn identities_are_checked() {
    insta::assert_snapshot!(check_annotation("{ id: x, key: y }, { id: x }, { key: k, concepts: [a] }, { key: k, concepts: [b] }, { id: 7 }"), @"");
    insta::assert_snapshot!(check_annotation("{}, { status: pending }, { key: a }, { frame: { number: 1 } }, 5"), @"");
    let key = crate::model::key_id(
        &crate::model::SetName::new("s").unwrap(),
        &InputId::new("a").unwrap(),
        &crate::model::Key::new("k").unwrap(),
    );
    insta::assert_snapshot!(check_annotation(&format!("{{ key: k, concepts: [a] }}, {{ id: {key} }}")), @"");
}

#[test]
fn an_id_alone_keeps_an_annotation_and_manages_nothing_of_it() {
    assert_eq!(content("{ id: x }"), Content::default());
}

#[test]
fn inputs_are_checked() {
    insta::assert_snapshot!(check_body("inputs: [{ annotations: [] }, { id: a }, { id: 2024, annotations: {} }, 7, []]\n"), @"");
    insta::assert_snapshot!(check_body("inputs: { id: a }\n"), @"");
    insta::assert_snapshot!(check_body("inputs: \"a\"\n"), @"");
}

#[test]
fn an_input_that_stands_twice_is_named_with_the_other_place() {
    insta::assert_snapshot!(check(&[
        ("annosync.yaml", HEADER),
        ("b.yaml", "inputs: [{ id: x, annotations: [] }]"),
        ("c.jsonl", "\n{\"id\": \"y\", \"annotations\": []}\n{\"id\": \"x\", \"annotations\": []}\n{\"id\": \"y\", \"annotations\": []}\n"),
    ]), @"");
}

#[test]
fn headers_are_checked() {
    insta::assert_snapshot!(check_header("set: Straße\npolicy: dlete\nversion: 2\nowners: me\nguards: { max_deletes: 130%, max_updates: -1, min_existing: 1.5, max_vanished: 0 }\n"), @"");
    insta::assert_snapshot!(check_header("set: s\ntarget: prd\ntargets: { prod: { user_id: a, app_id: b, rate_limit: 0, endpoint: 'ftp://x' }, both: { embedded: a, user_id: b }, none: {}, e: { user_id: a, app_id: b, endpoint: 'https://me:secret@x' } }\nowners: []\nfiles: ['[', 7]\n"), @"");
}

#[test]
fn a_manifest_has_one_header() {
    insta::assert_snapshot!(check(&[("a.yaml", "inputs: []\n")]), @"");
    insta::assert_snapshot!(check(&[("a.yaml", HEADER), ("b.yaml", HEADER), ("c.yaml", "policy: sync\ninputs: []\n")]), @"");
    insta::assert_snapshot!(check(&[]), @"");
}

#[test]
fn a_file_of_something_else_is_told_so() {
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("compose.yaml", "services: {}\n"), ("list.json", "[1]"), ("void.yaml", "# nothing\n")]), @"");
}

#[test]
fn syntax_errors_are_shown_where_they_are() {
    insta::assert_snapshot!(check(&[
        ("annosync.yaml", HEADER),
        ("a.yaml", "inputs:\n  - id: [a\n    annotations: []\n"),
        ("b.json", "{\"inputs\": [{\"id\": \"日本\",, }]}"),
        ("c.jsonl", "{\"id\": \"a\", \"annotations\": []}\n{\"id\": \n"),
        ("d.yaml", "inputs:\n\t- id: a\n"),
        ("e.yaml", "inputs: []\n---\ninputs: []\n"),
        ("f.yaml", "inputs: [*nowhere]\n"),
    ]), @"");
}

#[test]
fn aliases_cannot_blow_a_file_up() {
    let mut text = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("b{level}: &a{level} [{aliases}]\n"));
    }
    text.push_str("inputs: []\n");
    let problems = parse(files(&[("annosync.yaml", HEADER), ("a.yaml", &text)])).unwrap_err();
    assert_eq!(problems.len(), 1);
    let message = &problems.iter().next().unwrap().message;
    assert!(
        message.contains("repetition limit") || message.contains("aliases"),
        "{message}"
    );
    let deep = format!("inputs: {}", "[".repeat(10_000));
    assert!(parse(files(&[("annosync.yaml", HEADER), ("a.yaml", &deep)])).is_err());
    assert!(parse(files(&[("annosync.yaml", HEADER), ("a.json", &deep)])).is_err());
}

#[test]
fn a_wide_character_does_not_shift_the_caret() {
    insta::assert_snapshot!(check(&[("annosync.yaml", &format!("{HEADER}inputs: [{{ id: 日本語, annotations: [{{ box: [] }}] }}]\n"))]), @"");
}

#[test]
fn a_long_line_is_shown_around_the_error() {
    let line = format!(
        "{{\"id\": \"a\", \"annotations\": [{}{{\"concpts\": []}}]}}",
        "{\"concepts\": [\"a\"]}, ".repeat(50)
    );
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("a.jsonl", &line)]), @"");
}

#[test]
fn the_order_of_threads_does_not_show() {
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
    assert_eq!(expected.matches("error: ").count(), 40 * 2 + 39);
    for _ in 0..5 {
        assert_eq!(run(8), expected);
    }
}

#[test]
fn the_hash_is_the_one_of_the_files_and_their_names() {
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
    let lines = "a7e0dd6a\n";
    assert_eq!(first.len(), 64, "{lines}");
}

#[test]
fn many_errors_in_one_long_line_take_one_pass() {
    // Quadratic, this would take minutes.
    let inputs: Vec<String> = (0..20_000)
        .map(|i| format!("{{\"id\": \"{i}\", \"annotations\": [{{\"bx\": 1}}]}}"))
        .collect();
    let text = format!("{{\"inputs\": [{}]}}", inputs.join(", "));
    for name in ["a.json", "a.yaml"] {
        let problems = parse(files(&[("annosync.yaml", HEADER), (name, &text)])).unwrap_err();
        assert_eq!(problems.len(), 20_000);
    }
}

mod folders {
    use super::*;

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
    fn a_folder_is_read_without_what_files_leaves_out() {
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
    fn a_header_of_another_name_narrows_as_well() {
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
    fn a_pattern_without_a_file_is_a_slip() {
        let header = format!("{HEADER}files: [\"labls/**\"]\n");
        let folder = folder(&[
            ("annosync.yaml", header.as_bytes()),
            ("labels/a.yaml", input("a").as_bytes()),
        ]);
        insta::assert_snapshot!(brief(&load(folder.path()).unwrap_err()), @"");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_other_bytes_are_not() {
        let text = format!("\u{feff}{HEADER}inputs: [{{ id: a, anotations: [] }}]\n");
        let one = folder(&[("annosync.yaml", text.as_bytes())]);
        insta::assert_snapshot!(brief(&load(one.path()).unwrap_err()), @"");
        let bad = folder(&[("annosync.yaml", b"version: 1\nset: \xff\n")]);
        insta::assert_snapshot!(brief(&load(bad.path()).unwrap_err()), @"");
    }

    #[test]
    fn what_is_not_there_or_no_manifest_is_an_error() {
        let empty = folder(&[("a.txt", b"")]);
        for path in [
            empty.path().to_owned(),
            empty.path().join("none"),
            empty.path().join("a.txt"),
        ] {
            let problems = load(&path).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems}");
            assert!(problems.to_string().contains(" --> "), "{problems}");
        }
    }

    #[test]
    fn a_file_that_changed_has_no_places_any_more() {
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
}
