//! Pairs become changes, changes become operations, operations become batches; guards; the plan file.
//!
//! Pure: no I/O, no clock, no randomness, so that a plan is a function of (manifest, listing). Uses `matching` and
//! `model`.

mod outcome;
mod types;

pub use crate::matching::{Matched, MatchedBy};
pub use outcome::{Applied, FailedItem, Outcome, StaleItem};
pub use types::{
    Action, Batch, Call, FORMAT_VERSION, HeldBack, Operation, Plan, Reason, Summary, Target, Trip,
};
