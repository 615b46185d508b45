//! Where an import goes: into the manifest that is there, or into a new one. Nothing is written before all of it was read
//! back as the manifest that it is to be.

use super::options::{Common, Form};
use super::vocabulary;
use crate::cli::exit::Failure;
use crate::cli::init;
use crate::cli::label_files;
use crate::cli::output;
use crate::cli::tracked::tracked;
use crate::cli::validate::{problem_text, refuse_missing};
use crate::formats::{ImageInfo, Imported, ImportedInput, InputIdFrom};
use crate::manifest::write::{write_header, write_json, write_jsonl, write_yaml};
use crate::manifest::{self, Header, Image, Manifest, Overlay, TargetSpec};
use crate::model::{InputId, Kind, Policy};
use crate::pull::{
    self, Change, FileChange, Incoming, Layout, Merged, NewInputs, Over, PullError, Pulled,
};
use crate::render::{counted, escape, thousands};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

/// Names of a header's file.
const HEADERS: [&str; 3] = ["annosync.yaml", "annosync.yml", "annosync.json"];
/// Names of a list that are shown.
const SHOWN: usize = 5;

/// Writes an import; `incomplete` are inputs of which something was left out, which are not declared.
pub(super) fn write(
    common: &Common,
    file: &Path,
    imported: Imported,
    incomplete: &[ImportedInput],
    kinds: &[Kind],
) -> Result<(), Failure> {
    let project = Project::find(common, imported.skipped.is_empty())?;
    let mut base = project.placeholders();
    let manifest = project.load(common, &base, file)?;
    project.check_place(&manifest)?;
    if common.input_id() != InputIdFrom::ImageId {
        check_images(&manifest, &imported)?;
    }
    let header = vocabulary::extend(common, &manifest, &imported)?;
    if let Some(change) = &header {
        base.insert(change.path.clone(), change.content.clone());
    }
    let manifest = match header {
        Some(_) => project.load(common, &base, file)?,
        None => manifest,
    };
    say_incomplete(&manifest, incomplete, imported.unassigned);
    let incoming: Vec<Incoming> = imported.inputs.into_iter().map(incoming).collect();
    let others = others(&manifest, &incoming, incomplete);

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
        manifest::load_with(&project.root, &all, common.files.reach())
    };
    let over = Over {
        manifest: &manifest,
        text: &text,
        new_inputs: project.out.new_inputs(),
        form: pull::Form::OneFile,
        read_back: &read_back,
    };
    let (mut pulled, merged) =
        pull::merge(&over, &incoming, kinds).map_err(|error| failure(&error))?;
    // The header may hold inputs as well, and is among the files then.
    if let Some(change) = header
        && pulled.files.iter().all(|file| file.path != change.path)
    {
        pulled.files.insert(0, change);
    }
    // Where all labels are there already, the header may be all that is missing.
    if incoming.is_empty() && project.is_new() {
        output::result(if incomplete.is_empty() {
            "Nothing to write: the file has no image that can be imported.\n"
        } else {
            "Nothing to write: no image is complete.\n"
        })?;
    } else {
        project.finish(common, &mut pulled, &merged, &incoming)?;
    }
    if others > 0 {
        output::talk(&format!(
            "note: not in the file, and left unchanged: {} of the manifest",
            inputs(others)
        ));
    }
    Ok(())
}

/// Where new inputs go.
enum Out {
    /// A file for each, in this folder.
    Folder(PathBuf),
    /// All of them in this file.
    File(PathBuf),
}

impl Out {
    fn new_inputs(&self) -> NewInputs<'_> {
        match self {
            Self::Folder(folder) => NewInputs::InFolder(folder),
            Self::File(file) => NewInputs::InFile(file),
        }
    }
}

/// A manifest's folder.
struct Project {
    root: PathBuf,
    out: Out,
    /// The text of the header, where there is none yet.
    header: Option<String>,
}

impl Project {
    fn find(common: &Common, is_complete: bool) -> Result<Self, Failure> {
        let is_file = form_of(&common.out).is_some() && !common.out.is_dir();
        if is_file && common.format == Form::Jsonl && form_of(&common.out) != Some("jsonl") {
            return Err(Failure::usage(format!(
                "--format jsonl does not fit {}",
                common.out.display()
            ))
            .hint("name a folder, or a file that ends in .jsonl"));
        }
        let cannot =
            |error| Failure::new(format!("cannot find the current folder: {error}"));
        let here = normal(&std::env::current_dir().map_err(cannot)?);
        let out = normal(&std::path::absolute(&common.out).map_err(cannot)?);
        let folder = match out.parent() {
            Some(parent) if is_file => parent.to_owned(),
            _ => out.clone(),
        };
        let known = header_above(&folder);
        let is_new = known.is_none();
        let root = known.unwrap_or_else(|| {
            if folder.starts_with(&here) {
                here.clone()
            } else {
                folder.clone()
            }
        });
        let below = out.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
        let header = if is_new {
            Some(new_header(common, &root, &below, is_file, is_complete)?)
        } else if common.set.is_some() {
            return Err(
                Failure::usage("--set is for a new header, and there is one already")
                    .hint("change `set` in the header"),
            );
        } else {
            None
        };
        // Shown as people write it from here.
        let root = match root.strip_prefix(&here) {
            Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
            Ok(below) => below.to_owned(),
            Err(_) => root,
        };
        let place = root.join(&below);
        let out = match (is_file, common.format) {
            (true, _) => Out::File(place),
            (false, Form::Jsonl) => Out::File(place.join("imported.jsonl")),
            (false, Form::Yaml) => Out::Folder(place),
        };
        Ok(Self { root, out, header })
    }

    fn is_new(&self) -> bool {
        self.header.is_some()
    }

    fn header_path(&self) -> PathBuf {
        self.root.join(HEADERS[0])
    }

    /// Files that are not there yet, as if they were: the header, and one in the place of new inputs, without which a
    /// pattern of the header could match no file.
    fn placeholders(&self) -> Overlay {
        let mut overlay = Overlay::new();
        if let Some(header) = &self.header {
            overlay.insert(self.header_path(), header.clone().into_bytes());
        }
        let place = self.place_of_new();
        if !place.exists() {
            let nothing = match form_of(&place) {
                Some("jsonl") => write_jsonl(&[]),
                Some("json") => write_json(&[]),
                _ => write_yaml(&[]),
            };
            overlay.insert(place, nothing.into_bytes());
        }
        overlay
    }

    fn place_of_new(&self) -> PathBuf {
        match &self.out {
            Out::File(file) => file.clone(),
            Out::Folder(folder) => {
                let names = (0..).map(|at: u32| folder.join(format!("annosync-import-{at}.yaml")));
                let mut free = names.filter(|path| !path.exists());
                free.next().expect("a folder does not hold every name")
            }
        }
    }

    fn load(&self, common: &Common, base: &Overlay, file: &Path) -> Result<Manifest, Failure> {
        let read = manifest::load_tracked(&self.root, base, common.files.reach(), &tracked);
        let manifest = read.map_err(|problems| {
            output::styled_talk(&problem_text(&problems));
            let is_read = problems.iter().any(|problem| same_file(&problem.path, file));
            Failure::new("the existing manifest has problems; nothing was written").hint(
                if is_read {
                    "the imported file is in the manifest's folder and is read as part of it: move it, or list only the label files under `files:` in the header"
                } else {
                    "fix it first, or import into another folder"
                },
            )
        })?;
        // What a file that is gone declares would be imported as new.
        refuse_missing(&manifest, common.files)?;
        Ok(manifest)
    }

    /// A file that the manifest does not take in would be written and never read.
    fn check_place(&self, manifest: &Manifest) -> Result<(), Failure> {
        let place = self.place_of_new();
        if manifest.files().any(|file| file == place) {
            return Ok(());
        }
        label_files::refuse_left_out(&self.root, [place.as_path()])?;
        let shown = match &self.out {
            Out::Folder(folder) => folder,
            Out::File(file) => file,
        };
        Err(Failure::new(format!(
            "{} is not part of the manifest in {}: its `files:` exclude it",
            shown.display(),
            self.root.display()
        ))
        .hint("choose another --out, or add it to `files:` in the header; nothing was written"))
    }

    /// Writes the files, and the header and .gitignore of a new manifest; then says what was written.
    fn finish(
        &self,
        common: &Common,
        pulled: &mut Pulled,
        merged: &Merged,
        incoming: &[Incoming],
    ) -> Result<(), Failure> {
        let labels = pulled.files.len() as u64;
        if let Some(header) = &self.header {
            pulled.files.push(FileChange {
                path: self.header_path(),
                content: header.clone().into_bytes(),
                change: Change::Header,
            });
        }
        label_files::check(&self.root, &pulled.files)?;
        let lists = if self.is_new() {
            init::lists(&self.root)?
        } else {
            Vec::new()
        };
        let lists = lists
            .iter()
            .map(|list| (self.root.join(list.name), list.after.as_slice()));
        // The header last: an import that was interrupted leaves no manifest, not half of one.
        let all = lists
            .chain((pulled.files.iter()).map(|file| (file.path.clone(), file.content.as_slice())));
        label_files::write(all)?;
        output::result(&said(labels, merged))?;
        for file in &pulled.files {
            if let Change::Changed {
                layout: Layout::Rewritten,
                ..
            } = file.change
            {
                output::talk(&format!(
                    "warning: {} was rewritten, because its layout could not be kept; check git diff for lost comments",
                    file.path.display()
                ));
            }
        }
        if self.is_new() {
            let path = self.header_path();
            let path = path
                .strip_prefix(".")
                .unwrap_or(&path)
                .display()
                .to_string();
            output::result(&format!("Wrote {path}: read it before you apply.\n"))?;
        }
        if pulled.files.is_empty() {
            return Ok(());
        }
        let is_as_meant = manifest::load_with(&self.root, &Overlay::new(), common.files.reach())
            .is_ok_and(|read| incoming.iter().all(|it| declares(&read, &it.input.id)));
        if is_as_meant {
            return Ok(());
        }
        Err(
            Failure::new("the written files do not give the intended manifest").hint(
                "check them with `annosync validate`; `annosync validate --files` lists the files of the manifest",
            ),
        )
    }
}

fn declares(manifest: &Manifest, input: &InputId) -> bool {
    let inputs = &manifest.desired.inputs;
    inputs.binary_search_by(|it| it.id.cmp(input)).is_ok()
}

fn said(files: u64, merged: &Merged) -> String {
    let counts = |words: &[(u64, &str)]| {
        let words = words.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words
            .map(|(count, word)| format!("{} {word}", thousands(*count)))
            .collect();
        words.join(", ")
    };
    let inputs = counts(&[
        (merged.new_inputs, "new"),
        (merged.changed_inputs, "changed"),
        (merged.same_inputs, "unchanged"),
    ]);
    let annotations = counts(&[
        (merged.added, "added"),
        (merged.changed, "changed"),
        (merged.dropped, "dropped"),
        (merged.kept, "kept (the format cannot express them)"),
    ]);
    let mut text = match files {
        0 => "Nothing to write".to_owned(),
        _ => format!("Wrote {}", counted(files, "file")),
    };
    if !inputs.is_empty() {
        let _ = write!(text, "; inputs: {inputs}");
    }
    if !annotations.is_empty() {
        let _ = write!(text, "; annotations: {annotations}");
    }
    text + ".\n"
}

fn inputs(count: u64) -> String {
    counted(count, "input")
}

/// Some of the names, and how many there are beyond.
fn some(names: &[String]) -> String {
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

/// Names the inputs of which something was left out: new ones are not declared, declared ones keep what they have.
fn say_incomplete(manifest: &Manifest, incomplete: &[ImportedInput], unassigned: u64) {
    if unassigned > 0 && !incomplete.is_empty() {
        output::talk(&format!(
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
        output::talk(&format!(
            "warning: {} {why}: {what}, so no plan deletes what was left out: {}",
            inputs(ids.len() as u64),
            some(&names)
        ));
    }
    if !incomplete.is_empty() {
        output::talk(if unassigned > 0 {
            "hint: fix the entries left out as unknown_image, wrong_type or image_without_id; or --allow-incomplete \
             declares the images with what could be imported: under policy sync, a plan then deletes what was left out"
        } else {
            "hint: --allow-incomplete declares them with what could be imported: under policy sync, a plan then deletes what was left out"
        });
    }
}

/// How many inputs of the manifest the file does not name.
fn others(manifest: &Manifest, incoming: &[Incoming], incomplete: &[ImportedInput]) -> u64 {
    let named: BTreeSet<&InputId> = incoming
        .iter()
        .map(|it| &it.input.id)
        .chain(incomplete.iter().map(|it| &it.input.id))
        .collect();
    let declared = manifest.desired.inputs.iter();
    declared.filter(|it| !named.contains(&it.id)).count() as u64
}

/// Refuses images whose input the manifest declares with another image: one's labels would replace the other's.
fn check_images(manifest: &Manifest, imported: &Imported) -> Result<(), Failure> {
    let name = |path: &str| {
        let end = path.find("://").and(path.find(['?', '#']));
        let path = &path[..end.unwrap_or(path.len())];
        let last = path.rsplit(['/', '\\']).next().unwrap_or(path);
        last.to_owned()
    };
    let mut others = Vec::new();
    for each in &imported.inputs {
        let known = manifest.images.get(&each.input.id);
        let known = known.and_then(|it| it.path.as_deref().or(it.url.as_deref()));
        let new = each.image.path.as_ref().or(each.image.url.as_ref());
        let (Some(known), Some(new)) = (known, new) else {
            continue;
        };
        if name(known) != name(new) {
            others.push(format!(
                "{}: {} and {}",
                escape(each.input.id.as_str()),
                escape(known),
                escape(new)
            ));
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} with a different image than in the manifest: {}; nothing was written",
        inputs(others.len() as u64),
        some(&others)
    ))
    .hint(
        "choose another --input-id, or fix `image.path` in the manifest if the image was renamed",
    ))
}

fn incoming(each: ImportedInput) -> Incoming {
    let ImageInfo { path, url, size } = each.image;
    let image = (path.is_some() || url.is_some() || size.is_some()).then(|| Image {
        path: path.map(String::into_boxed_str),
        url: url.map(String::into_boxed_str),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
    });
    Incoming {
        input: each.input,
        image,
    }
}

fn failure(error: &PullError) -> Failure {
    if let PullError::DoesNotFit(problems) = error {
        output::styled_talk(&problem_text(problems));
    }
    Failure::new(format!("{error}; nothing was written")).hint(error.hint())
}

/// The ending of a manifest's file.
fn form_of(path: &Path) -> Option<&str> {
    let ending = path.extension()?.to_str()?;
    ["yaml", "yml", "json", "jsonl"]
        .into_iter()
        .find(|known| *known == ending)
}

/// The nearest folder with a header, from here up to the top of the repository.
fn header_above(folder: &Path) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        if HEADERS.iter().any(|name| folder.join(name).is_file()) {
            return Some(folder.to_owned());
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// A header that works at once, on a store in the folder itself. It deletes only if the import is complete.
fn new_header(
    common: &Common,
    root: &Path,
    below: &Path,
    is_file: bool,
    is_complete: bool,
) -> Result<String, Failure> {
    let set = common.set.clone().unwrap_or_else(|| {
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        init::named_after(&name)
    });
    let below = below
        .to_str()
        .map(|below| globset::escape(&below.replace('\\', "/")))
        .ok_or_else(|| Failure::usage("--out is not valid UTF-8"))?;
    let ending = match common.format {
        Form::Yaml => "yaml",
        Form::Jsonl => "jsonl",
    };
    let pattern = match (is_file, below.is_empty()) {
        (true, _) => below,
        (false, true) => format!("*.{ending}"),
        (false, false) => format!("{below}/**"),
    };
    let local = TargetSpec::Embedded {
        path: PathBuf::from(".annosync/local.db"),
    };
    let (policy, word) = if is_complete {
        (Policy::Sync, "")
    } else {
        (
            Policy::Upsert,
            "# upsert deletes nothing: the import left something out. With sync, a plan deletes what is not declared.\n",
        )
    };
    let header = Header {
        target: Some("local".to_owned()),
        targets: BTreeMap::from([("local".to_owned(), local)]),
        files: Some(vec![pattern]),
        ..Header::new(set, policy)
    };
    Ok(format!("{word}{}", write_header(&header)))
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}
