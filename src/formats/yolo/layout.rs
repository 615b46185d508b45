//! Finds the pictures, the label files and the classes of a set, in any of its layouts.

use super::data::{self, Classes, Data};
use super::paths::{
    Tree, below, is_darknet, label_of, own_part, place, relative, swapped, without_extension,
};
use super::row::{Pose, Row};
use crate::formats::error::ImportError;
use crate::formats::format::Format;
use crate::formats::source::{
    IMAGES, Source, file_name, folder, has_extension, text_of_lines, with_lines,
};
use crate::model::FileKind;
use std::collections::{BTreeSet, HashSet};

/// A label file.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) picture: PictureOf,
    /// The path of the picture without the folders of the layout, so that a picture that changes its split stays the
    /// same input.
    pub(super) name: String,
    /// The whole path without its extension.
    pub(super) own_id: String,
}

/// The picture of a label file.
#[derive(Debug)]
pub(super) enum PictureOf {
    /// At this path.
    Path(String),
    /// Not there, but a list names it.
    Listed,
    Missing,
}

#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) entries: Vec<Entry>,
    pub(super) classes: Classes,
    pub(super) pose: Option<Pose>,
    /// Folders, lists and pictures that the set names, and that are not there.
    pub(super) missing: Vec<String>,
    /// Label files of the folder that the set does not name.
    pub(super) unlisted: Vec<String>,
    /// Pictures without a label file.
    pub(super) unlabelled: Vec<String>,
}

/// Names of text files that are not labels.
const OTHERS: [&str; 8] = [
    "classes.txt",
    "predefined_classes.txt",
    "train.txt",
    "val.txt",
    "valid.txt",
    "test.txt",
    "requirements.txt",
    "license.txt",
];
/// Names of files with a class in each line.
const CLASS_FILES: [&str; 5] = [
    "classes.txt",
    "predefined_classes.txt",
    "obj.names",
    "classes.names",
    "_darknet.labels",
];
/// How many label files are looked at to recognise them.
const LOOKED_AT: usize = 20;

/// Whether there is a `data.yaml`, an `obj.data`, or only label files.
pub(super) fn recognises(source: &dyn Source) -> bool {
    if !descriptions(source).is_empty() {
        return true;
    }
    let labels = source.files().iter().filter(|path| is_label(path));
    let mut has_rows = false;
    let mut count = 0;
    for path in labels.take(LOOKED_AT) {
        count += 1;
        let head = head(source, path);
        let Some(first) = head.lines().find(|line| !line.trim().is_empty()) else {
            continue;
        };
        let row = Row::parse(first);
        if !row.is_ok_and(|row| row.numbers.len() >= 4) {
            return false;
        }
        has_rows = true;
    }
    let has_classes = || (source.files().iter()).any(|path| is_class_file(path));
    has_rows || count > 0 && has_classes()
}

fn head(source: &dyn Source, path: &str) -> String {
    let bytes = source.head(path, FileKind::HEAD_BYTES);
    let text = String::from_utf8_lossy(&bytes);
    with_lines(text.trim_start_matches('\u{feff}')).into_owned()
}

/// Every `data.yaml`; without one, every `obj.data`.
fn descriptions(source: &dyn Source) -> Vec<(&str, bool)> {
    let files = source.files().iter().map(String::as_str);
    let is_yaml = |path: &&str| {
        has_extension(path, &["yaml", "yml"])
            && data::is_yaml(&head(source, path), false)
            && text_of_lines(source, path).is_ok_and(|text| data::is_yaml(&text, true))
    };
    let yaml: Vec<(&str, bool)> = (files.clone().filter(is_yaml))
        .map(|path| (path, true))
        .collect();
    if !yaml.is_empty() {
        return yaml;
    }
    let is_darknet =
        |path: &&str| has_extension(path, &["data"]) && data::is_darknet(&head(source, path));
    files.filter(is_darknet).map(|path| (path, false)).collect()
}

pub(super) fn find(source: &dyn Source) -> Result<Layout, ImportError> {
    let mut finder = Finder {
        source,
        tree: Tree::new(source),
        layout: Layout::default(),
        labels: HashSet::new(),
        pictures: HashSet::new(),
    };
    let descriptions = descriptions(source);
    let mut first: Option<(&str, Classes, Option<Pose>)> = None;
    for &(path, is_yaml) in &descriptions {
        let text = text_of_lines(source, path)?;
        let mut data = if is_yaml {
            data::yaml(path, &text)?
        } else {
            data::darknet(&text)
        };
        finder.names_file(path, &mut data)?;
        match &first {
            Some((other, classes, pose)) if (classes, pose) != (&data.classes, &data.pose) => {
                return Err(other_format(format!(
                    "{other} and {path} differ in their classes or keypoints: import them one by one"
                )));
            }
            Some(_) => {}
            None => first = Some((path, data.classes.clone(), data.pose)),
        }
        finder.described(folder(path), &data);
    }
    if let Some((_, classes, pose)) = first {
        (finder.layout.classes, finder.layout.pose) = (classes, pose);
        finder.unlisted();
    } else {
        finder.plain();
    }
    if finder.layout.entries.is_empty() {
        let why = match finder.layout.missing.first() {
            Some(missing) => format!("there is no label file; {missing} is not in the folder"),
            None => "there is no label file".to_owned(),
        };
        return Err(other_format(why));
    }
    if finder.layout.classes.names().is_none() {
        finder.class_files()?;
    }
    let mut layout = finder.layout;
    layout.entries.sort_by(|a, b| a.label.cmp(&b.label));
    layout.unlabelled.sort_unstable();
    Ok(layout)
}

fn other_format(why: String) -> ImportError {
    ImportError::OtherFormat {
        format: Format::Yolo,
        why,
    }
}

/// A text file that may hold labels.
pub(super) fn is_label(path: &str) -> bool {
    let name = file_name(path);
    let is_readme = || (name.get(..6)).is_some_and(|start| start.eq_ignore_ascii_case("readme"));
    has_extension(name, &["txt"])
        && !OTHERS.iter().any(|other| name.eq_ignore_ascii_case(other))
        && !is_readme()
}

fn is_class_file(path: &str) -> bool {
    let name = file_name(path);
    CLASS_FILES.contains(&name) || has_extension(path, &["names"])
}

fn is_picture(path: &str) -> bool {
    has_extension(path, &IMAGES)
}

/// Whether a file is in a folder for labels.
fn is_in_labels(path: &str) -> bool {
    folder(path)
        .split('/')
        .any(|part| part == "labels" || is_darknet(part))
}

/// What follows the folder of a split, which may hold the folders of the layout.
fn own_below<'p>(path: &'p str, split: &str, layout: &str) -> &'p str {
    let own = relative(path, split);
    let has_layout = split
        .split('/')
        .any(|part| layout.strip_suffix('/') == Some(part));
    if has_layout {
        own
    } else {
        own.strip_prefix(layout).unwrap_or(own)
    }
}

struct Finder<'s> {
    source: &'s dyn Source,
    tree: Tree<'s>,
    layout: Layout,
    /// Label files and pictures that are in the layout.
    labels: HashSet<String>,
    pictures: HashSet<String>,
}

impl Finder<'_> {
    /// Adds a picture with its label file, or without one.
    fn picture(&mut self, picture: String, name: String) {
        if !self.pictures.insert(picture.clone()) {
            return;
        }
        let label = label_of(&picture);
        if !self.tree.has(&label) {
            self.layout.unlabelled.push(picture);
            return;
        }
        let own_id = without_extension(&picture).to_owned();
        let picture = if self.tree.has(&picture) {
            PictureOf::Path(picture)
        } else {
            PictureOf::Listed
        };
        self.labels.insert(label.clone());
        self.layout.entries.push(Entry {
            label,
            picture,
            name,
            own_id,
        });
    }

    /// Adds a label file without a picture, unless it is there.
    fn label(&mut self, label: &str, name: &str) {
        if self.labels.insert(label.to_owned()) {
            self.layout.entries.push(Entry {
                label: label.to_owned(),
                picture: PictureOf::Missing,
                name: without_extension(name).to_owned(),
                own_id: without_extension(label).to_owned(),
            });
        }
    }

    /// Reads the file with the names of classes.
    fn names_file(&self, path: &str, data: &mut Data) -> Result<(), ImportError> {
        let Some(named) = &data.names_file else {
            return Ok(());
        };
        let places = super::paths::places(folder(path), named);
        let place = places.iter().find(|place| self.is_file(place));
        if let Some(place) = place {
            data.classes = Classes::of_lines(&text_of_lines(self.source, place)?);
        }
        Ok(())
    }

    fn is_file(&self, path: &str) -> bool {
        !self.source.head(path, 1).is_empty()
    }

    fn described(&mut self, folder: &str, data: &Data) {
        for (key, split) in &data.splits {
            let is_whole = data.path.is_empty() || split.starts_with('/');
            let whole = if is_whole {
                split.clone()
            } else {
                format!("{}/{split}", data.path)
            };
            let places = super::paths::places(folder, &whole);
            let found = places.iter().any(|place| {
                if has_extension(place, &["txt"]) && self.is_file(place) {
                    self.list(place, folder);
                    return true;
                }
                self.folder(place)
            });
            if !found {
                self.layout.missing.push(format!("{key}: {whole}"));
            }
        }
    }

    /// Adds the pictures and labels of a folder; false if there are none.
    fn folder(&mut self, folder: &str) -> bool {
        let files = self.source.list(folder);
        let labels = swapped(folder, "images", "labels");
        let mut texts: Vec<String> = Vec::new();
        if labels != folder {
            texts = self.source.list(&labels);
            texts.retain(|path| is_label(path));
        }
        let mut has_pictures = false;
        for picture in files.iter().filter(|path| is_picture(path)) {
            has_pictures = true;
            let own = own_below(picture, folder, "images/").to_owned();
            self.picture(picture.clone(), own);
        }
        let is_label = |path: &&String| is_label(path) && (!has_pictures || is_in_labels(path));
        let beside: Vec<String> = files.iter().filter(is_label).cloned().collect();
        let found = has_pictures || !texts.is_empty() || !beside.is_empty();
        for (texts, folder) in [(texts, labels.as_str()), (beside, folder)] {
            for label in texts {
                self.label(&label, own_below(&label, folder, "labels/"));
            }
        }
        found
    }

    /// Adds the pictures of a text file. `top` is the folder of the set.
    fn list(&mut self, list: &str, top: &str) {
        let text = match text_of_lines(self.source, list) {
            Ok(text) => text,
            Err(error) => {
                self.layout.missing.push(error.to_string());
                return;
            }
        };
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let deepest = lines.iter().map(|line| line.split('/').count()).max();
        // All lines lose the same folders, so that none is taken for another.
        let drops = std::iter::once(None).chain((0..deepest.unwrap_or_default().min(32)).map(Some));
        let at = drops
            .flat_map(|drop| [(folder(list), drop), (top, drop)])
            .find(|(folder, drop)| {
                lines.iter().any(|line| {
                    place(folder, line, *drop).is_some_and(|picture| {
                        self.tree.has(&picture) || self.tree.has(&label_of(&picture))
                    })
                })
            });
        let Some((folder, drop)) = at else {
            if !lines.is_empty() {
                self.layout.missing.push(format!("the pictures of {list}"));
            }
            return;
        };
        for line in lines {
            match place(folder, line, drop) {
                Some(picture) => {
                    let own = own_part(&picture, |part| part == "images" || is_darknet(part));
                    let own = own.to_owned();
                    self.picture(picture, own);
                }
                None => self.layout.missing.push(line.to_owned()),
            }
        }
    }

    fn unlisted(&mut self) {
        let files = self.source.files().iter();
        let unlisted = files
            .filter(|path| is_label(path) && is_in_labels(path) && !self.labels.contains(*path));
        self.layout.unlisted = unlisted.cloned().collect();
    }

    /// Takes all label files, and all pictures.
    fn plain(&mut self) {
        let source = self.source;
        for label in source.files().iter().filter(|path| is_label(path)) {
            let own = own_part(label, |part| part == "labels" || is_darknet(part));
            match self.tree.picture_of(label) {
                Some(picture) => {
                    let own = own_part(&picture, |part| part == "images" || is_darknet(part));
                    let own = own.to_owned();
                    self.picture(picture, own);
                }
                None => self.label(label, own),
            }
        }
        for picture in source.files().iter().filter(|path| is_picture(path)) {
            if !self.pictures.contains(picture) {
                self.layout.unlabelled.push(picture.clone());
            }
        }
    }

    /// Finds the lists of classes beside the labels, above them, and among the files.
    fn class_files(&mut self) -> Result<(), ImportError> {
        let mut folders: BTreeSet<&str> = BTreeSet::new();
        for entry in &self.layout.entries {
            let mut at = folder(&entry.label);
            while folders.insert(at) && !at.is_empty() {
                at = folder(at);
            }
        }
        let beside = folders
            .into_iter()
            .flat_map(|folder| CLASS_FILES.map(|name| below(folder, name)));
        let mut paths: BTreeSet<String> = beside.filter(|path| self.is_file(path)).collect();
        let files = self.source.files().iter();
        paths.extend(files.filter(|path| is_class_file(path)).cloned());
        let mut first: Option<(String, Classes)> = None;
        for path in paths {
            let classes = Classes::of_lines(&text_of_lines(self.source, &path)?);
            match &first {
                Some((other, known)) if *known != classes => {
                    return Err(other_format(format!(
                        "{other} and {path} name the classes differently: import each folder on its own"
                    )));
                }
                Some(_) => {}
                None => first = Some((path, classes)),
            }
        }
        if let Some((_, classes)) = first {
            self.layout.classes = classes;
        }
        Ok(())
    }
}
