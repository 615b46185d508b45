//! Changes annotations of an existing manifest, without an app.

use super::error::PullError;
use super::input::{Entry, PulledInput};
use super::over::{ExistingManifest, write_over};
use super::report::{Account, Pulled};
use crate::model::{Content, Undeclared};
use std::collections::BTreeSet;

/// An input with other contents, order or number of annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct EditedInput {
    /// Its index among the manifest's inputs.
    pub input: usize,
    /// The annotations that it keeps, in their new order: the index of each, and its new content. A changed geometry may
    /// not be a mask.
    pub annotations: Vec<(usize, Content)>,
}

/// The files to write so that the manifest declares these inputs so.
///
/// # Errors
///
/// If a file cannot be changed.
pub fn edit(over: &ExistingManifest<'_>, edited: &[EditedInput]) -> Result<Pulled, PullError> {
    let declared = &over.manifest.desired.inputs;
    let inputs: Vec<PulledInput> = edited
        .iter()
        .map(|edit| {
            let was = &declared[edit.input];
            let entries = edit.annotations.iter().map(|(at, content)| Entry {
                declared: Some(*at),
                observed: None,
                identity: was.annotations[*at].identity.clone(),
                content: content.clone(),
                mask: None,
            });
            PulledInput {
                id: was.id.clone(),
                declared: Some(edit.input),
                undeclared: Undeclared::Managed,
                entries: entries.collect(),
                dropped: Vec::new(),
                left_out: BTreeSet::new(),
                losses: Vec::new(),
                account: Account::default(),
                image: None,
                video: None,
                text: None,
                is_declared_empty: true,
            }
        })
        .collect();
    write_over(over, &inputs)
}
