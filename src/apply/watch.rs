//! Who is told of a run while it goes on: a progress bar, a log, the file that undoes it.

use crate::model::Fingerprint;
use crate::plan::Touched;
use std::fmt;

/// What has ended: an index into the plan's operations, purges, inputs, or deleted inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An operation.
    Operation(u32),
    /// The purge of an input.
    Purge(u32),
    /// An input that is posted or waited for.
    Input(u32),
    /// An input that an undo deletes.
    DeletedInput(u32),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Ended {
    /// It was carried out.
    Applied,
    /// There was nothing left to do.
    AlreadySo,
    /// It is something else than the plan saw.
    Stale {
        /// What was written of it.
        touched: Touched,
    },
    /// It could not be carried out.
    Failed {
        /// Why, in the service's words or ours.
        reason: String,
        /// What was written of it.
        touched: Touched,
    },
    /// The run was stopped before.
    NotAttempted,
}

/// Is told of each operation and each purge as it ends, exactly once, in whatever order they end. Calls run several at a
/// time: what takes long here holds them up.
pub trait Watch: fmt::Debug + Send + Sync {
    /// This has ended so.
    fn ended(&self, what: Subject, how: &Ended);

    /// So many inputs are not processed yet.
    fn waiting(&self, _inputs: u64) {}

    /// The service has shown what it stores of this operation's annotation now. Told before it has ended.
    fn stored(&self, _operation: u32, _now: Fingerprint) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn ended(&self, _: Subject, _: &Ended) {}
}
