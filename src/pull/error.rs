//! Why nothing is pulled.

use crate::manifest::Problems;
use crate::model::{AnnotationId, InputId, SetName};
use std::path::PathBuf;

/// Why there is no manifest that could be written. Nothing was.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// A part of an input, under a policy that deletes the rest of it.
    #[error(
        "the filters leave out {} in scope of this manifest, first `{id}` of input `{input}`: under policy sync the next plan would delete what is left out",
        annotations(*count)
    )]
    WouldDelete {
        /// How many.
        count: u64,
        /// Of which input the first one is.
        input: InputId,
        /// Which is the first one.
        id: AnnotationId,
    },
    /// A part of the inputs, under a policy that deletes what the set made on others.
    #[error(
        "set {set} made {} on inputs that are not pulled: under policy sync the next plan would delete what is not declared",
        annotations(*count)
    )]
    WouldDeleteElsewhere {
        /// Which set.
        set: SetName,
        /// How many.
        count: u64,
    },
    /// No way of declaring an annotation leads to an empty plan.
    #[error("annotation `{id}` of input `{input}` cannot be declared: a plan would {verb} it")]
    NotDeclarable {
        /// Of which input.
        input: InputId,
        /// Which annotation.
        id: String,
        /// What a plan would do to it.
        verb: &'static str,
    },
    /// What the filters leave as it is declared makes every plan an error.
    #[error("the manifest could not be planned: {why}")]
    NotPlannable {
        /// What a plan would say.
        why: String,
    },
    /// What would be written is no manifest: the header does not allow it.
    #[error("what would be written does not fit this manifest")]
    DoesNotFit(Problems),
    /// A file cannot be changed without losing what else it says.
    #[error("{} is laid out in a way that cannot be changed in place", path.display())]
    Layout {
        /// Which file.
        path: PathBuf,
    },
    /// A new file would not be one of the manifest's.
    #[error("{} would not belong to the manifest: its `files:` leave it out", path.display())]
    LeftOut {
        /// Which file.
        path: PathBuf,
    },
    /// A file changed while it was worked on.
    #[error("{} changed while it was read", path.display())]
    Changed {
        /// Which file.
        path: PathBuf,
    },
}

fn annotations(count: u64) -> String {
    match count {
        1 => "1 annotation".to_owned(),
        _ => format!("{count} annotations"),
    }
}

impl PullError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WouldDelete { .. } => {
                "pull without --user, --status, --concept and --model-made only, or with policy upsert, which never deletes"
            }
            Self::WouldDeleteElsewhere { .. } => {
                "pull without --input, or with --policy upsert, which never deletes, or with another --set"
            }
            Self::NotDeclarable { .. } => {
                "leave its input out with --input, and report this with the annotation's JSON (`annosync list`)"
            }
            Self::NotPlannable { .. } => "pull without filters, or mend that in the manifest first",
            Self::DoesNotFit(_) => {
                "change the header first: add concepts to `vocabulary`, apply what `renamed` asks for, or let `files` take the new file"
            }
            Self::Layout { .. } => "write its `inputs:` as a block list at the left edge",
            Self::LeftOut { .. } => "add it to `files:` in the header",
            Self::Changed { .. } => "run the command again",
        }
    }
}
