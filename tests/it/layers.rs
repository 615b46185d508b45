//! Which modules of the crate may use which.

use std::fs;
use std::path::{Path, PathBuf};

/// Each module, and the modules that it may use, as in the table of ARCHITECTURE.md.
const MODULES: [(&str, &[&str]); 18] = [
    ("schemas", &[]),
    ("model", &[]),
    ("manifest", &["schemas", "model"]),
    ("lint", &["manifest", "model"]),
    ("stats", &["schemas", "model"]),
    ("drawing", &["model"]),
    ("wire", &["model"]),
    ("api", &["wire", "model"]),
    ("observed", &["schemas", "api", "wire", "model"]),
    ("matching", &["model"]),
    ("plan", &["schemas", "matching", "wire", "model"]),
    ("apply", &["plan", "api", "wire", "model"]),
    ("pull", &["manifest", "matching", "plan", "wire", "model"]),
    (
        "render",
        &[
            "schemas", "drawing", "manifest", "plan", "pull", "stats", "wire", "model",
        ],
    ),
    ("formats", &["manifest", "model"]),
    ("conformance", &["api", "wire", "model"]),
    ("emulator", &["wire"]),
    (
        "cli",
        &[
            "api",
            "apply",
            "conformance",
            "drawing",
            "emulator",
            "formats",
            "lint",
            "manifest",
            "matching",
            "model",
            "observed",
            "plan",
            "pull",
            "render",
            "schemas",
            "stats",
            "wire",
        ],
    ),
];

pub(crate) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a source names after `crate::`, in `use` lines or in paths, outside of comments.
fn modules_used(text: &str) -> Vec<String> {
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
fn modules_use_only_what_the_table_allows() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    for (module, allowed) in MODULES {
        let mut files = Vec::new();
        sources(&src.join(module), &mut files);
        assert!(!files.is_empty(), "module {module} is empty");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            // Tests at the end of a file may use other modules.
            let code = text.split("#[cfg(test)]").next().unwrap();
            for used in modules_used(code) {
                if used != module && !allowed.contains(&used.as_str()) {
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
fn every_folder_is_in_the_table() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut files = Vec::new();
            sources(&path, &mut files);
            // A folder without code, such as the schemas, is not a module.
            assert!(
                files.is_empty() || MODULES.iter().any(|(module, _)| *module == name),
                "src/{name} is not in the table"
            );
        }
    }
}

#[test]
fn pure_modules_use_no_clock_no_files_and_no_randomness() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in [
        "model", "wire", "lint", "matching", "plan", "pull", "render", "stats",
    ] {
        let mut files = Vec::new();
        sources(&src.join(module), &mut files);
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
                assert!(!text.contains(impure), "{} uses {impure}", file.display());
            }
        }
    }
}

#[test]
fn only_named_files_can_delete_everything_on_an_input() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut named = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(&src).unwrap().to_str().unwrap();
        let mut lines: Vec<&str> = text.lines().filter(|l| l.contains("PurgeInputs")).collect();
        if path == "api/mod.rs" {
            // The re-export is not a use.
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
    assert_eq!(
        named,
        ["api/purge.rs", "apply/purge.rs", "conformance/suite.rs"]
    );
}

#[test]
fn modules_are_found_in_use_lines_and_paths() {
    let text = "use crate::{api::wire, model};\n// crate::cli\nfn f() { crate::plan::plan() }";
    assert_eq!(modules_used(text), ["api", "model", "plan"]);
}

#[test]
fn architecture_names_files_and_functions_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let quoted: Vec<&str> = text.split('`').collect();
    let mut files = 0;
    let mut missing = Vec::new();
    for at in (1..quoted.len()).step_by(2) {
        let name = quoted[at];
        let is_source = Path::new(name).extension().is_some_and(|it| it == "rs");
        if !is_source || name.contains(' ') {
            continue;
        }
        files += 1;
        let of_src = root.join("src").join(name);
        let path = if of_src.exists() {
            of_src
        } else {
            root.join(name)
        };
        let Ok(code) = fs::read_to_string(&path) else {
            missing.push(name.to_owned());
            continue;
        };
        // "`file.rs` `name`" names a function of the file.
        if quoted[at + 1] == " " && !code.contains(&format!("fn {}", quoted[at + 2])) {
            missing.push(format!("{name}: fn {}", quoted[at + 2]));
        }
    }
    assert!(files > 40, "only {files} files are named");
    assert!(missing.is_empty(), "{missing:#?}");
}
