//! Plan files and undo files that somebody changed: an apply of them does only what they show, and never
//! changes annotations of other users, models or other sets.
//!
//! The strongest forgery is a plan of another manifest: all of its parts agree. So most of these begin with a real one.

mod fields;
mod hosts;
mod inputs;
mod renames;
mod stated;
mod table;
mod undo;

pub(super) use hosts::listener;

use super::{Run, World, boxes};
use crate::support::{boxed, png, whole, with};
use annosync::model::{Interner, ObservedAnnotation};
use annosync::plan::{self, Action};
use annosync::wire::decode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// The ids of annotations that a plan of this set must not touch.
const FOREIGN: [&str; 4] = ["hers", "m1", OTHER_SET, "mine"];
const OTHER_SET: &str = "as-00000000-00000000000000000001";

/// A header with the default guards.
const HEADER: &str = "version: 1\nset: street\npolicy: sync\n";

/// Twenty inputs with one annotation of the set each, and with annotations of others.
fn labels() -> String {
    let all = boxes(0..20, "car");
    let with_trees = ["in-002", "in-019"]
        .into_iter()
        .fold(all, |text, input| relabelled(&text, input, "[car, tree]"));
    relabelled(&with_trees, "in-018", "[bus]")
}

/// The labels with other concepts on one input.
fn relabelled(labels: &str, input: &str, concepts: &str) -> String {
    changed(labels, input, "[car]", concepts)
}

fn changed(labels: &str, input: &str, from: &str, to: &str) -> String {
    let at = labels.find(&format!("id: {input}")).unwrap();
    let (before, after) = labels.split_at(at);
    format!("{before}{}", after.replacen(from, to, 1))
}

/// The same, so that every kind of write is needed.
fn wanted() -> String {
    let mut text = relabelled(&labels(), "in-000", "[bus]");
    text = changed(&text, "in-001", "[car]", "[car]\n        status: pending");
    text = changed(&text, "in-002", "[car, tree]", "[car]");
    text = changed(&text, "in-005", "[car]", "[car]\n        user: bea");
    let gone = text.find("  - id: in-003").unwrap();
    let rest = text.find("  - id: in-004").unwrap();
    let mask = "  - id: in-020\n    annotations:\n      - key: road\n        \
                mask: { path: road.png }\n        concepts: [car]\n";
    format!(
        "{}  - id: in-003\n    annotations: []\n{}{mask}",
        &text[..gone],
        &text[rest..]
    )
}

/// An app with labels, and a manifest that changes them.
fn scene() -> World {
    let world = World::new();
    let found = json!({
        "id": "m1", "input_id": "in-006", "model_version_id": "mv1",
        "data": {"concepts": [{"id": "person", "value": 0.9}]},
    });
    world.seed(vec![
        with(
            boxed("in-006", "hers", [0.7, 0.7, 0.9, 0.9], &["tree"]),
            "user_id",
            "bea".into(),
        ),
        found,
        whole("in-007", OTHER_SET, &[("tree", 1.0)]),
        whole("in-099", "mine", &[("tree", 1.0)]),
    ]);
    fs::write(world.path().join("road.png"), png(2, &[0, 255, 255, 0])).unwrap();
    declare(&world, HEADER, &labels());
    world.apply(&[]).exits(0);
    declare(&world, HEADER, &wanted());
    world.plan(&["--out", "plan.json"]).exits(0);
    world.emulator.forget_calls();
    world
}

fn declare(world: &World, header: &str, inputs: &str) {
    world.write("m.yaml", &format!("{header}inputs:\n{inputs}"));
}

fn read(world: &World, file: &str) -> Value {
    serde_json::from_str(&world.read(file)).unwrap()
}

/// Every annotation, by its input and its id.
type Rows = BTreeMap<(String, String), Value>;

fn rows(world: &World) -> Rows {
    let rows = world.block_on(world.emulator.annotations()).unwrap();
    let name = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("input_id"), text("id"))
    };
    rows.into_iter().map(|row| (name(&row), row)).collect()
}

/// The annotation of this id.
fn row<'r>(rows: &'r Rows, id: &str) -> &'r Value {
    rows.values().find(|row| row["id"] == *id).unwrap()
}

fn decoded(row: &Value) -> ObservedAnnotation {
    let wire = serde_json::from_value(row.clone()).unwrap();
    decode::annotation(wire, &mut Interner::default())
        .unwrap()
        .1
}

/// Applies a plan file without its manifest.
fn apply(world: &World, file: &str, arguments: &[&str]) -> Run {
    let fast = ["--rate-limit", "1000"];
    world.run(&[&["apply", file, "--auto-approve"], &fast[..], arguments].concat())
}

/// The law: an apply of `file` changes only what the file shows, and no annotations of others.
fn holds(what: &str, file: &Value, run: &Run, before: &Rows, world: &World) -> bool {
    let after = rows(world);
    let of_input = |row: &Value| row["input_level"] == true;
    let ids = before.keys().chain(after.keys());
    let mut touched: Vec<_> = ids
        .filter(|name| before.get(*name) != after.get(*name))
        .collect();
    touched.sort();
    touched.dedup();
    // A new input has an input-level annotation.
    let is_its_own = |name: &(String, String)| {
        after.get(name).is_some_and(of_input) && !before.contains_key(name)
    };
    touched.retain(|name| !is_its_own(name));
    let told = || format!("{what}: {}\n{}", run.stdout, run.stderr);
    if touched.is_empty() {
        return false;
    }
    let code = run.code;
    assert!(matches!(code, 0 | 4 | 5), "exit code {code}: {}", told());
    for name in touched {
        let (input, id) = name;
        assert!(
            !(before.contains_key(name) && FOREIGN.contains(&&**id)),
            "{id} is touched: {}",
            told()
        );
        let operations = file["operations"].as_array().unwrap();
        let is_it = |it: &&Value| it["id"] == **id && it["input_id"] == **input;
        let shown = operations.iter().find(is_it);
        let shown = shown.unwrap_or_else(|| panic!("{id} is not shown: {}", told()));
        let operation: plan::Operation = serde_json::from_value(shown.clone()).unwrap();
        let (was, is) = (before.get(name), after.get(name));
        let fits = match operation.action() {
            Action::Delete => is.is_none(),
            Action::Post => was.is_none(),
            _ => was.is_some() && is.is_some(),
        };
        assert!(
            fits,
            "{} of {id} is not what was done: {}",
            operation.action(),
            told()
        );
        let Some(is) = is.map(decoded) else { continue };
        assert!(
            plan::is_as_wanted(&operation, &is),
            "{id} is not as shown: {}",
            told()
        );
        let Some(was) = was.map(decoded) else {
            continue;
        };
        let [was, is] = [was, is].map(|it| serde_json::to_value(it.content()).unwrap());
        let named = shown["after"].as_object().unwrap();
        for (field, value) in was.as_object().unwrap() {
            let same = named.contains_key(field) || is.get(field) == Some(value);
            assert!(
                same,
                "{field} of {id} is changed, and not shown: {}",
                told()
            );
        }
    }
    true
}

/// Restores the app.
fn reset(world: &World, to: &Rows) {
    let now = rows(world);
    let is_its_own = |row: &Value| row["input_level"] == true;
    for (name, row) in &now {
        if to.get(name) != Some(row) && !is_its_own(row) {
            world.delete(&name.0, &name.1);
        }
    }
    let missing = to.iter().filter(|(id, row)| now.get(*id) != Some(row));
    world.seed(missing.map(|(_, row)| row.clone()).collect());
    world.emulator.forget_calls();
}
