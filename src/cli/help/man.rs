//! `man`: manual pages.

use super::topics::{all, find};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use clap::Command;
use std::path::PathBuf;

/// Print or write the manual pages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print the page of this command, such as `plan` or `import coco`; default: the page of annosync itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands to this folder; created if missing
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

/// `root` is the whole command line.
pub(crate) fn run(args: &Args, mut root: Command) -> Result<Exit, Failure> {
    // Building sets names such as `annosync-import-coco`.
    root.build();
    let Some(folder) = &args.out else {
        let command = find(&root, &args.command)?;
        output::data(&page(command)?)?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("cannot create {}: {error}", folder.display())))?;
    let mut written = String::new();
    for command in all(&root) {
        let path = folder.join(format!("{}.1", file_name(command)));
        output::file(&path, &page(command)?)?;
        written = format!("{written}{}\n", path.display());
    }
    output::result(&written)?;
    Ok(Exit::Done)
}

fn file_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .source(concat!("annosync ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(Failure::new)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
