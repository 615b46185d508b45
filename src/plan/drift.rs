//! A plan against a base (the last applied manifest). Changes made in the app since then are drift, and are
//! kept unless the user decides otherwise.
//!
//! `three_way` decides about annotations, `merge` about fields, and `summary` counts.

use super::app_change::{AppChange, Decision};
use super::error::PlanError;
use super::field::{Picks, Side};
use super::links::{as_posted, free_id};
use super::plan::Base;
use super::region;
use super::stand_in::settled;
use super::summary::Summary;
use super::three_way::{MergedInput, ThreeWay};
use super::tripped_guard::{self, Allowances, TrippedGuard};
use crate::model::{
    Content, DesiredInput, DesiredState, Difference, Geometry, Identity, InputId, Json, Maker,
    ObservedAnnotation, ObservedExtras, ObservedState, Origin, Undeclared, difference, merge_json,
};
use crate::wire::encode;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// What the plan does about changes in the app that do not conflict with the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// Keep and show them.
    #[default]
    Keep,
    /// Revert them; such writes are shown separately.
    Apply,
    /// Keep them; any of them stops the plan.
    Fail,
}

/// What the plan does about fields that both sides changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Write nothing until the user decides.
    #[default]
    Leave,
    /// Write the manifest's value.
    Manifest,
    /// Keep the app's value.
    App,
}

/// The declared inputs that a plan against a base must cover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Coverage {
    /// All. One that was not listed is an error.
    #[default]
    Declared,
    /// Those that were listed, which are the ones that changed since the base.
    Changed,
}

/// The base that a plan is made against.
#[derive(Debug, Clone)]
pub struct PlanBase<'a> {
    /// The base's declarations.
    pub desired: &'a DesiredState,
    /// The base's revision.
    pub base: Base,
    pub on_drift: OnDrift,
    pub on_conflict: OnConflict,
    pub coverage: Coverage,
}

impl<'a> PlanBase<'a> {
    pub(super) fn three_way(
        &self,
        desired: &DesiredState,
        observed: &ObservedState,
    ) -> ThreeWay<'a> {
        let picks = Picks {
            drift: match self.on_drift {
                OnDrift::Apply => Side::Manifest,
                OnDrift::Keep | OnDrift::Fail => Side::App,
            },
            conflict: match self.on_conflict {
                OnConflict::Manifest => Side::Manifest,
                OnConflict::Leave | OnConflict::App => Side::App,
            },
        };
        let decision = decision(self.on_conflict);
        ThreeWay::new(self.desired, desired, observed, picks, decision)
    }

    /// The drift guard: trips on any change in the app with `OnDrift::Fail`, and on reverted changes if a flag asked to
    /// revert them.
    pub(super) fn trip(&self, summary: &Summary, allowances: &Allowances) -> Option<TrippedGuard> {
        let count = summary.drift.filter(|count| *count > 0)?;
        let reverted = summary.reverted;
        let is_guarded = match self.on_drift {
            OnDrift::Fail => true,
            OnDrift::Apply => reverted > 0 && allowances.drift == tripped_guard::Drift::Revert,
            OnDrift::Keep => false,
        };
        is_guarded.then_some(TrippedGuard::Drift { count, reverted })
    }
}

fn decision(on_conflict: OnConflict) -> Decision {
    match on_conflict {
        OnConflict::Leave => Decision::Undecided,
        OnConflict::Manifest | OnConflict::App => Decision::Kept,
    }
}

/// Sorts changes as a plan lists them.
pub(super) fn sort(changes: &mut [AppChange]) {
    // The sort is stable: within one input and kind the order stays.
    changes.sort_by(|a, b| (&a.input_id, a.kind).cmp(&(&b.input_id, b.kind)));
}

/// The state of the app if just the manifest's changes since the base were applied to it, and the changes made in the
/// app. Undecided conflicts get the manifest's values. A manifest of this state holds the changes of both sides.
///
/// # Errors
///
/// A region that the manifest names by its model does not exist.
pub fn merged_state(
    base: &DesiredState,
    desired: &DesiredState,
    observed: &ObservedState,
    on_conflict: OnConflict,
) -> Result<(ObservedState, Vec<AppChange>), PlanError> {
    let observed = &*settled(desired, observed);
    let picks = Picks {
        drift: Side::App,
        conflict: match on_conflict {
            OnConflict::Leave | OnConflict::Manifest => Side::Manifest,
            OnConflict::App => Side::App,
        },
    };
    let three = ThreeWay::new(base, desired, observed, picks, decision(on_conflict));
    let mut inputs: BTreeMap<&InputId, Option<&DesiredInput>> = (observed.inputs.keys())
        .chain(base.inputs.iter().map(|input| &input.id))
        .map(|id| (id, None))
        .collect();
    inputs.extend(desired.inputs.iter().map(|input| (&input.id, Some(input))));
    inputs.retain(|id, _| observed.scope.covers(id));
    let merged: Vec<_> = (inputs.into_par_iter())
        .map(|(id, declared)| {
            let here = observed.inputs.get(id).map_or(&[][..], Vec::as_slice);
            let (here, changes) = merged_input(&three, id, declared, here, observed)?;
            Ok((id.clone(), here, changes))
        })
        .collect::<Result<_, PlanError>>()?;
    let mut state = ObservedState {
        inputs: BTreeMap::new(),
        ..observed.clone()
    };
    let mut all = Vec::new();
    for (id, here, changes) in merged {
        state.inputs.insert(id, here);
        all.extend(changes);
    }
    state.sort();
    sort(&mut all);
    for change in all.iter_mut().filter(|change| change.conflict) {
        change.decision = match on_conflict {
            OnConflict::Leave => Decision::Undecided,
            OnConflict::Manifest => Decision::Reverted,
            OnConflict::App => Decision::Kept,
        };
    }
    Ok((state, all))
}

fn merged_input(
    three: &ThreeWay<'_>,
    id: &InputId,
    declared: Option<&DesiredInput>,
    observed: &[ObservedAnnotation],
    state: &ObservedState,
) -> Result<(Vec<ObservedAnnotation>, Vec<AppChange>), PlanError> {
    if declared.is_none() && !three.declares(id) {
        return Ok((observed.to_vec(), Vec::new()));
    }
    if declared.is_some_and(|input| input.undeclared == Undeclared::Purged) {
        let mut changes = Vec::new();
        let mut purge = super::purge::of(id, observed);
        let is_made =
            purge.annotations.is_empty() || three.decide_purge(&mut purge, observed, &mut changes);
        let stays = |it: &&ObservedAnnotation| !is_made || it.maker == Maker::Input;
        return Ok((observed.iter().filter(stays).cloned().collect(), changes));
    }
    let mut errors = Vec::new();
    let resolved = declared.map(|input| region::resolve(input, observed, &mut errors).into_owned());
    if let Some(error) = errors.pop() {
        return Err(error);
    }
    let input = resolved.unwrap_or_else(|| undeclared(id));
    let MergedInput {
        input,
        matching,
        dropped,
        changes,
        ..
    } = three.merge(&input, declared.is_some(), observed, |_| false);
    let dropped: HashSet<usize> = dropped.into_iter().collect();
    let mut here: Vec<Option<ObservedAnnotation>> = (observed.iter().enumerate())
        .map(|(at, it)| (!dropped.contains(&at)).then(|| it.clone()))
        .collect();
    for pair in &matching.pairs {
        let wanted = &input.annotations[pair.desired].content;
        here[pair.observed] = Some(written(&observed[pair.observed], wanted));
    }
    let mut taken: HashSet<_> = observed.iter().map(|it| it.id.clone()).collect();
    for at in matching.missing {
        let annotation = &input.annotations[at];
        if annotation.identity == Identity::InputLevel {
            continue;
        }
        let id = free_id(three.set(), id, annotation, |id| taken.contains(id));
        taken.insert(id.clone());
        here.push(Some(as_posted(id, &annotation.content, &state.app_owner)));
    }
    Ok((here.into_iter().flatten().collect(), changes))
}

/// An undeclared input, as an input that declares no annotations.
pub(super) fn undeclared(id: &InputId) -> DesiredInput {
    DesiredInput {
        id: id.clone(),
        annotations: Vec::new(),
        undeclared: Undeclared::Managed,
        origin: Origin::default(),
    }
}

/// An annotation with the declared fields written into it.
fn written(found: &ObservedAnnotation, wanted: &Content) -> ObservedAnnotation {
    let differs = difference(wanted, found);
    let mut made = found.clone();
    if differs == Difference::default() {
        return made;
    }
    if let Some(geometry) = wanted.geometry.as_ref().filter(|_| differs.geometry) {
        made.geometry = geometry.clone();
    }
    made.frame = wanted.frame.or(made.frame);
    if let Some(concepts) = &wanted.concepts {
        made.concepts = concepts.clone();
    }
    made.status = wanted.status.unwrap_or(made.status);
    made.user = wanted.user.clone().or_else(|| made.user.clone());
    if let Some(metadata) = &wanted.metadata {
        let whole = merge_json(&metadata.to_value(), found.metadata().as_ref());
        made.data = Some(encode::data_with_metadata(made.data.as_ref(), &whole).into());
    }
    if let Some(info) = &wanted.info {
        let had = found.info.as_ref().map(Json::to_value);
        made.info = Some(Json::from_value(&merge_json(
            &info.to_value(),
            had.as_ref(),
        )));
    }
    let mut all: ObservedExtras = made.extras.map(|it| *it).unwrap_or_default();
    let (own, extras) = (&mut all.managed, &wanted.extras);
    own.track = extras.track.clone().or(own.track.take());
    own.text = extras.text.clone().or(own.text.take());
    own.region_value = extras.region_value.or(own.region_value);
    own.embed_model_version =
        (extras.embed_model_version.clone()).or(own.embed_model_version.take());
    made.extras = all.boxed();
    if matches!(made.geometry, Geometry::Mask(_)) && differs.geometry {
        // `data` holds the previous mask.
        made.data = None;
    }
    made
}
