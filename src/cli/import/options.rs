//! Options that all formats of an import have.

use crate::cli::validate::Files;
use crate::cli::values;
use crate::formats::InputIdFrom;
use crate::model::SetName;
use std::path::PathBuf;

/// Options that all formats have.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one flag of the command line each"
)]
pub(crate) struct Common {
    /// Where to write: a .yaml, .json or .jsonl file, or a folder with one file per input
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub(super) out: PathBuf,
    /// How new inputs are written to a folder: one YAML file per input, or one file with one input per line
    #[arg(long, value_enum, default_value_t = Form::Yaml)]
    pub(super) format: Form,
    /// What an input's id is made from
    #[arg(long, value_enum, default_value_t = InputIdArg::Path)]
    input_id: InputIdArg,
    /// Folder of the images, as the manifest should name it
    #[arg(long, value_name = "DIR")]
    pub(super) images: Option<String>,
    /// Write concepts in lower case with dashes
    #[arg(long)]
    pub(super) slug: bool,
    /// Write nothing and fail if anything in the file cannot be imported
    #[arg(long)]
    pub(super) strict: bool,
    /// Also declare images with left-out annotations: under policy sync, a plan deletes what was left out
    #[arg(long)]
    pub(super) allow_incomplete: bool,
    /// Add missing concepts to the header's vocabulary
    #[arg(long)]
    pub(super) extend_vocabulary: bool,
    /// Name of the set in a new header; default: made from the folder's name
    #[arg(long, value_name = "NAME", value_parser = values::set)]
    pub(super) set: Option<SetName>,
    #[command(flatten)]
    pub(super) files: Files,
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

impl Common {
    pub(super) fn input_id(&self) -> InputIdFrom {
        match self.input_id {
            InputIdArg::Path => InputIdFrom::Path,
            InputIdArg::WholePath => InputIdFrom::WholePath,
            InputIdArg::FileStem => InputIdFrom::FileStem,
            InputIdArg::FileName => InputIdFrom::FileName,
            InputIdArg::ImageId => InputIdFrom::ImageId,
        }
    }
}
