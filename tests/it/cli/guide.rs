//! The guide: its files are written and its commands run as they stand there, and print what it says.
//!
//! `<!-- folder NAME -->` begins an empty folder, and `<!-- file PATH -->` says where the next code block is written. Blocks of
//! `console` are run by a shell, whose `cd` counts for the blocks after it. A line `…` in an output stands for any lines.
//! `ANNOSYNC_WRITE_GUIDE=1` writes the outputs as they are now.

use super::{is_there, skipped};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ANY: &str = "…";

/// A shell in a folder of its own, with the binary on its path.
struct Shell {
    home: PathBuf,
    folder: PathBuf,
}

impl Shell {
    fn begin(&mut self, name: &str) {
        self.folder = self.home.join(name);
        fs::create_dir(&self.folder).unwrap();
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command, and returns what a terminal would show.
    fn run(&mut self, command: &str) -> String {
        let binary = Path::new(env!("CARGO_BIN_EXE_annosync")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let at = self.home.join("pwd");
        let script = format!("exec 2>&1\n{command}\npwd > '{}'\n", at.display());
        let output = Command::new("sh")
            .args(["-c", &script])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:{path}", binary.display()))
            .env("HOME", &self.home)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ann")
            .env("GIT_AUTHOR_EMAIL", "ann@example.org")
            .env("GIT_COMMITTER_NAME", "Ann")
            .env("GIT_COMMITTER_EMAIL", "ann@example.org")
            .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
            .output()
            .unwrap();
        self.folder = PathBuf::from(fs::read_to_string(&at).unwrap().trim_end());
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Whether an output is as it is told, with `…` for any lines.
fn is_as_told(output: &str, told: &str) -> bool {
    let told: Vec<&str> = told.lines().collect();
    let output: Vec<&str> = output.lines().collect();
    match told.iter().position(|line| *line == ANY) {
        None => output == told,
        Some(at) => {
            let after = &told[at + 1..];
            output.len() >= told.len() - 1
                && output[..at] == told[..at]
                && output[output.len() - after.len()..] == *after
        }
    }
}

/// Runs a session, and returns it with the outputs as they are.
fn session(shell: &mut Shell, told: &str) -> String {
    let mut lines = told.lines().peekable();
    let mut ran = String::new();
    while let Some(line) = lines.next() {
        let command = line
            .strip_prefix("$ ")
            .unwrap_or_else(|| panic!("no command: {line}"));
        let _ = writeln!(ran, "$ {command}");
        let mut whole = command.to_owned();
        while whole.ends_with('\\') {
            let more = lines.next().unwrap();
            let _ = writeln!(ran, "{more}");
            let _ = write!(whole, "\n{more}");
        }
        let mut expected = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            let _ = writeln!(expected, "{line}");
        }
        let output = shell.run(&whole);
        let output = output.trim_end_matches('\n');
        if is_as_told(output, &expected) {
            ran.push_str(&expected);
        } else if !output.is_empty() {
            let _ = writeln!(ran, "{output}");
        }
    }
    ran
}

#[test]
fn every_command_of_the_guide_prints_what_the_guide_says() {
    if !is_there("git") {
        skipped("git is not installed");
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guide.md");
    let guide = fs::read_to_string(&path).unwrap();
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let mut shell = Shell {
        folder: home.clone(),
        home,
    };
    let mut ran = String::new();
    let mut file: Option<String> = None;
    let mut sessions = 0;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(ran, "{line}");
        let directive = line
            .strip_prefix("<!-- ")
            .and_then(|it| it.strip_suffix(" -->"));
        match directive.and_then(|it| it.split_once(' ')) {
            Some(("folder", name)) => shell.begin(name),
            Some(("file", name)) => file = Some(name.to_owned()),
            Some(other) => panic!("no directive of the guide: {other:?}"),
            None => {}
        }
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let mut block = String::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            let _ = writeln!(block, "{line}");
        }
        if let Some(name) = file.take() {
            shell.write(&name, &block);
        } else if language == "console" {
            block = session(&mut shell, &block);
            sessions += 1;
        }
        let _ = writeln!(ran, "{block}```");
    }
    assert!(sessions > 0);
    if std::env::var_os("ANNOSYNC_WRITE_GUIDE").is_some() {
        fs::write(&path, &ran).unwrap();
    }
    assert!(ran == guide, "{}", similar_lines(&guide, &ran));
}

/// The lines that differ.
fn similar_lines(told: &str, ran: &str) -> String {
    let diff = similar::TextDiff::from_lines(told, ran);
    diff.unified_diff()
        .header("examples/guide.md", "as run")
        .to_string()
}
