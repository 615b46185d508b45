//! Concepts of the whole manifest: unused, similar and rare ones, and shapes of an unusual size for their concept.

use super::finding::{Checked, Finding};
use crate::manifest::{Manifest, Spot};
use crate::model::{
    ConceptId, Concepts, DesiredInput, Geometry, Origin, Rule, counted, plural, thousands,
};
use std::collections::BTreeMap;

/// A concept with fewer annotations is rare…
const FEW: u64 = 10;
/// …in a manifest of at least this many.
const MANY: u64 = 500;
/// Sizes are compared if a concept has at least this many shapes.
const MIN_SHAPES: usize = 30;
/// A size is unusual if its logarithm is further from the median than this many standard deviations.
const DEVIATIONS: f64 = 6.0;
/// The median absolute deviation of a normal distribution is this part of its standard deviation.
const MAD_OF_NORMAL: f64 = 0.674_49;
/// The least standard deviation: shapes of nearly equal sizes are not held to less than a factor of 1.8 in area.
const LEAST_DEVIATION: f64 = 0.1;

/// The uses of a concept.
struct Usage {
    /// Annotations in which it is present.
    present: u64,
    first: Origin,
    /// The logarithms of areas, with the indices of input and annotation.
    sizes: Vec<(f64, usize, usize)>,
}

pub(super) fn check(manifest: &Manifest) -> Vec<Finding> {
    let inputs = &manifest.desired.inputs;
    let usages = usages(inputs);
    let total: u64 = inputs.iter().map(|it| it.annotations.len() as u64).sum();
    let mut findings = Vec::new();
    let vocabulary = manifest.vocabulary.as_deref().unwrap_or_default();
    for concept in vocabulary {
        // A manifest of an example or two has not used its vocabulary yet.
        if total >= FEW && !usages.contains_key(concept) {
            let message = format!("no annotation names the concept `{concept}`");
            let hint = "remove it from the vocabulary, or label it";
            let spot = Spot::Vocabulary(concept.clone());
            findings.push(about(concept, Rule::UnusedConcept, spot, message, hint));
        }
    }
    let spot = |concept: &ConceptId| match usages.get(concept) {
        Some(usage) if !vocabulary.contains(concept) => Spot::Concept(usage.first, concept.clone()),
        _ => Spot::Vocabulary(concept.clone()),
    };
    let present = |concept: &ConceptId| usages.get(concept).map_or(0, |usage| usage.present);
    check_similar(&mut findings, vocabulary, &usages, &spot, &present);
    for (concept, usage) in &usages {
        if total >= MANY && (1..FEW).contains(&usage.present) {
            let message = format!(
                "only {} of `{concept}` among {}",
                counted(usage.present, "annotation"),
                thousands(total)
            );
            let hint = "label more of it, or use a more general concept: these are too few samples to learn from";
            findings.push(about(
                concept,
                Rule::FewSamples,
                spot(concept),
                message,
                hint,
            ));
        }
    }
    for (concept, usage) in usages {
        check_sizes(&mut findings, inputs, concept, usage.sizes);
    }
    findings
}

fn about(
    concept: &ConceptId,
    rule: Rule,
    spot: Spot,
    message: String,
    hint: impl Into<String>,
) -> Finding {
    Finding {
        subject: format!("concept {concept}"),
        ..Finding::new(rule, spot, message, hint)
    }
}

/// By concept, so that the order is the same in every run.
fn usages(inputs: &[DesiredInput]) -> BTreeMap<&ConceptId, Usage> {
    let mut usages: BTreeMap<&ConceptId, Usage> = BTreeMap::new();
    for (input_at, input) in inputs.iter().enumerate() {
        for (at, annotation) in input.annotations.iter().enumerate() {
            let content = &annotation.content;
            for concept in content.concepts.iter().flat_map(Concepts::iter) {
                let usage = usages.entry(&concept.id).or_insert_with(|| Usage {
                    present: 0,
                    first: annotation.origin,
                    sizes: Vec::new(),
                });
                // Inputs are sorted by id, not by file.
                usage.first = usage.first.min(annotation.origin);
                if concept.value > 0.0 {
                    usage.present += 1;
                    let area = content.geometry.as_ref().and_then(area);
                    usage
                        .sizes
                        .extend(area.map(|area| (area.ln(), input_at, at)));
                }
            }
        }
    }
    usages
}

/// The area of the bounds, as a fraction of the image.
fn area(geometry: &Geometry) -> Option<f64> {
    let [top, left, bottom, right] = match geometry {
        Geometry::Box(edges) => edges.edges(),
        Geometry::Polygon(polygon) => polygon.bounds(),
        _ => return None,
    }
    .map(f64::from);
    Some((bottom - top) * (right - left))
}

fn check_similar(
    findings: &mut Vec<Finding>,
    vocabulary: &[ConceptId],
    usages: &BTreeMap<&ConceptId, Usage>,
    spot: &dyn Fn(&ConceptId) -> Spot,
    present: &dyn Fn(&ConceptId) -> u64,
) {
    let mut groups: BTreeMap<String, Vec<&ConceptId>> = BTreeMap::new();
    let unused = vocabulary.iter().filter(|it| !usages.contains_key(*it));
    for concept in usages.keys().copied().chain(unused) {
        let letters = concept.as_str().chars();
        let plain: String = letters
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'))
            .flat_map(char::to_lowercase)
            .collect();
        groups.entry(plain).or_default().push(concept);
    }
    for mut group in groups.into_values() {
        // The most frequent one is the one that is meant.
        group.sort_by_key(|concept| (std::cmp::Reverse(present(concept)), *concept));
        let Some((meant, others)) = group.split_first() else {
            continue;
        };
        for other in others {
            let uses = |concept| counted(present(concept), "annotation");
            let message = format!(
                "the concepts `{other}` ({}) and `{meant}` ({}) differ only by case, spaces, hyphens or underscores",
                uses(other),
                uses(meant)
            );
            let hint = format!(
                "use one of the two; `renamed: {{ {other}: {meant} }}` in the header patches the annotations in the app"
            );
            findings.push(about(
                other,
                Rule::SimilarConcepts,
                spot(other),
                message,
                hint,
            ));
        }
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

fn check_sizes(
    findings: &mut Vec<Finding>,
    inputs: &[DesiredInput],
    concept: &ConceptId,
    sizes: Vec<(f64, usize, usize)>,
) {
    if sizes.len() < MIN_SHAPES {
        return;
    }
    let mut sorted: Vec<f64> = sizes.iter().map(|(size, ..)| *size).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = median(&sorted);
    let mut distances: Vec<f64> = sorted.iter().map(|size| (size - middle).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let deviation = (median(&distances) / MAD_OF_NORMAL).max(LEAST_DEVIATION);
    for (size, input, at) in sizes {
        if (size - middle).abs() <= DEVIATIONS * deviation {
            continue;
        }
        let input = &inputs[input];
        let times = (size - middle).abs().exp();
        let message = format!(
            "a `{concept}` {} than the median of {} (area, {times:.0} {})",
            if size > middle {
                "far larger"
            } else {
                "far smaller"
            },
            thousands(sorted.len() as u64),
            plural(times.round() as u64, "time", "times")
        );
        let key = match input.annotations[at].content.geometry {
            Some(Geometry::Polygon(_)) => "polygon",
            _ => "box",
        };
        let mut checked = Checked {
            input,
            size: None,
            findings: Vec::new(),
        };
        let spot = Spot::Field(checked.origin(at), key);
        let hint = "check its concept and its edges";
        let finding = checked.report_on(Rule::SizeOutlier, &[at], spot, message, hint);
        finding.subject = format!("{} concept {concept}", finding.subject);
        findings.append(&mut checked.findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
    }
}
