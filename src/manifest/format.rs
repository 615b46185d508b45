//! The formats of a manifest's files.

use std::path::Path;

/// How a label file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
    /// One input a line.
    JsonLines,
}

impl Format {
    /// The format for the file's extension; `None` if it is not that of a label file. The only list of these extensions.
    pub fn of(path: &Path) -> Option<Self> {
        // Some file systems ignore case, and some editors add a space.
        let extension = path.extension()?.to_str()?.trim_end().to_ascii_lowercase();
        match extension.as_str() {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// The lines of a JSON Lines text that hold an input, with their offsets in bytes.
pub(super) fn json_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n')
        .scan(0, |offset, line| {
            let start = *offset;
            *offset += line.len();
            Some((start, line.trim_end()))
        })
        .filter(|(_, line)| !line.is_empty())
}
