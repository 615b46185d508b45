//! `completions`: for shells.

use super::exit::{Exit, Failure};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
