//! Git revisions as sides, and `git diff` with annosync as its program.

use super::{coco, diff, folder, input, manifest, object, write};
use crate::cli::{git, is_there};
use std::path::Path;
use tempfile::TempDir;

pub(super) fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = folder(files);
    git(folder.path(), &["init", "--quiet"]);
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", "labels"]);
}

#[test]
fn a_git_revision_is_a_side_whether_it_has_a_manifest_or_files_of_another_tool() {
    if !is_there("git") {
        return;
    }
    let labels = manifest(&[input("a", &[(0.1, "car")])]);
    let file = coco(&[object(1, 1, 1, [10, 10, 20, 20])]);
    let folder = repository(&[("labels/annosync.yaml", &labels), ("coco/all.json", &file)]);
    let path = folder.path();
    let changed = labels.replace("[car]", "[bus]");
    write(path, "labels/annosync.yaml", &changed);
    let more = coco(&[
        object(7, 1, 1, [10, 10, 20, 20]),
        object(8, 1, 1, [50, 50, 20, 20]),
    ]);
    write(path, "coco/all.json", &more);

    let relabelled = diff(path, &["git:HEAD:labels", "labels"]).exits(2);
    assert_eq!(relabelled.last_line(), "1 relabelled.");
    let below = diff(&path.join("labels"), &["git:HEAD", "."]).exits(2);
    assert_eq!(below.last_line(), "1 relabelled.");
    let added = diff(path, &["git:HEAD:coco/all.json", "coco/all.json"]).exits(2);
    assert_eq!(added.last_line(), "1 added; 1 unchanged.");
    let none = diff(path, &["git:HEAD:nothing", "labels"]).exits(1);
    assert!(none.stderr.contains("revision HEAD has no nothing"));
    let unknown = diff(path, &["git:v9:labels", "labels"]).exits(1);
    assert!(unknown.stderr.contains("there is no commit \"v9\""));
}

/// `git diff` with the binary as an external diff of the label files.
fn git_diff(folder: &Path, arguments: &[&str]) -> String {
    let setting = format!(
        "diff.annosync.command='{}' diff --git",
        env!("CARGO_BIN_EXE_annosync")
    );
    git(folder, &[&["-c", &setting, "diff"], arguments].concat())
}

#[test]
fn git_diff_shows_the_differences_of_labels() {
    if !is_there("git") {
        return;
    }
    let part = |inputs: &[String]| format!("inputs:\n{}", inputs.concat());
    let header = "version: 1\nset: street\npolicy: sync\nfiles: ['labels/**']\n";
    let folder = repository(&[
        (".gitattributes", "*.yaml diff=annosync\n"),
        ("annosync.yaml", header),
        (
            "labels/a.yaml",
            &part(&[input("a", &[(0.1, "car"), (0.5, "bus")])]),
        ),
        ("labels/b [1].yaml", &part(&[input("b", &[(0.1, "car")])])),
        ("labels/gone.yaml", &part(&[input("c", &[(0.1, "car")])])),
    ]);
    let path = folder.path();
    write(
        path,
        "labels/a.yaml",
        &part(&[input("a", &[(0.12, "car"), (0.5, "bus")])]),
    );
    write(
        path,
        "labels/b [1].yaml",
        &format!("# checked\n{}", part(&[input("b", &[(0.1, "car")])])),
    );
    std::fs::remove_file(path.join("labels/gone.yaml")).unwrap();
    write(
        path,
        "annosync.yaml",
        &header.replace("policy: sync", "policy: upsert"),
    );
    insta::assert_snapshot!(git_diff(path, &[]), @r"
    annosync diff annosync.yaml
    The labels are equal. As text:
    --- annosync.yaml
    +++ annosync.yaml
    @@ -1,4 +1,4 @@
     version: 1
     set: street
    -policy: sync
    +policy: upsert
     files: ['labels/**']
    annosync diff labels/a.yaml
    Moved (1 annotation): a number-1 IoU 0.81

    a
      ~ moved box [car]: top left, 4.0 % of the image (matched: moved, IoU 0.81)

    1 moved; 1 unchanged.
    annosync diff labels/b [1].yaml
    The labels are equal. As text:
    --- labels/b [1].yaml
    +++ labels/b [1].yaml
    @@ -1,3 +1,4 @@
    +# checked
     inputs:
       - id: b
         annotations:
    annosync diff labels/gone.yaml
    Classes: car 1 -> 0 (-1)

    Removed inputs (1): c (1 label)

    c
      - removed box [car]: top left, 4.0 % of the image

    1 removed, 1 input removed.
    ");
    // A file that cannot be read is compared as text, and the other files are still shown.
    write(path, "labels/a.yaml", "inputs:\n  - id: [\n");
    let broken = git_diff(path, &["--", "labels"]);
    assert!(
        broken.contains("labels/a.yaml has problems. As text:\n--- labels/a.yaml\n"),
        "{broken}"
    );
    assert!(
        broken.ends_with("1 removed, 1 input removed.\n"),
        "{broken}"
    );
    // A commit with another one, where the work tree has no part in it.
    write(path, "labels/a.yaml", &part(&[input("a", &[(0.5, "bus")])]));
    commit(path);
    let commits = git_diff(path, &["HEAD^", "HEAD", "--", "labels/a.yaml"]);
    assert!(
        commits.ends_with("\n1 removed; 1 unchanged.\n"),
        "{commits}"
    );
}
