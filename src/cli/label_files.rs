//! The files of a manifest that a command writes: all of them or none.
//!
//! Whatever can be known to be in the way is found before the first file is written: another file or a folder in its
//! place, and a rule that would leave a new file out of the manifest. Where a file cannot be written all the same, those
//! before it get back what they held.

use super::exit::Failure;
use super::output;
use crate::manifest;
use crate::pull::{Change, FileChange};
use crate::render::counted;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Names of a list that are shown.
const SHOWN: usize = 5;

/// Refuses files of a manifest in `folder` that cannot be written, or would be written and never read.
pub(super) fn check(folder: &Path, files: &[FileChange]) -> Result<(), Failure> {
    for file in files {
        let is_new = !matches!(file.change, Change::Changed { .. } | Change::Mask);
        if let Some(why) = in_the_way(&file.path, is_new.then_some(&file.content)) {
            return Err(Failure::new(format!("{why}; nothing was written"))
                .hint("move it away, or give the input another id"));
        }
    }
    // One that is changed is not there yet where it is the place for all that is imported.
    let is_new = |file: &&FileChange| match file.change {
        Change::Header | Change::New(_) => true,
        Change::Changed { .. } => !file.path.exists(),
        Change::Mask => false,
    };
    let new = files.iter().filter(is_new);
    refuse_left_out(folder, new.map(|file| file.path.as_path()))?;
    // A manifest reads a mask whatever git ignores; a clone does not have it.
    let masks = files.iter().filter(|file| file.change == Change::Mask);
    let ignored = manifest::would_be_left_out(folder, masks.map(|file| file.path.as_path()));
    if let Some((path, why)) = ignored.first() {
        output::talk(&format!(
            "warning: git would not keep {}, first {}: {why}\n\
             hint: change the rule, or other clones lack what the manifest names",
            counted(ignored.len() as u64, "mask"),
            shown(path).display()
        ));
    }
    Ok(())
}

/// Refuses new files that rules would leave out of the manifest in `folder`.
pub(super) fn refuse_left_out<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = &'f Path>,
) -> Result<(), Failure> {
    let left_out = manifest::would_be_left_out(folder, files);
    if left_out.is_empty() {
        return Ok(());
    }
    let mut list = String::new();
    for (path, why) in left_out.iter().take(SHOWN) {
        let _ = write!(list, "\n  {}: {why}", shown(path).display());
    }
    if left_out.len() > SHOWN {
        let _ = write!(list, "\n  and {} more", left_out.len() - SHOWN);
    }
    Err(Failure::new(format!(
        "{} would not belong to the manifest; nothing was written:{list}",
        counted(left_out.len() as u64, "new file")
    ))
    .hint("change the rule, or add one that begins with `!` behind it; or choose another folder"))
}

/// What keeps a file from being written; a new one does not replace a file that holds something else.
fn in_the_way(path: &Path, new: Option<&Vec<u8>>) -> Option<String> {
    let kind = |path: &Path| path.metadata().ok();
    if kind(path).is_some_and(|it| it.is_dir()) {
        return Some(format!("{} is a folder", shown(path).display()));
    }
    let mut above = path.ancestors().skip(1);
    let nearest = above.find(|it| !it.as_os_str().is_empty() && it.symlink_metadata().is_ok());
    if let Some(nearest) = nearest
        && !kind(nearest).is_some_and(|it| it.is_dir())
    {
        return Some(format!("{} is not a folder", shown(nearest).display()));
    }
    let content = new?;
    (path.symlink_metadata().is_ok() && !holds(path, content)).then(|| {
        format!(
            "{} is there already, and does not belong to the manifest",
            shown(path).display()
        )
    })
}

/// Writes files in their order, and says which. If one cannot be written, all are as they were.
pub(super) fn write<'f>(
    files: impl IntoIterator<Item = (PathBuf, &'f [u8])>,
) -> Result<Vec<PathBuf>, Failure> {
    let mut written: Vec<(PathBuf, Option<Vec<u8>>)> = Vec::new();
    for (path, content) in files {
        let before = path.is_file().then(|| std::fs::read(&path).ok()).flatten();
        let done = make_folder(&path).and_then(|()| output::file(&path, content));
        if let Err(failure) = done {
            for (path, before) in written.into_iter().rev() {
                // It was written a moment ago by this very run.
                let _ = match before {
                    Some(before) => output::file(&path, &before),
                    None => std::fs::remove_file(path).map_err(Failure::new),
                };
            }
            return Err(failure);
        }
        written.push((path, before));
    }
    Ok(written.into_iter().map(|(path, _)| path).collect())
}

/// Whether a file holds just this.
pub(super) fn holds(path: &Path, content: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes == content)
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
        .hint("nothing was written")
    })
}

/// A path of the present folder without its `./`.
pub(super) fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}
