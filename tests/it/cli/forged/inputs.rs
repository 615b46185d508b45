//! Inputs that a changed plan file posts, and that a changed undo file deletes.

use super::{Run, World, apply, read};
use crate::cli::header;
use crate::support::{bare_inputs, named_body};
use annosync::api::PatchAction;
use annosync::emulator::{Config, Endpoint};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn input(id: &str, medium: &str) -> String {
    format!(
        "  - id: {id}\n    {medium}\n    annotations:\n      - key: k\n        concepts: [car]\n"
    )
}

/// An app with two inputs of its own, and the plan of a manifest that posts four more.
fn scene() -> World {
    let world = World::with(Config {
        require_inputs: true,
        ..Config::default()
    });
    post(&world, &["empty", "there"]);
    world.write("images/a.jpg", "a picture");
    world.write("secret.txt", "a secret");
    world.declare(
        &[
            input("a", "image: { path: images/a.jpg }"),
            input("b", "image: { url: \"https://example.com/b.jpg\" }"),
            input("c", "text: { raw: hello }"),
            input("d", "video: { url: \"https://example.com/d.mp4\" }"),
            input("there", "image: { url: \"https://example.com/there.jpg\" }"),
        ]
        .concat(),
    );
    world
        .plan(&["--create-inputs", "--out", "plan.json"])
        .exits(0);
    world.emulator.forget_calls();
    world
}

fn post(world: &World, ids: &[&str]) {
    let bodies = bare_inputs(ids);
    world.block_on(world.writer().post_inputs(&bodies)).unwrap();
}

fn there(world: &World) -> Vec<String> {
    let reader = world.writer().reader();
    let all = world.block_on(reader.all_inputs()).unwrap();
    all.into_iter().collect()
}

/// What is posted as this input.
fn source<'v>(plan: &'v mut Value, id: &str) -> &'v mut Value {
    let inputs = plan["inputs"].as_array_mut().unwrap();
    let input = inputs.iter_mut().find(|it| it["input_id"] == *id).unwrap();
    &mut input["media"][0]["source"]
}

/// The plan without the inputs `gone`, and with `more`, in order, and with the calls and counts of that.
fn with_inputs(plan: &Value, gone: &[&str], more: Vec<Value>) -> Value {
    let mut plan = plan.clone();
    let inputs = plan["inputs"].as_array_mut().unwrap();
    inputs.retain(|it| !gone.contains(&it["input_id"].as_str().unwrap()));
    inputs.extend(more);
    inputs.sort_by_key(|it| it["input_id"].as_str().unwrap().to_owned());
    let all: Vec<usize> = (0..inputs.len()).collect();
    plan["summary"]["posted_inputs"] = json!(all.len());
    plan["batches"][0]["operations"] = json!(all);
    plan
}

/// An operation without effect: a delete of a missing annotation.
fn gone(input: &str) -> Value {
    let annotation = json!({"id": "x", "input_id": input, "user_id": "owner", "data": {"concepts": [{"id": "car", "value": 1}]}});
    let world = World::new();
    world.seed(vec![annotation]);
    world.write(
        "m.yaml",
        &format!(
            "{}inputs:\n  - id: {input}\n    annotations: []\n",
            header()
        ),
    );
    world.plan(&["--allow-deletes", "1", "--out", "x.json"]);
    let operation = read(&world, "x.json")["operations"][0].clone();
    assert_eq!(operation["action"], "delete");
    operation
}

/// Checks that the file is refused before anything is sent.
fn is_refused(world: &World, what: &str, file: &Value, flags: &[&str], says: &str) {
    world.write("forged.json", &file.to_string());
    world.emulator.forget_calls();
    let before = there(world);
    let run: Run = apply(world, "forged.json", flags);
    let told = format!(
        "{what}: exit code {}\n{}\n{}",
        run.code, run.stdout, run.stderr
    );
    assert!(matches!(run.code, 1 | 3 | 4 | 64), "{told}");
    assert!(run.stderr.contains(says), "{told}");
    assert_eq!((world.writes(), there(world)), (vec![], before), "{told}");
}

const MANIFEST: &[&str] = &["--manifest", "m.yaml", "--create-inputs"];

#[test]
fn a_plan_file_posts_only_what_its_manifest_says() {
    let world = scene();
    let plan = read(&world, "plan.json");
    let outside = world.path().join("../outside.txt");
    let file = |path: &str, bytes: &[u8]| json!({"path": path, "sha256": sha256(bytes), "bytes": bytes.len()});
    let changed = |id: &str, to: Value| {
        let mut plan = plan.clone();
        *source(&mut plan, id) = to;
        plan
    };
    for (what, id, to) in [
        (
            "another URL",
            "b",
            json!({"url": "https://example.com/other.jpg"}),
        ),
        (
            "an internal address",
            "b",
            json!({"url": "http://169.254.169.254/latest/meta-data"}),
        ),
        ("another text", "c", json!({"raw": "forged"})),
        (
            "a file that the manifest does not name",
            "a",
            file("secret.txt", b"a secret"),
        ),
        ("a file for a URL", "b", file("secret.txt", b"a secret")),
        ("a file for a text", "c", file("secret.txt", b"a secret")),
        (
            "a URL for a file",
            "a",
            json!({"url": "https://example.com/a.jpg"}),
        ),
        ("a file outside", "a", file("../outside.txt", b"outside")),
        (
            "a file by its whole path",
            "a",
            file(outside.to_str().unwrap(), b"outside"),
        ),
        (
            "the manifest itself",
            "a",
            file("m.yaml", world.read("m.yaml").as_bytes()),
        ),
    ] {
        let says = format!("the post of input {id}");
        is_refused(&world, what, &changed(id, to), MANIFEST, &says);
    }
    let posted = |id: &str| {
        json!({"input_id": id, "media": [
            {"kind": "image", "source": {"url": "https://example.com/x.jpg"}},
        ]})
    };
    // Its operation has nothing to do, but its input is posted.
    let mut more = with_inputs(&plan, &[], vec![posted("evil")]);
    more["operations"]
        .as_array_mut()
        .unwrap()
        .push(gone("evil"));
    more["operations"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(|it| it["input_id"].as_str().unwrap().to_owned());
    recounted(&mut more);
    is_refused(
        &world,
        "an additional input",
        &more,
        MANIFEST,
        "the post of input evil",
    );
    let of_there = with_inputs(&plan, &[], vec![posted("there")]);
    is_refused(
        &world,
        "an input that exists",
        &of_there,
        MANIFEST,
        "the post of input there",
    );
    let waited = with_inputs(&plan, &["b"], vec![]);
    is_refused(
        &world,
        "a missing input",
        &waited,
        MANIFEST,
        "the post of input b",
    );
    // The manifest or a flag must allow what the file says.
    is_refused(
        &world,
        "inputs that were not allowed",
        &plan,
        &["--manifest", "m.yaml"],
        "--create-inputs",
    );
    apply(&world, "plan.json", MANIFEST).exits(0);
    world.is_settled();
}

/// The counts and calls of a plan to which a delete of a car was added.
fn recounted(plan: &mut Value) {
    let operations = plan["operations"].as_array().unwrap().clone();
    let of = |action: &str| -> Vec<usize> {
        let all = operations.iter().enumerate();
        all.filter(|(_, it)| it["action"] == action)
            .map(|(at, _)| at)
            .collect()
    };
    let (posts, deletes) = (of("post"), of("delete"));
    plan["summary"]["delete"] = json!(deletes.len());
    plan["summary"]["existing"] = json!(deletes.len());
    let cars = &mut plan["summary"]["classes"][0];
    let after = posts.len() - deletes.len();
    (cars["before"], cars["after"]) = (json!(1), json!(1 + after));
    plan["summary"]["needs"] = json!([{"user": "owner", "changes": 1, "posts": 0}]);
    let batches = plan["batches"].as_array_mut().unwrap();
    batches[1]["operations"] = json!(posts);
    batches.push(json!({"call": "delete", "operations": deletes}));
    let calls = json!(batches.len());
    plan["summary"]["calls"] = calls.clone();
    plan["summary"]["lower_bound"] = calls;
}

#[test]
fn a_plan_file_without_its_manifest_posts_no_files_and_no_undeclarable_media() {
    let world = scene();
    let plan = with_inputs(&read(&world, "plan.json"), &["a"], vec![]);
    let changed = |id: &str, to: Value| {
        let mut plan = plan.clone();
        *source(&mut plan, id) = to;
        plan
    };
    let file = json!({"path": "secret.txt", "sha256": sha256(b"a secret"), "bytes": 8});
    is_refused(
        &world,
        "a file",
        &changed("b", file),
        &[],
        "--manifest PATH",
    );
    for (what, id, to) in [
        ("a file's URL", "b", json!({"url": "file:///etc/passwd"})),
        ("a path for a URL", "b", json!({"url": "/etc/passwd"})),
        (
            "a URL of another kind",
            "d",
            json!({"url": "ftp://example.com/d.mp4"}),
        ),
        (
            "data in a URL",
            "b",
            json!({"url": "data:image/png;base64,AAAA"}),
        ),
        ("a text as an image", "b", json!({"raw": "hello"})),
    ] {
        for flags in [&[][..], MANIFEST] {
            let says = "has media that a manifest cannot declare";
            is_refused(&world, what, &changed(id, to.clone()), flags, says);
        }
    }
    let mut twice = plan.clone();
    let media = twice["inputs"][0]["media"].as_array_mut().unwrap();
    media.push(json!({"kind": "image", "source": {"url": "https://example.com/hidden.jpg"}}));
    is_refused(
        &world,
        "two images",
        &twice,
        &[],
        "has media that a manifest cannot declare",
    );
}

/// An app, and the undo of an apply that posted its inputs `b` and `c`.
fn undoable() -> World {
    let world = scene();
    world.declare(
        &[
            input("b", "image: { url: \"https://example.com/b.jpg\" }"),
            input("c", "text: { raw: hello }"),
        ]
        .concat(),
    );
    world
        .apply(&["--create-inputs", "--undo-out", "undo.json"])
        .exits(0);
    world.emulator.forget_calls();
    world
}

/// The undo, which deletes these inputs.
fn deleting(undo: &Value, inputs: &[&str]) -> Value {
    let mut undo = undo.clone();
    undo["deleted_inputs"] = json!(inputs);
    undo["summary"]["deleted_inputs"] = json!(inputs.len());
    let batches = undo["batches"].as_array_mut().unwrap();
    let last = batches.last_mut().unwrap();
    assert_eq!(last["call"], "delete_inputs");
    last["operations"] = json!((0..inputs.len()).collect::<Vec<_>>());
    undo
}

#[test]
fn an_undo_file_posts_no_input_and_deletes_at_most_the_number_given_by_flag() {
    let world = undoable();
    let undo = read(&world, "undo.json");
    assert_eq!(undo["deleted_inputs"], json!(["b", "c"]));
    let mut posting = undo.clone();
    posting["inputs"] = read(&scene(), "plan.json")["inputs"].clone();
    is_refused(&world, "a post", &posting, &[], "the plan was altered");
    for (what, forged) in [
        ("an additional input", deleting(&undo, &["b", "c", "empty"])),
        ("all inputs", deleting(&undo, &["b", "c", "empty", "there"])),
    ] {
        let flags = ["--allow-delete-inputs", "2"];
        is_refused(
            &world,
            what,
            &forged,
            &flags,
            "--allow-delete-inputs allows 2",
        );
    }
    for (what, change) in [
        ("counted less", json!({"summary": {"deleted_inputs": 1}})),
        ("not counted", json!({"summary": {"deleted_inputs": 0}})),
    ] {
        let mut forged = deleting(&undo, &["b", "c", "empty"]);
        forged["summary"]["deleted_inputs"] = change["summary"]["deleted_inputs"].clone();
        let flags = ["--allow-delete-inputs", "9"];
        is_refused(&world, what, &forged, &flags, "the plan was altered");
    }
    // A plan file deletes none.
    let mut plan = read(&world, "plan.json");
    plan["deleted_inputs"] = json!(["empty"]);
    is_refused(
        &world,
        "a plan",
        &plan,
        &["--allow-delete-inputs", "9"],
        "the plan was altered",
    );
    // Without the flag no input is deleted.
    world.write(
        "forged.json",
        &deleting(&undo, &["b", "c", "empty"]).to_string(),
    );
    apply(&world, "forged.json", &[])
        .exits(0)
        .says("3 posted inputs kept: b, c, empty");
    assert_eq!(there(&world), ["b", "c", "empty", "there"]);
    let calls = world.emulator.calls();
    assert!(calls.iter().all(|it| it.endpoint != Endpoint::DeleteInputs));
}

#[test]
fn an_input_with_annotations_of_others_is_not_deleted() {
    let world = undoable();
    let undo = read(&world, "undo.json");
    let of_input = |row: &&Value| row["input_id"] == "empty" && row["input_level"] == true;
    let all = super::rows(&world);
    let level = all.values().find(of_input).expect("an input comes with it");
    let patch = json!({
        "id": level["id"], "input_id": "empty", "data": {"metadata": {"weather": "rain"}},
    });
    let writer = world.writer();
    world
        .block_on(writer.patch(PatchAction::Merge, &[named_body(&patch)]))
        .unwrap();
    world.seed(vec![json!({
        "id": "hers", "input_id": "there", "user_id": "bea", "data": {"concepts": [{"id": "tree", "value": 1}]},
    })]);
    world.write(
        "forged.json",
        &deleting(&undo, &["b", "c", "empty", "there"]).to_string(),
    );
    apply(&world, "forged.json", &["--allow-delete-inputs", "4"])
        .exits(4)
        .says("input empty: it has 1 annotation that the undo does not know")
        .says("input there: it has 1 annotation that the undo does not know");
    assert_eq!(there(&world), ["empty", "there"]);
    assert!(world.annotation("hers").is_some());
}
