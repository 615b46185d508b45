//! The header and the paths of a new manifest.

use crate::api::Endpoint;
use crate::cli::connection::Destination;
use crate::cli::exit::Failure;
use crate::manifest::{Format, Header, TargetSpec};
use crate::model::{Policy, SetName, UserId};
use crate::pull;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The name of the target.
const TARGET: &str = "pulled";

/// The header of a new manifest at `path`. A set without a name is named after the app.
pub(super) fn header(
    path: &Path,
    set: Option<&SetName>,
    adopt: &[SetName],
    policy: Policy,
    destination: &Destination,
) -> Result<Header, Failure> {
    let spec = match destination {
        Destination::Embedded { path: store, .. } => TargetSpec::Embedded {
            path: relative_to(folder_of(path), store),
        },
        Destination::App {
            endpoint,
            user_id,
            app_id,
            ..
        } => TargetSpec::App {
            user_id: UserId::new(user_id.as_str())
                .map_err(|error| Failure::usage(format!("--user-id: {error}")))?,
            app_id: app_id.clone(),
            endpoint: Some(endpoint.to_string())
                .filter(|url| url.trim_end_matches('/') != Endpoint::SERVICE),
            rate_limit: None,
        },
    };
    let set = match set {
        Some(set) => set.clone(),
        None => pull::set_name(&destination.target().app_id).ok_or_else(|| {
            Failure::usage("the app's id does not give a valid set name")
                .hint("give one with --set")
        })?,
    };
    Ok(Header {
        target: Some(TARGET.to_owned()),
        targets: BTreeMap::from([(TARGET.to_owned(), spec)]),
        adopts: adopt.iter().filter(|it| **it != set).cloned().collect(),
        ..Header::new(set, policy)
    })
}

/// The folder that is searched for the files of a manifest.
pub(super) fn walked(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if path.is_file() => match folder.as_os_str() {
            here if here.is_empty() => Path::new("."),
            _ => folder,
        },
        _ => path,
    }
}

/// The folder of a new header.
fn folder_of(path: &Path) -> &Path {
    let is_file = Format::of(path) == Some(Format::Yaml) && !path.is_dir();
    match path.parent() {
        Some(parent) if is_file => parent,
        _ => path,
    }
}

/// A path relative to a folder.
fn relative_to(folder: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    let (Ok(folder), Ok(whole)) = (std::path::absolute(folder), std::path::absolute(path)) else {
        return path.to_owned();
    };
    let steps = |path: &Path| -> Vec<std::ffi::OsString> {
        path.components()
            .filter(|step| !matches!(step, Component::CurDir))
            .map(|step| step.as_os_str().to_owned())
            .collect()
    };
    let (folder, whole) = (steps(&folder), steps(&whole));
    // `..` cannot be resolved without the file system, because of links.
    if folder.iter().chain(&whole).any(|step| step == "..") {
        return std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    }
    let common = folder
        .iter()
        .zip(&whole)
        .take_while(|(one, other)| one == other)
        .count();
    let up = std::iter::repeat_n(std::ffi::OsString::from(".."), folder.len() - common);
    up.chain(whole[common..].iter().cloned()).collect()
}
