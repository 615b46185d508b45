//! The `git` program: how it is run, so that nothing of the user's runs with it and no index is written.

use super::exit::Failure;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Variables by which git tells the programs that it runs (hooks, aliases) where its repository is. The one that counts
/// is the manifest's.
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

/// Settings under which nothing of the user's runs or is kept: no hook when an index is written, no daemon.
const SETTINGS: [&str; 4] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.sparseCheckout=false",
];

/// `git`, which finds its repository by where it runs, asks nobody and waits for nobody.
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

/// The repository and the work tree that variables name, as paths that hold in every folder.
pub(super) fn named_repository() -> Option<[(&'static str, PathBuf); 2]> {
    let git_dir = std::env::var_os("GIT_DIR")?;
    let work_tree = std::env::var_os("GIT_WORK_TREE").unwrap_or_else(|| ".".into());
    let absolute = |path: &OsStr| std::path::absolute(path).ok();
    Some([
        ("GIT_DIR", absolute(&git_dir)?),
        ("GIT_WORK_TREE", absolute(&work_tree)?),
    ])
}

/// Runs git, hands it what it reads, and takes what it writes. What it complains of is the failure.
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
            // Git may end before it has read everything; its own complaint says more then.
            pipe.zip(input)
                .map(|(mut pipe, input)| pipe.write_all(input))
        });
        child.wait_with_output()
    });
    match ended {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(format!(
                "git failed: {}",
                said.trim()
            )))
        }
        Err(error) => Err(Failure::new(format!("git failed: {error}"))),
    }
}

pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes)
        .map_err(|_| Failure::new("the path of the repository is not valid UTF-8"))
}
