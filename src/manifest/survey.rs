//! Which files belong to a manifest, and which were left out, each with the reason.

use super::assemble::{Narrowing, narrowing_of};
use super::rules::Ahead;
use super::select::slashes;
use super::source::{Disk, Reach};
use super::tracked::Index;
use super::walk::{is_hidden, walk};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of a manifest's folder.
#[derive(Debug, Default)]
pub struct Survey {
    /// Files that belong, in byte order of their paths.
    pub belongs: Vec<PathBuf>,
    /// What was left out, folders with a `/` at their end, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// What would belong and cannot be read, or decides about that and cannot be used, with the reason: "is a pipe".
    pub unreadable: BTreeMap<String, String>,
    /// What git has and the disk has not, with the reason.
    pub missing: BTreeMap<String, String>,
}

/// Looks through a folder; a file stands for the folder that it lies in.
pub fn survey(path: &Path, reach: Reach, index: Index<'_>) -> Survey {
    let folder = match path.parent() {
        _ if path.is_dir() => path,
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let found = walk(folder, reach, index);
    let disk = Disk {
        folder,
        reach,
        chosen: None,
    };
    let narrowing: Option<Narrowing> = narrowing_of(&found.files, &disk);
    let takes = |path: &str| narrowing.as_ref().is_none_or(|it| it.is_of(path));
    let mut survey = Survey {
        left_out: found
            .left_out
            .into_iter()
            .map(|(path, why)| (folder.join(path).display().to_string(), why))
            .collect(),
        ..Survey::default()
    };
    for file in &found.files {
        if takes(&file.relative) {
            survey.belongs.push(file.shown.clone());
        } else {
            let why = "not among the `files:` of the header".to_owned();
            survey
                .left_out
                .insert(file.shown.display().to_string(), why);
        }
    }
    for one in &found.obstacles {
        let path = one.shown.display().to_string();
        if narrowing.as_ref().is_none_or(|it| it.takes_obstacle(one)) {
            survey.unreadable.insert(path, one.message.clone());
        } else {
            let why = format!("not among the `files:` of the header; it {}", one.message);
            survey.left_out.insert(path, why);
        }
    }
    for gone in &found.gone {
        if takes(&gone.relative) {
            let why = if gone.is_sparse {
                "a sparse checkout leaves it out"
            } else {
                "git has it, and it is not on the disk"
            };
            survey
                .missing
                .insert(gone.shown.display().to_string(), why.to_owned());
        }
    }
    survey
}

/// Which of these files, once written, would be left out of the manifest of a folder, whatever its `files:` say; each
/// with the reason. The folder itself may not be there yet; files elsewhere, and the folder itself, are no matter.
pub fn left_out_ahead<'f>(
    folder: &Path,
    files: impl IntoIterator<Item = &'f Path>,
) -> Vec<(&'f Path, String)> {
    let mut ahead = Ahead::new(folder);
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
            Some("a name on its path begins with a dot, which hides it".to_owned())
        } else {
            ahead.why(&relative)
        };
        left_out.extend(why.map(|why| (file, why)));
    }
    left_out
}
