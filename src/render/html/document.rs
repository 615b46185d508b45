//! The frame of a page: its head, its Content-Security-Policy, style and script.
//!
//! The policy allows the page's own style and script by their hashes, pictures in the page, and nothing from the network unless
//! the pictures are links.

use super::markup::Markup;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use url::Url;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Hosts that the policy names. If there are more, it allows all hosts.
const MOST_HOSTS: usize = 20;

/// Writes a page.
pub(super) fn page<'a>(
    title: &str,
    body: &Markup,
    pictures: impl Iterator<Item = &'a str>,
) -> String {
    let mut page = Markup::default();
    page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta http-equiv=\"Content-Security-Policy\"")
        .attribute("content", &policy(pictures))
        .raw(">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"color-scheme\" content=\"light dark\">\n")
        .raw("<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
        .text(title)
        .raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n")
        .append(body)
        .raw("<script>")
        .raw(SCRIPT)
        .raw("</script>\n</body>\n</html>\n");
    page.as_str().to_owned()
}

fn policy<'a>(pictures: impl Iterator<Item = &'a str>) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; img-src {}; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        picture_sources(pictures),
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Where pictures come from: the page itself, and what linked ones need.
fn picture_sources<'a>(pictures: impl Iterator<Item = &'a str>) -> String {
    let mut sources = BTreeSet::new();
    for href in pictures.filter_map(picture) {
        match Url::parse(href) {
            Ok(url) if url.scheme() == "data" => {}
            Ok(url) => {
                sources.insert(url.origin().ascii_serialization());
            }
            // A path relative to the page.
            Err(_) => sources.extend(["'self'".to_owned(), "file:".to_owned()]),
        }
    }
    let mut words = vec!["data:".to_owned()];
    if sources.len() > MOST_HOSTS {
        sources.retain(|source| !source.contains("://"));
        sources.extend(["http:".to_owned(), "https:".to_owned()]);
    }
    words.extend(sources);
    words.join(" ")
}

/// A link to a picture, if it is one that a page may contain: in the page, over HTTP, or a relative path.
pub(super) fn picture(href: &str) -> Option<&str> {
    let is_allowed = match Url::parse(href) {
        Ok(url) => match url.scheme() {
            "data" => href.starts_with("data:image/"),
            "http" | "https" => url.host_str().is_some_and(|host| {
                // The policy is a list that spaces, commas and semicolons separate.
                !host.contains([' ', ',', ';', '\''])
            }),
            _ => false,
        },
        Err(url::ParseError::RelativeUrlWithoutBase) => !href.starts_with("//"),
        Err(_) => false,
    };
    is_allowed.then_some(href)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linked_pictures_widen_the_policy_to_their_hosts() {
        let sources = |hrefs: &[&str]| picture_sources(hrefs.iter().copied());
        assert_eq!(sources(&[]), "data:");
        assert_eq!(sources(&["data:image/png;base64,AA=="]), "data:");
        assert_eq!(
            sources(&[
                "images/a b.jpg",
                "https://example.com/a;script-src *",
                "http://h:8080/x"
            ]),
            "data: 'self' file: http://h:8080 https://example.com"
        );
        for refused in [
            "javascript:alert(1)",
            "data:text/html,<script>",
            "//example.com/a",
            "file:///etc/passwd",
            "ftp://example.com/a",
        ] {
            assert_eq!(picture(refused), None, "{refused}");
            assert_eq!(sources(&[refused]), "data:");
        }
        let many: Vec<String> = (0..30).map(|n| format!("https://h{n}.example/a")).collect();
        assert_eq!(
            picture_sources(many.iter().map(String::as_str)),
            "data: http: https:"
        );
    }

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }
}
