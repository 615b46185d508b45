//! Files that cannot be written: an error before anything is sent, with existing files unchanged.

use super::{Run, World, boxes, folder_of};
use std::process::Command;

/// The binary in the world's folder, where no file can grow: every write to a file fails, as on a full disk.
pub(super) fn on_a_full_disk(world: &World, arguments: &[&str]) -> Run {
    limited(
        world,
        r#"trap "" XFSZ; ulimit -f 0"#,
        &world.emulator.url(),
        arguments,
    )
}

/// The binary in the world's folder after these commands of the shell, against the server at this URL.
pub(super) fn limited(world: &World, limits: &str, url: &str, arguments: &[&str]) -> Run {
    let binary = world.command();
    let script = format!(r#"{limits}; exec "$0" "$@""#);
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &script])
        .arg(binary.get_program())
        .args(arguments)
        .args(["--endpoint", url, "--user-id", "owner", "--app-id", "app"])
        .args(["--rate-limit", "1000"])
        .current_dir(world.path())
        .env_clear();
    for (name, value) in binary.get_envs() {
        command.env(name, value.unwrap());
    }
    Run::of(command)
}

#[test]
#[cfg(unix)]
fn a_plan_that_cannot_be_written_is_an_error_and_keeps_the_old_file() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.plan(&["--out", "plan.json"]).exits(0);
    let before = folder_of(world.path());
    world.declare(&boxes(0..3, "car"));
    let hint = "hint: that file is unchanged; check that its folder exists, may be written to, and has space";
    let out = ["plan", "m.yaml", "--out", "plan.json"];
    let full = on_a_full_disk(&world, &out).exits(1);
    assert_eq!(full.stdout, "");
    full.says("error: cannot write plan.json: ").says(hint);
    assert_eq!(folder_of(world.path()), before, "no half file, no scrap");
    let run = world.plan(&["--out", "/proc/plan.json"]).exits(1);
    run.says("error: cannot write /proc/plan.json: ").says(hint);
    // If one of several files cannot be written, none is.
    for nowhere in ["missing/plan.json", "m.yaml/plan.json"] {
        let also = format!("markdown={nowhere}.md");
        for to in [
            &["--out", nowhere][..],
            &["--out", "x.json", "--also", &also],
        ] {
            world
                .plan(to)
                .exits(1)
                .says(&format!("error: cannot write {nowhere}"))
                .says("there is no folder ")
                .says("nothing was written");
        }
    }
    assert_eq!(folder_of(world.path()), before);
    assert_eq!(world.writes(), []);
    // The old file is complete.
    world.apply_path("plan.json", &[]).exits(0);
}

#[test]
#[cfg(unix)]
fn a_pull_to_a_full_disk_writes_nothing_and_works_after_space_is_freed() {
    let world = World::new();
    world.declare(&boxes(0..3, "car"));
    world.apply(&[]).exits(0);
    on_a_full_disk(&world, &["pull", "new", "--set", "street"])
        .exits(1)
        .says("new/");
    let left = folder_of(&world.path().join("new"));
    assert_eq!(left, [], "no half file, no scrap");
    world.on_app(&["pull", "new", "--set", "street"]).exits(0);
    super::settled(&world.on_app(&["plan", "new", "--detailed-exitcode"]));
}

#[test]
fn a_damaged_store_is_an_error_without_retries() {
    let world = World::new();
    world.declare(&boxes(0..200, "car"));
    let apply = ["apply", "m.yaml", "--embedded", "s.db", "--auto-approve"];
    world.run(&apply).exits(0);
    let mut bytes = std::fs::read(world.path().join("s.db")).unwrap();
    let damaged = bytes.len() / 4;
    bytes[damaged..].fill(0xa5);
    std::fs::write(world.path().join("s.db"), bytes).unwrap();
    let plan = ["plan", "m.yaml", "--embedded", "s.db", "-v"];
    let run = world.run(&plan).exits(1).says("malformed");
    assert!(!run.stderr.contains("attempt"), "{}", run.stderr);
    std::fs::write(
        world.path().join("s.db"),
        "no database, and long enough to look like one",
    )
    .unwrap();
    world.run(&plan).exits(1).says("not a database");
}

#[test]
#[cfg(unix)]
fn a_store_that_is_not_a_regular_file_is_not_opened() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let made = Command::new("mkfifo")
        .arg(world.path().join("s.db"))
        .status();
    assert!(made.unwrap().success());
    for path in ["s.db", "."] {
        let plan = ["plan", "m.yaml", "--embedded", path];
        world.run(&plan).exits(1).says("is not a regular file");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_outcome_that_cannot_be_printed_goes_to_stderr() {
    for format in ["text", "json"] {
        let world = World::new();
        world.declare(&boxes(0..3, "car"));
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = world.command();
        command
            .args(["apply", "m.yaml", "--auto-approve", "--format", format])
            .args(["--endpoint", &world.emulator.url()])
            .args(["--user-id", "owner", "--app-id", "app"])
            .stdout(full);
        let run = Run::of(command).exits(1);
        run.says("\nApplied 3 (3 posted), 0 already up to date, 0 failed, 0 not attempted.\n")
            .says("error: cannot write to stdout: ")
            .says("the apply itself is finished, and its result is above")
            .says("hint: `annosync plan` shows what is left to do");
        world.is_settled();
    }
}
