//! `--also images=DIR`: contact sheets of the changes.
//!
//! Sheets of an earlier run are replaced, and removed if there are fewer now. Other files are never touched: a sheet is
//! recognised by its content.

use super::exit::Failure;
use super::output;
use crate::drawing::{TILES, is_sheet};
use crate::render::{SheetList, Sheets, counted};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const HEADING: &str = "Contact sheets (--also images=DIR)";

/// By which bytes at its beginning a sheet is recognised.
const HEAD: u64 = 4_096;

/// The flags of contact sheets.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Draw at most N contact sheets, of 12 changes each
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=999), help_heading = HEADING)]
    max_sheets: u16,
    /// The URL of the folder where the contact sheets will be published: Markdown shows them from there
    #[arg(long, value_name = "URL", value_parser = web_url, help_heading = HEADING)]
    sheets_url: Option<String>,
}

fn web_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        Ok(_) => Err("it does not begin with http:// or https://".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Args {
    /// The largest number of sheets.
    pub(crate) fn most(&self) -> usize {
        usize::from(self.max_sheets)
    }

    /// The largest number of changes that all sheets together show.
    pub(crate) fn most_changes(&self) -> usize {
        self.most() * TILES
    }
}

/// Refuses a folder that cannot be made, or that has other files with the names of sheets.
pub(crate) fn check(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    if folder.is_dir() {
        if let Some(other) = sheets_in(folder)?.into_iter().find(|file| !is_own(file)) {
            return Err(Failure::new(format!(
                "{} exists and is not a contact sheet of annosync; nothing was written",
                other.display()
            ))
            .hint("move it away, or name another folder"));
        }
        return Ok(());
    }
    if folder.symlink_metadata().is_ok() {
        return Err(
            Failure::new(format!("{shown} is not a folder; nothing was written"))
                .hint("name another folder"),
        );
    }
    let above = folder.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(above) = above.filter(|it| !it.is_dir()) {
        return Err(Failure::new(format!(
            "cannot write {shown}: there is no folder {}; nothing was written",
            above.display()
        ))
        .hint("create the folder, or name another one"));
    }
    Ok(())
}

/// Writes the sheets into the folder, and removes those of an earlier run. Returns the list for Markdown.
pub(crate) fn write(folder: &Path, sheets: Sheets, args: &Args) -> Result<SheetList, Failure> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(Failure::new(format!(
                "cannot create the folder {}: {error}",
                folder.display()
            )));
        }
        _ => {}
    }
    for file in &sheets.files {
        output::file(&folder.join(&file.name), &file.png)?;
    }
    let is_new = |path: &Path| {
        let mut names = sheets.files.iter().map(|file| file.name.as_str());
        names.any(|name| path.file_name().is_some_and(|it| it == name))
    };
    for old in sheets_in(folder)? {
        if !is_new(&old) && is_own(&old) {
            std::fs::remove_file(&old).map_err(|error| {
                Failure::new(format!("cannot remove {}: {error}", old.display()))
                    .hint("it is a contact sheet of an earlier run")
            })?;
        }
    }
    let mut list = sheets.list;
    for note in &list.notes {
        output::message(&format!("note: {note}"));
    }
    if list.left_out > 0 {
        output::message(&format!(
            "note: {} not drawn: the limit is {} (--max-sheets)",
            counted(list.left_out, "change"),
            counted(list.sheets.len() as u64, "sheet"),
        ));
    }
    list.folder = folder.to_string_lossy().replace('\\', "/");
    list.url.clone_from(&args.sheets_url);
    Ok(list)
}

/// The files with names of sheets, sorted.
fn sheets_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    let mut sheets = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(is_name) {
            sheets.push(entry.path());
        }
    }
    sheets.sort_unstable();
    Ok(sheets)
}

/// `sheet-001.png`
fn is_name(name: &str) -> bool {
    let number = name
        .strip_prefix("sheet-")
        .and_then(|it| it.strip_suffix(".png"));
    number.is_some_and(|it| it.len() == 3 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether it is a file, and not a link, that annosync wrote.
fn is_own(path: &Path) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|it| it.is_file());
    is_file && super::input::read_head(path, HEAD).is_some_and(|head| is_sheet(&head))
}
