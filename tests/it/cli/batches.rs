//! Calls are as few as possible, and exactly those of the plan.

use super::World;
use crate::support::{whole, with};
use annosync::emulator::{CallRecord, Endpoint};
use serde_json::{Value, json};

/// More than fits into one call.
const MANY: usize = 130;

/// One line of JSON Lines: an input with `count` annotations, by id.
fn line(input: &str, count: usize, concepts: &[&str], more: &Value) -> String {
    let annotations: Vec<Value> = (0..count)
        .map(|at| {
            let mut annotation = json!({"id": format!("{input}-{at}"), "concepts": concepts});
            annotation
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            annotation
        })
        .collect();
    format!("{}\n", json!({"id": input, "annotations": annotations}))
}

fn seeded(input: &str, count: usize, concepts: &[(&str, f64)]) -> Vec<Value> {
    (0..count)
        .map(|at| whole(input, &format!("{input}-{at}"), concepts))
        .collect()
}

fn declare(world: &World, lines: &[String]) {
    let header = super::header();
    world.write("manifest/annosync.yaml", &header);
    world.write("manifest/bulk.jsonl", &lines.concat());
    // `m.yaml` is what the harness plans.
    world.write(
        "m.yaml",
        &format!("{header}files: [\"manifest/*.jsonl\"]\n"),
    );
}

/// (what the call is, how many annotations it carries), sorted.
fn shape(calls: &[CallRecord]) -> Vec<(Endpoint, usize)> {
    let mut shape: Vec<_> = calls
        .iter()
        .map(|call| (call.endpoint, call.items))
        .collect();
    shape.sort();
    shape
}

#[test]
fn calls_fill_up_across_inputs_and_are_as_few_as_the_lower_bound() {
    let world = World::new();
    let car = [("car", 1.0)];
    let both = [("car", 1.0), ("tree", 1.0)];
    let mut before = seeded("merge", MANY, &car);
    before.extend(seeded("overwrite", MANY, &car));
    before.extend(seeded("remove", MANY, &both));
    before.extend(seeded("replace", MANY, &car));
    before.extend(seeded("delete-a", MANY / 2, &car));
    before.extend(seeded("delete-b", MANY / 2, &car));
    world.seed(before);
    let none = json!({});
    declare(
        &world,
        &[
            line("merge", MANY, &["car", "tree"], &none),
            line("overwrite", MANY, &["tree"], &none),
            line("remove", MANY, &["car"], &none),
            line("replace", MANY, &["car"], &json!({"user": "bea"})),
            line("delete-a", 0, &[], &none),
            line("delete-b", 0, &[], &none),
            line("post-a", MANY / 2, &["car"], &none),
            line("post-b", MANY / 2, &["car"], &none),
        ],
    );
    let plan = world.plan(&[]).exits(0);
    assert_eq!(
        plan.last_line(),
        "Plan: 130 to post, 130 to merge, 130 to overwrite, 130 to remove, 130 to replace, 130 to delete. \
         17 calls (lower bound 17), about 0.1 s at 1,000 calls/s."
    );
    let run = world.apply(&[]).exits(0);
    assert!(
        run.last_line().starts_with("Applied 780 ("),
        "{}",
        run.stdout
    );
    let full = 128;
    assert_eq!(
        shape(&world.writes()),
        [
            // The stand-ins; posts and the posts of replacements fill up together.
            (Endpoint::PostAnnotations, 2),
            (Endpoint::PostAnnotations, 4),
            (Endpoint::PostAnnotations, full),
            (Endpoint::PostAnnotations, full),
            (Endpoint::PostAnnotations, full),
            (Endpoint::PatchAnnotations, 2),
            (Endpoint::PatchAnnotations, 2),
            (Endpoint::PatchAnnotations, 2),
            (Endpoint::PatchAnnotations, full),
            (Endpoint::PatchAnnotations, full),
            (Endpoint::PatchAnnotations, full),
            (Endpoint::DeleteAnnotations, 2),
            (Endpoint::DeleteAnnotations, 2),
            (Endpoint::DeleteAnnotations, 2),
            (Endpoint::DeleteAnnotations, full),
            (Endpoint::DeleteAnnotations, full),
            (Endpoint::DeleteAnnotations, full),
        ]
    );
}

#[test]
fn a_full_batch_is_one_call_and_one_more_annotation_makes_two() {
    for (count, calls) in [(128, vec![128]), (129, vec![1, 128])] {
        let world = World::new();
        declare(&world, &[line("in", count, &["car"], &json!({}))]);
        let plan = world.plan_json();
        assert_eq!(plan["summary"]["calls"], calls.len());
        assert_eq!(plan["summary"]["lower_bound"], calls.len());
        world.apply(&[]).exits(0);
        let posts: Vec<_> = calls
            .into_iter()
            .map(|n| (Endpoint::PostAnnotations, n))
            .collect();
        assert_eq!(shape(&world.writes()), posts);
    }
}

#[test]
fn large_annotations_take_more_calls_and_the_plan_counts_them() {
    let world = World::new();
    // Each more than half of what one body may hold.
    let large = json!({"metadata": {"text": "x".repeat(2_150_000)}});
    declare(&world, &[line("in", 2, &["car"], &large)]);
    let run = world.apply(&[]).exits(0);
    assert!(
        run.stderr.contains(". 2 calls (lower bound 1), about"),
        "the plan says it"
    );
    assert_eq!(world.writes().len(), 2);
}

#[test]
fn a_large_plan_file_rereads_its_annotations_and_makes_as_few_calls() {
    let world = World::new();
    let car = [("car", 1.0)];
    world.seed([seeded("merge", MANY, &car), seeded("delete", MANY, &car)].concat());
    let theirs = with(whole("other", "theirs", &car), "user_id", json!("bea"));
    world.seed(vec![theirs]);
    declare(
        &world,
        &[
            line("merge", MANY, &["car", "tree"], &json!({})),
            line("delete", 0, &[], &json!({})),
            line("post", MANY, &["car"], &json!({})),
        ],
    );
    world.plan(&["--out", "plan.json"]).exits(0);
    let run = world.apply_path("plan.json", &[]).exits(0);
    assert!(
        run.last_line()
            .starts_with("Applied 390 (130 posted, 130 merged, 130 deleted)")
    );
    assert_eq!(world.writes().len(), 6);
    assert!(world.annotation("theirs").is_some());
}
