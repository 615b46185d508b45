//! A stranger's way: from labels of another tool to a change that was reviewed and applied.

use super::{Run, is_there, skipped};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most commands that it may take, with the installation.
const MOST: u32 = 8;

/// The script on these labels, with the binary on its path, or with a wheel.
pub(crate) fn run(labels: &Path, wheel: Option<&Path>) -> Run {
    let binary = Path::new(env!("CARGO_BIN_EXE_annosync")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new("bash");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first-change.sh"))
        .arg(labels)
        .args(wheel)
        .env_clear();
    match wheel {
        Some(_) => command.env("PATH", path),
        None => command.env("PATH", format!("{}:{path}", binary.display())),
    };
    Run::of(command)
}

/// Pascal VOC files of a hundred pictures, beside the project.
pub(crate) fn labels() -> Option<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/voc100/pascalvoc_format");
    if folder.is_dir() {
        return Some(folder);
    }
    skipped("the data set voc100 is not there");
    None
}

pub(crate) fn is_done(run: Run) {
    let run = run.exits(0);
    let last = run.last_line().to_owned();
    let commands: u32 = last.split(' ').next().unwrap().parse().unwrap();
    assert!(commands <= MOST, "{last}");
    assert!(run.stdout.contains("1 relabelled"), "{}", run.stdout);
    assert!(
        run.stdout.contains("Applied 1 (1 overwritten)"),
        "{}",
        run.stdout
    );
}

#[test]
fn labels_of_another_tool_become_a_reviewed_change_in_eight_commands() {
    if !["bash", "git"].into_iter().all(is_there) {
        skipped("bash or git is missing");
        return;
    }
    if let Some(labels) = labels() {
        is_done(run(&labels, None));
    }
}
