//! The files that git tracks in a folder. The caller runs git.

use std::path::Path;

/// What git tracks in a folder.
#[derive(Debug, Default)]
pub struct Tracked {
    /// Paths below the folder, with `/` between their parts.
    pub files: Vec<(String, TrackedKind)>,
    /// Files that the index or HEAD has and the disk lacks.
    pub missing: Vec<MissingTracked>,
}

/// How git tracks a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackedKind {
    File,
    Link,
    /// At the recorded commit.
    Submodule,
    /// A submodule that is not at the recorded commit.
    MovedSubmodule,
}

/// A file that git tracks and the disk lacks.
#[derive(Debug)]
pub struct MissingTracked {
    /// Below the folder.
    pub path: String,
    /// Whether a sparse checkout leaves it out.
    pub is_sparse: bool,
    /// Its content in git, if that could be read.
    pub bytes: Option<Vec<u8>>,
}

impl Tracked {
    /// Whether a tracked file is missing from the disk. A folder of that name does not count.
    pub fn is_missing(file: &Path) -> bool {
        file.symlink_metadata().map_or(true, |there| there.is_dir())
    }
}

/// Lists what git tracks in a folder: `None` outside a repository. The error says why git cannot list it.
pub type Index<'i> = &'i (dyn Fn(&Path) -> Result<Option<Tracked>, String> + Sync);

/// Ignores git: only the disk counts.
pub fn no_index(_: &Path) -> Result<Option<Tracked>, String> {
    Ok(None)
}
