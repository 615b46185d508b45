//! A manifest as it is on disk, or as it would be with some of its files written anew.
//!
//! What is to be written can be read back before a byte of it is: with the files that are there already, under the
//! header that decides about them.

use super::Manifest;
use super::assemble::{Assembled, assemble};
use super::document::{Format, document};
use super::problem::{Problem, Problems};
use super::select::{Candidate, Stamp, is_header_file, slashes};
use super::source::{Disk, Reach, Source, Unreadable};
use super::tracked::{Index, no_index};
use super::walk::{Found, walk};
use crate::model::{TextKind, decode_text};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Files that count instead of those on disk, by the paths that they are opened by.
pub type Overlay = BTreeMap<PathBuf, Vec<u8>>;

/// A folder with an overlay.
struct Overlaid<'o> {
    disk: Disk<'o>,
    folder: &'o Path,
    overlay: &'o Overlay,
}

impl Overlaid<'_> {
    /// A path of the present folder begins with `./` or not, as the user named that folder.
    fn overlaid(&self, path: &Path) -> Option<&Vec<u8>> {
        let without = || self.overlay.get(path.strip_prefix(".").ok()?);
        self.overlay.get(path).or_else(without)
    }
}

impl Source for Overlaid<'_> {
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable> {
        match self.overlaid(&candidate.shown) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.disk.own(candidate),
        }
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        match self.overlaid(&self.folder.join(relative)) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.disk.named(relative),
        }
    }

    fn reach(&self) -> Reach {
        self.disk.reach
    }
}

/// Reads a manifest, a file or a folder with all its files, as it would be if `overlay` were written. Its files lie
/// where `reach` says; the file that `path` names may be a link to anywhere.
pub fn load_with(path: &Path, overlay: &Overlay, reach: Reach) -> Result<Manifest, Problems> {
    load_tracked(path, overlay, reach, &no_index)
}

/// The same, held to what git tracks: a file that git has and that cannot be read is a problem or, where it is not on
/// the disk, named in [`Manifest::gone`].
pub fn load_tracked(
    path: &Path,
    overlay: &Overlay,
    reach: Reach,
    index: Index<'_>,
) -> Result<Manifest, Problems> {
    let is_folder = match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(_) if overlay.contains_key(path) => false,
        Err(_) if overlay.keys().any(|file| file.starts_with(path)) => true,
        Err(error) => {
            return Err(Problems::new(vec![Problem::of_file(
                path,
                format!("cannot be read: {error}"),
                "name a manifest's file or folder",
            )]));
        }
    };
    let source = |folder| Overlaid {
        disk: Disk {
            folder,
            reach,
            chosen: Some(path),
        },
        folder,
        overlay,
    };
    if is_folder {
        let found = found(path, overlay, reach, index);
        let assembled = assemble(&found, None, path, &source(path))?;
        settled(&assembled, &found, path, overlay, reach)?;
        return Ok(Manifest::new(assembled, path, None, reach));
    }
    let Some(format) = Format::of(path) else {
        return Err(Problems::new(vec![Problem::of_file(
            path,
            "not a manifest's file: it ends in none of .yaml, .yml, .json and .jsonl",
            "name a manifest's file or folder",
        )]));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = slashes(Path::new(path.file_name().unwrap_or_default()));
    let alone = Candidate::new(path.to_owned(), name.clone(), format);
    let names_files = source(folder)
        .own(&alone)
        .ok()
        .and_then(|bytes| decode_text(bytes, TextKind::Structured).ok())
        .and_then(|text| document(format, &text).ok())
        .and_then(|document| document.header)
        .is_some_and(|header| header.files.is_some());
    let mut all = if names_files {
        found(folder, overlay, reach, index)
    } else {
        Found::default()
    };
    all.files.retain(|other| other.relative != name);
    all.files.insert(0, alone);
    let assembled = assemble(&all, Some(0), path, &source(folder))?;
    if names_files {
        settled(&assembled, &all, folder, overlay, reach)?;
    }
    Ok(Manifest::new(assembled, folder, None, reach))
}

/// Looks at the folder once more: files that came, went or were written to while the manifest was read would make one
/// that never was.
fn settled(
    assembled: &Assembled,
    before: &Found,
    folder: &Path,
    overlay: &Overlay,
    reach: Reach,
) -> Result<(), Problems> {
    let after = found(folder, overlay, reach, &no_index);
    let stamps = |found: &Found| -> BTreeMap<String, (PathBuf, Stamp)> {
        let files = found.files.iter();
        files
            .map(|file| (file.relative.clone(), (file.shown.clone(), file.stamp)))
            .collect()
    };
    let (before, after) = (stamps(before), stamps(&after));
    let taken = assembled.files.iter().map(|(file, _)| &file.relative);
    let changed = taken.filter(|path| {
        let unread = Stamp::default();
        let stamp = |all: &BTreeMap<String, (PathBuf, Stamp)>| all.get(*path).map(|it| it.1);
        stamp(&before).is_some_and(|it| it != unread) && stamp(&before) != stamp(&after)
    });
    let new = after
        .keys()
        .filter(|path| !before.contains_key(*path) && assembled.takes(path));
    let problems: Vec<Problem> = changed
        .chain(new)
        .map(|path| {
            let shown = before.get(path).or_else(|| after.get(path));
            Problem::of_file(
                shown.map_or(Path::new(path), |it| it.0.as_path()),
                "changed while the manifest was read",
                "run the command again once nothing writes to the folder",
            )
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problems::new(problems))
    }
}

/// What may belong to the manifest of a folder, with the files of the overlay, in byte order of their paths.
fn found(folder: &Path, overlay: &Overlay, reach: Reach, index: Index<'_>) -> Found {
    let mut found = if folder.exists() {
        walk(folder, reach, index)
    } else {
        Found::default()
    };
    let all = &mut found.files;
    let known: HashSet<String> = all.iter().map(|one| one.relative.clone()).collect();
    for path in overlay.keys() {
        let (Some(format), Ok(below)) = (Format::of(path), path.strip_prefix(folder)) else {
            continue;
        };
        let relative = slashes(below);
        if !known.contains(&relative) {
            all.push(Candidate::new(path.clone(), relative, format));
        }
    }
    all.sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    found
}

/// Whether a manifest is there: a file, or a folder in which a file has a header, or is named as one by custom.
pub fn has_header(path: &Path) -> bool {
    if !path.is_dir() {
        return path.exists();
    }
    let Found {
        files, obstacles, ..
    } = walk(path, Reach::Folder, &no_index);
    let by_custom = |file: &Candidate| is_header_file(&file.relative);
    // One that cannot be read is there all the same.
    if obstacles.iter().any(|one| is_header_file(&one.relative)) {
        return true;
    }
    let disk = Disk {
        folder: path,
        reach: Reach::Anywhere,
        chosen: None,
    };
    files.iter().any(by_custom)
        || files.iter().any(|file| {
            let text = disk
                .own(file)
                .ok()
                .map(|bytes| decode_text(bytes, TextKind::Structured));
            let Some(Ok(text)) = text else { return false };
            document(file.format, &text)
                .ok()
                .and_then(|document| document.header)
                .is_some_and(|header| header.is_strong)
        })
}

/// The files of a folder and below that end as a manifest's do, but for hidden ones and those that git ignores.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let found = walk(folder, Reach::Folder, &no_index);
    found.files.into_iter().map(|file| file.shown).collect()
}
