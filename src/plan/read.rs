//! Reading a plan file back.

use super::batch::{MAX_BYTES, MAX_ITEMS};
use super::guard;
use super::masks;
use super::rights;
use super::shared::is_whole_removal;
use super::stand_in::{is_clean_up, is_unfinished, original_of};
use super::summary::{Summary, class_changes};
use super::trip::Trip;
use super::types::{
    Action, AppChange, Batch, Call, Cause, Decision, FORMAT_VERSION, Medium, Operation, Plan,
    Purge, Purpose, Reason,
};
use crate::matching::MatchedBy;
use crate::model::{AnnotationId, InputId, JsonFault, Policy, is_key_id};
use std::collections::{BTreeSet, HashSet};

/// Why a text is no plan that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Not the JSON that it should be.
    #[error(transparent)]
    Syntax(JsonFault),
    /// A plan of another format.
    #[error("it has format version {found:?}, and this version of annosync reads {known:?}")]
    Version {
        /// The version that the text names.
        found: String,
        /// The version that is read.
        known: &'static str,
    },
    /// A plan that does not hang together.
    #[error("the plan was altered: {0}")]
    Altered(String),
}

/// Reads a plan; nothing for JSON that is something else, such as a manifest.
///
/// A plan file is data from outside. Its parts are held to each other here; whether what it shows fits what the app holds
/// is found out when it is carried out ([`Plan::recheck`], [`super::write_body`]). Of a plan that undoes an apply, whether its
/// bodies are what it shows is for `apply` to say: it can read them as it reads the service's.
pub fn read(text: &str) -> Result<Option<Plan>, PlanFileError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format_version: Option<String>,
        operations: Option<serde::de::IgnoredAny>,
        batches: Option<serde::de::IgnoredAny>,
    }
    let head: Head = match serde_json::from_str(text) {
        Ok(head) => head,
        // A manifest's file reports its own mistakes.
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
    let mut plan: Plan =
        serde_json::from_str(text).map_err(|error| PlanFileError::Syntax(error.into()))?;
    masks::restore(&mut plan).map_err(|what| PlanFileError::Altered(what.to_owned()))?;
    check(&plan)?;
    Ok(Some(plan))
}

/// A plan's parts must say the same: what is shown and counted is what is sent.
fn check(plan: &Plan) -> Result<(), PlanFileError> {
    let altered = |what: &str| Err(PlanFileError::Altered(what.to_owned()));
    let mut batches = super::batch::pack(&plan.operations, &plan.purges);
    super::batch::pack_inputs(&mut batches, &plan.inputs, &plan.deleted_inputs);
    if plan.batches != batches {
        return altered("its calls are not those that its operations make");
    }
    if !plan.batches.iter().all(|batch| is_sound(plan, batch)) {
        return altered("deletes share a call with more, or with less, than fits");
    }
    check_purpose(plan).or_else(altered)?;
    check_target(plan).or_else(altered)?;
    check_operations(plan)?;
    check_inputs(plan).or_else(altered)?;
    check_purges(plan).or_else(altered)?;
    check_causes(plan).or_else(altered)?;
    check_rights(plan).or_else(altered)?;
    let mut counted = Summary::default();
    counted.count_writes(&plan.operations, &plan.purges, &plan.app_owner);
    if counted.written() != plan.summary.written() {
        return altered("its summary does not count its operations");
    }
    check_counts(plan).or_else(altered)
}

/// Who owns the app is said twice.
fn check_target(plan: &Plan) -> Result<(), &'static str> {
    let owner = plan.target.user_id.as_str();
    // An offline plan has no target, and cannot be applied.
    if plan.target.app_id.is_empty() || owner == "me" || owner == plan.app_owner.as_str() {
        Ok(())
    } else {
        Err("its target is an app of another user than its owner")
    }
}

/// Each operation says all that its kind says, and is the only one of its annotation.
fn check_operations(plan: &Plan) -> Result<(), PlanFileError> {
    let mut seen: HashSet<(&InputId, &AnnotationId)> = HashSet::new();
    for operation in &plan.operations {
        let what = if seen.insert((&operation.input_id, &operation.id)) {
            check_operation(plan, operation).err()
        } else {
            Some("its annotation is in the plan twice")
        };
        if let Some(what) = what {
            let Operation { action, id, .. } = operation;
            return Err(PlanFileError::Altered(format!(
                "{action} {id} of input {}: {what}",
                operation.input_id
            )));
        }
    }
    let order = |operation: &'_ Operation| (operation.input_id.clone(), operation.action);
    if plan.operations.is_sorted_by_key(order) {
        Ok(())
    } else {
        let what = "its operations are not in their order";
        Err(PlanFileError::Altered(what.to_owned()))
    }
}

fn check_operation(plan: &Plan, operation: &Operation) -> Result<(), &'static str> {
    if !is_about_a_stand_in(plan, operation) {
        return Err("what it says that an earlier run left is not a stand-in");
    }
    if let Some(body) = operation.body.as_ref().map(crate::model::Json::to_value) {
        let names_itself =
            body["id"] == operation.id.as_str() && body["input_id"] == operation.input_id.as_str();
        if !names_itself {
            return Err("its body is another annotation's");
        }
    }
    if !has_its_key(operation) {
        return Err("its key is that of another annotation");
    }
    let sides = (operation.before.is_some(), operation.after.is_some());
    let has_body = operation.body.is_some();
    if operation.reason == Reason::Undone {
        let is_whole = match operation.action {
            Action::Post => sides == (false, true) && has_body,
            Action::Overwrite | Action::Replace => sides == (true, true) && has_body,
            Action::Delete => sides == (true, false) && !has_body && operation.bytes == 0,
            // An undo writes whole annotations.
            Action::Merge | Action::Remove => false,
        };
        return if is_whole {
            Ok(())
        } else {
            Err("it undoes an apply, and does not show what is there and what comes back")
        };
    }
    if has_body {
        return Err("it carries a body, and only what undoes an apply has one");
    }
    let (is_complete, fits) = match operation.action {
        Action::Post => (
            sides == (false, true) && operation.fingerprint.is_none(),
            operation.reason == Reason::NotOnRemote,
        ),
        Action::Delete => (
            sides == (true, false) && operation.fingerprint.is_some(),
            matches!(
                operation.reason,
                Reason::NotDeclared | Reason::InputNotDeclared | Reason::LeftBehind
            ),
        ),
        Action::Replace | Action::Overwrite | Action::Remove | Action::Merge => (
            sides == (true, true) && operation.fingerprint.is_some(),
            operation.reason == Reason::Differs || is_unfinished(operation),
        ),
    };
    if !is_complete {
        return Err("it does not show what is there and what comes of it");
    }
    if !fits {
        return Err("its reason is that of another kind of write");
    }
    if operation.action == Action::Delete && operation.bytes > 0 && !is_whole_removal(operation) {
        return Err("it shares a call with removals, and holds more than concepts");
    }
    let repairs = operation.reason.is_repair();
    match (operation.action, plan.policy) {
        _ if repairs => Ok(()),
        (Action::Delete, Policy::Upsert | Policy::Create) => {
            Err("the plan's policy deletes nothing")
        }
        (Action::Post | Action::Delete, _) | (_, Policy::Sync | Policy::Upsert) => Ok(()),
        (_, Policy::Create) => Err("the plan's policy changes nothing"),
    }
}

/// Whether an operation is shown under a key that it can have: the key is what people read instead of the id.
fn has_its_key(operation: &Operation) -> bool {
    let Some(key) = &operation.key else {
        return true;
    };
    let is_key_id = || is_key_id(&operation.id, &operation.input_id, key);
    match operation.action {
        Action::Post => is_key_id(),
        // What is not declared has no key, unless an apply posted it.
        Action::Delete => operation.reason == Reason::Undone && is_key_id(),
        // A declared annotation can be found by its content under another id, which is shown beside the key then.
        _ => operation.matched.is_none_or(|it| it.by != MatchedBy::Key) || is_key_id(),
    }
}

/// The numbers that follow from others.
fn check_counts(plan: &Plan) -> Result<(), &'static str> {
    let summary = &plan.summary;
    let mut forecast = summary.clone();
    forecast.forecast(&plan.batches);
    if forecast != *summary {
        return Err("its summary does not count its calls");
    }
    let mut trips = plan.guards.iter().chain(&plan.passed_guards);
    if !trips.all(|trip| guard::is_counted(plan, trip)) {
        return Err("the number of a guard is not that of its operations");
    }
    if plan.is_undo() {
        return Ok(());
    }
    let deletes = plan.operations.iter();
    let deletes = deletes.filter(|it| it.action == Action::Delete && !is_clean_up(it));
    if summary.existing < deletes.count() as u64 {
        return Err("its summary counts fewer annotations than it deletes");
    }
    let ambiguous = plan.operations.iter();
    let ambiguous = ambiguous.filter(|it| it.matched.is_some_and(|matched| matched.ambiguous));
    if summary.ambiguous < ambiguous.count() as u64 {
        return Err("its summary counts fewer ambiguous pairings than it shows");
    }
    let changes = class_changes(&plan.operations, &plan.purges);
    let counted = summary.classes.iter();
    let counted = counted.map(|class| (&class.concept, class.difference()));
    if counted.eq(changes) {
        Ok(())
    } else {
        Err("its summary does not count how its classes change")
    }
}

/// What undoes an apply undoes nothing but that.
fn check_purpose(plan: &Plan) -> Result<(), &'static str> {
    let undoes = |operation: &Operation| operation.reason == Reason::Undone;
    if plan.purpose == Purpose::Manifest {
        if plan.operations.iter().any(undoes) {
            return Err("an operation undoes an apply, and the plan does not");
        }
        return Ok(());
    }
    if !plan.operations.iter().all(undoes) || !plan.purges.is_empty() || plan.base.is_some() {
        return Err("it undoes an apply, and does something else besides");
    }
    if plan.policy != Policy::Sync {
        return Err("its policy is not that of what undoes an apply");
    }
    Ok(())
}

/// With a base every write has a cause, and what reverts a change of the app is listed on both sides; without one there
/// is neither.
fn check_causes(plan: &Plan) -> Result<(), &'static str> {
    let causes = || {
        let written = plan.operations.iter().map(|operation| operation.cause);
        written.chain(plan.purges.iter().map(|purge| purge.cause))
    };
    let mut counted = Summary::default();
    if plan.base.is_some() {
        if !causes().all(|cause| cause.is_some()) {
            return Err("it has a base, and a write without a cause");
        }
        counted.count_drift(&plan.drift);
    } else if causes().any(|cause| cause.is_some()) || !plan.drift.is_empty() {
        return Err("it has no base, and says what was changed since");
    }
    if (plan.operations.iter())
        .any(|it| it.reason.is_repair() && it.cause.is_some_and(Cause::reverts))
    {
        return Err("a repair of an earlier run reverts a change of the app");
    }
    let name = |change: &'_ AppChange| (change.input_id.clone(), change.id.clone());
    let changed: HashSet<_> = plan.drift.iter().map(name).collect();
    if changed.len() != plan.drift.len() {
        return Err("an annotation was changed in the app twice");
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
        return Err("what reverts a change of the app is not what it lists as reverted");
    }
    let is_counted = |trip: &Trip| match trip {
        Trip::Drift { count, reverted } => {
            Some(*count) == counted.drift && *count > 0 && *reverted == counted.reverted
        }
        _ => true,
    };
    if counted.drifted() != plan.summary.drifted()
        || !(plan.guards.iter().chain(&plan.passed_guards)).all(is_counted)
    {
        return Err("its summary does not count what was changed in the app");
    }
    Ok(())
}

/// Every write says whose token it takes.
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
        Err("it does not say whose token its operations take")
    }
}

/// Whether an operation that says it is about what an earlier run left is: else it is not guarded as others are.
fn is_about_a_stand_in(plan: &Plan, operation: &Operation) -> bool {
    match operation.reason {
        Reason::LeftBehind => {
            let info = operation.before.as_ref().and_then(|it| it.info.as_ref());
            let (input, id) = (&operation.input_id, &operation.id);
            operation.action == Action::Delete && original_of(&plan.set, input, id, info).is_some()
        }
        Reason::Unfinished => operation.action == Action::Replace,
        _ => true,
    }
}

/// A call that removals and deletes share holds both, and no more than a call can.
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
        .filter(|operation| operation.action == Action::Remove)
        .count();
    removals > 0 && batch.operations.len() <= MAX_ITEMS && bytes <= MAX_BYTES
}

/// Inputs are named once, in order; a plan posts them for what it writes on them, and an undo deletes what an apply posted.
fn check_inputs(plan: &Plan) -> Result<(), &'static str> {
    let mut counted = Summary::default();
    counted.count_inputs(&plan.inputs, &plan.deleted_inputs);
    if counted.inputs() != plan.summary.inputs() {
        return Err("its summary does not count its inputs");
    }
    let is_sorted = plan.inputs.is_sorted_by(|a, b| a.input_id < b.input_id)
        && plan.deleted_inputs.is_sorted_by(|a, b| a < b);
    if !is_sorted {
        return Err("its inputs are not one by one, in order");
    }
    let is_undo = plan.purpose == Purpose::Undo;
    if (is_undo && !plan.inputs.is_empty()) || (!is_undo && !plan.deleted_inputs.is_empty()) {
        return Err("only a manifest posts inputs, and only an undo deletes them");
    }
    // One medium of a kind is sent, and people would see several.
    let is_one_each = |media: &[Medium]| {
        let kinds: BTreeSet<_> = media.iter().map(|it| it.kind.word()).collect();
        kinds.len() == media.len()
    };
    let mut media = plan.inputs.iter().map(|it| &it.media[..]);
    if !media.all(|media| is_one_each(media) && media.iter().all(Medium::is_declarable)) {
        return Err("an input is made of what a manifest cannot say");
    }
    let written: HashSet<_> = plan.operations.iter().map(|it| &it.input_id).collect();
    if !plan.inputs.iter().all(|it| written.contains(&it.input_id)) {
        return Err("an input is posted, and nothing is written on it");
    }
    Ok(())
}

/// What is purged is purged once, shows what goes, and has nothing else done to it.
fn check_purges(plan: &Plan) -> Result<(), &'static str> {
    if !plan.purges.is_empty() && plan.policy != Policy::Sync {
        return Err("its policy does not delete, and it purges");
    }
    if !plan.purges.is_sorted_by(|a, b| a.input_id < b.input_id) {
        return Err("its purges are not one an input, in order");
    }
    for purge in &plan.purges {
        let ids: HashSet<_> = purge.annotations.iter().map(|gone| &gone.id).collect();
        if ids.is_empty() || ids.len() != purge.annotations.len() {
            return Err("a purge does not show what goes");
        }
    }
    let purged: HashSet<_> = plan.purges.iter().map(|purge| &purge.input_id).collect();
    let touched = |operation: &Operation| purged.contains(&operation.input_id);
    if plan.operations.iter().any(touched) {
        return Err("an input is purged, and something else is done to it");
    }
    Ok(())
}
