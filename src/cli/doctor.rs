//! `doctor`: checks what a plan and an apply need, and says what is missing. It writes nothing.

use super::connection::{ConnectionArgs, Destination};
use super::exit::{Exit, Failure};
use super::formats::TextOrJson;
use super::git::{self, git};
use super::output;
use super::pictures::Sources;
use super::session::Session;
use super::tracked::tracked;
use super::user_file::UserFile;
use super::validate::{Files, load_or_problems};
use crate::api::{ApiError, Filter};
use crate::manifest::Manifest;
use crate::render::{self, counted};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

/// Calls that measure how fast the service answers.
const CALLS: usize = 5;
/// A clock that is off by more seconds than this is reported.
const MOST_SECONDS_OFF: i64 = 60;

/// Check the setup: token, rights, app, clock, rate, git, pictures
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to print the checks
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It works, but not all of it.
    Warning,
    Error,
    /// It needs another check that failed.
    Skipped,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    checks: Vec<Check>,
}

impl Report {
    fn add(&mut self, name: &'static str, state: State, found: impl Into<String>) {
        self.checks.push(Check {
            name,
            state,
            found: found.into(),
            next: None,
        });
    }

    fn advise(&mut self, name: &'static str, state: State, found: String, next: impl Into<String>) {
        self.checks.push(Check {
            name,
            state,
            found,
            next: Some(next.into()),
        });
    }

    fn fail(&mut self, name: &'static str, failure: Failure) {
        self.checks.push(Check {
            name,
            state: State::Error,
            found: failure.message,
            next: failure.hint,
        });
    }

    /// Skips the checks that need a token.
    fn skip(&mut self, why: &str) {
        for name in ["app", "rights", "clock", "rate"] {
            self.add(name, State::Skipped, why);
        }
    }

    fn has(&self, state: State) -> bool {
        self.checks.iter().any(|check| check.state == state)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let state = match check.state {
                State::Ok => "ok",
                State::Warning => "warning",
                State::Error => "error",
                State::Skipped => "skipped",
            };
            let _ = writeln!(text, "{state:<9}{:<10}{}", check.name, check.found);
            if let Some(next) = &check.next {
                let _ = writeln!(text, "{:19}{next}", "");
            }
        }
        text
    }
}

pub(crate) async fn run(args: &Args) -> Result<Exit, Failure> {
    let mut report = Report::default();
    let manifest = check_manifest(args, &mut report);
    check_git(args, manifest.as_ref(), &mut report);
    check_user_file(&mut report);
    match args.connection.destination(manifest.as_ref()) {
        Ok(destination) => check_target(args, &destination, &mut report).await,
        Err(failure) => {
            report.fail("target", failure);
            report.add("token", State::Skipped, "there is no target");
            report.skip("there is no target");
        }
    }
    check_pictures(manifest.as_ref(), &mut report);
    args.format.print(&report, || report.text())?;
    Ok(if report.has(State::Error) {
        Exit::Error
    } else {
        Exit::Done
    })
}

fn check_manifest(args: &Args, report: &mut Report) -> Option<Manifest> {
    let path = args.path.display();
    match load_or_problems(&args.path, args.files) {
        Ok(Ok(manifest)) => {
            let inputs = &manifest.desired.inputs;
            let annotations: usize = inputs.iter().map(|input| input.annotations.len()).sum();
            let found = format!(
                "set {}: {}, {}",
                manifest.desired.set,
                counted(inputs.len() as u64, "input"),
                counted(annotations as u64, "annotation")
            );
            report.add("manifest", State::Ok, found);
            Some(manifest)
        }
        Ok(Err(problems)) => {
            let found = format!("{path}: {}", counted(problems.len() as u64, "problem"));
            let next = format!("`annosync validate {path}` shows each");
            report.advise("manifest", State::Error, found, next);
            None
        }
        Err(failure) => {
            report.fail("manifest", failure);
            None
        }
    }
}

fn check_git(args: &Args, manifest: Option<&Manifest>, report: &mut Report) {
    let folder = if args.path.is_dir() {
        &args.path
    } else {
        output::folder_of(&args.path)
    };
    let Ok(version) = git::run(git().arg("--version"), None) else {
        let next =
            "install git: --base, `pull --base` and the check for missing label files use it";
        report.advise("git", State::Warning, "git is missing".to_owned(), next);
        return;
    };
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let tracked = match tracked(folder) {
        Ok(Some(tracked)) => tracked,
        Ok(None) => {
            let next =
                "run `git init`: a label file that goes missing is noticed only in a repository";
            let found = format!("{version}; the manifest is in no repository");
            report.advise("git", State::Warning, found, next);
            return;
        }
        Err(why) => {
            let next = "make the repository usable for git; in a container: git config --global --add safe.directory FOLDER";
            report.advise("git", State::Error, why, next);
            return;
        }
    };
    let missing = manifest.map_or(0, |manifest| manifest.missing_files.len() as u64);
    if missing > 0 {
        let found = format!(
            "{} in git and not on the disk",
            counted(missing, "label file")
        );
        let next = "restore them with `git restore FILE`, or commit the deletion";
        report.advise("git", State::Error, found, next);
    } else if tracked.files.is_empty() {
        let found = format!("{version}; no file of this folder is committed");
        report.advise("git", State::Warning, found, "commit the label files");
    } else {
        report.add("git", State::Ok, version);
    }
    let mut config = git();
    config.arg("-C").arg(folder);
    config.args(["config", "--get", "diff.annosync.command"]);
    if git::run(&mut config, None).is_err() {
        let next = "git config diff.annosync.command 'annosync diff --git', and `labels/** diff=annosync` in .gitattributes";
        let found = "`git diff` shows label files as text".to_owned();
        report.advise("git diff", State::Warning, found, next);
    } else {
        report.add("git diff", State::Ok, "shows labels");
    }
}

fn check_user_file(report: &mut Report) {
    match UserFile::read() {
        Ok(own) => {
            if let Some(path) = own.path() {
                let targets = counted(own.names().count() as u64, "target");
                report.add(
                    "own file",
                    State::Ok,
                    format!("{}: {targets}", path.display()),
                );
            }
        }
        Err(failure) => report.fail("own file", failure),
    }
}

async fn check_target(args: &Args, destination: &Destination, report: &mut Report) {
    let target = destination.target();
    let found = format!(
        "app {} of {} at {}",
        target.app_id, target.user_id, target.endpoint
    );
    report.add("target", State::Ok, found);
    let session = match Session::open(&args.connection, destination).await {
        Ok(session) => session,
        Err(failure) => {
            report.fail("token", failure);
            report.skip("there is no token");
            return;
        }
    };
    if let Some(caller) = check_token(&session, report).await {
        check_app(&session, &caller, report).await;
        check_clock(&session, report);
        check_rate(&session, destination, report).await;
    } else {
        report.skip("the service does not accept the token");
    }
    session.close().await;
}

/// The user of the token.
async fn check_token(session: &Session, report: &mut Report) -> Option<String> {
    match session.reader().caller().await {
        Ok(caller) => {
            report.add("token", State::Ok, format!("of user {caller}"));
            Some(caller)
        }
        Err(error) => {
            report.fail("token", error.into());
            None
        }
    }
}

async fn check_app(session: &Session, caller: &str, report: &mut Report) {
    let page = session.reader().pages(&Filter::default()).next().await;
    match page {
        Ok(page) => {
            let found = match page {
                Some(_) => "annotations can be read",
                None => "it can be read, and has no annotations",
            };
            report.add("app", State::Ok, found);
        }
        Err(error) => {
            report.fail("app", error.into());
            report.add("rights", State::Skipped, "the app cannot be read");
            return;
        }
    }
    let owner = session.owner();
    if owner == caller || owner == "me" {
        let found =
            "the app's owner: may change every annotation, if the token has the scope to write";
        report.add("rights", State::Ok, found);
    } else {
        let found = format!("a collaborator: {caller} may change only own annotations");
        let next = format!(
            "plans are the same for every token; to apply all of them, use a token of {owner}"
        );
        report.advise("rights", State::Warning, found, next);
    }
}

fn check_clock(session: &Session, report: &mut Report) {
    match session.reader().clock_ahead() {
        None => report.add(
            "clock",
            State::Skipped,
            "the service does not report its time",
        ),
        Some(ahead) if ahead.abs() > MOST_SECONDS_OFF => {
            let way = if ahead > 0 { "behind" } else { "ahead of" };
            let found = format!("{} s {way} the service's", ahead.abs());
            let next = "set this machine's clock: the service may ask to wait until a time";
            report.advise("clock", State::Warning, found, next);
        }
        Some(_) => report.add("clock", State::Ok, "agrees with the service's"),
    }
}

async fn check_rate(session: &Session, destination: &Destination, report: &mut Report) {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let start = Instant::now();
        if let Err(error) = session.reader().caller().await {
            report.fail("rate", ApiError::into(error));
            return;
        }
        times.push(start.elapsed().as_millis());
    }
    times.sort_unstable();
    let found = format!(
        "up to {} calls per second; an answer takes {} ms",
        render::thousands(destination.rate_limit().into()),
        times[CALLS / 2]
    );
    report.add("rate", State::Ok, found);
}

fn check_pictures(manifest: Option<&Manifest>, report: &mut Report) {
    let Some(manifest) = manifest else {
        report.add("pictures", State::Skipped, "the manifest cannot be read");
        return;
    };
    let sources = Sources::of([manifest.into()]);
    let found = sources.count(manifest.desired.inputs.iter().map(|input| &input.id));
    let text = format!(
        "{} on this machine, {} by URL, {} not known",
        render::thousands(found.files),
        render::thousands(found.urls),
        render::thousands(found.unknown)
    );
    match (found.problem, found.unknown) {
        (Some(problem), _) => {
            let next = "correct the path in its label file";
            report.advise(
                "pictures",
                State::Warning,
                format!("{text}; {problem}"),
                next,
            );
        }
        (None, 1..) if found.files + found.urls == 0 => {
            let next = "a review draws blank pictures without --pictures DIR, or `image: { path: … }` in the label files";
            report.advise("pictures", State::Warning, text, next);
        }
        _ => report.add("pictures", State::Ok, text),
    }
}
