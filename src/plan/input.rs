//! What one input contributes to a plan: its operations, its counts, and what cannot be done.

use super::body;
use super::change::{self, Write};
use super::drift;
use super::error::PlanError;
use super::region;
use super::stand_in;
use super::summary::HeldBack;
use super::three_way::{MergedInput, ThreeWay};
use super::types::{
    Action, AppChange, Cause, Decision, Double, Likeness, Operation, Purge, Reason, Seen,
};
use crate::matching::{Claims, Matched, Matching, Pair, doubles, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Difference, Geometry,
    Identity, InputId, Json, Key, Maker, ObservedAnnotation, ObservedState, Policy, Scope,
    Undeclared, UserId, content_id, difference, fingerprint, key_id, merge_json,
};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What one input contributes.
#[derive(Default)]
pub(super) struct Part {
    pub(super) operations: Vec<Operation>,
    pub(super) purge: Option<Purge>,
    pub(super) errors: Vec<PlanError>,
    pub(super) unchanged: u64,
    pub(super) unmanaged: u64,
    pub(super) other_sets: u64,
    pub(super) existing: u64,
    /// Declared annotations that are not in scope: they could be changed, and never deleted.
    pub(super) others: u64,
    pub(super) ambiguous: u64,
    pub(super) held_back: HeldBack,
    /// The users of what is unmanaged.
    left_users: BTreeMap<Option<UserId>, u64>,
    /// The same, on a declared input.
    pub(super) unmanaged_users: BTreeMap<Option<UserId>, u64>,
    /// What the app changed since the base.
    pub(super) drift: Vec<AppChange>,
}

impl Part {
    /// Adds what pairs of an input contribute.
    fn add_pairs(&mut self, pairs: Self) {
        self.operations.extend(pairs.operations);
        self.errors.extend(pairs.errors);
        self.unchanged += pairs.unchanged;
        self.existing += pairs.existing;
        self.others += pairs.others;
        self.ambiguous += pairs.ambiguous;
        self.held_back.updates += pairs.held_back.updates;
    }
}

/// So many pairs of an input are planned one after the other.
const AT_ONCE: usize = 8;

/// What every input is planned with.
pub(super) struct Planner<'a> {
    pub(super) desired: &'a DesiredState,
    pub(super) observed: &'a ObservedState,
    pub(super) claims: Claims,
    /// The base that the plan is made against.
    pub(super) three_way: Option<ThreeWay<'a>>,
}

impl Planner<'_> {
    /// Plans an input that the manifest declares.
    pub(super) fn declared(&self, input: &DesiredInput) -> Part {
        let mut part = Part::default();
        if let Scope::Inputs(listed) = &self.observed.scope
            && !listed.contains(&input.id)
        {
            part.errors.push(PlanError::NotListed {
                input: input.id.clone(),
                origin: input.origin,
            });
            return part;
        }
        let observed = self
            .observed
            .inputs
            .get(&input.id)
            .map_or(&[][..], Vec::as_slice);
        if input.undeclared == Undeclared::Purged {
            return self.purged(input, observed);
        }
        self.unreadable_declared(&mut part, input);
        let sorted = stand_in::sort_out(&self.claims.set, &input.id, &input.annotations, observed);
        let observed = &*sorted.annotations;
        let resolved = region::resolve(input, observed, &mut part.errors);
        let mut merged = self.three_way.as_ref().map(|three| {
            let is_repaired = |id: &AnnotationId| sorted.unfinished.contains_key(id);
            three.merge(&resolved, true, observed, is_repaired)
        });
        let plain;
        let (input, matching) = if let Some(merged) = &merged {
            (&merged.input, &merged.matching)
        } else {
            let input = resolved.as_ref();
            plain = match_input(&self.claims, &input.id, &input.annotations, observed);
            (input, &plain)
        };
        // Annotations may be large, and their number as well.
        let parts = matching.pairs.par_chunks(AT_ONCE).map(|pairs| {
            let mut part = Part::default();
            for pair in pairs {
                let (desired, found) = (&input.annotations[pair.desired], &observed[pair.observed]);
                match sorted.unfinished.get(&found.id) {
                    Some(&seen) => {
                        self.finish(&mut part, &input.id, Some((desired, *pair)), found, seen);
                    }
                    None => self.matched(&mut part, &input.id, desired, found, *pair),
                }
            }
            part
        });
        for matched in parts.collect::<Vec<Part>>() {
            part.add_pairs(matched);
        }
        self.posts(&mut part, input, observed, matching);
        for &at in &matching.unclaimed {
            let found = &observed[at];
            match sorted.unfinished.get(&found.id) {
                Some(&seen) => self.finish(&mut part, &input.id, None, found, seen),
                None => self.unclaimed(&mut part, &input.id, found, Reason::NotDeclared),
            }
        }
        let left = merged.iter().flat_map(|merged| &merged.left);
        for &at in left {
            self.keep(&mut part, &observed[at]);
        }
        self.clean_up(&mut part, &input.id, &sorted);
        if let Some(merged) = &mut merged {
            assign_causes(&mut part, merged);
        }
        self.hold_back_uncertain(&mut part, &resolved.id);
        settle_decisions(&mut part);
        part.unmanaged_users = std::mem::take(&mut part.left_users);
        part
    }

    /// An input that is not declared is not touched, except for what this set made on it.
    pub(super) fn undeclared(&self, input: &InputId, annotations: &[ObservedAnnotation]) -> Part {
        let mut part = Part::default();
        let sorted = stand_in::sort_out(&self.claims.set, input, &[], annotations);
        let observed = &*sorted.annotations;
        let is_touched = |three: &&ThreeWay<'_>| {
            three.declares(input) || observed.iter().any(|it| self.claims.is_owned(&it.id))
        };
        let mut merged = (self.three_way.as_ref().filter(is_touched)).map(|three| {
            let is_repaired = |id: &AnnotationId| sorted.unfinished.contains_key(id);
            three.merge(&drift::undeclared(input), false, observed, is_repaired)
        });
        let left: HashSet<usize> = merged
            .iter()
            .flat_map(|merged| merged.left.clone())
            .collect();
        for (at, annotation) in observed.iter().enumerate() {
            if let Some(&seen) = sorted.unfinished.get(&annotation.id) {
                self.finish(&mut part, input, None, annotation, seen);
            } else if left.contains(&at) {
                self.keep(&mut part, annotation);
            } else if self.claims.is_owned(&annotation.id) {
                self.unclaimed(&mut part, input, annotation, Reason::InputNotDeclared);
            } else {
                self.leave(&mut part, annotation);
            }
        }
        self.clean_up(&mut part, input, &sorted);
        if let Some(merged) = &mut merged {
            assign_causes(&mut part, merged);
        }
        self.hold_back_uncertain(&mut part, input);
        settle_decisions(&mut part);
        part
    }

    /// Leaves what the app changed or added as it is.
    fn keep(&self, part: &mut Part, annotation: &ObservedAnnotation) {
        if self.claims.is_in_scope(annotation) {
            part.existing += 1;
        } else {
            self.leave(part, annotation);
        }
    }

    fn unclaimed(
        &self,
        part: &mut Part,
        input: &InputId,
        annotation: &ObservedAnnotation,
        reason: Reason,
    ) {
        if !self.claims.is_in_scope(annotation) {
            self.leave(part, annotation);
            return;
        }
        part.existing += 1;
        if self.desired.policy != Policy::Sync {
            part.held_back.deletes += 1;
            return;
        }
        part.operations.push(Operation {
            action: Action::Delete,
            input_id: input.clone(),
            id: annotation.id.clone(),
            key: None,
            reason,
            cause: None,
            needs: None,
            double: None,
            seen: Some(Seen::of(annotation)),
            matched: None,
            before: Some(annotation.content()),
            after: None,
            fingerprint: Some(fingerprint(annotation)),
            bytes: 0,
            body: None,
        });
    }

    pub(super) fn leave(&self, part: &mut Part, annotation: &ObservedAnnotation) {
        if self.claims.is_of_another_set(&annotation.id) {
            part.other_sets += 1;
        } else if annotation.maker == Maker::User {
            part.unmanaged += 1;
            *part.left_users.entry(annotation.user.clone()).or_default() += 1;
        }
    }

    fn matched(
        &self,
        part: &mut Part,
        input: &InputId,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
        pair: Pair,
    ) {
        if let (Identity::Id(id), true) = (
            &desired.identity,
            self.claims.is_of_another_set(&observed.id),
        ) {
            let (input, id, origin) = (input.clone(), id.clone(), desired.origin);
            part.errors
                .push(PlanError::OfAnotherSet { input, id, origin });
            return;
        }
        if self.claims.is_in_scope(observed) {
            part.existing += 1;
        } else {
            part.others += 1;
        }
        part.ambiguous += u64::from(pair.matched.ambiguous);
        let difference = difference(&desired.content, observed);
        let Some(Write { action, body }) =
            change::write(input, observed, &desired.content, &difference)
        else {
            part.unchanged += 1;
            return;
        };
        if let Some(error) = Self::impossible(input, desired, observed, &difference, action) {
            part.errors.push(error);
            return;
        }
        if self.desired.policy == Policy::Create {
            part.held_back.updates += 1;
            return;
        }
        let (before, after) = sides(&desired.content, observed);
        part.operations.push(Operation {
            action,
            input_id: input.clone(),
            id: observed.id.clone(),
            key: key_of(desired),
            reason: Reason::Differs,
            cause: None,
            needs: None,
            double: None,
            seen: Some(Seen::of(observed)),
            matched: Some(pair.matched),
            before: Some(before),
            after: Some(after),
            fingerprint: Some(fingerprint(observed)),
            bytes: size(&body),
            body: None,
        });
    }

    /// Why this change of an existing annotation cannot be planned.
    pub(super) fn impossible(
        input: &InputId,
        desired: &DesiredAnnotation,
        observed: &ObservedAnnotation,
        difference: &Difference,
        action: Action,
    ) -> Option<PlanError> {
        let is_moved = difference.geometry || difference.frame;
        if is_moved
            && observed.geometry == Geometry::Unmodelled
            && body::has_several_places(observed)
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
            Maker::Input if action == Action::Replace => {
                Some(PlanError::InputLevel { input, id, origin })
            }
            Maker::Input | Maker::User => None,
        }
    }

    fn posts(
        &self,
        part: &mut Part,
        input: &DesiredInput,
        observed: &[ObservedAnnotation],
        matching: &Matching,
    ) {
        if matching.missing.is_empty() {
            return;
        }
        let mut taken: HashSet<AnnotationId> = observed
            .iter()
            .map(|annotation| annotation.id.clone())
            .collect();
        // An id that cannot be one is in nobody's way.
        let unreadable = self.observed.unreadable_on(&input.id).iter();
        taken.extend(unreadable.filter_map(|it| AnnotationId::new(&*it.id).ok()));
        // Names first: a made-up id gives way to one that the manifest names.
        let mut named: HashMap<usize, AnnotationId> = HashMap::new();
        for &at in &matching.missing {
            let desired = &input.annotations[at];
            let id = match &desired.identity {
                Identity::Id(id) => id.clone(),
                Identity::Key(key) => key_id(&self.claims.set, &input.id, key),
                Identity::InputLevel => {
                    part.errors.push(PlanError::NoInputLevel {
                        input: input.id.clone(),
                        origin: desired.origin,
                    });
                    continue;
                }
                Identity::Content => continue,
            };
            let (input, origin) = (input.id.clone(), desired.origin);
            if self.claims.is_of_another_set(&id) {
                part.errors
                    .push(PlanError::OfAnotherSet { input, id, origin });
            } else if taken.insert(id.clone()) {
                named.insert(at, id);
            } else if (self.observed.unreadable_on(&input).iter()).all(|it| *it.id != *id.as_str())
            {
                part.errors.push(PlanError::SameId { input, id, origin });
            }
        }
        // Where the search for a free ordinal goes on, by the id that ordinal 0 would have: of thousands of equal
        // annotations, each would otherwise try the ordinals of all before it.
        let mut ordinals: HashMap<AnnotationId, u32> = HashMap::new();
        let first = part.operations.len();
        let mut posted = Vec::with_capacity(matching.missing.len());
        for &at in &matching.missing {
            let desired = &input.annotations[at];
            if let Some(id) = named.remove(&at) {
                if post(part, &input.id, desired, id) {
                    posted.push(at);
                }
            } else if desired.identity == Identity::Content {
                let id_of =
                    |ordinal| content_id(&self.claims.set, &input.id, &desired.content, ordinal);
                let ordinal = ordinals.entry(id_of(0)).or_default();
                let mut id = id_of(*ordinal);
                while !taken.insert(id.clone()) {
                    *ordinal += 1;
                    id = id_of(*ordinal);
                }
                if post(part, &input.id, desired, id) {
                    posted.push(at);
                }
            }
        }
        let doubles = doubles(
            &self.claims,
            (&input.annotations, &posted),
            (observed, &matching.unclaimed),
        );
        for double in doubles {
            // Both are in declared order, and each post has one double at most.
            let at = posted.partition_point(|&posted| posted < double.desired);
            let there = &observed[double.observed];
            part.operations[first + at].double = Some(Box::new(Double {
                id: there.id.clone(),
                user: there.user.clone(),
                closeness: if double.is_equal {
                    Likeness::Equal
                } else {
                    Likeness::Near
                },
            }));
        }
    }
}

/// The error of an annotation that the app does not have and of which nothing is declared that could be posted.
fn nothing_to_post(
    input: &InputId,
    desired: &DesiredAnnotation,
    id: &AnnotationId,
) -> Option<PlanError> {
    let content = &desired.content;
    let key = match &desired.identity {
        Identity::Id(_) => None,
        Identity::Key(key) => Some(key.clone()),
        // What a manifest finds by its content has some: the manifest holds it to that.
        Identity::Content | Identity::InputLevel => return None,
    };
    let has_content = content.geometry.is_some()
        || content.concepts.as_ref().is_some_and(|it| !it.is_empty())
        || content.text().is_some()
        || content.metadata.is_some()
        || content.info.is_some();
    (!has_content).then(|| PlanError::NothingDeclared {
        input: input.clone(),
        key,
        id: id.clone(),
        origin: desired.origin,
    })
}

/// Says of each write where it comes from, and takes over what the app changed.
fn assign_causes(part: &mut Part, merged: &mut MergedInput) {
    let mut posts = merged.posts.iter();
    for operation in &mut part.operations {
        let cause = match operation.action {
            _ if operation.reason.is_repair() => None,
            Action::Post => posts.next().copied().flatten().map(|(cause, change)| {
                // Without a key its id is made of what the manifest declares now.
                merged.changes[change].id = operation.id.clone();
                cause
            }),
            _ => merged.causes.get(&operation.id).copied(),
        };
        operation.cause = Some(cause.unwrap_or(Cause::Intended));
    }
    part.drift.append(&mut merged.changes);
}

/// What nothing reverts is kept: policy, owners, rights and what cannot be read may hold a write back.
fn settle_decisions(part: &mut Part) {
    let reverting = (part.operations.iter()).filter(|it| it.cause.is_some_and(Cause::reverts));
    let reverted: HashSet<&AnnotationId> = reverting.map(|it| &it.id).collect();
    for change in &mut part.drift {
        if change.decision == Decision::Reverted && !reverted.contains(&change.id) {
            change.decision = Decision::Kept;
        }
    }
}

/// Posts an annotation, if there is anything to post. Says whether it does.
fn post(part: &mut Part, input: &InputId, desired: &DesiredAnnotation, id: AnnotationId) -> bool {
    if let Some(error) = nothing_to_post(input, desired, &id) {
        part.errors.push(error);
        return false;
    }
    part.operations.push(Operation {
        action: Action::Post,
        input_id: input.clone(),
        key: key_of(desired),
        reason: Reason::NotOnRemote,
        cause: None,
        needs: None,
        double: None,
        seen: None,
        matched: None::<Matched>,
        before: None,
        bytes: size(&body::post(input, &id, &desired.content)),
        body: None,
        after: Some(desired.content.clone()),
        fingerprint: None,
        id,
    });
    true
}

/// How many bytes a body takes in a call.
pub(super) fn size(body: &Json) -> u32 {
    u32::try_from(body.as_str().len()).unwrap_or(u32::MAX)
}

pub(super) fn key_of(desired: &DesiredAnnotation) -> Option<Key> {
    if let Identity::Key(key) = &desired.identity {
        Some(key.clone())
    } else {
        None
    }
}

/// Before and after of a change: the declared fields alone. Free JSON is shown whole, as it will be.
pub(super) fn sides(declared: &Content, observed: &ObservedAnnotation) -> (Content, Content) {
    let mut before = observed.content();
    let mut after = declared.clone();
    if let Some(Geometry::Region(_)) = &declared.geometry {
        before.geometry = observed.region().map(Geometry::Region).or(before.geometry);
    }
    let whole = |want: &Option<Json>, have: &Option<Json>| {
        let have = have.as_ref().map(Json::to_value);
        want.as_ref()
            .map(|want| Json::from_value(&merge_json(&want.to_value(), have.as_ref())))
    };
    after.metadata = whole(&declared.metadata, &before.metadata);
    after.info = whole(&declared.info, &before.info);
    before.frame = before.frame.filter(|_| declared.frame.is_some());
    before.geometry = before.geometry.filter(|_| declared.geometry.is_some());
    before.concepts = before.concepts.filter(|_| declared.concepts.is_some());
    before.status = before.status.filter(|_| declared.status.is_some());
    before.user = before.user.filter(|_| declared.user.is_some());
    before.metadata = before.metadata.filter(|_| declared.metadata.is_some());
    before.info = before.info.filter(|_| declared.info.is_some());
    before.extras = before.extras_named_by(declared);
    (before, after)
}
