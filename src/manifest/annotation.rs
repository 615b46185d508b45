//! One annotation: which fields it has, which of them go together, and whether it says enough to be found again.
//!
//! The fields themselves are read by [`super::content`] and [`super::concepts`].

use super::content::MaskSource;
use super::fields::{Fields, fields, name, only_true};
use super::finding::{Findings, Place, Pointer};
use super::input::{Image, Shared};
use super::node::Node;
use super::words::{list as word_list, quote};
use super::{concepts, content};
use crate::model::{AnnotationId, Content, Extras, Geometry, Identity, Key, Mask};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The keys that say which annotation it is; at most one of them is given.
pub(super) const IDENTITY: [&str; 3] = ["key", "id", "input_level"];
/// The keys that say where it lies; at most one of them is given.
pub(super) const GEOMETRY: [&str; 8] = [
    "box",
    "polygon",
    "point",
    "keypoints",
    "mask",
    "span",
    "region",
    "segment",
];
/// Those of them that make a region: all but the last.
pub(super) const REGION: &[&str] = GEOMETRY.split_at(7).0;
/// The keys that belong to a region.
pub(super) const OF_REGION: [&str; 2] = ["track", "region_value"];
/// The keys of an annotation.
pub(super) const ANNOTATION: [&str; 21] = [
    "key",
    "id",
    "input_level",
    "frame",
    "segment",
    "box",
    "polygon",
    "point",
    "keypoints",
    "mask",
    "span",
    "region",
    "track",
    "region_value",
    "concepts",
    "text",
    "embed_model_version",
    "status",
    "user",
    "metadata",
    "info",
];
const ENOUGH: &str = "say where it lies (such as `box`), which `concepts` it has, or what `text`";

/// An annotation as far as it could be read.
#[derive(Debug)]
pub(super) struct ParsedAnnotation {
    pub(super) identity: Identity,
    pub(super) content: Content,
    /// The file that its mask is read from, as written; until then it has no geometry.
    pub(super) mask: Option<Box<str>>,
}

/// Reads an annotation.
pub(super) fn annotation(
    node: &Node<'_>,
    image: Option<&Image>,
    shared: &mut Shared,
    place: &Place<'_>,
    findings: &mut Findings,
) -> ParsedAnnotation {
    let mut parsed = ParsedAnnotation {
        identity: Identity::Content,
        content: Content::default(),
        mask: None,
    };
    let before = findings.0.len();
    let Some(parts) = fields(node, "an annotation", &ANNOTATION, place, findings) else {
        return parsed;
    };
    parsed.identity = identity(&parts, place, findings);
    check_company(&parts, place, findings);
    geometry(&parts, &mut parsed, image, shared, place, findings);

    let content = &mut parsed.content;
    if let Some(node) = parts.get("frame") {
        content.frame = content::frame(node, &place.name("frame"), findings);
    }
    if let Some(node) = parts.get("concepts") {
        let at = place.name("concepts");
        content.concepts = concepts::concepts(node, &mut shared.interner, &at, findings);
        for concept in content.concepts.iter().flatten() {
            shared.name(&concept.id);
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
    content.extras = extras(&parts, place, findings).boxed();
    // An annotation with an error may look empty because of it.
    if findings.0.len() == before {
        says_enough(&parsed, &parts, place, findings);
    }
    parsed
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
    if let Some(node) = parts.get("input_level") {
        let at = place.name("input_level");
        if only_true(node, "`input_level`", &at, findings).is_some() {
            return Identity::InputLevel;
        }
    }
    match (id.flatten(), key.flatten()) {
        (Some(id), _) => Identity::Id(id),
        (None, Some(key)) => Identity::Key(key),
        (None, None) => Identity::Content,
    }
}

/// Reports fields that do not go together.
fn check_company(parts: &Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) {
    let given = |key: &&'static str| parts.get(key).is_some();
    if parts.get("input_level") == Some(&Node::Bool(true)) {
        let foreign = [&IDENTITY[..2], &["frame"], &GEOMETRY, &OF_REGION].concat();
        for key in foreign.into_iter().filter(given) {
            findings
                .add(place.name(key).key(), format!("both `input_level` and `{key}`"))
                .hint(format!(
                    "the input's own annotation covers the whole input and exists once; leave `{key}` out, or declare \
                     another annotation"
                ));
        }
        return;
    }
    let places: Vec<&'static str> = GEOMETRY.into_iter().filter(given).collect();
    if let [first, others @ ..] = &places[..] {
        for other in others {
            findings
                .add(
                    place.name(other).key(),
                    format!("more than one geometry: `{first}` and `{other}`"),
                )
                .hint("an annotation lies in one place; make two annotations of it");
        }
    }
    if parts.get("frame").is_some() {
        for (key, hint) in [
            (
                "segment",
                "a segment has its own times; keep one of the two",
            ),
            ("span", "a text has no frames; keep one of the two"),
        ] {
            if parts.get(key).is_some() {
                findings
                    .add(
                        place.name("frame").key(),
                        format!("both `frame` and `{key}`"),
                    )
                    .hint(hint);
            }
        }
    }
    if !REGION.iter().any(given) {
        for key in OF_REGION.into_iter().filter(given) {
            findings
                .add(place.name(key).key(), format!("`{key}` without a region"))
                .hint(format!(
                    "it belongs to a region: give one of {}",
                    word_list(REGION.iter().copied())
                ));
        }
    }
}

/// Reads every geometry that is given, for its errors, and keeps the first.
fn geometry(
    parts: &Fields<'_, '_>,
    parsed: &mut ParsedAnnotation,
    image: Option<&Image>,
    shared: &mut Shared,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    for key in GEOMETRY {
        let Some(node) = parts.get(key) else {
            continue;
        };
        let at = &place.name(key);
        let read = match key {
            "box" => content::bounding_box(node, image, at, findings).map(Geometry::Box),
            "polygon" => content::polygon(node, image, at, findings).map(Geometry::Polygon),
            "point" => content::point(node, image, at, findings).map(Geometry::Point),
            "keypoints" => content::keypoints(node, image, at, findings).map(Geometry::Keypoints),
            "span" => content::span(node, at, findings).map(|span| Geometry::Span(Box::new(span))),
            "segment" => content::segment(node, at, findings).map(Geometry::Segment),
            "region" => content::region(node, image, &mut shared.interner, at, findings),
            _ => match content::mask(node, at, findings) {
                Some(MaskSource::Url(url)) => Some(Geometry::Mask(Box::new(Mask::of_url(url)))),
                Some(MaskSource::Path(path)) => {
                    parsed.mask = Some(path);
                    None
                }
                None => None,
            },
        };
        parsed.content.geometry = parsed.content.geometry.take().or(read);
    }
}

fn extras(parts: &Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Extras {
    let mut line = |key: &'static str| {
        let node = parts.get(key)?;
        content::line(node, &quote(key), &place.name(key), findings)
    };
    Extras {
        track: line("track"),
        text: line("text"),
        embed_model_version: line("embed_model_version"),
        region_value: parts
            .get("region_value")
            .and_then(|node| content::region_value(node, &place.name("region_value"), findings)),
    }
}

/// Reports an annotation that could not be found again, or would be posted without anything in it.
fn says_enough(
    parsed: &ParsedAnnotation,
    parts: &Fields<'_, '_>,
    place: &Place<'_>,
    findings: &mut Findings,
) {
    let given = |key: &&str| parts.get(key).is_some();
    let says_nothing = parsed.content.says_nothing() && parsed.mask.is_none();
    match &parsed.identity {
        Identity::Key(_) if !ANNOTATION[IDENTITY.len()..].iter().any(given) => {
            findings
                .add(place.value(), "an annotation with a `key` and nothing else")
                .hint(ENOUGH);
        }
        Identity::Content if !GEOMETRY.iter().chain(&["concepts", "text"]).any(given) => {
            findings
                .add(
                    place.value(),
                    "an annotation without a place, concepts, text, `key` or `id`",
                )
                .hint(format!("{ENOUGH}; nothing else tells which one it is"));
        }
        Identity::Content if says_nothing => {
            findings
                .add(
                    place.name("concepts").value(),
                    "an annotation without a place and with an empty list of concepts",
                )
                .hint(
                    "it would be posted empty: name its concepts, say where it lies, or give the `status` and `user` of the \
                     work to do; an input without annotations has `annotations: []`",
                );
        }
        // The first two say enough alone: "keep this one, and leave it as it is".
        Identity::Id(_) | Identity::InputLevel | Identity::Key(_) | Identity::Content => {}
    }
}

/// The ids and keys of an input, to find one that stands twice.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: HashMap<(&'static str, String), Pointer>,
    input_level: Option<Pointer>,
}

impl Names {
    /// Reports an identity that an annotation before this one has.
    pub(super) fn check(
        &mut self,
        identity: &Identity,
        place: &Place<'_>,
        findings: &mut Findings,
    ) {
        let (field, text) = match identity {
            Identity::Id(id) => ("id", id.as_str()),
            Identity::Key(key) => ("key", key.as_str()),
            Identity::InputLevel => {
                let at = place.name("input_level").key();
                match &self.input_level {
                    None => self.input_level = Some(at),
                    Some(first) => {
                        findings
                            .add(at, "a second `input_level` annotation on this input")
                            .hint("an input has one such annotation; put everything into one")
                            .other("the first is at", first.clone());
                    }
                }
                return;
            }
            Identity::Content => return,
        };
        let at = place.name(field).value();
        match self.known.entry((field, text.to_owned())) {
            Entry::Vacant(entry) => {
                entry.insert(at);
            }
            Entry::Occupied(first) => {
                findings
                    .add(
                        at,
                        format!("duplicate {field} {} on this input", quote(text)),
                    )
                    .hint("each annotation has its own")
                    .other("the first is at", first.get().clone());
            }
        }
    }
}
