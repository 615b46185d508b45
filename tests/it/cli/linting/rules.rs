//! Every rule, and where it is documented.

use super::{a_box, an_input, declare, findings, lint, rules};
use crate::cli::World;
use annosync::model::{Level, Rule};
use serde_json::Value;
use std::collections::BTreeSet;

/// A header's lines, and annotations of one input.
type Case = (&'static str, Vec<String>);

/// Annotations that break a rule, and nearly the same ones that do not.
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn cases() -> Vec<(Rule, Case, Case)> {
    let cars = |boxes: &[[f64; 4]]| -> Case {
        let boxes = boxes.iter().map(|edges| a_box(*edges, "concepts: [car]"));
        ("", boxes.collect())
    };
    let texts = |annotations: &[&str]| -> Case {
        ("", annotations.iter().map(ToString::to_string).collect())
    };
    let headed =
        |line: &'static str, annotations: &[&str]| -> Case { (line, texts(annotations).1) };
    let polygon = |points: &str| -> Case {
        let points = format!("{{ polygon: [{points}], concepts: [car] }}");
        texts(&[points.as_str()])
    };
    let one = a_box([0.1, 0.1, 0.5, 0.5], "concepts: [car]");
    let marked = a_box([0.1, 0.1, 0.5, 0.5], "concepts: [car], status: pending");
    let bus = a_box([0.1, 0.1, 0.5, 0.5], "concepts: [bus]");
    let moved_bus = a_box([0.1, 0.1, 0.5, 0.6], "concepts: [bus]");
    let framed = |frames: &[(u64, u32, &str)]| -> Case {
        let boxes = frames.iter().enumerate().map(|(at, (time, number, more))| {
            let top = 0.1 + 0.2 * at as f64;
            let edges = [top, 0.1, top + 0.15, 0.3];
            let more = format!("frame: {{ time_ms: {time}, number: {number} }}, {more}");
            a_box(edges, &more)
        });
        ("", boxes.collect())
    };
    let car = "concepts: [car], track: t1";
    let sized = |last: f64| -> Case {
        let mut all: Vec<String> = (0..40)
            .map(|at| {
                let (left, side) = (0.02 * f64::from(at), 0.05 + 0.0005 * f64::from(at % 7));
                a_box([0.1, left, 0.1 + side, left + side], "concepts: [car]")
            })
            .collect();
        all.push(a_box([0.3, 0.0, 0.3 + last, last], "concepts: [car]"));
        ("", all)
    };
    let many = |rare: usize| -> Case {
        let tiled = (0..520).map(|at| {
            let (row, column) = (f64::from(at / 26) * 0.04, f64::from(at % 26) * 0.03);
            let edges = [row, column, row + 0.02, column + 0.02].map(|it| (it * 1e4).round() / 1e4);
            let concept = if (at as usize) < rare { "rare" } else { "car" };
            a_box(edges, &format!("concepts: [{concept}]"))
        });
        ("", tiled.collect())
    };
    vec![
        (Rule::Duplicate, texts(&[&one, &one]), texts(&[&one, &bus])),
        (
            Rule::NearDuplicate,
            cars(&[[0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, 0.505]]),
            cars(&[[0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, 0.53]]),
        ),
        (Rule::NearDuplicate, texts(&[&one, &marked]), texts(&[&one])),
        (
            Rule::SamePlace,
            texts(&[&one, &bus]),
            texts(&[&one, &moved_bus]),
        ),
        (
            Rule::ContradictingValues,
            texts(&[
                "concepts: { tree: true, car: true }",
                "concepts: { tree: false }",
            ]),
            texts(&[
                "concepts: { tree: true, car: true }",
                "concepts: { car: true, bus: false }",
            ]),
        ),
        (
            Rule::ContradictingValues,
            texts(&[
                "{ concepts: { tree: true }, user: a }",
                "{ concepts: { tree: 0 }, user: a }",
            ]),
            texts(&[
                "{ concepts: { tree: true }, user: a }",
                "{ concepts: { tree: 0 }, user: b }",
            ]),
        ),
        (
            Rule::SelfIntersecting,
            polygon("[0.1, 0.1], [0.5, 0.5], [0.5, 0.1], [0.1, 0.6]"),
            polygon("[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.6]"),
        ),
        (
            Rule::RepeatedVertex,
            polygon("[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]"),
            polygon("[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]"),
        ),
        (
            Rule::Tiny,
            cars(&[[0.1, 0.1, 0.15, 0.1019]]),
            cars(&[[0.1, 0.1, 0.102, 0.102]]),
        ),
        (
            Rule::Huge,
            cars(&[[0.0, 0.0, 1.0, 0.995]]),
            cars(&[[0.0, 0.0, 1.0, 0.98]]),
        ),
        (
            Rule::ExtremeAspect,
            cars(&[[0.1, 0.1, 0.11, 0.4]]),
            cars(&[[0.1, 0.1, 0.12, 0.4]]),
        ),
        (Rule::SizeOutlier, sized(0.5), sized(0.06)),
        (
            Rule::FrameOrder,
            framed(&[(200, 2, car), (100, 1, car)]),
            framed(&[(200, 2, car), (100, 1, "concepts: [car], track: t2")]),
        ),
        (
            Rule::FrameTime,
            framed(&[(100, 2, car), (200, 1, "concepts: [car], track: t2")]),
            framed(&[(100, 1, car), (200, 2, "concepts: [car], track: t2")]),
        ),
        (
            Rule::TrackOverlap,
            framed(&[(100, 1, car), (100, 1, car)]),
            framed(&[(100, 1, car), (200, 2, car)]),
        ),
        (
            Rule::TrackConcept,
            framed(&[(100, 1, car), (200, 2, "concepts: [bus], track: t1")]),
            framed(&[(100, 1, car), (200, 2, "concepts: [bus], track: t2")]),
        ),
        (
            Rule::NoLabels,
            headed("lint: { no-labels: warn }\n", &[]),
            headed("lint: { no-labels: warn }\n", &["concepts: [car]"]),
        ),
        (
            Rule::UnusedConcept,
            headed("vocabulary: [car, bus]\n", &["concepts: [car]"; 10]),
            headed(
                "vocabulary: [car, bus]\n",
                &[
                    &["concepts: { car: true, bus: false }"; 1][..],
                    &["concepts: [car]"; 9],
                ]
                .concat(),
            ),
        ),
        (
            Rule::SimilarConcepts,
            texts(&["concepts: [traffic light, Traffic_Light]"]),
            texts(&["concepts: [traffic light, traffic lights]"]),
        ),
        (Rule::FewSamples, many(9), many(10)),
        (
            Rule::UnusedIgnore,
            texts(&["{ concepts: [car], ignore: [{ rule: tiny, reason: far away }] }"]),
            texts(&[&a_box(
                [0.1, 0.1, 0.1015, 0.1015],
                "concepts: [car], ignore: [{ rule: tiny, reason: far away }]",
            )]),
        ),
    ]
}

#[test]
fn every_rule_has_a_finding_and_its_absence() {
    let world = World::new();
    let mut seen: BTreeSet<Rule> = BTreeSet::new();
    for (rule, (bad_header, bad), (good_header, good)) in cases() {
        let inputs = |annotations: &[String]| match annotations {
            [] => "  - id: a\n    annotations: []\n".to_owned(),
            all => an_input("a", &all.iter().map(String::as_str).collect::<Vec<_>>()),
        };
        declare(&world, bad_header, &inputs(&bad));
        let found = findings(&world);
        let of_rule = |finding: &&Value| finding["rule"] == rule.name();
        let finding = found.iter().find(of_rule);
        let finding = finding.unwrap_or_else(|| panic!("{}: {found:#?}", rule.name()));
        assert_eq!(finding["level"], "warning");
        assert_eq!(finding["path"], "m.yaml");
        for key in ["line", "column"] {
            assert!(finding[key].as_u64().unwrap() >= 1, "{finding}");
        }
        for key in ["message", "hint", "identity"] {
            assert!(!finding[key].as_str().unwrap().is_empty(), "{finding}");
        }
        declare(&world, good_header, &inputs(&good));
        assert!(!rules(&world).contains(rule.name()), "{}", rule.name());
        seen.insert(rule);
    }
    let elsewhere = |rule: &Rule| rule.is_of_manifest() || rule.is_of_pictures();
    let missing: Vec<_> = Rule::ALL
        .iter()
        .filter(|rule| !elsewhere(rule) && !seen.contains(rule))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn problems_of_a_manifest_have_the_names_of_their_rules() {
    let world = World::new();
    for (annotation, rule) in [
        (a_box([0.1, 0.1, 0.1, 0.5], "concepts: [car]"), "no-area"),
        (
            a_box([0.1, 0.1, 0.5, 1.5], "concepts: [car]"),
            "outside-image",
        ),
        (
            "polygon: [[0.1, 0.1], [0.1, 2], [0.5, 0.5]]".to_owned(),
            "outside-image",
        ),
        (
            "polygon: [[0.1, 0.1], [0.5, 0.5]]".to_owned(),
            "too-few-points",
        ),
        (
            "polygon: [[0.1, 0.1], [0.2, 0.2], [0.5, 0.5]]".to_owned(),
            "no-area",
        ),
        ("concpets: [car]".to_owned(), "invalid-manifest"),
    ] {
        declare(&world, "", &an_input("a", &[&annotation]));
        let found = findings(&world);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0]["rule"], rule, "{annotation}");
        assert_eq!(found[0]["level"], "error");
        assert_eq!(found[0]["line"], 8);
        let run = lint(&world, &[]).exits(1);
        let title = match rule {
            "invalid-manifest" => "error: ".to_owned(),
            rule => format!("error[{rule}]: "),
        };
        assert!(run.stderr.starts_with(&title), "{}", run.stderr);
    }
    let span = "  - id: a\n    text: { raw: a cat }\n    annotations:\n      - { span: { start: 2, end: 5, text: dog }, concepts: [cat] }\n";
    declare(&world, "", span);
    assert_eq!(findings(&world)[0]["rule"], "span-text");
}

#[test]
fn the_rules_are_documented() {
    let world = World::new();
    let help = world.run(&["help", "lint-rules"]).exits(0).stdout;
    let reference = include_str!("../../../../src/cli/reference.md");
    for rule in Rule::ALL {
        let level = match rule.default_level() {
            Level::Error => "always error",
            level => level.name(),
        };
        assert!(
            help.contains(&format!("\n  {:<22}{level}\n", rule.name())),
            "{}",
            rule.name()
        );
        assert!(
            reference.contains(&format!("\n| `{}` | {level} | ", rule.name())),
            "{}",
            rule.name()
        );
    }
}
