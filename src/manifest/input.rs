//! One input with its annotations, read from its tree as far as it is good.
//!
//! What has an error is left out and the rest is kept, so that the checks over all files see everything: nothing of a
//! manifest with findings is ever used for anything else.

use super::fields::{Fields, fields, list, name, whole_number};
use super::finding::{Findings, Place, Pointer};
use super::node::Node;
use super::words::quote;
use super::{concepts, content};
use crate::model::{AnnotationId, ConceptId, Content, Identity, InputId, Interner, Key};
use std::collections::{HashMap, HashSet};

/// The keys of an input.
const INPUT: [&str; 3] = ["id", "image", "annotations"];
/// The keys of `image`.
const IMAGE: [&str; 3] = ["path", "width", "height"];
/// The keys of an annotation that say where it lies; at most one of them is given.
const GEOMETRY: [&str; 3] = ["box", "polygon", "region"];
/// The keys of an annotation.
const ANNOTATION: [&str; 11] = [
    "key", "id", "frame", "box", "polygon", "region", "concepts", "status", "user", "metadata",
    "info",
];

/// What a manifest says of an input's image. It is for people and reports; coordinates are fractions with or without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Where the image lies, as written.
    pub path: Option<Box<str>>,
    /// In pixels, at least 1.
    pub width: Option<u32>,
    /// In pixels, at least 1.
    pub height: Option<u32>,
}

/// An input as far as it could be read.
#[derive(Debug)]
pub(super) struct ParsedInput {
    pub(super) id: Option<InputId>,
    pub(super) image: Option<Image>,
    /// In the order of the file, one for each element of `annotations`.
    pub(super) annotations: Vec<(Identity, Content)>,
}

/// What is shared while the inputs of a file are read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) interner: Interner,
    /// Every concept that the file names.
    pub(super) concepts: HashSet<ConceptId>,
}

/// Reads an input.
pub(super) fn input(
    node: &Node<'_>,
    shared: &mut Shared,
    place: &Place<'_>,
    findings: &mut Findings,
) -> ParsedInput {
    let mut parsed = ParsedInput {
        id: None,
        image: None,
        annotations: Vec::new(),
    };
    let Some(parts) = fields(node, "an input", &INPUT, place, findings) else {
        return parsed;
    };
    parsed.id = parts
        .require(
            "id",
            "an input",
            "name the input: id: street-0001",
            place,
            findings,
        )
        .and_then(|node| {
            name(node, "`id`", &place.name("id"), findings, |id| {
                InputId::new(id)
            })
        });
    parsed.image = parts
        .get("image")
        .and_then(|node| image(node, &place.name("image"), findings));
    let noun = match &parsed.id {
        Some(id) => format!("input {}", quote(id.as_str())),
        None => "an input".to_owned(),
    };
    let hint = "write `annotations: []` if you mean none";
    let Some(elements) = parts
        .require("annotations", &noun, hint, place, findings)
        .and_then(|node| {
            let at = place.name("annotations");
            list(node, "`annotations`", "a list", &at, findings)
        })
    else {
        return parsed;
    };
    let at = place.name("annotations");
    let mut names = Names::default();
    parsed.annotations.reserve_exact(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = at.nth(index);
        let image = parsed.image.as_ref();
        let annotation = annotation(element, image, shared, &at, findings);
        names.check(&annotation.0, &at, findings);
        parsed.annotations.push(annotation);
    }
    parsed
}

fn image(node: &Node<'_>, place: &Place<'_>, findings: &mut Findings) -> Option<Image> {
    let parts = fields(node, "`image`", &IMAGE, place, findings)?;
    let mut size = |key: &'static str| {
        let at = place.name(key);
        parts
            .get(key)
            .and_then(|node| whole_number(node, &quote(key), 1, u64::from(u32::MAX), &at, findings))
            .and_then(|pixels| u32::try_from(pixels).ok())
    };
    let (width, height) = (size("width"), size("height"));
    let path = parts
        .get("path")
        .and_then(|node| content::path(node, &place.name("path"), findings));
    Some(Image {
        path,
        width,
        height,
    })
}

fn annotation(
    node: &Node<'_>,
    image: Option<&Image>,
    shared: &mut Shared,
    place: &Place<'_>,
    findings: &mut Findings,
) -> (Identity, Content) {
    let mut content = Content::default();
    let before = findings.0.len();
    let Some(parts) = fields(node, "an annotation", &ANNOTATION, place, findings) else {
        return (Identity::Content, content);
    };
    let identity = identity(&parts, place, findings);

    let given: Vec<&'static str> = GEOMETRY
        .into_iter()
        .filter(|key| parts.get(key).is_some())
        .collect();
    if let [first, others @ ..] = &given[..] {
        for other in others {
            findings
                .add(
                    place.name(other).key(),
                    format!("more than one geometry: `{first}` and `{other}`"),
                )
                .hint("an annotation lies in one place; make two annotations of it");
        }
    }
    if let Some(node) = parts.get("box") {
        content.geometry = content::bounding_box(node, image, &place.name("box"), findings);
    }
    if let Some(node) = parts.get("polygon") {
        let polygon = content::polygon(node, image, &place.name("polygon"), findings);
        content.geometry = content.geometry.or(polygon);
    }
    if let Some(node) = parts.get("region") {
        let region = content::region(node, &place.name("region"), findings);
        content.geometry = content.geometry.or(region);
    }
    if let Some(node) = parts.get("frame") {
        content.frame = content::frame(node, &place.name("frame"), findings);
    }
    if let Some(node) = parts.get("concepts") {
        let at = place.name("concepts");
        content.concepts = concepts::concepts(node, &mut shared.interner, &at, findings);
        for concept in content.concepts.iter().flatten() {
            if !shared.concepts.contains(&concept.id) {
                shared.concepts.insert(concept.id.clone());
            }
        }
    }
    if let Some(node) = parts.get("status") {
        content.status = content::status(node, &place.name("status"), findings);
    }
    if let Some(node) = parts.get("user") {
        let at = place.name("user");
        content.user = content::user(node, &mut shared.interner, &at, findings);
    }
    if let Some(node) = parts.get("metadata") {
        content.metadata = content::object(node, "`metadata`", &place.name("metadata"), findings);
    }
    if let Some(node) = parts.get("info") {
        content.info = content::object(node, "`info`", &place.name("info"), findings);
    }
    // An annotation with an error may look empty because of it.
    if findings.0.len() == before {
        says_enough(&identity, &content, place, findings);
    }
    (identity, content)
}

fn identity(parts: &Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Identity {
    let id = parts.get("id").map(|node| {
        name(node, "`id`", &place.name("id"), findings, |id| {
            AnnotationId::new(id)
        })
    });
    let key = parts.get("key").map(|node| {
        name(node, "`key`", &place.name("key"), findings, |key| {
            Key::new(key)
        })
    });
    if id.is_some() && key.is_some() {
        findings
            .add(place.name("key").key(), "both `id` and `key`")
            .hint(
                "`id` adopts an annotation that exists, `key` names one of this manifest; keep one",
            );
    }
    match (id.flatten(), key.flatten()) {
        (Some(id), _) => Identity::Id(id),
        (None, Some(key)) => Identity::Key(key),
        (None, None) => Identity::Content,
    }
}

/// Reports an annotation that could not be found again, or would be posted without anything in it.
fn says_enough(identity: &Identity, content: &Content, place: &Place<'_>, findings: &mut Findings) {
    match identity {
        Identity::Key(_) if *content == Content::default() => {
            findings
                .add(place.value(), "an annotation with a `key` and nothing else")
                .hint("say where it lies (`box`, `polygon`, `region`) or which `concepts` it has");
        }
        Identity::Content if content.geometry.is_none() && content.concepts.is_none() => {
            findings
                .add(
                    place.value(),
                    "an annotation without a place, concepts, `key` or `id`",
                )
                .hint("say where it lies (`box`, `polygon`, `region`) or which `concepts` it has; nothing else tells which one it is");
        }
        // An id says enough alone: "keep this one, and leave it as it is".
        Identity::Id(_) | Identity::Key(_) | Identity::InputLevel | Identity::Content => {}
    }
}

/// The ids and keys of an input, to find one that stands twice.
#[derive(Default)]
struct Names(HashMap<(&'static str, String), Pointer>);

impl Names {
    fn check(&mut self, identity: &Identity, place: &Place<'_>, findings: &mut Findings) {
        let (field, text) = match identity {
            Identity::Id(id) => ("id", id.as_str()),
            Identity::Key(key) => ("key", key.as_str()),
            Identity::InputLevel | Identity::Content => return,
        };
        let at = place.name(field).value();
        match self.0.entry((field, text.to_owned())) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(at);
            }
            std::collections::hash_map::Entry::Occupied(first) => {
                findings
                    .add(
                        at,
                        format!("the {field} {} stands twice in this input", quote(text)),
                    )
                    .hint("each annotation has its own")
                    .other("the first one is at", first.get().clone());
            }
        }
    }
}
