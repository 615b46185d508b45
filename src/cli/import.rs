//! `import`: annotations of another format as a manifest.

use super::exit::{Exit, Failure};
use super::input;
use super::output;
use crate::formats::coco::{self, CocoOptions, ConceptNames, Imported, InputIdFrom, Overhang};
use crate::manifest::write::{WritableInput, write_header, write_json, write_jsonl, write_yaml};
use crate::manifest::{Header, Image, TargetSpec};
use crate::model::{InputId, Policy, SetName};
use crate::render::{escape, thousands};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Write annotations of another format as a manifest
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Import {
    /// A COCO file: boxes and polygons
    Coco(CocoArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CocoArgs {
    /// The COCO file
    file: PathBuf,
    /// Where to write: a .yaml, .json or .jsonl file, or a folder that gets one file an input
    #[arg(long, value_name = "DIR_OR_FILE")]
    out: PathBuf,
    /// What an input is called after
    #[arg(long, value_enum, default_value_t = InputIdArg::FileStem)]
    input_id: InputIdArg,
    /// The folder that the images are in, as the manifest is to name it
    #[arg(long, value_name = "DIR")]
    images: Option<String>,
    /// Concepts in lower case with dashes
    #[arg(long)]
    slug: bool,
    /// Clip what reaches out of the image instead of leaving it out
    #[arg(long)]
    clip: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InputIdArg {
    /// The file name without folders and ending; with folders where two would be the same
    #[value(name = "file_stem")]
    FileStem,
    /// The file name as the file has it
    #[value(name = "file_name")]
    FileName,
    /// The image's id
    #[value(name = "image_id")]
    ImageId,
}

pub(crate) fn run(import: Import) -> Result<Exit, Failure> {
    let Import::Coco(args) = import;
    let json = input::text(&args.file, input::LARGEST)?;
    let options = CocoOptions {
        input_id: match args.input_id {
            InputIdArg::FileStem => InputIdFrom::FileStem,
            InputIdArg::FileName => InputIdFrom::FileName,
            InputIdArg::ImageId => InputIdFrom::ImageId,
        },
        concepts: if args.slug {
            ConceptNames::Slug
        } else {
            ConceptNames::AsNamed
        },
        overhang: if args.clip {
            Overhang::Clip
        } else {
            Overhang::LeaveOut
        },
        images: args.images,
    };
    let imported = coco::import(json.as_bytes(), &options).map_err(|error| {
        Failure::new(format!(
            "{}: {}",
            args.file.display(),
            escape(&error.to_string())
        ))
    })?;
    output::talk(&account(&imported));
    let inputs = writable(imported);
    let written = if form_of(&args.out).is_some() {
        one_file(&args.out, &inputs)?
    } else {
        folder(&args.out, &inputs)?
    };
    output::result(&written)?;
    Ok(Exit::Done)
}

/// What was left out, what was taken over in another form, and how much of it all there is.
fn account(imported: &Imported) -> String {
    let mut text = String::new();
    for skipped in &imported.skipped {
        let annotation = skipped
            .annotation
            .as_deref()
            .map_or(String::new(), |id| format!(" annotation {}", escape(id)));
        let image = skipped
            .image
            .as_deref()
            .map_or(String::new(), |image| format!(" image {}", escape(image)));
        let _ = writeln!(
            text,
            "left out: {}:{annotation}{image}: {}",
            skipped.code,
            escape(&skipped.detail)
        );
    }
    for (note, count) in &imported.notes {
        let _ = writeln!(text, "note: {note}: {}", thousands(*count));
    }
    for (code, count) in imported.skipped_by_code() {
        let _ = writeln!(text, "left out: {code}: {}", thousands(count));
    }
    let _ = writeln!(
        text,
        "{} of {} annotations on {} of {} images, {} categories.",
        thousands(imported.taken_over() as u64),
        thousands(imported.annotations as u64),
        thousands(imported.inputs.len() as u64),
        thousands(imported.images as u64),
        thousands(imported.categories as u64),
    );
    text
}

fn writable(imported: Imported) -> Vec<WritableInput> {
    let image = |info: coco::ImageInfo| {
        let (width, height) = info
            .size
            .map_or((None, None), |(width, height)| (Some(width), Some(height)));
        (info.path.is_some() || width.is_some()).then_some(Image {
            path: info.path.map(String::into_boxed_str),
            width,
            height,
        })
    };
    imported
        .inputs
        .into_iter()
        .map(|each| WritableInput {
            image: image(each.image),
            ..WritableInput::from(&each.input)
        })
        .collect()
}

/// How a manifest is written: as the file's ending says.
fn form_of(path: &Path) -> Option<fn(&[WritableInput]) -> String> {
    match path.extension()?.to_str()? {
        "yaml" | "yml" => Some(write_yaml),
        "json" => Some(write_json),
        "jsonl" => Some(write_jsonl),
        _ => None,
    }
}

fn one_file(path: &Path, inputs: &[WritableInput]) -> Result<String, Failure> {
    let write = form_of(path).unwrap_or(write_yaml);
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        create(folder)?;
    }
    output::file(path, &write(inputs))?;
    if header_above(path).is_none() {
        output::talk(
            "hint: a manifest needs a header too, by custom in annosync.yaml beside the inputs",
        );
    }
    Ok(format!("Wrote {}.\n", path.display()))
}

/// One file an input. A file that would not change is not written, and one that this import does not make is left as
/// it is, and named: whether its inputs are gone is for a person to say.
fn folder(folder: &Path, inputs: &[WritableInput]) -> Result<String, Failure> {
    create(folder)?;
    let files: BTreeMap<String, &WritableInput> = inputs
        .iter()
        .map(|input| (file_name(&input.id), input))
        .collect();
    let mut written = 0_u64;
    for (name, input) in &files {
        let path = folder.join(name);
        let text = write_yaml(std::slice::from_ref(*input));
        if std::fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
            continue;
        }
        output::file(&path, &text)?;
        written += 1;
    }
    let mut said = format!(
        "Wrote {} of {} files in {}.\n",
        thousands(written),
        thousands(files.len() as u64),
        folder.display()
    );
    if header_above(&folder.join("x")).is_none() {
        let path = folder.join(HEADER);
        output::file(&path, &new_header(folder)?)?;
        let _ = writeln!(said, "Wrote {}: read it before you apply.", path.display());
    }
    for other in others(folder, &files)? {
        output::talk(&format!(
            "warning: {} is not of this import; delete it if its inputs are gone",
            other.display()
        ));
    }
    Ok(said)
}

const HEADER: &str = "annosync.yaml";

fn create(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
    })
}

/// The nearest annosync.yaml beside or above a file.
fn header_above(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(HEADER))
        .find(|header| header.is_file())
}

/// A header that works at once, on a store in the folder itself.
fn new_header(folder: &Path) -> Result<String, Failure> {
    let name = std::path::absolute(folder).ok();
    let name = name
        .as_deref()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().to_lowercase());
    let plain: String = name
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    let set = SetName::new(plain)
        .or_else(|_| SetName::new("import"))
        .map_err(Failure::new)?;
    let local = TargetSpec::Embedded {
        path: PathBuf::from(".annosync/local.db"),
    };
    let header = Header {
        target: Some("local".to_owned()),
        targets: BTreeMap::from([("local".to_owned(), local)]),
        ..Header::new(set, Policy::Sync)
    };
    Ok(write_header(&header))
}

/// Manifest files of a folder that an import did not write.
fn others(
    folder: &Path,
    files: &BTreeMap<String, &WritableInput>,
) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| {
        Failure::new(format!(
            "cannot read the folder {}: {error}",
            folder.display()
        ))
    };
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if path.is_file()
            && form_of(&path).is_some()
            && name != HEADER
            && !files.contains_key(&name)
        {
            others.push(path);
        }
    }
    others.sort();
    Ok(others)
}

/// A file name for an input's id: plain characters stand for themselves, others are percent-encoded, so that no two ids
/// share a file and none leads out of the folder.
fn file_name(id: &InputId) -> String {
    let mut name = String::new();
    for byte in id.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => {
                let _ = write!(name, "%{byte:02X}");
            }
        }
    }
    // File systems end at 255 bytes.
    if name.len() > 200 {
        let hash = crate::model::key_id(
            &SetName::new("file").expect("a plain word is a set name"),
            id,
            &crate::model::Key::new("name").expect("a plain word is a key"),
        );
        name.truncate(160);
        name.push_str(hash.as_str());
    }
    name + ".yaml"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leads_out_of_the_folder_and_no_two_share_a_file() {
        for (id, file) in [
            ("street-1", "street-1.yaml"),
            ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.yaml"),
            ("batch_1/000006.jpg", "batch_1%2F000006.jpg.yaml"),
            (".hidden", "%2Ehidden.yaml"),
            ("100%", "100%25.yaml"),
        ] {
            assert_eq!(file_name(&InputId::new(id).unwrap()), file);
        }
        let long = |end: &str| file_name(&InputId::new("x".repeat(300) + end).unwrap());
        assert!(long("a").len() < 255);
        assert_ne!(long("a"), long("b"));
    }
}
