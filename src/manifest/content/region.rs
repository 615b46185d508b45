//! Regions that exist already: by their id, or by what a model found.

use super::shapes::bounding_box;
use crate::manifest::fields::{fields, filled, name};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::input::Image;
use crate::manifest::node::Node;
use crate::model::{ConceptId, Geometry, Interner, Nearest, RegionId, RegionOf};

const REGION_OF: [&str; 3] = ["from_model", "concept", "nearest"];
const NEAREST: [&str; 1] = ["box"];
const EXAMPLE: &str =
    "for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } }";

/// Reads `region`: an id, or a map that says which one is meant.
pub(in crate::manifest) fn region(
    node: &Node<'_>,
    image: Option<&Image>,
    interner: &mut Interner,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Geometry> {
    if !matches!(node, Node::Map(_)) {
        return name(node, "`region`", place, findings, |id| RegionId::new(id))
            .map(Geometry::Region);
    }
    let parts = fields(node, "`region`", &REGION_OF, place, findings)?;
    let from_model = parts
        .require("from_model", "a `region`", EXAMPLE, place, findings)
        .and_then(|node| {
            let at = place.name("from_model");
            filled(node, "`from_model`", EXAMPLE, &at, findings)
        });
    let concept = parts.get("concept").map(|node| {
        name(node, "`concept`", &place.name("concept"), findings, |id| {
            ConceptId::new(interner.intern(id))
        })
    });
    let nearest = parts
        .require("nearest", "a `region`", EXAMPLE, place, findings)
        .and_then(|node| nearest(node, image, &place.name("nearest"), findings));
    let concept = match concept {
        Some(read) => Some(read?),
        None => None,
    };
    Some(Geometry::RegionOf(Box::new(RegionOf {
        from_model: from_model?.into(),
        concept,
        nearest: nearest?,
    })))
}

fn nearest(
    node: &Node<'_>,
    image: Option<&Image>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Nearest> {
    let parts = fields(node, "`nearest`", &NEAREST, place, findings)?;
    let edges = parts.require("box", "`nearest`", EXAMPLE, place, findings)?;
    bounding_box(edges, image, &place.name("box"), findings).map(Nearest::Box)
}
