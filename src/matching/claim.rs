//! Which observed annotations a manifest may claim, and which it may delete.

use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, DesiredAnnotation, DesiredState, Geometry, Maker,
    ObservedAnnotation, ObservedState, Owner, SetName, Unreadable, UserId, is_owned_by, is_set_id,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The scope of a manifest on a target: its set, its owners, its renamed concepts.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The label set.
    pub set: SetName,
    users: BTreeSet<UserId>,
    anybody: bool,
    renamed: BTreeMap<ConceptId, ConceptId>,
}

impl Claims {
    /// Resolves `me` to the calling user.
    pub fn new(desired: &DesiredState, observed: &ObservedState) -> Self {
        let users = desired.owners.iter().filter_map(|owner| match owner {
            Owner::Me => Some(observed.caller.clone()),
            Owner::User(user) if user.as_str() == "me" => Some(observed.caller.clone()),
            Owner::User(user) => Some(user.clone()),
            Owner::Any => None,
        });
        Self {
            set: desired.set.clone(),
            users: users.collect(),
            anybody: desired.owners.contains(&Owner::Any),
            renamed: desired.renamed.clone(),
        }
    }

    /// Whether this set made it.
    pub fn is_owned(&self, id: &AnnotationId) -> bool {
        is_owned_by(id, &self.set)
    }

    /// Whether another label set made it: never claimed, never deleted.
    pub fn is_of_another_set(&self, id: &AnnotationId) -> bool {
        is_set_id(id) && !self.is_owned(id)
    }

    /// Whether it is in scope: a person made it, that person is among the owners, and no other set made it. What is
    /// in scope and not declared is deleted.
    pub fn is_in_scope(&self, observed: &ObservedAnnotation) -> bool {
        let by_an_owner = || match &observed.user {
            Some(user) => self.anybody || self.users.contains(user),
            None => self.anybody,
        };
        observed.maker == Maker::User && by_an_owner() && !self.is_of_another_set(&observed.id)
    }

    /// Whether an annotation that cannot be read could be one that a declared annotation would claim by its content, or one
    /// in scope.
    pub fn could_claim(&self, unreadable: &Unreadable) -> bool {
        let id = AnnotationId::new(&*unreadable.id).ok();
        let by_an_owner = || match &unreadable.user {
            Some(user) => self.anybody || self.users.contains(user),
            None => true,
        };
        unreadable.maker == Maker::User
            && !id.as_ref().is_some_and(|id| self.is_of_another_set(id))
            && (id.as_ref().is_some_and(|id| self.is_owned(id)) || by_an_owner())
    }

    /// Whether some declared annotation may claim it by its content. Beyond what is in scope: work that this set
    /// assigned to a user, which a declaration naming that user must find again.
    pub(super) fn is_claimable(&self, observed: &ObservedAnnotation) -> bool {
        observed.maker == Maker::User
            && observed.geometry != Geometry::Unmodelled
            && (self.is_in_scope(observed) || self.is_owned(&observed.id))
    }

    /// Whether this declared annotation may claim that one by its content.
    pub(super) fn allows(
        &self,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
    ) -> bool {
        self.is_in_scope(observed)
            || (desired.content.user.is_some() && desired.content.user == observed.user)
    }

    /// Whether this declared annotation may be paired with that one although its content differs.
    pub fn may_claim(&self, desired: &DesiredAnnotation, observed: &ObservedAnnotation) -> bool {
        self.is_claimable(observed) && self.allows(desired, observed)
    }

    /// The concepts under their present names.
    pub fn present_names<'a>(&self, concepts: &'a Concepts) -> Cow<'a, Concepts> {
        if self.renamed.is_empty() || !concepts.iter().any(|c| self.renamed.contains_key(&c.id)) {
            return Cow::Borrowed(concepts);
        }
        let by_name: BTreeMap<ConceptId, f32> = concepts
            .iter()
            .map(|c| (self.renamed.get(&c.id).unwrap_or(&c.id).clone(), c.value))
            .collect();
        let renamed = by_name
            .into_iter()
            .map(|(id, value)| Concept { id, value })
            .collect();
        Cow::Owned(Concepts::new(renamed).expect("keys of a map are distinct"))
    }

    /// Whether both name the same concepts, renamed ones under their new name. Unmanaged concepts are the same as any.
    pub(super) fn same_concepts(
        &self,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
    ) -> bool {
        desired
            .content
            .concepts
            .as_ref()
            .is_none_or(|concepts| concepts.same(&self.present_names(&observed.concepts)))
    }
}
