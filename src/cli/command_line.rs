//! The command line as clap reads it: short forms, and options from the environment.

use clap::builder::FalseyValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::collections::BTreeSet;
use std::ffi::OsString;

/// What each variable of an option begins with.
const PREFIX: &str = "ANNOSYNC_";

/// Options that discard work, or let something pass that would be stopped: they count only where they are written.
const NEVER_FROM_ENVIRONMENT: [&str; 8] = [
    "auto-approve",
    "on-drift",
    "conflicts",
    "adopt-set",
    "bless",
    "fix",
    "insecure-http",
    "overwrite",
];
const ALLOWANCE: &str = "allow-";

/// Its options are for one run, and some need others.
const WITHOUT_VARIABLES: &str = "init";

/// Short forms of options, in each command that has them.
const SHORT: [(&str, char); 2] = [("out", 'o'), ("auto-approve", 'y')];

/// Commands of other tools, and what to use here instead.
const OTHER_TOOLS: [(&str, &str); 22] = [
    (
        "check",
        "`annosync validate` checks a manifest, and `annosync doctor` the setup",
    ),
    (
        "config",
        "`annosync help environment` lists what can be set, and where",
    ),
    (
        "console",
        "`annosync list` prints annotations, with every filter of the API",
    ),
    (
        "create",
        "declare the annotation in a label file, then `annosync apply`",
    ),
    (
        "delete",
        "remove the annotations from their label file, then `annosync apply`; `purge: true` on an input deletes all of them, whoever made them",
    ),
    (
        "describe",
        "`annosync list --input ID` prints the annotations of an input",
    ),
    (
        "destroy",
        "there is no such command, on purpose: write `annotations: []`, or `purge: true`, for each input, and look at the plan",
    ),
    (
        "download",
        "`annosync pull` writes an app's annotations into a manifest",
    ),
    ("edit", "edit a label file, then `annosync apply`"),
    (
        "force-unlock",
        "there is no lock: run the same command again",
    ),
    (
        "get",
        "`annosync list` prints annotations, with every filter of the API",
    ),
    ("lint", "`annosync validate` lints, too"),
    (
        "login",
        "set CLARIFAI_PAT to a personal access token, or name a file with --pat-file; `annosync doctor` checks it",
    ),
    (
        "output",
        "`annosync show FILE` prints a saved plan, outcome or log",
    ),
    (
        "push",
        "`annosync apply` makes the app equal to the manifest",
    ),
    (
        "refresh",
        "there is no state file: each plan lists the app anew",
    ),
    (
        "rollback",
        "apply the undo file of the run: `annosync apply undo.json`",
    ),
    (
        "state",
        "there is no state file: `annosync list` prints what the app holds",
    ),
    (
        "status",
        "`annosync plan` shows what differs, and `annosync doctor` checks the setup",
    ),
    (
        "sync",
        "`annosync apply` makes the app equal to the manifest, `annosync pull` the manifest to the app",
    ),
    (
        "upload",
        "`annosync apply --create-inputs` posts missing inputs, and then their annotations",
    ),
    (
        "workspace",
        "name apps under `targets:` of the header, and choose one with --target",
    ),
];

/// Adds the short forms to each command.
pub(super) fn with_short_forms(command: Command) -> Command {
    let names = subcommands(&command);
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| {
            let has_json = has_json(&sub);
            let sub = sub.mut_args(with_short_form);
            if has_json { sub.arg(json()) } else { sub }
        })
    })
}

fn with_short_form(arg: Arg) -> Arg {
    let short = SHORT
        .iter()
        .find(|(long, _)| arg.get_long() == Some(long) && arg.get_short().is_none());
    match short {
        Some((_, short)) => arg.short(*short),
        None => arg,
    }
}

/// For the help: [`parse`] replaces it.
fn json() -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Short for --format json")
}

/// Whether a command prints JSON if asked to.
fn has_json(command: &Command) -> bool {
    let format = |arg: &&Arg| arg.get_long() == Some("format");
    let values = command.get_arguments().find(format);
    values.is_some_and(|arg| {
        let mut values = arg.get_possible_values().into_iter();
        values.any(|value| value.matches("json", false))
    })
}

fn subcommands(command: &Command) -> Vec<String> {
    let all = command.get_subcommands();
    all.map(|sub| sub.get_name().to_owned()).collect()
}

/// The subcommand that these arguments name.
fn named<'c>(command: &'c Command, arguments: &[OsString]) -> Option<&'c Command> {
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    words.find_map(|word| command.find_subcommand(word))
}

/// Reads the command line. An option that it lacks is read from its variable.
pub(super) fn parse(command: Command, arguments: Vec<OsString>) -> clap::error::Result<ArgMatches> {
    let arguments = with_format(&command, arguments);
    let variables = named(&command, &arguments).map(|sub| Variables::of(&command, sub, &arguments));
    let Some(variables) = variables.filter(|it| !it.options.is_empty()) else {
        return command.try_get_matches_from(arguments).map_err(advised);
    };
    let with_environment = command.clone().mut_subcommand(&variables.command, |sub| {
        sub.mut_args(|arg| variables.set(arg))
    });
    let parsed = with_environment.try_get_matches_from(&arguments);
    parsed.map_err(|mut error| {
        let is_without = || command.try_get_matches_from(&arguments).is_ok();
        if error.use_stderr() && is_without() {
            error.insert(
                ContextKind::Suggested,
                ContextValue::StyledStrs(vec![
                    format!("set in the environment: {}", variables.names()).into(),
                ]),
            );
        }
        advised(error)
    })
}

/// The arguments with `--format json` for `--json`.
fn with_format(command: &Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    if named(command, &arguments).is_some_and(has_json) {
        let options = arguments.iter_mut().take_while(|word| *word != "--");
        for word in options.filter(|word| *word == "--json") {
            *word = "--format=json".into();
        }
    }
    arguments
}

/// Says what to use instead of a command of another tool.
fn advised(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    let advice = OTHER_TOOLS.iter().find(|(other, _)| other == word);
    if let (ErrorKind::InvalidSubcommand, Some((_, advice))) = (error.kind(), advice) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![(*advice).into()]),
        );
    }
    error
}

/// An environment variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The options of a command that are set by variables.
struct Variables {
    command: String,
    /// Ids of the options.
    options: BTreeSet<String>,
}

impl Variables {
    fn of(root: &Command, sub: &Command, arguments: &[OsString]) -> Self {
        let is_set = |arg: &&Arg| {
            let value = variable_of(arg).and_then(|name| variable(&name));
            value.is_some_and(|value| takes(arg, &value) || !is_known(root, arg, &value))
        };
        let set: Vec<&Arg> = sub.get_arguments().filter(is_set).collect();
        let none = Self {
            command: sub.get_name().to_owned(),
            options: BTreeSet::new(),
        };
        // Nearly always, and it saves parsing twice.
        if set.is_empty() || sub.get_name() == WITHOUT_VARIABLES {
            return none;
        }
        // What is missing may be in the environment.
        let matches = root.clone().ignore_errors(true);
        let matches = matches.try_get_matches_from(arguments);
        let matches = matches.ok().and_then(|mut it| it.remove_subcommand());
        let is_given = |arg: &Arg| {
            let source = matches
                .as_ref()
                .and_then(|(_, matches)| matches.value_source(arg.get_id().as_str()));
            source == Some(clap::parser::ValueSource::CommandLine)
        };
        let given: Vec<&Arg> = sub.get_arguments().filter(|arg| is_given(arg)).collect();
        let excludes = |one: &Arg, other: &Arg| {
            let excluded = sub.get_arg_conflicts_with(one);
            excluded.iter().any(|arg| arg.get_id() == other.get_id())
        };
        let is_free = |arg: &&Arg| {
            !given.iter().any(|given| {
                given.get_id() == arg.get_id() || excludes(given, arg) || excludes(arg, given)
            })
        };
        let free = set.into_iter().filter(is_free);
        Self {
            options: free.map(|arg| arg.get_id().to_string()).collect(),
            ..none
        }
    }

    fn set(&self, arg: Arg) -> Arg {
        let Some(name) = variable_of(&arg).filter(|_| self.options.contains(arg.get_id().as_str()))
        else {
            return arg;
        };
        let arg = match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
            _ => arg,
        };
        arg.env(name).hide_env_values(true)
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.options.iter().map(|id| name_of(id)).collect();
        names.join(", ")
    }
}

fn name_of(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_uppercase())
}

/// Whether a value is one of those that an option takes, if it lists them.
fn takes(arg: &Arg, value: &str) -> bool {
    let values = arg.get_possible_values();
    values.is_empty() || values.iter().any(|known| known.matches(value, false))
}

/// Whether a value is meant for the option of this name of another command: `--format sarif` is only for some.
fn is_known(root: &Command, arg: &Arg, value: &str) -> bool {
    let mut others = root.get_subcommands().flat_map(Command::get_arguments);
    others.any(|other| other.get_long() == arg.get_long() && takes(other, value))
}

/// The variable of an option, if it has one.
fn variable_of(arg: &Arg) -> Option<String> {
    let long = arg.get_long()?;
    let is_option = matches!(
        arg.get_action(),
        ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
    );
    let must_be_written = NEVER_FROM_ENVIRONMENT.contains(&long) || long.starts_with(ALLOWANCE);
    (is_option && !must_be_written && long != "json").then(|| name_of(long))
}
