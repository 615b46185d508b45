//! Comparing a walk with git's index: which tracked files it did not access.

use super::{MissingFile, Walk, is_below, is_hidden};
use crate::manifest::format::Format;
use crate::manifest::tracked::{Tracked, TrackedKind};
use std::collections::{HashMap, HashSet};
use std::path::Path;

impl Walk<'_> {
    /// Reads what git tracks in a folder.
    pub(super) fn read_index(&mut self, relative: &str) {
        let tracked = match (self.index)(&self.shown(relative)) {
            Ok(Some(tracked)) => tracked,
            Ok(None) => return,
            Err(why) => {
                self.walked.git_error.get_or_insert(why);
                return;
            }
        };
        let whole = |path: String| match relative {
            "" => path,
            folder => format!("{folder}/{path}"),
        };
        for (path, kind) in tracked.files {
            self.tracked.insert(whole(path), kind);
        }
        for file in tracked.missing {
            let relative = whole(file.path);
            self.walked.missing.push(MissingFile {
                shown: self.shown(&relative),
                relative,
                is_sparse: file.is_sparse,
                bytes: file.bytes,
            });
        }
    }

    /// Finds tracked files that the walk did not access.
    pub(super) fn compare_with_index(&mut self) {
        let mut tracked: Vec<(String, TrackedKind)> = self.tracked.drain().collect();
        tracked.sort_by(|a, b| a.0.cmp(&b.0));
        let names: HashSet<&str> = tracked.iter().map(|(path, _)| path.as_str()).collect();
        let by_case: HashMap<String, String> = self
            .seen
            .iter()
            .map(|path| (path.to_lowercase(), path.clone()))
            .collect();
        for (path, kind) in &tracked {
            if is_hidden(path) || self.seen.contains(path) {
                continue;
            }
            let is_there = self.shown(path).symlink_metadata().is_ok();
            if *kind == TrackedKind::MovedSubmodule && self.repositories.contains(path) {
                let files = &self.walked.files;
                if files.iter().any(|file| is_below(&file.relative, path)) {
                    let why = format!(
                        "the submodule {path} is not at the commit that the repository records"
                    );
                    self.walked.git_error.get_or_insert(why);
                }
            } else if matches!(kind, TrackedKind::Submodule | TrackedKind::MovedSubmodule) {
                if self.repositories.contains(path) || self.is_below_an_obstacle(path) {
                    continue;
                }
                let message = "is a submodule that is not checked out";
                let hint = "run `git submodule update --init` (in CI: check out with submodules), or exclude it with \
                     `files:` in the header";
                self.add_obstacle(path, true, message, hint);
            } else if Format::of(Path::new(path)).is_some() && is_there {
                let ignored = self
                    .ignored
                    .iter()
                    .find(|(folder, _)| is_below(path, folder));
                if let Some((_, rule)) = ignored.cloned() {
                    self.add_ignored_obstacle(path, false, &rule);
                } else if !self.is_below_an_obstacle(path)
                    && let Some(other) = by_case.get(&path.to_lowercase())
                    && names.contains(other.as_str())
                {
                    let message =
                        format!("is the same file as {other} on this disk, and git tracks both");
                    self.add_obstacle(path, false, message, "rename one of them with `git mv`");
                }
            }
        }
        self.add_missing_behind_links();
        self.walked.missing.retain(|missing| {
            let file = self.root.join(&missing.relative);
            let is_missing = match Format::of(&file) {
                Some(_) => Tracked::is_missing(&file),
                // A link to a folder.
                None => file.symlink_metadata().is_err(),
            };
            !is_hidden(&missing.relative) && is_missing
        });
    }

    /// A file missing from a folder is missing through each link to the folder, too: `files:` may name only the link.
    fn add_missing_behind_links(&mut self) {
        let mut more = Vec::new();
        for (link, target) in &self.links {
            for file in &self.walked.missing {
                let rest = file.relative.strip_prefix(target.as_str());
                if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
                    let relative = format!("{link}{rest}");
                    more.push(MissingFile {
                        shown: self.shown(&relative),
                        relative,
                        ..file.clone()
                    });
                }
            }
        }
        self.walked.missing.append(&mut more);
    }

    fn is_below_an_obstacle(&self, path: &str) -> bool {
        let mut folders = self.walked.obstacles.iter().filter(|it| it.is_folder);
        folders.any(|it| it.relative.is_empty() || is_below(path, &it.relative))
    }
}
