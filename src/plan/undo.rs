//! Makes the plan that undoes another one: posts what was deleted, writes back what was changed, deletes what was
//! posted.
//!
//! Bodies are made from all that the service stores, not just from what a manifest can declare. Annotations that are
//! not as the plan saw them are left out, because apply leaves them alone. Fields that the service sets itself, and
//! annotations made by models, cannot be restored; the undo's `blind_spots` list them.

use super::batch::{self, size_of_body};
use super::fresh::{Freshness, freshness};
use super::guard;
use super::operation::{Action, Change, Operation, Restoration, UndoChange, Written};
use super::plan::{FORMAT_VERSION, Plan, Purpose};
use super::rights;
use super::summary::Summary;
use crate::model::{
    Content, Extras, Fingerprint, Geometry, Guards, InputId, Maker, ObservedAnnotation, Policy,
    RareFields, Status, UserId, counted, fingerprint,
};
use crate::wire::encode;
use std::collections::{BTreeMap, HashMap};

/// The number of annotations that are named of those that an undo does not restore.
const NAMED: usize = 10;

/// The annotations before a plan is applied.
#[derive(Debug, Clone)]
pub struct Before {
    /// The user of the token.
    pub caller: UserId,
    /// The annotation of each operation of the plan; `None` if it does not exist.
    pub operations: Vec<Option<ObservedAnnotation>>,
    /// The annotations of each purge of the plan, without the input-level annotation.
    pub purges: Vec<Vec<ObservedAnnotation>>,
}

/// Whether an operation, a purge or an input was applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApplyStatus {
    /// Not known (yet): the undo compares when it is applied.
    #[default]
    Unknown,
    /// Applied; with the fingerprint of what the service stores since, if known.
    Applied(Option<Fingerprint>),
    /// Nothing to undo.
    NotApplied,
}

/// The status of each operation, purge and input of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyStatuses {
    pub operations: Vec<ApplyStatus>,
    pub purges: Vec<ApplyStatus>,
    /// By input to post or to wait for.
    pub inputs: Vec<ApplyStatus>,
}

impl ApplyStatuses {
    /// The statuses before a plan is applied.
    pub fn unknown(plan: &Plan) -> Self {
        Self {
            operations: vec![ApplyStatus::Unknown; plan.operations.len()],
            purges: vec![ApplyStatus::Unknown; plan.purges.len()],
            inputs: vec![ApplyStatus::Unknown; plan.inputs.len()],
        }
    }
}

/// The plan that restores the app as it was before `plan` was applied.
///
/// A plan does not hold its manifest's limits: the undo's guards are the default limits on deletes and changes.
pub fn undo(plan: &Plan, before: &Before, statuses: &ApplyStatuses) -> Plan {
    let mut undo = Undo {
        caller: &before.caller,
        operations: Vec::new(),
        posted: posted(plan, statuses),
        lost: Lost::default(),
    };
    for ((operation, stored), status) in plan
        .operations
        .iter()
        .zip(&before.operations)
        .zip(&statuses.operations)
    {
        undo.operation(operation, stored.as_ref(), *status);
    }
    for ((purge, stored), status) in plan.purges.iter().zip(&before.purges).zip(&statuses.purges) {
        let seen: HashMap<_, _> = purge
            .annotations
            .iter()
            .map(|annotation| (&annotation.id, annotation.fingerprint))
            .collect();
        let is_as_seen =
            |stored: &ObservedAnnotation| seen.get(&stored.id) == Some(&fingerprint(stored));
        // A purge that would delete anything else is not made.
        if *status != ApplyStatus::NotApplied && stored.iter().all(is_as_seen) {
            for annotation in stored {
                undo.restore(&purge.input_id, annotation);
            }
        }
    }
    undo.finish(plan)
}

/// The inputs that were posted, or may have been.
fn posted(plan: &Plan, statuses: &ApplyStatuses) -> Vec<InputId> {
    let with_statuses = plan.inputs.iter().zip(&statuses.inputs);
    with_statuses
        .filter(|(input, status)| input.is_posted() && **status != ApplyStatus::NotApplied)
        .map(|(input, _)| input.input_id.clone())
        .collect()
}

struct Undo<'a> {
    caller: &'a UserId,
    operations: Vec<Operation>,
    /// The inputs that the plan posts.
    posted: Vec<InputId>,
    lost: Lost,
}

/// Annotations that cannot be restored, or not as they were.
#[derive(Default)]
struct Lost {
    by_models: Vec<String>,
    without_user: Vec<String>,
    half_replaced: Vec<String>,
    made_anew: u64,
}

impl Undo<'_> {
    fn operation(
        &mut self,
        operation: &Operation,
        stored: Option<&ObservedAnnotation>,
        status: ApplyStatus,
    ) {
        let fingerprint = match status {
            ApplyStatus::NotApplied => return,
            // A stand-in that an earlier run left behind is not a label of a user.
            _ if operation.is_clean_up() => return,
            ApplyStatus::Applied(fingerprint) => fingerprint,
            ApplyStatus::Unknown => None,
        };
        match (freshness(operation, stored), stored) {
            (Freshness::AsPlanned, None) => {
                let content = self.posted(operation);
                let written = Written {
                    content,
                    fingerprint,
                };
                self.push(operation, 0, UndoChange::Delete(Box::new(written)));
            }
            (Freshness::AsPlanned, Some(stored)) => match operation.action() {
                Action::Delete => self.restore(&operation.input_id, stored),
                Action::Replace => self.replace_back(operation, stored, fingerprint),
                Action::Post | Action::Merge | Action::Remove | Action::Overwrite => {
                    let content = made(operation, stored);
                    let body = encode::put_back(&operation.input_id, stored, &content);
                    let written = Written {
                        content,
                        fingerprint,
                    };
                    let bytes = size_of_body(&body);
                    let change = UndoChange::Overwrite(Box::new(Restoration {
                        written,
                        after: stored.content(),
                        body,
                    }));
                    self.push(operation, bytes, change);
                }
            },
            (Freshness::HalfReplaced, _) => {
                let name = name(&operation.input_id, operation.id.as_str());
                self.lost.half_replaced.push(name);
            }
            (Freshness::AsWanted | Freshness::Stale, _) => {}
        }
    }

    fn push(&mut self, undone: &Operation, bytes: u32, change: UndoChange) {
        let (input, id) = (undone.input_id.clone(), undone.id.clone());
        self.operations.push(Operation {
            key: undone.key.clone(),
            bytes,
            ..Operation::new(input, id, Change::Undo(change))
        });
    }

    /// Posts a deleted annotation again.
    fn restore(&mut self, input: &InputId, stored: &ObservedAnnotation) {
        if let Some((body, after)) = self.post_of(input, stored) {
            let bytes = size_of_body(&body);
            let change = Change::Undo(UndoChange::Post { after, body });
            self.operations.push(Operation {
                bytes,
                ..Operation::new(input.clone(), stored.id.clone(), change)
            });
        }
    }

    fn replace_back(
        &mut self,
        operation: &Operation,
        stored: &ObservedAnnotation,
        fingerprint: Option<Fingerprint>,
    ) {
        if let Some((body, after)) = self.post_of(&operation.input_id, stored) {
            let written = Written {
                content: made(operation, stored),
                fingerprint,
            };
            let bytes = size_of_body(&body);
            let change = UndoChange::Replace(Box::new(Restoration {
                written,
                after,
                body,
            }));
            self.push(operation, bytes, change);
        }
    }

    /// The post of a stored annotation, and its content; `None` if it cannot be posted.
    fn post_of(
        &mut self,
        input: &InputId,
        stored: &ObservedAnnotation,
    ) -> Option<(crate::model::Json, Content)> {
        let name = name(input, stored.id.as_str());
        if stored.maker != Maker::User {
            self.lost.by_models.push(name);
            return None;
        }
        let mut after = stored.content();
        if stored.user.is_none() {
            // The user who posts it owns it.
            self.lost.without_user.push(name);
            let caller = self.caller.clone();
            after.rare.change(|rare| rare.user = Some(caller));
        }
        self.lost.made_anew += 1;
        Some((encode::restored(input, stored), after))
    }

    /// The whole content of a posted annotation.
    fn posted(&self, operation: &Operation) -> Content {
        let mut after = operation.after().cloned().unwrap_or_default();
        after.geometry.take_if(|it| *it == Geometry::Whole);
        after.rare.change(|rare| {
            rare.status.get_or_insert(Status::SUCCESS);
            rare.user.get_or_insert_with(|| self.caller.clone());
        });
        after
    }

    fn finish(mut self, plan: &Plan) -> Plan {
        self.operations
            .sort_by(|a, b| (&a.input_id, a.action()).cmp(&(&b.input_id, b.action())));
        let mut summary = Summary {
            rate_limit: plan.summary.rate_limit,
            ..Summary::default()
        };
        rights::mark(&mut self.operations, &mut [], &plan.app_owner);
        summary.count_writes(&self.operations, &[], &plan.app_owner);
        summary.count_inputs(&[], &self.posted);
        // The numbers once the plan is applied.
        let (deleted, posted) = (summary.actions.delete, summary.actions.post);
        let left = |of: u64| of.saturating_add(deleted).saturating_sub(posted);
        (summary.existing, summary.changeable) =
            (left(plan.summary.existing), left(plan.summary.changeable));
        let mut batches = batch::pack(&self.operations, &[]);
        batch::pack_inputs(&mut batches, &[], &self.posted);
        summary.forecast(&batches);
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            purpose: Purpose::Undo,
            target: plan.target.clone(),
            set: plan.set.clone(),
            // The undo of any plan may delete.
            policy: Policy::Sync,
            app_owner: plan.app_owner.clone(),
            owners: plan.owners.clone(),
            adopts: plan.adopts.clone(),
            manifest_hash: plan.manifest_hash.clone(),
            base: None,
            shard: None,
            whole: None,
            guards: guard::too_many(
                &Guards::default(),
                &self.operations,
                &summary,
                guard::Scope::of(&summary),
            ),
            passed_guards: Vec::new(),
            summary,
            blind_spots: self.lost.descriptions(),
            inputs: Vec::new(),
            deleted_inputs: self.posted,
            operations: self.operations,
            masks: BTreeMap::new(),
            purges: Vec::new(),
            drift: Vec::new(),
            batches,
        }
    }
}

/// The whole content of a stored annotation after a change.
fn made(operation: &Operation, stored: &ObservedAnnotation) -> Content {
    let after = operation.after().cloned().unwrap_or_default();
    if operation.is_undo() {
        return after;
    }
    let was = stored.content();
    let is_segment = |place: Option<&Geometry>| matches!(place, Some(Geometry::Segment(_)));
    // An annotation has a segment or a frame, not both.
    let becomes_segment = is_segment(after.geometry.as_ref());
    let leaves_segment =
        after.geometry.is_none() && after.frame.is_some() && is_segment(was.geometry.as_ref());
    let keeps_region = match &after.geometry {
        None => true,
        Some(place) => !matches!(place, Geometry::Whole | Geometry::Segment(_)),
    };
    let extras = Extras {
        track: after
            .track()
            .or(was.track().filter(|_| keeps_region))
            .map(Box::from),
        text: after.text().or(was.text()).map(Box::from),
        region_value: after
            .extras
            .region_value
            .or(was.extras.region_value.filter(|_| keeps_region)),
        embed_model_version: after
            .embed_model_version()
            .or(was.embed_model_version())
            .map(Box::from),
    };
    let (rare, rare_was) = (RareFields::from(after.rare), RareFields::from(was.rare));
    Content {
        frame: after.frame.or(was.frame.filter(|_| !becomes_segment)),
        geometry: after
            .geometry
            .or(was.geometry.filter(|_| !leaves_segment))
            .filter(|place| *place != Geometry::Whole),
        concepts: after.concepts.or(was.concepts),
        rare: RareFields {
            status: rare.status.or(rare_was.status),
            user: rare.user.or(rare_was.user),
            metadata: rare.metadata.or(rare_was.metadata),
            info: rare.info.or(rare_was.info),
            extras,
        }
        .into(),
    }
}

fn name(input: &InputId, id: &str) -> String {
    format!("{id} of input {input}")
}

impl Lost {
    fn descriptions(&self) -> Vec<String> {
        let mut spots = Vec::new();
        let mut say = |names: &[String], what: &str| {
            if !names.is_empty() {
                spots.push(format!(
                    "{} {what}: {}",
                    annotations(names.len()),
                    list(names)
                ));
            }
        };
        say(
            &self.by_models,
            "made by models, which cannot be posted again",
        );
        say(
            &self.half_replaced,
            "whose replacement an earlier run began: the original is lost",
        );
        say(
            &self.without_user,
            "without a user, which will belong to the user who applies this",
        );
        if self.made_anew > 0 {
            spots.push(format!(
                "the creation time, `consensus_info` and `trusted` of {} that will be posted again: the service sets them",
                annotations(self.made_anew as usize)
            ));
        }
        spots
    }
}

fn annotations(count: usize) -> String {
    counted(count as u64, "annotation")
}

fn list(names: &[String]) -> String {
    let mut shown = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED {
        shown = format!("{shown}, and {} more", names.len() - NAMED);
    }
    shown
}
