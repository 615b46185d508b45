//! `import`: annotations of another format, merged into a manifest.
//!
//! `formats` reads the files of `files.rs`, `account.rs` reports what was left out, `import/merge.rs` merges the
//! result into the manifest of `import/project.rs`.

mod merge;
mod options;
mod project;
mod vocabulary;

use super::exit::{Exit, Failure};
use super::files::Files;
use super::{account, input, output};
use crate::formats::{self, Format, ImportError, Imported, SkipCode};
use crate::render::{counted, escape, escape_lines};
use options::Common;
pub(crate) use options::Reading;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format, and files or folders to import; without a format, it is recognised
    #[arg(required = true, value_name = "[FORMAT] PATH", num_args = 1..)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (format, paths) = formats_and_paths(&args.paths)?;
    let files = Files::open(paths)?;
    let format = match format {
        Some(format) => format,
        None => files.recognise()?,
    };
    files.expect(format)?;
    let images = args.common.images.clone();
    let options = args.common.reading.import_options(images);
    let imported =
        formats::import(format, &files, &options).map_err(|error| failure(&error, &files))?;
    // A COCO file without images says so: it has an empty list.
    let is_empty = imported.images == 0 && imported.categories == 0 && imported.skipped.is_empty();
    if is_empty && format != Format::Coco {
        let named = files.named().display();
        return Err(Failure::new(format!(
            "{named}: nothing to import: no image, video or text is in it"
        )));
    }
    finish(&args.common, &files, imported, format)
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

/// Reports what was left out, and writes the rest.
fn finish(
    common: &Common,
    files: &Files,
    mut imported: Imported,
    format: Format,
) -> Result<Exit, Failure> {
    output::message(account::of_import(&imported, account::places()).trim_end());
    let is_lossless = !imported.has_losses();
    if common.strict && !is_lossless {
        return Err(Failure::new(format!(
            "--strict: {} cannot be imported in full; nothing was written",
            files.named().display()
        ))
        .hint("fix the file, or leave out --strict"));
    }
    let incomplete = if common.allow_incomplete {
        Vec::new()
    } else {
        imported.take_incomplete()
    };
    let has_others = (imported.skipped.iter()).any(|it| it.code == SkipCode::OtherAnnotator);
    let dropped = merge::merge(common, files.named(), imported, &incomplete, format)?;
    if has_others && dropped > 0 {
        output::message(&format!(
            "warning: {} dropped from the manifest, which may be the work of other annotators: under policy sync, a plan \
             deletes what was dropped",
            counted(dropped, "annotation")
        ));
    }
    Ok(if is_lossless {
        Exit::Done
    } else {
        Exit::Partial
    })
}
