//! `purge: true`: everything on an input goes, whoever made it, but its input-level annotation.
//!
//! What it counts and whom it spares stands here; how it is sent is `batch`'s.

use super::error::PlanError;
use super::input::{Part, Planner};
use super::types::{Purge, PurgedAnnotation};
use crate::model::{DesiredInput, InputId, Maker, ObservedAnnotation, Policy, fingerprint};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Plans an input that the manifest purges. Nothing else is done to it.
    pub(super) fn purged(&self, input: &DesiredInput, observed: &[ObservedAnnotation]) -> Part {
        let mut part = Part::default();
        // A purge deletes what the plan showed, and nothing can be shown of these.
        let unreadable = self.observed.unreadable_on(&input.id).iter();
        part.errors
            .extend(unreadable.filter(|it| it.maker != Maker::Input).map(|it| {
                PlanError::Unreadable {
                    input: input.id.clone(),
                    id: it.id.clone(),
                    why: it.why.clone(),
                    origin: input.origin,
                }
            }));
        if !part.errors.is_empty() {
            return part;
        }
        let doomed: Vec<&ObservedAnnotation> = observed
            .iter()
            .filter(|annotation| annotation.maker != Maker::Input)
            .collect();
        if self.desired.policy != Policy::Sync {
            part.held_back.deletes += doomed.len() as u64;
        } else if !doomed.is_empty() {
            let mut purge = of(&input.id, observed);
            let is_made = (self.three_way.as_ref())
                .is_none_or(|three| three.decide_purge(&mut purge, observed, &mut part.drift));
            part.purge = is_made.then_some(purge);
        }
        part.existing += if part.purge.is_some() {
            doomed.len()
        } else {
            let in_scope = doomed.iter().filter(|it| self.claims.is_in_scope(it));
            in_scope.count()
        } as u64;
        part
    }
}

/// All that goes with a purge of an input.
pub(super) fn of(input: &InputId, observed: &[ObservedAnnotation]) -> Purge {
    let gone = observed.iter().filter(|it| it.maker != Maker::Input);
    Purge {
        input_id: input.clone(),
        cause: None,
        needs: None,
        annotations: gone.map(purged).collect(),
    }
}

/// Whether two show the same. When it was last written may be told in several ways.
pub(super) fn is_same(one: &PurgedAnnotation, other: &PurgedAnnotation) -> bool {
    let shown = |it: &PurgedAnnotation| serde_json::to_value(&it.before).ok();
    (&one.user, &one.model_version, shown(one)) == (&other.user, &other.model_version, shown(other))
}

/// Whether an input holds just what a purge shows.
pub(super) fn is_as_seen(purge: &Purge, there: &[ObservedAnnotation]) -> bool {
    let shown: BTreeSet<_> = (purge.annotations.iter())
        .map(|it| (&it.id, it.fingerprint.to_string()))
        .collect();
    let there = there.iter().filter(|it| it.maker != Maker::Input);
    let there: BTreeSet<_> = there
        .map(|it| (&it.id, fingerprint(it).to_string()))
        .collect();
    shown == there
}

pub(super) fn purged(annotation: &ObservedAnnotation) -> PurgedAnnotation {
    let by_model = annotation.maker == Maker::Model;
    PurgedAnnotation {
        id: annotation.id.clone(),
        user: annotation.user.clone().filter(|_| !by_model),
        model_version: by_model.then(|| annotation.model_version().unwrap_or_default().to_owned()),
        modified_at: annotation.modified_at().map(Box::from),
        fingerprint: fingerprint(annotation),
        before: annotation.content(),
    }
}
