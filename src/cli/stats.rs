//! `stats`: the labels of a manifest, or of a saved listing, in numbers.

use super::exit::{Exit, Failure};
use super::formats::{self, ExtraOutput, Format, Outputs};
use super::validate::{self, load};
use super::{files, offline, output};
use crate::manifest::{self, Manifest};
use crate::model::{Content, FileKind, Identity, Kind, Maker, ObservedState};
use crate::render::{self, counted};
use crate::stats::{Counter, Labelled, Stats};
use std::path::{Path, PathBuf};

/// Count the labels of a manifest
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Count the annotations of a saved listing, with the image sizes of the manifest
    #[arg(long, value_name = "FILE")]
    observed: Option<PathBuf>,
    /// How to print the numbers
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also write the numbers to FILE, as text, markdown, html or json; repeatable
    #[arg(long, value_name = "FORMAT=FILE", value_parser = formats::file_only)]
    also: Vec<ExtraOutput>,
    #[command(flatten)]
    files: validate::Files,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let read: Vec<&Path> = std::iter::once(&*args.path)
        .chain(args.observed.as_deref())
        .collect();
    let outputs = Outputs {
        format: args.format,
        also: &args.also,
        out: None,
        read: &read,
        kinds: &[FileKind::Report],
    };
    outputs.check(false)?;
    let manifest = match &args.observed {
        Some(_) if !manifest::has_header(&args.path) => None,
        _ => Some(load(&args.path, args.files)?),
    };
    let stats = match (&args.observed, &manifest) {
        (Some(listing), manifest) => {
            observed(&offline::read_listing(listing, None)?, manifest.as_ref())
        }
        (None, Some(manifest)) => declared(manifest),
        (None, None) => unreachable!("without a listing, the manifest is loaded"),
    };
    let text = |format| match format {
        Format::Text => render::stats_text(&stats),
        Format::Json => render::stats_json(&stats),
        Format::Markdown => render::stats_markdown(&stats),
        Format::Html => render::stats_html(&stats),
    };
    formats::write(&args.also, text)?;
    match args.format {
        Format::Text => output::result(&text(Format::Text))?,
        format => output::data(&text(format))?,
    }
    Ok(Exit::Done)
}

fn declared(manifest: &Manifest) -> Stats {
    let mut counter = Counter::default();
    for input in &manifest.desired.inputs {
        let annotations = input.annotations.iter().map(|annotation| Labelled {
            kind: match (&annotation.identity, &annotation.content.geometry) {
                (Identity::InputLevel, _) => "input_level",
                // The app knows its place.
                (Identity::Id(_), None) => "declared only by id",
                _ => name(annotation.geometry().kind()),
            },
            content: &annotation.content,
        });
        counter.add(files::declared_size(manifest, &input.id), annotations);
    }
    counter.finish()
}

fn observed(state: &ObservedState, manifest: Option<&Manifest>) -> Stats {
    let mut counter = Counter::default();
    let mut of_models = 0;
    for (id, annotations) in &state.inputs {
        let mut contents: Vec<(&'static str, Content)> = Vec::with_capacity(annotations.len());
        for annotation in annotations {
            match annotation.maker {
                Maker::User => {
                    let kind = name(annotation.geometry.kind());
                    contents.push((kind, annotation.content()));
                }
                Maker::Model => of_models += 1,
                // Every input has one; it is a label if it names concepts.
                Maker::Input if annotation.concepts.is_empty() => {}
                Maker::Input => contents.push(("input_level", annotation.content())),
            }
        }
        let size = manifest.and_then(|manifest| files::declared_size(manifest, id));
        let labelled = contents
            .iter()
            .map(|(kind, content)| Labelled { kind, content });
        counter.add(size, labelled);
    }
    if of_models > 0 {
        output::message(&format!(
            "note: {} of models left out",
            counted(of_models, "annotation")
        ));
    }
    counter.finish()
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Whole => "whole input",
        Kind::Box => "box",
        Kind::Polygon => "polygon",
        Kind::Point => "point",
        Kind::Keypoints => "keypoints",
        Kind::Mask => "mask",
        Kind::Span => "span",
        Kind::Segment => "segment",
        Kind::Region => "region",
        Kind::Unmodelled => "unknown",
    }
}
