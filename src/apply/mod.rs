//! Executes a plan through the writer, and accounts for every operation of it.
//!
//! It decides nothing about what is to be done: that is the plan's. It knows in which order calls may be made, what an
//! answer means for each annotation, and when a plan has become stale. Uses `plan`, `api`, `observed` and `model`.

mod batch;
mod before;
mod execute;
mod inputs;
mod preview;
mod purge;
mod recorder;
mod replace;
mod send;
mod settle;
mod shown;
mod stand_in;
mod watch;

pub use before::before;
pub use execute::{OnFailure, Options, Stop, execute};
pub use inputs::{InputFiles, NoFiles};
pub use preview::preview;
pub use recorder::Recorder;
pub use shown::is_as_shown;
pub use watch::{Ended, Subject, Unwatched, Watch};
