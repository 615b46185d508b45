//! `help`: of a command, or of a topic that no command holds.

use super::exit::{Exit, Failure};
use super::{output, reference};
use clap::Command;

/// What there is to read besides the help of commands.
pub(super) const TOPICS: [(&str, &str); 3] = [
    (
        "exit-codes",
        "what each exit code means and what to do",
    ),
    ("environment", "the variables that annosync reads"),
    ("reference", "the whole command line, as Markdown"),
];

/// Print help on a command or a topic
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A command, such as `plan` or `import coco`, or one of: exit-codes, environment, reference
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    match words[..] {
        ["exit-codes"] => output::result(&exit_codes())?,
        ["environment"] => output::result(&environment())?,
        ["reference"] => output::data(&reference::reference())?,
        _ => {
            let mut root = super::command();
            root.build();
            find(&root, &args.topic)?;
            let asked = [&["annosync"], &words[..], &["--help"]].concat();
            // Just what the flag prints, which clap tells as an error.
            if let Err(help) = super::command().try_get_matches_from(asked) {
                output::styled_result(&help.render().ansi().to_string())?;
            }
        }
    }
    Ok(Exit::Done)
}

/// The command of these names; nothing but names of commands and topics makes sense.
pub(super) fn find<'a>(root: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    let mut command = root;
    for name in names {
        command = command.find_subcommand(name).ok_or_else(|| {
            let commands = command.get_subcommands().filter(|it| !it.is_hide_set());
            let mut known: Vec<&str> = commands.map(Command::get_name).collect();
            if std::ptr::eq(command, root) {
                known.extend(TOPICS.map(|(topic, _)| topic));
            }
            Failure::usage(format!("there is no help on `{}`", names.join(" ")))
                .hint(format!("there is help on: {}", known.join(", ")))
        })?;
    }
    Ok(command)
}

/// The exit codes in rows.
pub(super) fn exit_codes() -> String {
    let mut text = String::from("Exit codes\n\n");
    for exit in Exit::ALL {
        let (number, meaning, next) = (exit.number(), exit.meaning(), exit.next());
        text = format!("{text}  {number:<4}{meaning}\n      {next}\n");
    }
    text
}

/// Variables of the environment, and what they do.
pub(super) const ENVIRONMENT: [(&str, &str); 10] = [
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
        "ANNOSYNC_PAGER",
        "pager for long plans on a terminal; empty: no pager",
    ),
    ("PAGER", "the same, if ANNOSYNC_PAGER is not set"),
    (
        "COLUMNS",
        "width of the terminal, instead of asking it",
    ),
    ("NO_COLOR", "not empty: no colours"),
    ("CLICOLOR", "0: no colours"),
    (
        "CLICOLOR_FORCE",
        "1: colours, even if the output is not a terminal",
    ),
];

fn environment() -> String {
    let rows = ENVIRONMENT.map(|(name, meaning)| format!("  {name:<19}{meaning}\n"));
    format!(
        "Environment\n\n{}\nFlags override the environment, which overrides the manifest. With --target NAME or an embedded default target,\nCLARIFAI_USER_ID, CLARIFAI_APP_ID and CLARIFAI_API_BASE are ignored.\n",
        rows.concat()
    )
}
