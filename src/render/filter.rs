//! Which changes of a plan a person looks at. What is not shown is applied all the same.

use super::phrase::Phrase;
use crate::model::{ConceptId, Content, InputId};
use crate::plan::{Action, Operation, Purge};
use crate::pull::InputPattern;
use std::collections::BTreeSet;

/// A kind of change, as `--only` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What goes: deletes, purges, and replacements, which delete on their way.
    Deletes,
    /// What is made.
    Posts,
    /// What is changed in place: merges, overwrites, removes.
    Patches,
}

impl Kind {
    /// The kind of an action.
    pub fn of(action: Action) -> Self {
        match action {
            Action::Delete | Action::Replace => Self::Deletes,
            Action::Overwrite | Action::Remove | Action::Merge => Self::Patches,
            Action::Post => Self::Posts,
        }
    }

    /// The word that `--only` takes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deletes => "deletes",
            Self::Posts => "posts",
            Self::Patches => "patches",
        }
    }
}

/// What is shown of a plan's changes. Whatever is empty excludes nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these kinds.
    pub only: BTreeSet<Kind>,
    /// On inputs that any of these fits.
    pub inputs: Vec<InputPattern>,
    /// Of annotations that name any of these concepts before or after.
    pub concepts: BTreeSet<ConceptId>,
}

impl Filter {
    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.inputs.is_empty() && self.concepts.is_empty()
    }

    /// What it lets through, in words: `deletes and posts, on input street-*, naming car`. Nothing where that is
    /// everything.
    pub fn words(&self) -> Option<String> {
        self.phrase().map(|phrase| phrase.text())
    }

    pub(super) fn phrase(&self) -> Option<Phrase> {
        if self.is_everything() {
            return None;
        }
        let kinds: Vec<&str> = self.only.iter().map(|kind| kind.word()).collect();
        let kinds = if kinds.is_empty() {
            "changes".to_owned()
        } else {
            kinds.join(" and ")
        };
        let either = |names: Vec<&str>| {
            Phrase::joined(
                names.into_iter().map(|name| Phrase::new().name(name)),
                " or ",
            )
        };
        let mut parts = vec![Phrase::from(kinds)];
        if !self.inputs.is_empty() {
            let inputs = self.inputs.iter().map(InputPattern::text).collect();
            parts.push(Phrase::from("on ").then(either(inputs)));
        }
        if !self.concepts.is_empty() {
            let concepts = self.concepts.iter().map(ConceptId::as_str).collect();
            parts.push(Phrase::from("naming ").then(either(concepts)));
        }
        Some(Phrase::joined(parts, " "))
    }

    /// Whether this operation is shown.
    pub fn shows(&self, operation: &Operation) -> bool {
        let sides = [operation.before.as_ref(), operation.after.as_ref()];
        self.takes(Kind::of(operation.action))
            && self.takes_input(&operation.input_id)
            && self.takes_concepts(sides.into_iter().flatten())
    }

    /// Whether this purge is shown.
    pub fn shows_purge(&self, purge: &Purge) -> bool {
        let gone = purge
            .annotations
            .iter()
            .map(|annotation| &annotation.before);
        self.takes(Kind::Deletes) && self.takes_input(&purge.input_id) && self.takes_concepts(gone)
    }

    fn takes(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    fn takes_input(&self, input: &InputId) -> bool {
        self.inputs.is_empty() || self.inputs.iter().any(|pattern| pattern.takes(input))
    }

    fn takes_concepts<'a>(&self, contents: impl Iterator<Item = &'a Content>) -> bool {
        let mut named = contents
            .filter_map(|content| content.concepts.as_ref())
            .flatten();
        self.concepts.is_empty() || named.any(|concept| self.concepts.contains(&concept.id))
    }
}
