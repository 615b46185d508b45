//! A model of GitHub for the workflows: it runs their jobs step by step.

use super::super::texts::{at, entries, list, pipeline, pipeline_at, scalar};
use super::super::{Project, WHEEL};
use super::action;
use super::expressions::{filled, goes, holds};
use crate::cli::Run;
use serde_json::{Value as Json, json};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A model of GitHub: a folder of files, which `gh.sh` reads and writes too.
pub(super) struct GitHub {
    pub(super) project: Project,
    /// The branch for pictures that the workflow names.
    pub(super) pictures: &'static str,
    /// Pull requests are planned by `action.yml`.
    pub(super) by_action: bool,
}

/// A run of a workflow's job.
pub(super) struct JobRun {
    pub(super) id: usize,
    /// The exit code of the failed step, or 0.
    code: i32,
    /// The output of its steps.
    pub(super) log: String,
    /// The run's summary.
    pub(super) summary: String,
    pub(super) folder: PathBuf,
}

impl JobRun {
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.log);
        self
    }

    /// The outputs of a step, by the names that later steps use.
    fn outputs(&self, step: &str) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.folder.join("output")).unwrap();
        let lines = text.lines().map(|line| line.split_once('=').unwrap());
        let named =
            |(key, value): (&str, &str)| (format!("steps.{step}.outputs.{key}"), value.to_owned());
        lines.map(named).collect()
    }

    #[track_caller]
    pub(super) fn says(self, text: &str) -> Self {
        assert!(
            self.log.contains(text),
            "{text:?} is nowhere in\n{}",
            self.log
        );
        self
    }
}

/// An event: the context of a workflow's expressions, and the commit to check out.
struct Event {
    name: &'static str,
    /// The commit that the run is listed under.
    head: String,
    commit: String,
    context: BTreeMap<String, String>,
}

impl GitHub {
    pub(super) fn new() -> Option<Self> {
        let project = Project::new()?;
        project.program("gh", include_str!("../gh.sh"));
        // Pushes to GitHub reach the repository.
        let origin = format!("url.{}.insteadOf", project.origin());
        let github = "https://github.com/acme/street.git";
        project.git(&project.dev(), &["config", "--global", &origin, github]);
        let hub = Self {
            project,
            pictures: "",
            by_action: false,
        };
        for file in ["comments", "pulls", "runs"] {
            hub.write(file, &json!([]));
        }
        // The workflows written by init are run.
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

    pub(super) fn read(&self, file: &str) -> Vec<Json> {
        let text = fs::read_to_string(self.hub().join(format!("{file}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(super) fn write(&self, file: &str, content: &Json) {
        fs::write(self.hub().join(format!("{file}.json")), content.to_string()).unwrap();
    }

    /// The developer pushes a branch, and opens a pull request or adds to it: the workflow of pull requests runs.
    pub(super) fn push(&self, number: usize, branch: &str) -> JobRun {
        self.push_from(number, branch, "acme/street", "plan")
    }

    pub(super) fn push_from(
        &self,
        number: usize,
        branch: &str,
        repository: &str,
        job: &str,
    ) -> JobRun {
        let project = &self.project;
        let head = project.push(branch);
        // GitHub's merge commit: main, with the branch merged.
        let dev = project.dev();
        project.git(&dev, &["checkout", "-q", "--detach", "main"]);
        project.git(&dev, &["merge", "-q", "--no-ff", "-m", "Test", branch]);
        let commit = project.git(&dev, &["rev-parse", "HEAD"]);
        let reference = format!("HEAD:refs/pull/{number}/merge");
        project.git(&dev, &["push", "-q", "--force", "origin", &reference]);
        project.git(&dev, &["checkout", "-q", branch]);
        let mut pulls = self.read("pulls");
        let known = pulls.iter().position(|pull| pull["number"] == number);
        let known = known.map(|at| pulls.remove(at));
        let labels = known.map_or(json!([]), |pull| pull["labels"].clone());
        let pull = json!({
            "number": number, "merged_at": null, "merge_commit_sha": commit, "commits": [head],
            "head": {"sha": head, "repo": {"full_name": repository}}, "labels": labels,
        });
        pulls.push(pull.clone());
        self.write("pulls", &pulls.into());
        self.pull_request(&pull, "synchronize", job)
    }

    /// Someone sets a label on a pull request: the workflow of pull requests runs again.
    pub(super) fn label(&self, number: usize, label: &str) -> JobRun {
        let mut pulls = self.read("pulls");
        let pull = pulls.iter_mut().find(|pull| pull["number"] == number);
        let pull = pull.unwrap();
        let labels = pull["labels"].as_array_mut().unwrap();
        labels.push(json!({"name": label}));
        let pull = pull.clone();
        self.write("pulls", &pulls.into());
        self.pull_request(&pull, "labeled", "plan")
    }

    /// Runs a job of the workflow of pull requests.
    fn pull_request(&self, pull: &Json, kind: &str, job: &str) -> JobRun {
        let text = self.workflow("plan");
        let kinds = list(at(&text, &["on", "pull_request", "types"]));
        assert!(kinds.iter().any(|known| known == kind), "{kinds:?}");
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let head = text(&pull["head"]["sha"]);
        let commit = text(&pull["merge_commit_sha"]);
        let event = "github.event.pull_request";
        let context = BTreeMap::from([
            (format!("{event}.number"), pull["number"].to_string()),
            (format!("{event}.head.sha"), head.clone()),
            (
                format!("{event}.head.repo.full_name"),
                text(&pull["head"]["repo"]["full_name"]),
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
    pub(super) fn merge(&self, number: usize, branch: &str) -> JobRun {
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

    /// The workflow of main runs for its current commit.
    pub(super) fn pushed_to_main(&self) -> JobRun {
        self.on_main("apply", "push")
    }

    pub(super) fn on_main(&self, workflow: &str, name: &'static str) -> JobRun {
        let (commit, before) = self.project.main();
        let event = Event {
            name,
            head: commit.clone(),
            commit,
            context: BTreeMap::from([("github.event.before".to_owned(), before)]),
        };
        self.job(workflow, workflow, event)
    }

    fn workflow(&self, name: &str) -> Value {
        let url = self.project.world.emulator.url();
        let mut workflow = pipeline_at(&format!("github/{name}.yml"), &url);
        if self.by_action && name == "plan" {
            action::take_over(&mut workflow);
        }
        workflow
    }

    /// The variables of a workflow.
    fn environment(&self, workflow: &Value) -> Vec<(String, String)> {
        let mut environment = entries(workflow.get("env"));
        for (name, value) in &mut environment {
            if name == "ANNOSYNC_PICTURES_BRANCH" {
                assert_eq!(value, "");
                self.pictures.clone_into(value);
            }
            if name == "ANNOSYNC_PACKAGE" {
                assert_eq!(value, "");
                WHEEL.clone_into(value);
            }
        }
        environment
    }

    /// Runs a job of a workflow, step by step, as GitHub would.
    fn job(&self, workflow: &str, job: &str, mut event: Event) -> JobRun {
        let file = format!("annosync-{workflow}.yml");
        let text = self.workflow(workflow);
        let triggers = at(&text, &["on"]).and_then(Value::as_mapping).unwrap();
        assert!(triggers.contains_key(event.name), "{triggers:?}");
        let mut runs = self.read("runs");
        let id = 1000 + runs.len();
        runs.push(json!({"id": id, "workflow": file, "event": event.name, "head_sha": event.head}));
        self.write("runs", &runs.into());

        let context = &mut event.context;
        for (name, value) in [
            ("github.repository", "acme/street"),
            ("github.token", "github-token"),
            ("github.run_attempt", "1"),
            ("github.event_name", event.name),
            ("secrets.CLARIFAI_PAT", "owner-key"),
        ] {
            context.insert(name.to_owned(), value.to_owned());
        }
        if self.by_action {
            context.extend(action::inputs(&self.project.world.emulator.url()));
        }
        let definition = at(&text, &["jobs", job]).unwrap();
        if let Some(condition) = definition.get("if") {
            assert!(holds(&scalar(condition), context), "{condition:?}");
        }
        let folder = self.project.path().join(format!("run-{id}"));
        let workspace = folder.join("workspace");
        fs::create_dir_all(&workspace).unwrap();
        for file in ["summary", "output", "path"] {
            fs::write(folder.join(file), "").unwrap();
        }
        let temporary = folder.to_str().unwrap();
        context.insert("runner.temp".to_owned(), temporary.to_owned());
        let permissions: Vec<String> = entries(text.get("permissions"))
            .iter()
            .map(|(of, how)| format!("{of}={how}"))
            .collect();
        let mut environment = self.environment(&text);
        assert_eq!(definition.get("env"), None, "not known here");
        let show = |path: &Path| path.to_str().unwrap().to_owned();
        for (name, value) in [
            ("GITHUB_REPOSITORY", "acme/street".to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_SHA", event.commit.clone()),
            ("GITHUB_RUN_ID", id.to_string()),
            ("GITHUB_OUTPUT", show(&folder.join("output"))),
            ("GITHUB_PATH", show(&folder.join("path"))),
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
            let known = ["name", "id", "if", "env", "run", "uses", "with", "shell"];
            for (key, _) in step.as_mapping().unwrap() {
                assert!(known.contains(&key.as_str().unwrap()), "{key:?}");
            }
            let condition = step.get("if").map(scalar);
            if !goes(condition.as_deref(), run.code, context) {
                continue;
            }
            let with: BTreeMap<String, String> = entries(step.get("with"))
                .into_iter()
                .map(|(key, value)| (key, filled(&value, context)))
                .collect();
            let ended = match step.get("uses").map(scalar).as_deref() {
                None => {
                    let own = entries(step.get("env")).into_iter();
                    let own = own.map(|(key, value)| (key, filled(&value, context)));
                    let all = environment.iter().cloned().chain(own);
                    self.script(&workspace, &scalar(&step["run"]), all)
                }
                Some("actions/checkout@v4") => self.checkout(&workspace, &event.commit, &with),
                Some("actions/upload-artifact@v4") => self.upload(&workspace, id, &with),
                Some(other) => panic!("not known here: {other}"),
            };
            run.log.extend([ended.stdout, ended.stderr]);
            if run.code == 0 {
                run.code = ended.code;
            }
            if let Some(name) = step.get("id").map(scalar) {
                context.extend(run.outputs(&name));
            }
        }
        run.summary = fs::read_to_string(run.folder.join("summary")).unwrap();
        run
    }

    /// Runs a script as GitHub runs one whose shell is bash.
    fn script(
        &self,
        workspace: &Path,
        script: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Run {
        let file = workspace.with_file_name("step.sh");
        fs::write(&file, script).unwrap();
        let mut command = self.project.command(workspace, "bash");
        // What earlier steps installed comes first.
        let installed = fs::read_to_string(workspace.with_file_name("path")).unwrap();
        let inherited = command.get_envs().find(|(name, _)| *name == "PATH");
        let inherited = inherited.unwrap().1.unwrap().to_str().unwrap().to_owned();
        let path = installed
            .lines()
            .fold(inherited, |path, line| format!("{line}:{path}"));
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&file)
            .env("PATH", path)
            .envs(environment);
        Run::of(command)
    }

    /// Does what `actions/checkout` does.
    fn checkout(&self, workspace: &Path, commit: &str, with: &BTreeMap<String, String>) -> Run {
        let depth = with.get("fetch-depth").map_or("1", String::as_str);
        assert_eq!(with["persist-credentials"], "false");
        let project = &self.project;
        project.git(workspace, &["init", "-q"]);
        let origin = project.origin();
        project.git(
            workspace,
            &match depth {
                // The complete history.
                "0" => vec!["fetch", "-q", &origin, commit],
                _ => vec!["fetch", "-q", "--depth", depth, &origin, commit],
            },
        );
        let mut checkout = project.command(workspace, "git");
        checkout.args(["checkout", "-q", "--detach", commit]);
        Run::of(checkout)
    }

    /// Does what `actions/upload-artifact` does.
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
        for path in files {
            let in_folder = fs::read_dir(&path).into_iter().flatten();
            let mut files: Vec<PathBuf> = in_folder.map(|entry| entry.unwrap().path()).collect();
            if path.is_file() {
                files.push(path);
            }
            for file in files {
                fs::copy(&file, artifact.join(file.file_name().unwrap())).unwrap();
            }
        }
        ended(0, "Uploaded.")
    }

    pub(super) fn artifact(&self, run: usize, name: &str) -> PathBuf {
        let all = self.hub().join("artifacts");
        all.join(run.to_string()).join(name)
    }

    /// The body of the only comment of a pull request.
    #[track_caller]
    pub(super) fn comment(&self, number: usize) -> String {
        let comments = self.read("comments");
        let number = &number.to_string();
        let of_bot = |comment: &&Json| {
            comment["pull"] == *number && comment["user"]["login"] == "github-actions[bot]"
        };
        let bodies: Vec<&Json> = comments.iter().filter(of_bot).collect();
        let [only] = bodies[..] else {
            panic!("not one comment: {bodies:#?}");
        };
        only["body"].as_str().unwrap().to_owned()
    }
}
