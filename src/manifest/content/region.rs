//! Regions that exist already: by id, or by what a model found.

use super::shapes::bounding_box;
use crate::manifest::at::At;
use crate::manifest::context::Image;
use crate::manifest::node::Node;
use crate::model::{ConceptId, Geometry, Interner, Nearest, RegionId, RegionOf};

const REGION_OF: [&str; 3] = ["from_model", "concept", "nearest"];
const NEAREST: [&str; 1] = ["box"];
const EXAMPLE: &str =
    "for example { from_model: MODEL_VERSION_ID, concept: person, nearest: { box: { … } } }";

/// Reads `region`: an id, or a map that describes a region of a model.
pub(in crate::manifest) fn region(
    at: At<'_, '_>,
    image: Option<&Image>,
    interner: &mut Interner,
) -> Option<Geometry> {
    if !matches!(at.node, Node::Map(_)) {
        return at
            .id("`region`", |id| RegionId::new(id))
            .map(Geometry::Region);
    }
    let fields = at.fields("`region`", &REGION_OF)?;
    let from_model = fields
        .require("from_model", "a `region`", EXAMPLE)
        .and_then(|at| at.nonempty_text("`from_model`", EXAMPLE));
    let concept = fields
        .get("concept")
        .map(|at| at.id("`concept`", |id| ConceptId::new(interner.intern(id))));
    let nearest = fields
        .require("nearest", "a `region`", EXAMPLE)
        .and_then(|at| nearest(at, image));
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

fn nearest(at: At<'_, '_>, image: Option<&Image>) -> Option<Nearest> {
    let fields = at.fields("`nearest`", &NEAREST)?;
    let edges = fields.require("box", "`nearest`", EXAMPLE)?;
    bounding_box(edges, image).map(Nearest::Box)
}
