//! The header: what a manifest is, which files hold its inputs, and how far a plan of it may go.

use super::fields::{
    Fields, check_keys, fields, list, map, name, text_keys, truth, whole_number, wrong_type,
};
use super::finding::{Findings, Place};
use super::node::{Entry, Node};
use super::target::{TargetSpec, targets};
use super::words::{list as word_list, nearest, quote, suggestion};
use crate::model::{ConceptId, Guards, Owner, Policy, SetName, Share, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// The keys of a header, in the order in which they are written.
pub(super) const HEADER: [&str; 12] = [
    "version",
    "set",
    "policy",
    "files",
    "target",
    "targets",
    "vocabulary",
    "owners",
    "create_inputs",
    "guards",
    "renamed",
    "adopts",
];
/// The key that stands beside the header, or alone.
pub(super) const INPUTS: &str = "inputs";
/// The keys of `guards`.
pub(super) const GUARDS: [&str; 6] = [
    "max_deletes",
    "max_updates",
    "min_existing",
    "max_vanished_concepts",
    "max_doubles",
    "max_new_concepts",
];
/// The keys that every header has, each with what to write where it is missing.
pub(super) const REQUIRED: [(&str, &str); 3] = [
    ("version", "write version: 1"),
    ("set", "name the label set: set: street"),
    (
        "policy",
        "write policy: sync (create, update, delete), upsert (create, update) or create",
    ),
];
/// The words for what a plan may do.
pub(super) const POLICIES: [(&str, Policy); 3] = [
    ("sync", Policy::Sync),
    ("upsert", Policy::Upsert),
    ("create", Policy::Create),
];
/// The vocabulary that is the app's own.
pub(super) const VOCABULARY_OF_APP: &str = "app";
const VOCABULARIES: &str = "a list of concepts, or the word app: those that the app has";
/// The only version of the format there is.
pub(super) const VERSION: u64 = 1;

/// The header of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The label set's name.
    pub set: SetName,
    /// What a plan may do.
    pub policy: Policy,
    /// Which files hold inputs: globs, relative to the header's folder. Nothing: all files.
    pub files: Option<Vec<String>>,
    /// The name of the default target.
    pub target: Option<String>,
    /// The targets by name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// The concepts that annotations may name. Nothing: any.
    pub vocabulary: Option<Vec<ConceptId>>,
    /// Whether annotations may name only concepts that the app has (`vocabulary: app`).
    pub vocabulary_of_app: bool,
    /// Whose undeclared annotations are in scope.
    pub owners: BTreeSet<Owner>,
    /// Whether inputs that the app lacks are posted.
    pub create_inputs: bool,
    /// The limits that stop a plan.
    pub guards: Guards,
    /// Old concept id to new one.
    pub renamed: BTreeMap<ConceptId, ConceptId>,
    /// Earlier names of the set: what was made under them is this set's.
    pub adopts: BTreeSet<SetName>,
}

impl Header {
    /// A header with nothing but what every header has.
    pub fn new(set: SetName, policy: Policy) -> Self {
        Self {
            set,
            policy,
            files: None,
            target: None,
            targets: BTreeMap::new(),
            vocabulary: None,
            vocabulary_of_app: false,
            owners: default_owners(),
            create_inputs: false,
            guards: Guards::default(),
            renamed: BTreeMap::new(),
            adopts: BTreeSet::new(),
        }
    }
}

/// The owners if the header names none.
pub(super) fn default_owners() -> BTreeSet<Owner> {
    BTreeSet::from([Owner::AppOwner])
}

/// What a file has of a header.
#[derive(Debug)]
pub(super) struct ParsedHeader {
    /// The first of its keys.
    pub(super) first_key: &'static str,
    /// Whether it has at least two of the three keys that every header has. A repository's other YAML may happen to
    /// have one of them.
    pub(super) is_strong: bool,
    /// The keys that every header has and this one lacks, each with what to write.
    pub(super) missing: Vec<(&'static str, &'static str)>,
    /// Its file patterns, as far as they could be read.
    pub(super) files: Option<Vec<String>>,
    /// The vocabulary and the renamed concepts, as far as they could be read: annotations are checked against them
    /// even where the rest of the header has an error.
    pub(super) vocabulary: Option<Vec<ConceptId>>,
    pub(super) renamed: BTreeMap<ConceptId, ConceptId>,
    /// The whole, if nothing that it needs is missing.
    pub(super) header: Option<Header>,
}

/// Reads the keys of a header among the entries at the top of a file; nothing where there are none.
pub(super) fn header(
    entries: &[Entry<'_>],
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<ParsedHeader> {
    let mut keys: Vec<&'static str> = HEADER.to_vec();
    keys.push(INPUTS);
    let parts = check_keys(entries, "a manifest", &keys, place, findings);
    let first_key = entries.iter().find_map(|(key, _)| match key {
        Node::Text(text) => HEADER.into_iter().find(|known| known == text),
        _ => None,
    })?;
    let missing: Vec<(&str, &str)> = REQUIRED
        .into_iter()
        .filter(|(key, _)| parts.get(key).is_none())
        .collect();
    version(parts, place, findings);
    let set = set(parts, place, findings);
    let policy = policy(parts, place, findings);
    let files = files(parts, place, findings);
    let targets = parts
        .get("targets")
        .map(|node| targets(node, &place.name("targets"), findings))
        .unwrap_or_default();
    let target = default_target(parts, &targets, place, findings);
    let vocabulary_of_app =
        matches!(parts.get("vocabulary"), Some(Node::Text(text)) if text == VOCABULARY_OF_APP);
    let vocabulary = if vocabulary_of_app {
        None
    } else {
        vocabulary(parts, place, findings)
    };
    let owners = owners(parts, place, findings);
    let create_inputs = parts.get("create_inputs").is_some_and(|node| {
        truth(
            node,
            "`create_inputs`",
            &place.name("create_inputs"),
            findings,
        )
    });
    let guards = guards(parts, place, findings);
    let renamed = renamed(parts, vocabulary.as_deref(), place, findings);
    let adopts = adopts(parts, set.as_ref(), place, findings);
    Some(ParsedHeader {
        first_key,
        is_strong: missing.len() <= 1,
        missing,
        files: files.clone(),
        vocabulary: vocabulary.clone(),
        renamed: renamed.clone(),
        header: set.zip(policy).map(|(set, policy)| Header {
            set,
            policy,
            files,
            target,
            targets,
            vocabulary,
            vocabulary_of_app,
            owners,
            create_inputs,
            guards,
            renamed,
            adopts,
        }),
    })
}

fn version(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) {
    if let Some(node) = parts.get("version")
        && *node != Node::Int(i128::from(VERSION))
    {
        findings
            .add(
                place.name("version").value(),
                format!(
                    "`version` must be {VERSION}, found {}",
                    node.describe_written()
                ),
            )
            .hint("this program reads version 1 of the format; a later one needs a later program");
    }
}

fn set(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Option<SetName> {
    let node = parts.get("set")?;
    let at = place.name("set");
    let text = super::fields::text(node, "`set`", &at, findings)?;
    SetName::new(text)
        .map_err(|_| {
            findings
                .add(
                    at.value(),
                    format!("{} is not a valid set name", quote(text)),
                )
                .hint(
                    "1 to 40 of a-z, 0-9 and -; it goes into the ids of what the manifest creates",
                );
        })
        .ok()
}

fn policy(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Option<Policy> {
    let node = parts.get("policy")?;
    let at = place.name("policy");
    let text = super::fields::text(node, "`policy`", &at, findings)?;
    let known = POLICIES.into_iter().find(|(name, _)| *name == text);
    if known.is_none() {
        findings
            .add(at.value(), format!("unknown policy {}", quote(text)))
            .hint(suggestion(text, POLICIES.map(|(name, _)| name)));
    }
    known.map(|(_, policy)| policy)
}

fn files(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let node = parts.get("files")?;
    let at = place.name("files");
    // Nothing here is not "all files", and not "none" either: under `sync` that would read as "delete everything".
    let elements = match node {
        Node::List(elements) if !elements.is_empty() => elements,
        Node::List(_) => {
            findings
                .add(at.value(), "`files` names no file")
                .hint("leave the key out if every file of the folder counts");
            return None;
        }
        _ => {
            wrong_type(node, "`files`", "a list of patterns", &at, findings);
            return None;
        }
    };
    let mut files = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let at = at.nth(index);
        let Some(pattern) = super::fields::text(element, "a pattern", &at, findings) else {
            continue;
        };
        match super::select::pattern(pattern) {
            Ok(_) => files.push(pattern.to_owned()),
            Err(error) => {
                findings
                    .add(
                        at.value(),
                        format!("{} is not a valid pattern: {}", quote(pattern), error.kind()),
                    )
                    .hint("a pattern is a path below the header's folder, with *, **, ?, [ab] and {a,b}");
            }
        }
    }
    Some(files)
}

fn default_target(
    parts: Fields<'_, '_>,
    targets: &BTreeMap<String, TargetSpec>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let node = parts.get("target")?;
    let at = place.name("target");
    let text = super::fields::text(node, "`target`", &at, findings)?;
    // Names as they are written: a target with an error in it is named all the same.
    let names: Vec<&str> = match parts.get("targets") {
        Some(Node::Map(entries)) => entries
            .iter()
            .filter_map(|(key, _)| match key {
                Node::Text(text) => Some(&**text),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    if !names.contains(&text) {
        let hint = if names.is_empty() {
            format!("describe it: targets: {{ {text}: {{ user_id: …, app_id: … }} }}")
        } else {
            suggestion(text, names)
        };
        findings
            .add(
                at.value(),
                format!("{} is not among `targets`", quote(text)),
            )
            .hint(hint);
        return None;
    }
    targets.contains_key(text).then(|| text.to_owned())
}

fn vocabulary(
    parts: Fields<'_, '_>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> Option<Vec<ConceptId>> {
    let node = parts.get("vocabulary")?;
    let at = place.name("vocabulary");
    let elements = list(node, "`vocabulary`", VOCABULARIES, &at, findings)?;
    let mut first: BTreeMap<ConceptId, usize> = BTreeMap::new();
    let mut vocabulary = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let place = at.nth(index);
        let Some(concept) = name(element, "a concept", &place, findings, |id| {
            ConceptId::new(id)
        }) else {
            continue;
        };
        if let Some(earlier) = first.get(&concept) {
            findings
                .add(
                    place.value(),
                    format!("the concept {} is named twice", quote(concept.as_str())),
                )
                .hint("keep one of the two")
                .other("the first one is at", at.nth(*earlier).value());
        } else {
            first.insert(concept.clone(), index);
            vocabulary.push(concept);
        }
    }
    Some(vocabulary)
}

fn owners(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> BTreeSet<Owner> {
    let Some(node) = parts.get("owners") else {
        return default_owners();
    };
    let at = place.name("owners");
    let hint = "write user ids, me (the token's user), or any: owners: [acme, labeler-1]";
    let mut owners = BTreeSet::new();
    match node {
        Node::List(elements) if !elements.is_empty() => {
            for (index, element) in elements.iter().enumerate() {
                let user = name(element, "an owner", &at.nth(index), findings, |id| {
                    UserId::new(id)
                });
                owners.extend(user.map(|user| match user.as_str() {
                    "me" => Owner::Me,
                    "any" => Owner::Any,
                    _ => Owner::User(user),
                }));
            }
        }
        Node::List(_) => {
            findings.add(at.value(), "`owners` is empty").hint(hint);
        }
        _ => {
            wrong_type(node, "`owners`", "a list", &at, findings).hint(hint);
        }
    }
    owners
}

fn guards(parts: Fields<'_, '_>, place: &Place<'_>, findings: &mut Findings) -> Guards {
    let mut guards = Guards::default();
    let Some(node) = parts.get("guards") else {
        return guards;
    };
    let at = place.name("guards");
    let Some(limits) = fields(node, "`guards`", &GUARDS, &at, findings) else {
        return guards;
    };
    for (key, share) in [
        ("max_deletes", &mut guards.max_deletes),
        ("max_updates", &mut guards.max_updates),
    ] {
        let Some(node) = limits.get(key) else {
            continue;
        };
        let read = match node {
            Node::Text(text) => Share::parse(text),
            Node::Int(count) => u64::try_from(*count).ok().map(Share::Count),
            _ => None,
        };
        match read {
            Some(read) => *share = read,
            None => {
                wrong_type(
                    node,
                    &quote(key),
                    "a percentage such as 30%, or a number",
                    &at.name(key),
                    findings,
                );
            }
        }
    }
    for (key, limit) in [
        ("min_existing", &mut guards.min_existing),
        ("max_vanished_concepts", &mut guards.max_vanished_concepts),
        ("max_doubles", &mut guards.max_doubles),
    ] {
        if let Some(read) = limits
            .get(key)
            .and_then(|node| whole_number(node, &quote(key), 0, u64::MAX, &at.name(key), findings))
        {
            *limit = read;
        }
    }
    let at_new = at.name("max_new_concepts");
    guards.max_new_concepts = limits
        .get("max_new_concepts")
        .and_then(|node| whole_number(node, "`max_new_concepts`", 0, u64::MAX, &at_new, findings));
    guards
}

fn renamed(
    parts: Fields<'_, '_>,
    vocabulary: Option<&[ConceptId]>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> BTreeMap<ConceptId, ConceptId> {
    let mut renamed = BTreeMap::new();
    let Some(node) = parts.get("renamed") else {
        return renamed;
    };
    let at = place.name("renamed");
    let expected = "a map from old concepts to new ones";
    let Some(entries) = map(node, "`renamed`", expected, &at, findings) else {
        return renamed;
    };
    let mut read: Vec<(usize, ConceptId, ConceptId)> = Vec::new();
    for (index, key) in text_keys(entries, &at, findings) {
        let place = at.nth(index);
        let old = ConceptId::new(key)
            .map_err(|error| {
                findings.add(place.key(), format!("the old concept is invalid: {error}"));
            })
            .ok();
        let new = name(
            &entries[index].1,
            "the new concept",
            &place,
            findings,
            |id| ConceptId::new(id),
        );
        if let Some((old, new)) = old.zip(new) {
            renamed.insert(old.clone(), new.clone());
            read.push((index, old, new));
        }
    }
    for (index, old, new) in &read {
        let place = at.nth(*index);
        if old == new {
            findings
                .add(
                    place.value(),
                    format!("{} is renamed to itself", quote(old.as_str())),
                )
                .hint("leave it out");
        } else if let Some(next) = renamed.get(new) {
            let finding = findings.add(
                place.value(),
                format!(
                    "{} is renamed to {}, which is renamed as well",
                    quote(old.as_str()),
                    quote(new.as_str())
                ),
            );
            // Round a circle there is no last name to suggest.
            if next != old && !renamed.contains_key(next) {
                finding.hint(format!("rename it to {} at once", quote(next.as_str())));
            } else {
                finding.hint("a new name is not renamed again");
            }
        } else if let Some(vocabulary) = vocabulary
            && !vocabulary.contains(new)
        {
            let near = nearest(new.as_str(), vocabulary.iter().map(ConceptId::as_str))
                .map(|near| format!("did you mean {}? ", quote(near)))
                .unwrap_or_default();
            findings
                .add(
                    place.value(),
                    format!(
                        "the new concept {} is not in the vocabulary",
                        quote(new.as_str())
                    ),
                )
                .hint(format!(
                    "{near}add it to `vocabulary`, or rename to one of it"
                ));
        }
    }
    renamed
}

fn adopts(
    parts: Fields<'_, '_>,
    set: Option<&SetName>,
    place: &Place<'_>,
    findings: &mut Findings,
) -> BTreeSet<SetName> {
    let mut adopts = BTreeSet::new();
    let Some(node) = parts.get("adopts") else {
        return adopts;
    };
    let at = place.name("adopts");
    let Some(elements) = list(node, "`adopts`", "a list of sets", &at, findings) else {
        return adopts;
    };
    for (index, element) in elements.iter().enumerate() {
        let at = at.nth(index);
        let read = name(element, "a set", &at, findings, |text| SetName::new(text));
        if read.as_ref().is_some_and(|name| Some(name) == set) {
            findings
                .add(at.value(), "`adopts` names the set itself")
                .hint("name the sets whose annotations are to be this set's, or leave it out");
        }
        adopts.extend(read);
    }
    adopts
}

/// What to say where there is no header at all.
pub(super) fn no_header_hint() -> String {
    format!(
        "a header names the label set and what a plan may do; begin annosync.yaml with\n\
         version: {VERSION}\n\
         set: my-labels\n\
         policy: sync"
    )
}

/// The keys that make a file one of annosync's, for a message.
pub(super) fn known_keys() -> String {
    word_list(HEADER.into_iter().chain([INPUTS]))
}
