//! Where the bytes of a manifest come from: a folder, or memory.
//!
//! Two kinds of files are read: those that hold the manifest, and those that these name (masks, texts). Both lie in the
//! manifest's folder or below, whatever links say, unless the user allows others: nothing else of a machine ever gets
//! into a plan or a message. Nothing is read that is no file, nor what is larger than a file of its kind ever is.

use super::select::{Candidate, slashes};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

/// Bytes that a file of a manifest may have: more is a mistake, or made to fill the memory.
const LARGEST_OWN: u64 = 1 << 30;

/// Bytes that a mask or a text may have.
const LARGEST_NAMED: u64 = 64 << 20;

/// Where the files of a manifest may lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// In the manifest's folder and below, whatever paths and links say.
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
    Elsewhere,
    /// A link leads to a hidden file.
    Hidden,
    /// It is something that is not read: the kind of it.
    NotAFile(&'static str),
    /// More bytes than these.
    TooLarge(u64),
    /// It was written to while it was read.
    Changed,
    /// Anything else.
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
            Self::Elsewhere => f.write_str("is a link that leads out of the manifest's folder"),
            Self::Hidden => f.write_str("is a link to a hidden file"),
            Self::NotAFile(kind) => write!(f, "is {kind}, not a file"),
            Self::TooLarge(most) => write!(f, "has more than {most} bytes"),
            Self::Changed => f.write_str("changed while it was read"),
            Self::Failed(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

/// Gives bytes. Asked by several threads at a time.
pub(super) trait Source: Sync {
    /// The bytes of one of the manifest's own files.
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable>;

    /// The bytes of a file that the manifest names, by its path below the manifest's folder.
    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable>;

    /// Where the files that the manifest names may lie.
    fn reach(&self) -> Reach;
}

/// A folder.
#[derive(Debug)]
pub(super) struct Disk<'p> {
    pub(super) folder: &'p Path,
    pub(super) reach: Reach,
    /// A file that the user named, which may be a link to anywhere.
    pub(super) chosen: Option<&'p Path>,
}

impl Disk<'_> {
    /// Holds a path to the folder, and says where it leads.
    fn inside(&self, path: &Path) -> Result<PathBuf, Unreadable> {
        let path = path.canonicalize()?;
        if self.reach == Reach::Folder && !path.starts_with(self.folder.canonicalize()?) {
            return Err(Unreadable::Elsewhere);
        }
        Ok(path)
    }
}

/// Whether a pipe is read like a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipes {
    /// Until its other end is closed: the user named it.
    Read,
    /// It is refused: reading it may take for ever, and can be done only once.
    Refuse,
}

/// The bytes of a file, if there are no more than `most`. Folders, devices and sockets are never opened.
pub fn read_bytes(path: &Path, most: u64, pipes: Pipes) -> Result<Vec<u8>, Unreadable> {
    let kind = path.metadata()?.file_type();
    let is_file = kind.is_file();
    let is_readable = is_file || (pipes == Pipes::Read && is_pipe(kind));
    if !is_readable {
        return Err(Unreadable::NotAFile(kind_of(kind)));
    }
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    if is_file && before.len() > most {
        return Err(Unreadable::TooLarge(most));
    }
    let mut bytes = Vec::with_capacity(if is_file {
        before.len() as usize + 1
    } else {
        0
    });
    let count = file.by_ref().take(most + 1).read_to_end(&mut bytes)? as u64;
    if count > most {
        return Err(Unreadable::TooLarge(most));
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

/// What something is called that is not a regular file.
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

/// What something is called that is not a regular file.
#[cfg(not(unix))]
pub fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

/// The SHA-256 of a text file, in which CRLF counts as LF: a checkout must not change what a manifest is.
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
        // Folders are not walked into through links, so that a file alone can lead out.
        let is_link = || path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        if self.chosen != Some(path) && is_link() {
            return read_bytes(&self.inside(path)?, LARGEST_OWN, Pipes::Refuse);
        }
        read_bytes(path, LARGEST_OWN, Pipes::Refuse)
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        let path = self.inside(&self.folder.join(relative))?;
        if self.reach == Reach::Folder && leads_to_a_secret(&path) {
            return Err(Unreadable::Hidden);
        }
        read_bytes(&path, LARGEST_NAMED, Pipes::Refuse)
    }

    fn reach(&self) -> Reach {
        self.reach
    }
}

/// Texts and bytes, by the paths that they are known by.
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

    fn reach(&self) -> Reach {
        Reach::Folder
    }
}

/// Why what is written in a file cannot be the path of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPath {
    Absolute,
    LeadsOut,
    Hidden,
    NoFile,
}

/// Whether a part of the path begins with a dot: `.git/config`, `.env`. Such files can hold secrets, and messages quote texts.
fn is_hidden(path: &Path) -> bool {
    path.iter()
        .any(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The same of a file at the end of a link, which may well lie in a hidden folder: git-annex keeps its files in `.git/annex`.
fn leads_to_a_secret(path: &Path) -> bool {
    let of_git = path.iter().skip_while(|name| *name != ".git").nth(1);
    of_git.is_some_and(|name| name != "annex")
        || path.file_name().is_some_and(|it| is_hidden(Path::new(it)))
}

/// The path below the manifest's folder, with `/` between its parts, of what is written in a file of `folder` (empty
/// at the top). What leads elsewhere is a path only where it may be: an absolute one, or one that begins with `..`.
pub(super) fn below(folder: &str, written: &str, reach: Reach) -> Result<String, NoPath> {
    if written.ends_with('/') || written.chars().any(char::is_control) {
        return Err(NoPath::NoFile);
    }
    let mut parts: Vec<Component<'_>> = Path::new(folder).components().collect();
    for part in Path::new(written).components() {
        match part {
            Component::Prefix(_) | Component::RootDir if reach == Reach::Folder => {
                return Err(NoPath::Absolute);
            }
            Component::Prefix(_) => parts = vec![part],
            Component::RootDir => {
                parts.retain(|part| matches!(part, Component::Prefix(_)));
                parts.push(part);
            }
            Component::CurDir => {}
            Component::ParentDir => match (parts.last(), reach) {
                (Some(Component::Normal(_)), _) => {
                    parts.pop();
                }
                (_, Reach::Folder) => return Err(NoPath::LeadsOut),
                // Nothing is above the root.
                (Some(Component::RootDir), Reach::Anywhere) => {}
                (_, Reach::Anywhere) => parts.push(part),
            },
            Component::Normal(_) => parts.push(part),
        }
    }
    if matches!(
        Path::new(written).components().next_back(),
        Some(Component::Normal(_))
    ) {
        let path: PathBuf = parts.into_iter().collect();
        if reach == Reach::Folder && is_hidden(&path) {
            return Err(NoPath::Hidden);
        }
        Ok(if path.is_absolute() {
            path.to_string_lossy().into_owned()
        } else {
            slashes(&path)
        })
    } else {
        Err(NoPath::NoFile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_to_the_folder_of_its_file_and_stays_below_the_top() {
        for (folder, written, path) in [
            ("", "a.png", Ok("a.png")),
            ("", "./m//a.png", Ok("m/a.png")),
            ("labels", "a.png", Ok("labels/a.png")),
            ("labels/x", "../m/a.png", Ok("labels/m/a.png")),
            ("labels/x", "../../a.png", Ok("a.png")),
            ("labels/x", "../../../a.png", Err(NoPath::LeadsOut)),
            ("labels/x", "../../.git/config", Err(NoPath::Hidden)),
            ("", ".env", Err(NoPath::Hidden)),
            ("", "m/../../m/a.png", Err(NoPath::LeadsOut)),
            ("", "/a.png", Err(NoPath::Absolute)),
            ("", ".", Err(NoPath::NoFile)),
            ("labels", "..", Err(NoPath::NoFile)),
            ("", "m/", Err(NoPath::NoFile)),
            ("", "a\nb", Err(NoPath::NoFile)),
        ] {
            let path = path.map(str::to_owned);
            let found = below(folder, written, Reach::Folder);
            assert_eq!(found, path, "{folder} {written}");
        }
    }

    #[test]
    fn a_path_may_lead_elsewhere_where_that_is_allowed() {
        for (folder, written, path) in [
            ("labels", "../m/a.png", Ok("m/a.png")),
            ("labels", "../../a.png", Ok("../a.png")),
            ("", "../../a.png", Ok("../../a.png")),
            ("labels", "/m/./../../a.png", Ok("/a.png")),
            ("labels", "..", Err(NoPath::NoFile)),
            ("", "/", Err(NoPath::NoFile)),
            ("", "m/\u{0}", Err(NoPath::NoFile)),
        ] {
            let path = path.map(str::to_owned);
            let found = below(folder, written, Reach::Anywhere);
            assert_eq!(found, path, "{folder} {written}");
        }
    }
}
