//! What git knows of a folder, as the caller finds it out: the manifest itself runs no program.

use std::path::Path;

/// What git tracks in a folder.
#[derive(Debug, Default)]
pub struct Tracked {
    /// Paths below the folder, with `/` between their parts.
    pub files: Vec<(String, TrackedKind)>,
    /// What the index or HEAD has and the disk has not.
    pub gone: Vec<GoneFile>,
}

/// How git tracks a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackedKind {
    /// A file.
    File,
    /// A link.
    Link,
    /// Another repository.
    Submodule,
    /// Another repository, at another commit than this one records.
    MovedSubmodule,
}

/// A file that git has and the disk has not.
#[derive(Debug)]
pub struct GoneFile {
    /// Below the folder.
    pub path: String,
    /// Whether a sparse checkout leaves it out.
    pub is_sparse: bool,
    /// What git has of it, if that could be read.
    pub bytes: Option<Vec<u8>>,
}

impl Tracked {
    /// Whether a file that git has is gone from the disk; a folder of its name is not that file.
    pub fn is_gone(file: &Path) -> bool {
        file.symlink_metadata().map_or(true, |there| there.is_dir())
    }
}

/// Tells what git tracks in a folder: nothing outside a repository. `Err` says why that cannot be told.
pub type Index<'i> = &'i (dyn Fn(&Path) -> Result<Option<Tracked>, String> + Sync);

/// Nobody is asked: the disk alone counts.
#[expect(clippy::unnecessary_wraps, reason = "it stands where others are asked")]
pub(super) fn no_index(_: &Path) -> Result<Option<Tracked>, String> {
    Ok(None)
}
