//! Every kind of annotation, and what is wrong with each: geometries, times, fields that few annotations have, files
//! that are named.

use super::*;
use crate::model::{Mask, Span, Undeclared};

/// The problems of one input with these keys beside `id`; it begins at 4:12.
fn check_input(text: &str) -> String {
    check_body(&format!("inputs: [{{ id: a, {text} }}]\n"))
}

/// A manifest of `labels/a.yaml` with one input of these keys, and files that it may name.
fn with_files(text: &str, binaries: &[(&str, &[u8])]) -> Result<Manifest, Problems> {
    parse_with(
        files(&[
            ("annosync.yaml", HEADER),
            ("labels/a.yaml", &format!("inputs: [{{ id: a, {text} }}]\n")),
        ]),
        binaries
            .iter()
            .map(|(path, bytes)| (PathBuf::from(path), bytes.to_vec()))
            .collect(),
    )
}

fn check_files(text: &str, binaries: &[(&str, &[u8])]) -> String {
    match with_files(text, binaries) {
        Ok(_) => "no problems".to_owned(),
        Err(problems) => brief(&problems),
    }
}

fn geometry(text: &str) -> String {
    serde_json::to_string(&content(text)).unwrap()
}

fn mask_of(content: &Content) -> &Mask {
    match &content.geometry {
        Some(Geometry::Mask(mask)) => mask,
        other => panic!("{other:?}"),
    }
}

fn span_of(content: &Content) -> &Span {
    match &content.geometry {
        Some(Geometry::Span(span)) => span,
        other => panic!("{other:?}"),
    }
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
fn an_input_is_purged_instead_of_declared() {
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
    insta::assert_snapshot!(check_input("purge: true, annotations: []"), @"4:19 both `annotations` and `purge` (`purge: true` deletes every annotation of the input, whoever made it, but the input-level one; keep one of the two)");
    insta::assert_snapshot!(check_input("purge: false, annotations: []"), @"4:26 `purge` must be true, found `false` (leave the key out where it is not meant)");
    insta::assert_snapshot!(check_input("purge: yes"), @"
    4:12 input `a` without `annotations` (write `annotations: []` if you mean none)
    4:26 `purge` must be true, found the text `yes` (leave the key out where it is not meant)
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
    4:102 a `span` without `end` (a span has start and end: characters, counted from 0, and `end` is behind the last one)
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
    // What a model calls things is the model's, not the vocabulary's.
    assert_eq!(
        check_body(&text.replace("CONCEPT", "pedestrian")),
        "no problems"
    );
}

#[test]
fn the_fields_that_few_annotations_have_are_checked() {
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
fn fields_that_do_not_go_together_are_refused() {
    insta::assert_snapshot!(check_annotation("{ point: [0, 0], keypoints: [[0, 0]] }, { mask: { path: a.png }, segment: { begin: 0, end: 1 } }, { span: { start: 0, end: 1 }, region: r }"), @r"
    4:50 more than one geometry: `point` and `keypoints` (an annotation lies in one place; make two annotations of it)
    4:89 `a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    4:98 more than one geometry: `mask` and `segment` (an annotation lies in one place; make two annotations of it)
    4:161 more than one geometry: `span` and `region` (an annotation lies in one place; make two annotations of it)
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
fn the_inputs_own_annotation_has_no_place_and_no_name() {
    assert_eq!(check_annotation("{ input_level: true }"), "no problems");
    insta::assert_snapshot!(check_annotation("{ input_level: false }, { input_level: 'true', concepts: [a] }"), @"
    4:48 `input_level` must be true, found `false` (leave the key out where it is not meant)
    4:72 `input_level` must be true, found the text `true` (leave the key out where it is not meant)
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
    insta::assert_snapshot!(check_annotation("{ input_level: true, concepts: [a] }, { input_level: true }"), @"4:73 a second `input_level` annotation on this input (the first is at annosync.yaml:4:35; an input has one such annotation; put everything into one)");
}

#[test]
fn masks_are_read_from_files_beside_the_one_that_names_them() {
    let (one, other) = (png(2, &[0, 1]), png(2, &[1, 1]));
    let text = "annotations: [{ mask: { path: masks/one.png } }, { mask: { path: ../m/other.png } }, { mask: { path: masks/../masks/./one.png } }]";
    let manifest = with_files(
        text,
        &[("labels/masks/one.png", &one), ("m/other.png", &other)],
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let annotations = &manifest.desired.inputs[0].annotations;
    let masks: Vec<&Mask> = annotations.iter().map(|a| mask_of(&a.content)).collect();
    assert_eq!(masks[0], &Mask::from_png(one.clone()).unwrap());
    assert_eq!(masks[1], &Mask::from_png(other.clone()).unwrap());
    // However often it is named, it is in memory once.
    let bytes = masks.iter().map(|mask| mask.png().unwrap());
    let bytes: Vec<_> = bytes.collect();
    assert!(std::sync::Arc::ptr_eq(bytes[0], bytes[2]));
    assert!(!std::sync::Arc::ptr_eq(bytes[0], bytes[1]));
}

#[test]
fn masks_are_checked() {
    insta::assert_snapshot!(check_annotation("{ mask: {} }, { mask: a.png }, { mask: { path: a.png, url: 'https://x.example' } }, { mask: { path: '' } }, { mask: { url: '' } }, { mask: { url: 'ftp://x/a.png' } }, { mask: { url: a.png } }, { mask: { pth: a } }, { mask: { path: 7 } }"), @r#"
    4:35 `mask` without `path` or `url` (write { path: masks/a.png } for a file, or { url: "https://…" })
    4:55 `mask` must be a map of `path`, `url`, found the text `a.png` ()
    4:87 `mask` with both `path` and `url` (keep one of the two)
    4:133 `path` is empty (write { path: masks/a.png } for a file, or { url: "https://…" })
    4:156 `url` is empty (write { path: masks/a.png } for a file, or { url: "https://…" })
    4:179 `ftp://x/a.png` is not the URL of an image (a URL begins with https:// or http://; a file is named by `path`)
    4:215 `a.png` is not the URL of an image (a URL begins with https:// or http://; a file is named by `path`)
    4:228 `mask` without `path` or `url` (write { path: masks/a.png } for a file, or { url: "https://…" })
    4:236 unknown key `pth` in `mask` (did you mean `path`? allowed: `path`, `url`)
    4:264 `path` must be text, found the number 7 (if text is meant, put it in quotes: "7")
    "#);
    let good = png(1, &[1]);
    insta::assert_snapshot!(check_files(
        "annotations: [{ mask: { path: no.png } }, { mask: { path: /m/a.png } }, { mask: { path: ../../a.png } }, { mask: { path: ../bad.png } }, { mask: { path: ../cut.png } }, { mask: { path: '.' } }, { mask: { path: ../good.png } }]",
        &[("bad.png", b"GIF89a"), ("cut.png", &good[..40]), ("good.png", &good)],
    ), @r"
    1:49 `labels/no.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:77 `/m/a.png` is an absolute path (put the file into the manifest's folder, or allow all that lie elsewhere with --allow-outside-files)
    1:107 `../../a.png` leads out of the manifest's folder (put the file into the manifest's folder, or allow all that lie elsewhere with --allow-outside-files)
    1:140 `bad.png` is not a mask: not a PNG image: Invalid PNG signature (a mask is a PNG image of the input's shape in which the annotated pixels are not black)
    1:172 `cut.png` is not a mask: not a PNG image: unexpected end of file (a mask is a PNG image of the input's shape in which the annotated pixels are not black)
    1:204 `.` is not the path of a file (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    ");
    // Two that name what is not there are two places to mend.
    insta::assert_snapshot!(check_files("annotations: [{ mask: { path: a.png }, concepts: [x] }, { mask: { path: a.png }, conceps: [y] }]", &[]), @r"
    1:49 `labels/a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:91 `labels/a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:100 unknown key `conceps` in an annotation (did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`)
    ");
}

/// The problems of these annotations of an input that says `ä cat`, without their places.
fn check_spans(source: &str, annotations: &str) -> String {
    let text = format!("text: {source}, annotations: [{annotations}]");
    let problems = check_files(&text, &[("labels/t.txt", "ä cat".as_bytes())]);
    let said = |line: &str| line.split_once(' ').unwrap().1.to_owned();
    problems.lines().map(said).collect::<Vec<_>>().join("\n")
}

#[test]
fn spans_are_checked_against_the_text_of_the_input() {
    let bad = "{ span: { start: 2, end: 6 } }, { span: { start: 2, end: 5, text: cot } }, { span: { start: 7, end: 9, text: x } }";
    insta::assert_snapshot!(check_spans("{ path: t.txt }", bad), @"
    the span ends at 6, and the input's text has 5 characters (characters are counted from 0, and `end` is behind the last one)
    the span says `cot`, and the input's text has `cat` there (mend `start` and `end` (characters from 0, `end` behind the last one), or leave `text` out)
    the span ends at 9, and the input's text has 5 characters (characters are counted from 0, and `end` is behind the last one)
    ");
    assert_eq!(
        check_spans("{ raw: 'ä cat' }", bad),
        check_spans("{ path: t.txt }", bad)
    );
    let good = "{ span: { start: 2, end: 5, text: cat } }, { span: { start: 4, end: 5 } }";
    assert_eq!(check_spans("{ raw: 'ä cat' }", good), "problems");
    assert_eq!(check_spans("{ path: t.txt }", good), "problems");
}

#[test]
fn a_span_without_a_text_gets_it_where_the_input_says_it() {
    for source in ["text: { raw: 'ä cat' },", "text: { path: t.txt },", ""] {
        let manifest = with_files(
            &format!(
                "{source} annotations: [{{ concepts: [x] }}, {{ span: {{ start: 0, end: 3 }} }}]"
            ),
            &[("labels/t.txt", "ä cat".as_bytes())],
        )
        .unwrap_or_else(|problems| panic!("{problems}"));
        let annotations = &manifest.desired.inputs[0].annotations;
        let known = (!source.is_empty()).then_some("ä c");
        assert_eq!(span_of(&annotations[1].content).text(), known, "{source}");
    }
}

#[test]
fn the_place_of_a_wrong_span_is_shown() {
    let problems = with_files(
        "text: { path: ../t.txt }, annotations: [{ span: { start: 0, end: 3, text: dog } }]",
        &[("t.txt", b"cat")],
    )
    .unwrap_err();
    insta::assert_snapshot!(problems, @"
    error: the span says `dog`, and the input's text has `cat` there
     --> labels/a.yaml:1:93
      |
    1 | inputs: [{ id: a, text: { path: ../t.txt }, annotations: [{ span: { start: 0, end: 3, text: dog } }] }]
      |                                                                                             ^^^
      |
      = help: mend `start` and `end` (characters from 0, `end` behind the last one), or leave `text` out
    ");
}

#[test]
fn texts_of_inputs_are_checked() {
    insta::assert_snapshot!(check_input("text: cat, annotations: []"), @"4:25 `text` must be a map of `path`, `raw`, `url`, found the text `cat` ()");
    insta::assert_snapshot!(check_input("text: {}, annotations: []"), @r#"4:19 `text` without `path` or `raw` (write { path: texts/a.txt } for a file, { raw: "what the input says" }, or { url: "https://…" })"#);
    insta::assert_snapshot!(check_input("text: { raw: a, path: b, c: d }, annotations: []"), @"
    4:27 `text` with both `path` and `raw` (keep one of the two)
    4:44 unknown key `c` in `text` (allowed: `path`, `raw`, `url`)
    ");
    insta::assert_snapshot!(check_input("text: { raw: '' }, annotations: []"), @r#"4:32 `raw` is empty (write { path: texts/a.txt } for a file, { raw: "what the input says" }, or { url: "https://…" })"#);
    insta::assert_snapshot!(check_files("text: { path: no.txt }, annotations: []", &[]), @"1:33 `labels/no.txt` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)");
    insta::assert_snapshot!(check_files("text: { path: ../../no.txt }, annotations: []", &[]), @"1:33 `../../no.txt` leads out of the manifest's folder (put the file into the manifest's folder, or allow all that lie elsewhere with --allow-outside-files)");
    insta::assert_snapshot!(check_files("text: { path: a.txt }, annotations: []", &[("labels/a.txt", b"\xff")]), @"1:33 `labels/a.txt`:1:1: not valid UTF-8 (save the file as UTF-8)");
}

#[test]
fn a_text_with_as_many_spans_as_characters_takes_one_pass() {
    // Quadratic, this would take minutes.
    let count = 100_000;
    let spans: Vec<String> = (0..count)
        .map(|i| format!("{{\"span\": {{\"start\": {i}, \"end\": {}}}}}", i + 1))
        .collect();
    let text = format!(
        "{{\"inputs\": [{{\"id\": \"a\", \"text\": {{\"path\": \"t\"}}, \"annotations\": [{}]}}]}}",
        spans.join(", ")
    );
    let manifest = parse_with(
        files(&[("annosync.yaml", HEADER), ("a.json", &text)]),
        vec![("t".into(), "ä".repeat(count).into_bytes())],
    )
    .unwrap();
    let last = &manifest.desired.inputs[0].annotations[count - 1].content;
    assert_eq!(span_of(last).text(), Some("ä"));
}

#[test]
fn files_that_are_named_count_in_the_hash_once_each() {
    let mask = png(1, &[1]);
    let hash = |text: &str, mask: &[u8]| {
        with_files(text, &[("labels/m.png", mask), ("labels/t.txt", b"cat")])
            .unwrap_or_else(|problems| panic!("{problems}"))
            .hash
    };
    let text = "text: { path: t.txt }, annotations: [{ mask: { path: m.png } }, { mask: { path: ./m.png } }]";
    let line = |bytes: &[u8], name: &str| format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
    let lines = [
        line(HEADER.as_bytes(), "annosync.yaml"),
        line(
            format!("inputs: [{{ id: a, {text} }}]\n").as_bytes(),
            "labels/a.yaml",
        ),
        line(&mask, "labels/m.png"),
        line(b"cat", "labels/t.txt"),
    ];
    assert_eq!(hash(text, &mask), hex(&Sha256::digest(lines.concat())));
    assert_ne!(hash(text, &mask), hash(text, &png(1, &[2])));
    // What nobody names does not count.
    let other = "annotations: []";
    assert_eq!(hash(other, &mask), hash(other, &png(1, &[2])));
}

#[test]
fn a_mask_that_is_wrong_does_not_hide_other_problems() {
    insta::assert_snapshot!(check_files("annotations: [{ mask: { path: no.png }, conceps: [a] }, { box: 1 }, { mask: { path: no.png }, box: 2 }]", &[]), @r"
    1:49 `labels/no.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:59 unknown key `conceps` in an annotation (did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`)
    1:82 `box` must be a map of `top`, `left`, `bottom`, `right`, found the number 1 ()
    1:89 more than one geometry: `box` and `mask` (an annotation lies in one place; make two annotations of it)
    1:103 `labels/no.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:118 `box` must be a map of `top`, `left`, `bottom`, `right`, found the number 2 ()
    ");
}

mod on_disk {
    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, bytes) in files {
            let path = folder.path().join("manifest").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    const LABELS: &str = "inputs: [{ id: a, annotations: [{ mask: { path: ../masks/a.png } }] }]\n";

    #[test]
    fn a_folder_and_its_header_read_the_same_masks() {
        let header = format!("{HEADER}files: [\"labels/**\"]\n");
        let folder = folder(&[
            ("annosync.yaml", header.as_bytes()),
            ("labels/a.yaml", LABELS.as_bytes()),
            ("masks/a.png", &png(1, &[1])),
        ]);
        let top = folder.path().join("manifest");
        let manifest = load(&top).unwrap();
        let alone = load(&top.join("annosync.yaml")).unwrap();
        assert_eq!(alone.hash, manifest.hash);
        assert!(
            mask_of(&alone.desired.inputs[0].annotations[0].content)
                .png()
                .is_some()
        );
        std::fs::write(top.join("masks/a.png"), png(1, &[2])).unwrap();
        assert_ne!(load(&top).unwrap().hash, manifest.hash);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_that_leads_out_is_refused_and_one_that_stays_is_followed() {
        let folder = folder(&[
            ("annosync.yaml", HEADER.as_bytes()),
            ("labels/a.yaml", LABELS.as_bytes()),
            ("real/a.png", &png(1, &[1])),
            ("../outside/a.png", &png(1, &[1])),
        ]);
        let top = folder.path().join("manifest");
        let link = top.join("masks");
        std::os::unix::fs::symlink("real", &link).unwrap();
        assert!(load(&top).is_ok());
        for (from, to) in [
            ("masks", "../outside"),
            ("masks/a.png", "../../outside/a.png"),
        ] {
            if link.is_symlink() {
                std::fs::remove_file(&link).unwrap();
            }
            if from.contains('/') {
                std::fs::create_dir(&link).unwrap();
            }
            std::os::unix::fs::symlink(to, top.join(from)).unwrap();
            let problems = brief(&load(&top).unwrap_err());
            let mut lines = problems.lines();
            assert_eq!(
                lines.next(),
                Some(
                    "1:49 `masks/a.png` is a link that leads out of the manifest's folder (put the file into the manifest's folder, or allow all that lie elsewhere with --allow-outside-files)"
                )
            );
            // A linked folder could hold label files as well: it is refused itself.
            let of_folder = lines
                .next()
                .map(|line| line.contains("` is a link to a folder outside"));
            assert_eq!(
                of_folder,
                (!from.contains('/')).then_some(true),
                "{problems}"
            );
            std::fs::remove_file(top.join(from)).unwrap();
        }
    }

    #[test]
    fn a_folder_is_no_mask() {
        let folder = folder(&[
            ("annosync.yaml", HEADER.as_bytes()),
            ("labels/a.yaml", LABELS.as_bytes()),
            ("masks/a.png/b", b""),
        ]);
        let problems = load(&folder.path().join("manifest")).unwrap_err();
        insta::assert_snapshot!(brief(&problems), @"1:49 `masks/a.png` is a folder, not a file (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)");
    }
}
