//! The drawings of a plan, on contact sheets and in a page, and the labels between which its changes are drawn.

use super::exit::Failure;
use super::pictures::{self, Sources};
use super::sheets;
use crate::model::{AnnotationId, Content, InputId, Maker, ObservedAnnotation, ObservedState};
use crate::plan::Plan;
use crate::render::{self, Filter, SheetList, Surroundings};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A plan with what its changes are drawn between.
pub(crate) struct PlanReview<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) filter: Filter,
    pub(crate) pictures: &'a pictures::Args,
    pub(crate) sheets: &'a sheets::Args,
    pub(crate) sources: &'a Sources<'a>,
    pub(crate) unchanged: BTreeMap<InputId, Vec<Content>>,
}

impl PlanReview<'_> {
    /// Writes the contact sheets.
    pub(crate) async fn write_sheets(&self, folder: &Path) -> Result<SheetList, Failure> {
        let most = self.sheets.most_changes();
        let changed = render::changed_by_plan(self.plan, &self.filter, most);
        let flags = self.pictures.without_links();
        let unchanged = self.unchanged.clone();
        let around = pictures::surroundings(&flags, self.sources, &changed, unchanged).await;
        let sheets = render::plan_sheets(self.plan, &self.filter, &around, self.sheets.most());
        sheets::write(folder, sheets, self.sheets)
    }

    /// What a page shows around the changes.
    pub(crate) async fn surroundings(self) -> Surroundings {
        let changed = render::changed_by_plan(self.plan, &self.filter, usize::MAX);
        pictures::surroundings(self.pictures, self.sources, &changed, self.unchanged).await
    }
}

/// The observed annotations that no operation touches, on inputs with operations.
pub(crate) fn unchanged_by_plan(
    plan: &Plan,
    observed: &ObservedState,
) -> BTreeMap<InputId, Vec<Content>> {
    let mut touched: BTreeMap<&InputId, BTreeSet<&AnnotationId>> = BTreeMap::new();
    for operation in &plan.operations {
        let ids = touched.entry(&operation.input_id).or_default();
        ids.insert(&operation.id);
    }
    let purged: BTreeSet<&InputId> = plan.purges.iter().map(|purge| &purge.input_id).collect();
    touched
        .into_iter()
        .filter(|(input, _)| !purged.contains(input))
        .filter_map(|(input, ids)| {
            let all = observed.inputs.get(input)?.iter();
            let others = all.filter(|it| it.maker != Maker::Input && !ids.contains(&it.id));
            Some((
                input.clone(),
                others.map(ObservedAnnotation::content).collect(),
            ))
        })
        .collect()
}
