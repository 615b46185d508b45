//! The files of an import, in any storage.

use super::error::ImportError;
use crate::model::{TextKind, decode_text};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

/// Files below one folder. Paths are relative to it, with `/` on every system.
pub trait Source: std::fmt::Debug + Sync {
    /// The files to import, sorted: those that were named, and all in the named folders.
    fn files(&self) -> &[String];

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A sentence, if there is no such file in the folder, or if it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Opens a file that can be read piece by piece, if it can, and read again. Errors are reported by
    /// [`Self::read`].
    fn stream(&self, _path: &str) -> Option<Box<dyn Read + Send + '_>> {
        None
    }

    /// Links below the named folders that lead to no file, each with the reason.
    fn broken_links(&self) -> &[(String, String)] {
        &[]
    }

    /// Hidden files and folders in the named folders, which are left out.
    fn hidden(&self) -> &[String] {
        &[]
    }

    /// What is neither a file nor a folder in the named folders, such as a pipe, which is left out.
    fn not_files(&self) -> &[String] {
        &[]
    }

    /// The first bytes of a file, to recognise it; empty if it cannot be read.
    fn head(&self, path: &str, most: u64) -> Vec<u8>;

    /// All files in a folder and below, sorted, also those that [`Self::files`] does not list; the empty path is the
    /// whole folder.
    fn list(&self, folder: &str) -> Vec<String>;

    /// The files in the folder of a path, without those of folders below.
    fn beside(&self, path: &str) -> Vec<String> {
        let folder = folder(path);
        let mut files = self.list(folder);
        files.retain(|file| self::folder(file) == folder);
        files
    }

    /// Width and height in pixels from the header of an image file, as it is displayed.
    fn image_size(&self, path: &str) -> Option<(u32, u32)>;
}

/// Reads a text file: UTF-8, with or without a byte order mark, which is removed.
pub(super) fn text(source: &dyn Source, path: &str) -> Result<String, ImportError> {
    let bytes = (source.read(path)).map_err(|message| ImportError::Unreadable {
        file: path.to_owned(),
        message,
    })?;
    decode_text(bytes, TextKind::Structured).map_err(|error| {
        let (line, column) = error.line_and_column();
        ImportError::Text {
            file: path.to_owned(),
            line,
            column,
            fault: error.fault,
        }
    })
}

/// Reads a text file of lines, whatever ends them: `\n` in the result.
pub(super) fn text_of_lines(source: &dyn Source, path: &str) -> Result<String, ImportError> {
    let text = text(source, path)?;
    Ok(if text.contains('\r') {
        with_lines(&text).into_owned()
    } else {
        text
    })
}

/// The text with `\n` for CRLF and for a lone CR.
pub(super) fn with_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path, without a slash at the end; empty for a file of the top folder.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path from a file, relative to a folder: `/` for backslashes, without `.` and `..`. `None` if it leaves the top
/// folder, or is absolute.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let path = path.replace('\\', "/");
    if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path has one of these extensions, in any case.
pub(super) fn has_extension(path: &str, extensions: &[&str]) -> bool {
    let name = file_name(path);
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        extensions
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// Extensions of image files.
pub(super) const IMAGES: [&str; 9] = [
    "jpg", "jpeg", "png", "bmp", "webp", "gif", "tif", "tiff", "avif",
];

/// Whether a path has the extension of an image file.
pub fn is_image(path: &str) -> bool {
    has_extension(path, &IMAGES)
}

/// Files in memory.
#[derive(Debug, Default)]
pub struct Memory {
    files: Vec<String>,
    content: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    /// All of these files, by their paths, are to be imported.
    pub fn new(content: BTreeMap<String, Vec<u8>>) -> Self {
        Self {
            files: content.keys().cloned().collect(),
            content,
        }
    }
}

impl Source for Memory {
    fn files(&self) -> &[String] {
        &self.files
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let bytes = self.content.get(path);
        bytes.cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn stream(&self, path: &str) -> Option<Box<dyn Read + Send + '_>> {
        let bytes = self.content.get(path)?;
        Some(Box::new(bytes.as_slice()))
    }

    fn head(&self, path: &str, most: u64) -> Vec<u8> {
        let bytes = self.content.get(path).map_or(&[][..], Vec::as_slice);
        bytes[..bytes.len().min(most as usize)].to_vec()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let inside = |path: &&String| {
            folder.is_empty()
                || path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        self.content.keys().filter(inside).cloned().collect()
    }

    fn image_size(&self, _path: &str) -> Option<(u32, u32)> {
        None
    }
}

#[cfg(test)]
impl Memory {
    pub(super) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter();
        Self::new(
            files
                .map(|(path, text)| (path.into(), text.into()))
                .collect(),
        )
    }

    /// Real files of a folder, or one file, beside the project; `None`, with a line that says so, if it is missing.
    pub(super) fn real(path: &str) -> Option<Self> {
        use std::io::Write as _;
        use std::path::Path;
        fn walk(root: &Path, at: &Path, content: &mut BTreeMap<String, Vec<u8>>) {
            for entry in std::fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, content);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    content.insert(name.to_owned(), std::fs::read(&path).unwrap());
                }
            }
        }
        let full = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/data")
            .join(path);
        let mut content = BTreeMap::new();
        if full.is_dir() {
            walk(&full, &full, &mut content);
        } else if let Ok(bytes) = std::fs::read(&full) {
            content.insert(file_name(path).to_owned(), bytes);
        } else {
            let line = format!("skipped: {} is not there", full.display());
            writeln!(std::io::stderr(), "{line}").unwrap();
            return None;
        }
        Some(Self::new(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_files_stay_in_the_folder() {
        assert_eq!(join("a/b", "../c.txt").as_deref(), Some("a/c.txt"));
        assert_eq!(join("", r".\x\y.txt").as_deref(), Some("x/y.txt"));
        for outside in ["../../../x", "/etc/passwd", r"C:\x", r"\\server\x"] {
            assert_eq!(join("a", outside), None, "{outside}");
        }
    }
}
