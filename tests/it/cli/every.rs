//! Every row of the tables of kinds and calls in `examples/README.md`, through the real binary. Each test has the name of
//! its row and uses the row as it is written there.

use super::{World, settled};
use crate::support::png;
use annosync::emulator::Endpoint;
use serde_json::{Value, json};
use std::fs;

const TABLES: &str = include_str!("../../../examples/README.md");
const SOURCE: &str = include_str!("every.rs");

/// The rows of the table below this heading.
fn rows<const CELLS: usize>(heading: &str) -> Vec<[String; CELLS]> {
    let (_, rest) = TABLES.split_once(heading).unwrap();
    let table = rest
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let rows = table.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let cells: [&str; CELLS] = cells.try_into().unwrap();
        cells.map(|cell| cell.trim_matches('`').to_owned())
    });
    rows.collect()
}

/// Name, manifest, and where it is stored.
pub(crate) fn kinds() -> Vec<[String; 3]> {
    rows("## Every kind of annotation")
}

/// Name, annotations in the app, manifest, and call.
fn calls() -> Vec<[String; 4]> {
    rows("## Every call")
}

#[test]
fn each_row_has_a_test_with_its_name() {
    let kinds = kinds().into_iter().map(|[name, ..]| name);
    let names: Vec<String> = kinds
        .chain(calls().into_iter().map(|[name, ..]| name))
        .collect();
    assert!(names.len() >= 35, "{names:?}");
    for name in names {
        let raw = if name == "box" { "r#" } else { "" };
        let test = format!("#[test]\nfn {raw}{name}() {{\n");
        assert!(SOURCE.contains(&test), "no test for the row `{name}`");
    }
}

/// A change of a row's annotation, and its call.
struct Change {
    from: &'static str,
    to: &'static str,
    action: &'static str,
}

fn change(from: &'static str, to: &'static str, action: &'static str) -> Change {
    Change { from, to, action }
}

/// The values at a path, lists entered: `data.regions.id`.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| {
        let value = if value.is_array() { &value[0] } else { value };
        value.get(name)
    })
}

/// An annotation of a model on the input, for the rows about regions; it exists before the others.
pub(super) fn model_made() -> Value {
    json!({
        "id": "m1", "input_id": "in-1", "model_version_id": "mv1", "created_at": "2026-01-01T00:00:00Z",
        "data": {"regions": [{
            "id": "r1",
            "region_info": {"bounding_box": {"top_row": 0.1, "left_col": 0.1, "bottom_row": 0.5, "right_col": 0.45}},
            "data": {"concepts": [{"id": "person", "value": 0.9}]},
        }]},
    })
}

pub(super) fn mask(world: &World, columns: u32) {
    let pixels: Vec<u8> = (0..100)
        .map(|at| if at % 10 < columns { 255 } else { 0 })
        .collect();
    fs::create_dir_all(world.path().join("masks")).unwrap();
    fs::write(world.path().join("masks/road.png"), png(10, &pixels)).unwrap();
}

fn declare(world: &World, annotation: &str) {
    world.declare(&format!(
        "  - id: in-1\n    annotations:\n      - {annotation}\n"
    ));
}

/// Every annotation that no model made, including the input-level one.
fn stored(world: &World) -> Vec<Value> {
    let mut all = world.block_on(world.emulator.annotations()).unwrap();
    all.retain(|annotation| annotation.get("model_version_id").is_none());
    all
}

fn the_one(world: &World, input_level: bool) -> Value {
    let mut all = stored(world);
    all.retain(|annotation| (annotation["input_level"] == true) == input_level);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// Tests the life cycle of a row: posted (or patched), read back, changed, pulled, deleted.
fn life(name: &str, change: &Change) {
    let row = kinds().into_iter().find(|[row, ..]| row == name);
    let [_, annotation, place] = row.unwrap();
    let world = World::new();
    let input_level = name == "input_level";
    world.seed(vec![model_made()]);
    mask(&world, 5);

    declare(&world, &annotation);
    let applied = world.apply(&[]).exits(0);
    let expected = if input_level { "merged" } else { "posted" };
    assert!(
        applied.last_line().contains(&format!("(1 {expected})")),
        "{}",
        applied.stdout
    );
    let first = the_one(&world, input_level);
    assert!(
        at(&first, &place).is_some(),
        "nothing at {place}: {first:#}"
    );
    let listed = world
        .on_app(&["list", "--input-id", "in-1", "--format", "jsonl"])
        .exits(0);
    let id = first["id"].as_str().unwrap();
    assert!(listed.stdout.contains(id), "{}", listed.stdout);
    is_pulled(&world);

    let changed = annotation.replace(change.from, change.to);
    assert_ne!(changed, annotation, "the row has no {:?}", change.from);
    if changed.contains("path:") {
        mask(&world, 6);
    }
    declare(&world, &changed);
    let plan = world.plan_json();
    let operations = plan["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1, "{plan:#}");
    assert_eq!(operations[0]["action"], change.action, "{plan:#}");
    world.apply(&[]).exits(0);
    assert_eq!(the_one(&world, input_level)["id"], id, "its id stays");
    is_pulled(&world);

    world.declare("  - id: in-1\n    annotations: []\n");
    world.apply(&[]).exits(0);
    let left = stored(&world);
    assert!(
        left.iter().any(|it| it["input_level"] == true),
        "the input-level annotation is never deleted"
    );
    let is_gone = left.iter().all(|it| it["input_level"] == true);
    assert!(is_gone, "{left:#?}");
    let models = world.block_on(world.emulator.annotations()).unwrap();
    assert!(models.iter().any(|it| it["id"] == "m1"), "nor is a model's");
}

/// The plan of a manifest that was just pulled is empty.
#[track_caller]
fn is_pulled(world: &World) {
    let folder = tempfile::tempdir_in(world.path()).unwrap();
    let path = folder.path().to_str().unwrap();
    world.on_app(&["pull", path, "--set", "street"]).exits(0);
    settled(&world.on_app(&["plan", path, "--detailed-exitcode"]));
}

#[test]
fn concepts() {
    life("concepts", &change("rain: 0.5", "rain: 0.75", "merge"));
}

#[test]
fn r#box() {
    life("box", &change("bottom: 0.5", "bottom: 0.55", "overwrite"));
}

#[test]
fn polygon() {
    life("polygon", &change("0.8", "0.85", "overwrite"));
}

#[test]
fn point() {
    life("point", &change("0.25", "0.26", "overwrite"));
}

#[test]
fn keypoints() {
    life("keypoints", &change("not_visible", "visible", "overwrite"));
}

#[test]
fn mask_path() {
    life("mask_path", &change("masks/", "./masks/", "overwrite"));
}

#[test]
fn mask_url() {
    life("mask_url", &change("[road]", "[road, wet]", "merge"));
}

#[test]
fn span() {
    life(
        "span",
        &change(
            "end: 10, text: Geneva",
            "end: 11, text: Geneva2",
            "overwrite",
        ),
    );
}

#[test]
fn segment() {
    life("segment", &change("end: 4", "end: 4.5", "overwrite"));
}

#[test]
fn frame() {
    life("frame", &change("[goal]", "[goal, foul]", "merge"));
}

#[test]
fn frame_and_box() {
    life(
        "frame_and_box",
        &change("right: 1", "right: 0.9", "overwrite"),
    );
}

#[test]
fn track() {
    life("track", &change("[car]", "[car, red]", "merge"));
}

#[test]
fn text() {
    life("text", &change("a red car", "a red cart", "merge"));
}

#[test]
fn text_in_a_region() {
    life("text_in_a_region", &change("GE 1234", "GE 1235", "merge"));
}

#[test]
fn region() {
    life("region", &change("[worker]", "[worker, welder]", "merge"));
}

#[test]
fn region_from_model() {
    life(
        "region_from_model",
        &change("[worker]", "[worker, welder]", "merge"),
    );
}

#[test]
fn region_value() {
    life("region_value", &change("0.9", "0.8", "merge"));
}

#[test]
fn input_level() {
    life(
        "input_level",
        &change("[reviewed]", "[reviewed, twice]", "merge"),
    );
}

#[test]
fn embed_model_version() {
    life("embed_model_version", &change("emb1", "emb2", "replace"));
}

#[test]
fn status() {
    life("status", &change("pending", "24150", "merge"));
}

#[test]
fn user() {
    life("user", &change("labeler-1", "labeler-2", "replace"));
}

#[test]
fn metadata() {
    life("metadata", &change("rain", "sun", "merge"));
}

#[test]
fn info() {
    life("info", &change("7", "8", "merge"));
}

#[test]
fn key() {
    life("key", &change("[car]", "[bus]", "overwrite"));
}

/// A call's endpoint, its method and path, and how many annotations or inputs it names.
type Made = (Endpoint, String, usize);

/// Applies the annotations that a row lists for the app, and then the row's manifest. Returns the world, and the calls
/// of the second apply.
fn row(name: &str, arguments: &[&str]) -> (World, Vec<Made>) {
    let row = calls().into_iter().find(|[row, ..]| row == name);
    let [_, has, says, _] = row.unwrap();
    let world = World::new();
    let input = |cell: &str| match cell {
        "purge: true" => format!("  - id: in-1\n    {cell}\n"),
        "nothing" => "  - id: in-1\n    annotations: []\n".to_owned(),
        annotations => format!("  - id: in-1\n    annotations: [{annotations}]\n"),
    };
    world.declare(&input(&has));
    world.apply(&[]).exits(0);
    world.declare(&input(&says));
    let before = world.emulator.calls().len();
    world.apply(arguments).exits(0);
    let calls = world.emulator.calls().split_off(before);
    let short = calls.into_iter().map(|call| {
        let path = call.path.split("/apps/app").last().unwrap_or_default();
        let what = format!("{} {path}", call.method);
        (call.endpoint, what, call.items)
    });
    let short = short.collect();
    (world, short)
}

/// The writes among the calls of a row.
fn writes(name: &str, arguments: &[&str]) -> (World, Vec<Made>) {
    let (world, mut calls) = row(name, arguments);
    calls.retain(|(_, what, _)| !what.starts_with("GET"));
    (world, calls)
}

fn patch(items: usize) -> Made {
    let path = "PATCH /annotations".to_owned();
    (Endpoint::PatchAnnotations, path, items)
}

fn post(items: usize) -> Made {
    let path = "POST /annotations".to_owned();
    (Endpoint::PostAnnotations, path, items)
}

/// The delete of the annotation `a` by its path.
fn delete_one() -> Made {
    let path = "DELETE /inputs/in-1/annotations/a".to_owned();
    (Endpoint::DeleteAnnotation, path, 0)
}

#[test]
fn post_annotations() {
    let (_, writes) = writes("post_annotations", &[]);
    assert_eq!(writes, [post(1)]);
}

#[test]
fn patch_merge() {
    let (world, writes) = writes("patch_merge", &[]);
    assert_eq!(writes, [patch(1)]);
    let concepts = &world.annotation("a").unwrap()["data"]["concepts"];
    assert_eq!(concepts[1]["id"], "red");
}

#[test]
fn patch_remove() {
    let (world, writes) = writes("patch_remove", &[]);
    assert_eq!(writes, [patch(1)]);
    let concepts = &world.annotation("a").unwrap()["data"]["concepts"];
    assert_eq!(concepts.as_array().map(Vec::len), Some(1));
}

#[test]
fn patch_overwrite() {
    let (world, writes) = writes("patch_overwrite", &[]);
    assert_eq!(writes, [patch(1)]);
    let region = &world.annotation("a").unwrap()["data"]["regions"][0];
    assert_eq!(region["region_info"]["point"]["col"], 0.3);
}

#[test]
fn replace() {
    let (world, writes) = writes("replace", &[]);
    let [
        stand_in,
        original,
        replacement,
        (Endpoint::DeleteAnnotation, last, 0),
    ] = &writes[..]
    else {
        panic!("{writes:?}");
    };
    assert_eq!(
        [stand_in, original, replacement],
        [&post(1), &delete_one(), &post(1)]
    );
    assert!(last.starts_with("DELETE /inputs/in-1/annotations/as-6008c26f-r"));
    assert_eq!(world.annotation("a").unwrap()["user_id"], "labeler-1");
}

#[test]
fn delete_annotation() {
    let (world, writes) = writes("delete_annotation", &[]);
    assert_eq!(writes, [delete_one()]);
    assert_eq!(world.annotations(), Vec::<Value>::new());
}

#[test]
fn delete_annotations() {
    let (world, writes) = writes("delete_annotations", &[]);
    let [(Endpoint::DeleteAnnotations, _, 2)] = &writes[..] else {
        panic!("{writes:?}");
    };
    assert_eq!(world.annotations(), Vec::<Value>::new());
}

#[test]
fn delete_if_empty_data() {
    let (world, writes) = writes("delete_if_empty_data", &[]);
    assert_eq!(writes, [patch(2)]);
    assert_eq!(world.annotation("a"), None);
    assert!(world.annotation("b").is_some());
}

#[test]
fn purge() {
    let (world, writes) = writes("purge", &["--allow-purge"]);
    let [(Endpoint::DeleteAnnotations, _, 1)] = &writes[..] else {
        panic!("{writes:?}");
    };
    assert_eq!(world.annotations(), Vec::<Value>::new());
    assert!(
        stored(&world).iter().any(|it| it["input_level"] == true),
        "the input-level annotation stays"
    );
}

#[test]
fn list_annotations() {
    let (_, calls) = row("list_annotations", &[]);
    let (first, ..) = calls
        .iter()
        .find(|(_, what, _)| what.contains("/annotations"))
        .unwrap();
    assert_eq!(*first, Endpoint::ListAnnotations);
}

#[test]
fn get_annotation() {
    let (_, calls) = row("get_annotation", &[]);
    let path = "GET /inputs/in-1/annotations/a".to_owned();
    let looked = calls
        .iter()
        .position(|call| *call == (Endpoint::GetAnnotation, path.clone(), 0));
    let wrote = calls.iter().position(|call| *call == patch(1));
    assert!(looked.is_some() && looked < wrote, "{calls:?}");
}
