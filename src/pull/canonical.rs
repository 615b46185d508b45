//! Files of a manifest in the form that a pull writes.
//!
//! Only the inputs of a file are written anew. No field is added or dropped, comments stay, and the files read back as the
//! same manifest. A file for which that cannot be done is left as it is.

use super::comments::{Block, Uncertain};
use super::error::PullError;
use super::over::replace_json_inputs;
use super::report::{Account, Change, FileChange, Layout};
use super::settle::{Draft, ReadBack, settle};
use super::splice::inputs_block;
use super::writable;
use crate::manifest::write::{WritableInput, input_tree, write_jsonl, write_yaml};
use crate::manifest::{Format, Manifest, Overlay};
use crate::model::{DesiredInput, Geometry, Span};
use rayon::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The result of formatting.
#[derive(Debug)]
pub struct Formatted {
    /// The files to write: those that change.
    pub files: Vec<FileChange>,
    /// Files that are left as they are, and why.
    pub left: Vec<(PathBuf, NotFormatted)>,
    /// How many files are right already.
    pub right: u64,
}

/// Why a file is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFormatted {
    #[error("its inputs have a YAML anchor, alias or tag, which would be lost")]
    References,
    #[error("its `inputs:` cannot be rewritten without changing the rest of the file")]
    Layout,
    #[error("it is not certain what is a comment in its inputs, or where a comment belongs")]
    Comments,
    #[error("`{field}` of {owner} would change")]
    Field {
        field: String,
        /// The input or annotation: "annotation 2 of input `a`".
        owner: String,
    },
    #[error("it changed while it was read")]
    Changed,
}

impl NotFormatted {
    /// Whether the author chose what cannot be written anew. Such a file is not an error.
    pub fn is_chosen(&self) -> bool {
        *self == Self::References
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::References => {
                "write out what the aliases stand for if the file is to be formatted"
            }
            Self::Layout => "write its `inputs:` at the beginning of a line, as a block list",
            Self::Comments => "move the comments to lines of their own between annotations",
            Self::Field { .. } => "this is a bug in annosync: report it, with the annotation",
            Self::Changed => "run the command again",
        }
    }
}

impl From<Uncertain> for NotFormatted {
    fn from(uncertain: Uncertain) -> Self {
        match uncertain {
            Uncertain::References => Self::References,
            Uncertain::Comments => Self::Comments,
        }
    }
}

/// A file of the manifest, with its inputs in their order.
struct File<'a> {
    path: &'a Path,
    index: u32,
    inputs: Vec<&'a DesiredInput>,
}

/// The new text of a file; `None` if it is right already.
type NewText = Result<Option<String>, NotFormatted>;

/// Writes the chosen files of a manifest in canonical form.
///
/// # Errors
///
/// If the files would not read back as the same manifest.
pub fn format(
    manifest: &Manifest,
    is_chosen: &(dyn Fn(&Path) -> bool + Sync),
    read_back: ReadBack<'_>,
) -> Result<Formatted, PullError> {
    let mut files: Vec<File<'_>> = (manifest.files().zip(0..))
        .map(|(path, index)| File {
            path,
            index,
            inputs: Vec::new(),
        })
        .collect();
    for input in &manifest.desired.inputs {
        files[input.origin.file as usize].inputs.push(input);
    }
    files.retain(|file| is_chosen(file.path));
    let texts: Vec<NewText> = (files.par_iter_mut())
        .map(|file| {
            file.inputs.sort_by_key(|input| input.origin.input);
            new_text(manifest, file)
        })
        .collect();
    let (mut drafts, mut left, mut right) = (Vec::new(), Vec::new(), 0);
    for (file, text) in files.iter().zip(texts) {
        match text {
            Ok(None) => right += 1,
            Ok(Some(text)) => drafts.push(Draft {
                path: file.path.to_owned(),
                change: Change::Changed {
                    added: 0,
                    changed: 0,
                    dropped: 0,
                    layout: Layout::Kept,
                },
                layouts: vec![Box::new(move || Some(text.clone()))],
                inputs: file.inputs.iter().map(|it| it.id.clone()).collect(),
            }),
            Err(why) => left.push((file.path.to_owned(), why)),
        }
    }
    let files = if drafts.is_empty() {
        Vec::new()
    } else {
        let (masks, account) = (Overlay::new(), Account::default());
        settle(&drafts, masks, &manifest.desired.inputs, account, read_back)?.files
    };
    Ok(Formatted { files, left, right })
}

fn new_text(manifest: &Manifest, file: &File<'_>) -> NewText {
    let text = manifest.text(file.index).ok_or(NotFormatted::Changed)?;
    let mut inputs: Vec<WritableInput> = (file.inputs.iter())
        .map(|input| writable::unchanged(manifest, input))
        .collect();
    let new = match Format::of(file.path) {
        Some(Format::Yaml) => yaml(&text, &mut inputs)?,
        Some(Format::JsonLines) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let read: Option<Vec<Value>> =
                lines.map(|line| serde_json::from_str(line).ok()).collect();
            let read = read.ok_or(NotFormatted::Layout)?;
            keep_fields(&read, &mut inputs)?;
            Some(like(&text, &write_jsonl(&inputs)))
        }
        Some(Format::Json) => {
            let read: Value = serde_json::from_str(&text).map_err(|_| NotFormatted::Layout)?;
            match read.get("inputs").and_then(Value::as_array) {
                Some(read) => {
                    keep_fields(read, &mut inputs)?;
                    let new = replace_json_inputs(&text, &inputs).ok_or(NotFormatted::Layout)?;
                    Some(like(&text, &new))
                }
                None => None,
            }
        }
        None => None,
    };
    Ok(new.filter(|new| *new != text))
}

/// A text with the line ends of another one.
fn like(old: &str, new: &str) -> String {
    if old.contains("\r\n") {
        new.replace('\n', "\r\n")
    } else {
        new.to_owned()
    }
}

/// The text with its inputs in canonical form; `None` if it has no `inputs`.
fn yaml(text: &str, inputs: &mut [WritableInput]) -> Result<Option<String>, NotFormatted> {
    let whole = if text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    };
    let Some(bytes) = inputs_block(&whole) else {
        // A header without inputs has nothing to format.
        return match serde_yaml::from_str::<Value>(&whole) {
            Ok(tree) if inputs.is_empty() && tree.get("inputs").is_none() => Ok(None),
            _ => Err(NotFormatted::Layout),
        };
    };
    let (before, after) = (&whole[..bytes.start], &whole[bytes.end..]);
    let after = if after.trim().is_empty() { "" } else { after };
    let old = whole[bytes.clone()].replace("\r\n", "\n");
    let with = |new: &str| {
        Ok(Some(format!(
            "{before}{}{after}",
            like(&whole[bytes.clone()], new)
        )))
    };
    let new = write_yaml(inputs);
    if new == old {
        return with(&new);
    }
    let tree = tree_of(&old).map_err(|why| {
        // An alias may have its anchor in the header.
        if old.contains('*') {
            NotFormatted::References
        } else {
            why
        }
    })?;
    let read = tree.get("inputs").and_then(Value::as_array);
    keep_fields(read.ok_or(NotFormatted::Layout)?, inputs)?;
    let block = Block::new(&old, &tree)?;
    let new = write_yaml(inputs);
    if !block.has_comments() {
        return with(&new);
    }
    with(&block.put_into(&new, &tree_of(&new)?)?)
}

/// The value of a block of inputs.
fn tree_of(block: &str) -> Result<Value, NotFormatted> {
    let tree = serde_yaml::from_str::<Value>(block).ok();
    let is_block = |tree: &Value| tree.as_object().is_some_and(|it| it.len() == 1);
    tree.filter(is_block).ok_or(NotFormatted::Layout)
}

/// Removes what the manifest filled in, and checks that the inputs have the fields that were read, no more and no less.
fn keep_fields(read: &[Value], inputs: &mut [WritableInput]) -> Result<(), NotFormatted> {
    if read.len() != inputs.len() {
        return Err(NotFormatted::Layout);
    }
    for (read, input) in read.iter().zip(inputs) {
        let no_annotations = Vec::new();
        let annotations =
            (read.get("annotations").and_then(Value::as_array)).unwrap_or(&no_annotations);
        for (read, written) in annotations.iter().zip(&mut input.annotations) {
            let has_text = read.get("span").and_then(|span| span.get("text")).is_some();
            if let Some(Geometry::Span(span)) = &mut written.content.geometry
                && !has_text
            {
                **span = Span::new(span.start(), span.end(), None)
                    .expect("start and end are those of a valid span");
            }
        }
        let written = input_tree(input);
        let name = format!("input `{}`", input.id);
        same_fields(read, &written, &["image", "video", "text", "ignore"], &name)?;
        let written =
            (written.get("annotations").and_then(Value::as_array)).unwrap_or(&no_annotations);
        if annotations.len() != written.len() {
            return Err(field("annotations", &name));
        }
        for (at, (read, written)) in annotations.iter().zip(written).enumerate() {
            let name = format!("annotation {} of {name}", at + 1);
            same_fields(read, written, &["ignore"], &name)?;
        }
    }
    Ok(())
}

fn field(field: &str, owner: &str) -> NotFormatted {
    NotFormatted::Field {
        field: field.to_owned(),
        owner: owner.to_owned(),
    }
}

/// Checks that two maps have the same keys, and the same values of some. The other values are compared when the
/// manifest is read back.
fn same_fields(
    read: &Value,
    written: &Value,
    values: &[&str],
    owner: &str,
) -> Result<(), NotFormatted> {
    let (Some(read), Some(written)) = (read.as_object(), written.as_object()) else {
        return Err(NotFormatted::Layout);
    };
    let differs = |key: &&String| match (read.get(*key), written.get(*key)) {
        (Some(one), Some(other)) => values.contains(&key.as_str()) && one != other,
        _ => true,
    };
    match read.keys().chain(written.keys()).find(differs) {
        Some(key) => Err(field(key, owner)),
        None => Ok(()),
    }
}
