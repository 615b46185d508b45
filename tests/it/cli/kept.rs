//! Saved files: `show` prints them, and other commands name their kind and the command that reads them.

use super::{Run, World, boxes, header};
use std::fmt::Write as _;

/// A folder with a file of each kind, from an apply with a change, a delete, a post and a failure.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(1..4, "car"));
    world.apply(&[]).exits(0);
    let empty = "  - { id: in-002, annotations: [] }\n";
    let inputs = [
        &*boxes(0..1, "tree"),
        &boxes(1..2, "bus"),
        empty,
        &boxes(3..4, "bus"),
    ];
    world.declare(&inputs.concat());
    world.plan(&["--out", "plan.json"]).exits(0);
    world.someone_marks_as_pending("in-003");
    let apply = [
        "apply",
        "plan.json",
        "--auto-approve",
        "--format",
        "json",
        "--manifest",
        "m.yaml",
    ];
    let kept = ["--undo-out", "undo.json", "--log", "log.jsonl"];
    let applied = world.run(&[&apply[..], &kept].concat()).exits(4);
    world.write("outcome.json", &applied.stdout);
    let listing = world.on_app(&["list", "--all", "--format", "json"]);
    world.write("listing.json", &listing.exits(0).stdout);
    world.write(
        "coco.json",
        "{\"info\": {}, \"images\": [], \"annotations\": [], \"categories\": []}",
    );
    world.write(
        "later.json",
        "{\"format_version\": \"9.0\", \"things\": []}",
    );
    world.write("text.txt", "hello\n");
    world.emulator.forget_calls();
    world
}

#[test]
fn a_saved_plan_is_shown_as_planned() {
    let world = world();
    world.declare(&boxes(1..2, "tree"));
    world.plan(&[
        "--out",
        "plan.json",
        "--also",
        "text=plan.txt",
        "--also",
        "markdown=plan.md",
    ]);
    let show = |flags: &[&str]| {
        world
            .run(&[&["show", "plan.json"], flags].concat())
            .exits(0)
    };
    let text = show(&[]);
    assert_eq!(text.stdout, world.read("plan.txt"));
    assert_eq!(text.stderr, "plan.json is a plan file.\n");
    assert_eq!(show(&["--format", "json"]).stdout, world.read("plan.json"));
    assert_eq!(
        show(&["--format", "markdown"]).stdout,
        world.read("plan.md")
    );
    for flags in [
        &["--only", "deletes"][..],
        &["--input", "in-001"],
        &["--concept", "tree", "--full"],
    ] {
        assert_eq!(show(flags).stdout, world.plan(flags).stdout, "{flags:?}");
    }
}

#[test]
fn an_undo_and_an_outcome_are_shown_in_every_format_with_the_same_filters() {
    let world = world();
    let show = |file: &str, flags: &[&str]| world.run(&[&["show", file], flags].concat());
    show("undo.json", &[])
        .exits(0)
        .says("undo.json is an undo (a plan file that undoes an apply).")
        .says("Plan: 1 to post");
    show("undo.json", &["--format", "markdown"])
        .exits(0)
        .says("## annosync undo: ");
    let json = show("undo.json", &["--format", "json"]).exits(0).stdout;
    assert_eq!(json, world.read("undo.json"));

    let stale = "Stale: overwrite k of input in-003: it changed after the plan was made.";
    let text = show("outcome.json", &[]).exits(0).says(stale);
    let title = format!(
        "An apply of label set street to app app of owner at {}: applied, except for stale changes.\n",
        world.emulator.url()
    );
    assert!(text.stdout.starts_with(&title), "{}", text.stdout);
    assert!(
        text.last_line().starts_with("Applied 3 ("),
        "{}",
        text.stdout
    );
    assert_eq!(text.stderr, "outcome.json is the outcome of an apply.\n");
    show("outcome.json", &["--format", "markdown"])
        .exits(0)
        .says("## annosync apply: applied, except for stale changes\n\n```text\n")
        .says(stale);
    let json = show("outcome.json", &["--format", "json"]).exits(0).stdout;
    assert_eq!(json, world.read("outcome.json"));
    for (flags, is_shown) in [
        (&["--only", "patches"][..], true),
        (&["--only", "posts,deletes"], false),
        (&["--input", "in-003"], true),
        (&["--input", "in-00[12]"], false),
        (&["--concept", "bus"], true),
        (&["--concept", "night"], false),
    ] {
        let text = show("outcome.json", flags).exits(0).stdout;
        assert_eq!(text.contains(stale), is_shown, "{flags:?}\n{text}");
        assert!(text.contains("Only "), "{text}");
        assert!(
            text.contains("\nApplied 3 ("),
            "the counts are whole: {text}"
        );
    }
}

#[test]
fn a_log_is_shown_in_every_format() {
    let world = world();
    let show = |flags: &[&str]| world.run(&[&["show", "log.jsonl"], flags].concat());
    let text = show(&[]).exits(0);
    assert_eq!(text.stderr, "log.jsonl is the log of an apply.\n");
    for line in [
        "applied: post k of input in-000\n",
        "stale: overwrite k of input in-003\n",
        "\n4 changes: 3 applied, 1 stale.\n",
    ] {
        assert!(text.stdout.contains(line), "{line} in\n{}", text.stdout);
    }
    let some = show(&["--only", "deletes"]).exits(0).stdout;
    assert!(
        some.contains("applied: delete ") && !some.contains("in-000"),
        "{some}"
    );
    assert!(
        some.contains("Only deletes: 1 of 4 changes shown."),
        "{some}"
    );
    show(&["--format", "markdown"])
        .exits(0)
        .says("## annosync apply: log\n\n```text\n");
    let json = show(&["--format", "json"]).exits(0).stdout;
    assert_eq!(json, world.read("log.jsonl"));
    show(&["--concept", "car"])
        .exits(64)
        .says("does not record concepts");
    show(&["--format", "json", "--only", "posts"])
        .exits(64)
        .says("JSON always holds everything");
    assert_eq!(
        show(&["--summary"]).exits(0).stdout,
        "4 more changes not shown. See all with --all.\n\n4 changes: 3 applied, 1 stale.\n"
    );
    // A killed run leaves an incomplete line.
    let cut = world.read("log.jsonl") + "{\"ended\":\"appl";
    world.write("log.jsonl", &cut);
    show(&[])
        .exits(0)
        .says("1 incomplete line not shown")
        .says("4 changes: ");
    world.write("log.jsonl", &(cut + "\n{\"ended\":7}\n"));
    show(&[]).exits(1).says("log.jsonl:6:");
}

/// The files of the folder with their kinds and the commands that their hints name.
const FILES: [(&str, &str, &str); 8] = [
    ("plan.json", "a plan file", "annosync show plan.json"),
    ("undo.json", "an undo", "annosync apply undo.json"),
    (
        "outcome.json",
        "the outcome of an apply",
        "annosync show outcome.json",
    ),
    (
        "log.jsonl",
        "the log of an apply",
        "annosync show log.jsonl",
    ),
    (
        "listing.json",
        "a saved listing",
        "annosync plan --observed listing.json",
    ),
    ("coco.json", "a COCO file", "annosync import coco coco.json"),
    (
        "later.json",
        "a file of another version of annosync",
        "the version of annosync",
    ),
    ("m.yaml", "a part of a manifest", "annosync validate m.yaml"),
];

/// Command lines, in which `FILE` is the file, with the files that they accept.
const COMMANDS: [(&str, &[&str]); 9] = [
    ("plan FILE", &["m.yaml"]),
    ("validate FILE", &["m.yaml"]),
    ("pull FILE --check", &["m.yaml"]),
    ("list FILE", &["m.yaml"]),
    (
        "apply FILE --dry-run",
        &["m.yaml", "plan.json", "undo.json"],
    ),
    ("apply plan.json --dry-run --manifest FILE", &["m.yaml"]),
    ("plan m.yaml --observed FILE", &["listing.json"]),
    ("import coco FILE --out labels", &["coco.json"]),
    (
        "show FILE",
        &["plan.json", "undo.json", "outcome.json", "log.jsonl"],
    ),
];

#[test]
fn a_file_for_another_command_is_reported_with_that_command() {
    let world = world();
    let mut wrong = String::new();
    let mut check =
        |run: &Run, line: &str, is_taken: bool, (file, what, hint): (&str, &str, &str)| {
            let first = run.stderr.lines().next().unwrap_or_default();
            let says =
                first.starts_with(&format!("error: {file} is {what}")) && run.stderr.contains(hint);
            if (run.code == 64 && says) == is_taken {
                writeln!(wrong, "{line} {file}: {}\n{}", run.code, run.stderr).unwrap();
            }
        };
    for (line, taken) in COMMANDS {
        for kind in FILES {
            let file = kind.0;
            for marked in [false, true] {
                let text = world.read(file);
                if marked {
                    world.write(file, &format!("\u{feff}{text}"));
                }
                let words: Vec<&str> = line
                    .split(' ')
                    .map(|word| if word == "FILE" { file } else { word })
                    .collect();
                let names_target =
                    line.contains("plan.json") || file == "plan.json" || file == "undo.json";
                let run = if line.starts_with("pull")
                    || line.starts_with("list")
                    || line.starts_with("apply") && !names_target
                {
                    world.on_app(&words)
                } else {
                    world.run(&words)
                };
                check(&run, line, taken.contains(&file), kind);
                world.write(file, &text);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(world.writes(), []);
}

#[test]
fn show_refuses_other_files() {
    let world = world();
    world
        .run(&["show", "text.txt"])
        .exits(64)
        .says("text.txt is not a plan, an undo, an outcome or a log");
    world
        .run(&["show", "none.json"])
        .exits(1)
        .says("cannot read none.json");
    world.run(&["show", "."]).exits(64);
    let broken = world.read("plan.json");
    world.write("plan.json", &broken[..broken.len() / 2]);
    world
        .run(&["show", "plan.json"])
        .exits(1)
        .says("the file is cut off inside of ");
    world.write("m.yaml", &header());
}
