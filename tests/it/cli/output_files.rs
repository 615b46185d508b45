//! Files that are written: a regular file is replaced as a whole, a link is written through, and a pipe or a device is
//! written to. Every option that names an output file does the same.

use super::disk::on_a_full_disk;
use super::{Run, World, boxes, folder_of, header};
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

/// A manifest, and the files that each option with an output file needs.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    let listed = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("case/observed.json", &listed.stdout);
    world.write("case/annosync.yaml", &header());
    world.write("case/a.yaml", "inputs: []\n");
    world
}

/// A command with the output file `{}`, whose name must have this extension.
const WRITERS: [(&str, &[&str]); 5] = [
    ("json", &["plan", "m.yaml", "--out", "{}"]),
    ("txt", &["plan", "m.yaml", "--also", "text={}"]),
    ("md", &["plan", "m.yaml", "--also", "markdown={}"]),
    ("json", &["plan", "m.yaml", "--also", "json={}"]),
    (
        "jsonl",
        &["apply", "m.yaml", "--auto-approve", "--log", "{}"],
    ),
];

fn run(world: &World, arguments: &[&str], file: &str) -> Run {
    let arguments: Vec<String> = arguments.iter().map(|it| it.replace("{}", file)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    world.on_app(&arguments)
}

fn is_done(program: &str, arguments: &[&str]) -> bool {
    let ended = Command::new(program).args(arguments).status();
    ended.is_ok_and(|status| status.success())
}

fn make_pipe(path: &Path) {
    assert!(is_done("mkfifo", &[path.to_str().unwrap()]));
}

/// A device like /dev/null; `None` if this user may not create one.
fn make_device(path: &Path) -> bool {
    let is_made = is_done("mknod", &[path.to_str().unwrap(), "c", "1", "3"]);
    let is_usable = is_made && fs::write(path, "x").is_ok();
    if !is_usable {
        super::skipped("no device can be made here");
    }
    is_usable
}

/// The text that is written to a pipe until it is closed.
fn reading(pipe: PathBuf) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(fs::read_to_string(pipe).unwrap()));
    receiver
}

#[test]
fn a_device_is_written_to_and_stays_a_device() {
    let world = world();
    let node = world.path().join("node");
    if !make_device(&node) {
        return;
    }
    for (extension, arguments) in WRITERS {
        let link = format!("link.{extension}");
        let _ = fs::remove_file(world.path().join(&link));
        symlink("node", world.path().join(&link)).unwrap();
        for name in ["node", &link] {
            run(&world, arguments, name).exits(0);
            let kind = fs::symlink_metadata(&node).unwrap().file_type();
            assert!(kind.is_char_device(), "{arguments:?} {name}");
        }
        assert!(
            fs::symlink_metadata(world.path().join(&link))
                .unwrap()
                .is_symlink()
        );
    }
}

#[test]
fn a_pipe_gets_the_output() {
    let world = world();
    make_pipe(&world.path().join("pipe"));
    for (_, arguments) in WRITERS {
        let read = reading(world.path().join("pipe"));
        run(&world, arguments, "pipe").exits(0);
        assert!(!read.recv().unwrap().is_empty(), "{arguments:?}");
    }
    world.is_settled();
}

#[test]
fn a_link_to_a_label_file_is_refused() {
    let world = world();
    let before = world.read("case/a.yaml");
    for format in ["html", "text", "markdown", "json"] {
        let link = format!("link.{format}");
        symlink("case/a.yaml", world.path().join(&link)).unwrap();
        let also = format!("{format}={link}");
        world
            .on_app(&["plan", "m.yaml", "--also", &also])
            .exits(64)
            .says("which has the name of a manifest file; nothing was written");
        assert_eq!(world.read("case/a.yaml"), before);
    }
}

#[test]
fn a_link_to_a_file_is_written_through() {
    let world = world();
    for (extension, arguments) in WRITERS {
        let real = format!("real.{extension}");
        let _ = fs::remove_file(world.path().join(&real));
        fs::create_dir_all(world.path().join("links")).unwrap();
        // A link to a link, and to a file that does not exist yet.
        for (name, target) in [
            ("first", "second".to_owned()),
            ("second", format!("../{real}")),
        ] {
            let link = world.path().join("links").join(name);
            let _ = fs::remove_file(&link);
            symlink(target, link).unwrap();
        }
        run(&world, arguments, "links/first").exits(0);
        let kind = fs::symlink_metadata(world.path().join(&real)).unwrap();
        assert!(kind.is_file() && kind.len() > 0, "{arguments:?}");
        assert!(
            fs::symlink_metadata(world.path().join("links/first"))
                .unwrap()
                .is_symlink()
        );
        run(&world, arguments, "links/first").exits(0);
    }
    let circle = world.path().join("circle.json");
    symlink("circle.json", &circle).unwrap();
    run(&world, WRITERS[0].1, "circle.json")
        .exits(1)
        .says("links form a circle");
}

#[test]
fn an_undo_behind_a_link_is_renamed_at_the_target() {
    let world = world();
    fs::create_dir(world.path().join("kept")).unwrap();
    symlink("kept/undo.json", world.path().join("undo.json")).unwrap();
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    world.declare(&boxes(0..2, "tree"));
    world.apply(&["--undo-out", "undo.json"]).exits(0);
    assert!(
        fs::symlink_metadata(world.path().join("undo.json"))
            .unwrap()
            .is_symlink()
    );
    let kept: Vec<String> = folder_of(&world.path().join("kept"))
        .into_iter()
        .map(|it| it.0)
        .collect();
    assert_eq!(kept, ["undo.json", "undo.json.1"]);
}

#[test]
fn an_undo_needs_a_file() {
    let world = world();
    make_pipe(&world.path().join("pipe"));
    let undo = ["apply", "m.yaml", "--auto-approve", "--undo-out", "{}"];
    run(&world, &undo, "pipe")
        .exits(1)
        .says("an undo must be written to a file");
    run(&world, &undo, ".").exits(1).says("it is a folder");
    assert_eq!(world.writes(), []);
}

#[test]
fn stdout_is_written_to_and_a_file_that_is_open_is_refused() {
    let world = world();
    let run = run(&world, WRITERS[0].1, "/dev/stdout").exits(0);
    assert!(run.stdout.starts_with("{\n"), "{}", run.stdout);
    let mut plan = world.command();
    plan.args([
        "plan",
        "m.yaml",
        "--embedded",
        "s.db",
        "--out",
        "/dev/stdout",
    ]);
    plan.stdout(fs::File::create(world.path().join("out.txt")).unwrap());
    Run::of(plan).exits(1).says("name the file itself");
}

#[test]
fn the_mode_and_the_owner_of_a_file_stay_and_a_new_one_follows_the_umask() {
    let world = world();
    let plan = world.path().join("plan.json");
    run(&world, WRITERS[0].1, "plan.json").exits(0);
    let mode = || fs::metadata(&plan).unwrap().permissions().mode() & 0o7777;
    // The mode that an ordinary program would use.
    fs::File::create(world.path().join("usual")).unwrap();
    let usual = fs::metadata(world.path().join("usual")).unwrap();
    assert_eq!(mode(), usual.permissions().mode() & 0o7777);
    fs::set_permissions(&plan, fs::Permissions::from_mode(0o640)).unwrap();
    let is_given_away = std::os::unix::fs::chown(&plan, Some(4321), Some(4321)).is_ok();
    run(&world, WRITERS[0].1, "plan.json").exits(0);
    assert_eq!(mode(), 0o640);
    if is_given_away {
        assert_eq!(fs::metadata(&plan).unwrap().uid(), 4321);
    }
}

#[test]
fn other_commands_write_through_links_too() {
    let world = world();
    symlink("../expected.txt", world.path().join("case/plan.txt")).unwrap();
    world.run(&["test", "case", "--bless"]).exits(0);
    assert!(world.read("expected.txt").contains("No changes"));
    assert!(
        fs::symlink_metadata(world.path().join("case/plan.txt"))
            .unwrap()
            .is_symlink()
    );
    // A label file that is a link stays one when a pull changes its target.
    world.apply(&[]).exits(0);
    world.someone_labels("in-000", &world.id_on("in-000"), "tree");
    fs::rename(world.path().join("m.yaml"), world.path().join("n.yaml")).unwrap();
    symlink("n.yaml", world.path().join("m.yaml")).unwrap();
    run(&world, &["pull", "{}"], "m.yaml").exits(0);
    assert!(
        fs::symlink_metadata(world.path().join("m.yaml"))
            .unwrap()
            .is_symlink()
    );
    assert!(world.read("n.yaml").contains("tree"));
    world.is_settled();
}

#[test]
fn a_full_disk_leaves_neither_half_a_file_nor_a_temporary_one() {
    let world = world();
    for (_, arguments) in &WRITERS[..4] {
        let before = folder_of(world.path());
        let arguments: Vec<String> = arguments.iter().map(|it| it.replace("{}", "new")).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        on_a_full_disk(&world, &arguments)
            .exits(1)
            .says("cannot write new: ");
        assert_eq!(folder_of(world.path()), before);
    }
}

#[test]
fn a_plan_overwrites_only_plans() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.write("labels.json", "{\"inputs\": []}\n");
    world.write("other.json", "{\"a\": 1}\n");
    world.write("empty.json", "");
    let before = folder_of(world.path());
    for (file, code, says) in [
        ("m2.yaml", 64, "has the name of a manifest file"),
        ("m2.JSONL", 64, "has the name of a manifest file"),
        (
            "labels.json",
            1,
            "labels.json exists and is not a plan file",
        ),
        ("other.json", 1, "other.json exists and is not a plan file"),
    ] {
        world.plan(&["--out", file]).exits(code).says(says);
    }
    let run = world.plan(&["--also", "json=labels.json"]).exits(1);
    run.says("labels.json exists and is not a plan file");
    assert_eq!(folder_of(world.path()), before);
    for file in ["new.json", "new.json", "empty.json"] {
        world.plan(&["--out", file]).exits(0);
    }
}

#[test]
fn files_of_git_are_never_written() {
    let world = world();
    world.write(".git/config", "[core]\n");
    symlink(".git", world.path().join("link")).unwrap();
    let undo: [&str; 5] = ["apply", "m.yaml", "--auto-approve", "--undo-out", "{}"];
    for (extension, arguments) in WRITERS.iter().chain(&[("json", &undo[..])]) {
        for folder in [".git", "link"] {
            let name = format!("new.{extension}");
            let run = run(&world, arguments, &format!("{folder}/{name}"));
            assert_ne!(run.code, 0, "{arguments:?}");
            let run = run.says("in a folder .git, whose files belong to git");
            let is_there = world.path().join(".git").join(name).exists();
            assert!(!is_there, "{arguments:?}: {}", run.stderr);
        }
    }
    for arguments in [
        &["export", "coco", "m.yaml", "--out", ".git/new.json"][..],
        &["validate", "m.yaml", "--write-baseline", ".git/new.json"],
    ] {
        let run = world.run(arguments);
        assert_ne!(run.code, 0, "{arguments:?}");
        run.says("in a folder .git, whose files belong to git");
    }
    assert_eq!(world.writes(), []);
}
