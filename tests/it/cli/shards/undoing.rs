//! Undos of what shards applied.

use super::super::undoing::{carry_out, same, state};
use super::*;
use annosync::emulator::Config;

/// Inputs that can be posted, with a point each.
fn inputs(numbers: std::ops::Range<usize>, concept: &str) -> String {
    numbers.fold(String::new(), |text, at| {
        text + &format!(
            "  - id: in-{at:03}\n    image: {{ url: \"https://example.com/{at}.jpg\" }}\n    \
             annotations: [{{ key: k, point: [0.1, 0.2], concepts: [{concept}] }}]\n"
        )
    })
}

/// The annotations on the inputs of one of two shards.
fn of_shard(index: u32, all: &[Value]) -> Vec<Value> {
    let shard = Shard::new(index, 2).unwrap();
    let covers =
        |it: &&Value| shard.covers(&InputId::new(it["input_id"].as_str().unwrap()).unwrap());
    all.iter().filter(covers).cloned().collect()
}

#[test]
fn an_undo_of_a_shard_restores_its_own_inputs_and_leaves_those_of_others() {
    let world = World::with(Config {
        require_inputs: true,
        ..Config::default()
    });
    // All concepts exist before; an undo does not delete concepts.
    world.declare(&(inputs(0..58, "car") + &inputs(58..59, "bus") + &inputs(59..60, "van")));
    world.apply(&["--create-inputs"]).exits(0);
    // Changes, deletes, and inputs to post.
    world.declare(&(inputs(0..20, "bus") + &inputs(20..50, "car") + &inputs(60..70, "van")));
    let plan = |shard: &str| {
        let plan = world.plan(&["--create-inputs", "--shard", shard, "--format", "json"]);
        let mut plan = essence(parsed(&plan.exits(0).stdout));
        for operation in plan["operations"].as_array_mut().unwrap() {
            // When the annotation was modified.
            operation.as_object_mut().unwrap().remove("seen");
        }
        plan
    };
    let planned = ["0/2", "1/2"].map(plan);
    let before = state(&world);
    let undo = |index| format!("undo-{index}.json");
    let apply = |index| {
        let flags = ["--create-inputs", "--auto-approve", "--undo-out"];
        words(&[&["apply", "m.yaml"], &flags[..], &[&undo(index)]].concat())
    };
    for run in at_once(&world, 2, apply) {
        run.exits(0);
    }
    world.is_settled();
    let applied = state(&world);
    for index in 0..2 {
        assert_ne!(of_shard(index, &applied), of_shard(index, &before));
    }

    let delete_inputs = ["--allow-delete-inputs", "10"];
    carry_out(&world, &undo(1), &delete_inputs).exits(0);
    let undone = state(&world);
    same(&of_shard(1, &undone), &of_shard(1, &before));
    same(&of_shard(0, &undone), &of_shard(0, &applied));
    assert_eq!(plan("1/2"), planned[1]);
    settled(&world.plan(&["--shard", "0/2", "--detailed-exitcode"]));

    carry_out(&world, &undo(0), &delete_inputs).exits(0);
    same(&state(&world), &before);
    assert_eq!(["0/2", "1/2"].map(plan), planned);
}
