//! Resolves regions that a manifest names by the model that found them.

use super::error::PlanError;
use crate::model::{
    DesiredAnnotation, DesiredInput, Geometry, InputId, Maker, Nearest, ObservedAnnotation,
    Overlap, RegionId, RegionOf, overlap,
};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The smallest IoU at which a region matches the declared place.
const FITS: Overlap = Overlap::from_millionths(500_000);

/// The input with every such region named by its id. Reports an error for one that no region, or more than one,
/// matches.
pub(super) fn resolve<'a>(
    input: &'a DesiredInput,
    observed: &[ObservedAnnotation],
    errors: &mut Vec<PlanError>,
) -> Cow<'a, DesiredInput> {
    let names_one = |annotation: &DesiredAnnotation| {
        matches!(annotation.content.geometry, Some(Geometry::RegionOf(_)))
    };
    if !input.annotations.iter().any(names_one) {
        return Cow::Borrowed(input);
    }
    let mut resolved = input.clone();
    for annotation in &mut resolved.annotations {
        let Some(Geometry::RegionOf(wanted)) = &annotation.content.geometry else {
            continue;
        };
        match find(&input.id, annotation, wanted, observed) {
            Ok(region) => annotation.content.geometry = Some(Geometry::Region(region)),
            Err(error) => errors.push(error),
        }
    }
    // With an error there is no plan; the rest is planned for its errors.
    resolved
        .annotations
        .retain(|annotation| !names_one(annotation));
    Cow::Owned(resolved)
}

/// The region that an annotation names by the model that found it; `None` if it names none, or if not exactly one
/// region matches.
pub fn named_region(
    input: &InputId,
    declared: &DesiredAnnotation,
    observed: &[ObservedAnnotation],
) -> Option<RegionId> {
    let Some(Geometry::RegionOf(wanted)) = &declared.content.geometry else {
        return None;
    };
    find(input, declared, wanted, observed).ok()
}

fn find(
    input: &InputId,
    declared: &DesiredAnnotation,
    wanted: &RegionOf,
    observed: &[ObservedAnnotation],
) -> Result<RegionId, PlanError> {
    // A model may make several annotations of one region.
    let mut closest: BTreeMap<RegionId, Overlap> = BTreeMap::new();
    for found in observed {
        let is_of_model =
            found.maker == Maker::Model && found.model_version() == Some(&*wanted.from_model);
        let is_meant = wanted
            .concept
            .as_ref()
            .is_none_or(|concept| found.concepts.get(concept).is_some_and(|value| value > 0.0));
        if is_of_model
            && is_meant
            && found.frame == declared.content.frame
            && let (Some(region), Some(closeness)) =
                (found.region(), closeness(wanted.nearest, found))
        {
            let known = closest.entry(region).or_insert(closeness);
            *known = closeness.max(*known);
        }
    }
    let mut fitting: Vec<(&RegionId, Overlap)> = closest
        .iter()
        .map(|(region, closeness)| (region, *closeness))
        .filter(|(_, closeness)| *closeness >= FITS)
        .collect();
    let (input, model, origin) = (input.clone(), wanted.from_model.clone(), declared.origin);
    let concept = wanted
        .concept
        .as_ref()
        .map_or_else(String::new, |concept| format!(" with concept `{concept}`"));
    match &fitting[..] {
        [(region, _)] => Ok((*region).clone()),
        [] => Err(PlanError::NoRegion {
            input,
            model,
            concept,
            closest: match closest.values().max() {
                Some(closest) => format!("; the closest has IoU {closest}, and 0.50 is required"),
                None => "; none overlaps it".to_owned(),
            },
            origin,
        }),
        _ => {
            fitting.sort_by_key(|(region, closeness)| (Reverse(*closeness), (*region).clone()));
            Err(PlanError::SeveralRegions {
                input,
                model,
                concept,
                regions: fitting
                    .into_iter()
                    .map(|(region, closeness)| format!("`{region}` (IoU {closeness})"))
                    .collect(),
                origin,
            })
        }
    }
}

/// The IoU of the declared box and the bounding box of the region.
fn closeness(nearest: Nearest, found: &ObservedAnnotation) -> Option<Overlap> {
    let Nearest::Box(wanted) = nearest;
    let [top, left, bottom, right] = found.geometry.bounds()?.map(f64::from);
    let around = crate::model::BoundingBox::new(top, left, bottom, right).ok()?;
    overlap(&Geometry::Box(wanted), &Geometry::Box(around))
}
