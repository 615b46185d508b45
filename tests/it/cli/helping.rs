//! Help of commands and topics, completions, manual pages, and the reference.

use super::World;
use std::path::Path;
use std::process::{Command, Stdio};

const COMMANDS: [&str; 21] = [
    "plan",
    "apply",
    "show",
    "pull",
    "list",
    "validate",
    "fmt",
    "stats",
    "diff",
    "import",
    "export",
    "init",
    "doctor",
    "test",
    "emulator",
    "conformance",
    "schema",
    "completions",
    "man",
    "version",
    "help",
];

#[test]
fn every_kind_of_help_shows_an_example() {
    let world = World::new();
    for command in COMMANDS {
        let words: Vec<&str> = command.split(' ').collect();
        let flag = world.run(&[&words[..], &["--help"]].concat()).exits(0);
        assert!(
            flag.stdout.contains("\nExamples:\n") && flag.stderr.is_empty(),
            "{command}: {}",
            flag.stdout
        );
        let asked = world.run(&[&["help"], &words[..]].concat()).exits(0);
        assert_eq!(asked.stdout, flag.stdout, "{command}");
    }
}

#[test]
fn exit_codes_are_a_help_topic() {
    let run = World::new().run(&["help", "exit-codes"]).exits(0);
    insta::assert_snapshot!(run.stdout, @"
    Exit codes

      0   done, or nothing to do
          Nothing.
      1   an error
          Read the message and its hint. Nothing was written, unless the last lines list what was.
      2   diff, or plan --detailed-exitcode: there are differences
          Review them; apply a plan.
      3   stopped by a guard
          Nothing was written. If the plan is what you want, pass the flag that the message names.
      4   the app or the manifest changed since the plan was made, or conflicts are unresolved
          What changed was left alone. Plan again and review what is different; resolve conflicts with --conflicts.
      5   partly applied, imported, formatted or compared
          The last lines say what failed and why; run the same command again to finish the rest.
      64  invalid command line
          Nothing was done. `annosync help COMMAND` lists the arguments of the command.
    ");
}

#[test]
fn an_unknown_topic_lists_the_known_ones() {
    let run = World::new().run(&["help", "exit-code"]).exits(64);
    assert_eq!(run.stdout, "");
    insta::assert_snapshot!(run.stderr, @r"
    error: there is no help on `exit-code`
    hint: there is help on: plan, apply, show, pull, list, validate, fmt, stats, diff, import, export, init, doctor, test, emulator, conformance, schema, completions, man, version, help, exit-codes, lint-rules, environment, reference
    ");
    let below = World::new().run(&["help", "import", "yolo"]).exits(64);
    insta::assert_snapshot!(below.stderr, @r"
    error: there is no help on `import yolo`
    hint: `import` has no subcommands
    ");
}

#[test]
fn the_committed_reference_is_current() {
    let run = World::new().run(&["help", "reference"]).exits(0);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/reference.md");
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        run.stdout == committed,
        "src/cli/reference.md is out of date: cargo run -- help reference > src/cli/reference.md"
    );
    for command in COMMANDS {
        assert!(
            committed.contains(&format!("\n## `annosync {command}`\n")),
            "{command}"
        );
    }
}

#[test]
fn completions_are_valid_scripts_with_every_command() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.run(&["completions", shell]).exits(0).stdout;
        for command in COMMANDS.iter().filter(|command| !command.contains(' ')) {
            assert!(script.contains(command), "{shell}: {command}");
        }
        // If the shell is installed, it checks the script.
        if shell == "bash"
            && Command::new("bash")
                .arg("--version")
                .stdout(Stdio::null())
                .status()
                .is_ok()
        {
            world.write("completions.sh", &script);
            let path = world.path().join("completions.sh");
            let read = Command::new("bash").arg("-n").arg(path).status().unwrap();
            assert!(read.success());
        }
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let world = World::new();
    let run = world.run(&["man", "--out", "pages"]).exits(0);
    let mut expected = vec!["pages/annosync.1".to_owned()];
    expected
        .extend(COMMANDS.map(|command| format!("pages/annosync-{}.1", command.replace(' ', "-"))));
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected);
    let page = std::fs::read_to_string(world.path().join("pages/annosync-plan.1")).unwrap();
    assert!(page.contains(".TH annosync-plan 1"), "{page}");
    assert!(page.contains("detailed\\-exitcode"), "{page}");
    assert_eq!(world.run(&["man", "plan"]).exits(0).stdout, page);
    let unknown = world.run(&["man", "plam"]).exits(64);
    assert!(
        unknown
            .stderr
            .starts_with("error: there is no help on `plam`"),
        "{}",
        unknown.stderr
    );
}
