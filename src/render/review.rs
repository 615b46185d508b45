//! What the pictures of a review show: the changes of each input, over its picture and between its other labels.

use super::change::{ShownChange, Sign};
use super::diff::{self, DiffOptions};
use super::filter::Filter;
use super::naming::ShortIds;
use super::selection::{Selection, groups};
use super::{notation, place};
use crate::drawing::{Area, Backdrop, Figure, Outline, Role, Shape, crop_area};
use crate::model::{Content, InputId};
use crate::plan::{Diff, DiffChange, Plan};
use std::collections::BTreeMap;

/// What the changes are shown among, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub backdrops: BTreeMap<InputId, Backdrop>,
    /// The labels that do not change, on inputs with changes.
    pub unchanged: BTreeMap<InputId, Vec<Content>>,
    /// Sentences about pictures that are missing, and limits that were reached.
    pub notes: Vec<String>,
}

/// The changes of one input, the most destructive first.
#[derive(Debug, Clone)]
pub(super) struct ReviewedInput<'a> {
    pub(super) input_id: &'a InputId,
    pub(super) changes: Vec<ShownChange<'a>>,
}

/// The changes of a plan that pass the filter: purges, then the inputs with deletes, then the others.
pub(super) fn of_plan<'a>(plan: &'a Plan, filter: &Filter) -> Vec<ReviewedInput<'a>> {
    let selection = Selection::of(plan, filter);
    let ids = ShortIds::of_plan(plan);
    let purged = selection.purges.iter().map(|purge| ReviewedInput {
        input_id: &purge.input_id,
        changes: (purge.annotations.iter())
            .map(|annotation| ShownChange::of_purged(purge, annotation))
            .collect(),
    });
    let operations: Vec<_> = (selection.reverting.iter())
        .chain(&selection.ordinary)
        .copied()
        .collect();
    let changed = groups(&operations)
        .into_iter()
        .map(|(input_id, operations)| {
            let changes = operations
                .into_iter()
                .map(|operation| ShownChange::of_operation(operation, &ids))
                .collect();
            ReviewedInput { input_id, changes }
        });
    purged.chain(changed).collect()
}

/// As [`of_plan`], with the changes made in the app that are left alone, and the conflicts without a decision.
pub(super) fn of_plan_and_app<'a>(plan: &'a Plan, filter: &Filter) -> Vec<ReviewedInput<'a>> {
    let mut reviewed = of_plan(plan, filter);
    let selection = Selection::of(plan, filter);
    let ids = ShortIds::of_plan(plan);
    let mut by_input: BTreeMap<&InputId, Vec<ShownChange<'_>>> = BTreeMap::new();
    for &change in selection.undecided.iter().chain(&selection.kept) {
        let changes = by_input.entry(&change.input_id).or_default();
        changes.push(ShownChange::of_app_change(change, &ids));
    }
    for input in &mut reviewed {
        let changes = by_input.remove(input.input_id);
        input.changes.extend(changes.into_iter().flatten());
    }
    let others = by_input.into_iter();
    reviewed.extend(others.map(|(input_id, changes)| ReviewedInput { input_id, changes }));
    reviewed
}

/// These changes of a diff, by input.
pub(super) fn of_differences<'a>(changes: &[&'a DiffChange]) -> Vec<ReviewedInput<'a>> {
    let ids = ShortIds::of_differences(changes);
    changes
        .chunk_by(|a, b| a.input_id == b.input_id)
        .map(|changes| ReviewedInput {
            input_id: &changes[0].input_id,
            changes: changes
                .iter()
                .map(|change| ShownChange::of_difference(change, &ids))
                .collect(),
        })
        .collect()
}

/// An input whose picture, or text, a review shows.
#[derive(Debug, Clone)]
pub struct ShownInput {
    pub id: InputId,
    /// The areas of its picture that show small changes.
    pub areas: Vec<Area>,
    /// Whether its labels are places in a text, in time, or in frames.
    pub is_text_or_video: bool,
}

/// The inputs of the first `most` changes of a plan, for contact sheets, in the order in which they are shown; those of a page
/// without `most`.
pub fn shown_of_plan(plan: &Plan, filter: &Filter, most: Option<usize>) -> Vec<ShownInput> {
    match most {
        Some(most) => shown(&of_plan(plan, filter), most),
        None => shown(&of_plan_and_app(plan, filter), usize::MAX),
    }
}

/// As [`shown_of_plan`].
pub fn shown_of_diff(diff: &Diff, options: &DiffOptions, most: Option<usize>) -> Vec<ShownInput> {
    let reviewed = of_differences(&diff::chosen(diff, options));
    shown(&reviewed, most.unwrap_or(usize::MAX))
}

fn shown(reviewed: &[ReviewedInput<'_>], most: usize) -> Vec<ShownInput> {
    let mut left = most;
    let mut inputs = Vec::new();
    for input in reviewed {
        if left == 0 {
            break;
        }
        let shown = &input.changes[..input.changes.len().min(left)];
        left -= shown.len();
        let mut contents = input.changes.iter().flat_map(sides);
        inputs.push(ShownInput {
            id: input.input_id.clone(),
            areas: shown.iter().filter_map(enlarged).collect(),
            is_text_or_video: contents.any(|(content, _)| place::moment(content).is_some()),
        });
    }
    inputs
}

/// The part of the picture that shows a small change enlarged; `None` for other changes. [`Crop::area`] is the same.
///
/// [`Crop::area`]: crate::drawing::Crop::area
pub(super) fn enlarged(change: &ShownChange<'_>) -> Option<Area> {
    // Bounds of spans and segments are characters and seconds.
    let bounds = |content: Option<&Content>| {
        let geometry = content?.geometry.as_ref()?;
        Outline::of(geometry)?;
        geometry.bounds()
    };
    crop_area(bounds(change.before), bounds(change.after))
}

impl ReviewedInput<'_> {
    /// The labels that do not change, then those before and after each change.
    pub(super) fn figure(&self, surroundings: &Surroundings) -> Figure {
        let mut figure = self.unchanged(surroundings, |_| true);
        for change in &self.changes {
            figure.shapes.extend(change_shapes(change));
        }
        figure
    }

    /// The labels that do not change and are chosen, on a canvas of the picture's size.
    pub(super) fn unchanged(
        &self,
        surroundings: &Surroundings,
        is_chosen: impl Fn(&Content) -> bool,
    ) -> Figure {
        const UNKNOWN_SIZE: [u32; 2] = [4, 3];
        let backdrop = surroundings.backdrops.get(self.input_id);
        let unchanged = surroundings.unchanged.get(self.input_id);
        Figure {
            size: backdrop.and_then(|it| it.size).unwrap_or(UNKNOWN_SIZE),
            shapes: (unchanged.into_iter().flatten())
                .filter(|content| is_chosen(content))
                .filter_map(|content| shape(content, Role::Unchanged))
                .collect(),
        }
    }
}

/// The label of a change before and after, as far as it has a place in the picture.
pub(super) fn change_shapes(change: &ShownChange<'_>) -> Vec<Shape> {
    sides(change)
        .filter_map(|(content, role)| shape(content, role))
        .collect()
}

/// The contents of a change before and after, with the way in which each is drawn.
pub(super) fn sides<'a>(change: &ShownChange<'a>) -> impl Iterator<Item = (&'a Content, Role)> {
    let (before, after) = match change.sign {
        Sign::Add => (None, change.after.map(|it| (it, Role::Added))),
        Sign::Remove => (change.before.map(|it| (it, Role::Removed)), None),
        Sign::Change | Sign::Replace => (
            change.before.map(|it| (it, Role::Before)),
            change.after.map(|it| (it, Role::After)),
        ),
        // Nothing is written: it is drawn as it is in the app, or as it was deleted there.
        Sign::Keep => (
            change.before.map(|it| (it, Role::Removed)),
            change.after.map(|it| (it, Role::Unchanged)),
        ),
    };
    before.into_iter().chain(after)
}

/// A label in a drawing; `None` if it has no place in a picture.
pub(super) fn shape(content: &Content, role: Role) -> Option<Shape> {
    Some(Shape {
        outline: Outline::of(content.geometry.as_ref()?)?,
        role,
        label: content
            .concepts
            .as_ref()
            .map(notation::brief)
            .unwrap_or_default(),
    })
}
