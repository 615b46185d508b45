//! `validate` as a linter: a finding of every rule and its absence, exceptions, baselines, outputs and fixes.

mod baseline;
mod fixes;
mod pictures;
mod rules;

use super::{Run, World, header};
use crate::schemas::{SchemaCheck, parsed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

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
