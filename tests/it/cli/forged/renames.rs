//! Renamed concepts: only a manifest can declare them, not a plan file.

use super::table::{Refused, of_another_manifest, refused, with};
use super::{HEADER, apply, declare, read, scene};
use crate::cli::boxes;
use serde_json::json;

/// Guards that stop only vanished concepts.
const OPEN: &str = "guards: { max_updates: 100%, max_deletes: 100% }\n";
const RENAMED: &str = "renamed: { car: bus, tree: bus }\n";

#[test]
fn a_rename_that_only_a_plan_file_declares_hides_no_vanished_concept() {
    let world = scene();
    let buses = boxes(0..20, "bus");
    let renamed = of_another_manifest(&world, &format!("{HEADER}{OPEN}{RENAMED}"), &buses, &[]);
    assert_eq!(renamed["guards"], json!([]));
    let plain = of_another_manifest(&world, &format!("{HEADER}{OPEN}"), &buses, &[]);
    assert_eq!(plain["guards"][0]["guard"], "vanished_concepts", "{plain}");
    let added = with(&plain, |it| {
        it["renamed"] = json!({"car": "bus", "tree": "bus"});
        it["guards"] = json!([]);
    });
    let refuse = |what, file: &serde_json::Value, flags, code, says| Refused {
        what,
        file: file.clone(),
        flags,
        code,
        says,
    };
    let vanished = "--allow-vanished";
    let relabelled = with(&plain, |it| {
        it["summary"]["relabelled"][0]["count"] = json!(1);
    });
    refused(
        &world,
        vec![
            refuse("of a manifest that renames", &renamed, &[], 3, vanished),
            refuse("a rename that is added", &added, &[], 3, vanished),
            refuse(
                "fewer relabelled annotations",
                &relabelled,
                &[],
                1,
                "its summary does not match its operations",
            ),
            refuse(
                "passed by a number of updates",
                &renamed,
                &["--allow-updates", "20"],
                3,
                vanished,
            ),
        ],
    );
    // The manifest counts, however the file differs.
    let manifest: &[&str] = &["--manifest", "m.yaml"];
    for (header, file, code, says) in [
        (format!("{HEADER}{OPEN}"), &renamed, 3, vanished),
        (format!("{HEADER}{OPEN}"), &added, 3, vanished),
        (
            format!("{HEADER}{OPEN}renamed: {{ car: tree }}\n"),
            &renamed,
            3,
            vanished,
        ),
        // The guards in the file itself still stop it.
        (format!("{HEADER}{OPEN}{RENAMED}"), &plain, 3, vanished),
    ] {
        declare(&world, &header, &buses);
        world.plan(&["--out", "now.json"]);
        let hash = read(&world, "now.json")["manifest_hash"].clone();
        let file = with(file, |it| it["manifest_hash"] = hash);
        refused(
            &world,
            vec![refuse("with a manifest", &file, manifest, code, says)],
        );
    }
    // A file that relabels differently than its manifest.
    declare(
        &world,
        &format!("{HEADER}{OPEN}{RENAMED}"),
        &boxes(0..20, "person"),
    );
    world.plan(&["--out", "now.json"]);
    let hash = read(&world, "now.json")["manifest_hash"].clone();
    let other = with(&renamed, |it| it["manifest_hash"] = hash);
    refused(
        &world,
        vec![refuse(
            "other labels",
            &other,
            manifest,
            4,
            "is not the plan that",
        )],
    );
    // With the renames of its manifest it passes.
    declare(&world, &format!("{HEADER}{OPEN}{RENAMED}"), &buses);
    world.plan(&["--out", "plan.json"]).exits(0);
    apply(&world, "plan.json", manifest).exits(0);
    world.is_settled();
}
