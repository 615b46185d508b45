//! `import`: annotations of another format, merged into a manifest.
//!
//! `formats` reads the file, `import/account.rs` reports what was left out, `import/merge.rs` merges the result into the
//! manifest of `import/project.rs`. Only this file depends on the format.

mod account;
mod merge;
mod options;
mod project;
mod vocabulary;

use super::exit::{Exit, Failure};
use super::input;
use super::{kind, output};
use crate::formats::Imported;
use crate::formats::coco::{
    self, CocoError, CocoOptions, ConceptNames, MultiRing, Overhang, Scores,
};
use crate::model::{FileKind, Kind};
use crate::render::escape;
use options::Common;
use std::path::{Path, PathBuf};

/// Import annotations of another format into a manifest
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Import {
    /// A COCO file: boxes, polygons, masks and keypoints
    Coco(CocoArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CocoArgs {
    /// The COCO file
    file: PathBuf,
    #[command(flatten)]
    common: Common,
    /// How to import an object with several rings
    #[arg(long, value_enum, default_value_t = MultiRingArg::Split)]
    multi_ring: MultiRingArg,
    /// Import `score` as the concept's value instead of leaving it out
    #[arg(long)]
    scores: bool,
    /// Clip shapes that extend outside the image instead of leaving them out
    #[arg(long)]
    clip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum MultiRingArg {
    /// One polygon per ring, with the same `part_of` in their metadata
    Split,
    /// Only the largest ring
    Largest,
    /// The box around all rings
    Box,
}

pub(crate) fn run(import: Import) -> Result<Exit, Failure> {
    let Import::Coco(args) = import;
    kind::expect(&args.file, &[FileKind::Coco], "a COCO file")?;
    let json = input::text(&args.file, input::MAX_BYTES)?;
    let options = CocoOptions {
        input_id: args.common.input_id(),
        concepts: if args.common.slug {
            ConceptNames::Slug
        } else {
            ConceptNames::AsNamed
        },
        overhang: if args.clip {
            Overhang::Clip
        } else {
            Overhang::LeaveOut
        },
        multi_ring: match args.multi_ring {
            MultiRingArg::Split => MultiRing::Split,
            MultiRingArg::Largest => MultiRing::Largest,
            MultiRingArg::Box => MultiRing::Box,
        },
        scores: if args.scores {
            Scores::Values
        } else {
            Scores::LeaveOut
        },
        images: args.common.images.clone(),
    };
    let imported = coco::import(json.as_bytes(), &options).map_err(|error| {
        let failure = match &error {
            CocoError::Syntax(fault) => input::json_failure(&args.file, fault),
            _ => Failure::new(format!(
                "{}: {}",
                args.file.display(),
                escape(&error.to_string())
            )),
        };
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    finish(&args.common, &args.file, imported, &coco::KINDS)
}

/// Reports what was left out, and writes the rest.
fn finish(
    common: &Common,
    file: &Path,
    mut imported: Imported,
    kinds: &[Kind],
) -> Result<Exit, Failure> {
    let places = if tracing::enabled!(tracing::Level::DEBUG) {
        account::Places::All
    } else {
        account::Places::First
    };
    output::message(account::account(&imported, places).trim_end());
    let is_lossless = !imported.has_losses();
    if common.strict && !is_lossless {
        return Err(Failure::new(format!(
            "--strict: {} cannot be imported in full; nothing was written",
            file.display()
        ))
        .hint("fix the file, or leave out --strict"));
    }
    let incomplete = if common.allow_incomplete {
        Vec::new()
    } else {
        imported.take_incomplete()
    };
    merge::merge(common, file, imported, &incomplete, kinds)?;
    Ok(if is_lossless {
        Exit::Done
    } else {
        Exit::Partial
    })
}
