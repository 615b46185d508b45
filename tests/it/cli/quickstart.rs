//! The README's first screen.

use super::{Run, command, folder_of, settled};
use std::fs;
use std::path::Path;

pub(super) fn quickstart() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    for (name, _) in folder_of(&example) {
        // A store left by running the example in place.
        if name.starts_with(".annosync") {
            continue;
        }
        let path = folder.path().join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(example.join(name), path).unwrap();
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    command.args(arguments);
    Run::of(command)
}

#[test]
fn the_quickstart_applies_and_then_plans_empty() {
    let folder = quickstart();
    let first = run(folder.path(), &["apply", "--auto-approve"]).exits(0);
    assert_eq!(
        first.stdout,
        "Applied 19 (19 posted), 0 already up to date, 0 failed, 0 not attempted.\n"
    );
    assert!(
        first.stderr.contains("Plan: 19 to post"),
        "{}",
        first.stderr
    );
    let second = run(folder.path(), &["apply", "--auto-approve"]).exits(0);
    assert_eq!(second.last_line(), "No changes. 19 annotations match.");
    assert_eq!(second.stderr, "");
    settled(&run(folder.path(), &["plan", "--detailed-exitcode"]));
}

#[test]
fn one_edited_label_is_exactly_one_change() {
    let folder = quickstart();
    run(folder.path(), &["apply", "--auto-approve"]).exits(0);
    let file = folder.path().join("labels/drive.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("[car]", "[person]")).unwrap();
    let plan = run(folder.path(), &["plan", "--detailed-exitcode"]).exits(2);
    assert_eq!(plan.stderr, "");
    let readme = include_str!("../../../README.md");
    let session = format!("```console\n$ annosync plan\n{}```", plan.stdout);
    assert!(readme.contains(&session), "README.md lacks\n{session}");
    let applied = run(folder.path(), &["apply", "--auto-approve"]).exits(0);
    assert!(applied.stdout.starts_with("Applied 1 (1 overwritten)"));
    settled(&run(folder.path(), &["plan", "--detailed-exitcode"]));
}

#[test]
fn the_embedded_store_is_relative_to_the_manifest() {
    let folder = quickstart();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    run(elsewhere.path(), &["apply", path, "--auto-approve"]).exits(0);
    assert!(folder.path().join(".annosync/local.db").is_file());
    assert_eq!(folder_of(elsewhere.path()), []);
    settled(&run(folder.path(), &["plan", "--detailed-exitcode"]));
    // The header's path means the same manifest.
    settled(&run(
        folder.path(),
        &["plan", "annosync.yaml", "--detailed-exitcode"],
    ));
}

#[test]
fn a_plan_file_for_an_embedded_store_is_applied_to_it() {
    let folder = quickstart();
    run(folder.path(), &["plan", "--out", "plan.json"]).exits(0);
    // A plan file in the manifest's folder does not belong to the manifest.
    let applied = run(folder.path(), &["apply", "plan.json", "--auto-approve"]).exits(0);
    assert!(applied.stdout.starts_with("Applied 19 (19 posted)"));
    settled(&run(folder.path(), &["plan", "--detailed-exitcode"]));
}

#[test]
fn the_example_program_plans_from_a_saved_listing() {
    let folder = quickstart();
    run(folder.path(), &["apply", "--auto-approve"]).exits(0);
    let listing = run(folder.path(), &["list", ".", "--all", "--format", "json"]).exits(0);
    let saved = annosync::observed::SavedListing::read(&listing.stdout).unwrap();
    assert_eq!(
        saved.into_state().len(),
        27,
        "nineteen, and one for each of eight inputs"
    );
}
