//! Writes files of a manifest: all of them or none.
//!
//! Obstacles are found before the first file is written: another file or folder at the path, or a rule that excludes a
//! new file from the manifest. If writing fails all the same, the files written before are restored.

use super::exit::Failure;
use super::output;
use crate::manifest;
use crate::pull::{Change, FileChange};
use crate::render::counted;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How many files a message lists.
const MAX_LISTED: usize = 5;

/// Refuses files that cannot be written, or would not be part of the manifest in `folder`.
pub(super) fn check(folder: &Path, files: &[FileChange]) -> Result<(), Failure> {
    for file in files {
        let is_new = !matches!(file.change, Change::Changed { .. } | Change::Mask);
        if let Some(why) = obstacle(&file.path, is_new.then_some(&file.content)) {
            return Err(Failure::new(format!("{why}; nothing was written"))
                .hint("move it away, or give the input another id"));
        }
    }
    // The file for all imported inputs counts as changed, and may not exist yet.
    let is_new = |file: &&FileChange| match file.change {
        Change::Header | Change::New(_) => true,
        Change::Changed { .. } => !file.path.exists(),
        Change::Mask => false,
    };
    let new = files.iter().filter(is_new);
    refuse_excluded(folder, new.map(|file| file.path.as_path()))?;
    // A manifest reads masks that git ignores, but a clone would not have them.
    let masks = files.iter().filter(|file| file.change == Change::Mask);
    let ignored = manifest::would_be_left_out(folder, masks.map(|file| file.path.as_path()));
    if let Some((path, why)) = ignored.first() {
        output::message(&format!(
            "warning: git ignores {}, first {}: {why}\n\
             hint: change the rule, or other clones will lack files that the manifest names",
            counted(ignored.len() as u64, "mask"),
            shown(path).display()
        ));
    }
    Ok(())
}

/// Refuses new files that rules exclude from the manifest in `folder`.
pub(super) fn refuse_excluded<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = &'f Path>,
) -> Result<(), Failure> {
    let left_out = manifest::would_be_left_out(folder, files);
    if left_out.is_empty() {
        return Ok(());
    }
    let mut list = String::new();
    for (path, why) in left_out.iter().take(MAX_LISTED) {
        let _ = write!(list, "\n  {}: {why}", shown(path).display());
    }
    if left_out.len() > MAX_LISTED {
        let _ = write!(list, "\n  and {} more", left_out.len() - MAX_LISTED);
    }
    Err(Failure::new(format!(
        "{} would not belong to the manifest; nothing was written:{list}",
        counted(left_out.len() as u64, "new file")
    ))
    .hint("change the rule, add one that begins with `!` after it, or choose another folder"))
}

/// Why a file cannot be written. A new file does not replace a file with other content.
fn obstacle(path: &Path, new: Option<&Vec<u8>>) -> Option<String> {
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
            "{} exists already, and is not part of the manifest",
            shown(path).display()
        )
    })
}

/// How many files are synced together.
const AT_ONCE: usize = 32;

/// Writes files in order and returns their paths. If one cannot be written, the others are restored. The last one is
/// written once all others are on the disk.
pub(super) fn write<'f>(
    files: impl IntoIterator<Item = (PathBuf, &'f [u8])>,
) -> Result<Vec<PathBuf>, Failure> {
    let files: Vec<(PathBuf, &[u8])> = files.into_iter().collect();
    let (others, last) = files.split_at(files.len().saturating_sub(1));
    let mut written: Vec<(&Path, Option<Vec<u8>>)> = Vec::with_capacity(files.len());
    for batch in others.chunks(AT_ONCE).chain([last]) {
        if let Err(failure) = write_batch(batch, &mut written) {
            for (path, before) in written.into_iter().rev() {
                // This run wrote the file a moment ago, so restoring it hardly fails.
                let _ = match before {
                    Some(before) => output::file(path, &before),
                    None => std::fs::remove_file(path).map_err(Failure::new),
                };
            }
            return Err(failure);
        }
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Writes files, and adds those that were written to the list, with their former content.
fn write_batch<'p>(
    batch: &'p [(PathBuf, &[u8])],
    written: &mut Vec<(&'p Path, Option<Vec<u8>>)>,
) -> Result<(), Failure> {
    for (path, _) in batch {
        create_parent(path)?;
    }
    let known = batch.iter().map(|(path, _)| {
        let before = path.is_file().then(|| std::fs::read(path).ok()).flatten();
        (path.as_path(), before)
    });
    let known: Vec<_> = known.collect();
    let files: Vec<(&Path, &[u8])> = (batch.iter())
        .map(|(path, content)| (path.as_path(), *content))
        .collect();
    let mut count = 0;
    let result = output::files(&files, &mut count);
    written.extend(known.into_iter().take(count));
    result
}

/// Whether a file has this content.
pub(super) fn holds(path: &Path, content: &[u8]) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes == content)
}

fn create_parent(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(format!(
            "cannot create the folder {}: {error}",
            folder.display()
        ))
        .hint("nothing was written")
    })
}

/// A path without `./`, for messages.
pub(super) fn shown(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_all_written_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: usize| folder.path().join(format!("{}/{number}.yaml", number % 3));
        let count = 3 * AT_ONCE + 5;
        let contents: Vec<String> = (0..count).map(|number| format!("new {number}")).collect();
        let files = || (0..count).map(|at| (path(at), contents[at].as_bytes()));
        let text = |number| std::fs::read_to_string(path(number)).ok();
        std::fs::create_dir(folder.path().join("1")).unwrap();
        std::fs::write(path(1), "old").unwrap();
        std::fs::write(path(4), "older").unwrap();
        // A folder is where a file should be: among the first, in the middle, and as the last.
        for wrong in [5, AT_ONCE + 7, count - 1] {
            std::fs::create_dir_all(path(wrong)).unwrap();
            assert!(write(files()).is_err());
            std::fs::remove_dir(path(wrong)).unwrap();
            assert_eq!(text(1).as_deref(), Some("old"));
            assert_eq!(text(4).as_deref(), Some("older"));
            assert!((0..count).all(|it| text(it).is_none() || [1, 4].contains(&it)));
        }
        assert_eq!(write(files()).unwrap().len(), count);
        assert!((0..count).all(|number| text(number).as_ref() == Some(&contents[number])));
        // No temporary file is left.
        let left = (0..3).flat_map(|it| std::fs::read_dir(folder.path().join(it.to_string())));
        assert_eq!(left.flatten().count(), count);
    }
}
