//! Which observed annotations a manifest may claim, and which it may delete.

use crate::model::{
    AnnotationId, Concept, ConceptId, Concepts, DesiredAnnotation, DesiredState, Geometry, InputId,
    Key, Maker, ObservedAnnotation, ObservedState, Owner, SetName, SetPrefix, Unreadable, UserId,
    is_set_id, is_stand_in_id,
};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The scope of a manifest on a target: its set, its owners, its renamed concepts.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The label set.
    pub set: SetName,
    /// What its ids begin with; then those of the sets that it adopts.
    prefixes: Vec<SetPrefix>,
    users: BTreeSet<UserId>,
    /// Whether everything that people made may be claimed.
    everything: bool,
    anybody: bool,
    renamed: BTreeMap<ConceptId, ConceptId>,
}

impl Claims {
    /// Resolves who the owners are.
    pub fn new(desired: &DesiredState, observed: &ObservedState) -> Self {
        Self::of(desired, &observed.app_owner, &observed.caller)
    }

    /// The same, by the app's owner and the calling user.
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
                .chain(desired.adopts.iter().map(SetPrefix::named))
                .collect(),
            everything: false,
            users: users.collect(),
            anybody: desired.owners.contains(&Owner::Any),
            renamed: desired.renamed.clone(),
        }
    }

    /// The same, but that everything that people made may be claimed, whoever and whichever set made it.
    pub(super) fn of_everything(&self) -> Self {
        Self {
            everything: true,
            ..self.clone()
        }
    }

    /// Those of a set to which everything belongs.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let set = SetName::new("bench").expect("a word is a valid set name");
        Self {
            prefixes: vec![SetPrefix::of(&set)],
            set,
            users: BTreeSet::new(),
            everything: true,
            anybody: true,
            renamed: BTreeMap::new(),
        }
    }

    /// Whether this set made it, or a set that it adopts. A stand-in of an adopted set stays that set's: only its own
    /// name leads to what it stands in for.
    pub fn is_owned(&self, id: &AnnotationId) -> bool {
        let (own, adopted) = self.prefixes.split_at(1);
        own.iter().any(|prefix| prefix.is_of(id))
            || (adopted.iter().any(|prefix| prefix.is_of(id)) && !is_stand_in_id(id))
    }

    /// The ids that a key stands for: the one that this set makes of it, then those of the sets that it adopts.
    pub fn key_ids<'a>(
        &'a self,
        input: &'a InputId,
        key: &'a Key,
    ) -> impl Iterator<Item = AnnotationId> + 'a {
        self.prefixes.iter().map(|prefix| prefix.key_id(input, key))
    }

    /// Whether another label set made it: never claimed, never deleted.
    pub fn is_of_another_set(&self, id: &AnnotationId) -> bool {
        is_set_id(id) && !self.is_owned(id)
    }

    /// The owners as user ids, sorted; `any` for everybody.
    pub fn owners(&self) -> Vec<UserId> {
        if self.anybody {
            return vec![UserId::new("any").expect("a word is a valid user id")];
        }
        self.users.iter().cloned().collect()
    }

    /// Whether it is in scope: this set made it, with whoever's token; or one of the owners made it, and no other set.
    /// What is in scope and not declared is deleted.
    pub fn is_in_scope(&self, observed: &ObservedAnnotation) -> bool {
        let by_an_owner = || match &observed.user {
            Some(user) => self.anybody || self.users.contains(user),
            None => self.anybody,
        };
        observed.maker == Maker::User
            && (self.everything
                || self.is_owned(&observed.id)
                || (by_an_owner() && !self.is_of_another_set(&observed.id)))
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

    /// Whether a declared annotation may claim it by its content.
    pub fn is_claimable(&self, observed: &ObservedAnnotation) -> bool {
        observed.geometry != Geometry::Unmodelled && self.is_in_scope(observed)
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
