//! Malicious manifests: alias bombs, depth, size and other parser traps. Each is an error with a place, or is read as
//! written.
//!
//! No test asserts time or memory: without the limits these tests would not end.

use annosync::manifest::{Manifest, Problems, parse};
use std::fmt::Write as _;
use std::path::PathBuf;

const HEADER: &str = "version: 1\nset: s\npolicy: sync\n";

fn read(extension: &str, text: String) -> Result<Manifest, Problems> {
    let labels = PathBuf::from("labels").join("a").with_extension(extension);
    parse(vec![
        ("annosync.yaml".into(), HEADER.to_owned()),
        (labels, text),
    ])
}

/// Asserts that a text is refused with one short problem that contains `why`.
#[track_caller]
fn refused(extension: &str, text: String, why: &str) {
    let length = text.len();
    let problems = read(extension, text)
        .map(|manifest| manifest.desired)
        .unwrap_err();
    let shown = problems.to_string();
    assert!(shown.contains(why), "{shown}");
    assert!(shown.contains(&format!("labels/a.{extension}:")), "{shown}");
    assert_eq!(problems.len(), 1, "{shown}");
    assert!(shown.len() < 2_000, "{length} bytes give {}", shown.len());
}

#[track_caller]
fn inputs(extension: &str, text: String) -> usize {
    let manifest = read(extension, text).unwrap_or_else(|problems| panic!("{problems}"));
    manifest.desired.inputs.len()
}

/// An input with something in its metadata.
fn with_metadata(value: &str) -> String {
    format!(
        "{{\"inputs\": [{{\"id\": \"a\", \"annotations\": [{{\"key\": \"k\", \"metadata\": {{\"k\": {value}}}}}]}}]}}"
    )
}

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn expanded_aliases_are_limited() {
    // They expand to 10^9 values.
    let mut laughs = "a0: &a0 [x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    refused(
        "yaml",
        format!("{laughs}inputs: *a9\n"),
        "repetition limit exceeded",
    );
    // Many aliases to a large value.
    let large = format!(
        "text: t\n      metadata: &a {{ k: \"{}\" }}",
        "x".repeat(100_000)
    );
    let aliases = "    - { metadata: *a, concepts: [c] }\n".repeat(2_000);
    let text = format!("inputs:\n- id: a\n  annotations:\n    - {large}\n{aliases}");
    refused("yaml", text, "its aliases expand to more than twenty times");
    // As keys.
    let keys = "    - { metadata: { ? *a : 1 } }\n".repeat(2_000);
    let text = format!("inputs:\n- id: a\n  annotations:\n    - {large}\n{keys}");
    assert!(read("yaml", text).is_err());
    // An alias to itself, and one without an anchor.
    refused(
        "yaml",
        "inputs: &a [*a]\n".to_owned(),
        "recursion limit exceeded",
    );
    refused("yaml", "inputs: [*nothing]\n".to_owned(), "unknown anchor");
}

#[test]
fn aliases_and_anchors_in_moderation_are_read() {
    let mut anchors = String::from("inputs:\n");
    for at in 0..50_000 {
        writeln!(anchors, "- &a{at} {{ id: i{at}, annotations: [] }}").unwrap();
    }
    assert_eq!(inputs("yaml", anchors), 50_000);
    let text = "inputs:\n- id: a\n  annotations: &l [{ concepts: &c [x, y] }, { text: t, concepts: *c }]\n- id: b\n  annotations: *l\n";
    assert_eq!(inputs("yaml", text.to_owned()), 2);
    // A merge key is an unknown key.
    let text = "inputs:\n- &a { id: a, annotations: [] }\n- { <<: *a, id: b, annotations: [] }\n";
    refused("yaml", text.to_owned(), "unknown key `<<` in an input");
}

#[test]
fn depth_is_limited_in_every_format() {
    for levels in [1_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\": ", "}")] {
            for text in [
                nested(open, "1", close, levels),
                open.repeat(levels),
                with_metadata(&nested(open, "1", close, levels)),
            ] {
                refused("json", text.clone(), "nested too deeply");
                refused("jsonl", text, "nested too deeply");
            }
        }
    }
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = |levels| with_metadata(&nested(open, "1", close, levels));
        refused("yaml", deep(200), "recursion limit exceeded");
        // The parser's own work would grow with the square of the depth.
        refused("yaml", deep(1_000), "nested too deeply");
        refused("yaml", deep(100_000), "nested too deeply");
    }
    for before in ["inputs: ", "inputs:\n "] {
        let text = format!("{before}{}1\n", "- ".repeat(100_000));
        refused("yaml", text, "nested too deeply");
    }
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
    ] {
        assert!(read("yaml", text).is_err());
    }
    for extension in ["json", "yaml"] {
        assert_eq!(
            inputs(extension, with_metadata(&nested("[", "1", "]", 90))),
            1
        );
    }
}

#[test]
fn numbers_of_any_size_are_numbers_or_errors() {
    let digits = "9".repeat(1_000_000);
    for extension in ["json", "yaml"] {
        for number in [
            "1e-999",
            "-0.0",
            "18446744073709551615",
            "-9223372036854775808",
            &format!("0.{digits}"),
        ] {
            assert_eq!(
                inputs(extension, with_metadata(number)),
                1,
                "{extension} {number:.20}"
            );
        }
    }
    let tiny = format!("0.{digits}e999999999999");
    for number in ["1e999", "-1e999", &digits, &format!("-{digits}"), &tiny] {
        assert!(read("json", with_metadata(number)).is_err(), "{number:.20}");
        // The parser reads these as texts, which are no coordinates.
        let text = format!("inputs: [{{ id: a, annotations: [{{ point: [{number}, 0] }}] }}]");
        assert!(read("yaml", text).is_err(), "{number:.20}");
    }
    for number in [".nan", ".inf", "-.inf", "18446744073709551616"] {
        assert!(read("yaml", with_metadata(number)).is_err(), "{number}");
    }
}

#[test]
fn long_lines_and_texts_are_read_and_cut_in_messages() {
    let long = "x".repeat(1_000_000);
    for extension in ["json", "yaml"] {
        assert_eq!(inputs(extension, with_metadata(&format!("\"{long}\""))), 1);
        let text =
            format!("{{\"inputs\": [{{\"id\": \"a\", \"annotations\": [], \"k\": \"{long}\"}}]}}");
        refused(extension, text, "unknown key `k`");
    }
    assert_eq!(inputs("yaml", format!("inputs: [] # {long}\n")), 0);
    assert_eq!(
        inputs("yaml", format!("{}inputs: []\n", "\n".repeat(1_000_000))),
        0
    );
    // Twenty megabytes in one scalar.
    let text = with_metadata(&format!("\"{}\"", "x".repeat(20_000_000)));
    assert_eq!(inputs("json", text), 1);
}

#[test]
fn time_grows_linearly_with_the_number_of_keys() {
    let keys = |prefix: &str| -> String {
        let keys = (0..20_000).map(|at| format!("\"{prefix}{at}\": 1"));
        keys.collect::<Vec<_>>().join(", ")
    };
    for extension in ["json", "yaml"] {
        assert_eq!(
            inputs(extension, with_metadata(&format!("{{{}}}", keys("k")))),
            1
        );
        let twice = format!("{{{}, {}}}", keys("k"), keys("k"));
        let problems = read(extension, with_metadata(&twice)).unwrap_err();
        assert_eq!(problems.len(), 20_000);
        let concepts = format!(
            "{{\"id\": \"a\", \"annotations\": [{{\"concepts\": {{{}}}}}]}}",
            keys("c")
        );
        assert_eq!(
            inputs(extension, format!("{{\"inputs\": [{concepts}]}}")),
            1
        );
    }
}

#[test]
fn yaml_features_are_read_or_refused() {
    let metadata = |value: &str| {
        format!("inputs: [{{ id: a, annotations: [{{ key: k, metadata: {{ k: {value} }} }}] }}]\n")
    };
    refused(
        "yaml",
        metadata("!foo 1"),
        "the tag `!foo` in `metadata` is not JSON",
    );
    // Binary values stay the text as written.
    assert_eq!(inputs("yaml", metadata("!!binary aGk=")), 1);
    refused("yaml", metadata("~"), "null in `metadata`");
    assert_eq!(inputs("yaml", metadata("!!str 1")), 1);
    refused("yaml", metadata("{ [a]: 1 }"), "a key must be text");
    refused(
        "yaml",
        "inputs: []\n---\ninputs: []\n".to_owned(),
        "more than one document",
    );
    refused(
        "yaml",
        "%YAML 1.2\n---\ninputs: {}\n".to_owned(),
        "`inputs` must be a list of inputs",
    );
}

#[test]
fn invalid_bytes_and_byte_order_marks_are_located() {
    for extension in ["yaml", "json"] {
        assert_eq!(inputs(extension, "\u{feff}{\"inputs\": []}".to_owned()), 0);
        for c in ['\0', '\u{1}', '\u{1b}', '\u{7f}', '\u{9b}'] {
            let text = format!("{{\"inputs\": [{{\"id\": \"a{c}b\", \"annotations\": []}}]}}");
            let shown = read(extension, text)
                .map(|it| it.desired)
                .unwrap_err()
                .to_string();
            assert!(!shown.contains(c), "{shown:?}");
            let escaped = format!("a\\u{:04x}b", u32::from(c));
            let text = format!("{{\"inputs\": [{{\"id\": \"{escaped}\", \"annotations\": []}}]}}");
            let why = format!("contains the control character U+{:04X}", u32::from(c));
            refused(extension, text, &why);
        }
        assert!(read(extension, "{\"inputs\": []}\u{feff}".to_owned()).is_err());
        assert!(read(extension, "{\"inputs\": []}\0".to_owned()).is_err());
    }
    refused("json", with_metadata("\"\\ud800\""), "not valid JSON");
    refused("yaml", with_metadata("\"\\ud800\""), "not valid YAML");
}
