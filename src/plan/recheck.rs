//! Checks a plan file against the app. A file may come from anybody: its data about the app and its guards is
//! determined again from a listing before anything is sent.

use super::classes;
use super::fresh::{Freshness, freshness};
use super::guard::{self, Limits};
use super::mismatch::Mismatch;
use super::operation::Operation;
use super::permit::Permit;
use super::plan::Plan;
use super::purge;
use super::purge::{Purge, PurgedAnnotation};
use super::sent::write_body;
use super::stand_in::id_for;
use crate::model::{AnnotationId, InputId, Json, ObservedAnnotation, ObservedState, Scope};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What is left to do for an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// It is sent, with this body; a delete has none.
    Sent(Option<Json>),
    /// Nothing.
    Done,
    /// The annotation changed since the plan: nothing of it is written.
    Stale,
}

/// What is left to do for an operation whose annotation is `now`. For a replacement that an earlier run began, `now` is the
/// stand-in.
///
/// # Errors
///
/// Why the operation does not fit what is stored.
pub fn due(
    operation: &Operation,
    now: Option<&ObservedAnnotation>,
    permit: &Permit,
) -> Result<Due, Mismatch> {
    if operation.is_unfinished() {
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

/// What is left to do for each operation if the app were as observed.
pub fn bodies(
    plan: &Plan,
    observed: &ObservedState,
    permit: &Permit,
) -> Vec<Result<Option<Json>, Mismatch>> {
    let body = |due| match due {
        Due::Sent(body) => body,
        Due::Done | Due::Stale => None,
    };
    let dues = dues(plan, observed, permit).into_iter();
    dues.map(|it| it.map(body)).collect()
}

fn dues(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<Result<Due, Mismatch>> {
    let touched: BTreeSet<&InputId> = plan.operations.iter().map(|it| &it.input_id).collect();
    let there: HashMap<(&InputId, &AnnotationId), &ObservedAnnotation> = touched
        .into_iter()
        .filter_map(|input| Some((input, observed.inputs.get(input)?)))
        .flat_map(|(input, all)| all.iter().map(move |it| ((input, &it.id), it)))
        .collect();
    let of = |operation: &Operation| {
        let stand_in = operation
            .is_unfinished()
            .then(|| id_for(&plan.set, operation));
        let id = stand_in.as_ref().unwrap_or(&operation.id);
        let now = there.get(&(&operation.input_id, id)).copied();
        due(operation, now, permit)
    };
    plan.operations.iter().map(of).collect()
}

/// The operations that do not fit what was observed, each with the reason.
pub fn mismatches(plan: &Plan, observed: &ObservedState, permit: &Permit) -> Vec<String> {
    let bodies = bodies(plan, observed, permit);
    let with_bodies = plan.operations.iter().zip(bodies);
    let mut mismatches: Vec<String> = with_bodies
        .filter_map(|(operation, body)| Some(format!("{operation}: {}", body.err()?)))
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
        mismatches.extend(annotations.iter().filter(is_other).map(|it| {
            format!(
                "purge of input {input_id}: annotation {} differs from what the plan shows",
                it.id
            )
        }));
    }
    mismatches
}

impl Plan {
    /// Determines the guards again, from the operations and from what was observed. Guards that the file omits, or
    /// lists as passed, trip again: only the user who applies the plan may let them pass.
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
        // The total number of annotations with a concept is not known from a part of the app, nor from the file.
        self.summary.classes = match observed.scope {
            Scope::WholeApp => classes::classes(&self.operations, &self.purges, observed),
            Scope::Inputs(_) | Scope::Shard(_) => Vec::new(),
        };
    }

    /// Takes over the base of the plan that the manifest makes, and adds the guards that it trips, whether or not they pass.
    pub fn take_over(&mut self, remade: Self) {
        self.base = remade.base;
        let trips = remade.guards.into_iter().chain(remade.passed_guards);
        self.add_guards(trips.collect());
    }

    /// The inputs that the plan writes on.
    pub fn touched_inputs(&self) -> BTreeSet<InputId> {
        let operations = self.operations.iter().map(|it| &it.input_id);
        let purges = self.purges.iter().map(|it| &it.input_id);
        operations.chain(purges).cloned().collect()
    }

    /// How a plan differs from the one that its manifest results in now (`remade`); `None` if it does not. Operations
    /// that are stale or already applied are ignored: the apply handles them.
    pub fn differs_from(&self, remade: &Self, observed: &ObservedState) -> Option<String> {
        let whole = |plan: &Self| (plan.target.clone(), plan.set.clone(), plan.policy);
        if whole(self) != whole(remade) {
            return Some("its target, set or policy differs".to_owned());
        }
        let scope = |plan: &Self| {
            (
                plan.owners.clone(),
                plan.adopts.clone(),
                plan.app_owner.clone(),
            )
        };
        if scope(self) != scope(remade) {
            return Some("its owners or adopted sets differ".to_owned());
        }
        let base = |plan: &Self| plan.base.as_ref().map(|base| base.manifest_hash.clone());
        if base(self) != base(remade) {
            return Some("its base differs".to_owned());
        }
        let name = |it: &'_ Operation| (it.input_id.clone(), it.id.clone());
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
                return Some(operation.to_string());
            }
        }
        let planned: HashMap<_, _> = self.inputs.iter().map(|it| (&it.input_id, it)).collect();
        let posted = remade.inputs.iter().filter(|it| it.is_posted());
        for input in posted {
            if planned.get(&input.input_id) != Some(&input) {
                return Some(format!("the post of input {}", input.input_id));
            }
        }
        let kept: BTreeSet<_> = self.operations.iter().map(name).collect();
        let more = remade
            .operations
            .iter()
            .find(|it| !it.is_repair() && !kept.contains(&name(it)));
        if let Some(more) = more {
            return Some(format!("{more} (missing)"));
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
            return Some(format!("the purge of input {} (missing)", more.input_id));
        }
        None
    }
}

/// Whether two operations make the same change to the same annotation. Size, match and time of the last write may
/// differ.
fn is_same(one: &Operation, other: &Operation) -> bool {
    let shown = |it: &Operation| {
        let mut record = serde_json::to_value(it).ok()?;
        let fields = record.as_object_mut()?;
        fields.remove("bytes");
        fields.remove("matched");
        if let Some(seen) = fields.get_mut("seen").and_then(Value::as_object_mut) {
            seen.remove("modified_at");
        }
        Some(record)
    };
    shown(one) == shown(other)
}
