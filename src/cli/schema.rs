//! `schema`: the JSON Schemas of what is read and written.

use super::exit::{Exit, Failure};

/// Print the JSON Schema of a manifest, a plan, a listing or an outcome
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    Err(Failure::new("not built yet"))
}
