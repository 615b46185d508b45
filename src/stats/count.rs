//! Counts annotations, one input at a time.

use super::document::{ConceptStats, Count, FORMAT_VERSION, LabelCount, Pair, Stats};
use super::spread::Spread;
use crate::model::{ConceptId, Concepts, Content, Geometry};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many pairs of concepts are listed.
const PAIRS: usize = 20;
/// Pairs of an input with more concepts than this are not counted: there are too many.
const MAX_CONCEPTS: usize = 200;
/// The upper ends of the ranges of annotations of an input.
const RANGES: [u64; 11] = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/// An annotation to be counted.
#[derive(Debug, Clone, Copy)]
pub struct Labelled<'a> {
    /// The kind of its geometry.
    pub kind: &'static str,
    pub content: &'a Content,
}

/// The counts so far.
#[derive(Debug, Default)]
pub struct Counter {
    concepts: BTreeMap<ConceptId, Usage>,
    kinds: BTreeMap<String, u64>,
    users: BTreeMap<String, u64>,
    statuses: BTreeMap<String, u64>,
    labels: Vec<f64>,
    pairs: HashMap<[u32; 2], u64>,
    names: Vec<ConceptId>,
    inputs_without_pairs: u64,
}

#[derive(Debug, Default)]
struct Usage {
    number: u32,
    annotations: u64,
    inputs: u64,
    present: u64,
    absent: u64,
    between: u64,
    areas: Vec<f64>,
    pixels: Vec<f64>,
}

impl Counter {
    /// Adds an input. `size` is the width and height of its image in pixels, if known.
    pub fn add<'a>(
        &mut self,
        size: Option<[u32; 2]>,
        annotations: impl IntoIterator<Item = Labelled<'a>>,
    ) {
        let mut count = 0_u32;
        let (mut named, mut present) = (BTreeSet::new(), BTreeSet::new());
        for Labelled { kind, content } in annotations {
            count += 1;
            *self.kinds.entry(kind.to_owned()).or_default() += 1;
            if let Some(user) = &content.user {
                *self.users.entry(user.to_string()).or_default() += 1;
            }
            if let Some(status) = &content.status {
                *self.statuses.entry(status.to_string()).or_default() += 1;
            }
            let area = content.geometry.as_ref().and_then(area);
            for concept in content.concepts.iter().flat_map(Concepts::iter) {
                let usage = self.usage(&concept.id);
                usage.annotations += 1;
                let values = match concept.value {
                    value if value >= 1.0 => &mut usage.present,
                    value if value <= 0.0 => &mut usage.absent,
                    _ => &mut usage.between,
                };
                *values += 1;
                named.insert(usage.number);
                if concept.value <= 0.0 {
                    continue;
                }
                present.insert(usage.number);
                if let Some(area) = area {
                    usage.areas.push(area);
                    let pixels = size.map(|[width, height]| f64::from(width) * f64::from(height));
                    usage.pixels.extend(pixels.map(|pixels| pixels * area));
                }
            }
        }
        self.labels.push(f64::from(count));
        for number in named {
            let name = &self.names[number as usize];
            if let Some(usage) = self.concepts.get_mut(name) {
                usage.inputs += 1;
            }
        }
        if present.len() > MAX_CONCEPTS {
            self.inputs_without_pairs += 1;
            return;
        }
        let present: Vec<u32> = present.into_iter().collect();
        for (at, one) in present.iter().enumerate() {
            for other in &present[at + 1..] {
                *self.pairs.entry([*one, *other]).or_default() += 1;
            }
        }
    }

    fn usage(&mut self, concept: &ConceptId) -> &mut Usage {
        // Most concepts are known: they are not cloned.
        if !self.concepts.contains_key(concept) {
            let usage = Usage {
                number: u32::try_from(self.names.len()).unwrap_or(u32::MAX),
                ..Usage::default()
            };
            self.names.push(concept.clone());
            self.concepts.insert(concept.clone(), usage);
        }
        self.concepts
            .get_mut(concept)
            .expect("it is known or was just added")
    }

    /// The statistics of all inputs that were added.
    pub fn finish(self) -> Stats {
        let annotations = self.kinds.values().sum();
        let inputs = self.labels.len() as u64;
        let (pairs, more_pairs) = pairs(&self.pairs, &self.names);
        let mut concepts: Vec<ConceptStats> = self
            .concepts
            .into_iter()
            .map(|(concept, usage)| ConceptStats {
                concept: concept.into(),
                annotations: usage.annotations,
                inputs: usage.inputs,
                present: usage.present,
                absent: usage.absent,
                between: usage.between,
                area: Spread::of(usage.areas, 6),
                area_pixels: Spread::of(usage.pixels, 0),
            })
            .collect();
        // The sort is stable: equally frequent ones stay sorted by name.
        concepts.sort_by_key(|concept| Reverse(concept.annotations));
        Stats {
            format_version: FORMAT_VERSION.to_owned(),
            inputs,
            annotations,
            concepts,
            kinds: counts(self.kinds),
            users: counts(self.users),
            statuses: counts(self.statuses),
            inputs_by_labels: ranges(&self.labels),
            labels: Spread::of(self.labels, 1),
            pairs,
            more_pairs,
            inputs_without_pairs: self.inputs_without_pairs,
        }
    }
}

/// The area of the bounds, as a share of the image.
fn area(geometry: &Geometry) -> Option<f64> {
    if !matches!(
        geometry,
        Geometry::Box(_) | Geometry::Polygon(_) | Geometry::Mask(_)
    ) {
        return None;
    }
    let [top, left, bottom, right] = geometry.bounds()?.map(f64::from);
    Some((bottom - top) * (right - left))
}

fn counts(counts: BTreeMap<String, u64>) -> Vec<Count> {
    let mut counts: Vec<Count> = counts
        .into_iter()
        .map(|(name, annotations)| Count { name, annotations })
        .collect();
    counts.sort_by_key(|count| Reverse(count.annotations));
    counts
}

fn ranges(labels: &[f64]) -> Vec<LabelCount> {
    let mut from = 0;
    let mut ranges = Vec::new();
    for to in RANGES.map(Some).into_iter().chain([None]) {
        let is_within =
            |count: &&f64| **count >= from as f64 && to.is_none_or(|to| **count <= to as f64);
        let inputs = labels.iter().filter(is_within).count() as u64;
        if inputs > 0 {
            ranges.push(LabelCount { from, to, inputs });
        }
        from = to.map_or(from, |to| to + 1);
    }
    ranges
}

/// The most frequent pairs, and how many others there are.
fn pairs(all: &HashMap<[u32; 2], u64>, names: &[ConceptId]) -> (Vec<Pair>, u64) {
    let mut pairs: Vec<(u64, [&ConceptId; 2])> = all
        .iter()
        .map(|(pair, inputs)| {
            let mut concepts = pair.map(|number| &names[number as usize]);
            concepts.sort_unstable();
            (*inputs, concepts)
        })
        .collect();
    pairs.sort_by_key(|(inputs, concepts)| (Reverse(*inputs), *concepts));
    let more = pairs.len().saturating_sub(PAIRS) as u64;
    let listed = pairs.into_iter().take(PAIRS);
    let listed = listed.map(|(inputs, concepts)| Pair {
        concepts: concepts.map(ToString::to_string),
        inputs,
    });
    (listed.collect(), more)
}
