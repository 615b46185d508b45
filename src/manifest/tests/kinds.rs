//! Every kind of annotation and its problems: geometries, times, rare fields.

use super::*;
use crate::model::Undeclared;

/// The problems of one input with these keys beside `id`; it begins at 4:12.
pub(super) fn check_input(text: &str) -> String {
    check_body(&format!("inputs: [{{ id: a, {text} }}]\n"))
}

fn geometry(text: &str) -> String {
    serde_json::to_string(&content(text)).unwrap()
}

#[test]
fn every_kind_is_read_as_it_is_written() {
    for (text, json) in [
        ("{ point: [0.1, 1] }", r#"{"point":[0.1,1]}"#),
        (
            "{ keypoints: [[0.1, 0.2], [0, 1, not_visible], [0, 0, not_set]] }",
            r#"{"keypoints":[[0.1,0.2],[0,1,"not_visible"],[0,0]]}"#,
        ),
        (
            "{ mask: { url: 'https://example.com/m.png' } }",
            r#"{"mask":{"url":"https://example.com/m.png"}}"#,
        ),
        (
            "{ span: { start: 2, end: 5, text: cat } }",
            r#"{"span":{"start":2,"end":5,"text":"cat"}}"#,
        ),
        (
            "{ segment: { begin: 0, end: 1.5 } }",
            r#"{"segment":{"begin":0,"end":1.5}}"#,
        ),
        (
            "{ region: { from_model: v1, concept: person, nearest: { box: { top: 0, left: 0, bottom: 1, right: 1 } } } }",
            r#"{"region_of":{"from_model":"v1","concept":"person","nearest":{"box":{"top":0,"left":0,"bottom":1,"right":1}}}}"#,
        ),
        (
            "{ region: r, track: t7, region_value: 0.9, text: 'no', embed_model_version: '07' }",
            r#"{"region":"r","track":"t7","text":"no","region_value":0.9,"embed_model_version":"07"}"#,
        ),
        (
            "{ concepts: { car: 0.5, tree: true, sky: 0 } }",
            r#"{"concepts":{"car":0.5,"sky":0,"tree":1}}"#,
        ),
        ("{ input_level: true, user: me-2 }", r#"{"user":"me-2"}"#),
        ("{ text: hello }", r#"{"text":"hello"}"#),
    ] {
        assert_eq!(geometry(text), json, "{text}");
    }
}

#[test]
fn purge_excludes_annotations() {
    let manifest = one(&[(
        "annosync.yaml",
        &format!("{HEADER}inputs: [{{ id: a, purge: true }}, {{ id: b, annotations: [] }}]\n"),
    )]);
    let rest: Vec<Undeclared> = manifest
        .desired
        .inputs
        .iter()
        .map(|i| i.undeclared)
        .collect();
    assert_eq!(rest, [Undeclared::Purged, Undeclared::Managed]);
    insta::assert_snapshot!(check_input("purge: true, annotations: []"), @"4:19 both `annotations` and `purge` (`purge: true` deletes every annotation of the input, of any user, except the input-level one; keep one of the two)");
    insta::assert_snapshot!(check_input("purge: false, annotations: []"), @"4:26 `purge` must be true, found `false` (leave the key out if it does not apply)");
    insta::assert_snapshot!(check_input("purge: yes"), @"
    4:12 input `a` without `annotations` (write `annotations: []` if you mean none)
    4:26 `purge` must be true, found the text `yes` (leave the key out if it does not apply)
    ");
    insta::assert_snapshot!(check_input("purge: , annotations: []"), @"4:26 `purge` has no value (it must be true; leave the key out if it does not apply)");
}

#[test]
fn points_and_keypoints_are_checked() {
    insta::assert_snapshot!(check_annotation("{ point: [0.1] }, { point: 3 }, { point: [0.1, x] }, { point: }, { point: [7, 0.1] }, { point: [0.1, 0.2, visible] }"), @"
    4:35 `point` must be a [row, col] pair, found a list of 1 (write one row and one column: [0.1, 0.2])
    4:60 `point` must be a [row, col] pair, found the number 3 ()
    4:80 a coordinate must be a number from 0 to 1, found the text `x` ()
    4:95 `point` has no value (it must be a [row, col] pair; leave the key out if it does not apply)
    4:108 a coordinate must be a number from 0 to 1, found 7 (coordinates are fractions of the image, 0 to 1, from its top left)
    4:121 `point` must be a [row, col] pair, found a list of 3 (write one row and one column: [0.1, 0.2])
    ");
    insta::assert_snapshot!(check_annotation("{ keypoints: [] }, { keypoints: 3 }, { keypoints: }, { keypoints: [[0.1], [0.1, 0.2, 3], [0.1, 0.2, not_visble], 4, [a, 0.1], [0, 0, visible, 1], [0, 0, ~]] }"), @"
    4:35 keypoints need at least 1 point (their order says what each of them is: [[0.1, 0.2], [0.3, 0.4, not_visible]])
    4:65 `keypoints` must be a list of [row, col] or [row, col, visibility], found the number 3 ()
    4:83 `keypoints` has no value (it must be a list of [row, col] or [row, col, visibility]; leave the key out if it does not apply)
    4:101 a keypoint must be [row, col] or [row, col, visibility], found a list of 1 (for example [0.1, 0.2, not_visible])
    4:118 a visibility must be a word, found the number 3 (allowed: `not_set`, `visible`, `not_visible`, `not_present`)
    4:133 unknown visibility `not_visble` (did you mean `not_visible`? allowed: `not_set`, `visible`, `not_visible`, `not_present`)
    4:146 a keypoint must be [row, col] or [row, col, visibility], found the number 4 ()
    4:150 a coordinate must be a number from 0 to 1, found the text `a` ()
    4:160 a keypoint must be [row, col] or [row, col, visibility], found a list of 4 (for example [0.1, 0.2, not_visible])
    4:186 a visibility has no value (allowed: `not_set`, `visible`, `not_visible`, `not_present`)
    ");
    insta::assert_snapshot!(check_input("image: { width: 200, height: 100 }, annotations: [{ point: [50, 20] }, { keypoints: [[0, 0], [0.5, 50], [20, 0.1, visible]] }]"), @"
    4:79 a coordinate must be a number from 0 to 1, found 50 (and 1 more of this point) (coordinates are fractions of the image: 50 / 100 = 0.5)
    4:118 a coordinate must be a number from 0 to 1, found 50 (and 1 more of these keypoints) (coordinates are fractions of the image: 50 / 200 = 0.25)
    ");
}

#[test]
fn segments_and_spans_are_checked() {
    insta::assert_snapshot!(check_annotation("{ segment: { begin: 2, end: 1 } }, { segment: { begin: -1, end: .nan } }, { segment: { begin: 1 } }, { segment: [1, 2] }, { segment: { begin: a, end: 1e300, ende: 1 } }"), @"
    4:61 the end (1) is before the begin (2) (a segment runs forward; swap `begin` and `end`)
    4:88 `begin` must be a number of seconds, 0 or more, found the number -1 ()
    4:97 `end` must be a number of seconds, 0 or more, found the number .nan ()
    4:109 a `segment` without `end` (a segment has begin and end, in seconds from the start)
    4:136 `segment` must be a map of `begin`, `end`, found a list ()
    4:175 `begin` must be a number of seconds, 0 or more, found the text `a` ()
    4:183 `end` must be a number of seconds, 0 or more, found the number 1e300 ()
    4:190 unknown key `ende` in `segment` (did you mean `end`? allowed: `begin`, `end`)
    ");
    insta::assert_snapshot!(check_annotation("{ span: { start: 5, end: 2 } }, { span: { start: -1, end: 1.5 } }, { span: { start: 1, text: 3 } }, { span: 3 }, { span: { start: 1, end: 4294967296, txt: a } }"), @r#"
    4:58 the end (2) is before the start (5) (a span runs forward; swap `start` and `end`)
    4:82 `start` must be a whole number from 0 to 4294967295, found the number -1 ()
    4:91 `end` must be a whole number from 0 to 4294967295, found the number 1.5 ()
    4:102 a `span` without `end` (a span has start and end: characters, counted from 0; `end` is one after the last)
    4:126 `text` must be text, found the number 3 (if text is meant, put it in quotes: "3")
    4:141 `span` must be a map of `start`, `end`, `text`, found the number 3 ()
    4:171 `end` must be a whole number from 0 to 4294967295, found the number 4294967296 ()
    4:183 unknown key `txt` in `span` (did you mean `text`? allowed: `start`, `end`, `text`)
    "#);
}

#[test]
fn regions_are_checked() {
    insta::assert_snapshot!(check_annotation("{ region: {} }, { region: { from_model: '', concept: '', nearest: {} } }, { region: { from_model: v, nearest: { box: { top: 1, left: 0, bottom: 0, right: 9 }, point: [0, 0] } } }, { region: 7 }, { region: { frm_model: 3, nearest: 1 } }"), @r#"
    4:35 a `region` without `from_model` (for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } })
    4:35 a `region` without `nearest` (for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } })
    4:73 `from_model` is empty (for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } })
    4:86 `concept` is invalid: empty (a name is not empty, has no control characters, and no white space at its ends)
    4:90 `nearest` without `box` (for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } })
    4:157 top (1) is greater than bottom (0) (`top` is the edge nearer to the image's top left; swap it with `bottom`)
    4:187 `right` must be a number from 0 to 1, found the number 9 (coordinates are fractions of the image, 0 to 1, from its top left)
    4:192 unknown key `point` in `nearest` (allowed: `box`)
    4:223 `region` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    4:230 a `region` without `from_model` (for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } })
    4:240 unknown key `frm_model` in `region` (did you mean `from_model`? allowed: `from_model`, `concept`, `nearest`)
    4:263 `nearest` must be a map of `box`, found the number 1 ()
    "#);
    let text = "vocabulary: [car]\ninputs: [{ id: a, annotations: [{ region: { from_model: v, concept: CONCEPT, nearest: { box: { top: 0, left: 0, bottom: 1, right: 1 } } }, concepts: [car] }] }]\n";
    // The vocabulary does not apply to concepts of a model.
    assert_eq!(
        check_body(&text.replace("CONCEPT", "pedestrian")),
        "no problems"
    );
}

#[test]
fn rare_fields_are_checked() {
    insta::assert_snapshot!(check_annotation("{ region: r, track: '', text: '', embed_model_version: '', region_value: 1.5 }, { region: r, track: 7, text: [], embed_model_version: ~, region_value: a }, { region: r, region_value: .nan }"), @r#"
    4:53 `track` is empty (leave the key out if it does not apply)
    4:63 `text` is empty (leave the key out if it does not apply)
    4:88 `embed_model_version` is empty (leave the key out if it does not apply)
    4:106 `region_value` must be a number from 0 to 1, found the number 1.5 ()
    4:133 `track` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    4:136 `text` must be text, found a list ()
    4:167 `embed_model_version` has no value (it must be text; leave the key out if it does not apply)
    4:184 `region_value` must be a number from 0 to 1, found the text `a` ()
    4:216 `region_value` must be a number from 0 to 1, found the number .nan ()
    "#);
}

#[test]
fn conflicting_fields_are_refused() {
    insta::assert_snapshot!(check_annotation("{ point: [0, 0], keypoints: [[0, 0]] }, { mask: { path: a.png }, segment: { begin: 0, end: 1 } }, { span: { start: 0, end: 1 }, region: r }"), @r"
    4:50 more than one geometry: `point` and `keypoints` (an annotation has one geometry; split it into two annotations)
    4:89 `a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    4:98 more than one geometry: `mask` and `segment` (an annotation has one geometry; split it into two annotations)
    4:161 more than one geometry: `span` and `region` (an annotation has one geometry; split it into two annotations)
    ");
    insta::assert_snapshot!(check_annotation("{ frame: { number: 1 }, segment: { begin: 0, end: 1 } }, { frame: { number: 1 }, span: { start: 0, end: 1 } }"), @"
    4:35 both `frame` and `segment` (a segment has its own times; keep one of the two)
    4:92 both `frame` and `span` (a text has no frames; keep one of the two)
    ");
    insta::assert_snapshot!(check_annotation("{ track: t, region_value: 0.5, concepts: [a] }, { track: t, segment: { begin: 0, end: 1 } }, { id: x, track: t, frame: { number: 1 } }"), @"
    4:35 `track` without a region (it belongs to a region: give one of `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`)
    4:45 `region_value` without a region (it belongs to a region: give one of `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`)
    4:83 `track` without a region (it belongs to a region: give one of `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`)
    4:135 `track` without a region (it belongs to a region: give one of `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`)
    ");
    for place in [
        "box: { top: 0, left: 0, bottom: 1, right: 1 }",
        "polygon: [[0, 0], [0, 1], [1, 1]]",
        "point: [0, 0]",
        "keypoints: [[0, 0]]",
        "mask: { url: 'http://example.com/a.png' }",
        "span: { start: 0, end: 1 }",
        "region: r",
    ] {
        let text = format!("{{ {place}, track: t, region_value: 0.5 }}");
        assert_eq!(check_annotation(&text), "no problems", "{text}");
    }
}

#[test]
fn input_level_excludes_geometry_and_identity() {
    assert_eq!(check_annotation("{ input_level: true }"), "no problems");
    insta::assert_snapshot!(check_annotation("{ input_level: false }, { input_level: 'true', concepts: [a] }"), @"
    4:48 `input_level` must be true, found `false` (leave the key out if it does not apply)
    4:72 `input_level` must be true, found the text `true` (leave the key out if it does not apply)
    ");
    insta::assert_snapshot!(check_annotation("{ input_level: true, key: k, id: i, box: { top: 0, left: 0, bottom: 1, right: 1 }, frame: { number: 1 }, track: t, region_value: 1, segment: { begin: 0, end: 1 } }"), @"
    4:54 both `id` and `key` (`id` adopts an annotation that exists, `key` names one of this manifest; keep one)
    4:54 both `input_level` and `key` (the input's own annotation covers the whole input and exists once; leave `key` out, or declare another annotation)
    4:62 both `input_level` and `id` (the input's own annotation covers the whole input and exists once; leave `id` out, or declare another annotation)
    4:69 both `input_level` and `box` (the input's own annotation covers the whole input and exists once; leave `box` out, or declare another annotation)
    4:116 both `input_level` and `frame` (the input's own annotation covers the whole input and exists once; leave `frame` out, or declare another annotation)
    4:138 both `input_level` and `track` (the input's own annotation covers the whole input and exists once; leave `track` out, or declare another annotation)
    4:148 both `input_level` and `region_value` (the input's own annotation covers the whole input and exists once; leave `region_value` out, or declare another annotation)
    4:165 both `input_level` and `segment` (the input's own annotation covers the whole input and exists once; leave `segment` out, or declare another annotation)
    ");
    insta::assert_snapshot!(check_annotation("{ input_level: true, concepts: [a] }, { input_level: true }"), @"4:73 a second `input_level` annotation on this input (the first is at annosync.yaml:4:35; an input has one such annotation; merge the two)");
}
