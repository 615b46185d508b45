//! One input with its annotations, as far as it is valid.
//!
//! Invalid parts are left out and the rest is kept, so that the checks over all files see everything. A manifest with
//! findings is used for nothing else.

use super::annotation::{IGNORE, KnownIdentities, annotation};
use super::at::At;
use super::content::{input_text, url_of, video};
use super::context::{Image, InputText, InputVideo, Shared};
use super::fields::Fields;
use super::lint;
use super::node::Node;
use super::span_texts::{check_spans, set_span_texts};
use super::words::quote;
use crate::model::{Content, Identity, Ignore, InputId, Undeclared};

/// The keys of an input.
pub(super) const INPUT: [&str; 7] = [
    "id",
    "image",
    "video",
    "text",
    "annotations",
    "purge",
    IGNORE,
];
/// The keys of `image`.
pub(super) const IMAGE: [&str; 4] = ["path", "url", "width", "height"];

/// An input, as far as it is valid.
#[derive(Debug)]
pub(super) struct ParsedInput {
    /// The index among the inputs of its file.
    pub(super) index: u32,
    pub(super) id: Option<InputId>,
    pub(super) image: Option<Image>,
    /// In the order of the file, one for each element of `annotations`.
    pub(super) annotations: Vec<(Identity, Content)>,
    pub(super) undeclared: Undeclared,
    /// Boxed, because few inputs have any.
    pub(super) media: Option<Box<Media>>,
}

/// The text, the video, the masks and the exceptions of an input, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) text: Option<InputText>,
    pub(super) video: Option<InputVideo>,
    /// The files of masks, with the indices of their annotations.
    pub(super) masks: Vec<(usize, Box<str>)>,
    /// Exceptions from rules, with the indices of their annotations; `None` for the input itself.
    pub(super) ignores: Vec<(Option<usize>, Ignore)>,
}

pub(super) fn input(at: At<'_, '_>, shared: &mut Shared) -> ParsedInput {
    let mut parsed = ParsedInput {
        index: 0,
        id: None,
        image: None,
        annotations: Vec::new(),
        undeclared: Undeclared::Managed,
        media: None,
    };
    let Some(fields) = at.fields("an input", &INPUT) else {
        return parsed;
    };
    parsed.id = fields
        .require("id", "an input", "name the input: id: street-0001")
        .and_then(|at| at.id("`id`", |id| InputId::new(id)));
    parsed.image = fields.get("image").and_then(image);
    let mut media = Media {
        video: fields.get("video").and_then(video),
        ..Media::default()
    };
    if fields.has("image") && fields.has("video") {
        fields
            .key_error("video", "an input with both `image` and `video`")
            .hint("keep one of the two");
    }
    media.text = fields.get("text").and_then(input_text);
    let ignores = fields.get(IGNORE).map(lint::ignores).unwrap_or_default();
    media.ignores = ignores.into_iter().map(|ignore| (None, ignore)).collect();
    parsed.undeclared = rest(&fields);
    if let Some((list, elements)) = annotations(&fields, &parsed) {
        let mut identities = KnownIdentities::default();
        parsed.annotations.reserve_exact(elements.len());
        for (index, at) in list.elements(elements).enumerate() {
            let read = annotation(at, parsed.image.as_ref(), shared);
            identities.check(&read.identity, at);
            media.masks.extend(read.mask.map(|path| (index, path)));
            let ignores = read.ignores.into_iter();
            media
                .ignores
                .extend(ignores.map(|ignore| (Some(index), ignore)));
            parsed.annotations.push((read.identity, read.content));
        }
    }
    if let Some(InputText::Raw(text)) = &media.text {
        let findings = &mut at.findings.borrow_mut();
        let missing = check_spans(text, &parsed.annotations, &at.place, findings);
        set_span_texts(&mut parsed.annotations, missing);
    }
    parsed.media = (media != Media::default()).then(|| Box::new(media));
    parsed
}

fn rest(fields: &Fields<'_, '_>) -> Undeclared {
    if !fields
        .get("purge")
        .is_some_and(|at| at.only_true("`purge`"))
    {
        return Undeclared::Managed;
    }
    if fields.has("annotations") {
        fields
            .key_error("purge", "both `annotations` and `purge`")
            .hint(
                "`purge: true` deletes every annotation of the input, of any user, except the input-level one; keep one \
                 of the two",
            );
    }
    Undeclared::Purged
}

/// The list `annotations` and its elements. It is required unless the input is purged.
fn annotations<'s, 'n>(
    fields: &'s Fields<'_, 'n>,
    parsed: &ParsedInput,
) -> Option<(At<'s, 'n>, &'n [Node<'n>])> {
    let at = match (fields.get("annotations"), parsed.undeclared) {
        (Some(at), _) => at,
        (None, Undeclared::Purged) => return None,
        (None, Undeclared::Managed) => {
            let noun = match &parsed.id {
                Some(id) => format!("input {}", quote(id.as_str())),
                None => "an input".to_owned(),
            };
            let hint = "write `annotations: []` if you mean none";
            return fields.require("annotations", &noun, hint).and(None);
        }
    };
    let elements = at.list("`annotations`", "a list")?;
    Some((at, elements))
}

fn image(at: At<'_, '_>) -> Option<Image> {
    let fields = at.fields("`image`", &IMAGE)?;
    let pixels = |key| {
        let at = fields.get(key)?;
        at.whole_number_32(&quote(key), 1)
    };
    let image = Image {
        width: pixels("width"),
        height: pixels("height"),
        path: fields
            .get("path")
            .and_then(|at| at.text("`path`"))
            .map(Box::from),
        url: fields.get("url").and_then(|at| url_of(at, "an image")),
    };
    if fields.has("path") && fields.has("url") {
        fields
            .key_error("url", "`image` with both `path` and `url`")
            .hint("keep one of the two");
    }
    Some(image)
}
