//! Every field of a plan file and of an undo file, changed in every way that keeps the file JSON.

use super::{World, apply, holds, read, reset, rows, scene};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    At(usize),
}

fn get_mut<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::At(at) => &mut value[*at],
    })
}

/// Every path of the document, with its value.
fn places(value: &Value, path: &mut Vec<Step>, all: &mut Vec<(Vec<Step>, Value)>) {
    if !path.is_empty() {
        all.push((path.clone(), value.clone()));
    }
    let mut go = |step: Step, inner: &Value| {
        path.push(step);
        places(inner, path, all);
        path.pop();
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, it)| go(Step::Key(key.clone()), it)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, it)| go(Step::At(at), it)),
        _ => {}
    }
}

/// The path without indexes: one operation of each action represents all.
fn shape(document: &Value, path: &[Step]) -> String {
    let action = |at: usize| {
        document["operations"][at]["action"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut shape = String::new();
    for (depth, step) in path.iter().enumerate() {
        shape += "/";
        shape += &match step {
            Step::Key(key) => key.clone(),
            Step::At(at) if depth == 1 && path[0] == Step::Key("operations".into()) => action(*at),
            Step::At(_) => "*".to_owned(),
        };
    }
    shape
}

/// The replacements of a value: other values with the same name, and others of its type.
fn others(name: &str, value: &Value, pool: &BTreeMap<String, Vec<Value>>) -> Vec<Value> {
    let known = pool.get(name).into_iter().flatten();
    let mut others: Vec<Value> = known
        .filter(|other| *other != value)
        .take(1)
        .cloned()
        .collect();
    others.extend(match (name, value) {
        ("id", _) => super::FOREIGN.iter().map(|id| json!(id)).collect(),
        ("user" | "needs" | "app_owner" | "user_id", _) => vec![json!("bea"), json!("any")],
        (_, Value::Number(number)) => {
            let number = number.as_f64().unwrap();
            vec![json!(0), json!(number + 1.0)]
        }
        (_, Value::Bool(flag)) => vec![json!(!flag)],
        (_, Value::String(_)) => vec![json!("")],
        (_, Value::Array(items)) => {
            let twice = [&items[..], &items[..]].concat();
            let reversed = items.iter().rev().cloned().collect();
            vec![json!([]), Value::Array(twice), Value::Array(reversed)]
        }
        (_, Value::Object(_)) => vec![json!({})],
        (_, Value::Null) => vec![json!(1)],
    });
    others.retain(|other| other != value);
    others.dedup();
    others
}

/// Every change of one place of a document, with its description.
fn forgeries(document: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    places(document, &mut Vec::new(), &mut all);
    let mut pool: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (path, value) in &all {
        if let Some(Step::Key(key)) = path.last() {
            let known = pool.entry(key.clone()).or_default();
            if !known.contains(value) {
                known.push(value.clone());
            }
        }
    }
    let mut shapes = BTreeSet::new();
    let mut forgeries = Vec::new();
    for (path, value) in &all {
        let shape = shape(document, path);
        if !shapes.insert(shape.clone()) {
            continue;
        }
        let (last, parent) = path.split_last().unwrap();
        let name = path.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::At(_) => None,
        });
        let mut without = document.clone();
        match (get_mut(&mut without, parent), last) {
            (Value::Object(fields), Step::Key(key)) => drop(fields.shift_remove(key)),
            (Value::Array(items), Step::At(at)) => drop(items.remove(*at)),
            _ => unreachable!("a step leads into what it is of"),
        }
        forgeries.push((format!("without {shape}"), without));
        for other in others(name.unwrap(), value, &pool) {
            let mut forged = document.clone();
            *get_mut(&mut forged, path) = other.clone();
            forgeries.push((format!("{shape} is {other}"), forged));
        }
    }
    forgeries.extend(swapped(document));
    forgeries
}

/// Two operations with exchanged annotation or change.
fn swapped(document: &Value) -> Vec<(String, Value)> {
    let count = document["operations"].as_array().unwrap().len();
    let mut forgeries = Vec::new();
    for (one, other) in (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other))) {
        for fields in [
            &["id"][..],
            &["id", "input_id"],
            &["id", "input_id", "fingerprint"],
            &["id", "input_id", "fingerprint", "before", "seen"],
            &["after"],
            &["action"],
            &["body"],
        ] {
            let mut forged = document.clone();
            let mut take = |at: usize| -> Map<String, Value> {
                let operation = forged["operations"][at].as_object_mut().unwrap();
                let taken = fields
                    .iter()
                    .filter_map(|it| operation.shift_remove_entry(*it));
                taken.collect()
            };
            let (first, second) = (take(one), take(other));
            for (at, taken) in [(one, second), (other, first)] {
                let operation = forged["operations"][at].as_object_mut().unwrap();
                operation.extend(taken);
            }
            if forged != *document {
                forgeries.push((format!("{one} and {other} exchange {fields:?}"), forged));
            }
        }
    }
    forgeries
}

/// An ordinary run tries one in this many forgeries; `ANNOSYNC_FORGE_ALL=1` tries all.
const ONE_IN: usize = 6;

/// Applies the forgeries of a file and checks the law for each. Some must change the app, and some must not.
fn play(world: &World, file: &str) {
    let before = rows(world);
    let mut counts: HashMap<bool, usize> = HashMap::new();
    let one_in = match std::env::var_os("ANNOSYNC_FORGE_ALL") {
        Some(_) => 1,
        None => ONE_IN,
    };
    for (what, forged) in forgeries(&read(world, file)).into_iter().step_by(one_in) {
        world.write("forged.json", &forged.to_string());
        let run = apply(world, "forged.json", &[]);
        let is_written = holds(&what, &forged, &run, &before, world);
        *counts.entry(is_written).or_default() += 1;
        if is_written {
            reset(world, &before);
        }
    }
    let of_people =
        |rows: &super::Rows| rows.values().filter(|it| it["input_level"] != true).count();
    assert_eq!(of_people(&rows(world)), of_people(&before));
    let count = |is_written| counts.get(&is_written).copied().unwrap_or_default() * one_in;
    assert!(count(false) > 200 && count(true) > 10, "{counts:?}");
}

#[test]
fn a_changed_field_of_a_plan_file_has_no_hidden_effect() {
    let world = scene();
    play(&world, "plan.json");
    // The original plan still applies.
    world.plan(&["--out", "again.json"]).exits(0);
    let operations = |file: &str| {
        let mut plan = read(&world, file);
        for operation in plan["operations"].as_array_mut().unwrap() {
            operation["seen"] = Value::Null;
        }
        plan["operations"].take()
    };
    assert_eq!(operations("again.json"), operations("plan.json"));
}

#[test]
fn a_changed_field_of_an_undo_file_has_no_hidden_effect() {
    let world = scene();
    world
        .apply_path("plan.json", &["--undo-out", "undo.json"])
        .exits(0);
    play(&world, "undo.json");
    world.is_settled();
}
