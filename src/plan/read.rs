//! Reads a plan file.

use super::app_change::{AppChange, Decision};
use super::batch::{Batch, Call};
use super::batch::{MAX_BYTES, MAX_ITEMS};
use super::classes::class_changes;
use super::guard;
use super::join::is_within;
use super::masks;
use super::operation::{Action, Cause, Operation};
use super::plan::{FORMAT_VERSION, Plan, Purpose};
use super::planned_input::Medium;
use super::purge::Purge;
use super::record::contradiction;
use super::rights;
use super::shared::is_whole_removal;
use super::stand_in::original_of;
use super::summary::Summary;
use super::tripped_guard::TrippedGuard;
use crate::matching::MatchedBy;
use crate::model::{JsonFault, Policy, is_key_id};
use crate::wire::body;
use std::collections::{BTreeSet, HashSet};

/// Why a text cannot be read as a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The text is not JSON, or not of the plan's form.
    #[error(transparent)]
    Syntax(JsonFault),
    /// The text is a plan of another format version.
    #[error("it has format version {found:?}, and this version of annosync reads {known:?}")]
    Version { found: String, known: &'static str },
    /// The plan's parts contradict each other.
    #[error("the plan was altered: {0}")]
    Altered(String),
}

/// Reads a plan; `None` for other JSON, such as a manifest.
///
/// A plan file may come from anybody. Here its parts are checked against each other; [`Plan::recheck`] and
/// [`super::write_body`] check it against the app.
pub fn read(text: &str) -> Result<Option<Plan>, PlanFileError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format_version: Option<String>,
        operations: Option<serde::de::IgnoredAny>,
        batches: Option<serde::de::IgnoredAny>,
    }
    let head: Head = match serde_json::from_str(text) {
        Ok(head) => head,
        // The errors of a manifest are reported when it is read as one.
        Err(_) if !text.contains("\"format_version\"") => return Ok(None),
        Err(error) => return Err(PlanFileError::Syntax(error.into())),
    };
    let (Some(version), Some(_), Some(_)) = (head.format_version, head.operations, head.batches)
    else {
        return Ok(None);
    };
    if version != FORMAT_VERSION {
        return Err(PlanFileError::Version {
            found: version,
            known: FORMAT_VERSION,
        });
    }
    let mut plan: Plan = serde_json::from_str(text).map_err(|error| {
        contradiction(text).map_or_else(
            || PlanFileError::Syntax(error.into()),
            PlanFileError::Altered,
        )
    })?;
    masks::restore(&mut plan).map_err(|what| PlanFileError::Altered(what.to_owned()))?;
    check(&plan)?;
    Ok(Some(plan))
}

/// Checks that a plan's parts agree: what is shown and counted is what is sent.
fn check(plan: &Plan) -> Result<(), PlanFileError> {
    let altered = |what: &str| Err(PlanFileError::Altered(what.to_owned()));
    let mut batches = super::batch::pack(&plan.operations, &plan.purges);
    super::batch::pack_inputs(&mut batches, &plan.inputs, &plan.deleted_inputs);
    if plan.batches != batches {
        return altered("its calls do not match its operations");
    }
    if !plan.batches.iter().all(|batch| is_sound(plan, batch)) {
        return altered("a call that deletes share with removals is too large, or has no removals");
    }
    check_purpose(plan).or_else(altered)?;
    check_target(plan).or_else(altered)?;
    check_shard(plan).or_else(altered)?;
    check_operations(plan)?;
    check_inputs(plan).or_else(altered)?;
    check_purges(plan).or_else(altered)?;
    check_causes(plan).or_else(altered)?;
    check_rights(plan).or_else(altered)?;
    let mut counted = Summary::default();
    counted.count_writes(&plan.operations, &plan.purges, &plan.app_owner);
    if counted.written() != plan.summary.written() {
        return altered("its summary does not match its operations");
    }
    check_counts(plan).or_else(altered)?;
    if !plan.operations.iter().all(sends_what_it_shows) {
        return altered("the body of an operation is not what it shows");
    }
    Ok(())
}

/// Only the operations of an undo have bodies in the file.
fn sends_what_it_shows(operation: &Operation) -> bool {
    let Some(sent) = operation.body() else {
        return true;
    };
    let is_overwrite = operation.action() == Action::Overwrite;
    let overwritten = operation.before().filter(|_| is_overwrite);
    operation
        .after()
        .is_some_and(|after| body::is_as_shown(sent, operation.name(), after, overwritten))
}

/// Checks that the target's user is the plan's `app_owner`.
fn check_target(plan: &Plan) -> Result<(), &'static str> {
    let owner = plan.target.user_id.as_str();
    // A plan of a saved listing has no target, and cannot be applied.
    if plan.target.app_id.is_empty() || owner == "me" || owner == plan.app_owner.as_str() {
        Ok(())
    } else {
        Err("the user of its target is not its app owner")
    }
}

/// The plan of a shard stays within it, and has what joins it with the others. An undo has no shard.
fn check_shard(plan: &Plan) -> Result<(), &'static str> {
    let shares = plan.shard.map_or(0, |shard| u64::from(shard.count()));
    if plan.summary.rate_shares != shares || plan.whole.is_some() != plan.shard.is_some() {
        return Err("its fields of a shard contradict each other");
    }
    if plan.shard.is_some() && plan.purpose == Purpose::Undo {
        return Err("it is an undo, but of a shard");
    }
    if is_within(plan) {
        Ok(())
    } else {
        Err("it writes on an input of another shard")
    }
}

/// Operations are sound and sorted, and each annotation has one at most.
fn check_operations(plan: &Plan) -> Result<(), PlanFileError> {
    let mut seen = HashSet::new();
    for operation in &plan.operations {
        let what = if seen.insert(operation.name()) {
            check_operation(plan, operation).err()
        } else {
            Some("another operation has the same annotation")
        };
        if let Some(what) = what {
            return Err(PlanFileError::Altered(format!("{operation}: {what}")));
        }
    }
    let order = |operation: &'_ Operation| (operation.input_id.clone(), operation.action());
    if plan.operations.is_sorted_by_key(order) {
        Ok(())
    } else {
        let what = "its operations are not sorted";
        Err(PlanFileError::Altered(what.to_owned()))
    }
}

fn check_operation(plan: &Plan, operation: &Operation) -> Result<(), &'static str> {
    if !cleans_up_a_stand_in(plan, operation) {
        return Err("the annotation is not a stand-in");
    }
    let (input, id) = operation.name();
    if operation
        .body()
        .is_some_and(|it| !body::names(it, input, id))
    {
        return Err("its body names another annotation");
    }
    if !has_its_key(operation) {
        return Err("its key belongs to another annotation");
    }
    if operation.is_undo() {
        return match operation.action() {
            Action::Delete if operation.bytes > 0 => {
                Err("`bytes` is not allowed in the delete of an undo")
            }
            _ => Ok(()),
        };
    }
    if operation.action() == Action::Delete && operation.bytes > 0 && !is_whole_removal(operation) {
        return Err("it shares a call with removals, but the annotation holds more than concepts");
    }
    match (operation.action(), plan.policy) {
        _ if operation.is_repair() => Ok(()),
        (Action::Delete, Policy::Upsert | Policy::Create) => {
            Err("the plan's policy does not delete")
        }
        (Action::Post | Action::Delete, _) | (_, Policy::Sync | Policy::Upsert) => Ok(()),
        (_, Policy::Create) => Err("the plan's policy does not change annotations"),
    }
}

/// Whether an operation can have its key: users read the key instead of the id.
fn has_its_key(operation: &Operation) -> bool {
    let Some(key) = &operation.key else {
        return true;
    };
    let is_key_id = || is_key_id(&operation.id, &operation.input_id, key);
    match operation.action() {
        Action::Post => is_key_id(),
        // An undeclared annotation has no key, unless an apply posted it.
        Action::Delete => operation.is_undo() && is_key_id(),
        // A declared annotation may be matched by its content and have another id, which is then shown beside the key.
        _ => operation.matched().is_none_or(|it| it.by != MatchedBy::Key) || is_key_id(),
    }
}

/// Numbers that follow from other parts of the plan.
fn check_counts(plan: &Plan) -> Result<(), &'static str> {
    let summary = &plan.summary;
    let mut forecast = summary.clone();
    forecast.forecast(&plan.batches);
    if forecast != *summary {
        return Err("its summary does not match its calls");
    }
    let mut trips = plan.guards.iter().chain(&plan.passed_guards);
    if !trips.all(|trip| guard::is_counted(plan, trip)) {
        return Err("the number of a guard does not match its operations");
    }
    if plan.is_undo() {
        return Ok(());
    }
    let deletes = plan.operations.iter();
    let deletes = deletes.filter(|it| it.action() == Action::Delete && !it.is_clean_up());
    if summary.existing < deletes.count() as u64 {
        return Err("its summary counts fewer existing annotations than it deletes");
    }
    let ambiguous = plan.operations.iter();
    let ambiguous = ambiguous.filter(|it| it.matched().is_some_and(|matched| matched.ambiguous));
    if summary.ambiguous < ambiguous.count() as u64 {
        return Err("its summary counts fewer ambiguous pairings than it shows");
    }
    let changes = class_changes(&plan.operations, &plan.purges);
    let counted = summary.classes.iter();
    let counted = counted.map(|class| (&class.concept, class.difference()));
    if counted.eq(changes) {
        Ok(())
    } else {
        Err("its summary does not match the concepts that its operations change")
    }
}

/// All of an undo undoes the apply.
fn check_purpose(plan: &Plan) -> Result<(), &'static str> {
    if plan.purpose == Purpose::Manifest {
        if plan.operations.iter().any(Operation::is_undo) {
            return Err("an operation undoes an apply, but the plan is not an undo");
        }
        return Ok(());
    }
    if !plan.operations.iter().all(Operation::is_undo)
        || !plan.purges.is_empty()
        || plan.base.is_some()
    {
        return Err("it is an undo, but has other operations, purges or a base");
    }
    if plan.policy != Policy::Sync {
        return Err("it is an undo, but its policy is not `sync`");
    }
    Ok(())
}

/// With a base every write has a cause, and every write that reverts a change in the app has its entry in `drift`;
/// without a base there is neither.
fn check_causes(plan: &Plan) -> Result<(), &'static str> {
    let causes = || {
        let written = plan.operations.iter().map(|operation| operation.cause);
        written.chain(plan.purges.iter().map(|purge| purge.cause))
    };
    let mut counted = Summary::default();
    if plan.base.is_some() {
        if !causes().all(|cause| cause.is_some()) {
            return Err("it has a base, but a write has no cause");
        }
        counted.count_drift(&plan.drift);
    } else if causes().any(|cause| cause.is_some()) || !plan.drift.is_empty() {
        return Err("it has no base, but causes or drift");
    }
    if (plan.operations.iter()).any(|it| it.is_repair() && it.reverts()) {
        return Err("an operation that finishes an earlier run reverts a change in the app");
    }
    let name = |change: &'_ AppChange| (change.input_id.clone(), change.id.clone());
    let changed: HashSet<_> = plan.drift.iter().map(name).collect();
    if changed.len() != plan.drift.len() {
        return Err("its drift lists an annotation twice");
    }
    let reverts = |cause: Option<Cause>| cause.is_some_and(Cause::reverts);
    let reverting = (plan.operations.iter())
        .filter(|it| reverts(it.cause))
        .map(|it| (it.input_id.clone(), it.id.clone()));
    let purged = plan.purges.iter().filter(|it| reverts(it.cause));
    let purged: HashSet<_> = purged.map(|it| &it.input_id).collect();
    let reverted = plan
        .drift
        .iter()
        .filter(|it| it.decision == Decision::Reverted);
    let (by_purge, by_write): (Vec<_>, Vec<_>) =
        reverted.partition(|it| purged.contains(&it.input_id));
    if reverting.collect::<HashSet<_>>() != by_write.into_iter().map(name).collect()
        || by_purge
            .into_iter()
            .map(|it| &it.input_id)
            .collect::<HashSet<_>>()
            != purged
    {
        return Err("its writes that revert changes in the app do not match its drift");
    }
    let is_counted = |trip: &TrippedGuard| match trip {
        TrippedGuard::Drift { count, reverted } => {
            Some(*count) == counted.drift && *count > 0 && *reverted == counted.reverted
        }
        _ => true,
    };
    if counted.drifted() != plan.summary.drifted()
        || !(plan.guards.iter().chain(&plan.passed_guards)).all(is_counted)
    {
        return Err("its summary does not match its drift");
    }
    Ok(())
}

/// Every write names the user who must apply it.
fn check_rights(plan: &Plan) -> Result<(), &'static str> {
    let is_marked =
        |operation: &Operation| operation.needs == rights::of_operation(operation, &plan.app_owner);
    let needed = rights::needed(&plan.operations, &plan.purges, &plan.app_owner);
    let is_purge_marked = |purge: &Purge| purge.needs == rights::of_purge(purge, &plan.app_owner);
    if plan.operations.iter().all(is_marked)
        && plan.purges.iter().all(is_purge_marked)
        && plan.summary.needs == needed
    {
        Ok(())
    } else {
        Err("the users whose tokens it requires do not match its operations")
    }
}

/// Whether a clean-up deletes a stand-in: guards do not count it.
fn cleans_up_a_stand_in(plan: &Plan, operation: &Operation) -> bool {
    let info = operation.before().and_then(|it| it.info.as_ref());
    let (input, id) = (&operation.input_id, &operation.id);
    !operation.is_clean_up() || original_of(&plan.set, input, id, info).is_some()
}

/// A `RemoveOrDelete` call has a removal beside its deletes, and stays within the limits of a call.
fn is_sound(plan: &Plan, batch: &Batch) -> bool {
    if batch.call != Call::RemoveOrDelete {
        return true;
    }
    let operations = batch
        .operations
        .iter()
        .map(|&at| &plan.operations[at as usize]);
    let bytes: usize = operations
        .clone()
        .map(|operation| super::batch::size(batch.call, operation))
        .sum();
    let removals = operations
        .filter(|operation| operation.action() == Action::Remove)
        .count();
    removals > 0 && batch.operations.len() <= MAX_ITEMS && bytes <= MAX_BYTES
}

/// Inputs are sorted and unique. Only a plan of a manifest posts inputs, and only if it writes on them; only an undo
/// deletes inputs.
fn check_inputs(plan: &Plan) -> Result<(), &'static str> {
    let mut counted = Summary::default();
    counted.count_inputs(&plan.inputs, &plan.deleted_inputs);
    if counted.inputs() != plan.summary.inputs() {
        return Err("its summary does not match its inputs");
    }
    let is_sorted = plan.inputs.is_sorted_by(|a, b| a.input_id < b.input_id)
        && plan.deleted_inputs.is_sorted_by(|a, b| a < b);
    if !is_sorted {
        return Err("its inputs are not sorted and unique");
    }
    let is_undo = plan.purpose == Purpose::Undo;
    if (is_undo && !plan.inputs.is_empty()) || (!is_undo && !plan.deleted_inputs.is_empty()) {
        return Err("an undo posts inputs, or another plan deletes inputs");
    }
    // A call sends one medium of a kind, but the plan would show several.
    let is_one_each = |media: &[Medium]| {
        let kinds: BTreeSet<_> = media.iter().map(|it| it.kind.word()).collect();
        kinds.len() == media.len()
    };
    let mut media = plan.inputs.iter().map(|it| &it.media[..]);
    if !media.all(|media| is_one_each(media) && media.iter().all(Medium::is_declarable)) {
        return Err("an input has media that a manifest cannot declare");
    }
    let written: HashSet<_> = plan.operations.iter().map(|it| &it.input_id).collect();
    if !plan.inputs.iter().all(|it| written.contains(&it.input_id)) {
        return Err("it posts an input without an operation on it");
    }
    Ok(())
}

/// An input is purged once, its annotations are listed, and it has no operations.
fn check_purges(plan: &Plan) -> Result<(), &'static str> {
    if !plan.purges.is_empty() && plan.policy != Policy::Sync {
        return Err("it purges, but its policy does not delete");
    }
    if !plan.purges.is_sorted_by(|a, b| a.input_id < b.input_id) {
        return Err("its purges are not sorted and unique");
    }
    for purge in &plan.purges {
        let ids: HashSet<_> = purge.annotations.iter().map(|gone| &gone.id).collect();
        if ids.is_empty() || ids.len() != purge.annotations.len() {
            return Err("a purge lists no annotations, or one twice");
        }
    }
    let purged: HashSet<_> = plan.purges.iter().map(|purge| &purge.input_id).collect();
    let touched = |operation: &Operation| purged.contains(&operation.input_id);
    if plan.operations.iter().any(touched) {
        return Err("an input has both a purge and an operation");
    }
    Ok(())
}
