//! The official clients against the emulator, unchanged: the SDK, the example for pytest, and the snippets of the service's
//! documents. They are installed from the package indexes, so this runs only if `ANNOSYNC_SDK` is set.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod documents;
mod snippets;

use super::connections::{CERTIFICATE, PRIVATE_KEY};
use super::{Server, config};
use annosync::emulator::{Config, tls};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The folder of an installed client, `python` or `nodejs`, which is installed if it is not there. `None` if it is not wanted,
/// or the package index cannot be reached. `ANNOSYNC_SDK` names the wanted clients; all with `1`.
fn installed(client: &str) -> Option<PathBuf> {
    let wanted = std::env::var("ANNOSYNC_SDK").unwrap_or_default();
    if wanted != "1" && !wanted.split(' ').any(|name| name == client) {
        eprintln!("skipped: the official client for {client} runs with ANNOSYNC_SDK=1");
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let mut command = Command::new("python3");
    command.arg(script("install.py")).arg(&folder).arg(client);
    let output = command.output();
    if output.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(folder.join(client));
    }
    eprintln!("skipped: {command:?} failed: {output:?}");
    None
}

/// Python's interpreter, with its clients and pytest.
fn python() -> Option<Command> {
    let mut command = Command::new(installed("python")?.join("venv/bin/python"));
    command.env("NO_PROXY", "127.0.0.1");
    Some(command)
}

fn nodejs() -> Option<Command> {
    let packages = installed("nodejs")?.join("node_modules");
    let mut command = Command::new("node");
    command.env("NODE_PATH", packages);
    Some(command)
}

/// An emulator with TLS: some clients have no option for plain text. The command's client finds it, and trusts it.
async fn secured(config: Config, command: &mut Command, folder: &Path) -> Server {
    let tls = Some(tls(CERTIFICATE, PRIVATE_KEY).unwrap());
    let trusted = reqwest::Certificate::from_pem(CERTIFICATE).unwrap();
    let server = Server::with(Config { tls, ..config }, |builder| {
        builder.tls_certs_only([trusted.clone()])
    })
    .await;
    let certificate = folder.join("certificate.pem");
    std::fs::write(&certificate, CERTIFICATE).unwrap();
    let port = server.emulator.address().port();
    command
        .env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &certificate)
        .env("no_grpc_proxy", "localhost")
        .env("NODE_EXTRA_CA_CERTS", &certificate)
        .env("CLARIFAI_API_BASE", format!("https://localhost:{port}"))
        .env("CLARIFAI_GRPC_BASE", format!("localhost:{port}"));
    server
}

fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/grpc/official");
    folder.join(name)
}

fn check(output: &Output) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(
        stdout.trim_end().ends_with("all calls succeeded"),
        "{stdout}\n{stderr}"
    );
}

async fn run(mut command: Command) {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    check(&output.await.unwrap());
}

#[tokio::test]
async fn the_python_clients_work_unchanged() {
    let Some(mut command) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Config {
        strict: true,
        ..config()
    })
    .await;
    command
        .arg(script("sdk.py"))
        .arg(server.emulator.url())
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("CLARIFAI_PAT", "owner-key");
    run(command).await;
    server.emulator.stop().await.unwrap();
}

#[test]
fn the_pytest_example_passes() {
    let Some(mut command) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pytest");
    let output = command
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .arg(example)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ANNOSYNC", env!("CARGO_BIN_EXE_annosync"))
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("2 passed"), "{stdout}");
}

#[tokio::test]
async fn the_nodejs_client_works_unchanged() {
    let Some(mut command) = nodejs() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let strict = Config {
        strict: true,
        ..config()
    };
    let server = secured(strict, &mut command, folder.path()).await;
    command.arg(script("client.js"));
    run(command).await;
    server.emulator.stop().await.unwrap();
}
