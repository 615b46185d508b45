//! The errors of a pull.

use crate::manifest::Problems;
use crate::model::{AnnotationId, InputId, SetName, counted};
use std::path::PathBuf;

/// Why a pull writes nothing.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Under policy sync, the next plan would delete annotations that the filters leave out.
    #[error(
        "the filters leave out {} in scope of this manifest, first `{id}` of input `{input}`: under policy sync, the next plan would delete what is left out",
        counted(*count, "annotation")
    )]
    WouldDelete {
        count: u64,
        /// The input of the first one.
        input: InputId,
        /// The id of the first one.
        id: AnnotationId,
    },
    /// Under policy sync, the next plan would delete the set's annotations on inputs that are not pulled.
    #[error(
        "set {set} has {} on inputs that are not pulled: under policy sync, the next plan would delete them",
        counted(*count, "annotation")
    )]
    WouldDeleteElsewhere { set: SetName, count: u64 },
    /// However the annotation is declared, a plan would change it.
    #[error("annotation `{id}` of input `{input}` cannot be declared: a plan would {verb} it")]
    NotDeclarable {
        input: InputId,
        id: String,
        /// What a plan would do to it, as a verb.
        verb: &'static str,
    },
    /// Planning fails because of an annotation that the filters exclude from the pull.
    #[error("the manifest could not be planned: {why}")]
    NotPlannable {
        /// The error of the plan.
        why: String,
    },
    /// The header does not allow what would be written.
    #[error("the new annotations do not fit the header of this manifest")]
    DoesNotFit(Problems),
    /// The import would declare annotations on an input that the manifest empties.
    #[error(
        "input `{input}` is declared with `purge: true`, and the import would declare it with annotations"
    )]
    Purged { input: InputId },
    /// A file cannot be changed without losing other content.
    #[error("the layout of {} does not allow changes in place", path.display())]
    Layout { path: PathBuf },
    /// A new file would not belong to the manifest.
    #[error("{} would not belong to the manifest: `files:` does not match it", path.display())]
    LeftOut { path: PathBuf },
    /// A file holds inputs of several shards.
    #[error("{} holds inputs of other shards, so one shard cannot change it", path.display())]
    SharedFile { path: PathBuf },
    /// A file changed during the pull.
    #[error("{} changed while it was read", path.display())]
    Changed { path: PathBuf },
}

impl PullError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WouldDelete { .. } => {
                "leave out --user, --status, --concept and `--model-made only`, or pull with --policy upsert, which never deletes"
            }
            Self::WouldDeleteElsewhere { .. } => {
                "pull without --input, or with --policy upsert, which never deletes, or with another --set"
            }
            Self::NotDeclarable { .. } => {
                "leave its input out with --input, and report this with the annotation's JSON (`annosync list`)"
            }
            Self::NotPlannable { .. } => "pull without filters, or fix the manifest first",
            Self::DoesNotFit(_) => {
                "change the header first: add concepts to `vocabulary`, apply what `renamed` asks for, or make `files` match the new file"
            }
            Self::Purged { .. } => {
                "remove `purge: true` first if the input is to have annotations again, else leave it out of the import"
            }
            Self::Layout { .. } => "write its `inputs:` as a block list without indentation",
            Self::LeftOut { .. } => "add it to `files:` in the header",
            Self::SharedFile { .. } => {
                "give each input a file of its own, or pull these inputs without --shard"
            }
            Self::Changed { .. } => "run the command again",
        }
    }
}
