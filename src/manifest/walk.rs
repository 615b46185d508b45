//! The walk over a manifest's folder: every file that may belong to it, and why others do not.
//!
//! Files are chosen by name. One that may belong and cannot be read is an obstacle and is never skipped: an unreadable
//! folder, a link that leads nowhere or out of the folder, a file that git tracks and a `.gitignore` matches. Left out
//! are hidden files, those that the repository's `.gitignore` files match, and those that annosync wrote.

mod index;

use super::format::Format;
use super::rules::{Rules, rules_above, rules_of};
use super::select::{Candidate, Stamp, is_output, slashes};
use super::source::{FileAccess, kind_of};
use super::tracked::{Index, TrackedKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{DirEntry, Metadata};
use std::path::{Path, PathBuf};

/// A file or folder that may belong to the manifest and cannot be read.
#[derive(Debug, Clone)]
pub(super) struct Obstacle {
    pub(super) shown: PathBuf,
    /// Below the manifest's folder.
    pub(super) relative: String,
    /// Whether files below it may belong to the manifest.
    pub(super) is_folder: bool,
    pub(super) message: String,
    pub(super) hint: String,
}

/// A file that git tracks and the disk lacks.
#[derive(Debug, Clone)]
pub(super) struct MissingFile {
    pub(super) shown: PathBuf,
    pub(super) relative: String,
    pub(super) is_sparse: bool,
    /// Its content in git, if that could be read.
    pub(super) bytes: Option<Vec<u8>>,
}

/// The result of a walk.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// In byte order of their relative paths.
    pub(super) files: Vec<Candidate>,
    pub(super) obstacles: Vec<Obstacle>,
    pub(super) missing: Vec<MissingFile>,
    /// Why git could not list the tracked files.
    pub(super) git_error: Option<String>,
    /// Files with a manifest's extension, and folders, that were left out, with the reason.
    pub(super) left_out: BTreeMap<String, String>,
}

/// A folder to which more links lead is refused, so that the walk ends.
const MAX_VISITS: usize = 16;

const OUTSIDE: &str = "move its files into the manifest's folder, exclude it with `files:` in the header, or allow it with \
     --allow-outside-files";

struct Walk<'w> {
    /// As the user gave it.
    root: &'w Path,
    canonical: PathBuf,
    access: FileAccess,
    index: Index<'w>,
    tracked: HashMap<String, TrackedKind>,
    /// Paths that the walk reached, as a file, an obstacle or a link.
    seen: HashSet<String>,
    /// Ignored folders with the rule.
    ignored: Vec<(String, String)>,
    /// Folders that are repositories of their own.
    repositories: HashSet<String>,
    visits: HashMap<PathBuf, usize>,
    /// Links to folders that were followed, with their targets below the manifest's folder.
    links: Vec<(String, String)>,
    walked: Walked,
}

/// A folder that is being walked.
struct Folder<'f> {
    relative: &'f str,
    rules: &'f Rules<'f>,
    /// The canonical paths of the folder and the folders above it.
    above: &'f [PathBuf],
    is_linked: bool,
}

pub(super) fn walk(root: &Path, access: FileAccess, index: Index<'_>) -> Walked {
    let mut walk = Walk {
        root,
        canonical: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
        access,
        index,
        tracked: HashMap::new(),
        seen: HashSet::new(),
        ignored: Vec::new(),
        repositories: HashSet::new(),
        visits: HashMap::new(),
        links: Vec::new(),
        walked: Walked::default(),
    };
    walk.read_index("");
    let canonical = walk.canonical.clone();
    let none = Rules::none();
    match rules_above(&canonical) {
        Ok(matchers) => {
            // From the top of the repository down.
            with_rules(&matchers, &none, &mut |rules| {
                walk.visit(&Folder {
                    relative: "",
                    rules,
                    above: std::slice::from_ref(&canonical),
                    is_linked: false,
                });
            });
        }
        Err((path, message)) => walk.add_rules_obstacle("", &path, message),
    }
    walk.compare_with_index();
    let mut walked = walk.walked;
    walked
        .files
        .sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    walked
}

/// Calls `then` with all matchers. The last one has precedence.
fn with_rules(
    matchers: &[ignore::gitignore::Gitignore],
    below: &Rules<'_>,
    then: &mut dyn FnMut(&Rules<'_>),
) {
    match matchers.split_first() {
        Some((first, rest)) => with_rules(rest, &below.with(first), then),
        None => then(below),
    }
}

impl Walk<'_> {
    fn shown(&self, relative: &str) -> PathBuf {
        if relative.is_empty() {
            self.root.to_owned()
        } else {
            self.root.join(relative)
        }
    }

    fn add_obstacle(
        &mut self,
        relative: &str,
        is_folder: bool,
        message: impl Into<String>,
        hint: &str,
    ) {
        self.seen.insert(relative.to_owned());
        self.walked.obstacles.push(Obstacle {
            shown: self.shown(relative),
            relative: relative.to_owned(),
            is_folder,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    /// Without its ignore file it is not known which files of a folder belong.
    fn add_rules_obstacle(&mut self, relative: &str, path: &Path, message: String) {
        let shown = match path.strip_prefix(&self.canonical) {
            Ok(below) => self.root.join(below),
            Err(_) => path.to_owned(),
        };
        self.walked.obstacles.push(Obstacle {
            shown,
            relative: relative.to_owned(),
            is_folder: true,
            message,
            hint: "it decides which files belong to the manifest; make it a plain file of a few patterns".to_owned(),
        });
    }

    fn leave_out(&mut self, relative: &str, is_folder: bool, why: impl Into<String>) {
        let end = if is_folder { "/" } else { "" };
        self.walked
            .left_out
            .insert(format!("{relative}{end}"), why.into());
    }

    fn visit(&mut self, folder: &Folder<'_>) {
        let path = self.shown(folder.relative);
        let entries = std::fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries: Vec<DirEntry> = match entries {
            Ok(entries) => entries,
            Err(error) => {
                let hint = "make it readable, or exclude it with `files:` in the header or with a .gitignore";
                let message = format!("cannot be read: {error}");
                return self.add_obstacle(folder.relative, true, message, hint);
            }
        };
        let at = folder.above.last().map_or(path.as_path(), PathBuf::as_path);
        let own = match rules_of(at) {
            Ok(own) => own,
            Err((path, message)) => {
                return self.add_rules_obstacle(folder.relative, &path, message);
            }
        };
        let rules = match &own {
            Some(own) => folder.rules.with(own),
            None => folder.rules.without_own(),
        };
        let inner = Folder {
            relative: folder.relative,
            rules: &rules,
            above: folder.above,
            is_linked: folder.is_linked,
        };
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            self.entry(&entry, &inner, at);
        }
    }

    fn entry(&mut self, entry: &DirEntry, folder: &Folder<'_>, at: &Path) {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == ".git" {
            return;
        }
        let relative = match folder.relative {
            "" => text.clone().into_owned(),
            folder => format!("{folder}/{text}"),
        };
        let path = entry.path();
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        let known = path.metadata();
        let is_folder = known.as_ref().is_ok_and(Metadata::is_dir);
        let format = Format::of(Path::new(&name));
        let is_candidate = is_folder || format.is_some();
        if text.starts_with('.') {
            if is_candidate {
                self.leave_out(&relative, is_folder, "hidden");
            }
            return;
        }
        if let Some(rule) = folder
            .rules
            .matching(&at.join(&name), is_folder && !is_link)
        {
            if is_candidate && self.tracked.contains_key(&relative) {
                return self.add_ignored_obstacle(&relative, is_folder, &rule);
            }
            if is_folder {
                self.ignored.push((relative.clone(), rule.clone()));
            }
            if is_candidate {
                self.leave_out(&relative, is_folder, format!("ignored by {rule}"));
            }
            return;
        }
        match known {
            Ok(known) if known.is_dir() && is_link => self.follow(&relative, &path, folder),
            Ok(known) if known.is_dir() => {
                let own = path.join(".git").symlink_metadata().is_ok();
                self.descend(&relative, at.join(&name), folder, own);
            }
            Ok(known) => self.file(
                &path,
                &relative,
                format,
                &known,
                is_link || folder.is_linked,
            ),
            Err(error) if is_link => {
                // With another extension its target would not belong to the manifest.
                if format.is_some() || Path::new(&name).extension().is_none() {
                    let target = path.read_link().unwrap_or_default();
                    let message = format!(
                        "is a link to {}, which cannot be followed: {error}",
                        target.display()
                    );
                    let hint = "restore its target, or delete the link";
                    self.add_obstacle(&relative, format.is_none(), message, hint);
                }
            }
            // It was deleted during the walk.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.add_obstacle(
                    &relative,
                    format.is_none(),
                    message,
                    "check its permissions",
                );
            }
        }
    }

    fn add_ignored_obstacle(&mut self, relative: &str, is_folder: bool, rule: &str) {
        let message = format!("is tracked by git, and {rule} ignores it");
        let hint = "remove that line from the .gitignore; or, if its labels are to be deleted from the app, remove the file with \
             `git rm --cached` and commit that";
        self.add_obstacle(relative, is_folder, message, hint);
    }

    /// Walks a folder. A repository of its own has its own rules and its own index.
    fn descend(
        &mut self,
        relative: &str,
        canonical: PathBuf,
        folder: &Folder<'_>,
        is_repository: bool,
    ) {
        let mut above = folder.above.to_vec();
        above.push(canonical);
        if is_repository {
            self.repositories.insert(relative.to_owned());
            self.read_index(relative);
        }
        let none = Rules::none();
        self.visit(&Folder {
            relative,
            rules: if is_repository { &none } else { folder.rules },
            above: &above,
            is_linked: folder.is_linked,
        });
    }

    fn follow(&mut self, relative: &str, path: &Path, folder: &Folder<'_>) {
        self.seen.insert(relative.to_owned());
        let canonical = match path.canonicalize() {
            Ok(canonical) => canonical,
            Err(error) => {
                let message = format!("is a link that cannot be followed: {error}");
                return self.add_obstacle(
                    relative,
                    true,
                    message,
                    "restore its target, or delete the link",
                );
            }
        };
        let is_inside = canonical.starts_with(&self.canonical);
        if !is_inside && self.access == FileAccess::Folder {
            let message = "is a link to a folder outside the manifest's folder";
            return self.add_obstacle(relative, true, message, OUTSIDE);
        }
        if folder.above.contains(&canonical) {
            return self.leave_out(relative, true, "a link to a folder above it");
        }
        let visits = self.visits.entry(canonical.clone()).or_default();
        *visits += 1;
        if *visits > MAX_VISITS {
            let message = format!("is a folder to which more than {MAX_VISITS} links lead");
            return self.add_obstacle(
                relative,
                true,
                message,
                "keep one of the links, and delete the others",
            );
        }
        if let Ok(target) = canonical.strip_prefix(&self.canonical) {
            self.links.push((relative.to_owned(), slashes(target)));
        }
        let none = Rules::none();
        let mut above = folder.above.to_vec();
        above.push(canonical);
        self.visit(&Folder {
            relative,
            rules: if is_inside { folder.rules } else { &none },
            above: &above,
            is_linked: true,
        });
    }

    fn file(
        &mut self,
        path: &Path,
        relative: &str,
        format: Option<Format>,
        known: &Metadata,
        is_linked: bool,
    ) {
        let Some(format) = format else {
            let is_bare = Path::new(relative).extension().is_none();
            if is_bare && !is_linked && self.tracked.get(relative) == Some(&TrackedKind::Link) {
                let message = "is a link in git, and was checked out as a plain file";
                let hint = "set `git config core.symlinks true` and check it out again";
                self.add_obstacle(relative, true, message, hint);
            }
            return;
        };
        if relative.contains(char::REPLACEMENT_CHARACTER) && path.to_str().is_none() {
            let message = "has a path that is not valid UTF-8";
            return self.add_obstacle(relative, false, message, "rename it");
        }
        if !known.is_file() {
            let message = format!("is {}, not a file", kind_of(known.file_type()));
            return self.add_obstacle(
                relative,
                false,
                message,
                "delete it, or exclude it with `files:` in the header",
            );
        }
        self.seen.insert(relative.to_owned());
        if is_output(path, format) {
            return self.leave_out(
                relative,
                false,
                "an output of annosync, such as a plan, a listing or a log",
            );
        }
        self.walked.files.push(Candidate {
            shown: path.to_owned(),
            relative: relative.to_owned(),
            format,
            is_linked,
            stamp: Stamp::of(known),
        });
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

pub(super) fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}
