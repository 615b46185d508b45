//! `import`: annotations of another format, merged into a manifest.
//!
//! `formats` reads the files of `files.rs`, `account.rs` reports what was left out, `import/merge.rs` merges the
//! result into the manifest of `import/project.rs`.

mod merge;
mod options;
mod project;
mod vocabulary;

use super::exit::{Exit, Failure};
use super::files::{BEFORE_PATH, Files};
use super::{account, input, output};
use crate::formats::{self, Format, ImportError, Imported, SkipCode};
use crate::render::{counted, escape, escape_lines};
use options::Common;
pub(crate) use options::{Content, Form, Reading};
pub(crate) use project::Project;
use std::path::{Path, PathBuf};
pub(crate) use vocabulary::Vocabulary;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format, and files or folders to import; without a format, it is recognised
    #[arg(required = true, value_name = "[FORMAT] PATH", num_args = 1..)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// The files of another tool, read.
pub(crate) struct Read {
    files: Files,
    format: Format,
    pub(crate) imported: Imported,
    pub(crate) is_lossless: bool,
}

impl Read {
    /// Whether nothing was left out that a plan could delete.
    pub(crate) fn is_complete(&self) -> bool {
        self.imported.skipped.is_empty()
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (format, paths) = formats_and_paths(&args.paths)?;
    let common = &args.common;
    let read = read((format, BEFORE_PATH), paths, &common.content)?;
    let is_lossless = read.is_lossless;
    let project = Project::find(common, read.is_complete())?;
    let vocabulary = if common.extend_vocabulary {
        Vocabulary::Extended
    } else {
        Vocabulary::Fixed
    };
    merge(&project, &common.content, vocabulary, read)?;
    Ok(if is_lossless {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// Reads the files of another tool, and prints what was left out. `how` says how the user names a format.
pub(crate) fn read(
    (format, how): (Option<Format>, &str),
    paths: &[PathBuf],
    content: &Content,
) -> Result<Read, Failure> {
    let files = Files::open(paths)?;
    let format = match format {
        Some(format) => format,
        None => files.recognise(how)?,
    };
    files.expect(format)?;
    let options = content.reading.import_options(content.images.clone());
    let imported =
        formats::import(format, &files, &options).map_err(|error| failure(&error, &files))?;
    // A COCO file without images says so: it has an empty list.
    let is_empty = imported.images == 0 && imported.categories == 0 && imported.skipped.is_empty();
    let named = files.named().display();
    if is_empty && format != Format::Coco {
        return Err(Failure::new(format!(
            "{named}: nothing to import: no image, video or text is in it"
        )));
    }
    output::message(account::of_import(&imported, account::places()).trim_end());
    let is_lossless = !imported.has_losses();
    if content.strict && !is_lossless {
        return Err(Failure::new(format!(
            "--strict: {named} cannot be imported in full; nothing was written"
        ))
        .hint("fix the file, or leave out --strict"));
    }
    Ok(Read {
        files,
        format,
        imported,
        is_lossless,
    })
}

/// The format, if the first argument names one and paths follow.
fn formats_and_paths(arguments: &[PathBuf]) -> Result<(Option<Format>, &[PathBuf]), Failure> {
    let named = |path: &Path| {
        Format::ALL
            .into_iter()
            .find(|format| path == Path::new(format.as_str()))
    };
    match arguments {
        [first, rest @ ..] if !rest.is_empty() => match named(first) {
            Some(format) => Ok((Some(format), rest)),
            None => Ok((None, arguments)),
        },
        [only] if named(only).is_some() && !only.exists() => Err(Failure::usage(format!(
            "no file to import as {}",
            only.display()
        ))
        .hint("name a file or a folder after the format")),
        _ => Ok((None, arguments)),
    }
}

pub(crate) fn failure(error: &ImportError, files: &Files) -> Failure {
    let failure = match error {
        ImportError::Json { file, fault } => input::json_failure(&files.path(file), fault),
        ImportError::Text {
            file,
            line,
            column,
            fault,
        } => Failure::new(format!(
            "{}:{line}:{column}: {fault}",
            files.path(file).display()
        )),
        ImportError::Syntax {
            file,
            line,
            column,
            message,
        } => Failure::new(format!(
            "{}:{line}:{column}: {}",
            files.path(file).display(),
            escape(message)
        )),
        ImportError::Unreadable { file, message } => Failure::new(format!(
            "{}: {}",
            files.path(file).display(),
            escape(message)
        )),
        ImportError::SameInput { .. } => Failure::new(format!(
            "{}:\n  {}",
            files.named().display(),
            escape_lines(&error.to_string()).replace('\n', "\n  ")
        )),
        _ => Failure::new(format!(
            "{}: {}",
            files.named().display(),
            escape(&error.to_string())
        )),
    };
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Merges what was read into a manifest, and writes its files. Returns whether anything was written.
pub(crate) fn merge(
    project: &Project,
    content: &Content,
    vocabulary: Vocabulary,
    mut read: Read,
) -> Result<bool, Failure> {
    let incomplete = if content.allow_incomplete {
        Vec::new()
    } else {
        read.imported.take_incomplete()
    };
    let skipped = &read.imported.skipped;
    let has_others = (skipped.iter()).any(|it| it.code == SkipCode::OtherAnnotator);
    let written = merge::merge(project, content.files, vocabulary, read, &incomplete)?;
    if has_others && written.dropped > 0 {
        output::message(&format!(
            "warning: {} dropped from the manifest, which may be the work of other annotators: under policy sync, a plan \
             deletes what was dropped",
            counted(written.dropped, "annotation")
        ));
    }
    Ok(written.is_written)
}
