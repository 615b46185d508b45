//! The walk over a manifest's folder: every file that could belong to it, and why others do not.
//!
//! What belongs is decided by names. Whatever would belong and cannot be read is an obstacle, never passed over: an
//! unreadable folder, a link that leads nowhere or out of the folder, a file that git tracks and a `.gitignore` matches.
//! Hidden files are left out, and what the repository's own `.gitignore` files match, and what annosync wrote.

use super::document::Format;
use super::rules::{Rules, rules_above, rules_of};
use super::select::{Candidate, Stamp, is_output, slashes};
use super::source::{Reach, kind_of};
use super::tracked::{Index, Tracked, TrackedKind};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{DirEntry, Metadata};
use std::path::{Path, PathBuf};

/// Something that could belong to the manifest and cannot be read.
#[derive(Debug, Clone)]
pub(super) struct Obstacle {
    pub(super) shown: PathBuf,
    /// Below the manifest's folder; of a folder, what lies below it could belong.
    pub(super) relative: String,
    pub(super) is_folder: bool,
    pub(super) message: String,
    pub(super) hint: String,
}

/// A file that git has and the disk has not.
#[derive(Debug, Clone)]
pub(super) struct Gone {
    pub(super) shown: PathBuf,
    pub(super) relative: String,
    pub(super) is_sparse: bool,
    /// What git has of it.
    pub(super) bytes: Option<Vec<u8>>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In byte order of their relative paths.
    pub(super) files: Vec<Candidate>,
    pub(super) obstacles: Vec<Obstacle>,
    pub(super) gone: Vec<Gone>,
    /// Why it cannot be told what git tracks.
    pub(super) unproven: Option<String>,
    /// Files that end as a manifest's do, and folders, with the reason why they were left out.
    pub(super) left_out: BTreeMap<String, String>,
}

/// A folder that links reach more often than this makes a walk without end.
const MOST_VISITS: usize = 16;

const OUTSIDE: &str = "move its files into the manifest's folder, let `files:` in the header leave it out, or allow it with \
     --allow-outside-files";

struct Walk<'w> {
    /// As the user knows it.
    root: &'w Path,
    canonical: PathBuf,
    reach: Reach,
    index: Index<'w>,
    tracked: HashMap<String, TrackedKind>,
    /// Tracked paths that were come across and need no further look.
    seen: HashSet<String>,
    /// Folders that rules leave out, with the rule.
    ignored: Vec<(String, String)>,
    /// Folders that are repositories of their own.
    repositories: HashSet<String>,
    visits: HashMap<PathBuf, usize>,
    /// Links to folders that were followed, with where they lead below the manifest's folder.
    links: Vec<(String, String)>,
    found: Found,
}

/// A folder on the way down.
struct Folder<'f> {
    relative: &'f str,
    rules: &'f Rules<'f>,
    /// The folders above it and itself, canonical.
    above: &'f [PathBuf],
    is_linked: bool,
}

/// Walks a folder.
pub(super) fn walk(root: &Path, reach: Reach, index: Index<'_>) -> Found {
    let mut walk = Walk {
        root,
        canonical: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
        reach,
        index,
        tracked: HashMap::new(),
        seen: HashSet::new(),
        ignored: Vec::new(),
        repositories: HashSet::new(),
        visits: HashMap::new(),
        links: Vec::new(),
        found: Found::default(),
    };
    walk.take_index("");
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
        Err((path, message)) => walk.refuse_rules("", &path, message),
    }
    walk.hold_to_index();
    let mut found = walk.found;
    found
        .files
        .sort_by(|a, b| a.relative.as_bytes().cmp(b.relative.as_bytes()));
    found
}

/// Stacks matchers, the last one first to be asked.
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

    fn refuse(&mut self, relative: &str, is_folder: bool, message: impl Into<String>, hint: &str) {
        self.seen.insert(relative.to_owned());
        self.found.obstacles.push(Obstacle {
            shown: self.shown(relative),
            relative: relative.to_owned(),
            is_folder,
            message: message.into(),
            hint: hint.to_owned(),
        });
    }

    /// An ignore file that cannot be used says nothing of the folder that it lies in.
    fn refuse_rules(&mut self, relative: &str, path: &Path, message: String) {
        let shown = match path.strip_prefix(&self.canonical) {
            Ok(below) => self.root.join(below),
            Err(_) => path.to_owned(),
        };
        self.found.obstacles.push(Obstacle {
            shown,
            relative: relative.to_owned(),
            is_folder: true,
            message,
            hint: "it decides which files belong to the manifest; make it a plain file of a few patterns".to_owned(),
        });
    }

    fn leave_out(&mut self, relative: &str, is_folder: bool, why: impl Into<String>) {
        let end = if is_folder { "/" } else { "" };
        self.found
            .left_out
            .insert(format!("{relative}{end}"), why.into());
    }

    /// Asks what git tracks in a folder that is a repository, or lies in one.
    fn take_index(&mut self, relative: &str) {
        let tracked = match (self.index)(&self.shown(relative)) {
            Ok(Some(tracked)) => tracked,
            Ok(None) => return,
            Err(why) => {
                self.found.unproven.get_or_insert(why);
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
        for gone in tracked.gone {
            let relative = whole(gone.path);
            self.found.gone.push(Gone {
                shown: self.shown(&relative),
                relative,
                is_sparse: gone.is_sparse,
                bytes: gone.bytes,
            });
        }
    }

    fn visit(&mut self, folder: &Folder<'_>) {
        let path = self.shown(folder.relative);
        let entries = std::fs::read_dir(&path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries: Vec<DirEntry> = match entries {
            Ok(entries) => entries,
            Err(error) => {
                let hint =
                    "make it readable, or let `files:` in the header or a .gitignore leave it out";
                let message = format!("cannot be read: {error}");
                return self.refuse(folder.relative, true, message, hint);
            }
        };
        let at = folder.above.last().map_or(path.as_path(), PathBuf::as_path);
        let own = match rules_of(at) {
            Ok(own) => own,
            Err((path, message)) => return self.refuse_rules(folder.relative, &path, message),
        };
        let rules = match &own {
            Some(own) => folder.rules.with(own),
            None => folder.rules.same(),
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
        let counts = is_folder || format.is_some();
        if text.starts_with('.') {
            if counts {
                self.leave_out(&relative, is_folder, "hidden");
            }
            return;
        }
        if let Some(rule) = folder
            .rules
            .matching(&at.join(&name), is_folder && !is_link)
        {
            if counts && self.tracked.contains_key(&relative) {
                return self.refuse_ignored(&relative, is_folder, &rule);
            }
            if is_folder {
                self.ignored.push((relative.clone(), rule.clone()));
            }
            if counts {
                self.leave_out(&relative, is_folder, format!("ignored by {rule}"));
            }
            return;
        }
        match known {
            Ok(known) if known.is_dir() && is_link => self.follow(&relative, &path, folder),
            Ok(known) if known.is_dir() => {
                let own = path.join(".git").symlink_metadata().is_ok();
                self.step(&relative, at.join(&name), folder, own);
            }
            Ok(known) => self.file(
                &path,
                &relative,
                format,
                &known,
                is_link || folder.is_linked,
            ),
            Err(error) if is_link => {
                // One with another ending would be no part of the manifest, wherever it led.
                if format.is_some() || Path::new(&name).extension().is_none() {
                    let target = path.read_link().unwrap_or_default();
                    let message = format!(
                        "is a link to {}, which cannot be followed: {error}",
                        target.display()
                    );
                    let hint = "restore what it leads to, or delete the link";
                    self.refuse(&relative, format.is_none(), message, hint);
                }
            }
            // It was deleted a moment ago.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.refuse(
                    &relative,
                    format.is_none(),
                    message,
                    "check its permissions",
                );
            }
        }
    }

    fn refuse_ignored(&mut self, relative: &str, is_folder: bool, rule: &str) {
        let message = format!("is tracked by git, and {rule} ignores it");
        let hint = "take that line out of the .gitignore; or, to have its labels deleted from the app, remove the file with \
             `git rm --cached` and commit that";
        self.refuse(relative, is_folder, message, hint);
    }

    /// Goes into a folder. One that is a repository of its own has its own rules and its own index.
    fn step(
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
            self.take_index(relative);
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
                return self.refuse(
                    relative,
                    true,
                    message,
                    "restore what it leads to, or delete the link",
                );
            }
        };
        let is_inside = canonical.starts_with(&self.canonical);
        if !is_inside && self.reach == Reach::Folder {
            let message = "is a link to a folder outside the manifest's folder";
            return self.refuse(relative, true, message, OUTSIDE);
        }
        if folder.above.contains(&canonical) {
            return self.leave_out(relative, true, "a link to a folder above it");
        }
        let visits = self.visits.entry(canonical.clone()).or_default();
        *visits += 1;
        if *visits > MOST_VISITS {
            let message = format!("is a folder that more than {MOST_VISITS} links lead to");
            return self.refuse(
                relative,
                true,
                message,
                "name it by one path, and delete the other links",
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
                self.refuse(relative, true, message, hint);
            }
            return;
        };
        if relative.contains(char::REPLACEMENT_CHARACTER) && path.to_str().is_none() {
            let message = "has a path that is not valid UTF-8, and could not be told from others";
            return self.refuse(relative, false, message, "rename it");
        }
        if !known.is_file() {
            let message = format!("is {}, not a file", kind_of(known.file_type()));
            return self.refuse(
                relative,
                false,
                message,
                "delete it, or let `files:` in the header leave it out",
            );
        }
        self.seen.insert(relative.to_owned());
        if is_output(path, format) {
            return self.leave_out(
                relative,
                false,
                "written by annosync: a plan, a listing or a log",
            );
        }
        self.found.files.push(Candidate {
            shown: path.to_owned(),
            relative: relative.to_owned(),
            format,
            is_linked,
            stamp: Stamp::of(known),
        });
    }

    /// Holds what was found to what git tracks.
    fn hold_to_index(&mut self) {
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
                let files = &self.found.files;
                if files.iter().any(|file| is_below(&file.relative, path)) {
                    let why = format!(
                        "the submodule {path} is not at the commit that the repository records"
                    );
                    self.found.unproven.get_or_insert(why);
                }
            } else if matches!(kind, TrackedKind::Submodule | TrackedKind::MovedSubmodule) {
                if self.repositories.contains(path) || self.is_behind_an_obstacle(path) {
                    continue;
                }
                let message = "is a submodule that is not checked out";
                let hint = "run `git submodule update --init` (in CI: check out with submodules), or let `files:` in the \
                     header leave it out";
                self.refuse(path, true, message, hint);
            } else if Format::of(Path::new(path)).is_some() && is_there {
                let ignored = self
                    .ignored
                    .iter()
                    .find(|(folder, _)| is_below(path, folder));
                if let Some((_, rule)) = ignored.cloned() {
                    self.refuse_ignored(path, false, &rule);
                } else if !self.is_behind_an_obstacle(path)
                    && let Some(other) = by_case.get(&path.to_lowercase())
                    && names.contains(other.as_str())
                {
                    let message =
                        format!("is the same file as {other} on this disk, and git tracks both");
                    self.refuse(
                        path,
                        false,
                        message,
                        "give one of them another name with `git mv`",
                    );
                }
            }
        }
        self.gone_behind_links();
        self.found.gone.retain(|gone| {
            let file = self.root.join(&gone.relative);
            let is_gone = match Format::of(&file) {
                Some(_) => Tracked::is_gone(&file),
                // A link to a folder.
                None => file.symlink_metadata().is_err(),
            };
            !is_hidden(&gone.relative) && is_gone
        });
    }

    /// A file that is gone from a folder is gone as well by every link to that folder, which `files:` may name alone.
    fn gone_behind_links(&mut self) {
        let mut more = Vec::new();
        for (link, target) in &self.links {
            for gone in &self.found.gone {
                let rest = gone.relative.strip_prefix(target.as_str());
                if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
                    let relative = format!("{link}{rest}");
                    more.push(Gone {
                        shown: self.shown(&relative),
                        relative,
                        ..gone.clone()
                    });
                }
            }
        }
        self.found.gone.append(&mut more);
    }

    fn is_behind_an_obstacle(&self, path: &str) -> bool {
        let mut folders = self.found.obstacles.iter().filter(|it| it.is_folder);
        folders.any(|it| it.relative.is_empty() || is_below(path, &it.relative))
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

pub(super) fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| part.starts_with('.'))
}
