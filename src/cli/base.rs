//! A manifest at a git revision.
//!
//! It is read with the `git` program, not with a library, so that filters, attributes and partial clones give what a
//! checkout of that revision gives. The files go to a temporary folder with its own index; the user's index and work
//! tree are not touched.
//!
//! Most repositories hold many images that the manifest does not need. So the manifest's own files are checked out
//! first, then other files in its folder, and photos and videos last, until the manifest loads. Files of
//! submodules are not part of a revision and are not read.

use super::exit::Failure;
use super::git::{git, named_repository, run, utf8};
use super::output;
use super::validate::{Files, problem_text};
use crate::manifest::{self, FileAccess, Format, Manifest, Overlay, Problems, no_index};
use crate::plan::Base;
use crate::render::escape;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The manifest of a base revision.
#[derive(Debug)]
pub(crate) struct BaseManifest {
    pub(crate) manifest: Manifest,
    pub(crate) base: Base,
}

/// Extensions of files that manifests rarely name.
const PICTURES: [&str; 14] = [
    "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "heic", "mp4", "mov", "avi", "mkv", "webm",
    "zip",
];

/// Reads the manifest at `path` as of `revision`.
pub(crate) fn load(revision: &str, path: &Path, files: Files) -> Result<BaseManifest, Failure> {
    let (folder, file) = if path.is_dir() {
        (path, None)
    } else {
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        (folder.unwrap_or(Path::new(".")), path.file_name())
    };
    let repository = Repository::of(folder)?;
    let commit = repository.commit(revision)?;
    let tree = Tree::list(&repository, &commit, files.access())?;
    let root = temporary(&repository)?;
    let place = root.path().join(&repository.prefix);
    let place = file.map_or(place.clone(), |file| place.join(file));
    let mut problems = None;
    for kind in [Kind::Manifest, Kind::Named, Kind::Picture] {
        if !tree.check_out(&repository, kind, &root)? && problems.is_some() {
            continue;
        }
        if kind == Kind::Manifest && !manifest::has_header(&place) {
            return Err(repository.no_manifest(revision, file));
        }
        let overlay = Overlay::new();
        match manifest::load_shard(&place, &overlay, files.access(), &no_index, files.shard()) {
            Ok(manifest) => {
                let base = Base {
                    revision: revision.to_owned(),
                    commit,
                    manifest_hash: manifest.hash.clone(),
                };
                return Ok(BaseManifest { manifest, base });
            }
            Err(found) => problems = Some(found),
        }
    }
    Err(refused(revision, problems, &root))
}

/// The files at `path` as of `revision`, in a temporary folder.
#[derive(Debug)]
pub(crate) struct CheckedOut {
    root: TempDir,
    /// The file or folder.
    pub(crate) place: PathBuf,
}

impl CheckedOut {
    /// The text with paths in the repository, as git writes them: `REV:path`.
    pub(crate) fn named(&self, revision: &str, text: &str) -> String {
        let top = self.root.path().display().to_string();
        let shown = format!("{}:", escape(revision));
        text.replace(&format!("{top}/"), &shown)
            .replace(&top, &shown)
    }
}

/// Writes the files at `path` as of `revision` to a temporary folder.
pub(crate) fn check_out(revision: &str, path: &Path) -> Result<CheckedOut, Failure> {
    let folder = path.ancestors().find(|it| it.is_dir());
    let folder = folder.filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let below = path.strip_prefix(folder).unwrap_or(path);
    let repository = Repository::of(folder)?;
    let commit = repository.commit(revision)?;
    let tree = Tree::list(&repository, &commit, FileAccess::Folder)?;
    let root = temporary(&repository)?;
    for kind in [Kind::Manifest, Kind::Named, Kind::Picture] {
        tree.check_out(&repository, kind, &root)?;
    }
    let place = root.path().join(&repository.prefix).join(below);
    if !place.exists() {
        let place = Path::new(&repository.prefix).join(below);
        return Err(
            Failure::new(format!("revision {revision} has no {}", place.display()))
                .hint("name a path of that revision: git:REV:PATH"),
        );
    }
    Ok(CheckedOut { root, place })
}

fn temporary(repository: &Repository) -> Result<TempDir, Failure> {
    tempfile::tempdir()
        .and_then(|root| {
            // The folder `.git` marks the top of the repository, up to which ignore files count.
            std::fs::create_dir(root.path().join(".git"))?;
            std::fs::create_dir_all(root.path().join(&repository.prefix))?;
            Ok(root)
        })
        .map_err(|error| Failure::new(format!("cannot create a temporary folder: {error}")))
}

/// Prints the problems with the paths in the repository as git writes them: `REV:path`.
fn refused(revision: &str, problems: Option<Problems>, root: &TempDir) -> Failure {
    let count = problems.as_ref().map_or(0, Problems::len);
    if let Some(problems) = problems {
        let text = problem_text(&problems);
        let top = root.path().display().to_string();
        let shown = format!("{}:", escape(revision));
        output::styled_message(
            &text
                .replace(&format!("{top}/"), &shown)
                .replace(&top, &shown),
        );
    }
    let count = match count {
        1 => "a problem".to_owned(),
        count => format!("{count} problems"),
    };
    Failure::new(format!("the manifest at revision {revision} has {count}"))
        .hint("name a revision that was applied, or plan without --base")
}

/// The repository of a manifest.
struct Repository {
    git_dir: PathBuf,
    /// The manifest's folder relative to the top, ending with `/`; empty at the top.
    prefix: String,
}

impl Repository {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let discover = |command: &mut Command| {
            command
                .current_dir(folder)
                .args(["rev-parse", "--absolute-git-dir", "--show-prefix"]);
            run(command, None)
        };
        let mut found = discover(&mut git());
        // A repository outside its work tree is found only through variables.
        if found.is_err()
            && let Some(named) = named_repository()
        {
            found = discover(git().envs(named));
        }
        let found = found.map_err(|failure| {
            failure.hint("an earlier revision is read from the git repository of the manifest")
        })?;
        let text = utf8(found)?;
        let mut lines = text.lines();
        let git_dir = PathBuf::from(lines.next().unwrap_or_default());
        let prefix = lines.next().unwrap_or_default().to_owned();
        Ok(Self { git_dir, prefix })
    }

    /// `git` for this repository, independent of the current folder.
    fn git(&self) -> Command {
        let mut git = git();
        git.arg("--git-dir").arg(&self.git_dir);
        git
    }

    /// Resolves a revision to a commit id.
    fn commit(&self, revision: &str) -> Result<String, Failure> {
        let mut verify = self.git();
        verify.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
        verify.arg(format!("{revision}^{{commit}}"));
        let found = run(&mut verify, None).ok().and_then(|it| utf8(it).ok());
        let commit = found.as_deref().map(str::trim).unwrap_or_default();
        let is_id = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && !revision.is_empty() {
            return Ok(commit.to_owned());
        }
        let failure = Failure::new(format!(
            "there is no commit {revision:?} in this repository"
        ));
        let mut shallow = self.git();
        shallow.args(["rev-parse", "--is-shallow-repository"]);
        let is_shallow = run(&mut shallow, None).is_ok_and(|it| it.starts_with(b"true"));
        Err(failure.hint(if is_shallow {
            "this clone has only part of the history: fetch the rest (actions/checkout: `fetch-depth: 0`; GitLab: \
             `GIT_DEPTH: 0`; else `git fetch --unshallow`)"
        } else {
            "name a branch, tag or commit that exists here; `git fetch` gets those of the server"
        }))
    }

    fn no_manifest(&self, revision: &str, file: Option<&OsStr>) -> Failure {
        let mut place = PathBuf::from(&self.prefix);
        place.extend(file);
        let place = match place.to_string_lossy() {
            top if top.is_empty() => "the top of the repository".to_owned(),
            place => place.into_owned(),
        };
        Failure::new(format!("revision {revision} has no manifest at {place}"))
            .hint("if nothing was applied yet, plan without --base; else name a later revision")
    }
}

/// Groups of files, in the order in which they are checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Files of a manifest, and files that select these.
    Manifest,
    /// Other files that a manifest may name.
    Named,
    /// Files that a manifest rarely names.
    Picture,
}

/// The files of a revision, as index entries.
struct Tree {
    entries: Vec<(Kind, Vec<u8>)>,
}

impl Tree {
    fn list(repository: &Repository, commit: &str, access: FileAccess) -> Result<Self, Failure> {
        let list = |paths: &[String]| {
            let mut list = repository.git();
            list.args(["ls-tree", "-r", "-z", "--full-tree", commit, "--"])
                .args(paths);
            run(&mut list, None)
        };
        let mut paths = Vec::new();
        if !repository.prefix.is_empty() && access == FileAccess::Folder {
            // Ignore and attribute files in parent folders apply too.
            let mut above = "";
            for part in repository.prefix.split_inclusive('/') {
                paths.extend([".gitignore", ".gitattributes"].map(|name| format!("{above}{name}")));
                above = &repository.prefix[..above.len() + part.len()];
            }
            paths.push(repository.prefix.clone());
        }
        let mut tree = Self::read(&list(&paths)?);
        let is_link = |(_, entry): &(Kind, Vec<u8>)| entry.starts_with(b"120000 ");
        if tree.entries.iter().any(is_link) {
            // A link may point anywhere in the repository, and a broken one would be skipped silently.
            tree = Self::read(&list(&[])?);
            for (kind, _) in &mut tree.entries {
                *kind = Kind::Manifest;
            }
        }
        Ok(tree)
    }

    fn read(listed: &[u8]) -> Self {
        let entries = listed.split(|byte| *byte == 0).filter_map(|entry| {
            let tab = entry.iter().position(|byte| *byte == b'\t')?;
            // Submodules are listed as commits.
            let is_file = entry[..tab].windows(6).any(|it| it == b" blob ");
            is_file.then(|| (kind_of(&entry[tab + 1..]), entry.to_owned()))
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Writes the files of a kind below `root`. `false` if there are none.
    fn check_out(
        &self,
        repository: &Repository,
        kind: Kind,
        root: &TempDir,
    ) -> Result<bool, Failure> {
        let mut listed = Vec::new();
        for (_, entry) in self.entries.iter().filter(|(its, _)| *its == kind) {
            listed.extend_from_slice(entry);
            listed.push(0);
        }
        if listed.is_empty() {
            return Ok(false);
        }
        let git = |arguments: &[&str], input: Option<&[u8]>| {
            let mut git = repository.git();
            git.arg("--work-tree")
                .arg(root.path())
                .args(arguments)
                .env(
                    "GIT_INDEX_FILE",
                    root.path().join(".git").join(format!("{kind:?}")),
                )
                .current_dir(root.path());
            run(&mut git, input)
        };
        git(&["update-index", "-z", "--index-info"], Some(&listed))?;
        git(&["checkout-index", "--all", "--quiet"], None)?;
        Ok(true)
    }
}

fn kind_of(path: &[u8]) -> Kind {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let extension = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let is = |known: &str| extension.eq_ignore_ascii_case(known.as_bytes());
    let is_label_file = Format::of(Path::new(&*String::from_utf8_lossy(name))).is_some();
    if is_label_file || ["gitignore", "gitattributes"].into_iter().any(is) {
        Kind::Manifest
    } else if PICTURES.into_iter().any(is) {
        Kind::Picture
    } else {
        Kind::Named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_grouped_by_extension() {
        for (path, kind) in [
            ("labels/a.yaml", Kind::Manifest),
            ("a.jsonl", Kind::Manifest),
            ("labels/.gitignore", Kind::Manifest),
            (".gitattributes", Kind::Manifest),
            ("masks/m.png", Kind::Named),
            ("texts/yaml", Kind::Named),
            ("texts/a.txt", Kind::Named),
            ("a.yaml/b", Kind::Named),
            ("images/A.JPG", Kind::Picture),
            ("drive.mp4", Kind::Picture),
        ] {
            assert_eq!(kind_of(path.as_bytes()), kind, "{path}");
        }
    }
}
