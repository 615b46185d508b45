//! The inputs and annotations that are pulled.

use crate::model::{
    ConceptId, Content, InputId, Maker, ObservedAnnotation, ObservedState, Scope, Status, UserId,
};
use globset::{Glob, GlobMatcher};
use std::collections::BTreeSet;

/// An input id, or a glob over ids. `*` matches any character, including slashes.
#[derive(Debug, Clone)]
pub struct InputPattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl InputPattern {
    /// Reads a pattern. Text without any of `*?[{` is an id, and so is an invalid glob.
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

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The id, if it is not a glob.
    pub fn id(&self) -> Option<&str> {
        self.glob.is_none().then_some(self.text.as_str())
    }

    pub fn matches(&self, input: &InputId) -> bool {
        input.as_str() == self.text
            || self
                .glob
                .as_ref()
                .is_some_and(|glob| glob.is_match(input.as_str()))
    }
}

/// Whether annotations made by models are pulled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelMade {
    /// Only those that the manifest declares already.
    #[default]
    LeaveOut,
    /// Like others.
    Include,
    /// And nothing else.
    Only,
}

/// Conditions on what is pulled. An empty list excludes nothing.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub inputs: Vec<InputPattern>,
    /// Users of annotations; `me` is the caller.
    pub users: BTreeSet<UserId>,
    pub statuses: BTreeSet<Status>,
    /// Concepts that an annotation has, with any value.
    pub concepts: BTreeSet<ConceptId>,
    pub model_made: ModelMade,
}

impl Choice {
    /// The inputs to list: those given by id if there are no globs, else the whole app.
    ///
    /// # Errors
    ///
    /// If an id is not valid.
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

    pub fn matches_input(&self, input: &InputId) -> bool {
        self.inputs.is_empty() || self.inputs.iter().any(|pattern| pattern.matches(input))
    }

    /// Whether some annotations that people made may be left out.
    pub(super) fn is_narrow(&self) -> bool {
        !self.users.is_empty()
            || !self.statuses.is_empty()
            || !self.concepts.is_empty()
            || self.model_made == ModelMade::Only
    }

    fn matches_user(&self, user: Option<&UserId>, caller: &UserId) -> bool {
        self.users.is_empty()
            || user.is_some_and(|user| {
                self.users.contains(user) || (user == caller && self.users.contains("me"))
            })
    }

    pub(super) fn matches(&self, observed: &ObservedAnnotation, state: &ObservedState) -> bool {
        self.matches_user(observed.user.as_ref(), &state.caller)
            && (self.statuses.is_empty() || self.statuses.contains(&observed.status))
            && (self.concepts.is_empty()
                || observed
                    .concepts
                    .iter()
                    .any(|concept| self.concepts.contains(&concept.id)))
            && (self.model_made != ModelMade::Only || observed.maker == Maker::Model)
    }

    /// Whether a declared annotation would be pulled if it was posted.
    pub(super) fn would_match(&self, content: &Content, state: &ObservedState) -> bool {
        let user = content.user.as_ref().unwrap_or(&state.caller);
        let status = content.status.unwrap_or(Status::SUCCESS);
        self.matches_user(Some(user), &state.caller)
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
            assert_eq!(globs.matches_input(&id(text)), taken, "{text}");
        }
        assert_eq!(globs.scope(), Ok(Scope::WholeApp));
        let ids = choice(&["a", "b"]);
        let both = Scope::Inputs([id("a"), id("b")].into());
        assert_eq!(ids.scope(), Ok(both));
        assert!(choice(&["a "]).scope().is_err());
        assert_eq!(choice(&[]).scope(), Ok(Scope::WholeApp));
    }
}
