use super::*;
use crate::model::RareFields;
use crate::render::sample::{a_box, concepts, polygon};

fn shown(content: &Content) -> String {
    let lines = lines(content, Layout::of(&[content]));
    let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    texts.join("\n")
}

#[test]
fn every_field_is_a_line() {
    let content: Content = serde_json::from_str(
        r#"{"frame": {"time_ms": 1500, "number": 45}, "box": {"top": 0.1, "left": 0.2, "bottom": 0.5, "right": 1},
            "concepts": {"tree": 1, "no": 0, "a: b": 0.25}, "status": "pending", "user": "me",
            "metadata": {"z": 1.0, "a": {"y": ["x", null], "b": "2026-01-01"}}, "info": {}}"#,
    )
    .unwrap();
    insta::assert_snapshot!(shown(&content), @r#"
    frame: {time_ms: 1500, number: 45}
    box: {top: 0.1, left: 0.2, bottom: 0.5, right: 1}
    concepts: {"a: b": 0.25, "no": false, tree: true}
    status: pending
    user: me
    metadata:
      a: {b: "2026-01-01", "y": [x, null]}
      z: 1
    info: {}
    "#);
    insta::assert_snapshot!(one_line(&content), @r#"
    {frame: {time_ms: 1500, number: 45}, box: {top: 0.1, left: 0.2, bottom: 0.5, right: 1}, concepts: {"a: b": 0.25, "no": false, tree: true}, status: pending, user: me, metadata: {a: {b: "2026-01-01", "y": [x, null]}, z: 1}, info: {}}
    "#);
}

#[test]
fn every_kind_of_place_is_written() {
    let hash = "0123456789abcdef".repeat(4);
    let of_pixels = format!(r#"{{"mask": {{"sha256": "{hash}", "width": 640, "height": 480}}}}"#);
    let of_both = of_pixels.replace("480", r#"480, "url": "https://example.com/m.png""#);
    let all = [
        r#"{"point": [0.1, 1]}"#,
        r#"{"keypoints": [[0, 0.5], [0.25, 1, "not_visible"]]}"#,
        &of_pixels,
        &of_both,
        r#"{"mask": {"url": "https://example.com/m.png"}}"#,
        r#"{"span": {"start": 3, "end": 11, "text": "red: car"}}"#,
        r#"{"span": {"start": 3, "end": 11}}"#,
        r#"{"segment": {"begin": 0.5, "end": 3600}}"#,
        r#"{"region": "361d6a9253be9152968012660258a4bf"}"#,
        r#"{"frame": {"time_ms": 40, "number": 1}, "point": [0, 0], "track": "t7", "text": "no", "region_value": 0.9, "embed_model_version": "e1"}"#,
        r#"{"text": "two\nlines", "region_value": 0}"#,
    ]
    .map(|text| one_line(&serde_json::from_str(text).unwrap()))
    .join("\n");
    insta::assert_snapshot!(all, @r#"
    {point: [0.1, 1]}
    {keypoints: [[0, 0.5], [0.25, 1, not_visible]]}
    {mask: {size: 640 x 480, sha256: 0123456789ab…}}
    {mask: {size: 640 x 480, sha256: 0123456789ab…, url: "https://example.com/m.png"}}
    {mask: {url: "https://example.com/m.png"}}
    {span: {start: 3, end: 11, text: "red: car"}}
    {span: {start: 3, end: 11}}
    {segment: {begin: 0.5, end: 3600}}
    {region: "361d6a9253be9152968012660258a4bf"}
    {frame: {time_ms: 40, number: 1}, point: [0, 0], track: t7, text: "no", region_value: 0.9, embed_model_version: e1}
    {text: "two\nlines", region_value: 0}
    "#);
}

#[test]
fn long_values_are_cut_on_one_line_too() {
    let span = |end: char| -> Content {
        let text = format!("{}{end}", "x".repeat(500));
        let span = serde_json::json!({"span": {"start": 0, "end": 501, "text": text}});
        serde_json::from_value(span).unwrap()
    };
    let keypoints = |last: f64| -> Content {
        let points = vec![[0.25, 0.5]; 20].into_iter().chain([[last, 0.5]]);
        let points = serde_json::json!({"keypoints": points.collect::<Vec<_>>()});
        serde_json::from_value(points).unwrap()
    };
    for (one, other) in [(span('a'), span('b')), (keypoints(0.1), keypoints(0.2))] {
        assert!(one_line(&one).chars().count() < 200, "{}", one_line(&one));
        assert_ne!(one_line(&one), one_line(&other));
        assert_ne!(shown(&one), shown(&other));
    }
    insta::assert_snapshot!(one_line(&keypoints(0.1)), @"{keypoints: [[0.25, 0.5], [0.25, 0.5], [0.25, 0.5], … 18 more, digest 13d3985d]}");
    insta::assert_snapshot!(one_line(&span('a')), @"{span: {start: 0, end: 501, text: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… 415 more characters, digest 1de67ca8}");
}

#[test]
fn many_concepts_are_one_per_line() {
    let content = Content {
        concepts: Some(concepts(&["a", "b", "c", "d", "e", "f", "g"])),
        ..Content::default()
    };
    insta::assert_snapshot!(shown(&content), @r"
    concepts:
      a: true
      b: true
      c: true
      d: true
      e: true
      f: true
      g: true
    ");
    assert_eq!(brief(content.concepts.as_ref().unwrap()), "a, b, c, 4 more");
}

#[test]
fn cut_polygons_that_differ_look_different() {
    let ring = |last| {
        let geometry = polygon(&[
            (0.0, 0.0),
            (0.0, 0.5),
            (0.1, 0.6),
            (0.2, 0.7),
            (0.3, 0.6),
            (0.4, 0.5),
            (0.5, last),
        ]);
        shown(&Content {
            geometry: Some(geometry),
            ..Content::default()
        })
    };
    insta::assert_snapshot!(ring(0.1), @r"
    polygon: [[0, 0], [0, 0.5], [0.1, 0.6], … 4 more, digest 6e694732]
    ");
    assert_ne!(ring(0.1), ring(0.2));
    let short = Content {
        geometry: Some(polygon(&[(0.0, 0.0), (0.0, 0.5), (0.1, 0.6)])),
        ..Content::default()
    };
    assert_eq!(shown(&short), "polygon: [[0, 0], [0, 0.5], [0.1, 0.6]]");
}

#[test]
fn cut_texts_that_differ_look_different() {
    let note = |end: &str| {
        let text = format!("{}{end}", "x".repeat(500));
        shown(&Content {
            rare: RareFields {
                info: Some(Json::from_value(&serde_json::json!({ "note": text }))),
                ..RareFields::default()
            }
            .into(),
            ..Content::default()
        })
    };
    assert!(note("a").chars().count() < 200, "{}", note("a"));
    assert_ne!(note("a"), note("b"));
}

#[test]
fn texts_that_yaml_reads_as_other_types_are_quoted() {
    for text in ["car", "Plastic Film 4", "a-b_c.d/e", "Größe"] {
        assert_eq!(plain(text), text);
    }
    for text in [
        "no", "NULL", "1", "", " a", "a ", "a: b", "a, b", "- a", "#a", "[a]",
    ] {
        assert_eq!(plain(text), format!("{text:?}"));
    }
    assert_eq!(plain("a\u{1b}"), "\"a\\u001b\"");
}

#[test]
fn an_absent_field_is_not_shown() {
    assert_eq!(one_line(&Content::default()), "{}");
    let content = Content {
        geometry: Some(a_box(0.5)),
        ..Content::default()
    };
    assert_eq!(
        one_line(&content),
        "{box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}}"
    );
}
