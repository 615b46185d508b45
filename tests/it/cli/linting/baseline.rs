//! Baselines: findings that are known already.

use super::{a_box, an_input, declare, lint};
use crate::cli::{World, folder_of, header};

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
            .starts_with("note: 2 findings of the baseline no longer found"),
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
