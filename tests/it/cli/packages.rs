//! What users install: the wheel, the crate, the archives of a release, the image, and the hooks for pre-commit.

use super::first_change;
use super::quickstart::quickstart;
use super::{Run, command, is_there, settled, skipped};
use serde_yaml::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The `key = value` lines of a TOML file by section and key, values without quotes and comments.
fn settings(file: &str) -> BTreeMap<(String, String), String> {
    let mut settings = BTreeMap::new();
    let mut section = String::new();
    for line in text(file).lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once(" = ") {
            let value = value.split("   #").next().unwrap().trim_matches('"');
            settings.insert((section.clone(), key.to_owned()), value.to_owned());
        }
    }
    settings
}

/// Runs a program in the repository.
fn run(program: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.current_dir(repository()).args(arguments);
    Run::of(command)
}

#[test]
fn the_wheel_is_the_program_of_the_crate() {
    let settings = settings("pyproject.toml");
    let setting = |section: &str, key: &str| {
        let value = settings.get(&(section.to_owned(), key.to_owned()));
        value.map(String::as_str)
    };
    assert_eq!(setting("project", "name"), Some(env!("CARGO_PKG_NAME")));
    let dynamic = setting("project", "dynamic").unwrap();
    for of_cargo in ["version", "description", "readme"] {
        assert!(dynamic.contains(&format!("\"{of_cargo}\"")), "{dynamic}");
        assert_eq!(setting("project", of_cargo), None);
    }
    assert_eq!(setting("tool.maturin", "bindings"), Some("bin"));
    assert_eq!(setting("build-system", "build-backend"), Some("maturin"));
    let licence = env!("CARGO_PKG_LICENSE");
    assert_eq!(setting("project", "license"), Some(licence));
    assert!(text("LICENSE").starts_with("MIT License\n"));
    if !is_there("maturin") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    run(
        "maturin",
        &["pep517", "write-dist-info", "--metadata-directory", out],
    )
    .exits(0);
    let version = env!("CARGO_PKG_VERSION");
    let about = folder.path().join(format!("annosync-{version}.dist-info"));
    let metadata = fs::read_to_string(about.join("METADATA")).unwrap();
    for line in [
        "Name: annosync".to_owned(),
        format!("Version: {version}"),
        format!("Summary: {}", env!("CARGO_PKG_DESCRIPTION")),
        "License-Expression: MIT".to_owned(),
        "License-File: LICENSE".to_owned(),
    ] {
        assert!(
            metadata.lines().any(|known| known == line),
            "{line}\n{metadata}"
        );
    }
}

/// Compiles the crate once more, so only with `ANNOSYNC_PACKAGES=1`.
#[test]
fn a_wheel_is_built_installed_and_used_as_users_do() {
    if std::env::var_os("ANNOSYNC_PACKAGES").is_none() {
        skipped("a wheel is built only with ANNOSYNC_PACKAGES=1");
        return;
    }
    if !is_there("python3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (environment, wheels) = (path("environment"), path("wheels"));
    run("python3", &["-m", "venv", &environment]).exits(0);
    let pip = path("environment/bin/pip");
    let index = folder.path().join("index");
    let index = index.to_str().unwrap();
    if run(
        &pip,
        &["download", "-q", "--no-deps", "-d", index, "maturin"],
    )
    .code
        != 0
    {
        skipped("pip reaches no package index, or knows no maturin there");
        return;
    }
    let settings = ["--config-settings", "build-args=--profile dev"];
    let build = ["wheel", "-q", "--no-deps", "-w", &wheels, "."];
    run(&pip, &[&build[..], &settings].concat()).exits(0);
    let offline = ["install", "-q", "--no-index", "--find-links", &wheels];
    run(&pip, &[&offline[..], &["annosync"]].concat()).exits(0);

    let example = quickstart();
    let annosync = |arguments: &[&str]| {
        let mut command = Command::new(path("environment/bin/annosync"));
        command.current_dir(example.path()).args(arguments);
        Run::of(command)
    };
    let version = annosync(&["--version"]).exits(0);
    assert_eq!(
        version.stdout,
        concat!("annosync ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let applied = annosync(&["apply", "--auto-approve"]).exits(0);
    assert!(
        applied.stdout.starts_with("Applied 19 ("),
        "{}",
        applied.stdout
    );
    settled(&annosync(&["plan", "--detailed-exitcode"]));
    if let Some(labels) = first_change::labels() {
        let wheel = fs::read_dir(&wheels).unwrap().next().unwrap().unwrap();
        first_change::is_done(first_change::run(&labels, Some(&wheel.path())));
    }
}

#[test]
fn the_crate_holds_what_it_needs_and_no_data_of_tests() {
    let list = ["package", "--list", "--allow-dirty", "--offline"];
    let listed = run(env!("CARGO"), &list).exits(0).stdout;
    let files: BTreeSet<&str> = listed.lines().collect();
    for needed in [
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/main.rs",
        "examples/ci/gitlab/.gitlab-ci.yml",
        "examples/quickstart/annosync.yaml",
    ] {
        assert!(files.contains(needed), "{needed}");
    }
    let mut bytes = 0;
    for file in &files {
        let place = file.split('/').next().unwrap();
        let is_root = place == *file;
        assert!(is_root || ["src", "examples"].contains(&place), "{file}");
        assert!(!file.contains(".annosync/"), "{file}");
        // Files that cargo makes are not on disk.
        let size = fs::metadata(repository().join(file)).map_or(0, |known| known.len());
        assert!(size < 200_000, "{file}: {size} bytes");
        bytes += size;
    }
    assert!(bytes < 8_000_000, "{bytes} bytes");
}

/// Writes a wheel with this program for each platform.
const WHEELS: &str = r#"
import sys, zipfile
folder, version, program = sys.argv[1:]
for platform in ["manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64",
                 "manylinux_2_17_aarch64.manylinux2014_aarch64", "macosx_10_12_x86_64", "macosx_11_0_arm64", "win_amd64"]:
    end = ".exe" if platform == "win_amd64" else ""
    with zipfile.ZipFile(f"{folder}/annosync-{version}-py3-none-{platform}.whl", "w") as wheel:
        wheel.writestr(f"annosync-{version}.data/scripts/annosync{end}", f'#!/bin/sh\nexec "{program}" "$@"\n')
        wheel.writestr(f"annosync-{version}.dist-info/METADATA", "Name: annosync\n")
"#;

#[test]
fn archives_of_a_release_hold_program_pages_and_completions_under_the_names_that_binstall_knows() {
    if !["python3", "tar", "sha256sum"].into_iter().all(is_there) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::create_dir(path("wheels")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let binary = env!("CARGO_BIN_EXE_annosync");
    run("python3", &["-c", WHEELS, &path("wheels"), version, binary]).exits(0);
    let make = |out: &str| {
        run("python3", &[".ci/archives.py", &path("wheels"), &path(out)]).exits(0);
        fs::read_to_string(folder.path().join(out).join("SHA256SUMS")).unwrap()
    };
    let sums = make("archives");
    assert_eq!(sums, make("again"), "the same wheels give the same bytes");
    let mut check = Command::new("sha256sum");
    check
        .current_dir(path("archives"))
        .args(["--check", "SHA256SUMS"]);
    Run::of(check).exits(0);

    let settings = settings("Cargo.toml");
    let setting = |section: &str, key: &str, target: &str| {
        let value = &settings[&(
            format!("package.metadata.binstall{section}"),
            key.to_owned(),
        )];
        let known = [
            ("name", "annosync"),
            ("version", version),
            ("target", target),
            ("bin", "annosync"),
        ];
        known.iter().fold(
            value.replace("{ binary-ext }", ""),
            |text, (name, value)| text.replace(&format!("{{ {name} }}"), value),
        )
    };
    let names: Vec<&str> = sums
        .lines()
        .map(|line| line.split("  ").nth(1).unwrap())
        .collect();
    assert_eq!(names.len(), 7);
    for name in names {
        let target = name.strip_prefix(&format!("annosync-v{version}-")).unwrap();
        let (target, section) = match target.strip_suffix(".zip") {
            Some(target) => (target, format!(".overrides.{target}")),
            None => (target.strip_suffix(".tar.gz").unwrap(), String::new()),
        };
        let url = format!("{{ repo }}/releases/download/v{version}/{name}");
        assert_eq!(setting(&section, "pkg-url", target), url);
    }

    let target = "x86_64-unknown-linux-gnu";
    let archive = path(&format!("archives/annosync-v{version}-{target}.tar.gz"));
    run(
        "tar",
        &["-xzf", &archive, "-C", folder.path().to_str().unwrap()],
    )
    .exits(0);
    let program = setting("", "bin-dir", target);
    let printed = run(&path(&program), &["--version"]).exits(0);
    assert_eq!(printed.stdout, format!("annosync {version}\n"));
    let inside =
        |name: &str| fs::read_to_string(path(&program.replace("/annosync", name))).unwrap();
    assert!(inside("/man/man1/annosync-plan.1").contains("annosync\\-plan"));
    assert!(inside("/completions/annosync.bash").contains("complete -F _annosync"));
    assert!(inside("/completions/_annosync").starts_with("#compdef annosync\n"));
    assert_eq!(inside("/LICENSE"), text("LICENSE"));
}

/// The image is built from the files that `.dockerignore` lets through: cargo must find every target among them.
#[test]
fn the_image_is_built_from_all_files_that_cargo_needs() {
    let folder = tempfile::tempdir().unwrap();
    let ignored = text(".dockerignore");
    let mut lines = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"));
    let mut passed: Vec<PathBuf> = lines
        .map(|line| line.strip_prefix('!').unwrap().into())
        .collect();
    while let Some(path) = passed.pop() {
        let from = repository().join(&path);
        if from.is_dir() {
            fs::create_dir(folder.path().join(&path)).unwrap();
            let entries = fs::read_dir(&from).unwrap();
            passed.extend(entries.map(|entry| path.join(entry.unwrap().file_name())));
        } else {
            fs::copy(&from, folder.path().join(&path)).unwrap();
        }
    }
    assert!(
        folder
            .path()
            .join("examples/ci/gitlab/.gitlab-ci.yml")
            .is_file()
    );
    let mut metadata = Command::new(env!("CARGO"));
    metadata.current_dir(folder.path()).args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]);
    Run::of(metadata).exits(0);
    let image = text("Dockerfile");
    assert!(
        image.contains("\nFROM scratch\n") && image.contains("\nUSER 65532:65532\n"),
        "{image}"
    );
}

#[test]
fn the_hooks_for_pre_commit_run_in_a_project() {
    let hooks: Value = serde_yaml::from_str(&text(".pre-commit-hooks.yaml")).unwrap();
    let mut names = Vec::new();
    for hook in hooks.as_sequence().unwrap() {
        let entry = hook["entry"].as_str().unwrap();
        assert_eq!(hook["language"], "system");
        names.push(hook["id"].as_str().unwrap().to_owned());
        let program = entry.strip_prefix("annosync ").unwrap();
        let example = quickstart();
        let mut command = command(example.path());
        command.arg(program);
        Run::of(command).exits(0);
    }
    assert_eq!(names, ["annosync-validate", "annosync-fmt"]);
}
