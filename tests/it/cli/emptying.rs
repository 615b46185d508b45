//! `purge: true` through the binary.

use super::{World, header};
use crate::support::{boxed, whole, with};
use annosync::emulator::{Collaborator, Config, Endpoint};
use insta::assert_snapshot;
use serde_json::{Value, json};

const PURGED: &str = "  - id: p\n    purge: true\n";

/// `p` has annotations of the set, of another user and of a model; `q` has one of the set.
fn seeded(config: Config) -> World {
    let world = World::with(config);
    world.seed(vec![
        whole("p", "mine", &[("car", 1.0)]),
        with(whole("p", "hers", &[("car", 1.0)]), "user_id", json!("bea")),
        with(
            boxed("p", "found", [0.1, 0.1, 0.5, 0.5], &["car"]),
            "model_version_id",
            json!("mv"),
        ),
        whole("q", "other", &[("car", 1.0)]),
    ]);
    world
}

fn ids(world: &World) -> Vec<Value> {
    world
        .annotations()
        .into_iter()
        .map(|it| it["id"].clone())
        .collect()
}

#[test]
fn a_plan_shows_a_purge_first_and_apply_requires_its_flag() {
    let world = seeded(Config::default());
    world.declare(PURGED);
    world.plan(&["--detailed-exitcode"]).exits(2);
    let plan = world.plan(&[]).exits(0);
    assert_snapshot!(plan.stdout.replace(&world.emulator.url(), "SERVER"), @r"
    Label set street on owner/app at SERVER, policy sync: 1 input to purge (3 annotations).

    Warning: apply purges only with --allow-purge.
    Note: needs the app's owner: 1 change to annotations of bea, 1 change to annotations of owner.

    Other people's work: bea 1 deleted; (user unknown) 1 deleted
    Left without labels (1 input): p
    Classes: car 3 -> 1 (-2)

    ! purge p: deletes all 3 annotations, whoever made them (1 by bea, 1 by owner, 1 by a model)

    Plan: 1 input to purge (3 annotations); 1 unmanaged. 1 call (lower bound 1), about 0.1 s at 1,000 calls/s.
    ");
    let refused = world.apply(&[]).exits(3);
    assert_snapshot!(refused.stderr.lines().skip_while(|line| !line.starts_with("error")).collect::<Vec<_>>().join("\n"), @"
    error: the plan purges 1 input: 3 annotations would be deleted, whoever made them
    hint: if this is what you mean, let exactly this plan pass with --allow-purge
    ");
    assert_eq!(ids(&world).len(), 4);
    let applied = world.apply(&["--allow-purge"]).exits(0);
    assert_snapshot!(applied.stdout, @"Applied 1 (1 input purged of 3 annotations), 0 already up to date, 0 failed, 0 not attempted.");
    assert_eq!(ids(&world), [json!("other")]);
    // The input-level annotation still exists, and the purged input stays empty.
    let all = world.block_on(world.emulator.annotations()).unwrap();
    assert!(
        all.iter()
            .any(|it| it["input_id"] == "p" && it["input_level"] == true)
    );
}

#[test]
fn a_dry_run_names_stale_purges_and_prints_no_calls_for_them() {
    let world = seeded(Config::default());
    world.seed(vec![whole("r", "extra", &[("car", 1.0)])]);
    let purged = format!("{PURGED}{}", PURGED.replace("id: p", "id: r"));
    world.declare(&purged);
    world.plan(&["--out", "plan.json"]).exits(0);
    let dry = || world.on_app(&["apply", "plan.json", "--dry-run", "--allow-purge"]);
    let calls = dry().exits(0);
    assert!(
        calls
            .stdout
            .ends_with("\"body\":{\"input_ids\":[\"p\",\"r\"]}}\n")
    );
    world.seed(vec![whole("p", "late", &[("car", 1.0)])]);
    let stale = dry().exits(4).says(
        "error: 1 input to purge changed since the plan, and apply would not purge it; the first is p\n\
         hint: plan again, and look at the new plan\n",
    );
    assert_eq!(stale.stdout.lines().count(), 1);
    assert!(
        stale
            .stdout
            .ends_with("\"body\":{\"input_ids\":[\"r\"]}}\n")
    );
    // What is gone already needs no call, and the call of a stale purge alone is not printed.
    world.delete("r", "extra");
    assert_eq!(dry().exits(4).stdout, "");
}

#[test]
fn a_listing_of_declared_inputs_is_enough_for_a_purge() {
    let world = seeded(Config::default());
    world.declare(PURGED);
    let plan = world.plan(&["--declared-only"]).exits(0);
    assert!(
        plan.stdout.contains("! purge p: deletes all 3 annotations"),
        "{}",
        plan.stdout
    );
    world.apply(&["--declared-only", "--allow-purge"]).exits(0);
}

#[test]
fn a_collaborator_cannot_purge_annotations_of_others() {
    let bea = Collaborator {
        user: "bea".to_owned(),
        key: "bea-key".to_owned(),
    };
    let world = seeded(Config {
        collaborators: vec![bea],
        ..Config::default()
    })
    .with_key("bea-key");
    world.declare(PURGED);
    let refused = world.apply(&["--allow-purge"]).exits(1);
    let refused = refused.says(
        "error: the token belongs to bea, and the plan needs the app's owner: 1 change to annotations of owner; nothing was sent",
    );
    assert_eq!(refused.stdout, "");
    assert_eq!(world.writes(), []);
}

#[test]
fn a_policy_without_deletes_does_not_purge() {
    let world = seeded(Config::default());
    let text = format!("{}inputs:\n{PURGED}", header().replace("sync", "upsert"));
    world.write("m.yaml", &text);
    let plan = world.plan(&[]).exits(0);
    assert_snapshot!(plan.stdout.replace(&world.emulator.url(), "SERVER"), @r"
    Label set street on owner/app at SERVER, policy upsert.

    Warning: the policy upsert holds back 3 deletes; `policy: sync` would not.

    No changes. 0 annotations match.
    ");
    world.apply(&["--allow-purge"]).exits(0);
    assert_eq!(ids(&world).len(), 4);
}

#[test]
fn allow_purge_does_not_override_guards() {
    let world = seeded(Config::default());
    let text = format!(
        "version: 1\nset: street\npolicy: sync\nguards: {{ max_deletes: 2 }}\ninputs:\n{PURGED}"
    );
    world.write("m.yaml", &text);
    let stopped = world.apply(&[]).exits(3);
    assert!(
        stopped.stderr.contains("--allow-deletes 3"),
        "{}",
        stopped.stderr
    );
    assert!(
        stopped.stderr.contains("--allow-purge"),
        "{}",
        stopped.stderr
    );
    world.apply(&["--allow-purge"]).exits(3);
    assert_eq!(world.writes(), []);
    world
        .apply(&["--allow-purge", "--allow-deletes", "3"])
        .exits(0);
}

#[test]
fn purges_beyond_the_call_limit_take_several_calls() {
    let world = World::new();
    let seeds = (0..130).map(|at| whole(&format!("in-{at:03}"), "a", &[("car", 1.0)]));
    world.seed(seeds.collect());
    let inputs: Vec<String> = (0..130)
        .map(|at| format!("  - id: in-{at:03}\n    purge: true\n"))
        .collect();
    world.declare(&inputs.concat());
    let applied = world.apply(&["--allow-purge"]).exits(0);
    assert_snapshot!(applied.last_line(), @"Applied 130 (130 inputs purged of 130 annotations), 0 already up to date, 0 failed, 0 not attempted.");
    let calls = world.writes();
    assert!(
        calls
            .iter()
            .all(|call| call.endpoint == Endpoint::DeleteAnnotations)
    );
    assert_eq!(
        calls.iter().map(|call| call.items).collect::<Vec<_>>(),
        [128, 2]
    );
}
