//! `validate`: checks and lints a manifest offline. Pictures, baseline, fixes and output; the rules are in `lint`.

use super::exit::{Exit, Failure};
use super::tracked::tracked;
use super::validate::{self, problem_text};
use super::{files, input, label_files, output};
use crate::lint::{self, Baseline, BaselineError, Finding, Linted, Picture, Pictures};
use crate::manifest::{self, Manifest, Overlay, Problem, Problems, Spot};
use crate::model::{Level, Rule};
use crate::pull::{self, Change, EditedInput, ExistingManifest, Layout, NewInputs};
use crate::render::{self, Unlisted, counted};
use rayon::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Check and lint a manifest offline
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// List the files of the manifest, and the files left out, with the reason
    #[arg(long = "files")]
    list: bool,
    /// How to print problems and findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail if there are warnings
    #[arg(long)]
    deny_warnings: bool,
    /// Report only findings that this file does not list
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings to this file, for --baseline
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Fix what can be fixed without a loss, in the manifest's files; `annosync help lint-rules` lists the rules
    #[arg(long)]
    fix: bool,
    #[command(flatten)]
    files: validate::Files,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, on stderr
    Text,
    /// One document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, which GitHub shows in a pull request
    Github,
}

/// The findings of a manifest that are neither ignored nor in the baseline.
struct Checked {
    new: Vec<Finding>,
    unlisted: Unlisted,
    /// Findings of the baseline that are gone.
    gone: u64,
    /// All findings that are not ignored.
    baseline: Baseline,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.list {
        output::result(&listed(&args.path, args.files))?;
    }
    let manifest = match validate::load_or_problems(&args.path, args.files)? {
        Ok(manifest) => manifest,
        Err(problems) => {
            print(args.format, &problems, Unlisted::default())?;
            return Err(validate::invalid(&problems));
        }
    };
    validate::report_missing(&manifest, args.files)?;
    lint(args, manifest)
}

/// The line about a valid manifest.
fn valid(manifest: &Manifest) -> String {
    let inputs = &manifest.desired.inputs;
    let annotations = inputs.iter().map(|input| input.annotations.len() as u64);
    format!(
        "The manifest is valid: set {}, {}, {}.\n",
        manifest.desired.set,
        render::counted(inputs.len() as u64, "input"),
        render::counted(annotations.sum(), "annotation"),
    )
}

/// Lists the files of the manifest, and those left out.
fn listed(path: &Path, files: validate::Files) -> String {
    let survey = manifest::survey(path, files.access(), &tracked);
    let mut text = String::new();
    for file in &survey.included {
        let file = file.strip_prefix(".").unwrap_or(file);
        // Writing to a string cannot fail.
        let name = file.display().to_string();
        let _ = writeln!(text, "belongs     {}", render::escape(&name));
    }
    let parts = [
        ("unreadable", &survey.unreadable, ""),
        ("missing   ", &survey.missing, ":"),
        ("left out  ", &survey.left_out, ":"),
    ];
    for (word, files, colon) in parts {
        for (file, why) in files {
            let file = file.strip_prefix("./").unwrap_or(file);
            let (file, why) = (render::escape(file), render::escape(why));
            let _ = writeln!(text, "{word}  {file}{colon} {why}");
        }
    }
    text
}

/// Lints a manifest, fixes it with --fix, and prints the result.
fn lint(args: &Args, mut manifest: Manifest) -> Result<Exit, Failure> {
    let (path, files) = (args.path.as_path(), args.files);
    if let Some(file) = &args.write_baseline {
        check_place(file, &manifest)?;
    }
    let known = args.baseline.as_deref().map(read_baseline).transpose()?;
    let mut checked = check(&manifest, known.as_ref());
    if args.fix && fix(path, files, &manifest, &checked.new)? {
        manifest = validate::load(path, files)?;
        checked = check(&manifest, known.as_ref());
    }
    if let Some(file) = &args.write_baseline {
        output::file(file, &checked.baseline.write())?;
        let written = checked.new.len() as u64;
        checked.unlisted.known += written;
        checked.new.clear();
        checked.gone = 0;
    }
    if checked.gone > 0 {
        output::message(&format!(
            "note: {} of the baseline no longer found: write it again with --write-baseline",
            counted(checked.gone, "finding")
        ));
    }
    let problems = located(&manifest, &checked.new);
    print(args.format, &problems, checked.unlisted)?;
    let count = |level: Level| problems.iter().filter(|it| it.level == level).count() as u64;
    let (errors, warnings) = (count(Level::Error), count(Level::Warn));
    let summary = summary(errors, warnings, checked.unlisted);
    if args.format == Format::Text {
        output::result(&(valid(&manifest) + &summary))?;
    }
    if errors > 0 {
        return Err(Failure::new(format!(
            "the linter found {}",
            counted(errors, "error")
        )));
    }
    if args.deny_warnings && warnings > 0 {
        return Err(Failure::new(format!(
            "--deny-warnings: the linter found {}",
            counted(warnings, "warning")
        ))
        .hint(
            "fix them, ignore them with `ignore` and a reason, or set their rules to `off` under `lint` in the header",
        ));
    }
    Ok(Exit::Done)
}

/// Prints problems in a format. Those of a text go to stderr, as other errors do.
fn print(format: Format, problems: &Problems, unlisted: Unlisted) -> Result<(), Failure> {
    match format {
        Format::Text if problems.is_empty() => {}
        Format::Text => output::styled_message(&problem_text(problems)),
        Format::Json => output::data(&render::findings_json(problems, unlisted))?,
        Format::Sarif => output::data(&render::findings_sarif(problems))?,
        Format::Github => output::result(&render::findings_github(problems))?,
    }
    Ok(())
}

/// The counts as a line; empty if all are zero.
fn summary(errors: u64, warnings: u64, unlisted: Unlisted) -> String {
    let mut parts = Vec::new();
    for (count, noun) in [(errors, "error"), (warnings, "warning")] {
        if count > 0 {
            parts.push(counted(count, noun));
        }
    }
    for (count, what) in [
        (unlisted.ignored, "ignored"),
        (unlisted.known, "in the baseline"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", render::thousands(count)));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("Linter: {}.\n", parts.join(", "))
}

fn check(manifest: &Manifest, known: Option<&Baseline>) -> Checked {
    let Linted { findings, ignored } = lint::check(manifest, &pictures(manifest));
    let baseline = Baseline::of(&findings);
    let (new, known, gone) = match known {
        Some(known) => known.divide(findings),
        None => (findings, Vec::new(), 0),
    };
    Checked {
        new,
        unlisted: Unlisted {
            ignored,
            known: known.len() as u64,
        },
        gone,
        baseline,
    }
}

/// The headers of the manifest's pictures.
fn pictures(manifest: &Manifest) -> Pictures {
    let level = |rule: &Rule| {
        let set = manifest.lint.get(rule).copied();
        set.unwrap_or_else(|| rule.default_level())
    };
    let mut rules = Rule::ALL.iter().filter(|rule| rule.is_of_pictures());
    if rules.all(|rule| level(rule) == Level::Off) {
        return Pictures::new();
    }
    let inputs = &manifest.desired.inputs;
    let read = inputs.par_iter().filter_map(|input| {
        let image = manifest.images.get(&input.id)?;
        let path = manifest.medium_path(input.origin, image.path.as_deref()?);
        let file = path.and_then(|path| manifest.media_folder.file(&path));
        let picture = match file {
            Ok(file) => files::picture(&file),
            Err((why, _)) => Picture::Unreadable(why),
        };
        Some((input.id.clone(), picture))
    });
    read.collect()
}

/// Findings with their places.
fn located(manifest: &Manifest, findings: &[Finding]) -> Problems {
    let related = findings
        .iter()
        .filter_map(|finding| finding.related.as_ref());
    let spots: Vec<Spot> = findings
        .iter()
        .map(|finding| finding.spot.clone())
        .chain(related.map(|(_, spot)| spot.clone()))
        .collect();
    let mut spans = manifest.spans(&spots);
    let mut others = spans.split_off(findings.len()).into_iter();
    let problems = findings.iter().zip(spans).map(|(finding, (path, span))| {
        let other = finding.related.as_ref().and_then(|(label, _)| {
            let (path, span) = others.next()?;
            let mut at = label_files::shown(&path).display().to_string();
            if let Some(span) = span {
                let _ = write!(at, ":{}:{}", span.line, span.column);
            }
            Some(format!("{label} {at}; "))
        });
        Problem {
            path,
            span,
            message: finding.message.clone(),
            hint: Some(other.unwrap_or_default() + &finding.hint),
            level: finding.level,
            rule: Some(finding.rule),
            identity: finding.identity(),
        }
    });
    Problems::new(problems.collect())
}

fn read_baseline(file: &Path) -> Result<Baseline, Failure> {
    let text = input::text(file, input::MAX_BYTES)?;
    Baseline::read(&text).map_err(|error| {
        let failure = match &error {
            BaselineError::Json(fault) => input::json_failure(file, fault),
            _ => Failure::new(format!("{}: {error}", file.display())),
        };
        failure.hint("write it with `annosync validate --write-baseline FILE`")
    })
}

/// Refuses a place for a baseline whose content would be lost: a file of the manifest, or any that is not a baseline.
fn check_place(file: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let refused = |why: &str| {
        let why = format!("{} {why}; nothing was written", file.display());
        Err(Failure::new(why).hint("name a new file for --write-baseline, or a baseline"))
    };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let place = real(file);
    let missing = manifest
        .missing_files
        .iter()
        .map(|(path, _)| path.as_path());
    let mut own = (manifest.files().chain(missing)).chain([manifest.header_file.as_path()]);
    if own.any(|own| label_files::shown(own) == label_files::shown(file) || real(own) == place) {
        return refused("is part of the manifest");
    }
    let has_content = std::fs::metadata(file).is_ok_and(|it| it.is_file() && it.len() > 0);
    let is_baseline = || {
        let text = input::text(file, input::MAX_BYTES);
        text.is_ok_and(|text| Baseline::read(&text).is_ok())
    };
    if has_content && !is_baseline() {
        return refused("exists, and is not a baseline");
    }
    Ok(())
}

/// Fixes what can be fixed. Returns whether anything was written.
fn fix(
    path: &Path,
    files: validate::Files,
    manifest: &Manifest,
    findings: &[Finding],
) -> Result<bool, Failure> {
    let fixable = findings.iter().filter(|finding| finding.is_fixable());
    let (count, edits) = (fixable.clone().count(), lint::edits(manifest, fixable));
    if edits.is_empty() {
        output::message("Nothing to fix.");
        return Ok(false);
    }
    validate::refuse_missing(manifest, files)?;
    let edited: Vec<EditedInput> = edits
        .into_iter()
        .map(|edit| EditedInput {
            input: edit.input,
            annotations: edit.annotations,
        })
        .collect();
    let read_back = |overlay: &Overlay| manifest::load_with(path, overlay, files.access());
    let over = ExistingManifest {
        manifest,
        text: &|file| manifest.text(file),
        new_inputs: NewInputs::LikeExisting,
        form: pull::Form::OneFile,
        shard: None,
        read_back: &read_back,
    };
    let pulled = pull::edit(&over, &edited).map_err(|error| validate::pull_failure(&error))?;
    let is_rewritten = |change: &Change| {
        matches!(
            change,
            Change::Changed {
                layout: Layout::Rewritten,
                ..
            }
        )
    };
    if let Some(file) = pulled.files.iter().find(|it| is_rewritten(&it.change)) {
        return Err(Failure::new(format!(
            "the layout of {} does not allow changes in place; nothing was written",
            label_files::shown(&file.path).display()
        ))
        .hint("write its `inputs:` and `annotations:` as block lists without anchors, or correct the findings by hand"));
    }
    label_files::check(&manifest.root, &pulled.files)?;
    let written = pulled.files.iter();
    label_files::write(written.map(|it| (it.path.clone(), it.content.as_slice())))?;
    let mut text = format!("Fixed {}:\n", counted(count as u64, "finding"));
    for file in &pulled.files {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {file}");
    }
    let dropped = findings
        .iter()
        .filter(|finding| finding.rule == Rule::Duplicate && finding.is_fixable());
    let dropped = dropped.count() as u64;
    if dropped > 0 {
        let _ = writeln!(
            text,
            "note: {} dropped: the next plan deletes the copies in the app, if it has them",
            counted(dropped, "duplicate")
        );
    }
    output::message(&text);
    Ok(true)
}
