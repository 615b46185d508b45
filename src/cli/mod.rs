//! The command line: one file a command, each arguments in, library call, rendering out. No logic of its own.
//!
//! The result goes to stdout, everything else to stderr; the exit codes are in `exit`.

mod apply;
mod base;
mod completions;
mod connection;
mod emulator;
mod examples;
mod exit;
mod formats;
mod git;
mod help;
mod import;
mod init;
mod input;
mod interrupts;
mod inventory;
mod kind;
mod label_files;
mod list;
mod log;
mod man;
mod offline;
mod output;
mod pager;
mod plan;
mod plan_file;
mod progress;
mod pull;
mod reference;
mod schema;
mod session;
mod sets;
mod show;
mod terminal;
mod test;
mod tracked;
mod undo;
mod validate;
mod view;
mod watchers;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use exit::{Exit, Failure};
use std::borrow::Cow;
use std::process::ExitCode;

/// Terraform for labels: keep the annotations of a Clarifai app equal to the YAML in a git repository.
#[derive(Debug, Parser)]
#[command(
    name = "annosync",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    /// Log what the client does to stderr; -vv logs more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what apply would do
    Plan(plan::Args),
    /// Make the app equal to the manifest
    Apply(apply::Args),
    /// Show a saved plan, undo file, outcome or log
    Show(show::Args),
    /// Pull an app's annotations into a manifest
    Pull(pull::Args),
    /// Print the annotations of an app
    List(list::Args),
    /// Check a manifest offline
    Validate(validate::Args),
    /// Import annotations of another format into a manifest
    #[command(subcommand)]
    Import(import::Import),
    /// Write a manifest, an example and CI pipelines
    Init(init::Args),
    /// Compare the plans of test cases with the expected plans, offline
    Test(test::Args),
    /// Serve the API from a SQLite file
    Emulator(emulator::Args),
    /// Print the JSON Schema of a manifest, a plan, a listing or an outcome
    Schema(schema::Args),
    /// Print shell completions
    Completions(completions::Args),
    /// Print or write the manual pages
    Man(man::Args),
    /// Print help on a command or a topic
    Help(help::Args),
}

/// Parses the command line, runs the command, and says how it ended.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a command line that makes no sense.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            refuse(&error);
            return exit.into();
        }
    };
    verbosity(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::new(format!("cannot start the async runtime: {error}"))).into(),
    };
    let ended = runtime.block_on(async {
        match cli.command {
            Command::Plan(args) => {
                let deadline = args.connection.deadline();
                deadline.hold(plan::run(args)).await
            }
            Command::Apply(args) => Box::pin(apply::run(args)).await,
            Command::Show(args) => show::run(&args),
            Command::Pull(args) => {
                let deadline = args.connection.deadline();
                deadline.hold(pull::run(args)).await
            }
            Command::List(args) => {
                let deadline = args.connection.deadline();
                deadline.hold(list::run(args)).await
            }
            Command::Validate(args) => validate::run(&args),
            Command::Import(import) => import::run(import),
            Command::Init(args) => init::run(&args),
            Command::Test(args) => test::run(&args),
            Command::Emulator(args) => emulator::run(args).await,
            Command::Schema(args) => schema::run(&args),
            Command::Completions(args) => completions::run(&args),
            Command::Man(args) => man::run(&args),
            Command::Help(args) => help::run(&args),
        }
    });
    // A question at the terminal may still wait for a line on a blocking thread.
    runtime.shutdown_background();
    ended.unwrap_or_else(|failure| fail(&failure)).into()
}

/// Prints what is wrong with a command line, or its help. What was typed is part of the former, and what is typed for
/// somebody may hold what a terminal obeys: it is shown without colours then, for those are no different.
fn refuse(error: &clap::Error) {
    let is_harmless = |argument: std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        matches!(crate::render::escape(&argument), Cow::Borrowed(_))
    };
    if std::env::args_os().all(is_harmless) {
        let _ = error.print();
    } else {
        output::talk(&error.to_string());
    }
}

/// The command line with everything that its help says.
fn command() -> clap::Command {
    let codes: Vec<String> = Exit::ALL
        .map(|exit| format!("{} {}", exit.number(), exit.meaning()))
        .into();
    examples::with_examples(Cli::command()).after_help(format!(
        "Exit codes: {}.\nMore: annosync help exit-codes, annosync help environment.",
        codes.join("; ")
    ))
}

fn fail(failure: &Failure) -> Exit {
    output::talk(&format!("error: {}", failure.message));
    if let Some(hint) = &failure.hint {
        output::talk(&format!("hint: {hint}"));
    }
    failure.exit
}

fn verbosity(level: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    let level = match level {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| output::Talk)
        .with_ansi(false);
    // Of other crates' events nobody knows what they hold.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(ours));
    // Only a second subscriber would be an error, and there is none.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
