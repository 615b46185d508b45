//! Replacements while other users or other runs change the same annotations.

use super::*;

/// Adds a concept to the region of an annotation through the API.
fn someone_labels(world: &World, input: &str, id: &str) {
    let region = json!([{"id": format!("region-{input}"), "data": {"concepts": [{"id": "late", "value": 1}]}}]);
    let patch = json!({"id": id, "input_id": input, "data": {"regions": region}});
    let writer = world.writer();
    let answer = world.block_on(writer.patch(PatchAction::Merge, &[named_body(&patch)]));
    assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
}

fn is_labelled(annotation: &Value) -> bool {
    annotation["data"].to_string().contains("late")
}

fn stand_in_on(world: &World, input: &str) -> String {
    let all = world.annotations();
    let found = all
        .iter()
        .find(|it| it["input_id"] == input && is_stand_in(it));
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_original_edited_after_its_stand_in_was_posted_is_kept() {
    let world = world("sync");
    let mut run = Stepped::start(&world, "m.yaml");
    run.advance(1);
    someone_labels(&world, "in-2", "alone");
    let run = run.finish().exits(4);
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 replaced), 0 already up to date, 1 stale, 0 failed, 0 not attempted."
    );
    let now = world.annotation("alone").unwrap();
    assert!(is_labelled(&now) && now["user_id"] == "owner");
    assert!(!world.annotations().iter().any(is_stand_in));
    world.apply(&[]).exits(0);
    assert!(is_labelled(&world.annotation("alone").unwrap()));
}

#[test]
fn an_original_deleted_before_its_stand_in_is_posted_stays_deleted() {
    let world = world("sync");
    world.plan(&["--out", "plan.json"]).exits(0);
    world.delete("in-2", "alone");
    let run = world.run(&ALONE).exits(4);
    run.says(
        "Stale: replace annotation alone of input in-2: it no longer exists. Nothing was written.",
    );
    assert_eq!(world.annotation("alone"), None);
    assert!(!world.annotations().iter().any(is_stand_in));
}

#[test]
fn an_edited_stand_in_is_kept_and_reported() {
    // After the first write the original still exists; after the third it exists again.
    for (writes, user, said) in [
        (
            1,
            "owner",
            "somebody changed or deleted its stand-in, so the annotation itself was left alone",
        ),
        (5, "bea", "it was replaced, but its stand-in `as-6008c26f-r"),
    ] {
        let world = world("sync");
        let mut run = Stepped::start(&world, "m.yaml");
        run.advance(writes);
        let stand_in = stand_in_on(&world, "in-2");
        someone_labels(&world, "in-2", &stand_in);
        let run = run.finish().exits(5);
        assert!(run.last_line().starts_with("Applied 2 (2 replaced), "));
        let run = run.says(said);
        run.says("(somebody changed it): run the same command again");
        assert!(is_labelled(&world.annotation(&stand_in).unwrap()));
        assert_eq!(world.annotation("alone").unwrap()["user_id"], user);
        // It is shown before it is deleted.
        let plan = world.plan(&[]).exits(0);
        plan.says("(a stand-in that an earlier run left behind)");
        world.apply(&[]).exits(0);
        all_are_of(&world, "bea");
    }
}

#[test]
fn two_runs_at_once_leave_one_annotation_and_no_stand_in() {
    for first in 0..=8 {
        for second in 0..=8 {
            let world = world("sync");
            let mut one = Stepped::start(&world, "m.yaml");
            let mut other = Stepped::start(&world, "m.yaml");
            one.advance(first);
            other.advance(second);
            let (one, other) = (one.finish(), other.finish());
            let told = format!("{first} {second}\n{}\n{}", one.stdout, other.stdout);
            assert_eq!((one.code, other.code), (0, 0), "{told}");
            all_are_of(&world, "bea");
            world.is_settled();
        }
    }
}

#[test]
fn a_run_killed_during_a_concurrent_run_loses_nothing() {
    for first in 0..8 {
        for second in [0, 2, 4, 6] {
            let world = world("sync");
            let mut one = Stepped::start(&world, "m.yaml");
            let mut other = Stepped::start(&world, "m.yaml");
            other.advance(second);
            one.advance(first);
            one.kill();
            other.finish();
            everything_is_somewhere(&world);
            world.apply(&[]).exits(0);
            all_are_of(&world, "bea");
        }
    }
}
