//! Checks of the pipelines without running them.

use crate::cli::is_there;
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Reads a pipeline of `examples/ci`.
pub(super) fn pipeline(path: &str) -> Value {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    serde_yaml::from_str(&fs::read_to_string(examples.join(path)).unwrap()).unwrap()
}

/// A pipeline with another API URL, which is set in one line.
pub(super) fn pipeline_at(path: &str, url: &str) -> Value {
    let mut pipeline = pipeline(path);
    let variables = match pipeline.get_mut(".annosync") {
        Some(shared) => shared.get_mut("variables"),
        None => pipeline.get_mut("env"),
    };
    let host = variables.unwrap().get_mut("ANNOSYNC_ENDPOINT").unwrap();
    assert_eq!(host, "https://api.clarifai.com");
    *host = url.into();
    pipeline
}

/// The action of this repository.
pub(super) fn action() -> Value {
    pipeline("../../action.yml")
}

/// A job of GitLab with the keys of the one that it extends. Variables of both count.
pub(super) fn extended(pipeline: &Value, name: &str) -> Value {
    let mut job = pipeline[name].as_mapping().unwrap().clone();
    if let Some(base) = job.shift_remove("extends") {
        for (key, value) in pipeline[scalar(&base).as_str()].as_mapping().unwrap() {
            match (job.get_mut(key), value) {
                (None, _) => {
                    job.insert(key.clone(), value.clone());
                }
                (Some(Value::Mapping(own)), Value::Mapping(shared)) => {
                    for (name, value) in shared {
                        if !own.contains_key(name) {
                            own.insert(name.clone(), value.clone());
                        }
                    }
                }
                (Some(_), _) => {}
            }
        }
    }
    Value::Mapping(job)
}

/// The value at a path of keys, if it exists.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}

/// A list; empty if there is none.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    let list = value.and_then(Value::as_sequence);
    list.map_or(&[], Vec::as_slice)
}

/// A scalar as text.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => panic!("not a scalar: {other:?}"),
    }
}

/// The entries of a map of scalars in order; empty if there is no map.
pub(super) fn entries(value: Option<&Value>) -> Vec<(String, String)> {
    let Some(map) = value.and_then(Value::as_mapping) else {
        return Vec::new();
    };
    map.iter()
        .map(|(key, value)| (scalar(key), scalar(value)))
        .collect()
}

const WORKFLOWS: [&str; 3] = ["github/plan.yml", "github/apply.yml", "github/drift.yml"];
pub(super) const GITLAB: &str = "gitlab/.gitlab-ci.yml";
pub(super) const RELEASE: &str = "../../.github/workflows/release.yml";

/// Every step of the workflows of `examples/ci`.
fn steps() -> Vec<(String, Value)> {
    steps_of(&WORKFLOWS)
}

/// Every step of workflows.
pub(super) fn steps_of(paths: &[&str]) -> Vec<(String, Value)> {
    let mut steps = Vec::new();
    for path in paths.iter().copied() {
        let workflow = pipeline(path);
        let jobs = workflow["jobs"].as_mapping().unwrap();
        for (_, job) in jobs {
            let all = list(job.get("steps")).iter().cloned();
            steps.extend(all.map(|step| (path.to_owned(), step)));
        }
    }
    steps
}

/// Every script of every pipeline.
fn scripts() -> Vec<(String, String)> {
    let action = action();
    let of_action = list(at(&action, &["runs", "steps"])).iter().cloned();
    let mut scripts: Vec<(String, String)> = steps_of(&[&WORKFLOWS[..], &[RELEASE]].concat())
        .into_iter()
        .chain(of_action.map(|step| ("action.yml".to_owned(), step)))
        .filter_map(|(path, step)| Some((path, step.get("run")?.as_str()?.to_owned())))
        .collect();
    let gitlab = pipeline(GITLAB);
    for (_, job) in gitlab.as_mapping().unwrap() {
        for key in ["before_script", "script"] {
            let lines = list(job.get(key)).iter().map(scalar);
            scripts.extend(lines.map(|line| (GITLAB.to_owned(), line)));
        }
    }
    scripts
}

#[test]
fn every_script_is_valid_bash() {
    if !is_there("bash") {
        return;
    }
    let scripts = scripts();
    assert!(scripts.len() > 25, "{}", scripts.len());
    for (path, script) in scripts {
        let check = Command::new("bash").args(["-n", "-c", &script]).output();
        let check = check.unwrap();
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success(), "{path}: {said}\n{script}");
        // The titles and branch names of pull requests are untrusted, so they must not be inserted into a script.
        assert!(!script.contains("${{"), "{path}: {script}");
        assert!(
            script.starts_with("set -euo pipefail\n") || !script.contains('\n'),
            "{path}: {script}"
        );
    }
}

#[test]
fn only_known_actions_are_used_by_tag() {
    let steps = steps();
    let uses = steps.iter().filter_map(|(_, step)| step.get("uses"));
    let uses: BTreeSet<String> = uses.map(scalar).collect();
    assert_eq!(
        uses.into_iter().collect::<Vec<_>>(),
        ["actions/checkout@v4", "actions/upload-artifact@v4"]
    );
}

#[test]
fn workflows_have_only_the_permissions_that_they_need() {
    let permissions = WORKFLOWS.map(|path| {
        let workflow = pipeline(path);
        let given = entries(workflow.get("permissions"));
        let given: Vec<String> = given
            .iter()
            .map(|(of, how)| format!("{of}: {how}"))
            .collect();
        format!("{path}: {}", given.join(", "))
    });
    insta::assert_snapshot!(permissions.join("\n"), @"
    github/plan.yml: contents: read, pull-requests: write
    github/apply.yml: contents: read, actions: read, pull-requests: read
    github/drift.yml: contents: read
    ");
    // A job has no other permissions.
    for path in WORKFLOWS {
        let workflow = pipeline(path);
        for (_, job) in workflow["jobs"].as_mapping().unwrap() {
            assert_eq!(job.get("permissions"), None, "{path}");
        }
    }
}

#[test]
fn only_steps_that_need_the_token_get_it() {
    for (path, step) in steps() {
        let run = step.get("run").map(scalar).unwrap_or_default();
        let calls = run.contains("annosync plan ") || run.contains("annosync apply ");
        let has = at(&step, &["env", "CLARIFAI_PAT"]).is_some();
        assert_eq!(has, calls, "{path}: {run}");
    }
    for path in WORKFLOWS {
        assert!(at(&pipeline(path), &["env", "CLARIFAI_PAT"]).is_none());
    }
}

#[test]
fn a_pull_request_cannot_choose_the_annosync_that_plans_it() {
    let plan = pipeline("github/plan.yml");
    let steps = list(at(&plan, &["jobs", "plan", "steps"])).iter();
    let steps: Vec<String> = steps
        .map(|step| scalar(step.get("run").or(step.get("uses")).unwrap()))
        .collect();
    let checkout = steps.iter().position(|step| step == "actions/checkout@v4");
    let install = steps.iter().position(|step| step.contains(" pip install "));
    assert!(install < checkout, "{steps:#?}");
    let gitlab = pipeline(GITLAB);
    let before = list(at(&gitlab, &[".annosync", "before_script"]));
    // Python loads modules of the folder that it runs in, unless it is told not to.
    for (script, folder) in [
        (
            &steps[install.unwrap()],
            "\ncd \"$RUNNER_TEMP\"\npython3 -I -m venv ",
        ),
        (&scalar(&before[0]), "\ncd \"$tools\"\npython3 -I -m venv "),
    ] {
        assert!(script.contains(folder), "{script}");
        assert!(script.contains("bin/python -I -m pip install "), "{script}");
    }
    // A cache could have been written by another merge request.
    for (name, job) in gitlab.as_mapping().unwrap() {
        assert!(job.get("cache").is_none(), "{name:?}");
    }
}

#[test]
fn applies_do_not_run_concurrently() {
    let apply = pipeline("github/apply.yml");
    let group = entries(apply.get("concurrency"));
    let expected = [("group", "annosync-apply"), ("cancel-in-progress", "false")];
    assert_eq!(group, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let gitlab = pipeline(GITLAB);
    let group = at(&gitlab, &["annosync-apply", "resource_group"]).unwrap();
    assert_eq!(group, "annosync-apply");
}

#[test]
fn the_pipelines_install_nothing_by_a_name_that_is_not_published() {
    let package = ("ANNOSYNC_PACKAGE".to_owned(), String::new());
    for path in WORKFLOWS {
        assert!(
            entries(pipeline(path).get("env")).contains(&package),
            "{path}"
        );
    }
    let shared = entries(at(&pipeline(GITLAB), &[".annosync", "variables"]));
    assert!(shared.contains(&package));
    assert_eq!(at(&action(), &["inputs", "package", "default"]), None);
}

#[test]
fn gitlab_runs_each_job_only_for_its_trigger() {
    let gitlab = pipeline(GITLAB);
    let mut rules = String::new();
    for (name, job) in gitlab.as_mapping().unwrap() {
        for rule in list(job.get("rules")) {
            writeln!(rules, "{}: {}", scalar(name), scalar(&rule["if"])).unwrap();
        }
    }
    insta::assert_snapshot!(rules, @r#"
    workflow: $CI_PIPELINE_SOURCE == "merge_request_event"
    workflow: $CI_PIPELINE_SOURCE == "schedule"
    workflow: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    annosync-fork: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID != $CI_MERGE_REQUEST_PROJECT_ID
    annosync-plan: $CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID
    annosync-apply: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    annosync-drift: $CI_PIPELINE_SOURCE == "schedule"
    "#);
}
