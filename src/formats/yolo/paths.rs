//! Which label file belongs to which picture, and what a picture is called.

use crate::formats::source::{IMAGES, Source, file_name, folder, join};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The label file of a picture: the last folder `images` becomes `labels`, and the extension `.txt`.
pub(super) fn label_of(picture: &str) -> String {
    let folder = swapped(folder(picture), "images", "labels");
    let stem = without_extension(file_name(picture));
    below(&folder, &format!("{stem}.txt"))
}

/// The folder with its last part of one name renamed.
pub(super) fn swapped(folder: &str, from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    if let Some(part) = parts.iter_mut().rev().find(|part| **part == from) {
        *part = to;
    }
    parts.join("/")
}

pub(super) fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// What follows a folder.
pub(super) fn relative<'p>(path: &'p str, folder: &str) -> &'p str {
    if folder.is_empty() {
        return path;
    }
    path.strip_prefix(folder)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(path)
}

/// The path without what the layout of a data set adds: what follows the last folder for which `is_layout` holds, and
/// without a folder that is called as a split.
pub(super) fn own_part(path: &str, is_layout: impl Fn(&str) -> bool) -> &str {
    let (mut at, mut start) = (0, 0);
    for part in folder(path).split('/') {
        at += part.len() + 1;
        if is_layout(part) {
            start = at;
        }
    }
    let own = &path[start..];
    if start == 0 {
        return own;
    }
    match own.split_once('/') {
        Some((split, rest)) if SPLITS.contains(&split) => rest,
        _ => own,
    }
}

/// Names of folders of splits.
pub(super) const SPLITS: [&str; 4] = ["train", "val", "valid", "test"];

/// Whether a folder holds the data of Darknet: `obj_train_data`.
pub(super) fn is_darknet(folder: &str) -> bool {
    folder.starts_with("obj_") && folder.ends_with("_data")
}

/// The files that a reader has looked for. Each folder is listed once.
#[derive(Debug)]
pub(super) struct Tree<'s> {
    source: &'s dyn Source,
    files: HashSet<String>,
    /// The ranks of the extensions of pictures by their paths without extension: the best one of each.
    pictures: HashMap<String, usize>,
    looked: HashSet<String>,
}

impl<'s> Tree<'s> {
    pub(super) fn new(source: &'s dyn Source) -> Self {
        let mut tree = Self {
            source,
            files: HashSet::new(),
            pictures: HashMap::new(),
            looked: HashSet::new(),
        };
        tree.add(source.files().to_vec());
        tree
    }

    fn add(&mut self, files: Vec<String>) {
        for file in files {
            if let Some(rank) = rank(&file) {
                let stem = without_extension(&file).to_owned();
                let best = self.pictures.entry(stem).or_insert(rank);
                *best = rank.min(*best);
            }
            self.files.insert(file);
        }
    }

    /// Lists the folder of a path, unless that was done.
    fn look_beside(&mut self, path: &str) {
        let folder = folder(path);
        if !self.looked.contains(folder) {
            self.looked.insert(folder.to_owned());
            self.add(self.source.beside(path));
        }
    }

    pub(super) fn has(&mut self, path: &str) -> bool {
        if self.files.contains(path) {
            return true;
        }
        self.look_beside(path);
        self.files.contains(path)
    }

    /// The picture of a label file. Two that differ by their extensions are two inputs, so the first is enough.
    pub(super) fn picture_of(&mut self, label: &str) -> Option<String> {
        let stem = without_extension(label);
        let other = below(&swapped(folder(label), "labels", "images"), file_name(stem));
        [other.as_str(), stem].into_iter().find_map(|stem| {
            self.look_beside(stem);
            let rank = *self.pictures.get(stem)?;
            Some(format!("{stem}.{}", extensions().nth(rank)?))
        })
    }
}

/// The extensions that a picture of a label file may have, the most likely one first.
fn extensions() -> impl Iterator<Item = Cow<'static, str>> {
    IMAGES
        .into_iter()
        .flat_map(|extension| [extension.into(), extension.to_uppercase().into()])
}

/// The index of the path's extension in [`extensions`].
fn rank(path: &str) -> Option<usize> {
    let (_, extension) = file_name(path).rsplit_once('.')?;
    let rank = IMAGES
        .iter()
        .position(|it| it.eq_ignore_ascii_case(extension))?;
    if extension == IMAGES[rank] {
        return Some(2 * rank);
    }
    let is_upper = extension.bytes().all(|byte| !byte.is_ascii_lowercase());
    is_upper.then_some(2 * rank + 1)
}

/// The places that a path of a data set may mean: below a folder, and if it begins with folders of another machine,
/// without them. Nothing outside the top folder.
pub(super) fn places(folder: &str, path: &str) -> Vec<String> {
    let drops = std::iter::once(None).chain((0..parts(path).count().max(1)).map(Some));
    let mut places: Vec<String> = Vec::new();
    for place in drops.filter_map(|drop| place(folder, path, drop)) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// A path below a folder, unchanged or without its `..` and its first folders; `None` if it leaves the top folder.
pub(super) fn place(folder: &str, path: &str, drop: Option<usize>) -> Option<String> {
    let Some(drop) = drop else {
        return join(folder, path);
    };
    let parts: Vec<&str> = parts(path).skip(drop).collect();
    if parts.is_empty() {
        return None;
    }
    join(folder, &parts.join("/"))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['/', '\\'])
        .filter(|part| !matches!(*part, "" | "." | ".."))
}

/// A path without what follows the last dot of its name.
pub(super) fn without_extension(path: &str) -> &str {
    let name = file_name(path);
    match name.rsplit_once('.') {
        Some((_, extension)) => &path[..path.len() - extension.len() - 1],
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::source::Memory;

    #[test]
    fn the_last_folder_of_images_becomes_labels() {
        for (picture, label) in [
            ("images/a.jpg", "labels/a.txt"),
            ("images/x/images/a.b.jpg", "images/x/labels/a.b.txt"),
            (
                "train/images/x_jpg.rf.1a2b.jpg",
                "train/labels/x_jpg.rf.1a2b.txt",
            ),
            ("myimages/a.png", "myimages/a.txt"),
            ("a", "a.txt"),
        ] {
            assert_eq!(label_of(picture), label);
        }
    }

    #[test]
    fn a_picture_is_called_by_what_the_layout_does_not_add() {
        let images = |part: &str| part == "images" || is_darknet(part);
        for (path, own) in [
            ("images/a.jpg", "a.jpg"),
            ("images/train/a.jpg", "a.jpg"),
            ("images/train/b/a.jpg", "b/a.jpg"),
            ("x/images/b/a.jpg", "b/a.jpg"),
            ("data/obj_train_data/a.jpg", "a.jpg"),
            ("b/a.jpg", "b/a.jpg"),
            ("train/a.jpg", "train/a.jpg"),
        ] {
            assert_eq!(own_part(path, images), own);
        }
    }

    #[test]
    fn the_most_likely_extension_is_that_of_the_picture() {
        let source = Memory::of([
            ("images/a.JPG", ""),
            ("images/a.png", ""),
            ("images/b.TIFF", ""),
            ("images/c.Jpg", ""),
            ("labels/d.webp", ""),
        ]);
        let mut tree = Tree::new(&source);
        let mut picture = |label: &str| tree.picture_of(label);
        assert_eq!(picture("labels/a.txt").as_deref(), Some("images/a.JPG"));
        assert_eq!(picture("labels/b.txt").as_deref(), Some("images/b.TIFF"));
        assert_eq!(picture("labels/c.txt"), None);
        assert_eq!(picture("labels/d.txt").as_deref(), Some("labels/d.webp"));
    }

    #[test]
    fn paths_of_other_machines_lose_their_first_folders() {
        assert_eq!(
            places("set", "../set/images"),
            ["set/images", "set/set/images"]
        );
        assert_eq!(
            places("", "/home/me/images"),
            ["home/me/images", "me/images", "images"]
        );
    }
}
