//! Ignore rules: the `.gitignore` files of the manifest's repository that apply to its folder.
//!
//! Not read are those of an outer repository (one around the manifest's repository, or one that ignores the manifest's
//! folder as a whole), and rules of this machine (`.git/info/exclude`, `core.excludesFile`): they must not change a
//! manifest.

use super::source::{Pipes, Unreadable, kind_of, read_bytes};
use crate::model::{TextKind, decode_text};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Limits for an ignore file, in bytes and in patterns: more would take longer than the manifest.
const MAX_BYTES: u64 = 1 << 20;
const MAX_PATTERNS: usize = 10_000;

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

    pub(super) fn without_own(&'r self) -> Self {
        Self {
            matcher: None,
            above: Some(self),
        }
    }

    /// The rule that ignores a path, if any. The nearest rule that matches decides.
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

/// The matchers of the folders above, from the top of the repository down. Empty outside a repository.
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

/// The matcher and the rule that ignore a path. `matchers` begin with the nearest.
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

/// The rules for files that are not written yet.
pub(super) struct FutureRules<'f> {
    /// As the user gave it.
    shown: &'f Path,
    folder: PathBuf,
    /// Rules of the folders above it.
    above: Result<Vec<Rc<Gitignore>>, BadRules>,
    /// Rules of the folder itself and of those below, as far as they were needed.
    own: HashMap<PathBuf, Result<Option<Rc<Gitignore>>, BadRules>>,
}

impl<'f> FutureRules<'f> {
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

    /// Why a file would be left out; `None` if it would not. `relative` is its path below the folder.
    pub(super) fn reason(&mut self, relative: &str) -> Option<String> {
        self.ignored(relative).unwrap_or_else(|(path, message)| {
            Some(format!("{} {message}", self.shown_path(&path).display()))
        })
    }

    fn ignored(&mut self, relative: &str) -> Result<Option<String>, BadRules> {
        let mut rules = self.above.clone()?;
        let mut at = self.folder.clone();
        let mut parts = relative.split('/').peekable();
        while let Some(part) = parts.next() {
            rules.extend(self.own(&at)?);
            let path = at.join(part);
            // For git, a link to a folder is not a folder.
            let is_link = path
                .symlink_metadata()
                .is_ok_and(|known| known.is_symlink());
            let is_folder = parts.peek().is_some() && !is_link;
            let nearest_first = rules.iter().rev().map(Rc::as_ref);
            if let Some((matcher, rule)) = ignoring(nearest_first, &path, is_folder) {
                let file = self.shown_path(&matcher.path().join(".gitignore"));
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

    fn shown_path(&self, path: &Path) -> PathBuf {
        let shown = match path.strip_prefix(&self.folder) {
            Ok(below) => self.shown.join(below),
            Err(_) => path.to_owned(),
        };
        shown
            .strip_prefix(".")
            .map_or(shown.clone(), Path::to_owned)
    }
}

/// The path without links, as far as it exists.
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
    let bytes = read_bytes(&path, MAX_BYTES, Pipes::Refuse)
        .map_err(|error: Unreadable| bad(error.to_string()))?;
    let text = decode_text(bytes, TextKind::Structured).map_err(|error| {
        let (line, _) = error.line_and_column();
        bad(format!("cannot be used: {} in line {line}", error.fault))
    })?;
    let patterns = || {
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    if patterns().nth(MAX_PATTERNS).is_some() {
        return Err(bad(format!("has more than {MAX_PATTERNS} patterns")));
    }
    let mut builder = GitignoreBuilder::new(folder);
    for line in patterns() {
        // An invalid pattern matches nothing, as in git.
        let _ = builder.add_line(None, line);
    }
    builder
        .build()
        .map(Some)
        .map_err(|error| bad(format!("cannot be used: {error}")))
}
