//! `export`: the annotations of a manifest, or of a saved listing, in another format.

mod others;

use super::exit::{Exit, Failure};
use super::validate::{self, load_whole};
use super::{account, files, label_files, offline, output};
use crate::formats::{
    self, ExportAnnotation, ExportInput, Exported, Format, ImageInfo, Media, Shares,
};
use crate::manifest::{self, InputVideo, Manifest, Overlay};
use crate::model::{Identity, InputId, Json, Maker, ObservedState};
use crate::render::{counted, escape};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How many keys of metadata a message lists.
const MAX_KEYS: usize = 5;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format
    #[arg(value_parser = format())]
    format: Format,
    /// The manifest: a file, or a folder with all its files
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Folder to write to; a file, if the format needs only one
    #[arg(long, value_name = "DIR_OR_FILE")]
    out: PathBuf,
    /// Export the annotations of a saved listing, with the images of the manifest
    #[arg(long, value_name = "FILE")]
    observed: Option<PathBuf>,
    /// Folder of the images: the export names them relative to it
    #[arg(long, value_name = "DIR")]
    images: Option<String>,
    /// Divide the inputs by a hash of their ids, such as train=80,val=20: an input stays in its part when others come
    #[arg(long, value_name = "NAME=SHARE,…", conflicts_with = "split_by")]
    split: Option<Shares>,
    /// Divide the inputs by the value of this key of their annotations' metadata
    #[arg(long, value_name = "KEY")]
    split_by: Option<String>,
    /// Write nothing and fail if the format cannot hold everything
    #[arg(long)]
    strict: bool,
    /// Replace files that exist
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    files: validate::Files,
}

fn format() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::as_str)).map(|name| {
        let mut formats = Format::ALL.into_iter();
        let named = formats.find(|format| format.as_str() == name);
        named.expect("only names of formats are possible")
    })
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let manifest = match &args.observed {
        Some(_) if !manifest::has_header(&args.path) => None,
        _ => Some(load_whole(&args.path, args.files)?),
    };
    let mut inputs = match (&args.observed, &manifest) {
        (Some(listing), manifest) => {
            observed(&offline::read_listing(listing, None)?, manifest.as_ref())?
        }
        (None, Some(manifest)) => declared(manifest)?,
        (None, None) => unreachable!("without a listing, the manifest is loaded"),
    };
    for input in &mut inputs {
        if let (Some(images), Some(path)) = (&args.images, &mut input.image.path) {
            let folder = format!("{}/", images.trim_end_matches('/'));
            if let Some(below) = path.strip_prefix(&folder) {
                *path = below.to_owned();
            }
        }
        input.split = match (&args.split, &args.split_by) {
            (Some(shares), _) => Some(shares.part(&input.id)),
            (None, Some(key)) => split_by(input, key),
            (None, None) => None,
        };
    }
    if let Some(key) = &args.split_by {
        check_key(key, &inputs)?;
    }
    let vocabulary = manifest.as_ref().and_then(|it| it.vocabulary.as_deref());
    let exported = formats::export(args.format, &inputs, vocabulary.unwrap_or_default());
    output::message(account::of_export(&exported, account::places()).trim_end());
    let is_lossless =
        exported.skipped.is_empty() && !exported.notes.iter().any(|noted| noted.code.is_loss());
    if args.strict && !is_lossless {
        return Err(Failure::new(format!(
            "--strict: {} cannot hold everything; nothing was written",
            args.format.title()
        ))
        .hint("choose another format, or leave out --strict"));
    }
    write(args, manifest.as_ref(), exported)?;
    Ok(if is_lossless {
        Exit::Done
    } else {
        Exit::Partial
    })
}

/// The value of a key in the metadata of an input's annotations: that of the first with the key.
fn split_by(input: &ExportInput, key: &str) -> Option<String> {
    let value = input.annotations.iter().find_map(|annotation| {
        let metadata = annotation.content.metadata.as_ref()?.to_value();
        metadata.get(key).cloned()
    })?;
    Some(match value {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Refuses a key that no annotation has: every input would be without a part.
fn check_key(key: &str, inputs: &[ExportInput]) -> Result<(), Failure> {
    if inputs.is_empty() || inputs.iter().any(|input| input.split.is_some()) {
        return Ok(());
    }
    let annotations = inputs.iter().flat_map(|input| &input.annotations);
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for annotation in annotations {
        let metadata = annotation.content.metadata.as_ref().map(Json::to_value);
        if let Some(Value::Object(metadata)) = metadata {
            keys.extend(metadata.into_iter().map(|(key, _)| key));
        }
    }
    let failure = Failure::new(format!(
        "--split-by {}: no annotation has this key in its metadata; nothing was written",
        escape(key)
    ));
    Err(if keys.is_empty() {
        failure.hint("no annotation has metadata: divide the inputs with --split")
    } else {
        let keys: Vec<_> = keys.iter().take(MAX_KEYS).map(|key| escape(key)).collect();
        failure.hint(format!("keys that annotations have: {}", keys.join(", ")))
    })
}

fn declared(manifest: &Manifest) -> Result<Vec<ExportInput>, Failure> {
    let mut inputs = Vec::with_capacity(manifest.desired.inputs.len());
    for input in &manifest.desired.inputs {
        let annotations = input.annotations.iter().enumerate();
        inputs.push(ExportInput {
            media: media(manifest, &input.id)?,
            image: image(manifest, &input.id),
            annotations: annotations
                .filter(|(_, annotation)| annotation.identity != Identity::InputLevel)
                .map(|(number, annotation)| ExportAnnotation {
                    name: match &annotation.identity {
                        Identity::Id(id) => id.as_str().to_owned(),
                        Identity::Key(key) => key.as_str().to_owned(),
                        Identity::InputLevel | Identity::Content => {
                            format!("number {}", number + 1)
                        }
                    },
                    identity: annotation.identity.clone(),
                    content: annotation.content.clone(),
                })
                .collect(),
            split: None,
            id: input.id.clone(),
        });
    }
    Ok(inputs)
}

fn observed(
    state: &ObservedState,
    manifest: Option<&Manifest>,
) -> Result<Vec<ExportInput>, Failure> {
    let mut of_models = 0;
    let mut inputs = Vec::with_capacity(state.inputs.len());
    for (id, annotations) in &state.inputs {
        let mut exported = Vec::with_capacity(annotations.len());
        for annotation in annotations {
            match annotation.maker {
                Maker::User => {
                    let mut content = offline::content(annotation);
                    content.rare.change(|rare| {
                        (rare.status, rare.user, rare.info) = (None, None, None);
                    });
                    exported.push(ExportAnnotation {
                        name: annotation.id.as_str().to_owned(),
                        identity: Identity::Id(annotation.id.clone()),
                        content,
                    });
                }
                Maker::Model => of_models += 1,
                Maker::Input => {}
            }
        }
        inputs.push(ExportInput {
            id: id.clone(),
            media: match manifest {
                Some(manifest) => media(manifest, id)?,
                None => Media::Image,
            },
            image: manifest.map(|it| image(it, id)).unwrap_or_default(),
            annotations: exported,
            split: None,
        });
    }
    if of_models > 0 {
        output::message(&format!(
            "note: {} of models left out",
            counted(of_models, "annotation")
        ));
    }
    Ok(inputs)
}

/// The image or the video of an input, with its size if that is known.
fn image(manifest: &Manifest, id: &InputId) -> ImageInfo {
    let (path, url) = match (manifest.input_video(id), manifest.images.get(id)) {
        (Some(InputVideo::Path(path)), _) => (Some(path), None),
        (Some(InputVideo::Url(url)), _) => (None, Some(url)),
        (None, Some(image)) => (image.path.clone(), image.url.clone()),
        (None, None) => (None, None),
    };
    let size = files::declared_size(manifest, id);
    ImageInfo {
        path: path.map(String::from),
        url: url.map(String::from),
        size: size.map(|[width, height]| (width, height)),
    }
}

fn media(manifest: &Manifest, id: &InputId) -> Result<Media, Failure> {
    if manifest.input_video(id).is_some() {
        return Ok(Media::Video);
    }
    let text = manifest.read_text(id);
    let text = text.map_err(|(why, hint)| Failure::new(format!("{id}: {why}")).hint(hint))?;
    Ok(text.map_or(Media::Image, Media::Text))
}

/// Writes all files or none.
fn write(args: &Args, manifest: Option<&Manifest>, exported: Exported) -> Result<(), Failure> {
    let is_folder = args.out.is_dir() || args.out.extension().is_none() || exported.files.len() > 1;
    let files: Vec<(PathBuf, Vec<u8>)> = exported
        .files
        .into_iter()
        .map(|(path, bytes)| {
            let path = if is_folder {
                args.out.join(path)
            } else {
                args.out.clone()
            };
            (path, bytes)
        })
        .collect();
    if files.is_empty() {
        return output::result("Nothing to write: there are no inputs.\n");
    }
    let exists = |path: &Path, bytes: &[u8]| {
        path.symlink_metadata().is_ok() && !label_files::holds(path, bytes)
    };
    let existing: Vec<&Path> = files
        .iter()
        .filter(|(path, bytes)| exists(path, bytes))
        .map(|(path, _)| path.as_path())
        .collect();
    if let ([first, ..], false) = (&existing[..], args.overwrite) {
        return Err(Failure::new(format!(
            "{} with other content, first {}; nothing was written",
            match existing.len() {
                1 => "a file exists".to_owned(),
                count => format!("{count} files exist"),
            },
            first.display()
        ))
        .hint("choose another --out, or replace them with --overwrite"));
    }
    if let Some(manifest) = manifest {
        refuse_labels(args, manifest, &files)?;
    }
    if is_folder {
        others::check(&args.out, args.overwrite, manifest, &files)?;
    }
    let count = files.len() as u64;
    label_files::write(
        files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.as_slice())),
    )?;
    output::result(&format!(
        "Wrote {} to {}.\n",
        counted(count, "file"),
        args.out.display()
    ))
}

/// Refuses files that the manifest would read as its own.
fn refuse_labels(
    args: &Args,
    manifest: &Manifest,
    files: &[(PathBuf, Vec<u8>)],
) -> Result<(), Failure> {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let root = absolute(&manifest.root);
    let is_label_file = |path: &&(PathBuf, Vec<u8>)| {
        manifest::Format::of(&path.0).is_some() && absolute(&path.0).starts_with(&root)
    };
    let Some((first, _)) = files.iter().find(is_label_file) else {
        return Ok(());
    };
    let below = absolute(first);
    let place = manifest
        .root
        .join(below.strip_prefix(&root).unwrap_or(first));
    if !manifest::would_be_left_out(&manifest.root, [place.as_path()]).is_empty() {
        return Ok(());
    }
    let overlay = Overlay::from([(place.clone(), b"inputs: []\n".to_vec())]);
    let read = manifest::load_with(&manifest.root, &overlay, args.files.access());
    let belongs = read.map_or(true, |read| read.files().any(|file| file == place));
    if !belongs {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} would be read as part of the manifest; nothing was written",
        first.display()
    ))
    .hint("choose an --out outside the manifest, or list only the label files under `files:` in the header"))
}
