//! `validate` as a linter: a finding of every rule and its absence, exceptions, baselines, outputs and fixes.

use super::{Run, World, folder_of, header};
use crate::schemas::{SchemaCheck, parsed};
use crate::support::png;
use annosync::model::{Level, Rule};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

/// `m.yaml` with these lines in the header and these inputs.
fn declare(world: &World, header_lines: &str, inputs: &str) {
    let text = format!("{}{header_lines}inputs:\n{inputs}", header());
    world.write("m.yaml", &text);
}

fn lint(world: &World, arguments: &[&str]) -> Run {
    world.run(&[&["validate", "m.yaml"], arguments].concat())
}

/// The findings as JSON.
fn findings(world: &World) -> Vec<Value> {
    let run = lint(world, &["--format", "json"]);
    let document: Value = serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", run.stdout, run.stderr));
    SchemaCheck::to(&parsed(annosync::schemas::FINDINGS)).accepts(&document);
    document["findings"].as_array().unwrap().clone()
}

fn rules(world: &World) -> BTreeSet<String> {
    let rule = |finding: Value| finding["rule"].as_str().unwrap().to_owned();
    findings(world).into_iter().map(rule).collect()
}

fn an_input(id: &str, annotations: &[&str]) -> String {
    let lines: Vec<String> = annotations
        .iter()
        .map(|it| format!("      - {it}\n"))
        .collect();
    format!("  - id: {id}\n    annotations:\n{}", lines.concat())
}

fn a_box([top, left, bottom, right]: [f64; 4], more: &str) -> String {
    format!("{{ box: {{ top: {top}, left: {left}, bottom: {bottom}, right: {right} }}, {more} }}")
}

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
fn levels_decide_what_is_reported_and_the_exit_code() {
    let world = World::new();
    let tiny = an_input(
        "a",
        &[&a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]")],
    );
    declare(&world, "", &tiny);
    let run = lint(&world, &[]).exits(0);
    assert_eq!(
        run.stdout,
        "The manifest is valid: set street, 1 input, 1 annotation.\nLinter: 1 warning.\n"
    );
    insta::assert_snapshot!(run.stderr, @r"
    warning[tiny]: a tiny box: 0.15 x 0.15% of the image (width x height)
     --> m.yaml:8:11
      |
    8 |       - { box: { top: 0.1, left: 0.1, bottom: 0.1015, right: 0.1015 }, co…
      |           ^^^
      |
      = help: remove it if it was drawn by accident, else enlarge it to the object
    ");
    let denied = lint(&world, &["--deny-warnings"]).exits(1);
    assert!(
        denied
            .stderr
            .contains("--deny-warnings: the linter found 1 warning")
    );
    declare(&world, "lint: { tiny: error }\n", &tiny);
    lint(&world, &[]).exits(1).says("error[tiny]: a tiny box");
    // A plan is not held up by the linter.
    world
        .run(&["plan", "m.yaml", "--embedded", "x.db"])
        .exits(0);
    declare(&world, "lint: { tiny: off }\n", &tiny);
    let run = lint(&world, &["--deny-warnings"]).exits(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn unknown_rules_and_levels_are_problems_with_the_nearest_name() {
    let world = World::new();
    for (line, message, hint) in [
        (
            "lint: { tinny: off }\n",
            "unknown rule `tinny`",
            "did you mean `tiny`?",
        ),
        (
            "lint: { tiny: of }\n",
            "unknown level `of`",
            "`error`, `warn`, `off`",
        ),
        (
            "lint: { no-area: warn }\n",
            "`no-area` must be `error`",
            "leave the rule out",
        ),
        ("lint: [tiny]\n", "`lint` must be a map", ""),
    ] {
        declare(&world, line, "  - id: a\n    annotations: []\n");
        let run = lint(&world, &[]).exits(1);
        assert!(run.stderr.contains(message), "{}", run.stderr);
        assert!(run.stderr.contains(hint), "{}", run.stderr);
        assert!(run.stderr.contains("m.yaml:5:"), "{}", run.stderr);
    }
    for (ignore, message) in [
        ("[{ rule: tiny }]", "without `reason`"),
        ("[{ rule: tiny, reason: '' }]", "`reason` is empty"),
        ("[{ reason: two }]", "without `rule`"),
        ("[{ rule: tin, reason: two }]", "unknown rule `tin`"),
        (
            "[{ rule: no-area, reason: two }]",
            "`no-area` cannot be ignored",
        ),
        ("[tiny]", "must be a map"),
    ] {
        let annotation = format!("{{ concepts: [car], ignore: {ignore} }}");
        declare(&world, "", &an_input("a", &[&annotation]));
        let run = lint(&world, &[]).exits(1);
        assert!(run.stderr.contains(message), "{ignore}: {}", run.stderr);
    }
    declare(
        &world,
        "",
        &an_input("a", &["{ key: k, ignore: [{ rule: tiny, reason: x }] }"]),
    );
    lint(&world, &[]).exits(1).says("a `key` and nothing else");
}

#[test]
fn an_exception_covers_its_annotation_or_its_input_alone() {
    let world = World::new();
    let ignore = "ignore: [{ rule: near-duplicate, reason: two panes }]";
    let first = a_box([0.1, 0.1, 0.5, 0.5], "concepts: [car]");
    let second = a_box([0.1, 0.1, 0.5, 0.505], "concepts: [car]");
    let excepted = |edges, it: &str| a_box(edges, &format!("concepts: [car], {it}"));
    // On either of the two.
    for pair in [
        [&first, &excepted([0.1, 0.1, 0.5, 0.505], ignore)],
        [&excepted([0.1, 0.1, 0.5, 0.5], ignore), &second],
    ] {
        declare(&world, "", &an_input("a", &[pair[0], pair[1]]));
        let run = lint(&world, &["--deny-warnings"]).exits(0);
        assert!(
            run.stdout.ends_with("Linter: 1 ignored.\n"),
            "{}",
            run.stdout
        );
    }
    // On the input; another input is not covered.
    let input = an_input("a", &[&first, &second]);
    let covered = input.replace(
        "    annotations:",
        &format!("    {ignore}\n    annotations:"),
    );
    let other = an_input("b", &[&first, &second]);
    declare(&world, "", &format!("{covered}{other}"));
    let found = findings(&world);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["line"], 14);
    // It is no part of what is planned, and a pull keeps it.
    declare(&world, "", &covered.replace("id: a", "id: in-000"));
    let before = world.read("m.yaml");
    world.seed(vec![crate::support::whole("in-000", "x", &[("car", 1.0)])]);
    world.apply(&[]).exits(0);
    world.on_app(&["pull", "m.yaml"]).exits(0);
    assert_eq!(world.read("m.yaml"), before);
}

#[test]
fn a_baseline_hides_known_findings_wherever_they_move() {
    let world = World::new();
    let tiny = a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]");
    declare(&world, "", &an_input("a", &[&tiny, &tiny, &tiny]));
    let written = lint(&world, &["--write-baseline", "baseline.json"]).exits(0);
    assert!(
        written.stdout.ends_with("Linter: 5 in the baseline.\n"),
        "{}",
        written.stdout
    );
    assert_eq!(written.stderr, "");
    let baseline = world.read("baseline.json");
    // Two duplicates, and three tiny boxes with the same content.
    assert!(
        baseline.contains("\"rule\":\"tiny\",\"input\":\"a\",\"subject\":\"content "),
        "{baseline}"
    );
    assert!(baseline.contains("\"count\":3}"), "{baseline}");
    assert_eq!(baseline.lines().count(), 7, "{baseline}");
    let known = ["--baseline", "baseline.json", "--deny-warnings"];
    lint(&world, &known).exits(0);
    // Lines move, and another input comes first.
    let more = an_input("0a", &["concepts: [tree]"]);
    declare(
        &world,
        "# a comment\n\n",
        &format!("{more}{}", an_input("a", &[&tiny, &tiny, &tiny])),
    );
    lint(&world, &known).exits(0);
    // One more copy is new, and one less is gone.
    declare(&world, "", &an_input("a", &[&tiny, &tiny, &tiny, &tiny]));
    let run = lint(&world, &known).exits(1);
    assert!(
        run.stdout
            .ends_with("Linter: 2 warnings, 5 in the baseline.\n"),
        "{}",
        run.stdout
    );
    declare(&world, "", &an_input("a", &[&tiny, &tiny]));
    let run = lint(&world, &known).exits(0);
    assert!(
        run.stderr
            .starts_with("note: 2 findings of the baseline gone"),
        "{}",
        run.stderr
    );
    // In a manifest's folder it is no part of the manifest.
    world.write(
        "d/annosync.yaml",
        &format!("{}inputs:\n{}", header(), an_input("a", &[&tiny])),
    );
    world
        .run(&["validate", "d", "--write-baseline", "d/base.json"])
        .exits(0);
    world
        .run(&[
            "validate",
            "d",
            "--baseline",
            "d/base.json",
            "--deny-warnings",
        ])
        .exits(0);
    world.write(
        "d/base.json",
        "{\"format_version\": \"9\", \"findings\": []}",
    );
    let run = world
        .run(&["validate", "d", "--baseline", "d/base.json"])
        .exits(1);
    assert!(
        run.stderr.contains("format_version is `9`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_baseline_replaces_nothing_but_a_baseline() {
    let world = World::new();
    let tiny = a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]");
    world.write("d/annosync.yaml", &(header() + "files: [\"labels/**\"]\n"));
    let labels = format!("inputs:\n{}", an_input("a", &[&tiny]));
    world.write("d/labels/a.yaml", &labels);
    world.write("d/labels/empty.yaml", "inputs: []\n");
    world.write(
        "d/report.json",
        &world.run(&["validate", "d", "--format", "json"]).stdout,
    );
    world.write("d/a.jpg", "not a baseline");
    let before = folder_of(world.path());
    for (file, why) in [
        ("d/labels/a.yaml", "is part of the manifest"),
        ("d/labels/../labels/empty.yaml", "is part of the manifest"),
        ("d/annosync.yaml", "is part of the manifest"),
        ("d/a.jpg", "exists, and is not a baseline"),
        ("d/report.json", "exists, and is not a baseline"),
    ] {
        // Not even with fixes.
        let run = world
            .run(&["validate", "d", "--fix", "--write-baseline", file])
            .exits(1);
        let message = format!("error: {file} {why}; nothing was written\n");
        assert!(run.stderr.starts_with(&message), "{}", run.stderr);
        assert_eq!(folder_of(world.path()), before);
    }
    world.write("d/base.json", "");
    for _ in 0..2 {
        world
            .run(&["validate", "d", "--write-baseline", "d/base.json"])
            .exits(0);
        assert!(world.read("d/base.json").contains("\"rule\":\"tiny\""));
    }
}

#[test]
fn a_file_that_is_no_baseline_is_refused_in_plain_words() {
    let world = World::new();
    declare(&world, "", &an_input("a", &["concepts: [car]"]));
    for (text, why) in [
        ("", "base.json:1:1: the file is empty\n"),
        ("{\"findings\": [}", "base.json:1:15: "),
        (
            "[]",
            "base.json: not a baseline: an object with `format_version` and",
        ),
        (
            "{\"format_version\": \"1.0\"}",
            "base.json: not a baseline: an object with",
        ),
        (
            "{\"format_version\": \"1.0\", \"findings\": [{\"rule\": \"tiny\"}, {\"input\": 1}]}",
            "base.json: finding 2 is not an object with `rule`, and",
        ),
    ] {
        world.write("base.json", text);
        let run = lint(&world, &["--baseline", "base.json"]).exits(1);
        assert!(
            run.stderr.starts_with(&format!("error: {why}")),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("hint: write it with"), "{}", run.stderr);
    }
}

#[test]
fn sarif_is_what_github_takes() {
    let world = World::new();
    let schema = crate::schemas::parsed(include_str!("linting/sarif.json"));
    let schema = crate::schemas::SchemaCheck::to(&schema);
    let tiny = a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]");
    let sarif_of = |inputs: &str, code: i32| -> Value {
        world.write(
            "a folder/labels.yaml",
            &format!("{}inputs:\n{inputs}", header()),
        );
        let run = world
            .run(&["validate", "a folder", "--format", "sarif"])
            .exits(code);
        let sarif: Value = serde_json::from_str(&run.stdout).unwrap();
        schema.accepts(&sarif);
        sarif
    };
    let sarif = sarif_of(&an_input("a", &[&tiny, &tiny]), 0);
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    let mut fingerprints = BTreeSet::new();
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(
            run["tool"]["driver"]["rules"][index]["id"],
            result["ruleId"]
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20folder/labels.yaml");
        assert!([8, 9].contains(&place["region"]["startLine"].as_u64().unwrap()));
        let hash = &result["partialFingerprints"]["primaryLocationLineHash"];
        fingerprints.insert(hash.as_str().unwrap().to_owned());
    }
    // Equal ones would be one finding.
    assert_eq!(fingerprints.len(), 3);
    let invalid = sarif_of("  - id: a\n    annotations:\n", 1);
    assert_eq!(
        invalid["runs"][0]["results"][0]["ruleId"],
        "invalid-manifest"
    );
    let none = sarif_of("  - id: a\n    annotations: []\n", 0);
    assert_eq!(none["runs"][0]["results"], json!([]));
}

#[test]
fn workflow_commands_name_file_line_and_column() {
    let world = World::new();
    declare(
        &world,
        "lint: { tiny: error }\n",
        &an_input(
            "a",
            &[&a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]")],
        ),
    );
    let run = lint(&world, &["--format", "github"]).exits(1);
    assert_eq!(
        run.stdout,
        "::error file=m.yaml,line=9,col=11,title=annosync%3A tiny::a tiny box: 0.15 x 0.15%25 of the image (width x height)%0A\
         remove it if it was drawn by accident, else enlarge it to the object\n"
    );
    declare(&world, "", "  - id: a\n    annotations:\n");
    let run = lint(&world, &["--format", "github"]).exits(1);
    assert!(
        run.stdout.starts_with("::error file=m.yaml,line=7,col=17,title=annosync%3A invalid-manifest::`annotations` has no value%0A"),
        "{}",
        run.stdout
    );
}

#[test]
fn findings_are_in_the_order_of_the_files() {
    let world = World::new();
    let tiny = a_box([0.1, 0.1, 0.1015, 0.1015], "concepts: [car]");
    // Inputs are sorted by id in memory.
    let inputs = ["z", "m", "a"].map(|id| an_input(id, &[&tiny, &tiny]));
    declare(&world, "", &inputs.concat());
    let found = findings(&world);
    let places: Vec<(u64, u64, &str)> = found
        .iter()
        .map(|it| {
            let number = |key: &str| it[key].as_u64().unwrap();
            (
                number("line"),
                number("column"),
                it["rule"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(places.len(), 9);
    assert_eq!(findings(&world), found);
}

/// A JPEG of this size with an EXIF orientation, without pixels.
fn jpeg([width, height]: [u16; 2], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut file = vec![0xff, 0xd8, 0xff, 0xe1];
    file.extend((exif.len() as u16 + 2).to_be_bytes());
    file.extend(exif);
    file.extend([0xff, 0xc0, 0, 11, 8]);
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    file
}

#[test]
fn pictures_are_compared_with_what_is_declared() {
    let world = World::new();
    fs::write(world.path().join("a.png"), png(4, &[0; 8])).unwrap();
    fs::write(world.path().join("turned.jpg"), jpeg([40, 30], 6)).unwrap();
    fs::write(world.path().join("upright.jpg"), jpeg([40, 30], 1)).unwrap();
    let rules_of = |images: &[&str]| {
        let inputs = images.iter().enumerate().map(|(at, image)| {
            format!("  - id: in-{at}\n    image: {{ {image} }}\n    annotations:\n      - concepts: [car]\n")
        });
        declare(&world, "", &inputs.collect::<String>());
        let found = findings(&world);
        let of = |it: &Value| format!("{} {}", it["rule"].as_str().unwrap(), it["line"]);
        found.iter().map(of).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(rules_of(&["path: a.png, width: 4, height: 2"]), none);
    assert_eq!(rules_of(&["path: a.png"]), none);
    assert_eq!(
        rules_of(&["path: upright.jpg, width: 40, height: 30"]),
        none
    );
    assert_eq!(
        rules_of(&["path: a.png, width: 4, height: 3"]),
        ["picture-size 7"]
    );
    // As stored, or as displayed: neither is another size.
    for size in ["width: 40, height: 30", "width: 30, height: 40"] {
        assert_eq!(
            rules_of(&[&format!("path: turned.jpg, {size}")]),
            ["picture-turned 7"]
        );
    }
    let both = rules_of(&["path: turned.jpg, width: 30, height: 30"]);
    assert_eq!(both, ["picture-size 7", "picture-turned 7"]);
    assert_eq!(
        rules_of(&["path: gone.png", "path: a.png"]),
        ["picture-missing 7"]
    );
    // A repository without its pictures is no mistake.
    assert_eq!(rules_of(&["path: gone.png", "path: gone-too.png"]), none);
    // What leads out of the folder is not opened.
    let outside = rules_of(&["path: ../x.png", "path: a.png"]);
    assert_eq!(outside, ["picture-missing 7"]);
}

#[test]
fn sizes_in_pixels_decide_where_they_are_known() {
    let world = World::new();
    let with_size = |size: &str, edges: [f64; 4]| {
        let annotation = a_box(edges, "concepts: [car]");
        declare(
            &world,
            "",
            &format!(
                "  - id: a\n    image: {{ {size} }}\n    annotations:\n      - {annotation}\n"
            ),
        );
        rules(&world)
    };
    let small = [0.1, 0.1, 0.1015, 0.1015];
    assert!(with_size("width: 1000, height: 1000", small).contains("tiny"));
    assert!(!with_size("width: 4000, height: 4000", small).contains("tiny"));
    // 200 x 20 pixels of a wide image, and 20 x 200 of a square one.
    let wide = [0.1, 0.1, 0.9, 0.13];
    assert!(with_size("width: 1000, height: 1000", wide).contains("extreme-aspect"));
    assert!(!with_size("width: 4000, height: 1000", wide).contains("extreme-aspect"));
}

#[test]
fn many_boxes_at_one_place_are_compared_with_few() {
    let world = World::new();
    // Every box with every other one would be 8 million pairs.
    let mut lines = String::new();
    for at in 0..4_000 {
        let shift = f64::from(at % 100) * 1e-5;
        let annotation = json!({
            "box": { "top": 0.3 + shift, "left": 0.3, "bottom": 0.6, "right": 0.6 },
            "concepts": [format!("c{}", at % 3)],
        });
        let _ = write!(lines, "{}{annotation}", if at > 0 { "," } else { "" });
    }
    world.write("j/annosync.yaml", &header());
    world.write(
        "j/a.jsonl",
        &format!("{{\"id\":\"a\",\"annotations\":[{lines}]}}\n"),
    );
    let run = world.run(&["validate", "j", "--format", "json"]).exits(0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let count = |rule: &str| {
        let findings = document["findings"].as_array().unwrap().iter();
        findings.filter(|it| it["rule"] == rule).count()
    };
    // The first box of each of 100 places and 3 concepts is no copy; one of each concept is no near-duplicate.
    assert_eq!(count("duplicate"), 4_000 - 300);
    assert_eq!(count("near-duplicate"), 300 - 3);
}

const FIXABLE: &str = "  # of the street
  - id: in-000  # the first
    annotations:
      # by Bea
      - box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # kept
        concepts: [car]
      - box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
        concepts: [car]
      - key: named
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
        concepts: [car]
      - polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]  # the lake
        concepts: [lake]
  - id: in-001
    annotations:
      # the second frame
      - frame: { time_ms: 200 }
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # later
        track: t1
        concepts: [car]
      - concepts: [street]

      # the first frame
      - frame: { time_ms: 100 }
        box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }
        track: t1
        concepts: [car]
";

#[test]
fn fixes_change_the_lines_at_fault_alone() {
    let world = World::new();
    declare(&world, "", FIXABLE);
    world.seed(vec![
        crate::support::whole("in-000", "x0", &[("x", 1.0)]),
        crate::support::whole("in-001", "x1", &[("x", 1.0)]),
    ]);
    world.apply(&[]).exits(0);
    let count = world.annotations().len();
    let run = lint(&world, &["--fix"]).exits(0);
    assert!(run.stderr.contains("Fixed 4 findings:\n"), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("note: 2 duplicates dropped: the next plan deletes"),
        "{}",
        run.stderr
    );
    let fixed = world.read("m.yaml");
    let inputs = fixed.split_once("inputs:\n").unwrap().1;
    insta::assert_snapshot!(inputs, @r"
      # of the street
      - id: in-000  # the first
        annotations:
          # by Bea
          - key: named
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }
            concepts: [car]
          - polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]  # the lake
            concepts: [lake]
      - id: in-001
        annotations:

          # the first frame
          - frame: { time_ms: 100 }
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }
            track: t1
            concepts: [car]
          - concepts: [street]
          # the second frame
          - frame: { time_ms: 200 }
            box: { top: 0.1, left: 0.1, bottom: 0.5, right: 0.5 }  # later
            track: t1
            concepts: [car]
    ");
    // A second run has nothing to do.
    let again = lint(&world, &["--fix"]).exits(0);
    assert!(
        again.stderr.starts_with("Nothing to fix."),
        "{}",
        again.stderr
    );
    assert_eq!(world.read("m.yaml"), fixed);
    // The plan deletes the two copies, and nothing else.
    let plan = world.plan_json();
    let actions: Vec<&str> = plan["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["delete", "delete"], "{plan:#}");
    world.apply(&[]).exits(0);
    assert_eq!(world.annotations().len(), count - 2);
}

#[test]
fn fixes_work_in_every_format_and_on_all_files_or_none() {
    let world = World::new();
    let ring = json!([[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]);
    let input =
        |id: &str| json!({ "id": id, "annotations": [{ "polygon": ring, "concepts": ["lake"] }] });
    world.write("d/annosync.yaml", &header());
    world.write(
        "d/a.jsonl",
        &format!(
            "{}\n{}\n",
            input("a"),
            json!({ "id": "b", "annotations": [] })
        ),
    );
    world.write("d/c.json", &json!({ "inputs": [input("c")] }).to_string());
    world.write(
        "d/e.yaml",
        &format!(
            "inputs:\r\n{}",
            an_input(
                "e",
                &["polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]"]
            )
            .replace('\n', "\r\n")
        ),
    );
    let before = ["d/a.jsonl", "d/c.json", "d/e.yaml"].map(|file| world.read(file));
    // A layout that cannot be edited in place stops everything.
    world.write("d/f.yaml", "inputs: [{ id: f, annotations: [{ polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]] }] }]  # kept\n");
    let run = world.run(&["validate", "d", "--fix"]).exits(1);
    assert!(
        run.stderr
            .contains("d/f.yaml does not allow changes in place; nothing was written"),
        "{}",
        run.stderr
    );
    assert_eq!(
        ["d/a.jsonl", "d/c.json", "d/e.yaml"].map(|file| world.read(file)),
        before
    );
    fs::remove_file(world.path().join("d/f.yaml")).unwrap();
    world
        .run(&["validate", "d", "--fix", "--deny-warnings"])
        .exits(0);
    assert!(
        world
            .read("d/a.jsonl")
            .ends_with("{\"id\":\"b\",\"annotations\":[]}\n")
    );
    assert_eq!(
        world.read("d/e.yaml"),
        before[2].replace(", [0.1, 0.1]]", "]")
    );
    let run = world.run(&["validate", "d", "--fix"]).exits(0);
    assert_eq!(run.stderr, "Nothing to fix.\n");
}

#[test]
fn every_point_at_the_end_that_repeats_the_first_is_removed_at_once() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1], [0.1, 0.1]]";
    declare(&world, "", &an_input("a", &[ring]));
    assert_eq!(
        rules(&world),
        BTreeSet::from(["repeated-vertex".to_owned()])
    );
    lint(&world, &["--fix", "--deny-warnings"]).exits(0);
    let fixed = world.read("m.yaml");
    assert!(
        fixed.contains("[[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]"),
        "{fixed}"
    );
    lint(&world, &["--fix"]).exits(0).says("Nothing to fix.");
}

#[test]
fn a_fix_that_would_lose_anchors_or_move_comments_is_refused() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]";
    let other = "polygon: [[0.6, 0.6], [0.9, 0.6], [0.9, 0.9], [0.6, 0.6]]";
    for annotations in [
        // The copy is to be dropped, and both are to be trimmed.
        format!(
            "      # the lake\n      - &x {{ {ring}, concepts: [lake] }}  # first\n      # again\n      - *x  # second\n"
        ),
        // The alias is of another input.
        format!(
            "      # the lake\n      - &x {{ {other}, concepts: [lake] }}  # first\n  - id: b\n    annotations:\n      # as on a\n      - *x  # second\n"
        ),
    ] {
        declare(
            &world,
            "",
            &format!("  - id: a\n    annotations:\n{annotations}"),
        );
        let before = world.read("m.yaml");
        let run = lint(&world, &["--fix"]).exits(1);
        assert!(
            run.stderr.contains(
                "the layout of m.yaml does not allow changes in place; nothing was written"
            ),
            "{}",
            run.stderr
        );
        assert_eq!(world.read("m.yaml"), before);
    }
}

#[test]
fn what_is_ignored_or_off_is_not_fixed() {
    let world = World::new();
    let ring = "polygon: [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5], [0.1, 0.1]]";
    let ignored =
        format!("{{ {ring}, ignore: [{{ rule: repeated-vertex, reason: exported so }}] }}");
    for (line, annotation) in [
        ("", ignored.as_str()),
        ("lint: { repeated-vertex: off }\n", ring),
    ] {
        declare(&world, line, &an_input("a", &[annotation]));
        let before = world.read("m.yaml");
        lint(&world, &["--fix"]).exits(0).says("Nothing to fix.");
        assert_eq!(world.read("m.yaml"), before);
    }
}

#[test]
fn the_rules_are_documented() {
    let world = World::new();
    let help = world.run(&["help", "lint-rules"]).exits(0).stdout;
    let reference = include_str!("../../../src/cli/reference.md");
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
