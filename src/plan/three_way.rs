//! The three-way merge of one input: which annotations are paired, posted, deleted or kept.
//!
//! `links` pairs the annotations of the three sides, and `merge` merges those that manifest and app share field by
//! field. The rest:
//!
//! | base | manifest | app | |
//! |---|---|---|---|
//! | declares it | declares it, the same | does not have it | deleted in the app: drift |
//! | declares it | declares it otherwise | does not have it | a conflict |
//! | declares it | does not | as in the base | intended: delete it |
//! | declares it | does not | changed | a conflict |
//! | does not | declares it | does not have it | intended: post it |
//! | does not | declares it by its id | has it | intended |
//! | does not | declares it otherwise | has it | a conflict in each field that differs |
//! | does not | does not | has it | added in the app: drift |
//!
//! Annotations made by a model, the app itself or another label set are never drift, and neither are those that an
//! earlier run left to be repaired. On an input that neither side declares, only annotations of this set count.
//!
//! A purge is one write. If the base does not purge the input, annotations of people that differ from the base are
//! conflicts, and without any the purge is intended. If the base purges the input too, every annotation there is
//! drift.

use super::app_change::{AppChange, AppChangeKind, Decision, FieldChange};
use super::field::{BaseView, Picks, Side};
use super::links::{Linker, Links, key_of};
use super::merge::{changed_fields, merge};
use super::operation::{Cause, Seen};
use super::purge::{Purge, PurgedAnnotation};
use super::region;
use crate::matching::{Matching, Pair, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Identity, InputId, Key,
    Maker, ObservedAnnotation, ObservedState, SetName, Undeclared,
};
use std::collections::HashMap;

/// Merges inputs with a base.
pub(super) struct ThreeWay<'a> {
    base: &'a DesiredState,
    linker: Linker,
    picks: Picks,
    /// What is recorded for conflicts in which `picks` keeps the app's value.
    conflicts: Decision,
}

/// The result of merging an input.
pub(super) struct MergedInput {
    /// The manifest's input, with the app's values in the fields that are kept.
    pub(super) input: DesiredInput,
    /// The pairs; the posts; and the observed annotations that are planned as without a base, including deletes.
    pub(super) matching: Matching,
    /// The observed annotations that are kept because they were changed or added in the app.
    pub(super) left: Vec<usize>,
    /// The observed annotations that the manifest does not declare any more.
    pub(super) dropped: Vec<usize>,
    /// The causes of writes to observed annotations, unless they are intended.
    pub(super) causes: HashMap<AnnotationId, Cause>,
    /// For each of `matching.missing`: the cause of its post and the index of the change that it reverts; `None` if
    /// it is intended.
    pub(super) posts: Vec<Option<(Cause, usize)>>,
    pub(super) changes: Vec<AppChange>,
}

impl<'a> ThreeWay<'a> {
    pub(super) fn new(
        base: &'a DesiredState,
        desired: &DesiredState,
        observed: &ObservedState,
        picks: Picks,
        conflicts: Decision,
    ) -> Self {
        Self {
            base,
            linker: Linker::new(base, desired, observed),
            picks,
            conflicts,
        }
    }

    fn base_input(&self, id: &InputId) -> Option<&'a DesiredInput> {
        self.base.input(id)
    }

    /// The manifest's set.
    pub(super) fn set(&self) -> &SetName {
        &self.linker.claims.set
    }

    pub(super) fn declares(&self, id: &InputId) -> bool {
        self.base_input(id).is_some()
    }

    /// Merges an input; it has no annotations if the manifest does not declare it (`is_declared`). `is_repaired`
    /// selects annotations whose replacement this run finishes.
    pub(super) fn merge(
        &self,
        input: &DesiredInput,
        is_declared: bool,
        observed: &[ObservedAnnotation],
        is_repaired: impl Fn(&AnnotationId) -> bool,
    ) -> MergedInput {
        let base = self.base_input(&input.id);
        // A region that the base declares by its model and that does not exist any more is not an error.
        let base = base.map(|base| region::resolve(base, observed, &mut Vec::new()).into_owned());
        let was = base.as_ref().map_or(&[][..], |base| &base.annotations);
        let links = self
            .linker
            .link(&input.id, was, &input.annotations, observed);
        let mut merged = MergedInput {
            input: input.clone(),
            matching: Matching::default(),
            left: Vec::new(),
            dropped: Vec::new(),
            causes: HashMap::new(),
            posts: Vec::new(),
            changes: Vec::new(),
        };
        for (at, desired) in input.annotations.iter().enumerate() {
            let before = links.base_of[at].map(|at| &was[at]);
            match links.observed_of[at] {
                Some((found, matched)) => {
                    let pair = Pair {
                        desired: at,
                        observed: found,
                        matched,
                    };
                    merged.matching.pairs.push(pair);
                    self.pair(&mut merged, at, before, &observed[found]);
                }
                None => self.missing(&mut merged, at, desired, before, &links),
            }
        }
        let counts = |it: &ObservedAnnotation| {
            it.maker == Maker::User
                && !self.linker.claims.is_of_another_set(&it.id)
                && !is_repaired(&it.id)
                && (is_declared || base.is_some() || self.linker.claims.is_owned(&it.id))
        };
        for (at, found) in observed.iter().enumerate() {
            if links.is_paired[at] {
                continue;
            }
            let before = links.base_of_observed[at].filter(|base| !links.is_base_used[*base]);
            if is_repaired(&found.id) {
                merged.matching.unclaimed.push(at);
            } else if let Some(before) = before {
                self.dropped(&mut merged, at, &was[before], found);
            } else if counts(found) {
                self.added(&mut merged, at, found);
            } else {
                merged.matching.unclaimed.push(at);
            }
        }
        merged
    }

    fn pair(
        &self,
        merged: &mut MergedInput,
        at: usize,
        before: Option<&DesiredAnnotation>,
        found: &ObservedAnnotation,
    ) {
        let desired = &mut merged.input.annotations[at];
        let view = match (before, &desired.identity) {
            (Some(before), _) => BaseView::Declared(&before.content),
            (None, Identity::Id(_) | Identity::InputLevel) => BaseView::NamedSince,
            (None, Identity::Key(_) | Identity::Content) => BaseView::AddedByBoth,
        };
        let mut result = merge(
            view,
            &desired.content,
            found,
            &self.linker.claims,
            self.picks,
        );
        let waits = self.waits() && result.fields.iter().any(|field| field.conflict);
        if waits && result.cause.reverts() {
            // While one field of an annotation is undecided, none of its fields is reverted.
            let picks = Picks {
                drift: Side::App,
                ..self.picks
            };
            result = merge(view, &desired.content, found, &self.linker.claims, picks);
        }
        desired.content = result.content;
        if result.cause.reverts() {
            merged.causes.insert(found.id.clone(), result.cause);
        }
        if result.fields.is_empty() {
            return;
        }
        let key = key_of(desired).or_else(|| before.and_then(key_of));
        let kind = match before {
            Some(_) => AppChangeKind::Changed,
            None => AppChangeKind::Added,
        };
        let reverts = result.cause.reverts();
        let change = self.change(kind, &merged.input.id, found, key, (result.fields, reverts));
        merged.changes.push(change);
    }

    fn missing(
        &self,
        merged: &mut MergedInput,
        at: usize,
        desired: &DesiredAnnotation,
        before: Option<&DesiredAnnotation>,
        links: &Links,
    ) {
        let deleted = before.filter(|_| {
            // An annotation that exists and cannot be claimed was not deleted.
            links.base_of[at].is_some_and(|base| {
                links.observed_of_base[base].is_none()
                    && !links.observed_ids.contains(&links.base_ids[base])
            })
        });
        let Some(before) = deleted else {
            merged.matching.missing.push(at);
            merged.posts.push(None);
            return;
        };
        let conflict = !is_same(&desired.content, &before.content);
        let (side, cause) = if conflict {
            (self.picks.conflict, Cause::Conflict)
        } else {
            (self.picks.drift, Cause::Drift)
        };
        if side == Side::Manifest {
            merged.matching.missing.push(at);
            merged.posts.push(Some((cause, merged.changes.len())));
        }
        let base = links.base_of[at].unwrap_or_default();
        merged.changes.push(AppChange {
            kind: AppChangeKind::Deleted,
            input_id: merged.input.id.clone(),
            id: links.base_ids[base].clone(),
            key: key_of(desired).or_else(|| key_of(before)),
            seen: None,
            content: before.content.clone(),
            fields: Vec::new(),
            conflict,
            decision: self.decision(conflict, side == Side::Manifest),
        });
    }

    /// An annotation that the base declares and the manifest does not.
    fn dropped(
        &self,
        merged: &mut MergedInput,
        at: usize,
        before: &DesiredAnnotation,
        found: &ObservedAnnotation,
    ) {
        let mut fields = changed_fields(&before.content, found, &self.linker.claims);
        let is_changed = !fields.is_empty();
        let is_deleted = !is_changed || self.picks.conflict == Side::Manifest;
        if is_deleted {
            merged.matching.unclaimed.push(at);
            merged.dropped.push(at);
        } else {
            merged.left.push(at);
        }
        if is_changed {
            merged.causes.insert(found.id.clone(), Cause::Conflict);
            for field in &mut fields {
                field.manifest = None;
                field.conflict = true;
            }
            let (key, input) = (key_of(before), &merged.input.id);
            let change = self.change(
                AppChangeKind::Changed,
                input,
                found,
                key,
                (fields, is_deleted),
            );
            merged.changes.push(change);
        }
    }

    fn added(&self, merged: &mut MergedInput, at: usize, found: &ObservedAnnotation) {
        merged.causes.insert(found.id.clone(), Cause::Drift);
        if self.picks.drift == Side::Manifest {
            merged.matching.unclaimed.push(at);
        } else {
            merged.left.push(at);
        }
        let kind = AppChangeKind::Added;
        let reverts = self.picks.drift == Side::Manifest;
        let change = self.change(kind, &merged.input.id, found, None, (Vec::new(), reverts));
        merged.changes.push(change);
    }

    fn change(
        &self,
        kind: AppChangeKind,
        input: &InputId,
        found: &ObservedAnnotation,
        key: Option<Key>,
        (fields, reverts): (Vec<FieldChange>, bool),
    ) -> AppChange {
        let conflict = fields.iter().any(|field| field.conflict);
        AppChange {
            kind,
            input_id: input.clone(),
            id: found.id.clone(),
            key,
            seen: Some(Seen::of(found)),
            content: found.content(),
            fields,
            conflict,
            decision: self.decision(conflict, reverts),
        }
    }

    fn waits(&self) -> bool {
        self.conflicts == Decision::Undecided
    }

    fn decision(&self, conflict: bool, reverts: bool) -> Decision {
        if reverts {
            Decision::Reverted
        } else if conflict && self.waits() {
            Decision::Undecided
        } else {
            Decision::Kept
        }
    }

    /// Sets the cause of a purge and lists the changes in the app that it would revert. Returns whether the purge is
    /// made.
    pub(super) fn decide_purge(
        &self,
        purge: &mut Purge,
        observed: &[ObservedAnnotation],
        changes: &mut Vec<AppChange>,
    ) -> bool {
        let base = self.base_input(&purge.input_id);
        let purged_before = base.is_some_and(|base| base.undeclared == Undeclared::Purged);
        let base = base.map(|base| region::resolve(base, observed, &mut Vec::new()).into_owned());
        let was = base.as_ref().map_or(&[][..], |base| &base.annotations);
        let pairs = match_input(&self.linker.base_claims, &purge.input_id, was, observed).pairs;
        let before: HashMap<&AnnotationId, (usize, usize)> = (pairs.iter())
            .map(|pair| (&observed[pair.observed].id, (pair.desired, pair.observed)))
            .collect();
        let mut found: Vec<AppChange> = Vec::new();
        let counts = |gone: &PurgedAnnotation| gone.model_version.is_none() || purged_before;
        for gone in purge.annotations.iter().filter(|gone| counts(gone)) {
            let (kind, key, fields) = match before.get(&gone.id) {
                None => (AppChangeKind::Added, None, Vec::new()),
                Some(&(before, at)) => {
                    let before = &was[before];
                    let fields =
                        changed_fields(&before.content, &observed[at], &self.linker.claims);
                    if fields.is_empty() {
                        continue;
                    }
                    (AppChangeKind::Changed, key_of(before), fields)
                }
            };
            found.push(AppChange {
                kind,
                input_id: purge.input_id.clone(),
                id: gone.id.clone(),
                key,
                seen: Some(Seen {
                    user: gone.user.clone(),
                    modified_at: gone.modified_at.clone(),
                }),
                content: gone.before.clone(),
                fields,
                conflict: !purged_before,
                decision: Decision::Kept,
            });
        }
        let (side, cause) = match () {
            () if found.is_empty() => (Side::Manifest, Cause::Intended),
            () if purged_before => (self.picks.drift, Cause::Drift),
            () => (self.picks.conflict, Cause::Conflict),
        };
        purge.cause = Some(cause);
        for change in &mut found {
            change.decision = self.decision(change.conflict, side == Side::Manifest);
        }
        changes.append(&mut found);
        side == Side::Manifest
    }
}

fn is_same(now: &Content, was: &Content) -> bool {
    let geometry = match (&now.geometry, &was.geometry) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    let concepts = match (&now.concepts, &was.concepts) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    geometry && concepts && now.frame == was.frame && now.rare == was.rare
}
