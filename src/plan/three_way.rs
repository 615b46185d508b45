//! One input, three ways: which annotation of the base, of the manifest and of the app is which, and what is left to do.
//!
//! Annotations are paired between manifest and app, base and app, and manifest and base, so that a declaration that
//! changed since the base finds its annotation although that was changed in the app as well. Of an annotation that the
//! app has, `merge` decides field by field. Of the rest:
//!
//! | base | manifest | app | |
//! |---|---|---|---|
//! | declares it | declares it, the same | does not have it | deleted in the app: drift |
//! | declares it | declares it otherwise | does not have it | a conflict |
//! | declares it | does not | as the base says | intended: delete it |
//! | declares it | does not | changed | a conflict |
//! | does not | declares it | does not have it | intended: post it |
//! | does not | declares it by its id | has it | intended |
//! | does not | declares it otherwise | has it | a conflict in each field that differs |
//! | does not | does not | has it | added in the app: drift |
//!
//! Nothing that a model, the app itself or another label set made is drift, and neither is what an earlier run of
//! annosync left to be repaired. On an input that neither side declares, only what this set made counts.
//!
//! A purge is one write. It is intended where the base does not purge the input and everything that people made there
//! is as the base says; what is not is a conflict. Where the base purges the input too, everything there is drift.

use super::merge::{BaseView, Picks, Side, changed_fields, merge};
use super::region;
use super::types::{
    AppChange, AppChangeKind, Cause, Decision, FieldChange, Purge, PurgedAnnotation, Seen,
};
use crate::matching::{Claims, Matched, MatchedBy, Matching, Pair, match_input};
use crate::model::{
    AnnotationId, Content, DesiredAnnotation, DesiredInput, DesiredState, Geometry, Identity,
    InputId, Json, Key, Maker, ObservedAnnotation, ObservedExtras, ObservedState, Owner, SetName,
    Status, Undeclared, UserId, content_id, key_id,
};
use serde_json::json;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The base, ready to be compared.
pub(super) struct ThreeWay<'a> {
    base: &'a DesiredState,
    /// The base's scope, with the owners of both.
    base_claims: Claims,
    /// The manifest's.
    claims: Claims,
    /// The manifest's, where whatever is declared may be whatever was.
    any_claims: Claims,
    /// In whose name a post without `user` is taken to be.
    poster: UserId,
    picks: Picks,
    /// What becomes of the conflicts that `picks` leaves to the app.
    conflicts: Decision,
}

/// An input as it is to be planned.
pub(super) struct MergedInput {
    /// The manifest's, with the fields that the app keeps.
    pub(super) input: DesiredInput,
    /// The pairs; what is to be posted; and what is to be treated as without a base, deletes among it.
    pub(super) matching: Matching,
    /// The observed annotations that stay because the app changed or added them.
    pub(super) left: Vec<usize>,
    /// The observed annotations that the manifest dropped.
    pub(super) dropped: Vec<usize>,
    /// The causes of writes to observed annotations, where they are not intended.
    pub(super) causes: HashMap<AnnotationId, Cause>,
    /// Of each of `matching.missing`, the cause of its post and the index of the change that it reverts; `None` for one
    /// that is intended.
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
        let scope = |of: &DesiredState, owners: BTreeSet<Owner>| {
            let scope = DesiredState {
                set: of.set.clone(),
                policy: of.policy,
                owners,
                guards: of.guards,
                renamed: of.renamed.clone(),
                adopts: &base.adopts | &desired.adopts,
                inputs: Vec::new(),
            };
            Claims::new(&scope, observed)
        };
        Self {
            base,
            base_claims: scope(base, &base.owners | &desired.owners),
            claims: Claims::new(desired, observed),
            any_claims: scope(desired, BTreeSet::from([Owner::Any])),
            poster: observed.app_owner.clone(),
            picks,
            conflicts,
        }
    }

    fn base_input(&self, id: &InputId) -> Option<&'a DesiredInput> {
        let inputs = &self.base.inputs;
        let at = inputs.binary_search_by(|it| it.id.cmp(id)).ok()?;
        Some(&inputs[at])
    }

    /// The manifest's set.
    pub(super) fn set(&self) -> &SetName {
        &self.claims.set
    }

    /// Whether the base declares the input.
    pub(super) fn declares(&self, id: &InputId) -> bool {
        self.base_input(id).is_some()
    }

    /// Merges an input that the manifest declares, or one without annotations if it does not (`is_declared`).
    /// `is_repaired`: what an earlier run began and this one finishes.
    pub(super) fn merge(
        &self,
        input: &DesiredInput,
        is_declared: bool,
        observed: &[ObservedAnnotation],
        is_repaired: impl Fn(&AnnotationId) -> bool,
    ) -> MergedInput {
        let base = self.base_input(&input.id);
        // A region that the base names by its model and that is not there any more is not looked for.
        let base = base.map(|base| region::resolve(base, observed, &mut Vec::new()).into_owned());
        let was = base.as_ref().map_or(&[][..], |base| &base.annotations);
        let links = self.link(&input.id, was, &input.annotations, observed);
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
                && !self.claims.is_of_another_set(&it.id)
                && !is_repaired(&it.id)
                && (is_declared || base.is_some() || self.claims.is_owned(&it.id))
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
        let mut result = merge(view, &desired.content, found, &self.claims, self.picks);
        let waits = self.waits() && result.fields.iter().any(|field| field.conflict);
        if waits && result.cause.reverts() {
            // Nothing of an annotation is reverted while one of its fields waits for a decision.
            let picks = Picks {
                drift: Side::App,
                ..self.picks
            };
            result = merge(view, &desired.content, found, &self.claims, picks);
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
            // What is there and cannot be claimed was not deleted.
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

    /// The base declares it, and the manifest does not any more.
    fn dropped(
        &self,
        merged: &mut MergedInput,
        at: usize,
        before: &DesiredAnnotation,
        found: &ObservedAnnotation,
    ) {
        let mut fields = changed_fields(&before.content, found, &self.claims);
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

    /// Whether conflicts wait for a decision.
    fn waits(&self) -> bool {
        self.conflicts == Decision::Undecided
    }

    /// What is decided about a change that a write reverts, or does not.
    fn decision(&self, conflict: bool, reverts: bool) -> Decision {
        if reverts {
            Decision::Reverted
        } else if conflict && self.waits() {
            Decision::Undecided
        } else {
            Decision::Kept
        }
    }

    /// Says where a purge comes from and what of it the app changed; whether it is made.
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
        let pairs = match_input(&self.base_claims, &purge.input_id, was, observed).pairs;
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
                    let fields = changed_fields(&before.content, &observed[at], &self.claims);
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

    /// Which annotation is which on the three sides.
    fn link(
        &self,
        input: &InputId,
        was: &[DesiredAnnotation],
        declared: &[DesiredAnnotation],
        observed: &[ObservedAnnotation],
    ) -> Links {
        let mut links = Links {
            observed_of: vec![None; declared.len()],
            base_of: vec![None; declared.len()],
            observed_of_base: vec![None; was.len()],
            base_of_observed: vec![None; observed.len()],
            is_paired: vec![false; observed.len()],
            is_base_used: vec![false; was.len()],
            base_ids: Vec::new(),
            observed_ids: observed.iter().map(|it| it.id.clone()).collect(),
        };
        for pair in match_input(&self.base_claims, input, was, observed).pairs {
            links.observed_of_base[pair.desired] = Some((pair.observed, pair.matched));
            links.base_of_observed[pair.observed] = Some(pair.desired);
        }
        let as_was = self.as_observed(input, was, &links, observed);
        for pair in match_input(&self.any_claims, input, declared, &as_was).pairs {
            links.base_of[pair.desired] = Some(pair.observed);
        }
        links.base_ids = as_was.into_iter().map(|it| it.id).collect();

        // A name says more than what it was before.
        let direct = match_input(&self.claims, input, declared, observed);
        for pair in &direct.pairs {
            if matches!(
                pair.matched.by,
                MatchedBy::Id | MatchedBy::Key | MatchedBy::InputLevel
            ) {
                links.pair(pair.desired, pair.observed, pair.matched);
            }
        }
        for at in 0..declared.len() {
            let before = links.base_of[at].and_then(|base| links.observed_of_base[base]);
            if let (None, Some((found, matched))) = (links.observed_of[at], before)
                && !links.is_paired[found]
                && self.claims.is_claimable(&observed[found])
            {
                links.pair(at, found, matched);
            }
        }
        // What is new in the manifest first: a declaration whose annotation was deleted takes what nothing else wants.
        for is_new in [true, false] {
            self.pair_by_content(&mut links, input, (declared, observed), is_new);
        }

        // What the base declares of an annotation counts for whatever has that annotation now.
        for at in 0..declared.len() {
            let found = links.observed_of[at].and_then(|(found, _)| links.base_of_observed[found]);
            if found.is_some() && !links.base_of.contains(&found) {
                links.base_of[at] = found;
            }
        }
        for base in links.base_of.iter().flatten() {
            links.is_base_used[*base] = true;
        }
        links
    }

    /// Pairs what is still open by its content: declarations that the base does not have, or those that it has.
    fn pair_by_content(
        &self,
        links: &mut Links,
        input: &InputId,
        (declared, observed): (&[DesiredAnnotation], &[ObservedAnnotation]),
        is_new: bool,
    ) {
        let open: Vec<usize> = (0..declared.len())
            .filter(|&at| links.observed_of[at].is_none() && links.base_of[at].is_none() == is_new)
            .collect();
        let free: Vec<usize> = (0..observed.len())
            .filter(|&at| !links.is_paired[at])
            .collect();
        if open.is_empty() || free.is_empty() {
            return;
        }
        let declared: Vec<_> = open.iter().map(|at| declared[*at].clone()).collect();
        let observed: Vec<_> = free.iter().map(|at| observed[*at].clone()).collect();
        for pair in match_input(&self.claims, input, &declared, &observed).pairs {
            links.pair(open[pair.desired], free[pair.observed], pair.matched);
        }
    }

    /// What the base declares, as the app had it: matching pairs declared annotations with observed ones.
    fn as_observed(
        &self,
        input: &InputId,
        was: &[DesiredAnnotation],
        links: &Links,
        observed: &[ObservedAnnotation],
    ) -> Vec<ObservedAnnotation> {
        let mut taken: HashSet<AnnotationId> = observed.iter().map(|it| it.id.clone()).collect();
        (was.iter().enumerate())
            .map(|(at, annotation)| {
                let found = links.observed_of_base[at].map(|(found, _)| &observed[found]);
                let id = found.map_or_else(
                    || free_id(&self.claims.set, input, annotation, |id| taken.contains(id)),
                    |found| found.id.clone(),
                );
                taken.insert(id.clone());
                let mut made = as_posted(id, &annotation.content, &self.poster);
                // What the base does not say of it, only the app knows.
                let content = &annotation.content;
                if let Some(found) = found {
                    if content.geometry.is_none() {
                        made.geometry = found.geometry.clone();
                    }
                    made.frame = content.frame.or(found.frame);
                    if content.concepts.is_none() {
                        made.concepts = found.concepts.clone();
                    }
                } else if content.geometry.is_none()
                    && matches!(annotation.identity, Identity::Id(_))
                {
                    made.geometry = Geometry::Unmodelled;
                }
                if annotation.identity == Identity::InputLevel {
                    made.maker = Maker::Input;
                }
                made
            })
            .collect()
    }
}

/// The id that a post of this has.
pub(super) fn free_id(
    set: &SetName,
    input: &InputId,
    annotation: &DesiredAnnotation,
    is_taken: impl Fn(&AnnotationId) -> bool,
) -> AnnotationId {
    let by_content = || {
        let mut ordinal = 0;
        loop {
            let id = content_id(set, input, &annotation.content, ordinal);
            if !is_taken(&id) {
                return id;
            }
            ordinal += 1;
        }
    };
    match &annotation.identity {
        Identity::Id(id) => id.clone(),
        Identity::Key(key) => key_id(set, input, key),
        Identity::InputLevel | Identity::Content => by_content(),
    }
}

/// A declared annotation as the app has it once it is posted.
pub(super) fn as_posted(
    id: AnnotationId,
    content: &Content,
    poster: &UserId,
) -> ObservedAnnotation {
    let metadata = content.metadata.as_ref();
    ObservedAnnotation {
        id,
        geometry: content.geometry.clone().unwrap_or(Geometry::Whole),
        frame: content.frame,
        concepts: content.concepts.clone().unwrap_or_default(),
        status: content.status.unwrap_or(Status::SUCCESS),
        user: Some(content.user.clone().unwrap_or_else(|| poster.clone())),
        maker: Maker::User,
        created_at: None,
        data: metadata.map(|it| Json::from_value(&json!({ "metadata": it.to_value() }))),
        info: content.info.clone(),
        extras: ObservedExtras {
            managed: content.extras.as_deref().cloned().unwrap_or_default(),
            ..ObservedExtras::default()
        }
        .boxed(),
    }
}

/// The pairs of three sides, by index.
struct Links {
    observed_of: Vec<Option<(usize, Matched)>>,
    base_of: Vec<Option<usize>>,
    observed_of_base: Vec<Option<(usize, Matched)>>,
    base_of_observed: Vec<Option<usize>>,
    is_paired: Vec<bool>,
    is_base_used: Vec<bool>,
    /// The ids of what the base declares.
    base_ids: Vec<AnnotationId>,
    observed_ids: HashSet<AnnotationId>,
}

impl Links {
    fn pair(&mut self, declared: usize, observed: usize, matched: Matched) {
        self.observed_of[declared] = Some((observed, matched));
        self.is_paired[observed] = true;
    }
}

fn key_of(annotation: &DesiredAnnotation) -> Option<Key> {
    match &annotation.identity {
        Identity::Key(key) => Some(key.clone()),
        Identity::Id(_) | Identity::InputLevel | Identity::Content => None,
    }
}

/// Whether two declarations say the same.
fn is_same(now: &Content, was: &Content) -> bool {
    let geometry = match (&now.geometry, &was.geometry) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    let concepts = match (&now.concepts, &was.concepts) {
        (Some(now), Some(was)) => now.same(was),
        (now, was) => now.is_none() && was.is_none(),
    };
    geometry
        && concepts
        && now.frame == was.frame
        && now.status == was.status
        && now.user == was.user
        && now.metadata == was.metadata
        && now.info == was.info
        && now.extras == was.extras
}
