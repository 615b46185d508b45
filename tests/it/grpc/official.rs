//! The official clients against the emulator, unchanged. They are installed from the package indexes, which takes a minute,
//! so this runs only if `ANNOSYNC_SDK` is set.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use super::connections::{CERTIFICATE, PRIVATE_KEY};
use super::{Server, config};
use annosync::emulator::{Config, tls};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Whether the tests of the official clients run.
fn wanted() -> bool {
    let wanted = std::env::var_os("ANNOSYNC_SDK").is_some();
    if !wanted {
        eprintln!("skipped: the official clients run with ANNOSYNC_SDK=1");
    }
    wanted
}

/// Installs a client. `None` if the package index cannot be reached.
fn install(command: &mut Command) -> Option<()> {
    let output = command.output();
    if output.as_ref().is_ok_and(|output| output.status.success()) {
        return Some(());
    }
    eprintln!("skipped: {command:?} failed: {output:?}");
    None
}

/// A virtual environment with Python's clients.
fn python(folder: &Path) -> Option<PathBuf> {
    let environment = folder.join("venv");
    install(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment),
    )?;
    let python = environment.join("bin/python");
    // The JSON channel of clarifai-grpc uses an attribute that protobuf 7 does not have.
    let packages = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "clarifai",
        "clarifai-grpc",
        "protobuf<7",
    ];
    install(Command::new(&python).args(packages))?;
    Some(python)
}

fn node(folder: &Path) -> Option<()> {
    let package = ["install", "--silent", "clarifai-nodejs-grpc"];
    install(Command::new("npm").args(package).current_dir(folder))
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
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python(folder.path()) else {
        return;
    };
    let server = Server::start(Config {
        strict: true,
        ..config()
    })
    .await;
    let mut command = Command::new(python);
    command
        .arg(script("sdk.py"))
        .arg(server.emulator.url())
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("CLARIFAI_PAT", "owner-key")
        .env("NO_PROXY", "127.0.0.1");
    run(command).await;
    server.emulator.stop().await.unwrap();
}

#[test]
fn the_pytest_example_passes() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(python) = python(folder.path()) else {
        return;
    };
    let packages = ["-m", "pip", "install", "--quiet", "pytest"];
    if install(Command::new(&python).args(packages)).is_none() {
        return;
    }
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pytest");
    let output = Command::new(python)
        .args(["-m", "pytest", "-p", "no:cacheprovider"])
        .arg(example)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ANNOSYNC", env!("CARGO_BIN_EXE_annosync"))
        .env("HOME", folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("2 passed"), "{stdout}");
}

#[tokio::test]
async fn the_nodejs_client_works_unchanged() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    if node(folder.path()).is_none() {
        return;
    }
    // The client has no option for plain text.
    let tls = Some(tls(CERTIFICATE, PRIVATE_KEY).unwrap());
    let server = Server::start(Config {
        strict: true,
        tls,
        ..config()
    })
    .await;
    let certificate = folder.path().join("certificate.pem");
    std::fs::write(&certificate, CERTIFICATE).unwrap();
    std::fs::copy(script("client.js"), folder.path().join("client.js")).unwrap();
    let mut command = Command::new("node");
    command
        .arg("client.js")
        .current_dir(folder.path())
        .env("NODE_EXTRA_CA_CERTS", &certificate)
        .env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &certificate)
        .env("no_grpc_proxy", "localhost")
        .env(
            "CLARIFAI_GRPC_BASE",
            format!("localhost:{}", server.emulator.address().port()),
        );
    run(command).await;
    server.emulator.stop().await.unwrap();
}
