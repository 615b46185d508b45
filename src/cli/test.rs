//! `test`: snapshots of plans, as tests of the user's own repository.

use super::exit::{Exit, Failure};

/// Compare the plans of test cases with what they are expected to be; offline
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
