//! Posting inputs: waiting, failures, files and interrupted runs.

use super::*;

#[test]
fn inputs_are_annotated_after_they_are_processed() {
    let world = strict_with(&[], 2);
    world.declare(&many(3));
    world.apply(&["--create-inputs"]).exits(0);
    assert!(calls(&world, Endpoint::ListInputs) >= 3);
    assert_eq!(world.annotations().len(), 3);
}

#[test]
fn an_input_not_processed_in_time_is_reported_and_finished_by_the_next_run() {
    let world = strict_with(&[], 4);
    world.declare(&many(2));
    let arguments = ["--create-inputs", "--input-timeout", "1"];
    world.emulator.faults().on(
        Endpoint::ListInputs,
        3,
        Fault::Latency(Duration::from_millis(1_100)),
    );
    let run = world
        .apply(&arguments)
        .exits(5)
        .says("Failed: input in-0: it exists, but was not processed within 1 s");
    assert_eq!(
        run.last_line(),
        "Applied 0, 0 already up to date, 2 failed, 2 not attempted."
    );
    assert_eq!(world.annotations().len(), 0);
    world
        .plan(&["--create-inputs"])
        .exits(0)
        .says("2 inputs to wait for");
    let run = world.apply(&["--create-inputs"]).exits(0);
    assert_eq!(
        run.last_line(),
        "Applied 2 (2 posted), 2 already up to date, 0 failed, 0 not attempted."
    );
    assert_eq!(calls(&world, Endpoint::PostInputs), 1);
    is_whole(&world, 2);
}

#[test]
fn an_input_that_fails_is_reported_and_its_annotations_are_not_attempted() {
    let world = strict(&[]);
    world.declare(&format!(
        "{}{}{}",
        input(
            "bad",
            "image: { url: \"https://gone.invalid/a.jpg\" }",
            "car"
        ),
        input(
            "good",
            "image: { url: \"https://example.com/a.jpg\" }",
            "car"
        ),
        input(
            "worse",
            "image: { url: \"https://example.com/b.jpg\" }",
            "car"
        )
    ));
    world.emulator.faults().next(
        Endpoint::PostInputs,
        Fault::FailItems {
            items: vec![2],
            code: Code::INPUT_UNSUPPORTED_FORMAT,
        },
    );
    let run = world
        .apply(&["--create-inputs", "--format", "json"])
        .exits(5);
    let account: Value = serde_json::from_str(&run.stdout).unwrap();
    schemas::OUTCOME.accepts(&account);
    assert_eq!(account["planned"], 6);
    assert_eq!(account["applied"]["posted_inputs"], 1);
    assert_eq!(account["not_attempted"], 2);
    let failed = &account["failed_inputs"];
    assert_eq!(failed[0]["input_id"], "bad");
    let reason = failed[0]["reason"].as_str().unwrap();
    assert!(reason.contains("INPUT_DOWNLOAD_FAILED"), "{reason}");
    assert_eq!(failed[1]["input_id"], "worse");
    assert_eq!(world.annotations().len(), 1);
}

#[test]
fn every_input_is_posted_once_despite_faults() {
    let faults = [
        Fault::Throttle { retry_after: None },
        Fault::Unavailable(503),
        Fault::TryAgain,
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::FailItems {
            items: vec![1],
            code: Code::TRY_AGAIN,
        },
    ];
    for endpoint in [Endpoint::PostInputs, Endpoint::ListInputs] {
        for fault in &faults {
            if endpoint == Endpoint::ListInputs && matches!(fault, Fault::FailItems { .. }) {
                continue;
            }
            let world = strict_with(&[], 1);
            world.declare(&many(3));
            world.emulator.faults().on(endpoint, 1, fault.clone());
            world.emulator.faults().on(endpoint, 2, fault.clone());
            world.apply(&["--create-inputs"]).exits(0);
            is_whole(&world, 3);
        }
    }
}

#[test]
fn an_input_posted_by_another_user_is_accepted() {
    let world = strict(&[]);
    world.declare(&many(2));
    world
        .plan(&["--create-inputs", "--out", "plan.json"])
        .exits(0);
    world
        .block_on(world.writer().post_inputs(&bare_inputs(&["in-0"])))
        .unwrap();
    let run = world
        .apply_path("plan.json", &["--create-inputs", "--undo-out", "undo.json"])
        .exits(0);
    assert_eq!(
        run.last_line(),
        "Applied 3 (1 input posted, 2 posted), 1 already up to date, 0 failed, 0 not attempted."
    );
    let undo: Value = serde_json::from_str(&world.read("undo.json")).unwrap();
    assert_eq!(undo["deleted_inputs"], json!(["in-1"]));
    is_whole(&world, 2);
}

#[test]
fn a_file_changed_since_the_plan_is_not_sent() {
    let world = strict(&[]);
    world.write("a.jpg", "one");
    world.declare(&input("a", "image: { path: a.jpg }", "car"));
    world
        .plan(&["--create-inputs", "--out", "plan.json"])
        .exits(0);
    world
        .run(&["apply", "plan.json", "--auto-approve"])
        .exits(64)
        .says("--manifest PATH");
    world.write("a.jpg", "two");
    let arguments = [
        "apply",
        "plan.json",
        "--auto-approve",
        "--manifest",
        "m.yaml",
        "--create-inputs",
    ];
    world
        .run(&arguments)
        .exits(4)
        .says("is not the plan that m.yaml makes of the app as it is now: the post of input a;");
    assert!(there(&world).is_empty());
    world.write("a.jpg", "one");
    world.run(&arguments).exits(0);
    is_whole(&world, 1);
}

#[test]
fn calls_with_files_stay_small_and_a_large_file_gets_its_own_call() {
    let world = strict(&[]);
    for (name, bytes) in [("a", 1 << 20), ("b", 4 << 20), ("c", 10), ("d", 10)] {
        world.write(&format!("{name}.jpg"), &"x".repeat(bytes));
    }
    let inputs = ["a", "b", "c", "d"];
    let inputs = inputs.map(|id| input(id, &format!("image: {{ path: {id}.jpg }}"), "car"));
    world.declare(&inputs.concat());
    world.apply(&["--create-inputs"]).exits(0);
    let calls = world.emulator.calls();
    let sent: Vec<usize> = calls
        .iter()
        .filter(|call| call.endpoint == Endpoint::PostInputs)
        .map(|call| call.items)
        .collect();
    let mut sorted = sent.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 1, 2], "{sent:?}");
}

#[test]
fn a_run_that_is_killed_between_inputs_and_annotations_is_finished_by_the_next() {
    for when in [When::Before, When::After] {
        let mut number = 0;
        loop {
            let world = strict_with(&[], 1);
            world.declare(&many(3));
            if !killed_with(&world, &["--create-inputs"], number, when) {
                break;
            }
            world.apply(&["--create-inputs"]).exits(0);
            is_whole(&world, 3);
            number += 1;
        }
        assert!(number > 6, "{number} calls");
    }
}
