//! Runs the `git` program without the user's hooks and without writing the index.

use super::exit::Failure;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Variables by which git tells its hooks and aliases where their repository is. The repository of the manifest may be
/// another one.
const LOCAL: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// Settings that turn off hooks, daemons and settings of the index.
const SETTINGS: [&str; 4] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.sparseCheckout=false",
];

/// A `git` command that finds its repository from the current folder, never asks for input and takes no locks.
pub(super) fn git() -> Command {
    let mut git = Command::new("git");
    for name in LOCAL {
        git.env_remove(name);
    }
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git.env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_LITERAL_PATHSPECS", "1")
        .env("GIT_TERMINAL_PROMPT", "0");
    git
}

/// The repository and the work tree that variables name, as absolute paths.
pub(super) fn named_repository() -> Option<[(&'static str, PathBuf); 2]> {
    let git_dir = std::env::var_os("GIT_DIR")?;
    let work_tree = std::env::var_os("GIT_WORK_TREE").unwrap_or_else(|| ".".into());
    let absolute = |path: &OsStr| std::path::absolute(path).ok();
    Some([
        ("GIT_DIR", absolute(&git_dir)?),
        ("GIT_WORK_TREE", absolute(&work_tree)?),
    ])
}

/// Runs git with this stdin and returns its stdout. If it fails, the error holds its stderr.
pub(super) fn run(git: &mut Command, input: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let started = git
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| {
        Failure::new(format!("cannot run git: {error}"))
            .hint("--base reads an earlier manifest with the git program: install it, or plan without --base")
    })?;
    let ended = std::thread::scope(|scope| {
        let pipe = child.stdin.take();
        scope.spawn(move || {
            // Git may end before it has read everything; its stderr is the better error then.
            pipe.zip(input)
                .map(|(mut pipe, input)| pipe.write_all(input))
        });
        child.wait_with_output()
    });
    match ended {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(format!("git failed: {}", stderr.trim())))
        }
        Err(error) => Err(Failure::new(format!("git failed: {error}"))),
    }
}

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|_| Failure::new("the path of the repository is not valid UTF-8"))
}
