//! The plan that undoes another one: what is deleted is posted again, what is changed is written back, what is posted
//! goes.
//!
//! Bodies come from what the service stores, whole, never from what a manifest could say of it. An annotation that is not
//! as the plan saw it is left out: apply leaves it alone as well. Only what the service makes itself (times, tasks) and
//! what models made cannot come back; the plan's `blind_spots` say so.

use super::batch;
use super::body;
use super::fresh::{Freshness, freshness};
use super::guard;
use super::input::size;
use super::rights;
use super::summary::Summary;
use super::types::{Action, FORMAT_VERSION, Operation, Plan, Purpose, Reason};
use crate::model::{
    Content, Extras, Fingerprint, Geometry, Guards, InputId, Maker, ObservedAnnotation, Policy,
    Status, UserId, counted, fingerprint,
};
use std::collections::{BTreeMap, HashMap};

/// How many annotations are named of those that an undo does not restore.
const NAMED: usize = 10;

/// What is there before a plan is carried out.
#[derive(Debug, Clone)]
pub struct Before {
    /// The user whose token the calls carry.
    pub caller: UserId,
    /// The annotation of each of the plan's operations, in their order; nothing where there is none.
    pub operations: Vec<Option<ObservedAnnotation>>,
    /// Everything on the input of each of the plan's purges, in their order, but its input-level annotation.
    pub purges: Vec<Vec<ObservedAnnotation>>,
}

/// Whether an operation, or a purge, was carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fate {
    /// Nobody knows yet, or ever: its undo finds out.
    #[default]
    Open,
    /// It was; what the service stores since has this fingerprint, where that was seen.
    Done(Option<Fingerprint>),
    /// It was not: there is nothing to undo.
    Not,
}

/// What became of each operation and each purge of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fates {
    /// By operation.
    pub operations: Vec<Fate>,
    /// By purge.
    pub purges: Vec<Fate>,
    /// By input that is posted or waited for.
    pub inputs: Vec<Fate>,
}

impl Fates {
    /// Of a plan that is about to be carried out.
    pub fn open(plan: &Plan) -> Self {
        Self {
            operations: vec![Fate::Open; plan.operations.len()],
            purges: vec![Fate::Open; plan.purges.len()],
            inputs: vec![Fate::Open; plan.inputs.len()],
        }
    }
}

/// The plan that brings back what was there before `plan` was carried out, as far as it was.
///
/// A manifest's own limits are not part of a plan; its guards are the limits that a manifest has by itself, on deletes
/// and on changes. A post is never guarded, and no concept can vanish that was there before.
pub fn undo(plan: &Plan, before: &Before, fates: &Fates) -> Plan {
    let mut undo = Undo {
        caller: &before.caller,
        operations: Vec::new(),
        posted: posted(plan, fates),
        lost: Lost::default(),
    };
    for ((operation, stored), fate) in plan
        .operations
        .iter()
        .zip(&before.operations)
        .zip(&fates.operations)
    {
        undo.operation(operation, stored.as_ref(), *fate);
    }
    for ((purge, stored), fate) in plan.purges.iter().zip(&before.purges).zip(&fates.purges) {
        let seen: HashMap<_, _> = purge
            .annotations
            .iter()
            .map(|annotation| (&annotation.id, annotation.fingerprint))
            .collect();
        let is_as_seen =
            |stored: &ObservedAnnotation| seen.get(&stored.id) == Some(&fingerprint(stored));
        // A purge that would take anything else is not carried out.
        if *fate != Fate::Not && stored.iter().all(is_as_seen) {
            for annotation in stored {
                undo.restore(&purge.input_id, annotation);
            }
        }
    }
    undo.finish(plan)
}

/// The inputs that were posted, or may have been.
fn posted(plan: &Plan, fates: &Fates) -> Vec<InputId> {
    let with_fates = plan.inputs.iter().zip(&fates.inputs);
    with_fates
        .filter(|(input, fate)| input.is_posted() && **fate != Fate::Not)
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

/// Annotations that cannot come back, or not as they were: input and annotation.
#[derive(Default)]
struct Lost {
    by_models: Vec<String>,
    of_nobody: Vec<String>,
    half_replaced: Vec<String>,
    made_anew: u64,
}

impl Undo<'_> {
    fn operation(
        &mut self,
        operation: &Operation,
        stored: Option<&ObservedAnnotation>,
        fate: Fate,
    ) {
        let fingerprint = match fate {
            Fate::Not => return,
            // A stand-in that an earlier run left is nobody's work.
            _ if operation.reason == Reason::LeftBehind => return,
            Fate::Done(fingerprint) => fingerprint,
            Fate::Open => None,
        };
        match (freshness(operation, stored), stored) {
            (Freshness::AsPlanned, None) => self.push(Operation {
                fingerprint,
                before: Some(self.posted(operation)),
                ..undoing(operation, Action::Delete)
            }),
            (Freshness::AsPlanned, Some(stored)) => match operation.action {
                Action::Delete => self.restore(&operation.input_id, stored),
                Action::Replace => self.replace_back(operation, stored, fingerprint),
                Action::Post | Action::Merge | Action::Remove | Action::Overwrite => {
                    let made = made(operation, stored);
                    let body = body::put_back(&operation.input_id, stored, &made);
                    self.push(Operation {
                        fingerprint,
                        bytes: size(&body),
                        body: Some(body),
                        before: Some(made),
                        after: Some(stored.content()),
                        ..undoing(operation, Action::Overwrite)
                    });
                }
            },
            (Freshness::HalfReplaced, _) => {
                let name = name(&operation.input_id, operation.id.as_str());
                self.lost.half_replaced.push(name);
            }
            (Freshness::AsWanted | Freshness::Stale, _) => {}
        }
    }

    fn push(&mut self, operation: Operation) {
        self.operations.push(operation);
    }

    /// Posts an annotation again that goes.
    fn restore(&mut self, input: &InputId, stored: &ObservedAnnotation) {
        if let Some((body, after)) = self.post_of(input, stored) {
            self.push(Operation {
                action: Action::Post,
                input_id: input.clone(),
                id: stored.id.clone(),
                key: None,
                reason: Reason::Undone,
                cause: None,
                needs: None,
                double: None,
                seen: None,
                matched: None,
                before: None,
                after: Some(after),
                fingerprint: None,
                bytes: size(&body),
                body: Some(body),
            });
        }
    }

    /// Replaces what replaced an annotation.
    fn replace_back(
        &mut self,
        operation: &Operation,
        stored: &ObservedAnnotation,
        fingerprint: Option<Fingerprint>,
    ) {
        if let Some((body, after)) = self.post_of(&operation.input_id, stored) {
            self.push(Operation {
                fingerprint,
                before: Some(made(operation, stored)),
                after: Some(after),
                bytes: size(&body),
                body: Some(body),
                ..undoing(operation, Action::Replace)
            });
        }
    }

    /// The post that makes a stored annotation again, and what it makes; `None` if nobody can.
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
            // Whoever posts it owns it.
            self.lost.of_nobody.push(name);
            after.user = Some(self.caller.clone());
        }
        self.lost.made_anew += 1;
        Some((body::restored(input, stored), after))
    }

    /// What a post makes.
    fn posted(&self, operation: &Operation) -> Content {
        let after = operation.after.clone().unwrap_or_default();
        Content {
            geometry: after.geometry.filter(|it| *it != Geometry::Whole),
            status: after.status.or(Some(Status::SUCCESS)),
            user: after.user.or_else(|| Some(self.caller.clone())),
            ..after
        }
    }

    fn finish(mut self, plan: &Plan) -> Plan {
        self.operations
            .sort_by(|a, b| (&a.input_id, a.action).cmp(&(&b.input_id, b.action)));
        let mut summary = Summary {
            rate_limit: plan.summary.rate_limit,
            ..Summary::default()
        };
        rights::mark(&mut self.operations, &mut [], &plan.app_owner);
        summary.count_writes(&self.operations, &[], &plan.app_owner);
        summary.count_inputs(&[], &self.posted);
        // What is there once the plan is carried out.
        summary.existing = (plan.summary.existing + summary.delete).saturating_sub(summary.post);
        summary.changeable =
            (plan.summary.changeable + summary.delete).saturating_sub(summary.post);
        let mut batches = batch::pack(&self.operations, &[]);
        batch::pack_inputs(&mut batches, &[], &self.posted);
        summary.forecast(&batches);
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            purpose: Purpose::Undo,
            target: plan.target.clone(),
            set: plan.set.clone(),
            // An undo of any plan may have to delete.
            policy: Policy::Sync,
            app_owner: plan.app_owner.clone(),
            owners: plan.owners.clone(),
            adopts: plan.adopts.clone(),
            manifest_hash: plan.manifest_hash.clone(),
            base: None,
            guards: guard::too_many(
                &Guards::default(),
                &self.operations,
                &summary,
                guard::Scope::of(&summary),
            ),
            passed_guards: Vec::new(),
            summary,
            blind_spots: self.lost.in_words(),
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

/// An operation on the same annotation.
fn undoing(operation: &Operation, action: Action) -> Operation {
    Operation {
        action,
        input_id: operation.input_id.clone(),
        id: operation.id.clone(),
        key: operation.key.clone(),
        reason: Reason::Undone,
        cause: None,
        needs: None,
        double: None,
        seen: None,
        matched: None,
        before: None,
        after: None,
        fingerprint: None,
        bytes: 0,
        body: None,
    }
}

/// What a change makes of a stored annotation, all of it.
fn made(operation: &Operation, stored: &ObservedAnnotation) -> Content {
    let after = operation.after.clone().unwrap_or_default();
    if operation.reason == Reason::Undone {
        return after;
    }
    let was = stored.content();
    let is_segment = |place: Option<&Geometry>| matches!(place, Some(Geometry::Segment(_)));
    // A segment lies in no frame, and a frame holds none.
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
            .as_ref()
            .and_then(|extras| extras.region_value)
            .or(was
                .extras
                .as_ref()
                .and_then(|extras| extras.region_value)
                .filter(|_| keeps_region)),
        embed_model_version: after
            .embed_model_version()
            .or(was.embed_model_version())
            .map(Box::from),
    };
    Content {
        frame: after.frame.or(was.frame.filter(|_| !becomes_segment)),
        geometry: after
            .geometry
            .or(was.geometry.filter(|_| !leaves_segment))
            .filter(|place| *place != Geometry::Whole),
        concepts: after.concepts.or(was.concepts),
        status: after.status.or(was.status),
        user: after.user.or(was.user),
        metadata: after.metadata.or(was.metadata),
        info: after.info.or(was.info),
        extras: extras.boxed(),
    }
}

fn name(input: &InputId, id: &str) -> String {
    format!("{id} of input {input}")
}

impl Lost {
    fn in_words(&self) -> Vec<String> {
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
            "that a model made, which cannot be posted again",
        );
        say(
            &self.half_replaced,
            "whose replacement was half done before, so that what it was is not there any more",
        );
        say(
            &self.of_nobody,
            "without a user, which will be the caller's",
        );
        if self.made_anew > 0 {
            spots.push(format!(
                "what the service makes itself of {} that it posts again: when it was made, what reviewers agreed on (`consensus_info`), whether it is trusted",
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
