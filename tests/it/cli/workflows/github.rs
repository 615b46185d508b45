//! The workflows for GitHub Actions, from the first branch to the last apply.

use super::texts::{at, entries, list, pipeline, scalar};
use super::{LABELS, Project};
use crate::cli::Run;
use serde_json::{Value as Json, json};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// GitHub, as far as the workflows know it: a hub of files, which `gh.sh` reads and writes as well.
struct GitHub {
    project: Project,
}

/// A run of a workflow's job.
struct JobRun {
    id: usize,
    /// Of the step that failed, its exit code; else 0.
    code: i32,
    /// What its steps printed.
    log: String,
    /// What it wrote to the run's summary.
    summary: String,
    folder: PathBuf,
}

impl JobRun {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }

    #[track_caller]
    fn says(self, text: &str) -> Self {
        assert!(
            self.log.contains(text),
            "{text:?} is nowhere in\n{}",
            self.log
        );
        self
    }
}

/// What happened: what the expressions of a workflow may ask for, and what is checked out.
struct Event {
    name: &'static str,
    /// The commit that the run is listed under.
    head: String,
    commit: String,
    context: BTreeMap<String, String>,
}

impl GitHub {
    fn new() -> Option<Self> {
        let project = Project::new()?;
        project.program("gh", include_str!("gh.sh"));
        let hub = Self { project };
        for file in ["comments", "pulls", "runs"] {
            hub.write(file, &json!([]));
        }
        // The workflows that run are those that init wrote.
        for name in ["plan", "apply", "drift"] {
            let path = format!(".github/workflows/annosync-{name}.yml");
            let text = fs::read_to_string(hub.project.dev().join(path)).unwrap();
            let written: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(written, pipeline(&format!("github/{name}.yml")));
        }
        Some(hub)
    }

    fn hub(&self) -> PathBuf {
        self.project.path().join("hub")
    }

    fn read(&self, file: &str) -> Vec<Json> {
        let text = fs::read_to_string(self.hub().join(format!("{file}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn write(&self, file: &str, content: &Json) {
        fs::write(self.hub().join(format!("{file}.json")), content.to_string()).unwrap();
    }

    /// The developer pushes a branch, and opens a pull request or adds to it: the workflow of pull requests runs.
    fn push(&self, number: usize, branch: &str) -> JobRun {
        self.push_from(number, branch, "acme/street", "plan")
    }

    fn push_from(&self, number: usize, branch: &str, repository: &str, job: &str) -> JobRun {
        let project = &self.project;
        let head = project.push(branch);
        // What GitHub makes of it: main, with the branch merged.
        let dev = project.dev();
        project.git(&dev, &["checkout", "-q", "--detach", "main"]);
        project.git(&dev, &["merge", "-q", "--no-ff", "-m", "Test", branch]);
        let commit = project.git(&dev, &["rev-parse", "HEAD"]);
        let reference = format!("HEAD:refs/pull/{number}/merge");
        project.git(&dev, &["push", "-q", "--force", "origin", &reference]);
        project.git(&dev, &["checkout", "-q", branch]);
        let mut pulls = self.read("pulls");
        pulls.retain(|pull| pull["number"] != number);
        pulls.push(json!({
            "number": number, "merged_at": null, "merge_commit_sha": commit, "commits": [head],
            "head": {"sha": head, "repo": {"full_name": repository}},
        }));
        self.write("pulls", &pulls.into());
        let event = "github.event.pull_request";
        let context = BTreeMap::from([
            (format!("{event}.number"), number.to_string()),
            (format!("{event}.head.sha"), head.clone()),
            (
                format!("{event}.head.repo.full_name"),
                repository.to_owned(),
            ),
        ]);
        let event = Event {
            name: "pull_request",
            head,
            commit,
            context,
        };
        self.job("plan", job, event)
    }

    /// The pull request is merged: the workflow of main runs.
    fn merge(&self, number: usize, branch: &str) -> JobRun {
        let merged = self.project.merge(branch);
        let mut pulls = self.read("pulls");
        let pull = pulls.iter_mut().find(|pull| pull["number"] == number);
        let pull = pull.unwrap();
        pull["merged_at"] = "2026-01-01T00:00:00Z".into();
        pull["merge_commit_sha"] = merged.clone().into();
        pull["commits"].as_array_mut().unwrap().push(merged.into());
        self.write("pulls", &pulls.into());
        self.pushed_to_main()
    }

    /// The workflow of main runs for what main is.
    fn pushed_to_main(&self) -> JobRun {
        self.on_main("apply", "push")
    }

    fn on_main(&self, workflow: &str, name: &'static str) -> JobRun {
        let commit = self
            .project
            .git(&self.project.dev(), &["rev-parse", "main"]);
        let event = Event {
            name,
            head: commit.clone(),
            commit,
            context: BTreeMap::new(),
        };
        self.job(workflow, workflow, event)
    }

    /// Runs a job of a workflow, step by step, as GitHub would.
    fn job(&self, workflow: &str, job: &str, mut event: Event) -> JobRun {
        let file = format!("annosync-{workflow}.yml");
        let text = pipeline(&format!("github/{workflow}.yml"));
        let triggers: Vec<&str> = at(&text, &["on"])
            .and_then(Value::as_mapping)
            .unwrap()
            .keys()
            .filter_map(Value::as_str)
            .collect();
        assert!(triggers.contains(&event.name), "{triggers:?}");
        let mut runs = self.read("runs");
        let id = 1000 + runs.len();
        runs.push(json!({"id": id, "workflow": file, "event": event.name, "head_sha": event.head}));
        self.write("runs", &runs.into());

        let context = &mut event.context;
        for (name, value) in [
            ("github.repository", "acme/street"),
            ("github.token", "github-token"),
            ("github.run_attempt", "1"),
            ("secrets.CLARIFAI_PAT", "owner-key"),
        ] {
            context.insert(name.to_owned(), value.to_owned());
        }
        let definition = at(&text, &["jobs", job]).unwrap();
        if let Some(condition) = definition.get("if") {
            assert!(holds(&scalar(condition), context), "{condition:?}");
        }
        let folder = self.project.path().join(format!("run-{id}"));
        let workspace = folder.join("workspace");
        fs::create_dir_all(&workspace).unwrap();
        for file in ["summary", "output"] {
            fs::write(folder.join(file), "").unwrap();
        }
        let permissions: Vec<String> = entries(text.get("permissions"))
            .iter()
            .map(|(of, how)| format!("{of}={how}"))
            .collect();
        let mut environment = entries(text.get("env"));
        assert_eq!(definition.get("env"), None, "not known here");
        let show = |path: &Path| path.to_str().unwrap().to_owned();
        for (name, value) in [
            ("GITHUB_REPOSITORY", "acme/street".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_SHA", event.commit.clone()),
            ("GITHUB_RUN_ID", id.to_string()),
            ("GITHUB_OUTPUT", show(&folder.join("output"))),
            ("GITHUB_STEP_SUMMARY", show(&folder.join("summary"))),
            ("RUNNER_TEMP", show(&folder)),
            ("HUB", show(&self.hub())),
            ("HUB_PERMISSIONS", permissions.join(" ")),
        ] {
            environment.push((name.to_owned(), value));
        }
        let shell = at(&text, &["defaults", "run", "shell"]).map(scalar);
        assert_eq!(shell.as_deref(), Some("bash"));

        let mut run = JobRun {
            id,
            code: 0,
            log: String::new(),
            summary: String::new(),
            folder,
        };
        for step in list(definition.get("steps")) {
            let known = ["name", "id", "if", "env", "run", "uses", "with"];
            for (key, _) in step.as_mapping().unwrap() {
                assert!(known.contains(&key.as_str().unwrap()), "{key:?}");
            }
            let goes = match step.get("if").map(scalar).as_deref() {
                None => run.code == 0,
                Some("always()") => true,
                Some(other) => panic!("not known here: {other}"),
            };
            if !goes {
                continue;
            }
            let with: BTreeMap<String, String> = entries(step.get("with"))
                .into_iter()
                .map(|(key, value)| (key, filled(&value, context)))
                .collect();
            let ended = match step.get("uses").map(scalar).as_deref() {
                None => {
                    let own = entries(step.get("env"));
                    let own = own.iter().map(|(key, value)| (key, filled(value, context)));
                    let mut command = self.project.command(&workspace, "bash");
                    let script = run.folder.join("step.sh");
                    fs::write(&script, scalar(&step["run"])).unwrap();
                    command
                        .args(["--noprofile", "--norc", "-eo", "pipefail"])
                        .arg(&script)
                        .envs(environment.iter().cloned())
                        .envs(own);
                    Run::of(command)
                }
                Some("actions/checkout@v4") => self.checkout(&workspace, &event.commit, &with),
                Some("actions/upload-artifact@v4") => self.upload(&workspace, id, &with),
                Some(other) => panic!("not known here: {other}"),
            };
            run.log
                .push_str(&format!("{}{}", ended.stdout, ended.stderr));
            if run.code == 0 {
                run.code = ended.code;
            }
            if let Some(name) = step.get("id").map(scalar) {
                let outputs = fs::read_to_string(run.folder.join("output")).unwrap();
                for line in outputs.lines() {
                    let (key, value) = line.split_once('=').unwrap();
                    let key = format!("steps.{name}.outputs.{key}");
                    context.insert(key, value.to_owned());
                }
            }
        }
        run.summary = fs::read_to_string(run.folder.join("summary")).unwrap();
        run
    }

    /// What `actions/checkout` does.
    fn checkout(&self, workspace: &Path, commit: &str, with: &BTreeMap<String, String>) -> Run {
        let depth = with.get("fetch-depth").map_or("1", String::as_str);
        assert_eq!(with["persist-credentials"], "false");
        let project = &self.project;
        project.git(workspace, &["init", "-q"]);
        let origin = project.origin();
        project.git(
            workspace,
            &["fetch", "-q", "--depth", depth, &origin, commit],
        );
        let mut checkout = project.command(workspace, "git");
        checkout.args(["checkout", "-q", "--detach", commit]);
        Run::of(checkout)
    }

    /// What `actions/upload-artifact` does.
    fn upload(&self, workspace: &Path, run: usize, with: &BTreeMap<String, String>) -> Run {
        let ended = |code: i32, said: &str| Run {
            code,
            stdout: String::new(),
            stderr: format!("{said}\n"),
        };
        let artifact = self.artifact(run, &with["name"]);
        let files = with["path"].lines().map(|line| workspace.join(line));
        let files: Vec<PathBuf> = files.filter(|path| path.exists()).collect();
        if files.is_empty() {
            return match &*with["if-no-files-found"] {
                "ignore" => ended(0, "No files were found."),
                _ => ended(1, "No files were found."),
            };
        }
        if artifact.exists() && with.get("overwrite").is_none_or(|flag| flag != "true") {
            return ended(1, "An artifact of this name is there.");
        }
        fs::create_dir_all(&artifact).unwrap();
        for file in files {
            fs::copy(&file, artifact.join(file.file_name().unwrap())).unwrap();
        }
        ended(0, "Uploaded.")
    }

    fn artifact(&self, run: usize, name: &str) -> PathBuf {
        let all = self.hub().join("artifacts");
        all.join(run.to_string()).join(name)
    }

    /// The body of the only comment of a pull request.
    #[track_caller]
    fn comment(&self, number: usize) -> String {
        let comments = self.read("comments");
        let of_bot = |comment: &&Json| {
            comment["pull"] == number.to_string()
                && comment["user"]["login"] == "github-actions[bot]"
        };
        let bodies: Vec<&Json> = comments.iter().filter(of_bot).collect();
        let [only] = bodies[..] else {
            panic!("not one comment: {bodies:#?}");
        };
        only["body"].as_str().unwrap().to_owned()
    }
}

/// A text with its expressions filled in.
fn filled(text: &str, context: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        let value = context.get(expression.trim());
        let value = value.unwrap_or_else(|| panic!("not known here: {expression}"));
        filled.extend([before, value]);
        rest = after;
    }
    filled + rest
}

/// Whether a condition holds: two names, equal or not.
fn holds(condition: &str, context: &BTreeMap<String, String>) -> bool {
    let value = |name: &str| context[name.trim()].clone();
    match condition.split_once(" == ") {
        Some((left, right)) => value(left) == value(right),
        None => {
            let (left, right) = condition.split_once(" != ").unwrap();
            value(left) != value(right)
        }
    }
}

/// Relabels the first car of the example.
fn relabel(project: &Project) {
    project.edit(LABELS, "concepts: [car]", "concepts: [person]");
}

#[test]
fn a_label_is_edited_on_a_branch_planned_commented_merged_and_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    // The app was applied by hand once: a commit without a plan is fine as long as there is nothing to apply.
    hub.pushed_to_main().exits(0).says("No changes.");

    project.branch("edit");
    relabel(project);
    let planned = hub.push(1, "edit").exits(0);
    let first = hub.comment(1);
    assert!(first.starts_with("<!-- annosync:plan"), "{first}");
    assert!(first.contains("person"), "{first}");
    assert!(first.contains("/acme/street/actions/runs/1001"), "{first}");
    assert!(
        first.contains(planned.summary.trim_end()),
        "{}",
        planned.summary
    );
    assert_eq!(project.world.writes().len(), 0, "a plan writes nothing");

    // Somebody quotes the comment: that is theirs, and stays.
    let mut comments = hub.read("comments");
    comments.push(json!({"id": 7, "pull": "1", "user": {"login": "bea"}, "body": first}));
    hub.write("comments", &comments.into());
    // A second push, the same comment.
    project.edit(LABELS, "night: false", "night: true");
    let planned = hub.push(1, "edit").exits(0);
    let second = hub.comment(1);
    assert!(second.contains("night"), "{second}");
    assert_ne!(first, second);
    assert_eq!(hub.read("comments").len(), 2);

    let applied = hub.merge(1, "edit").exits(0);
    assert!(applied.log.contains("No changes."), "{}", applied.log);
    assert!(
        applied.summary.contains("Applied 2 ("),
        "{}",
        applied.summary
    );
    assert_eq!(project.count("person"), 1);
    project.is_settled();
    // What was applied is what was shown, byte for byte.
    let reviewed = hub.artifact(planned.id, "annosync-plan").join("plan.json");
    let carried_out = applied.folder.join("workspace/reviewed/plan.json");
    assert_eq!(fs::read(reviewed).unwrap(), fs::read(carried_out).unwrap());

    // And it can be taken back.
    let kept = hub.artifact(applied.id, "annosync-apply-1");
    let log = fs::read_to_string(kept.join("apply.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    let undo = kept.join("undo.json");
    let undo = undo.to_str().unwrap();
    let undone = project.run(
        &project.dev(),
        &["annosync", "apply", undo, "--auto-approve"],
    );
    undone.exits(0);
    assert_eq!(project.count("person"), 0);
}

#[test]
fn a_plan_of_another_main_is_refused_and_a_new_one_carries_on() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("one");
    relabel(project);
    hub.push(1, "one").exits(0);
    project.branch("two");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(2, "two").exits(0);
    hub.merge(1, "one").exits(0);
    project.world.emulator.forget_calls();
    let refused = hub.merge(2, "two").exits(4);
    assert_eq!(project.world.writes().len(), 0);
    refused
        .says("is a plan of another manifest")
        .says("::error::Not all of the reviewed plan was applied (exit code 4). To have a new plan reviewed, open a pull request");
    // What it says to do.
    project.branch("three");
    hub.push(3, "three").exits(0);
    assert!(hub.comment(3).contains("night"));
    hub.merge(3, "three").exits(0);
    project.is_settled();
}

#[test]
fn what_somebody_did_after_the_plan_is_left_alone() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    relabel(project);
    project.edit(LABELS, "left: 0.05", "left: 0.06");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let night = project.id_of("night");
    project.someone_marks_as_pending(&night);
    let theirs = project.world.annotation(&night);
    hub.merge(1, "edit")
        .exits(4)
        .says("Applied 2 (2 overwritten), 0 already so, 1 stale");
    assert_eq!(project.world.annotation(&night), theirs);
    assert_eq!(project.count("person"), 1, "the others are applied");
}

#[test]
fn what_nobody_reviewed_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    let dev = project.dev();
    // Straight to main.
    relabel(project);
    project.push("main");
    hub.pushed_to_main()
        .exits(1)
        .says("::error::Nobody reviewed a plan of this commit, and nothing was applied.");
    assert_eq!(project.world.writes().len(), 0);
    // A pull request whose plan left nothing behind.
    project.branch("edit");
    let run = hub.push(1, "edit").exits(0);
    fs::remove_dir_all(hub.artifact(run.id, "annosync-plan")).unwrap();
    hub.merge(1, "edit").exits(1).says("left no plan");
    assert_eq!(project.world.writes().len(), 0);
    // A commit that came with a pull request, and is not its merge: what is on main now, nobody looked at.
    project.branch("late");
    hub.push(2, "late").exits(0);
    project.merge("late");
    project.edit(LABELS, "night: false", "night: true");
    project.push("main");
    let on_main = project.git(&dev, &["rev-parse", "main"]);
    let mut pulls = hub.read("pulls");
    pulls[1]["merged_at"] = "2026-01-01T00:00:00Z".into();
    pulls[1]["commits"] = json!([on_main]);
    hub.write("pulls", &pulls.into());
    hub.pushed_to_main().exits(1).says("Nobody reviewed");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn a_fork_gets_no_plan_and_what_it_says_is_its_plan_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    relabel(project);
    let skipped = hub.push_from(1, "edit", "mallory/street", "fork").exits(0);
    assert_eq!(hub.read("comments").len(), 0);
    // The fork's own workflow leaves a plan behind that fits the manifest.
    let artifact = hub.artifact(skipped.id, "annosync-plan");
    fs::create_dir_all(&artifact).unwrap();
    let out = artifact.join("plan.json");
    let plan = ["annosync", "plan", "--target", "prod", "--out"];
    let plan = [&plan[..], &[out.to_str().unwrap()]].concat();
    project.run(&project.dev(), &plan).exits(0);
    skipped.says("::notice::No plan: a pull request from a fork gets no token.");
    hub.merge(1, "edit")
        .exits(1)
        .says("No pull request of this repository was merged as ");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn a_plan_that_a_guard_stops_is_commented_and_fails_and_is_not_applied() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    relabel(project);
    relabel(project);
    let stopped = hub.push(1, "edit").exits(3);
    assert!(hub.comment(1).contains("person"));
    assert!(stopped.summary.contains("person"));
    stopped.says("::error::A guard stopped the plan.");
    hub.merge(1, "edit").exits(3);
    assert_eq!(project.world.writes().len(), 0);
    // What it says to do: the limit, in the pull request.
    project.branch("limit");
    project.edit(
        "annosync.yaml",
        "max_vanished_concepts: 0",
        "max_vanished_concepts: 1",
    );
    hub.push(2, "limit").exits(0);
    hub.merge(2, "limit").exits(0);
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn a_manifest_with_a_problem_fails_and_says_so() {
    let Some(hub) = GitHub::new() else { return };
    hub.project.branch("edit");
    hub.project
        .edit(LABELS, "concepts: [car]", "concepts: [cra]");
    hub.push(1, "edit").exits(1).says("car");
    assert_eq!(hub.read("comments").len(), 0);
}

#[test]
fn what_somebody_changed_in_the_app_fails_the_daily_look() {
    let Some(hub) = GitHub::new() else { return };
    let project = &hub.project;
    hub.on_main("drift", "schedule")
        .exits(0)
        .says("No changes.");
    let street = project.id_of("street");
    project.world.delete("example-0001", &street);
    project.world.emulator.forget_calls();
    let run = hub.on_main("drift", "schedule").exits(3);
    assert!(run.summary.contains("street"), "{}", run.summary);
    run.says("::error::The app is not what main says.");
    assert_eq!(project.world.writes().len(), 0);
}
