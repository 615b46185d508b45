//! `emulator`: the server as a separate process.

use super::{Run, boxes, command, settled};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `annosync emulator`; it ends with the test, however the test ends.
pub(super) struct Server {
    child: Child,
    pub(super) url: String,
}

impl Server {
    pub(super) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder)
            .args(["emulator", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim_end().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self { child, url }
    }

    /// The binary on this server's app.
    pub(super) fn run(&self, folder: &Path, key: &str, arguments: &[&str]) -> Run {
        let mut command = command(folder);
        command
            .env("CLARIFAI_PAT", key)
            .env("CLARIFAI_API_BASE", &self.url)
            .env("CLARIFAI_USER_ID", "owner")
            .env("CLARIFAI_APP_ID", "app")
            .args(arguments);
        Run::of(command)
    }

    /// One request over HTTP. Returns the status and the body.
    pub(super) fn request(&self, method: &str, path: &str, key: &str, body: &str) -> (u16, Value) {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let size = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Key {key}\r\nContent-Length: {size}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// Sends a signal, and waits for the end: exit code, the rest of stdout, and stderr.
    pub(super) fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(kill.success());
        let code = self.child.wait().unwrap().code();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let child = &mut self.child;
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut stdout)
            .unwrap();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        (code, stdout, stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder(inputs: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}inputs:\n{inputs}", super::header());
    std::fs::write(folder.path().join("m.yaml"), text).unwrap();
    folder
}

#[test]
fn the_server_stops_at_ctrl_c_and_keeps_all_data() {
    let folder = folder(&boxes(0..3, "car"));
    let arguments = ["--db", "store.db"];
    let plan = ["plan", "m.yaml", "--detailed-exitcode"];
    let apply = ["apply", "m.yaml", "--auto-approve"];
    let server = Server::start(folder.path(), &arguments);
    server
        .run(folder.path(), "owner-key", &apply)
        .exits(0)
        .says("Applied 3 (3 posted)");
    settled(&server.run(folder.path(), "owner-key", &plan));
    let listing = ["list", "--all", "--format", "json"];
    let before = server
        .run(folder.path(), "owner-key", &listing)
        .exits(0)
        .stdout;
    let ended = server.stop("-INT");
    assert_eq!(ended, (Some(0), String::new(), "Stopping.\n".to_owned()));

    let server = Server::start(folder.path(), &arguments);
    let after = server
        .run(folder.path(), "owner-key", &listing)
        .exits(0)
        .stdout;
    assert_eq!(after, before);
    settled(&server.run(folder.path(), "owner-key", &plan));
    assert_eq!(server.stop("-TERM").0, Some(0));
}

#[test]
fn owner_and_collaborators_have_keys_of_their_own() {
    let folder =
        folder("  - id: in-1\n    annotations:\n      - { key: k, concepts: [car], user: bea }\n");
    let keys = [
        "--owner-key",
        "boss",
        "--collaborator",
        "bea=b",
        "--collaborator",
        "carl=c=c",
    ];
    let server = Server::start(folder.path(), &keys);
    let apply = ["apply", "m.yaml", "--auto-approve"];
    let run = server.run(folder.path(), "c=c", &apply).exits(1);
    assert!(
        run.stderr.contains("the token belongs to carl, and the plan needs bea or the app's owner: 1 post on behalf of bea"),
        "{}",
        run.stderr
    );
    server
        .run(folder.path(), "owner-key", &apply)
        .exits(1)
        .says("not authorised");
    server.run(folder.path(), "b", &apply).exits(0);
    for key in ["b", "boss"] {
        settled(&server.run(
            folder.path(),
            key,
            &["plan", "m.yaml", "--detailed-exitcode"],
        ));
    }
    let (code, _, stderr) = server.stop("-INT");
    assert_eq!((code, stderr.as_str()), (Some(0), "Stopping.\n"));
}

#[test]
fn flags_require_existing_inputs_and_limit_the_rate() {
    let folder = folder(&boxes(0..1, "car"));
    let server = Server::start(folder.path(), &["--require-inputs", "--rate-limit", "100"]);
    let apply = ["apply", "m.yaml", "--auto-approve"];
    let run = server.run(folder.path(), "owner-key", &apply).exits(1);
    assert!(run.stderr.contains("no input `in-000`"), "{}", run.stderr);
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn a_used_address_and_an_invalid_store_are_errors() {
    let folder = folder(&boxes(0..1, "car"));
    let server = Server::start(folder.path(), &[]);
    let address = server.url.trim_start_matches("http://");
    let mut second = command(folder.path());
    second.args(["emulator", "--listen", address]);
    let second = Run::of(second).exits(1);
    assert!(
        second.stderr.contains("cannot listen on"),
        "{}",
        second.stderr
    );
    assert_eq!(second.stdout, "");
    let mut other = command(folder.path());
    other.args(["emulator", "--listen", "127.0.0.1:0", "--db", "m.yaml"]);
    let other = Run::of(other).exits(1);
    assert!(other.stderr.contains("m.yaml"), "{}", other.stderr);
    let text = std::fs::read_to_string(folder.path().join("m.yaml")).unwrap();
    assert!(text.starts_with("version: 1"), "it is left as it was");
}

#[test]
fn a_store_starts_with_the_annotations_of_the_seed() {
    let folder = folder(&boxes(0..1, "car"));
    let seed = concat!(
        r#"{"id":"m","input_id":"in-1","model_version_id":"m-1","created_at":"2026-01-01T00:00:00Z"}"#,
        "\n",
        r#"{"id":"b","input_id":"in-1","worker":{"user":{"id":"bea"}},"task_id":"t","status":{"code":24151}}"#,
        "\n",
        r#"{"id":"l","input_id":"in-1","input_level":true}"#,
        "\n",
    );
    std::fs::write(folder.path().join("seed.jsonl"), seed).unwrap();
    let list = |server: &Server, format: &str| {
        let arguments = ["list", "--all", "--format", format];
        server
            .run(folder.path(), "owner-key", &arguments)
            .exits(0)
            .stdout
    };
    let server = Server::start(folder.path(), &["--seed", "seed.jsonl"]);
    let lines = list(&server, "jsonl");
    let ids: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|annotation| annotation["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["m", "b", "l"]);
    assert!(
        lines.contains("\"created_at\":\"2026-01-01T00:00:00Z\""),
        "{lines}"
    );
    // The listing saved in either format equals the seed.
    for format in ["jsonl", "json"] {
        let file = format!("saved.{format}");
        std::fs::write(folder.path().join(&file), list(&server, format)).unwrap();
        let again = Server::start(folder.path(), &["--seed", &file]);
        assert_eq!(list(&again, "jsonl"), lines);
        assert_eq!(again.stop("-INT").0, Some(0));
    }
    assert_eq!(server.stop("-INT").0, Some(0));
}

#[test]
fn a_seed_that_exists_or_cannot_be_read_is_refused() {
    let folder = folder(&boxes(0..1, "car"));
    let emulator = |arguments: &[&str]| {
        let mut command = command(folder.path());
        command.args(["emulator", "--listen", "127.0.0.1:0"]);
        command.args(arguments);
        Run::of(command)
    };
    let line = "{\"id\":\"a\",\"input_id\":\"i\"}\n";
    std::fs::write(folder.path().join("seed.jsonl"), line).unwrap();
    std::fs::write(folder.path().join("cut.jsonl"), &line[..9]).unwrap();
    std::fs::write(folder.path().join("twice.jsonl"), line.repeat(2)).unwrap();
    let arguments = ["--db", "store.db", "--seed", "seed.jsonl"];
    let server = Server::start(folder.path(), &arguments);
    assert_eq!(server.stop("-INT").0, Some(0));
    for (arguments, why) in [
        (
            &arguments[..],
            "seed.jsonl: cannot store the annotation: input `i` already has an annotation `a`",
        ),
        (&["--seed", "twice.jsonl"], "already has an annotation `a`"),
        (&["--seed", "cut.jsonl"], "the file is cut off inside of"),
        (&["--seed", "missing.jsonl"], "missing.jsonl does not exist"),
    ] {
        let run = emulator(arguments).exits(1);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    let run = emulator(&arguments).exits(1);
    assert!(
        run.stderr.contains("hint: nothing of the file was stored"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_emulator_listens_on_loopback_by_default() {
    let folder = folder(&boxes(0..1, "car"));
    let mut help = command(folder.path());
    help.args(["emulator", "--help"]);
    Run::of(help).exits(0).says("127.0.0.1:8080");
}

#[test]
fn tls_needs_a_usable_certificate_and_its_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    for (arguments, code, words) in [
        (&["--tls-cert", "a.pem"][..], 64, "--tls-key <FILE>"),
        (
            &["--tls-cert", "a.pem", "--tls-key", "b.pem"],
            1,
            "cannot read a.pem",
        ),
        (
            &["--tls-cert", "empty.pem", "--tls-key", "empty.pem"],
            1,
            "the file of the certificate has none",
        ),
    ] {
        let mut command = command(folder.path());
        command
            .args(["emulator", "--listen", "127.0.0.1:0"])
            .args(arguments);
        Run::of(command).exits(code).says(words);
    }
}

#[test]
fn a_strict_emulator_takes_what_annosync_sends() {
    let inputs = boxes(0..60, "car").replace(
        "    annotations:",
        "    image: { url: \"https://example.com/a.jpg\" }\n    annotations:",
    );
    let folder = folder(&inputs);
    let options = [
        "--strict",
        "--require-inputs",
        "--enums",
        "names",
        "--omit-zeros",
    ];
    let order = ["--listing-order", "newest", "--page-size", "25"];
    let server = Server::start(folder.path(), &[&options[..], &order].concat());
    let run = |arguments: &[&str]| server.run(folder.path(), "owner-key", arguments);
    run(&["apply", "m.yaml", "--auto-approve", "--create-inputs"]).exits(0);
    settled(&run(&["plan", "m.yaml", "--detailed-exitcode"]));
    assert_eq!(server.stop("-TERM").0, Some(0));
}
