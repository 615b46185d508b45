//! Guards of shards, and of joined plans.

use super::*;

#[test]
fn guards_of_joined_plans_are_counted_over_the_whole() {
    let world = World::new();
    let header = |guards: &str| {
        format!("version: 1\nset: street\npolicy: sync\nguards: {{ {guards} }}\ninputs:\n")
    };
    let declare = |guards: &str, inputs: &str| world.write("m.yaml", &(header(guards) + inputs));
    declare("max_deletes: 3", &boxes(0..40, "car"));
    world.apply(&[]).exits(0);
    // Three deletes are within the limit, but not within a quarter of it.
    declare("max_deletes: 3", &boxes(3..40, "car"));
    let plan = |index| words(&["plan", "m.yaml", "--out", &shard_file(index)]);
    let codes: Vec<i32> = at_once(&world, 4, plan)
        .iter()
        .map(|run| run.code)
        .collect();
    assert!(
        codes.contains(&3) && codes.iter().all(|code| [0, 3].contains(code)),
        "{codes:?}"
    );
    let files: Vec<String> = (0..4).map(shard_file).collect();
    let all = joined(&world, &files).exits(0);
    assert_eq!(parsed(&all.stdout)["guards"], json!([]));
    // One more is not.
    declare("max_deletes: 3", &boxes(4..40, "car"));
    at_once(&world, 4, plan);
    let all = joined(&world, &files).exits(3).says("--allow-deletes 4");
    let whole = world.plan(&["--format", "json"]).exits(3);
    assert_eq!(
        parsed(&all.stdout)["guards"],
        parsed(&whole.stdout)["guards"]
    );

    // The joined plan is applied by shards, with the flag for the whole.
    world.write("plan.json", &all.stdout);
    let apply = |more: &[&str]| {
        let more = words(more);
        let apply = words(&[
            "apply",
            "plan.json",
            "--auto-approve",
            "--manifest",
            "m.yaml",
        ]);
        at_once(&world, 4, move |_| [&apply[..], &more[..]].concat())
    };
    for run in apply(&[]) {
        run.exits(3).says("--allow-deletes 4");
    }
    for run in apply(&["--allow-deletes", "4"]) {
        run.exits(0);
    }
    world.is_settled();
}

#[test]
fn percentages_of_a_part_that_trip_are_counted_over_the_whole_plan() {
    let world = World::new();
    let declare = |inputs: &str| {
        world.write(
            "m.yaml",
            &format!("version: 1\nset: street\npolicy: sync\ninputs:\n{inputs}"),
        );
    };
    declare(&boxes(0..60, "car"));
    world.apply(&[]).exits(0);
    // All deletes are in one shard, of which they are more than the limit.
    let shard = Shard::new(1, 4).unwrap();
    let (of_shard, others): (Vec<usize>, Vec<usize>) =
        (0..60).partition(|at| shard.covers(&InputId::new(format!("in-{at:03}")).unwrap()));
    let gone = of_shard.len() / 2;
    assert!(
        gone * 100 > of_shard.len() * 30 && gone * 100 < 60 * 30,
        "{of_shard:?}"
    );
    let kept: String = (of_shard[gone..].iter().chain(&others))
        .map(|at| boxes(*at..at + 1, "car"))
        .collect();
    declare(&kept);
    world
        .plan(&["--shard", "1/4"])
        .exits(3)
        .says("the guards of a shard are stricter");
    world.plan(&["--out", "plan.json"]).exits(0);
    for manifest in [&[][..], &["--manifest", "m.yaml"]] {
        let dry = ["apply", "plan.json", "--shard", "1/4", "--dry-run"];
        world
            .run(&[&dry, manifest].concat())
            .exits(0)
            .says("DELETE");
    }
    for run in at_once(&world, 4, |_| {
        words(&["apply", "plan.json", "--auto-approve"])
    }) {
        run.exits(0);
    }
    world.is_settled();
}
