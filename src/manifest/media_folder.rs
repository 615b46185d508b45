//! The folder with the pictures, videos, texts and masks of a manifest.

use super::named;
use super::source::{Disk, FileAccess, Unreadable, kind_of};
use std::path::PathBuf;

/// How to read the file of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediumContent {
    /// An image or a video.
    Bytes,
    /// Without a byte order mark, and with LF for CRLF.
    Text,
}

/// Reads the files that inputs name, also without the rest of the manifest.
#[derive(Debug, Clone)]
pub struct MediaFolder {
    pub(super) folder: PathBuf,
    pub(super) access: FileAccess,
}

impl MediaFolder {
    /// The bytes of a file of the manifest's folder.
    ///
    /// # Errors
    ///
    /// Why the file cannot be read, and a hint.
    pub fn read(
        &self,
        path: &str,
        content: MediumContent,
    ) -> Result<Vec<u8>, (String, &'static str)> {
        let disk = self.disk();
        // The path may come from a plan file, which is not trusted.
        let path = named::path_below("", path, self.access)?;
        match content {
            MediumContent::Bytes => named::read_bytes(&path, &disk),
            MediumContent::Text => Ok(named::read_text(&path, &disk)?.1.into_bytes()),
        }
    }

    /// The regular file of the manifest's folder at this path.
    ///
    /// # Errors
    ///
    /// Why it may not be opened, and a hint.
    pub fn file(&self, path: &str) -> Result<PathBuf, (String, &'static str)> {
        let disk = self.disk();
        let file = disk.named_path(path).and_then(|file| {
            let kind = file.metadata()?.file_type();
            if kind.is_file() {
                Ok(file)
            } else {
                Err(Unreadable::NotAFile(kind_of(kind)))
            }
        });
        file.map_err(|error| named::describe(path, &error))
    }

    fn disk(&self) -> Disk<'_> {
        Disk {
            folder: &self.folder,
            access: self.access,
            chosen: None,
        }
    }
}
