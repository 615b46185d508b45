//! `show`: a saved plan, undo file, outcome or log.

use super::exit::{Exit, Failure};
use super::formats::Format;
use super::pager::{self, Paging};
use super::pictures::{self, Sources};
use super::review::PlanReview;
use super::sheets::{self, SheetFolder};
use super::terminal::Stream;
use super::view::View;
use super::{input, kind, output, plan_file};
use crate::model::FileKind;
use crate::plan::{OutcomeDocument, PlanFileError};
use crate::render::{self, LogFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Show a saved plan, undo file, outcome or log
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file written by `plan --out`, `apply --undo-out`, `apply --format json` or `apply --log`
    file: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the pictures of a plan's changes to the folder DIR (`images=DIR`), as contact sheets
    #[arg(long, value_name = "images=DIR")]
    also: Option<SheetFolder>,
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
    if args.format == Format::Json && args.view.leaves_out() {
        return Err(Failure::usage(
            "--summary, --only, --input and --concept choose what text, Markdown and HTML show, and JSON always holds everything",
        )
        .hint("leave them out, or choose another --format"));
    }
    let file = &args.file;
    if let Some(folder) = &args.also {
        sheets::check(&folder.0)?;
    }
    let kind = kind::of(file);
    if args.also.is_some() && matches!(kind, Some(FileKind::Outcome | FileKind::Log)) {
        return Err(
            Failure::usage("--also images=DIR shows the changes of a plan")
                .hint("name a file that `plan --out` or `apply --undo-out` wrote"),
        );
    }
    let shown = match kind {
        Some(FileKind::Outcome) => saved(args)?,
        Some(FileKind::Log) => log(args)?,
        Some(
            FileKind::Listing
            | FileKind::Annotations
            | FileKind::Manifest
            | FileKind::Diff
            | FileKind::Report
            | FileKind::Coco,
        )
        | None => {
            return Err(match kind {
                Some(kind) => kind::wrong_kind(file, kind, WANTED),
                None => unrecognised(file),
            });
        }
        Some(FileKind::Plan | FileKind::Undo | FileKind::Unknown) => {
            let plan = plan_file::read(file)?
                .ok_or_else(|| kind::wrong_kind(file, FileKind::Unknown, WANTED))?;
            // A plan file does not say where its pictures are: only flags do.
            let review = PlanReview {
                plan: &plan,
                filter: args.view.filter(),
                pictures: &args.pictures,
                sheets: &args.sheets,
                sources: &Sources::default(),
                unchanged: BTreeMap::new(),
            };
            let sheets = match &args.also {
                Some(SheetFolder(folder)) => Some(review.write_sheets(folder).await?),
                None => None,
            };
            match args.format {
                Format::Text => args.view.text(&plan, Stream::Stdout),
                Format::Markdown => args.view.markdown(&plan, Some(file), sheets.as_ref()),
                Format::Json => render::json(&plan),
                Format::Html => args.view.html(&plan, &review.surroundings().await),
            }
        }
    };
    if let Some(kind) = kind {
        output::message(&format!("{} is {}.", file.display(), kind::noun(kind)));
    }
    match args.format {
        Format::Text if args.no_pager => pager::show(&shown, Paging::Off)?,
        Format::Text => pager::show(&shown, Paging::Wanted)?,
        Format::Markdown | Format::Json | Format::Html => output::data(&shown)?,
    }
    Ok(Exit::Done)
}

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

fn saved(args: &Args) -> Result<String, Failure> {
    let text = input::text(&args.file, input::MAX_BYTES)?;
    let saved = OutcomeDocument::read(&text).map_err(|error| match error {
        PlanFileError::Syntax(fault) => input::json_failure(&args.file, &fault).hint(
            "this is the outcome of an apply: keep all that `annosync apply --format json` prints",
        ),
        other => Failure::new(format!(
            "{} is the outcome of an apply, and cannot be read: {other}",
            args.file.display()
        ))
        .hint("use the version of annosync that wrote it"),
    })?;
    Ok(match args.format {
        Format::Text => {
            render::outcome_document_text(&saved, &args.view.text_options(Stream::Stdout))
        }
        Format::Markdown => {
            render::outcome_document_markdown(&saved, &args.view.markdown_options(None))
        }
        Format::Json => render::outcome_json(&saved),
        Format::Html => render::text_html(
            "annosync apply: outcome",
            &render::outcome_document_text(&saved, &args.view.page_options()),
        ),
    })
}

fn log(args: &Args) -> Result<String, Failure> {
    if !args.view.filter().concepts.is_empty() {
        return Err(
            Failure::usage("the log of an apply does not record concepts, so --concept cannot choose among its lines")
                .hint("leave --concept out, or show the plan that was applied"),
        );
    }
    let text = input::text(&args.file, input::MAX_BYTES)?;
    let log = LogFile::read(&text).map_err(|fault| {
        input::json_failure(&args.file, &fault)
            .hint("this is the log of an apply: each line is as `annosync apply --log` wrote it")
    })?;
    Ok(match args.format {
        Format::Text => render::log_text(&log, &args.view.text_options(Stream::Stdout)),
        Format::Markdown => render::log_markdown(&log, &args.view.markdown_options(None)),
        // The lines of the file are JSON already.
        Format::Json => text,
        Format::Html => {
            let text = render::log_text(&log, &args.view.page_options());
            render::text_html("annosync apply: log", &text)
        }
    })
}
