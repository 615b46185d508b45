//! How `--base` reads the manifest of a git revision.

use super::*;
use crate::cli::header;
use std::fs;

#[test]
fn the_users_index_and_work_tree_are_unchanged_and_no_hook_runs() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    let hook = world.path().join(".git/hooks/post-index-change");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\ntouch \"$GIT_DIR/ran\"\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // Something staged, something changed, something new.
    fs::write(world.path().join("staged.txt"), "s").unwrap();
    git(world.path(), &["add", "staged.txt"]);
    world.declare(&boxes(0..4, "car"));
    fs::write(world.path().join("new.txt"), "n").unwrap();
    let _ = fs::remove_file(world.path().join(".git/ran"));
    let state = || {
        (
            fs::read(world.path().join(".git/index")).unwrap(),
            super::super::folder_of(world.path()),
        )
    };
    let before = state();
    world
        .plan(&["--base", "HEAD", "--allow-deletes", "1"])
        .exits(0);
    assert!(before == state(), "something in the folder changed");
    let status = git(world.path(), &["status", "--porcelain"]);
    assert_eq!(status, " M m.yaml\nA  staged.txt\n?? new.txt\n");
}

/// A folder of its own in the repository, with ignored files, masks and pictures.
#[test]
fn the_base_equals_a_checkout_of_the_revision() {
    if !is_there("git") {
        return;
    }
    let world = World::new();
    git(world.path(), &["init", "--quiet"]);
    let write = |path: &str, bytes: &[u8]| {
        let path = world.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let png = crate::support::png(2, &[0, 255, 255, 0]);
    write(".gitignore", b"scratch.yaml\n");
    write("data/labels/annosync.yaml", header().as_bytes());
    write("data/labels/scratch.yaml", b"not: a manifest\n");
    write("data/labels/masks/m.png", &png);
    write("data/labels/masks/odd.jpg", &png);
    write("data/labels/image.jpg", b"no picture");
    write("data/other.yaml", b"not: a manifest\n");
    write(
        "data/labels/a.yaml",
        b"inputs:\n  - id: a\n    annotations:\n      - mask: { path: masks/m.png }\n        concepts: [car]\n",
    );
    git(world.path(), &["add", "--all"]);
    git(world.path(), &["commit", "--quiet", "--message", "labels"]);
    let plan = |folder: &str| {
        let run = world.on_app(&["plan", folder, "--base", "HEAD", "--format", "json"]);
        let plan: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        assert_eq!(plan["base"]["manifest_hash"], plan["manifest_hash"]);
        plan
    };
    let whole = plan("data/labels");
    assert_eq!(plan("data/labels/annosync.yaml")["operations"], json!([]));
    assert_eq!(drift(&whole), expect(&[("a", "deleted", "kept")]));
    // A mask with the extension of a picture is found too.
    let text = world.read("data/labels/a.yaml").replace("m.png", "odd.jpg");
    write("data/labels/a.yaml", text.as_bytes());
    git(
        world.path(),
        &["commit", "--quiet", "--all", "--message", "odd"],
    );
    plan("data/labels");
    // So is a file that is read through a link.
    #[cfg(unix)]
    {
        write("linked/annosync.yaml", header().as_bytes());
        write(
            "linked/kept.txt",
            b"inputs:\n  - id: b\n    annotations: [{ concepts: [car] }]\n",
        );
        std::os::unix::fs::symlink("kept.txt", world.path().join("linked/b.yaml")).unwrap();
        git(world.path(), &["add", "--all"]);
        git(world.path(), &["commit", "--quiet", "--message", "link"]);
        assert_eq!(drift(&plan("linked")), expect(&[("b", "deleted", "kept")]));
    }
}

#[test]
fn line_endings_follow_the_attributes_of_the_revision() {
    if !is_there("git") {
        return;
    }
    let world = World::new();
    git(world.path(), &["init", "--quiet"]);
    fs::write(
        world.path().join(".gitattributes"),
        "*.yaml text eol=crlf\n",
    )
    .unwrap();
    world.declare(&boxes(0..1, "car"));
    commit(&world);
    let text = world.read("m.yaml").replace('\n', "\r\n");
    fs::write(world.path().join("m.yaml"), text).unwrap();
    let plan = plan(&world, &[]);
    assert_eq!(plan["base"]["manifest_hash"], plan["manifest_hash"]);
}

#[test]
fn an_invalid_base_is_an_error_with_a_hint() {
    if !is_there("git") {
        return;
    }
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    let refused = |revision: &str, says: [&str; 2]| {
        let base = format!("--base={revision}");
        let run = world.plan(&[&base]).exits(1).says(says[0]).says(says[1]);
        assert!(!run.stderr.contains("/tmp"), "{}", run.stderr);
    };
    let outside = world.plan(&["--base", "HEAD"]).exits(1);
    assert!(
        outside.stderr.contains("not a git repository"),
        "{}",
        outside.stderr
    );

    git(world.path(), &["init", "--quiet"]);
    refused("HEAD", ["there is no commit", "git fetch"]);
    let no_manifest = world.path().join("README.md");
    fs::write(no_manifest, "nothing yet").unwrap();
    git(world.path(), &["add", "README.md"]);
    git(world.path(), &["commit", "--quiet", "--message", "first"]);
    refused("HEAD", ["has no manifest at m.yaml", "plan without --base"]);
    for revision in [
        "nowhere",
        "",
        "--all",
        "-h",
        "HEAD:README.md",
        "main..main",
        "a\u{1b}[31mb",
    ] {
        refused(revision, ["there is no commit", "git fetch"]);
    }

    let good = world.read("m.yaml");
    fs::write(world.path().join("m.yaml"), good.replace("[car]", "car")).unwrap();
    commit(&world);
    fs::write(world.path().join("m.yaml"), good).unwrap();
    refused(
        "HEAD",
        [
            "HEAD:m.yaml:",
            "the manifest at revision HEAD has a problem",
        ],
    );
}

#[test]
fn a_shallow_clone_gets_a_hint_how_to_fetch_the_history() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    world.declare(&boxes(0..4, "car"));
    commit(&world);
    let first = git(world.path(), &["rev-parse", "HEAD~1"]);
    let url = format!("file://{}", world.path().display());
    git(
        world.path(),
        &["clone", "--quiet", "--depth", "1", &url, "clone"],
    );
    world
        .on_app(&["plan", "clone/m.yaml", "--base", first.trim()])
        .exits(1)
        .says("fetch-depth: 0");
}

#[test]
fn git_variables_of_a_hook_are_ignored() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    let run = |git_dir: &str, work_tree: Option<&str>| {
        let mut command = super::super::command(world.path());
        command
            .args(["plan", "m.yaml", "--base", "HEAD", "--detailed-exitcode"])
            .args(["--endpoint", &world.emulator.url()])
            .args(["--user-id", "owner", "--app-id", "app"])
            .env("CLARIFAI_PAT", "owner-key")
            .env("GIT_DIR", git_dir)
            .env("GIT_INDEX_FILE", ".git/index.lock");
        if let Some(folder) = work_tree {
            command.env("GIT_WORK_TREE", folder);
        }
        super::super::Run::of(command)
    };
    settled(&run(".git", None));
    settled(&run("elsewhere/.git", None));
    // A repository that lies apart from its work tree.
    fs::rename(world.path().join(".git"), world.path().join("apart")).unwrap();
    settled(&run("apart", Some(".")));
}

#[test]
fn a_saved_listing_is_planned_against_a_base_as_well() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    relabel(&world, "in-001", "truck");
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    fs::write(world.path().join("state.json"), listing.stdout).unwrap();
    let run = world.run(&[
        "plan",
        "m.yaml",
        "--observed",
        "state.json",
        "--base",
        "HEAD",
        "--format",
        "json",
    ]);
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(drift(&plan), expect(&[("in-001", "changed", "kept")]));
}

#[test]
fn declared_only_accepts_a_base_that_declares_more() {
    if !is_there("git") {
        return;
    }
    let world = applied();
    world.declare(&(boxes(0..1, "car") + &boxes(1..2, "bus")));
    let plan = plan(&world, &["--declared-only"]);
    assert_eq!(
        written(&plan),
        expect(&[("in-001", "overwrite", "intended")])
    );
    world.seed(vec![of_ann("in-000")]);
    let text = world.read("m.yaml") + "owners: [me, ann]\n";
    fs::write(world.path().join("m.yaml"), text).unwrap();
    let plan = self::plan(&world, &["--declared-only", "--on-drift", "apply"]);
    let gone = &plan["operations"][0];
    assert_eq!(
        (&gone["cause"], &gone["seen"]["user"]),
        (&json!("drift"), &json!("ann"))
    );
}
