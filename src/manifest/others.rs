//! What is kept of the inputs that belong to other shards: enough to notice an input that is declared twice, and to count.

use super::context::InputText;
use super::input::ParsedInput;
use crate::model::{ConceptId, Identity, InputId, Shard, is_set_id};
use std::collections::HashSet;

/// The inputs of other shards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OtherShards {
    /// A digest of each id.
    digests: Vec<[u8; 16]>,
    pub(super) annotations: u64,
    /// The concepts that they declare with a value above 0.
    pub(super) concepts: HashSet<ConceptId>,
}

impl OtherShards {
    /// Takes an input of another shard; returns one of this shard.
    pub(super) fn take(&mut self, shard: Shard, parsed: ParsedInput) -> Option<ParsedInput> {
        let Some(digest) = parsed.id.as_ref().and_then(|id| shard.leaves_out(id)) else {
            return Some(parsed);
        };
        self.digests.push(digest);
        self.annotations += parsed.annotations.len() as u64;
        for (_, content) in &parsed.annotations {
            for concept in content.concepts.iter().flatten() {
                if concept.value > 0.0 && !self.concepts.contains(&concept.id) {
                    self.concepts.insert(concept.id.clone());
                }
            }
        }
        None
    }

    pub(super) fn append(&mut self, other: Self) {
        self.digests.extend(other.digests);
        self.annotations += other.annotations;
        self.concepts.extend(other.concepts);
    }

    pub(super) fn inputs(&self) -> u64 {
        self.digests.len() as u64
    }

    /// Sorts the digests, for the questions below.
    pub(super) fn sort(&mut self) {
        self.digests.sort_unstable();
    }

    pub(super) fn has_duplicates(&self) -> bool {
        self.digests.windows(2).any(|pair| pair[0] == pair[1])
    }

    pub(super) fn has(&self, shard: Shard, id: &InputId) -> bool {
        let digest = shard.leaves_out(id);
        digest.is_some_and(|digest| self.digests.binary_search(&digest).is_ok())
    }
}

/// Whether an input can be dropped as soon as it is read: it names no file whose content is checked, and no check of the
/// whole manifest concerns the ids of its annotations.
pub(super) fn can_be_dropped(parsed: &ParsedInput) -> bool {
    let names_a_file = parsed.media.as_deref().is_some_and(|media| {
        matches!(media.text, Some(InputText::Path(_))) || !media.masks.is_empty()
    });
    let identities = || parsed.annotations.iter().map(|(identity, _)| identity);
    let has_key = || identities().any(|it| matches!(it, Identity::Key(_)));
    let has_set_id = || identities().any(|it| matches!(it, Identity::Id(id) if is_set_id(id)));
    !(names_a_file || (has_set_id() && has_key()))
}
