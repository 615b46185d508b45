//! Runs all rules on a manifest, and applies the header's levels and the declared `ignore`s.

use super::finding::{Checked, Finding};
use super::pictures::{self, Pictures};
use super::{concepts, frames, places, shapes};
use crate::manifest::{Manifest, Spot};
use crate::model::{DesiredInput, Ignore, InputId, Level, Rule, Undeclared};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// The findings of a manifest, in no particular order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Linted {
    pub findings: Vec<Finding>,
    /// Findings that an `ignore` of the manifest matches.
    pub ignored: u64,
}

/// Checks a manifest. `pictures` has what is known of the files of its pictures; without any, rules that need them find
/// nothing.
pub fn check(manifest: &Manifest, pictures: &Pictures) -> Linted {
    let level = |rule: Rule| {
        let set = manifest.lint.get(&rule).copied();
        set.unwrap_or_else(|| rule.default_level())
    };
    let mut findings: Vec<Finding> = manifest
        .desired
        .inputs
        .par_iter()
        .flat_map_iter(|input| check_input(manifest, pictures, input))
        .collect();
    findings.extend(concepts::check(manifest));
    findings.retain_mut(|finding| {
        finding.level = level(finding.rule);
        finding.level != Level::Off
    });
    let (mut findings, used, ignored) = without_ignored(manifest, findings);
    let unused = level(Rule::UnusedIgnore);
    if unused != Level::Off {
        let is_checked = |rule: Rule| {
            level(rule) != Level::Off && !(rule.is_of_pictures() && pictures.is_empty())
        };
        findings.extend(
            unused_ignores(manifest, &used, is_checked).map(|finding| Finding {
                level: unused,
                ..finding
            }),
        );
    }
    Linted { findings, ignored }
}

fn check_input(manifest: &Manifest, pictures: &Pictures, input: &DesiredInput) -> Vec<Finding> {
    let image = manifest.images.get(&input.id);
    let declared = image.and_then(|image| Some([image.width?, image.height?]));
    let picture = pictures.get(&input.id);
    let mut checked = Checked {
        input,
        size: declared.or_else(|| picture?.displayed_size()),
        findings: Vec::new(),
    };
    if input.annotations.is_empty() && input.undeclared == Undeclared::Managed {
        let message = format!("the input `{}` has no annotations", input.id);
        checked.report(
            Rule::NoLabels,
            Spot::Declaration(input.origin),
            message,
            "label it, or remove it: an input that is not declared is left alone",
        );
    }
    shapes::check(&mut checked);
    places::check(&mut checked);
    frames::check(&mut checked);
    if let (Some(image), Some(picture)) = (image, picture) {
        pictures::check(&mut checked, image, picture, pictures);
    }
    checked.findings
}

/// An `ignore`: its input and its index there.
type Used<'m> = HashSet<(&'m InputId, usize)>;

/// The findings that no `ignore` matches, the `ignore`s that were used, and the number of ignored findings.
fn without_ignored(manifest: &Manifest, findings: Vec<Finding>) -> (Vec<Finding>, Used<'_>, u64) {
    let by_input: HashMap<&InputId, &[(Option<usize>, Ignore)]> = manifest
        .desired
        .inputs
        .iter()
        .map(|input| (&input.id, manifest.ignores(&input.id)))
        .filter(|(_, ignores)| !ignores.is_empty())
        .collect();
    let mut used = HashSet::new();
    let mut kept = Vec::with_capacity(findings.len());
    let mut ignored = 0;
    for finding in findings {
        let input = finding.input.as_ref();
        let found = input.and_then(|id| by_input.get_key_value(id));
        let mut is_ignored = false;
        if let Some((id, ignores)) = found {
            for (at, (annotation, ignore)) in ignores.iter().enumerate() {
                let covers = annotation.is_none_or(|it| finding.annotations.contains(&it));
                if ignore.rule == finding.rule && covers {
                    used.insert((*id, at));
                    is_ignored = true;
                }
            }
        }
        if is_ignored {
            ignored += 1;
        } else {
            kept.push(finding);
        }
    }
    (kept, used, ignored)
}

fn unused_ignores<'a>(
    manifest: &'a Manifest,
    used: &'a Used<'a>,
    is_checked: impl Fn(Rule) -> bool + 'a,
) -> impl Iterator<Item = Finding> + 'a {
    let inputs = manifest.desired.inputs.iter();
    let all = inputs.flat_map(|input| {
        let ignores = manifest.ignores(&input.id).iter().enumerate();
        ignores.map(move |(at, (annotation, ignore))| (input, at, annotation, ignore))
    });
    all.filter(move |(input, at, _, ignore)| {
        is_checked(ignore.rule) && !used.contains(&(&input.id, *at))
    })
    .map(|(input, at, annotation, ignore)| {
        let origin = match annotation {
            Some(annotation) => input.annotations[*annotation].origin,
            None => input.origin,
        };
        // Its index in its own list.
        let all = manifest.ignores(&input.id);
        let before = all[..at].iter().filter(|(other, _)| other == annotation);
        let place = match annotation {
            Some(_) => "on this annotation",
            None => "on this input or its annotations",
        };
        Finding {
            input: Some(input.id.clone()),
            subject: format!("ignore {}", ignore.rule.name()),
            ..Finding::new(
                Rule::UnusedIgnore,
                Spot::Ignore(origin, before.count()),
                format!("no finding of `{}` {place}", ignore.rule.name()),
                "remove the `ignore`",
            )
        }
    })
}
