//! Ignore rules: the `.gitignore` files of the repository that a manifest lies in, as far as they say something about it.
//!
//! An outer repository has no say: one that holds the manifest's repository, and one that ignores the manifest's folder
//! as a whole. What git ignores on this machine alone (`.git/info/exclude`, `core.excludesFile`) must not change what a
//! manifest is, and is not read.

use super::source::{Pipes, Unreadable, kind_of, read_bytes};
use crate::model::{TextKind, decode_text};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Bytes and patterns that an ignore file may have: more take longer than the manifest.
const LARGEST: u64 = 1 << 20;
const MOST_PATTERNS: usize = 10_000;

/// An ignore file that cannot be used, and why.
pub(super) type BadRules = (PathBuf, String);

/// The rules of a folder and of those above it.
#[derive(Debug)]
pub(super) struct Rules<'r> {
    matcher: Option<&'r Gitignore>,
    above: Option<&'r Rules<'r>>,
}

impl<'r> Rules<'r> {
    pub(super) fn none() -> Self {
        Self {
            matcher: None,
            above: None,
        }
    }

    pub(super) fn with(&'r self, matcher: &'r Gitignore) -> Self {
        Self {
            matcher: Some(matcher),
            above: Some(self),
        }
    }

    pub(super) fn same(&'r self) -> Self {
        Self {
            matcher: None,
            above: Some(self),
        }
    }

    /// The rule that ignores a path, if one does: the nearest rule that matches decides.
    pub(super) fn matching(&self, path: &Path, is_folder: bool) -> Option<String> {
        let mut rules = Some(self);
        while let Some(these) = rules {
            if let Some(matcher) = these.matcher {
                match matcher.matched(path, is_folder) {
                    Match::Ignore(glob) => {
                        return Some(format!("`{}` in a .gitignore", glob.original()));
                    }
                    Match::Whitelist(_) => return None,
                    Match::None => {}
                }
            }
            rules = these.above;
        }
        None
    }
}

/// The matchers of the folders above, from the top of the repository down; none outside a repository.
pub(super) fn rules_above(folder: &Path) -> Result<Vec<Gitignore>, BadRules> {
    let is_top = |folder: &Path| folder.join(".git").symlink_metadata().is_ok();
    let mut above: Vec<&Path> = Vec::new();
    let mut is_in_repository = is_top(folder);
    for one in folder.ancestors().skip(1) {
        if is_in_repository {
            break;
        }
        above.push(one);
        is_in_repository = is_top(one);
    }
    if !is_in_repository {
        return Ok(Vec::new());
    }
    above.reverse();
    let mut matchers = Vec::new();
    for (depth, one) in above.iter().enumerate() {
        matchers.extend(rules_of(one)?);
        let below = above.get(depth + 1).copied().unwrap_or(folder);
        if is_ignored(&matchers, below) {
            return Ok(Vec::new());
        }
    }
    Ok(matchers)
}

fn is_ignored(matchers: &[Gitignore], folder: &Path) -> bool {
    ignoring(matchers.iter().rev(), folder, true).is_some()
}

/// The matcher and the rule that ignore a path; the nearest comes first.
fn ignoring<'m>(
    matchers: impl Iterator<Item = &'m Gitignore>,
    path: &Path,
    is_folder: bool,
) -> Option<(&'m Gitignore, String)> {
    for matcher in matchers {
        match matcher.matched(path, is_folder) {
            Match::Ignore(glob) => return Some((matcher, glob.original().to_owned())),
            Match::Whitelist(_) => return None,
            Match::None => {}
        }
    }
    None
}

/// The rules for files of a folder that are not there yet.
pub(super) struct Ahead<'f> {
    /// As the user knows it.
    shown: &'f Path,
    folder: PathBuf,
    /// Of the folders above it.
    above: Result<Vec<Rc<Gitignore>>, BadRules>,
    /// Of the folder itself and of those below, as far as they were asked for.
    own: HashMap<PathBuf, Result<Option<Rc<Gitignore>>, BadRules>>,
}

impl<'f> Ahead<'f> {
    pub(super) fn new(shown: &'f Path) -> Self {
        let folder = canonical(shown);
        let above = rules_above(&folder);
        Self {
            shown,
            folder,
            above: above.map(|all| all.into_iter().map(Rc::new).collect()),
            own: HashMap::new(),
        }
    }

    /// Why a file would be left out, by its path below the folder.
    pub(super) fn why(&mut self, relative: &str) -> Option<String> {
        self.ignored(relative).unwrap_or_else(|(path, message)| {
            Some(format!("{} {message}", self.named(&path).display()))
        })
    }

    fn ignored(&mut self, relative: &str) -> Result<Option<String>, BadRules> {
        let mut rules = self.above.clone()?;
        let mut at = self.folder.clone();
        let mut parts = relative.split('/').peekable();
        while let Some(part) = parts.next() {
            rules.extend(self.own(&at)?);
            let path = at.join(part);
            // Of a link to a folder git knows no more than that it is a link.
            let is_link = path
                .symlink_metadata()
                .is_ok_and(|known| known.is_symlink());
            let is_folder = parts.peek().is_some() && !is_link;
            let nearest_first = rules.iter().rev().map(Rc::as_ref);
            if let Some((matcher, rule)) = ignoring(nearest_first, &path, is_folder) {
                let file = self.named(&matcher.path().join(".gitignore"));
                return Ok(Some(format!("ignored by `{rule}` in {}", file.display())));
            }
            at = if is_link { canonical(&path) } else { path };
            if !at.starts_with(&self.folder) || at.join(".git").symlink_metadata().is_ok() {
                rules.clear();
            }
        }
        Ok(None)
    }

    fn own(&mut self, folder: &Path) -> Result<Option<Rc<Gitignore>>, BadRules> {
        if let Some(known) = self.own.get(folder) {
            return known.clone();
        }
        let own = rules_of(folder).map(|rules| rules.map(Rc::new));
        self.own.insert(folder.to_owned(), own.clone());
        own
    }

    /// A path as the user knows it.
    fn named(&self, path: &Path) -> PathBuf {
        let shown = match path.strip_prefix(&self.folder) {
            Ok(below) => self.shown.join(below),
            Err(_) => path.to_owned(),
        };
        shown
            .strip_prefix(".")
            .map_or(shown.clone(), Path::to_owned)
    }
}

/// The path without links, as far as it is there.
fn canonical(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = whole.ancestors().find_map(|above| {
        let rest = whole.strip_prefix(above).ok()?;
        let above = above.canonicalize().ok()?;
        Some(if rest.as_os_str().is_empty() {
            above
        } else {
            above.join(rest)
        })
    });
    there.unwrap_or(whole)
}

/// The rules of a folder's own ignore file, if it has one.
pub(super) fn rules_of(folder: &Path) -> Result<Option<Gitignore>, BadRules> {
    let path = folder.join(".gitignore");
    let bad = |message: String| (path.clone(), message);
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(bad(format!("cannot be read: {error}"))),
        Ok(known) if known.is_symlink() => {
            return Err(bad("is a link, which git does not read either".to_owned()));
        }
        Ok(known) if !known.is_file() => {
            let kind = kind_of(known.file_type());
            return Err(bad(format!("is {kind}, not a file")));
        }
        Ok(_) => {}
    }
    let bytes = read_bytes(&path, LARGEST, Pipes::Refuse)
        .map_err(|error: Unreadable| bad(error.to_string()))?;
    let text = decode_text(bytes, TextKind::Structured).map_err(|error| {
        let (line, _) = error.line_and_column();
        bad(format!("cannot be used: {} in line {line}", error.fault))
    })?;
    let patterns = || {
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    if patterns().nth(MOST_PATTERNS).is_some() {
        return Err(bad(format!("has more than {MOST_PATTERNS} patterns")));
    }
    let mut builder = GitignoreBuilder::new(folder);
    for line in patterns() {
        // One that is not a pattern matches nothing, as in git.
        let _ = builder.add_line(None, line);
    }
    builder
        .build()
        .map(Some)
        .map_err(|error| bad(format!("cannot be used: {error}")))
}
