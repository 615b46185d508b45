//! `schema`: JSON Schemas of the files that annosync reads and writes.

use super::exit::{Exit, Failure};
use super::output;
use crate::schemas;

/// Print the JSON Schema of a manifest, a plan, a listing, an outcome, a diff, findings or statistics
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    /// Which schema
    name: Name,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Name {
    /// A manifest file; a line of a .jsonl file matches $defs/input
    Manifest,
    /// What `plan --out`, `plan --format json` and `apply --undo-out` write
    Plan,
    /// What `list --format json` writes and `plan --observed` reads
    Listing,
    /// What `apply --format json` prints
    Outcome,
    /// What `diff --format json` prints
    Diff,
    /// What `validate --format json` prints
    Findings,
    /// What `stats --format json` prints
    Stats,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let schema = match args.name {
        Name::Manifest => schemas::MANIFEST,
        Name::Plan => schemas::PLAN,
        Name::Listing => schemas::LISTING,
        Name::Outcome => schemas::OUTCOME,
        Name::Diff => schemas::DIFF,
        Name::Findings => schemas::FINDINGS,
        Name::Stats => schemas::STATS,
    };
    output::data(schema)?;
    Ok(Exit::Done)
}
