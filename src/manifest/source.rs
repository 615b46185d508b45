//! Where the bytes of a manifest come from: a folder, or memory.
//!
//! Two kinds of files are read: those that hold the manifest, and those that these name (masks, texts). The latter lie
//! in the manifest's folder or below, whatever links say: nothing else of a machine ever gets into a plan.

use super::select::{Candidate, slashes};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Why a file that a manifest names cannot be read.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// There is none.
    Missing,
    /// A link leads out of the manifest's folder.
    Elsewhere,
    /// A folder, or a device.
    NoFile,
    /// Anything else.
    Failed(io::Error),
}

/// Gives bytes. Asked by several threads at a time.
pub(super) trait Source: Sync {
    /// The bytes of one of the manifest's own files.
    fn own(&self, candidate: &Candidate) -> io::Result<Vec<u8>>;

    /// The bytes of a file that the manifest names, by its path below the manifest's folder.
    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable>;
}

/// A folder.
#[derive(Debug)]
pub(super) struct Disk<'p>(pub(super) &'p Path);

impl Source for Disk<'_> {
    fn own(&self, candidate: &Candidate) -> io::Result<Vec<u8>> {
        std::fs::read(&candidate.shown)
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        let folder = self.0.canonicalize().map_err(Unreadable::Failed)?;
        let path = match folder.join(relative).canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Unreadable::Missing);
            }
            Err(error) => return Err(Unreadable::Failed(error)),
        };
        if !path.starts_with(&folder) {
            return Err(Unreadable::Elsewhere);
        }
        // To read what is no file may take for ever.
        if !path.is_file() {
            return Err(Unreadable::NoFile);
        }
        std::fs::read(path).map_err(Unreadable::Failed)
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
    fn own(&self, candidate: &Candidate) -> io::Result<Vec<u8>> {
        self.texts
            .get(&candidate.shown)
            .map(|text| text.as_bytes().to_owned())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn named(&self, relative: &str) -> Result<Vec<u8>, Unreadable> {
        self.binaries
            .get(relative)
            .cloned()
            .ok_or(Unreadable::Missing)
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
/// at the top).
pub(super) fn below(folder: &str, written: &str) -> Result<String, NoPath> {
    if written.ends_with('/') || written.chars().any(char::is_control) {
        return Err(NoPath::NoFile);
    }
    let mut parts: Vec<Component<'_>> = Path::new(folder).components().collect();
    for part in Path::new(written).components() {
        match part {
            Component::Prefix(_) | Component::RootDir => return Err(NoPath::Absolute),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop().ok_or(NoPath::LeadsOut)?;
            }
            Component::Normal(_) => parts.push(part),
        }
    }
    if matches!(
        Path::new(written).components().next_back(),
        Some(Component::Normal(_))
    ) {
        Ok(slashes(&parts.into_iter().collect::<PathBuf>()))
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
            assert_eq!(below(folder, written), path, "{folder} {written}");
        }
    }
}
