//! The command line: one file per command. A command reads its arguments, calls the library and prints the result.
//!
//! Results go to stdout, messages to stderr. Exit codes are in `exit`.

mod account;
mod apply;
mod base;
mod command_line;
mod completions;
mod conformance;
mod connection;
mod diff;
mod doctor;
mod emulator;
mod examples;
mod exit;
mod export;
mod files;
mod fmt;
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
mod linting;
mod list;
mod log;
mod notify;
mod offline;
mod output;
mod pager;
mod pictures;
mod plan;
mod plan_file;
mod planning;
mod progress;
mod pull;
mod review;
mod schema;
mod session;
mod sets;
mod shard;
mod sheets;
mod show;
mod stats;
mod terminal;
mod test;
mod tracked;
mod undo;
mod user_file;
mod validate;
mod values;
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
    /// No colours, as with NO_COLOR=1
    #[arg(long, global = true)]
    no_color: bool,
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
    /// Check and lint a manifest offline
    Validate(linting::Args),
    /// Write label files in the form that pull writes, and keep their comments
    Fmt(fmt::Args),
    /// Count the labels of a manifest
    Stats(stats::Args),
    /// Compare two label sets: manifests, git revisions, listings, files of other tools
    Diff(diff::Args),
    /// Import annotations of another format into a manifest
    Import(import::Args),
    /// Export a manifest, or a saved listing, to another format
    Export(export::Args),
    /// Write a manifest with an example or imported labels, and CI pipelines
    Init(init::Args),
    /// Check the setup: token, rights, app, clock, rate, git, pictures
    Doctor(doctor::Args),
    /// Compare the plans of test cases with the expected plans, offline
    Test(test::Args),
    /// Serve the API from a SQLite file
    Emulator(emulator::Args),
    /// Try on an input of its own whether a server does what annosync assumes of it
    Conformance(conformance::Args),
    /// Print the JSON Schema of a manifest, a plan, a listing, an outcome, a diff, findings or statistics
    Schema(schema::Args),
    /// Print shell completions
    Completions(completions::Args),
    /// Print or write the manual pages
    Man(help::man::Args),
    /// Print the version
    Version,
    /// Print help on a command or a topic
    Help(help::Args),
}

/// Parses the command line, runs the command and returns its exit code.
pub fn main() -> ExitCode {
    let parsed = command_line::parse(command(), std::env::args_os().collect());
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // clap reports help and version as errors, too.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            print_clap_error(&error);
            return exit.into();
        }
    };
    if cli.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    start_logging(cli.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&Failure::new(format!(
                "cannot start the async runtime: {error}"
            )))
            .into();
        }
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Plan(args) => {
                let deadline = args.connection.deadline();
                deadline.limit(Box::pin(plan::run(args))).await
            }
            Command::Apply(args) => Box::pin(apply::run(args)).await,
            Command::Show(args) => Box::pin(show::run(&args)).await,
            Command::Pull(args) => {
                let deadline = args.connection.deadline();
                deadline.limit(pull::run(args)).await
            }
            Command::List(args) => {
                let deadline = args.connection.deadline();
                deadline.limit(list::run(args)).await
            }
            Command::Validate(args) => linting::run(&args),
            Command::Fmt(args) => fmt::run(&args),
            Command::Diff(args) => Box::pin(diff::run(&args)).await,
            Command::Stats(args) => stats::run(&args),
            Command::Import(args) => import::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Init(args) => Box::pin(init::run(&args)).await,
            Command::Doctor(args) => {
                let deadline = args.connection.deadline();
                deadline.limit(doctor::run(&args)).await
            }
            Command::Test(args) => test::run(&args),
            Command::Emulator(args) => emulator::run(args).await,
            Command::Conformance(args) => conformance::run(&args).await,
            Command::Schema(args) => schema::run(&args),
            Command::Completions(args) => completions::run(&args, command()),
            Command::Man(args) => help::man::run(&args, command()),
            Command::Version => {
                output::result(concat!("annosync ", env!("CARGO_PKG_VERSION"), "\n"))
                    .map(|()| Exit::Done)
            }
            Command::Help(args) => help::run(&args, command()),
        }
    });
    // The question for approval may still wait for a line on a blocking thread.
    runtime.shutdown_background();
    result.unwrap_or_else(|failure| fail(&failure)).into()
}

/// Prints a usage error or the help. A usage error repeats arguments: if one has control characters, everything is
/// escaped, and colours are lost.
fn print_clap_error(error: &clap::Error) {
    let has_no_controls = |argument: std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        matches!(crate::render::escape(&argument), Cow::Borrowed(_))
    };
    if std::env::args_os().all(has_no_controls) {
        let _ = error.print();
    } else {
        output::message(&error.to_string());
    }
}

/// The clap command with examples and exit codes in its help.
fn command() -> clap::Command {
    let codes: Vec<String> = Exit::ALL
        .map(|exit| format!("{} {}", exit.number(), exit.meaning()))
        .into();
    let command = Cli::command().mut_subcommand("init", init::with_requirements);
    let command = command_line::with_short_forms(command);
    examples::with_examples(command).after_help(format!(
        "Exit codes: {}.\nMore: annosync help exit-codes, annosync help environment.",
        codes.join("; ")
    ))
}

fn fail(failure: &Failure) -> Exit {
    output::message(&format!("error: {}", failure.message));
    if let Some(hint) = &failure.hint {
        output::message(&format!("hint: {hint}"));
    }
    failure.exit
}

fn start_logging(level: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
    let level = match level {
        0 => return,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| output::LogWriter)
        .with_ansi(false);
    // Events of other crates may hold secrets.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(ours));
    // This fails only if there is a subscriber already.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
