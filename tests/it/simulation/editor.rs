//! Another person who edits the same app, in and out of scope.

use super::chance::Chance;
use super::faults::Fault;
use super::remote::{Actor, Name, WriteKind, name_of};
use super::scene::Scene;
use super::service::OWNER;
use super::team::{Appliers, COLLABORATORS, LABELER};
use super::world::{self, CONCEPTS};
use serde_json::{Value, json};

/// One edit.
pub(super) fn edit(scene: &mut Scene, chance: &mut Chance) {
    let tick = scene.tick();
    let place = chance.index(scene.remote.rows.len().max(1));
    let row = scene.remote.rows.get(place).cloned();
    let (how, name, after) = match (chance.below(6), row) {
        (0, _) | (_, None) => post(scene, chance),
        (1, Some(row)) if row.get("input_level").is_none() => {
            (WriteKind::Delete, name_of(&row), None)
        }
        (_, Some(row)) if row.get("model_version_id").is_some() => return,
        (2 | 3, Some(row)) => (
            WriteKind::Merge,
            name_of(&row),
            Some(relabelled(row, chance)),
        ),
        (4, Some(mut row)) => {
            row["data"]["metadata"]["seen_by"] = json!(chance.below(100));
            (WriteKind::Merge, name_of(&row), Some(row))
        }
        (_, Some(row)) => (
            WriteKind::Overwrite,
            name_of(&row),
            Some(moved(row, chance)),
        ),
    };
    scene.counts.count(Fault::Edited);
    let actor = actor(scene, &name, after.as_ref(), chance);
    scene.trace(&format!(
        "{actor} changes {}/{}: {}",
        name.0,
        name.1,
        after
            .as_ref()
            .map_or("deleted".to_owned(), ToString::to_string)
    ));
    scene.remote.write(tick, Actor::Editor, how, &name, after);
}

/// The user who makes the edit: the app's owner, or the annotation's.
fn actor(scene: &Scene, name: &Name, after: Option<&Value>, chance: &mut Chance) -> String {
    if scene.appliers == Appliers::One {
        return "somebody".to_owned();
    }
    let user = |row: &Value| row["user_id"].as_str().unwrap_or(OWNER).to_owned();
    match scene.remote.get(name) {
        None => after.map_or_else(|| OWNER.to_owned(), user),
        Some(_) if chance.one_in(2) => OWNER.to_owned(),
        Some(row) => user(row),
    }
}

fn post(scene: &mut Scene, chance: &mut Chance) -> (WriteKind, Name, Option<Value>) {
    let mut input = chance.pick(&scene.remote.inputs).clone();
    let number = scene.remote.number();
    let [bea, cem] = COLLABORATORS;
    let user = match scene.appliers {
        Appliers::One => *chance.pick(&[scene.regular, bea, cem]),
        Appliers::Team => *chance.pick(&[OWNER, bea, cem, LABELER]),
    };
    let mut data = world::drawn(chance);
    // An annotation made by hand that the manifest declares too.
    if scene.appliers == Appliers::Team && !scene.declared.is_empty() && chance.one_in(3) {
        (input, data) = chance.pick(&scene.declared).clone();
    }
    let mut row = world::row(&input, &format!("{number:032x}"), user, &data);
    if chance.one_in(8) {
        row["model_version_id"] = json!("v1");
    }
    (WriteKind::Post, name_of(&row), Some(row))
}

/// The same with other concepts.
pub(super) fn relabelled(mut row: Value, chance: &mut Chance) -> Value {
    let concept = json!({"id": chance.pick(&CONCEPTS), "value": 1.0});
    let concepts = world::concepts_of(&mut row["data"]);
    let listed = concepts.as_array_mut().expect("concepts are a list");
    match chance.below(3) {
        0 if !listed.is_empty() => {
            listed.remove(chance.index(listed.len()));
        }
        1 => *listed = vec![concept],
        _ if listed.iter().any(|known| known["id"] == concept["id"]) => listed.clear(),
        _ => listed.push(concept),
    }
    row
}

/// The same box at another place; for other kinds, relabelled.
pub(super) fn moved(mut row: Value, chance: &mut Chance) -> Value {
    let by = *chance.pick(&[0.01, 0.02, 0.4]);
    match row.pointer_mut("/data/regions/0/region_info/bounding_box") {
        Some(edges) => {
            for edge in ["top_row", "bottom_row"] {
                edges[edge] = json!((edges[edge].as_f64().unwrap_or_default() + by).min(1.0));
            }
            row
        }
        None => relabelled(row, chance),
    }
}
