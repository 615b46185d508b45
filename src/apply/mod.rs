//! Executes a plan through the writer, and accounts for every operation of it.
//!
//! It decides nothing about what is to be done: that is the plan's. It knows in which order calls may be made, what an
//! answer means for each annotation, and when a plan has become stale. Uses `plan`, `api`, `observed` and `model`.

mod batch;
mod execute;
mod purge;
mod replace;
mod send;
mod settle;
mod stand_in;
mod watch;

pub use execute::{OnFailure, Options, Stop, execute};
pub use watch::{Ended, Subject, Unwatched, Watch};
