//! Exit codes, and the errors that lead to them.

use std::fmt;
use std::process::ExitCode;

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error; nothing was changed, or it says what was.
    Error,
    /// `plan --detailed-exitcode`: there are changes.
    Changes,
    /// A guard stopped it.
    Guarded,
    /// The remote changed since the plan was made.
    Stale,
    /// Some of it was applied, and some could not be.
    Partial,
    /// The command line makes no sense.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Changes => 2,
            Exit::Guarded => 3,
            Exit::Stale => 4,
            Exit::Partial => 5,
            Exit::Usage => 64,
        })
    }
}

/// Why a command could not do its work: what went wrong, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// An error without more to say.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Error,
            message: message.to_string(),
            hint: None,
        }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(message)
        }
    }

    /// With what to do next.
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
