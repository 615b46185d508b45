//! Files that inputs name: masks and texts.

use super::kinds::check_input;
use super::*;
use crate::model::{Mask, Span};

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
fn mask_paths_are_relative_to_their_file() {
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
    // Its bytes are in memory only once.
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
    1:77 `/m/a.png` is an absolute path (move the file into the manifest's folder, or allow files elsewhere with --allow-outside-files)
    1:107 `../../a.png` leads out of the manifest's folder (move the file into the manifest's folder, or allow files elsewhere with --allow-outside-files)
    1:140 `bad.png` is not a mask: not a PNG image: Invalid PNG signature (a mask is a PNG image of the input's shape in which the annotated pixels are not black)
    1:172 `cut.png` is not a mask: not a PNG image: unexpected end of file (a mask is a PNG image of the input's shape in which the annotated pixels are not black)
    1:204 `.` is not a file path (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    ");
    // Each reference to a missing file is reported.
    insta::assert_snapshot!(check_files("annotations: [{ mask: { path: a.png }, concepts: [x] }, { mask: { path: a.png }, conceps: [y] }]", &[]), @r"
    1:49 `labels/a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:91 `labels/a.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:100 unknown key `conceps` in an annotation (did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`)
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
    the span ends at 6, and the input's text has 5 characters (characters are counted from 0, and `end` is one after the last)
    the span's text is `cot`, and the input has `cat` there (correct `start` and `end` (characters from 0, `end` one after the last), or leave `text` out)
    the span ends at 9, and the input's text has 5 characters (characters are counted from 0, and `end` is one after the last)
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
fn a_span_without_text_gets_it_from_the_input() {
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
fn a_wrong_span_is_shown_with_its_place() {
    let problems = with_files(
        "text: { path: ../t.txt }, annotations: [{ span: { start: 0, end: 3, text: dog } }]",
        &[("t.txt", b"cat")],
    )
    .unwrap_err();
    insta::assert_snapshot!(problems, @r"
    error[span-text]: the span's text is `dog`, and the input has `cat` there
     --> labels/a.yaml:1:93
      |
    1 | inputs: [{ id: a, text: { path: ../t.txt }, annotations: [{ span: { start: 0, end: 3, text: dog } }] }]
      |                                                                                             ^^^
      |
      = help: correct `start` and `end` (characters from 0, `end` one after the last), or leave `text` out
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
    insta::assert_snapshot!(check_files("text: { path: ../../no.txt }, annotations: []", &[]), @"1:33 `../../no.txt` leads out of the manifest's folder (move the file into the manifest's folder, or allow files elsewhere with --allow-outside-files)");
    insta::assert_snapshot!(check_files("text: { path: a.txt }, annotations: []", &[("labels/a.txt", b"\xff")]), @"1:33 `labels/a.txt`:1:1: not valid UTF-8 (save the file as UTF-8)");
}

#[test]
fn a_text_with_as_many_spans_as_characters_takes_one_pass() {
    // If it were quadratic, this would take minutes.
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
fn named_files_count_once_in_the_hash() {
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
    // Files that are not named do not count.
    let other = "annotations: []";
    assert_eq!(hash(other, &mask), hash(other, &png(1, &[2])));
}

#[test]
fn a_wrong_mask_does_not_hide_other_problems() {
    insta::assert_snapshot!(check_files("annotations: [{ mask: { path: no.png }, conceps: [a] }, { box: 1 }, { mask: { path: no.png }, box: 2 }]", &[]), @r"
    1:49 `labels/no.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:59 unknown key `conceps` in an annotation (did you mean `concepts`? allowed: `key`, `id`, `input_level`, `frame`, `segment`, `box`, `polygon`, `point`, `keypoints`, `mask`, `span`, `region`, `track`, `region_value`, `concepts`, `text`, `embed_model_version`, `status`, `user`, `metadata`, `info`, `ignore`)
    1:82 `box` must be a map of `top`, `left`, `bottom`, `right`, found the number 1 ()
    1:89 more than one geometry: `box` and `mask` (an annotation has one geometry; split it into two annotations)
    1:103 `labels/no.png` does not exist (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)
    1:118 `box` must be a map of `top`, `left`, `bottom`, `right`, found the number 2 ()
    ");
}

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
fn links_out_of_the_folder_are_refused() {
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
                "1:49 `masks/a.png` is a link that leads out of the manifest's folder (move the file into the manifest's folder, or allow files elsewhere with --allow-outside-files)"
            )
        );
        // A link to a folder is refused itself: it could contain label files.
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
fn a_folder_as_mask_is_refused() {
    let folder = folder(&[
        ("annosync.yaml", HEADER.as_bytes()),
        ("labels/a.yaml", LABELS.as_bytes()),
        ("masks/a.png/b", b""),
    ]);
    let problems = load(&folder.path().join("manifest")).unwrap_err();
    insta::assert_snapshot!(brief(&problems), @"1:49 `masks/a.png` is a folder, not a file (a path is relative to the folder of the file that names it, and may not leave the manifest's folder)");
}
