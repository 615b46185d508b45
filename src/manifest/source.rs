//! Where the bytes of a manifest come from: a folder, or memory.
//!
//! Two kinds of files are read: those that hold the manifest, and those that these name (masks, texts). Both lie in the
//! manifest's folder or below, whatever links say, unless the user allows others: nothing else of a machine ever gets
//! into a plan or a message. Nothing is read that is no file, nor what is larger than a file of its kind ever is.

use super::select::{Candidate, slashes};
use std::collections::BTreeMap;
use std::fs::File;
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

/// Why a file that a manifest names cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// There is none.
    Missing,
    /// A link leads out of the manifest's folder.
    Elsewhere,
    /// A folder, or a device.
    NoFile,
    /// More bytes than these.
    TooLarge(u64),
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

/// The bytes of a file, if there are no more than `most`.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    // To read what is no file may take for ever, and so may opening it.
    let length = match path.metadata()? {
        metadata if metadata.is_file() => metadata.len(),
        _ => return Err(Unreadable::NoFile),
    };
    if length > most {
        return Err(Unreadable::TooLarge(most));
    }
    let mut bytes = Vec::with_capacity(length as usize + 1);
    // It may grow meanwhile.
    let count = File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if count as u64 > most {
        return Err(Unreadable::TooLarge(most));
    }
    Ok(bytes)
}

impl Source for Disk<'_> {
    fn own(&self, candidate: &Candidate) -> Result<Vec<u8>, Unreadable> {
        let path = &candidate.shown;
        // Folders are not walked into through links, so that a file alone can lead out.
        let is_link = || path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        if self.chosen != Some(path) && is_link() {
            return read(&self.inside(path)?, LARGEST_OWN);
        }
        read(path, LARGEST_OWN)
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        read(&self.inside(&self.folder.join(relative))?, LARGEST_NAMED)
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
    NoFile,
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
