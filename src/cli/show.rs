//! `show`: a saved plan, undo file, outcome or log.

use super::exit::{Exit, Failure};
use super::formats::{self, ExtraOutput, Format, Outputs};
use super::pictures;
use super::planning::stopped;
use super::review::{Changes, Drawing};
use super::sheets;
use super::terminal::Stream;
use super::view::View;
use super::{input, kind, output, plan_file};
use crate::model::FileKind;
use crate::plan::{self, JoinError, OutcomeDocument, Plan, PlanFileError};
use crate::render::{self, LogFile, TextOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show a saved plan, undo file, outcome or log
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file written by `plan --out`, `apply --undo-out`, `apply --format json` or `apply --log`; or the plans or outcomes of
    /// all shards of one run, which are joined: the guards of joined plans are counted over the whole, and stop with exit code 3
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write it to FILE, as text, markdown, html or json, or the pictures of a plan's changes to the folder DIR
    /// (`images=DIR`), as contact sheets; repeatable
    #[arg(long, value_name = "FORMAT=FILE")]
    also: Vec<ExtraOutput>,
    /// Do not use a pager. By default text on a terminal goes through ANNOSYNC_PAGER, PAGER or less
    #[arg(long)]
    no_pager: bool,
    #[command(flatten)]
    view: View,
    #[command(flatten)]
    pictures: pictures::Args,
    #[command(flatten)]
    sheets: sheets::Args,
}

pub(crate) async fn run(args: &Args) -> Result<Exit, Failure> {
    let file = &args.files[0];
    let kind = kind::of(file);
    let read: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let outputs = Outputs {
        format: args.format,
        also: &args.also,
        out: None,
        read: &read,
        kinds: kind.as_slice(),
    };
    outputs.check(args.view.leaves_out())?;
    if args.files.len() > 1 {
        return joined(args).await;
    }
    let draws = formats::images_folder(&args.also).is_some();
    if draws && matches!(kind, Some(FileKind::Outcome | FileKind::Log)) {
        return Err(
            Failure::usage("--also images=DIR shows the changes of a plan")
                .hint("name a file that `plan --out` or `apply --undo-out` wrote"),
        );
    }
    match kind {
        Some(FileKind::Outcome) => write(args, outcome(args, outcome_of(file)?))?,
        Some(FileKind::Log) => write(args, log(args, file)?)?,
        Some(
            FileKind::Listing
            | FileKind::Annotations
            | FileKind::Manifest
            | FileKind::Diff
            | FileKind::Report
            | FileKind::Recording
            | FileKind::Coco,
        )
        | None => {
            return Err(match kind {
                Some(kind) => kind::wrong_kind(file, kind, WANTED),
                None => unrecognised(file),
            });
        }
        Some(FileKind::Plan | FileKind::Undo | FileKind::Unknown) => {
            plan(args, &plan_of(file)?, Some(file)).await?;
        }
    }
    if let Some(kind) = kind {
        output::message(&format!("{} is {}.", file.display(), kind::noun(kind)));
    }
    Ok(Exit::Done)
}

/// Writes the files of --also, and prints. `text` gets the format, and whether a terminal may show it.
fn write(args: &Args, text: impl Fn(Format, bool) -> String) -> Result<(), Failure> {
    formats::write(&args.also, |format| text(format, false))?;
    formats::print(args.format, &text(args.format, true), args.no_pager)
}

/// Joins the files of all shards of a run.
async fn joined(args: &Args) -> Result<Exit, Failure> {
    let files = &args.files;
    let kinds: Vec<_> = files.iter().map(|file| kind::of(file)).collect();
    let all_are = |kind| kinds.iter().all(|it| *it == Some(kind));
    if all_are(FileKind::Plan) {
        let plans: Result<Vec<Plan>, Failure> = files.iter().map(|file| plan_of(file)).collect();
        let joined = plan::join(plans?).map_err(|error| unjoined(files, &error))?;
        plan(args, &joined, None).await?;
        if !joined.guards.is_empty() {
            return Ok(stopped(
                &joined,
                &files[0],
                &["a guard stopped the plan"],
                None,
            ));
        }
    } else if all_are(FileKind::Outcome) {
        let saved: Result<Vec<OutcomeDocument>, Failure> =
            files.iter().map(|file| outcome_of(file)).collect();
        let joined = OutcomeDocument::join(saved?).map_err(|error| unjoined(files, &error))?;
        write(args, outcome(args, joined))?;
    } else {
        return Err(Failure::usage(
            "several files are joined, and these are not all plans, nor all outcomes of an apply",
        )
        .hint("name one file, or the plans or the outcomes of all shards of one run"));
    }
    Ok(Exit::Done)
}

/// The error for files that cannot be joined.
fn unjoined(files: &[PathBuf], error: &JoinError) -> Failure {
    let failure = match error.at().and_then(|at| files.get(at)) {
        Some(file) => Failure::new(format!(
            "{} cannot be joined with the other files: {error}",
            file.display()
        )),
        None => Failure::new(error.to_string()),
    };
    failure.hint("name the files of all shards of one run, each once")
}

fn plan_of(file: &Path) -> Result<Plan, Failure> {
    plan_file::read(file)?.ok_or_else(|| kind::wrong_kind(file, FileKind::Unknown, WANTED))
}

/// Prints a plan; `file` is where it is saved.
async fn plan(args: &Args, plan: &Plan, file: Option<&Path>) -> Result<(), Failure> {
    let drawing = Drawing::of(&args.pictures, &args.sheets, args.format, &args.also);
    // A plan file does not say where its pictures are: only flags do.
    let sources = drawing.sources([]);
    let changes = Changes::Plan(plan, args.view.filter());
    let (surroundings, sheets) = drawing
        .draw(&changes, &sources, BTreeMap::new(), Some(UNKNOWN))
        .await?;
    write(args, |format, is_printed| match format {
        Format::Text if is_printed => args.view.text(plan, Stream::Stdout),
        Format::Text => args.view.plain(plan),
        Format::Markdown => args.view.markdown(plan, file, sheets.as_ref()),
        Format::Json => render::json(plan),
        Format::Html => args.view.html(plan, &surroundings),
    })
}

/// What drawings of a plan file lack.
const UNKNOWN: &str = "a plan file knows neither the labels that do not change, nor the proportions of pictures that are not found";

const WANTED: &str = "a plan, an undo, an outcome or a log";

fn unrecognised(file: &Path) -> Failure {
    if let Err(error) = std::fs::metadata(file) {
        return Failure::new(format!("cannot read {}: {error}", file.display()));
    }
    // Reading finds wrong encodings, merge conflicts and Git LFS pointers.
    if file.is_file()
        && let Err(failure) = input::text(file, input::MAX_BYTES)
    {
        return failure;
    }
    Failure::usage(format!("{} is not {WANTED}", file.display())).hint(
        "name a file that `plan --out`, `apply --undo-out`, `apply --format json` or `apply --log` wrote",
    )
}

fn outcome_of(file: &Path) -> Result<OutcomeDocument, Failure> {
    let text = input::text(file, input::MAX_BYTES)?;
    OutcomeDocument::read(&text).map_err(|error| match error {
        PlanFileError::Syntax(fault) => input::json_failure(file, &fault).hint(
            "this is the outcome of an apply: keep all that `annosync apply --format json` prints",
        ),
        other => Failure::new(format!(
            "{} is the outcome of an apply, and cannot be read: {other}",
            file.display()
        ))
        .hint("use the version of annosync that wrote it"),
    })
}

fn outcome(args: &Args, saved: OutcomeDocument) -> impl Fn(Format, bool) -> String {
    move |format, is_printed| match format {
        Format::Text => render::outcome_document_text(&saved, &text_options(args, is_printed)),
        Format::Markdown => {
            render::outcome_document_markdown(&saved, &args.view.markdown_options(None))
        }
        Format::Json => render::outcome_json(&saved),
        Format::Html => render::text_html(
            "annosync apply: outcome",
            &render::outcome_document_text(&saved, &args.view.page_options()),
        ),
    }
}

fn text_options(args: &Args, is_printed: bool) -> TextOptions {
    if is_printed {
        args.view.text_options(Stream::Stdout)
    } else {
        args.view.plain_options()
    }
}

fn log(args: &Args, file: &Path) -> Result<impl Fn(Format, bool) -> String, Failure> {
    if !args.view.filter().concepts.is_empty() {
        return Err(
            Failure::usage("the log of an apply does not record concepts, so --concept cannot choose among its lines")
                .hint("leave --concept out, or show the plan that was applied"),
        );
    }
    let text = input::text(file, input::MAX_BYTES)?;
    let log = LogFile::read(&text).map_err(|fault| {
        input::json_failure(file, &fault)
            .hint("this is the log of an apply: each line is as `annosync apply --log` wrote it")
    })?;
    Ok(move |format, is_printed| match format {
        Format::Text => render::log_text(&log, &text_options(args, is_printed)),
        Format::Markdown => render::log_markdown(&log, &args.view.markdown_options(None)),
        // The lines of the file are JSON already.
        Format::Json => text.clone(),
        Format::Html => {
            let text = render::log_text(&log, &args.view.page_options());
            render::text_html("annosync apply: log", &text)
        }
    })
}
