//! The files of other tools that a command line names.

use super::exit::Failure;
use super::{input, kind, output};
use crate::formats::{self, Format, Source};
use crate::lint::Picture;
use crate::model::FileKind;
use ignore::WalkBuilder;
use std::path::{Component, Path, PathBuf};

/// Named files and folders, below one folder that holds them all.
#[derive(Debug)]
pub(crate) struct Files {
    /// As named on the command line; of several, the first.
    named: PathBuf,
    root: PathBuf,
    paths: Vec<String>,
}

impl Files {
    /// Finds the files of these paths. Hidden files are left out.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let [first, ..] = paths else {
            return Err(Failure::usage("no file is named"));
        };
        let folder = |path: &Path| {
            if path.is_dir() {
                path.to_owned()
            } else {
                path.parent().unwrap_or(Path::new("")).to_owned()
            }
        };
        let mut root = folder(first);
        for path in &paths[1..] {
            let folder = folder(path);
            root = root
                .ancestors()
                .find(|above| folder.starts_with(above))
                .unwrap_or(Path::new(""))
                .to_owned();
        }
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                walk(&root, path, &mut files)?;
            } else {
                files.push(relative(&root, path)?);
            }
        }
        files.sort_unstable();
        files.dedup();
        Ok(Self {
            named: first.clone(),
            root,
            paths: files,
        })
    }

    /// The path as it was named.
    pub(crate) fn named(&self) -> &Path {
        &self.named
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// The format of the files.
    pub(crate) fn recognise(&self) -> Result<Format, Failure> {
        let names = |formats: &[Format]| {
            let names: Vec<&str> = formats.iter().map(|format| format.as_str()).collect();
            names.join(", ")
        };
        match formats::recognise(self)[..] {
            [format] => {
                output::message(&format!("Recognised {}.", format.title()));
                Ok(format)
            }
            [] => Err(
                Failure::usage(format!("{}: no known format", self.named.display())).hint(format!(
                    "name the format before the path: {}",
                    names(&Format::ALL)
                )),
            ),
            ref several => Err(Failure::usage(format!(
                "{}: this may be any of {}",
                self.named.display(),
                names(several)
            ))
            .hint("name the format before the path, or name the files instead of the folder")),
        }
    }

    /// Refuses files that annosync wrote itself, such as plans.
    pub(crate) fn expect(&self, format: Format) -> Result<(), Failure> {
        let accepted: &[FileKind] = match format {
            Format::Coco => &[FileKind::Coco],
            Format::Jsonl => &[FileKind::Manifest],
            _ => return Ok(()),
        };
        for file in &self.paths {
            kind::expect(&self.path(file), accepted, format.title())?;
        }
        Ok(())
    }
}

impl Source for Files {
    fn files(&self) -> &[String] {
        &self.paths
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let is_inside = Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_inside {
            return Err("outside the folder that is imported".to_owned());
        }
        input::bytes(&self.path(path), input::MAX_BYTES).map_err(|failure| failure.message)
    }

    fn head(&self, path: &str, most: u64) -> Vec<u8> {
        input::read_head(&self.path(path), most).unwrap_or_default()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let mut files = Vec::new();
        // A folder that cannot be read has no files; those that are needed are then missing by name.
        let _ = walk(&self.root, &self.path(folder), &mut files);
        files.sort_unstable();
        files
    }

    fn image_size(&self, path: &str) -> Option<(u32, u32)> {
        image_size(&self.path(path))
    }
}

/// Width and height in pixels from the header of an image file, as it is displayed; `None` if it cannot be read.
pub(crate) fn image_size(path: &Path) -> Option<(u32, u32)> {
    let [width, height] = picture(path).displayed_size()?;
    Some((width, height))
}

/// What the header of an image file says.
pub(crate) fn picture(path: &Path) -> Picture {
    let Ok(file) = std::fs::File::open(path) else {
        return Picture::Unreadable("it cannot be opened".to_owned());
    };
    let size = imagesize::size(path).ok().and_then(|size| {
        Some([
            u32::try_from(size.width).ok()?,
            u32::try_from(size.height).ok()?,
        ])
    });
    let exif = exif::Reader::new().read_from_container(&mut std::io::BufReader::new(file));
    let orientation = exif.ok().and_then(|exif| {
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
        field.value.get_uint(0)
    });
    Picture::Read {
        size,
        // Values other than 1 to 8 mean nothing.
        orientation: orientation.filter(|it| (1..=8).contains(it)).unwrap_or(1),
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<(), Failure> {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| Failure::new(format!("cannot read: {error}")))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(relative(root, entry.path())?);
        }
    }
    Ok(())
}

/// The path from the root, with `/` on every system.
fn relative(root: &Path, path: &Path) -> Result<String, Failure> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .unwrap_or(path)
        .components()
        .map(|part| part.as_os_str().to_str())
        .collect();
    let parts =
        parts.ok_or_else(|| Failure::new(format!("{}: the path is not UTF-8", path.display())))?;
    Ok(parts.join("/"))
}
