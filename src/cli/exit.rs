//! Exit codes, and the errors that lead to them.

use crate::plan::Ending;
use std::fmt;
use std::process::ExitCode;

/// The exit code of a command. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error. Nothing was changed, or the message lists what was.
    Error,
    /// `diff` or `plan --detailed-exitcode`: there are differences.
    Changes,
    /// A guard stopped the plan.
    Guarded,
    /// The app or the manifest changed since the plan was made, or conflicts are unresolved.
    Stale,
    /// Part of the work was done, part of it failed.
    Partial,
    /// The command line is invalid.
    Usage,
}

impl Exit {
    /// All, ordered by number.
    pub(crate) const ALL: [Self; 7] = [
        Self::Done,
        Self::Error,
        Self::Changes,
        Self::Guarded,
        Self::Stale,
        Self::Partial,
        Self::Usage,
    ];

    pub(crate) fn of(ending: Ending) -> Self {
        match ending {
            Ending::NothingToDo | Ending::Applied => Self::Done,
            Ending::Stale => Self::Stale,
            Ending::Partial => Self::Partial,
            // Nothing was written: an ordinary error.
            Ending::Failed => Self::Error,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Guarded => 3,
            Self::Stale => 4,
            Self::Partial => 5,
            Self::Usage => 64,
        }
    }

    /// The meaning in the help.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done, or nothing to do",
            Self::Error => "an error",
            Self::Changes => "diff, or plan --detailed-exitcode: there are differences",
            Self::Guarded => "stopped by a guard",
            Self::Stale => {
                "the app or the manifest changed since the plan was made, or conflicts are unresolved"
            }
            Self::Partial => "partly applied, imported, formatted or compared",
            Self::Usage => "invalid command line",
        }
    }

    /// What the user should do.
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::Done => "Nothing.",
            Self::Error => {
                "Read the message and its hint. Nothing was written, unless the last lines list what was."
            }
            Self::Changes => "Review them; apply a plan.",
            Self::Guarded => {
                "Nothing was written. If the plan is what you want, pass the flag that the message names."
            }
            Self::Stale => {
                "What changed was left alone. Plan again and review what is different; resolve conflicts with --conflicts."
            }
            Self::Partial => {
                "The last lines say what failed and why; run the same command again to finish the rest."
            }
            Self::Usage => {
                "Nothing was done. `annosync help COMMAND` lists the arguments of the command."
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command failed, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// An error without a hint, with exit code 1.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Error,
            message: message.to_string(),
            hint: None,
        }
    }

    /// A usage error.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(message)
        }
    }

    /// Adds that nothing was sent.
    pub(crate) fn unsent(self) -> Self {
        Self {
            message: format!("{}; nothing was sent", self.message),
            ..self
        }
    }

    /// Sets the hint: what to do next.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

impl From<crate::api::ApiError> for Failure {
    fn from(error: crate::api::ApiError) -> Self {
        Self {
            exit: Exit::Error,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<crate::observed::ObservedError> for Failure {
    fn from(error: crate::observed::ObservedError) -> Self {
        Self {
            exit: Exit::Error,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}
