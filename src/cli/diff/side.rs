//! Reads one side of a diff: a manifest, a git revision, a saved listing, or files of another tool.

use crate::cli::base;
use crate::cli::exit::Failure;
use crate::cli::files::{BEFORE_PATH, Files};
use crate::cli::import::{self, Reading};
use crate::cli::pictures::{self as media, Source as Media};
use crate::cli::validate::{self, load, problem_text};
use crate::cli::{account, input, kind, offline, output};
use crate::formats::{self, Format, Imported, ImportedInput, Source as _};
use crate::manifest::{self, FileAccess, HEADER_FILES, Manifest, Overlay};
use crate::model::{
    DesiredAnnotation, DesiredInput, FileKind, Geometry, Identity, InputId, Maker, ObservedState,
    Origin, Scope, Unreadable,
};
use crate::plan::LabelSet;
use crate::render::counted;
use std::path::{Path, PathBuf};

/// A side, and where its pictures and texts are.
pub(super) struct Side {
    pub(super) labels: LabelSet,
    pub(super) media: Option<Media<'static>>,
}

impl From<LabelSet> for Side {
    /// A side that does not say where its pictures are.
    fn from(labels: LabelSet) -> Self {
        Self {
            labels,
            media: None,
        }
    }
}

impl From<Manifest> for Side {
    fn from(manifest: Manifest) -> Self {
        Self {
            labels: of_manifest(&manifest),
            media: Some(manifest.into()),
        }
    }
}

/// How sides are read.
pub(super) struct Reader<'a> {
    pub(super) files: validate::Files,
    pub(super) reading: &'a Reading,
}

impl Reader<'_> {
    /// Reads a side by its name on the command line.
    pub(super) fn read(&self, name: &str) -> Result<Side, Failure> {
        let mut side = if let Some(rest) = name.strip_prefix("git:") {
            let (revision, path) = rest.split_once(':').unwrap_or((rest, "."));
            self.revision(revision, Path::new(path))?
        } else if let Some((format, path)) = format_of(name) {
            self.other_tool(Path::new(path), Some(format), Path::new(path))?
        } else {
            self.path(Path::new(name), Path::new(name))?
        };
        name.clone_into(&mut side.labels.name);
        Ok(side)
    }

    /// The pictures of a revision are those of the work tree.
    fn revision(&self, revision: &str, path: &Path) -> Result<Side, Failure> {
        let checked_out = base::check_out(revision, path)?;
        let place = &checked_out.place;
        if has_header(place) {
            let manifest = base::load(revision, path, self.files)?.manifest;
            return Ok(manifest.with_media_in(folder_of(path)).into());
        }
        self.path(place, path).map_err(|failure| Failure {
            message: checked_out.named(revision, &failure.message),
            hint: failure.hint.map(|hint| checked_out.named(revision, &hint)),
            ..failure
        })
    }

    /// Reads a file or a folder. `own` is its path in the work tree, where the header of a part is looked for.
    fn path(&self, path: &Path, own: &Path) -> Result<Side, Failure> {
        if path.is_dir() {
            return if manifest::has_header(path) {
                load(path, self.files).map(Side::from)
            } else {
                self.other_tool(path, None, own)
            };
        }
        match kind::of(path) {
            Some(FileKind::Listing) => {
                offline::read_listing(path, None).map(|state| of_listing(&state).into())
            }
            Some(FileKind::Manifest) if has_header(path) => load(path, self.files).map(Side::from),
            Some(FileKind::Manifest) => {
                let bytes = input::bytes(path, input::MAX_BYTES)?;
                part(path, bytes, self.files.access())
            }
            Some(FileKind::Coco) | None => self.other_tool(path, None, own),
            Some(kind) => Err(kind::wrong_kind(path, kind, "a label set")),
        }
    }

    fn other_tool(&self, path: &Path, format: Option<Format>, own: &Path) -> Result<Side, Failure> {
        let files = Files::open(&[path.to_owned()])?;
        let format = match format {
            Some(format) => format,
            None => match header_above(own) {
                Some(header) if holds_only_a_manifest(&files) => {
                    return Err(Failure::usage(format!(
                        "{} is part of the manifest of {}, and not a label set of its own",
                        path.display(),
                        header.display()
                    ))
                    .hint(format!("name the folder with {}", HEADER_FILES[0])));
                }
                _ => files.recognise(BEFORE_PATH)?,
            },
        };
        files.expect(format)?;
        let options = self.reading.import_options(None);
        let imported = formats::import(format, &files, &options)
            .map_err(|error| import::failure(&error, &files))?;
        let report = account::of_import(&imported, account::places());
        output::message(&format!("{}: {}", path.display(), report.trim_end()));
        let folder = folder_of(own).to_owned();
        let media = media::Imported::new(folder, self.files.access(), &imported.inputs);
        Ok(Side {
            labels: of_import(imported, format),
            media: Some(Media::Imported(media)),
        })
    }
}

/// The folder itself, or the one of a file.
fn folder_of(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    }
}

/// The format and the path of `coco:PATH`.
fn format_of(name: &str) -> Option<(Format, &str)> {
    let (format, path) = name.split_once(':')?;
    let mut formats = Format::ALL.into_iter();
    Some((formats.find(|it| it.as_str() == format)?, path))
}

/// The header in the nearest folder above, up to the top of the repository.
fn header_above(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let here = std::env::current_dir().unwrap_or_default();
    for folder in path.ancestors().skip(1) {
        let mut headers = HEADER_FILES.iter().map(|name| folder.join(name));
        if let Some(header) = headers.find(|header| header.is_file()) {
            let shown = header.strip_prefix(here).map(Path::to_owned);
            return Some(shown.unwrap_or(header));
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Whether files are of a manifest, and of no other format.
fn holds_only_a_manifest(files: &Files) -> bool {
    let is_manifest = |file: &String| kind::of(&files.path(file)) == Some(FileKind::Manifest);
    formats::recognise(files).is_empty() && files.files().iter().any(is_manifest)
}

fn has_header(path: &Path) -> bool {
    if path.is_dir() {
        return manifest::has_header(path);
    }
    let bytes = || input::bytes(path, input::MAX_BYTES).ok();
    kind::of(path) == Some(FileKind::Manifest)
        && bytes().is_some_and(|bytes| manifest::is_header(path, bytes))
}

/// The labels of one file of a manifest without a header, with `bytes` as its content. Masks and texts are read from the
/// folder of the manifest that holds the file.
pub(super) fn part(path: &Path, bytes: Vec<u8>, reach: FileAccess) -> Result<Side, Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let is_root = |folder: &&Path| HEADER_FILES.iter().any(|name| folder.join(name).exists());
    let root = folder.ancestors().find(is_root).unwrap_or(folder);
    let below = path.strip_prefix(root).unwrap_or(path);
    let root = if root.as_os_str().is_empty() {
        Path::new(".")
    } else {
        root
    };
    let header = serde_json::json!({
        "version": 1,
        "set": "diff",
        "policy": "sync",
        "files": [literal(&below.to_string_lossy())],
    });
    let header_file = HEADER_FILES
        .iter()
        .map(|name| root.join(name))
        .find(|file| file.exists())
        .unwrap_or_else(|| root.join(HEADER_FILES[0]));
    let overlay = Overlay::from([
        (header_file, header.to_string().into_bytes()),
        (root.join(below), bytes),
    ]);
    load_overlaid((root, path), &overlay, reach)
}

/// The labels of a manifest of one file, with `bytes` as its content.
pub(super) fn single(path: &Path, bytes: Vec<u8>, reach: FileAccess) -> Result<Side, Failure> {
    let overlay = Overlay::from([(path.to_owned(), bytes)]);
    load_overlaid((path, path), &overlay, reach)
}

fn load_overlaid(
    (root, path): (&Path, &Path),
    overlay: &Overlay,
    reach: FileAccess,
) -> Result<Side, Failure> {
    let manifest = manifest::load_with(root, overlay, reach).map_err(|problems| {
        output::styled_message(&problem_text(&problems));
        Failure::new(format!("{} has problems", path.display()))
    })?;
    Ok(manifest.into())
}

/// The pattern that matches just this path.
fn literal(path: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '!' | '\\');
    path.chars().fold(String::new(), |mut pattern, c| {
        if special(c) {
            pattern.push('\\');
        }
        pattern.push(c);
        pattern
    })
}

fn of_manifest(manifest: &Manifest) -> LabelSet {
    let inputs = manifest.desired.inputs.iter();
    LabelSet {
        kind: "manifest",
        inputs: inputs
            .map(|input| (input.id.clone(), input.annotations.clone()))
            .collect(),
        is_whole: manifest.missing_files.is_empty(),
        names_all_inputs: true,
        ..LabelSet::default()
    }
}

/// The labels of an import. An input with objects that were left out is not complete.
fn of_import(mut imported: Imported, format: Format) -> LabelSet {
    let is_whole =
        imported.unassigned == 0 && !imported.skipped.iter().any(|it| it.annotation.is_none());
    let is_unassigned = imported.unassigned > 0;
    let inputs = std::mem::take(&mut imported.inputs);
    let left_out = |it: &ImportedInput| {
        let mut why = it.left_out_as.clone();
        why.sort_unstable();
        (!why.is_empty()).then(|| (it.input.id.clone(), why))
    };
    // Objects of unknown images may belong to any.
    let hidden = inputs.iter().filter(|_| is_unassigned);
    let hidden = hidden.map(|it| it.input.id.clone()).collect();
    let left_out = inputs.iter().filter_map(left_out).collect();
    let labels = |input: DesiredInput| (input.id, input.annotations);
    LabelSet {
        kind: format.as_str(),
        inputs: inputs.into_iter().map(|it| labels(it.input)).collect(),
        incomplete: hidden,
        left_out,
        is_whole,
        names_all_inputs: true,
        ..LabelSet::default()
    }
}

/// The labels that people made. Annotations of models, and those that the service made with an input, are not labels.
fn of_listing(state: &ObservedState) -> LabelSet {
    let mut labels = LabelSet {
        kind: "listing",
        is_whole: state.scope == Scope::WholeApp,
        ..LabelSet::default()
    };
    let mut of_models = 0;
    let mut unread: u64 = 0;
    for Unreadable { input, .. } in &state.unreadable {
        unread += 1;
        match InputId::new(&**input) {
            Ok(input) => {
                labels.incomplete.insert(input);
            }
            Err(_) => labels.is_whole = false,
        }
    }
    for (id, annotations) in &state.inputs {
        let mut shown = Vec::with_capacity(annotations.len());
        for annotation in annotations {
            match (annotation.maker, &annotation.geometry) {
                (Maker::User, Geometry::Unmodelled) => {
                    unread += 1;
                    labels.incomplete.insert(id.clone());
                }
                (Maker::User, _) => shown.push(DesiredAnnotation {
                    identity: Identity::Id(annotation.id.clone()),
                    content: offline::content(annotation),
                    origin: Origin::default(),
                }),
                (Maker::Model, _) => of_models += 1,
                (Maker::Input, _) => {}
            }
        }
        labels.inputs.insert(id.clone(), shown);
    }
    if of_models > 0 {
        let count = counted(of_models, "annotation");
        output::message(&format!("note: {count} of models left out"));
    }
    if unread > 0 {
        let count = counted(unread, "annotation");
        output::message(&format!("warning: {count} of the listing cannot be read"));
    }
    labels
}
