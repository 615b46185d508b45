//! The observed annotations that a manifest may claim or delete.

use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, DesiredAnnotation, DesiredState, Geometry, InputId,
    Key, Maker, ObservedAnnotation, ObservedState, Owner, SetName, SetPrefix, Unreadable, UserId,
    is_set_id, is_stand_in_id,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The scope of a manifest: its set, owners and renamed concepts.
#[derive(Debug, Clone)]
pub struct Claims {
    pub set: SetName,
    /// The prefix of the set, then those of the sets that it adopts.
    prefixes: Vec<SetPrefix>,
    users: BTreeSet<UserId>,
    /// Whether everything that people created is in scope, including annotations of other sets.
    everything: bool,
    /// Whether all users are owners.
    any_user: bool,
    renamed: BTreeMap<ConceptId, ConceptId>,
}

impl Claims {
    /// Resolves the owners to user ids.
    pub fn new(desired: &DesiredState, observed: &ObservedState) -> Self {
        Self::of(desired, &observed.app_owner, &observed.caller)
    }

    /// Like [`Claims::new`], from the app's owner and the calling user.
    pub fn of(desired: &DesiredState, app_owner: &UserId, caller: &UserId) -> Self {
        let users = desired.owners.iter().filter_map(|owner| match owner {
            Owner::AppOwner => Some(app_owner.clone()),
            Owner::Me => Some(caller.clone()),
            Owner::User(user) if user.as_str() == "me" => Some(caller.clone()),
            Owner::User(user) => Some(user.clone()),
            Owner::Any => None,
        });
        Self {
            set: desired.set.clone(),
            prefixes: [SetPrefix::of(&desired.set)]
                .into_iter()
                .chain(desired.adopts.iter().map(SetPrefix::of_name_or_prefix))
                .collect(),
            everything: false,
            users: users.collect(),
            any_user: desired.owners.contains(&Owner::Any),
            renamed: desired.renamed.clone(),
        }
    }

    /// Extends the scope to everything that people created.
    #[must_use]
    pub fn for_everything(&self) -> Self {
        Self {
            everything: true,
            ..self.clone()
        }
    }

    /// Claims with everything in scope.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let set = SetName::new("bench").expect("a word is a valid set name");
        Self {
            prefixes: vec![SetPrefix::of(&set)],
            set,
            users: BTreeSet::new(),
            everything: true,
            any_user: true,
            renamed: BTreeMap::new(),
        }
    }

    /// Whether this set or an adopted one generated the id. Stand-ins of adopted sets do not count, because the original
    /// can be found with the name of that set only.
    pub fn is_owned(&self, id: &AnnotationId) -> bool {
        let (own, adopted) = self.prefixes.split_at(1);
        own.iter().any(|prefix| prefix.is_of(id))
            || (adopted.iter().any(|prefix| prefix.is_of(id)) && !is_stand_in_id(id))
    }

    /// The ids for a key: the one of this set, then those of adopted sets.
    pub fn key_ids<'a>(
        &'a self,
        input: &'a InputId,
        key: &'a Key,
    ) -> impl Iterator<Item = AnnotationId> + 'a {
        self.prefixes.iter().map(|prefix| prefix.key_id(input, key))
    }

    /// Whether another label set generated the id. Such annotations are never claimed or deleted.
    pub fn is_of_another_set(&self, id: &AnnotationId) -> bool {
        is_set_id(id) && !self.is_owned(id)
    }

    /// The owners as sorted user ids; only `any` for all users.
    pub fn owners(&self) -> Vec<UserId> {
        if self.any_user {
            return vec![UserId::new("any").expect("a word is a valid user id")];
        }
        self.users.iter().cloned().collect()
    }

    /// Whether this set created it, with any token, or one of the owners, but no other set. Undeclared annotations in
    /// scope are deleted.
    pub fn is_in_scope(&self, observed: &ObservedAnnotation) -> bool {
        let by_an_owner = || match &observed.user {
            Some(user) => self.any_user || self.users.contains(user),
            None => self.any_user,
        };
        observed.maker == Maker::User
            && (self.everything
                || self.is_owned(&observed.id)
                || (by_an_owner() && !self.is_of_another_set(&observed.id)))
    }

    /// Whether an unreadable annotation could be in scope or match a declared annotation.
    pub fn could_claim(&self, unreadable: &Unreadable) -> bool {
        let id = AnnotationId::new(&*unreadable.id).ok();
        let by_an_owner = || match &unreadable.user {
            Some(user) => self.any_user || self.users.contains(user),
            None => true,
        };
        unreadable.maker == Maker::User
            && !id.as_ref().is_some_and(|id| self.is_of_another_set(id))
            && (id.as_ref().is_some_and(|id| self.is_owned(id)) || by_an_owner())
    }

    /// Whether it may be matched by content.
    pub fn is_claimable(&self, observed: &ObservedAnnotation) -> bool {
        observed.geometry != Geometry::Unmodelled && self.is_in_scope(observed)
    }

    /// The concepts with renames applied.
    pub fn apply_renames<'a>(&self, concepts: &'a Concepts) -> Cow<'a, Concepts> {
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

    /// Whether both have the same concepts after renames. Undeclared concepts equal any.
    pub(super) fn same_concepts(
        &self,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
    ) -> bool {
        desired
            .content
            .concepts
            .as_ref()
            .is_none_or(|concepts| concepts.same(&self.apply_renames(&observed.concepts)))
    }
}
