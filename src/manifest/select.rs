//! Which files are a manifest's: the walk over a folder, and the header's patterns.

use super::document::Format;
use super::problem::Problem;
use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A file that may belong to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// As it is shown to the user, and opened.
    pub(super) shown: PathBuf,
    /// Below the folder that was given, with `/` between its parts.
    pub(super) relative: String,
    pub(super) format: Format,
}

/// Names that a header's file has by custom; one that stands at the top of a folder is the header's.
const HEADER_FILES: [&str; 3] = ["annosync.yaml", "annosync.yml", "annosync.json"];

/// Whether the header's file is by custom at this path.
pub(super) fn is_header_file(relative: &str) -> bool {
    HEADER_FILES.contains(&relative)
}

/// Compiles a pattern. `*` does not reach into folders, `**` does.
pub(super) fn pattern(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
}

/// Which of the relative paths the patterns of a header in `header_folder` take, and which patterns take none.
pub(super) fn matching(
    patterns: &[String],
    header_folder: &str,
    paths: &[&str],
) -> (Vec<bool>, Vec<usize>) {
    // Patterns were compiled when the header was read; those that could not be were reported and left out.
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

/// The files of a folder that may belong to a manifest, in byte order of their relative paths. Hidden files and what
/// git ignores are left out, in a repository or not, and what annosync itself wrote.
pub(super) fn walk(folder: &Path) -> Result<Vec<Candidate>, Vec<Problem>> {
    let mut walk = WalkBuilder::new(folder);
    walk.require_git(false)
        // What git ignores on this machine alone must not change what a manifest says.
        .git_global(false)
        .git_exclude(false)
        .ignore(false)
        // Outside a repository no .gitignore above the folder has anything to do with it.
        .parents(is_in_repository(folder));
    let mut candidates = Vec::new();
    let mut problems = Vec::new();
    for entry in walk.build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                problems.push(Problem::of_file(
                    folder,
                    format!("cannot be read: {error}"),
                    "make it readable, or let .gitignore leave it out",
                ));
                continue;
            }
        };
        let path = entry.path();
        let Some(format) = Format::of(path) else {
            continue;
        };
        // A link to a file counts as that file; folders are not followed through links, which may go in circles.
        let is_file = match entry.file_type() {
            Some(kind) if kind.is_symlink() => path.is_file(),
            Some(kind) => kind.is_file(),
            None => false,
        };
        if is_file && !is_output(path, format) {
            let relative = path.strip_prefix(folder).unwrap_or(path);
            candidates.push(Candidate {
                shown: path.to_owned(),
                relative: slashes(relative),
                format,
            });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    candidates.sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    Ok(candidates)
}

/// Whether annosync itself wrote the file, which may lie beside the manifest: a plan, an undo or a saved listing, which
/// begin with their format's version, or the log of an apply. A manifest has neither key, so that none is left out.
fn is_output(path: &Path, format: Format) -> bool {
    let key = match format {
        Format::Json => "\"format_version\":",
        Format::JsonLines => "\"ended\":",
        Format::Yaml => return false,
    };
    let mut start = Vec::new();
    // What cannot be read is an error later on.
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok()
        && String::from_utf8_lossy(&start)
            .strip_prefix('{')
            .is_some_and(|rest| rest.trim_start().starts_with(key))
}

fn is_in_repository(folder: &Path) -> bool {
    std::path::absolute(folder)
        .is_ok_and(|folder| folder.ancestors().any(|above| above.join(".git").exists()))
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
    fn plans_listings_and_logs_that_lie_in_the_folder_are_no_part_of_it() {
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
        let found = walk(folder.path()).unwrap();
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
        let found = walk(folder.path()).unwrap();
        let names: Vec<&str> = found.iter().map(|file| file.relative.as_str()).collect();
        assert_eq!(names, ["B.yml", "a-b.json", "a/z.jsonl", "b.yaml"]);
    }
}
