//! A manifest is complete or refused: label files that git tracks and the run cannot read.

use super::{Run, World, boxes, folder_of, git, header, is_there, settled};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A manifest of three label files that was applied.
pub(super) fn world() -> World {
    let world = World::new();
    world.write("m/annosync.yaml", &header());
    for (file, inputs) in [("a", 0..2), ("b", 2..4), ("c", 4..6)] {
        let text = format!("inputs:\n{}", boxes(inputs, "car"));
        world.write(&format!("m/labels/{file}.yaml"), &text);
    }
    world.on_app(&["apply", "m", "--auto-approve"]).exits(0);
    world
}

pub(super) fn commit(world: &World) {
    git(world.path(), &["init", "--quiet"]);
    git(world.path(), &["add", "--all", "--force"]);
    git(world.path(), &["commit", "--quiet", "--message", "labels"]);
}

pub(super) fn plan(world: &World) -> Run {
    world.on_app(&["plan", "m", "--detailed-exitcode"])
}

pub(super) fn rename(world: &World, from: &str, to: &str) {
    fs::rename(world.path().join(from), world.path().join(to)).unwrap();
}

/// Checks that plan, apply and validate fail with these words, and send nothing.
#[track_caller]
pub(super) fn stops(world: &World, words: &[&str]) {
    let sent = world.writes().len();
    for command in [
        &["plan", "m"][..],
        &["apply", "m", "--auto-approve"],
        &["validate", "m"],
    ] {
        let mut run = world.on_app_or_offline(command).exits(1);
        for word in words {
            run = run.says(word);
        }
    }
    assert_eq!(world.writes().len(), sent);
}

impl World {
    fn on_app_or_offline(&self, arguments: &[&str]) -> Run {
        if arguments[0] == "validate" {
            self.run(arguments)
        } else {
            self.on_app(arguments)
        }
    }
}

#[test]
fn a_file_both_tracked_and_ignored_is_an_error() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    settled(&plan(&world));
    world.write("m/.gitignore", "b.yaml\n");
    stops(
        &world,
        &[
            "m/labels/b.yaml",
            "labels/b.yaml` is tracked by git, and",
            "`b.yaml` in a .gitignore",
        ],
    );
    // The whole folder is ignored.
    world.write("m/.gitignore", "");
    world.write(".gitignore", "labels/\n");
    stops(
        &world,
        &[
            "labels/a.yaml` is tracked by git, and",
            "labels/b.yaml` is tracked by git, and",
            "labels/c.yaml` is tracked by git, and",
        ],
    );
    // No error if the header excludes it, or if it is no longer tracked.
    world.write(".gitignore", "");
    world.write("m/.gitignore", "/tools/\n");
    world.write("m/tools/x.json", "{}");
    git(world.path(), &["add", "--force", "m/tools/x.json"]);
    stops(&world, &["m/tools/x.json"]);
    git(
        world.path(),
        &["rm", "--quiet", "--cached", "m/tools/x.json"],
    );
    settled(&plan(&world));
}

#[test]
fn ignore_rules_of_outer_repositories_do_not_apply() {
    if !is_there("git") {
        return;
    }
    let world = world();
    // An outer repository that ignores the manifest's folder.
    git(world.path(), &["init", "--quiet"]);
    world.write(".gitignore", "m/\n*.yaml\n");
    settled(&plan(&world));
    // A repository around the manifest's repository.
    world.write(".gitignore", "*.yaml\n");
    git(world.path(), &["init", "--quiet", "m"]);
    settled(&plan(&world));
    // A .gitignore outside any repository.
    fs::remove_dir_all(world.path().join("m/.git")).unwrap();
    fs::remove_dir_all(world.path().join(".git")).unwrap();
    settled(&plan(&world));
    world.write("m/.gitignore", "b.yaml\n");
    assert_eq!(
        plan(&world).code,
        2,
        "its own rules count without a repository too"
    );
}

#[test]
fn a_deleted_file_is_a_warning_for_plan_and_an_error_for_apply() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    let text = world.read("m/labels/b.yaml");
    for staged in [false, true] {
        if staged {
            git(world.path(), &["rm", "--quiet", "m/labels/b.yaml"]);
        } else {
            fs::remove_file(world.path().join("m/labels/b.yaml")).unwrap();
        }
        let planned = plan(&world);
        assert_eq!(planned.code, 2, "{}", planned.stderr);
        planned
            .says("Warning: 1 label file that git has is not on the disk")
            .says("m/labels/b.yaml");
        let sent = world.writes().len();
        let apply = ["apply", "m", "--auto-approve"];
        world
            .on_app(&apply)
            .exits(1)
            .says("m/labels/b.yaml")
            .says("--allow-missing-files");
        let coco = json!({
            "images": [{ "id": 1, "file_name": "new.jpg", "width": 10, "height": 10 }],
            "annotations": [], "categories": [],
        });
        world.write("coco.json", &coco.to_string());
        let before = folder_of(world.path());
        // `apply FILE` would delete labels; commands that write the manifest would declare them twice.
        for acts in [
            &["plan", "m", "--out", "plan.json"][..],
            &["plan", "m", "--format", "json"],
            &["plan", "m", "--also", "json=plan.json"],
            &["pull", "m"],
        ] {
            world.on_app(acts).exits(1).says("m/labels/b.yaml");
        }
        world
            .run(&["import", "coco", "coco.json", "--out", "m/labels"])
            .exits(1)
            .says("m/labels/b.yaml");
        assert_eq!(folder_of(world.path()), before);
        assert_eq!(world.writes().len(), sent);
        // A renamed file, or one whose inputs are in another file, is not missing.
        world.write("m/labels/renamed.yaml", &text);
        let run = plan(&world);
        settled(&run);
        assert_eq!(run.stderr, "");
        fs::remove_file(world.path().join("m/labels/renamed.yaml")).unwrap();
        git(
            world.path(),
            &["checkout", "--quiet", "HEAD", "--", "m/labels/b.yaml"],
        );
    }
    fs::remove_file(world.path().join("m/labels/b.yaml")).unwrap();
    let allowed = ["apply", "m", "--auto-approve", "--allow-missing-files"];
    let run = world.on_app(&allowed).exits(0);
    assert!(!run.stderr.contains("Warning"), "{}", run.stderr);
    git(
        world.path(),
        &["commit", "--quiet", "--all", "--message", "fewer"],
    );
    let run = plan(&world);
    settled(&run);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_file_only_in_head_or_replaced_by_a_folder_is_missing() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    let sent = world.writes().len();
    let apply = ["apply", "m", "--auto-approve"];
    // Until that is committed, HEAD has the file.
    world.write("m/.gitignore", "b.yaml\n");
    world.on_app(&apply).exits(1).says("and commit that");
    git(
        world.path(),
        &["rm", "--quiet", "--cached", "m/labels/b.yaml"],
    );
    world
        .on_app(&apply)
        .exits(1)
        .says("labels/b.yaml` is tracked by git, and");
    git(world.path(), &["reset", "--quiet"]);
    fs::remove_file(world.path().join("m/.gitignore")).unwrap();
    settled(&plan(&world));

    fs::remove_file(world.path().join("m/labels/b.yaml")).unwrap();
    fs::create_dir(world.path().join("m/labels/b.yaml")).unwrap();
    world
        .on_app(&apply)
        .exits(1)
        .says("m/labels/b.yaml (deleted, and the deletion is not committed)");
    assert_eq!(world.writes().len(), sent);
}

#[test]
#[cfg(unix)]
fn missing_files_are_noticed_whatever_git_stores() {
    use std::os::unix::fs::symlink;
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    let apply = ["apply", "m", "--auto-approve"];
    let sent = world.writes().len();
    // The index has the path but not yet the content.
    git(
        world.path(),
        &["rm", "--quiet", "--cached", "m/labels/b.yaml"],
    );
    git(world.path(), &["commit", "--quiet", "--message", "not yet"]);
    git(world.path(), &["add", "--intent-to-add", "m/labels/b.yaml"]);
    let text = world.read("m/labels/b.yaml");
    fs::remove_file(world.path().join("m/labels/b.yaml")).unwrap();
    world.on_app(&apply).exits(1).says("m/labels/b.yaml");
    // For a link, git stores the target's path.
    world.write("kept.yaml", &text);
    rename(&world, "kept.yaml", "m/kept.yaml");
    let header = format!("{}files: ['labels/**']\n", header());
    world.write("m/annosync.yaml", &header);
    symlink("../kept.yaml", world.path().join("m/labels/b.yaml")).unwrap();
    git(world.path(), &["add", "--all", "--force"]);
    git(world.path(), &["commit", "--quiet", "--message", "a link"]);
    settled(&plan(&world));
    fs::remove_file(world.path().join("m/labels/b.yaml")).unwrap();
    world.on_app(&apply).exits(1).says("m/labels/b.yaml");
    // A file that is read through a link to its folder.
    fs::create_dir(world.path().join("m/real")).unwrap();
    rename(&world, "m/kept.yaml", "m/real/b.yaml");
    symlink("../real", world.path().join("m/labels/linked")).unwrap();
    git(world.path(), &["add", "--all", "--force"]);
    git(
        world.path(),
        &["commit", "--quiet", "--message", "a linked folder"],
    );
    settled(&plan(&world));
    fs::remove_file(world.path().join("m/real/b.yaml")).unwrap();
    world.on_app(&apply).exits(1).says("m/labels/linked/b.yaml");
    assert_eq!(world.writes().len(), sent);
}

#[test]
fn without_a_readable_head_nothing_is_deleted() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    git(world.path(), &["rm", "--quiet", "m/labels/b.yaml"]);
    let sent = world.writes().len();
    let apply = ["apply", "m", "--auto-approve"];
    let refused = |why: &str| {
        world
            .on_app(&apply)
            .exits(1)
            .says("git cannot say which files of m it tracks: ")
            .says(why)
            .says("the plan deletes 2 annotations");
    };
    // The work tree is configured to be elsewhere.
    fs::create_dir(world.path().join("other")).unwrap();
    let other = world.path().join("other").canonicalize().unwrap();
    git(
        world.path(),
        &["config", "core.worktree", other.to_str().unwrap()],
    );
    refused("its work tree is ");
    git(world.path(), &["config", "--unset", "core.worktree"]);
    // The commit of HEAD cannot be read.
    let head = world.path().join(".git/refs/heads/main");
    let commit = fs::read_to_string(&head).unwrap();
    let (folder, file) = commit.trim().split_at(2);
    let object = world.path().join(".git/objects").join(folder).join(file);
    fs::remove_file(object).unwrap();
    refused("HEAD");
    assert_eq!(world.writes().len(), sent);
}

#[test]
#[cfg(unix)]
fn without_a_list_of_tracked_files_nothing_is_deleted() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    let b = world.path().join("m/labels/b.yaml");
    let text = world.read("m/labels/b.yaml");
    fs::remove_file(&b).unwrap();
    let sent = world.writes().len();
    let elsewhere = tempfile::tempdir().unwrap();
    let index = world.path().join(".git/index");
    let whole = fs::read(&index).unwrap();
    let run = |arguments: &[&str], path: &Path| {
        let mut command = world.command();
        command.args(arguments).env("PATH", path);
        command.args(["--endpoint", &world.emulator.url(), "--user-id", "owner"]);
        command.args(["--app-id", "app", "--rate-limit", "1000"]);
        Run::of(command)
    };
    let path = std::env::var_os("PATH").unwrap();
    let path = Path::new(&path);
    for (git_dir, index_is_whole, path) in [
        // No git, a broken index, a repository that is not where `.git` says.
        (false, true, elsewhere.path()),
        (false, false, path),
        (true, true, path),
    ] {
        if git_dir {
            fs::rename(world.path().join(".git"), elsewhere.path().join("git")).unwrap();
            world.write(".git", "gitdir: /nowhere\n");
        } else if !index_is_whole {
            fs::write(&index, "no index").unwrap();
        }
        run(&["plan", "m"], path)
            .exits(0)
            .says("Warning: git cannot say which files of m it tracks: ")
            .says("2 to delete");
        for acts in [
            &["apply", "m", "--auto-approve"][..],
            &["plan", "m", "--out", "plan.json"],
        ] {
            run(acts, path)
                .exits(1)
                .says("git cannot say which files of m it tracks: ")
                .says("the plan deletes 2 annotations")
                .says("--allow-missing-files");
        }
        assert_eq!(world.writes().len(), sent);
        // A plan without deletes needs no list of tracked files.
        fs::write(&b, &text).unwrap();
        run(&["apply", "m", "--auto-approve"], path).exits(0);
        fs::remove_file(&b).unwrap();
        if !git_dir {
            fs::write(&index, &whole).unwrap();
        }
    }
    let allowed = ["apply", "m", "--auto-approve", "--allow-missing-files"];
    run(&allowed, path).exits(0);
    assert_eq!(world.annotations().len(), 4);
}

#[test]
#[cfg(unix)]
fn unreadable_files_and_folders_are_errors() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let world = world();
    mode(world.path(), 0o755);
    let locked = world.path().join("m/labels/locked");
    world.write("m/labels/locked/c.yaml", "inputs: []\n");
    // Root can read everything. As root, the binary runs as another user, who must be able to start it.
    let is_root = fs::metadata(world.path()).is_ok_and(|it| it.uid() == 0);
    let binary = world.path().join("annosync");
    if is_root {
        fs::copy(env!("CARGO_BIN_EXE_annosync"), &binary).unwrap();
    }
    for place in [locked.join("c.yaml"), locked.clone()] {
        let was = fs::metadata(&place).unwrap().permissions();
        mode(&place, 0o000);
        let mut command = if is_root {
            let mut command = Command::new(&binary);
            command.current_dir(world.path()).uid(65_534).gid(65_534);
            command
        } else {
            world.command()
        };
        command.args(["validate", "m"]);
        let run = Run::of(command);
        fs::set_permissions(&place, was).unwrap();
        run.exits(1)
            .says("m/labels/locked")
            .says("ermission denied");
    }
    world.run(&["validate", "m"]).exits(0);
}

#[test]
fn files_and_submodules_that_are_not_checked_out_are_errors() {
    if !is_there("git") {
        return;
    }
    let world = world();
    commit(&world);
    git(
        world.path(),
        &[
            "sparse-checkout",
            "set",
            "--no-cone",
            "/*",
            "!/m/labels/b.yaml",
        ],
    );
    world
        .on_app(&["plan", "m"])
        .exits(1)
        .says("m/labels/b.yaml (left out by a sparse checkout)");
    world
        .on_app(&["plan", "m", "--allow-missing-files"])
        .exits(0);
    git(world.path(), &["sparse-checkout", "disable"]);
    settled(&plan(&world));
    // A submodule.
    git(world.path(), &["init", "--quiet", "other"]);
    world.write(
        "other/d.yaml",
        "inputs: [{ id: in-900, annotations: [] }]\n",
    );
    git(world.path(), &["-C", "other", "add", "d.yaml"]);
    git(
        world.path(),
        &["-C", "other", "commit", "--quiet", "--message", "d"],
    );
    git(
        world.path(),
        &["submodule", "--quiet", "add", "./other", "m/sub"],
    );
    git(world.path(), &["commit", "--quiet", "--message", "sub"]);
    world.run(&["validate", "m"]).exits(0).says("7 inputs");
    // A submodule that is not at the recorded commit.
    let allow = ["commit", "--quiet", "--allow-empty", "--message", "e"];
    git(world.path(), &[&["-C", "m/sub"], &allow[..]].concat());
    plan(&world)
        .says("Warning: the submodule sub is not at the commit that the repository records");
    git(world.path(), &["submodule", "--quiet", "update"]);
    assert_eq!(plan(&world).stderr, "");
    git(
        world.path(),
        &["submodule", "--quiet", "deinit", "--force", "m/sub"],
    );
    stops(&world, &["m/sub", "is a submodule that is not checked out"]);
    world.write(
        "m/annosync.yaml",
        &format!("{}files: ['labels/**']\n", header()),
    );
    settled(&plan(&world));
}
