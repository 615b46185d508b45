//! Problems of manifests and their texts; which files are read.

use super::*;
use crate::model::hex;
use crate::model::{
    Content, Frame, Geometry, GuardLimit, Guards, Identity, InputId, Owner, Policy, SetName, Status,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

mod fields;
mod files;
mod kinds;
mod named;
mod shards;

/// A grey image of this many columns.
pub(super) fn png(width: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let height = u32::try_from(pixels.len()).unwrap() / width;
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}

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
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let at = problem
                .span
                .as_ref()
                .map_or("-".to_owned(), |s| format!("{}:{}", s.line, s.column));
            let hint = problem.hint.as_deref().unwrap_or_default();
            format!("{at} {} ({hint})", problem.message)
        })
        .collect();
    lines.join("\n")
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
guards: { max_deletes: 40%, max_updates: 7, max_doubles: 2 }
renamed: { plastic-film: film }
adopts: [street-old, as-6008c26f]
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
    assert_eq!(desired.guards.max_deletes, GuardLimit::Percent(40));
    assert_eq!(desired.guards.max_updates, GuardLimit::Count(7));
    assert_eq!(desired.guards.min_existing, Guards::default().min_existing);
    assert_eq!(desired.guards.max_doubles, 2);
    let adopts: Vec<&str> = desired.adopts.iter().map(SetName::as_str).collect();
    assert_eq!(adopts, ["as-6008c26f", "street-old"]);
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
    let Frame { time_ms, .. } = third.content.frame.unwrap();
    assert_eq!(time_ms, 1500);
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
fn header_keys_have_defaults() {
    let manifest = one(&[("a.yaml", "version: 1\nset: s\npolicy: create\ninputs: []\n")]);
    assert_eq!(manifest.desired.owners, BTreeSet::from([Owner::AppOwner]));
    assert_eq!(manifest.desired.guards, Guards::default());
    assert_eq!(manifest.default_target, None);
}

#[test]
fn ten_errors_are_all_reported() {
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
    insta::assert_snapshot!(problems, @r#"
    error: `Street` is not a valid set name
     --> annosync.yaml:2:6
      |
    2 | set: Street
      |      ^^^^^^
      |
      = help: 1 to 40 of a-z, 0-9 and -; it goes into the ids of what the manifest creates

    error: unknown policy `snyc`
     --> annosync.yaml:3:9
      |
    3 | policy: snyc
      |         ^^^^
      |
      = help: did you mean `sync`? allowed: `sync`, `upsert`, `create`

    error: unknown key `max_delete` in `guards`
     --> annosync.yaml:5:11
      |
    5 | guards: { max_delete: 3 }
      |           ^^^^^^^^^^
      |
      = help: did you mean `max_deletes`? allowed: `max_deletes`, `max_updates`, `min_existing`, `max_vanished_concepts`, `max_doubles`, `max_new_concepts`

    error: unknown key `concpts` in an annotation
     --> labels/a.yaml:4:9
      |
    4 |       - concpts: [car]
      |         ^^^^^^^
      |
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`

    error: top (0.5) is greater than bottom (0.4)
     --> labels/a.yaml:5:21
      |
    5 |         box: { top: 0.5, left: 0, bottom: 0.4, right: 2 }
      |                     ^^^
      |
      = help: `top` is the edge nearer to the image's top left; swap it with `bottom`

    error[outside-image]: `right` must be a number from 0 to 1, found the number 2
     --> labels/a.yaml:5:55
      |
    5 |         box: { top: 0.5, left: 0, bottom: 0.4, right: 2 }
      |                                                       ^
      |
      = help: coordinates are fractions of the image, 0 to 1, from its top left

    error: the concept `cra` is not in the vocabulary
     --> labels/a.yaml:6:20
      |
    6 |       - concepts: [cra]
      |                    ^^^
      |
      = help: did you mean `car`? otherwise add it to `vocabulary` in the header

    error[too-few-points]: a polygon needs at least 3 points, this one has 0
     --> labels/a.yaml:7:9
      |
    7 |       - polygon: []
      |         ^^^^^^^
      |
      = help: it is one ring of [row, col] pairs; the last point joins the first

    error: `annotations` has no value
     --> labels/a.yaml:9:17
      |
    9 |     annotations:
      |                 ^
      |
      = help: write [] if you mean none

    error: duplicate input `a`
     --> labels/b.jsonl:1:8
      |
    1 | {"id": "a", "annotations": []}
      |        ^^^
      |
      = help: the first is at labels/a.yaml:2:9; declare each input once, with all its annotations
    "#);
}

#[test]
fn a_missing_value_is_not_an_empty_list() {
    insta::assert_snapshot!(check_body("inputs:\n"), @"4:8 `inputs` has no value (write [] if you mean none)");
    insta::assert_snapshot!(check_body("inputs: [{ id: a, annotations: }]\n"), @"4:32 `annotations` has no value (write [] if you mean none)");
    insta::assert_snapshot!(check_annotation("{ concepts: , box: ~, status: null }"), @r#"
    4:45 `concepts` has no value (write [] if you mean none)
    4:52 `box` has no value (it must be a map of `top`, `left`, `bottom`, `right`; leave the key out if it does not apply)
    4:63 `status` has no value (it must be a name or a number; leave the key out if it does not apply)
    "#);
    insta::assert_snapshot!(check_header("version: 1\nset: s\npolicy: sync\nfiles:\nvocabulary:\ntargets:\n"), @r#"
    5:7 `files` has no value (it must be a list of patterns; leave the key out if it does not apply)
    6:12 `vocabulary` has no value (write [] if you mean none)
    7:9 `targets` has no value (it must be a map from names to targets; leave the key out if it does not apply)
    "#);
}

#[test]
fn duplicate_keys_are_refused_at_any_depth() {
    insta::assert_snapshot!(check_body("set: t\ninputs: [{ id: a, annotations: [{ concepts: [a], concepts: [b], metadata: { a: { b: 1, b: 1 } } }] }]\ninputs: []\n"), @r"
    4:1 duplicate key `set` (the first is at annosync.yaml:2:1; keep one of the two)
    5:50 duplicate key `concepts` (the first is at annosync.yaml:5:35; keep one of the two)
    5:88 duplicate key `b` (the first is at annosync.yaml:5:82; keep one of the two)
    6:1 duplicate key `inputs` (the first is at annosync.yaml:5:1; keep one of the two)
    ");
    let json = r#"{"id": "a", "annotations": [], "annotations": []}"#;
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("a.jsonl", json)]), @r#"
    error: duplicate key `annotations`
     --> a.jsonl:1:32
      |
    1 | {"id": "a", "annotations": [], "annotations": []}
      |                                ^^^^^^^^^^^^^
      |
      = help: the first is at a.jsonl:1:13; keep one of the two
    "#);
}

#[test]
fn unknown_keys_say_what_is_allowed() {
    insta::assert_snapshot!(check_annotation("{ boks: 1, cube: 2, <<: 3, 7: 4 }"), @r#"
    4:35 unknown key `boks` in an annotation (allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`)
    4:44 unknown key `cube` in an annotation (allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`)
    4:53 unknown key `<<` in an annotation (merge keys are not supported; aliases (`*name`) are)
    4:60 a key must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
    insta::assert_snapshot!(check_body("inputs: [{ ID: a, id: a, image: { widht: 3 }, annotations: [] }]\ntragets: {}\n"), @r"
    4:12 unknown key `ID` in an input (did you mean `id`? allowed: `id`, `image`, `video`, `text`, `annotations`, `purge`, `ignore`)
    4:35 unknown key `widht` in `image` (did you mean `width`? allowed: `path`, `url`, `width`, `height`)
    5:1 unknown key `tragets` in a manifest (did you mean `targets`? allowed: `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `lint`, `inputs`)
    ");
}

#[test]
fn syntax_errors_are_shown_where_they_are() {
    insta::assert_snapshot!(check(&[
        ("annosync.yaml", HEADER),
        ("a.yaml", "inputs:\n  - id: [a\n    annotations: []\n"),
        ("b.json", "{\"inputs\": [{\"id\": \"日本\",, }]}"),
        ("c.jsonl", "{\"id\": \"a\", \"annotations\": []}\n{\"id\":\n"),
        ("d.yaml", "inputs:\n\t- id: a\n"),
        ("e.yaml", "inputs: []\n---\ninputs: []\n"),
        ("f.yaml", "inputs: [*nowhere]\n"),
    ]), @r#"
    error: not valid YAML: did not find expected ',' or ']', while parsing a flow sequence at line 2 column 9
     --> a.yaml:3:16
      |
    3 |     annotations: []
      |                ^

    error: not valid JSON: a key must be a text in double quotes
     --> b.json:1:25
      |
    1 | {"inputs": [{"id": "日本",, }]}
      |                           ^

    error: not valid JSON: the file is cut off where a value must be
     --> c.jsonl:2:6
      |
    2 | {"id":
      |      ^

    error: not valid YAML: found character that cannot start any token, while scanning for the next token
     --> d.yaml:2:1
      |
    2 |     - id: a
      | ^^^^
      |
      = help: YAML is indented with spaces, not with tabs

    error: not valid YAML: more than one document
     --> e.yaml:2:1
      |
    2 | ---
      | ^
      |
      = help: a file holds one YAML document; move the others into their own files

    error: not valid YAML: unknown anchor
     --> f.yaml:1:10
      |
    1 | inputs: [*nowhere]
      |          ^
    "#);
}

#[test]
fn aliases_and_depth_are_limited() {
    let mut text = String::from("a: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "b{level}: &a{level} [{aliases}]").unwrap();
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
    insta::assert_snapshot!(check(&[("annosync.yaml", &format!("{HEADER}inputs: [{{ id: 日本語, annotations: [{{ box: [] }}] }}]\n"))]), @r#"
    error: `box` must be a map of `top`, `left`, `bottom`, `right`, found a list
     --> annosync.yaml:4:37
      |
    4 | inputs: [{ id: 日本語, annotations: [{ box: [] }] }]
      |                                        ^^^
    "#);
}

#[test]
fn only_styled_text_has_colours() {
    let problems = parse(files(&[("a.yaml", "inputs:\n")])).unwrap_err();
    assert!(
        !problems
            .render(false, ProblemsShown::All)
            .contains('\u{1b}')
    );
    let styled = problems.render(true, ProblemsShown::All);
    assert!(styled.contains('\u{1b}'));
    assert_eq!(
        anstream::adapter::strip_str(&styled).to_string(),
        problems.to_string()
    );
}

#[test]
fn a_long_line_is_shown_around_the_error() {
    let line = format!(
        "{{\"id\": \"a\", \"annotations\": [{}{{\"concpts\": []}}]}}",
        "{\"concepts\": [\"a\"]}, ".repeat(50)
    );
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("a.jsonl", &line)]), @r#"
    error: unknown key `concpts` in an annotation
     --> a.jsonl:1:1080
      |
    1 | …epts": ["a"]}, {"concepts": ["a"]}, {"concepts": ["a"]}, {"concepts": ["a"]}, {"concepts": ["a"]}, {"concpts": []}]}
      |                                                                                                      ^^^^^^^^^
      |
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`
    "#);
}

#[test]
fn many_errors_in_one_long_line_take_one_pass() {
    // If it were quadratic, this would take minutes.
    let inputs: Vec<String> = (0..20_000)
        .map(|i| format!("{{\"id\": \"{i}\", \"annotations\": [{{\"bx\": 1}}]}}"))
        .collect();
    let text = format!("{{\"inputs\": [{}]}}", inputs.join(", "));
    for name in ["a.json", "a.yaml"] {
        let problems = parse(files(&[("annosync.yaml", HEADER), (name, &text)])).unwrap_err();
        assert_eq!(problems.len(), 20_000);
    }
}
