//! Which inputs and annotations are pulled.

use crate::model::{
    ConceptId, Content, InputId, Maker, ObservedAnnotation, ObservedState, Scope, Status, UserId,
};
use globset::{Glob, GlobMatcher};
use std::collections::BTreeSet;

/// Inputs by their id, or by a glob over ids. An id is no path: `*` takes any character, slashes too.
#[derive(Debug, Clone)]
pub struct InputPattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl InputPattern {
    /// Reads a pattern. What cannot be a glob is an id, and so is what has none of `*?[{`.
    pub fn new(text: &str) -> Self {
        let glob = text
            .contains(['*', '?', '[', '{'])
            .then(|| Glob::new(text).ok())
            .flatten()
            .map(|glob| glob.compile_matcher());
        Self {
            text: text.to_owned(),
            glob,
        }
    }

    /// The pattern as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The id that it names, if it is no glob.
    pub fn id(&self) -> Option<&str> {
        self.glob.is_none().then_some(self.text.as_str())
    }

    /// Whether it names this input.
    pub fn takes(&self, input: &InputId) -> bool {
        input.as_str() == self.text
            || self
                .glob
                .as_ref()
                .is_some_and(|glob| glob.is_match(input.as_str()))
    }
}

/// What becomes of annotations that models made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelMade {
    /// They are not pulled, but for those that a manifest declares already.
    #[default]
    LeaveOut,
    /// They are pulled like others.
    Include,
    /// Nothing else is pulled.
    Only,
}

/// Which inputs and annotations are pulled. An empty list takes everything.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// These inputs.
    pub inputs: Vec<InputPattern>,
    /// Annotations of these users; `me` is the calling one.
    pub users: BTreeSet<UserId>,
    /// Annotations in one of these states.
    pub statuses: BTreeSet<Status>,
    /// Annotations that name one of these concepts, whatever its value.
    pub concepts: BTreeSet<ConceptId>,
    /// Annotations that models made.
    pub model_made: ModelMade,
}

impl Choice {
    /// The inputs to list: those that are named, if each is named by its id, else the whole app. An id that cannot be
    /// one is the error.
    pub fn scope(&self) -> Result<Scope, String> {
        let ids: Option<Vec<&str>> = self.inputs.iter().map(InputPattern::id).collect();
        match ids {
            Some(ids) if !ids.is_empty() => ids
                .into_iter()
                .map(|id| InputId::new(id).map_err(|why| format!("input id `{id}`: {why}")))
                .collect::<Result<_, _>>()
                .map(Scope::Inputs),
            _ => Ok(Scope::WholeApp),
        }
    }

    /// Whether every input is pulled.
    pub fn takes_all_inputs(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Whether this input is pulled.
    pub fn takes_input(&self, input: &InputId) -> bool {
        self.inputs.is_empty() || self.inputs.iter().any(|pattern| pattern.takes(input))
    }

    /// Whether it takes some annotations of an input that people made and leaves others.
    pub(super) fn is_narrow(&self) -> bool {
        !self.users.is_empty()
            || !self.statuses.is_empty()
            || !self.concepts.is_empty()
            || self.model_made == ModelMade::Only
    }

    fn takes_user(&self, user: Option<&UserId>, caller: &UserId) -> bool {
        self.users.is_empty()
            || user.is_some_and(|user| {
                self.users.contains(user) || (user == caller && self.users.contains("me"))
            })
    }

    pub(super) fn takes(&self, observed: &ObservedAnnotation, state: &ObservedState) -> bool {
        self.takes_user(observed.user.as_ref(), &state.caller)
            && (self.statuses.is_empty() || self.statuses.contains(&observed.status))
            && (self.concepts.is_empty()
                || observed
                    .concepts
                    .iter()
                    .any(|concept| self.concepts.contains(&concept.id)))
            && (self.model_made != ModelMade::Only || observed.maker == Maker::Model)
    }

    /// Whether a declared annotation would be taken once it was posted.
    pub(super) fn would_take(&self, content: &Content, state: &ObservedState) -> bool {
        let user = content.user.as_ref().unwrap_or(&state.caller);
        let status = content.status.unwrap_or(Status::SUCCESS);
        self.takes_user(Some(user), &state.caller)
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && (self.concepts.is_empty()
                || content
                    .concepts
                    .iter()
                    .flatten()
                    .any(|concept| self.concepts.contains(&concept.id)))
            && self.model_made != ModelMade::Only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_named_by_id_or_glob() {
        let choice = |patterns: &[&str]| Choice {
            inputs: patterns
                .iter()
                .map(|text| InputPattern::new(text))
                .collect(),
            ..Choice::default()
        };
        let id = |text: &str| InputId::new(text).unwrap();
        let globs = choice(&["street-*", "batch/{a,b}", "[odd"]);
        for (text, taken) in [
            ("street-1", true),
            ("street-/1", true),
            ("batch/b", true),
            ("[odd", true),
            ("house-1", false),
        ] {
            assert_eq!(globs.takes_input(&id(text)), taken, "{text}");
        }
        assert_eq!(globs.scope(), Ok(Scope::WholeApp));
        let ids = choice(&["a", "b"]);
        let both = Scope::Inputs([id("a"), id("b")].into());
        assert_eq!(ids.scope(), Ok(both));
        assert!(choice(&["a "]).scope().is_err());
        assert_eq!(choice(&[]).scope(), Ok(Scope::WholeApp));
    }
}
