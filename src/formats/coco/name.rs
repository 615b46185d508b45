//! What the inputs of an import are called, and where their pictures are.
//!
//! Two images must never become one input: the labels of one would be deleted for the other's.

use super::InputIdFrom;
use super::raw::Image;
use crate::model::{InputId, InvalidId};
use std::collections::BTreeMap;

/// Two images that would become the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The input's id.
    pub id: String,
    /// File name of one image.
    pub first: String,
    /// File name of the other image.
    pub second: String,
}

/// How many collisions an error lists; one renamed folder can make thousands.
const LISTED: usize = 10;

pub(super) fn describe(collisions: &[Collision]) -> String {
    let mut lines: Vec<String> = collisions
        .iter()
        .take(LISTED)
        .map(|Collision { id, first, second }| {
            format!("{first:?} and {second:?} would both be the input {id:?}")
        })
        .collect();
    if collisions.len() > LISTED {
        lines.push(format!("and {} more", collisions.len() - LISTED));
    }
    lines.join("\n")
}

/// A text that cannot be an input's id.
pub(super) struct Invalid {
    pub(super) text: String,
    pub(super) error: InvalidId,
}

/// The id of each image's input, in the order of the images; nothing for an image without a name.
pub(super) fn input_ids(
    images: &[&Image],
    from: InputIdFrom,
) -> Result<Vec<Option<Result<InputId, Invalid>>>, Vec<Collision>> {
    let names: Vec<Option<Name>> = images
        .iter()
        .map(|image| {
            Some(match from {
                InputIdFrom::FileStem => Name::from_path(&image.file_name.label()?),
                InputIdFrom::FileName => Name::whole(image.file_name.label()?),
                InputIdFrom::ImageId => Name::whole(image.id.label()?),
            })
        })
        .collect();
    let texts = tell_apart(&names, images)?;
    Ok(texts
        .into_iter()
        .map(|text| {
            text.map(|text| InputId::new(text.clone()).map_err(|error| Invalid { text, error }))
        })
        .collect())
}

/// The parts that an id can be made of.
struct Name {
    folders: Vec<String>,
    stem: String,
}

impl Name {
    fn whole(stem: String) -> Self {
        Self {
            folders: Vec::new(),
            stem,
        }
    }

    fn from_path(path: &str) -> Self {
        let mut folders: Vec<String> = path
            .split(['/', '\\'])
            .filter(|part| !matches!(*part, "" | "."))
            .map(str::to_owned)
            .collect();
        let file = folders.pop().unwrap_or_else(|| path.to_owned());
        let stem = match file.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => file,
        };
        Self { folders, stem }
    }

    fn with_folders(&self, depth: usize) -> String {
        let mut parts: Vec<&str> = self.folders[self.folders.len() - depth..]
            .iter()
            .map(String::as_str)
            .collect();
        parts.push(&self.stem);
        parts.join("-")
    }
}

/// Puts folders in front until no two are the same. The result does not depend on the order of the images.
fn tell_apart(
    names: &[Option<Name>],
    images: &[&Image],
) -> Result<Vec<Option<String>>, Vec<Collision>> {
    let mut depths = vec![0; names.len()];
    let mut texts: Vec<Option<String>> = names
        .iter()
        .map(|name| name.as_ref().map(|name| name.with_folders(0)))
        .collect();
    loop {
        let mut same: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, text) in texts.iter().enumerate() {
            if let Some(text) = text {
                same.entry(text).or_default().push(index);
            }
        }
        same.retain(|_, indices| indices.len() > 1);
        if same.is_empty() {
            return Ok(texts);
        }
        let deeper: Vec<usize> = same
            .values()
            .flatten()
            .copied()
            .filter(|&index| {
                names[index]
                    .as_ref()
                    .is_some_and(|name| depths[index] < name.folders.len())
            })
            .collect();
        if deeper.is_empty() {
            let shown = |index: usize| {
                let image = images[index];
                image
                    .file_name
                    .label()
                    .or_else(|| image.id.label())
                    .unwrap_or_default()
            };
            return Err(same
                .iter()
                .flat_map(|(id, indices)| {
                    indices[1..].iter().map(|&second| Collision {
                        id: (*id).to_owned(),
                        first: shown(indices[0]),
                        second: shown(second),
                    })
                })
                .collect());
        }
        for index in deeper {
            depths[index] += 1;
            texts[index] = names[index]
                .as_ref()
                .map(|name| name.with_folders(depths[index]));
        }
    }
}

/// The picture's path: the folder and the file name, with slashes; a file name that is a whole path or URL stays.
pub(super) fn path(folder: Option<&str>, file_name: &str) -> String {
    let is_whole =
        file_name.starts_with('/') || file_name.starts_with('\\') || file_name.contains("://");
    match folder {
        Some(folder) if !is_whole && !folder.is_empty() => {
            format!("{}/{file_name}", folder.trim_end_matches('/'))
        }
        _ => file_name.to_owned(),
    }
}
