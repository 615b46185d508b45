//! Files in the output folder that an export does not write.

use crate::cli::exit::Failure;
use crate::cli::output;
use crate::manifest::Manifest;
use crate::render::counted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Looks for files in the output folder that this export does not write: a training run would read them, too. Files that may
/// be labels are an error with `--overwrite`, since those of an earlier export count the classes differently.
pub(super) fn check(
    out: &Path,
    overwrite: bool,
    manifest: Option<&Manifest>,
    files: &[(PathBuf, Vec<u8>)],
) -> Result<(), Failure> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let written: BTreeSet<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let others: BTreeSet<PathBuf> = ignore::WalkBuilder::new(out)
        .standard_filters(false)
        .build()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| !written.contains(path.as_path()))
        .collect();
    let of_manifest: BTreeSet<PathBuf> = manifest
        .into_iter()
        .flat_map(|manifest| manifest.files().map(absolute))
        .collect();
    let extensions: BTreeSet<String> = written.iter().filter_map(|path| extension(path)).collect();
    let mut labels = others.iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        extension(path).is_some_and(|extension| extensions.contains(&extension))
            && !name.to_lowercase().starts_with("readme")
            && !of_manifest.contains(&absolute(path))
    });
    if overwrite && let Some(first) = labels.next() {
        let count = 1 + labels.count() as u64;
        return Err(Failure::new(format!(
            "{} has {} that this export does not write, first {}; nothing was written",
            out.display(),
            counted(count, "other label file"),
            first.display()
        ))
        .hint(
            "a training run would read files of an earlier export, too: remove them, or choose another --out",
        ));
    }
    if !others.is_empty() {
        output::message(&format!(
            "warning: {} has {} that this export does not write",
            out.display(),
            counted(others.len() as u64, "other file")
        ));
    }
    Ok(())
}

/// The extension of a file that may hold labels, in lower case; none for a picture, such as the file of a mask.
fn extension(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?.to_lowercase();
    (extension != "png").then_some(extension)
}
