//! Pascal VOC -> inputs with annotations: one XML file for each picture.
//!
//! Pictures are named after the path of the XML file, so that files of the same name in two folders stay apart.
//! `voc/name.rs` finds that name, `voc/object.rs` reads objects, `voc/write.rs` exports. Many files are parsed at once; the order of the result
//! is that of their paths.

mod name;
mod object;
mod write;

use super::account::{Imported, Note};
use super::builder::{Builder, Picture, Ready};
use super::error::ImportError;
use super::format::Format;
use super::options::{Corners, ImportOptions};
use super::parallel::in_batches;
use super::source::{Source, file_name, text};
use super::xml::{self, FileErrors, Xml};
use crate::model::FileKind;
pub(super) use write::export;

/// What is parsed before it is added up: bounds the memory.
const FILES_AT_ONCE: usize = 512;

const ROOT: &str = "annotation";

pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let files = xml::files(source);
    if files.is_empty() {
        return Err(other_format("there is no XML file".to_owned()));
    }
    let mut builder = Builder::new(options);
    let mut has_box = false;
    let mut errors = FileErrors::default();
    in_batches(
        &files,
        FILES_AT_ONCE,
        |_, path| read(path, source, options),
        |path, labels| match labels {
            Ok(labels) => {
                errors.read();
                has_box |= !labels.objects.is_empty();
                add(labels, &mut builder);
            }
            Err(error) => {
                errors.failed(path, error, &mut builder);
            }
        },
    );
    errors.check(files.len())?;
    if has_box && options.corners == Corners::FromZero {
        builder.note(Note::CornersFromZero, "all boxes");
    }
    builder.finish()
}

/// Whether a file has the elements of Pascal VOC. LabelMe's old XML has the same root, and polygons for boxes.
pub(super) fn recognises(source: &dyn Source) -> bool {
    xml::files(source).iter().any(|path| {
        let head = source.head(path, FileKind::HEAD_BYTES);
        xml::root_of(&head).is_some_and(|(root, rest)| {
            let has = |tag: &str| rest.contains(tag);
            root == ROOT && (has("<size") || has("<bndbox") || has("<segmented"))
        })
    })
}

fn other_format(why: String) -> ImportError {
    ImportError::OtherFormat {
        format: Format::Voc,
        why,
    }
}

/// The labels of one picture.
struct Labels {
    picture: Picture,
    is_named_after_file: bool,
    objects: Vec<Ready>,
    /// The account of references to unknown entities.
    unresolved: Vec<String>,
}

fn read(path: &str, source: &dyn Source, options: &ImportOptions) -> Result<Labels, ImportError> {
    let text = text(source, path)?;
    let xml = Xml::whole(path, text)?;
    if xml.root() != ROOT {
        let root = crate::model::escape(xml.root());
        return Err(other_format(format!(
            "the root of {path} is <{root}>, and that of Pascal VOC is <{ROOT}>"
        )));
    }
    let (mut filename, mut own_path, mut size) = (None, None, None);
    let mut objects = Vec::new();
    let mut unresolved = Vec::new();
    let tree = xml.children()?;
    for element in tree.elements() {
        match element.name() {
            "filename" => filename = Some(element.text().to_owned()),
            "path" => own_path = Some(element.text().to_owned()),
            "size" => {
                let length = |name: &str| xml::length(element.text_of(name)?);
                size = length("width").zip(length("height"));
            }
            "object" => objects.push(object::read(element, objects.len(), options.corners)),
            _ => continue,
        }
        unresolved.extend(xml::unresolved(element, path));
    }
    let first = (filename.as_deref()).and_then(|name| beside_first(path, name, source));
    let xml = first.as_deref().unwrap_or(path);
    let name = name::picture_name(xml, filename.as_deref(), own_path.as_deref());
    let size = size.or_else(|| xml::size_of_first(source, &name::folders(path), name.last()));
    // In a list of their own size: the one that grew would leave gaps among what is kept.
    let mut placed = Vec::with_capacity(objects.len());
    let objects = objects.into_iter();
    placed.extend(objects.map(|read| read.map(|object| object.placed(size, options))));
    Ok(Labels {
        picture: Picture {
            file_name: Some(name.path),
            own_id: Some(xml::without_xml(path).to_owned()),
            size,
            ..Picture::default()
        },
        is_named_after_file: name.is_own,
        objects: placed,
        unresolved,
    })
}

/// The XML file beside which an export wrote this one with a number, as their images differ only by their extensions:
/// `a.xml` of `a.jpg` for `a-2.xml` of `a.png`.
fn beside_first(path: &str, filename: &str, source: &dyn Source) -> Option<String> {
    let (stem, _) = filename.rsplit_once('.')?;
    let (before, number) = xml::without_xml(path).rsplit_once('-')?;
    if file_name(before) != stem || number.parse::<u64>().is_err() {
        return None;
    }
    let first = format!("{before}.xml");
    source.files().binary_search(&first).ok()?;
    let other = text(source, &first).ok()?;
    let same = format!("<filename>{}</filename>", xml::escaped(filename));
    (other.contains("<filename>") && !other.contains(&same)).then_some(first)
}

fn add(labels: Labels, builder: &mut Builder<'_>) {
    for place in labels.unresolved {
        builder.note(Note::UnknownEntity, place);
    }
    if labels.is_named_after_file {
        let name = labels.picture.file_name.clone().unwrap_or_default();
        builder.note(Note::NamedAfterFile, name);
    }
    let at = builder.picture(labels.picture);
    builder.reserve(at, labels.objects.len());
    for object in labels.objects {
        builder.ready(at, object);
    }
}

#[cfg(test)]
pub(in crate::formats) mod tests;
