//! Options of an import.

use crate::cli::validate::Files;
use crate::cli::values;
use crate::formats::{
    ConceptNames, Corners, Frames, ImportOptions, InputIdFrom, MultiRing, Overhang, Scores,
};
use crate::model::SetName;
use std::path::PathBuf;

/// Options that all formats have.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Where to write: a .yaml, .json or .jsonl file, or a folder with one file per input
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub(super) out: PathBuf,
    /// How new inputs are written to a folder: one YAML file per input, or one file with one input per line
    #[arg(long, value_enum, default_value_t = Form::Yaml)]
    pub(super) format: Form,
    /// Add missing concepts to the header's vocabulary
    #[arg(long)]
    pub(super) extend_vocabulary: bool,
    /// Name of the set in a new header; default: made from the folder's name
    #[arg(long, value_name = "NAME", value_parser = values::set)]
    pub(super) set: Option<SetName>,
    #[command(flatten)]
    pub(super) content: Content,
}

/// What is imported, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Content {
    /// Folder of the images, as the manifest should name it
    #[arg(long, value_name = "DIR")]
    pub(super) images: Option<String>,
    /// Write nothing and fail if anything in the file cannot be imported
    #[arg(long)]
    pub(super) strict: bool,
    /// Also declare images with left-out annotations: under policy sync, a plan deletes what was left out
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) files: Files,
}

/// How the files of another tool are read.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag of the command line each"
)]
pub(crate) struct Reading {
    /// What an input's id is made from
    #[arg(long, value_enum, default_value_t = InputIdArg::Path)]
    input_id: InputIdArg,
    /// Write concepts in lower case with dashes
    #[arg(long)]
    pub(super) slug: bool,
    /// How to import an object with several rings
    #[arg(long, value_enum, default_value_t = MultiRingArg::Split)]
    multi_ring: MultiRingArg,
    /// Import the score of a detection as the concept's value instead of leaving it out
    #[arg(long)]
    scores: bool,
    /// Clip shapes that extend outside the image instead of leaving them out
    #[arg(long)]
    clip: bool,
    /// Pascal VOC: the first pixel is 1, and xmax and ymax are the last pixels of the box, as in the original data
    #[arg(long)]
    one_based: bool,
    /// Tracks: also import the frames between key frames, with a linear position
    #[arg(long)]
    interpolate: bool,
    /// Frames per second of videos, for files that have only frame numbers
    #[arg(long, value_name = "NUMBER", value_parser = values::positive)]
    frame_rate: Option<f64>,
    /// Import only the work of this annotator: an id or an email address
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    Yaml,
    /// One input per line
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum InputIdArg {
    /// The relative path without its extension, with dashes: `a/1.jpg` is a-1; for a URL or an absolute path, the last
    /// part
    #[value(name = "path")]
    Path,
    /// The same, with the whole path of a URL or an absolute path
    #[value(name = "whole_path")]
    WholePath,
    /// The file name without folders and extension
    #[value(name = "file_stem")]
    FileStem,
    /// The file name unchanged
    #[value(name = "file_name")]
    FileName,
    /// The image's id
    #[value(name = "image_id")]
    ImageId,
}

impl Reading {
    pub(crate) fn import_options(&self, images: Option<String>) -> ImportOptions {
        fn choose<T>(flag: bool, set: T, unset: T) -> T {
            if flag { set } else { unset }
        }
        ImportOptions {
            input_id: self.input_id(),
            concepts: choose(self.slug, ConceptNames::Slug, ConceptNames::AsNamed),
            overhang: choose(self.clip, Overhang::Clip, Overhang::LeaveOut),
            multi_ring: match self.multi_ring {
                MultiRingArg::Split => MultiRing::Split,
                MultiRingArg::Largest => MultiRing::Largest,
                MultiRingArg::Box => MultiRing::Box,
            },
            scores: choose(self.scores, Scores::Values, Scores::LeaveOut),
            corners: choose(self.one_based, Corners::FromOne, Corners::FromZero),
            frames: choose(self.interpolate, Frames::Interpolated, Frames::Listed),
            frame_rate: self.frame_rate,
            annotator: self.annotator.clone(),
            images,
        }
    }

    fn input_id(&self) -> InputIdFrom {
        match self.input_id {
            InputIdArg::Path => InputIdFrom::Path,
            InputIdArg::WholePath => InputIdFrom::WholePath,
            InputIdArg::FileStem => InputIdFrom::FileStem,
            InputIdArg::FileName => InputIdFrom::FileName,
            InputIdArg::ImageId => InputIdFrom::ImageId,
        }
    }
}
