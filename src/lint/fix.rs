//! The annotations of inputs after the fixes that lose nothing.

use super::finding::{Finding, Fix};
use super::frames::ordered;
use super::shapes::trimmed;
use crate::manifest::Manifest;
use crate::model::{Content, Geometry, InputId};
use std::collections::{BTreeMap, BTreeSet};

/// An input after its fixes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Its index among the manifest's inputs.
    pub input: usize,
    /// The annotations that stay, in their order: the index of each before the fixes, and its content after them.
    pub annotations: Vec<(usize, Content)>,
}

/// The inputs that these findings change, in the order of the manifest.
pub fn edits<'f>(
    manifest: &Manifest,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Vec<Edit> {
    let mut by_input: BTreeMap<&InputId, Vec<Fix>> = BTreeMap::new();
    for finding in findings {
        if let (Some(input), Some(fix)) = (&finding.input, finding.fix) {
            by_input.entry(input).or_default().push(fix);
        }
    }
    by_input
        .into_iter()
        .filter_map(|(id, fixes)| {
            let at = manifest.desired.position(id)?;
            let input = &manifest.desired.inputs[at];
            let places = if fixes.contains(&Fix::Order) {
                ordered(input)
            } else {
                (0..input.annotations.len()).collect()
            };
            let of = |wanted: fn(Fix) -> Option<usize>| -> BTreeSet<usize> {
                fixes.iter().copied().filter_map(wanted).collect()
            };
            let dropped = of(|fix| match fix {
                Fix::Drop(at) => Some(at),
                Fix::Trim(_) | Fix::Order => None,
            });
            let shortened = of(|fix| match fix {
                Fix::Trim(at) => Some(at),
                Fix::Drop(_) | Fix::Order => None,
            });
            let annotations = places
                .into_iter()
                .filter(|at| !dropped.contains(at))
                .map(|at| {
                    let mut content = input.annotations[at].content.clone();
                    if let (true, Some(Geometry::Polygon(polygon))) =
                        (shortened.contains(&at), &content.geometry)
                        && let Some(trimmed) = trimmed(polygon)
                    {
                        content.geometry = Some(Geometry::Polygon(trimmed));
                    }
                    (at, content)
                })
                .collect();
            Some(Edit {
                input: at,
                annotations,
            })
        })
        .collect()
}
