//! A model of GitLab: it runs the pipeline's jobs.

use super::super::texts::{at, entries, extended, list, pipeline_at, scalar};
use super::super::{Project, WHEEL};
use super::server::{BOT, Known, answer};
use crate::cli::Run;
use serde_json::{Value as Json, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub(super) struct GitLab {
    pub(super) project: Project,
    url: String,
    known: Arc<Mutex<Known>>,
}

/// How a branch is merged into main.
#[derive(Clone, Copy)]
pub(super) enum Merge {
    Commit,
    FastForward,
}

impl GitLab {
    pub(super) fn new() -> Option<Self> {
        let project = Project::new()?;
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

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap())
    }

    /// The developer pushes a branch, and opens a merge request or adds to it: its pipeline runs.
    pub(super) fn push(&self, number: usize, branch: &str) -> Run {
        let project = &self.project;
        let dev = project.dev();
        let head = project.push(branch);
        let base = project.git(&dev, &["merge-base", "main", branch]);
        let pipeline = self.change(|known| {
            let earlier = known
                .merge_requests
                .iter()
                .position(|one| one["iid"] == number);
            let earlier = earlier.map(|at| known.merge_requests.remove(at));
            let labels = earlier.map_or(json!([]), |one| one["labels"].clone());
            known.merge_requests.push(json!({
                "labels": labels, "iid": number, "state": "opened", "target_branch": "main", "sha": head, "commits": [head],
                "source_project_id": 1, "target_project_id": 1,
                "merge_commit_sha": null, "squash_commit_sha": null,
            }));
            let id = 500 + known.pipelines.len();
            let reference = format!("refs/merge-requests/{number}/head");
            known.pipelines.push(json!({"id": id, "merge_request": number, "ref": reference}));
            // An external status of the same commit is listed as a pipeline too.
            let id = 500 + known.pipelines.len();
            known.pipelines.push(json!({"id": id, "merge_request": number, "ref": branch}));
            id - 1
        });
        self.plan(number, pipeline, &head, base)
    }

    /// Someone sets a label on a merge request, and retries the plan job of its last pipeline.
    pub(super) fn label_and_retry(&self, number: usize, label: &str) -> Run {
        let (head, pipeline) = self.change(|known| {
            let mut all = known.merge_requests.iter_mut();
            let one = all.find(|one| one["iid"] == number).unwrap();
            one["labels"].as_array_mut().unwrap().push(label.into());
            let head = one["sha"].as_str().unwrap().to_owned();
            let of_it = |it: &&Json| {
                let reference = it["ref"].as_str().unwrap();
                it["merge_request"] == number && reference.starts_with("refs/merge-requests/")
            };
            let last = known.pipelines.iter().rfind(of_it).unwrap();
            (head, last["id"].as_u64().unwrap())
        });
        let dev = self.project.dev();
        let base = self.project.git(&dev, &["merge-base", "main", &head]);
        self.plan(number, pipeline.try_into().unwrap(), &head, base)
    }

    fn plan(&self, number: usize, pipeline: usize, head: &str, base: String) -> Run {
        let variables = [
            ("CI_MERGE_REQUEST_IID", number.to_string()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base),
        ];
        self.job("annosync-plan", pipeline, head, &variables)
    }

    /// The merge request is merged: the pipeline of main runs.
    pub(super) fn merge(&self, number: usize, branch: &str, how: Merge) -> Run {
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

    pub(super) fn on_main(&self, job: &str) -> Run {
        let (commit, before) = self.project.main();
        self.job(job, 0, &commit, &[("CI_COMMIT_BEFORE_SHA", before)])
    }

    /// Runs a job as GitLab would: its scripts one after the other in one shell.
    fn job(
        &self,
        name: &str,
        pipeline_id: usize,
        commit: &str,
        variables: &[(&str, String)],
    ) -> Run {
        let text = pipeline_at("gitlab/.gitlab-ci.yml", &self.project.world.emulator.url());
        let definition = &extended(&text, name);
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
        // GitLab's default depth if the job sets none; 0 means the complete history.
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
            .envs(own)
            .env("ANNOSYNC_PACKAGE", WHEEL)
            .env("CI_PROJECT_DIR", &workspace)
            .env("TMPDIR", project.path())
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
                for (name, bytes) in files_of(&workspace.join(&file)) {
                    let mut to = folder.join(&file);
                    to.extend(name.iter());
                    fs::create_dir_all(to.parent().unwrap()).unwrap();
                    fs::write(to, bytes).unwrap();
                }
            }
        }
        run
    }

    /// The body of the pipeline's only note on a merge request.
    #[track_caller]
    pub(super) fn note(&self, number: usize) -> String {
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

    pub(super) fn artifact(&self, job: usize, name: &str) -> PathBuf {
        let hub = self.project.path().join("hub");
        hub.join((900 + job).to_string()).join(name)
    }
}

/// The files of a folder by their names; a file alone has no name.
fn files_of(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if path.is_file() {
        return vec![(PathBuf::new(), fs::read(path).unwrap())];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into(), fs::read(entry.path()).unwrap()))
        .collect()
}
