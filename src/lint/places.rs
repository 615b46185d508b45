//! Annotations of one input at the same or nearly the same place.
//!
//! Annotations are compared within a layer: the same kind, frame and user, because several annotators may label an input
//! independently. Places and similar shapes are found in trees over bounds, and only representatives are kept in them: an
//! input with 50,000 boxes is no 50,000 squared comparisons, even if all lie at the same place.

use super::finding::{Checked, Finding, Fix, written};
use super::shapes::trimmed;
use crate::manifest::Spot;
use crate::model::{
    ConceptId, Concepts, Content, DesiredAnnotation, Frame, Geometry, Identity, Kind, Measure,
    Overlap, RegionId, Rule, UserId, float, overlap,
};
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// From this IoU on, two shapes count as one.
const NEAR: Overlap = Overlap::from_millionths(950_000);
/// Boxes with that IoU differ at each edge by at most 1/19 of their side.
const EDGE: f32 = 0.053;

/// Indices by bounds: top, left, bottom, right.
type Tree = RTree<GeomWithData<[f32; 4], usize>>;

#[derive(Debug, PartialEq, Eq, Hash)]
struct LayerKey<'a> {
    kind: Kind,
    frame: Option<Frame>,
    user: Option<&'a UserId>,
    region: Option<&'a RegionId>,
}

#[derive(Default)]
struct Layer<'a> {
    places: Vec<Place<'a>>,
    /// Of `places`.
    tree: Tree,
    /// Annotations that are pairwise not similar, by each of their concepts; by `None` if they have none.
    similar: HashMap<Option<&'a ConceptId>, Tree>,
}

/// Annotations with equal geometry.
struct Place<'a> {
    first: usize,
    /// By content, once there is a second annotation.
    contents: HashMap<String, usize>,
    /// By concept: the first annotations in which it is present and absent.
    values: HashMap<&'a ConceptId, [Option<usize>; 2]>,
}

pub(super) fn check(checked: &mut Checked<'_>) {
    let mut layers: HashMap<LayerKey<'_>, Layer<'_>> = HashMap::new();
    let input = checked.input;
    for (at, annotation) in input.annotations.iter().enumerate() {
        let Some(geometry) = placed(annotation) else {
            continue;
        };
        let key = LayerKey {
            kind: geometry.kind(),
            frame: annotation.content.frame,
            user: annotation.content.user.as_ref(),
            region: match geometry {
                Geometry::Region(id) => Some(id),
                _ => None,
            },
        };
        layers.entry(key).or_default().add(checked, at, geometry);
    }
}

/// The place of an annotation; `None` if it is not declared, or cannot be compared.
fn placed(annotation: &DesiredAnnotation) -> Option<&Geometry> {
    match (&annotation.content.geometry, &annotation.identity) {
        (Some(Geometry::RegionOf(_) | Geometry::Unmodelled), _) | (None, Identity::Id(_)) => None,
        // Without bounds it has only a URL.
        (Some(mask @ Geometry::Mask(_)), _) if mask.bounds().is_none() => None,
        _ => Some(annotation.geometry()),
    }
}

fn present(content: &Content) -> impl Iterator<Item = &ConceptId> {
    let concepts = content.concepts.iter().flat_map(Concepts::iter);
    concepts
        .filter(|concept| concept.value > 0.0)
        .map(|concept| &concept.id)
}

/// The items of a tree whose edges differ by at most `reach` vertically and horizontally.
fn near(tree: &Tree, bounds: [f32; 4], reach: [f32; 2]) -> impl Iterator<Item = usize> + '_ {
    let reach = [reach[0], reach[1], reach[0], reach[1]];
    let corner = |sign: f32| std::array::from_fn(|edge| bounds[edge] + sign * reach[edge]);
    let envelope = AABB::<[f32; 4]>::from_corners(corner(-1.0), corner(1.0));
    tree.locate_in_envelope(&envelope).map(|found| found.data)
}

impl<'a> Layer<'a> {
    fn add(&mut self, checked: &mut Checked<'a>, at: usize, geometry: &'a Geometry) {
        let input = checked.input;
        let annotation = &input.annotations[at];
        let geometry_of = |at: usize| input.annotations[at].geometry();
        let bounds = geometry.bounds().unwrap_or_default();
        let tolerance = 2.0 * float::TOLERANCE as f32 * bounds[2].max(1.0);
        let known = near(&self.tree, bounds, [tolerance; 2])
            .filter(|place| {
                let first = geometry_of(self.places[*place].first);
                matches!(geometry, Geometry::Region(_)) || first.same(geometry)
            })
            .min();
        let place = known.unwrap_or(self.places.len());
        if known.is_none() {
            self.tree.insert(GeomWithData::new(bounds, place));
            self.places.push(Place {
                first: at,
                contents: HashMap::new(),
                values: HashMap::new(),
            });
        } else if self.places[place].is_duplicate(checked, at) {
            return;
        }
        self.places[place].check_values(checked, at);
        if matches!(geometry, Geometry::Whole | Geometry::Region(_)) {
            return;
        }
        let is_near_duplicate = self.is_near_duplicate(checked, at, geometry, bounds);
        let first = &input.annotations[self.places[place].first];
        if known.is_some() && !is_near_duplicate {
            check_concepts(checked, at, self.places[place].first, [first, annotation]);
        }
    }

    /// Reports an annotation that is similar to an earlier one with a common concept.
    fn is_near_duplicate(
        &mut self,
        checked: &mut Checked<'a>,
        at: usize,
        geometry: &'a Geometry,
        bounds: [f32; 4],
    ) -> bool {
        let input = checked.input;
        let content = &input.annotations[at].content;
        let mut keys: Vec<Option<&ConceptId>> = present(content).map(Some).collect();
        if keys.is_empty() {
            keys.push(None);
        }
        let [top, left, bottom, right] = bounds;
        let slack = match geometry.kind() {
            Kind::Point => 0.0021,
            // The mean distance counts: one point may be further away.
            Kind::Keypoints => 0.035,
            _ => 1e-6,
        };
        let reach = [
            (bottom - top).mul_add(EDGE, slack),
            (right - left).mul_add(EDGE, slack),
        ];
        let found = keys.iter().find_map(|key| {
            let tree = self.similar.get(key)?;
            let similar = near(tree, bounds, reach).filter_map(|other| {
                let other_geometry = input.annotations[other].geometry();
                let overlap = if other_geometry.same(geometry) {
                    Overlap::WHOLE
                } else {
                    overlap(other_geometry, geometry)?
                };
                (overlap >= NEAR).then_some((other, overlap))
            });
            let (other, overlap) = similar.min_by_key(|(other, _)| *other)?;
            Some((*key, other, overlap))
        });
        let Some((concept, other, overlap)) = found else {
            for key in keys {
                let tree = self.similar.entry(key).or_default();
                tree.insert(GeomWithData::new(bounds, at));
            }
            return false;
        };
        let which = concept.map_or_else(String::new, |id| format!(" of `{id}`"));
        let how = match overlap {
            Overlap::WHOLE => "the same place".to_owned(),
            _ => Measure::of(geometry).describe(overlap),
        };
        let message = format!("a near-duplicate{which} ({how})");
        let spot = spot_of(checked, at, geometry);
        let hint = "remove one of the two, or say why both are right: `ignore: [{ rule: near-duplicate, reason: … }]`";
        checked.report_on(Rule::NearDuplicate, &[at, other], spot, message, hint);
        true
    }
}

impl<'a> Place<'a> {
    /// Reports an annotation with the same content as an earlier one of this place.
    fn is_duplicate(&mut self, checked: &mut Checked<'_>, at: usize) -> bool {
        let annotations = &checked.input.annotations;
        if self.contents.is_empty() {
            let content = &annotations[self.first].content;
            self.contents.insert(comparable(content), self.first);
        }
        let other = match self.contents.entry(comparable(&annotations[at].content)) {
            Entry::Vacant(entry) => {
                entry.insert(at);
                return false;
            }
            Entry::Occupied(mut entry) => {
                let first = *entry.get();
                // Of two copies the one with a key or id stays.
                let is_named = |at: usize| annotations[at].identity != Identity::Content;
                if is_named(at) && !is_named(first) {
                    entry.insert(at);
                }
                first
            }
        };
        let is_named = |at: usize| annotations[at].identity != Identity::Content;
        let (extra, kept) = if is_named(at) && !is_named(other) {
            (other, at)
        } else {
            (at, other)
        };
        let (fix, hint) = if is_named(extra) {
            (None, "remove one of the two, or make them differ")
        } else {
            (
                Some(Fix::Drop(extra)),
                "remove it, --fix does: the next plan then deletes its copy in the app",
            )
        };
        let spot = Spot::Declaration(checked.origin(extra));
        let message = "the same annotation as another of this input".to_owned();
        let finding: &mut Finding =
            checked.report_on(Rule::Duplicate, &[extra, kept], spot, message, hint);
        finding.fix = fix;
        true
    }

    /// Reports concepts that are absent here and present in an earlier annotation, or the other way round.
    fn check_values(&mut self, checked: &mut Checked<'a>, at: usize) {
        let input = checked.input;
        let concepts = &input.annotations[at].content.concepts;
        for concept in concepts.iter().flat_map(Concepts::iter) {
            let is_absent = usize::from(concept.value <= 0.0);
            let known = self.values.entry(&concept.id).or_default();
            let is_first = known[is_absent].is_none();
            known[is_absent].get_or_insert(at);
            // Each place and concept is reported once.
            let (true, Some(other)) = (is_first, known[1 - is_absent]) else {
                continue;
            };
            let here = if is_absent == 1 { "absent" } else { "present" };
            let there = if is_absent == 1 { "present" } else { "absent" };
            let message = format!(
                "`{}` is {here} here, and {there} in another annotation of the same place",
                concept.id
            );
            let spot = Spot::Concept(checked.origin(at), concept.id.clone());
            let hint = "correct one of the two";
            let finding =
                checked.report_on(Rule::ContradictingValues, &[at, other], spot, message, hint);
            finding.subject = format!("{} concept {}", finding.subject, concept.id);
        }
    }
}

/// Reports an annotation at the same place as another with other concepts.
fn check_concepts(
    checked: &mut Checked<'_>,
    at: usize,
    other: usize,
    annotations: [&DesiredAnnotation; 2],
) {
    let geometry = annotations[1].geometry();
    let [there, here] = annotations.map(|it| present(&it.content).collect::<BTreeSet<_>>());
    let is_shape = matches!(geometry, Geometry::Box(_) | Geometry::Polygon(_));
    if !is_shape || there.is_empty() || here.is_empty() || !there.is_disjoint(&here) {
        return;
    }
    let listed = |concepts: &BTreeSet<&ConceptId>| {
        let all: Vec<String> = concepts.iter().map(|id| format!("`{id}`")).collect();
        all.join(", ")
    };
    let message = format!("{} at the same place as {}", listed(&here), listed(&there));
    let spot = spot_of(checked, at, geometry);
    let hint = "keep the right one, or declare both concepts in one annotation";
    checked.report_on(Rule::SamePlace, &[at, other], spot, message, hint);
}

fn spot_of(checked: &Checked<'_>, at: usize, geometry: &Geometry) -> Spot {
    let origin = checked.origin(at);
    let key = match geometry.kind() {
        Kind::Box => "box",
        Kind::Polygon => "polygon",
        Kind::Point => "point",
        Kind::Keypoints => "keypoints",
        Kind::Mask => "mask",
        Kind::Span => "span",
        Kind::Segment => "segment",
        Kind::Whole | Kind::Region | Kind::Unmodelled => return Spot::Declaration(origin),
    };
    Spot::Field(origin, key)
}

/// The content as text, with polygons as `--fix` leaves them.
fn comparable(content: &Content) -> String {
    if let Some(Geometry::Polygon(polygon)) = &content.geometry
        && let Some(trimmed) = trimmed(polygon)
    {
        return written(&Content {
            geometry: Some(Geometry::Polygon(trimmed)),
            ..content.clone()
        });
    }
    written(content)
}
