//! CVAT XML 1.1 -> inputs with annotations: for images, and for video.
//!
//! An image is an input; so is the video of a task, of which each place of a track in a frame is an annotation.
//! `cvat/meta.rs` reads labels and tasks, `cvat/shape.rs` shapes, `cvat/fields.rs` metadata, `cvat/video.rs` and
//! `cvat/track.rs` videos and their tracks; `cvat/write.rs` exports.

mod fields;
mod meta;
mod shape;
mod track;
mod video;
mod write;

use super::account::{Imported, Media, Note};
use super::builder::{Builder, Object, ObjectName, Picture};
use super::error::ImportError;
use super::format::Format;
use super::options::ImportOptions;
use super::place::{NotPlaced, Shape};
use super::source::{Source, folder};
use super::xml::{self, Element, FileErrors, Xml};
use crate::model::{FileKind, escape};
use meta::Meta;
use smallvec::smallvec;
use video::Videos;
pub(super) use write::export;

const ROOT: &str = "annotations";

pub(super) fn import(
    source: &dyn Source,
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    let files = xml::files(source);
    if files.is_empty() {
        return Err(other_format("there is no XML file".to_owned()));
    }
    let mut builder = Builder::new(options);
    let mut interpolated = track::MAX_INTERPOLATED;
    let mut errors = FileErrors::default();
    for path in &files {
        let file = File { path, source };
        match file.read(&mut builder, &mut interpolated) {
            Ok(()) => errors.read(),
            Err(error) => {
                if errors.failed(path, error, &mut builder) {
                    builder.unassigned();
                }
            }
        }
    }
    errors.check(files.len())?;
    builder.finish()
}

/// Whether a file has the elements of CVAT.
pub(super) fn recognises(source: &dyn Source) -> bool {
    xml::files(source).iter().any(|path| {
        let head = source.head(path, FileKind::HEAD_BYTES);
        xml::root_of(&head).is_some_and(|(root, rest)| {
            let has = |tag: &str| rest.contains(tag);
            root == ROOT && (has("<version") || has("<meta") || has("<image ") || has("<track "))
        })
    })
}

fn other_format(why: String) -> ImportError {
    ImportError::OtherFormat {
        format: Format::Cvat,
        why,
    }
}

struct File<'s> {
    path: &'s str,
    source: &'s dyn Source,
}

impl File<'_> {
    fn read(&self, builder: &mut Builder<'_>, interpolated: &mut u64) -> Result<(), ImportError> {
        let xml = Xml::open(self.source, self.path)?;
        if xml.root() != ROOT {
            return Err(other_format(format!(
                "the root of {} is <{}>, and that of CVAT XML is <{ROOT}>",
                self.path,
                escape(xml.root())
            )));
        }
        builder.set_file(self.path);
        let mut meta = Meta::default();
        let mut videos: Option<Videos> = None;
        let (mut images, mut tracks) = (0, 0);
        xml.each(|element| {
            match element.name() {
                "meta" => meta = Meta::read(element, builder),
                "image" => {
                    images += 1;
                    self.image(element, &mut meta, builder);
                }
                "track" => {
                    let videos =
                        videos.get_or_insert_with(|| Videos::new(self.path, &meta, builder));
                    match videos.of(element) {
                        Ok(video) => {
                            let mut track = track::Track::new(element, tracks, &mut meta);
                            track.read(video, builder, interpolated);
                        }
                        Err(id) => track::left_out(element, tracks, &id, builder),
                    }
                    tracks += 1;
                }
                _ => return,
            }
            for place in xml::unresolved(element, self.path) {
                builder.note(Note::UnknownEntity, place);
            }
        })?;
        // A video that somebody looked at, and in which there is nothing.
        if images == 0 && videos.is_none() && meta.is_video {
            videos = Some(Videos::new(self.path, &meta, builder));
        }
        if let Some(videos) = videos {
            videos.note_times(builder);
        }
        Ok(())
    }

    fn image(&self, element: Element<'_>, meta: &mut Meta, builder: &mut Builder<'_>) {
        let name = element
            .attribute("name")
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let length = |name: &str| xml::length(element.attribute(name)?);
        let size = length("width").zip(length("height")).or_else(|| {
            let place = folder(self.path).to_owned();
            let images = [place.as_str(), "images"].join("/");
            xml::size_of_first(self.source, &[place, images], name?)
        });
        let at = builder.picture(Picture {
            file_name: name.map(str::to_owned),
            own_id: element.attribute("id").map(str::to_owned),
            size,
            media: Media::Image,
            ..Picture::default()
        });
        builder.reserve(at, element.children().count());
        for (index, child) in element.children().enumerate() {
            let name = ObjectName::Number(index);
            match object(child, size, meta, builder) {
                Ok(mut object) => {
                    object.name = name;
                    builder.object(at, object);
                }
                Err(NotPlaced { code, detail }) => builder.left_out(Some(at), name, code, detail),
            }
        }
    }
}

/// A shape or a tag of an image, without its name.
fn object(
    element: Element<'_>,
    size: Option<(u32, u32)>,
    meta: &mut Meta,
    builder: &mut Builder<'_>,
) -> Result<Object, NotPlaced> {
    let label = fields::label(element)?;
    let mut notes = Vec::new();
    let shape = match element.name() {
        "skeleton" => shape::skeleton(element, label, meta, &mut notes)?,
        "mask" => shape::mask(element, size, builder.options().overhang, &mut notes)?,
        "tag" => Shape::Whole,
        _ => shape::Outline::read(element)?.shape(&mut notes),
    };
    let mut object = Object {
        concepts: smallvec![(builder.class(label), 1.0)],
        shapes: smallvec![shape],
        notes,
        ..Object::default()
    };
    fields::read(element, None, label, meta, &mut object);
    Ok(object)
}

#[cfg(test)]
mod tests;
