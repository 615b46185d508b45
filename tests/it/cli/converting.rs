//! `import` and `export` of every format, through the binary.

mod coco;
mod conll;
mod cvat;
mod jsonl;
mod label_me;
mod label_studio;
mod open_images;
mod voc;
mod yolo;

use super::{World, settled};

/// Imports the files of `set`, applies them, and imports `next` over them. The first annotation of `label` gets a key
/// and a comment after the first import, which it keeps.
fn keeps_keys_and_comments(world: &World, label: &str, place: &str, next: (&str, &str)) {
    let import = ["import", "set", "--out", "labels"];
    world.run(&import).exits(0);
    let first = format!("      - {place}:");
    let named = format!("      # by hand\n      - key: mine\n        {place}:");
    let text = world.read(label);
    assert!(text.contains(&first), "{text}");
    world.write(label, &text.replacen(&first, &named, 1));
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let before = world.annotations();
    world.run(&import).exits(0).says("Nothing to write");
    world.write(next.0, next.1);
    world.run(&import).exits(0).says("changed");
    let after = world.read(label);
    assert!(after.contains(&named) && after != text, "{after}");
    world.run(&["apply", "--auto-approve"]).exits(0);
    settled(&world.run(&["plan", "--detailed-exitcode"]));
    let ids = |annotations: &[serde_json::Value]| -> Vec<String> {
        let ids = annotations.iter().map(|it| it["id"].to_string());
        ids.collect()
    };
    assert_eq!(ids(&world.annotations()), ids(&before));
}

#[test]
fn hidden_files_of_a_folder_are_counted_and_named_with_v() {
    let world = World::new();
    let set = |folder: &str| {
        let coco = r#"{"images": [], "annotations": [], "categories": []}"#;
        world.write(&format!("{folder}/labels.json"), coco);
        world.write(&format!("{folder}/.git/config"), "");
    };
    set("plain");
    let plain = world.run(&["import", "plain", "--out", "a"]).exits(0);
    assert!(!plain.stderr.contains("hidden"), "{}", plain.stderr);
    set("set");
    world.write("set/.cache/one.json", "{}");
    world.write("set/.old.json", "{}");
    let words = "hidden (a name that begins with a dot), so not read\n";
    let import = ["import", "set", "--out", "b"];
    let first = format!("note: hidden: 2 paths (first: .cache): {words}");
    world.run(&import).exits(0).says(&first);
    let all = format!("note: hidden: 2 paths: {words}  .cache\n  .old.json\n");
    world
        .run(&[&import[..], &["-v"]].concat())
        .exits(0)
        .says(&all);
    // A hidden file or folder that is named is read.
    set(".set");
    let named = world.run(&["import", ".set", "--out", "c"]).exits(0);
    assert!(!named.stderr.contains("hidden"), "{}", named.stderr);
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_in_a_folder_is_counted() {
    let world = World::new();
    let coco = r#"{"images": [], "annotations": [], "categories": []}"#;
    world.write("set/labels.json", coco);
    let socket = world.path().join("set/more.json");
    let _open = std::os::unix::net::UnixListener::bind(socket).unwrap();
    let words = "note: not_a_file: 1 path (more.json): a pipe, a socket or a device, so not read";
    let import = world.run(&["import", "set", "--out", "b"]).exits(0);
    assert!(import.stderr.contains(words), "{}", import.stderr);
}

#[test]
fn the_readme_has_the_table_of_formats() {
    let table = annosync::formats::matrix();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "README.md lacks\n{table}");
}
