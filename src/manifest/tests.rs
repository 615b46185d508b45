//! What a manifest's errors look like, and which there are; which files are read, and in which order.

use super::*;
use crate::model::{Content, Geometry, Guards, Identity, Owner, Policy, SetName, Share, Status};
use std::collections::BTreeSet;

mod kinds;

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
                .spot
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
    assert_eq!(desired.guards.max_deletes, Share::Percent(40));
    assert_eq!(desired.guards.max_updates, Share::Count(7));
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
    assert_eq!(manifest.desired.owners, BTreeSet::from([Owner::AppOwner]));
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
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`

    error: top (0.5) is greater than bottom (0.4)
     --> labels/a.yaml:5:21
      |
    5 |         box: { top: 0.5, left: 0, bottom: 0.4, right: 2 }
      |                     ^^^
      |
      = help: `top` is the edge nearer to the image's top left; swap it with `bottom`

    error: `right` must be a number from 0 to 1, found the number 2
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

    error: a polygon needs at least 3 points, this one has 0
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
      = help: the first is at labels/a.yaml:2:9; put all its annotations in one place
    "#);
}

#[test]
fn null_is_no_list() {
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
    4:35 unknown key `boks` in an annotation (allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`)
    4:44 unknown key `cube` in an annotation (allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`)
    4:53 unknown key `<<` in an annotation (merge keys are not supported; aliases (`*name`) are)
    4:60 a key must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
    insta::assert_snapshot!(check_body("inputs: [{ ID: a, id: a, image: { widht: 3 }, annotations: [] }]\ntragets: {}\n"), @"
    4:12 unknown key `ID` in an input (did you mean `id`? allowed: `id`, `image`, `video`, `text`, `annotations`, `purge`)
    4:35 unknown key `widht` in `image` (did you mean `width`? allowed: `path`, `url`, `width`, `height`)
    5:1 unknown key `tragets` in a manifest (did you mean `targets`? allowed: `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `inputs`)
    ");
}

#[test]
fn boxes_are_checked() {
    insta::assert_snapshot!(check_annotation("{ box: { top: 0.5, left: 0.5, bottom: 0.4, right: 0.3 } }"), @r#"
    4:47 top (0.5) is greater than bottom (0.4) (`top` is the edge nearer to the image's top left; swap it with `bottom`)
    4:58 left (0.5) is greater than right (0.3) (`left` is the edge nearer to the image's top left; swap it with `right`)
    "#);
    insta::assert_snapshot!(check_annotation("{ box: { top: -0.5, left: .nan, bottom: .inf } }"), @r#"
    4:35 a `box` without `right` (a box has top, left, bottom and right, each a fraction of the image)
    4:47 `top` must be a number from 0 to 1, found the number -0.5 (coordinates are fractions of the image, 0 to 1, from its top left)
    4:59 `left` must be a number from 0 to 1, found the number .nan (coordinates are fractions of the image, 0 to 1, from its top left)
    4:73 `bottom` must be a number from 0 to 1, found the number .inf (coordinates are fractions of the image, 0 to 1, from its top left)
    "#);
    insta::assert_snapshot!(check_annotation("{ box: { top: a, left: true, bottom: [1], right: 1, x: 1 } }"), @r#"
    4:47 `top` must be a number from 0 to 1, found the text `a` ()
    4:56 `left` must be a number from 0 to 1, found `true` ()
    4:62 `bottom` must be a number from 0 to 1, found a list ()
    4:85 unknown key `x` in `box` (allowed: `top`, `left`, `bottom`, `right`)
    "#);
    insta::assert_snapshot!(check_annotation("{ box: [0, 0, 1, 1] }, { box: {}, polygon: [], region: r }"), @r#"
    4:35 `box` must be a map of `top`, `left`, `bottom`, `right`, found a list ()
    4:58 a `box` without `bottom` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `left` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `right` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `top` (a box has top, left, bottom and right, each a fraction of the image)
    4:67 a polygon needs at least 3 points, this one has 0 (it is one ring of [row, col] pairs; the last point joins the first)
    4:67 more than one geometry: `box` and `polygon` (an annotation lies in one place; make two annotations of it)
    4:80 more than one geometry: `box` and `region` (an annotation lies in one place; make two annotations of it)
    "#);
    insta::assert_snapshot!(check_body("inputs: [{ id: a, image: { width: 1920, height: 0 }, annotations: [{ box: { top: 0, left: 0, bottom: 99, right: 192 } }] }]"), @r#"
    4:49 `height` must be a whole number from 1 to 4294967295, found the number 0 ()
    4:102 `bottom` must be a number from 0 to 1, found the number 99 (coordinates are fractions of the image, 0 to 1, from its top left)
    4:113 `right` must be a number from 0 to 1, found the number 192 (coordinates are fractions of the image: 192 / 1920 = 0.1)
    "#);
}

#[test]
fn polygons_are_checked() {
    insta::assert_snapshot!(check_annotation("{ polygon: [[0.1, 0.2], [0.3, 0.4]] }"), @"4:35 a polygon needs at least 3 points, this one has 2 (it is one ring of [row, col] pairs; the last point joins the first)");
    insta::assert_snapshot!(check_annotation("{ polygon: [[0.1, 0.2, 0.3], 5, [a, 0.1], [], { row: 1 }] }"), @r#"
    4:35 a point must be a [row, col] pair, found a list of 0 (write one row and one column: [0.1, 0.2])
    4:46 a point must be a [row, col] pair, found a list of 3 (write one row and one column: [0.1, 0.2])
    4:62 a point must be a [row, col] pair, found the number 5 ()
    4:66 a coordinate must be a number from 0 to 1, found the text `a` ()
    4:81 a point must be a [row, col] pair, found a map ()
    "#);
    insta::assert_snapshot!(check_annotation("{ polygon: [[10, 20], [30, 40], [50, 60]] }"), @"4:46 a coordinate must be a number from 0 to 1, found 10 (and 5 more of this polygon) (coordinates are fractions of the image, 0 to 1, from its top left)");
}

#[test]
fn concepts_are_checked() {
    insta::assert_snapshot!(check_annotation("{ concepts: [car, car, 2024, '', ' a', { b: 1 }] }"), @r#"
    4:51 the concept `car` is named twice (the first one is at annosync.yaml:4:46; keep one of the two)
    4:56 a concept must be text, found the number 2024 (if text is meant, put it in quotes: "2024")
    4:62 a concept is invalid: empty (a name is not empty, has no control characters, and no white space at its ends)
    4:66 a concept is invalid: begins or ends with white space (a name is not empty, has no control characters, and no white space at its ends)
    4:74 a concept must be text, found a map (for values write a map: { car: 0.5, tree: true })
    "#);
    insta::assert_snapshot!(check_annotation("{ concepts: { a: 2, b: -1, c: .nan, d: yes, e: ~, e: 1 } }, { concepts: car }"), @r"
    4:50 the value of `a` must be true, false or a number from 0 to 1, found the number 2 (true means present (1), false means absent (0))
    4:56 the value of `b` must be true, false or a number from 0 to 1, found the number -1 (true means present (1), false means absent (0))
    4:63 the value of `c` must be true, false or a number from 0 to 1, found the number .nan (true means present (1), false means absent (0))
    4:72 the value of `d` must be true, false or a number from 0 to 1, found the text `yes` (true means present (1), false means absent (0))
    4:80 the value of `e` has no value (it must be true, false or a number from 0 to 1; leave the key out if it does not apply)
    4:83 duplicate key `e` (the first is at annosync.yaml:4:77; keep one of the two)
    4:105 `concepts` must be a list or a map, found the text `car` (write a list: [car])
    ");
}

#[test]
fn the_vocabulary_and_renamed_concepts_are_checked_wherever_the_header_is() {
    insta::assert_snapshot!(check(&[
        ("a.json", "{\"inputs\": [{\"id\": \"a\", \"annotations\": [{\"concepts\": [\"tree\", \"cra\"]}, {\"concepts\": {\"film\": true}, \"box\": 1}]}]}"),
        ("z.yaml", "version: 1\nset: s\npolicy: sync\nvocabulary: [tree, car, foil]\nrenamed: { film: foil }\n"),
    ]), @r#"
    error: the concept `cra` is not in the vocabulary
     --> a.json:1:63
      |
    1 | {"inputs": [{"id": "a", "annotations": [{"concepts": ["tree", "cra"]}, {"concepts": {"film": true}, "box": 1}]}]}
      |                                                               ^^^^^
      |
      = help: did you mean `car`? otherwise add it to `vocabulary` in the header

    error: the concept `film` is renamed
     --> a.json:1:86
      |
    1 | {"inputs": [{"id": "a", "annotations": [{"concepts": ["tree", "cra"]}, {"concepts": {"film": true}, "box": 1}]}]}
      |                                                                                      ^^^^^^
      |
      = help: write `foil` here

    error: `box` must be a map of `top`, `left`, `bottom`, `right`, found the number 1
     --> a.json:1:108
      |
    1 | …s": [{"id": "a", "annotations": [{"concepts": ["tree", "cra"]}, {"concepts": {"film": true}, "box": 1}]}]}
      |                                                                                                      ^
    "#);
}

#[test]
fn renaming_is_one_step_into_the_vocabulary() {
    insta::assert_snapshot!(check_header("version: 1\nset: s\npolicy: sync\nvocabulary: [a, b, b]\nrenamed: { x: x, y: z, z: a, p: q, q: p, m: aa, n: ~ }\n"), @r#"
    5:20 the concept `b` is named twice (the first one is at a.yaml:5:17; keep one of the two)
    6:15 `x` is renamed to itself (leave it out)
    6:21 `y` is renamed to `z`, which is renamed as well (rename it to `a` at once)
    6:33 `p` is renamed to `q`, which is renamed as well (a new name is not renamed again)
    6:39 `q` is renamed to `p`, which is renamed as well (a new name is not renamed again)
    6:45 the new concept `aa` is not in the vocabulary (did you mean `a`? add it to `vocabulary`, or rename to one of it)
    6:52 the new concept has no value (it must be text; leave the key out if it does not apply)
    "#);
}

#[test]
fn the_other_fields_are_checked() {
    insta::assert_snapshot!(check_annotation("{ concepts: [a], status: pendign }, { concepts: [a], status: 7, user: 7, region: '' }"), @r#"
    4:58 unknown status `pendign` (did you mean `pending`? allowed: `success`, `pending`, `failed`, `unknown_status`, `invalid_argument`, `permission_denied`, `awaiting_review`, `review_denied`, `awaiting_consensus_review`, `modify_success`, `modify_pending`, `modify_failed`, or their numbers, 24000 to 24999)
    4:94 unknown status `7` (allowed: `success`, `pending`, `failed`, `unknown_status`, `invalid_argument`, `permission_denied`, `awaiting_review`, `review_denied`, `awaiting_consensus_review`, `modify_success`, `modify_pending`, `modify_failed`, or their numbers, 24000 to 24999)
    4:103 `user` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    4:114 `region` is invalid: empty (a name is not empty, has no control characters, and no white space at its ends)
    "#);
    insta::assert_snapshot!(check_annotation("{ concepts: [a], metadata: [], info: { a: ~, b: .inf, c: [1, ~], 1: 2, d: !x 3 } }"), @r#"
    4:50 `metadata` must be a map, found a list ()
    4:75 null in `info` (the service ignores null, so it can never be set; leave the key out)
    4:81 .inf in `info` is not a finite number (JSON has no such number; leave the key out, or put it in quotes)
    4:94 null in `info` (the service ignores null, so it can never be set; leave the key out)
    4:98 a key must be text, found the number 1 (if text is meant, put it in quotes: "1")
    4:107 the tag `!x` in `info` is not JSON (leave the tag out)
    "#);
    insta::assert_snapshot!(check_annotation("{ concepts: [a], frame: { time_ms: -1, number: 1.5 } }, { concepts: [b], frame: {} }, { concepts: [c], frame: 3 }"), @r#"
    4:68 `time_ms` must be a whole number of at least 0, found the number -1 ()
    4:80 `number` must be a whole number from 0 to 4294967295, found the number 1.5 ()
    4:106 a `frame` without `time_ms` or `number` (write the frame's time in milliseconds, its number, or both)
    4:143 `frame` must be a map of `time_ms`, `number`, found the number 3 ()
    "#);
}

#[test]
fn identities_are_checked() {
    insta::assert_snapshot!(check_annotation("{ id: x, key: y }, { id: x }, { key: k, concepts: [a] }, { key: k, concepts: [b] }, { id: 7 }"), @r#"
    4:42 both `id` and `key` (`id` adopts an annotation that exists, `key` names one of this manifest; keep one)
    4:58 duplicate id `x` on this input (the first is at annosync.yaml:4:39; each annotation has its own)
    4:97 duplicate key `k` on this input (the first is at annosync.yaml:4:70; each annotation has its own)
    4:123 `id` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
    insta::assert_snapshot!(check_annotation("{}, { status: pending }, { key: a }, { frame: { number: 1 } }, 5"), @"
    4:19 an annotation without a place, concepts, text, `key` or `id` (say where it lies (such as `box`), which `concepts` it has, or what `text`; nothing else tells which one it is)
    4:39 an annotation without a place, concepts, text, `key` or `id` (say where it lies (such as `box`), which `concepts` it has, or what `text`; nothing else tells which one it is)
    4:60 an annotation with a `key` and nothing else (say where it lies (such as `box`), which `concepts` it has, or what `text`)
    4:72 an annotation without a place, concepts, text, `key` or `id` (say where it lies (such as `box`), which `concepts` it has, or what `text`; nothing else tells which one it is)
    4:96 an annotation must be a map of `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, found the number 5 ()
    ");
    let key = crate::model::key_id(
        &crate::model::SetName::new("s").unwrap(),
        &InputId::new("a").unwrap(),
        &crate::model::Key::new("k").unwrap(),
    );
    insta::assert_snapshot!(check_annotation(&format!("{{ key: k, concepts: [a] }}, {{ id: {key} }}")), @"4:66 `as-043a7187-f017037d21a4ca66a841` is the id that a `key` makes (the key is at annosync.yaml:4:40; the two are one annotation; keep the key)");
}

#[test]
fn an_id_alone_keeps_an_annotation_and_manages_nothing_of_it() {
    assert_eq!(content("{ id: x }"), Content::default());
}

#[test]
fn inputs_are_checked() {
    insta::assert_snapshot!(check_body("inputs: [{ annotations: [] }, { id: a }, { id: 2024, annotations: {} }, 7, []]\n"), @r#"
    4:1 an input must be a map of `id`, `image`, `video`, `text`, `annotations`, `purge`, found a list ()
    4:12 an input without `id` (name the input: id: street-0001)
    4:33 input `a` without `annotations` (write `annotations: []` if you mean none)
    4:48 `id` must be text, found the number 2024 (if text is meant, put it in quotes: "2024")
    4:54 `annotations` must be a list, found a map ()
    4:73 an input must be a map of `id`, `image`, `video`, `text`, `annotations`, `purge`, found the number 7 ()
    "#);
    insta::assert_snapshot!(check_body("inputs: { id: a }\n"), @"4:1 `inputs` must be a list of inputs, found a map ()");
    insta::assert_snapshot!(check_body("inputs: \"a\"\n"), @"4:9 `inputs` must be a list of inputs, found the text `a` ()");
}

#[test]
fn an_input_that_stands_twice_is_named_with_the_other_place() {
    insta::assert_snapshot!(check(&[
        ("annosync.yaml", HEADER),
        ("b.yaml", "inputs: [{ id: x, annotations: [] }]"),
        ("c.jsonl", "\n{\"id\": \"y\", \"annotations\": []}\n{\"id\": \"x\", \"annotations\": []}\n{\"id\": \"y\", \"annotations\": []}\n"),
    ]), @r#"
    error: duplicate input `x`
     --> c.jsonl:3:8
      |
    3 | {"id": "x", "annotations": []}
      |        ^^^
      |
      = help: the first is at b.yaml:1:16; put all its annotations in one place

    error: duplicate input `y`
     --> c.jsonl:4:8
      |
    4 | {"id": "y", "annotations": []}
      |        ^^^
      |
      = help: the first is at c.jsonl:2:8; put all its annotations in one place
    "#);
}

#[test]
fn headers_are_checked() {
    insta::assert_snapshot!(check_header("set: Straße\npolicy: dlete\nversion: 2\nowners: me\nguards: { max_deletes: 130%, max_updates: -1, min_existing: 1.5, max_vanished: 0 }\n"), @r"
    2:6 `Straße` is not a valid set name (1 to 40 of a-z, 0-9 and -; it goes into the ids of what the manifest creates)
    3:9 unknown policy `dlete` (allowed: `sync`, `upsert`, `create`)
    4:10 `version` must be 1, found the number 2 (this program reads version 1 of the format; a later one needs a later program)
    5:9 `owners` must be a list, found the text `me` (write user ids, me (the token's user), or any: owners: [acme, labeler-1])
    6:24 `max_deletes` must be a percentage such as 30%, or a number, found the text `130%` ()
    6:43 `max_updates` must be a percentage such as 30%, or a number, found the number -1 ()
    6:61 `min_existing` must be a whole number of at least 0, found the number 1.5 ()
    6:66 unknown key `max_vanished` in `guards` (allowed: `max_deletes`, `max_updates`, `min_existing`, `max_vanished_concepts`, `max_doubles`, `max_new_concepts`)
    ");
    let adopting = check_header("version: 1\nset: s\npolicy: sync\nadopts: [old, s, A b, 7]\n");
    for problem in [
        "5:15 `adopts` names the set itself",
        "5:18 a set is invalid: not of the form",
        "5:23 a set must be text, found the number 7",
    ] {
        assert!(adopting.contains(problem), "{problem}\n{adopting}");
    }
    insta::assert_snapshot!(check_header("set: s\ntarget: prd\ntargets: { prod: { user_id: a, app_id: b, rate_limit: 0, endpoint: 'ftp://x' }, both: { embedded: a, user_id: b }, none: {}, e: { user_id: a, app_id: b, endpoint: 'https://me:secret@x' } }\nowners: []\nfiles: ['[', 7]\n"), @r#"
    1:1 a header without `policy` (write policy: sync (create, update, delete), upsert (create, update) or create)
    1:1 a header without `version` (write version: 1)
    3:9 `prd` is not among `targets` (did you mean `prod`? allowed: `prod`, `both`, `none`, `e`)
    4:55 `rate_limit` must be a whole number from 1 to 4294967295, found the number 0 ()
    4:68 `ftp://x` is not the URL of a server (write https://api.clarifai.com, or http:// and the address of a local server)
    4:102 the target `both` has both `embedded` and `user_id` (write { user_id: …, app_id: … } for an app, or { embedded: FILE } for a local store)
    4:116 the target `none` without `app_id` (write { user_id: …, app_id: … } for an app, or { embedded: FILE } for a local store)
    4:116 the target `none` without `user_id` (write { user_id: …, app_id: … } for an app, or { embedded: FILE } for a local store)
    4:164 `endpoint` holds a name or a password (a manifest holds no secrets; the token comes from the environment)
    5:1 `owners` is empty (write user ids, me (the token's user), or any: owners: [acme, labeler-1])
    6:9 `[` is not a valid pattern: unclosed character class; missing ']' (a pattern is a path below the header's folder, with *, **, ?, [ab] and {a,b})
    6:14 a pattern must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
}

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
      = help: the header is at a.yaml:1:1; the header's keys belong in one file; move these there, or let `files:` leave this file out
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
fn a_file_of_something_else_is_told_so() {
    insta::assert_snapshot!(check(&[("annosync.yaml", HEADER), ("compose.yaml", "services: {}\n"), ("list.json", "[1]"), ("void.yaml", "# nothing\n")]), @r#"
    error: not a file of a manifest: it has none of its keys
     --> compose.yaml:1:1
      |
    1 | services: {}
      | ^^^^^^^^
      |
      = help: a manifest's file is a map with `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `inputs`; if this one is something else, name the files that hold inputs in the header: files: ["labels/**"]

    error: not a file of a manifest: it holds a list
     --> list.json:1:2
      |
    1 | [1]
      |  ^
      |
      = help: a manifest's file is a map with `version`, `set`, `policy`, `files`, `target`, `targets`, `vocabulary`, `owners`, `create_inputs`, `guards`, `renamed`, `adopts`, `inputs`; if this one is something else, name the files that hold inputs in the header: files: ["labels/**"]

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

    error: not valid JSON: the file ends where a value must be
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
      = help: one document a file: put the others into files of their own

    error: not valid YAML: unknown anchor
     --> f.yaml:1:10
      |
    1 | inputs: [*nowhere]
      |          ^
    "#);
}

#[test]
fn aliases_cannot_blow_a_file_up() {
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
fn colours_are_for_terminals_alone() {
    let problems = parse(files(&[("a.yaml", "inputs:\n")])).unwrap_err();
    assert!(!problems.render(false, Shown::All).contains('\u{1b}'));
    let styled = problems.render(true, Shown::All);
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
      = help: did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`
    "#);
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
    let line = |text: &str, name: &str| format!("{}  {name}\n", hex(&Sha256::digest(text)));
    let lines = line("inputs: []\n", "a.yaml") + &line(HEADER, "annosync.yaml");
    assert_eq!(first, hex(&Sha256::digest(lines)));
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
        insta::assert_snapshot!(brief(&load(folder.path()).unwrap_err()), @"4:9 `labls/**` matches no files (a pattern is relative to this file's folder and matches only *.yaml, *.yml, *.json and *.jsonl)");
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_other_bytes_are_not() {
        let text = format!("\u{feff}{HEADER}inputs: [{{ id: a, anotations: [] }}]\n");
        let one = folder(&[("annosync.yaml", text.as_bytes())]);
        insta::assert_snapshot!(brief(&load(one.path()).unwrap_err()), @"
        4:12 input `a` without `annotations` (write `annotations: []` if you mean none)
        4:19 unknown key `anotations` in an input (did you mean `annotations`? allowed: `id`, `image`, `video`, `text`, `annotations`, `purge`)
        ");
        let bad = folder(&[("annosync.yaml", b"version: 1\nset: \xff\n")]);
        insta::assert_snapshot!(brief(&load(bad.path()).unwrap_err()), @"2:6 not valid UTF-8 (save the file as UTF-8)");
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
            assert!(problems.to_string().contains("--> "), "{problems}");
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
