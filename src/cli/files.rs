//! The files of other tools that a command line names.

use super::exit::Failure;
use super::{input, kind, output};
use crate::formats::{self, Format, Source};
use crate::lint::Picture;
use crate::manifest::Manifest;
use crate::model::{FileKind, InputId};
use ignore::WalkBuilder;
use std::ffi::OsStr;
use std::io::{BufRead, ErrorKind, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Named files and folders, below one folder that holds them all.
#[derive(Debug)]
pub(crate) struct Files {
    /// As named on the command line; of several, the first.
    named: PathBuf,
    root: PathBuf,
    paths: Vec<String>,
    /// Links that lead to no file, each with the reason.
    broken: Vec<(String, String)>,
    /// What is hidden in the named folders.
    hidden: Vec<String>,
    /// What is neither a file nor a folder there.
    others: Vec<String>,
}

/// What to do where a format can be named before the path.
pub(crate) const BEFORE_PATH: &str = "name the format before the path";

/// What a walk finds, relative to the root.
#[derive(Debug, Default)]
struct Found {
    files: Vec<String>,
    broken: Vec<(String, String)>,
    hidden: Vec<String>,
    others: Vec<String>,
}

impl Files {
    /// Finds the files of these paths. Files and folders with a hidden name are left out, unless they are named.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let [first, ..] = paths else {
            return Err(Failure::usage("no files given"));
        };
        for path in paths {
            std::fs::metadata(path).map_err(|error| match error.kind() {
                ErrorKind::NotFound if paths.len() > 1 && path == first && is_word(path) => {
                    Failure::usage(format!(
                        "`{}` is neither a format nor a file",
                        path.display()
                    ))
                    .hint(format!("the formats are {}", names(&Format::ALL)))
                }
                ErrorKind::NotFound => Failure::new(format!("{} does not exist", path.display()))
                    .hint("check the path"),
                _ => Failure::new(format!("cannot read {}: {error}", path.display())),
            })?;
        }
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
            let shared = root.ancestors().find(|above| folder.starts_with(above));
            root = shared.map(Path::to_owned).unwrap_or_default();
        }
        let mut found = Found::default();
        for path in paths {
            if path.is_dir() {
                walk(&root, path, None, &mut found)?;
            } else {
                found.files.push(relative(&root, path)?);
            }
        }
        let Found {
            mut files,
            mut broken,
            mut hidden,
            mut others,
        } = found;
        broken.sort_unstable();
        broken.dedup();
        for paths in [&mut files, &mut hidden, &mut others] {
            paths.sort_unstable();
            paths.dedup();
        }
        Ok(Self {
            named: first.clone(),
            root,
            paths: files,
            broken,
            hidden,
            others,
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

    /// The files in a folder, at most so many levels below it.
    fn below(&self, folder: &str, depth: Option<usize>) -> Vec<String> {
        let mut found = Found::default();
        let folder = match self.path(folder) {
            path if path == Path::new("") => PathBuf::from("."),
            path => path,
        };
        // A folder that cannot be read has no files; those that are needed are then missing by name.
        let _ = walk(&self.root, &folder, depth, &mut found);
        found.files.sort_unstable();
        found.files
    }

    /// The format of the files. `how` says in the hint of an error how the user names one: [`BEFORE_PATH`].
    pub(crate) fn recognise(&self, how: &str) -> Result<Format, Failure> {
        match formats::recognise(self)[..] {
            [format] => {
                output::message(&format!("Recognised {}.", format.title()));
                Ok(format)
            }
            [] if self.paths.is_empty() => Err(Failure::new(format!(
                "{} has no files",
                self.named.display()
            ))
            .hint("check the path; hidden files are left out")),
            [] if self.paths.iter().all(|file| self.is_empty(file)) => {
                Err(Failure::new(format!("{} is empty", self.named.display()))
                    .hint("check the path, and the program that wrote it"))
            }
            [] => Err(
                Failure::usage(format!("{}: no known format", self.named.display()))
                    .hint(format!("{how}: {}", names(&Format::ALL))),
            ),
            ref several => Err(Failure::usage(format!(
                "{}: this may be any of {}",
                self.named.display(),
                names(several)
            ))
            .hint(format!("{how}, or name the files instead of the folder"))),
        }
    }

    fn is_empty(&self, file: &str) -> bool {
        let about = std::fs::metadata(self.path(file));
        about.is_ok_and(|it| it.is_file() && it.len() == 0)
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
        if !is_inside(path) {
            return Err("outside the folder that is imported".to_owned());
        }
        input::bytes(&self.path(path), input::MAX_BYTES).map_err(|failure| failure.message)
    }

    fn broken_links(&self) -> &[(String, String)] {
        &self.broken
    }

    fn hidden(&self) -> &[String] {
        &self.hidden
    }

    fn not_files(&self) -> &[String] {
        &self.others
    }

    fn stream(&self, path: &str) -> Option<Box<dyn Read + Send + '_>> {
        if !is_inside(path) {
            return None;
        }
        let file = input::pieces(&self.path(path), input::MAX_BYTES)?;
        Some(Box::new(file))
    }

    fn head(&self, path: &str, most: u64) -> Vec<u8> {
        input::read_head(&self.path(path), most).unwrap_or_default()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.below(folder, None)
    }

    fn beside(&self, path: &str) -> Vec<String> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.below(folder, Some(1))
    }

    fn image_size(&self, path: &str) -> Option<(u32, u32)> {
        let [width, height] = picture(&self.path(path)).displayed_size()?;
        Some((width, height))
    }
}

/// Whether a path leads to nothing outside of the folder that it begins in.
fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Width and height in pixels of a declared image: as declared, else from the file's header, as it is displayed.
pub(crate) fn declared_size(manifest: &Manifest, id: &InputId) -> Option<[u32; 2]> {
    let image = manifest.images.get(id)?;
    if let Some((width, height)) = image.width.zip(image.height) {
        return Some([width, height]);
    }
    let origin = manifest.desired.input(id)?.origin;
    let path = manifest.medium_path(origin, image.path.as_deref()?).ok()?;
    picture(&manifest.media_folder.file(&path).ok()?).displayed_size()
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
    Picture::Read {
        size,
        orientation: orientation(std::io::BufReader::new(file)),
    }
}

/// How EXIF says that a picture is displayed: 1 is upright, 2 to 8 are turned or mirrored.
pub(crate) fn orientation(mut file: impl BufRead + Seek) -> u32 {
    let exif = exif::Reader::new().read_from_container(&mut file);
    let orientation = exif.ok().and_then(|exif| {
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
        field.value.get_uint(0)
    });
    // Values other than 1 to 8 mean nothing.
    orientation.filter(|it| (1..=8).contains(it)).unwrap_or(1)
}

/// The names of formats on the command line.
fn names(formats: &[Format]) -> String {
    let names: Vec<&str> = formats.iter().map(|format| format.as_str()).collect();
    names.join(", ")
}

/// Whether a path could be a misspelled name of a format.
fn is_word(path: &Path) -> bool {
    path.components().count() == 1 && path.extension().is_none()
}

/// Finds the files in a folder and below. A picture counts even if it is a link that leads nowhere: it is not read.
fn walk(
    root: &Path,
    folder: &Path,
    depth: Option<usize>,
    found: &mut Found,
) -> Result<(), Failure> {
    let hidden = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&hidden);
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .follow_links(true)
        .max_depth(depth)
        .filter_entry(move |entry| {
            // The named folder itself may have any name.
            let is_left_out = entry.depth() > 0 && is_hidden(entry.file_name());
            if is_left_out {
                let mut seen = seen.lock().expect("a walk does not panic with the lock");
                seen.push(entry.path().to_owned());
            }
            !is_left_out
        })
        .build();
    for entry in walk {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let Some((path, why)) = broken_link(&error) else {
                    return Err(Failure::new(format!("cannot read: {error}")));
                };
                let name = path.file_name().unwrap_or_default();
                let link = relative(root, path)?;
                if is_hidden(name) {
                    found.hidden.push(link);
                } else if formats::is_image(&link) {
                    found.files.push(link);
                } else {
                    found.broken.push((link, why.to_owned()));
                }
                continue;
            }
        };
        match entry.file_type() {
            Some(kind) if kind.is_file() => found.files.push(relative(root, entry.path())?),
            Some(kind) if !kind.is_dir() => found.others.push(relative(root, entry.path())?),
            _ => {}
        }
    }
    let hidden = std::mem::take(&mut *hidden.lock().expect("a walk does not panic with the lock"));
    for path in hidden {
        // No labels are in the folder of git.
        if path.file_name() != Some(OsStr::new(".git")) {
            found.hidden.push(relative(root, &path)?);
        }
    }
    Ok(())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The link that cannot be followed, if that is the error, and the reason.
fn broken_link(error: &ignore::Error) -> Option<(&Path, &'static str)> {
    match error {
        ignore::Error::WithDepth { err, .. } => broken_link(err),
        ignore::Error::WithPath { path, err } => match **err {
            ignore::Error::Loop { .. } => broken_link(err),
            _ => (path.is_symlink() && std::fs::metadata(path).is_err())
                .then_some((path.as_path(), "the link leads to no file")),
        },
        ignore::Error::Loop { child, .. } => {
            Some((child, "the link leads back to a folder that holds it"))
        }
        _ => None,
    }
}

/// The path from the root, with `/` on every system.
fn relative(root: &Path, path: &Path) -> Result<String, Failure> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .unwrap_or(path)
        .components()
        .filter(|part| *part != Component::CurDir)
        .map(|part| part.as_os_str().to_str())
        .collect();
    let parts =
        parts.ok_or_else(|| Failure::new(format!("{}: the path is not UTF-8", path.display())))?;
    Ok(parts.join("/"))
}
