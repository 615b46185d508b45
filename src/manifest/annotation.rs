//! One annotation: its fields, which of them can be combined, and whether it can be matched.
//!
//! The fields are read by [`super::content`] and [`super::concepts`].

use super::at::At;
use super::content::MaskSource;
use super::context::{Image, Shared};
use super::fields::Fields;
use super::finding::Pointer;
use super::node::Node;
use super::words::{list as word_list, quote};
use super::{concepts, content, lint};
use crate::model::{
    AnnotationId, Content, Extras, Geometry, Identity, Ignore, Key, Mask, RareFields,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The keys that identify it; at most one is given.
pub(super) const IDENTITY: [&str; 3] = ["key", "id", "input_level"];
/// The keys that say where it lies; at most one is given.
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
/// The geometries that make a region: all except `segment`.
pub(super) const REGION: &[&str] = GEOMETRY.split_at(7).0;
/// The keys that need a region.
pub(super) const OF_REGION: [&str; 2] = ["track", "region_value"];
/// The key of exceptions from rules of the linter.
pub(super) const IGNORE: &str = "ignore";
pub(super) const ANNOTATION: [&str; 22] = [
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
    IGNORE,
];
const CONTENT_HINT: &str = "give a geometry (such as `box`), `concepts` or `text`";

/// An annotation, as far as it is valid.
#[derive(Debug)]
pub(super) struct ParsedAnnotation {
    pub(super) identity: Identity,
    pub(super) content: Content,
    /// The file of its mask, as written. The geometry is set when the file is read.
    pub(super) mask: Option<Box<str>>,
    pub(super) ignores: Vec<Ignore>,
}

pub(super) fn annotation(
    at: At<'_, '_>,
    image: Option<&Image>,
    shared: &mut Shared,
) -> ParsedAnnotation {
    let mut parsed = ParsedAnnotation {
        identity: Identity::Content,
        content: Content::default(),
        mask: None,
        ignores: Vec::new(),
    };
    let count = || at.findings.borrow().0.len();
    let count_before = count();
    let Some(fields) = at.fields("an annotation", &ANNOTATION) else {
        return parsed;
    };
    parsed.identity = identity(&fields);
    check_combinations(&fields);
    read_geometry(&fields, &mut parsed, image, shared);

    let content = &mut parsed.content;
    content.frame = fields.get("frame").and_then(content::frame);
    content.concepts = fields
        .get("concepts")
        .and_then(|at| concepts::concepts(at, &mut shared.interner));
    for concept in content.concepts.iter().flatten() {
        shared.add_concept(&concept.id);
    }
    content.rare = RareFields {
        status: fields.get("status").and_then(content::status),
        user: fields
            .get("user")
            .and_then(|at| content::user(at, &mut shared.interner)),
        metadata: fields
            .get("metadata")
            .and_then(|at| content::object(at, "`metadata`")),
        info: fields
            .get("info")
            .and_then(|at| content::object(at, "`info`")),
        extras: extras(&fields),
    }
    .into();
    parsed.ignores = fields.get(IGNORE).map(lint::ignores).unwrap_or_default();
    // An annotation with an error may look empty because of it.
    if count() == count_before {
        check_not_empty(&parsed, &fields);
    }
    parsed
}

fn identity(fields: &Fields<'_, '_>) -> Identity {
    let id = fields
        .get("id")
        .and_then(|at| at.id("`id`", |id| AnnotationId::new(id)));
    let key = fields
        .get("key")
        .and_then(|at| at.id("`key`", |key| Key::new(key)));
    if fields.has("id") && fields.has("key") {
        fields.key_error("key", "both `id` and `key`").hint(
            "`id` adopts an annotation that exists, `key` names one of this manifest; keep one",
        );
    }
    if fields
        .get("input_level")
        .is_some_and(|at| at.only_true("`input_level`"))
    {
        return Identity::InputLevel;
    }
    match (id, key) {
        (Some(id), _) => Identity::Id(id),
        (None, Some(key)) => Identity::Key(key),
        (None, None) => Identity::Content,
    }
}

/// Reports fields that cannot be combined.
fn check_combinations(fields: &Fields<'_, '_>) {
    let given = |key: &&'static str| fields.has(key);
    if fields
        .get("input_level")
        .is_some_and(|at| *at.node == Node::Bool(true))
    {
        let excluded = [&IDENTITY[..2], &["frame"], &GEOMETRY, &OF_REGION].concat();
        for key in excluded.into_iter().filter(given) {
            fields
                .key_error(key, format!("both `input_level` and `{key}`"))
                .hint(format!(
                    "the input's own annotation covers the whole input and exists once; leave `{key}` out, or declare \
                     another annotation"
                ));
        }
        return;
    }
    let geometries: Vec<&'static str> = GEOMETRY.into_iter().filter(given).collect();
    if let [first, others @ ..] = &geometries[..] {
        for other in others {
            fields
                .key_error(
                    other,
                    format!("more than one geometry: `{first}` and `{other}`"),
                )
                .hint("an annotation has one geometry; split it into two annotations");
        }
    }
    if fields.has("frame") {
        for (key, hint) in [
            (
                "segment",
                "a segment has its own times; keep one of the two",
            ),
            ("span", "a text has no frames; keep one of the two"),
        ] {
            if fields.has(key) {
                fields
                    .key_error("frame", format!("both `frame` and `{key}`"))
                    .hint(hint);
            }
        }
    }
    if !REGION.iter().any(given) {
        for key in OF_REGION.into_iter().filter(given) {
            fields
                .key_error(key, format!("`{key}` without a region"))
                .hint(format!(
                    "it belongs to a region: give one of {}",
                    word_list(REGION.iter().copied())
                ));
        }
    }
}

/// Reads every geometry, so that all its problems are reported, and keeps the first.
fn read_geometry(
    fields: &Fields<'_, '_>,
    parsed: &mut ParsedAnnotation,
    image: Option<&Image>,
    shared: &mut Shared,
) {
    for key in GEOMETRY {
        let Some(at) = fields.get(key) else {
            continue;
        };
        let read = match key {
            "box" => content::bounding_box(at, image).map(Geometry::Box),
            "polygon" => content::polygon(at, image).map(Geometry::Polygon),
            "point" => content::point(at, image).map(Geometry::Point),
            "keypoints" => content::keypoints(at, image).map(Geometry::Keypoints),
            "span" => content::span(at).map(|span| Geometry::Span(Box::new(span))),
            "segment" => content::segment(at).map(Geometry::Segment),
            "region" => content::region(at, image, &mut shared.interner),
            _ => match content::mask(at) {
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

fn extras(fields: &Fields<'_, '_>) -> Extras {
    let line = |key: &'static str| {
        let at = fields.get(key)?;
        content::line(at, &quote(key))
    };
    Extras {
        track: line("track"),
        text: line("text"),
        embed_model_version: line("embed_model_version"),
        region_value: fields.get("region_value").and_then(content::region_value),
    }
}

/// Reports an annotation that could not be matched, or would be posted empty.
fn check_not_empty(parsed: &ParsedAnnotation, fields: &Fields<'_, '_>) {
    let given = |key: &&str| fields.has(key);
    let would_post_empty = parsed.content.would_post_empty() && parsed.mask.is_none();
    match &parsed.identity {
        Identity::Key(_)
            if !ANNOTATION[IDENTITY.len()..]
                .iter()
                .any(|key| *key != IGNORE && given(key)) =>
        {
            fields
                .error("an annotation with a `key` and nothing else")
                .hint(CONTENT_HINT);
        }
        Identity::Content if !GEOMETRY.iter().chain(&["concepts", "text"]).any(given) => {
            fields
                .error("an annotation without a geometry, concepts, text, `key` or `id`")
                .hint(format!("{CONTENT_HINT}; it cannot be matched without one"));
        }
        Identity::Content if would_post_empty => {
            fields
                .value_error(
                    "concepts",
                    "an annotation without a geometry and with an empty list of concepts",
                )
                .hint(
                    "it would be posted empty: give concepts, a geometry, or the `status` and `user` of a labelling task; \
                     for an input without annotations write `annotations: []`",
                );
        }
        // An id or `input_level` alone means: keep this annotation and change nothing.
        Identity::Id(_) | Identity::InputLevel | Identity::Key(_) | Identity::Content => {}
    }
}

/// The identities of an input's annotations so far.
#[derive(Debug, Default)]
pub(super) struct KnownIdentities {
    named: HashMap<(&'static str, String), Pointer>,
    input_level: Option<Pointer>,
}

impl KnownIdentities {
    /// Reports an identity that an earlier annotation has.
    pub(super) fn check(&mut self, identity: &Identity, at: At<'_, '_>) {
        let (field, text) = match identity {
            Identity::Id(id) => ("id", id.as_str()),
            Identity::Key(key) => ("key", key.as_str()),
            Identity::InputLevel => {
                let pointer = at.place.name("input_level").key();
                match &self.input_level {
                    None => self.input_level = Some(pointer),
                    Some(first) => {
                        at.report(pointer, "a second `input_level` annotation on this input")
                            .hint("an input has one such annotation; merge the two")
                            .related("the first is at", first.clone());
                    }
                }
                return;
            }
            Identity::Content => return,
        };
        let pointer = at.place.name(field).value();
        match self.named.entry((field, text.to_owned())) {
            Entry::Vacant(entry) => {
                entry.insert(pointer);
            }
            Entry::Occupied(first) => {
                at.report(
                    pointer,
                    format!("duplicate {field} {} on this input", quote(text)),
                )
                .hint("each annotation needs its own")
                .related("the first is at", first.get().clone());
            }
        }
    }
}
