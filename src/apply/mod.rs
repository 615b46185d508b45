//! Executes a plan through the writer, and accounts for every operation of it.
//!
//! The plan decides what is done; this module knows in which order calls may be made, what an answer means for each annotation,
//! and when an operation is stale. Uses `plan`, `api`, `wire` and `model`.

mod account;
mod batch;
mod before;
mod delete_inputs;
mod execute;
mod look;
mod options;
mod post_inputs;
mod preview;
mod purge;
mod queue;
mod recorder;
mod replace;
mod send;
mod settle;
mod stand_in;
mod watch;

pub use before::before;
pub use execute::execute;
pub use options::{InputFiles, NoFiles, OnFailure, Options, Stop};
pub use preview::{Preview, calls, preview};
pub use recorder::Recorder;
pub use watch::{ItemOutcome, Subject, Unwatched, Watch};
