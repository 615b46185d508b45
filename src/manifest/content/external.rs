//! What comes from elsewhere: a `mask` from a file or a URL, the text of an input from a file or from the manifest.
//!
//! Opens no files: it says what is named, and [`crate::manifest::named`] reads it.

use crate::manifest::fields::{Choice, fields, filled, one_of, one_of_known};
use crate::manifest::finding::{Findings, Place};
use crate::manifest::node::Node;
use crate::manifest::words::quote;
use crate::model::is_web_url;

/// Where a mask comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum MaskSource {
    /// A file, as written.
    Path(Box<str>),
    /// A URL.
    Url(Box<str>),
}

/// Where the video of an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputVideo {
    /// A file, as written.
    Path(Box<str>),
    /// A URL.
    Url(Box<str>),
}

/// Where the text of an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manifest) enum TextSource<'n> {
    /// A URL.
    Url(Box<str>),
    /// A file, as written.
    Path(Box<str>),
    /// The manifest.
    Raw(&'n str),
}

/// Reads `mask`.
pub(in crate::manifest) fn mask(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<MaskSource> {
    let hint = "write { path: masks/a.png } for a file, or { url: \"https://…\" }";
    match one_of(node, "`mask`", ["path", "url"], hint, place, findings)? {
        Choice::First(path) => Some(MaskSource::Path(path.into())),
        Choice::Second(url) if is_web_url(url) => Some(MaskSource::Url(url.into())),
        Choice::Second(url) => {
            findings
                .add(
                    place.name("url").value(),
                    format!("{} is not the URL of an image", quote(url)),
                )
                .hint("a URL begins with https:// or http://; a file is named by `path`");
            None
        }
    }
}

/// Reads `text` of an input.
pub(in crate::manifest) fn text_input<'n>(
    node: &'n Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<TextSource<'n>> {
    const KEYS: [&str; 3] = ["path", "raw", "url"];
    let hint = "write { path: texts/a.txt } for a file, { raw: \"what the input says\" }, or { url: \"https://…\" }";
    if let Node::Map(entries) = node {
        let value = |name: &str| {
            let mut named = entries.iter();
            named.find(|(key, _)| matches!(key, Node::Text(key) if key == name))
        };
        if let Some((_, url)) = value("url") {
            if let Some(other) = ["path", "raw"].into_iter().find(|key| value(key).is_some()) {
                findings
                    .add(
                        place.name("url").key(),
                        format!("`text` with both `{other}` and `url`"),
                    )
                    .hint("keep one of the two");
                return None;
            }
            fields(node, "`text`", &KEYS, place, findings)?;
            return url_of(url, "a text", &place.name("url"), findings).map(TextSource::Url);
        }
    }
    match one_of_known(
        node,
        "`text`",
        &KEYS,
        ["path", "raw"],
        hint,
        place,
        findings,
    )? {
        Choice::First(path) => Some(TextSource::Path(path.into())),
        Choice::Second(raw) => Some(TextSource::Raw(raw)),
    }
}

/// Reads `video`.
pub(in crate::manifest) fn video(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<InputVideo> {
    let hint = "write { path: videos/a.mp4 } for a file, or { url: \"https://…\" }";
    match one_of(node, "`video`", ["path", "url"], hint, place, findings)? {
        Choice::First(path) => Some(InputVideo::Path(path.into())),
        Choice::Second(_) => {
            let Node::Map(entries) = node else {
                return None;
            };
            let url = entries
                .iter()
                .find(|(key, _)| matches!(key, Node::Text(key) if key == "url"));
            url_of(&url?.1, "a video", &place.name("url"), findings).map(InputVideo::Url)
        }
    }
}

/// Reads a URL that a server can fetch something from.
pub(in crate::manifest) fn url_of(
    node: &Node<'_>,
    what: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Box<str>> {
    let url = filled(
        node,
        "`url`",
        "for example https://example.com/a",
        place,
        findings,
    )?;
    if is_web_url(url) {
        return Some(url.into());
    }
    findings
        .add(
            place.value(),
            format!("{} is not the URL of {what}", quote(url)),
        )
        .hint("a URL begins with https:// or http://; a file is named by `path`");
    None
}
