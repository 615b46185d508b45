//! Files that may belong to a manifest, and the header's patterns, which select among them.

use super::format::Format;
use crate::model::FileKind;
use globset::{GlobBuilder, GlobMatcher};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file that may belong to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The path for messages, and to open it.
    pub(super) shown: PathBuf,
    /// The path below the manifest's folder, with `/` between its parts.
    pub(super) relative: String,
    pub(super) format: Format,
    /// Whether its path goes through a link, so that another path may lead to the same file.
    pub(super) is_linked: bool,
    pub(super) stamp: Stamp,
}

impl Candidate {
    pub(super) fn new(shown: PathBuf, relative: String, format: Format) -> Self {
        Self {
            shown,
            relative,
            format,
            is_linked: false,
            stamp: Stamp::default(),
        }
    }
}

/// Length and time of modification, to notice that a file was written to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Stamp(u64, Option<SystemTime>);

impl Stamp {
    pub(super) fn of(known: &Metadata) -> Self {
        Self(known.len(), known.modified().ok())
    }
}

/// Keeps each file once, by its path without links if that is in the list.
pub(super) fn without_duplicates(mut files: Vec<Candidate>) -> Vec<Candidate> {
    if !files.iter().any(|file| file.is_linked) {
        return files;
    }
    let canonical: Vec<PathBuf> = files
        .iter()
        .map(|file| {
            file.shown
                .canonicalize()
                .unwrap_or_else(|_| file.shown.clone())
        })
        .collect();
    let mut kept: HashMap<&PathBuf, usize> = HashMap::new();
    for (index, path) in canonical.iter().enumerate() {
        let other = kept.entry(path).or_insert(index);
        if files[*other].is_linked && !files[index].is_linked {
            *other = index;
        }
    }
    let mut kept: Vec<usize> = kept.into_values().collect();
    kept.sort_unstable();
    let mut index = 0;
    files.retain(|_| {
        index += 1;
        kept.binary_search(&(index - 1)).is_ok()
    });
    files
}

/// The usual names of the header's file, at the top of the manifest's folder. A new one gets the first.
pub const HEADER_FILES: [&str; 3] = ["annosync.yaml", "annosync.yml", "annosync.json"];

pub(super) fn is_header_file(relative: &str) -> bool {
    HEADER_FILES.contains(&relative)
}

/// Compiles a pattern. `*` does not match `/`, `**` does. Case is ignored, as in extensions.
pub(super) fn pattern(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .case_insensitive(true)
        .build()
        .map(|glob| glob.compile_matcher())
}

/// Whether the patterns of a header in `header_folder` match each path, and the indices of the patterns that match none.
pub(super) fn matching(
    patterns: &[String],
    header_folder: &str,
    paths: &[&str],
) -> (Vec<bool>, Vec<usize>) {
    // Invalid patterns were reported when the header was read.
    let matchers: Vec<Option<GlobMatcher>> =
        patterns.iter().map(|text| pattern(text).ok()).collect();
    let mut used = vec![false; patterns.len()];
    let taken = paths
        .iter()
        .map(|path| {
            let Some(path) = below(path, header_folder) else {
                return false;
            };
            let mut taken = false;
            for (matcher, used) in matchers.iter().zip(&mut used) {
                if matcher
                    .as_ref()
                    .is_some_and(|matcher| matcher.is_match(path))
                {
                    *used = true;
                    taken = true;
                }
            }
            taken
        })
        .collect();
    let unused = (0..patterns.len()).filter(|index| !used[*index]).collect();
    (taken, unused)
}

fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// The folder of a relative path; empty at the top.
pub(super) fn folder_of(relative: &str) -> &str {
    relative.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a pattern may match something below a folder. True in doubt.
pub(super) fn may_match_below(patterns: &[String], header_folder: &str, folder: &str) -> bool {
    let Some(folder) = below(folder, header_folder) else {
        return below(header_folder, folder).is_some();
    };
    let may = |text: &String| {
        let text = text.strip_prefix("./").unwrap_or(text);
        if text.contains('{') {
            return true;
        }
        let mut parts = text.split('/');
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            match parts.next() {
                Some("**") => return true,
                Some(part) => match pattern(part) {
                    Ok(glob) if !glob.is_match(name) => return false,
                    _ => {}
                },
                None => return false,
            }
        }
        parts.next().is_some()
    };
    patterns.iter().any(may)
}

/// Whether annosync wrote the file: a plan, an undo, an outcome, a saved listing or the log of an apply. Never true for a
/// manifest file.
pub(super) fn is_output(path: &Path, format: Format) -> bool {
    if format == Format::Yaml {
        return false;
    }
    let mut head = Vec::new();
    // A file that cannot be read is reported later.
    let read =
        File::open(path).and_then(|file| file.take(FileKind::HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && FileKind::of(&head).is_some_and(FileKind::is_output)
}

/// A path with `/` between its parts on every system.
pub(super) fn slashes(path: &Path) -> String {
    path.components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(folder: &Path) -> Vec<Candidate> {
        let walked = crate::manifest::walk::walk(
            folder,
            crate::manifest::FileAccess::Folder,
            &crate::manifest::tracked::no_index,
        );
        assert!(walked.obstacles.is_empty(), "{:?}", walked.obstacles);
        walked.files
    }

    #[test]
    fn a_pattern_may_match_below_a_folder() {
        let may = |pattern: &str, folder: &str| may_match_below(&[pattern.to_owned()], "", folder);
        for (pattern, folder, expected) in [
            ("labels/**", "labels", true),
            ("labels/**", "labels/x/y", true),
            ("labels/**", "images", false),
            ("labels/*.yaml", "labels", true),
            ("labels/*.yaml", "labels/x", false),
            ("**/*.yaml", "images", true),
            ("l*/a/*", "labels/a", true),
            ("{a,b/c}/*", "b/c", true),
            ("a.yaml", "", true),
        ] {
            assert_eq!(may(pattern, folder), expected, "{pattern} {folder}");
        }
        assert!(may_match_below(&["x/*".to_owned()], "a/b", "a"));
        assert!(!may_match_below(&["x/*".to_owned()], "a/b", "c"));
    }

    fn taken(patterns: &[&str], folder: &str, paths: &[&str]) -> (Vec<bool>, Vec<usize>) {
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        matching(&patterns, folder, paths)
    }

    #[test]
    fn patterns_are_relative_to_the_headers_folder() {
        let paths = ["labels/a.yaml", "labels/b/c.yaml", "x/labels/a.yaml"];
        assert_eq!(
            taken(&["labels/**"], "", &paths),
            (vec![true, true, false], vec![])
        );
        assert_eq!(
            taken(&["labels/*"], "", &paths),
            (vec![true, false, false], vec![])
        );
        assert_eq!(
            taken(&["./labels/*"], "x", &paths),
            (vec![false, false, true], vec![])
        );
        assert_eq!(taken(&["**", "y/*"], "", &paths), (vec![true; 3], vec![1]));
    }

    #[test]
    fn plans_listings_and_logs_in_the_folder_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("plan.json", "{\n  \"format_version\": \"1.0\",\n"),
            ("listing.json", "{\"format_version\":\"1.0\"}"),
            ("log.jsonl", "{\"ended\":\"applied\",\"operation\":0}\n"),
            ("a.json", "{\"inputs\": [], \"format_version\": 1}"),
            ("b.jsonl", "{\"purge\":true,\"id\":\"ended\"}\n"),
            ("c.json", " "),
            ("d.yaml", "format_version: 1\n"),
        ] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let found = walk(folder.path());
        let names: Vec<&str> = found.iter().map(|file| file.relative.as_str()).collect();
        assert_eq!(names, ["a.json", "b.jsonl", "c.json", "d.yaml"]);
    }

    #[test]
    fn hidden_and_ignored_files_are_left_out_in_byte_order() {
        let folder = tempfile::tempdir().unwrap();
        for file in [
            "b.yaml",
            "B.yml",
            "a/z.jsonl",
            "a-b.json",
            ".x.yaml",
            ".h/y.yaml",
            "out/g.yaml",
            "n.txt",
        ] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::write(folder.path().join(".gitignore"), "out/\n").unwrap();
        let found = walk(folder.path());
        let names: Vec<&str> = found.iter().map(|file| file.relative.as_str()).collect();
        assert_eq!(names, ["B.yml", "a-b.json", "a/z.jsonl", "b.yaml"]);
    }
}
