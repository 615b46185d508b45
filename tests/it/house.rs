//! The rooms: who may use whom. Data flows one way, and no room reaches back.

use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms it may use; ARCHITECTURE.md shows the same table.
const ROOMS: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("manifest", &["model"]),
    ("api", &[]),
    ("observed", &["api", "model"]),
    ("matching", &["model"]),
    ("plan", &["matching", "model"]),
    ("apply", &["plan", "api", "observed", "model"]),
    ("pull", &["manifest", "matching", "plan", "model"]),
    ("render", &["plan", "pull", "model"]),
    ("formats", &["manifest", "model"]),
    ("emulator", &["api"]),
    (
        "cli",
        &[
            "api", "apply", "emulator", "formats", "manifest", "matching", "model", "observed",
            "plan", "pull", "render",
        ],
    ),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Rooms that a source names after `crate::`, in `use` lines or in paths, outside of comments.
fn rooms_used(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let joined: String = code.collect::<Vec<_>>().join("\n");
    let mut used: Vec<String> = joined
        .split("crate::")
        .skip(1)
        .flat_map(|rest| {
            // `crate::{a::b, c}` names several; `crate::a::b` one.
            let group = rest
                .strip_prefix('{')
                .map(|group| &group[..group.find('}').unwrap_or(group.len())]);
            let names: Vec<&str> =
                group.map_or_else(|| vec![rest], |group| group.split(',').collect());
            names
                .into_iter()
                .map(|name| {
                    name.trim()
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect::<String>()
                })
                .collect::<Vec<_>>()
        })
        .collect();
    used.sort();
    used.dedup();
    used
}

#[test]
fn no_room_reaches_back() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    for (room, allowed) in ROOMS {
        let mut files = Vec::new();
        sources(&src.join(room), &mut files);
        assert!(!files.is_empty(), "room {room} is empty");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            // Tests at the end of a file may look further than its code.
            let code = text.split("#[cfg(test)]").next().unwrap();
            for used in rooms_used(code) {
                if used != room && !allowed.contains(&used.as_str()) {
                    violations.push(format!(
                        "{} uses crate::{used}",
                        file.strip_prefix(&src).unwrap().display()
                    ));
                }
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn every_folder_is_a_room_of_the_table() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut files = Vec::new();
            sources(&path, &mut files);
            // What holds no code, such as the schemas, is no room.
            assert!(
                files.is_empty() || ROOMS.iter().any(|(room, _)| *room == name),
                "src/{name} is not in the table"
            );
        }
    }
}

#[test]
fn the_pure_rooms_know_no_clock_no_files_and_no_chance() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ["model", "matching", "plan", "pull", "render"] {
        let mut files = Vec::new();
        sources(&src.join(room), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for impure in [
                "std::fs",
                "std::env",
                "SystemTime",
                "Instant",
                "RandomState",
                "tokio",
                "std::net",
                "async fn",
            ] {
                assert!(!text.contains(impure), "{} knows {impure}", file.display());
            }
        }
    }
}

#[test]
fn whoever_can_delete_everything_on_an_input_is_known() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut named = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(&src).unwrap().to_str().unwrap();
        let mut lines: Vec<&str> = text.lines().filter(|l| l.contains("PurgeInputs")).collect();
        if path == "api/mod.rs" {
            // The room's face hands the name on, and does nothing else with it.
            lines.retain(|line| !line.starts_with("pub use purge::"));
        }
        if !lines.is_empty() {
            named.push(path.to_owned());
        }
        // The only calls of the writer that take anything else name annotations.
        if text.contains(".purge(&") && !text.contains("PurgeInputs") {
            named.push(format!("{path} purges"));
        }
    }
    named.sort();
    assert_eq!(named, ["api/purge.rs", "apply/purge.rs"]);
}

#[test]
fn the_rooms_are_found_in_use_lines_and_paths() {
    let text = "use crate::{api::wire, model};\n// crate::cli\nfn f() { crate::plan::plan() }";
    assert_eq!(rooms_used(text), ["api", "model", "plan"]);
}
