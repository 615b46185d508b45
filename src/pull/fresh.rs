//! A manifest where none is: a header, and the inputs in one file or in one each.

use super::check::{self, Elsewhere};
use super::choice::Choice;
use super::error::PullError;
use super::input::PulledInput;
use super::name::Names;
use super::report::{Account, Change, Pulled};
use super::settle::{Draft, ReadBack, settle};
use super::writable;
use crate::manifest::write::{WritableInput, write_header, write_jsonl, write_yaml};
use crate::manifest::{Header, Overlay};
use crate::model::{DesiredInput, DesiredState, ObservedState, Policy, SetName};
use std::path::Path;

/// The header's file.
const HEADER: &str = "annosync.yaml";
/// The folder of the inputs' files, and the pattern that takes them.
pub(super) const LABELS: &str = "labels";
const PATTERN: &str = "labels/**";
/// The file of all inputs, without its ending.
pub(super) const ALL: &str = "pulled";

/// How new files are laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// All inputs in one YAML file.
    #[default]
    OneFile,
    /// A YAML file for each input.
    FileAnInput,
    /// All inputs in one file, an input a line.
    JsonLines,
}

impl Form {
    /// The ending of a file of several inputs, and how it is written.
    pub(super) fn whole(self) -> (&'static str, fn(&[WritableInput]) -> String) {
        match self {
            Self::JsonLines => ("jsonl", write_jsonl),
            Self::OneFile | Self::FileAnInput => ("yaml", write_yaml),
        }
    }
}

/// Where a manifest is made, and how.
#[derive(Clone, Copy)]
pub struct Fresh<'a> {
    /// What it says of itself; its `files` are set here.
    pub header: &'a Header,
    /// A folder; or a YAML file, for header and inputs.
    pub path: &'a Path,
    /// How the inputs are laid out in a folder.
    pub form: Form,
    /// Reads back what would be written.
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

/// The name of a set that is made from an app's id: lower case, other characters as dashes, at most 40.
pub fn set_name(app_id: &str) -> Option<SetName> {
    let plain: String = app_id
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(40)
        .collect();
    SetName::new(plain).ok()
}

/// The files of a manifest that plans to nothing.
///
/// # Errors
///
/// Where a part would be declared in a way that deletes the rest, and where something cannot be declared.
pub fn fresh(
    fresh: &Fresh<'_>,
    observed: &ObservedState,
    choice: &Choice,
) -> Result<Pulled, PullError> {
    let header = fresh.header;
    let nothing = DesiredState {
        set: header.set.clone(),
        policy: header.policy,
        owners: header.owners.clone(),
        guards: header.guards,
        renamed: header.renamed.clone(),
        adopts: header.adopts.clone(),
        inputs: Vec::new(),
    };
    let pulled = check::pull(&nothing, observed, choice, Elsewhere::Counts)?;
    let mut account = Account::default();
    for input in &pulled {
        account.add(input.account);
    }
    let losses = check::losses(&pulled, observed);
    let pulled: Vec<&PulledInput> = pulled.iter().filter(|input| input.is_declared()).collect();
    let intended: Vec<DesiredInput> = pulled.iter().map(|input| input.desired()).collect();

    let is_file = fresh
        .path
        .extension()
        .is_some_and(|it| it == "yaml" || it == "yml");
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
    let ids = || pulled.iter().map(|input| input.id.clone()).collect();
    let count = pulled.iter().map(|input| input.entries.len() as u64).sum();
    let mut drafts = Vec::new();
    if is_file {
        drafts.push(Draft {
            path: fresh.path.to_owned(),
            change: Change::New(count),
            ways: vec![Box::new(|| {
                Some(format!("{}{}", header_text(header), write_yaml(&writables)))
            })],
            inputs: ids(),
        });
        let pulled = settle(&drafts, masks, &intended, account, fresh.read_back)?;
        return Ok(Pulled { losses, ..pulled });
    }
    if fresh.form == Form::FileAnInput && !pulled.is_empty() {
        let mut names = Names::default();
        for (input, writable) in pulled.iter().zip(&writables) {
            drafts.push(Draft {
                path: folder.join(names.name(&input.id, ".yaml")),
                change: Change::New(input.entries.len() as u64),
                ways: vec![Box::new(|| {
                    Some(write_yaml(std::slice::from_ref(writable)))
                })],
                inputs: vec![input.id.clone()],
            });
        }
    } else {
        // A pattern that takes no file would be an error, so that the file is there without inputs too.
        let (ending, write) = fresh.form.whole();
        let all = &writables;
        drafts.push(Draft {
            path: folder.join(format!("{ALL}.{ending}")),
            change: Change::New(count),
            ways: vec![Box::new(move || Some(write(all)))],
            inputs: ids(),
        });
    }
    let header = Header {
        files: Some(vec![PATTERN.to_owned()]),
        ..header.clone()
    };
    // Last: a pull that was interrupted leaves no manifest, not half of one.
    drafts.push(Draft {
        path: fresh.path.join(HEADER),
        change: Change::Header,
        ways: vec![Box::new(move || Some(header_text(&header)))],
        inputs: Vec::new(),
    });
    let pulled = settle(&drafts, masks, &intended, account, fresh.read_back)?;
    Ok(Pulled { losses, ..pulled })
}

fn header_text(header: &Header) -> String {
    let word = match header.policy {
        Policy::Sync => {
            "# A plan creates, updates, and deletes what is ours and not declared on the inputs below."
        }
        Policy::Upsert => {
            "# A plan creates and updates, and deletes nothing. With policy: sync it deletes what is ours and not declared."
        }
        Policy::Create => {
            "# A plan creates, and changes nothing that is there. With policy: upsert it updates too, with sync it deletes."
        }
    };
    format!("{word}\n{}", write_header(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_after_its_app() {
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
