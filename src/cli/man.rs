//! `man`: manual pages.

use super::exit::{Exit, Failure};

/// Print or write the manual pages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
