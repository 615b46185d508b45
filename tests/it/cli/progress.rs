//! The progress line, which is shown on terminals only.

use super::{World, boxes, is_there};
use annosync::emulator::{Endpoint, Fault};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A world with 300 boxes to post in three slow calls.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(0..300, "car"));
    for endpoint in [Endpoint::ListAnnotations, Endpoint::PostAnnotations] {
        let slow = Fault::Latency(Duration::from_millis(400));
        world.emulator.faults().always(endpoint, slow);
    }
    world
}

const APPLY: [&str; 6] = [
    "apply",
    "m.yaml",
    "--auto-approve",
    "-v",
    "--concurrency",
    "1",
];

/// The lines of a terminal after these bytes. Supports the codes of the progress line: cursor up, carriage return, and
/// erasing the rest of a line.
fn screen(sent: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = sent.chars();
    while let Some(sign) = rest.next() {
        match sign {
            '\r' => column = 0,
            '\n' => {
                row += 1;
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{1b}' => {
                assert_eq!(rest.next(), Some('['));
                let mut number = String::new();
                let action = loop {
                    match rest.next().unwrap() {
                        digit @ ('0'..='9' | ';') => number.push(digit),
                        action => break action,
                    }
                };
                match action {
                    'A' => row -= number.parse::<usize>().unwrap_or(1),
                    'K' if number == "2" => lines[row].clear(),
                    'K' => lines[row].truncate(column),
                    // Colours.
                    'm' => {}
                    other => panic!("{other:?} in {sent:?}"),
                }
            }
            sign => {
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = sign;
                column += 1;
            }
        }
    }
    let text = |line: Vec<char>| line.into_iter().collect::<String>().trim_end().to_owned();
    lines.into_iter().map(text).collect()
}

/// The command line of an apply to the world's app.
fn apply(world: &World) -> Vec<String> {
    let url = world.emulator.url();
    let app = ["--endpoint", &url, "--user-id", "owner", "--app-id", "app"];
    let words = [&APPLY[..], &app].concat();
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn progress_is_shown_on_a_terminal_and_erased_at_the_end() {
    if !is_there("script") {
        return;
    }
    let world = world();
    let plan = world.plan(&[]).exits(0).stdout;
    let quoted = apply(&world).iter().fold(
        format!("'{}'", env!("CARGO_BIN_EXE_annosync")),
        |line, word| format!("{line} '{word}'"),
    );
    let mut script = Command::new("script");
    for (name, value) in world.command().get_envs() {
        script.env(name, value.unwrap_or_default());
    }
    let output = script
        .args(["-qec", &quoted, "/dev/null"])
        .env("TERM", "xterm")
        .current_dir(world.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let sent = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{sent}");
    for words in [
        "Reading: 1 call ",
        "Applying: 0 of 300 operations, ",
        "Applying: 128 of 300 operations, 2 calls, ",
        " left [=",
    ] {
        assert!(sent.contains(words), "{words:?} is not in {sent:?}");
    }
    // Messages printed meanwhile are complete, each on its own line.
    let (log, rest): (Vec<String>, Vec<String>) = screen(&sent)
        .into_iter()
        .partition(|line| line.contains(" DEBUG "));
    assert!(log.iter().all(|line| line.starts_with("20")), "{log:#?}");
    // One call for inputs and one for concepts that the listing does not show.
    assert_eq!(log.len(), 11, "{log:#?}");
    let (rest, plan) = (rest.join("\n"), plan.trim_end());
    // The forecast is for another rate.
    let (listed, _) = plan.rsplit_once('\n').unwrap();
    assert!(rest.starts_with(listed), "{rest}");
    let rest: Vec<&str> = rest[listed.len()..].split_terminator('\n').collect();
    assert_eq!(rest.len(), 3, "{rest:#?}");
    assert!(rest[1].starts_with("Plan: 300 to post"), "{rest:#?}");
    assert!(rest[2].starts_with("Applied 300 (300 posted)"), "{rest:#?}");
}

#[test]
fn progress_is_not_shown_without_a_terminal() {
    let world = world();
    let words = apply(&world);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let run = world.run(&words).exits(0);
    for words in ["Reading:", "Applying:", "\r", "\u{1b}"] {
        assert!(!run.stderr.contains(words), "{words:?} in {}", run.stderr);
        assert!(!run.stdout.contains(words), "{words:?} in {}", run.stdout);
    }
}
