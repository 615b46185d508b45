//! The pipeline for GitLab CI, from the first branch to the last apply, against a server with GitLab's API.

use super::texts::{at, entries, list, pipeline, scalar};
use super::{LABELS, Project};
use crate::cli::Run;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The user that the project's token belongs to.
const BOT: u64 = 7;

/// What GitLab knows.
#[derive(Debug, Default)]
struct Known {
    /// `{id, merge_request, author: {id}, body}`
    notes: Vec<Json>,
    /// As the API lists them, with `commits`.
    merge_requests: Vec<Json>,
    /// `{id, merge_request, ref}`
    pipelines: Vec<Json>,
    /// `{id, pipeline, name}`
    jobs: Vec<Json>,
    /// Where the artifacts are: a folder for each job.
    artifacts: PathBuf,
}

/// Answers as GitLab does; a call that the pipeline does not make is a 404.
async fn answer(
    State(known): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers
        .get("private-token")
        .is_none_or(|token| token != "project-token")
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let path = uri.path().strip_prefix("/api/v4/").unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    let ok = |json: Json| axum::Json(json).into_response();
    let of = |all: &[Json], key: &str, value: &str| -> Vec<Json> {
        let fits = |one: &&Json| one[key].to_string() == value;
        all.iter().filter(fits).cloned().collect()
    };
    match (method.as_str(), &words[..]) {
        ("GET", ["user"]) => ok(json!({"id": BOT})),
        ("GET", ["projects", "1", "merge_requests", number, "notes"]) => {
            // One a page, whatever is asked for.
            let query = uri.query().unwrap();
            let page: usize = query
                .strip_prefix("per_page=100&page=")
                .unwrap()
                .parse()
                .unwrap();
            let notes = of(&known.notes, "merge_request", number);
            ok(notes.into_iter().skip(page - 1).take(1).collect())
        }
        ("POST", ["projects", "1", "merge_requests", number, "notes"]) => {
            let Some(text) = text_of(&headers, &body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let id = 100 + known.notes.len();
            let number: usize = number.parse().unwrap();
            known.notes.push(
                json!({"id": id, "merge_request": number, "author": {"id": BOT}, "body": text}),
            );
            (StatusCode::CREATED, axum::Json(json!({"id": id}))).into_response()
        }
        ("PUT", ["projects", "1", "merge_requests", number, "notes", id]) => {
            let Some(text) = text_of(&headers, &body) else {
                return StatusCode::BAD_REQUEST.into_response();
            };
            let fits = |note: &&mut Json| {
                note["id"].to_string() == *id && note["merge_request"].to_string() == *number
            };
            match known.notes.iter_mut().find(fits) {
                Some(note) if note["author"]["id"] == BOT => {
                    note["body"] = text.into();
                    ok(json!({"id": note["id"]}))
                }
                Some(_) => StatusCode::FORBIDDEN.into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        (
            "GET",
            [
                "projects",
                "1",
                "repository",
                "commits",
                commit,
                "merge_requests",
            ],
        ) => {
            let brought = |one: &&Json| {
                let commits = one["commits"].as_array().unwrap();
                commits.iter().any(|known| known == commit)
            };
            let found = known.merge_requests.iter().filter(brought).cloned();
            ok(found.collect())
        }
        ("GET", ["projects", "1", "merge_requests", number, "pipelines"]) => {
            let mut pipelines = of(&known.pipelines, "merge_request", number);
            pipelines.reverse();
            ok(pipelines.into())
        }
        ("GET", ["projects", "1", "pipelines", id, "jobs"]) => {
            ok(of(&known.jobs, "pipeline", id).into())
        }
        // GitLab keeps artifacts elsewhere, and says where.
        ("GET", ["projects", "1", "jobs", id, "artifacts", "plan.json"]) => {
            let place = format!("/api/v4/store/{id}");
            (StatusCode::FOUND, [(header::LOCATION, place)]).into_response()
        }
        ("GET", ["store", id]) => match fs::read(known.artifacts.join(id).join("plan.json")) {
            Ok(plan) => plan.into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The text of a note that is sent as JSON.
fn text_of(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if headers.get(header::CONTENT_TYPE)? != "application/json" {
        return None;
    }
    let body: Json = serde_json::from_slice(body).ok()?;
    body["body"].as_str().map(str::to_owned)
}

struct GitLab {
    project: Project,
    url: String,
    known: Arc<Mutex<Known>>,
}

/// How main gets a branch.
#[derive(Clone, Copy)]
enum Merge {
    Commit,
    FastForward,
}

impl GitLab {
    fn new() -> Option<Self> {
        let project = Project::new()?;
        project.program(
            "apt-get",
            "#!/usr/bin/env bash\ncase \"$*\" in 'update -qq'|'install -y -qq jq') ;; *) exit 64 ;; esac\n",
        );
        let known = Arc::new(Mutex::new(Known {
            artifacts: project.path().join("hub"),
            ..Known::default()
        }));
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&known));
        let url = project.world.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async { axum::serve(listener, router).await });
            format!("http://{address}/api/v4")
        });
        Some(Self {
            project,
            url,
            known,
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap())
    }

    /// The developer pushes a branch, and opens a merge request or adds to it: its pipeline runs.
    fn push(&self, number: usize, branch: &str) -> Run {
        let project = &self.project;
        let dev = project.dev();
        let head = project.push(branch);
        let base = project.git(&dev, &["merge-base", "main", branch]);
        let pipeline = self.change(|known| {
            known.merge_requests.retain(|one| one["iid"] != number);
            known.merge_requests.push(json!({
                "iid": number, "state": "opened", "target_branch": "main", "sha": head, "commits": [head],
                "source_project_id": 1, "target_project_id": 1,
                "merge_commit_sha": null, "squash_commit_sha": null,
            }));
            let id = 500 + known.pipelines.len();
            let reference = format!("refs/merge-requests/{number}/head");
            known.pipelines.push(json!({"id": id, "merge_request": number, "ref": reference}));
            // Another system's status of the same commit is a pipeline as well.
            let id = 500 + known.pipelines.len();
            known.pipelines.push(json!({"id": id, "merge_request": number, "ref": branch}));
            id - 1
        });
        let variables = [
            ("CI_MERGE_REQUEST_IID", number.to_string()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base),
        ];
        self.job("annosync-plan", pipeline, &head, &variables)
    }

    /// The merge request is merged: the pipeline of main runs.
    fn merge(&self, number: usize, branch: &str, how: Merge) -> Run {
        let project = &self.project;
        let dev = project.dev();
        let merged = match how {
            Merge::Commit => project.merge(branch),
            Merge::FastForward => {
                project.git(&dev, &["checkout", "-q", "main"]);
                project.git(&dev, &["merge", "-q", "--ff-only", branch]);
                project.git(&dev, &["push", "-q", "origin", "main"]);
                project.git(&dev, &["rev-parse", "main"])
            }
        };
        self.change(|known| {
            let mut all = known.merge_requests.iter_mut();
            let one = all.find(|one| one["iid"] == number).unwrap();
            one["state"] = "merged".into();
            if matches!(how, Merge::Commit) {
                one["merge_commit_sha"] = merged.clone().into();
                one["commits"].as_array_mut().unwrap().push(merged.into());
            }
        });
        self.on_main("annosync-apply")
    }

    fn on_main(&self, job: &str) -> Run {
        let commit = self
            .project
            .git(&self.project.dev(), &["rev-parse", "main"]);
        self.job(job, 0, &commit, &[])
    }

    /// Runs a job as GitLab would: its scripts one after the other in one shell.
    fn job(
        &self,
        name: &str,
        pipeline_id: usize,
        commit: &str,
        variables: &[(&str, String)],
    ) -> Run {
        let text = pipeline("gitlab/.gitlab-ci.yml");
        let definition = &text[name];
        let id = self.change(|known| {
            let id = 900 + known.jobs.len();
            known
                .jobs
                .push(json!({"id": id, "pipeline": pipeline_id, "name": name}));
            id
        });
        let own = entries(definition.get("variables"));
        let depth = own.iter().find(|(key, _)| key == "GIT_DEPTH");
        let project = &self.project;
        let workspace = project.path().join(format!("job-{id}"));
        fs::create_dir(&workspace).unwrap();
        project.git(&workspace, &["init", "-q"]);
        // GitLab's depth where the job names none; 0 is all there is.
        let depth = depth.map_or("20", |(_, depth)| depth);
        let origin = project.origin();
        let fetch = ["fetch", "-q", "--depth", depth, &origin, commit];
        let fetch: Vec<&str> = match depth {
            "0" => vec!["fetch", "-q", &origin, commit],
            _ => fetch.to_vec(),
        };
        project.git(&workspace, &fetch);
        project.git(&workspace, &["checkout", "-q", "--detach", commit]);
        let scripts = ["before_script", "script"]
            .into_iter()
            .flat_map(|key| list(definition.get(key)))
            .fold(String::new(), |all, line| all + &scalar(line) + "\n");
        let script = project.path().join(format!("job-{id}.sh"));
        fs::write(&script, scripts).unwrap();
        let mut command = project.command(&workspace, "bash");
        command
            .args(["-eo", "pipefail"])
            .arg(&script)
            .envs(entries(text.get("variables")))
            .envs(own)
            .envs(variables.iter().map(|(key, value)| (key, value)))
            .envs([("CI_PROJECT_ID", "1"), ("CI_COMMIT_BRANCH", "main")])
            .envs([("CI_COMMIT_SHA", commit), ("CI_API_V4_URL", &self.url)])
            .env(
                "CI_JOB_URL",
                format!("https://gitlab.com/acme/street/-/jobs/{id}"),
            )
            .envs([
                ("CLARIFAI_PAT", "owner-key"),
                ("ANNOSYNC_GITLAB_TOKEN", "project-token"),
            ]);
        let run = Run::of(command);
        assert_eq!(
            at(definition, &["artifacts", "when"])
                .map(scalar)
                .as_deref(),
            Some("always")
        );
        for file in list(at(definition, &["artifacts", "paths"])) {
            let file = scalar(file);
            if workspace.join(&file).exists() {
                let folder = project.path().join("hub").join(id.to_string());
                fs::create_dir_all(&folder).unwrap();
                fs::copy(workspace.join(&file), folder.join(&file)).unwrap();
            }
        }
        run
    }

    /// The body of the only note of ours on a merge request.
    #[track_caller]
    fn note(&self, number: usize) -> String {
        self.change(|known| {
            let ours =
                |note: &&Json| note["merge_request"] == number && note["author"]["id"] == BOT;
            let notes: Vec<&Json> = known.notes.iter().filter(ours).collect();
            let [only] = notes[..] else {
                panic!("not one note: {notes:#?}");
            };
            only["body"].as_str().unwrap().to_owned()
        })
    }

    fn artifact(&self, job: usize, name: &str) -> PathBuf {
        let hub = self.project.path().join("hub");
        hub.join((900 + job).to_string()).join(name)
    }
}

fn relabel(project: &Project) {
    project.edit(LABELS, "concepts: [car]", "concepts: [person]");
}

#[test]
fn a_label_is_edited_on_a_branch_planned_noted_merged_and_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    hub.on_main("annosync-apply").exits(0).says("No changes.");
    project.branch("edit");
    relabel(project);
    // Somebody says something first, and somebody quotes the plan.
    let marker = "<!-- annosync:plan";
    hub.change(|known| {
        for (id, body) in [(1, "Looks good"), (2, marker)] {
            let note = json!({"id": id, "merge_request": 1, "author": {"id": 3}, "body": body});
            known.notes.push(note);
        }
    });
    hub.push(1, "edit").exits(0);
    let first = hub.note(1);
    assert!(first.starts_with(marker), "{first}");
    assert!(first.contains("person"), "{first}");
    assert!(first.contains("/acme/street/-/jobs/901"), "{first}");
    assert_eq!(project.world.writes().len(), 0, "a plan writes nothing");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let second = hub.note(1);
    assert!(second.contains("night"), "{second}");
    assert_eq!(hub.change(|known| known.notes.len()), 3);

    hub.merge(1, "edit", Merge::Commit)
        .exits(0)
        .says("Applied 2 (")
        .says("No changes.");
    assert_eq!(project.count("person"), 1);
    project.is_settled();
    assert!(hub.artifact(3, "undo.json").is_file());
    let log = fs::read_to_string(hub.artifact(3, "apply.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");

    // A project may fast-forward instead: then the merge request's last commit is main's.
    project.branch("next");
    relabel(project);
    project.edit(
        "annosync.yaml",
        "max_vanished_concepts: 0",
        "max_vanished_concepts: 1",
    );
    hub.push(2, "next").exits(0);
    hub.merge(2, "next", Merge::FastForward).exits(0);
    assert_eq!(project.count("person"), 2);
    project.is_settled();
}

#[test]
fn a_plan_of_another_main_is_refused_and_a_new_one_carries_on() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("one");
    relabel(project);
    hub.push(1, "one").exits(0);
    project.branch("two");
    project.edit(LABELS, "night: false", "night: true");
    hub.push(2, "two").exits(0);
    hub.merge(1, "one", Merge::Commit).exits(0);
    project.world.emulator.forget_calls();
    hub.merge(2, "two", Merge::Commit)
        .exits(4)
        .says("is a plan of another manifest")
        .says(
            "(exit code 4). To have a new plan reviewed, open a merge request with an empty commit",
        );
    assert_eq!(project.world.writes().len(), 0);
    project.branch("three");
    hub.push(3, "three").exits(0);
    hub.merge(3, "three", Merge::Commit).exits(0);
    project.is_settled();
}

#[test]
fn what_somebody_did_after_the_plan_is_left_alone() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    relabel(project);
    project.edit(LABELS, "night: false", "night: true");
    hub.push(1, "edit").exits(0);
    let night = project.id_of("night");
    project.someone_marks_as_pending(&night);
    let theirs = project.world.annotation(&night);
    hub.merge(1, "edit", Merge::Commit)
        .exits(4)
        .says("0 already so, 1 stale");
    assert_eq!(project.world.annotation(&night), theirs);
    assert_eq!(project.count("person"), 1, "the other one is applied");
}

#[test]
fn what_nobody_reviewed_is_not_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    relabel(project);
    project.push("main");
    hub.on_main("annosync-apply")
        .exits(1)
        .says("Nobody reviewed a plan of this commit, and nothing was applied.");
    // A plan that is gone.
    project.branch("edit");
    hub.push(1, "edit").exits(0);
    fs::remove_file(hub.artifact(1, "plan.json")).unwrap();
    hub.merge(1, "edit", Merge::Commit)
        .exits(1)
        .says("Nobody reviewed");
    // One of a fork, whose pipeline left what it liked.
    project.branch("fork");
    hub.push(2, "fork").exits(0);
    hub.change(|known| known.merge_requests[1]["source_project_id"] = 2.into());
    hub.merge(2, "fork", Merge::Commit)
        .exits(1)
        .says("Nobody reviewed");
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn a_plan_that_a_guard_stops_is_noted_and_fails_and_is_not_applied() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    project.branch("edit");
    relabel(project);
    relabel(project);
    hub.push(1, "edit")
        .exits(3)
        .says("A guard stopped the plan.");
    assert!(hub.note(1).contains("person"));
    hub.merge(1, "edit", Merge::Commit).exits(3);
    assert_eq!(project.world.writes().len(), 0);
}

#[test]
fn what_somebody_changed_in_the_app_fails_the_scheduled_look() {
    let Some(hub) = GitLab::new() else { return };
    let project = &hub.project;
    hub.on_main("annosync-drift").exits(0).says("No changes.");
    let street = project.id_of("street");
    project.world.delete("example-0001", &street);
    project.world.emulator.forget_calls();
    hub.on_main("annosync-drift")
        .exits(3)
        .says("The app is not what the branch says.");
    let shown = fs::read_to_string(hub.artifact(1, "drift.md")).unwrap();
    assert!(shown.contains("street"), "{shown}");
    assert_eq!(project.world.writes().len(), 0);
}
