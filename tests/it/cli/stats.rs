//! `stats`: the labels of a manifest or a listing in numbers.

use super::{World, header};
use crate::schemas::{SchemaCheck, parsed};
use crate::support::{boxed, whole};
use serde_json::{Value, json};

const INPUTS: &str = "  - id: a
    image: { width: 1000, height: 500 }
    annotations:
      - { box: { top: 0, left: 0, bottom: 0.1, right: 0.1 }, concepts: [car], user: bea, status: pending }
      - { box: { top: 0, left: 0, bottom: 0.5, right: 0.5 }, concepts: [car], user: bea }
      - { box: { top: 0, left: 0.5, bottom: 0.2, right: 1 }, concepts: { car: 0.5, 'a|b': true } }
      - concepts: { tree: true, car: false }
  - id: b
    annotations:
      - { polygon: [[0, 0], [0.5, 0], [0.5, 0.5]], concepts: [car] }
  - id: c
    annotations: []
";

fn stats(world: &World, arguments: &[&str]) -> Value {
    let run = world
        .run(&[&["stats"], arguments, &["--format", "json"]].concat())
        .exits(0);
    let stats = serde_json::from_str(&run.stdout).unwrap();
    SchemaCheck::to(&parsed(annosync::schemas::STATS)).accepts(&stats);
    stats
}

#[test]
fn a_manifest_is_counted() {
    let world = World::new();
    world.write("m.yaml", &format!("{}inputs:\n{INPUTS}", header()));
    assert_eq!(
        stats(&world, &["m.yaml"]),
        json!({
            "format_version": "1.0",
            "inputs": 3,
            "annotations": 5,
            "concepts": [
                {
                    "concept": "car", "annotations": 5, "inputs": 2, "present": 3, "absent": 1, "between": 1,
                    "area": { "count": 4, "min": 0.01, "median": 0.175, "max": 0.25 },
                    "area_pixels": { "count": 3, "min": 5000.0, "median": 50000.0, "max": 125_000.0 },
                },
                {
                    "concept": "a|b", "annotations": 1, "inputs": 1, "present": 1,
                    "area": { "count": 1, "min": 0.1, "median": 0.1, "max": 0.1 },
                    "area_pixels": { "count": 1, "min": 50000.0, "median": 50000.0, "max": 50000.0 },
                },
                { "concept": "tree", "annotations": 1, "inputs": 1, "present": 1 },
            ],
            "kinds": [
                { "name": "box", "annotations": 3 },
                { "name": "polygon", "annotations": 1 },
                { "name": "whole input", "annotations": 1 },
            ],
            "users": [{ "name": "bea", "annotations": 2 }],
            "statuses": [{ "name": "pending", "annotations": 1 }],
            "labels": { "count": 3, "min": 0.0, "median": 1.0, "max": 4.0 },
            "inputs_by_labels": [
                { "from": 0, "to": 0, "inputs": 1 },
                { "from": 1, "to": 1, "inputs": 1 },
                { "from": 3, "to": 5, "inputs": 1 },
            ],
            "pairs": [
                { "concepts": ["a|b", "car"], "inputs": 1 },
                { "concepts": ["a|b", "tree"], "inputs": 1 },
                { "concepts": ["car", "tree"], "inputs": 1 },
            ],
        })
    );
}

#[test]
fn text_and_markdown_show_the_same_numbers() {
    let world = World::new();
    world.write("m.yaml", &format!("{}inputs:\n{INPUTS}", header()));
    let text = world.run(&["stats", "m.yaml"]).exits(0).stdout;
    insta::assert_snapshot!(text, @r"
    3 inputs, 5 annotations; 0 to 4 an input, median 1.

    Concepts:
      concept  annotations  inputs  value 1  value 0  other values  area: min  median     max  square pixels: min  median      max
      car                5       2        3        1             1      1.00%  17.50%  25.00%               5,000  50,000  125,000
      a|b                1       1        1                            10.00%  10.00%  10.00%              50,000  50,000   50,000
      tree               1       1        1

    Kinds:
      kind         annotations
      box                    3
      polygon                1
      whole input            1

    Users:
      user  annotations
      bea             2

    Statuses:
      status   annotations
      pending            1

    Annotations of an input:
      annotations  inputs
                0       1
                1       1
           3 to 5       1

    Concepts on the same inputs:
      concept  and   inputs
      a|b      car        1
      a|b      tree       1
      car      tree       1
    ");
    let markdown = world
        .run(&["stats", "m.yaml", "--format", "markdown"])
        .exits(0)
        .stdout;
    assert!(
        markdown
            .starts_with("3 inputs, 5 annotations; 0 to 4 an input, median 1.\n\n### Concepts\n\n")
    );
    // A bar would end the cell.
    assert!(
        markdown.contains("| <code>a&#124;b</code> | 1 | 1 | 1 |"),
        "{markdown}"
    );
    let without_sizes = world
        .read("m.yaml")
        .replace("    image: { width: 1000, height: 500 }\n", "");
    world.write("n.yaml", &without_sizes);
    let fewer = world
        .run(&["stats", "n.yaml", "--format", "markdown"])
        .exits(0)
        .stdout;
    // Columns without a value are left out.
    assert!(
        markdown.contains("square pixels") && !fewer.contains("square pixels"),
        "{fewer}"
    );
    for (again, format) in [(&text, "text"), (&markdown, "markdown")] {
        assert_eq!(
            world.run(&["stats", "m.yaml", "--format", format]).stdout,
            *again
        );
    }
}

#[test]
fn an_empty_manifest_has_no_zeros() {
    let world = World::new();
    world.write("m.yaml", &format!("{}inputs: []\n", header()));
    assert_eq!(
        stats(&world, &["m.yaml"]),
        json!({ "format_version": "1.0" })
    );
    let text = world.run(&["stats", "m.yaml"]).exits(0).stdout;
    assert_eq!(text, "0 inputs, 0 annotations.\n");
    // The output is no part of a manifest.
    world.write("d/annosync.yaml", &format!("{}inputs:\n{INPUTS}", header()));
    let run = world.run(&["stats", "d", "--format", "json"]).exits(0);
    world.write("d/stats.json", &run.stdout);
    world.run(&["validate", "d"]).exits(0);
}

#[test]
fn a_listing_is_counted_without_what_models_made() {
    let world = World::new();
    world.seed(vec![
        whole("in-1", "one", &[("car", 1.0), ("tree", 0.0)]),
        boxed("in-1", "two", [0.1, 0.2, 0.5, 0.6], &["car"]),
        boxed("in-2", "three", [0.0, 0.0, 1.0, 1.0], &["bus"]),
        super::every::model_made(),
    ]);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("listing.json", &listing.stdout);
    let stats = stats(&world, &["--observed", "listing.json"]);
    assert_eq!(stats["inputs"], 2);
    assert_eq!(stats["annotations"], 3);
    assert_eq!(stats["concepts"][0]["concept"], "car");
    assert_eq!(stats["concepts"][0]["annotations"], 2);
    assert_eq!(
        stats["users"][0],
        json!({ "name": "owner", "annotations": 3 })
    );
    let run = world.run(&["stats", "--observed", "listing.json"]).exits(0);
    assert_eq!(run.stderr, "note: 1 annotation of models left out\n");
    assert!(run.stdout.contains("\nKinds:\n"), "{}", run.stdout);
}

#[test]
fn an_input_with_very_many_concepts_has_no_pairs() {
    let world = World::new();
    let concepts: Vec<String> = (0..201).map(|at| format!("c{at}")).collect();
    world.write(
        "m.yaml",
        &format!(
            "{}inputs:\n  - id: a\n    annotations:\n      - concepts: [{}]\n",
            header(),
            concepts.join(", ")
        ),
    );
    let stats = stats(&world, &["m.yaml"]);
    assert_eq!(stats["inputs_without_pairs"], 1);
    assert_eq!(stats.get("pairs"), None);
    let run = world.run(&["stats", "m.yaml"]).exits(0);
    assert!(
        run.stdout
            .contains("1 input with more than 200 concepts not counted."),
        "{}",
        run.stdout
    );
}
