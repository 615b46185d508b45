//! `validate`: is the manifest right? Offline.

use super::exit::{Exit, Failure};
use super::output;
use crate::manifest::{self, Manifest};
use crate::render;
use std::path::{Path, PathBuf};

/// Check a manifest, offline
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file, or a folder that is read with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let manifest = load(&args.path)?;
    let inputs = manifest.desired.inputs.len() as u64;
    let annotations: u64 = manifest
        .desired
        .inputs
        .iter()
        .map(|input| input.annotations.len() as u64)
        .sum();
    output::result(&format!(
        "The manifest is valid: set {}, {} inputs, {} annotations.\n",
        manifest.desired.set,
        render::thousands(inputs),
        render::thousands(annotations),
    ))?;
    Ok(Exit::Done)
}

/// Reads a manifest; every problem of it is shown.
pub(crate) fn load(path: &Path) -> Result<Manifest, Failure> {
    manifest::load(path).map_err(|problems| {
        output::talk(&problems.render(output::is_styled()));
        let count = problems.len();
        Failure::new(match count {
            1 => "the manifest has a problem".to_owned(),
            _ => format!("the manifest has {count} problems"),
        })
    })
}
