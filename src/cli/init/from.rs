//! `init --from`: a project from labels in another tool's format, with its first plan.

use super::files::{Labels, Project, missing};
use super::questions::{Open, ask};
use crate::cli::exit::{Exit, Failure};
use crate::cli::import::{self, Content, Form, Read, Vocabulary};
use crate::cli::label_files::shown;
use crate::cli::terminal::Stream;
use crate::cli::{output, plan};
use crate::formats::Format;
use crate::manifest::HEADER_FILES;
use crate::model::ConceptId;
use clap::Parser as _;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// With more inputs, they are written to one file instead of one each.
const MAX_FILES: usize = 20_000;
/// Folders for the labels; the first that has no files is used.
const FOLDERS: [&str; 3] = ["labels", "inputs", "annosync-labels"];

/// What the command line says.
#[derive(Debug)]
pub(super) struct From<'a> {
    /// The project's folder.
    pub(super) folder: &'a Path,
    pub(super) paths: &'a [PathBuf],
    pub(super) format: Option<Format>,
    pub(super) content: &'a Content,
    pub(super) open: Open,
}

/// The command `plan`.
#[derive(Debug, clap::Parser)]
struct FirstPlan {
    #[command(flatten)]
    args: plan::Args,
}

/// Writes all files or none, and prints a plan against the store in the project's folder.
pub(super) async fn run(from: &From<'_>, mut project: Project) -> Result<(Project, Exit), Failure> {
    refuse_manifest(from)?;
    let read = import::read(
        (from.format, "name it with --format"),
        from.paths,
        from.content,
    )?;
    if std::io::stdin().is_terminal() && Stream::Stderr.is_terminal() {
        ask(&mut std::io::stdin().lock(), from.open, &mut project)?;
    }
    let labels = Labels {
        folder: folder_of_labels(from.folder)?,
        vocabulary: concepts(&read),
        are_complete: read.is_complete(),
    };
    let form = if read.imported.inputs.len() > MAX_FILES {
        Form::Jsonl
    } else {
        Form::Yaml
    };
    let others = missing(from.folder, project.other_files())?;
    let place = |(name, text): &(&str, String)| (from.folder.join(name), text.clone());
    let target = import::Project::new(
        from.folder.to_owned(),
        &from.folder.join(labels.folder),
        form,
        project.header(Some(&labels)),
        others.iter().map(place).collect(),
    );
    let is_lossless = read.is_lossless;
    if !import::merge(&target, from.content, Vocabulary::Fixed, read)? {
        return Err(
            Failure::new("there is nothing to make a project from; nothing was written")
                .hint("--allow-incomplete declares images of which something was left out"),
        );
    }
    for (name, _) in &others {
        let path = from.folder.join(name);
        output::result(&format!("Wrote {}.\n", shown(&path).display()))?;
    }
    let planned = first_plan(from.folder).await?;
    let exit = match planned {
        Exit::Done if !is_lossless => Exit::Partial,
        other => other,
    };
    Ok((project, exit))
}

/// A folder has one manifest, to which `import` adds.
fn refuse_manifest(from: &From<'_>) -> Result<(), Failure> {
    let mut headers = HEADER_FILES.iter().map(|name| from.folder.join(name));
    let Some(header) = headers.find(|path| path.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    let first = from
        .paths
        .first()
        .map_or(Path::new("PATH"), PathBuf::as_path);
    Err(Failure::new(format!(
        "{} exists already; nothing was written",
        shown(&header).display()
    ))
    .hint(format!(
        "add labels to that manifest with `annosync import {} --out FOLDER`",
        first.display()
    )))
}

fn folder_of_labels(folder: &Path) -> Result<&'static str, Failure> {
    let is_free = |name: &&str| {
        let path = folder.join(name);
        let is_empty = || std::fs::read_dir(&path).is_ok_and(|mut all| all.next().is_none());
        path.symlink_metadata().is_err() || is_empty()
    };
    FOLDERS.into_iter().find(is_free).ok_or_else(|| {
        Failure::new(format!(
            "{} has files in each of the folders {}; nothing was written",
            folder.display(),
            FOLDERS.join(", ")
        ))
        .hint("make the project in another folder: annosync init DIR --from PATH")
    })
}

/// The concepts of all categories, and those of the annotations.
fn concepts(read: &Read) -> BTreeSet<ConceptId> {
    let annotations = read
        .imported
        .inputs
        .iter()
        .flat_map(|it| &it.input.annotations);
    let used = annotations.flat_map(|it| it.content.concepts.iter().flat_map(|all| all.iter()));
    let used = used.map(|concept| concept.id.clone());
    read.imported.concepts.iter().cloned().chain(used).collect()
}

/// Plans against the store in the project's folder, which is the default target.
async fn first_plan(folder: &Path) -> Result<Exit, Failure> {
    let words = ["plan", "--no-pager", "--"].map(OsStr::new);
    let words = words.into_iter().chain([folder.as_os_str()]);
    let command = FirstPlan::try_parse_from(words).map_err(Failure::new)?;
    output::result(&format!(
        "The first plan, for the store in {}:\n",
        folder.display()
    ))?;
    Box::pin(plan::run(command.args)).await
}
