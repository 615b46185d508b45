//! Where the pictures and texts of inputs are.

use crate::formats::{self, ImportedInput, Media};
use crate::manifest::{FileAccess, Manifest};
use crate::model::InputId;
use ignore::WalkBuilder;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

/// Folders for pictures, in the folder of labels or beside it.
const FOLDERS: [&str; 5] = ["", "images", "JPEGImages", "../images", "../JPEGImages"];

/// Extensions of pictures whose name is known without it.
const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "bmp"];

/// Where pictures and texts are looked for, in this order.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    pub(crate) places: Vec<Source<'a>>,
    /// The URLs of pictures in the app.
    pub(crate) urls: BTreeMap<InputId, String>,
    /// Why the app's URLs are not known.
    pub(super) problem: Option<String>,
    /// The target's endpoint, whose host may be asked for pictures wherever it is; empty without a target.
    pub(crate) endpoint: String,
    /// The folder of the page, from which links to pictures lead.
    pub(crate) page_folder: PathBuf,
}

/// A label set that says where pictures and texts are.
#[derive(Debug, Clone)]
pub(crate) enum Source<'a> {
    Manifest(Box<Cow<'a, Manifest>>),
    Imported(Imported),
}

impl<'a> From<&'a Manifest> for Source<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Self::Manifest(Box::new(Cow::Borrowed(manifest)))
    }
}

impl From<Manifest> for Source<'_> {
    fn from(manifest: Manifest) -> Self {
        Self::Manifest(Box::new(Cow::Owned(manifest)))
    }
}

/// The media of files of another tool.
#[derive(Debug, Clone)]
pub(crate) struct Imported {
    folder: PathBuf,
    access: FileAccess,
    inputs: HashMap<InputId, Medium>,
}

#[derive(Debug, Clone)]
struct Medium {
    path: Option<String>,
    url: Option<String>,
    size: Option<[u32; 2]>,
    is_image: bool,
    text: Option<String>,
}

/// Where a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Url(String),
}

/// What is known of an input's picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) place: Option<Place>,
    /// As declared.
    pub(super) size: Option<[u32; 2]>,
    /// Why a file that is named cannot be used.
    pub(super) problem: Option<String>,
    /// Not if it is a text or a video.
    pub(super) may_have_picture: bool,
}

/// How many inputs have a picture, and where.
#[derive(Debug, Default)]
pub(crate) struct PictureCounts {
    pub(crate) files: u64,
    pub(crate) urls: u64,
    /// Not texts and videos.
    pub(crate) unknown: u64,
    /// Why the first file that is named cannot be used.
    pub(crate) problem: Option<String>,
}

impl<'a> Sources<'a> {
    pub(crate) fn of(places: impl IntoIterator<Item = Source<'a>>) -> Self {
        Self {
            places: places.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Counts the pictures of inputs.
    pub(crate) fn count<'i>(&self, ids: impl IntoIterator<Item = &'i InputId>) -> PictureCounts {
        let mut counts = PictureCounts::default();
        for id in ids {
            let found = self.find(id, None);
            match found.place {
                Some(Place::File(_)) => counts.files += 1,
                Some(Place::Url(_)) => counts.urls += 1,
                None => counts.unknown += u64::from(found.may_have_picture),
            }
            counts.problem = counts.problem.or(found.problem);
        }
        counts
    }

    pub(super) fn find(&self, id: &InputId, index: Option<&Index>) -> Found {
        let mut all: Vec<Named<'_>> = Vec::with_capacity(self.places.len());
        for place in &self.places {
            all.extend(match place {
                Source::Manifest(manifest) => Named::by_manifest(manifest, id),
                Source::Imported(imported) => imported.named(id),
            });
        }
        let file = all.iter().find_map(|it| it.file.clone()).or_else(|| {
            let paths = all.iter().filter_map(|it| it.path);
            index?.find(id, paths)
        });
        let url = || {
            let named = all.iter().find_map(|it| it.url);
            named.or_else(|| self.urls.get(id).map(String::as_str))
        };
        Found {
            size: all.iter().find_map(|it| it.size),
            problem: all.iter().find_map(|it| it.problem.clone()),
            may_have_picture: all.is_empty() || all.iter().any(|it| it.is_image),
            place: file
                .map(Place::File)
                .or_else(|| Some(Place::Url(url()?.to_owned()))),
        }
    }

    /// The text of a text input.
    pub(super) fn text(&self, id: &InputId) -> Result<Option<String>, String> {
        let mut problem = None;
        for place in &self.places {
            let text = match place {
                Source::Manifest(manifest) => manifest.read_text(id).map_err(|(why, _)| why),
                Source::Imported(imported) => Ok(imported.text(id)),
            };
            match text {
                Ok(Some(text)) => return Ok(Some(text)),
                Ok(None) => {}
                Err(why) => problem = problem.or(Some(why)),
            }
        }
        problem.map_or(Ok(None), Err)
    }
}

/// The picture of an input as a label set names it.
struct Named<'a> {
    file: Option<PathBuf>,
    path: Option<&'a str>,
    url: Option<&'a str>,
    size: Option<[u32; 2]>,
    problem: Option<String>,
    is_image: bool,
}

impl<'a> Named<'a> {
    fn by_manifest(manifest: &'a Manifest, id: &InputId) -> Option<Self> {
        let input = manifest.desired.input(id)?;
        let image = manifest.images.get(id);
        let path = image.and_then(|it| it.path.as_deref());
        let file = path.map(|path| {
            let path = manifest.medium_path(input.origin, path)?;
            manifest.media_folder.file(&path)
        });
        let (file, problem) = match file.transpose() {
            Ok(file) => (file, None),
            Err((why, _)) => (None, Some(why)),
        };
        Some(Self {
            file,
            path,
            url: image.and_then(|it| it.url.as_deref()),
            size: image.and_then(|it| Some([it.width?, it.height?])),
            problem,
            is_image: manifest.input_text(id).is_none() && manifest.input_video(id).is_none(),
        })
    }
}

impl Imported {
    /// The media of `inputs`, whose pictures are in `folder` or beside it.
    pub(crate) fn new(folder: PathBuf, access: FileAccess, inputs: &[ImportedInput]) -> Self {
        let medium = |it: &ImportedInput| Medium {
            path: it.image.path.clone(),
            url: it.image.url.clone(),
            size: it.image.size.map(|(width, height)| [width, height]),
            is_image: it.media == Media::Image,
            text: match &it.media {
                Media::Text(text) => Some(text.clone()),
                Media::Image | Media::Video => None,
            },
        };
        Self {
            folder,
            access,
            inputs: (inputs.iter())
                .map(|it| (it.input.id.clone(), medium(it)))
                .collect(),
        }
    }

    fn text(&self, id: &InputId) -> Option<String> {
        self.inputs.get(id)?.text.clone()
    }

    fn named(&self, id: &InputId) -> Option<Named<'_>> {
        let medium = self.inputs.get(id)?;
        Some(Named {
            file: if medium.is_image {
                self.file(id, medium.path.as_deref())
            } else {
                None
            },
            path: medium.path.as_deref(),
            url: medium.url.as_deref(),
            size: medium.size,
            problem: None,
            is_image: medium.is_image,
        })
    }

    /// The first file that is there, by the path as written, then by its file name; without a path by the input's id.
    fn file(&self, id: &InputId, path: Option<&str>) -> Option<PathBuf> {
        let names: Vec<String> = match path {
            Some(path) => {
                let path = path.replace('\\', "/");
                let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                vec![path, name]
            }
            None => (EXTENSIONS.iter())
                .map(|extension| format!("{id}.{extension}"))
                .collect(),
        };
        let in_folders = FOLDERS.iter().flat_map(|folder| {
            let folder = self.folder.join(folder);
            names.iter().map(move |name| (folder.clone(), name))
        });
        // `train/1.jpg` of `annotations/labels.json` may be `train/1.jpg` beside `annotations`.
        let beside = names.first().map(|path| (self.folder.join(".."), path));
        in_folders
            .chain(beside)
            .find_map(|(folder, name)| file_in(&folder, name, self.access))
    }
}

/// A file in a folder or below, by its path; links may not lead out of the folder, unless files may be anywhere.
fn file_in(folder: &Path, path: &str, access: FileAccess) -> Option<PathBuf> {
    let path = Path::new(path);
    let is_below = (path.components()).all(|part| matches!(part, Component::Normal(_)));
    if path.as_os_str().is_empty() || (access == FileAccess::Folder && !is_below) {
        return None;
    }
    let file = folder.join(path);
    if !file.is_file() {
        return None;
    }
    let file = file.canonicalize().ok()?;
    let is_inside = || folder.canonicalize().is_ok_and(|it| file.starts_with(it));
    (access == FileAccess::Anywhere || is_inside()).then_some(file)
}

/// The pictures of a folder by their names.
#[derive(Debug)]
pub(super) struct Index {
    folder: PathBuf,
    /// By file name, and by file name without its extension; `None` for a name that several have.
    by_name: HashMap<String, Option<PathBuf>>,
}

impl Index {
    /// Finds the pictures in a folder and below. Links and hidden files are left out.
    pub(super) fn of(folder: &Path) -> Self {
        let mut by_name = HashMap::new();
        let walk = WalkBuilder::new(folder)
            .standard_filters(false)
            .hidden(true)
            .build();
        // What cannot be read has no pictures; those that are needed are then missing by name.
        for entry in walk.flatten() {
            let is_file = entry.file_type().is_some_and(|kind| kind.is_file());
            let Some(name) = entry
                .file_name()
                .to_str()
                .filter(|it| is_file && formats::is_image(it))
            else {
                continue;
            };
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            for name in [name, stem] {
                by_name
                    .entry(name.to_owned())
                    .and_modify(|several| *several = None)
                    .or_insert_with(|| Some(entry.path().to_owned()));
            }
        }
        Self {
            folder: folder.to_owned(),
            by_name,
        }
    }

    /// By these paths as written, then by their file names, then by the input's id.
    fn find<'p>(&self, id: &InputId, paths: impl Iterator<Item = &'p str>) -> Option<PathBuf> {
        let paths: Vec<String> = paths.map(|path| path.replace('\\', "/")).collect();
        let by_path = || {
            let mut paths = paths.iter();
            paths.find_map(|path| file_in(&self.folder, path, FileAccess::Folder))
        };
        let by_name = || {
            let names = paths.iter().filter_map(|path| path.rsplit('/').next());
            let mut names = names.chain([id.as_str()]);
            names.find_map(|name| self.by_name.get(name)?.clone())
        };
        by_path().or_else(by_name)
    }
}
