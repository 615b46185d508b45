//! The targets of a header: where a manifest can be applied.

use super::fields::{fields, map, name, text, text_keys, whole_number};
use super::finding::{Findings, Place};
use super::node::Node;
use super::words::quote;
use crate::model::{Key, UserId};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The keys of a target.
pub(super) const TARGET: [&str; 5] = ["embedded", "user_id", "app_id", "endpoint", "rate_limit"];

/// Where a manifest can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetSpec {
    /// The store inside this program.
    Embedded {
        /// Its file, as written: relative to the folder of the header's file.
        path: PathBuf,
    },
    /// An app of the service.
    App {
        /// The app's owner.
        user_id: UserId,
        /// The app.
        app_id: String,
        /// The base URL, http or https; nothing where the header gives none.
        endpoint: Option<String>,
        /// Calls a second, at least 1; nothing where the header gives none.
        rate_limit: Option<u32>,
    },
}

/// Reads `targets`, without those that have an error.
pub(super) fn targets(
    node: &Node<'_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, TargetSpec> {
    let mut targets = BTreeMap::new();
    let expected = "a map from names to targets";
    let Some(entries) = map(node, "`targets`", expected, place, findings) else {
        return targets;
    };
    for (index, key) in text_keys(entries, place, findings) {
        let at = place.nth(index);
        if let Err(error) = Key::new(key) {
            findings.add(
                at.key(),
                format!("the name of a target is invalid: {error}"),
            );
        }
        if let Some(target) = target(&entries[index].1, key, &at, findings) {
            targets.insert(key.to_owned(), target);
        }
    }
    targets
}

fn target(
    node: &Node<'_>,
    key: &str,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<TargetSpec> {
    let hint =
        "write { user_id: …, app_id: … } for an app, or { embedded: FILE } for a local store";
    let noun = format!("the target {}", quote(key));
    let parts = fields(node, &noun, &TARGET, place, findings)?;
    if let Some(file) = parts.get("embedded") {
        if let Some(other) = TARGET[1..].iter().find(|key| parts.get(key).is_some()) {
            findings
                .add(
                    place.name(other).key(),
                    format!("{noun} has both `embedded` and `{other}`"),
                )
                .hint(hint);
        }
        let at = place.name("embedded");
        let path = text(file, "`embedded`", &at, findings)?;
        if path.is_empty() || path.chars().any(char::is_control) {
            findings
                .add(at.value(), "`embedded` is not the path of a file")
                .hint("for example .annosync/local.db");
            return None;
        }
        return Some(TargetSpec::Embedded { path: path.into() });
    }
    let user_id = parts
        .require("user_id", &noun, hint, place, findings)
        .and_then(|node| {
            let at = place.name("user_id");
            name(node, "`user_id`", &at, findings, |id| UserId::new(id))
        });
    let app_id = parts
        .require("app_id", &noun, hint, place, findings)
        .and_then(|node| {
            let at = place.name("app_id");
            name(node, "`app_id`", &at, findings, |id| Key::new(id))
        });
    let endpoint = parts
        .get("endpoint")
        .and_then(|node| endpoint(node, &place.name("endpoint"), findings));
    let rate_limit = parts
        .get("rate_limit")
        .and_then(|node| {
            let at = place.name("rate_limit");
            whole_number(node, "`rate_limit`", 1, u64::from(u32::MAX), &at, findings)
        })
        .and_then(|limit| u32::try_from(limit).ok());
    Some(TargetSpec::App {
        user_id: user_id?,
        app_id: app_id?.as_str().to_owned(),
        endpoint,
        rate_limit,
    })
}

fn endpoint(node: &Node<'_>, place: &Place<'_>, findings: &mut Findings) -> Option<String> {
    let written = text(node, "`endpoint`", place, findings)?;
    let url = url::Url::parse(written)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        findings
            .add(
                place.value(),
                format!("{} is not the URL of a server", quote(written)),
            )
            .hint("write https://api.clarifai.com, or http:// and the address of a local server");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        findings
            .add(place.value(), "`endpoint` holds a name or a password")
            .hint("a manifest holds no secrets; the token comes from the environment");
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        findings
            .add(place.value(), "`endpoint` has a query or a fragment")
            .hint("write the base URL alone: https://api.clarifai.com");
        return None;
    }
    Some(written.to_owned())
}
