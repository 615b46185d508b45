//! Several tokens, and several sets, on one app.

use super::{Run, World, git, header, settled};
use crate::schemas;
use crate::support::{boxed, whole, with};
use annosync::emulator::{Collaborator, Config};
use serde_json::{Value, json};

const TEAM: [&str; 3] = ["owner", "bea", "carl"];
const INPUTS: &str = "  - id: in-1\n    annotations:\n      \
    - { box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }, concepts: [car] }\n      \
    - { box: { top: 0.5, left: 0.5, bottom: 0.8, right: 0.8 }, concepts: [tree] }\n      \
    - { key: k, concepts: [night] }\n";

fn team() -> World {
    let collaborator = |user: &str| Collaborator {
        user: user.to_owned(),
        key: format!("{user}-key"),
    };
    World::with(Config {
        collaborators: TEAM[1..].iter().map(|user| collaborator(user)).collect(),
        ..Config::default()
    })
}

/// Runs the binary on the app with the token of a user.
fn run_as(world: &World, user: &str, arguments: &[&str]) -> Run {
    let mut command = world.command();
    command
        .env("CLARIFAI_PAT", format!("{user}-key"))
        .args(arguments)
        .args(["--endpoint", &world.emulator.url()])
        .args([
            "--user-id",
            "owner",
            "--app-id",
            "app",
            "--rate-limit",
            "1000",
        ]);
    Run::of(command)
}

fn apply_as(world: &World, user: &str, arguments: &[&str]) -> Run {
    run_as(
        world,
        user,
        &[&["apply", "m.yaml", "--auto-approve"], arguments].concat(),
    )
}

/// Checks that the plan is empty with every token.
#[track_caller]
fn settled_for_all(world: &World) {
    for user in TEAM {
        settled(&run_as(
            world,
            user,
            &["plan", "m.yaml", "--detailed-exitcode"],
        ));
    }
}

/// The plan of each token, in a format: the same for all.
#[track_caller]
fn plan_of_all(world: &World, format: &str) -> String {
    let plans = TEAM.map(|user| run_as(world, user, &["plan", "m.yaml", "--format", format]));
    assert_eq!(plans[0].stdout, plans[1].stdout);
    assert_eq!(plans[0].stdout, plans[2].stdout);
    plans.into_iter().next().unwrap().stdout
}

fn json_plan(world: &World) -> Value {
    let plan = serde_json::from_str(&plan_of_all(world, "json")).unwrap();
    schemas::PLAN.accepts(&plan);
    plan
}

fn of(user: &str, annotation: Value) -> Value {
    with(annotation, "user_id", json!(user))
}

#[test]
fn a_plan_is_empty_with_any_token_after_an_apply() {
    for first in TEAM {
        let world = team();
        world.declare(INPUTS);
        apply_as(&world, first, &[]).exits(0);
        settled_for_all(&world);
        for user in TEAM {
            apply_as(&world, user, &[]).exits(0);
        }
        assert_eq!(world.annotations().len(), 3, "{first}");
    }
}

#[test]
fn a_sets_own_annotations_are_changed_and_deleted_whoever_made_them() {
    let world = team();
    world.declare(INPUTS);
    apply_as(&world, "bea", &[]).exits(0);
    // One is moved, one is relabelled, one is removed from the manifest.
    world.declare(
        "  - id: in-1\n    annotations:\n      \
         - { box: { top: 0.1, left: 0.1, bottom: 0.3, right: 0.28 }, concepts: [car] }\n      \
         - { key: k, concepts: [day] }\n",
    );
    let plan = json_plan(&world);
    assert_eq!(plan["owners"], json!(["owner"]));
    assert!(plan.get("caller").is_none());
    assert_eq!(
        plan["summary"]["needs"],
        json!([{"user": "bea", "changes": 3, "posts": 0}])
    );
    let text = plan_of_all(&world, "text");
    assert!(
        text.contains("Note: needs bea or the app's owner: 3 changes to annotations of bea."),
        "{text}"
    );
    assert!(plan_of_all(&world, "markdown").contains("needs `bea` or the app's owner"));
    apply_as(&world, "carl", &[]).exits(1).says(
        "error: the token belongs to carl, and the plan needs bea or the app's owner: 3 changes to annotations of bea; nothing \
         was sent",
    );
    assert_eq!(world.annotations().len(), 3);
    apply_as(&world, "owner", &[]).exits(0);
    settled_for_all(&world);
    assert_eq!(world.annotations().len(), 2);
}

#[test]
fn an_interrupted_replacement_is_finished_with_another_token() {
    let world = team();
    world.declare(
        "  - id: in-1\n    annotations:\n      - { key: k, concepts: [car], user: bea }\n",
    );
    apply_as(&world, "bea", &[]).exits(0);
    world.declare(
        "  - id: in-1\n    annotations:\n      - { key: k, concepts: [car], user: carl }\n",
    );
    json_plan(&world);
    apply_as(&world, "bea", &[])
        .exits(1)
        .says("needs the app's owner: 1 post on behalf of carl");
    apply_as(&world, "owner", &[]).exits(0);
    settled_for_all(&world);
}

#[test]
fn me_is_resolved_once_and_kept_in_the_plan() {
    let world = team();
    world.seed(vec![
        of("bea", whole("in-1", "hers", &[("car", 1.0)])),
        of("carl", whole("in-1", "his", &[("bus", 1.0)])),
    ]);
    world.write(
        "m.yaml",
        &format!(
            "{}owners: [me]\ninputs:\n  - id: in-1\n    annotations: []\n",
            header()
        ),
    );
    let run = run_as(&world, "bea", &["plan", "m.yaml", "--out", "plan.json"]);
    run.exits(0).says("Note: owners: bea.");
    let plan: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(plan["owners"], json!(["bea"]));
    // With any token, her annotation is deleted.
    let apply = ["apply", "plan.json", "--auto-approve"];
    let as_owner = |arguments: &[&str]| {
        let mut command = world.command();
        command
            .env("CLARIFAI_PAT", "owner-key")
            .env("CLARIFAI_API_BASE", world.emulator.url())
            .args([&apply, arguments].concat());
        Run::of(command)
    };
    as_owner(&[]).exits(1).says("--allow-user bea");
    assert_eq!(world.annotations().len(), 2);
    as_owner(&["--allow-user", "bea", "--allow-vanished", "1"]).exits(0);
    assert_eq!(world.annotations().len(), 1);
    assert!(world.annotation("his").is_some());
}

#[test]
fn a_target_with_user_me_is_saved_with_the_users_id() {
    let world = team();
    world.declare(INPUTS);
    let mut plan = world.command();
    plan.args([
        "plan",
        "m.yaml",
        "--out",
        "plan.json",
        "--user-id",
        "me",
        "--app-id",
        "app",
    ])
    .args(["--endpoint", &world.emulator.url()]);
    Run::of(plan).exits(0);
    let plan: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(plan["target"]["user_id"], "owner");
}

#[test]
fn a_post_that_equals_an_annotation_of_another_user_stops_the_plan() {
    let world = team();
    let car = |id: &str| boxed("in-1", id, [0.1, 0.1, 0.3, 0.3], &["car"]);
    world.seed(vec![
        of("bea", car("hers")),
        // Nearly the same place.
        of(
            "carl",
            boxed("in-1", "near", [0.5, 0.5, 0.8, 0.79], &["tree"]),
        ),
        // By a model, or not equal.
        with(car("detected"), "model_version_id", json!("v")),
        of(
            "carl",
            boxed("in-1", "other", [0.1, 0.1, 0.3, 0.3], &["bus"]),
        ),
    ]);
    world.declare(INPUTS);
    let plan = run_as(&world, "owner", &["plan", "m.yaml", "--format", "json"]).exits(3);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    schemas::PLAN.accepts(&plan);
    assert_eq!(
        plan["guards"],
        json!([{"guard": "doubles", "count": 1, "limit": 0,
            "of": [{"user": "bea", "equal": 1, "near": 0}]}])
    );
    assert_eq!(
        plan["summary"]["doubles"],
        json!([{"user": "bea", "equal": 1, "near": 0}, {"user": "carl", "equal": 0, "near": 1}])
    );
    let text = plan_of_all(&world, "text");
    for line in [
        "equals hers of bea",
        "is close to near of carl",
        "Warning: 1 post is close to annotations with the same concepts (IoU 0.9 or more) of carl (1).",
        "Stopped: 1 post would duplicate annotations of bea (1); the guard max_doubles allows 0. To manage the existing ones \
         instead, add their user to `owners`",
        "To let exactly this plan pass: --allow-doubles 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        plan_of_all(&world, "markdown").contains("1 post would duplicate annotations of `bea` (1)")
    );
    let run = apply_as(&world, "owner", &[]).exits(3);
    assert!(
        run.stderr.contains("with --allow-doubles 1"),
        "{}",
        run.stderr
    );
    assert_eq!(world.writes(), []);
    // A plan file stays stopped until a flag with the number lets it pass.
    run_as(&world, "bea", &["plan", "m.yaml", "--out", "plan.json"]).exits(3);
    world
        .run(&["apply", "plan.json", "--auto-approve"])
        .exits(3);
    assert_eq!(world.writes(), []);

    // First solution: with her in `owners`, the declaration matches her annotation.
    world.write(
        "m.yaml",
        &format!("{}owners: [owner, bea]\ninputs:\n{INPUTS}", header()),
    );
    apply_as(&world, "owner", &[]).exits(0);
    settled_for_all(&world);
    let cars = || {
        let all = world.annotations();
        all.iter()
            .filter(|it| it.to_string().contains("\"car\""))
            .count()
    };
    assert_eq!(cars(), 2, "hers and the model's");
    // The other solution.
    world.declare(INPUTS);
    apply_as(&world, "owner", &["--allow-doubles", "0"]).exits(3);
    apply_as(&world, "owner", &["--allow-doubles", "1"]).exits(0);
    settled_for_all(&world);
    assert_eq!(cars(), 3);
    // A limit of the header does the same.
    world.delete("in-1", &made_of(&world, "car"));
    let guards = header().replace("guards: {", "guards: { max_doubles: 1,");
    world.write("m.yaml", &format!("{guards}inputs:\n{INPUTS}"));
    apply_as(&world, "owner", &[]).exits(0);
    settled_for_all(&world);
}

/// The id of the annotation of a concept that a set made.
fn made_of(world: &World, concept: &str) -> String {
    let all = world.annotations();
    let is = |it: &&Value| {
        it["id"].as_str().unwrap().starts_with("as-")
            && it.to_string().contains(&format!("\"{concept}\""))
    };
    all.iter().find(is).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_renamed_set_adopts_its_annotations() {
    let world = team();
    let named = |set: &str, more: &str, inputs: &str| {
        let header = header().replace("street", set);
        world.write("m.yaml", &format!("{header}{more}inputs:\n{inputs}"));
    };
    named("old", "", INPUTS);
    apply_as(&world, "bea", &[]).exits(0);
    let before = world.annotations();
    named("new", "", INPUTS);
    let text = plan_of_all(&world, "text");
    assert!(
        text.contains("3 posts would duplicate annotations of another set, as-"),
        "{text}"
    );
    for user in TEAM {
        apply_as(&world, user, &[]).exits(3).says("--adopt-set");
    }
    // With the flag the plan is empty, and lists what it adopts.
    let run = run_as(
        &world,
        "owner",
        &[
            "plan",
            "m.yaml",
            "--adopt-set",
            "old",
            "--detailed-exitcode",
            "--out",
            "plan.json",
        ],
    );
    settled(&run);
    assert!(run.stderr.contains("adopts: [old]"), "{}", run.stderr);
    let plan: Value = serde_json::from_str(&world.read("plan.json")).unwrap();
    assert_eq!(plan["adopts"], json!(["old"]));
    apply_as(&world, "owner", &["--adopt-set", "old"]).exits(0);
    assert_eq!(world.annotations(), before);
    // Without it the plan is stopped as before; the header makes it permanent.
    apply_as(&world, "owner", &[]).exits(3);
    named("new", "adopts: [old]\n", INPUTS);
    settled_for_all(&world);
    // Annotations made under the old name are changed and deleted, matched by key and by content.
    let changed = INPUTS
        .replace("[night]", "[day]")
        .replacen("right: 0.3 }", "right: 0.29 }", 1);
    let kept: Vec<&str> = (changed.lines())
        .filter(|line| !line.contains("[tree]"))
        .collect();
    let dropped = kept.join("\n") + "\n";
    named("new", "adopts: [old]\n", &dropped);
    let plan = json_plan(&world);
    assert_eq!(plan["summary"]["post"], 0, "{plan:#}");
    apply_as(&world, "owner", &[]).exits(0);
    settled_for_all(&world);
    let ids = |all: &[Value]| -> Vec<String> {
        all.iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let after = ids(&world.annotations());
    assert_eq!(after.len(), 2);
    assert!(
        after.iter().all(|id| ids(&before).contains(id)),
        "kept under their ids"
    );
}

#[test]
fn a_set_can_be_adopted_by_its_id_prefix() {
    let world = team();
    world.declare(INPUTS);
    apply_as(&world, "owner", &[]).exits(0);
    let prefix = world.annotations()[0]["id"].as_str().unwrap()[..11].to_owned();
    let header = header().replace("street", "new");
    world.write(
        "m.yaml",
        &format!("{header}adopts: [{prefix}]\ninputs:\n{INPUTS}"),
    );
    settled_for_all(&world);
}

#[test]
fn a_pull_for_another_set_lists_the_sets_of_the_app() {
    let world = team();
    let manifest = |set: &str| format!("{}inputs:\n{INPUTS}", header().replace("street", set));
    world.write("m.yaml", &manifest("a-set-that-is-hard-to-guess"));
    apply_as(&world, "bea", &[]).exits(0);
    let prefix = world.annotations()[0]["id"].as_str().unwrap()[..11].to_owned();
    let said = format!(
        "the app has no annotations for set app, only those of other sets: {prefix} (unknown name): 3 annotations; nothing was written"
    );
    run_as(&world, "carl", &["pull", "clone"])
        .exits(1)
        .says(&said)
        .says("--set");
    assert!(!world.path().join("clone").exists());
    // Its name adopts them for this pull; so does the prefix of its ids.
    run_as(
        &world,
        "carl",
        &["pull", "clone", "--set", "a-set-that-is-hard-to-guess"],
    )
    .exits(0);
    run_as(
        &world,
        "carl",
        &["pull", "other", "--set", "mine", "--adopt-set", &prefix],
    )
    .exits(0);
    for folder in ["clone", "other"] {
        for user in TEAM {
            settled(&run_as(
                &world,
                user,
                &["plan", folder, "--detailed-exitcode"],
            ));
        }
    }
    // Into a manifest with another set name: nothing is removed from it.
    world.write("m.yaml", &manifest("street"));
    run_as(&world, "carl", &["pull", "m.yaml"])
        .exits(1)
        .says("`adopts`");
    assert_eq!(world.read("m.yaml"), manifest("street"));
    // If there are other annotations, those are pulled, and the sets are listed.
    world.seed(vec![whole("in-2", "owners", &[("car", 1.0)])]);
    run_as(&world, "carl", &["pull", "third"])
        .exits(0)
        .says(&format!(
            "note: annotations of other sets are not pulled: {prefix} (unknown name): 3 annotations"
        ));
}

#[test]
fn an_earlier_set_name_is_found_in_git() {
    if !super::is_there("git") {
        return;
    }
    let world = team();
    let git = |arguments: &[&str]| git(world.path(), arguments);
    let named = |set: &str| {
        let header = header().replace("street", set);
        world.write("annosync.yaml", &format!("{header}inputs:\n{INPUTS}"));
    };
    named("first-name");
    git(&["init", "-q"]);
    git(&["add", "annosync.yaml"]);
    git(&["commit", "-qm", "one"]);
    run_as(&world, "owner", &["apply", ".", "--auto-approve"]).exits(0);
    named("second-name");
    let run = run_as(&world, "owner", &["plan", "."]).exits(3);
    assert!(
        run.stderr
            .contains("  adopts: [first-name]\nto the header, or pass --adopt-set first-name"),
        "{}",
        run.stderr
    );
    run_as(&world, "carl", &["pull", "."])
        .exits(1)
        .says("first-name (as-");
    settled(&run_as(
        &world,
        "owner",
        &[
            "plan",
            ".",
            "--adopt-set",
            "first-name",
            "--detailed-exitcode",
        ],
    ));
}
