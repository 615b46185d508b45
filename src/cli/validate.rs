//! Loads and checks the manifest of a command.

use super::exit::Failure;
use super::tracked::tracked;
use super::{kind, output};
use crate::manifest::{self, FileAccess, HEADER_FILES, Manifest, Overlay, Problems, ProblemsShown};
use crate::model::Shard;
use crate::plan::Plan;
use crate::pull::PullError;
use crate::render;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Which files a manifest may use, and which of its inputs a run keeps.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[expect(clippy::struct_field_names, reason = "they are named like their flags")]
pub(crate) struct Files {
    /// Allow masks and texts outside the manifest's folder, and links to there. Use it only if the manifest's author
    /// may read every file that you may read
    #[arg(long)]
    allow_outside_files: bool,
    /// Continue without label files that are in git but not on disk: deleted without a commit, or left out by a sparse
    /// checkout
    #[arg(long)]
    allow_missing_files: bool,
    /// Only the inputs of this shard are kept.
    #[arg(skip)]
    shard: Option<Shard>,
}

impl Files {
    /// The same files, of which only the inputs of a shard are kept.
    pub(crate) fn of_shard(self, shard: Option<Shard>) -> Self {
        Self { shard, ..self }
    }

    pub(crate) fn shard(self) -> Option<Shard> {
        self.shard
    }

    pub(crate) fn access(self) -> FileAccess {
        if self.allow_outside_files {
            FileAccess::Anywhere
        } else {
            FileAccess::Folder
        }
    }
}

/// Loads a manifest, and prints its problems. Label files that are in git but not on disk are a warning, or an error if
/// a sparse checkout left them out.
pub(crate) fn load(path: &Path, files: Files) -> Result<Manifest, Failure> {
    let manifest = read(path, files)?;
    report_missing(&manifest, files)?;
    Ok(manifest)
}

/// Warns of missing label files, or refuses them.
pub(super) fn report_missing(manifest: &Manifest, files: Files) -> Result<(), Failure> {
    if let Some(why) = &manifest.git_error {
        output::message(&format!(
            "Warning: {why}. A label file that is missing is not noticed."
        ));
    }
    let gone = &manifest.missing_files;
    if files.allow_missing_files || gone.is_empty() {
        return Ok(());
    }
    if gone.iter().any(|(_, is_sparse)| *is_sparse) {
        return Err(missing(manifest));
    }
    output::message(&format!("Warning: {}", missing(manifest).message));
    Ok(())
}

/// Loads a manifest that will be applied: missing label files are an error.
pub(crate) fn load_whole(path: &Path, files: Files) -> Result<Manifest, Failure> {
    let manifest = read(path, files)?;
    refuse_missing(&manifest, files)?;
    Ok(manifest)
}

/// Refuses a manifest with missing label files, unless --allow-missing-files is given.
pub(crate) fn refuse_missing(manifest: &Manifest, files: Files) -> Result<(), Failure> {
    if files.allow_missing_files || manifest.missing_files.is_empty() {
        return Ok(());
    }
    Err(missing(manifest))
}

/// Refuses a plan that deletes, if a missing label file could go unnoticed.
pub(crate) fn refuse_unproven(
    manifest: &Manifest,
    plan: &Plan,
    files: Files,
) -> Result<(), Failure> {
    let deletes = plan.summary.actions.delete + plan.summary.purged;
    match &manifest.git_error {
        Some(why) if deletes > 0 && !files.allow_missing_files => Err(Failure::new(format!(
            "{why}; the plan deletes {}, which could be the effect of a missing label file",
            render::counted(deletes, "annotation")
        ))
        .hint(
            "install git and make the repository usable for it (in a container: git config --global --add safe.directory \
             FOLDER); or, if no label file is missing, pass --allow-missing-files",
        )),
        _ => Ok(()),
    }
}

/// The error that lists missing label files.
fn missing(manifest: &Manifest) -> Failure {
    const SHOWN: usize = 10;
    let gone = &manifest.missing_files;
    let mut list = String::new();
    for (path, is_sparse) in gone.iter().take(SHOWN) {
        let why = if *is_sparse {
            "left out by a sparse checkout"
        } else {
            "deleted, and the deletion is not committed"
        };
        let _ = write!(list, "\n  {} ({why})", path.display());
    }
    if gone.len() > SHOWN {
        let _ = write!(list, "\n  and {} more", gone.len() - SHOWN);
    }
    let (files, they) = if gone.len() == 1 {
        ("1 label file that git has is".to_owned(), "its")
    } else {
        (
            format!("{} label files that git has are", gone.len()),
            "their",
        )
    };
    Failure::new(format!(
        "{files} not on the disk; {they} inputs are not declared any more:{list}"
    ))
    .hint(
        "restore them with `git restore FILE` or `git sparse-checkout add FOLDER`; if you mean to delete them, commit that \
         or pass --allow-missing-files",
    )
}

/// The problems of a manifest as text: the first of each kind, or all with `-v`.
pub(crate) fn problem_text(problems: &Problems) -> String {
    let shown = if tracing::enabled!(tracing::Level::DEBUG) {
        ProblemsShown::All
    } else {
        ProblemsShown::First
    };
    problems.render(output::is_styled(), shown)
}

/// Loads a manifest, and prints its problems.
fn read(path: &Path, files: Files) -> Result<Manifest, Failure> {
    load_or_problems(path, files)?.map_err(|problems| {
        output::styled_message(&problem_text(&problems));
        invalid(&problems)
    })
}

/// Loads a manifest, or gives its problems. A file of another kind is refused.
pub(super) fn load_or_problems(
    path: &Path,
    files: Files,
) -> Result<Result<Manifest, Problems>, Failure> {
    kind::expect_manifest(path)?;
    Ok(manifest::load_shard(
        path,
        &Overlay::new(),
        files.access(),
        &tracked,
        files.shard,
    ))
}

pub(super) fn invalid(problems: &Problems) -> Failure {
    let (count, kinds) = (problems.len(), problems.kinds());
    Failure::new(match count {
        1 => "the manifest has a problem".to_owned(),
        _ if kinds == count => format!("the manifest has {count} problems"),
        _ => format!(
            "the manifest has {} problems, {} of them different",
            render::thousands(count as u64),
            render::thousands(kinds as u64)
        ),
    })
}

/// The nearest folder with a header of the usual name, from this one up to the top of the repository.
pub(super) fn root_above(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    for above in absolute.ancestors() {
        if HEADER_FILES.iter().any(|name| above.join(name).is_file()) {
            return Some(above.to_owned());
        }
        if above.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The failure of an edit of a manifest's files, after its problems are printed.
pub(super) fn pull_failure(error: &PullError) -> Failure {
    if let PullError::DoesNotFit(problems) = error {
        output::styled_message(&problem_text(problems));
    }
    Failure::new(format!("{error}; nothing was written")).hint(error.hint())
}
