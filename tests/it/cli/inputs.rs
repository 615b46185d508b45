//! Inputs and concepts that the app lacks: found by the plan, posted by apply, deleted by an undo that may.

use super::boundaries::killed_with;
use super::proxy::When;
use super::{Run, World, boxes, header};
use crate::schemas;
use annosync::api::code::Code;
use annosync::emulator::{Config, Endpoint, Fault};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// An app that takes annotations only on inputs that exist and are processed, and that holds these inputs.
fn strict(inputs: &[&str]) -> World {
    strict_with(inputs, 0)
}

fn strict_with(inputs: &[&str], processing_polls: u32) -> World {
    let world = World::with(Config {
        require_inputs: true,
        processing_polls,
        ..Config::default()
    });
    if !inputs.is_empty() {
        let bodies: Vec<String> = inputs
            .iter()
            .map(|id| json!({ "id": id }).to_string())
            .collect();
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        world.block_on(world.writer().post_inputs(&bodies)).unwrap();
    }
    world.emulator.forget_calls();
    world
}

/// An input that says what it is made of.
fn input(id: &str, medium: &str, concept: &str) -> String {
    format!(
        "  - id: {id}\n    {medium}\n    annotations:\n      - key: k\n        concepts: [{concept}]\n"
    )
}

/// Inputs `in-0`, `in-1`, … with a URL each.
fn many(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        let medium = format!("image: {{ url: \"https://example.com/{at}.jpg\" }}");
        write!(text, "{}", input(&format!("in-{at}"), &medium, "car")).unwrap();
        text
    })
}

/// The inputs of the app, sorted.
fn there(world: &World) -> Vec<String> {
    let reader = world.writer().reader();
    world
        .block_on(reader.all_inputs())
        .unwrap()
        .into_iter()
        .collect()
}

fn calls(world: &World, endpoint: Endpoint) -> usize {
    let calls = world.emulator.calls();
    calls.iter().filter(|it| it.endpoint == endpoint).count()
}

/// Every input has been posted once, and every label lies there once.
fn is_whole(world: &World, count: usize) {
    world.emulator.faults().clear();
    assert_eq!(there(world).len(), count);
    assert_eq!(world.annotations().len(), count);
    world.is_settled();
}

#[test]
fn an_input_that_the_app_lacks_is_an_error_of_the_plan_with_the_nearest_id() {
    let world = strict(&["street-0001", "street-0002"]);
    world.declare(
        "  - id: street-0001\n    annotations:\n      - concepts: [car]\n\
         \x20 - id: stret-0002\n    annotations:\n      - concepts: [car]\n\
         \x20 - id: elsewhere\n    annotations:\n      - concepts: [car]\n\
         \x20 - id: empty\n    annotations: []\n",
    );
    let run = world.plan(&[]).exits(1);
    insta::assert_snapshot!(run.stderr, @r"
    error: m.yaml:9:9: the app has no input `stret-0002`; did you mean `street-0002`?
    hint: correct the id, or let apply post it first: `create_inputs: true` in the header, or --create-inputs
    error: m.yaml:12:9: the app has no input `elsewhere`
    hint: correct the id, or let apply post it first: `create_inputs: true` in the header, or --create-inputs
    error: the manifest asks for 2 changes that cannot be made
    ");
    let run = world.apply(&[]).exits(1);
    assert!(
        run.stderr.contains("no input `elsewhere`"),
        "{}",
        run.stderr
    );
    assert_eq!(world.writes(), []);
}

#[test]
fn thousands_of_missing_inputs_are_grouped_and_found_with_a_cursor() {
    let known: Vec<String> = (0..100).map(|at| format!("in-{at:03}")).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let world = strict(&known);
    world.declare(&boxes(0..4_000, "car"));
    let run = world
        .plan(&[])
        .exits(1)
        .says("and 3,880 more like the last one");
    assert_eq!(run.stderr.matches("the app has no input").count(), 20);
    assert_eq!(calls(&world, Endpoint::StreamInputs), 2);
    assert_eq!(calls(&world, Endpoint::ListInputs), 1);
}

#[test]
fn nothing_is_asked_where_the_listing_shows_everything() {
    let world = strict(&["in-000"]);
    world.declare(&boxes(0..1, "car"));
    world.apply(&[]).exits(0);
    world.emulator.forget_calls();
    world.plan(&[]).exits(0);
    for endpoint in [
        Endpoint::ListInputs,
        Endpoint::StreamInputs,
        Endpoint::GetInputCount,
        Endpoint::ListConcepts,
    ] {
        assert_eq!(calls(&world, endpoint), 0, "{endpoint:?}");
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "the whole output stands in the snapshots"
)]
fn inputs_are_posted_from_files_urls_and_texts_before_they_are_annotated() {
    let world = strict_with(&["there"], 0);
    world.write("images/a.jpg", "not really a JPEG");
    world.write("clip.mp4", "nor a video");
    world.write("t.txt", "what it says");
    let inputs = [
        input(
            "a",
            "image: { path: images/a.jpg, width: 10, height: 10 }",
            "car",
        ),
        input("b", "image: { url: \"https://example.com/b.jpg\" }", "car"),
        input("b2", "image: { url: \"https://example.com/b.jpg\" }", "car"),
        input("c", "video: { path: clip.mp4 }", "car"),
        input("d", "video: { url: \"https://example.com/d.mp4\" }", "car"),
        input("e", "text: { raw: \"hello\" }", "car"),
        input("f", "text: { path: t.txt }", "car"),
        input("g", "text: { url: \"https://example.com/g.txt\" }", "car"),
        input("there", "image: { path: gone.jpg }", "car"),
    ];
    world.write(
        "m.yaml",
        &format!(
            "{}create_inputs: true\ninputs:\n{}",
            header(),
            inputs.concat()
        ),
    );
    let plan = world.plan_json();
    assert_eq!(plan["summary"]["posted_inputs"], 8);
    assert_eq!(
        plan["inputs"][0]["media"][0]["source"]["path"],
        "images/a.jpg"
    );
    insta::assert_snapshot!(world.plan(&[]).exits(0).stdout, @r"
    Inputs
      + a post image images/a.jpg (17 bytes)
      + b post image https://example.com/b.jpg
      + b2 post image https://example.com/b.jpg
      + c post video clip.mp4 (11 bytes)
      + d post video https://example.com/d.mp4
      + e post text (5 characters)
      + f post text t.txt (12 bytes)
      + g post text https://example.com/g.txt

    a
      + post k (not on the remote)
          {concepts: [car]}

    b
      + post k (not on the remote)
          {concepts: [car]}

    b2
      + post k (not on the remote)
          {concepts: [car]}

    c
      + post k (not on the remote)
          {concepts: [car]}

    d
      + post k (not on the remote)
          {concepts: [car]}

    e
      + post k (not on the remote)
          {concepts: [car]}

    f
      + post k (not on the remote)
          {concepts: [car]}

    g
      + post k (not on the remote)
          {concepts: [car]}

    there
      + post k (not on the remote)
          {concepts: [car]}

    Creates 1 concept; the service cannot delete concepts: car (9), nearest existing: none
    Classes: car 0 -> 9 (+9)

    Plan: 8 inputs to post, 9 to post. 2 calls (lower bound 2), about 0.1 s at 1,000 calls/s.
    ");
    let markdown = world.plan(&["--format", "markdown"]).exits(0).stdout;
    insta::assert_snapshot!(markdown.replace(&world.emulator.url(), "SERVER"), @r"
    <!-- annosync:plan street owner/app -->
    ## annosync plan: 8 inputs to post, 9 to post

    Label set `street` on `owner/app` at `SERVER`, policy `sync`. 2 calls (lower bound 2), about 0.1 s at 1,000 calls/s.

    | post | merge | overwrite | remove | replace | delete | unchanged | unmanaged | inputs posted | new concepts |
    | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | 9 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 8 | 1 |

    ### Inputs

    | input | change |
    | --- | --- |
    | `a` | post image `images/a.jpg` (17 bytes) |
    | `b` | post image `https://example.com/b.jpg` |
    | `b2` | post image `https://example.com/b.jpg` |
    | `c` | post video `clip.mp4` (11 bytes) |
    | `d` | post video `https://example.com/d.mp4` |
    | `e` | post text (5 characters) |
    | `f` | post text `t.txt` (12 bytes) |
    | `g` | post text `https://example.com/g.txt` |

    ### Creates 1 concept; the service cannot delete concepts

    | concept | annotations | nearest existing |
    | --- | ---: | --- |
    | `car` | 9 | none |

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `car` | 0 | 9 | +9 |

    ### Changes by input

    <details><summary><code>a</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>b</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>b2</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>c</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>d</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>e</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>f</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>g</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>

    <details><summary><code>there</code>: 1 to post</summary>

    ```diff
    + post k (not on the remote)
    +    {concepts: [car]}
    ```

    </details>
    ");
    let dry = world.apply(&["--dry-run"]).exits(0);
    assert!(dry.stdout.starts_with(r#"{"method":"POST","path":"/v2/users/owner/apps/app/inputs","body":{"inputs":[{"id":"a","data":{"image":{"base64":"the bytes of images/a.jpg"}}}"#), "{}", dry.stdout);
    world.emulator.forget_calls();
    let run = world.apply(&["--log", "log.jsonl"]).exits(0);
    assert_eq!(
        run.last_line(),
        "Applied 17 (8 inputs posted, 9 posted), 0 already up to date, 0 failed, 0 not attempted."
    );
    assert_eq!(there(&world).len(), 9);
    let log = world.read("log.jsonl");
    assert!(
        log.contains(r#"{"ended":"applied","input":0,"action":"post_input","input_id":"a"}"#),
        "{log}"
    );
    assert_eq!(calls(&world, Endpoint::PostInputs), 1);
    assert_eq!(world.annotations().len(), 9);
    world
        .run(&["show", "log.jsonl"])
        .exits(0)
        .says("applied: post of input a\n");
}

#[test]
fn a_flag_does_what_the_header_may_say() {
    let world = strict(&[]);
    world.declare(&many(2));
    world.apply(&[]).exits(1);
    world.apply(&["--create-inputs"]).exits(0);
    assert_eq!(there(&world), ["in-0", "in-1"]);
}

#[test]
fn an_input_that_says_nothing_to_post_and_a_file_that_is_not_there_are_errors() {
    let world = strict(&["street-1"]);
    world.declare(&format!(
        "{}{}",
        input("stret-1", "image: { width: 10, height: 10 }", "car"),
        input("b", "image: { path: images/b.jpg }", "car")
    ));
    world
        .plan(&["--create-inputs"])
        .exits(1)
        .says("m.yaml:11:9: the image of input `b`: `images/b.jpg` does not exist");
    world.write("images/b.jpg", "x");
    world
        .plan(&["--create-inputs"])
        .exits(1)
        .says("m.yaml:6:9: the app has no input `stret-1`, and the manifest does not say what to post; did you mean `street-1`?");
    world.write("outside.yaml", "");
    world.declare(&input("b", "image: { path: ../b.jpg }", "car"));
    world
        .plan(&["--create-inputs"])
        .exits(1)
        .says("leads out of the manifest's folder");
}

#[test]
fn posted_inputs_are_waited_for_and_annotated_then() {
    let world = strict_with(&[], 2);
    world.declare(&many(3));
    world.apply(&["--create-inputs"]).exits(0);
    assert!(calls(&world, Endpoint::ListInputs) >= 3);
    assert_eq!(world.annotations().len(), 3);
}

#[test]
fn an_input_that_is_not_processed_in_time_is_reported_and_waited_for_by_the_next_run() {
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
    schemas::OUTCOME.takes(&account);
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
fn every_fault_of_posting_ends_with_every_input_once() {
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
fn somebody_else_may_post_an_input_first() {
    let world = strict(&[]);
    world.declare(&many(2));
    world
        .plan(&["--create-inputs", "--out", "plan.json"])
        .exits(0);
    let other = json!({"id": "in-0"}).to_string();
    world
        .block_on(world.writer().post_inputs(&[&other]))
        .unwrap();
    let run = world
        .apply_path("plan.json", &["--undo-out", "undo.json"])
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
fn a_file_that_changed_since_the_plan_is_not_sent() {
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
    ];
    world.run(&arguments).exits(4).says(
        "is not the plan that m.yaml makes of the app as it is now: what is posted as input a;",
    );
    assert!(there(&world).is_empty());
    world.write("a.jpg", "one");
    world.run(&arguments).exits(0);
    is_whole(&world, 1);
}

#[test]
fn calls_that_post_files_stay_small_and_a_large_file_goes_alone() {
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

#[test]
fn an_undo_names_the_inputs_and_deletes_them_only_when_it_may() {
    let world = strict(&["old"]);
    world.declare(&format!(
        "{}  - id: old\n    annotations:\n      - key: k\n        concepts: [car]\n",
        many(3)
    ));
    world
        .apply(&["--create-inputs", "--undo-out", "undo.json"])
        .exits(0);
    let undo: Value = serde_json::from_str(&world.read("undo.json")).unwrap();
    schemas::PLAN.takes(&undo);
    assert_eq!(undo["deleted_inputs"], json!(["in-0", "in-1", "in-2"]));
    let undo = |arguments: &[&str]| -> Run {
        let apply = ["apply", "undo.json", "--auto-approve"];
        world.run(&[&apply[..], arguments].concat())
    };
    undo(&[])
        .exits(0)
        .says("3 posted inputs are kept: in-0, in-1, in-2. --allow-delete-inputs 3 deletes");
    assert_eq!(there(&world).len(), 4);
    assert!(world.annotations().is_empty());
    // Somebody labels one of them meanwhile.
    let late = json!({"id": "late", "input_id": "in-1", "data": {"concepts": [{"id": "tree"}]}});
    world
        .block_on(world.writer().post(&[&late.to_string()]))
        .unwrap();
    world
        .emulator
        .faults()
        .next(Endpoint::DeleteInputs, Fault::DropAfter);
    undo(&["--allow-delete-inputs", "3"]).exits(4).says(
        "Stale: input in-1: it has 1 annotation that the undo does not know. It was not deleted.",
    );
    assert_eq!(there(&world), ["in-1", "old"]);
    assert!(world.annotation("late").is_some());
}

#[test]
fn new_concepts_are_listed_with_the_nearest_and_guarded_where_that_is_asked() {
    let world = World::new();
    world.declare(&boxes(0..1, "traffic-light"));
    world.apply(&[]).exits(0);
    let long = "x".repeat(40);
    world.declare(&format!(
        "{}{}{}",
        boxes(0..1, "traffic-light"),
        boxes(1..3, "trafic-light"),
        boxes(3..4, &format!("water, zebra crossing, {long}"))
    ));
    insta::assert_snapshot!(world.plan(&[]).exits(0).stdout, @r"
    in-001
      + post k (not on the remote)
          {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [trafic-light]}

    in-002
      + post k (not on the remote)
          {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [trafic-light]}

    in-003
      + post k (not on the remote)
          {box: {top: 0.1, left: 0.2, bottom: 0.5, right: 0.6}, concepts: [water, xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, zebra crossing]}

    Creates 4 concepts; the service cannot delete concepts:
      trafic-light                             (2), nearest existing: traffic-light
      water                                    (1), nearest existing: none
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (1), nearest existing: none
      zebra crossing                           (1), nearest existing: none

    Classes:
      trafic-light                             0 -> 2 (+2)
      water                                    0 -> 1 (+1)
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 0 -> 1 (+1)
      zebra crossing                           0 -> 1 (+1)

    Warning: 2 new concepts with unusual ids (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, zebra crossing): some clients of the service accept only letters, digits, - and _, up to 32 characters.

    Plan: 3 to post; 1 unchanged. 1 call (lower bound 1), about 0.1 s at 1,000 calls/s.
    ");
    let plan = world.plan_json();
    assert_eq!(
        plan["summary"]["new_concepts"][0],
        json!({"concept": "trafic-light", "annotations": 2, "nearest": "traffic-light"})
    );
    let guarded = world
        .read("m.yaml")
        .replace("guards: {", "guards: { max_new_concepts: 1,");
    world.write("m.yaml", &guarded);
    world
        .apply(&[])
        .exits(3)
        .says("the guard max_new_concepts allows 1.")
        .says("--allow-new-concepts 4");
    world.apply(&["--allow-new-concepts", "4"]).exits(0);
}

#[test]
fn the_app_s_vocabulary_takes_no_new_concept() {
    let world = World::new();
    world.declare(&boxes(0..1, "car"));
    world.apply(&[]).exits(0);
    let labels = format!("{}{}", boxes(0..1, "car"), boxes(1..3, "cra"));
    world.write(
        "m.yaml",
        &format!("{}vocabulary: app\ninputs:\n{labels}", header()),
    );
    world.plan(&[]).exits(1).says(
        "m.yaml:14:9: the app has no concept `cra`; did you mean `car`? (2 annotations name it)",
    );
    world.write("m.yaml", &world.read("m.yaml").replace("cra", "car"));
    world.apply(&[]).exits(0);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("state/listing.json", &listing.stdout);
    world.write(
        "m.yaml",
        &world
            .read("m.yaml")
            .replace("in-002", "in-200")
            .replace("[car]", "[tree]"),
    );
    let run = world
        .run(&["plan", "m.yaml", "--observed", "state/listing.json"])
        .exits(0);
    assert!(
        run.stdout.contains(
            "whether the app has 1 declared input that the listing does not show: in-200"
        ),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("(vocabulary: app): tree"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_embedded_store_makes_inputs_by_itself_unless_they_are_posted() {
    let world = World::new();
    world.declare(&many(2));
    let embedded = ["--embedded", "store.db"];
    let run = |arguments: &[&str]| world.run(&[arguments, &embedded].concat());
    run(&["apply", "m.yaml", "--auto-approve"]).exits(0);
    run(&["plan", "m.yaml", "--create-inputs"])
        .exits(0)
        .says("No changes.");
    world.declare(&many(3));
    let run = run(&["apply", "m.yaml", "--auto-approve", "--create-inputs"]).exits(0);
    assert_eq!(
        run.last_line(),
        "Applied 2 (1 input posted, 1 posted), 0 already up to date, 0 failed, 0 not attempted."
    );
}
