//! The harness: a world to run the binary in.

use crate::schemas;
use crate::support::{named_body, with};
use annosync::api::{
    self, Connection, DeletePairs, InsecureHttp, ItemResult, PatchAction, Token, Writer,
};
use annosync::emulator::{CallRecord, Config, Emulator, Endpoint, ListingOrder};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How a run of the binary ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The last line of stdout.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().last().unwrap_or_default()
    }

    /// Checks that stdout or stderr contains a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "{text:?} is nowhere in\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The binary in a folder, with an empty environment.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_annosync"));
    command.current_dir(folder).env_clear();
    command
}

/// The flags that name the emulator's app at this URL.
pub(crate) fn app_flags(url: &str) -> [&str; 6] {
    ["--endpoint", url, "--user-id", "owner", "--app-id", "app"]
}

/// The order of listings that `ANNOSYNC_TEST_ORDER` asks for, in all tests (`newest`, `modified`).
fn listing_order() -> Option<ListingOrder> {
    match std::env::var("ANNOSYNC_TEST_ORDER").ok()?.as_str() {
        "newest" => Some(ListingOrder::NewestFirst),
        "modified" => Some(ListingOrder::ModifiedFirst),
        other => panic!("ANNOSYNC_TEST_ORDER is {other}, not newest or modified"),
    }
}

/// An emulator, a folder, and a token.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) folder: TempDir,
    runtime: Runtime,
    key: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(mut config: Config) -> Self {
        if let Some(order) = listing_order() {
            config.response_style.listings = order;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let key = config.owner_key.clone();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let emulator = runtime.block_on(Emulator::start(config, listen)).unwrap();
        Self {
            emulator,
            folder: tempfile::tempdir().unwrap(),
            runtime,
            key,
        }
    }

    /// Uses this token from now on.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The manifest `m.yaml`: a header without guards, and these inputs.
    pub(crate) fn declare(&self, inputs: &str) {
        self.write("m.yaml", &format!("{}inputs:\n{inputs}", header()));
    }

    /// The binary in the folder, with only the token in its environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.path());
        command.env("CLARIFAI_PAT", &self.key);
        command
    }

    /// Runs the binary in a subfolder.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Run {
        let mut command = self.command();
        command
            .current_dir(self.path().join(folder))
            .args(arguments);
        Run::of(command)
    }

    /// Runs the binary without naming an app. With a plan file, the environment names the host: the token is not sent to a
    /// host that only a plan file names.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command();
        command.args(arguments);
        if let ["apply", path, ..] = arguments
            && is_plan_file(path)
        {
            command.env("CLARIFAI_API_BASE", self.emulator.url());
        }
        Run::of(command)
    }

    /// Runs the binary on the emulator's app.
    pub(crate) fn on_app(&self, arguments: &[&str]) -> Run {
        let mut command = self.command();
        command
            .args(arguments)
            .args(app_flags(&self.emulator.url()))
            .args(["--rate-limit", "1000"]);
        Run::of(command)
    }

    /// Plans `m.yaml`.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Run {
        self.on_app(&[&["plan", "m.yaml"], arguments].concat())
    }

    /// The plan of `m.yaml` as JSON.
    pub(crate) fn plan_json(&self) -> Value {
        let plan = self.plan(&["--format", "json"]).exits(0);
        let plan = serde_json::from_str(&plan.stdout).unwrap();
        schemas::PLAN.accepts(&plan);
        plan
    }

    /// Applies `m.yaml`. If that succeeds, checks that a plan is empty.
    pub(crate) fn apply(&self, arguments: &[&str]) -> Run {
        self.apply_path("m.yaml", arguments)
    }

    /// Applies a manifest or a plan file made from `m.yaml`. If that succeeds, checks that a plan of `m.yaml` is empty.
    pub(crate) fn apply_path(&self, path: &str, arguments: &[&str]) -> Run {
        let run = if is_plan_file(path) {
            // A plan file names its app itself; unless it is an undo, it was made from a manifest.
            let is_undo = self.read(path).contains("\"purpose\": \"undo\"");
            let has_one = self.path().join("m.yaml").is_file() && !is_undo;
            let mut more = Vec::new();
            if has_one && !arguments.contains(&"--manifest") {
                more.extend(["--manifest", "m.yaml"]);
            }
            if !arguments.contains(&"--rate-limit") {
                more.extend(["--rate-limit", "1000"]);
            }
            let apply = ["apply", path, "--auto-approve"];
            self.run(&[&apply, &more[..], arguments].concat())
        } else {
            self.on_app(&[&["apply", path, "--auto-approve"], arguments].concat())
        };
        if run.code == 0 && !arguments.contains(&"--dry-run") {
            self.is_settled();
        }
        run
    }

    /// Checks that the plan of `m.yaml` is empty, without the faults that are still pending.
    #[track_caller]
    pub(crate) fn is_settled(&self) {
        self.emulator.faults().clear();
        settled(&self.plan(&["--detailed-exitcode"]));
        if self.path().join("m.yaml").is_file() {
            schemas::MANIFEST.accepts_yaml(&self.read("m.yaml"));
        }
    }

    /// Every annotation of the app except the input-level ones, oldest first.
    pub(crate) fn annotations(&self) -> Vec<Value> {
        let mut all = self.runtime.block_on(self.emulator.annotations()).unwrap();
        all.retain(|annotation| annotation["input_level"] != true);
        all
    }

    /// The annotation with this id, if it exists.
    pub(crate) fn annotation(&self, id: &str) -> Option<Value> {
        self.annotations().into_iter().find(|it| it["id"] == id)
    }

    /// Stores existing annotations.
    pub(crate) fn seed(&self, annotations: Vec<Value>) {
        // The tests' annotations belong to the app's owner.
        let mine = |it: Value| match it["user_id"].as_str() {
            Some(crate::support::ME) => with(it, "user_id", "owner".into()),
            _ => it,
        };
        let seeded = self
            .emulator
            .seed(annotations.into_iter().map(mine).collect());
        self.runtime.block_on(seeded).unwrap();
    }

    /// Runs a future on the emulator's runtime.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The writes that were sent so far.
    pub(crate) fn writes(&self) -> Vec<CallRecord> {
        let mut calls = self.emulator.calls();
        calls.retain(|call| {
            matches!(
                call.endpoint,
                Endpoint::PostAnnotations
                    | Endpoint::PatchAnnotations
                    | Endpoint::PatchAnnotationsStatus
                    | Endpoint::DeleteAnnotation
                    | Endpoint::DeleteAnnotations
                    | Endpoint::PostInputs
                    | Endpoint::DeleteInputs
            )
        });
        calls
    }

    /// The id of the only annotation on an input.
    pub(crate) fn id_on(&self, input: &str) -> String {
        let on_it: Vec<Value> = self
            .annotations()
            .into_iter()
            .filter(|it| it["input_id"] == input)
            .collect();
        let [only] = &on_it[..] else {
            panic!("not one annotation on {input}: {on_it:#?}");
        };
        only["id"].as_str().unwrap().to_owned()
    }

    /// The owner changes the only annotation on an input through the API.
    pub(crate) fn someone_marks_as_pending(&self, input: &str) {
        let id = self.id_on(input);
        let patch = json!({"id": id, "input_id": input, "status": {"code": 24151}});
        let writer = self.writer();
        let answer = self
            .runtime
            .block_on(writer.patch(PatchAction::Merge, &[named_body(&patch)]));
        assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
    }

    /// The owner adds a concept to an annotation of a whole input through the API.
    pub(crate) fn someone_labels(&self, input: &str, id: &str, concept: &str) {
        let data = json!({"concepts": [{"id": concept, "value": 1}]});
        let patch = json!({"id": id, "input_id": input, "data": data});
        let writer = self.writer();
        let answer = self
            .runtime
            .block_on(writer.patch(PatchAction::Merge, &[named_body(&patch)]));
        assert!(matches!(answer.unwrap()[..], [ItemResult::Done(_)]));
    }

    /// The owner deletes an annotation through the API.
    pub(crate) fn delete(&self, input: &str, id: &str) {
        let pairs = DeletePairs::new(vec![(input.to_owned(), id.to_owned())]).unwrap();
        let writer = self.writer();
        let answer = self.runtime.block_on(writer.delete(&pairs));
        assert!(matches!(answer.unwrap()[..], [ItemResult::Done(())]));
    }

    /// A client with the owner's token.
    pub(crate) fn writer(&self) -> Writer {
        let endpoint = api::Endpoint::new(&self.emulator.url(), InsecureHttp::Refuse).unwrap();
        let token = Token::new("owner-key").unwrap();
        let connection = Connection::new(endpoint, "owner".into(), "app".into(), token);
        api::connect(&connection).unwrap().1
    }
}

fn is_plan_file(path: &str) -> bool {
    // An earlier undo that was kept has a number after its extension.
    Path::new(path).extension().is_some_and(|end| end == "json") || path.contains(".json.")
}

/// Checks that a plan is empty.
#[track_caller]
pub(crate) fn settled(plan: &Run) {
    let ended = (plan.code, plan.last_line().starts_with("No changes."));
    assert_eq!(ended, (0, true), "{}\n{}", plan.stdout, plan.stderr);
}

/// A header with set `street`, policy `sync` and guards without limits.
pub(crate) fn header() -> String {
    "version: 1\nset: street\npolicy: sync\n\
     guards: { max_deletes: 100%, max_updates: 100%, max_vanished_concepts: 1000 }\n"
        .to_owned()
}

/// Inputs `in-000`, `in-001`, … with one box of this concept each.
pub(crate) fn boxes(inputs: std::ops::Range<usize>, concept: &str) -> String {
    inputs.fold(String::new(), |mut text, at| {
        writeln!(
            text,
            "  - id: in-{at:03}\n    annotations:\n      - key: k\n        \
             box: {{ top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }}\n        concepts: [{concept}]"
        )
        .unwrap();
        text
    })
}

/// Every file below a folder, with its text, sorted.
pub(crate) fn folder_of(path: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let text = String::from_utf8_lossy(&fs::read(&entry).unwrap()).into_owned();
                let name = entry.strip_prefix(path).unwrap();
                files.push((name.to_string_lossy().into_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// Reports that a test is skipped, and why. Writes to stderr directly, because the test harness captures printed text.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Whether a program is installed; prints a message if not.
pub(crate) fn is_there(program: &str) -> bool {
    let answer = Command::new(program).arg("--version").output();
    let is_there = answer.is_ok_and(|output| output.status.success());
    if !is_there {
        skipped(&format!("there is no `{program}` here"));
    }
    is_there
}

/// Runs git in a folder, with a user and settings of its own, and returns what it prints.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF"] {
        git.env_remove(variable);
    }
    for setting in [
        "user.name=tester",
        "user.email=tester@example.com",
        "init.defaultBranch=main",
        "commit.gpgsign=false",
        "protocol.file.allow=always",
    ] {
        git.args(["-c", setting]);
    }
    git.current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = git.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
