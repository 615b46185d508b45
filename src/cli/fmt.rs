//! `fmt`: writes label files in the form that a pull writes. What that form is, `pull/canonical.rs` decides.

use super::exit::{Exit, Failure};
use super::{input, label_files, output, validate};
use crate::manifest::{self, Format, HEADER_FILES, Manifest, Overlay};
use crate::pull::{self, FileChange, NotFormatted};
use crate::render::counted;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How many files of a kind are listed in messages.
const MAX_LISTED: usize = 10;

/// Write label files in the form that pull writes, and keep their comments
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A manifest (a folder, or the file with the header): all its files. Or label files, or folders of them: only these;
    /// files that belong to no manifest are skipped. A file that cannot be formatted is left as it is, and the exit code
    /// is 5; one with YAML anchors, aliases or tags is left without that
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Write nothing; list the files that would change, and exit with 1 if there are any, or if one cannot be formatted
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    files: validate::Files,
}

/// The files of a manifest to format.
#[derive(Debug, Default)]
struct Chosen {
    /// Whether the whole manifest is.
    all: bool,
    /// Files and folders, without links.
    paths: BTreeSet<PathBuf>,
}

impl Chosen {
    fn includes(&self, file: &Path) -> bool {
        self.all || {
            let file = real(file);
            file.ancestors().any(|above| self.paths.contains(above))
        }
    }
}

/// The result for all manifests.
#[derive(Debug, Default)]
struct Found {
    files: Vec<FileChange>,
    left: Vec<(PathBuf, NotFormatted)>,
    right: u64,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut manifests: BTreeMap<PathBuf, Chosen> = BTreeMap::new();
    let mut skipped: Vec<&Path> = Vec::new();
    for path in &args.paths {
        match place(path, args.paths.len() == 1)? {
            Some((manifest, None)) => manifests.entry(manifest).or_default().all = true,
            Some((manifest, Some(part))) => {
                manifests.entry(manifest).or_default().paths.insert(part);
            }
            None => skipped.push(path),
        }
    }
    let mut found = Found::default();
    for (path, chosen) in &manifests {
        let manifest = validate::load(path, args.files)?;
        format(path, &manifest, chosen, args.files, &mut found)?;
        skipped.extend(outside(args, &manifest, chosen));
    }
    if let Some(first) = skipped.first() {
        output::message(&format!(
            "note: skipped {} of no manifest, first {}",
            counted(skipped.len() as u64, "file"),
            first.display()
        ));
    }
    finish(args, &found)
}

/// The manifest of a path, and the part of it to format; `None` for the whole manifest. The outer `Option` is `None` if
/// no manifest includes the path.
fn place(path: &Path, is_only: bool) -> Result<Option<(PathBuf, Option<PathBuf>)>, Failure> {
    let Ok(kind) = path.metadata() else {
        return Err(Failure::new(format!("{} does not exist", path.display()))
            .hint("name a manifest or its label files"));
    };
    let part = || Some(real(path));
    if kind.is_dir() {
        let is_root = HEADER_FILES.iter().any(|name| path.join(name).exists());
        let above = (!is_root).then(|| root_above(path)).flatten();
        return Ok(Some(match above {
            Some(root) => (root, part()),
            None => (path.to_owned(), None),
        }));
    }
    if Format::of(path).is_none() {
        return Ok(None);
    }
    let is_usual = (path.file_name()).is_some_and(|name| HEADER_FILES.iter().any(|it| name == *it));
    let is_header = is_usual
        || input::bytes(path, input::MAX_BYTES).is_ok_and(|bytes| manifest::is_header(path, bytes));
    if is_header && (is_only || !is_usual) {
        return Ok(Some((path.to_owned(), part().filter(|_| !is_only))));
    }
    let folder = output::folder_of(path);
    let root =
        root_above(folder).or_else(|| manifest::has_header(folder).then(|| folder.to_owned()));
    Ok(root.map(|root| (root, part())))
}

/// The given files that are not part of the manifest.
fn outside<'a>(args: &'a Args, manifest: &Manifest, chosen: &Chosen) -> Vec<&'a Path> {
    if chosen.all {
        return Vec::new();
    }
    let own: BTreeSet<PathBuf> = manifest.files().map(real).collect();
    let is_outside = |path: &&PathBuf| {
        let path = real(path);
        chosen.paths.contains(&path) && path.is_file() && !own.contains(&path)
    };
    let paths = args.paths.iter().filter(is_outside);
    paths.map(PathBuf::as_path).collect()
}

/// The manifest that has this folder, as it is shown.
fn root_above(folder: &Path) -> Option<PathBuf> {
    let root = validate::root_above(&real(folder))?;
    let here = std::env::current_dir().ok()?;
    Some(match root.strip_prefix(real(&here)) {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => root,
    })
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn format(
    path: &Path,
    manifest: &Manifest,
    chosen: &Chosen,
    files: validate::Files,
    found: &mut Found,
) -> Result<(), Failure> {
    let read_back = |overlay: &Overlay| manifest::load_with(path, overlay, files.access());
    let formatted = pull::format(manifest, &|file| chosen.includes(file), &read_back)
        .map_err(|error| validate::pull_failure(&error))?;
    label_files::check(&manifest.root, &formatted.files)?;
    found.files.extend(formatted.files);
    found.left.extend(formatted.left);
    found.right += formatted.right;
    Ok(())
}

/// Writes or lists the files, and says which were left as they are.
fn finish(args: &Args, found: &Found) -> Result<Exit, Failure> {
    if !args.check {
        let files = found.files.iter();
        label_files::write(files.map(|file| (file.path.clone(), file.content.as_slice())))?;
    }
    for file in &found.files {
        let path = label_files::shown(&file.path).display();
        output::result(&format!("{path}\n"))?;
    }
    for (path, why) in found.left.iter().take(MAX_LISTED) {
        let (path, hint) = (label_files::shown(path).display(), why.hint());
        let word = if why.is_chosen() { "note" } else { "warning" };
        output::message(&format!(
            "{word}: {path} is left as it is: {why}\nhint: {hint}"
        ));
    }
    if found.left.len() > MAX_LISTED {
        let more = found.left.len() - MAX_LISTED;
        output::message(&format!("and {more} more files are left as they are"));
    }
    let changed = found.files.len() as u64;
    let failed = (found.left.iter().filter(|(_, why)| !why.is_chosen())).count() as u64;
    if args.check && changed > 0 {
        let is = if changed == 1 { "is" } else { "are" };
        return Err(Failure::new(format!(
            "{} {is} not in the form that pull writes",
            counted(changed, "file")
        ))
        .hint("run `annosync fmt`, and commit the result"));
    }
    if failed > 0 {
        let exit = if args.check {
            Exit::Error
        } else {
            Exit::Partial
        };
        return Err(Failure {
            exit,
            ..Failure::new(format!("{} cannot be formatted", counted(failed, "file")))
        });
    }
    output::message(&match (changed, found.right) {
        (0, right) => format!("{} checked; nothing to format.", counted(right, "file")),
        (changed, 0) => format!("{} formatted.", counted(changed, "file")),
        (changed, right) => format!(
            "{} formatted; {} right already.",
            counted(changed, "file"),
            counted(right, "file")
        ),
    });
    Ok(Exit::Done)
}
