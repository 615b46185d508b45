//! A new manifest: a header, and the inputs in one file or in one each.

use super::check::{self, UndeclaredInputs};
use super::choice::Choice;
use super::error::PullError;
use super::input::PulledInput;
use super::name::Names;
use super::report::{Account, Change, Pulled};
use super::settle::{Draft, ReadBack, settle};
use super::writable;
use crate::manifest::write::{WritableInput, write_header, write_jsonl, write_yaml};
use crate::manifest::{Format, HEADER_FILES, Header, Overlay};
use crate::model::{DesiredInput, DesiredState, InputId, ObservedState, Policy, SetName, Shard};
use std::path::Path;

/// The folder of the inputs' files, and the pattern that matches them.
pub(super) const LABELS: &str = "labels";
const PATTERN: &str = "labels/**";
/// The file of all inputs, without extension.
pub(super) const ALL_INPUTS: &str = "pulled";

/// The layout of new files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// All inputs in one YAML file.
    #[default]
    OneFile,
    /// A YAML file for each input.
    FilePerInput,
    /// All inputs in one file, one per line.
    JsonLines,
}

impl Form {
    /// Extension and writer of a file with several inputs.
    pub(super) fn extension_and_writer(self) -> (&'static str, fn(&[WritableInput]) -> String) {
        match self {
            Self::JsonLines => ("jsonl", write_jsonl),
            Self::OneFile | Self::FilePerInput => ("yaml", write_yaml),
        }
    }
}

/// A new manifest to write.
#[derive(Clone, Copy)]
pub struct Fresh<'a> {
    /// Its header; `files` is set by [`fresh`].
    pub header: &'a Header,
    /// A folder, or a YAML file for header and inputs.
    pub path: &'a Path,
    /// The layout of the inputs in a folder.
    pub form: Form,
    /// The shard whose inputs are pulled.
    pub shard: Option<Shard>,
    /// Reads the manifest with the files that would be written.
    pub read_back: ReadBack<'a>,
}

impl std::fmt::Debug for Fresh<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fresh")
            .field("header", &self.header)
            .field("path", &self.path)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

/// The set name for an app: its id in lower case, cut to 40 characters, with dashes for characters that a set name cannot
/// have. `None` if the id is empty.
pub fn set_name(app_id: &str) -> Option<SetName> {
    let plain: String = app_id
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    SetName::new(plain).ok()
}

/// The files of a new manifest with an empty plan.
///
/// # Errors
///
/// If the next plan would delete what is not pulled, or if something cannot be declared.
pub fn fresh(
    fresh: &Fresh<'_>,
    observed: &ObservedState,
    choice: &Choice,
) -> Result<Pulled, PullError> {
    let header = fresh.header;
    let empty = DesiredState {
        set: header.set.clone(),
        policy: header.policy,
        owners: header.owners.clone(),
        guards: header.guards,
        renamed: header.renamed.clone(),
        adopts: header.adopts.clone(),
        inputs: Vec::new(),
    };
    let pulled = check::pull(&empty, observed, choice, UndeclaredInputs::Checked)?;
    let mut account = Account::default();
    for input in &pulled {
        account.add(input.account);
    }
    let losses = check::losses(&pulled, observed);
    let pulled: Vec<&PulledInput> = pulled.iter().filter(|input| input.is_declared()).collect();
    let intended: Vec<DesiredInput> = pulled.iter().map(|input| input.desired()).collect();

    let is_file = Format::of(fresh.path) == Some(Format::Yaml);
    let labels = fresh.path.join(LABELS);
    let folder = match fresh.path.parent() {
        Some(parent) if is_file => parent,
        _ => labels.as_path(),
    };
    let mut masks = Overlay::new();
    let writables: Vec<WritableInput> = pulled
        .iter()
        .map(|input| writable::pulled(None, input, folder, &mut masks))
        .collect();
    let drafts = if is_file {
        let count = annotation_count(&pulled);
        let write = || Some(format!("{}{}", header_text(header), write_yaml(&writables)));
        vec![Draft {
            path: fresh.path.to_owned(),
            change: Change::New(count),
            layouts: vec![Box::new(write)],
            inputs: ids(&pulled),
        }]
    } else {
        folder_drafts(fresh, folder, &pulled, &writables)
    };
    let pulled = settle(&drafts, masks, &intended, account, fresh.read_back)?;
    Ok(Pulled { losses, ..pulled })
}

fn ids(inputs: &[&PulledInput]) -> Vec<InputId> {
    inputs.iter().map(|input| input.id.clone()).collect()
}

fn annotation_count(inputs: &[&PulledInput]) -> u64 {
    inputs.iter().map(|input| input.entries.len() as u64).sum()
}

/// The files of the inputs in `folder`, and the header.
fn folder_drafts<'a>(
    fresh: &Fresh<'_>,
    folder: &Path,
    inputs: &[&PulledInput],
    writables: &'a [WritableInput],
) -> Vec<Draft<'a>> {
    let mut drafts = Vec::new();
    if fresh.form == Form::FilePerInput && !inputs.is_empty() {
        let mut names = Names::new(fresh.shard);
        for (input, writable) in inputs.iter().zip(writables) {
            drafts.push(Draft {
                path: folder.join(names.name(&input.id, ".yaml")),
                change: Change::New(input.entries.len() as u64),
                layouts: vec![Box::new(|| {
                    Some(write_yaml(std::slice::from_ref(writable)))
                })],
                inputs: vec![input.id.clone()],
            });
        }
    } else {
        // Written even without inputs: a pattern that matches no file is an error.
        let (extension, write) = fresh.form.extension_and_writer();
        drafts.push(Draft {
            path: folder.join(format!("{ALL_INPUTS}.{extension}")),
            change: Change::New(annotation_count(inputs)),
            layouts: vec![Box::new(move || Some(write(writables)))],
            inputs: ids(inputs),
        });
    }
    let header = Header {
        files: Some(vec![PATTERN.to_owned()]),
        ..fresh.header.clone()
    };
    // Last, so that an interrupted pull leaves no manifest instead of an incomplete one.
    drafts.push(Draft {
        path: fresh.path.join(HEADER_FILES[0]),
        change: Change::Header,
        layouts: vec![Box::new(move || Some(header_text(&header)))],
        inputs: Vec::new(),
    });
    drafts
}

fn header_text(header: &Header) -> String {
    let comment = match header.policy {
        Policy::Sync => {
            "# A plan creates, updates, and deletes this set's annotations that are not declared below."
        }
        Policy::Upsert => {
            "# A plan creates and updates, and deletes nothing. With policy: sync it deletes this set's annotations that are not declared below."
        }
        Policy::Create => {
            "# A plan creates, and changes nothing that exists. With policy: upsert it updates too, with sync it also deletes."
        }
    };
    format!("{comment}\n{}", write_header(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_names_are_derived_from_app_ids() {
        for (app, set) in [
            ("Street Staging", "street-staging"),
            ("a_b.c", "a-b-c"),
            ("Größe", "gr--e"),
        ] {
            assert_eq!(set_name(app).unwrap().as_str(), set);
        }
        assert_eq!(set_name(&"x".repeat(60)).unwrap().as_str().len(), 40);
        assert_eq!(set_name(""), None);
    }
}
