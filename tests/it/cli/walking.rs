//! Which files of a folder belong to a manifest: extensions, links, names, ignore files.

use super::complete::{commit, plan, rename, stops, world};
use super::{World, header, is_there, settled};
use std::fs;
use std::process::Command;

#[test]
fn extensions_ignore_case() {
    let world = world();
    for (from, to) in [
        ("b.yaml", "b.YAML"),
        ("a.yaml", "a.Yml"),
        ("b.YAML", "b.yaml "),
    ] {
        rename(
            &world,
            &format!("m/labels/{from}"),
            &format!("m/labels/{to}"),
        );
        settled(&plan(&world));
    }
    world.write(
        "m/labels/d.JSONL",
        "{\"id\": \"in-000\", \"annotations\": []}\n",
    );
    world.run(&["validate", "m"]).exits(1).says("in-000");
    fs::remove_file(world.path().join("m/labels/d.JSONL")).unwrap();
    world.write(
        "m/annosync.yaml",
        &format!("{}files: ['Labels/*.y*']\n", header()),
    );
    settled(&plan(&world));
}

#[test]
#[cfg(unix)]
fn links_are_followed_only_within_the_folder() {
    use std::os::unix::fs::symlink;
    let world = world();
    rename(&world, "m/labels", "m/.kept");
    symlink(".kept", world.path().join("m/labels")).unwrap();
    settled(&plan(&world));
    // Circular links, and links to files that are read already.
    symlink("..", world.path().join("m/.kept/up")).unwrap();
    symlink("labels", world.path().join("m/again")).unwrap();
    symlink("labels/a.yaml", world.path().join("m/a.yaml")).unwrap();
    settled(&plan(&world));
    for target in ["missing.yaml", "d.yaml"] {
        symlink(target, world.path().join("m/d.yaml")).unwrap();
        stops(&world, &["m/d.yaml", "cannot be followed"]);
        fs::remove_file(world.path().join("m/d.yaml")).unwrap();
    }
    rename(&world, "m/.kept", "elsewhere");
    stops(
        &world,
        &["m/labels", "is a link to .kept, which cannot be followed"],
    );
    fs::remove_file(world.path().join("m/labels")).unwrap();
    fs::remove_file(world.path().join("elsewhere/up")).unwrap();
    fs::remove_file(world.path().join("m/again")).unwrap();
    fs::remove_file(world.path().join("m/a.yaml")).unwrap();
    symlink("../elsewhere", world.path().join("m/labels")).unwrap();
    stops(
        &world,
        &[
            "m/labels",
            "is a link to a folder outside the manifest's folder",
        ],
    );
    settled(&world.on_app(&["plan", "m", "--detailed-exitcode", "--allow-outside-files"]));
}

#[test]
#[cfg(unix)]
fn file_names_must_be_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = world();
    let name = std::ffi::OsStr::from_bytes(b"m/labels/\xff.yaml");
    fs::write(world.path().join(name), "inputs: []\n").unwrap();
    stops(&world, &["not valid UTF-8"]);
    fs::remove_file(world.path().join(name)).unwrap();
    fs::create_dir(world.path().join("m/labels/d.yaml")).unwrap();
    settled(&plan(&world));
}

#[test]
#[cfg(unix)]
fn an_ignore_file_is_a_plain_file_of_limited_size() {
    let world = world();
    let ignore = world.path().join("m/labels/.gitignore");
    std::os::unix::fs::symlink("/dev/zero", &ignore).unwrap();
    stops(&world, &["m/labels/.gitignore", "is a link"]);
    fs::remove_file(&ignore).unwrap();
    let made = Command::new("mkfifo").arg(&ignore).status();
    assert!(made.unwrap().success());
    stops(&world, &["m/labels/.gitignore", "is a pipe, not a file"]);
    fs::remove_file(&ignore).unwrap();
    fs::write(&ignore, "a\n".repeat(300_000)).unwrap();
    stops(
        &world,
        &["m/labels/.gitignore", "has more than 10000 patterns"],
    );
    fs::write(&ignore, "x".repeat(2 << 20)).unwrap();
    stops(
        &world,
        &["m/labels/.gitignore", "has more than 1048576 bytes"],
    );
    fs::write(&ignore, "[\n").unwrap();
    settled(&plan(&world));
}

#[test]
fn validate_lists_included_and_left_out_files() {
    if !is_there("git") {
        return;
    }
    let world = World::new();
    world.write(
        "m/annosync.yaml",
        &format!("{}files: ['labels/**']\n", header()),
    );
    world.write("m/labels/a.yaml", "inputs: []\n");
    world.write(
        "m/labels/gone.yaml",
        "inputs: [{ id: a, annotations: [] }]\n",
    );
    commit(&world);
    fs::remove_file(world.path().join("m/labels/gone.yaml")).unwrap();
    world.write("m/labels/old/b.yaml", "inputs: []\n");
    world.write("m/labels/.c.yaml", "");
    world.write("m/labels/plan.json", "{\"format_version\": \"1.0\"}");
    world.write("m/tools/x.json", "{}");
    world.write("m/.github/x.yml", "");
    world.write("m/labels/photo.jpg", "");
    world.write("m/.gitignore", "old/\n");
    let run = world.run(&["validate", "m", "--files"]).exits(0);
    insta::assert_snapshot!(run.stdout, @r"
    belongs     m/annosync.yaml
    belongs     m/labels/a.yaml
    missing     m/labels/gone.yaml: tracked by git, but not on the disk
    left out    m/.github/: hidden
    left out    m/labels/.c.yaml: hidden
    left out    m/labels/old/: ignored by `old/` in a .gitignore
    left out    m/labels/plan.json: an output of annosync, such as a plan, a listing or a log
    left out    m/tools/x.json: not matched by `files:` in the header
    The manifest is valid: set street, 0 inputs, 0 annotations.
    ");
}
