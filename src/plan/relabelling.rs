//! Two relabellings of one annotation, by the manifest and by the app, that contradict each other.

use crate::model::{ConceptId, Concepts, float};
use std::collections::BTreeSet;

/// The concepts of two relabellings that contradict each other.
pub(super) struct Relabelling<'a> {
    pub(super) conflicts: BTreeSet<&'a ConceptId>,
}

impl<'a> Relabelling<'a> {
    pub(super) fn of(base: &'a Concepts, manifest: &'a Concepts, app: &'a Concepts) -> Self {
        let minus = |these: &'a Concepts, those: &Concepts| -> BTreeSet<&'a ConceptId> {
            let gone = these.iter().filter(|it| those.get(&it.id).is_none());
            gone.map(|it| &it.id).collect()
        };
        let (removed, added) = (minus(base, manifest), minus(manifest, base));
        let (removed_by_app, added_by_app) = (minus(base, app), minus(app, base));
        let mut conflicts = BTreeSet::new();
        if removed.is_empty() || added.is_empty() {
            return Self { conflicts };
        }
        let mut all: BTreeSet<&ConceptId> = &removed | &added;
        let only_by_app = &added_by_app - &added;
        let relabels_the_same = !removed.is_disjoint(&removed_by_app)
            && !added.is_subset(&added_by_app)
            && !only_by_app.is_empty();
        // The app changed the value of a concept that the manifest relabels.
        let changes_the_same = all.iter().any(|id| {
            let (was, wanted, has) = (base.get(id), manifest.get(id), app.get(id));
            !same_value(wanted, has) && !same_value(has, was)
        });
        if relabels_the_same {
            all.extend(&only_by_app);
        }
        if relabels_the_same || changes_the_same {
            conflicts = all;
        }
        Self { conflicts }
    }
}

pub(super) fn same_value(a: Option<f32>, b: Option<f32>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => float::same(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}
