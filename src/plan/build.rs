//! Makes a plan: plans each input, then counts, packs and guards the result.

use super::batch;
use super::batch::Batch;
use super::drift::{self, Coverage, PlanBase};
use super::error::PlanError;
use super::guard;
use super::inventory::Inventory;
use super::masks;
use super::operation::Operation;
use super::plan::{FORMAT_VERSION, Plan, Purpose, Target};
use super::planned_input::PlannedInput;
use super::planner::{Part, Planner};
use super::purge::Purge;
use super::rights;
use super::shard::{ShardContext, Whole, blind_spot, kept_concepts};
use super::shared;
use super::summary::Summary;
use super::tripped_guard::{Allowances, TrippedGuard};
use super::unreadable;
use crate::matching::Claims;
use crate::model::{DesiredState, InputId, ObservedState, Scope};
use rayon::prelude::*;
use std::collections::HashSet;

/// How many inputs are planned before what they result in is put together, so that no operation is in memory twice.
const INPUTS_AT_ONCE: usize = 4_096;

/// What a plan is made from, beside the two states.
#[derive(Debug, Clone)]
pub struct Context {
    pub target: Target,
    /// SHA-256 of the manifest's files.
    pub manifest_hash: String,
    /// The target's limit in calls per second.
    pub rate_limit: u32,
    /// The guards that the user lets pass.
    pub allowances: Allowances,
    /// The inputs and concepts of the app.
    pub inventory: Inventory,
    /// The shard that is planned; `None` for all inputs.
    pub shard: Option<ShardContext>,
}

/// The smallest set of writes that makes the observed state equal to the desired one.
///
/// # Errors
///
/// Every declaration that cannot be carried out, sorted by its place in the manifest.
pub fn plan(
    desired: &DesiredState,
    observed: &ObservedState,
    context: &Context,
) -> Result<Plan, Vec<PlanError>> {
    make(desired, observed, context, None)
}

/// The writes for what the manifest changed since the base. Changes in the app since then are reported, and kept
/// unless `against` says otherwise.
///
/// # Errors
///
/// As [`plan()`].
pub fn plan_against(
    desired: &DesiredState,
    observed: &ObservedState,
    context: &Context,
    against: &PlanBase<'_>,
) -> Result<Plan, Vec<PlanError>> {
    make(desired, observed, context, Some(against))
}

fn make(
    desired: &DesiredState,
    observed: &ObservedState,
    context: &Context,
    against: Option<&PlanBase<'_>>,
) -> Result<Plan, Vec<PlanError>> {
    let planner = Planner {
        desired,
        observed,
        claims: Claims::new(desired, observed),
        three_way: against.map(|against| against.three_way(desired, observed)),
    };
    let inventory = &context.inventory;
    let coverage = against.map_or(Coverage::Declared, |against| against.coverage);
    let shard = context.shard.as_ref();
    let part = whole(&planner, inventory, coverage)?;
    let mut summary = Summary {
        rate_limit: context.rate_limit,
        rate_shares: shard.map_or(0, |shard| u64::from(shard.shard.count())),
        unreadable: observed.unreadable.len() as u64,
        unchanged: part.unchanged,
        unmanaged: part.unmanaged,
        other_sets: part.other_sets,
        existing: part.existing,
        changeable: part.existing + part.others,
        ambiguous: part.ambiguous,
        held_back: part.held_back,
        ..Summary::default()
    };
    summary.count_unmanaged(part.unmanaged_users);
    let Part {
        mut operations,
        mut purges,
        mut drift,
        ..
    } = part;
    // The sort is stable: within one input and action the declared (or observed) order stays.
    operations.sort_by(|a, b| (&a.input_id, a.action()).cmp(&(&b.input_id, b.action())));
    purges.sort_by(|a, b| a.input_id.cmp(&b.input_id));
    if against.is_some() {
        drift::sort(&mut drift);
        summary.count_drift(&drift);
    }
    rights::mark(&mut operations, &mut purges, &observed.app_owner);
    summary.count_writes(&operations, &purges, &observed.app_owner);
    summary.count_listed(&operations, &purges, observed);
    // Those that were not listed count as declared.
    let unlisted = || {
        let inputs = desired.inputs.iter();
        inputs.filter(|it| coverage == Coverage::Changed && !observed.scope.covers(&it.id))
    };
    summary.count_unlisted(unlisted());
    shared::share(&mut operations, observed);
    let masks = masks::of(&operations);
    let inputs = inventory.inputs(&operations);
    summary.new_concepts = inventory.created(&operations);
    let batches = calls(&operations, &purges, &inputs, &mut summary);
    let mut trips = guard::check(desired, &operations, &summary, shard);
    trips.extend(against.and_then(|against| against.trip(&summary, &context.allowances)));
    let (passed_guards, guards): (Vec<TrippedGuard>, Vec<TrippedGuard>) = trips
        .into_iter()
        .partition(|trip| trip.is_passed_by(&context.allowances));
    Ok(Plan {
        format_version: FORMAT_VERSION.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        purpose: Purpose::Manifest,
        target: context.target.clone(),
        set: desired.set.clone(),
        policy: desired.policy,
        app_owner: observed.app_owner.clone(),
        owners: planner.claims.owners(),
        adopts: desired.adopts.iter().cloned().collect(),
        manifest_hash: context.manifest_hash.clone(),
        base: against.map(|against| against.base.clone()),
        shard: shard.map(|shard| shard.shard),
        whole: shard.map(|shard| Whole {
            declared_inputs: shard.declared_inputs,
            guards: desired.guards,
            renamed: desired.renamed.clone(),
            kept_concepts: kept_concepts(observed, unlisted(), &summary.classes),
        }),
        summary,
        guards,
        passed_guards,
        blind_spots: blind_spots(observed, context, against),
        inputs,
        deleted_inputs: Vec::new(),
        operations,
        masks,
        purges,
        drift,
        batches,
    })
}

/// What all inputs together result in.
fn whole(
    planner: &Planner<'_>,
    inventory: &Inventory,
    coverage: Coverage,
) -> Result<Part, Vec<PlanError>> {
    let (desired, observed) = (planner.desired, planner.observed);
    let declared: HashSet<&InputId> = desired.inputs.iter().map(|input| &input.id).collect();
    let mut whole = Part::default();
    for inputs in desired.inputs.chunks(INPUTS_AT_ONCE) {
        let parts: Vec<Part> = inputs
            .par_iter()
            .filter(|input| coverage == Coverage::Declared || observed.scope.covers(&input.id))
            .filter(|input| !inventory.is_refused(input))
            .map(|input| {
                let mut part = planner.declared(input);
                // Sorting all operations then finds them sorted, and needs no memory for copies.
                part.operations.sort_by_key(Operation::action);
                part
            })
            .collect();
        for part in parts {
            whole.append(part);
        }
    }
    for (input, annotations) in &observed.inputs {
        if !declared.contains(input) {
            whole.append(planner.undeclared(input, annotations));
        }
    }
    whole.errors.extend(inventory.errors(desired));
    if whole.errors.is_empty() {
        Ok(whole)
    } else {
        whole.errors.sort_by_key(PlanError::origin);
        Err(whole.errors)
    }
}

fn calls(
    operations: &[Operation],
    purges: &[Purge],
    inputs: &[PlannedInput],
    summary: &mut Summary,
) -> Vec<Batch> {
    let mut batches = batch::pack(operations, purges);
    batch::pack_inputs(&mut batches, inputs, &[]);
    summary.count_inputs(inputs, &[]);
    summary.forecast(&batches);
    batches
}

fn blind_spots(
    observed: &ObservedState,
    context: &Context,
    against: Option<&PlanBase<'_>>,
) -> Vec<String> {
    let mut spots = match (&observed.scope, against) {
        (Scope::WholeApp | Scope::Shard(_), _) => Vec::new(),
        (Scope::Inputs(_), Some(against)) if against.coverage == Coverage::Changed => vec![format!(
            "inputs whose declaration did not change since {} (--changed-only): what was changed in the app there is not \
             seen, and stays; they are counted as declared",
            against.base.revision
        )],
        (Scope::Inputs(_), _) => vec![
            "inputs that are not declared (--declared-only): annotations that this set made there stay"
                .to_owned(),
        ],
    };
    spots.extend(context.shard.as_ref().map(|it| blind_spot(it.shard)));
    spots.extend(unreadable::descriptions(observed));
    spots.extend(context.inventory.blind_spots.iter().cloned());
    spots
}
