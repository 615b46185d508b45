//! The targets of a header: where a manifest can be applied.

use super::at::At;
use super::words::quote;
use crate::model::{Key, UserId};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) const TARGET: [&str; 5] = ["embedded", "user_id", "app_id", "endpoint", "rate_limit"];

/// Where a manifest can be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetSpec {
    /// A local store, run by this program.
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
        /// The base URL, http or https.
        endpoint: Option<String>,
        /// Calls per second, at least 1.
        rate_limit: Option<u32>,
    },
}

/// Reads the valid targets of `targets`.
pub(super) fn targets(at: At<'_, '_>) -> BTreeMap<String, TargetSpec> {
    let mut targets = BTreeMap::new();
    let Some(entries) = at.map("`targets`", "a map from names to targets") else {
        return targets;
    };
    for (key, at) in at.text_entries(entries) {
        if let Err(error) = Key::new(key) {
            at.key_error(format!("the name of a target is invalid: {error}"));
        }
        if let Some(target) = target(at, key) {
            targets.insert(key.to_owned(), target);
        }
    }
    targets
}

fn target(at: At<'_, '_>, key: &str) -> Option<TargetSpec> {
    let hint =
        "write { user_id: …, app_id: … } for an app, or { embedded: FILE } for a local store";
    let noun = format!("the target {}", quote(key));
    let fields = at.fields(&noun, &TARGET)?;
    if let Some(at) = fields.get("embedded") {
        if let Some(other) = TARGET[1..].iter().find(|key| fields.has(key)) {
            fields
                .key_error(other, format!("{noun} has both `embedded` and `{other}`"))
                .hint(hint);
        }
        let path = at.text("`embedded`")?;
        if path.is_empty() || path.chars().any(char::is_control) {
            at.error("`embedded` is not a file path")
                .hint("for example .annosync/local.db");
            return None;
        }
        return Some(TargetSpec::Embedded { path: path.into() });
    }
    let user_id = fields
        .require("user_id", &noun, hint)
        .and_then(|at| at.id("`user_id`", |id| UserId::new(id)));
    let app_id = fields
        .require("app_id", &noun, hint)
        .and_then(|at| at.id("`app_id`", |id| Key::new(id)));
    let endpoint = fields.get("endpoint").and_then(endpoint);
    let rate_limit = fields
        .get("rate_limit")
        .and_then(|at| at.whole_number_32("`rate_limit`", 1));
    Some(TargetSpec::App {
        user_id: user_id?,
        app_id: app_id?.as_str().to_owned(),
        endpoint,
        rate_limit,
    })
}

fn endpoint(at: At<'_, '_>) -> Option<String> {
    let written = at.text("`endpoint`")?;
    let url = url::Url::parse(written)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(url) = url else {
        at.error(format!("{} is not the URL of a server", quote(written)))
            .hint("write https://api.clarifai.com, or http:// and the address of a local server");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        at.error("`endpoint` contains a user name or a password")
            .hint("a manifest holds no secrets; the token comes from the environment");
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        at.error("`endpoint` has a query or a fragment")
            .hint("write only the base URL: https://api.clarifai.com");
        return None;
    }
    Some(written.to_owned())
}
