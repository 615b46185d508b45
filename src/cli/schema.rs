//! `schema`: the JSON Schemas of what is read and written.

use super::exit::{Exit, Failure};
use super::output;
use crate::manifest;

/// Print the JSON Schema of a manifest, a plan, a listing or an outcome
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    /// What to print the schema of
    name: Name,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Name {
    /// A file of a manifest; a line of a .jsonl file is its $defs/input
    Manifest,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let text = match args.name {
        Name::Manifest => manifest::schema_text(),
    };
    output::data(&text)?;
    Ok(Exit::Done)
}
