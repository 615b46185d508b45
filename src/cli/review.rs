//! The labels between which the changes of a plan are drawn.

use crate::model::{AnnotationId, Content, InputId, Maker, ObservedAnnotation, ObservedState};
use crate::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

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
