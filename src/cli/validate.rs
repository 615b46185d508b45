//! `validate`: is the manifest right? Offline.

use super::exit::{Exit, Failure};
use super::output;
use crate::manifest::{self, Manifest, Overlay, Reach};
use crate::render;
use std::path::{Path, PathBuf};

/// Check a manifest, offline
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file, or a folder that is read with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    files: Files,
}

/// Where a manifest's files may lie.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Files {
    /// Let the manifest name masks and texts outside its folder, and let links in it lead there; for a manifest whose
    /// author may read what you may
    #[arg(long)]
    allow_outside_files: bool,
}

impl Files {
    pub(crate) fn reach(self) -> Reach {
        if self.allow_outside_files {
            Reach::Anywhere
        } else {
            Reach::Folder
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let manifest = load(&args.path, args.files)?;
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
pub(crate) fn load(path: &Path, files: Files) -> Result<Manifest, Failure> {
    manifest::load_with(path, &Overlay::new(), files.reach()).map_err(|problems| {
        output::styled_talk(&problems.render(output::is_styled()));
        let (count, kinds) = (problems.len(), problems.kinds());
        Failure::new(match count {
            1 => "the manifest has a problem".to_owned(),
            _ if kinds == count => format!("the manifest has {count} problems"),
            _ => format!(
                "the manifest has {} problems, {} of them different",
                render::thousands(count as u64),
                render::thousands(kinds as u64)
            ),
        })
    })
}
