//! Changes an existing manifest so that it equals the app. Files that need no change stay byte for byte.

use super::check::{self, UndeclaredInputs};
use super::choice::Choice;
use super::error::PullError;
use super::fresh::{ALL_INPUTS, Form, LABELS};
use super::input::{Entry, PulledInput};
use super::name::Names;
use super::report::{Account, Change, Layout, Pulled};
use super::settle::{Draft, ReadBack, WriteLayout, settle};
use super::splice::{Aliases, FileEdit, InputEdit, Part, replace_inputs, splice};
use super::writable;
use crate::manifest::write::{WritableInput, write_json, write_jsonl, write_yaml};
use crate::manifest::{Format, Image, Manifest, Overlay};
use crate::model::{DesiredInput, ObservedState, Shard};
use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

/// Where new inputs are declared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewInputs<'a> {
    /// Like the existing ones: in files of their own if those are, else in the file with the most inputs.
    #[default]
    LikeExisting,
    /// In files of their own.
    OwnFiles,
    /// In the manifest's only file.
    SameFile,
    /// In files of their own in this folder.
    InFolder(&'a Path),
    /// In this file of the manifest.
    InFile(&'a Path),
}

/// The manifest to change.
#[derive(Clone, Copy)]
pub struct ExistingManifest<'a> {
    pub manifest: &'a Manifest,
    /// The text of a file by its index; `None` if it changed since the manifest was read.
    pub text: &'a dyn Fn(u32) -> Option<String>,
    pub new_inputs: NewInputs<'a>,
    /// The layout of a new file of all inputs.
    pub form: Form,
    /// The shard whose inputs are pulled: a file with inputs of others is not changed.
    pub shard: Option<Shard>,
    /// Reads the manifest with the files that would be written.
    pub read_back: ReadBack<'a>,
}

impl std::fmt::Debug for ExistingManifest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExistingManifest")
            .field("manifest", &self.manifest)
            .field("new_inputs", &self.new_inputs)
            .finish_non_exhaustive()
    }
}

/// The files to write so that the chosen part of the manifest equals the app.
///
/// # Errors
///
/// If the next plan would delete what is not pulled, if something cannot be declared or does not fit the header, or if a
/// file cannot be changed.
pub fn over(
    over: &ExistingManifest<'_>,
    observed: &ObservedState,
    choice: &Choice,
) -> Result<Pulled, PullError> {
    let desired = &over.manifest.desired;
    let inputs = check::pull(desired, observed, choice, UndeclaredInputs::Ignored)?;
    let losses = check::losses(&inputs, observed);
    let pulled = write_over(over, &inputs)?;
    Ok(Pulled { losses, ..pulled })
}

/// The files to write so that the manifest declares these inputs.
pub(super) fn write_over(
    over: &ExistingManifest<'_>,
    inputs: &[PulledInput],
) -> Result<Pulled, PullError> {
    let manifest = over.manifest;
    let mut account = Account::default();
    for input in inputs {
        account.add(input.account);
    }

    let mut files: Vec<File<'_>> = manifest
        .files()
        .map(|path| File {
            path,
            inputs: Vec::new(),
            edit: FileEdit::default(),
            new: 0,
        })
        .collect();
    for (at, input) in manifest.desired.inputs.iter().enumerate() {
        files[input.origin.file as usize].inputs.push(at);
    }
    let mut masks = Overlay::new();
    for file in &mut files {
        file.inputs
            .sort_by_key(|at| manifest.desired.inputs[*at].origin.input);
        file.edit.inputs = file.inputs.len() as u32;
    }
    let mut intended: Vec<DesiredInput> = manifest.desired.inputs.clone();
    for input in inputs {
        let Some(at) = input.declared else {
            continue;
        };
        let was = &manifest.desired.inputs[at];
        let file = &mut files[was.origin.file as usize];
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let parts = parts(manifest, input, was);
        let size = sizes(manifest.images.get(&input.id), input.image.as_ref());
        let order: Vec<usize> = input.entries.iter().filter_map(|it| it.declared).collect();
        let order = (!order.is_sorted()).then_some(order);
        let is_same = was.undeclared == input.undeclared
            && order.is_none()
            && size == [None; 2]
            && parts.iter().all(|part| *part == Part::Kept)
            && input.entries.len() == was.annotations.len();
        if is_same {
            continue;
        }
        intended[at] = input.desired();
        let is_new = |entry: &&Entry| entry.declared.is_none();
        let added = input.entries.iter().filter(is_new);
        file.edit.edits.push(InputEdit {
            index: was.origin.input,
            undeclared: was.undeclared,
            size,
            parts,
            order,
            added: added
                .map(|entry| writable::annotation(Some(manifest), &input.id, entry))
                .collect(),
            whole: writable::pulled(Some(manifest), input, folder, &mut masks),
        });
    }
    let new: Vec<&PulledInput> = inputs
        .iter()
        .filter(|input| input.declared.is_none() && input.is_declared())
        .collect();
    intended.extend(new.iter().map(|input| input.desired()));
    let drafts = place(over, &mut files, &new, &mut masks)?;
    settle(&drafts, masks, &intended, account, over.read_back)
}

/// A file of the manifest, and its changes.
struct File<'a> {
    path: &'a Path,
    /// Its inputs in the order of the file, as indices into the manifest's.
    inputs: Vec<usize>,
    edit: FileEdit,
    /// Annotations on new inputs.
    new: u64,
}

impl File<'_> {
    fn holds_any(&self) -> bool {
        !self.inputs.is_empty()
    }
}

/// Old and new width, and old and new height, if they change.
fn sizes(was: Option<&Image>, is: Option<&Image>) -> [Option<[u32; 2]>; 2] {
    let (Some(was), Some(is)) = (was, is) else {
        return [None; 2];
    };
    let changed = |was: Option<u32>, is: Option<u32>| Some([was?, is?]).filter(|it| it[0] != it[1]);
    [changed(was.width, is.width), changed(was.height, is.height)]
}

fn parts(manifest: &Manifest, input: &PulledInput, was: &DesiredInput) -> Vec<Part> {
    let mut parts = vec![Part::Dropped; was.annotations.len()];
    for entry in &input.entries {
        let Some(at) = entry.declared else {
            continue;
        };
        let before = &was.annotations[at];
        parts[at] = if before.identity == entry.identity && before.content == entry.content {
            Part::Kept
        } else {
            let before = Entry {
                identity: before.identity.clone(),
                content: before.content.clone(),
                mask: None,
                ..*entry
            };
            Part::Changed(Box::new([
                writable::annotation(Some(manifest), &input.id, &before),
                writable::annotation(Some(manifest), &input.id, entry),
            ]))
        };
    }
    parts
}

/// Chooses files for the new inputs, and drafts every file that changes or is new.
fn place<'a>(
    over: &ExistingManifest<'a>,
    files: &mut [File<'a>],
    new: &[&PulledInput],
    masks: &mut Overlay,
) -> Result<Vec<Draft<'a>>, PullError> {
    let has_file_per_input = files.iter().filter(|file| file.holds_any()).count() > 1
        && files.iter().all(|file| file.inputs.len() <= 1);
    let new_files = match over.new_inputs {
        NewInputs::LikeExisting if has_file_per_input => own_files(over, files, new, masks),
        NewInputs::OwnFiles | NewInputs::InFolder(_) => own_files(over, files, new, masks),
        NewInputs::LikeExisting | NewInputs::SameFile | NewInputs::InFile(_) => {
            together(over, files, new, masks).into_iter().collect()
        }
    };
    let mut drafts = Vec::new();
    for (index, file) in files.iter_mut().enumerate() {
        if file.edit.edits.is_empty() && file.edit.appended.is_empty() {
            continue;
        }
        let is_of_another = |at: &usize| {
            let input = &over.manifest.desired.inputs[*at].id;
            over.shard.is_some_and(|shard| !shard.covers(input))
        };
        if file.inputs.iter().any(is_of_another) {
            let path = file.path.to_owned();
            return Err(PullError::SharedFile { path });
        }
        let text = (over.text)(index as u32).ok_or_else(|| PullError::Changed {
            path: file.path.to_owned(),
        })?;
        drafts.push(changed_file(over.manifest, file, text));
    }
    drafts.extend(new_files);
    Ok(drafts)
}

/// A file for each new input, in the folder of the existing ones, or where a new manifest has them.
fn own_files<'a>(
    over: &ExistingManifest<'a>,
    files: &[File<'a>],
    new: &[&PulledInput],
    masks: &mut Overlay,
) -> Vec<Draft<'a>> {
    let labels = over.manifest.root.join(LABELS);
    // Beside the header only if all files are: `files:` may match a folder only.
    let is_beside_the_header = |folder: &&Path| {
        let plain = |path: &Path| path.components().filter(is_step).count();
        plain(folder) == plain(&over.manifest.root)
    };
    let mut folders = files
        .iter()
        .filter(|file| file.holds_any())
        .filter_map(|file| file.path.parent());
    let all_beside = folders.clone().all(|folder| is_beside_the_header(&folder));
    let first = folders.find(|folder| all_beside || !is_beside_the_header(folder));
    let folder = match over.new_inputs {
        NewInputs::InFolder(folder) => folder,
        NewInputs::OwnFiles if all_beside => &labels,
        _ => first.unwrap_or(&labels),
    };
    let mut names = Names::new(over.shard);
    for file in files
        .iter()
        .filter(|file| file.path.parent() == Some(folder))
    {
        let name = file.path.file_name().unwrap_or_default();
        names.reserve(&name.to_string_lossy());
    }
    new.iter()
        .map(|input| {
            let path = folder.join(names.name(&input.id, ".yaml"));
            let one = writable::pulled(None, input, folder, masks);
            new_file(path, vec![one], &[input], write_yaml)
        })
        .collect()
}

/// Adds the new inputs to the file with the most inputs, or drafts a new file if there are no inputs.
fn together<'a>(
    over: &ExistingManifest<'a>,
    files: &mut [File<'a>],
    new: &[&PulledInput],
    masks: &mut Overlay,
) -> Option<Draft<'a>> {
    let most = files
        .iter()
        .map(|file| file.inputs.len())
        .max()
        .unwrap_or(0);
    let may_append = most > 0 || over.new_inputs == NewInputs::SameFile;
    let fullest = files.iter_mut().find(|file| match over.new_inputs {
        NewInputs::InFile(path) => file.path == path,
        _ => may_append && file.inputs.len() == most,
    });
    let labels = over.manifest.root.join(LABELS);
    let folder = match &fullest {
        Some(file) => file.path.parent().unwrap_or(Path::new("")),
        None => &labels,
    };
    let writables = new
        .iter()
        .map(|input| writable::pulled(None, input, folder, masks))
        .collect();
    if let Some(file) = fullest {
        file.edit.appended = writables;
        file.new = annotations_of(new);
        return None;
    }
    let (extension, write) = over.form.extension_and_writer();
    let path = labels.join(format!("{ALL_INPUTS}.{extension}"));
    (!new.is_empty()).then(|| new_file(path, writables, new, write))
}

fn is_step(component: &Component<'_>) -> bool {
    *component != Component::CurDir
}

fn annotations_of(inputs: &[&PulledInput]) -> u64 {
    inputs.iter().map(|input| input.entries.len() as u64).sum()
}

fn new_file<'a>(
    path: PathBuf,
    writables: Vec<WritableInput>,
    inputs: &[&PulledInput],
    write: fn(&[WritableInput]) -> String,
) -> Draft<'a> {
    Draft {
        path,
        change: Change::New(annotations_of(inputs)),
        layouts: vec![Box::new(move || Some(write(&writables)))],
        inputs: inputs.iter().map(|input| input.id.clone()).collect(),
    }
}

fn changed_file<'a>(manifest: &'a Manifest, file: &mut File<'a>, text: String) -> Draft<'a> {
    let mut edit = std::mem::take(&mut file.edit);
    edit.edits.sort_by_key(|edit| edit.index);
    let parts = || edit.edits.iter().flat_map(|edit| &edit.parts);
    let count = |is: fn(&Part) -> bool| parts().filter(|part| is(part)).count() as u64;
    let change = Change::Changed {
        added: file.new
            + edit
                .edits
                .iter()
                .map(|edit| edit.added.len() as u64)
                .sum::<u64>(),
        changed: count(|part| matches!(part, Part::Changed(_))),
        dropped: count(|part| matches!(part, Part::Dropped)),
        layout: Layout::Kept,
    };
    let appended = edit.appended.iter().map(|input| input.id.clone());
    let ids = file
        .inputs
        .iter()
        .map(|at| manifest.desired.inputs[*at].id.clone())
        .chain(appended)
        .collect();
    let all = all_inputs(manifest, &file.inputs, &edit);
    let format = Format::of(file.path);
    let layouts: Vec<WriteLayout<'a>> = if format == Some(Format::JsonLines) {
        vec![
            {
                let text = text.clone();
                Box::new(move || Some(edit_jsonl(&text, &edit)))
            },
            Box::new(move || Some(write_jsonl(&all))),
        ]
    } else if format == Some(Format::Json) {
        vec![Box::new(move || replace_json_inputs(&text, &all))]
    } else {
        let all = std::rc::Rc::new(all);
        let again = std::rc::Rc::clone(&all);
        let edit = std::rc::Rc::new(edit);
        let same_edit = std::rc::Rc::clone(&edit);
        let [same_text, again_text] = [text.clone(), text.clone()];
        vec![
            Box::new(move || splice(&text, &edit, Aliases::Kept)),
            Box::new(move || splice(&again_text, &same_edit, Aliases::Replaced)),
            Box::new(move || replace_inputs(&same_text, &write_yaml(&all))),
            Box::new(move || Some(write_yaml(&again))),
        ]
    };
    Draft {
        path: file.path.to_owned(),
        change,
        layouts,
        inputs: ids,
    }
}

/// All inputs of a file after its edits.
fn all_inputs(manifest: &Manifest, inputs: &[usize], edit: &FileEdit) -> Vec<WritableInput> {
    let edited: HashMap<u32, &InputEdit> =
        edit.edits.iter().map(|edit| (edit.index, edit)).collect();
    inputs
        .iter()
        .map(|at| {
            let input = &manifest.desired.inputs[*at];
            match edited.get(&input.origin.input) {
                Some(edit) => edit.whole.clone(),
                None => writable::unchanged(manifest, input),
            }
        })
        .chain(edit.appended.iter().cloned())
        .collect()
}

/// Edits JSON Lines: replaces the lines of changed inputs and keeps the others.
fn edit_jsonl(text: &str, edit: &FileEdit) -> String {
    let edited: BTreeMap<u32, &InputEdit> =
        edit.edits.iter().map(|edit| (edit.index, edit)).collect();
    let mut out = String::with_capacity(text.len());
    let mut index = 0;
    for line in text.split_inclusive('\n') {
        let is_input = !line.trim_end().is_empty();
        match edited.get(&index).filter(|_| is_input) {
            Some(edit) => out.push_str(&write_jsonl(std::slice::from_ref(&edit.whole))),
            None => out.push_str(line),
        }
        index += u32::from(is_input);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&write_jsonl(&edit.appended));
    out
}

/// Replaces the inputs of a JSON file and keeps its header. `None` if it is not an object.
pub(super) fn replace_json_inputs(text: &str, inputs: &[WritableInput]) -> Option<String> {
    let written = write_json(inputs);
    let serde_json::Value::Object(mut top) = serde_json::from_str(text).ok()? else {
        return None;
    };
    if top.keys().all(|key| key == "inputs") {
        return Some(written);
    }
    let serde_json::Value::Object(mut new) = serde_json::from_str(&written).ok()? else {
        return None;
    };
    top.insert("inputs".to_owned(), new.remove("inputs")?);
    serde_json::to_string_pretty(&top)
        .ok()
        .map(|text| text + "\n")
}
