//! `diff`: the differences of two label sets, offline. `diff --git` is an external diff of git.
//!
//! `diff/side.rs` reads the sides, `plan/diff.rs` compares them.

mod side;

use super::exit::{Exit, Failure};
use super::formats::{self, ExtraOutput, Format, Outputs};
use super::import::Reading;
use super::pictures;
use super::review::{Changes, Drawing};
use super::sheets;
use super::terminal::{self, Stream};
use super::{input, output, validate, values, view};
use crate::manifest;
use crate::model::{ConceptId, FileKind};
use crate::plan::{self, Diff, DiffKind, LabelSet};
use crate::pull::InputPattern;
use crate::render::{self, Color, DiffOptions, Filter, counted};
use side::Reader;
use std::fmt::Write as _;
use std::path::Path;

const HEADING: &str = "Display (all differences are counted)";

/// Compare two label sets: manifests, git revisions, listings, files of other tools
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// The two sides; with --git, what git gives an external diff
    ///
    /// A side is a manifest (file or folder), a file of a manifest, `git:REV` or `git:REV:PATH`, a saved listing (`list
    /// --format json`), or a file or folder of a format that `import` reads; `coco:PATH` names the format. Labels that a side
    /// does not show (objects that an import leaves out, missing files) count as unknown. Exits with 2 if there are
    /// differences, with 5 if there are none but some labels are unknown
    #[arg(value_name = "OLD NEW", num_args = 0..)]
    sides: Vec<String>,
    /// How to print the differences
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the differences to FILE, as text, markdown, html or json, or their pictures to the folder DIR
    /// (`images=DIR`), as contact sheets; repeatable
    #[arg(long, value_name = "FORMAT=FILE", conflicts_with = "git")]
    also: Vec<ExtraOutput>,
    /// Do not use a pager. By default text on a terminal goes through ANNOSYNC_PAGER, PAGER or less
    #[arg(long)]
    no_pager: bool,
    /// Be an external diff of git: `git config diff.annosync.command 'annosync diff --git'`, and in .gitattributes
    /// `labels/** diff=annosync`. Exits with 0; a file without labels is compared as text
    #[arg(long)]
    git: bool,
    /// Show no differences, only counts, classes and relabellings: for chat and logs
    #[arg(long, help_heading = HEADING, conflicts_with_all = ["all", "full", "only", "inputs", "concepts"])]
    summary: bool,
    /// Show every difference, on one line each, not only the first 200
    #[arg(long, help_heading = HEADING)]
    all: bool,
    /// Show every difference with its coordinates and fields, and ids in full
    #[arg(long, help_heading = HEADING)]
    full: bool,
    /// Show only these kinds of differences, for example `removed,moved`
    #[arg(long, value_enum, value_name = "KINDS", value_delimiter = ',', help_heading = HEADING)]
    only: Vec<Only>,
    /// Show only differences on this input, or on inputs with ids that match this glob; repeatable
    #[arg(long = "input", value_name = "GLOB", help_heading = HEADING)]
    inputs: Vec<String>,
    /// Show only differences of annotations that have this concept before or after; repeatable
    #[arg(long = "concept", value_name = "ID", value_parser = values::concept, help_heading = HEADING)]
    concepts: Vec<ConceptId>,
    #[command(flatten)]
    pictures: pictures::Args,
    #[command(flatten)]
    sheets: sheets::Args,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    files: validate::Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Only {
    /// Only the new side has it
    Added,
    /// Only the old side has it
    Removed,
    /// Other concepts
    Relabelled,
    /// Another place
    Moved,
    /// Other concepts and another place
    MovedAndRelabelled,
    /// The picture was turned or mirrored
    Turned,
    /// Another status, user, metadata or other attribute
    Attributes,
}

impl From<Only> for DiffKind {
    fn from(only: Only) -> Self {
        match only {
            Only::Added => Self::Added,
            Only::Removed => Self::Removed,
            Only::Relabelled => Self::Relabelled,
            Only::Moved => Self::Moved,
            Only::MovedAndRelabelled => Self::MovedAndRelabelled,
            Only::Turned => Self::Turned,
            Only::Attributes => Self::Attributes,
        }
    }
}

impl Args {
    fn reader(&self) -> Reader<'_> {
        Reader {
            files: self.files,
            reading: &self.reading,
        }
    }

    fn options(&self) -> DiffOptions {
        DiffOptions {
            detail: view::detail(self.summary, self.all, self.full),
            only: self.only.iter().copied().map(DiffKind::from).collect(),
            filter: Filter {
                inputs: self
                    .inputs
                    .iter()
                    .map(|text| InputPattern::new(text))
                    .collect(),
                concepts: self.concepts.iter().cloned().collect(),
                ..Filter::default()
            },
            color: Color::Always,
            width: terminal::width(Stream::Stdout),
            sheets: None,
        }
    }
}

pub(crate) async fn run(args: &Args) -> Result<Exit, Failure> {
    if args.git {
        return external(args);
    }
    let [old, new] = &args.sides[..] else {
        return Err(Failure::usage(format!(
            "diff compares two sides, and {} given",
            match args.sides.len() {
                1 => "1 is".to_owned(),
                count => format!("{count} are"),
            }
        ))
        .hint("name the old side, then the new one: annosync diff git:HEAD ."));
    };
    let filters = !args.only.is_empty() || !args.inputs.is_empty() || !args.concepts.is_empty();
    // With and without the name of a format.
    let read = [old, new].map(|side| {
        let path = side.split_once(':').map_or(side.as_str(), |(_, path)| path);
        [Path::new(side), Path::new(path)]
    });
    let outputs = Outputs {
        format: args.format,
        also: &args.also,
        out: None,
        read: read.as_flattened(),
        kinds: &[FileKind::Diff],
    };
    outputs.check(args.summary || filters)?;
    let reader = args.reader();
    let (old, new) = (reader.read(old)?, reader.read(new)?);
    let mut diff = plan::diff(&old.labels, &new.labels);
    report_unknown(&diff, &[&old.labels, &new.labels]);
    let mut options = args.options();
    let drawing = Drawing::of(&args.pictures, &args.sheets, args.format, &args.also);
    let unchanged = std::mem::take(&mut diff.unchanged);
    // The new side first: its pictures are those that are reviewed.
    let sources = drawing.sources([new.media, old.media].into_iter().flatten());
    let (surroundings, sheets) = {
        let changes = Changes::Diff(&diff, &options);
        drawing.draw(&changes, &sources, unchanged, None).await?
    };
    options.sheets = sheets;
    let plain = DiffOptions {
        color: Color::Never,
        width: None,
        ..options.clone()
    };
    let printed = |format, options: &DiffOptions| match format {
        Format::Text => render::diff_text(&diff, options),
        Format::Markdown => render::diff_markdown(&diff, options),
        Format::Json => render::diff_json(&diff),
        Format::Html => render::diff_html(&diff, options, &surroundings),
    };
    formats::write(&args.also, |format| printed(format, &plain))?;
    formats::print(args.format, &printed(args.format, &options), args.no_pager)?;
    Ok(if !diff.is_empty() {
        Exit::Changes
    } else if diff.summary.unknown > 0 {
        Exit::Partial
    } else {
        Exit::Done
    })
}

/// Says which sides do not show everything, and how much is unknown because of that.
fn report_unknown(diff: &Diff, sides: &[&LabelSet]) {
    for side in sides {
        let mut parts = Vec::new();
        if !side.is_whole {
            parts.push("inputs may be missing".to_owned());
        }
        let inputs = side.incomplete.len().max(side.left_out.len());
        if inputs > 0 {
            let count = counted(inputs as u64, "input");
            parts.push(format!("{count} with labels that were left out"));
        }
        if !parts.is_empty() {
            output::message(&format!(
                "warning: {} is not complete: {}",
                side.name,
                parts.join(", ")
            ));
        }
    }
    let unknown = diff.summary.unknown;
    if unknown > 0 {
        output::message(&format!(
            "warning: {} of the other side counted as unknown, not as added or removed",
            counted(unknown, "label")
        ));
    }
}

/// The differences of one file, as git asks for them: path, old file, hash and mode, new file, hash and mode; for a
/// renamed file also the new path and the similarity.
fn external(args: &Args) -> Result<Exit, Failure> {
    let (path, old, new, renamed) = match &args.sides[..] {
        [path] => {
            output::result(&format!("* Unmerged path {path}\n"))?;
            return Ok(Exit::Done);
        }
        [path, old, _, _, new, _, _] => (path, old, new, path),
        [path, old, _, _, new, _, _, renamed, _] => (path, old, new, renamed),
        _ => {
            return Err(Failure::usage(
                "--git takes the 7 arguments of an external diff: path, old file, old hash, old mode, new file, new \
                 hash, new mode",
            )
            .hint("let git call it: git config diff.annosync.command 'annosync diff --git'"));
        }
    };
    let mut text = format!("annosync diff {}", render::escape(path));
    if path != renamed {
        let _ = write!(text, " -> {}", render::escape(renamed));
    }
    text.push('\n');
    match compare(args, path, renamed, (old, new)) {
        Ok(Compared::Labels { diff, has_header }) => {
            text.push_str(&render::diff_text(&diff, &args.options()));
            if has_header {
                text.push_str(
                    "The header is in this file and is not compared; see git diff --no-ext-diff.\n",
                );
            }
        }
        Ok(Compared::Text) => {
            text.push_str("The labels are equal. As text:\n");
            text.push_str(&as_text((path, old), (renamed, new)));
        }
        Err(failure) => {
            let why = render::escape(&failure.message);
            let _ = writeln!(text, "{why}. As text:");
            text.push_str(&as_text((path, old), (renamed, new)));
        }
    }
    output::styled_result(&text)?;
    Ok(Exit::Done)
}

/// What an external diff shows.
enum Compared {
    Labels {
        diff: Box<Diff>,
        has_header: bool,
    },
    /// The labels are equal: the files differ in something else.
    Text,
}

fn compare(
    args: &Args,
    path: &str,
    renamed: &str,
    (old, new): (&str, &str),
) -> Result<Compared, Failure> {
    let reader = args.reader();
    let is_manifest = |file: &str| super::kind::of(Path::new(file)) == Some(FileKind::Manifest);
    let is_absent = |file: &str| file == "/dev/null";
    let side = |path: &str, file: &str| -> Result<LabelSet, Failure> {
        let path = Path::new(path);
        if is_absent(file) {
            return Ok(LabelSet {
                is_whole: true,
                names_all_inputs: true,
                ..LabelSet::default()
            });
        }
        if !is_manifest(file) {
            return Ok(reader.read(file)?.labels);
        }
        let bytes = input::bytes(Path::new(file), input::MAX_BYTES)?;
        let reach = args.files.access();
        let side = if manifest::is_header(path, bytes.clone()) {
            side::single(path, bytes, reach)
        } else {
            side::part(path, bytes, reach)
        };
        Ok(side?.labels)
    };
    let has_header = |path: &str, file: &str| {
        is_manifest(file)
            && input::bytes(Path::new(file), input::MAX_BYTES)
                .is_ok_and(|bytes| manifest::is_header(Path::new(path), bytes))
    };
    let has_header = has_header(path, old) || has_header(renamed, new);
    let (old, new) = (side(path, old)?, side(renamed, new)?);
    let kind = if old.kind.is_empty() {
        new.kind
    } else {
        old.kind
    };
    let alike = |labels: LabelSet| LabelSet {
        kind: match labels.kind {
            "" => kind,
            kind => kind,
        },
        // git names the file, and the sides are temporary files.
        name: String::new(),
        ..labels
    };
    let diff = plan::diff(&alike(old), &alike(new));
    Ok(if diff.is_empty() && diff.summary.unknown == 0 {
        Compared::Text
    } else {
        let diff = Box::new(diff);
        Compared::Labels { diff, has_header }
    })
}

/// The files as a unified diff of their lines.
fn as_text((path, old): (&str, &str), (renamed, new): (&str, &str)) -> String {
    let read = |file: &str| match file {
        "/dev/null" => Some(String::new()),
        file => input::text(Path::new(file), input::MAX_BYTES).ok(),
    };
    match (read(old), read(new)) {
        (Some(old), Some(new)) => render::unified((&path, &old), (&renamed, &new), Color::Always),
        _ => "The files are not text.\n".to_owned(),
    }
}
