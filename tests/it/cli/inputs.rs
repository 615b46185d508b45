//! Inputs and concepts that the app lacks: found by plan, posted by apply, deleted by an undo if allowed.

mod concepts;
mod posting;

use super::boundaries::killed_with;
use super::proxy::When;
use super::{Run, World, boxes, header};
use crate::schemas;
use crate::support::{bare_inputs, named_body};
use annosync::emulator::{Config, Endpoint, Fault};
use annosync::wire::Code;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// An app with these inputs, which accepts annotations only on existing, processed inputs.
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
        let bodies = bare_inputs(inputs);
        world.block_on(world.writer().post_inputs(&bodies)).unwrap();
    }
    world.emulator.forget_calls();
    world
}

/// An input with a medium.
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

/// Checks that every input was posted once and every label exists once.
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
fn no_extra_calls_are_made_if_the_listing_has_all_inputs_and_concepts() {
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
    reason = "the snapshots contain the whole output"
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
    insta::assert_snapshot!(world.plan(&[]).exits(0).stdout.replace(&world.emulator.url(), "SERVER"), @r"
    Label set street on owner/app at SERVER, policy sync: 8 inputs to post, 9 to post.

    Creates 1 concept; the service cannot delete concepts: car (9), nearest existing: none
    Classes: car 0 -> 9 (+9)

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
      + post whole input [car] k

    b
      + post whole input [car] k

    b2
      + post whole input [car] k

    c
      + post whole input [car] k

    d
      + post whole input [car] k

    e
      + post whole input [car] k

    f
      + post whole input [car] k

    g
      + post whole input [car] k

    there
      + post whole input [car] k

    Plan: 8 inputs to post, 9 to post. 2 calls (lower bound 2), about 0.1 s at 1,000 calls/s.
    ");
    let markdown = world.plan(&["--format", "markdown"]).exits(0).stdout;
    insta::assert_snapshot!(markdown.replace(&world.emulator.url(), "SERVER"), @r"
    <!-- annosync:plan street owner/app -->
    ## annosync plan: 8 inputs to post, 9 to post

    Label set `street` on `owner/app` at `SERVER`, policy `sync`. 2 calls (lower bound 2), about 0.1 s at 1,000 calls/s.

    | post | inputs posted | new concepts |
    | ---: | ---: | ---: |
    | 9 | 8 | 1 |

    ### Creates 1 concept; the service cannot delete concepts

    | concept | annotations | nearest existing |
    | --- | ---: | --- |
    | `car` | 9 | none |

    ### Classes

    | class | before | after | change |
    | --- | ---: | ---: | ---: |
    | `car` | 0 | 9 | +9 |

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

    ### Changes by input

    <details open><summary><code>a</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>b</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>b2</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>c</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>d</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>e</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>f</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>g</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
    ```

    </details>

    <details open><summary><code>there</code>: 1 to post</summary>

    ```diff
    + post whole input [car] k
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
fn the_flag_create_inputs_equals_the_key_of_the_header() {
    let world = strict(&[]);
    world.declare(&many(2));
    world.apply(&[]).exits(1);
    world.apply(&["--create-inputs"]).exits(0);
    assert_eq!(there(&world), ["in-0", "in-1"]);
}

#[test]
fn inputs_without_media_and_missing_files_are_errors() {
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
fn an_undo_lists_posted_inputs_and_deletes_them_only_if_allowed() {
    let world = strict(&["old"]);
    world.declare(&format!(
        "{}  - id: old\n    annotations:\n      - key: k\n        concepts: [car]\n",
        many(3)
    ));
    world
        .apply(&["--create-inputs", "--undo-out", "undo.json"])
        .exits(0);
    let undo: Value = serde_json::from_str(&world.read("undo.json")).unwrap();
    schemas::PLAN.accepts(&undo);
    assert_eq!(undo["deleted_inputs"], json!(["in-0", "in-1", "in-2"]));
    let undo = |arguments: &[&str]| -> Run {
        let apply = ["apply", "undo.json", "--auto-approve"];
        world.run(&[&apply[..], arguments].concat())
    };
    undo(&[])
        .exits(0)
        .says("3 posted inputs kept: in-0, in-1, in-2. --allow-delete-inputs 3 deletes");
    assert_eq!(there(&world).len(), 4);
    assert!(world.annotations().is_empty());
    // Another user labels one of them meanwhile.
    let late = json!({"id": "late", "input_id": "in-1", "data": {"concepts": [{"id": "tree"}]}});
    world
        .block_on(world.writer().post(&[named_body(&late)]))
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
fn an_embedded_store_creates_unknown_inputs() {
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
