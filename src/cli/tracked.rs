//! The files that git tracks in a manifest's folder, from the index and HEAD, so that a missing label file is noticed.
//!
//! Outside a repository, only the disk counts.

use super::git::{git, named_repository};
use crate::manifest::{Format, MissingTracked, Tracked, TrackedKind};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Up to this many missing files are read from git; more are only listed.
const MAX_READ: usize = 1_000;

/// The files that git tracks in a folder; `None` outside a repository, `Err` if git fails.
pub(crate) fn tracked(folder: &Path) -> Result<Option<Tracked>, String> {
    let listed = match ask(folder, &["ls-files", "-z", "-s", "-t", "--", "."], &[]) {
        Ok(listed) => listed,
        Err(message) => {
            let Some(message) = message.or_else(|| unusable_repository(folder)) else {
                return Ok(None);
            };
            return Err(git_error(folder, &message));
        }
    };
    if let Some(top) = other_work_tree(folder) {
        return Err(git_error(folder, &format!("its work tree is {top}")));
    }
    let mut tracked = Tracked::default();
    // Missing files, with the object names by which git can read them.
    let mut gone: BTreeMap<String, (bool, Option<String>)> = BTreeMap::new();
    for entry in listed.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        let Some((about, path)) = entry.split_once('\t') else {
            continue;
        };
        let mut about = about.split(' ');
        let mut next = || about.next().unwrap_or_default();
        let (tag, mode, object) = (next(), next(), next());
        let kind = match mode {
            "120000" => TrackedKind::Link,
            "160000" if is_at(&folder.join(path), object) => TrackedKind::Submodule,
            "160000" => TrackedKind::MovedSubmodule,
            _ => TrackedKind::File,
        };
        let may_be_folder = kind == TrackedKind::Link && Path::new(path).extension().is_none();
        let on_disk = folder.join(path);
        let is_gone = (Format::of(Path::new(path)).is_some() && Tracked::is_missing(&on_disk))
            || (may_be_folder && on_disk.symlink_metadata().is_err());
        if is_gone {
            // Git stores only the target of a link, not what was declared there.
            let name = (kind != TrackedKind::Link).then(|| format!(":./{path}"));
            gone.insert(path.to_owned(), (tag == "S", name));
        }
        tracked.files.push((path.to_owned(), kind));
    }
    // A repository without a commit has no HEAD.
    let head = [
        "diff-index",
        "-z",
        "--name-only",
        "--relative",
        "--no-renames",
        "--diff-filter=D",
        "HEAD",
        "--",
        ".",
    ];
    let deleted = match ask(folder, &head, &[]) {
        Ok(deleted) => deleted,
        Err(message) if has_head(folder) => {
            return Err(git_error(folder, &message.unwrap_or_default()));
        }
        Err(_) => Vec::new(),
    };
    for path in deleted.split(|byte| *byte == 0) {
        let path = String::from_utf8_lossy(path).into_owned();
        if Format::of(Path::new(&path)).is_none() {
            continue;
        }
        if Tracked::is_missing(&folder.join(&path)) {
            let name = format!("HEAD:./{path}");
            gone.entry(path).or_insert((false, Some(name)));
        } else {
            // It was removed from the index without a commit.
            tracked.files.push((path, TrackedKind::File));
        }
    }
    let names: Vec<&str> = gone
        .values()
        .filter_map(|(_, name)| name.as_deref())
        .collect();
    let mut contents = contents(folder, &names).into_iter();
    tracked.missing = gone
        .into_iter()
        .map(|(path, (is_sparse, name))| MissingTracked {
            path,
            is_sparse,
            bytes: name.and_then(|_| contents.next().flatten()),
        })
        .collect();
    Ok(Some(tracked))
}

/// Whether a submodule is checked out at the commit that its repository records.
fn is_at(submodule: &Path, commit: &str) -> bool {
    let head = ask(submodule, &["rev-parse", "HEAD"], &[]);
    head.is_ok_and(|head| String::from_utf8_lossy(&head).trim_end() == commit)
}

fn git_error(folder: &Path, why: &str) -> String {
    format!(
        "git cannot say which files of {} it tracks: {why}",
        folder.display()
    )
}

/// Whether HEAD names a commit; `false` in a repository without commits.
fn has_head(folder: &Path) -> bool {
    ask(folder, &["rev-parse", "--verify", "--quiet", "HEAD"], &[]).is_ok()
}

/// The work tree of the repository, if the folder is outside it (`core.worktree`): git lists none of its files then.
fn other_work_tree(folder: &Path) -> Option<String> {
    let top = ask(folder, &["rev-parse", "--show-toplevel"], &[]).ok()?;
    let top = String::from_utf8_lossy(&top).trim_end().to_owned();
    let is_inside = folder
        .canonicalize()
        .ok()?
        .starts_with(Path::new(&top).canonicalize().ok()?);
    (!is_inside).then_some(top)
}

/// Why git finds no repository although the folder is in one: git is not installed, or does not accept the repository.
fn unusable_repository(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let is_repository = |place: &Path| {
        // A `.git` file points to a repository elsewhere.
        let git = place.join(".git");
        git.is_file() || git.join("HEAD").exists()
    };
    let top = folder.ancestors().find(|place| is_repository(place))?;
    let shown = top.join(".git").display().to_string();
    Some(match git().arg("--version").output() {
        Ok(_) => format!("it does not accept {shown} as a repository"),
        Err(error) => format!("it cannot be run ({error}), and {shown} is there"),
    })
}

/// The contents of these objects in order; `None` for unreadable ones.
fn contents(folder: &Path, names: &[&str]) -> Vec<Option<Vec<u8>>> {
    if names.is_empty() || names.len() > MAX_READ || names.iter().any(|name| name.contains('\n')) {
        return Vec::new();
    }
    let mut input = names.join("\n");
    input.push('\n');
    let output = ask(folder, &["cat-file", "--batch"], input.as_bytes()).unwrap_or_default();
    let mut rest = output.as_slice();
    let mut contents = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let mut about = head.rsplit(' ');
        let size = about.next().and_then(|size| size.parse::<usize>().ok());
        match (size, about.next()) {
            (Some(size), Some("blob")) if rest.len() > size => {
                contents.push(Some(rest[..size].to_owned()));
                rest = &rest[size + 1..];
            }
            _ => contents.push(None),
        }
    }
    contents
}

/// Runs git in a folder. `Err(None)` if there is no git or no repository; otherwise `Err` holds the error message.
fn ask(folder: &Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, Option<String>> {
    let run = |mut git: Command| -> Result<Vec<u8>, Option<String>> {
        git.arg("-C").arg(folder).args(arguments);
        // English messages are matched below; a partial clone fetches nothing.
        git.env("LC_ALL", "C").env("GIT_NO_LAZY_FETCH", "1");
        git.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = git.spawn().map_err(|_| None)?;
        let pipe = child.stdin.take();
        let ended = std::thread::scope(|scope| {
            scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(input)));
            child.wait_with_output()
        });
        let ended = ended.map_err(|error| Some(error.to_string()))?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        let message = String::from_utf8_lossy(&ended.stderr);
        let message = message.lines().next().unwrap_or_default();
        let is_no_repository = message.contains("not a git repository");
        Err((!is_no_repository).then(|| message.to_owned()))
    };
    match (run(git()), named_repository()) {
        // A repository outside its work tree is found only through variables.
        (Err(None), Some(named)) => {
            let mut git = git();
            git.envs(named);
            run(git)
        }
        (answer, _) => answer,
    }
}
