//! `help`: the help of a command, or of a topic.

pub(super) mod man;
mod reference;
mod topics;

use super::exit::{Exit, Failure};
use super::output;
use clap::Command;

/// Print help on a command or a topic
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A command, such as `plan`, or one of: exit-codes, lint-rules, environment, reference
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// `root` is the whole command line.
pub(crate) fn run(args: &Args, mut root: Command) -> Result<Exit, Failure> {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    match words[..] {
        ["exit-codes"] => output::result(&topics::exit_codes())?,
        ["lint-rules"] => output::result(&topics::lint_rules())?,
        ["environment"] => output::result(&topics::environment())?,
        ["reference"] => output::data(&reference::reference(root))?,
        _ => {
            let mut built = root.clone();
            built.build();
            topics::find(&built, &args.topic)?;
            let line = [&["annosync"], &words[..], &["--help"]].concat();
            // clap reports the text of --help as an error.
            if let Err(help) = root.try_get_matches_from_mut(line) {
                output::styled_result(&help.render().ansi().to_string())?;
            }
        }
    }
    Ok(Exit::Done)
}
