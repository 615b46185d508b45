//! What repeats the pipelines of `examples/ci` for use from elsewhere, and the workflow that publishes annosync.

use super::texts::{GITLAB, RELEASE, action, at, entries, list, pipeline, scalar, steps_of};
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Name, script, artifact and the names of the variables of a step.
fn parts(step: &Value) -> (String, String, Vec<(String, String)>, BTreeSet<String>) {
    let text = |key: &str| step.get(key).map(scalar).unwrap_or_default();
    let variables = entries(step.get("env")).into_iter();
    // The action's steps have no variables of a workflow, and keep what pip downloads.
    let shared = ["ANNOSYNC_", "PIP_CACHE_DIR"];
    let own = variables.filter(|(name, _)| !shared.iter().any(|start| name.starts_with(start)));
    (
        text("name"),
        text("run"),
        entries(step.get("with")),
        own.map(|(name, _)| name).collect(),
    )
}

#[test]
fn the_action_does_what_the_workflow_for_pull_requests_does() {
    let action = action();
    let steps = list(at(&action, &["runs", "steps"]));
    assert_eq!(steps[0]["uses"], "actions/cache@v4");
    let repeated: Vec<_> = steps[1..].iter().map(parts).collect();
    let plan = pipeline("github/plan.yml");
    let steps = list(at(&plan, &["jobs", "plan", "steps"]));
    let is_repeated = |step: &&Value| {
        step.get("uses")
            .is_none_or(|uses| uses != "actions/checkout@v4")
            && step
                .get("name")
                .is_none_or(|name| name != "Publish the pictures")
    };
    let original: Vec<_> = steps.iter().filter(is_repeated).map(parts).collect();
    assert_eq!(repeated, original);
}

#[test]
fn the_action_caches_nothing_that_a_pull_request_can_write() {
    let action = action();
    let cache = &list(at(&action, &["runs", "steps"]))[0];
    let condition = "inputs.cache == 'true' && github.event_name != 'pull_request'";
    assert_eq!(cache["if"], condition);
}

/// The inputs of the component, and the lines of the pipeline that they replace.
const INPUTS: [(&str, &str, &str); 6] = [
    ("package", "ANNOSYNC_PACKAGE: ", "\"\""),
    ("target", "ANNOSYNC_TARGET: ", "prod"),
    (
        "endpoint",
        "ANNOSYNC_ENDPOINT: ",
        "https://api.clarifai.com",
    ),
    ("image", "image: ", "python:3"),
    ("plan-stage", "stage: ", "plan"),
    ("apply-stage", "stage: ", "apply"),
];

/// `ANNOSYNC_WRITE_COMPONENT=1` writes the component's jobs again after a change of the pipeline.
#[test]
fn the_component_has_the_jobs_of_the_pipeline() {
    let pipeline = fs::read_to_string(repository().join("examples/ci").join(GITLAB)).unwrap();
    let start = pipeline.find("# What every job shares.\n").unwrap();
    let mut jobs = pipeline[start..].to_owned();
    for (input, key, value) in INPUTS {
        let line = format!("{key}{value}\n");
        assert!(jobs.contains(&line), "{line}");
        jobs = jobs.replace(&line, &format!("{key}$[[ inputs.{input} ]]\n"));
    }
    let path = repository().join("templates/annosync.yml");
    let component = fs::read_to_string(&path).unwrap();
    let (specification, _) = component.split_once("\n---\n").unwrap();
    let expected = format!("{specification}\n---\n{jobs}");
    if std::env::var_os("ANNOSYNC_WRITE_COMPONENT").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert_eq!(component, expected);
    }
    let specification: Value = serde_yaml::from_str(specification).unwrap();
    let inputs = at(&specification, &["spec", "inputs"]).unwrap();
    let names: Vec<String> = inputs.as_mapping().unwrap().keys().map(scalar).collect();
    assert_eq!(names, INPUTS.map(|(name, _, _)| name));
    for (name, _, value) in INPUTS {
        // The stages that every pipeline has, unless it names others.
        let default = match name {
            "plan-stage" => "test",
            "apply-stage" => "deploy",
            // It has to be given.
            "package" => {
                assert_eq!(inputs[name].get("default"), None);
                continue;
            }
            _ => value,
        };
        assert_eq!(inputs[name]["default"], default, "{name}");
    }
}

#[test]
fn a_release_publishes_only_what_was_tried_and_each_job_may_do_only_its_part() {
    let release = pipeline(RELEASE);
    let mut jobs = Vec::new();
    for (name, job) in release["jobs"].as_mapping().unwrap() {
        let permissions = entries(job.get("permissions")).into_iter();
        let permissions: Vec<_> = permissions
            .map(|(of, how)| format!("{of}: {how}"))
            .collect();
        let needs = match job.get("needs") {
            None => Vec::new(),
            Some(Value::Sequence(needs)) => needs.iter().map(scalar).collect(),
            Some(one) => vec![scalar(one)],
        };
        let (name, needs) = (scalar(name), needs.join(", "));
        jobs.push(format!("{name} <- {needs} [{}]", permissions.join(", ")));
    }
    insta::assert_snapshot!(jobs.join("\n"), @r"
    check <-  []
    wheels <- check []
    sdist <- check []
    try <- wheels []
    archives <- wheels, sdist [contents: read, id-token: write, attestations: write]
    wheel-to-pypi <- try, archives [id-token: write]
    crate <- try, archives [contents: read, id-token: write]
    release <- wheel-to-pypi, crate [contents: write]
    ");
    assert_eq!(
        entries(release.get("permissions")),
        [("contents".into(), "read".into())]
    );
    let steps = steps_of(&[RELEASE]);
    let uses = steps.iter().filter_map(|(_, step)| step.get("uses"));
    let uses: BTreeSet<String> = uses.map(scalar).collect();
    insta::assert_snapshot!(uses.into_iter().collect::<Vec<_>>().join("\n"), @r"
    PyO3/maturin-action@v1
    actions/attest-build-provenance@v2
    actions/checkout@v4
    actions/download-artifact@v4
    actions/setup-python@v5
    actions/upload-artifact@v4
    pypa/gh-action-pypi-publish@release/v1
    rust-lang/crates-io-auth-action@v1
    ");
}

#[test]
fn every_platform_of_a_release_has_an_archive() {
    let release = pipeline(RELEASE);
    let matrix = at(
        &release,
        &["jobs", "wheels", "strategy", "matrix", "include"],
    );
    let built: BTreeSet<String> = list(matrix)
        .iter()
        .map(|row| scalar(&row["target"]))
        .collect();
    let script = fs::read_to_string(repository().join(".ci/archives.py")).unwrap();
    let (_, table) = script.split_once("\nTARGETS = {\n").unwrap();
    let (table, _) = table.split_once("\n}").unwrap();
    let known = table
        .lines()
        .map(|line| line.split('"').nth(3).unwrap().to_owned());
    assert_eq!(built, known.collect());
}

#[test]
fn every_yaml_file_of_the_repository_is_valid() {
    let mut folders = vec![repository().to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    for name in [".github", "examples", "templates"] {
        folders.push(repository().join(name));
    }
    let mut is_root = true;
    let mut index = 0;
    while index < folders.len() {
        for entry in fs::read_dir(&folders[index]).unwrap() {
            let path = entry.unwrap().path();
            let is_yaml = path
                .extension()
                .is_some_and(|end| end == "yml" || end == "yaml");
            if path.is_dir() && !is_root {
                folders.push(path);
            } else if is_yaml {
                files.push(path);
            }
        }
        is_root = false;
        index += 1;
    }
    assert!(files.len() > 9, "{files:#?}");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for document in text.split("\n---\n") {
            let value: Result<Value, _> = serde_yaml::from_str(document);
            assert!(
                value.is_ok_and(|value| !value.is_null()),
                "{}",
                path.display()
            );
        }
    }
}
