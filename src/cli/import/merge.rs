//! Merges imported inputs into a manifest. All files are read back as the intended manifest before any is written.

use super::Read;
use super::project::{Project, declares};
use super::vocabulary::Vocabulary;
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::validate::{self, pull_failure};
use crate::formats::{Format, ImageInfo, Imported, ImportedInput, Media};
use crate::manifest::{self, Image, InputText, InputVideo, Manifest, Overlay};
use crate::model::InputId;
use crate::pull::{self, ExistingManifest, Expressible, Incoming};
use crate::render::{counted, escape};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// How many names a message lists.
const MAX_NAMES: usize = 5;

/// What was written.
pub(super) struct Written {
    pub(super) is_written: bool,
    /// How many annotations the manifest lost.
    pub(super) dropped: u64,
}

/// Merges an import into its manifest and writes the files. `incomplete` are inputs with left-out annotations: they are
/// not declared, or keep what the manifest declares.
pub(super) fn merge(
    project: &Project,
    files: validate::Files,
    vocabulary: Vocabulary,
    read: Read,
    incomplete: &[ImportedInput],
) -> Result<Written, Failure> {
    let (imported, format) = (read.imported, read.format);
    let file = read.files.named();
    let mut base = project.placeholders();
    let manifest = project.load(files, &base, file)?;
    project.check_place(&manifest)?;
    check_images(&manifest, &imported, format)?;
    check_texts(&manifest, &imported)?;
    check_other_ids(&manifest, &imported)?;
    let header = vocabulary.extend(&manifest, &imported)?;
    if let Some(change) = &header {
        base.insert(change.path.clone(), change.content.clone());
    }
    let manifest = match header {
        Some(_) => project.load(files, &base, file)?,
        None => manifest,
    };
    report_incomplete(&manifest, incomplete, imported.unassigned);
    let incoming: Vec<Incoming> = imported.inputs.into_iter().map(incoming).collect();
    let others = count_others(&manifest, &incoming, incomplete);

    let text = |index: u32| {
        let path = manifest.files().nth(index as usize)?;
        match base.get(path) {
            Some(bytes) => String::from_utf8(bytes.clone()).ok(),
            None => manifest.text(index),
        }
    };
    let read_back = |overlay: &Overlay| {
        let mut all = base.clone();
        all.extend(overlay.clone());
        manifest::load_with(&project.root, &all, files.access())
    };
    let over = ExistingManifest {
        manifest: &manifest,
        text: &text,
        new_inputs: project.out.new_inputs(),
        form: pull::Form::OneFile,
        shard: None,
        read_back: &read_back,
    };
    let (mut pulled, merged) = pull::merge(
        &over,
        &incoming,
        Expressible {
            kinds: format.reads(),
            frames: format.reads_frames(),
        },
    )
    .map_err(|error| pull_failure(&error))?;
    // A header that declares inputs is among the files already.
    if let Some(change) = header
        && pulled.files.iter().all(|file| file.path != change.path)
    {
        pulled.files.insert(0, change);
    }
    // A new manifest gets its header even if its label files are unchanged.
    let is_written = !(incoming.is_empty() && project.is_new());
    if is_written {
        project.finish(files, &mut pulled, &merged, &incoming)?;
    } else {
        output::result(if incomplete.is_empty() {
            "Nothing to write: the file has no image that can be imported.\n"
        } else {
            "Nothing to write: no image is complete.\n"
        })?;
    }
    if others > 0 {
        output::message(&format!(
            "note: not in the file, and left unchanged: {} of the manifest",
            counted(others, "input")
        ));
    }
    Ok(Written {
        is_written,
        dropped: merged.dropped,
    })
}

/// Lists the inputs with left-out annotations: new ones are not declared, declared ones keep their labels.
fn report_incomplete(manifest: &Manifest, incomplete: &[ImportedInput], unassigned: u64) {
    if unassigned > 0 && !incomplete.is_empty() {
        output::message(&format!(
            "warning: no image counts as complete: {} may belong to any of them",
            counted(unassigned, "left-out object")
        ));
    }
    let why = if unassigned > 0 {
        "of which something may have been left out"
    } else {
        "of which something was left out"
    };
    let (kept, new): (Vec<_>, Vec<_>) = incomplete
        .iter()
        .map(|it| &it.input.id)
        .partition(|id| declares(manifest, id));
    for (ids, what) in [
        (new, "not declared"),
        (kept, "keep the labels that the manifest has"),
    ] {
        if ids.is_empty() {
            continue;
        }
        let names: Vec<String> = ids
            .iter()
            .map(|id| escape(id.as_str()).into_owned())
            .collect();
        output::message(&format!(
            "warning: {} {why}: {what}, so no plan deletes what was left out: {}",
            counted(ids.len() as u64, "input"),
            first_names(&names)
        ));
    }
    if !incomplete.is_empty() {
        output::message(if unassigned > 0 {
            "hint: fix the entries left out as unknown_image, wrong_type or image_without_id; or --allow-incomplete \
             declares the images with what could be imported: under policy sync, a plan then deletes what was left out"
        } else {
            "hint: --allow-incomplete declares them with what could be imported: under policy sync, a plan then deletes what was left out"
        });
    }
}

/// The first names, and how many more there are.
fn first_names(names: &[String]) -> String {
    let mut text = names[..names.len().min(MAX_NAMES)].join(", ");
    if names.len() > MAX_NAMES {
        let _ = write!(text, " and {} more", names.len() - MAX_NAMES);
    }
    text
}

/// Counts the inputs of the manifest that the file does not have.
fn count_others(manifest: &Manifest, incoming: &[Incoming], incomplete: &[ImportedInput]) -> u64 {
    let named: BTreeSet<&InputId> = incoming
        .iter()
        .map(|it| &it.input.id)
        .chain(incomplete.iter().map(|it| &it.input.id))
        .collect();
    let declared = manifest.desired.inputs.iter();
    declared.filter(|it| !named.contains(&it.id)).count() as u64
}

/// Refuses images and videos whose input the manifest declares with a different one: the labels would be replaced.
fn check_images(manifest: &Manifest, imported: &Imported, format: Format) -> Result<(), Failure> {
    let mut others = Vec::new();
    let mut are_videos = true;
    for each in &imported.inputs {
        let id = each.input.id.as_str();
        let known = declared_places(manifest, &each.input.id);
        let Some(first) = known.first() else {
            continue;
        };
        let new = match each.image.path.as_ref().or(each.image.url.as_ref()) {
            Some(new) if known.iter().any(|it| is_same_file(it, new, format)) => continue,
            Some(new) => new.as_str(),
            // A label file of YOLO names no image, and its own path became the id.
            None if format == Format::Yolo => {
                let parts = parts(first);
                if parts.last().is_some_and(|name| is_named_after(id, name)) {
                    continue;
                }
                "a label file"
            }
            None => continue,
        };
        are_videos &= matches!(each.media, Media::Video);
        others.push(format!(
            "{}: {} and {}",
            escape(id),
            escape(first),
            escape(new)
        ));
    }
    if others.is_empty() {
        return Ok(());
    }
    let what = if are_videos { "video" } else { "image" };
    Err(Failure::new(format!(
        "{} with a different {what} than in the manifest: {}; nothing was written",
        counted(others.len() as u64, "input"),
        first_names(&others)
    ))
    .hint(format!(
        "if these are other {what}s, choose another --input-id, or an --out with another manifest; if the {what}s were \
         moved or renamed, change `{what}` in the manifest first; --images must name the folder as the manifest does"
    )))
}

/// The paths and URLs that the manifest declares for an input's image or video.
fn declared_places(manifest: &Manifest, id: &InputId) -> Vec<Box<str>> {
    let image = manifest.images.get(id).into_iter();
    let places = image.flat_map(|it| [it.path.clone(), it.url.clone()]);
    let video = manifest.input_video(id).map(|it| match it {
        InputVideo::Path(place) | InputVideo::Url(place) => place,
    });
    places.flatten().chain(video).collect()
}

/// Whether two paths or URLs are of one file. Of a URL and an absolute path, whose beginning differs between machines, the
/// end is compared with a relative path; so is that of a path in a data set, which has folders of its own.
fn is_same_file(known: &str, new: &str, format: Format) -> bool {
    let has_own_folders = matches!(format, Format::Yolo | Format::OpenImages);
    let is_whole = |place: &str| place.contains("://") || Path::new(place).has_root();
    let is_end_enough = has_own_folders || is_whole(known) != is_whole(new);
    let (known, new) = (parts(known), parts(new));
    known == new || is_end_enough && (known.ends_with(&new) || new.ends_with(&known))
}

/// The parts of a path, or of a URL without its query and fragment: `./a.jpg` and `a.jpg` are one image.
fn parts(place: &str) -> Vec<&str> {
    let end = place.find("://").and(place.find(['?', '#']));
    let parts = place[..end.unwrap_or(place.len())].split(['/', '\\']);
    // The first part of an absolute path is empty.
    parts
        .enumerate()
        .filter(|&(at, part)| part != "." && (at == 0 || !part.is_empty()))
        .map(|(_, part)| part)
        .collect()
}

/// Refuses texts whose input the manifest declares with a different text: the labels would be on other words. White space
/// does not count, since some formats change it.
fn check_texts(manifest: &Manifest, imported: &Imported) -> Result<(), Failure> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let mut others = Vec::new();
    for each in &imported.inputs {
        let Media::Text(new) = &each.media else {
            continue;
        };
        // A text that cannot be read is not compared.
        let known = manifest.read_text(&each.input.id).ok().flatten();
        if known.is_some_and(|known| bare(&known) != bare(new)) {
            others.push(escape(each.input.id.as_str()).into_owned());
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} with a different text than in the manifest: {}; nothing was written",
        counted(others.len() as u64, "input"),
        first_names(&others)
    ))
    .hint("import into another folder, or fix `text` in the manifest if the text was changed"))
}

/// Whether an id that was made from a path ends with the name of this image, with or without its extension.
fn is_named_after(id: &str, image: &str) -> bool {
    let stem = image.rsplit_once('.').map_or(image, |(stem, _)| stem);
    [image, stem].into_iter().any(|name| {
        let before = id.strip_suffix(name);
        before.is_some_and(|before| before.is_empty() || before.ends_with(['-', '/']))
    })
}

/// Refuses new inputs with an image that the manifest declares under another id: its labels would be declared twice.
fn check_other_ids(manifest: &Manifest, imported: &Imported) -> Result<(), Failure> {
    let mut declared: BTreeMap<Vec<&str>, &InputId> = BTreeMap::new();
    for (id, image) in &manifest.images {
        let places = [image.path.as_deref(), image.url.as_deref()];
        declared.extend(places.into_iter().flatten().map(|place| (parts(place), id)));
    }
    let mut twice = Vec::new();
    for each in &imported.inputs {
        let place = each.image.path.as_ref().or(each.image.url.as_ref());
        if let Some(place) = place
            && let Some(known) = declared.get(&parts(place))
            && !declares(manifest, &each.input.id)
        {
            let (known, new) = (known.as_str(), each.input.id.as_str());
            twice.push(format!(
                "{}: {} and {}",
                escape(place),
                escape(known),
                escape(new)
            ));
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} declared under a different id than the import gives: {}; nothing was written",
        counted(twice.len() as u64, "image"),
        first_names(&twice)
    ))
    .hint("choose the --input-id that gives the ids of the manifest, or change its ids first"))
}

fn incoming(each: ImportedInput) -> Incoming {
    let ImageInfo { path, url, size } = each.image;
    let (path, url) = (
        path.map(String::into_boxed_str),
        url.map(String::into_boxed_str),
    );
    let mut incoming = Incoming {
        input: each.input,
        image: None,
        video: None,
        text: None,
    };
    match each.media {
        Media::Image if path.is_some() || url.is_some() || size.is_some() => {
            incoming.image = Some(Image {
                path,
                url,
                width: size.map(|(width, _)| width),
                height: size.map(|(_, height)| height),
            });
        }
        Media::Image => {}
        Media::Video => {
            incoming.video = path
                .map(InputVideo::Path)
                .or_else(|| url.map(InputVideo::Url));
        }
        Media::Text(text) => incoming.text = Some(InputText::Raw(text.into())),
    }
    incoming
}
