//! One input with its annotations, read from its tree as far as it is good.
//!
//! What has an error is left out and the rest is kept, so that the checks over all files see everything: nothing of a
//! manifest with findings is ever used for anything else.

use super::annotation::{Names, annotation};
use super::content::{InputVideo, TextSource, text_input, url_of, video};
use super::fields::{Fields, fields, list, name, only_true, text, whole_number};
use super::finding::{Findings, Place};
use super::known_text::{fill, filling};
use super::node::Node;
use super::words::quote;
use crate::model::{ConceptId, Content, Identity, InputId, Interner, Undeclared};
use std::collections::HashSet;

/// The keys of an input.
pub(super) const INPUT: [&str; 6] = ["id", "image", "video", "text", "annotations", "purge"];
/// The keys of `image`.
pub(super) const IMAGE: [&str; 4] = ["path", "url", "width", "height"];
/// What a manifest says of an input's image. Coordinates are fractions with or without it. Where the app lacks the input
/// and may be given it, the image is posted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Where the image lies, as written.
    pub path: Option<Box<str>>,
    /// Where the service can fetch it; not beside a path.
    pub url: Option<Box<str>>,
    /// In pixels, at least 1.
    pub width: Option<u32>,
    /// In pixels, at least 1.
    pub height: Option<u32>,
}

/// What a text input says. It is there to check and to fill in what spans say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputText {
    /// The file that says it, as written.
    Path(Box<str>),
    /// The text itself.
    Raw(Box<str>),
    /// Where the service can fetch it: what it says is not known here.
    Url(Box<str>),
}

/// An input as far as it could be read.
#[derive(Debug)]
pub(super) struct ParsedInput {
    pub(super) id: Option<InputId>,
    pub(super) image: Option<Image>,
    /// In the order of the file, one for each element of `annotations`.
    pub(super) annotations: Vec<(Identity, Content)>,
    /// What happens to everything else on it.
    pub(super) undeclared: Undeclared,
    /// The files that it names; few inputs name any.
    pub(super) named: Option<Box<NamedFiles>>,
}

/// The files that an input names, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NamedFiles {
    /// What the input says.
    pub(super) text: Option<Box<str>>,
    /// The same, where the manifest itself says it.
    pub(super) raw: Option<Box<str>>,
    /// The same, where the service can fetch it.
    pub(super) text_url: Option<Box<str>>,
    /// The video.
    pub(super) video: Option<InputVideo>,
    /// The masks, with the index of the annotation of each.
    pub(super) masks: Vec<(usize, Box<str>)>,
}

/// What is shared while the inputs of a file are read.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) interner: Interner,
    /// Every concept that the file names.
    pub(super) concepts: HashSet<ConceptId>,
}

impl Shared {
    /// Keeps the name of a concept.
    pub(super) fn name(&mut self, concept: &ConceptId) {
        if !self.concepts.contains(concept) {
            self.concepts.insert(concept.clone());
        }
    }
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
        undeclared: Undeclared::Managed,
        named: None,
    };
    let Some(parts) = fields(node, "an input", &INPUT, place, findings) else {
        return parsed;
    };
    let hint = "name the input: id: street-0001";
    parsed.id = parts
        .require("id", "an input", hint, place, findings)
        .and_then(|node| {
            let at = place.name("id");
            name(node, "`id`", &at, findings, |id| InputId::new(id))
        });
    parsed.image = parts
        .get("image")
        .and_then(|node| image(node, &place.name("image"), findings));
    let video = parts
        .get("video")
        .and_then(|node| video(node, &place.name("video"), findings));
    if parts.get("image").is_some() && parts.get("video").is_some() {
        findings
            .add(
                place.name("video").key(),
                "an input with both `image` and `video`",
            )
            .hint("keep one of the two");
    }
    let text = parts
        .get("text")
        .and_then(|node| text_input(node, &place.name("text"), findings));
    parsed.undeclared = rest(&parts, place, findings);
    let mut named = NamedFiles {
        video,
        ..NamedFiles::default()
    };
    if let Some(elements) = elements(&parts, &parsed, place, findings) {
        let at = place.name("annotations");
        let mut identities = Names::default();
        parsed.annotations.reserve_exact(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let at = at.nth(index);
            let read = annotation(element, parsed.image.as_ref(), shared, &at, findings);
            identities.check(&read.identity, &at, findings);
            named.masks.extend(read.mask.map(|path| (index, path)));
            parsed.annotations.push((read.identity, read.content));
        }
    }
    match text {
        Some(TextSource::Path(path)) => named.text = Some(path),
        Some(TextSource::Raw(text)) => {
            let found = filling(text, &parsed.annotations, place, findings);
            fill(&mut parsed.annotations, found);
            named.raw = Some(text.into());
        }
        Some(TextSource::Url(url)) => named.text_url = Some(url),
        None => {}
    }
    parsed.named = (named != NamedFiles::default()).then(|| Box::new(named));
    parsed
}

fn rest(parts: &Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Undeclared {
    let Some(node) = parts.get("purge") else {
        return Undeclared::Managed;
    };
    let at = place.name("purge");
    if only_true(node, "`purge`", &at, findings).is_none() {
        return Undeclared::Managed;
    }
    if parts.get("annotations").is_some() {
        findings
            .add(at.key(), "both `annotations` and `purge`")
            .hint(
                "`purge: true` deletes every annotation of the input, whoever made it, but the input-level one; keep \
                 one of the two",
            );
    }
    Undeclared::Purged
}

/// The elements of `annotations`, which must be there unless the input is purged.
fn elements<'n, 't>(
    parts: &Fields<'n, 't>,
    parsed: &ParsedInput,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<&'n [Node<'t>]> {
    let node = match (parts.get("annotations"), parsed.undeclared) {
        (Some(node), _) => node,
        (None, Undeclared::Purged) => return None,
        (None, Undeclared::Managed) => {
            let noun = match &parsed.id {
                Some(id) => format!("input {}", quote(id.as_str())),
                None => "an input".to_owned(),
            };
            let hint = "write `annotations: []` if you mean none";
            return parts
                .require("annotations", &noun, hint, place, findings)
                .and(None);
        }
    };
    let at = place.name("annotations");
    list(node, "`annotations`", "a list", &at, findings)
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
        .and_then(|node| text(node, "`path`", &place.name("path"), findings))
        .map(Box::from);
    let url = parts
        .get("url")
        .and_then(|node| url_of(node, "an image", &place.name("url"), findings));
    if parts.get("path").is_some() && parts.get("url").is_some() {
        findings
            .add(
                place.name("url").key(),
                "`image` with both `path` and `url`",
            )
            .hint("keep one of the two");
    }
    Some(Image {
        path,
        url,
        width,
        height,
    })
}
