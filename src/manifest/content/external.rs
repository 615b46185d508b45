//! Values with a file or a URL: a `mask`, and the `video` and `text` of an input.
//!
//! Opens no files: [`crate::manifest::named`] reads them.

use crate::manifest::at::At;
use crate::manifest::context::{InputText, InputVideo};
use crate::manifest::node::Node;
use crate::manifest::words::quote;
use crate::model::is_web_url;

const PATH_OR_URL: [&str; 2] = ["path", "url"];

/// Where a mask comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum MaskSource {
    /// A file, as written.
    Path(Box<str>),
    Url(Box<str>),
}

pub(in crate::manifest) fn mask(at: At<'_, '_>) -> Option<MaskSource> {
    let hint = "write { path: masks/a.png } for a file, or { url: \"https://…\" }";
    match at.one_of("`mask`", &PATH_OR_URL, PATH_OR_URL, hint)? {
        ("path", _, path) => Some(MaskSource::Path(path.into())),
        (_, at, url) => web_url(at, url, "an image").map(MaskSource::Url),
    }
}

pub(in crate::manifest) fn video(at: At<'_, '_>) -> Option<InputVideo> {
    let hint = "write { path: videos/a.mp4 } for a file, or { url: \"https://…\" }";
    match at.one_of("`video`", &PATH_OR_URL, PATH_OR_URL, hint)? {
        ("path", _, path) => Some(InputVideo::Path(path.into())),
        (_, at, url) => web_url(at, url, "a video").map(InputVideo::Url),
    }
}

/// Reads `text` of an input.
pub(in crate::manifest) fn input_text(at: At<'_, '_>) -> Option<InputText> {
    const KEYS: [&str; 3] = ["path", "raw", "url"];
    let hint = "write { path: texts/a.txt } for a file, { raw: \"what the input says\" }, or { url: \"https://…\" }";
    if let Node::Map(entries) = at.node {
        let value = |name: &str| {
            let mut entries = entries.iter();
            entries.find(|(key, _)| matches!(key, Node::Text(key) if key == name))
        };
        if let Some((_, node)) = value("url") {
            let url = at.entry("url", node);
            if let Some(other) = ["path", "raw"].into_iter().find(|key| value(key).is_some()) {
                url.key_error(format!("`text` with both `{other}` and `url`"))
                    .hint("keep one of the two");
                return None;
            }
            at.fields("`text`", &KEYS)?;
            return url_of(url, "a text").map(InputText::Url);
        }
    }
    match at.one_of("`text`", &KEYS, ["path", "raw"], hint)? {
        ("path", _, path) => Some(InputText::Path(path.into())),
        (_, _, raw) => Some(InputText::Raw(raw.into())),
    }
}

/// Reads a URL that the service can fetch. `what` it is of: "an image".
pub(in crate::manifest) fn url_of(at: At<'_, '_>, what: &str) -> Option<Box<str>> {
    let url = at.nonempty_text("`url`", "for example https://example.com/a")?;
    web_url(at, url, what)
}

fn web_url(at: At<'_, '_>, url: &str, what: &str) -> Option<Box<str>> {
    if is_web_url(url) {
        return Some(url.into());
    }
    at.error(format!("{} is not the URL of {what}", quote(url)))
        .hint("a URL begins with https:// or http://; a file is named by `path`");
    None
}
