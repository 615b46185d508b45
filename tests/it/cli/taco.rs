//! Two versions of a real data set: 1,827 and 2,152 annotations of litter on 715 photographs.

use super::formats::agree_about_taco;
use super::{Run, World, settled, skipped};
use std::path::{Path, PathBuf};

/// The folder of the data; `None`, with a message, if it is missing.
pub(super) fn data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/taco");
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("no TACO data in {}", folder.display()));
    None
}

pub(super) fn import(world: &World, data: &Path, version: &str, out: &str) -> Run {
    let file = data.join(format!("annotations-{version}.json"));
    world
        .run(&["import", "coco", file.to_str().unwrap(), "--out", out])
        .exits(0)
}

#[test]
fn taco_is_updated_with_only_the_changes_of_a_version() {
    let Some(data) = data() else { return };
    let world = World::new();
    let apply = ["apply", ".", "--auto-approve"];
    let plan = ["plan", ".", "--detailed-exitcode"];

    let first = import(&world, &data, "a56f6cb", "taco");
    assert_eq!(
        first.stderr,
        "1,827 of 1,827 annotations on 715 of 715 images, 63 categories.\n"
    );
    assert!(
        first
            .stdout
            .starts_with("Wrote 715 files; inputs: 715 new; annotations: 1,827 added.\n")
    );
    let made = world.run(&apply).exits(0);
    assert_eq!(
        made.stdout,
        "Applied 1,827 (1,827 posted), 0 already up to date, 0 failed, 0 not attempted.\n"
    );
    settled(&world.run(&plan));

    let second = import(&world, &data, "a35e944", "taco");
    assert_eq!(
        second.stderr,
        "2,152 of 2,152 annotations on 715 of 715 images, 60 categories.\n"
    );
    assert_eq!(
        second.stdout,
        "Wrote 110 files; inputs: 110 changed, 605 unchanged; annotations: 325 added, 12 changed.\n"
    );
    // 1,815 + 8 + 4 = 1,827 were there, and 1,815 + 8 + 4 + 325 = 2,152 are to be. Two pictures with two annotations each
    // were turned.
    let changes = world.run(&plan).exits(2);
    assert_eq!(
        changes.last_line(),
        "Plan: 325 to post, 12 to overwrite; 1,815 unchanged. \
         4 calls (lower bound 4), about 0.1 s at 1,000 calls/s."
    );
    let relabelled = changes
        .stdout
        .matches("(matched: same place, other concepts)");
    assert_eq!(relabelled.count(), 8);
    assert!(!changes.stdout.contains("ambiguous"));
    let turned = changes.stdout.matches("(matched: turned by 90 degrees)");
    assert_eq!(turned.count(), 4);
    assert!(
        changes.stdout.contains(
            "\nTurned pictures (4 annotations on 2 inputs): turned by 90 degrees (4 on 2)\n"
        ),
        "{}",
        changes.stdout
    );
    // Four categories were renamed or dropped; each had fewer than ten annotations.
    assert!(
        changes
            .stdout
            .contains("Warning: 4 concepts will no longer be used ("),
        "{}",
        changes.stdout
    );
    agree_about_taco(&world);
    let done = world.run(&apply).exits(0);
    assert_eq!(
        done.stdout,
        "Applied 337 (325 posted, 12 overwritten), 0 already up to date, 0 failed, 0 not attempted.\n"
    );
    settled(&world.run(&plan));

    // The same in one file of JSON Lines is the same manifest.
    let header = world.read("annosync.yaml");
    let header = header.replace("taco/**", "taco.jsonl");
    world.write("bulk/annosync.yaml", &header);
    import(&world, &data, "a35e944", "bulk/taco.jsonl");
    let store = ["--embedded", ".annosync/local.db"];
    let bulk = ["plan", "bulk", "--detailed-exitcode"];
    let same = world.run(&[&bulk[..], &store].concat());
    settled(&same);
    assert_eq!(same.last_line(), "No changes. 2,152 annotations match.");
}
