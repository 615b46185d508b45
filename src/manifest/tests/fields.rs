//! Problems of the header, of inputs and of the common fields of annotations.

use super::*;

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
    insta::assert_snapshot!(check_annotation("{ box: [0, 0, 1, 1] }, { box: {}, polygon: [], region: r }"), @r"
    4:35 `box` must be a map of `top`, `left`, `bottom`, `right`, found a list ()
    4:58 a `box` without `bottom` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `left` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `right` (a box has top, left, bottom and right, each a fraction of the image)
    4:58 a `box` without `top` (a box has top, left, bottom and right, each a fraction of the image)
    4:67 more than one geometry: `box` and `polygon` (an annotation has one geometry; split it into two annotations)
    4:67 a polygon needs at least 3 points, this one has 0 (it is one ring of [row, col] pairs; the last point joins the first)
    4:80 more than one geometry: `box` and `region` (an annotation has one geometry; split it into two annotations)
    ");
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
    4:51 duplicate concept `car` (the first is at annosync.yaml:4:46; keep one of the two)
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
fn vocabulary_and_renames_apply_to_all_files() {
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
fn concepts_are_renamed_once_and_into_the_vocabulary() {
    insta::assert_snapshot!(check_header("version: 1\nset: s\npolicy: sync\nvocabulary: [a, b, b]\nrenamed: { x: x, y: z, z: a, p: q, q: p, m: aa, n: ~ }\n"), @r#"
    5:20 duplicate concept `b` (the first is at a.yaml:5:17; keep one of the two)
    6:15 `x` is renamed to itself (leave it out)
    6:21 `y` is renamed to `z`, which is renamed as well (rename it directly to `a`)
    6:33 `p` is renamed to `q`, which is renamed as well (a concept can be renamed only once)
    6:39 `q` is renamed to `p`, which is renamed as well (a concept can be renamed only once)
    6:45 the new concept `aa` is not in the vocabulary (did you mean `a`? add it to `vocabulary`, or rename to a concept that is in it)
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
    4:58 duplicate id `x` on this input (the first is at annosync.yaml:4:39; each annotation needs its own)
    4:97 duplicate key `k` on this input (the first is at annosync.yaml:4:70; each annotation needs its own)
    4:123 `id` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
    insta::assert_snapshot!(check_annotation("{}, { status: pending }, { key: a }, { frame: { number: 1 } }, 5"), @r"
    4:19 an annotation without a geometry, concepts, text, `key` or `id` (give a geometry (such as `box`), `concepts` or `text`; it cannot be matched without one)
    4:39 an annotation without a geometry, concepts, text, `key` or `id` (give a geometry (such as `box`), `concepts` or `text`; it cannot be matched without one)
    4:60 an annotation with a `key` and nothing else (give a geometry (such as `box`), `concepts` or `text`)
    4:72 an annotation without a geometry, concepts, text, `key` or `id` (give a geometry (such as `box`), `concepts` or `text`; it cannot be matched without one)
    4:96 an annotation must be a map of `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`, found the number 5 ()
    ");
    let key = crate::model::key_id(
        &crate::model::SetName::new("s").unwrap(),
        &InputId::new("a").unwrap(),
        &crate::model::Key::new("k").unwrap(),
    );
    insta::assert_snapshot!(check_annotation(&format!("{{ key: k, concepts: [a] }}, {{ id: {key} }}")), @"4:66 `as-043a7187-f017037d21a4ca66a841` is the id of an annotation with a `key` (the key is at annosync.yaml:4:40; the two are one annotation; keep the key)");
}

#[test]
fn an_id_alone_manages_no_field() {
    assert_eq!(content("{ id: x }"), Content::default());
}

#[test]
fn inputs_are_checked() {
    insta::assert_snapshot!(check_body("inputs: [{ annotations: [] }, { id: a }, { id: 2024, annotations: {} }, 7, []]\n"), @r#"
    4:1 an input must be a map of `id`, `image`, `video`, `text`, `annotations`, `purge`, `ignore`, found a list ()
    4:12 an input without `id` (name the input: id: street-0001)
    4:33 input `a` without `annotations` (write `annotations: []` if you mean none)
    4:48 `id` must be text, found the number 2024 (if text is meant, put it in quotes: "2024")
    4:54 `annotations` must be a list, found a map ()
    4:73 an input must be a map of `id`, `image`, `video`, `text`, `annotations`, `purge`, `ignore`, found the number 7 ()
    "#);
    insta::assert_snapshot!(check_body("inputs: { id: a }\n"), @"4:1 `inputs` must be a list of inputs, found a map ()");
    insta::assert_snapshot!(check_body("inputs: \"a\"\n"), @"4:9 `inputs` must be a list of inputs, found the text `a` ()");
}

#[test]
fn duplicate_inputs_name_the_first_place() {
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
      = help: the first is at b.yaml:1:16; declare each input once, with all its annotations

    error: duplicate input `y`
     --> c.jsonl:4:8
      |
    4 | {"id": "y", "annotations": []}
      |        ^^^
      |
      = help: the first is at c.jsonl:2:8; declare each input once, with all its annotations
    "#);
}

#[test]
fn headers_are_checked() {
    insta::assert_snapshot!(check_header("set: Straße\npolicy: dlete\nversion: 2\nowners: me\nguards: { max_deletes: 130%, max_updates: -1, min_existing: 1.5, max_vanished: 0 }\n"), @r"
    2:6 `Straße` is not a valid set name (1 to 40 of a-z, 0-9 and -; it goes into the ids of what the manifest creates)
    3:9 unknown policy `dlete` (allowed: `sync`, `upsert`, `create`)
    4:10 `version` must be 1, found the number 2 (this annosync reads version 1 of the format; install a later one for later versions)
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
    4:164 `endpoint` contains a user name or a password (a manifest holds no secrets; the token comes from the environment)
    5:1 `owners` is empty (write user ids, me (the token's user), or any: owners: [acme, labeler-1])
    6:9 `[` is not a valid pattern: unclosed character class; missing ']' (a pattern is a path below the header's folder, with *, **, ?, [ab] and {a,b})
    6:14 a pattern must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
}
