//! `init`: a project that works at once.

use super::exit::{Exit, Failure};

/// Write a manifest, an example, and the pipelines of CI
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
