//! What can be asked for besides the help of one command: all commands, topics, exit codes, the environment.

use crate::cli::exit::{Exit, Failure};
use crate::model::Rule;
use clap::Command;

/// Help topics that are not commands.
pub(super) const TOPICS: [(&str, &str); 4] = [
    ("exit-codes", "what each exit code means and what to do"),
    (
        "lint-rules",
        "the rules of the linter, their levels and fixes",
    ),
    ("environment", "the variables that annosync reads"),
    ("reference", "the whole command line, as Markdown"),
];

/// Finds a command by its name, such as `["plan"]`.
pub(super) fn find<'a>(root: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    let mut command = root;
    for name in names {
        command = command.find_subcommand(name).ok_or_else(|| {
            let commands = command.get_subcommands().filter(|it| !it.is_hide_set());
            let mut known: Vec<&str> = commands.map(Command::get_name).collect();
            if std::ptr::eq(command, root) {
                known.extend(TOPICS.map(|(topic, _)| topic));
            }
            let failure = Failure::usage(format!("there is no help on `{}`", names.join(" ")));
            if known.is_empty() {
                failure.hint(format!("`{}` has no subcommands", command.get_name()))
            } else {
                failure.hint(format!("there is help on: {}", known.join(", ")))
            }
        })?;
    }
    Ok(command)
}

/// A command and all its subcommands, in the order of the help.
pub(super) fn all(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|it| !it.is_hide_set());
    std::iter::once(command)
        .chain(below.flat_map(all))
        .collect()
}

pub(super) fn exit_codes() -> String {
    let mut text = String::from("Exit codes\n\n");
    for exit in Exit::ALL {
        let (number, meaning, next) = (exit.number(), exit.meaning(), exit.next());
        text = format!("{text}  {number:<4}{meaning}\n      {next}\n");
    }
    text
}

/// The level of a rule, in words.
pub(super) fn level(rule: Rule) -> &'static str {
    if rule.is_of_manifest() {
        "always error"
    } else {
        rule.default_level().name()
    }
}

/// The rules of the linter.
pub(super) fn lint_rules() -> String {
    let mut text = String::from("Rules of annosync validate\n\n");
    for rule in Rule::ALL {
        let level = level(*rule);
        text = format!(
            "{text}  {:<22}{level}\n      {}\n",
            rule.name(),
            rule.meaning()
        );
        if let Some(fixed) = rule.fixed_by() {
            text = format!("{text}      --fix {fixed}\n");
        }
    }
    text + LINT_NOTES
}

/// How levels are set and findings are ignored.
pub(super) const LINT_NOTES: &str = "\nLevels are set in the header, to error, warn or off: lint: { near-duplicate: error, tiny: off }\n\
To ignore a rule on an input or an annotation, give the rule and a reason there:\n  \
ignore: [{ rule: near-duplicate, reason: two panes of one window }]\n";

/// The environment variables, with their meaning.
pub(super) const ENVIRONMENT: [(&str, &str); 14] = [
    (
        "CLARIFAI_PAT",
        "the token, a personal access token, if --pat-file is not given",
    ),
    (
        "CLARIFAI_USER_ID",
        "the app's owner, if --user-id is not given",
    ),
    ("CLARIFAI_APP_ID", "the app, if --app-id is not given"),
    (
        "CLARIFAI_API_BASE",
        "base URL of the API, if --endpoint is not given",
    ),
    (
        "ANNOSYNC_CONFIG",
        "your own file, instead of ~/.config/annosync/config.yaml",
    ),
    (
        "ANNOSYNC_NOTIFY_TOKEN",
        "bearer token for the webhook of --notify",
    ),
    (
        "ANNOSYNC_OPTION",
        "any option: ANNOSYNC_TARGET is --target, ANNOSYNC_FORMAT is --format",
    ),
    (
        "ANNOSYNC_PAGER",
        "pager for long plans on a terminal; empty: no pager",
    ),
    ("PAGER", "the same, if ANNOSYNC_PAGER is not set"),
    (
        "JOB_COMPLETION_INDEX",
        "number of the shard, with --shard-count",
    ),
    ("COLUMNS", "width of the terminal, instead of asking it"),
    ("NO_COLOR", "not empty: no colours"),
    ("CLICOLOR", "0: no colours"),
    (
        "CLICOLOR_FORCE",
        "1: colours, even if the output is not a terminal",
    ),
];

/// What overrides what, and what a user's own file holds.
pub(super) const ENVIRONMENT_NOTES: &str = "Flags override the environment, which overrides the manifest. With --target NAME or an embedded default target,\n\
CLARIFAI_USER_ID, CLARIFAI_APP_ID and CLARIFAI_API_BASE are ignored. A variable is ignored where its option excludes a flag on the\n\
command line, where the option takes other values, and by init. Options that let something pass or discard work are never read from variables: --allow-…, --auto-approve,\n\
--on-drift, --conflicts, --adopt-set, --overwrite, --fix, --bless, --insecure-http.\n\n\
Your own file names targets that the manifest lacks, and where tokens come from when neither --pat-file nor CLARIFAI_PAT\n\
is given. `pat_command` is run in a shell and prints the token. That of a target is used for this app and host only, that at\n\
the top for https://api.clarifai.com only:\n\n  \
pat_command: pass show clarifai\n  \
targets:\n    \
prod: { user_id: acme, app_id: street }\n    \
test: { user_id: acme, app_id: street-test, pat_file: /home/ann/.clarifai-test }\n";

pub(super) fn environment() -> String {
    let rows = ENVIRONMENT.map(|(name, meaning)| format!("  {name:<23}{meaning}\n"));
    format!("Environment\n\n{}\n{ENVIRONMENT_NOTES}", rows.concat())
}
