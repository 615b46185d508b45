//! Where the bytes of a manifest come from: a folder, or memory.
//!
//! Two kinds of files are read: the manifest's own, and those that these name (masks, texts). Both lie in the manifest's
//! folder, also behind links, unless the user allows others, so that no other file gets into a plan or a message. Only
//! regular files of limited size are read.

use super::select::{Candidate, slashes};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// Limit for one of the manifest's own files, in bytes.
const MAX_OWN_BYTES: u64 = 1 << 30;

/// Limit for a mask or a text, in bytes.
const MAX_NAMED_BYTES: u64 = 64 << 20;

/// Hint for a path that leads out of the manifest's folder.
pub(super) const OUTSIDE: &str =
    "move the file into the manifest's folder, or allow files elsewhere with --allow-outside-files";

/// Hint for a hidden file.
pub(super) const HIDDEN: &str =
    "hidden files can hold secrets; rename it, or allow it with --allow-outside-files";

/// Where the files of a manifest may lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// In the manifest's folder and below, also behind links.
    #[default]
    Folder,
    /// Anywhere on the machine.
    Anywhere,
}

/// Why a file cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// It does not exist.
    Missing,
    /// A link leads out of the manifest's folder.
    Outside,
    /// A link leads to a hidden file.
    Hidden,
    /// What it is instead: "a folder".
    NotAFile(&'static str),
    /// It has more than this number of bytes.
    TooLarge(u64),
    /// It was written to while it was read.
    Changed,
    Failed(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("does not exist"),
            Self::Outside => f.write_str("is a link that leads out of the manifest's folder"),
            Self::Hidden => f.write_str("is a link to a hidden file"),
            Self::NotAFile(kind) => write!(f, "is {kind}, not a file"),
            Self::TooLarge(limit) => write!(f, "has more than {limit} bytes"),
            Self::Changed => f.write_str("changed while it was read"),
            Self::Failed(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// Reads files, on several threads at a time.
pub(super) trait Source: Sync {
    /// The bytes of one of the manifest's own files.
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable>;

    /// The bytes of a file that the manifest names. `relative` is its path below the manifest's folder.
    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable>;

    /// Where the files that the manifest names may lie.
    fn access(&self) -> FileAccess;
}

/// A folder.
#[derive(Debug)]
pub(super) struct Disk<'p> {
    pub(super) folder: &'p Path,
    pub(super) access: FileAccess,
    /// The path that the user gave, which may be a link to anywhere.
    pub(super) chosen: Option<&'p Path>,
}

impl Disk<'_> {
    /// The path of a file that the manifest names, without links, if it is allowed.
    pub(super) fn named_path(&self, relative: &str) -> Result<PathBuf, Unreadable> {
        let path = self.resolve(&self.folder.join(relative))?;
        if self.access == FileAccess::Folder && is_hidden_target(&path) {
            return Err(Unreadable::Hidden);
        }
        Ok(path)
    }

    /// The path without links, if it is allowed.
    fn resolve(&self, path: &Path) -> Result<PathBuf, Unreadable> {
        let path = path.canonicalize()?;
        if self.access == FileAccess::Folder && !path.starts_with(self.folder.canonicalize()?) {
            return Err(Unreadable::Outside);
        }
        Ok(path)
    }
}

/// Whether a pipe is read like a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipes {
    /// Read until its other end is closed: the user named it.
    Read,
    /// Refuse: reading may take forever, and works only once.
    Refuse,
}

/// The bytes of a file of at most `limit` bytes. Folders, devices and sockets are never opened.
pub fn read_bytes(path: &Path, limit: u64, pipes: Pipes) -> Result<Vec<u8>, Unreadable> {
    let kind = path.metadata()?.file_type();
    let is_file = kind.is_file();
    let is_readable = is_file || (pipes == Pipes::Read && is_pipe(kind));
    if !is_readable {
        return Err(Unreadable::NotAFile(kind_of(kind)));
    }
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    if is_file && before.len() > limit {
        return Err(Unreadable::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(if is_file {
        before.len() as usize + 1
    } else {
        0
    });
    let count = file.by_ref().take(limit + 1).read_to_end(&mut bytes)? as u64;
    if count > limit {
        return Err(Unreadable::TooLarge(limit));
    }
    let after = file.metadata()?;
    let is_same = after.len() == count && after.modified().ok() == before.modified().ok();
    // The files of /proc have no length.
    if is_file && !is_same && before.len() > 0 {
        return Err(Unreadable::Changed);
    }
    Ok(bytes)
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

/// The name of a kind of file that is not a regular file.
#[cfg(unix)]
pub fn kind_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// The name of a kind of file that is not a regular file.
#[cfg(not(unix))]
pub fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

/// The SHA-256 of a text file, with LF for CRLF: line ends of a checkout must not change a manifest's hash.
pub(super) fn text_digest(bytes: &[u8]) -> [u8; 32] {
    if !bytes.contains(&b'\r') {
        return Sha256::digest(bytes).into();
    }
    let mut digest = Sha256::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                digest.update(line);
                digest.update(b"\n");
            }
            None => digest.update(line),
        }
    }
    digest.finalize().into()
}

impl Source for Disk<'_> {
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable> {
        let path = &candidate.shown;
        // The walk checks links to folders; only the file itself can lead out.
        let is_link = || path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        if self.chosen != Some(path) && is_link() {
            return read_bytes(&self.resolve(path)?, MAX_OWN_BYTES, Pipes::Refuse);
        }
        read_bytes(path, MAX_OWN_BYTES, Pipes::Refuse)
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        let path = self.named_path(relative)?;
        read_bytes(&path, MAX_NAMED_BYTES, Pipes::Refuse)
    }

    fn access(&self) -> FileAccess {
        self.access
    }
}

/// Texts and bytes by path.
#[derive(Debug)]
pub(super) struct Memory<'m> {
    pub(super) texts: &'m BTreeMap<PathBuf, String>,
    /// By paths with `/` between their parts.
    pub(super) binaries: &'m BTreeMap<String, Vec<u8>>,
}

impl Source for Memory<'_> {
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable> {
        self.texts
            .get(&candidate.shown)
            .map(|text| text.as_bytes().to_owned())
            .ok_or(Unreadable::Missing)
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        self.binaries
            .get(relative)
            .cloned()
            .ok_or(Unreadable::Missing)
    }

    fn access(&self) -> FileAccess {
        FileAccess::Folder
    }
}

/// Why a path in a file is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathError {
    Absolute,
    Outside,
    Hidden,
    NotAFile,
}

/// Whether a part of the path begins with a dot: `.git/config`, `.env`. Such files can hold secrets, and messages quote
/// from files.
fn is_hidden(path: &Path) -> bool {
    path.iter()
        .any(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// [`is_hidden`] for the target of a link. It may lie in a hidden folder: git-annex keeps files in `.git/annex`.
fn is_hidden_target(path: &Path) -> bool {
    let of_git = path.iter().skip_while(|name| *name != ".git").nth(1);
    of_git.is_some_and(|name| name != "annex")
        || path.file_name().is_some_and(|it| is_hidden(Path::new(it)))
}

/// The path below the manifest's folder, with `/` between its parts, for a path that is written in a file of `folder`
/// (empty at the top). With [`FileAccess::Anywhere`] it may be absolute, or begin with `..`.
pub(super) fn resolve_path(
    folder: &str,
    written: &str,
    access: FileAccess,
) -> Result<String, PathError> {
    if written.ends_with('/') || written.chars().any(char::is_control) {
        return Err(PathError::NotAFile);
    }
    let mut parts: Vec<Component<'_>> = Path::new(folder).components().collect();
    for part in Path::new(written).components() {
        match part {
            Component::Prefix(_) | Component::RootDir if access == FileAccess::Folder => {
                return Err(PathError::Absolute);
            }
            Component::Prefix(_) => parts = vec![part],
            Component::RootDir => {
                parts.retain(|part| matches!(part, Component::Prefix(_)));
                parts.push(part);
            }
            Component::CurDir => {}
            Component::ParentDir => match (parts.last(), access) {
                (Some(Component::Normal(_)), _) => {
                    parts.pop();
                }
                (_, FileAccess::Folder) => return Err(PathError::Outside),
                // `..` of the root is the root.
                (Some(Component::RootDir), FileAccess::Anywhere) => {}
                (_, FileAccess::Anywhere) => parts.push(part),
            },
            Component::Normal(_) => parts.push(part),
        }
    }
    if matches!(
        Path::new(written).components().next_back(),
        Some(Component::Normal(_))
    ) {
        let path: PathBuf = parts.into_iter().collect();
        if access == FileAccess::Folder && is_hidden(&path) {
            return Err(PathError::Hidden);
        }
        Ok(if path.is_absolute() {
            path.to_string_lossy().into_owned()
        } else {
            slashes(&path)
        })
    } else {
        Err(PathError::NotAFile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_folder_of_their_file_and_stay_in_the_manifests_folder() {
        for (folder, written, path) in [
            ("", "a.png", Ok("a.png")),
            ("", "./m//a.png", Ok("m/a.png")),
            ("labels", "a.png", Ok("labels/a.png")),
            ("labels/x", "../m/a.png", Ok("labels/m/a.png")),
            ("labels/x", "../../a.png", Ok("a.png")),
            ("labels/x", "../../../a.png", Err(PathError::Outside)),
            ("labels/x", "../../.git/config", Err(PathError::Hidden)),
            ("", ".env", Err(PathError::Hidden)),
            ("", "m/../../m/a.png", Err(PathError::Outside)),
            ("", "/a.png", Err(PathError::Absolute)),
            ("", ".", Err(PathError::NotAFile)),
            ("labels", "..", Err(PathError::NotAFile)),
            ("", "m/", Err(PathError::NotAFile)),
            ("", "a\nb", Err(PathError::NotAFile)),
        ] {
            let path = path.map(str::to_owned);
            let found = resolve_path(folder, written, FileAccess::Folder);
            assert_eq!(found, path, "{folder} {written}");
        }
    }

    #[test]
    fn paths_may_lead_anywhere_if_allowed() {
        for (folder, written, path) in [
            ("labels", "../m/a.png", Ok("m/a.png")),
            ("labels", "../../a.png", Ok("../a.png")),
            ("", "../../a.png", Ok("../../a.png")),
            ("labels", "/m/./../../a.png", Ok("/a.png")),
            ("labels", "..", Err(PathError::NotAFile)),
            ("", "/", Err(PathError::NotAFile)),
            ("", "m/\u{0}", Err(PathError::NotAFile)),
        ] {
            let path = path.map(str::to_owned);
            let found = resolve_path(folder, written, FileAccess::Anywhere);
            assert_eq!(found, path, "{folder} {written}");
        }
    }
}
