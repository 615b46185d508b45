//! One side of a diff: the labels of a manifest, a listing, or files of another tool.

use crate::model::{DesiredAnnotation, InputId};
use std::collections::{BTreeMap, BTreeSet};

/// One side of a diff.
#[derive(Debug, Clone, Default)]
pub struct LabelSet {
    /// Its name on the command line.
    pub name: String,
    /// What it is, such as `manifest` or `coco`. Fields of annotations that only one side has are compared between sides
    /// of the same kind.
    pub kind: &'static str,
    pub inputs: BTreeMap<InputId, Vec<DesiredAnnotation>>,
    /// Inputs with annotations that could not be read.
    pub incomplete: BTreeSet<InputId>,
    /// Inputs with objects that an import left out: why each was, sorted.
    pub left_out: BTreeMap<InputId, Vec<String>>,
    /// Whether it has all inputs. If not, labels on other inputs are unknown.
    pub is_whole: bool,
    /// Whether it names inputs without labels, too.
    pub names_all_inputs: bool,
}

impl LabelSet {
    pub(super) fn count(&self) -> u64 {
        self.inputs.values().map(|all| all.len() as u64).sum()
    }

    /// Whether it shows all annotations of an input.
    pub(super) fn is_complete(&self, input: &InputId) -> bool {
        let is_known = self.is_whole || self.inputs.contains_key(input);
        is_known && !self.incomplete.contains(input) && !self.left_out.contains_key(input)
    }

    /// Whether it is known not to have an input.
    pub(super) fn lacks(&self, input: &InputId, annotations: usize) -> bool {
        self.is_whole
            && !self.inputs.contains_key(input)
            && (self.names_all_inputs || annotations > 0)
    }
}
