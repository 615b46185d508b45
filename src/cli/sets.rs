//! The label sets of an app. An annotation id holds a hash of its set's name. The name is looked up among known names:
//! earlier names in the header, names of folders, the app's id.

use super::git;
use crate::manifest::HEADER_FILES;
use crate::model::{Maker, ObservedState, SetName, SetPrefix};
use crate::plan::{Plan, TrippedGuard};
use crate::pull;
use crate::render;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Names from examples and `init`.
const COMMON: [&str; 4] = ["labels", "my-labels", "quickstart", "street"];
/// How many commits that changed the set's name are searched.
const COMMITS: &str = "100";

/// Counts the annotations of each set, except this set and those that it adopts.
pub(crate) fn others(
    observed: &ObservedState,
    set: &SetName,
    adopts: &BTreeSet<SetName>,
) -> BTreeMap<SetPrefix, u64> {
    let ours: BTreeSet<SetPrefix> = [SetPrefix::of(set)]
        .into_iter()
        .chain(adopts.iter().map(SetPrefix::of_name_or_prefix))
        .collect();
    let mut counts = BTreeMap::new();
    let people = (observed.inputs.values().flatten()).filter(|it| it.maker == Maker::User);
    for prefix in people.filter_map(|it| SetPrefix::of_id(&it.id)) {
        if !ours.contains(&prefix) {
            *counts.entry(prefix).or_default() += 1;
        }
    }
    counts
}

/// The sets as text: `street (as-6008c26f): 12 annotations`, or only the prefix if the name is unknown.
pub(crate) fn describe(
    counts: &BTreeMap<SetPrefix, u64>,
    known: &BTreeMap<SetPrefix, SetName>,
) -> String {
    let of = |(prefix, count): (&SetPrefix, &u64)| {
        let count = render::counted(*count, "annotation");
        match known.get(prefix) {
            Some(name) => format!("{name} ({prefix}): {count}"),
            None => format!("{prefix} (unknown name): {count}"),
        }
    };
    counts.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// Known names by their id prefix. `path` is a manifest or its folder.
pub(crate) fn known_names(path: &Path, app_id: &str) -> BTreeMap<SetPrefix, SetName> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut names: Vec<SetName> = COMMON
        .iter()
        .filter_map(|name| SetName::new(*name).ok())
        .collect();
    names.extend(pull::set_name(app_id));
    if let Ok(whole) = std::fs::canonicalize(folder) {
        let above = whole.ancestors().filter_map(Path::file_name);
        names.extend(above.map(|name| super::init::lists::named_after(&name.to_string_lossy())));
    }
    // Last, so that the header's names win if two names have the same prefix.
    names.extend(earlier(folder));
    names
        .into_iter()
        .map(|name| (SetPrefix::of(&name), name))
        .collect()
}

/// Earlier set names of the header, from the git history.
fn earlier(folder: &Path) -> Vec<SetName> {
    let mut log = git::git();
    log.current_dir(folder)
        .args([
            "log",
            "--all",
            "-n",
            COMMITS,
            "--format=",
            "-p",
            "-U0",
            "-G",
            "set.?:",
            "--",
        ])
        .args(HEADER_FILES);
    let Ok(diff) = git::run(&mut log, None) else {
        return Vec::new();
    };
    String::from_utf8_lossy(&diff)
        .lines()
        .filter_map(|line| line.strip_prefix(['+', '-']))
        .filter_map(|line| line.trim_start_matches([' ', '{', '"']).strip_prefix("set"))
        .filter_map(|rest| rest.trim_start_matches('"').strip_prefix(':'))
        .filter_map(|value| {
            let value = value.split('#').next()?.trim_matches([' ', '"', '\'', ',']);
            SetName::new(value).ok()
        })
        .collect()
}

/// How to adopt the sets of annotations that the plan would double; `None` if it doubles none.
pub(crate) fn adoption(plan: &Plan, path: &Path) -> Option<String> {
    let mut sets: Vec<SetName> = Vec::new();
    for trip in &plan.guards {
        if let TrippedGuard::Doubles { of, .. } = trip {
            let sets_of = of.iter().filter_map(|of| of.set.as_deref());
            sets.extend(sets_of.filter_map(|set| SetName::new(set).ok()));
        }
    }
    if sets.is_empty() {
        return None;
    }
    let known = known_names(path, &plan.target.app_id);
    let names = sets
        .iter()
        .map(|set| known.get(&SetPrefix::of_name_or_prefix(set)).unwrap_or(set));
    let names: BTreeSet<&str> = names.map(SetName::as_str).collect();
    let flags: Vec<String> = names
        .iter()
        .map(|name| format!("--adopt-set {name}"))
        .collect();
    let list: Vec<&str> = names.into_iter().collect();
    Some(format!(
        "if another set's annotations are this set's, because it was renamed, take them over: add\n  \
         adopts: [{}]\nto the header, or pass {}",
        list.join(", "),
        flags.join(" ")
    ))
}
