//! The pipelines of `examples/ci`, run: their steps, by bash, in a real git repository, on an emulator over HTTP.
//!
//! The services of the CI systems are replaced: checkouts by git, artifacts by folders, GitHub's program by
//! `gh.sh`, GitLab's API by a server. Each of them fails on unknown requests, so that a pipeline that does
//! something unexpected fails its test.

mod github;
mod gitlab;
mod repeated;
mod texts;

use super::{Run, World, is_there};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The wheel that the pipelines are told to install.
const WHEEL: &str = "/wheels/annosync.whl";

/// A repository made by `init`, with the world's emulator as target `prod`, applied once.
struct Project {
    world: World,
}

/// The id that git uses for "no commit".
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// The only file of labels.
const LABELS: &str = "labels/example.yaml";

impl Project {
    /// One car of the example becomes a person.
    fn relabel(&self) {
        self.edit(LABELS, "concepts: [car]", "concepts: [person]");
    }

    /// `None` if a program is missing that the pipelines need.
    fn new() -> Option<Self> {
        if !["bash", "git", "jq", "curl"].into_iter().all(is_there) {
            return None;
        }
        let project = Self {
            world: World::new(),
        };
        for folder in ["bin", "home", "hub", "dev"] {
            fs::create_dir(project.path().join(folder)).unwrap();
        }
        // An installation needs a package index; the binary under test is installed instead.
        let python = include_str!("python.sh")
            .replace("$WHEEL", WHEEL)
            .replace("$BINARY", env!("CARGO_BIN_EXE_annosync"));
        project.program("python3", &python);
        let here = project.path().to_owned();
        project.git(&here, &["init", "-q", "--bare", "-b", "main", "origin.git"]);
        let origin = project.path().join("origin.git");
        // As on the real servers, any commit can be fetched by its id.
        project.git(
            &origin,
            &["config", "uploadpack.allowAnySHA1InWant", "true"],
        );
        let dev = project.dev();
        project.git(&dev, &["init", "-q", "-b", "main"]);
        project.git(&dev, &["remote", "add", "origin", &project.origin()]);
        project
            .run(&dev, &["init", ".", "--set", "street"])
            .exits(0);
        let app = format!(
            "prod: {{ user_id: owner, app_id: app, endpoint: \"{}\", rate_limit: 1000 }}",
            project.world.emulator.url()
        );
        project.edit(
            "annosync.yaml",
            "prod: { user_id: your-user-id, app_id: your-app-id }",
            &app,
        );
        project.commit("Begin");
        project.git(&dev, &["push", "-q", "origin", "main"]);
        project
            .run(&dev, &["apply", "--target", "prod", "--auto-approve"])
            .exits(0);
        assert_eq!(project.git(&dev, &["status", "--porcelain"]), "");
        project.world.emulator.forget_calls();
        Some(project)
    }

    /// Lets the guard of vanishing concepts count from two annotations on, the number that the example has of a concept.
    fn guard_few(&self) {
        for (limit, other) in [
            ("min_existing: 10", "min_existing: 2 "),
            ("max_updates: 30%", "max_updates: 100%"),
        ] {
            self.edit("annosync.yaml", limit, other);
        }
    }

    fn path(&self) -> &Path {
        self.world.path()
    }

    fn dev(&self) -> PathBuf {
        self.path().join("dev")
    }

    fn origin(&self) -> String {
        format!("file://{}", self.path().join("origin.git").display())
    }

    /// Installs a program at the front of the pipelines' PATH.
    fn program(&self, name: &str, text: &str) {
        let path = self.path().join("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command in a folder, with an environment only for PATH and an isolated git.
    fn command(&self, folder: &Path, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let bin = self.path().join("bin");
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", self.path().join("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([
                ("GIT_AUTHOR_NAME", "dev"),
                ("GIT_AUTHOR_EMAIL", "dev@localhost"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "dev"),
                ("GIT_COMMITTER_EMAIL", "dev@localhost"),
            ]);
        command
    }

    /// The developer runs annosync, with a token.
    fn run(&self, folder: &Path, arguments: &[&str]) -> Run {
        let mut command = self.command(folder, env!("CARGO_BIN_EXE_annosync"));
        command.args(arguments).env("CLARIFAI_PAT", "owner-key");
        Run::of(command)
    }

    /// Runs git, which has to succeed.
    #[track_caller]
    fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut command = self.command(folder, "git");
        command.args(arguments);
        Run::of(command).exits(0).stdout.trim().to_owned()
    }

    /// Replaces the first occurrence of a text in a file of the developer's checkout.
    #[track_caller]
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.dev().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    fn commit(&self, message: &str) {
        let dev = self.dev();
        self.git(&dev, &["add", "--all"]);
        self.git(&dev, &["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// The developer begins a branch on main.
    fn branch(&self, name: &str) {
        self.git(&self.dev(), &["checkout", "-q", "-b", name, "main"]);
    }

    /// The developer commits all changes to the branch, and pushes it.
    fn push(&self, branch: &str) -> String {
        self.commit("Change labels");
        let dev = self.dev();
        self.git(&dev, &["push", "-q", "origin", branch]);
        self.git(&dev, &["rev-parse", branch])
    }

    /// Merges a branch into main; returns the merge commit.
    fn merge(&self, branch: &str) -> String {
        let dev = self.dev();
        self.git(&dev, &["checkout", "-q", "main"]);
        self.git(&dev, &["merge", "-q", "--no-ff", "-m", "Merge", branch]);
        self.git(&dev, &["push", "-q", "origin", "main"]);
        self.git(&dev, &["rev-parse", "main"])
    }

    /// Main's commit, and the one before the last push: its first parent, also if a branch of one commit was merged
    /// by fast-forward.
    fn main(&self) -> (String, String) {
        let dev = self.dev();
        let commit = |name: &str| self.git(&dev, &["rev-parse", name]);
        let before = Run::of({
            let mut command = self.command(&dev, "git");
            command.args(["rev-parse", "--quiet", "--verify", "main^1"]);
            command
        });
        let before = before.stdout.trim();
        // The first push of a branch has nothing before it.
        let before = if before.is_empty() { NOTHING } else { before };
        (commit("main"), before.to_owned())
    }

    /// Checks that the app equals main.
    #[track_caller]
    fn is_settled(&self) {
        let dev = self.dev();
        self.git(&dev, &["checkout", "-q", "main"]);
        let plan = ["plan", "--target", "prod", "--detailed-exitcode"];
        super::settled(&self.run(&dev, &plan));
    }

    /// The number of annotations with a concept in the app.
    fn count(&self, concept: &str) -> usize {
        let name = format!("\"id\":\"{concept}\"");
        let annotations = self.world.annotations();
        let texts = annotations.iter().map(ToString::to_string);
        texts.filter(|text| text.contains(&name)).count()
    }

    /// The id of the first annotation that has a concept.
    fn id_of(&self, concept: &str) -> String {
        let name = format!("\"id\":\"{concept}\"");
        let annotations = self.world.annotations();
        let mut found = annotations
            .iter()
            .filter(|it| it.to_string().contains(&name));
        found.next().unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// A box drawn in the app by a user outside `owners`.
    fn box_of_a_colleague() -> serde_json::Value {
        let place = [0.7, 0.7, 0.9, 0.9];
        let new = crate::support::boxed("example-0001", "ann-s", place, &["car"]);
        crate::support::with(new, "user_id", "ann".into())
    }

    /// Sets an annotation to pending through the API, not through git.
    fn someone_marks_as_pending(&self, id: &str) {
        use annosync::api::{ItemResult, PatchAction};
        let patch =
            serde_json::json!({"id": id, "input_id": "example-0001", "status": {"code": 24151}});
        let writer = self.world.writer();
        let patches = [crate::support::named_body(&patch)];
        let answer = writer.patch(PatchAction::Merge, &patches);
        let answer = self.world.block_on(answer).unwrap();
        assert!(matches!(answer[..], [ItemResult::Done(_)]));
        self.world.emulator.forget_calls();
    }
}
