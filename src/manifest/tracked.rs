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

/// Tells what git tracks in a folder: nothing without git, or outside a repository.
pub type Index<'i> = &'i (dyn Fn(&Path) -> Option<Tracked> + Sync);

/// Nobody is asked: the disk alone counts.
pub(super) fn no_index(_: &Path) -> Option<Tracked> {
    None
}
