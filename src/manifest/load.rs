//! Loading a manifest: from disk, from disk with some files replaced, or from texts.
//!
//! Replaced files let a command check what it is about to write.

use super::assemble::{Assembled, assemble};
use super::document::document;
use super::format::Format;
use super::loaded::Manifest;
use super::problem::{Problem, Problems};
use super::select::{Candidate, Stamp, is_header_file, slashes};
use super::source::{Disk, FileAccess, Memory, Source, Unreadable};
use super::tracked::{Index, no_index};
use super::walk::{Walked, walk};
use crate::model::{Shard, TextKind, decode_text};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Files that replace those on disk or are added to them, by path.
pub type Overlay = BTreeMap<PathBuf, Vec<u8>>;

/// A folder with an overlay.
struct Overlaid<'o> {
    disk: Disk<'o>,
    folder: &'o Path,
    overlay: &'o Overlay,
}

impl Overlaid<'_> {
    /// A path of the current folder may begin with `./`, as the user gave it.
    fn replacement(&self, path: &Path) -> Option<&Vec<u8>> {
        let without = || self.overlay.get(path.strip_prefix(".").ok()?);
        self.overlay.get(path).or_else(without)
    }
}

impl Source for Overlaid<'_> {
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable> {
        match self.replacement(&candidate.shown) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.disk.own(candidate),
        }
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        match self.replacement(&self.folder.join(relative)) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.disk.named(relative),
        }
    }

    fn access(&self) -> FileAccess {
        self.disk.access
    }
}

/// Reads a manifest: a file, or a folder with all its files.
///
/// If the file's header has `files:`, the files that these match are read, too.
pub fn load(path: &Path) -> Result<Manifest, Problems> {
    load_with(path, &Overlay::new(), FileAccess::Folder)
}

/// [`load`], as if the files of `overlay` were written. The file `path` itself may be a link to anywhere.
pub fn load_with(path: &Path, overlay: &Overlay, access: FileAccess) -> Result<Manifest, Problems> {
    load_tracked(path, overlay, access, &no_index)
}

/// [`load_with`], compared with what git tracks: a tracked file that cannot be read is a problem. One that the disk lacks
/// is listed in [`Manifest::missing_files`].
pub fn load_tracked(
    path: &Path,
    overlay: &Overlay,
    access: FileAccess,
    index: Index<'_>,
) -> Result<Manifest, Problems> {
    load_shard(path, overlay, access, index, None)
}

/// [`load_tracked`], of which only the inputs of a shard are kept. All are checked, and the hash is that of the whole.
pub fn load_shard(
    path: &Path,
    overlay: &Overlay,
    access: FileAccess,
    index: Index<'_>,
    shard: Option<Shard>,
) -> Result<Manifest, Problems> {
    let is_folder = match std::fs::metadata(path) {
        Ok(metadata) => metadata.is_dir(),
        Err(_) if overlay.contains_key(path) => false,
        Err(_) if overlay.keys().any(|file| file.starts_with(path)) => true,
        Err(error) => {
            return Err(Problems::new(vec![Problem::of_file(
                path,
                format!("cannot be read: {error}"),
                "give a manifest file or folder",
            )]));
        }
    };
    let source = |folder| Overlaid {
        disk: Disk {
            folder,
            access,
            chosen: Some(path),
        },
        folder,
        overlay,
    };
    if is_folder {
        let walked = walk_with(path, overlay, access, index);
        let assembled = assemble(&walked, None, path, &source(path), shard)?;
        check_unchanged(&assembled, &walked, path, overlay, access)?;
        return Ok(Manifest::new(assembled, path, None, access));
    }
    let Some(format) = Format::of(path) else {
        return Err(Problems::new(vec![Problem::of_file(
            path,
            "not a manifest file: its extension is not .yaml, .yml, .json or .jsonl",
            "give a manifest file or folder",
        )]));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = slashes(Path::new(path.file_name().unwrap_or_default()));
    let alone = Candidate::new(path.to_owned(), name.clone(), format);
    let has_patterns = source(folder)
        .own(&alone)
        .ok()
        .and_then(|bytes| decode_text(bytes, TextKind::Structured).ok())
        .and_then(|text| document(format, &text).ok())
        .and_then(|document| document.header)
        .is_some_and(|header| header.files.is_some());
    let mut all = if has_patterns {
        walk_with(folder, overlay, access, index)
    } else {
        Walked::default()
    };
    all.files.retain(|other| other.relative != name);
    all.files.insert(0, alone);
    let assembled = assemble(&all, Some(0), path, &source(folder), shard)?;
    if has_patterns {
        check_unchanged(&assembled, &all, folder, overlay, access)?;
    }
    Ok(Manifest::new(assembled, folder, None, access))
}

/// Reads a manifest from texts with their paths, as [`load`] reads a folder.
pub fn parse(files: Vec<(PathBuf, String)>) -> Result<Manifest, Problems> {
    parse_with(files, Vec::new())
}

/// [`parse`] with the masks and texts that the manifest may name, with paths relative to the same folder.
pub fn parse_with(
    files: Vec<(PathBuf, String)>,
    binaries: Vec<(PathBuf, Vec<u8>)>,
) -> Result<Manifest, Problems> {
    let mut candidates = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for (path, _) in &files {
        match Format::of(path) {
            Some(format) => {
                candidates.push(Candidate::new(path.clone(), slashes(path), format));
            }
            None => problems.push(Problem::of_file(
                path,
                "not a manifest file: its extension is not .yaml, .yml, .json or .jsonl",
                "rename it",
            )),
        }
    }
    if !problems.is_empty() {
        return Err(Problems::new(problems));
    }
    candidates.sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    let texts: BTreeMap<PathBuf, String> = files.into_iter().collect();
    let binaries: BTreeMap<String, Vec<u8>> = binaries
        .into_iter()
        .map(|(path, bytes)| (slashes(&path), bytes))
        .collect();
    let memory = Memory {
        texts: &texts,
        binaries: &binaries,
    };
    let walked = Walked {
        files: candidates,
        ..Walked::default()
    };
    let assembled = assemble(&walked, None, Path::new("."), &memory, None)?;
    Ok(Manifest::new(
        assembled,
        Path::new(""),
        Some(texts),
        FileAccess::Folder,
    ))
}

/// Walks the folder again: if files were added, deleted or written to while the manifest was read, the result would be a
/// mix of two states.
fn check_unchanged(
    assembled: &Assembled,
    before: &Walked,
    folder: &Path,
    overlay: &Overlay,
    access: FileAccess,
) -> Result<(), Problems> {
    let after = walk_with(folder, overlay, access, &no_index);
    let stamps = |walked: &Walked| -> BTreeMap<String, (PathBuf, Stamp)> {
        let files = walked.files.iter();
        files
            .map(|file| (file.relative.clone(), (file.shown.clone(), file.stamp)))
            .collect()
    };
    let (before, after) = (stamps(before), stamps(&after));
    let included = assembled.files.iter().map(|(file, _)| &file.relative);
    let changed = included.filter(|path| {
        let unread = Stamp::default();
        let stamp = |all: &BTreeMap<String, (PathBuf, Stamp)>| all.get(*path).map(|it| it.1);
        stamp(&before).is_some_and(|it| it != unread) && stamp(&before) != stamp(&after)
    });
    let new = after
        .keys()
        .filter(|path| !before.contains_key(*path) && assembled.includes(path));
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

/// [`walk`] with the files of the overlay.
fn walk_with(folder: &Path, overlay: &Overlay, access: FileAccess, index: Index<'_>) -> Walked {
    let mut walked = if folder.exists() {
        walk(folder, access, index)
    } else {
        Walked::default()
    };
    let all = &mut walked.files;
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
    walked
}

/// Whether the path is a manifest: a file, or a folder in which a file has a header or the usual name of one.
pub fn has_header(path: &Path) -> bool {
    if !path.is_dir() {
        return path.exists();
    }
    let Walked {
        files, obstacles, ..
    } = walk(path, FileAccess::Folder, &no_index);
    let has_usual_name = |file: &Candidate| is_header_file(&file.relative);
    // An unreadable header counts, too.
    if obstacles.iter().any(|one| is_header_file(&one.relative)) {
        return true;
    }
    let disk = Disk {
        folder: path,
        access: FileAccess::Anywhere,
        chosen: None,
    };
    files.iter().any(has_usual_name)
        || files.iter().any(|file| {
            let bytes = disk.own(file);
            bytes.is_ok_and(|bytes| text_has_header(file.format, bytes))
        })
}

/// Whether the content of a file has a header. `false` if the extension is not one of a manifest.
pub fn is_header(path: &Path, bytes: Vec<u8>) -> bool {
    Format::of(path).is_some_and(|format| text_has_header(format, bytes))
}

fn text_has_header(format: Format, bytes: Vec<u8>) -> bool {
    let text = decode_text(bytes, TextKind::Structured).ok();
    text.and_then(|text| document(format, &text).ok())
        .and_then(|document| document.header)
        .is_some_and(|header| header.is_strong)
}

/// The files below a folder with a manifest's extension, except hidden and ignored ones.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let walked = walk(folder, FileAccess::Folder, &no_index);
    walked.files.into_iter().map(|file| file.shown).collect()
}
