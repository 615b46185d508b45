//! Output in several formats at once, and filters of what is shown. Neither changes the plan.

use super::{Run, World, boxes, header};

/// A world with a plan that posts on `in-000`, patches on `in-001` and deletes on `in-002`.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(1..3, "car"));
    world.apply(&[]).exits(0);
    let left = "  - id: in-002\n    annotations: []\n";
    world.declare(&format!(
        "{}{}{left}",
        boxes(0..1, "tree"),
        boxes(1..2, "bus")
    ));
    world
}

const ALSO: [&str; 6] = [
    "--also",
    "text=plan.txt",
    "--also",
    "markdown=plan.md",
    "--also",
    "json=plan.json",
];

/// Checks that each file of [`ALSO`] has the output of its format.
#[track_caller]
fn files_have_the_printed_output(world: &World) {
    for (format, file) in [
        ("text", "plan.txt"),
        ("markdown", "plan.md"),
        ("json", "plan.json"),
    ] {
        // Markdown says where the complete plan is.
        let flags = ["--format", format, "--also", "json=plan.json"];
        let printed = world.plan(&flags).stdout;
        assert!(!printed.is_empty());
        assert_eq!(world.read(file), printed, "{format}");
    }
}

#[test]
fn a_plan_is_printed_and_written_to_files() {
    let world = world();
    let run = world.plan(&ALSO).exits(0);
    assert_eq!(run.stdout, world.plan(&[]).stdout);
    files_have_the_printed_output(&world);
    // The file is a plan file like any other.
    let run = world.plan(&["--out", "out.json"]).exits(0);
    assert_eq!(world.read("out.json"), world.read("plan.json"));
    assert_eq!(run.stderr, "");
    world.apply_path("plan.json", &[]).exits(0);
}

#[test]
fn files_are_written_whatever_the_exit_code() {
    let world = world();
    let run = world.plan(&[&ALSO[..], &["--detailed-exitcode"]].concat());
    run.exits(2);
    files_have_the_printed_output(&world);
    let guarded = header().replace("max_deletes: 100%", "max_deletes: 0%, min_existing: 0");
    world.write(
        "m.yaml",
        &format!(
            "{guarded}{}",
            "inputs:\n  - { id: in-002, annotations: [] }\n"
        ),
    );
    world.plan(&ALSO).exits(3).says("--allow-deletes");
    files_have_the_printed_output(&world);
    assert!(world.read("plan.txt").contains("Stopped: "));
}

#[test]
fn stdout_is_empty_if_a_file_cannot_be_written() {
    let world = world();
    let run = world.plan(&["--also", "markdown=no/such/plan.md"]).exits(1);
    assert_eq!(run.stdout, "");
    run.says("cannot write no/such/plan.md");
}

#[test]
fn a_summary_has_the_counts_of_the_plan_and_no_changes() {
    let world = world();
    let whole = world.plan(&["--out", "plan.json"]).exits(0);
    let summary = world.plan(&["--summary"]).exits(0);
    assert!(whole.stdout.contains("  ~ ") || whole.stdout.contains("  + "));
    assert!(
        !summary.stdout.contains("  ~ ") && !summary.stdout.contains("  + "),
        "{}",
        summary.stdout
    );
    for line in [0, whole.stdout.lines().count() - 1] {
        let line = whole.stdout.lines().nth(line).unwrap();
        assert!(summary.stdout.contains(line), "{}", summary.stdout);
    }
    let shown = world.run(&["show", "plan.json", "--summary"]).exits(0);
    assert_eq!(shown.stdout, summary.stdout);
    let markdown = world
        .run(&["show", "plan.json", "--summary", "--format", "markdown"])
        .exits(0)
        .stdout;
    assert!(markdown.contains("\n## annosync plan: "), "{markdown}");
    assert!(!markdown.contains("### Changes"), "{markdown}");
    world
        .run(&["show", "plan.json", "--summary", "--format", "json"])
        .exits(64)
        .says("JSON always holds everything");
}

#[test]
fn invalid_options_are_refused_before_anything_is_read() {
    let world = world();
    world.write("listing.json", "{}");
    let calls = world.emulator.calls().len();
    for (arguments, why) in [
        (&["--also", "plan.md"][..], "expected a format and a file"),
        (&["--also", "pdf=plan.pdf"], "`pdf` is not a format"),
        (&["--also", "markdown="], "the file has no name"),
        (&["--also", "text=-"], "--format says what goes to stdout"),
        (&["--also", "text=labels.yaml"], "would be read as one"),
        (
            &["--also", "text=a", "--also", "markdown=./a"],
            "./a would be written twice",
        ),
        (
            &["--also", "json=a.json", "--out", "a.json"],
            "a.json would be written twice",
        ),
        (&["--out", "m.yaml"], "m.yaml is read"),
        (
            &["--observed", "listing.json", "--also", "json=listing.json"],
            "listing.json is read",
        ),
        (&["--only", "merges"], "possible values"),
        (
            &["--format", "json", "--only", "posts"],
            "JSON always holds everything",
        ),
        (
            &["--format", "json", "--summary"],
            "--summary, --only, --input and --concept choose what text, Markdown and HTML show",
        ),
        (&["--summary", "--full"], "cannot be used with '--full'"),
        (&["--summary", "--only", "posts"], "cannot be used with"),
        (
            &[
                "--format",
                "json",
                "--also",
                "json=a.json",
                "--input",
                "in-*",
            ],
            "JSON always holds everything",
        ),
    ] {
        let run = world.plan(arguments).exits(64);
        assert_eq!(run.stdout, "", "{arguments:?}");
        run.says(why);
    }
    assert_eq!(world.emulator.calls().len(), calls);
}

#[test]
fn output_files_in_the_manifest_folder_do_not_belong_to_it() {
    let world = World::new();
    world.write("m/annosync.yaml", &header());
    world.write("m/labels.yaml", &format!("inputs:\n{}", boxes(0..2, "car")));
    let also = [
        "plan",
        "m",
        "--also",
        "text=m/plan.txt",
        "--also",
        "markdown=m/plan.md",
        "--also",
        "json=m/plan.json",
    ];
    let run = |arguments: &[&str]| world.on_app(arguments).exits(0).stdout;
    let first = run(&["plan", "m", "--format", "json"]);
    run(&also);
    assert_eq!(run(&["plan", "m", "--format", "json"]), first);
    assert_eq!(world.read("m/plan.json"), first);
}

/// Filters, each of which hides something.
const FILTERS: [&[&str]; 4] = [
    &["--only", "posts"],
    &["--only", "posts,patches"],
    &["--input", "in-000", "--input", "in-00[1]"],
    &["--concept", "tree"],
];

#[test]
fn filters_do_not_change_the_plan() {
    let world = world();
    let whole = world.plan(&["--format", "json"]).exits(0).stdout;
    for filter in FILTERS {
        let written = [
            "--out",
            "out.json",
            "--also",
            "json=plan.json",
            "--detailed-exitcode",
        ];
        world.plan(&[filter, &written].concat()).exits(2);
        assert_eq!(world.read("out.json"), whole, "{filter:?}");
        assert_eq!(world.read("plan.json"), whole, "{filter:?}");
        // Beside a filtered format, JSON may be printed, complete.
        let printed = [filter, &["--format", "json", "--also", "text=plan.txt"]].concat();
        assert_eq!(world.plan(&printed).exits(0).stdout, whole, "{filter:?}");
    }
}

#[test]
fn filters_hide_changes_in_text_and_markdown() {
    let world = world();
    for (filter, shown) in [
        (&[][..], [true, true, true]),
        (FILTERS[0], [true, false, false]),
        (FILTERS[1], [true, true, false]),
        (
            &["--only", "posts", "--only", "deletes"],
            [true, false, true],
        ),
        (FILTERS[2], [true, true, false]),
        (FILTERS[3], [true, false, false]),
        (
            &["--only", "posts", "--input", "in-001"],
            [false, false, false],
        ),
    ] {
        for format in ["text", "markdown"] {
            let run = world
                .plan(&[filter, &["--format", format]].concat())
                .exits(0);
            let is_heading = |line: &str, input: &str| {
                line == input || line.contains(&format!("<code>{input}</code>"))
            };
            let found = ["in-000", "in-001", "in-002"]
                .map(|input| run.stdout.lines().any(|line| is_heading(line, input)));
            assert_eq!(found, shown, "{filter:?}\n{}", run.stdout);
        }
    }
}

#[test]
fn an_apply_carries_out_hidden_changes() {
    for filter in FILTERS {
        let world = world();
        let count = |run: &Run| run.last_line().to_owned();
        let applied = world.apply(filter).exits(0);
        let said = "shown; apply carries out all of them.";
        assert!(applied.stderr.contains(said), "{}", applied.stderr);
        assert_eq!(
            count(&applied),
            "Applied 3 (1 posted, 1 overwritten, 1 deleted), 0 already up to date, 0 failed, 0 not attempted."
        );
        assert_eq!(world.annotations().len(), 2);
    }
    let world = world();
    world.plan(&["--out", "plan.json"]).exits(0);
    world.apply_path("plan.json", &["--only", "posts"]).exits(0);
    assert_eq!(world.annotations().len(), 2);
}

#[test]
fn a_dry_run_prints_all_calls_despite_filters() {
    let world = world();
    let calls = world.apply(&["--dry-run"]).exits(0).stdout;
    assert_eq!(calls.lines().count(), 3, "{calls}");
    for filter in FILTERS {
        let dry = [filter, &["--dry-run"]].concat();
        assert_eq!(world.apply(&dry).exits(0).stdout, calls);
    }
}
