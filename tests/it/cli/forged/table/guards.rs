//! Attacks on guards.

use super::*;

#[test]
fn forged_guards_are_refused() {
    let world = scene();
    let open = "guards: { max_deletes: 100%, max_updates: 100%, max_vanished_concepts: 99, max_doubles: 99 }\n";
    let open = format!("{HEADER}{open}");
    let few = of_another_manifest(&world, &open, &boxes(0..5, "car"), &[]);
    let others = of_another_manifest(&world, &open, &boxes(0..20, "bus"), &[]);
    let double = "  - id: in-006\n    annotations:\n      - key: k\n        \
                  box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }\n        concepts: [car]\n      \
                  - box: { top: 0.7, left: 0.7, bottom: 0.9, right: 0.9 }\n        concepts: [tree]\n";
    let rest = labels().replace(&boxes(6..7, "car"), double);
    let double = of_another_manifest(&world, &open, &rest, &[]);
    assert!(double.to_string().contains("\"doubles\""), "{double}");
    let stopped = of_another_manifest(&world, HEADER, &boxes(0..5, "car"), &[]);
    assert_ne!(stopped["guards"], json!([]));
    let mut table = Vec::new();
    let passed = |plan: &Value| {
        with(plan, |it| {
            it["passed_guards"] = it["guards"].take();
            it["guards"] = json!([]);
        })
    };
    let undoubled = with(&double, |it| {
        for operation in it["operations"].as_array_mut().unwrap() {
            operation.as_object_mut().unwrap().remove("double");
        }
        it["summary"].as_object_mut().unwrap().remove("doubles");
    });
    for (what, file, says) in [
        (
            "limits of another manifest",
            few.clone(),
            "--allow-deletes 15",
        ),
        (
            "no guards",
            with(&stopped, |it| it["guards"] = json!([])),
            "--allow-deletes 15",
        ),
        (
            "guards marked as passed",
            passed(&stopped),
            "--allow-deletes 15",
        ),
        (
            "a larger number of existing annotations",
            with(&few, |it| it["summary"]["existing"] = json!(1_000_000)),
            "15 deletes of 2",
        ),
        ("a concept that vanishes", others, "--allow-vanished"),
        ("a double", double, "--allow-doubles 1"),
        ("a double that is not shown", undoubled, "--allow-doubles 1"),
    ] {
        table.push(Refused {
            what,
            file,
            flags: &[],
            code: 3,
            says,
        });
    }
    let fewer = |existing: u64| with(&few, |it| it["summary"]["existing"] = json!(existing));
    table.push(Refused {
        what: "fewer annotations than any guard requires",
        file: fewer(9),
        flags: &[],
        code: 1,
        says: "counts fewer existing annotations than it deletes",
    });
    refused(&world, table);
    // With its manifest, the manifest's guards count, and the same plan passes.
    declare(&world, &open, &boxes(0..5, "car"));
    world.write("other.json", &few.to_string());
    apply(&world, "other.json", &["--manifest", "m.yaml"])
        .exits(4)
        .says("is a plan of another manifest");
    world.plan(&["--out", "other.json"]).exits(0);
    world.apply_path("other.json", &[]).exits(0);
}

#[test]
fn a_forged_count_does_not_disable_percentage_guards() {
    let world = World::new();
    declare(&world, HEADER, &boxes(0..20, "car"));
    world.apply(&[]).exits(0);
    // A few cars stay, so that no concept vanishes.
    declare(&world, HEADER, &(boxes(0..2, "car") + &boxes(2..20, "bus")));
    world.plan(&["--out", "plan.json"]).exits(3);
    let plan = read(&world, "plan.json");
    let table = [1_000_000, 0].map(|changeable| Refused {
        what: "another number of changeable annotations",
        file: with(&plan, |it| {
            it["guards"] = json!([]);
            it["summary"]["changeable"] = json!(changeable);
        }),
        flags: &[],
        code: 3,
        says: "--allow-updates 18",
    });
    refused(&world, table.into());
}
