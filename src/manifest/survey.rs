//! Which files belong to a manifest, and which are left out, with reasons.

use super::assemble::file_patterns;
use super::rules::FutureRules;
use super::select::slashes;
use super::source::{Disk, FileAccess};
use super::tracked::Index;
use super::walk::{is_hidden, walk};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of a manifest's folder.
#[derive(Debug, Default)]
pub struct Survey {
    /// Files of the manifest, in byte order of their paths.
    pub included: Vec<PathBuf>,
    /// Other files and folders with the reason. Folders end with `/`.
    pub left_out: BTreeMap<String, String>,
    /// Manifest and ignore files that cannot be read, with the reason: "is a pipe".
    pub unreadable: BTreeMap<String, String>,
    /// Files that git tracks and the disk lacks, with the reason.
    pub missing: BTreeMap<String, String>,
}

/// Surveys a folder, or the folder of a file.
pub fn survey(path: &Path, access: FileAccess, index: Index<'_>) -> Survey {
    let folder = match path.parent() {
        _ if path.is_dir() => path,
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let walked = walk(folder, access, index);
    let disk = Disk {
        folder,
        access,
        chosen: None,
    };
    let patterns = file_patterns(&walked.files, &disk);
    let is_included = |path: &str| patterns.as_ref().is_none_or(|it| it.includes(path));
    let mut survey = Survey {
        left_out: walked
            .left_out
            .into_iter()
            .map(|(path, why)| (folder.join(path).display().to_string(), why))
            .collect(),
        ..Survey::default()
    };
    for file in &walked.files {
        if is_included(&file.relative) {
            survey.included.push(file.shown.clone());
        } else {
            let why = "not matched by `files:` in the header".to_owned();
            survey
                .left_out
                .insert(file.shown.display().to_string(), why);
        }
    }
    for one in &walked.obstacles {
        let path = one.shown.display().to_string();
        if patterns.as_ref().is_none_or(|it| it.may_include(one)) {
            survey.unreadable.insert(path, one.message.clone());
        } else {
            let why = format!("not matched by `files:` in the header; it {}", one.message);
            survey.left_out.insert(path, why);
        }
    }
    for file in &walked.missing {
        if is_included(&file.relative) {
            let why = if file.is_sparse {
                "left out by a sparse checkout"
            } else {
                "tracked by git, but not on the disk"
            };
            survey
                .missing
                .insert(file.shown.display().to_string(), why.to_owned());
        }
    }
    survey
}

/// Of files to be written, those that the manifest of a folder would leave out whatever its `files:` are, with the
/// reason. The folder may not exist yet. Files outside of it are not checked.
pub fn would_be_left_out<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = &'f Path>,
) -> Vec<(&'f Path, String)> {
    let mut rules = FutureRules::new(folder);
    let mut left_out = Vec::new();
    for file in files {
        let relative = match file.strip_prefix(folder) {
            Ok(below) => slashes(below),
            Err(_) if folder == Path::new(".") && file.is_relative() => slashes(file),
            Err(_) => continue,
        };
        if relative.is_empty() {
            continue;
        }
        let why = if is_hidden(&relative) {
            Some("hidden: a name in its path begins with a dot".to_owned())
        } else {
            rules.reason(&relative)
        };
        left_out.extend(why.map(|why| (file, why)));
    }
    left_out
}
