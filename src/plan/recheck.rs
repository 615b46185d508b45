//! A plan file against the app: a file is data from outside, and what it says of the app and of its guards is found out
//! again from a listing before anything is sent.

use super::fresh::{Freshness, freshness};
use super::guard::{self, Limits};
use super::permit::Permit;
use super::purge;
use super::sent::{Misfit, write_body};
use super::stand_in::{id_for, is_unfinished};
use super::summary;
use super::types::{Operation, Plan, Purge, PurgedAnnotation};
use crate::model::{AnnotationId, InputId, Json, ObservedAnnotation, ObservedState, Scope};
use std::collections::{BTreeSet, HashMap};

/// What is done for an operation, given what is there.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// It is sent, with this body; a delete has none.
    Sent(Option<Json>),
    /// Nothing is left to do.
    Done,
    /// The annotation is something else than the plan saw: nothing of it is written.
    Stale,
}

/// What is done for an operation whose annotation is `now`. Of a replacement that an earlier run began, `now` is the
/// stand-in.
///
/// # Errors
///
/// Why the operation does not fit what is stored.
pub fn due(
    operation: &Operation,
    now: Option<&ObservedAnnotation>,
    permit: &Permit,
) -> Result<Due, Misfit> {
    if is_unfinished(operation) {
        return match now {
            Some(_) => write_body(operation, now, permit).map(Due::Sent),
            None => Ok(Due::Done),
        };
    }
    match freshness(operation, now) {
        Freshness::AsPlanned => write_body(operation, now, permit).map(Due::Sent),
        Freshness::AsWanted => Ok(Due::Done),
        Freshness::HalfReplaced | Freshness::Stale => Ok(Due::Stale),
    }
}

/// What each operation of a plan would send if the app were as it was observed; nothing for a delete, and for what is
/// already so or something else than the plan saw.
pub fn bodies(
    plan: &Plan,
    observed: &ObservedState,
    permit: &Permit,
) -> Vec<Result<Option<Json>, Misfit>> {
    let body = |due| match due {
        Due::Sent(body) => body,
        Due::Done | Due::Stale => None,
    };
    let dues = dues(plan, observed, permit).into_iter();
    dues.map(|it| it.map(body)).collect()
}

fn dues(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<Result<Due, Misfit>> {
    let touched: BTreeSet<&InputId> = plan.operations.iter().map(|it| &it.input_id).collect();
    let there: HashMap<(&InputId, &AnnotationId), &ObservedAnnotation> = touched
        .into_iter()
        .filter_map(|input| Some((input, observed.inputs.get(input)?)))
        .flat_map(|(input, all)| all.iter().map(move |it| ((input, &it.id), it)))
        .collect();
    let of = |operation: &Operation| {
        let stand_in = is_unfinished(operation).then(|| id_for(&plan.set, operation));
        let id = stand_in.as_ref().unwrap_or(&operation.id);
        let now = there.get(&(&operation.input_id, id)).copied();
        due(operation, now, permit)
    };
    plan.operations.iter().map(of).collect()
}

/// The operations that do not fit what was observed, each with the reason, in words.
pub fn misfits(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<String> {
    let bodies = bodies(plan, observed, permit);
    let with_bodies = plan.operations.iter().zip(bodies);
    let mut misfits: Vec<String> = with_bodies
        .filter_map(|(operation, body)| {
            let Operation {
                action,
                id,
                input_id,
                ..
            } = operation;
            let misfit = body.err()?;
            Some(format!("{action} {id} of input {input_id}: {misfit}"))
        })
        .collect();
    for Purge {
        input_id,
        annotations,
        ..
    } in &plan.purges
    {
        let there = observed.inputs.get(input_id).into_iter().flatten();
        let there: HashMap<&AnnotationId, _> =
            there.map(|it| (&it.id, purge::purged(it))).collect();
        let is_other = |shown: &&PurgedAnnotation| {
            there.get(&shown.id).is_some_and(|now| {
                now.fingerprint == shown.fingerprint && !purge::is_same(shown, now)
            })
        };
        misfits.extend(
            annotations
                .iter()
                .filter(is_other)
                .map(|it| format!("purge of input {input_id}: {} is not what it shows", it.id)),
        );
    }
    misfits
}

impl Plan {
    /// Counts the guards anew, from the operations and from what was observed. A guard that a file says was let pass, or
    /// leaves out, is there again: who carries the plan out says what may pass.
    pub fn recheck(&mut self, observed: &ObservedState, permit: &Permit, limits: Limits<'_>) {
        let mut trips = guard::recheck(self, observed, permit, limits);
        let kind = std::mem::discriminant;
        let stated = std::mem::take(&mut self.guards).into_iter();
        for trip in stated.chain(std::mem::take(&mut self.passed_guards)) {
            if trips.iter().all(|it| kind(it) != kind(&trip)) {
                trips.push(trip);
            }
        }
        trips.sort_by_key(guard::rank);
        self.guards = trips;
        // A part of the app does not say how often a concept is there, and the file does not either.
        self.summary.classes = match observed.scope {
            Scope::WholeApp => summary::classes(&self.operations, &self.purges, observed),
            Scope::Inputs(_) => Vec::new(),
        };
    }

    /// Takes over what the plan's manifest says of it: the base, and the guards that it trips, whether or not they pass.
    pub fn take_over(&mut self, remade: Self) {
        self.base = remade.base;
        let kind = std::mem::discriminant;
        for trip in remade.guards.into_iter().chain(remade.passed_guards) {
            let stated = self.guards.iter().chain(&self.passed_guards);
            if stated.map(kind).all(|it| it != kind(&trip)) {
                self.guards.push(trip);
            }
        }
    }

    /// The inputs that the plan touches.
    pub fn touched_inputs(&self) -> BTreeSet<InputId> {
        let operations = self.operations.iter().map(|it| &it.input_id);
        let purges = self.purges.iter().map(|it| &it.input_id);
        operations.chain(purges).cloned().collect()
    }

    /// What of a plan, if anything, is not what a manifest makes of the app as it is now. `remade` is what it makes;
    /// `observed`, the app. What was done since, or changed since, is found out when the plan is carried out.
    pub fn differs_from(&self, remade: &Self, observed: &ObservedState) -> Option<String> {
        let whole = |plan: &Self| (plan.target.clone(), plan.set.clone(), plan.policy);
        if whole(self) != whole(remade) {
            return Some("its target, its set or its policy is another".to_owned());
        }
        let scope = |plan: &Self| {
            (
                plan.owners.clone(),
                plan.adopts.clone(),
                plan.app_owner.clone(),
            )
        };
        if scope(self) != scope(remade) {
            return Some("its owners, or the sets that it adopts, are others".to_owned());
        }
        let base = |plan: &Self| plan.base.as_ref().map(|base| base.manifest_hash.clone());
        if base(self) != base(remade) {
            return Some("its base is another".to_owned());
        }
        let name = |it: &'_ Operation| (it.input_id.clone(), it.id.clone());
        let in_words = |it: &Operation| format!("{} {} of input {}", it.action, it.id, it.input_id);
        let made: HashMap<_, &Operation> = (remade.operations.iter())
            .map(|it| (name(it), it))
            .collect();
        let dues = dues(self, observed, &Permit::Planned);
        for (operation, due) in self.operations.iter().zip(&dues) {
            if matches!(due, Ok(Due::Sent(_)) | Err(_))
                && !made
                    .get(&name(operation))
                    .is_some_and(|it| is_same(operation, it))
            {
                return Some(in_words(operation));
            }
        }
        let planned: HashMap<_, _> = self.inputs.iter().map(|it| (&it.input_id, it)).collect();
        let posted = remade.inputs.iter().filter(|it| it.is_posted());
        for input in posted {
            if planned.get(&input.input_id) != Some(&input) {
                return Some(format!("what is posted as input {}", input.input_id));
            }
        }
        let kept: BTreeSet<_> = self.operations.iter().map(name).collect();
        let more = remade
            .operations
            .iter()
            .find(|it| !it.reason.is_repair() && !kept.contains(&name(it)));
        if let Some(more) = more {
            return Some(format!("{}, which it leaves out", in_words(more)));
        }
        let purges: HashMap<_, _> = remade.purges.iter().map(|it| (&it.input_id, it)).collect();
        for purge in &self.purges {
            let there = observed.inputs.get(&purge.input_id);
            let is_due = there.is_some_and(|there| purge::is_as_seen(purge, there));
            if is_due && !purges.contains_key(&purge.input_id) {
                return Some(format!("the purge of input {}", purge.input_id));
            }
        }
        let kept: BTreeSet<_> = self.purges.iter().map(|it| &it.input_id).collect();
        let more = remade.purges.iter().find(|it| !kept.contains(&it.input_id));
        if let Some(more) = more {
            return Some(format!(
                "the purge of input {}, which it leaves out",
                more.input_id
            ));
        }
        None
    }
}

/// Whether two operations do the same to the same annotation. How they are packed may differ, and so may what else there
/// was to choose from.
fn is_same(one: &Operation, other: &Operation) -> bool {
    let shown = |it: &Operation| {
        let mut plain = Operation {
            bytes: 0,
            matched: None,
            ..it.clone()
        };
        if let Some(seen) = &mut plain.seen {
            seen.modified_at = None;
        }
        serde_json::to_value(plain).ok()
    };
    shown(one) == shown(other)
}
