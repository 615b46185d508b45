//! The state that every input is planned with, and the part of the plan that one input results in.

use super::app_change::AppChange;
use super::change::Kind;
use super::error::PlanError;
use super::operation::Operation;
use super::purge::Purge;
use super::summary::HeldBack;
use super::three_way::ThreeWay;
use crate::matching::Claims;
use crate::model::{
    DesiredAnnotation, DesiredState, Difference, Geometry, InputId, Maker, ObservedAnnotation,
    ObservedState, UserId,
};
use crate::wire::encode;
use std::collections::BTreeMap;

/// The part of a plan that one input results in, or several.
#[derive(Default)]
pub(super) struct Part {
    pub(super) operations: Vec<Operation>,
    pub(super) purges: Vec<Purge>,
    pub(super) errors: Vec<PlanError>,
    pub(super) unchanged: u64,
    pub(super) unmanaged: u64,
    pub(super) other_sets: u64,
    pub(super) existing: u64,
    /// Declared annotations out of scope: they can be changed, but not deleted.
    pub(super) others: u64,
    pub(super) ambiguous: u64,
    pub(super) held_back: HeldBack,
    /// Unmanaged annotations by user.
    pub(super) left_users: BTreeMap<Option<UserId>, u64>,
    /// The same, if the input is declared.
    pub(super) unmanaged_users: BTreeMap<Option<UserId>, u64>,
    /// Changes made in the app since the base.
    pub(super) drift: Vec<AppChange>,
}

impl Part {
    /// Adds another part, whose writes come after those of this one.
    pub(super) fn append(&mut self, part: Self) {
        self.operations.extend(part.operations);
        self.purges.extend(part.purges);
        self.errors.extend(part.errors);
        self.unchanged += part.unchanged;
        self.unmanaged += part.unmanaged;
        self.other_sets += part.other_sets;
        self.existing += part.existing;
        self.others += part.others;
        self.ambiguous += part.ambiguous;
        self.held_back.updates += part.held_back.updates;
        self.held_back.deletes += part.held_back.deletes;
        self.held_back.unreadable += part.held_back.unreadable;
        for (sum, users) in [
            (&mut self.left_users, part.left_users),
            (&mut self.unmanaged_users, part.unmanaged_users),
        ] {
            for (user, count) in users {
                *sum.entry(user).or_default() += count;
            }
        }
        self.drift.extend(part.drift);
    }
}

pub(super) struct Planner<'a> {
    pub(super) desired: &'a DesiredState,
    pub(super) observed: &'a ObservedState,
    pub(super) claims: Claims,
    pub(super) three_way: Option<ThreeWay<'a>>,
}

impl Planner<'_> {
    /// Counts an annotation that is kept as it was changed or added in the app.
    pub(super) fn keep(&self, part: &mut Part, annotation: &ObservedAnnotation) {
        if self.claims.is_in_scope(annotation) {
            part.existing += 1;
        } else {
            self.leave(part, annotation);
        }
    }

    pub(super) fn leave(&self, part: &mut Part, annotation: &ObservedAnnotation) {
        if self.claims.is_of_another_set(&annotation.id) {
            part.other_sets += 1;
        } else if annotation.maker == Maker::User {
            part.unmanaged += 1;
            *part.left_users.entry(annotation.user.clone()).or_default() += 1;
        }
    }

    pub(super) fn error_of_edit(
        input: &InputId,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
        difference: &Difference,
        kind: Kind,
    ) -> Option<PlanError> {
        let is_moved = difference.geometry || difference.frame;
        if is_moved
            && observed.geometry == Geometry::Unmodelled
            && encode::has_several_places(observed)
        {
            return Some(PlanError::SeveralPlaces {
                input: input.clone(),
                id: observed.id.clone(),
                origin: desired.origin,
            });
        }
        let (input, id, origin) = (input.clone(), observed.id.clone(), desired.origin);
        match observed.maker {
            Maker::Model => Some(PlanError::ModelMade { input, id, origin }),
            Maker::Input if kind == Kind::Replace => {
                Some(PlanError::InputLevel { input, id, origin })
            }
            Maker::Input | Maker::User => None,
        }
    }
}
